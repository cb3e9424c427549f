//! When waits end: events that come early, late or together, and spans over weekends, holidays and the nights on which clocks change.

use super::*;
use crate::value::Value;

/// A moment of UTC.
fn utc(text: &str) -> Instant {
    Instant::from_local(chrono::NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M").unwrap(), Zone::UTC).unwrap()
}

const BERLIN: &str = "zone: Europe/Berlin
calendar: { hours: 'Mon-Fri 09:00-17:00', holidays: de }
events: { came: {} }
";

/// Every step of the language that lasts for so long.
const LASTING: &[&str] = &[
    "wait: { for: SPAN }",
    "await: { event: came, timeout: { after: SPAN, then: next } }",
    "review: { queue: q, title: Look, next: { fine: next }, timeout: { after: SPAN, then: next } }",
    "inspect: { queue: q, timeout: { after: SPAN, then: next } }",
    "run: { workflow: other@active, timeout: { after: SPAN, then: next } }",
];

/// When it begins, how long it lasts, and when it is over; in UTC.
const SPANS: &[(&str, &str, &str)] = &[
    // Friday at 10:00 in winter; on Sunday clocks go forward, and Monday at 10:00 is an hour earlier.
    ("2026-03-27 09:00", "1bd", "2026-03-30 08:00"),
    // Three days are seventy-two hours, whatever clocks say.
    ("2026-03-27 09:00", "3d", "2026-03-30 09:00"),
    // And back: Friday at 10:00 in summer, Monday at 10:00 in winter.
    ("2026-10-23 08:00", "1bd", "2026-10-26 09:00"),
    ("2026-10-23 08:00", "3d", "2026-10-26 08:00"),
    // Good Friday and Easter Monday are off: from Thursday at 10:00 to Tuesday at 10:00.
    ("2026-04-02 08:00", "1bd", "2026-04-07 08:00"),
    // Seven hours on Thursday, and one on Tuesday.
    ("2026-04-02 08:00", "8bh", "2026-04-07 08:00"),
    // Six hours on the Friday before clocks go forward, two on the Monday after.
    ("2026-03-27 10:00", "8bh", "2026-03-30 09:00"),
];

#[test]
fn each_wait_ends_by_the_calendar_over_weekends_holidays_and_changes_of_the_clock() {
    for step in LASTING {
        for (from, span, until) in SPANS {
            let step = step.replace("SPAN", span);
            let steps = format!("  - {{ id: it, {step} }}\n  - {{ id: next, finish: {{ result: over }} }}\n");
            let mut desk = Desk::beside(BERLIN, &steps);
            desk.now = utc(from);
            let case = desk.open(1);
            desk.pass_to(Instant::from_unix_ms(utc(until).unix_ms() - 1));
            assert_eq!(desk.stands(case), "it", "{step} from {from}");
            desk.pass_to(utc(until));
            assert_eq!(desk.stands(case), "over", "{step} from {from}");
        }
    }
}

#[test]
fn units_are_kept_for_a_case_by_the_same_calendar() {
    const STEPS: &str = "  - { id: match, call: { plugin: match@0 }, as: matched }
  - { id: hold, approve: { lines: =matched.lines, until: SPAN } }
  - { id: goods, await: { event: came, timeout: { never: the customer has the label } } }
  - { id: done, finish: { result: came } }
";
    for (from, span, until) in SPANS {
        let mut desk = Desk::beside(BERLIN, &STEPS.replace("SPAN", span));
        desk.now = utc(from);
        let case = desk.open(2);
        desk.pass_to(Instant::from_unix_ms(utc(until).unix_ms() - 1));
        assert_eq!((desk.cases[case].reserved.len(), desk.books().0.0), (1, 2), "{span} from {from}");
        desk.pass_to(utc(until));
        assert_eq!((desk.cases[case].reserved.len(), desk.books().0.0), (0, 0), "{span} from {from}");
        assert_eq!(desk.stands(case), "goods", "that the units are free again moves the case nowhere");
    }
}

#[test]
fn a_wait_until_an_instant_that_is_over_is_none() {
    let steps = |until: &str| {
        format!("  - {{ id: it, wait: {{ until: '{until}' }} }}\n  - {{ id: done, finish: {{ result: over }} }}\n")
    };
    for (until, stands) in [
        ("2026-03-29T03:30:00+02:00", "it"),
        ("2026-03-29T01:29:59.999Z", "over"),
        ("=case.opened_at", "over"),
        (r#"=now + duration("1s")"#, "it"),
    ] {
        let mut desk = Desk::beside(BERLIN, &steps(until));
        desk.now = utc("2026-03-29 01:29");
        desk.now = Instant::from_unix_ms(desk.now.unix_ms() + 59_999);
        let case = desk.open(1);
        assert_eq!(desk.stands(case), stands, "{until}");
        desk.pass(Span::from_millis(1_000));
        assert_eq!(desk.stands(case), "over", "{until}");
    }
}

const RACE: &str = "events: { received: { rma: text, pieces: number }, lost: { rma: text } }
steps:
  - { id: look, review: { queue: q, title: Look, next: { go: goods }, timeout: { never: we look } } }
  - id: goods
    await:
      any:
        - { event: received, match: 'event.rma == case.number && event.pieces == 2', then: both }
        - { event: received, match: event.rma == case.number, then: some }
        - { event: lost, match: event.rma == case.number, then: lost }
      timeout: { after: 5d, then: late }
    as: what
  - { id: both, finish: { result: both } }
  - { id: some, finish: { result: some } }
  - { id: lost, finish: { result: lost } }
  - { id: late, review: { queue: q, title: Late, next: { go: still }, timeout: { never: we look } } }
  - id: still
    await: { event: received, match: event.rma == case.number, timeout: { after: 5d, then: lost } }
  - { id: after_all, finish: { result: after_all } }
";

fn racing() -> (Desk, Nth) {
    let mut desk = Desk::of(RACE);
    let case = desk.open(2);
    (desk, case)
}

fn received(desk: &mut Desk, case: Nth, rma: &str, pieces: u64) {
    let fields = [("rma", Value::text(rma)), ("pieces", Value::whole(pieces))];
    let fields = fields.map(|(name, value)| (name.to_owned(), value)).into();
    desk.give(case, Body::Event(crate::case::command::Event { name: "received".to_owned(), fields })).unwrap();
}

#[test]
fn of_several_events_that_came_before_the_oldest_wins_whatever_the_order_of_the_arms() {
    let (mut desk, case) = racing();
    desk.event(case, "lost", Some("R-0"));
    received(&mut desk, case, "R-0", 2);
    assert_eq!(desk.cases[case].events.len(), 2, "both are kept");
    desk.answer(case, "go").unwrap();
    assert_eq!(desk.stands(case), "lost");
    let (mut desk, case) = racing();
    received(&mut desk, case, "R-0", 2);
    desk.event(case, "lost", Some("R-0"));
    desk.answer(case, "go").unwrap();
    assert_eq!(desk.stands(case), "both");
}

#[test]
fn of_several_arms_for_one_event_the_first_that_matches_is_taken() {
    for (pieces, stands) in [(2, "both"), (1, "some")] {
        let (mut desk, case) = racing();
        desk.answer(case, "go").unwrap();
        received(&mut desk, case, "R-9", pieces);
        assert_eq!(desk.stands(case), "goods", "another case's goods");
        received(&mut desk, case, "R-0", pieces);
        assert_eq!(desk.stands(case), stands);
        assert!(desk.cases[case].events.iter().all(|event| event.fields["rma"] == Value::text("R-9")));
    }
}

#[test]
fn an_event_that_comes_once_the_wait_is_over_is_kept_for_the_next_one() {
    let (mut desk, case) = racing();
    desk.answer(case, "go").unwrap();
    desk.pass(Span::from_days(5));
    received(&mut desk, case, "R-0", 2);
    assert_eq!((desk.stands(case), desk.last(case)), ("late", vec!["event.kept.1"]), "at the same instant, but second");
    desk.answer(case, "go").unwrap();
    assert_eq!(desk.stands(case), "after_all");
}

#[test]
fn an_event_that_is_there_before_the_timer_leaves_it_nothing_to_end() {
    let (mut desk, case) = racing();
    desk.answer(case, "go").unwrap();
    let due = desk.timers[0].0;
    // The host had not come to the timer when the event arrived.
    desk.now = due;
    received(&mut desk, case, "R-0", 1);
    assert_eq!(desk.stands(case), "some");
    desk.pass_to(due);
    assert_eq!((desk.stands(case), desk.last(case)), ("some", vec!["input.ignored.1"]));
}

#[test]
fn an_event_is_kept_for_ninety_days_and_no_longer() {
    for (days, stands) in [(90, "both"), (91, "goods")] {
        let (mut desk, case) = racing();
        received(&mut desk, case, "R-0", 2);
        desk.pass(Span::from_days(days));
        desk.answer(case, "go").unwrap();
        assert_eq!(desk.stands(case), stands, "after {days} days");
    }
}

#[test]
fn an_await_that_is_skipped_leaves_its_event_to_the_next_one() {
    const STEPS: &str = "events: { came: {} }
vars: { go: { type: bool, default: GO } }
steps:
  - { id: look, review: { queue: q, title: Look, next: { go: first }, timeout: { never: we look } } }
  - { id: first, when: go, await: { event: came, timeout: { after: 5d, then: late } } }
  - { id: second, await: { event: came, timeout: { after: 5d, then: late } } }
  - { id: done, finish: { result: done } }
  - { id: late, finish: { result: late } }
";
    for (go, stands) in [("true", "second"), ("false", "done")] {
        let mut desk = Desk::of(&STEPS.replace("GO", go));
        let case = desk.open(1);
        desk.event(case, "came", None);
        desk.answer(case, "go").unwrap();
        assert_eq!(desk.stands(case), stands, "an event ends one wait");
    }
}
