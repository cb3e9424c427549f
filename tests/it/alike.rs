//! What is wrong with a workflow is said in the same words at the same places by the command line, the API and the watched folder.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs;
use std::path::Path;

use redress::cli::{self, Exit, Out};
use redress::keys::Role;
use redress::publish::doors::{self, DoorState, Folders};
use redress_tests::web::Web;
use redress_tests::world::World;
use serde_json::{Value as Json, json};

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/golden");

/// What the broken files run: one that takes inputs, one that is not called, and two that lead back to them.
const CALLED: [&str; 4] = [
    "workflow: report
triggers: [{ called: { inputs: [device, level, days, cost] } }]
vars: { device: text, level: { type: '[low, high]', default: low }, days: number?, cost: money? }
steps: [{ id: done, finish: { result: done } }]
",
    "workflow: plain
triggers: [{ case_opened: { type: plain } }]
steps: [{ id: done, finish: { result: done } }]
",
    "workflow: back
triggers: [{ called: {} }]
steps:
  - { id: next, run: { workflow: broken@active, wait: no_wait } }
  - { id: done, finish: { result: done } }
",
    "workflow: there
triggers: [{ called: {} }]
steps:
  - { id: next, run: { workflow: back@active, wait: no_wait } }
  - { id: done, finish: { result: done } }
",
];

/// A problem: code, path, message, help, and its place as lines and UTF-16 columns from 0.
#[derive(Debug, Clone, PartialEq)]
struct Told {
    words: [Json; 4],
    place: [u64; 4],
}

/// Every golden file that is broken, by name.
fn broken() -> BTreeMap<String, String> {
    let mut broken = BTreeMap::new();
    let mut waiting = vec![Path::new(GOLDEN).to_owned()];
    while let Some(folder) = waiting.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                // Tests of workflows come with the workflow that they are for.
                waiting.extend((!path.ends_with("trials")).then_some(path));
            } else if path.extension().is_some_and(|ending| ending == "yaml") && path.with_extension("txt").exists() {
                let name = path.strip_prefix(GOLDEN).unwrap().display().to_string().replace('/', "-");
                broken.insert(name, fs::read_to_string(path).unwrap());
            }
        }
    }
    broken
}

fn of_api(problem: &Json) -> Told {
    let words = ["code", "path", "detail", "help"].map(|name| problem[name].clone());
    let range = &problem["range"];
    let at = |end: &str, what: &str| range[end][what].as_u64().unwrap();
    let place = [at("start", "line"), at("start", "character"), at("end", "line"), at("end", "character")];
    Told { words, place }
}

/// The command line counts lines and characters from 1.
fn of_cli(problem: &Json, source: &str) -> Told {
    let words = ["code", "path", "message", "help"].map(|name| problem[name].clone());
    let words = words.map(|word| if word == "" { Json::Null } else { word });
    let at = |name: &str| usize::try_from(problem[name].as_u64().unwrap()).unwrap() - 1;
    let units = |line: usize, column: usize| {
        let text = source.split('\n').nth(line).unwrap_or_default();
        text.chars().take(column).map(|letter| letter.len_utf16() as u64).sum()
    };
    let (line, end) = (at("line"), at("end_line"));
    let place = [line as u64, units(line, at("column")), end as u64, units(end, at("end_column"))];
    Told { words, place }
}

#[tokio::test]
async fn every_broken_file_is_told_the_same_three_times() {
    let folder = tempfile::tempdir().unwrap();
    let (data, watched) = (folder.path().join("data"), folder.path().join("watched"));
    let broken = broken();
    assert!(broken.len() > 50, "{} files", broken.len());
    fs::create_dir_all(watched.join("acme")).unwrap();
    for (name, text) in &broken {
        fs::write(watched.join("acme").join(name), text).unwrap();
    }
    let by_api = api_and_watcher(&data, &watched, &broken).await;

    // The host has the data folder to itself: the command line comes when it has ended.
    until_released(&data);
    let folder = watched.join("acme");
    let files: Vec<String> = broken.keys().map(|name| folder.join(name).display().to_string()).collect();
    let data = data.display().to_string();
    let words = |form: &str| {
        let before = ["redress", "workflow", "check", "--tenant", "acme", "--output", form, "--data", &data];
        before.iter().map(OsString::from).chain(files.iter().map(OsString::from)).collect::<Vec<_>>()
    };
    let shown: Vec<Json> = serde_json::from_str(&ran(words("json"))).unwrap();
    assert_eq!(shown.len(), broken.len());
    for ((name, source), shown) in broken.iter().zip(&shown) {
        let told: Vec<_> = shown["problems"].as_array().unwrap().iter().map(|one| of_cli(one, source)).collect();
        assert_eq!(told, by_api[name].0, "{name}");
    }
    // And what a person reads is what the log has.
    let table = ran(words("table")).replace(&*format!("{}/", folder.display()), "acme/");
    let shown: BTreeSet<&str> = table.lines().collect();
    for (name, (_, log)) in &by_api {
        for line in log.lines() {
            assert!(shown.contains(line), "{name}: {line}");
        }
    }
}

/// What the API says, checked against what the watched folder says; and the log's text.
async fn api_and_watcher(
    data: &Path,
    watched: &Path,
    broken: &BTreeMap<String, String>,
) -> BTreeMap<String, (Vec<Told>, String)> {
    let world = World::on(data).unwrap();
    let merchant = world.bare_merchant("acme").unwrap();
    for steps in CALLED {
        merchant.publish(&format!("format: 1\ncurrency: GBP\n{steps}")).unwrap();
    }
    let web = Web::of(&world).unwrap();
    let key = web.key(merchant.engine.record().id, Role::Viewer).unwrap();
    let folders = Folders { workflows: Some(watched.to_owned()), plugins: None };
    while doors::scan(&world.app, &folders).pending > 0 {}
    let mut told = BTreeMap::new();
    for (name, source) in broken {
        let ask = web.ask("POST", "/v1/workflows/validate").by(&key).json(&json!({ "source": source }));
        let answer = ask.send().await.json();
        assert_eq!(answer["valid"], false, "{name}");
        let problems: Vec<_> = answer["problems"].as_array().unwrap().iter().map(of_api).collect();
        assert!(!problems.is_empty(), "{name}");
        told.insert(name.clone(), (problems, String::new()));
    }
    let mut cursor = String::new();
    loop {
        let page = web.ask("GET", &format!("/v1/files?limit=100{cursor}")).by(&key).send().await.json();
        for file in page["data"].as_array().unwrap() {
            let name = file["path"].as_str().unwrap().strip_prefix("acme/").unwrap();
            let problems: Vec<_> = file["problems"].as_array().unwrap().iter().map(of_api).collect();
            assert_eq!(problems, told[name].0, "{name}");
        }
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    for status in doors::status(&world.app, "acme").unwrap() {
        let DoorState::Refused(refused) = status.state else { panic!("{} is {:?}", status.path, status.state) };
        let name = status.path.strip_prefix("acme/").unwrap().to_owned();
        told.get_mut(&name).unwrap().1 = refused.text;
    }
    let silent: Vec<&String> = told.iter().filter(|(_, (_, text))| text.is_empty()).map(|(name, _)| name).collect();
    assert!(silent.is_empty(), "every file was handed in, but {silent:?}");
    told
}

/// What a command printed that found something wrong.
fn ran(words: Vec<OsString>) -> String {
    let (mut data, mut talk) = (Vec::new(), Vec::new());
    let exit = cli::run(words, &mut Out::new(&mut data, &mut talk));
    assert_eq!(exit, Exit::Invalid, "{}", String::from_utf8_lossy(&talk));
    String::from_utf8(data).unwrap()
}

/// Wait until a host that has ended has let go of its data folder, which it does a moment after its last handle is gone.
pub(super) fn until_released(data: &Path) {
    let words = ["redress", "tenant", "list", "--data"].map(OsString::from);
    loop {
        let (mut shown, mut talk) = (Vec::new(), Vec::new());
        let words = words.iter().cloned().chain([data.into()]);
        if cli::run(words, &mut Out::new(&mut shown, &mut talk)) != Exit::Conflict {
            return;
        }
        std::thread::yield_now();
    }
}
