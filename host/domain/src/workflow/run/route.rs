//! Which workflow takes a case: by priority, then name, the first with a matching trigger. What names its workflow is not asked.

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
    let called = open.called.as_ref().map(|called| &called.workflow);
    if let Some(named) = called.or(open.start.as_ref().map(|start| &start.workflow)) {
        // The workflow is named: no condition of a trigger is asked.
        return Ok(definitions.into_iter().find(|one| one.workflow == *named));
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
    let fields: Vec<String> = requires.into_iter().filter(missing).map(|one| one.word().to_owned()).collect();
    if fields.is_empty() {
        return Ok(());
    }
    let message = format!("the submission lacks {}", fields.join(", "));
    Err(Rejection { code: "field_required", message, fields })
}
