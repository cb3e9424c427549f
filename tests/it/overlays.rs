//! Overlays where they are published: what is kept, what a restart and another plugin make of it, and what the command line shows.

use std::ffi::OsString;
use std::fs;
use std::path::Path;

use redress::cli::{self, Exit, Out};
use redress::keys::Role;
use redress::publish::{Error, workflows};
use redress_tests::guests::integer_step;
use redress_tests::web::Web;
use redress_tests::world::World;
use serde_json::{Value as Json, json};

use crate::alike::until_released;
use crate::publish::{asking, seven};

const APPAREL: &str = include_str!("../../workflows/apparel/return.yaml");

/// What extends a base in one line more.
fn on(base: &str) -> String {
    format!(
        "format: 1\nworkflow: own\nextends: {base}\npatch: [{{ set: {{ at: steps.seven.finish.result, to: lucky }} }}]\n"
    )
}

#[tokio::test]
async fn a_revision_keeps_its_base_and_shows_the_whole() {
    let world = World::new().unwrap();
    let merchant = world.bare_merchant("acme").unwrap();
    let web = Web::of(&world).unwrap();
    let admin = web.key(merchant.engine.record().id, Role::Admin).unwrap();
    let got = web.ask("POST", "/v1/workflows").by(&admin).raw("text/yaml", APPAREL.as_bytes()).send().await;
    assert_eq!(got.status, 200, "{}", got.json());
    assert_eq!(got.json()["extends"], "std/consumer-return@1");
    let revision = got.json()["revision"].as_str().unwrap().to_owned();
    let read = web.ask("GET", &format!("/v1/revisions/{revision}")).by(&admin).send().await.json();
    assert_eq!(read["source"], APPAREL);
    let resolved = read["resolved"].as_str().unwrap();
    assert!(resolved.contains("id: refund_now") && resolved.contains("id: tell_late"), "{resolved}");

    // The whole, written out, is the same revision.
    let whole = web.ask("POST", "/v1/workflows/validate").by(&admin).json(&json!({ "source": resolved })).send().await;
    assert_eq!(whole.json()["revision"], json!(revision), "{}", whole.json());

    // After a restart it is there without the base being asked for again.
    drop((web, merchant));
    let world = world.restart().unwrap();
    let merchant = world.reopen("acme").unwrap();
    let active = merchant.engine.registry().active();
    assert_eq!(active.iter().map(|one| one.revision.to_string()).collect::<Vec<_>>(), [revision]);
}

#[test]
fn a_merchant_extends_its_own_by_number_and_by_revision() {
    let world = World::new().unwrap();
    let merchant = world.bare_merchant("acme").unwrap();
    merchant.push("number", &seven()).unwrap();
    let base = merchant.publish(&asking("numbers")).unwrap();
    let by_number = merchant.publish(&on(&format!("numbers@{}", base.number))).unwrap();
    let digest = base.revision.to_string();
    let by_digest = merchant.publish(&on(&format!("numbers@{}", &digest[..12]))).unwrap();
    assert_eq!(by_number.revision, by_digest.revision);
    assert_eq!(by_number.base.as_ref().map(|base| base.source.as_str()), Some(asking("numbers").as_str()));

    // A newer edition of the base changes nothing, another plugin makes a new revision on the same base.
    merchant.publish(&asking("numbers").replace("finish: { result: other }", "finish: { result: elsewhere }")).unwrap();
    assert_eq!(workflows::active(&merchant.engine, &by_number.workflow).unwrap(), Some(by_number.revision));
    merchant.push("number", &integer_step("count", "(i64.const 8)").component().unwrap()).unwrap();
    let now = workflows::active(&merchant.engine, &by_number.workflow).unwrap().unwrap();
    assert_ne!(now, by_number.revision);
    assert_eq!(workflows::find(&merchant.engine, now).unwrap().unwrap().base, by_number.base);

    for (base, code) in [
        ("numbers@99", "unknown_base"),
        ("strangers@1", "unknown_base"),
        (&*format!("own@{}", by_number.number), "nested_base"),
        ("numbers@latest", "bad_name"),
    ] {
        let refused = workflows::check(&merchant.engine, &on(base));
        let Err(Error::Invalid(found)) = refused else { panic!("{base} passes") };
        assert_eq!(found.iter().map(|one| one.code.as_str()).collect::<Vec<_>>(), [code], "{base}: {found:?}");
    }
}

struct Ran {
    exit: Exit,
    data: String,
    talk: String,
}

fn run(words: &[&str]) -> Ran {
    let (mut data, mut talk) = (Vec::new(), Vec::new());
    let words = std::iter::once(&"redress").chain(words).map(OsString::from);
    let exit = cli::run(words, &mut Out::new(&mut data, &mut talk));
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Ran { exit, data: text(data), talk: text(talk) }
}

fn json_of(words: &[&str]) -> Json {
    let ran = run(&[words, &["--output", "json"]].concat());
    serde_json::from_str(&ran.data).unwrap_or_else(|error| panic!("{error}: {}{}", ran.data, ran.talk))
}

fn file(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    fs::write(&path, text).unwrap();
    path.display().to_string()
}

#[test]
fn the_command_line_compares_by_meaning() {
    let folder = tempfile::tempdir().unwrap();
    let base = include_str!("../../workflows/std/consumer-return/1.yaml");
    let before = file(folder.path(), "base.yaml", base);
    let overlay = "format: 1\nworkflow: consumer-return\nextends: std/consumer-return@1\nvars: { window_days: { default: 14 } }\n";
    let after = file(folder.path(), "overlay.yaml", overlay);
    let shown = json_of(&["workflow", "diff", &before, &after]);
    let changes = shown["changes"].as_array().unwrap();
    assert_eq!(changes.len(), 1, "{shown}");
    assert_eq!(
        changes[0],
        json!({ "how": "changed", "part": "variable", "name": "window_days", "field": "default", "before": "30", "after": "14" })
    );
    let table = run(&["workflow", "diff", &before, &after]);
    assert!(table.data.contains("~ variable window_days default: 30 → 14\n"), "{}", table.data);
    assert!(run(&["workflow", "diff", &after, &after]).data.contains("nothing differs in meaning"));
}

#[test]
fn the_command_line_draws_an_overlay_with_its_base() {
    let folder = tempfile::tempdir().unwrap();
    let apparel = file(folder.path(), "return.yaml", APPAREL);
    let svg = run(&["workflow", "graph", &apparel]);
    assert_eq!(svg.exit, Exit::Done, "{}", svg.talk);
    assert!(svg.data.starts_with("<svg ") && svg.data.contains("Refund at once") && svg.data.contains("tell_late"));
    let shown = json_of(&["workflow", "graph", &apparel]);
    let ways = shown["ways"].as_array().unwrap();
    let way = |from: &str, to: &str| ways.iter().find(|way| way["from"] == from && way["to"] == to).cloned().unwrap();
    assert_eq!(way("goods", "early")["on"], "carrier_scan");
    assert_eq!(way("goods", "tell_late")["sort"], "late");
    assert_eq!(way("pay", "unpaid")["sort"], "failed");
    assert_eq!(way("pick", "size")["on"], "else");
    assert!(run(&["workflow", "graph", &apparel, "--format", "mermaid"]).data.contains("flowchart TD\n"));
    assert!(run(&["workflow", "graph", &apparel, "--format", "dot"]).data.starts_with("digraph workflow {\n"));
    let broken = file(folder.path(), "broken.yaml", "format: [\n");
    assert_eq!(run(&["workflow", "graph", &broken]).exit, Exit::Invalid);
}

#[test]
fn the_command_line_puts_an_overlay_on_a_newer_base() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let (first, second, third) = {
        let world = World::on(&data).unwrap();
        let merchant = world.bare_merchant("acme").unwrap();
        merchant.push("number", &seven()).unwrap();
        let publish = |source: &str| merchant.publish(source).unwrap().number;
        let base = asking("numbers");
        let other = base.replace("finish: { result: other }", "finish: { result: elsewhere }");
        (publish(&base), publish(&other), publish(&other.replace("result: seven", "result: jackpot")))
    };
    until_released(&data);
    let text = on(&format!("numbers@{first}"));
    let own = file(folder.path(), "own.yaml", &text);
    let data = data.display().to_string();
    let rebase = |onto: u64, more: &[&str]| {
        let onto = format!("numbers@{onto}");
        let words =
            [&["workflow", "rebase", &own, "--onto", &onto, "--tenant", "acme", "--data", &data], more].concat();
        // The command before lets go of the folder a moment after it has ended.
        until_released(Path::new(&data));
        run(&words)
    };
    // Both changed the result of the same step: nothing is written.
    let conflict = rebase(third, &["--write"]);
    assert_eq!(conflict.exit, Exit::Invalid, "{}{}", conflict.data, conflict.talk);
    assert!(conflict.data.contains("line 4: set seven finish.result: conflict\n"), "{}", conflict.data);
    assert!(conflict.data.contains("    the base: ~ step seven finish.result: seven → jackpot\n"), "{}", conflict.data);
    assert_eq!(fs::read_to_string(&own).unwrap(), text);
    // What only the base changed comes along.
    let clean = rebase(second, &[]);
    assert_eq!((clean.exit, fs::read_to_string(&own).unwrap()), (Exit::Done, text.clone()), "{}", clean.talk);
    assert!(clean.data.contains("line 4: set seven finish.result: stays\n"), "{}", clean.data);
    assert_eq!(rebase(second, &["--write"]).exit, Exit::Done);
    assert_eq!(fs::read_to_string(&own).unwrap(), text.replace(&format!("@{first}"), &format!("@{second}")));
    let resolved = {
        let publish = run(&["workflow", "publish", &own, "--tenant", "acme", "--data", &data]);
        assert_eq!(publish.exit, Exit::Done, "{}", publish.talk);
        run(&["workflow", "show", "own", "--resolved", "--tenant", "acme", "--data", &data]).data
    };
    assert!(resolved.contains(&format!("# extends numbers@{second}\n")), "{resolved}");
    assert!(resolved.contains("result: lucky") && resolved.contains("result: elsewhere"), "{resolved}");
    let missing = rebase(99, &[]);
    assert_eq!(missing.exit, Exit::NotFound, "{}", missing.talk);
}
