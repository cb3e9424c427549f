//! Bundles: files that change together become active together, through the API and the command line, or not at all.

use redress::cli::Exit;
use redress::engine::log::{self, What};
use redress::keys::Role;
use redress_tests::web::Web;
use redress_tests::world::{Merchant, World};
use serde_json::{Value as Json, json};

use super::hold::redress;
use crate::publish::{active, asking, ending, seven};

const OVERLAY: &str =
    "format: 1\nworkflow: ours\nextends: returns@bundle\npatch:\n  - set: { at: steps.look.review.queue, to: ours }\n";

fn base(result: &str) -> String {
    ending(result).replace("format: 1", "format: 1\ncurrency: GBP")
}

fn tests(result: &str) -> String {
    format!(
        "format: 1\ntests_for: ours\ntests:\n  - name: it waits\n    play: [{{ answer: look, outcome: done }}]\n    expect: {{ result: {result} }}\n"
    )
}

fn file(name: &str, source: &str) -> Json {
    json!({ "name": name, "source": source })
}

struct House {
    _world: World,
    merchant: Merchant,
    web: Web,
    key: String,
}

impl House {
    fn new() -> Self {
        let world = World::new().unwrap();
        let merchant = world.bare_merchant("acme").unwrap();
        let web = Web::of(&world).unwrap();
        let key = web.key(merchant.engine.record().id, Role::Admin).unwrap();
        Self { _world: world, merchant, web, key }
    }

    async fn post(&self, name: &str, files: &[Json]) -> (u16, Json) {
        let body = json!({ "files": files, "note": "two that change together" });
        let got = self.web.ask("POST", "/v1/bundles").by(&self.key).named(name).json(&body).send().await;
        (got.status.as_u16(), got.json())
    }
}

#[tokio::test]
async fn several_workflows_become_active_in_one_commit() {
    let house = House::new();
    let files = [file("ours.yaml", OVERLAY), file("base.yaml", &base("one")), file("ours.test.yaml", &tests("one"))];
    let (status, told) = house.post("one", &files).await;
    assert_eq!(status, 200, "{told:#}");
    let numbers: Vec<(&Json, &Json)> =
        told["revisions"].as_array().unwrap().iter().map(|one| (&one["workflow"], &one["number"])).collect();
    assert_eq!(numbers, [(&json!("ours"), &json!(1)), (&json!("returns"), &json!(2))]);
    let turns = log::turns(&house.merchant.engine).unwrap();
    let [turn] = &turns[..] else { panic!("{turns:?}") };
    assert!(turn.len() == 2 && turn.iter().all(|one| matches!(one.what, What::WorkflowPublished { .. })), "{turn:?}");
    assert_eq!(house.post("one", &files).await, (200, told), "the same request is answered as before");
    // What is active already is left alone; what follows its base is not.
    let (_, again) = house.post("two", &files).await;
    assert_eq!(log::turns(&house.merchant.engine).unwrap().len(), 1, "{again:#}");
    let files = [file("ours.yaml", OVERLAY), file("base.yaml", &base("two"))];
    assert_eq!(house.post("three", &files).await.0, 200);
    assert_eq!(log::turns(&house.merchant.engine).unwrap().len(), 2);
}

#[tokio::test]
async fn what_is_wrong_with_one_file_keeps_all_of_them_out_and_is_told_with_its_name() {
    let house = House::new();
    let broken = OVERLAY.replace("steps.look", "steps.nowhere");
    for (files, code, told) in [
        (vec![file("base.yaml", &base("one")), file("ours.yaml", &broken)], "workflow_invalid", "ours.yaml"),
        (
            vec![file("base.yaml", &base("one")), file("ours.yaml", OVERLAY), file("ours.test.yaml", &tests("two"))],
            "tests_failed",
            "ours.test.yaml",
        ),
        (vec![file("base.yaml", &base("one")), file("twice.yaml", &base("two"))], "bundle_unfit", "twice.yaml"),
        (vec![file("base.yaml", &base("one")), file("x.test.yaml", &tests("one"))], "bundle_unfit", "x.test.yaml"),
        (vec![file("base.yaml", &base("one")), file("x.yaml", "format: 1\n")], "bundle_unfit", "x.yaml"),
        (vec![file("ours.yaml", OVERLAY)], "workflow_invalid", "ours.yaml"),
    ] {
        let (status, problem) = house.post(told, &files).await;
        assert_eq!((status, problem["code"].as_str()), (422, Some(code)), "{problem:#}");
        assert_eq!(problem["errors"][0]["file"].as_str(), Some(told), "{problem:#}");
        assert!(active(&house.merchant).is_empty(), "{told}");
    }
    assert_eq!(house.post("none", &[]).await.1["code"], "body_invalid");
    let same = [file("a.yaml", &base("one")), file("a.yaml", &base("two"))];
    assert_eq!(house.post("same", &same).await.1["code"], "body_invalid");
}

#[test]
fn an_overlay_of_a_bundle_keeps_its_base_when_a_plugin_is_pushed_and_after_a_restart() {
    let world = World::new().unwrap();
    let merchant = world.bare_merchant("acme").unwrap();
    merchant.push("number", &seven()).unwrap();
    let by = redress_tests::world::admin();
    let text = |name: &str, source: String| redress::publish::suite::TestFile { name: name.to_owned(), source };
    let overlay = "format: 1\nworkflow: ours\nextends: asked@bundle\ncurrency: GBP\n".to_owned();
    let base = asking("asked").replace("format: 1", "format: 1\ncurrency: GBP");
    let (parts, tests) =
        redress::publish::bundle::parts(vec![text("a", base), text("b", overlay)], &redress::publish::way::Way::Api);
    let bundle = redress::publish::bundle::Bundle { parts: &parts, tests: &tests, note: "", by: &by, answer: None };
    redress::publish::bundle::publish(&merchant.engine, &bundle).unwrap();
    merchant
        .push("number", &redress_tests::guests::integer_step("count", "(i64.const 8)").component().unwrap())
        .unwrap();
    let before = active(&merchant);
    assert_eq!(before.len(), 2);
    drop(merchant);
    let world = world.restart().unwrap();
    let merchant = world.reopen("acme").unwrap();
    assert_eq!(active(&merchant), before);
    assert_eq!(merchant.engine.registry().active().len(), 2);
}

#[test]
fn the_command_line_publishes_a_folder_as_one_bundle() {
    let folder = tempfile::tempdir().unwrap();
    {
        let world = World::on(&folder.path().join("data")).unwrap();
        world.bare_merchant("acme").unwrap();
    }
    let rules = folder.path().join("rules");
    std::fs::create_dir(&rules).unwrap();
    let write = |name: &str, text: &str| std::fs::write(rules.join(name), text).unwrap();
    write("base.yaml", &base("one"));
    write("ours.yaml", &OVERLAY.replace("steps.look", "steps.nowhere"));
    write("notes.yaml", "nothing: of ours\n");
    let name = rules.display().to_string();
    let publish = || redress(&folder.path().join("data"), &["workflow", "publish", &name, "--note", "together"]);
    let (exit, _, talk) = publish();
    assert_eq!(exit, Exit::Invalid, "{talk}");
    assert!(talk.contains("ours.yaml"), "{talk}");
    write("ours.yaml", OVERLAY);
    write("ours.test.yaml", &tests("one"));
    let (exit, table, talk) = publish();
    assert_eq!(exit, Exit::Done, "{talk}");
    assert!(table.contains("returns") && table.contains("ours") && table.contains("together"), "{table}");
}
