//! Which workflow takes a case: by priority, then name, the first with a matching trigger. A sub-case says which.

use super::names::Names;
use super::{Input, begin};
use crate::case::Case;
use crate::case::command::{Body, Open, Rejection};
use crate::facts::Facts;
use crate::value::Value;
use crate::workflow::definition::{Definition, Required, Trigger};
use crate::workflow::expr::Context;

/// The workflow that takes the case, or none: then the case is held for a person.
///
/// # Errors
/// The trigger that matches requires what the submission lacks; field by field.
pub fn route<'a>(
    definitions: impl IntoIterator<Item = &'a Definition>,
    input: &Input,
) -> Result<Option<&'a Definition>, Rejection> {
    let Body::Open(open) = &input.command.body else { return Ok(None) };
    if let Some(called) = &open.called {
        // A sub-case names its workflow; no trigger is asked.
        return Ok(definitions.into_iter().find(|one| one.workflow == called.workflow));
    }
    let case = begin::preview(open, input)?;
    let mut ordered: Vec<&Definition> = definitions.into_iter().collect();
    ordered.sort_by(|a, b| (b.priority, &a.workflow).cmp(&(a.priority, &b.workflow)));
    for definition in ordered {
        if let Some(trigger) =
            definition.triggers.iter().find(|trigger| matches(trigger, definition, &case, &input.facts))
        {
            required(&trigger.requires, open)?;
            return Ok(Some(definition));
        }
    }
    Ok(None)
}

fn matches(trigger: &Trigger, definition: &Definition, case: &Case, facts: &Facts) -> bool {
    if !trigger.kinds.is_empty() && !trigger.kinds.contains(case.kind.as_str()) {
        return false;
    }
    let Some(when) = &trigger.when else { return true };
    let mut names = Names::new(Some(definition), case.opened_at);
    names.load(case, facts);
    let steps_left = super::EXPRESSION_STEPS_MAX;
    let mut context = Context { zone: definition.zone, currency: definition.currency, steps_left };
    // A condition without a value does not hold: the case goes on to other triggers, at last to a person.
    matches!(when.evaluate(&names, &mut context), Ok(Value::Bool(true)))
}

/// A submission that lacks something is refused, field by field.
pub(super) fn required<'a>(requires: impl IntoIterator<Item = &'a Required>, open: &Open) -> Result<(), Rejection> {
    let missing = |required: &&Required| match required {
        Required::Order => open.order.is_none(),
        Required::Reason => open.reason.is_none(),
        Required::Customer => open.customer.is_none(),
        Required::Lines => open.lines.is_empty(),
    };
    let name = |required: &Required| match required {
        Required::Order => "order",
        Required::Reason => "reason",
        Required::Customer => "customer",
        Required::Lines => "lines",
    };
    let fields: Vec<String> = requires.into_iter().filter(missing).map(|one| name(one).to_owned()).collect();
    if fields.is_empty() {
        return Ok(());
    }
    let message = format!("the submission lacks {}", fields.join(", "));
    Err(Rejection { code: "field_required", message, fields })
}
