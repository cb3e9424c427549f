//! `redress replay`: cases, all of them, and files.

use redress::cli::Exit;
use serde_json::{Value as Json, json};

use crate::cli::{Shell, run};

#[test]
fn every_case_of_every_tenant_is_replayed_with_keys_that_stay() -> anyhow::Result<()> {
    let shell = Shell::demo()?;
    let folder = shell.data_folder().display().to_string();
    let ran = run(&["replay", "--all", "--data", &folder, "--output", "json"]);
    assert_eq!(ran.exit, Exit::Done, "{}{}", ran.data, ran.talk);
    let found: Json = serde_json::from_str(&ran.data)?;
    assert_eq!(
        (&found["different"], &found["first_different"], &found["unknown"]),
        (&json!(0), &Json::Null, &json!(0))
    );
    assert_eq!((&found["cases"], &found["fuel_moved"]), (&json!(20), &json!(0)));
    let (checked, engines) = (found["checked"].as_u64().unwrap(), found["engines"].as_object().unwrap());
    assert!(checked > 20 && engines.len() == 1 && engines.values().all(|count| *count == checked), "{found}");

    let newest = shell.json(&["replay", "--all", "--limit", "3"])?;
    assert_eq!((&newest["cases"], &newest["different"]), (&json!(3), &json!(0)));
    let none = shell.json(&["replay", "--all", "--since", "2090-01-01"])?;
    assert_eq!((&none["cases"], &none["checked"]), (&json!(0), &json!(0)));
    Ok(())
}

#[test]
fn a_case_is_replayed_by_its_name_and_its_decisions_go_to_another_machine_in_a_file() -> anyhow::Result<()> {
    let shell = Shell::demo()?;
    let told = shell.ok(&["replay", "C700012"])?;
    assert!(told.starts_with("2 decisions of plugins made again, in 1 turn of 1 case: nothing differs\n"), "{told}");
    let file = shell.data_folder().with_file_name("decisions.json").display().to_string();
    let ran = shell.run(&["replay", "C700012", "--export", &file]);
    assert_eq!((ran.exit, ran.data.as_str()), (Exit::Done, ""));
    assert!(ran.talk.starts_with("2 decisions written to "), "{}", ran.talk);

    // No data folder, no tenant.
    let ran = run(&["replay", &file]);
    assert_eq!(ran.exit, Exit::Done, "{}", ran.talk);
    assert!(ran.data.starts_with("2 decisions of plugins made again, in 1 turn of 1 case: nothing differs\n"));

    let text = std::fs::read_to_string(&file)?;
    let other = text.replacen("\"fuel\": ", "\"fuel\": 1", 1);
    let ran = run(&["replay", &shell.file("other.json", other.as_bytes())?, "--output", "json"]);
    assert_eq!(ran.exit, Exit::Failure);
    assert!(ran.talk.starts_with("error[replay_differs]: 1 decision different\n"), "{}", ran.talk);
    let found: Json = serde_json::from_str(&ran.data)?;
    assert_eq!(found["different"], 1);
    let first = &found["first_different"];
    assert_eq!([&first["ask"], &first["turn"]], [1, 1]);
    assert_eq!([&first["differs"], &first["step"]], ["fuel", "match"]);
    Ok(())
}

#[test]
fn what_cannot_be_replayed_says_why() -> anyhow::Result<()> {
    let shell = Shell::new()?;
    let ends = |words: &[&str]| {
        let ran = shell.run(words);
        (ran.exit, ran.talk.lines().next().unwrap_or_default().to_owned())
    };
    assert_eq!(ends(&["replay"]).0, Exit::Usage);
    assert_eq!(ends(&["replay", "--all", "C1"]).0, Exit::Usage);
    assert_eq!(ends(&["replay", "C1", "--limit", "1"]).0, Exit::Usage);
    let (exit, told) = ends(&["replay", "C1"]);
    assert_eq!((exit, told.starts_with("error[case_not_found]")), (Exit::NotFound, true), "{told}");
    let (exit, told) = ends(&["replay", &shell.file("rubbish.json", b"rubbish")?]);
    assert_eq!((exit, told.starts_with("error[decisions_invalid]")), (Exit::Invalid, true), "{told}");
    assert_eq!(ends(&["replay", "--all", "--output", "csv"]).0, Exit::Usage);
    Ok(())
}
