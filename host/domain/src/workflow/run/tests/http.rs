//! A system of the merchant is asked: what its answer must be, and what becomes of the case where it is not.

use super::*;
use crate::case::Reply;
use crate::case::command::Event;
use crate::value::Value;

const LABEL: &str = r#"
  - id: label
    http: { target: carrier, body: { rma: =case.number, why: =case.reason }, expect: { number: text, boxes: number? } }
    as: label
HANDLED
  - { id: void, http: { target: carrier, body: { number: =label.number } } }
  - { id: done, finish: { result: labelled } }
  - { id: refused, finish: { result: refused } }
"#;
const ON_ERROR: &str = "    on_error: [{ match: answer_invalid, then: refused }, { match: declined, then: refused }, { match: outcome_unknown, then: refused }]";

fn desk() -> Desk {
    Desk::with(&LABEL.replace("HANDLED", ON_ERROR))
}

/// Nothing is handled: what goes wrong is a person's.
fn unhandled() -> Desk {
    let steps = LABEL.replace("HANDLED", "").replace("  - { id: refused, finish: { result: refused } }\n", "");
    Desk::with(&steps)
}

fn reply(fields: &[(&str, Value)], wrong: &[&str]) -> Option<Reply> {
    let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    Some(Reply { fields, wrong: wrong.iter().map(|name| (*name).to_owned()).collect() })
}

fn answers(desk: &mut Desk, case: Nth, step: &str, reply: Option<Reply>) {
    let key = desk.key(case, step);
    desk.give(case, Body::Settle(Settle { reply, ..Settle::new(key, Settled::Confirmed) })).unwrap();
}

fn number() -> Option<Reply> {
    reply(&[("number", Value::text("L1"))], &[])
}

#[test]
fn a_case_waits_for_the_answer_and_reads_it_in_the_steps_that_follow() {
    let mut desk = desk();
    let case = desk.open(1);
    assert_eq!(desk.stands(case), "label");
    let (key, effect) = desk.effect(case, "label");
    let What::Http(request) = &effect.what else { panic!("{effect:?}") };
    assert_eq!(request.body, Fields::from([("rma".to_owned(), Value::text("R-0"))]), "what is absent is left out");
    assert_eq!(desk.work, [Work::Effect { key }]);
    answers(&mut desk, case, "label", number());
    let What::Http(request) = &desk.effect(case, "void").1.what else { panic!() };
    assert_eq!(request.body["number"], Value::text("L1"));
    assert_ne!(desk.key(case, "void"), key, "each request has a key of its own");
    answers(&mut desk, case, "void", reply(&[], &[]));
    assert_eq!(desk.stands(case), "labelled");
}

#[test]
fn an_answer_that_lacks_a_field_or_has_another_type_is_invalid() {
    let lacking = [None, reply(&[], &[]), reply(&[("number", Value::whole(1))], &[])];
    let wrong = [reply(&[], &["number"]), reply(&[("number", Value::text("L1"))], &["boxes"])];
    for answer in lacking.into_iter().chain(wrong) {
        let mut desk = desk();
        let case = desk.open(1);
        answers(&mut desk, case, "label", answer.clone());
        assert_eq!(desk.stands(case), "refused", "{answer:?}");
        assert!(!desk.cases[case].outputs.contains_key("label"), "nothing stands for an answer that there is not");
    }
}

#[test]
fn whoever_mends_an_invalid_answer_has_it_asked_again_under_its_key() {
    let mut desk = unhandled();
    let case = desk.open(1);
    let key = desk.key(case, "label");
    answers(&mut desk, case, "label", reply(&[], &[]));
    assert_eq!(desk.task(case).1.reasons[0].code, "answer_invalid");
    desk.answer(case, "try_again").unwrap();
    assert_eq!((desk.stands(case), desk.state(case, "label")), ("label", EffectState::Intended));
    assert_eq!(desk.work, [Work::Effect { key }], "the same key: a system that did act says so");
    answers(&mut desk, case, "label", number());
    assert_eq!(desk.stands(case), "void");
}

#[test]
fn what_is_declined_or_unknown_goes_where_the_step_says_and_else_to_a_person() {
    for (outcome, code) in [(Settled::Declined, "declined"), (Settled::Unknown, "outcome_unknown")] {
        let mut desk = desk();
        let case = desk.open(1);
        let key = desk.key(case, "label");
        desk.settle(case, key, outcome);
        assert_eq!(desk.stands(case), "refused");
        let mut desk = unhandled();
        let case = desk.open(1);
        desk.settle(case, key, outcome);
        assert_eq!((desk.stands(case), desk.asked_of(case, key)), ("label", code));
    }
}

#[test]
fn a_person_who_found_out_says_what_the_answer_was() {
    for (form, stands) in
        [(number(), "void"), (reply(&[], &[]), "label"), (reply(&[("x", Value::text("y"))], &[]), "label")]
    {
        let mut desk = unhandled();
        let case = desk.open(1);
        let key = desk.key(case, "label");
        desk.settle(case, key, Settled::Unknown);
        let (task, form) = (desk.task(case).0, form.unwrap().fields);
        let complete = Complete { task, outcome: "paid".to_owned(), form, live: false, lines: Vec::new() };
        desk.give(case, Body::Complete(complete)).unwrap();
        assert_eq!(desk.stands(case), stands);
    }
}

#[test]
fn an_outcome_that_comes_twice_or_late_or_for_nothing_changes_nothing() {
    let mut desk = desk();
    let case = desk.open(1);
    answers(&mut desk, case, "label", number());
    answers(&mut desk, case, "label", reply(&[("number", Value::text("L2"))], &[]));
    assert_eq!(desk.last(case), ["input.ignored.1"]);
    assert_eq!(desk.cases[case].effects[&desk.key(case, "label")].reply, number());
    desk.give(case, Body::Cancel).unwrap();
    answers(&mut desk, case, "void", reply(&[], &[]));
    assert_eq!((desk.stands(case), desk.state(case, "void")), ("cancelled", EffectState::Confirmed));
    let event = Event { name: "label".to_owned(), fields: Fields::new() };
    assert_eq!(code(desk.give(case, Body::Event(event))), "unknown_event");
}

#[test]
fn a_skipped_request_asks_nobody_and_of_the_past_nobody_is_asked() {
    let skipped = "
  - { id: label, when: 'has(case.reason)', http: { target: carrier } }
  - { id: done, finish: { result: labelled } }
";
    let mut desk = Desk::with(skipped);
    let case = desk.open(1);
    assert_eq!((desk.stands(case), desk.cases[case].effects.len()), ("labelled", 0));
    let mut desk = Desk::with(&skipped.replace("when: 'has(case.reason)', ", ""));
    let case = desk.open_from(1, true);
    assert_eq!((desk.stands(case), desk.cases[case].effects.len(), desk.work.len()), ("labelled", 0, 0));
}
