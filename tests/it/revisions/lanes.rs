//! Migration of cases that stand in several places: each branch and iteration goes on where it waits.

use redress::publish::migrate::{self, Report, Wish};
use redress_domain::case::Case;
use redress_domain::case::command::{Body, Complete};
use redress_domain::case::lane::LaneId;
use redress_domain::clock::Span;
use redress_domain::ids::Slug;
use redress_domain::value::Fields;
use redress_tests::shop::{Shop, stands};
use redress_tests::world::admin;

const DAY: Span = Span::from_days(1);

/// The goods are waited for while a person looks, each with so many days.
fn both(days: u8, queue: &str, result: &str) -> String {
    format!(
        "events: {{ goods_received: {{ rma: text }} }}
steps:
  - id: settle
    parallel:
      join: all
      branches:
        goods:
          - id: parcel
            await: {{ event: goods_received, timeout: {{ after: {days}d, then: lost }} }}
            migration_point: true
            then: shelf
          - {{ id: lost, notify: {{ template: lost, to: customer }} }}
          - {{ id: shelf, notify: {{ template: shelf, to: customer }} }}
        person:
          - id: look
            review: {{ queue: {queue}, title: Look, next: {{ go: told }}, timeout: {{ never: a person must look }} }}
            migration_point: true
          - {{ id: told, notify: {{ template: told, to: customer }} }}
  - {{ id: done, finish: {{ result: {result} }} }}
"
    )
}

fn run(shop: &Shop, wish: Wish) -> Report {
    let migration = migrate::plan(&shop.merchant.engine, &Slug::new("tried").unwrap(), &wish).unwrap();
    let told = ("", &redress::engine::log::Origin::Api);
    let dry = migrate::look(&shop.merchant.engine, &migration, None, 100).unwrap();
    let report = migrate::migrate(&shop.merchant.engine, &migration, &admin(), told, None, 100).unwrap();
    assert_eq!(report, dry, "a dry run tells what will be");
    report
}

fn wish(from: u64, to: u64) -> Wish {
    Wish { from: from.to_string(), to: to.to_string(), ..Wish::default() }
}

fn code(report: &Report) -> &str {
    report.refused.keys().next().map_or("", |(code, _)| code)
}

fn lane(case: &Case, name: &str) -> String {
    let (_, lane) = case.lanes.iter().find(|(id, _)| id.to_string() == name).expect("a lane");
    lane.place.step().map_or("done".to_owned(), ToString::to_string)
}

fn answer(shop: &Shop, case: &Case, lane: &str, outcome: &str) {
    let case = shop.case(case).unwrap();
    let (task, _) = case.tasks.iter().find(|(_, task)| task.lane.to_string() == lane).expect("a task of the lane");
    let (outcome, form) = (outcome.to_owned(), Fields::new());
    let complete = Complete { task: *task, outcome, form, live: false, lines: Vec::new() };
    shop.merchant.command(case.id, Body::Complete(complete)).unwrap();
}

#[test]
fn each_branch_goes_on_where_it_waits_with_its_own_task_and_its_own_timer() {
    let shop = Shop::with(&both(5, "desk", "one")).unwrap();
    let case = shop.open(&[("A1", 1)]).unwrap();
    let task = *case.tasks.keys().next().unwrap();
    shop.publish(&both(9, "office", "two")).unwrap();
    shop.pass(DAY).unwrap();
    let report = run(&shop, Wish { recompute: true, ..wish(1, 2) });
    assert_eq!(report.all_moved(), 1);
    let moved = shop.case(&case).unwrap();
    assert_ne!(moved.revision, case.revision);
    assert_eq!((lane(&moved, "settle.goods"), lane(&moved, "settle.person")), ("parcel".into(), "look".into()));
    assert_eq!((moved.tasks.contains_key(&task), moved.tasks[&task].queue.as_str()), (true, "office"));
    // The timer of before finds nothing on the fifth day; the other one ends the wait on the ninth.
    for day in 2..=9 {
        shop.pass(DAY).unwrap();
        let is_over = lane(&shop.case(&case).unwrap(), "settle.goods") == "done";
        assert_eq!(is_over, day >= 9, "day {day}");
    }
    answer(&shop, &case, "settle.person", "go");
    assert_eq!(stands(&shop.case(&case).unwrap()), "two");
}

#[test]
fn a_branch_that_is_done_stays_done_and_a_step_may_be_renamed_in_its_branch() {
    let shop = Shop::with(&both(5, "desk", "one")).unwrap();
    let case = shop.open(&[("A1", 1)]).unwrap();
    shop.event(&case, "goods_received", "rma", "R1").unwrap();
    assert_eq!(lane(&shop.case(&case).unwrap(), "settle.goods"), "done");
    shop.publish(&both(5, "desk", "two").replace("id: look", "id: peek")).unwrap();
    assert_eq!(code(&run(&shop, wish(1, 2))), "step_missing");
    let renamed = [(Slug::new("look").unwrap(), Slug::new("peek").unwrap())];
    assert_eq!(run(&shop, Wish { steps: renamed.into(), ..wish(1, 2) }).all_moved(), 1);
    let moved = shop.case(&case).unwrap();
    assert_eq!((lane(&moved, "settle.goods"), lane(&moved, "settle.person")), ("done".into(), "peek".into()));
    answer(&shop, &case, "settle.person", "go");
    assert_eq!(stands(&shop.case(&case).unwrap()), "two");
}

#[test]
fn an_event_that_was_kept_ends_the_wait_of_a_branch_at_once() {
    let named =
        |text: &str, event: &str| text.replace("await: { event: goods_received", &format!("await: {{ event: {event}"));
    let events = "events: { goods_received: { rma: text }, scanned: { rma: text } }";
    let text = |result: &str| both(5, "desk", result).replace("events: { goods_received: { rma: text } }", events);
    let shop = Shop::with(&named(&text("one"), "goods_received")).unwrap();
    let case = shop.open(&[("A1", 1)]).unwrap();
    shop.event(&case, "scanned", "rma", "R1").unwrap();
    shop.publish(&named(&text("two"), "scanned")).unwrap();
    assert_eq!(run(&shop, wish(1, 2)).all_moved(), 1);
    let moved = shop.case(&case).unwrap();
    assert_eq!((lane(&moved, "settle.goods"), lane(&moved, "settle.person")), ("done".into(), "look".into()));
    answer(&shop, &case, "settle.person", "go");
    assert_eq!(stands(&shop.case(&case).unwrap()), "two");
}

#[test]
fn what_does_not_stand_in_the_same_branches_stays_and_is_told() {
    let with = |old: &str, new: &str| both(5, "desk", "two").replace(old, new);
    let fourth = "        person:\n";
    for (text, told) in [
        (
            with("            migration_point: true\n            then: shelf", "            then: shelf"),
            "target_no_migration_point",
        ),
        (
            with(fourth, "        late:\n          - { id: slow, wait: { for: 1d } }\n        person:\n"),
            "other_branches",
        ),
        (with(fourth, "        people:\n"), "other_branches"),
        (with("id: settle", "id: settled"), "step_missing"),
        (both(5, "desk", "two").replace("id: look", "id: peek"), "step_missing"),
    ] {
        let shop = Shop::with(&both(5, "desk", "one")).unwrap();
        let case = shop.open(&[("A1", 1)]).unwrap();
        shop.publish(&text).unwrap();
        let report = run(&shop, wish(1, 2));
        assert_eq!((report.all_moved(), code(&report)), (0, told), "{text}");
        assert_eq!(shop.case(&case).unwrap(), case);
    }
    // A branch that waits where its own revision has no point stays as well.
    let unmarked = both(5, "desk", "one")
        .replace("            migration_point: true\n            then: shelf", "            then: shelf");
    let shop = Shop::with(&unmarked).unwrap();
    shop.open(&[("A1", 1)]).unwrap();
    shop.publish(&both(5, "desk", "two")).unwrap();
    assert_eq!(code(&run(&shop, wish(1, 2))), "no_migration_point");
}

#[test]
fn iterations_go_on_each_with_what_its_steps_gave() {
    let each = |queue: &str, result: &str| {
        format!(
            "steps:
  - id: all
    for_each:
      in: =case.lines
      as: one
      max: 5
      steps:
        - id: look
          review: {{ queue: {queue}, title: Look, ask: {{ note: [fine, bad] }}, next: {{ go: again }}, timeout: {{ never: a person must look }} }}
          migration_point: true
          as: seen
        - id: again
          review: {{ queue: {queue}, title: Again, next: {{ go: told }}, timeout: {{ never: a person must look }} }}
          migration_point: true
        - {{ id: told, when: 'seen.note == \"fine\"', notify: {{ template: told, to: customer }} }}
  - {{ id: done, finish: {{ result: {result} }} }}
"
        )
    };
    let shop = Shop::with(&each("desk", "one")).unwrap();
    let case = shop.open(&[("A1", 1), ("B2", 1)]).unwrap();
    let lanes: Vec<LaneId> = case.lanes.keys().cloned().collect();
    let first = lanes[0].to_string();
    let note = Fields::from([("note".to_owned(), redress_domain::value::Value::text("fine"))]);
    let (task, _) = case.tasks.iter().find(|(_, task)| task.lane == lanes[0]).unwrap();
    let complete = Complete { task: *task, outcome: "go".to_owned(), form: note, live: false, lines: Vec::new() };
    shop.merchant.command(case.id, Body::Complete(complete)).unwrap();
    shop.publish(&each("office", "two").replace("id: look", "id: peek")).unwrap();
    let renamed = [(Slug::new("look").unwrap(), Slug::new("peek").unwrap())];
    assert_eq!(run(&shop, Wish { steps: renamed.into(), ..wish(1, 2) }).all_moved(), 1);
    let moved = shop.case(&case).unwrap();
    assert!(moved.outputs.contains_key(&format!("{first}.peek")), "{:?}", moved.outputs);
    answer(&shop, &case, &first, "go");
    let entries = shop.entries(case.id).unwrap();
    let told = entries.iter().any(|one| matches!(one, redress_domain::case::entry::Entry::Intended { .. }));
    assert!(told, "the note is read under its new name");
}
