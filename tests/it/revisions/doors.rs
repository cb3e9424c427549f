//! Canaries and migrations through the API and the command line.

use std::ffi::OsString;
use std::path::Path;

use redress::cli::{self, Exit, Out};
use redress::keys::Role;
use redress_tests::web::Web;
use redress_tests::world::World;
use serde_json::{Value as Json, json};

use crate::publish::{ending, open};

/// A command on the data folder of `acme`: how it ended, its data, what it said.
fn redress(folder: &Path, words: &[&str]) -> (Exit, String, String) {
    let data = folder.display().to_string();
    let words = [&["redress"], words, &["--data", &data, "--tenant", "acme"]].concat();
    let (mut data, mut talk) = (Vec::new(), Vec::new());
    let exit = cli::run(words.iter().map(OsString::from), &mut Out::new(&mut data, &mut talk));
    (exit, String::from_utf8(data).unwrap(), String::from_utf8(talk).unwrap())
}

fn point(result: &str) -> String {
    ending(result).replace("a person must look } }", "a person must look } }, migration_point: true")
}

#[test]
fn the_command_line_tries_keeps_and_moves() {
    let folder = tempfile::tempdir().unwrap();
    let waiting = {
        let world = World::on(folder.path()).unwrap();
        let merchant = world.bare_merchant("acme").unwrap();
        merchant.publish(&point("one")).unwrap();
        [open(&merchant, "return").number, open(&merchant, "return").number]
    };
    let run = |words: &[&str]| redress(folder.path(), words);
    let ok = |words: &[&str]| -> Json {
        let (exit, data, talk) = run(&[words, &["--output", "json"]].concat());
        assert_eq!(exit, Exit::Done, "{words:?}\n{data}{talk}");
        serde_json::from_str(&data).unwrap()
    };
    let file = folder.path().join("two.yaml");
    std::fs::write(&file, point("two")).unwrap();
    let file = file.display().to_string();
    assert_eq!(run(&["workflow", "canary", "returns"]).0, Exit::NotFound, "there is none yet");
    let begun = ok(&["workflow", "canary", "returns", "--file", &file, "--percent", "10", "--refunds-over", "20"]);
    assert_eq!(
        (&begun["percent"], &begun["stop"]["refunds_over"], &begun["number"]),
        (&json!(10), &json!(20), &json!(2))
    );
    assert_eq!(ok(&["workflow", "canary", "returns"]), begun);
    let (_, table, _) = run(&["workflow", "live"]);
    assert!(table.contains("canary 10 %"), "{table}");
    assert_eq!(run(&["workflow", "canary", "returns", "--file", &file, "--percent", "100"]).0, Exit::Usage);
    assert_eq!(ok(&["workflow", "canary", "returns", "--promote", "--note", "good"])["number"], 2);

    let migrate = ["workflow", "migrate", "returns", "--from", "1", "--to", "2"];
    let dry = ok(&[&migrate[..], &["--dry-run", "--where", "look"]].concat());
    assert_eq!((&dry["moved"], &dry["dry_run"], &dry["steps"][0]["cases"]), (&json!(2), &json!(true), &json!(2)));
    let nowhere = run(&[&migrate[..], &["--where", "nowhere"]].concat());
    assert_eq!(nowhere.0, Exit::Invalid, "{}", nowhere.2);
    let (exit, table, talk) = run(&migrate);
    assert_eq!(exit, Exit::Done, "{talk}");
    assert!(table.contains("moved") && talk.contains("moved 2 of 2 cases; 0 refused"), "{table}{talk}");
    assert_eq!(ok(&migrate)["examined"], 0, "all is done");
    let shown = ok(&["case", "show", &waiting[0]]);
    let text = shown.to_string();
    assert!(text.contains("case.migrated.1"), "{text}");
}

#[tokio::test]
async fn what_the_api_does_not_take_is_refused_at_its_field() {
    let world = World::new().unwrap();
    let merchant = world.bare_merchant("acme").unwrap();
    merchant.publish(&point("one")).unwrap();
    let web = Web::of(&world).unwrap();
    let key = web.key(merchant.engine.record().id, Role::Admin).unwrap();
    let post = async |address: &str, body: Json| {
        let got = web.ask("POST", &format!("/v1/workflows/{address}")).by(&key).json(&body).send().await;
        (got.status.as_u16(), got.json()["code"].as_str().unwrap_or_default().to_owned())
    };
    let wrong = |code: &str, status: u16| (status, code.to_owned());
    let trial = |percent: u8| json!({ "source": point("two"), "percent": percent });
    assert_eq!(post("returns/canary", trial(0)).await, wrong("body_invalid", 422));
    assert_eq!(post("returns/canary", json!({ "percent": 10 })).await, wrong("body_invalid", 422));
    let stop = json!({ "source": point("two"), "percent": 10, "stop": { "min_cases": 0 } });
    assert_eq!(post("returns/canary", stop).await, wrong("body_invalid", 422));
    assert_eq!(
        post("returns/canary", json!({ "revision": "7", "percent": 10 })).await,
        wrong("revision_not_found", 404)
    );
    assert_eq!(post("returns/canary", json!({ "revision": "1", "percent": 10 })).await, wrong("canary_unfit", 422));
    assert_eq!(
        post("returns/canary", json!({ "source": "format: 1", "percent": 10 })).await,
        wrong("workflow_invalid", 422)
    );
    assert_eq!(post("others/canary", trial(10)).await, wrong("workflow_not_found", 404));
    for verb in ["promote", "stop"] {
        let end = json!({ "note": "now" });
        assert_eq!(post(&format!("returns/canary/{verb}"), end).await, wrong("canary_not_found", 404));
    }
    merchant.publish(&point("two")).unwrap();
    let wish = |more: Json| {
        let mut wish = json!({ "from": "1", "to": "2" });
        wish.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        wish
    };
    let migrations = "returns/migrations";
    assert_eq!(post(migrations, wish(json!({ "limit": 0 }))).await, wrong("body_invalid", 422));
    assert_eq!(post(migrations, wish(json!({ "steps": ["Not a step"] }))).await, wrong("body_invalid", 422));
    assert_eq!(post(migrations, wish(json!({ "steps": ["nowhere"] }))).await, wrong("migration_unfit", 422));
    assert_eq!(post(migrations, wish(json!({ "after": "nobody" }))).await, wrong("body_invalid", 422));
    assert_eq!(post(migrations, wish(json!({ "to": "9" }))).await, wrong("revision_not_found", 404));
    assert_eq!(post(migrations, wish(json!({}))).await, (200, String::new()));
}
