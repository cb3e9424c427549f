//! Garbage: revisions that nobody needs are deleted, and no other.

use redress::cli::Exit;
use redress::engine::log::What;
use redress::keys::Role;
use redress::publish::gc::{self, DAYS_USUAL, Kept, Report, Wish};
use redress::publish::way::Way;
use redress::publish::workflows;
use redress_domain::clock::Span;
use redress_domain::ids::Slug;
use redress_domain::workflow::canary::Bounds;
use redress_tests::shop::the_task;
use redress_tests::web::Web;
use redress_tests::world::{Merchant, World, admin};
use serde_json::json;

use super::hold::redress;
use crate::publish::{ending, logged, open};

fn collect(merchant: &Merchant, dry_run: bool) -> Report {
    let by = admin();
    let wish =
        Wish { workflow: None, days: DAYS_USUAL, dry_run, note: "once a year", by: &by, way: Way::Api, answer: None };
    gc::collect(&merchant.engine, &wish).unwrap()
}

fn deleted(report: &Report) -> Vec<u64> {
    report.deleted.iter().map(|one| one.number).collect()
}

fn kept(report: &Report) -> Vec<(u64, Kept)> {
    report.kept.iter().map(|(one, why)| (one.number, *why)).collect()
}

fn numbers(merchant: &Merchant) -> Vec<u64> {
    workflows::list(&merchant.engine).unwrap().iter().map(|one| one.number).collect()
}

#[test]
fn what_somebody_needs_is_kept_with_the_reason_and_the_rest_is_deleted() {
    let world = World::new().unwrap();
    let merchant = world.bare_merchant("acme").unwrap();
    // One is never taken; on two a case runs; on three a case ran; four is on hold; five and six are the last two.
    for (number, result) in (1..).zip(["one", "two", "three", "four", "five", "six"]) {
        merchant.publish(&ending(result)).unwrap();
        match number {
            2 => drop(open(&merchant, "return")),
            3 => {
                let case = open(&merchant, "return");
                merchant.complete(case.id, the_task(&case).0, "done").unwrap();
            }
            4 => drop(merchant.hold("returns", 4).unwrap()),
            _ => {}
        }
    }
    let never = Bounds { min_cases: 10_000, ..Bounds::default() };
    merchant.canary("returns", &ending("seven"), 10, never).unwrap();
    let young = collect(&merchant, false);
    assert_eq!((deleted(&young), kept(&young)[0]), (vec![], (1, Kept::TooYoung)));
    world.pass(Span::from_days(i64::from(DAYS_USUAL) + 1));
    let dry = collect(&merchant, true);
    assert_eq!((deleted(&dry), numbers(&merchant).len()), (vec![1], 7), "a dry run deletes nothing");
    let report = collect(&merchant, false);
    assert_eq!(deleted(&report), [1]);
    let why = [
        (2, Kept::HasCases),
        (3, Kept::HasCases),
        (4, Kept::OnHold),
        (5, Kept::Previous),
        (6, Kept::Active),
        (7, Kept::Canary),
    ];
    assert_eq!(kept(&report), why);
    assert_eq!(numbers(&merchant), [2, 3, 4, 5, 6, 7]);
    let Some(What::RevisionsDeleted { revisions, note, .. }) = logged(&merchant).pop() else { panic!() };
    assert_eq!((revisions[0].2, note.as_str()), (1, "once a year"));
    assert!(deleted(&collect(&merchant, false)).is_empty());
    assert!(matches!(logged(&merchant).last(), Some(What::RevisionsDeleted { .. })), "told once");
}

#[test]
fn what_was_in_use_not_long_ago_is_kept_and_what_is_gone_is_passed_over_on_the_way_back() {
    let world = World::new().unwrap();
    let merchant = world.bare_merchant("acme").unwrap();
    let first = merchant.publish(&ending("one")).unwrap();
    world.pass(Span::from_days(200));
    merchant.publish(&ending("two")).unwrap();
    merchant.publish(&ending("three")).unwrap();
    world.pass(Span::from_days(60));
    // It is old, and was replaced sixty days ago.
    assert_eq!(deleted(&collect(&merchant, false)), Vec::<u64>::new());
    world.pass(Span::from_days(60));
    assert_eq!(deleted(&collect(&merchant, false)), [1]);
    assert_eq!(merchant.roll_back("returns", Some(first.revision)).unwrap_err().code(), "revision_not_found");
    assert_eq!(merchant.roll_back("returns", None).unwrap().number, 2);
    assert_eq!(merchant.roll_back("returns", None).unwrap_err().code(), "rollback_impossible");
    // The same text again is a new revision of the same content.
    let again = merchant.publish(&ending("one")).unwrap();
    assert_eq!((again.revision, again.number), (first.revision, 4));
    drop(merchant);
    let world = world.restart().unwrap();
    assert_eq!(numbers(&world.reopen("acme").unwrap()), [2, 3, 4]);
}

#[test]
fn the_base_of_an_active_overlay_is_kept() {
    let world = World::new().unwrap();
    let merchant = world.bare_merchant("acme").unwrap();
    merchant.publish(&ending("one").replace("format: 1", "format: 1\ncurrency: GBP")).unwrap();
    merchant.publish("format: 1\nworkflow: ours\nextends: returns@1\npatch:\n  - set: { at: steps.look.review.queue, to: ours }\n").unwrap();
    merchant.publish(&ending("two")).unwrap();
    merchant.publish(&ending("three")).unwrap();
    world.pass(Span::from_days(400));
    let report = collect(&merchant, true);
    assert!(kept(&report).contains(&(1, Kept::IsBase)), "{report:?}");
    assert!(deleted(&report).is_empty());
}

#[tokio::test]
async fn the_api_deletes_what_is_old_enough_and_nothing_within_thirty_days() {
    let world = World::new().unwrap();
    let merchant = world.bare_merchant("acme").unwrap();
    for result in ["one", "two", "three"] {
        merchant.publish(&ending(result)).unwrap();
    }
    world.pass(Span::from_days(31));
    let web = Web::of(&world).unwrap();
    let key = web.key(merchant.engine.record().id, Role::Admin).unwrap();
    let post = async |body: &serde_json::Value| web.ask("POST", "/v1/revisions/gc").by(&key).json(body).send().await;
    assert_eq!(post(&json!({ "older_than_days": 29 })).await.problem(), (422, "body_invalid".to_owned()));
    assert_eq!(post(&json!({ "workflow": "others" })).await.problem(), (404, "workflow_not_found".to_owned()));
    let usual = post(&json!({})).await.json();
    assert_eq!((&usual["deleted"], &usual["kept"][0]["because"]), (&json!([]), &json!("too_young")));
    let wanted = post(&json!({ "older_than_days": 30, "workflow": "returns" })).await.json();
    assert_eq!((&wanted["deleted"][0]["number"], &wanted["kept"][0]["because"]), (&json!(1), &json!("previous")));
    assert_eq!(Slug::new("returns").unwrap().as_str(), wanted["deleted"][0]["workflow"]);
}

#[test]
fn the_command_line_says_what_would_be_deleted_and_why_the_rest_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    {
        let world = World::on(folder.path()).unwrap();
        let merchant = world.bare_merchant("acme").unwrap();
        // Published long before the clock of whoever asks.
        for result in ["one", "two", "three"] {
            merchant.publish(&ending(result)).unwrap();
        }
    }
    let (exit, table, talk) = redress(folder.path(), &["workflow", "gc", "--dry-run"]);
    assert_eq!(exit, Exit::Done, "{talk}");
    assert!(table.contains("previous") && talk.contains("of 3 revisions"), "{table}{talk}");
    assert_eq!(redress(folder.path(), &["workflow", "gc", "--older-than", "3"]).0, Exit::Invalid);
}
