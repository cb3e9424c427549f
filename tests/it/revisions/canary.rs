//! Canaries: which cases take one, how it stops itself, and what ends it.

use std::time::{Duration, Instant};

use redress::engine::canary::Watched;
use redress::engine::log::{Ended, What};
use redress::publish::workflows::history::{self, How};
use redress::publish::{Error, canary};
use redress_domain::clock::Span;
use redress_domain::ids::{CaseId, Digest, Slug};
use redress_domain::workflow::canary::{Bounds, Percent, Sums, Worse, takes};
use redress_sandbox::Hook;
use redress_tests::guests::{Guest, integer_step};
use redress_tests::world::{Merchant, World, a_return, from_history};

use crate::publish::{active, ending, logged, open, seven};

fn returns() -> Slug {
    Slug::new("returns").unwrap()
}

fn world() -> (World, Merchant) {
    let world = World::new().unwrap();
    let merchant = world.bare_merchant("acme").unwrap();
    (world, merchant)
}

/// A workflow of these steps for returns.
fn steps(steps: &str) -> String {
    let head = "format: 1\nworkflow: returns\ncurrency: GBP\nlimits: { refund_max: 100.00 }\n";
    format!(
        "{head}triggers: [{{ case_opened: {{ type: return }} }}]\nsteps:\n{steps}  - {{ id: done, finish: {{ result: done }} }}\n"
    )
}

fn after(cases: u32) -> Bounds {
    Bounds { min_cases: cases, ..Bounds::default() }
}

/// The revisions of the next cases, until the canary is over or there are too many of them.
fn open_until_over(merchant: &Merchant, most: u32) -> Vec<Digest> {
    let mut taken = Vec::new();
    for _ in 0..most {
        taken.extend(open(merchant, "return").revision);
        if how_it_ended(merchant).is_some() {
            break;
        }
    }
    taken
}

/// How the last canary ended. One that does worse is recorded a moment after the case that showed it.
fn how_it_ended(merchant: &Merchant) -> Option<Ended> {
    let last = |merchant: &Merchant| history::of(&merchant.engine, &returns()).unwrap().pop();
    match last(merchant).map(|became| became.how) {
        Some(How::TrialEnded(ended)) => Some(ended),
        _ => None,
    }
}

fn wait_for_its_end(merchant: &Merchant) -> Ended {
    let begun = Instant::now();
    loop {
        if let Some(ended) = how_it_ended(merchant) {
            return ended;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "it was not stopped");
        std::thread::yield_now();
    }
}

#[test]
fn a_tenth_of_the_new_cases_takes_the_canary_and_which_follows_from_their_ids() {
    let (_world, merchant) = world();
    let active = merchant.publish(&ending("one")).unwrap().revision;
    let tried = merchant.canary("returns", &ending("two"), 10, Bounds::default()).unwrap().canary;
    let cases: Vec<(CaseId, Option<Digest>)> =
        (0..300).map(|_| open(&merchant, "return")).map(|case| (case.id, case.revision)).collect();
    let ten = Percent::new(10).unwrap();
    for (case, revision) in &cases {
        let wanted = if takes(&returns(), *case, ten) { tried.revision } else { active };
        assert_eq!(*revision, Some(wanted));
    }
    let taken = cases.iter().filter(|(_, revision)| *revision == Some(tried.revision)).count();
    assert!((12..=50).contains(&taken), "{taken} of 300");
    let watched = merchant.engine.canary(&returns()).unwrap();
    assert_eq!((watched.sums.cases, watched.control.cases), (taken as u64, 300 - taken as u64));
    // The past is decided by what is active.
    for n in 0..40 {
        let past = merchant.open(from_history(a_return("c1", &[("A1", 1)]).unwrap(), &format!("R{n}"))).unwrap();
        assert_eq!(merchant.case(past.case).unwrap().revision, Some(active));
    }
    assert_eq!(merchant.engine.canary(&returns()).unwrap(), watched, "and it is no measure of the present");
}

#[test]
fn a_canary_whose_plugin_fails_stops_itself_and_no_further_case_takes_it() {
    let (_world, merchant) = world();
    merchant.push("number", &seven()).unwrap();
    merchant.push("broken", &Guest::new(Hook::Eligibility).component().unwrap()).unwrap();
    let control = merchant.publish(&steps("  - { id: ask, call: { plugin: number@0 } }\n")).unwrap();
    let bad = steps("  - { id: ask, call: { plugin: broken@0 } }\n");
    let tried = merchant.canary("returns", &bad, 30, after(5)).unwrap().canary.revision;
    let taken = open_until_over(&merchant, 200);
    assert_eq!(wait_for_its_end(&merchant), Ended::Worse(Worse::Failures));
    // The one that showed it may be followed by none: what is judged takes no case, recorded or not.
    assert_eq!(taken.iter().filter(|revision| **revision == tried).count(), 5);
    for _ in 0..40 {
        assert_eq!(open(&merchant, "return").revision, Some(control.revision));
    }
    assert_eq!(merchant.engine.canary(&returns()), None);
    let Some(What::CanaryEnded { canary, number: 2, note, .. }) = logged(&merchant).pop() else { panic!() };
    assert_eq!((canary, note.as_str()), (Sums { cases: 5, failed: 5, ..Sums::default() }, "it did worse: failures"));
}

#[test]
fn a_canary_that_refunds_more_stops_itself_and_one_that_refunds_as_much_does_not() {
    for (amount, ended) in [("1.60", Some(Ended::Worse(Worse::Refunds))), ("1.50", None)] {
        let (_world, merchant) = world();
        let pay = |amount: &str| steps(&format!("  - {{ id: pay, refund: {{ amount: {amount} }} }}\n"));
        merchant.publish(&pay("1.00")).unwrap();
        merchant.canary("returns", &pay(amount), 40, after(10)).unwrap();
        open_until_over(&merchant, 60);
        match ended {
            Some(ended) => assert_eq!(wait_for_its_end(&merchant), ended),
            None => {
                let Watched { sums, control, .. } = merchant.engine.canary(&returns()).unwrap();
                assert_eq!(sums.refunded, i64::try_from(sums.cases * 150).unwrap());
                assert_eq!(control.refunded, i64::try_from(control.cases * 100).unwrap());
            }
        }
    }
}

#[test]
fn a_canary_whose_waits_time_out_stops_itself_when_they_do() {
    let (world, merchant) = world();
    let look = |days: u8| {
        let timeout = format!("timeout: {{ after: {days}d, then: done }}");
        steps(&format!("  - {{ id: look, review: {{ queue: q, title: Look, next: {{ go: done }}, {timeout} }} }}\n"))
    };
    merchant.publish(&look(9)).unwrap();
    merchant.canary("returns", &look(1), 50, after(10)).unwrap();
    (0..60).for_each(|_| drop(open(&merchant, "return")));
    world.pass(Span::from_days(1));
    assert_eq!(how_it_ended(&merchant), None);
    merchant.run_due().unwrap();
    assert_eq!(wait_for_its_end(&merchant), Ended::Worse(Worse::Timeouts));
}

#[test]
fn a_canary_and_what_came_of_its_cases_survive_a_restart() {
    let (world, merchant) = world();
    let pay = |amount: &str| steps(&format!("  - {{ id: pay, refund: {{ amount: {amount} }} }}\n"));
    merchant.publish(&pay("1.00")).unwrap();
    // Cases of before are no part of the comparison.
    (0..5).for_each(|_| drop(open(&merchant, "return")));
    world.pass(Span::from_millis(5));
    merchant.canary("returns", &pay("1.10"), 40, after(1_000)).unwrap();
    world.pass(Span::from_millis(5));
    (0..30).for_each(|_| drop(open(&merchant, "return")));
    let before = merchant.engine.canary(&returns()).unwrap();
    assert!(before.sums.cases > 3 && before.control.cases + before.sums.cases == 30, "{before:?}");
    drop(merchant);
    let world = world.restart().unwrap();
    let merchant = world.reopen("acme").unwrap();
    assert_eq!(merchant.engine.canary(&returns()), Some(before.clone()));
    (0..20).for_each(|_| drop(open(&merchant, "return")));
    let now = merchant.engine.canary(&returns()).unwrap();
    assert!(now.sums.cases > before.sums.cases && now.sums.cases + now.control.cases == 50, "{now:?}");
}

#[test]
fn a_canary_ends_when_another_revision_becomes_active_in_whatever_way() {
    let text = |result: &str| {
        steps("  - { id: ask, call: { plugin: number@0 } }\n").replace("result: done", &format!("result: {result}"))
    };
    let begun = || {
        let (world, merchant) = world();
        merchant.push("number", &seven()).unwrap();
        merchant.publish(&text("zero")).unwrap();
        merchant.publish(&text("one")).unwrap();
        merchant.canary("returns", &text("two"), 50, Bounds::default()).unwrap();
        (world, merchant)
    };
    let over = |merchant: &Merchant, ended: Ended| {
        assert_eq!(how_it_ended(merchant), Some(ended));
        assert_eq!(merchant.engine.canary(&returns()), None);
        let now = active(merchant)[0].1;
        assert!((0..12).all(|_| open(merchant, "return").revision == Some(now)));
    };
    let (_world, merchant) = begun();
    // The active text once more is nothing new.
    merchant.publish(&text("one")).unwrap();
    assert!(merchant.engine.canary(&returns()).is_some());
    merchant.publish(&text("three")).unwrap();
    over(&merchant, Ended::Replaced);

    let (_world, merchant) = begun();
    merchant.roll_back("returns", None).unwrap();
    over(&merchant, Ended::Replaced);

    let (_world, merchant) = begun();
    let other = integer_step("count", "(i64.const 8)").component().unwrap();
    merchant.push("number", &other).unwrap();
    over(&merchant, Ended::Replaced);

    let (_world, merchant) = begun();
    let published = merchant.publish(&text("two")).unwrap();
    over(&merchant, Ended::Promoted);
    assert_eq!((active(&merchant)[0].1, published.number), (published.revision, 3));

    let (_world, merchant) = begun();
    merchant.canary("returns", &text("four"), 20, Bounds::default()).unwrap();
    let hows: Vec<How> = history::of(&merchant.engine, &returns()).unwrap().iter().map(|one| one.how).collect();
    let twenty = How::Tried(Percent::new(20).unwrap());
    assert_eq!(hows[hows.len() - 2..], [How::TrialEnded(Ended::Replaced), twenty]);
    assert_eq!(merchant.engine.canary(&returns()).unwrap().canary.number, 4);
}

#[test]
fn a_canary_is_made_active_or_stopped_by_hand_and_going_back_knows_of_it() {
    let (world, merchant) = world();
    let one = merchant.publish(&ending("one")).unwrap();
    let tried = merchant.canary("returns", &ending("two"), 99, Bounds::default()).unwrap().canary;
    assert_eq!(merchant.end_canary("returns", true).unwrap(), tried.revision);
    assert_eq!((active(&merchant)[0].1, how_it_ended(&merchant)), (tried.revision, Some(Ended::Promoted)));
    assert!(matches!(merchant.end_canary("returns", true), Err(Error::NoCanary(_))));
    // A trial in between is no step on the way back.
    merchant.canary("returns", &ending("three"), 10, Bounds::default()).unwrap();
    merchant.end_canary("returns", false).unwrap();
    assert_eq!(how_it_ended(&merchant), Some(Ended::Stopped));
    assert_eq!(merchant.roll_back("returns", None).unwrap().revision, one.revision);
    // What was only tried was never active.
    let three = merchant.publish(&ending("three")).unwrap();
    assert_eq!(three.number, 3);
    drop(merchant);
    let merchant = world.restart().unwrap().reopen("acme").unwrap();
    assert_eq!((merchant.engine.canary(&returns()), active(&merchant)[0].1), (None, three.revision));
}

#[test]
fn what_cannot_be_compared_is_no_canary_and_changes_nothing() {
    let (_world, merchant) = world();
    let tried = |text: &str| merchant.canary("returns", text, 10, Bounds::default());
    assert!(matches!(tried(&ending("one")), Err(Error::NoWorkflow(_))));
    merchant.publish(&ending("one")).unwrap();
    let before = logged(&merchant);
    let unfit = |result: Result<Watched, Error>, word: &str| match result {
        Err(Error::CanaryUnfit { why, .. }) => assert!(why.contains(word), "{why}"),
        other => panic!("{other:?}"),
    };
    unfit(tried(&ending("one")), "active one");
    unfit(tried(&ending("two").replace("workflow: returns", "workflow: other")), "workflow other");
    unfit(tried(&ending("two").replace("format: 1\n", "format: 1\ncurrency: EUR\n")), "refunds in EUR");
    assert!(matches!(tried("format: 1\n"), Err(Error::Invalid(_))));
    assert_eq!((logged(&merchant), merchant.engine.canary(&returns())), (before, None));
    assert_eq!(redress::publish::workflows::list(&merchant.engine).unwrap().len(), 1);
    // The same one in the same way goes on.
    let first = tried(&ending("two")).unwrap();
    merchant.open(a_return("c1", &[("A1", 1)]).unwrap()).unwrap();
    let again = tried(&ending("two")).unwrap();
    assert_eq!((again.canary, again.sums.cases + again.control.cases), (first.canary, 1));
    assert!(matches!(canary::watched(&merchant.engine, &Slug::new("other").unwrap()), Err(Error::NoCanary(_))));
}
