//! The command line on a data folder of its own: what it prints, in which form, and how it ends.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context as _, ensure};
use redress::cli::{self, Exit, Out};
use redress::publish::stock;
use redress_domain::case::command::{Body, Complete};
use redress_domain::value::{Fields, Value};
use redress_tests::world::{World, a_return};
use serde_json::Value as Json;

const ONLINE_RETAIL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../workflows/online-retail");
const ASK: &str = include_str!("../fixtures/workflows/ask-a-person.yaml");

/// A folder, and the tenant `shop` in its data folder once it is made.
pub(crate) struct Shell {
    folder: tempfile::TempDir,
}

/// What a command came to.
pub(crate) struct Ran {
    pub(crate) exit: Exit,
    pub(crate) data: String,
    pub(crate) talk: String,
}

impl Shell {
    pub(crate) fn new() -> anyhow::Result<Self> {
        let shell = Self { folder: tempfile::tempdir()? };
        let facts = ["--zone", "Europe/London", "--currency", "GBP", "--locale", "en", "--jurisdiction", "UK"];
        shell.ok(&[&["tenant", "create", "shop"], &facts[..]].concat())?;
        Ok(shell)
    }

    /// With the demo merchant's plugins, workflow and cases: made once, and copied for each test.
    pub(crate) fn demo() -> anyhow::Result<Self> {
        static MADE: Mutex<Option<Shell>> = Mutex::new(None);
        let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
        if made.is_none() {
            *made = Some(Self::make_demo()?);
        }
        let shell = Self { folder: tempfile::tempdir()? };
        made.as_ref().map_or(Ok(()), |made| copy(&made.data_folder(), &shell.data_folder()))?;
        Ok(shell)
    }

    fn make_demo() -> anyhow::Result<Self> {
        let shell = Self::new()?;
        for name in ["purchase-match", "refund-quote"] {
            let plugin = stock::find(name).context("a stock plugin")?;
            shell.ok(&["plugin", "push", &shell.file(&format!("{name}.wasm"), plugin.bytes)?])?;
        }
        shell.ok(&["workflow", "publish", &demo("return.yaml"), "--note", "first"])?;
        shell.ok(&["import", "--map", &demo("import.yaml"), &demo("sample.csv")])?;
        Ok(shell)
    }

    pub(crate) fn file(&self, name: &str, content: &[u8]) -> anyhow::Result<String> {
        let path = self.folder.path().join(name);
        std::fs::write(&path, content)?;
        Ok(path.display().to_string())
    }

    pub(crate) fn data_folder(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub(crate) fn run(&self, words: &[&str]) -> Ran {
        let folder = self.data_folder().display().to_string();
        run(&[words, &["--data", &folder, "--tenant", "shop"]].concat())
    }

    pub(crate) fn ok(&self, words: &[&str]) -> anyhow::Result<String> {
        let ran = self.run(words);
        ensure!(ran.exit == Exit::Done, "{words:?}\n{}{}", ran.data, ran.talk);
        Ok(ran.data)
    }

    pub(crate) fn json(&self, words: &[&str]) -> anyhow::Result<Json> {
        Ok(serde_json::from_str(&self.ok(&[words, &["--output", "json"]].concat())?)?)
    }
}

pub(crate) fn run(words: &[&str]) -> Ran {
    let (mut data, mut talk) = (Vec::new(), Vec::new());
    let words = std::iter::once(&"redress").chain(words).map(OsString::from);
    let exit = cli::run(words, &mut Out::new(&mut data, &mut talk));
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Ran { exit, data: text(data), talk: text(talk) }
}

fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    std::fs::create_dir(to)?;
    for entry in from.read_dir()? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

fn demo(name: &str) -> String {
    Path::new(ONLINE_RETAIL).join(name).display().to_string()
}

#[test]
fn an_export_has_every_case_once_in_order_of_time_and_name() -> anyhow::Result<()> {
    let shell = Shell::demo()?;
    let cases = shell.json(&["case", "export"])?;
    let cases = cases.as_array().unwrap();
    let keys: Vec<_> = cases.iter().map(|case| (case["opened_at"].as_str(), case["external_id"].as_str())).collect();
    assert!(keys.is_sorted() && keys.len() == 20, "{keys:?}");

    let by_name = |name: &str| cases.iter().find(|case| case["external_id"] == name).unwrap();
    let partial = by_name("C700012");
    assert_eq!([&partial["remedy"], &partial["refunded"], &partial["currency"]], ["allow", "29.90", "GBP"]);
    let reason = serde_json::json!([{ "code": "quantity_exceeds_purchase", "remedy": "deny" }]);
    assert_eq!(partial["reasons"], reason, "what is left out of an allowed line speaks for a denial");
    assert_eq!(by_name("C700017")["reasons"][0]["remedy"], "review");
    assert_eq!(by_name("C700013")["lines"][0]["outcome"]["remedy"], "deny");

    let csv = shell.ok(&["case", "export", "--output", "csv"])?;
    assert_eq!(csv.lines().count(), 21);
    assert!(
        csv.lines().any(|line| line.contains(",C700012,") && line.contains(",29.90,GBP,quantity_exceeds_purchase,"))
    );
    assert_eq!(shell.run(&["case", "export", "--output", "table"]).exit, Exit::Usage);
    Ok(())
}

#[test]
fn an_export_of_nothing_is_an_empty_list() -> anyhow::Result<()> {
    assert_eq!(Shell::new()?.json(&["case", "export"])?, Json::Array(Vec::new()));
    Ok(())
}

#[test]
fn a_list_comes_page_by_page_newest_first_with_nothing_left_out() -> anyhow::Result<()> {
    let shell = Shell::demo()?;
    let mut names = Vec::new();
    let mut page = shell.json(&["case", "list", "--limit", "7"])?;
    loop {
        let cases = page["cases"].as_array().unwrap();
        names.extend(cases.iter().map(|case| case["external_id"].as_str().unwrap().to_owned()));
        let Some(next) = page["next"].as_str() else { break };
        page = shell.json(&["case", "list", "--limit", "7", "--after", next])?;
    }
    let exported = shell.json(&["case", "export"])?;
    let mut all: Vec<_> =
        exported.as_array().unwrap().iter().map(|case| case["external_id"].as_str().unwrap()).collect();
    assert_eq!(names.first().map(String::as_str), all.last().copied());
    names.sort();
    all.sort_unstable();
    assert_eq!(names, all);

    let waiting = shell.json(&["case", "list", "--status", "waiting", "--limit", "2"])?;
    assert!(waiting["cases"].as_array().unwrap().iter().all(|case| case["status"] == "waiting"));
    let next = waiting["next"].as_str().unwrap();
    assert_eq!(
        shell.json(&["case", "list", "--status", "waiting", "--after", next])?["cases"].as_array().unwrap().len(),
        1
    );
    let tasks = shell.json(&["task", "list", "--queue", "returns"])?;
    assert_eq!(tasks["tasks"].as_array().unwrap().len(), 3, "each waiting case has its task");
    assert_eq!(shell.run(&["task", "list", "--after", next]).exit, Exit::Usage, "a cursor is good for its own list");
    Ok(())
}

#[test]
fn a_case_shows_its_revision_its_plugins_what_was_read_and_why_each_line_came_out_so() -> anyhow::Result<()> {
    let shell = Shell::demo()?;
    let case = shell.json(&["case", "show", "C700012"])?;
    let active = shell.json(&["workflow", "show", "online-retail-return"])?;
    assert_eq!(case["revision"], active["revision"]);
    assert_eq!(case["plugins"], active["plugins"]);
    let line = &case["lines"][0];
    assert_eq!([&line["outcome"]["remedy"], &line["takes"][0]["state"]], ["allow", "refunded"]);
    assert_eq!(line["takes"][0]["amount"]["amount"], "29.90");
    assert_eq!(line["opinions"][0]["plugin"], case["plugins"]["purchase-match@0"]);
    let turn = &case["turns"][0];
    assert_eq!(turn["facts"]["purchases"][0]["left"], 2);
    assert_eq!(turn["facts"]["ledgers"][0]["version"], 0);
    assert_eq!(turn["asks"][0]["args"]["window_days"], "90");
    assert_eq!(turn["entries"][0]["entry"], "case.opened.1");

    let text = shell.ok(&["case", "show", case["number"].as_str().unwrap()])?;
    let digest = case["plugins"]["purchase-match@0"].as_str().unwrap();
    for part in [
        case["revision"].as_str().unwrap(),
        digest,
        "0  3 x 41003B: allow 2 of 3, GBP 29.90",
        "takes 2 of order 700002 line 0, bought 2011-01-06 11:02:00 +00:00 at GBP 14.95, GBP 29.90",
        "quantity_exceeds_purchase (asked 3, left 2)",
        "purchase order 700002 line 0: 2 x 41003B at GBP 14.95, 2011-01-06 11:02:00 +00:00; 2 left",
        "ledger of order 700002, version 0",
    ] {
        assert!(text.contains(part), "{part} is missing in\n{text}");
    }
    assert_eq!(text, shell.ok(&["case", "show", case["id"].as_str().unwrap()])?);
    assert_eq!(text, shell.ok(&["case", "show", "C700012", "--source", "online-retail"])?);
    Ok(())
}

#[test]
fn a_case_is_explained_by_its_conditions_and_the_values_of_their_parts() -> anyhow::Result<()> {
    let shell = Shell::demo()?;
    let told = shell.json(&["case", "explain", "C700012"])?;
    let conditions = told["turns"][0]["conditions"].as_array().unwrap();
    let held: Vec<_> =
        conditions.iter().map(|one| (one["step"].as_str().unwrap(), one["holds"].as_bool().unwrap())).collect();
    assert_eq!(held, [("route", false), ("route", false), ("size", false), ("tell_refunded", true)]);
    let part = &conditions[2]["parts"][0];
    assert_eq!((&part["part"], &part["holds"]), (&Json::from("quote.total > review_over"), &Json::Bool(false)));
    assert_eq!(part["values"][0], serde_json::json!({ "expression": "quote.total", "value": "GBP 29.90" }));
    assert_eq!(told["turns"][0]["way"][0], serde_json::json!({ "step": "route", "then": "price" }));

    let text = shell.ok(&["case", "explain", "C700012"])?;
    assert!(
        text.contains("  size: no  quote.total > review_over\n") && text.contains("quote.total = GBP 29.90"),
        "{text}"
    );
    assert_eq!(shell.run(&["case", "explain", "C1"]).exit, Exit::NotFound);
    Ok(())
}

#[test]
fn a_backtest_prints_its_figures_and_writes_a_page() -> anyhow::Result<()> {
    let shell = Shell::demo()?;
    let strict = std::fs::read_to_string(demo("return.yaml"))?.replace("default: 500.00 }", "default: 10.00 }");
    let candidate = shell.file("strict.yaml", strict.as_bytes())?;
    let page = shell.folder.path().join("page.html").display().to_string();
    let found = shell.json(&["workflow", "backtest", &candidate, "--html", &page])?;
    assert_eq!([&found["cases"], &found["unknown"]], [20, 0]);
    assert!(found["flipped"].as_u64() > Some(0) && found["reviews_after"].as_u64() > found["reviews_before"].as_u64());
    let html = std::fs::read_to_string(page)?;
    assert!(html.starts_with("<!doctype html>") && html.contains("<svg") && html.contains("allow"), "{html}");
    let text = shell.ok(&["workflow", "backtest", &candidate, "--limit", "5"])?;
    assert!(text.contains("5 cases decided again") && text.contains("allow -> review"), "{text}");
    assert_eq!(shell.run(&["workflow", "backtest"]).exit, Exit::Usage);
    let broken = shell.file("broken.yaml", b"format: 1\nworkflow: w\nstepz: []\n")?;
    let refused = shell.run(&["workflow", "backtest", &broken]);
    assert_eq!((refused.exit, refused.data.as_str()), (Exit::Invalid, ""));
    assert!(refused.talk.contains("broken.yaml:3:1: "), "{}", refused.talk);
    Ok(())
}

#[test]
fn a_document_that_is_too_large_is_not_read() -> anyhow::Result<()> {
    let shell = Shell::new()?;
    let large = shell.file("large.yaml", &vec![b'x'; 1 << 20])?;
    let ran = shell.run(&["workflow", "check", &large]);
    assert_eq!((ran.exit, ran.data.as_str()), (Exit::Invalid, ""));
    assert!(ran.talk.contains("error[document_too_large]"), "{}", ran.talk);
    Ok(())
}

#[test]
fn what_people_wrote_is_shown_to_people_and_by_reference_to_programs() -> anyhow::Result<()> {
    const NOTE: &str = "the box was wet";
    let folder = tempfile::tempdir().unwrap();
    let number = {
        let world = World::on(folder.path()).unwrap();
        let merchant = world.bare_merchant("shop").unwrap();
        merchant.publish(ASK).unwrap();
        let case = merchant.open(a_return("c1", &[("A1", 1)]).unwrap()).unwrap().case;
        let task = *merchant.case(case).unwrap().tasks.keys().next().unwrap();
        let form = Fields::from([("note".to_owned(), Value::text(NOTE)), ("state".to_owned(), Value::text("worn"))]);
        let outcome = "accept".to_owned();
        let complete = Complete { task, outcome, form, live: false, lines: Vec::new() };
        merchant.command(case, Body::Complete(complete)).unwrap();
        merchant.case(case).unwrap().number
    };
    let data = folder.path().display().to_string();
    let words = ["case", "show", &number, "--tenant", "shop", "--data", &data];
    let text = run(&words).data;
    assert!(text.contains(NOTE) && !text.contains("person:"), "{text}");
    let json = run(&[&words[..], &["--output", "json"]].concat()).data;
    assert!(json.contains("person:") && !json.contains(NOTE), "{json}");
    Ok(())
}

#[test]
fn a_case_in_several_places_is_shown_in_each_of_them() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let number = {
        let merchant = World::on(folder.path())?.bare_merchant("shop")?;
        merchant.publish(include_str!("../golden/kinds/for_each/good.yaml"))?;
        let case = merchant.open(a_return("c1", &[("A1", 1), ("B2", 2), ("C3", 3)])?).unwrap().case;
        let task = *merchant.case(case)?.tasks.iter().find(|(_, task)| task.lane.to_string() == "each.0").unwrap().0;
        merchant.complete(case, task, "wrong").unwrap();
        merchant.case(case)?.number
    };
    let data = folder.path().display().to_string();
    let words = ["case", "show", &number, "--tenant", "shop", "--data", &data];
    let text = run(&words).data;
    for part in ["waiting at each since turn 1", "each.0: done", "each.1: waiting at count", "each.2: waiting at count"]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
    let json: Json = serde_json::from_str(&run(&[&words[..], &["--output", "json"]].concat()).data)?;
    let lanes: Vec<_> = json["lanes"].as_array().unwrap().iter().map(|lane| (&lane["lane"], &lane["word"])).collect();
    assert_eq!(lanes.len(), 3);
    assert_eq!(lanes[1], (&Json::from("each.1"), &Json::from("waiting")));
    assert!(json["tasks"].as_array().unwrap().iter().any(|task| task["lane"] == "each.2"), "{json}");
    Ok(())
}

#[test]
fn an_import_tells_what_it_left_out_and_shows_it_again() -> anyhow::Result<()> {
    let shell = Shell::demo()?;
    let again = shell.json(&["import", "--map", &demo("import.yaml"), &demo("sample.csv")])?;
    assert_eq!([&again["opened"]["new"], &again["opened"]["unchanged"]], [0, 20]);
    assert_eq!(again["skipped"]["sale_line"], 2);
    assert_eq!(shell.json(&["import", "show"])?, again);
    let timed = shell.run(&["import", "--timings", "--map", &demo("import.yaml"), &demo("sample.csv")]);
    assert!(timed.talk.contains("cases/s") && !timed.data.contains("cases/s"), "{}", timed.talk);
    Ok(())
}

#[test]
fn a_workflow_with_problems_is_refused_with_their_places_and_changes_nothing() -> anyhow::Result<()> {
    let shell = Shell::new()?;
    let broken = shell.file("broken.yaml", b"format: 1\nworkflow: w\nstepz: []\n")?;
    let checked = shell.run(&["workflow", "check", &broken, "--output", "json"]);
    assert_eq!(checked.exit, Exit::Invalid);
    let found: Json = serde_json::from_str(&checked.data).unwrap();
    let unknown = found["problems"].as_array().unwrap().iter().find(|one| one["code"] == "unknown_field").unwrap();
    assert_eq!([&unknown["line"], &unknown["column"]], [3, 1]);

    let published = shell.run(&["workflow", "publish", &broken]);
    assert_eq!((published.exit, published.data.as_str()), (Exit::Invalid, ""));
    assert!(published.talk.contains("broken.yaml:3:1: ") && published.talk.contains("\nerror[workflow_invalid]: "));
    assert_eq!(shell.json(&["workflow", "list"])?, Json::Array(Vec::new()));
    Ok(())
}

#[test]
fn a_workflow_is_checked_without_any_data_folder() -> anyhow::Result<()> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ask.yaml");
    std::fs::write(&file, ASK.replace("currency: GBP\n", "currency: GBP\nzone: Europe/London\n")).unwrap();
    let ran = run(&["workflow", "check", file.to_str().unwrap()]);
    assert_eq!(ran.exit, Exit::Done, "{}{}", ran.data, ran.talk);
    assert!(ran.data.contains("is a valid workflow: ask-a-person, 2 steps"), "{}", ran.data);
    Ok(())
}

#[test]
fn a_pushed_plugin_gives_its_callers_a_new_revision_and_a_refused_one_changes_nothing() -> anyhow::Result<()> {
    let shell = Shell::demo()?;
    let refused = shell.file("text.wasm", b"not a component")?;
    let ran = shell.run(&["plugin", "push", &refused, "--name", "purchase-match"]);
    assert_eq!(ran.exit, Exit::Invalid);
    assert!(ran.talk.contains("error[upload_not_wasm]"), "{}", ran.talk);
    assert_eq!(shell.json(&["workflow", "list"])?.as_array().unwrap().len(), 1);

    let window = shell.file("window.wasm", stock::find("return-window").unwrap().bytes)?;
    shell.ok(&["plugin", "push", &window])?;
    let plugins = shell.json(&["plugin", "list"])?;
    let own = plugins.as_array().unwrap().iter().filter(|plugin| plugin["origin"] == "own");
    let names: Vec<_> = own.map(|plugin| plugin["plugin"].as_str().unwrap()).collect();
    assert_eq!(names, ["purchase-match@0", "refund-quote@0", "return-window@0"]);
    assert_eq!(plugins.as_array().unwrap().len(), 3 + stock::STOCK.len());
    Ok(())
}

#[test]
fn each_kind_of_failure_has_its_code_and_its_exit_code() -> anyhow::Result<()> {
    let shell = Shell::demo()?;
    let expected: [(&[&str], Exit, &str); 8] = [
        (&["case", "show", "C1"], Exit::NotFound, "case_not_found"),
        (&["workflow", "show", "nothing"], Exit::NotFound, "workflow_not_found"),
        (&["workflow", "show", "online-retail-return", "--revision", "zz"], Exit::NotFound, "revision_not_found"),
        (&["workflow", "check", "nowhere.yaml"], Exit::NotFound, "file_not_read"),
        (&["case", "list", "--after", "00"], Exit::Usage, "cursor_invalid"),
        (&["case", "show", "C700012", "--output", "csv"], Exit::Usage, "form_not_offered"),
        (&["import", "--map", &demo("return.yaml"), &demo("sample.csv")], Exit::Invalid, "mapping_invalid"),
        (&["import", "--map", &demo("import.yaml"), "nowhere.csv"], Exit::NotFound, "file_not_read"),
    ];
    for (words, exit, code) in expected {
        let ran = shell.run(words);
        assert_eq!((ran.exit, ran.data.as_str()), (exit, ""), "{words:?} {}", ran.talk);
        assert!(ran.talk.contains(&format!("error[{code}]: ")), "{words:?} {}", ran.talk);
    }
    assert_eq!(run(&["case", "list", "--data", "nowhere", "--tenant", "shop"]).exit, Exit::NotFound);
    assert!(!Path::new("nowhere").exists(), "looking makes no data folder");
    let data = shell.data_folder();
    let data = data.to_str().unwrap();
    assert_eq!(run(&["case", "list", "--data", data, "--tenant", "other"]).exit, Exit::NotFound);
    let facts = ["--zone", "UTC", "--currency", "EUR", "--locale", "de", "--jurisdiction", "EU"];
    let taken = shell.run(&[&["tenant", "create", "shop"], &facts[..]].concat());
    assert_eq!(taken.exit, Exit::Conflict);
    assert!(taken.talk.contains("error[tenant_exists]: tenant \"shop\" exists already"), "{}", taken.talk);
    Ok(())
}

#[test]
fn a_data_folder_in_use_is_a_conflict() -> anyhow::Result<()> {
    let shell = Shell::new()?;
    let world = World::on(&shell.data_folder()).unwrap();
    let ran = shell.run(&["case", "list"]);
    assert_eq!(ran.exit, Exit::Conflict);
    assert!(ran.talk.contains("error[data_in_use]"), "{}", ran.talk);
    drop(world);
    shell.ok(&["case", "list"])?;
    Ok(())
}

#[test]
fn a_record_that_was_edited_is_found_by_its_number() -> anyhow::Result<()> {
    let shell = Shell::demo()?;
    let verified = shell.json(&["audit", "verify"])?;
    assert_eq!(verified[0]["records"], 24, "two plugins, a workflow, an import, twenty cases");

    let tenants: Vec<_> = shell.data_folder().join("tenants").read_dir().unwrap().map(Result::unwrap).collect();
    let mut bytes = std::fs::read(tenants[0].path()).unwrap();
    let places: Vec<_> =
        bytes.windows(7).enumerate().filter(|(_, seen)| seen == b"C700012").map(|(at, _)| at).collect();
    places.into_iter().for_each(|at| bytes[at + 5] = b'8');
    std::fs::write(tenants[0].path(), bytes).unwrap();
    let ran = shell.run(&["audit", "verify"]);
    assert_eq!((ran.exit, ran.data.as_str()), (Exit::Failure, ""));
    assert!(
        ran.talk.contains("error[audit_broken]: record ") && ran.talk.contains("does not fit its hash"),
        "{}",
        ran.talk
    );
    Ok(())
}
