//! Sub-cases: how one is opened, what the case that opened it makes of its end, and what it tells itself.

use super::*;
use crate::case::Output;
use crate::case::child::{Called, Child, ChildState, DEPTH_MAX, Ended, Ending, Parent, Pin};
use crate::value::Value;

const REPORT: &str = r#"
  - id: report
    run: { workflow: report@active, with: { device: =case.number, why: =case.reason }, timeout: { after: 5d, then: late } }
    as: report
    on_error: [{ match: sub_case_failed, then: refused }, { match: wrong_inputs, then: wrong }]
  - { id: told, set: { told: =report.result } }
  - { id: done, finish: { result: reported } }
  - { id: late, review: { queue: q, title: Late, next: { on: late_done }, timeout: { after: 20d, then: late_done } } }
  - { id: late_done, finish: { result: late } }
  - { id: refused, finish: { result: refused } }
  - { id: wrong, finish: { result: wrong } }
"#;
const VARS: &str = "vars: { told: text }\n";

fn desk() -> Desk {
    Desk::beside(VARS, REPORT)
}

impl Desk {
    /// The sub-cases of a case that stand so, with what they are.
    fn children(&self, case: Nth, state: &str) -> Vec<(CaseId, Child)> {
        let all = self.cases[case].children.iter().filter(|(_, child)| child.state.word() == state);
        all.map(|(id, child)| (*id, child.clone())).collect()
    }

    fn child(&self, case: Nth, state: &str) -> (CaseId, Child) {
        let found = self.children(case, state);
        assert_eq!(found.len(), 1, "{:?}", self.cases[case].children);
        found.into_iter().next().unwrap()
    }

    fn ends(&mut self, case: Nth, child: CaseId, ending: Ending) {
        let number = (!matches!(ending, Ending::Refused { .. })).then(|| "R-77".to_owned());
        self.turn(case, &Actor::host(), Body::SubCase(Box::new(Ended { case: child, number, ending }))).unwrap();
    }

    /// What the last turn told other cases.
    fn told(&self) -> Vec<(CaseId, Body)> {
        let told = self.work.iter().filter_map(|work| match work {
            Work::Message { to, body } => Some((*to, (**body).clone())),
            _ => None,
        });
        told.collect()
    }

    fn failed_with(&self, case: Nth) -> Vec<String> {
        let entries = self.journals[case].last().unwrap().1.iter();
        entries
            .filter_map(|entry| match entry {
                Entry::Failed { code, .. } => Some(code.clone()),
                _ => None,
            })
            .collect()
    }
}

fn finished(result: &str) -> Ending {
    Ending::Finished(result.to_owned())
}

fn refused(code: &str) -> Ending {
    Ending::Refused { code: code.to_owned(), detail: "no".to_owned() }
}

#[test]
fn a_case_opens_a_sub_case_of_its_matter_and_goes_on_with_its_result() {
    let mut desk = desk();
    let case = desk.open(2);
    assert_eq!(desk.stands(case), "report");
    let (id, child) = desk.child(case, "awaited");
    let told = desk.told();
    let [(to, Body::Open(open))] = &told[..] else { panic!("{told:?}") };
    assert_eq!(*to, id);
    assert_eq!(
        (open.kind.as_str(), open.lines.len(), open.customer.is_some(), open.history),
        ("return", 1, true, false)
    );
    let called = open.called.as_ref().unwrap();
    assert_eq!((called.workflow.as_str(), &called.pin), ("report", &Pin::Active));
    assert_eq!(called.inputs, Fields::from([("device".to_owned(), Value::text("R-0"))]), "what is absent is left out");
    assert_eq!(child.inputs, called.inputs);
    let parent = &called.parent;
    assert_eq!((parent.case, parent.number.as_str(), parent.step.as_str()), (desk.cases[case].id, "R-0", "report"));
    assert_eq!((parent.depth, parent.awaited), (1, true));
    desk.ends(case, id, finished("reported"));
    assert_eq!((desk.stands(case), desk.var(case, "told").as_str()), ("reported", "reported"));
    let Some(Output::Values(gave)) = desk.cases[case].outputs.get("report") else { panic!() };
    assert_eq!((&gave["number"], &gave["case"]), (&Value::text("R-77"), &Value::text(id.to_string())));
    let (_, child) = desk.child(case, "finished");
    assert_eq!((child.number.as_deref(), child.state), (Some("R-77"), ChildState::Ended(finished("reported"))));
}

#[test]
fn the_id_follows_from_the_case_and_its_step() {
    let (mut one, mut other) = (desk(), desk());
    let (case, second) = (one.open(1), other.open(1));
    let (id, again) = (one.child(case, "awaited").0, other.child(second, "awaited").0);
    assert_eq!(id, again, "a turn that is run again opens no other case");
    let next = one.open(1);
    assert_ne!(one.child(next, "awaited").0, id);
    assert_eq!(id.minted_at(), one.cases[case].id.minted_at(), "it sorts beside the case");
}

#[test]
fn one_that_fails_is_cancelled_or_refused_goes_where_the_step_says_and_else_to_a_person() {
    for (ending, stands, code) in [
        (Ending::Failed("broken".to_owned()), "refused", "sub_case_failed"),
        (refused("wrong_inputs"), "wrong", "wrong_inputs"),
        (Ending::Cancelled, "report", "sub_case_cancelled"),
        (refused("unknown_workflow"), "report", "unknown_workflow"),
        (refused("stale"), "report", "sub_case_refused"),
    ] {
        let mut desk = desk();
        let case = desk.open(1);
        let id = desk.child(case, "awaited").0;
        desk.ends(case, id, ending.clone());
        assert_eq!((desk.stands(case), &desk.failed_with(case)[..]), (stands, &[code.to_owned()][..]), "{ending:?}");
        assert!(!desk.cases[case].outputs.contains_key("report"), "nothing stands for a result that there is not");
    }
}

#[test]
fn whoever_mends_a_failure_has_another_sub_case_opened() {
    let mut desk = desk();
    let case = desk.open(1);
    let first = desk.child(case, "awaited").0;
    desk.ends(case, first, refused("unknown_workflow"));
    desk.answer(case, "try_again").unwrap();
    let second = desk.child(case, "awaited").0;
    assert_ne!(first, second);
    assert!(matches!(&desk.told()[..], [(to, Body::Open(_))] if *to == second));
    // What the first one says now finds nobody.
    desk.ends(case, first, finished("late"));
    assert_eq!((desk.last(case), desk.stands(case)), (vec!["input.ignored.1"], "report"));
    desk.ends(case, second, finished("reported"));
    assert_eq!(desk.stands(case), "reported");
}

#[test]
fn an_end_that_comes_twice_or_from_nowhere_changes_nothing() {
    let mut desk = desk();
    let case = desk.open(1);
    let id = desk.child(case, "awaited").0;
    desk.ends(case, CaseId::mint(Instant::from_unix_ms(9), 9), finished("x"));
    assert_eq!((desk.last(case), desk.stands(case)), (vec!["input.ignored.1"], "report"));
    desk.ends(case, id, finished("reported"));
    let before = desk.cases[case].children.clone();
    desk.ends(case, id, Ending::Cancelled);
    assert_eq!((desk.last(case), &desk.cases[case].children), (vec!["input.ignored.1"], &before));
}

#[test]
fn a_sub_case_that_takes_too_long_goes_on_by_itself() {
    let mut desk = desk();
    let case = desk.open(1);
    let id = desk.child(case, "awaited").0;
    desk.pass(Span::from_days(5));
    assert_eq!(desk.stands(case), "late");
    assert_eq!(desk.child(case, "alone").0, id);
    assert!(desk.told().is_empty(), "the end of waiting is not the end of the sub-case");
    desk.ends(case, id, finished("reported"));
    assert_eq!(desk.stands(case), "late", "nobody waits for it any more");
    assert_eq!(desk.child(case, "finished").0, id, "but it is known");
}

#[test]
fn a_timer_finds_nothing_once_the_sub_case_has_ended() {
    let mut desk = desk();
    let case = desk.open(1);
    let id = desk.child(case, "awaited").0;
    desk.ends(case, id, refused("unknown_workflow"));
    let task = desk.task(case).0;
    desk.pass(Span::from_days(5));
    assert_eq!((desk.stands(case), desk.task(case).0), ("report", task), "the wait of a failure is another one");
}

#[test]
fn a_cancelled_case_calls_off_what_it_waits_for_and_nothing_else() {
    let mut desk = Desk::beside(
        "",
        "
  - { id: note, run: { workflow: note@3, wait: no_wait } }
  - { id: report, run: { workflow: report@active, timeout: { never: it ends } } }
  - { id: done, finish: { result: reported } }
",
    );
    let case = desk.open(1);
    assert_eq!(desk.told().len(), 2);
    let (note, report) = (desk.child(case, "alone"), desk.child(case, "awaited"));
    assert_eq!((note.1.pin, desk.timers.len()), (Pin::Number(3), 0));
    let Some(Output::Values(gave)) = desk.cases[case].outputs.get("note") else { panic!() };
    assert_eq!(gave.keys().collect::<Vec<_>>(), ["case"]);
    desk.give(case, Body::Cancel).unwrap();
    assert_eq!(desk.told(), [(report.0, Body::Cancel)]);
    assert_eq!((desk.child(case, "called_off").0, desk.child(case, "alone").0), (report.0, note.0));
    desk.ends(case, report.0, Ending::Cancelled);
    assert_eq!((desk.stands(case), desk.child(case, "cancelled").0), ("cancelled", report.0));
}

#[test]
fn a_skipped_step_opens_nothing_and_does_not_wait() {
    let mut desk = Desk::with(
        "
  - { id: report, when: 'has(case.reason)', run: { workflow: report@active, timeout: { never: it ends } } }
  - { id: done, finish: { result: reported } }
",
    );
    let case = desk.open(1);
    assert_eq!((desk.stands(case), desk.cases[case].children.len(), desk.told().len()), ("reported", 0, 0));
}

const EACH: &str = "
  - id: each
    for_each:
      in: =case.lines
      max: 5
      parallel: 5
      steps:
        - { id: one, run: { workflow: one@active, with: { quantity: =item.quantity }, timeout: { after: 5d, then: late } } }
        - { id: count, set: { all: 1 }, then: end }
        - { id: late, set: { all: 10 }, then: end }
        - { id: end, notify: { template: counted, to: customer } }
      merge: { all: sum }
  - { id: done, finish: { result: counted } }
";

#[test]
fn each_iteration_has_a_sub_case_of_its_own_and_goes_on_when_that_ends() {
    let mut desk = Desk::beside("vars: { all: { type: number, default: 0 } }\n", EACH);
    let case = desk.open_lines(&[1, 2, 3]);
    let children = desk.children(case, "awaited");
    assert_eq!((children.len(), desk.told().len()), (3, 3));
    let mut quantities: Vec<String> = children.iter().map(|(_, child)| child.inputs["quantity"].to_string()).collect();
    quantities.sort();
    assert_eq!(quantities, ["1", "2", "3"]);
    let of = |lane: &str| children.iter().find(|(_, child)| child.lane.to_string() == lane).unwrap().0;
    desk.ends(case, of("each.1"), finished("x"));
    assert_eq!(desk.lanes(case), ["each.0 at one", "each.1 done", "each.2 at one"]);
    desk.ends(case, of("each.0"), finished("x"));
    desk.pass(Span::from_days(5));
    assert_eq!((desk.stands(case), desk.var(case, "all").as_str()), ("counted", "12"), "one of them took too long");
    desk.ends(case, of("each.2"), finished("x"));
    assert_eq!(desk.children(case, "finished").len(), 3, "what a closed case is told is kept for people");
}

#[test]
fn a_branch_that_is_called_off_calls_off_its_sub_case() {
    let mut desk = Desk::beside(
        "events: { goods_received: { rma: text } }\n",
        "
  - id: either
    parallel:
      join: any
      branches:
        goods:
          - { id: goods, await: { event: goods_received, timeout: { never: it comes } } }
        report:
          - { id: report, run: { workflow: report@active, timeout: { never: it ends } } }
  - { id: rest, wait: { for: 1d } }
  - { id: done, finish: { result: settled } }
",
    );
    let case = desk.open(1);
    let report = desk.child(case, "awaited").0;
    desk.event(case, "goods_received", Some("R-0"));
    assert_eq!((desk.stands(case), desk.told()), ("rest", vec![(report, Body::Cancel)]));
    desk.ends(case, report, Ending::Cancelled);
    assert_eq!(desk.stands(case), "rest");
}

#[test]
fn a_way_back_opens_another_one_each_time() {
    let mut desk = Desk::with(
        "
  - { id: report, run: { workflow: report@active, timeout: { never: it ends } } }
  - { id: once_more, again: { to: report, max_visits: 1 } }
  - { id: done, finish: { result: reported } }
",
    );
    let case = desk.open(1);
    let first = desk.child(case, "awaited").0;
    desk.ends(case, first, finished("x"));
    let second = desk.child(case, "awaited");
    assert!(second.0 != first && second.1.round == 1);
    desk.ends(case, second.0, finished("x"));
    assert_eq!(desk.stands(case), "reported");
}

#[test]
fn the_past_opens_cases_of_the_past_and_waits_without_a_timer() {
    let mut desk = desk();
    let case = desk.open_from(1, true);
    assert!(matches!(&desk.told()[..], [(_, Body::Open(open))] if open.history));
    assert_eq!((desk.stands(case), desk.timers.len()), ("report", 0));
}

// The other side: the case that is opened.

const CALLED: &str = "
attributes: { case: { gift: bool } }
vars: { device: text, why: text?, level: { type: [low, high], default: low } }
steps:
  - { id: ask, review: { queue: q, title: 'Report {{ device }}', next: { fine: done, odd: odd }, timeout: { after: 9d, then: odd } } }
  - { id: done, finish: { result: reported } }
  - { id: odd, fail: { code: odd } }
";

fn callee() -> Desk {
    let mut desk = Desk::of("steps: [{ id: done, finish: { result: done } }]\n");
    let source = format!(
        "format: 1\nworkflow: report\ncurrency: GBP\n\
         triggers: [{{ called: {{ inputs: [device, why, level], requires: [customer] }} }}]\n{CALLED}"
    );
    let environment = Environment { zone: Some(Zone::UTC), ..Environment::default() };
    desk.definition = load(&source, &environment).unwrap_or_else(|problems| panic!("{problems:#?}"));
    desk
}

fn called(inputs: &[(&str, Value)], awaited: bool) -> Box<Called> {
    Box::new(Called {
        workflow: Slug::from_static("report"),
        pin: Pin::Active,
        inputs: inputs.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect(),
        parent: Parent {
            case: CaseId::mint(Instant::from_unix_ms(5), 5),
            number: "R-1000".to_owned(),
            step: Slug::from_static("report"),
            depth: 1,
            awaited,
        },
    })
}

fn device() -> (&'static str, Value) {
    ("device", Value::text("D1"))
}

impl Desk {
    fn called(&mut self, called: Box<Called>) -> Result<Nth, Rejection> {
        let open = Open {
            kind: Slug::from_static("complaint"),
            external: None,
            history: false,
            customer: Some(CustomerId::new("c1").unwrap()),
            order: None,
            currency: gbp(),
            reason: None,
            claim: None,
            attributes: [("gift", Value::Bool(true)), ("secret", Value::Bool(true))]
                .map(|(name, value)| (name.to_owned(), value))
                .into(),
            lines: Vec::new(),
            called: Some(called),
            start: None,
        };
        let new = self.cases.len();
        self.journals.push(Vec::new());
        let opened = self.turn(new, &Actor::host(), Body::Open(Box::new(open)));
        opened.map(|()| new)
    }
}

#[test]
fn a_sub_case_begins_with_its_inputs_and_the_attributes_that_its_workflow_knows() {
    let mut desk = callee();
    let case = desk.called(called(&[device()], true)).unwrap();
    assert_eq!((desk.stands(case), desk.task(case).1.title.as_str()), ("ask", "Report D1"));
    assert_eq!((desk.var(case, "device").as_str(), desk.var(case, "level").as_str()), ("D1", "low"));
    assert_eq!(desk.cases[case].attributes.keys().collect::<Vec<_>>(), ["gift"]);
    assert_eq!(desk.cases[case].parent.as_ref().unwrap().number, "R-1000");
}

#[test]
fn a_sub_case_tells_its_end_once_to_a_case_that_waits_for_it() {
    let ways: [(&str, Ending); 2] = [("fine", finished("reported")), ("odd", Ending::Failed("odd".to_owned()))];
    for (outcome, ending) in ways {
        let mut desk = callee();
        let case = desk.called(called(&[device()], true)).unwrap();
        assert!(desk.told().is_empty());
        desk.answer(case, outcome).unwrap();
        let number = Some(desk.cases[case].number.clone());
        let ended = Ended { case: desk.cases[case].id, number, ending };
        assert_eq!(desk.told(), [(CaseId::mint(Instant::from_unix_ms(5), 5), Body::SubCase(Box::new(ended)))]);
        desk.turn(case, &Actor::host(), Body::Timer(Timer::OpenFor)).unwrap();
        assert!(desk.told().is_empty(), "what happens after the end tells nothing");
    }
    let mut desk = callee();
    let case = desk.called(called(&[device()], true)).unwrap();
    desk.give(case, Body::Cancel).unwrap();
    assert!(matches!(&desk.told()[..], [(_, Body::SubCase(ended))] if ended.ending == Ending::Cancelled));
    let alone = desk.called(called(&[device()], false)).unwrap();
    desk.answer(alone, "fine").unwrap();
    assert!(desk.told().is_empty(), "nobody waits for it");
}

#[test]
fn what_a_workflow_does_not_take_is_refused_or_held_where_nobody_waits() {
    let unfit: [(&[(&str, Value)], &str); 4] = [
        (&[], "wrong_inputs"),
        (&[("device", Value::whole(1))], "wrong_inputs"),
        (&[device(), ("level", Value::text("middle"))], "wrong_inputs"),
        (&[device(), ("colour", Value::text("red"))], "wrong_inputs"),
    ];
    for (inputs, code) in unfit {
        let refusal = callee().called(called(inputs, true)).unwrap_err();
        assert_eq!(refusal.code, code, "{inputs:?}");
        let mut desk = callee();
        let held = desk.called(called(inputs, false)).unwrap();
        assert_eq!((desk.stands(held), desk.task(held).1.reasons[0].code.as_str()), ("(held)", code));
        assert!(desk.cases[held].parent.is_some(), "a person sees where it comes from");
        desk.answer(held, "close").unwrap();
        assert!(desk.told().is_empty());
    }
    let mut other = Desk::with("  - { id: done, finish: { result: done } }\n");
    assert_eq!(other.called(called(&[], true)).unwrap_err().code, "not_callable");
}

#[test]
fn cases_stand_in_one_another_so_deep_and_no_deeper() {
    let mut desk = callee();
    let source = "format: 1\nworkflow: report\ncurrency: GBP\ntriggers: [{ called: {} }]\nsteps:\n  \
                  - { id: next, run: { workflow: other@active, timeout: { never: it ends } } }\n  \
                  - { id: done, finish: { result: done } }\n";
    desk.definition = load(source, &Environment { zone: Some(Zone::UTC), ..Environment::default() }).unwrap();
    let mut at = |depth: u32| {
        let mut called = called(&[], true);
        called.parent.depth = depth;
        let case = desk.called(called).unwrap();
        (desk.told().len(), desk.failed_with(case))
    };
    assert_eq!(at(DEPTH_MAX - 1), (1, Vec::new()));
    assert_eq!(at(DEPTH_MAX), (0, vec!["too_deep".to_owned()]));
}
