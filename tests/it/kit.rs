//! The tools of plugin authors on the command line: what each prints, in which form, and how it ends.

mod bindings;
mod c;
mod c_sdk;
mod projects;

use std::ffi::OsString;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, ensure};
use redress::cli::{self, Exit, Out};
use redress_tests::guests::{deny_all, integer_step, taking};
use serde_json::{Value as Json, json};

/// What a command came to.
pub(super) struct Ran {
    pub(super) exit: Exit,
    pub(super) data: String,
    pub(super) talk: String,
}

/// `redress plugin` with these words.
pub(super) fn plugin(words: &[&str]) -> Ran {
    let (mut data, mut talk) = (Vec::new(), Vec::new());
    let words = ["redress", "plugin"].iter().chain(words).map(OsString::from);
    let exit = cli::run(words, &mut Out::new(&mut data, &mut talk));
    let text = |bytes| String::from_utf8_lossy(&bytes as &Vec<u8>).into_owned();
    Ran { exit, data: text(data), talk: text(talk) }
}

pub(super) fn json_of(words: &[&str]) -> anyhow::Result<(Exit, Json)> {
    let ran = plugin(&[words, &["--output", "json"]].concat());
    Ok((ran.exit, serde_json::from_str(&ran.data).with_context(|| format!("{words:?}\n{}{}", ran.data, ran.talk))?))
}

/// A file in a folder, and its path as a word.
fn file(folder: &Path, name: &str, content: &[u8]) -> anyhow::Result<String> {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().context("a folder")?)?;
    fs::write(&path, content)?;
    Ok(path.display().to_string())
}

/// Two units come back that were taken from one order line.
fn matched(expect: &Json) -> String {
    json!({
        "hook": "refund",
        "request": {
            "lines": [{ "sku": "A1", "quantity": 2 }],
            "purchases": [{ "sku": "A1", "quantity": 3, "unit_price": "2.50", "paid": { "minor": 750, "currency": "GBP" } }],
            "earlier": [{ "verdict": { "lines": [
                { "remedy": "allow", "quantity": 2, "takes": [{ "order": "1001", "line": 0, "quantity": 2 }] },
            ] } }],
        },
        "expect": expect,
    })
    .to_string()
}

#[test]
fn a_case_is_run_with_its_answer_its_fuel_and_what_was_expected() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let good = json!({ "answer": { "lines": [{ "parts": [{ "amount": { "minor": 500, "currency": "GBP" } }] }] } });
    let input = file(folder.path(), "case.json", matched(&good).as_bytes())?;
    let (exit, ran) = json_of(&["run", "std/refund-quote", "--input", &input])?;
    assert_eq!((exit, &ran["as_expected"], &ran["case"]), (Exit::Done, &json!(true), &json!("case")));
    assert_eq!(ran["outcome"]["answer"]["provides"], json!({ "lines_quoted": 1 }));
    ensure!(ran["fuel"].as_u64().is_some_and(|fuel| (1_000..100_000).contains(&fuel)), "{ran}");

    let other = json!({ "answer": { "lines": [{ "parts": [{ "amount": { "minor": 499 } }] }] } });
    let input = file(folder.path(), "other.json", matched(&other).as_bytes())?;
    let ran = plugin(&["run", "std/refund-quote", "--input", &input]);
    assert_eq!(ran.exit, Exit::Invalid);
    ensure!(ran.talk.contains("/lines/0/parts/0/amount/minor is 500 and not 499"), "{}", ran.talk);
    ensure!(ran.talk.contains("error[case_differs]"), "{}", ran.talk);
    Ok(())
}

#[test]
fn a_case_that_is_none_is_told_with_every_mistake_at_its_place() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let input = file(folder.path(), "case.json", br#"{"hook":"refund","request":{"lins":[],"now":"today"}}"#)?;
    let ran = plugin(&["run", "std/refund-quote", "--input", &input]);
    assert_eq!(ran.exit, Exit::Invalid);
    ensure!(ran.talk.contains("case.json/request/lins: is no field"), "{}", ran.talk);
    ensure!(ran.talk.contains("case.json/request/now: \"today\" is not a moment"), "{}", ran.talk);
    let missing = folder.path().join("none.json").display().to_string();
    assert_eq!(plugin(&["run", "std/refund-quote", "--input", &missing]).exit, Exit::NotFound);
    Ok(())
}

#[test]
fn a_check_tells_rule_by_rule_keeps_what_broke_and_ends_by_it() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let clean = file(folder.path(), "clean.wasm", &deny_all().component()?)?;
    let (exit, report) = json_of(&["check", &clean, "--generated", "20"])?;
    assert_eq!((exit, &report["clean"], &report["findings"]), (Exit::Done, &json!(true), &json!([])));
    assert_eq!(report["rules"].as_array().map(Vec::len), Some(9));

    let greedy = file(folder.path(), "greedy.wasm", &taking(5).component()?)?;
    let (kept, junit) = (folder.path().join("kept"), folder.path().join("report.xml"));
    let (kept_word, junit_word) = (kept.display().to_string(), junit.display().to_string());
    let ran = plugin(&["check", &greedy, "--generated", "20", "--keep", &kept_word, "--junit", &junit_word]);
    assert_eq!(ran.exit, Exit::Invalid);
    ensure!(ran.data.contains("BROKEN  total"), "{}", ran.data);
    ensure!(ran.talk.contains("error[plugin_rules_broken]"), "{}", ran.talk);
    ensure!(fs::read_to_string(&junit)?.contains("<testcase classname=\"rules\" name=\"total\">"));
    // What was kept breaks it again, alone.
    let first = kept.join("total-no_lines.json").display().to_string();
    let again = plugin(&["run", &greedy, "--input", &first]);
    assert_eq!(again.exit, Exit::Invalid);
    ensure!(again.talk.contains("error[plugin_failed]"), "{}", again.talk);

    // The author's own cases are held to what they say, and a plugin is only asked what it answers.
    let own = file(folder.path(), "own/deny.json", br#"{"hook":"eligibility","request":{"lines":[{"sku":"A"}]},"expect":{"answer":{"lines":[{"remedy":"allow"}]}}}"#)?;
    let (exit, report) = json_of(&["check", &clean, "--cases", &own, "--generated", "0"])?;
    assert_eq!((exit, &report["findings"][0]["rule"]), (Exit::Invalid, &json!("expected")));
    let ran = plugin(&["check", "std/refund-quote", "--cases", &own]);
    assert_eq!(ran.exit, Exit::NotFound);
    ensure!(ran.talk.contains("case \"deny\" asks it; the plugin answers refund"), "{}", ran.talk);
    assert_eq!(plugin(&["run", "std/refund-quote", "--input", &own]).exit, Exit::NotFound);
    Ok(())
}

#[test]
fn a_warning_fails_where_that_is_asked_for() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    // Two thirds of its fuel in a loop, and then an answer.
    let rounds = "(local $n i32) (local.set $n (i32.const 1300000))
        (loop $more (br_if $more (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))";
    let slow = integer_step("n", "(call $slow) (i64.const 1)").fields(&format!("(func $slow {rounds})"));
    let slow = file(folder.path(), "slow.wasm", &slow.component()?)?;
    let ran = plugin(&["check", &slow, "--generated", "3"]);
    assert_eq!(ran.exit, Exit::Done, "{}{}", ran.data, ran.talk);
    ensure!(ran.data.contains("WARN    within_budget"), "{}", ran.data);
    let ran = plugin(&["check", &slow, "--generated", "3", "--deny-warnings"]);
    assert_eq!(ran.exit, Exit::Invalid);
    Ok(())
}

#[test]
fn a_plugin_is_measured_looked_at_and_compared() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let input = file(folder.path(), "case.json", matched(&json!({ "answer": {} })).as_bytes())?;
    let (exit, bench) = json_of(&["bench", "std/refund-quote", "--input", &input, "--calls", "20"])?;
    assert_eq!((exit, &bench[0]["ended"], &bench[0]["calls"]), (Exit::Done, &json!("answer"), &json!(20)));
    let (_, ran) = json_of(&["run", "std/refund-quote", "--input", &input])?;
    assert_eq!(bench[0]["fuel"], ran["fuel"]);

    let (exit, shown) = json_of(&["inspect", "std/refund-quote"])?;
    assert_eq!((exit, &shown["manifest"]["name"]), (Exit::Done, &json!("refund-quote")));
    assert_eq!(shown["shape"]["exports"], json!(["redress:plugin/refund@0.1.0"]));
    let module = file(folder.path(), "module.wasm", &deny_all().module()?)?;
    let component = file(folder.path(), "component.wasm", &deny_all().component()?)?;
    let [module, component] = [json_of(&["inspect", &module])?.1, json_of(&["inspect", &component])?.1];
    assert_eq!((&module["core_module"], &module["digest"]), (&json!(true), &component["digest"]));
    let broken = file(folder.path(), "broken.wasm", b"hello")?;
    assert_eq!(plugin(&["inspect", &broken]).exit, Exit::Invalid);

    let (exit, same) = json_of(&["diff", "std/refund-quote", "std/refund-quote", "--cases", &input])?;
    assert_eq!((exit, &same["different"]), (Exit::Done, &json!(0)));
    ensure!(same["cases"].as_u64().is_some_and(|cases| cases > 20), "{same}");
    let (_, other) = json_of(&["diff", "std/purchase-match", "std/return-window"])?;
    let one = &other["differences"][0];
    ensure!(
        one["place"].as_str().is_some_and(|place| place.starts_with("/answer")) && one["old"] != one["new"],
        "{one}"
    );
    assert_eq!(plugin(&["diff", "std/purchase-match", "std/refund-quote"]).exit, Exit::NotFound);
    Ok(())
}
