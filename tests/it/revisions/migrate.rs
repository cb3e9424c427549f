//! Migration: waiting cases go on with another revision, with their tasks, effects and timers; none is lost, nothing happens twice.

use std::collections::BTreeMap;

use redress::engine::Engine;
use redress::engine::log::{self, Logged, Origin, What};
use redress::publish::Error;
use redress::publish::migrate::{self, Report, Wish};
use redress_domain::case::command::{Body, Settled};
use redress_domain::case::entry::Entry;
use redress_domain::case::{Case, Status};
use redress_domain::clock::Span;
use redress_domain::ids::{CaseId, Slug};
use redress_domain::value::{Fields, Value};
use redress_tests::shop::{Shop, stands, the_task};
use redress_tests::world::{a_return, admin};

fn slug(text: &str) -> Slug {
    Slug::new(text).unwrap()
}

/// A wish from the first revision to the second, and so on.
fn wish(from: u64, to: u64) -> Wish {
    Wish { from: from.to_string(), to: to.to_string(), ..Wish::default() }
}

fn run(shop: &Shop, wish: &Wish) -> Result<Report, Error> {
    let migration = migrate::plan(&shop.merchant.engine, &slug("tried"), wish)?;
    migrate::migrate(&shop.merchant.engine, &migration, &admin(), ("why not", &Origin::Cli), None, 1_000)
}

fn looked(shop: &Shop, wish: &Wish) -> Report {
    let migration = migrate::plan(&shop.merchant.engine, &slug("tried"), wish).unwrap();
    migrate::look(&shop.merchant.engine, &migration, None, 1_000).unwrap()
}

/// How many cases stay, by code.
fn refused(report: &Report) -> BTreeMap<&str, u64> {
    report.refused.iter().map(|((code, _), refused)| (code.as_str(), refused.cases)).collect()
}

/// A person looks for so many days, then the case ends as this.
fn looking(queue: &str, days: u8, result: &str) -> String {
    format!(
        "
steps:
  - id: look
    review: {{ queue: {queue}, title: Look, next: {{ go: done }}, timeout: {{ after: {days}d, then: late }} }}
    migration_point: true
  - {{ id: done, finish: {{ result: {result} }} }}
  - {{ id: late, finish: {{ result: late }} }}
"
    )
}

fn until(case: &Case) -> Option<i64> {
    let opened = case.opened_at.unix_ms();
    case.status.until().map(|at| (at.unix_ms() - opened) / Span::from_days(1).millis())
}

fn timed_out(shop: &Shop, case: CaseId) -> usize {
    shop.entries(case).unwrap().iter().filter(|entry| matches!(entry, Entry::TimedOut { .. })).count()
}

#[test]
fn a_waiting_case_goes_on_with_another_revision_and_its_task_stays_the_same_task() {
    let shop = Shop::with(&looking("desk", 5, "one")).unwrap();
    let case = shop.open(&[("A1", 1)]).unwrap();
    let (task, _) = the_task(&case);
    shop.merchant.command(case.id, Body::Claim(task)).unwrap();
    shop.publish(&looking("office", 5, "two")).unwrap();
    let dry = looked(&shop, &wish(1, 2));
    assert_eq!((dry.all_moved(), shop.case(&case).unwrap().turn), (1, 2), "a dry run changes nothing");
    let report = run(&shop, &wish(1, 2)).unwrap();
    assert_eq!(report, dry, "and tells what will be");
    let moved = shop.case(&case).unwrap();
    assert_ne!(moved.revision, case.revision);
    let (same, now) = the_task(&moved);
    assert_eq!((same, now.queue.as_str(), now.assignee.is_some()), (task, "office", true));
    assert_eq!((until(&moved), moved.status.clone()), (Some(5), case.status.clone()), "it waits as it did");
    // What is left of it is on the new revision.
    assert_eq!((run(&shop, &wish(1, 2)).unwrap().examined, run(&shop, &wish(2, 1)).unwrap().all_moved()), (0, 1));
    run(&shop, &wish(1, 2)).unwrap();
    shop.answer(&case, "go", &[]).unwrap();
    assert_eq!(stands(&shop.case(&case).unwrap()), "two");
}

#[test]
fn a_migration_stands_in_the_merchants_own_stream_with_who_from_where_how_many_and_why() {
    let shop = Shop::with(&looking("desk", 5, "one")).unwrap();
    let case = shop.open(&[("A1", 1)]).unwrap();
    shop.open(&[("A1", 1)]).unwrap();
    shop.answer(&case, "go", &[]).unwrap();
    shop.publish(&looking("office", 5, "two")).unwrap();
    looked(&shop, &wish(1, 2));
    let facts = || log::read(&shop.merchant.engine).unwrap();
    let before = facts().len();
    run(&shop, &wish(1, 2)).unwrap();
    run(&shop, &wish(1, 2)).unwrap();
    let told = facts().split_off(before);
    let [
        Logged {
            by, what: What::CasesMigrated { number: 2, examined: 1, moved: 1, refused: 0, note, from, .. }, ..
        },
    ] = &told[..]
    else {
        panic!("{told:?}")
    };
    assert_eq!(
        (by, note.as_str(), from),
        (&admin(), "why not", &Origin::Cli),
        "and a call that finds nobody tells nothing"
    );
}

#[test]
fn a_timer_is_kept_or_computed_anew_and_ends_the_wait_once() {
    for (recompute, days, ends) in [(false, 9, 5), (true, 9, 9), (true, 2, 3)] {
        let shop = Shop::with(&looking("desk", 5, "one")).unwrap();
        let case = shop.open(&[("A1", 1)]).unwrap();
        shop.publish(&looking("desk", days, "two")).unwrap();
        shop.pass(Span::from_days(3)).unwrap();
        run(&shop, &Wish { recompute, ..wish(1, 2) }).unwrap();
        let wanted = if recompute { i64::from(days) } else { 5 };
        assert_eq!(until(&shop.case(&case).unwrap()), Some(wanted));
        for day in 3..=12 {
            shop.merchant.run_due().unwrap();
            let now = shop.case(&case).unwrap();
            assert_eq!(now.is_closed(), day >= ends, "recompute {recompute}, {days} days, on day {day}");
            shop.world.pass(Span::from_days(1));
        }
        assert_eq!((stands(&shop.case(&case).unwrap()), timed_out(&shop, case.id)), ("late", 1));
        assert!(shop.case(&case).unwrap().tasks.is_empty());
    }
}

#[test]
fn a_wait_without_an_end_gets_one_and_one_that_had_one_loses_it_where_the_other_revision_says_so() {
    let never = looking("desk", 5, "two").replace("timeout: { after: 5d, then: late }", "timeout: { never: why not }");
    let never = never.replace("  - { id: late, finish: { result: late } }\n", "");
    let shop = Shop::with(&looking("desk", 5, "one")).unwrap();
    let case = shop.open(&[("A1", 1)]).unwrap();
    shop.publish(&never).unwrap();
    run(&shop, &wish(1, 2)).unwrap();
    assert_eq!(until(&shop.case(&case).unwrap()), None);
    shop.pass(Span::from_days(9)).unwrap();
    assert_eq!((stands(&shop.case(&case).unwrap()), timed_out(&shop, case.id)), ("look", 0));
    run(&shop, &Wish { recompute: true, ..wish(2, 1) }).unwrap();
    assert_eq!(until(&shop.case(&case).unwrap()), Some(5), "counted from when its task was opened");
    shop.merchant.run_due().unwrap();
    assert_eq!((stands(&shop.case(&case).unwrap()), timed_out(&shop, case.id)), ("late", 1));
}

#[test]
fn a_step_that_is_renamed_keeps_what_it_gave_and_its_effects_are_not_sent_twice() {
    let text = |first: &str, second: &str| {
        format!(
            "limits: {{ refund_max: 9.00 }}
steps:
{first}  - id: look
    review: {{ queue: desk, title: Look, next: {{ go: {second} }}, timeout: {{ never: a person must look }} }}
    migration_point: true
"
        )
    };
    let pay = |id: &str| format!("  - {{ id: {id}, refund: {{ amount: 1.00 }} }}\n");
    let done = "  - { id: done, finish: { result: done } }\n";
    let shop = Shop::with(&(text(&pay("pay"), "done") + done)).unwrap();
    let case = shop.open(&[("A1", 1)]).unwrap();
    let case = shop.settle(&case, "pay", None, Settled::Confirmed).unwrap();
    let key = *case.effects.keys().next().unwrap();
    // There the money goes back behind the look, under another name.
    shop.publish(&(text("", "payout") + &pay("payout") + done)).unwrap();
    let steps = BTreeMap::from([(slug("pay"), slug("payout"))]);
    run(&shop, &Wish { steps, ..wish(1, 2) }).unwrap();
    let moved = shop.case(&case).unwrap();
    assert_eq!(moved.effects[&key].step.as_str(), "payout");
    assert!(moved.outputs.contains_key("payout") && !moved.outputs.contains_key("pay"));
    shop.answer(&case, "go", &[]).unwrap();
    let ended = shop.case(&case).unwrap();
    assert_eq!((stands(&ended), ended.effects.len(), ended.refunded().minor()), ("done", 1, 100));
}

#[test]
fn what_cannot_go_stays_and_is_told_with_the_reason() {
    let first = "
events: { goods: { rma: text? } }
vars: { pace: text }
steps:
  - id: sort
    decide:
      - { when: 'has(case.reason) && case.reason == \"a\"', then: a }
      - { when: 'has(case.reason) && case.reason == \"b\"', then: b }
      - { when: 'has(case.reason) && case.reason == \"c\"', then: c }
      - { else: d }
  - { id: a, wait: { for: 9d }, migration_point: true, then: done }
  - { id: b, wait: { for: 9d }, migration_point: true, then: done }
  - { id: c, wait: { for: 9d }, then: done }
  - { id: d, await: { event: goods, timeout: { after: 9d, then: done } }, migration_point: true }
  - { id: done, finish: { result: done } }
";
    let shop = Shop::with(first).unwrap();
    let open = |reason: &str| {
        let open = redress_domain::case::command::Open {
            reason: Some(reason.to_owned()),
            ..a_return("c1", &[("A1", 1)]).unwrap()
        };
        shop.take(open).unwrap()
    };
    let cases: Vec<Case> = ["a", "b", "c", "d", "d"].map(open).to_vec();
    // a is gone, b is no point there, d waits for something else.
    let second = first
        .replace("  - { id: a, wait: { for: 9d }, migration_point: true, then: done }\n", "")
        .replace("      - { when: 'has(case.reason) && case.reason == \"a\"', then: a }\n", "")
        .replace("id: b, wait: { for: 9d }, migration_point: true", "id: b, wait: { for: 9d }")
        .replace("await: { event: goods, timeout: { after: 9d, then: done } }", "wait: { for: 9d }");
    shop.publish(&second).unwrap();
    let report = run(&shop, &wish(1, 2)).unwrap();
    let wanted = [("no_migration_point", 1), ("other_kind", 2), ("step_missing", 1), ("target_no_migration_point", 1)];
    assert_eq!((refused(&report), report.all_moved(), report.examined), (BTreeMap::from(wanted), 0, 5));
    let told = &report.refused[&("other_kind".to_owned(), "d".to_owned())];
    assert_eq!(told.examples, [cases[3].number.clone(), cases[4].number.clone()]);
    for case in &cases {
        assert_eq!(shop.case(case).unwrap(), *case, "nothing half done");
    }
    let at = [slug("a"), slug("b")].into();
    let some = run(&shop, &Wish { at, ..wish(1, 2) }).unwrap();
    assert_eq!((some.left_out, refused(&some).len()), (3, 2));

    // Mapped, a may go on as another step of its kind.
    let steps = BTreeMap::from([(slug("a"), slug("d"))]);
    let mapped = run(&shop, &Wish { steps, ..wish(1, 2) }).unwrap();
    assert_eq!(mapped.moved, BTreeMap::from([((slug("a"), slug("d")), 1)]));
    assert_eq!(stands(&shop.case(&cases[0]).unwrap()), "d");
}

#[test]
fn what_does_not_fit_the_revisions_is_refused_as_a_whole_before_a_case_is_touched() {
    let shop = Shop::with(&looking("desk", 5, "one")).unwrap();
    shop.open(&[("A1", 1)]).unwrap();
    shop.publish(
        &looking("desk", 5, "two").replace("\nsteps:", "vars: { pace: { type: number, default: 1 } }\nsteps:"),
    )
    .unwrap();
    let unfit = |wish: Wish, words: &[&str]| match migrate::plan(&shop.merchant.engine, &slug("tried"), &wish) {
        Err(Error::MigrationUnfit { faults, .. }) => {
            let told = faults.join("; ");
            assert!(words.iter().all(|word| told.contains(word)), "{told}");
        }
        other => panic!("{other:?}"),
    };
    let pairs = |pairs: &[(&str, &str)]| pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
    unfit(wish(1, 1), &["the same"]);
    unfit(Wish { at: [slug("nowhere")].into(), ..wish(1, 2) }, &["no step nowhere"]);
    let steps = BTreeMap::from([(slug("look"), slug("nowhere")), (slug("nothing"), slug("look"))]);
    unfit(Wish { steps, ..wish(1, 2) }, &["no step nowhere", "no step nothing"]);
    let vars = pairs(&[("pace", "=quick"), ("colour", "keep"), ("other", "=1")]);
    unfit(Wish { vars, ..wish(1, 2) }, &["variable pace", "no variable colour", "no variable other"]);
    assert!(matches!(
        migrate::plan(&shop.merchant.engine, &slug("tried"), &wish(1, 7)),
        Err(Error::NoSuchRevision { .. })
    ));
    assert!(matches!(
        migrate::plan(&shop.merchant.engine, &slug("other"), &wish(1, 2)),
        Err(Error::NoSuchRevision { .. })
    ));
}

#[test]
fn variables_are_kept_begin_with_their_default_or_hold_what_is_said() {
    let first = looking("desk", 5, "one").replace(
        "\nsteps:",
        "vars: { pace: { type: text, default: slow }, count: { type: number, default: 3 }, gone: { type: bool, default: true } }\nsteps:",
    );
    let second = looking("desk", 5, "two").replace(
        "\nsteps:",
        "vars: { pace: { type: text, default: fast }, count: { type: number, default: 4 }, fresh: { type: number, default: 5 } }\nsteps:",
    );
    let shop = Shop::with(&first).unwrap();
    shop.publish(&second).unwrap();
    let moved = |vars: &[(&str, &str)]| {
        shop.merchant.roll_back("tried", None).unwrap();
        let case = shop.open(&[("A1", 1)]).unwrap();
        let vars = vars.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
        assert_eq!(run(&shop, &Wish { vars, ..wish(1, 2) }).unwrap().all_moved(), 1);
        shop.publish(&second).unwrap();
        shop.case(&case).unwrap().vars
    };
    let vars = |pace: &str, count: u32| {
        let values = [("pace", Value::text(pace)), ("count", Value::whole(count)), ("fresh", Value::whole(5_u32))];
        values.map(|(name, value)| (name.to_owned(), value)).into_iter().collect::<Fields>()
    };
    assert_eq!(moved(&[]), vars("slow", 3));
    assert_eq!(moved(&[("pace", "default"), ("count", "keep")]), vars("fast", 3));
    assert_eq!(moved(&[("pace", "=steady"), ("count", "=7")]), vars("steady", 7));
    // A variable without a default that the case lacks must be spoken of; one of another type cannot be kept.
    shop.merchant.roll_back("tried", None).unwrap();
    shop.open(&[("A1", 1)]).unwrap();
    shop.publish(
        &second.replace("default: 5", "default: 6").replace("fresh: { type: number, default: 6 }", "fresh: number"),
    )
    .unwrap();
    assert_eq!(refused(&run(&shop, &wish(1, 3)).unwrap()), BTreeMap::from([("variable_unset", 1)]));
    shop.publish(&second.replace("count: { type: number, default: 4 }", "count: { type: text, default: four }"))
        .unwrap();
    assert_eq!(refused(&run(&shop, &wish(1, 4)).unwrap()), BTreeMap::from([("variable_type", 1)]));
    let vars = BTreeMap::from([("count".to_owned(), "default".to_owned())]);
    assert_eq!(run(&shop, &Wish { vars, ..wish(1, 4) }).unwrap().all_moved(), 1);
}

#[test]
fn an_event_that_was_kept_ends_the_wait_of_the_other_revision_at_once() {
    let text = |event: &str| {
        format!(
            "
events: {{ goods: {{ rma: text? }}, parcel: {{ rma: text? }} }}
steps:
  - {{ id: arrive, await: {{ event: {event}, timeout: {{ after: 9d, then: late }} }}, migration_point: true }}
  - {{ id: done, finish: {{ result: done }} }}
  - {{ id: late, finish: {{ result: late }} }}
"
        )
    };
    let shop = Shop::with(&text("goods")).unwrap();
    let case = shop.open(&[("A1", 1)]).unwrap();
    shop.event(&case, "parcel", "rma", "1").unwrap();
    shop.publish(&text("parcel")).unwrap();
    run(&shop, &wish(1, 2)).unwrap();
    let ended = shop.case(&case).unwrap();
    assert_eq!((stands(&ended), ended.events.len()), ("done", 0));
    // The timer of before finds nothing.
    shop.pass(Span::from_days(9)).unwrap();
    assert_eq!((stands(&shop.case(&case).unwrap()), timed_out(&shop, case.id)), ("done", 0));
}

/// Open so many cases at once.
fn open_many(engine: &Engine, count: usize) -> Vec<CaseId> {
    let (sender, answers) = std::sync::mpsc::channel();
    let mut all = Vec::new();
    for slice in (0..count).collect::<Vec<_>>().chunks(128) {
        for _ in slice {
            let body = Body::Open(Box::new(a_return("c1", &[("A1", 1)]).unwrap()));
            let submission = redress_tests::world::submission(redress::engine::Target::New, body);
            let told = sender.clone();
            engine.submit(submission, move |result| told.send(result.unwrap().case).unwrap()).unwrap();
        }
        all.extend(slice.iter().map(|_| answers.recv().unwrap()));
    }
    all
}

/// `REDRESS_MIGRATED=10000` moves ten thousand.
#[test]
fn of_many_waiting_cases_none_is_lost_and_none_fires_twice() {
    let count: usize = std::env::var("REDRESS_MIGRATED").map_or(600, |count| count.parse().unwrap());
    let shop = Shop::with(&looking("desk", 5, "one")).unwrap();
    let cases = open_many(&shop.merchant.engine, count);
    shop.publish(&looking("office", 7, "two").replace("id: look", "id: check")).unwrap();
    let steps = BTreeMap::from([(slug("look"), slug("check"))]);
    shop.world.pass(Span::from_days(1));
    // Some are answered, and one is not there to be moved any more.
    let done = &cases[..count / 10];
    for case in done {
        let task = the_task(&shop.merchant.case(*case).unwrap()).0;
        shop.merchant.complete(*case, task, "go").unwrap();
    }
    let begun = std::time::Instant::now();
    let plan = Wish { steps, recompute: true, ..wish(1, 2) };
    let migration = migrate::plan(&shop.merchant.engine, &slug("tried"), &plan).unwrap();
    let (mut after, mut moved) = (None, 0);
    loop {
        let report =
            migrate::migrate(&shop.merchant.engine, &migration, &admin(), ("", &Origin::Cli), after, 250).unwrap();
        assert!(report.refused.is_empty(), "{report:?}");
        moved += report.all_moved();
        after = report.next;
        if after.is_none() {
            break;
        }
    }
    println!("{moved} cases moved in {} ms", begun.elapsed().as_millis());
    assert_eq!(moved as usize, count - done.len());
    // On the fifth day nothing ends, on the seventh everything does, once.
    for (day, ends) in [(5, false), (7, true), (9, true)] {
        shop.world.pass(Span::from_days(if day == 5 { 4 } else { 2 }));
        shop.merchant.run_due().unwrap();
        for case in &cases[count / 10..] {
            let case = shop.merchant.case(*case).unwrap();
            assert_eq!(case.is_closed(), ends, "case {} on day {day}", case.number);
            assert!(ends || matches!(&case.status, Status::Waiting { step, .. } if step.as_str() == "check"));
        }
    }
    for (place, case) in cases.iter().enumerate() {
        let (ended, fired) = (shop.merchant.case(*case).unwrap().result, timed_out(&shop, *case));
        let wanted = if place < count / 10 { (Some("one"), 0) } else { (Some("late"), 1) };
        assert_eq!((ended.as_deref(), fired), wanted);
    }
}
