//! Cases that are started by the name of their workflow: who may, with what, and what the case begins with.

mod events;
mod schedules;

use super::{Desk, Nth, agent, gbp};
use crate::case::Status;
use crate::case::command::{Actor, Body, Open, Rejection};
use crate::case::start::{By, Start, Started};
use crate::ids::{CustomerId, Slug};
use crate::value::{Fields, Value};

const COUNT: &str = "vars: { shelf: text, level: { type: [low, high], default: low }, note: text? }
steps:
  - { id: pick, decide: [{ when: 'shelf == \"A\" && level == \"low\"', then: a }, { else: other }] }
  - { id: a, finish: { result: shelf_a } }
  - { id: other, finish: { result: other_shelf } }
";

/// A workflow that is started by name alone.
fn counting(trigger: &str) -> Desk {
    Desk::started(&format!("  - manual: {trigger}\n"), COUNT)
}

fn count() -> Desk {
    counting("{ roles: [agent, admin], type: count, inputs: [shelf, level, note] }")
}

fn fields(given: &[(&str, &str)]) -> Fields {
    given.iter().map(|(name, text)| ((*name).to_owned(), Value::text(*text))).collect()
}

fn named(kind: &str, inputs: &[(&str, &str)]) -> Open {
    let by = By::Manual { inputs: fields(inputs) };
    Open {
        kind: Slug::new(kind).unwrap(),
        external: None,
        history: false,
        customer: None,
        order: None,
        currency: gbp(),
        reason: None,
        claim: None,
        attributes: Fields::new(),
        lines: Vec::new(),
        called: None,
        start: Some(Box::new(Start { workflow: Slug::from_static("tried"), by })),
    }
}

impl Desk {
    fn start(&mut self, actor: &Actor, open: Open) -> Result<Nth, Rejection> {
        let new = self.cases.len();
        self.journals.truncate(new);
        self.journals.push(Vec::new());
        self.turn(new, actor, Body::Open(Box::new(open))).map(|()| new)
    }
}

fn by(role: &str) -> Actor {
    Actor { role: role.to_owned(), ..agent("ada") }
}

#[test]
fn who_may_start_it_gives_the_inputs_that_the_case_begins_with() {
    let mut desk = count();
    let case = desk.start(&by("agent"), named("count", &[("shelf", "A")])).unwrap();
    assert_eq!(desk.stands(case), "shelf_a");
    assert_eq!(
        desk.cases[case].vars,
        fields(&[("shelf", "A"), ("level", "low")]),
        "a default holds where nothing is given"
    );
    assert_eq!(desk.cases[case].started, Some(Started::Manual));
    let other = desk.start(&by("admin"), named("count", &[("shelf", "A"), ("level", "high")])).unwrap();
    assert_eq!(desk.stands(other), "other_shelf", "what is given counts more than a default");
}

#[test]
fn nobody_else_starts_it_and_the_refusal_says_who_may() {
    for role in ["integrator", "viewer", "host", "Agent", ""] {
        let refused = count().start(&by(role), named("count", &[("shelf", "A")])).unwrap_err();
        assert_eq!((refused.code, &refused.fields[..]), ("not_allowed", &["workflow".to_owned()][..]), "{role}");
        assert_eq!(refused.message, format!("workflow tried is started by admin, agent, not by {role}"));
    }
}

#[test]
fn inputs_of_another_type_unknown_ones_and_missing_ones_are_refused() {
    for (inputs, told) in [
        (&[][..], "inputs.shelf"),
        (&[("note", "x")], "inputs.shelf"),
        (&[("shelf", "A"), ("level", "middle")], "inputs.level"),
        (&[("shelf", "A"), ("colour", "red")], "inputs.colour"),
    ] {
        let refused = count().start(&by("agent"), named("count", inputs)).unwrap_err();
        assert_eq!((refused.code, &refused.fields[..]), ("wrong_inputs", &[told.to_owned()][..]));
    }
}

#[test]
fn a_type_that_it_does_not_open_and_a_part_that_it_requires_are_refused() {
    let refused = count().start(&by("agent"), named("return", &[("shelf", "A")])).unwrap_err();
    assert_eq!((refused.code, &refused.fields[..]), ("not_startable", &["kind".to_owned()][..]));
    let mut strict = counting("{ roles: agent, type: count, requires: [customer, reason], inputs: [shelf] }");
    let mut open = named("count", &[("shelf", "A")]);
    let refused = strict.start(&by("agent"), open.clone()).unwrap_err();
    assert_eq!(
        (refused.code, &refused.fields[..]),
        ("field_required", &["reason".to_owned(), "customer".to_owned()][..])
    );
    open.customer = Some(CustomerId::new("c1").unwrap());
    open.reason = Some("year_end".to_owned());
    strict.start(&by("agent"), open).unwrap();
}

#[test]
fn a_workflow_without_the_trigger_is_not_started_by_its_name() {
    let refused = Desk::of(&COUNT.replace("shelf: text,", "shelf: { type: text, default: A },"))
        .start(&by("admin"), named("return", &[]))
        .unwrap_err();
    assert_eq!((refused.code, &refused.fields[..]), ("not_startable", &["workflow".to_owned()][..]));
}

#[test]
fn the_type_that_it_opens_does_not_lead_to_it() {
    let mut desk = count();
    let mut open = named("count", &[("shelf", "A")]);
    open.start = None;
    let found = desk.routed(open);
    assert_eq!(found, None, "a trigger `manual` is no `case_opened`");
    assert_eq!(desk.routed(named("count", &[])).as_deref(), Some("tried"));
    let status =
        desk.start(&by("agent"), named("count", &[("shelf", "B")])).map(|case| desk.cases[case].status.clone());
    assert_eq!(status, Ok(Status::Closed { failed: false }));
}
