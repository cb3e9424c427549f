//! The tutorials, pasted line by line into a shell and saved block by block into files, against a demo on ports of its own.

use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};

use super::readme::{Checkout, Shell, Step, paste};

const COMPLAINT: &str = include_str!("../../docs/tutorials/complaint.md");
/// Where the tutorial has its blocks of YAML saved.
const FILE: &str = "workflows/online-retail/complaint.yaml";
/// How long what was saved may take to become live.
const LIVE_WITHIN: Duration = Duration::from_secs(60);

/// What a reader does, in the order of the text.
enum Doing {
    Paste(Step),
    Save(String),
}

fn doings(text: &str) -> Vec<Doing> {
    let (mut doings, mut block) = (Vec::new(), None::<(&str, Vec<&str>)>);
    for line in text.lines() {
        block = match (block, line.strip_prefix("```")) {
            (None, Some(kind)) => Some((kind, Vec::new())),
            (None, None) => None,
            (Some((kind, lines)), Some(_)) => {
                match kind {
                    "yaml" => doings.push(Doing::Save(lines.join("\n") + "\n")),
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
    let saved = doings.iter().filter(|doing| matches!(doing, Doing::Save(_))).count();
    ensure!(saved == 3 && doings.len() > 30, "{saved} files and {} things to do", doings.len());
    let checkout = Checkout::new()?;
    let file = checkout.folder.path().join(FILE);
    let mut shell = Shell::new(checkout.folder.path())?;
    for doing in &doings {
        match doing {
            Doing::Paste(step) => paste(&mut shell, &checkout, step)?,
            Doing::Save(text) => {
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
