//! An event that no case is named for: whether a workflow wants it, and the case that it opens there.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::case::command::{Open, Rejection};
use crate::case::start::{By, Start};
use crate::case::{Arrived, External};
use crate::ids::{CustomerId, Digest, NotAName, OrderId, Slug};
use crate::value::{Fields, Type, Value};
use crate::workflow::definition::Definition;
use crate::workflow::definition::start::EventStart;
use crate::workflow::expr::{Context, Expr, Roots};
use crate::workflow::run::EXPRESSION_STEPS_MAX;

/// Letters of a reason.
const REASON_CHARS_MAX: usize = 200;

/// The case that an event opens under a workflow, where one of its triggers wants the event. `external` names it, `content` tells
/// it from another one under that name.
///
/// # Errors
/// What the event carries gives no order, customer, reason or variable.
pub fn opens(
    definition: &Definition,
    event: &Arrived,
    external: &External,
    content: Digest,
) -> Result<Option<Open>, Rejection> {
    let Some(trigger) = wanted(definition, event, |_| true) else { return Ok(None) };
    let told = Told::new(definition, event);
    let order = told.named("order", trigger.order.as_ref(), OrderId::new)?;
    let customer = told.named("customer", trigger.customer.as_ref(), CustomerId::new)?;
    let reason = trigger.reason.as_ref().map(|reason| told.text("reason", reason)).transpose()?;
    if reason.as_ref().is_some_and(|text| text.is_empty() || text.chars().count() > REASON_CHARS_MAX) {
        let why = format!("a reason has 1 to {REASON_CHARS_MAX} letters");
        return Err(told.refused("reason", &why));
    }
    told.set(trigger)?;
    let by = By::Event { event: Box::new(event.clone()), content };
    Ok(Some(Open {
        kind: trigger.kind.clone(),
        external: Some(external.clone()),
        history: false,
        customer,
        order,
        currency: definition.currency,
        reason,
        claim: None,
        attributes: Fields::new(),
        lines: Vec::new(),
        called: None,
        start: Some(Box::new(Start { workflow: definition.workflow.clone(), by })),
    }))
}

/// The trigger of this type of case that wants the event.
pub(super) fn wanted_as<'d>(
    definition: &'d Definition,
    event: &Arrived,
    kind: &Slug,
) -> Result<&'d EventStart, Rejection> {
    wanted(definition, event, |trigger| trigger.kind == *kind).ok_or_else(|| {
        let message = format!("workflow {} opens no {kind} for event {:?}", definition.workflow, event.name);
        Rejection { code: "event_not_wanted", message, fields: vec!["name".to_owned()] }
    })
}

/// The variables that the event gives its case.
pub(super) fn gives(definition: &Definition, event: &Arrived, kind: &Slug) -> Result<Fields, Rejection> {
    Told::new(definition, event).set(wanted_as(definition, event, kind)?)
}

fn wanted<'d>(
    definition: &'d Definition,
    event: &Arrived,
    is_meant: impl Fn(&EventStart) -> bool,
) -> Option<&'d EventStart> {
    let declared = definition.events.get(&event.name)?;
    if !Value::Object(event.fields.clone()).is_of(&Type::Object(declared.clone())) {
        return None;
    }
    let told = Told::new(definition, event);
    let equals = |(field, value): &(String, Expr)| {
        event.fields.get(field).is_some_and(|found| told.value(value).is_ok_and(|value| value.as_ref() == Some(found)))
    };
    let is_wanted = |trigger: &&EventStart| trigger.event == event.name && trigger.matches.iter().all(equals);
    definition.starts.events.iter().filter(is_wanted).find(|trigger| is_meant(trigger))
}

/// The event as expressions read it.
struct Told<'d> {
    definition: &'d Definition,
    roots: BTreeMap<&'static str, Value>,
}

impl Roots for Told<'_> {
    fn root(&self, name: &str) -> Option<Cow<'_, Value>> {
        self.roots.get(name).map(Cow::Borrowed)
    }
}

impl<'d> Told<'d> {
    fn new(definition: &'d Definition, event: &Arrived) -> Self {
        let mut fields = event.fields.clone();
        fields.insert("name".to_owned(), Value::text(&event.name));
        fields.insert("at".to_owned(), Value::Instant(event.at));
        let roots = [("event", Value::Object(fields)), ("now", Value::Instant(event.at))].into();
        Self { definition, roots }
    }

    fn value(&self, expr: &Expr) -> Result<Option<Value>, String> {
        let Definition { zone, currency, .. } = *self.definition;
        let mut context = Context { zone, currency, steps_left: EXPRESSION_STEPS_MAX };
        expr.evaluate_optional(self, &mut context).map_err(|error| error.message)
    }

    fn text(&self, field: &str, expr: &Expr) -> Result<String, Rejection> {
        match self.value(expr) {
            Ok(Some(Value::Text(text))) => Ok(text.to_string()),
            Ok(_) => Err(self.refused(field, "it is no text")),
            Err(why) => Err(self.refused(field, &why)),
        }
    }

    fn named<T>(
        &self,
        field: &str,
        expr: Option<&Expr>,
        read: impl FnOnce(&str) -> Result<T, NotAName>,
    ) -> Result<Option<T>, Rejection> {
        let Some(expr) = expr else { return Ok(None) };
        let text = self.text(field, expr)?;
        read(&text).map(Some).map_err(|error| self.refused(field, &format!("it must be {}", error.expected)))
    }

    fn set(&self, trigger: &EventStart) -> Result<Fields, Rejection> {
        let mut set = Fields::new();
        for (name, expr) in &trigger.set {
            let value = self.value(expr).map_err(|why| self.refused(name, &why))?;
            set.extend(value.map(|value| (name.clone(), value)));
        }
        Ok(set)
    }

    fn refused(&self, what: &str, why: &str) -> Rejection {
        let message =
            format!("workflow {} takes no `{what}` from what the event carries: {why}", self.definition.workflow);
        Rejection { code: "wrong_event", message, fields: vec!["fields".to_owned()] }
    }
}
