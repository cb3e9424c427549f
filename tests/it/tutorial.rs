//! The tutorials, pasted line by line into a shell and saved block by block into files, against a demo on ports of its own.

use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use redress_tests::process::Process;

use super::readme::{Checkout, Shell, Step, paste, pasted};

const COMPLAINT: &str = include_str!("../../docs/tutorials/complaint.md");
/// Where the tutorial has its blocks of YAML saved.
const FILE: &str = "workflows/online-retail/complaint.yaml";
/// How long what was saved may take to become live.
const LIVE_WITHIN: Duration = Duration::from_secs(60);

/// What a reader does, in the order of the text.
enum Doing {
    Paste(Step),
    /// The text, and the line before it.
    Save(String, String),
    /// In a terminal of its own.
    Start(String),
}

fn doings(text: &str) -> Vec<Doing> {
    let (mut doings, mut block, mut before) = (Vec::new(), None::<(&str, Vec<&str>)>, "");
    for line in text.lines() {
        if block.is_none() && !line.is_empty() && !line.starts_with("```") {
            before = line;
        }
        block = match (block, line.strip_prefix("```")) {
            (None, Some(kind)) => Some((kind, Vec::new())),
            (None, None) => None,
            (Some((kind, lines)), Some(_)) => {
                match kind {
                    "yaml" | "rust" | "json" => {
                        doings.push(Doing::Save(lines.join("\n") + "\n", before.to_owned()));
                    }
                    "sh" => doings.push(Doing::Start(lines.join(" "))),
                    "console" => doings.extend(steps(&lines).into_iter().map(Doing::Paste)),
                    _ => {}
                }
                None
            }
            (Some((kind, mut lines)), None) => {
                lines.push(line);
                Some((kind, lines))
            }
        };
    }
    doings
}

fn steps(lines: &[&str]) -> Vec<Step> {
    let mut steps = Vec::<Step>::new();
    for line in lines {
        match (line.strip_prefix("$ "), steps.last_mut()) {
            (Some(command), _) => steps.push(Step { command: command.to_owned(), shown: Vec::new() }),
            (None, Some(step)) => step.shown.push((*line).to_owned()),
            (None, None) => {}
        }
    }
    steps
}

#[test]
fn the_complaint_is_written_and_live_as_the_tutorial_shows_it() -> anyhow::Result<()> {
    let doings = doings(COMPLAINT);
    let saved = doings.iter().filter(|doing| matches!(doing, Doing::Save(..))).count();
    ensure!(saved == 3 && doings.len() > 30, "{saved} files and {} things to do", doings.len());
    let checkout = Checkout::new()?;
    let file = checkout.folder.path().join(FILE);
    let mut shell = Shell::new(checkout.folder.path())?;
    for doing in &doings {
        match doing {
            Doing::Paste(step) => paste(&mut shell, &checkout, step)?,
            Doing::Start(command) => anyhow::bail!("nothing is started here: {command}"),
            Doing::Save(text, _) => {
                let before = revision(&mut shell)?;
                fs::write(&file, text).with_context(|| FILE.to_owned())?;
                // A reader is slower than the host; the test waits until what was saved is live, where it is valid.
                if !text.contains("answerd") {
                    wait_until_other(&mut shell, &before)?;
                }
            }
        }
    }
    checkout.demo.stop()
}

/// The revision that is live; nothing where none is.
fn revision(shell: &mut Shell) -> anyhow::Result<String> {
    let asked = "ask $host/v1/workflows/complaint | grep -o '\"revision\":\"[^\"]*\"' | head -1";
    Ok(shell.run(asked)?.join(""))
}

fn wait_until_other(shell: &mut Shell, before: &str) -> anyhow::Result<()> {
    let begun = Instant::now();
    while revision(shell)? == before {
        ensure!(begun.elapsed() < LIVE_WITHIN, "what was saved did not become live");
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

const GO_LIVE: &str = include_str!("../../docs/tutorials/go-live.md");

/// A port that is free now.
fn free_port() -> anyhow::Result<u16> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// A block says in its first line where it is saved, or the text before it does: JSON has no comments.
fn save(folder: &std::path::Path, text: &str, before: &str) -> anyhow::Result<()> {
    let first = text.lines().next().context("a line that says where")?;
    let name = first.strip_prefix("# ").or_else(|| first.strip_prefix("// "));
    let name = name.or_else(|| before.strip_prefix('`')?.strip_suffix("`:")).context("a line that says where")?;
    fs::write(folder.join(name), text).with_context(|| name.to_owned())
}

const PLUGIN: &str = include_str!("../../docs/tutorials/plugin.md");
/// Where plugins are compiled, so that what they depend on is compiled once.
const COMPILED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/kit/target");

#[test]
fn a_merchant_is_live_in_ten_minutes_as_the_tutorial_shows_it() -> anyhow::Result<()> {
    followed(GO_LIVE, 2, 20)
}

#[test]
fn a_plugin_is_written_live_changed_and_taken_back_as_the_tutorial_shows_it() -> anyhow::Result<()> {
    followed(PLUGIN, 1, 25)
}

/// Does what a tutorial says, in an empty folder.
fn followed(text: &str, programs_wanted: usize, doings_wanted: usize) -> anyhow::Result<()> {
    let doings = doings(text);
    let started = doings.iter().filter(|doing| matches!(doing, Doing::Start(_))).count();
    let is_whole = started == programs_wanted && doings.len() > doings_wanted;
    ensure!(is_whole, "{started} programs and {} things to do", doings.len());
    let folder = tempfile::tempdir()?;
    let (host, provider) = (format!("127.0.0.1:{}", free_port()?), format!("127.0.0.1:{}", free_port()?));
    let here = |line: &str| {
        line.replace("127.0.0.1:7373", &host)
            .replace("127.0.0.1:7374", &provider)
            .replace("target/debug/redress-provider", env!("CARGO_BIN_EXE_redress-provider"))
            .replace("target/debug/redress ", concat!(env!("CARGO_BIN_EXE_redress-under-test"), " "))
    };
    let mut shell = Shell::new(folder.path())?;
    shell.run(&format!("export CARGO_TARGET_DIR='{COMPILED}' CARGO_NET_OFFLINE=true"))?;
    let mut programs = Vec::new();
    for doing in &doings {
        match doing {
            Doing::Paste(step) => pasted(&mut shell, &here(&step.command), step)?,
            Doing::Save(text, before) => save(folder.path(), text, before)?,
            Doing::Start(line) => {
                let mut command = std::process::Command::new("bash");
                command.args(["-c", &format!("exec {}", here(line))]).current_dir(folder.path());
                programs.push(Process::start(command, &folder.path().join("log"))?);
            }
        }
    }
    drop(shell);
    programs.into_iter().next().context("the host")?.stop()
}
