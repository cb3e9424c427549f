//! Every step kind seen alike: its good way, its failing way, skipped, cancelled while it waits, and what comes when it is over.
//!
//! One table of givens, one scenario each for all of them: a kind without a row fails the first test.

use super::*;
use crate::case::Output;
use crate::case::child::{Ended, Ending};
use crate::case::command::Event;
use crate::workflow::schema::STEP_KINDS;

/// What happens to a case.
type Act = fn(&mut Desk, Nth);
/// How a case comes to the step `it`.
type Reach = fn(&mut Desk) -> Nth;

/// A step of a kind, `it`. Behind it stands `went_on`; where it fails or times out it leads to `turned`.
struct Given {
    kind: &'static str,
    /// Steps before it.
    before: &'static str,
    /// What stands behind the word of the kind.
    body: &'static str,
    /// What stands beside it.
    beside: &'static str,
    /// How a case comes to it.
    reach: Reach,
    /// Whether the case waits there.
    waits: bool,
    /// What has it done, and where the case then stands.
    good: (Act, &'static str),
    /// How a case comes to one that will fail, what fails it, and where the case then stands; none where nothing can.
    bad: Option<(Reach, Act, &'static str)>,
    /// What comes too late, and what is recorded of it.
    late: Option<(Act, &'static str)>,
}

const OR_TURN: &str = "on_error: [{ match: any, then: turned }]";
const MATCH: &str = "  - { id: match, call: { plugin: match@0 }, as: matched }\n";
const HOLD: &str = "  - { id: match, call: { plugin: match@0 }, as: matched }
  - { id: hold, approve: { lines: =matched.lines, until: 30d } }\n";
const QUOTE: &str = "  - { id: quote, call: { plugin: quote@0 }, as: quote }\n";
const LABEL: &str = "  - { id: label, http: { target: carrier }, compensate: { http: { target: carrier-void } } }\n";
const LOOK: &str = "  - { id: look, review: { queue: q, title: Look, next: { more: it, enough: went_on }, timeout: { never: we ask } } }\n";
const IGNORED: &str = "input.ignored.1";

fn nothing(_: &mut Desk, _: Nth) {}

fn one(desk: &mut Desk) -> Nth {
    desk.open(1)
}

fn nine(desk: &mut Desk) -> Nth {
    desk.open(9)
}

/// The effect of the step that was intended last.
fn key_of(desk: &Desk, case: Nth, step: &str) -> Digest {
    let entries = desk.journals[case].iter().flat_map(|(_, entries)| entries);
    let mut intended = entries.filter_map(|entry| match entry {
        Entry::Intended { key, effect } if effect.step.as_str() == step => Some(*key),
        _ => None,
    });
    intended.next_back().expect("the step intended an effect")
}

fn confirm(desk: &mut Desk, case: Nth) {
    desk.settle(case, key_of(desk, case, "it"), Settled::Confirmed);
}

fn decline(desk: &mut Desk, case: Nth) {
    desk.settle(case, key_of(desk, case, "it"), Settled::Declined);
}

fn labelled(desk: &mut Desk) -> Nth {
    let case = desk.open(1);
    desk.settle(case, key_of(desk, case, "label"), Settled::Confirmed);
    case
}

fn came(desk: &mut Desk, case: Nth) {
    desk.give(case, Body::Event(Event { name: "came".to_owned(), fields: Fields::new() })).unwrap();
}

/// The sub-case of the step ends.
fn ends(desk: &mut Desk, case: Nth, ending: Ending) {
    let child = *desk.cases[case].children.keys().next().expect("a sub-case");
    let ended = Ended { case: child, number: Some("R-77".to_owned()), ending };
    desk.turn(case, &Actor::host(), Body::SubCase(Box::new(ended))).unwrap();
}

/// Give an answer to the first task that was opened, whether it is open or not; a refusal is recorded nowhere.
fn answer_too_late(desk: &mut Desk, case: Nth) {
    let entries = desk.journals[case].iter().flat_map(|(_, entries)| entries);
    let mut opened =
        entries.filter_map(|entry| if let Entry::TaskOpened { id, .. } = entry { Some(*id) } else { None });
    let task = opened.next().expect("a task was opened");
    let complete = Complete { task, outcome: "fine".to_owned(), form: Fields::new(), live: false, lines: Vec::new() };
    assert_eq!(code(desk.give(case, Body::Complete(complete))), "task_not_open");
}

fn days(desk: &mut Desk, days: i64) {
    desk.pass(Span::from_days(days));
}

const TASK_LATE: Option<(Act, &str)> = Some((answer_too_late, ""));
const DECLINE_LATE: Option<(Act, &str)> = Some((decline, IGNORED));

fn computed() -> [Given; 4] {
    let given = |kind, body| Given {
        kind,
        before: "",
        body,
        beside: OR_TURN,
        reach: one,
        waits: false,
        good: (nothing, "went_on"),
        bad: Some((nine, nothing, "turned")),
        late: None,
    };
    [
        given("call", "{ plugin: match@0 }"),
        // With nine units each reads a line that the case does not have.
        given(
            "decide",
            "[{ when: 'case.lines[0].quantity > 5 && case.lines[7].quantity > 1', then: went_on }, { else: went_on }]",
        ),
        given(
            "table",
            "{ hit: first, inputs: ['case.lines[0].quantity < 5 ? 1 : case.lines[7].quantity'], rows: [['1', { n: 1 }], ['-', {}]] }",
        ),
        given("set", "{ n: '=case.lines[0].quantity < 5 ? 1 : case.lines[7].quantity' }"),
    ]
}

fn waiting() -> [Given; 5] {
    let given = |kind, body, good, bad, late| Given {
        kind,
        before: "",
        body,
        beside: "",
        reach: one,
        waits: true,
        good: (good, "went_on"),
        bad,
        late,
    };
    let timed_out: Option<(Reach, Act, &str)> = Some((one, |desk, _| days(desk, 5), "turned"));
    [
        given(
            "review",
            "{ queue: q, title: Look, next: { fine: went_on }, timeout: { after: 5d, then: turned } }",
            |desk, case| desk.answer(case, "fine").unwrap(),
            timed_out,
            TASK_LATE,
        ),
        given(
            "inspect",
            "{ queue: q, timeout: { after: 5d, then: turned } }",
            |desk, case| desk.answer(case, "done").unwrap(),
            timed_out,
            TASK_LATE,
        ),
        given(
            "await",
            "{ event: came, timeout: { after: 5d, then: turned } }",
            came,
            timed_out,
            Some((came, "event.kept.1")),
        ),
        given("wait", "{ for: 2d }", |desk, _| days(desk, 2), None, None),
        Given {
            beside: OR_TURN,
            ..given(
                "run",
                "{ workflow: other@active, timeout: { after: 5d, then: turned } }",
                |desk, case| ends(desk, case, Ending::Finished("fine".to_owned())),
                Some((one, |desk, case| ends(desk, case, Ending::Failed("odd".to_owned())), "turned")),
                Some((|desk, case| ends(desk, case, Ending::Cancelled), IGNORED)),
            )
        },
    ]
}

fn sending() -> [Given; 7] {
    let given = |kind, before, body| Given {
        kind,
        before,
        body,
        beside: OR_TURN,
        reach: one,
        waits: true,
        good: (confirm, "went_on"),
        bad: Some((one, decline, "turned")),
        late: DECLINE_LATE,
    };
    [
        Given {
            waits: false,
            good: (nothing, "went_on"),
            bad: Some((
                |desk| {
                    desk.open(2);
                    desk.open(2)
                },
                nothing,
                "turned",
            )),
            late: None,
            ..given("approve", MATCH, "{ lines: =matched.lines, until: 30d }")
        },
        given("refund", QUOTE, "{ quote: =quote }"),
        given("restock", MATCH, "{ to: scrap }"),
        given("http", "", "{ target: carrier }"),
        given("exchange", HOLD, "{ sku: A2, hold_stock: 2d, price_difference: none }"),
        Given { reach: labelled, bad: Some((labelled, decline, "turned")), ..given("undo", LABEL, "label") },
        // A message that does not arrive stops nothing.
        Given {
            beside: "",
            waits: false,
            good: (confirm, "went_on"),
            bad: Some((one, decline, "went_on")),
            ..given("notify", "", "{ template: told, to: customer }")
        },
    ]
}

fn leading() -> [Given; 5] {
    let given = |kind, body, good| Given {
        kind,
        before: "",
        body,
        beside: "",
        reach: one,
        waits: true,
        good,
        bad: None,
        late: Some((came, IGNORED)),
    };
    let more = |desk: &mut Desk| {
        let case = desk.open(1);
        desk.answer(case, "more").unwrap();
        case
    };
    [
        Given {
            late: None,
            ..given(
                "parallel",
                "{ branches: { a: [{ id: a1, wait: { for: 1d } }], b: [{ id: b1, wait: { for: 2d } }] } }",
                (|desk, _| days(desk, 2), "went_on"),
            )
        },
        Given {
            beside: OR_TURN,
            reach: |desk| desk.open_lines(&[1, 1]),
            bad: Some((|desk| desk.open_lines(&[1, 1, 1]), nothing, "turned")),
            late: None,
            ..given(
                "for_each",
                "{ in: =case.lines, max: 2, steps: [{ id: e1, wait: { for: 1d } }] }",
                (|desk, _| days(desk, 2), "went_on"),
            )
        },
        // It leads back once; then it is exhausted and goes on.
        Given {
            before: LOOK,
            reach: more,
            waits: false,
            bad: Some((more, |desk, case| desk.answer(case, "more").unwrap(), "went_on")),
            late: None,
            ..given("again", "{ to: look, max_visits: 1 }", (nothing, "look"))
        },
        Given { waits: false, ..given("finish", "{ result: all_well }", (nothing, "all_well")) },
        Given { waits: false, ..given("fail", "{ code: gone_wrong }", (nothing, "gone_wrong")) },
    ]
}

fn givens() -> Vec<Given> {
    computed().into_iter().chain(waiting()).chain(sending()).chain(leading()).collect()
}

impl Given {
    /// A desk with the step; where `go` does not hold it is skipped.
    fn desk(&self, go: bool) -> Desk {
        let Self { kind, before, body, beside, .. } = self;
        let beside = if beside.is_empty() { String::new() } else { format!(", {beside}") };
        let mut steps = format!("{before}  - {{ id: it, when: go, {kind}: {body}{beside} }}\n");
        steps += "  - { id: went_on, wait: { for: 900d } }\n  - { id: done, finish: { result: done } }\n";
        if steps.contains("turned") {
            steps += "  - { id: turned, wait: { for: 900d } }\n  - { id: ended, finish: { result: turned } }\n";
        }
        let head = format!(
            "events: {{ came: {{}} }}\nvars: {{ go: {{ type: bool, default: {go} }}, n: {{ type: number, default: 0 }} }}\n"
        );
        Desk::beside(&head, &steps)
    }

    /// A case that has gone the good way, with the timers that were set on it.
    fn well(&self) -> (Desk, Nth, Vec<Timer>) {
        let mut desk = self.desk(true);
        let case = (self.reach)(&mut desk);
        let timers = timers(&desk, case);
        (self.good.0)(&mut desk, case);
        (desk, case, timers)
    }

    /// A case that has gone the failing way, where there is one.
    fn badly(&self) -> Option<(Desk, Nth, Vec<Timer>)> {
        let (reach, act, _) = self.bad?;
        let mut desk = self.desk(true);
        let case = reach(&mut desk);
        let timers = timers(&desk, case);
        act(&mut desk, case);
        Some((desk, case, timers))
    }
}

/// The timers that are set for a case but for those of the steps behind.
fn timers(desk: &Desk, case: Nth) -> Vec<Timer> {
    let is_behind = |step: &Slug| ["went_on", "turned", "look"].contains(&step.as_str());
    let all = desk.timers.iter().filter(|(_, of, _)| *of == case).map(|(_, _, timer)| timer.clone());
    all.filter(|timer| !matches!(timer, Timer::Wait { step, .. } if is_behind(step))).collect()
}

#[test]
fn each_step_kind_of_the_language_has_its_given() {
    let mut given: Vec<_> = givens().iter().map(|given| given.kind).collect();
    let mut known: Vec<_> = STEP_KINDS.iter().map(|kind| kind.name).collect();
    given.sort_unstable();
    known.sort_unstable();
    assert_eq!(given, known);
}

#[test]
fn each_kind_does_its_work_and_goes_on() {
    for given in givens() {
        let mut desk = given.desk(true);
        let case = (given.reach)(&mut desk);
        assert_eq!(desk.stands(case) == "it", given.waits, "{} stands at {}", given.kind, desk.stands(case));
        (given.good.0)(&mut desk, case);
        assert_eq!(desk.stands(case), given.good.1, "{}", given.kind);
        assert!(desk.cases[case].tasks.is_empty() || given.kind == "again", "{} leaves a task", given.kind);
    }
}

#[test]
fn each_kind_that_fails_leads_where_its_document_says_and_asks_nobody() {
    for given in givens() {
        let Some((desk, case, _)) = given.badly() else { continue };
        let stands = given.bad.unwrap().2;
        assert_eq!(desk.stands(case), stands, "{}", given.kind);
        assert!(desk.cases[case].tasks.is_empty(), "{} asks {:?}", given.kind, desk.cases[case].tasks);
    }
}

#[test]
fn each_kind_that_is_skipped_does_nothing_and_waits_for_nothing() {
    for given in givens() {
        let mut desk = given.desk(false);
        let case = (given.reach)(&mut desk);
        let (name, case_now) = (given.kind, &desk.cases[case]);
        assert_eq!(desk.stands(case), "went_on", "{name}");
        let entries = desk.journals[case].iter().flat_map(|(_, entries)| entries);
        let skipped = entries.filter(|entry| matches!(entry, Entry::Skipped { step } if step.as_str() == "it"));
        assert_eq!(skipped.count(), 1, "{name}");
        assert!(case_now.effects.values().all(|effect| effect.step.as_str() != "it"), "{name}");
        let gave = case_now.outputs.get("it");
        assert!(matches!(gave, None | Some(Output::Skipped)), "{name} gives {gave:?}");
        let holds = given.before == HOLD;
        assert_eq!((case_now.tasks.len(), case_now.children.len(), case_now.lanes.len()), (0, 0, 0), "{name}");
        assert_eq!(case_now.reserved.is_empty(), !holds, "{name}");
        let left = timers(&desk, case);
        assert!(left.iter().all(|timer| holds && matches!(timer, Timer::Reservation { .. })), "{name}: {left:?}");
        assert_eq!(desk.var(case, "n"), "0", "{name}");
    }
}

#[test]
fn what_comes_when_a_step_is_over_moves_the_case_nowhere() {
    for given in givens() {
        let after = [Some((given.well(), given.good.1)), given.badly().zip(given.bad.map(|bad| bad.2))];
        for ((mut desk, case, timers), stands) in after.into_iter().flatten() {
            // The units of an `approve` are still promised: that they lapse is no wait of the case.
            for timer in timers.into_iter().filter(|timer| !matches!(timer, Timer::Reservation { .. })) {
                desk.turn(case, &Actor::host(), Body::Timer(timer)).unwrap();
                let said: Vec<_> = desk.last(case).into_iter().filter(|name| *name != "lane.entered.1").collect();
                assert_eq!(said, [IGNORED], "{}: a timer once more", given.kind);
            }
            if let Some((act, recorded)) = given.late {
                let turns = desk.journals[case].len();
                act(&mut desk, case);
                let said: Vec<_> = desk.journals[case][turns..].iter().flat_map(|(_, entries)| entries).collect();
                let said: Vec<_> = said.into_iter().map(Entry::name).collect();
                assert_eq!(said.join(" "), recorded, "{} after {stands}", given.kind);
            }
            assert_eq!(desk.stands(case), stands, "{}", given.kind);
        }
    }
}

#[test]
fn each_kind_that_waits_is_cancelled_by_a_person_and_nothing_comes_after() {
    for given in givens().into_iter().filter(|given| given.waits) {
        let mut desk = given.desk(true);
        let case = (given.reach)(&mut desk);
        desk.give(case, Body::Cancel).unwrap();
        let cancelled = &desk.cases[case];
        assert_eq!(desk.stands(case), "cancelled", "{}", given.kind);
        assert_eq!((cancelled.tasks.len(), cancelled.lanes.len()), (0, 0), "{}", given.kind);
        days(&mut desk, 1_000);
        assert_eq!(desk.stands(case), "cancelled", "{}", given.kind);
    }
}

#[test]
fn a_clock_that_jumps_an_hour_back_ends_each_wait_once_and_at_its_time() {
    let mut seen = 0;
    for given in givens().into_iter().filter(|given| given.waits) {
        let mut desk = given.desk(true);
        let case = (given.reach)(&mut desk);
        let ends = desk
            .timers
            .iter()
            .filter(|(_, of, timer)| *of == case && matches!(timer, Timer::Wait { step, .. } if step.as_str() == "it"));
        let Some((due, _, timer)) = ends.min_by_key(|(due, ..)| *due).cloned() else { continue };
        seen += 1;
        let before = |millis: i64| Instant::from_unix_ms(due.unix_ms() - millis);
        desk.pass_to(before(600_000));
        other(&mut desk, case);
        let last = desk.cases[case].changed_at;
        desk.now = before(600_000 + 3_600_000);
        other(&mut desk, case);
        assert_eq!(desk.cases[case].changed_at, last, "{}: a case never goes back in time", given.kind);
        desk.pass_to(before(1));
        assert_eq!(desk.stands(case), "it", "{}: not before its time", given.kind);
        desk.pass_to(due);
        let stands = if given.kind == "wait" { "went_on" } else { "turned" };
        assert_eq!(desk.stands(case), stands, "{}", given.kind);
        desk.turn(case, &Actor::host(), Body::Timer(timer)).unwrap();
        assert_eq!((desk.last(case), desk.stands(case)), (vec![IGNORED], stands), "{}: once", given.kind);
    }
    assert_eq!(seen, 6, "review, inspect, await, wait, run and exchange end by themselves");
}

/// Something that no step has to do with: it is recorded and no more.
fn other(desk: &mut Desk, case: Nth) {
    let late = Timer::Wait { step: Slug::from_static("nowhere"), since: 0, lane: Default::default() };
    desk.turn(case, &Actor::host(), Body::Timer(late)).unwrap();
    assert_eq!(desk.last(case), [IGNORED]);
}
