//! The command line through a running host: it says there what it says on the data folder.

use std::ffi::OsString;
use std::path::Path;

use redress::cli::{self, Exit, Out};
use redress::publish::stock;
use redress_tests::serving::{Hand, opened, serving};
use redress_tests::world::World;
use serde_json::Value as Json;

const ONLINE_RETAIL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../workflows/online-retail");

const WARNED: &str = "format: 1
workflow: warned
triggers: [{ case_opened: { type: other } }]
limits: { refund_max: 5.00 }
steps:
  - { id: pay, refund: { amount: 9.00 } }
  - { id: tell, notify: { template: return-done, to: custmer } }
  - { id: done, finish: { result: done } }
";

/// What a command came to.
struct Ran {
    exit: Exit,
    data: String,
    talk: String,
}

fn run(words: &[String]) -> Ran {
    let (mut data, mut talk) = (Vec::new(), Vec::new());
    let words = std::iter::once("redress").chain(words.iter().map(String::as_str)).map(OsString::from);
    let exit = cli::run(words, &mut Out::new(&mut data, &mut talk));
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Ran { exit, data: text(data), talk: text(talk) }
}

fn words(of: &[&str], more: &[&str]) -> Vec<String> {
    of.iter().chain(more).map(|word| (*word).to_owned()).collect()
}

fn json(of: &[&str], more: &[&str]) -> Json {
    let ran = run(&words(of, &[more, &["--output", "json"]].concat()));
    assert_eq!(ran.exit, Exit::Done, "{of:?} {}{}", ran.data, ran.talk);
    serde_json::from_str(&ran.data).unwrap()
}

fn demo(name: &str) -> String {
    Path::new(ONLINE_RETAIL).join(name).display().to_string()
}

/// Commands whose JSON is the same on the data folder and through a host.
fn alike(workflow: &str) -> Vec<Vec<&str>> {
    vec![
        vec!["workflow", "list"],
        vec!["workflow", "list", "--active"],
        vec!["workflow", "check", workflow],
        vec!["case", "list", "--limit", "7"],
        vec!["case", "list", "--status", "waiting"],
        vec!["case", "explain", "C700012", "--source", "online-retail"],
        vec!["tenant", "list"],
        vec!["replay", "--all"],
        vec!["replay", "--all", "--limit", "3"],
        vec!["replay", "--all", "--until", "2009-01-01"],
        vec!["replay", "C700012", "--source", "online-retail"],
    ]
}

/// What stands in one form only is left out: cursors belong to their door, and how a host tells a table is its own.
fn comparable(mut told: Json) -> Json {
    if let Some(object) = told.as_object_mut() {
        object.remove("next");
    }
    told
}

/// A merchant with cases in a data folder, and the files that commands need.
struct Stage {
    folder: tempfile::TempDir,
    data: String,
}

impl Stage {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let stage = Self { data: folder.path().join("data").display().to_string(), folder };
        let facts = ["--zone", "Europe/London", "--currency", "GBP", "--locale", "en", "--jurisdiction", "UK"];
        stage.json(&[&["tenant", "create", "shop"], &facts[..]].concat());
        for name in ["purchase-match", "refund-quote"] {
            let plugin = stage.file(&format!("{name}.wasm"), stock::find(name).unwrap().bytes);
            stage.json(&["plugin", "push", &plugin]);
        }
        stage.json(&["workflow", "publish", &demo("return.yaml"), "--note", "first"]);
        stage.json(&["import", "--map", &demo("import.yaml"), &demo("sample.csv")]);
        stage
    }

    fn json(&self, of: &[&str]) -> Json {
        json(of, &["--data", &self.data, "--tenant", "shop"])
    }

    fn file(&self, name: &str, content: &[u8]) -> String {
        let path = self.folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path.display().to_string()
    }

    /// The file of a key; an operator's is of no tenant.
    fn key(&self, role: &str, tenant: &[&str]) -> String {
        let words = [&["--data", &self.data], tenant].concat();
        let made = json(&["key", "create", "--role", role, "--name", role], &words);
        self.file(&format!("{role}.key"), made["secret"].as_str().unwrap().as_bytes())
    }
}

#[test]
fn the_command_line_says_through_a_host_what_it_says_on_the_data_folder() {
    let stage = Stage::new();
    let file = stage.file("warned.yaml", WARNED.as_bytes());
    let (admin, operator) = (stage.key("admin", &["--tenant", "shop"]), stage.key("operator", &[]));
    let before: Vec<Json> = alike(&file).iter().map(|one| stage.json(one)).collect();
    let shown = stage.json(&["workflow", "show", "online-retail-return"]);
    let number = before[3]["cases"][0]["number"].as_str().unwrap().to_owned();

    let runtime = tokio::runtime::Runtime::new().unwrap();
    let host = opened(Path::new(&stage.data), &Hand::new()).unwrap();
    let serving = runtime.block_on(serving(&host, Default::default(), axum::Router::new())).unwrap();
    let server = format!("http://{}", serving.address());
    let remote = ["--server", server.as_str(), "--key-file", admin.as_str()];
    let of_host = ["--server", server.as_str(), "--key-file", operator.as_str()];
    for (one, before) in alike(&file).iter().zip(before) {
        let at: &[&str] = if one[0] == "tenant" { &of_host } else { &remote };
        assert_eq!(comparable(json(one, at)), comparable(before), "{one:?}");
    }
    let again = json(&["workflow", "show", "online-retail-return"], &remote);
    for field in ["workflow", "revision", "number", "active", "plugins", "source", "note"] {
        assert_eq!(again[field], shown[field], "{field}");
    }
    let case = run(&words(&["case", "show", &number], &remote));
    assert_eq!(case.exit, Exit::Done, "{}", case.talk);
    let title = format!("return {number}\n");
    for part in [&*title, "  asked ", "\nturn 1, case.open by ", "  step.decided: "] {
        assert!(case.data.contains(part), "{part}: {}", case.data);
    }
    let plugins = json(&["plugin", "list"], &remote);
    let own = plugins.as_array().unwrap().iter().filter(|one| one["origin"] == "own");
    assert_eq!(own.filter(|one| one["hooks"].is_string()).count(), 2, "{plugins}");
    warnings_refuse_nothing(&file, &remote);
    connectors_are_set_shown_and_taken_away(&stage, &remote);
    what_a_host_does_not_do_is_said(&remote);
    all_merchants_are_replayed_for_the_host(&remote, &of_host);
}

/// The operator's key and no merchant: all of them. Here that is one.
fn all_merchants_are_replayed_for_the_host(remote: &[&str], of_host: &[&str]) {
    let (one, all) = (json(&["replay", "--all"], remote), json(&["replay", "--all"], of_host));
    assert_eq!((&all, &all["cases"], &all["different"]), (&one, &20.into(), &0.into()));
    let missing = run(&words(&["replay", "00000"], remote));
    assert_eq!(missing.exit, Exit::NotFound, "{}", missing.talk);
    assert!(missing.talk.contains("--source NAME"), "{}", missing.talk);
}

/// A warning is said beside what was published; only who asks for it fails by it.
fn warnings_refuse_nothing(file: &str, remote: &[&str]) {
    let denied = run(&words(&["workflow", "check", file, "--deny-warnings"], remote));
    assert_eq!(denied.exit, Exit::Invalid);
    assert!(denied.talk.contains("error[warnings_denied]"), "{}", denied.talk);
    let published = run(&words(&["workflow", "publish", file], remote));
    assert_eq!(published.exit, Exit::Done, "{}", published.talk);
    assert!(published.talk.contains(":6:34: warning: steps[0].refund.amount: "), "{}", published.talk);
    assert!(published.talk.contains("did you mean `customer`?"), "{}", published.talk);
}

fn connectors_are_set_shown_and_taken_away(stage: &Stage, remote: &[&str]) {
    let secret = stage.folder.path().join("new.secret").display().to_string();
    let set = ["connector", "set", "payment", "--url", "https://pay.shop.example/redress", "--new-secret", &secret];
    let shown = json(&set, remote);
    assert_eq!((&shown[0]["kind"], &shown[0]["how"]), (&"payment".into(), &"webhook".into()));
    let made = std::fs::read_to_string(&secret).unwrap();
    assert!(made.starts_with("whsec_") && !shown.to_string().contains(made.trim()), "{shown}");
    let unsigned = run(&words(&["connector", "set", "stock", "--url", "https://x.example/"], remote));
    assert!(unsigned.exit == Exit::Usage && unsigned.talk.contains("--new-secret"), "{}", unsigned.talk);
    assert_eq!(json(&["connector", "list"], remote).as_array().unwrap().len(), 1);
    // A host that allows nothing for development says so, and a test that fails fails the command.
    let simulated = run(&words(&["connector", "set", "payment", "--simulated"], remote));
    assert!(simulated.talk.contains("error[connector_not_allowed]"), "{}", simulated.talk);
    let tested = run(&words(&["connector", "test", "stock"], remote));
    assert_eq!(tested.exit, Exit::NotFound, "{}", tested.talk);
    assert_eq!(run(&words(&["connector", "remove", "payment"], remote)).exit, Exit::Done);
    assert_eq!(json(&["connector", "list"], remote).as_array().unwrap().len(), 0);
}

fn what_a_host_does_not_do_is_said(remote: &[&str]) {
    let import = run(&words(&["import", "show", "--tenant", "shop"], remote));
    assert_eq!(import.exit, Exit::Usage);
    assert!(import.talk.contains("opens the data folder itself"), "{}", import.talk);
    let missing = run(&words(&["case", "show", "C700012"], remote));
    assert_eq!(missing.exit, Exit::NotFound);
    assert!(missing.talk.contains("--source NAME"), "{}", missing.talk);
}

#[test]
fn a_folder_that_is_named_goes_before_a_host_that_a_variable_names() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    drop(World::on(folder.path())?.merchant("acme")?);
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_redress-under-test"));
    command.args(["tenant", "list", "--output", "json", "--data"]).arg(folder.path());
    // Nobody listens there; and with it alone that is told.
    let ended = command.env("REDRESS_SERVER", "http://127.0.0.1:9").output()?;
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    assert!(String::from_utf8_lossy(&ended.stdout).contains("acme"));
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_redress-under-test"));
    let ended = command.args(["tenant", "list"]).env("REDRESS_SERVER", "http://127.0.0.1:9").output()?;
    assert!(!ended.status.success());
    Ok(())
}
