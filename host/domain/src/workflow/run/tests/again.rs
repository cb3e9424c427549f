//! `again`: a way back that is taken so many times and no more.

use super::*;

const ASK: &str = "  - id: look
    review: { queue: q, title: 'Round {{ rounds }}', next: { clear: done, unclear: tell }, timeout: { after: 5d, then: done } }
    as: seen
  - { id: tell, notify: { template: incomplete, to: customer } }
  - { id: count, set: { rounds: '=rounds + 1' } }
  - { id: back, again: { to: look, max_visits: 2 } }
  - { id: given_up, finish: { result: given_up } }
  - { id: done, finish: { result: done } }
";
const ROUNDS: &str = "vars: { rounds: { type: number, default: 0 } }\n";

#[test]
fn a_case_goes_back_so_many_times_and_then_on() {
    let mut desk = Desk::beside(ROUNDS, ASK);
    let case = desk.open(1);
    for round in 0..3 {
        assert_eq!((desk.stands(case), desk.task(case).1.title.clone()), ("look", format!("Round {round}")));
        desk.answer(case, "unclear").unwrap();
    }
    assert_eq!((desk.stands(case), desk.var(case, "rounds")), ("given_up", "3".to_owned()));
    assert_eq!(desk.cases[case].visits["back"], 2);
}

#[test]
fn a_way_back_may_be_left_at_any_time() {
    let mut desk = Desk::beside(ROUNDS, ASK);
    let case = desk.open(1);
    desk.answer(case, "unclear").unwrap();
    desk.answer(case, "clear").unwrap();
    assert_eq!(desk.stands(case), "done");
}

#[test]
fn each_round_waits_by_a_timer_of_its_own() {
    let mut desk = Desk::beside(ROUNDS, ASK);
    let case = desk.open(1);
    desk.pass(Span::from_days(4));
    desk.answer(case, "unclear").unwrap();
    desk.pass(Span::from_days(4));
    assert_eq!(desk.stands(case), "look", "the timer of the first round finds nothing");
    desk.pass(Span::from_days(1));
    assert_eq!(desk.stands(case), "done");
}

#[test]
fn what_is_said_in_each_round_is_said_under_a_key_of_its_own() {
    let mut desk = Desk::beside(ROUNDS, ASK);
    let case = desk.open(1);
    desk.answer(case, "unclear").unwrap();
    desk.answer(case, "unclear").unwrap();
    let told: Vec<u32> = desk.cases[case].effects.values().map(|effect| effect.round).collect();
    assert_eq!((told.len(), told.contains(&0), told.contains(&1)), (2, true, true));
    let mut again = Desk::beside(ROUNDS, ASK);
    let same = again.open(1);
    again.answer(same, "unclear").unwrap();
    again.answer(same, "unclear").unwrap();
    assert_eq!(again.cases[same].effects, desk.cases[case].effects, "and the same when it is computed again");
}

#[test]
fn rounds_are_counted_in_each_iteration_and_lanes_run_again() {
    let steps = "  - id: each
    for_each:
      in: =case.lines
      max: 3
      steps:
        - id: both
          parallel:
            branches:
              a:
                - { id: rest, wait: { for: 1d } }
              b:
                - { id: tell, notify: { template: hello, to: customer } }
        - { id: count, set: { rounds: '=rounds + 1' } }
        - { id: back, again: { to: both, max_visits: 2 } }
  - { id: done, finish: { result: done } }
";
    let mut desk = Desk::beside(ROUNDS, steps);
    let case = desk.open_lines(&[1, 1]);
    desk.pass(Span::from_days(6));
    assert_eq!((desk.stands(case), desk.var(case, "rounds")), ("done", "6".to_owned()));
    assert_eq!(desk.cases[case].effects.len(), 6, "one in each round of each line");
    let visits: Vec<_> = desk.cases[case].visits.iter().map(|(again, count)| (again.as_str(), *count)).collect();
    assert_eq!(visits, [("each.0.back", 2), ("each.1.back", 2)]);
}

#[test]
fn a_way_back_without_a_wait_is_cut_goes_on_and_ends() {
    let steps = "  - { id: count, set: { rounds: '=rounds + 1' } }
  - { id: tell, notify: { template: hello, to: customer } }
  - { id: count_again, set: { rounds: '=rounds + 1' } }
  - { id: back, again: { to: count, max_visits: 100 } }
  - { id: done, finish: { result: done } }
";
    let mut desk = Desk::beside(ROUNDS, steps);
    let case = desk.open(1);
    assert!(desk.cases[case].is_cut());
    desk.give(case, Body::Continue).unwrap();
    assert_eq!((desk.stands(case), desk.var(case, "rounds")), ("done", "202".to_owned()));
}
