//! `await` of several events that must all come.

use super::*;
use crate::case::command::Event;
use crate::value::Value;

const HEAD: &str = "events: { goods: { rma: text }, papers: { state: text? }, label: {} }
vars: { state: { type: text, default: none } }
";
const STEPS: &str = "  - id: both
    await:
      all:
        - { event: goods, match: 'event.rma == case.number' }
        - { event: papers }
      timeout: { after: 5d, then: later }
    as: came
  - { id: read, set: { state: '=came.goods.rma == case.number ? orElse(came.papers.state, \"no state\") : \"others\"' }, then: done }
  - { id: later, await: { event: papers, timeout: { after: 5d, then: lost } }, then: found }
  - { id: found, finish: { result: found } }
  - { id: done, finish: { result: done } }
  - { id: lost, finish: { result: lost } }
";

fn told(desk: &mut Desk, case: Nth, name: &str, fields: &[(&str, &str)]) {
    let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), Value::text(*value))).collect();
    desk.give(case, Body::Event(Event { name: name.to_owned(), fields })).unwrap();
}

fn goods(desk: &mut Desk, case: Nth) {
    let number = desk.cases[case].number.clone();
    told(desk, case, "goods", &[("rma", &number)]);
}

#[test]
fn given_one_of_two_has_come_when_the_other_comes_then_the_wait_is_over_and_both_are_told() {
    for goods_first in [true, false] {
        let (mut desk, case) = (Desk::beside(HEAD, STEPS), 0);
        assert_eq!(desk.open(1), case);
        if goods_first {
            goods(&mut desk, case);
        } else {
            told(&mut desk, case, "papers", &[("state", "signed")]);
        }
        assert_eq!((desk.stands(case), desk.cases[case].gathered.len()), ("both", 1));
        assert!(desk.cases[case].events.is_empty());
        if goods_first {
            told(&mut desk, case, "papers", &[("state", "signed")]);
        } else {
            goods(&mut desk, case);
        }
        assert_eq!(desk.stands(case), "done");
        assert_eq!(desk.cases[case].vars["state"].to_string(), "signed");
        assert!(desk.cases[case].gathered.is_empty());
    }
}

#[test]
fn given_the_same_event_comes_twice_then_the_second_is_kept_and_the_wait_goes_on() {
    let mut desk = Desk::beside(HEAD, STEPS);
    let case = desk.open(1);
    goods(&mut desk, case);
    goods(&mut desk, case);
    told(&mut desk, case, "goods", &[("rma", "another")]);
    assert_eq!((desk.stands(case), desk.cases[case].events.len()), ("both", 2));
    told(&mut desk, case, "papers", &[]);
    assert_eq!((desk.stands(case), desk.cases[case].vars["state"].to_string().as_str()), ("done", "no state"));
    assert_eq!(desk.cases[case].events.len(), 2);
}

#[test]
fn given_events_came_before_the_wait_then_it_takes_what_it_needs_of_them() {
    let early = format!("  - {{ id: first, wait: {{ for: 1d }} }}\n{STEPS}");
    for names in [&["papers"][..], &["papers", "goods"], &["goods", "papers", "papers"]] {
        let mut desk = Desk::beside(HEAD, &early);
        let case = desk.open(1);
        for name in names {
            match *name {
                "goods" => goods(&mut desk, case),
                name => told(&mut desk, case, name, &[("state", "early")]),
            }
        }
        assert_eq!(desk.cases[case].events.len(), names.len());
        desk.pass(Span::from_days(1));
        let (stands, gathered, kept) = match names {
            ["papers"] => ("both", 1, 0),
            ["papers", "goods"] => ("done", 0, 0),
            _ => ("done", 0, 1),
        };
        let now = &desk.cases[case];
        assert_eq!((desk.stands(case), now.gathered.len(), now.events.len()), (stands, gathered, kept), "{names:?}");
    }
}

#[test]
fn given_the_time_is_over_then_what_had_come_ends_a_later_wait() {
    let mut desk = Desk::beside(HEAD, STEPS);
    let case = desk.open(1);
    told(&mut desk, case, "papers", &[("state", "signed")]);
    desk.pass(Span::from_days(5));
    assert_eq!((desk.stands(case), desk.cases[case].gathered.len()), ("found", 0));
    let let_go = |entry: &Entry| matches!(entry, Entry::EventsLetGo { step } if step.as_str() == "both");
    assert!(desk.journals[case].iter().flat_map(|(_, entries)| entries).any(let_go), "told of the step that waited");
    // What is not awaited there stays kept.
    let case = desk.open(1);
    goods(&mut desk, case);
    desk.pass(Span::from_days(5));
    assert_eq!((desk.stands(case), desk.cases[case].events.len()), ("later", 1));
}

#[test]
fn given_the_step_is_skipped_then_nothing_is_awaited_and_its_output_is_absent() {
    let skipped = STEPS.replace("- id: both\n", "- id: both\n    when: 'has(case.reason)'\n").replace(
        "'=came.goods.rma == case.number ? orElse(came.papers.state, \"no state\") : \"others\"'",
        "'=has(came.at) ? \"came\" : \"absent\"'",
    );
    let mut desk = Desk::beside(HEAD, &skipped);
    let case = desk.open(1);
    assert_eq!((desk.stands(case), desk.cases[case].vars["state"].to_string().as_str()), ("done", "absent"));
}
