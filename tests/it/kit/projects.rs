//! Projects of every language from `redress plugin new` to a plugin that a merchant's workflow calls. Rust is always built, offline;
//! JavaScript and Python where their tools are installed. C has [a file of its own](super::c).

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use redress::cli::Exit;
use redress_sandbox::Hook;
use redress_tests::world::World;
use serde_json::{Value as Json, json};

use super::{json_of, plugin};

/// Where projects are built: their dependencies stay compiled from one run to the next.
const BUILT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/kit");
/// A folder in which somebody ran `npm install`, or made a `.venv` with componentize-py; see plugin-sdk/README.md.
const TOOLS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/kit-tools");

/// A project as `new` writes it, in a folder of its own.
pub(super) fn project(folder: &Path, hook: Hook, lang: &str) -> anyhow::Result<PathBuf> {
    let project = folder.join(format!("a-rule-{hook}"));
    let word = project.display().to_string();
    if project.exists() {
        fs::remove_dir_all(&project)?;
    }
    let ran = plugin(&["new", &word, "--hook", hook.name(), "--lang", lang]);
    ensure!(ran.exit == Exit::Done, "{}{}", ran.data, ran.talk);
    Ok(project)
}

/// Builds a project and holds it to every rule and to the case that came with it.
pub(super) fn built(project: &Path) -> anyhow::Result<Json> {
    let word = project.display().to_string();
    let (exit, built) = json_of(&["build", &word, "--offline"])?;
    ensure!(exit == Exit::Done, "{built}");
    let (file, cases) = (built["file"].as_str().context("a file")?, project.join("cases").display().to_string());
    let (exit, report) = json_of(&["check", file, "--cases", &cases, "--generated", "40"])?;
    ensure!(exit == Exit::Done && report["clean"] == true, "{report:#}");
    let expected = report["rules"].as_array().into_iter().flatten().find(|rule| rule["rule"] == "expected");
    assert_eq!(expected.map(|rule| &rule["checked"]), Some(&json!(1)));
    Ok(built)
}

/// The default of a parameter is that of plugin.json, and what is required and not there is said in the words of the Rust SDK.
pub(super) fn takes_its_defaults(step: &Path) -> anyhow::Result<()> {
    let manifest = step.join("plugin.json");
    let text = fs::read_to_string(&manifest)?;
    ensure!(text.contains("\"default\": 14"), "{text}");
    fs::write(&manifest, text.replace("\"default\": 14", "\"default\": 3"))?;
    let (_, built) = json_of(&["build", &step.display().to_string(), "--offline"])?;
    let file = built["file"].as_str().with_context(|| built.to_string())?;
    let case = step.join("case.json").display().to_string();
    let over = |args: &Json| {
        fs::write(&case, json!({ "hook": "step", "request": { "args": args } }).to_string())?;
        Ok::<_, anyhow::Error>(json_of(&["run", file, "--input", &case])?.1["outcome"].clone())
    };
    let days_over = |args: &Json| Ok::<_, anyhow::Error>(over(args)?["answer"]["provides"]["days_over"].clone());
    assert_eq!(
        (days_over(&json!({ "days": 16 }))?, days_over(&json!({ "days": 16, "most": 5 }))?),
        (json!(13), json!(11))
    );
    assert_eq!(over(&json!({}))?, json!({ "bad_input": "parameter `days` is missing" }));
    assert_eq!(over(&json!({ "days": 1, "most": "x" }))?, json!({ "bad_input": "`most` is text, expected integer" }));
    Ok(())
}

/// A Rust project whose dependencies were compiled before, if they ever were.
fn rust(hook: Hook) -> anyhow::Result<PathBuf> {
    let project = project(Path::new(BUILT), hook, "rust")?;
    let config = project.join(".cargo/config.toml");
    let shared = format!("\n[build]\ntarget-dir = {:?}\n", Path::new(BUILT).join("target"));
    fs::write(&config, fs::read_to_string(&config)? + &shared)?;
    Ok(project)
}

#[test]
fn a_new_rust_plugin_builds_without_a_network_keeps_every_rule_and_is_called() -> anyhow::Result<()> {
    let project = rust(Hook::Refund)?;
    let built = built(&project)?;
    ensure!(built["bytes"].as_u64().is_some_and(|bytes| bytes < 100_000), "{built}");
    let bytes = fs::read(built["file"].as_str().context("a file")?)?;
    let world = World::new()?;
    let pushed = world.bare_merchant("acme")?.push("a-rule", &bytes)?;
    assert_eq!(pushed.plugin, "a-rule@0");
    Ok(())
}

#[test]
fn a_folder_with_something_in_it_and_a_name_that_is_none_are_refused() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let word = |name: &str| folder.path().join(name).display().to_string();
    assert_eq!(plugin(&["new", &word("mine"), "--hook", "step"]).exit, Exit::Done);
    let again = plugin(&["new", &word("mine"), "--hook", "step"]);
    assert_eq!(again.exit, Exit::Conflict);
    ensure!(again.talk.contains("error[folder_not_empty]"), "{}", again.talk);
    assert_eq!(plugin(&["new", &word("Mine Too"), "--hook", "step"]).exit, Exit::Usage);
    let nothing = plugin(&["build", &word("nothing")]);
    assert_eq!(nothing.exit, Exit::NotFound);
    ensure!(nothing.talk.contains("redress plugin new makes one"), "{}", nothing.talk);
    Ok(())
}

#[test]
fn a_tool_that_is_missing_is_said_with_what_installs_it() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    for (lang, how) in [("js", "npm install"), ("python", "pip install -r requirements.txt")] {
        let project = project(&folder.path().join(lang), Hook::Step, lang)?;
        let ran = plugin(&["build", &project.display().to_string(), "--offline"]);
        assert_eq!(ran.exit, Exit::Failure);
        ensure!(ran.talk.contains("error[tool_missing]") && ran.talk.contains(how), "{}", ran.talk);
        // A manifest that no host would take is told before anything is built.
        let file = project.join("plugin.json");
        fs::write(&file, fs::read_to_string(&file)?.replace("\"step\"", "\"payment\""))?;
        let ran = plugin(&["build", &project.display().to_string(), "--offline"]);
        assert_eq!(ran.exit, Exit::Invalid);
        ensure!(ran.talk.contains("plugin.json") && ran.talk.contains("error[upload_manifest]"), "{}", ran.talk);
        // With the line of the file, as people count them.
        let text = fs::read_to_string(&file)?;
        let line = text.lines().position(|line| line.contains("\"payment\"")).context("the line")? + 1;
        ensure!(line > 1 && ran.talk.contains(&format!("at line {line} column")), "{}", ran.talk);
    }
    Ok(())
}

/// The languages whose tools take seconds and megabytes: with `REDRESS_LANGUAGES=1`, and where they are installed.
fn other(lang: &str, installed: &str) -> anyhow::Result<()> {
    let tools = Path::new(TOOLS).join(installed);
    if std::env::var_os("REDRESS_LANGUAGES").is_none() || !tools.exists() {
        println!(
            "SKIPPED: plugins in {lang}: set REDRESS_LANGUAGES=1 and install into target/kit-tools as plugin-sdk/README.md says"
        );
        return Ok(());
    }
    let folder = tempfile::tempdir()?;
    for hook in Hook::ALL {
        let project = project(folder.path(), hook, lang)?;
        std::os::unix::fs::symlink(&tools, project.join(installed))?;
        let built = built(&project)?;
        println!("{lang} {hook}: {} bytes", built["bytes"]);
        if hook == Hook::Step {
            let bytes = fs::read(built["file"].as_str().context("a file")?)?;
            let pushed = World::new()?.bare_merchant("acme")?.push("a-rule", &bytes)?;
            assert_eq!(pushed.plugin, "a-rule@0");
            takes_its_defaults(&project)?;
        }
    }
    Ok(())
}

#[test]
fn a_new_javascript_plugin_builds_keeps_every_rule_and_is_taken() -> anyhow::Result<()> {
    other("js", "node_modules")
}

#[test]
fn a_new_python_plugin_builds_keeps_every_rule_and_is_taken() -> anyhow::Result<()> {
    other("python", ".venv")
}

#[test]
fn a_new_rust_plugin_of_every_other_hook_builds_and_keeps_every_rule() -> anyhow::Result<()> {
    if std::env::var_os("REDRESS_LANGUAGES").is_none() {
        println!("SKIPPED: Rust plugins of the other hooks: set REDRESS_LANGUAGES=1");
        return Ok(());
    }
    for hook in [Hook::Eligibility, Hook::Compliance, Hook::Step] {
        built(&rust(hook)?)?;
    }
    Ok(())
}
