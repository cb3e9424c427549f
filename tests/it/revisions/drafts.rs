//! Drafts: a text is kept before it is published, whatever is wrong with it, and what is active does not move.

use redress::engine::log::{Origin, What};
use redress::keys::Role;
use redress::publish::draft::{self, Looked, Publish, Save};
use redress::publish::way::Way;
use redress::publish::{Error, workflows};
use redress_domain::ids::Slug;
use redress_tests::web::Web;
use redress_tests::world::{Merchant, World, admin};
use serde_json::{Value as Json, json};

use super::hold::redress;
use crate::publish::{active, ending, logged, open};
use redress::cli::Exit;

fn returns() -> Slug {
    Slug::new("returns").unwrap()
}

fn merchant() -> (World, Merchant) {
    let world = World::new().unwrap();
    let merchant = world.bare_merchant("acme").unwrap();
    (world, merchant)
}

fn save(merchant: &Merchant, source: &str) -> Result<Looked, Error> {
    let by = admin();
    let save = Save { source, note: "for January", by: &by, way: Way::Api, answer: None };
    draft::save(&merchant.engine, &returns(), &save)
}

fn publish(merchant: &Merchant, note: &str) -> Result<workflows::Revision, Error> {
    let publish = Publish { note, by: &admin(), expect: None, answer: None };
    draft::publish(&merchant.engine, &returns(), publish)
}

#[test]
fn a_text_that_fails_to_check_is_kept_with_all_that_is_wrong_and_nothing_becomes_active() {
    let (_world, merchant) = merchant();
    merchant.publish(&ending("one")).unwrap();
    let before = active(&merchant);
    let broken = ending("two").replace("queue: q", "qeue: q");
    let looked = save(&merchant, &broken).unwrap();
    let wrong = looked.outcome.unwrap_err();
    assert!(!wrong[0].problems.is_empty(), "{wrong:?}");
    assert_eq!((looked.draft.source.as_str(), looked.draft.passed), (broken.as_str(), None));
    assert_eq!(publish(&merchant, "now").unwrap_err().code(), "workflow_invalid");
    assert_eq!(active(&merchant), before);
    // It is still there, to be mended.
    let good = save(&merchant, &ending("two")).unwrap();
    assert_eq!((good.draft.passed, active(&merchant)), (good.outcome.ok(), before));
    let published = publish(&merchant, "").unwrap();
    assert_eq!((published.number, published.note.as_str(), &published.from), (2, "for January", &Origin::Draft));
    assert_eq!(draft::show(&merchant.engine, &returns()).unwrap_err().code(), "draft_not_found");
    assert_eq!(open(&merchant, "return").revision, Some(published.revision));
}

#[test]
fn a_draft_whose_tests_fail_is_no_more_than_a_draft() {
    let (_world, merchant) = merchant();
    let text = ending("two")
        + "tests:
  - name: it ends otherwise
    play: [{ after: 1d }]
    expect: { result: otherwise }
";
    let looked = save(&merchant, &text).unwrap();
    assert!(looked.outcome.is_err(), "{looked:?}");
    assert!(publish(&merchant, "now").is_err());
    assert!(active(&merchant).is_empty());
}

#[test]
fn a_draft_outlives_a_restart_and_is_checked_against_what_there_is_by_then() {
    let (world, merchant) = merchant();
    let asking = crate::publish::asking("returns");
    let first = save(&merchant, &asking).unwrap();
    assert!(first.outcome.is_err(), "the plugin is not there yet");
    drop(merchant);
    let world = world.restart().unwrap();
    let merchant = world.reopen("acme").unwrap();
    assert_eq!(draft::list(&merchant.engine).unwrap(), [first.draft]);
    merchant.push("number", &crate::publish::seven()).unwrap();
    let now = draft::show(&merchant.engine, &returns()).unwrap();
    assert!(now.outcome.is_ok(), "{now:?}");
    publish(&merchant, "the plugin is there").unwrap();
}

#[test]
fn a_draft_is_of_its_workflow_short_enough_and_thrown_away_once() {
    let (_world, merchant) = merchant();
    let other = ending("two").replace("workflow: returns", "workflow: others");
    assert_eq!(save(&merchant, &other).unwrap_err().code(), "draft_unfit");
    assert_eq!(save(&merchant, &"#".repeat((256 << 10) + 1)).unwrap_err().code(), "draft_unfit");
    save(&merchant, "no workflow at all").unwrap();
    save(&merchant, "no workflow at all").unwrap();
    let told = logged(&merchant);
    assert!(matches!(&told[..], [What::DraftSaved { passed: None, .. }]), "the same text is kept once: {told:?}");
    draft::discard(&merchant.engine, &returns(), &admin(), &Way::Api).unwrap();
    let again = draft::discard(&merchant.engine, &returns(), &admin(), &Way::Api);
    assert_eq!(again.unwrap_err().code(), "draft_not_found");
    assert!(matches!(logged(&merchant).last(), Some(What::DraftDiscarded { .. })));
}

#[tokio::test]
async fn the_api_keeps_shows_lists_and_publishes_a_draft_and_tells_the_state_of_each_revision() {
    let (world, merchant) = merchant();
    merchant.publish(&ending("one")).unwrap();
    let web = Web::of(&world).unwrap();
    let key = web.key(merchant.engine.record().id, Role::Admin).unwrap();
    let at = "/v1/workflows/returns/draft";
    let broken = ending("two").replace("queue: q", "qeue: q");
    let put = async |name: &str, source: &str| {
        let body = json!({ "source": source, "note": "for January" });
        web.ask("PUT", at).by(&key).named(name).json(&body).send().await
    };
    let kept = put("one", &broken).await.json();
    assert_eq!((&kept["state"], kept["source"].as_str()), (&json!("draft"), Some(&*broken)), "{kept:#}");
    let problem = &kept["problems"][0];
    assert_eq!((&problem["range"]["start"]["line"], problem["code"].is_string()), (&json!(4), true), "{problem:#}");
    let get = async |address: &str| web.ask("GET", address).by(&key).send().await.json();
    assert_eq!(get(at).await["problems"], kept["problems"]);
    assert!(get("/v1/workflows/returns").await["draft"]["at"].is_string());
    assert_eq!(put("one", &broken).await.json(), kept, "the same request is answered as before");
    assert_eq!(put("two", &ending("two")).await.json()["state"], "checked");
    let listed = get("/v1/drafts").await;
    assert_eq!((&listed["data"][0]["workflow"], &listed["data"][0]["state"]), (&json!("returns"), &json!("checked")));
    let publish = async |tag: &str| {
        let request = web.ask("POST", &format!("{at}/publish")).by(&key).named(tag).json(&json!({}));
        request.header("if-match", &format!("\"{tag}\"")).send().await
    };
    assert_eq!(publish(&"0".repeat(64)).await.problem(), (412, "stale".to_owned()));
    let seen = get("/v1/workflows/returns").await["active"]["revision"].as_str().unwrap().to_owned();
    assert_eq!(publish(&seen).await.json()["number"], 2);
    let history = get("/v1/workflows/returns/revisions").await;
    let states: Vec<(&Json, &Json)> =
        history["data"].as_array().unwrap().iter().map(|one| (&one["number"], &one["state"])).collect();
    assert_eq!(states, [(&json!(2), &json!("active")), (&json!(1), &json!("retired"))]);
    assert_eq!(history["data"][0]["from"]["kind"], "draft");
    let gone = web.ask("DELETE", at).by(&key).send().await.problem();
    assert_eq!(gone, (404, "draft_not_found".to_owned()));
}

#[test]
fn the_command_line_keeps_shows_and_publishes_a_draft() {
    let folder = tempfile::tempdir().unwrap();
    {
        let world = World::on(folder.path()).unwrap();
        world.bare_merchant("acme").unwrap();
    }
    let file = folder.path().join("return.yaml");
    std::fs::write(&file, ending("two").replace("queue: q", "qeue: q")).unwrap();
    let file_name = file.display().to_string();
    let run = |words: &[&str]| redress(folder.path(), words);
    let (exit, table, talk) = run(&["workflow", "draft", "save", &file_name, "--note", "for January"]);
    assert_eq!(exit, Exit::Done, "{talk}");
    assert!(table.contains("draft") && talk.contains("5:"), "{table}{talk}");
    assert_eq!(run(&["workflow", "draft", "publish", "returns"]).0, Exit::Invalid);
    std::fs::write(&file, ending("two")).unwrap();
    run(&["workflow", "draft", "save", &file_name]);
    let (_, shown, _) = run(&["workflow", "draft", "show", "returns"]);
    assert!(shown.contains("checked") && shown.contains("workflow: returns"), "{shown}");
    let (_, listed, _) = run(&["workflow", "draft", "list"]);
    assert!(listed.contains("returns"), "{listed}");
    assert_eq!(run(&["workflow", "draft", "publish", "returns", "--note", "now"]).0, Exit::Done);
    assert_eq!(run(&["workflow", "draft", "discard", "returns"]).0, Exit::NotFound);
    let (_, revisions, _) = run(&["workflow", "list"]);
    assert!(revisions.contains("state") && revisions.contains("active"), "{revisions}");
}
