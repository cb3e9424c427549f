//! Several lanes of one case: how they begin, what ends them, and that they do not mix.

use super::*;
use crate::case::Output;
use crate::case::command::Event;
use crate::case::lane::LaneId;
use crate::value::Value;

const EVENTS: &str = "events: { goods_received: { rma: text }, called_off: {} }\n";

impl Desk {
    /// Where the lanes stand, as `settle.money at pay`, in their order.
    pub(super) fn lanes(&self, case: Nth) -> Vec<String> {
        let at = |(id, lane): (&LaneId, &crate::case::lane::Lane)| match lane.place.step() {
            Some(step) => format!("{id} at {step}"),
            None => format!("{id} done"),
        };
        self.cases[case].lanes.iter().map(at).collect()
    }

    /// Answer the only open task of a lane.
    pub(super) fn answer_in(&mut self, case: Nth, lane: &str, outcome: &str) -> Result<(), Rejection> {
        let mut tasks = self.cases[case].tasks.iter().filter(|(_, task)| task.lane.to_string() == lane);
        let task = *tasks.next().unwrap_or_else(|| panic!("no task in {lane}: {:?}", self.cases[case].tasks)).0;
        assert!(tasks.next().is_none());
        let outcome = outcome.to_owned();
        let complete = Complete { task, outcome, form: Fields::new(), live: false, lines: Vec::new() };
        self.give(case, Body::Complete(complete))
    }

    pub(super) fn event(&mut self, case: Nth, name: &str, rma: Option<&str>) {
        let fields = rma.map(|rma| ("rma".to_owned(), Value::text(rma))).into_iter().collect();
        self.give(case, Body::Event(Event { name: name.to_owned(), fields })).unwrap();
    }

    pub(super) fn var(&self, case: Nth, name: &str) -> String {
        self.cases[case].vars.get(name).map(ToString::to_string).unwrap_or_default()
    }

    pub(super) fn count(&self, case: Nth, step: &str) -> String {
        let Some(Output::Values(fields)) = self.cases[case].outputs.get(step) else { panic!("no output of {step}") };
        fields["count"].to_string()
    }
}

const SETTLE: &str = "  - { id: quote, call: { plugin: quote@0 }, as: quote }
  - id: settle
    parallel:
      join: all
      branches:
        money:
          - { id: pay, refund: { quote: =quote } }
          - { id: told, notify: { template: paid, to: customer } }
        goods:
          - id: goods
            await: { event: goods_received, match: 'event.rma == case.number', timeout: { after: 5d, then: lost } }
            then: shelf
          - { id: lost, set: { late: true }, then: shelf }
          - { id: shelf, restock: { to: quarantine } }
        look:
          - id: look
            review: { queue: q, title: Look, next: { fine: noted, odd: noted }, timeout: { after: 9d, then: noted } }
          - { id: noted, set: { looked: true } }
  - id: pick
    decide:
      - { when: 'late', then: late }
      - { else: done }
  - { id: late, finish: { result: late } }
  - { id: done, finish: { result: done } }
";
const SETTLE_HEAD: &str = "events: { goods_received: { rma: text } }
vars: { late: { type: bool, default: false }, looked: { type: bool, default: false } }
";

fn settling() -> (Desk, Nth) {
    let mut desk = Desk::beside(SETTLE_HEAD, SETTLE);
    let case = desk.open(2);
    (desk, case)
}

#[test]
fn branches_begin_together_each_goes_on_by_what_it_waits_for_and_the_case_once_all_are_done() {
    let (mut desk, case) = settling();
    assert_eq!(desk.stands(case), "settle");
    assert_eq!(desk.lanes(case), ["settle.goods at goods", "settle.look at look", "settle.money at pay"]);
    desk.settle(case, desk.key(case, "card"), Settled::Confirmed);
    desk.settle(case, desk.key(case, "voucher"), Settled::Confirmed);
    assert_eq!(desk.lanes(case), ["settle.goods at goods", "settle.look at look", "settle.money done"]);
    desk.event(case, "goods_received", Some("another"));
    assert_eq!(desk.lanes(case)[0], "settle.goods at goods", "what does not match is kept");
    desk.event(case, "goods_received", Some("R-0"));
    assert_eq!(desk.lanes(case)[0], "settle.goods at shelf");
    desk.answer(case, "fine").unwrap();
    assert_eq!(desk.stands(case), "settle", "the goods are still on their way");
    desk.settle(case, desk.key(case, "shelf"), Settled::Confirmed);
    assert_eq!(desk.stands(case), "done");
    assert_eq!(desk.books(), ((0, 2, 500), [300, 200]));
    assert_eq!((desk.count(case, "settle"), desk.var(case, "looked")), ("3".to_owned(), "true".to_owned()));
    assert!(desk.cases[case].lanes.is_empty());
}

#[test]
fn a_review_in_a_branch_is_not_passed_by_whatever_the_others_do() {
    let (mut desk, case) = settling();
    desk.settle(case, desk.key(case, "card"), Settled::Confirmed);
    desk.settle(case, desk.key(case, "voucher"), Settled::Confirmed);
    desk.event(case, "goods_received", Some("R-0"));
    desk.settle(case, desk.key(case, "shelf"), Settled::Confirmed);
    desk.event(case, "goods_received", Some("R-0"));
    desk.give(case, Body::Continue).unwrap();
    desk.pass(Span::from_days(8));
    assert_eq!((desk.stands(case), desk.cases[case].tasks.len()), ("settle", 1));
    desk.pass(Span::from_days(1));
    assert_eq!((desk.stands(case), desk.var(case, "looked")), ("done", "true".to_owned()));
}

#[test]
fn a_timer_ends_the_wait_of_its_lane_alone() {
    let (mut desk, case) = settling();
    desk.pass(Span::from_days(5));
    assert_eq!(desk.lanes(case), ["settle.goods at shelf", "settle.look at look", "settle.money at pay"]);
    assert_eq!(desk.var(case, "late"), "true");
    desk.event(case, "goods_received", Some("R-0"));
    assert_eq!((desk.lanes(case)[0].as_str(), desk.cases[case].events.len()), ("settle.goods at shelf", 1));
}

#[test]
fn an_event_that_came_before_its_branch_is_taken_when_the_branch_gets_there() {
    let head = format!(
        "{EVENTS}vars: {{ late: {{ type: bool, default: false }}, looked: {{ type: bool, default: false }} }}\n"
    );
    let first = "  - { id: early, review: { queue: q, title: Early, next: { on: quote }, timeout: { never: why } } }\n";
    let mut desk = Desk::beside(&head, &format!("{first}{SETTLE}"));
    let case = desk.open(2);
    desk.event(case, "goods_received", Some("R-0"));
    desk.answer(case, "on").unwrap();
    assert_eq!(desk.lanes(case)[0], "settle.goods done", "nothing was refunded yet when it came to the shelf");
    assert!(desk.cases[case].events.is_empty());
    assert_eq!(desk.var(case, "late"), "false");
}

#[test]
fn a_declined_leg_in_a_branch_is_a_persons_question_and_fails_the_whole_case_if_it_was_not_paid() {
    let (mut desk, case) = settling();
    let card = desk.key(case, "card");
    desk.settle(case, desk.key(case, "voucher"), Settled::Confirmed);
    desk.settle(case, card, Settled::Declined);
    assert_eq!(desk.lanes(case)[2], "settle.money at pay");
    desk.answer_in(case, "settle.money", "not_paid").unwrap();
    assert_eq!(desk.stands(case), "declined");
    assert_eq!(desk.books(), ((0, 2, 200), [0, 200]));
    assert!(desk.cases[case].tasks.is_empty() && desk.cases[case].lanes.is_empty());
}

#[test]
fn a_person_who_cancels_while_branches_run_leaves_no_task_no_promise_and_no_declined_money() {
    let (mut desk, case) = settling();
    desk.settle(case, desk.key(case, "card"), Settled::Declined);
    desk.give(case, Body::Cancel).unwrap();
    assert_eq!(desk.books(), ((0, 2, 200), [0, 200]), "the voucher is on its way still");
    assert!(desk.cases[case].tasks.is_empty() && desk.cases[case].lanes.is_empty());
    desk.settle(case, desk.key(case, "voucher"), Settled::Declined);
    assert_eq!(desk.books(), ((0, 0, 0), [0, 0]));
    desk.pass(Span::from_days(9));
    assert_eq!(desk.stands(case), "cancelled");
}

const RACE: &str = "  - id: race
    parallel:
      join: any
      branches:
        event:
          - { id: goods, await: { event: called_off, timeout: { after: 3d, then: took } } }
          - { id: took, set: { who: event } }
        person:
          - id: look
            review: { queue: q, title: Look, next: { fine: shelf }, timeout: { never: why } }
          - { id: shelf, restock: { to: scrap } }
          - { id: answered, set: { seen: true } }
  - { id: done, finish: { result: done } }
";
const RACE_HEAD: &str = "events: { called_off: {} }\nvars: { who: { type: text, default: nobody }, seen: { type: bool, default: false } }\n";

#[test]
fn of_branches_that_race_the_first_wins_and_the_task_of_the_other_is_gone() {
    let mut desk = Desk::beside(RACE_HEAD, RACE);
    let case = desk.open(1);
    let task = desk.task(case).0;
    desk.event(case, "called_off", None);
    assert_eq!((desk.stands(case), desk.var(case, "who")), ("done", "event".to_owned()));
    let complete = Complete { task, outcome: "fine".to_owned(), form: Fields::new(), live: false, lines: Vec::new() };
    assert_eq!(code(desk.give(case, Body::Complete(complete))), "case_closed");
}

#[test]
fn a_timer_of_a_branch_that_lost_finds_nothing() {
    let waiting = RACE.replace("{ id: done, finish", "{ id: rest, wait: { for: 10d } }\n  - { id: done, finish");
    let mut desk = Desk::beside(RACE_HEAD, &waiting);
    let case = desk.open(1);
    desk.answer(case, "fine").unwrap();
    assert_eq!(
        (desk.stands(case), desk.var(case, "seen")),
        ("rest", "true".to_owned()),
        "no goods, so nothing to wait for"
    );
    desk.pass(Span::from_days(3));
    assert_eq!((desk.stands(case), desk.last(case)), ("rest", vec!["lane.entered.1", "input.ignored.1"]));
    assert_eq!(desk.var(case, "who"), "nobody");
    desk.pass(Span::from_days(7));
    assert_eq!(desk.stands(case), "done");
}

#[test]
fn the_task_of_a_branch_that_lost_is_gone_while_the_case_goes_on() {
    let waiting = RACE.replace("{ id: done, finish", "{ id: rest, wait: { for: 10d } }\n  - { id: done, finish");
    let mut desk = Desk::beside(RACE_HEAD, &waiting);
    let case = desk.open(1);
    let task = desk.task(case).0;
    desk.event(case, "called_off", None);
    assert_eq!((desk.stands(case), desk.cases[case].tasks.len()), ("rest", 0));
    let complete = Complete { task, outcome: "fine".to_owned(), form: Fields::new(), live: false, lines: Vec::new() };
    assert_eq!(code(desk.give(case, Body::Complete(complete))), "task_not_open");
}

#[test]
fn what_a_branch_sent_before_it_was_called_off_is_settled_as_it_comes() {
    let steps = "  - { id: quote, call: { plugin: quote@0 }, as: quote }
  - { id: pay, refund: { quote: =quote } }
  - id: race
    parallel:
      join: any
      branches:
        goods:
          - { id: shelf, restock: { to: scrap } }
        event:
          - { id: off, await: { event: called_off, timeout: { after: 3d, then: took } } }
          - { id: took, set: { who: event } }
  - { id: rest, wait: { for: 10d } }
  - { id: done, finish: { result: done } }
";
    for outcome in [Settled::Confirmed, Settled::Declined, Settled::Unknown] {
        let mut desk = Desk::beside(RACE_HEAD, steps);
        let case = desk.open(2);
        desk.settle(case, desk.key(case, "card"), Settled::Confirmed);
        desk.settle(case, desk.key(case, "voucher"), Settled::Confirmed);
        assert_eq!(desk.lanes(case), ["race.event at off", "race.goods at shelf"]);
        desk.event(case, "called_off", None);
        assert_eq!((desk.stands(case), desk.lanes(case).len()), ("rest", 0));
        desk.settle(case, desk.key(case, "shelf"), outcome);
        assert_eq!(desk.stands(case), "rest", "nothing goes on by it");
        assert_eq!(desk.cases[case].tasks.len(), usize::from(outcome == Settled::Unknown));
        if outcome == Settled::Unknown {
            assert_eq!(desk.asked_of(case, desk.key(case, "shelf")), "outcome_unknown");
            desk.answer(case, "paid").unwrap();
            assert_eq!(desk.state(case, "shelf"), EffectState::Confirmed);
        }
        desk.pass(Span::from_days(10));
        assert_eq!(desk.stands(case), "done");
    }
}

#[test]
fn of_three_branches_two_are_enough_where_the_document_says_so() {
    let branch = |name: &str| {
        format!(
            "        {name}:\n          - {{ id: {name}_wait, review: {{ queue: q, title: T, next: {{ on: {name}_end }}, timeout: {{ never: why }} }} }}\n          - {{ id: {name}_end, set: {{ v_{name}: 1 }} }}\n"
        )
    };
    let steps = format!(
        "  - id: two\n    parallel:\n      join: 2\n      branches:\n{}{}{}  - {{ id: done, finish: {{ result: done }} }}\n",
        branch("a"),
        branch("b"),
        branch("c")
    );
    let vars = "vars: { v_a: { type: number, default: 0 }, v_b: { type: number, default: 0 }, v_c: { type: number, default: 0 } }\n";
    let mut desk = Desk::beside(vars, &steps);
    let case = desk.open(1);
    desk.answer_in(case, "two.c", "on").unwrap();
    assert_eq!((desk.stands(case), desk.lanes(case)[2].as_str()), ("two", "two.c done"));
    desk.answer_in(case, "two.a", "on").unwrap();
    assert_eq!((desk.stands(case), desk.cases[case].tasks.len()), ("done", 0));
    assert_eq!(
        (desk.var(case, "v_a"), desk.var(case, "v_b"), desk.var(case, "v_c")),
        ("1".into(), "0".into(), "1".into())
    );
    let Output::Values(two) = &desk.cases[case].outputs["two"] else { panic!() };
    assert_eq!((two["first"].to_string(), two["count"].to_string()), ("c".to_owned(), "2".to_owned()));
}

#[test]
fn a_waiting_step_that_is_skipped_in_a_branch_does_not_wait() {
    let skipped = SETTLE
        .replace(
            "- id: look\n            review",
            "- id: look\n            when: 'has(case.reason)'\n            review",
        )
        .replace(
            "- id: goods\n            await",
            "- id: goods\n            when: 'has(case.reason)'\n            await",
        );
    let mut desk = Desk::beside(SETTLE_HEAD, &skipped);
    let case = desk.open(2);
    assert_eq!(desk.lanes(case), ["settle.goods done", "settle.look done", "settle.money at pay"]);
    assert!(desk.cases[case].tasks.is_empty() && desk.timers.is_empty());
}

#[test]
fn a_branch_may_end_the_case_for_all() {
    let steps = "  - id: both
    parallel:
      branches:
        a:
          - { id: look, review: { queue: q, title: T, next: { stop: stop, on: on }, timeout: { never: why } } }
          - { id: stop, finish: { result: stopped } }
          - { id: on, set: { seen: true } }
        b:
          - { id: rest, wait: { for: 5d } }
  - { id: done, finish: { result: done } }
";
    let vars = "vars: { seen: { type: bool, default: false } }\n";
    let mut desk = Desk::beside(vars, steps);
    let case = desk.open(1);
    desk.answer(case, "stop").unwrap();
    assert_eq!(desk.stands(case), "stopped");
    desk.pass(Span::from_days(5));
    assert_eq!((desk.stands(case), desk.last(case).last().copied()), ("stopped", Some("input.ignored.1")));
}

#[test]
fn a_branch_that_ends_the_case_leaves_no_declined_money_in_the_books() {
    let steps = SETTLE.replace("next: { fine: noted, odd: noted }", "next: { fine: noted, odd: stop }").replace(
        "          - { id: noted, set: { looked: true } }\n",
        "          - { id: noted, set: { looked: true }, then: seen }\n          - { id: stop, fail: { code: odd } }\n          - { id: seen, notify: { template: seen, to: customer } }\n",
    );
    let mut desk = Desk::beside(SETTLE_HEAD, &steps);
    let case = desk.open(2);
    desk.settle(case, desk.key(case, "card"), Settled::Declined);
    assert_eq!(desk.books(), ((0, 2, 500), [300, 200]), "booked until somebody says what became of it");
    desk.answer_in(case, "settle.look", "odd").unwrap();
    assert_eq!((desk.stands(case), desk.books()), ("odd", ((0, 2, 200), [0, 200])));
    desk.settle(case, desk.key(case, "voucher"), Settled::Declined);
    assert_eq!(desk.books(), ((0, 0, 0), [0, 0]));
}

#[test]
fn what_branches_set_together_is_theirs_until_they_join_and_then_merged() {
    let steps = "  - id: both
    parallel:
      merge: { total: sum, who: last, notes: list }
      branches:
        a:
          - { id: set_a, set: { total: '=total + 1', who: a, notes: '=[\"from a\"]' } }
          - { id: rest_a, wait: { for: 2d } }
          - { id: more_a, set: { total: '=total + 5' } }
        b:
          - { id: set_b, set: { total: '=total + 100', who: b, notes: '=[\"from b\"]' } }
          - { id: rest_b, wait: { for: 1d } }
  - { id: done, finish: { result: done } }
";
    let vars =
        "vars: { total: { type: number, default: 10 }, who: { type: text, default: nobody }, notes: list(text) }\n";
    let mut desk = Desk::beside(vars, steps);
    let case = desk.open(1);
    assert_eq!((desk.var(case, "total"), desk.var(case, "who")), ("10".to_owned(), "nobody".to_owned()));
    desk.pass(Span::from_days(2));
    assert_eq!(desk.stands(case), "done");
    // 10 + 1 + 5 in one branch, which saw its own value, and 10 + 100 in the other.
    assert_eq!((desk.var(case, "total"), desk.var(case, "who")), ("126".to_owned(), "a".to_owned()));
    assert_eq!(desk.var(case, "notes"), "[from a, from b]");
}
