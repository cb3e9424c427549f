//! The README's five minutes, pasted line by line into a shell, against a demo on ports of its own.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use xtask::dev::{Demo, Options, Programs};

const README: &str = include_str!("../../README.md");
const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
/// What is left out of a shown output.
const LEFT_OUT: char = '…';
/// Ends the output of a command; no command prints it.
const MARK: &str = "--- the command has ended with ";
/// How long what was shown may take to become true.
const TRUE_WITHIN: Duration = Duration::from_secs(60);

/// A line to paste, and what the README shows below it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) command: String,
    pub(super) shown: Vec<String>,
}

/// The steps of a section's console blocks.
fn steps(text: &str, section: &str) -> Vec<Step> {
    let from = text.split_once(&format!("## {section}\n")).map_or("", |(_, from)| from);
    let section = from.split_once("\n## ").map_or(from, |(section, _)| section);
    let (mut steps, mut inside) = (Vec::<Step>::new(), false);
    for line in section.lines() {
        match (inside, line) {
            (_, line) if line.starts_with("```") => inside = line == "```console",
            (false, _) => {}
            (true, line) => match (line.strip_prefix("$ "), steps.last_mut()) {
                (Some(command), _) => steps.push(Step { command: command.to_owned(), shown: Vec::new() }),
                (None, Some(step)) => step.shown.push(line.to_owned()),
                (None, None) => {}
            },
        }
    }
    steps
}

/// Whether an output is what was shown, apart from what was left out.
fn is_as_shown(shown: &[String], output: &[String]) -> bool {
    shown.len() == output.len() && shown.iter().zip(output).all(|(shown, line)| is_line_as_shown(shown, line))
}

fn is_line_as_shown(shown: &str, line: &str) -> bool {
    let mut parts: Vec<&str> = shown.split(LEFT_OUT).collect();
    let last = parts.pop().unwrap_or_default();
    if parts.is_empty() {
        return line == last;
    }
    let Some(mut rest) = line.strip_prefix(parts.remove(0)) else { return false };
    for part in parts {
        let Some((_, after)) = rest.split_once(part) else { return false };
        rest = after;
    }
    rest.ends_with(last)
}

/// Only what reads may be asked again until it is true.
fn only_reads(command: &str) -> bool {
    let changes = [" -d ", "-X PUT", "sed -i", "$(new ", "$(complain ", "answer ", "echo '", "rm "];
    !changes.iter().any(|change| command.contains(change))
}

/// A shell that keeps its variables from line to line.
pub(super) struct Shell {
    child: Child,
    input: ChildStdin,
    output: BufReader<std::process::ChildStdout>,
}

impl Shell {
    pub(super) fn new(folder: &Path) -> anyhow::Result<Self> {
        let mut command = Command::new("bash");
        command.args(["--noprofile", "--norc"]).current_dir(folder);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let input = child.stdin.take().context("standard input")?;
        let output = BufReader::new(child.stdout.take().context("standard output")?);
        Ok(Self { child, input, output })
    }

    pub(super) fn run(&mut self, command: &str) -> anyhow::Result<Vec<String>> {
        writeln!(self.input, "{command}\nended=$?; echo; echo \"{MARK}$ended\"")?;
        let mut lines = Vec::new();
        for line in (&mut self.output).lines() {
            let line = line?;
            if let Some(status) = line.strip_prefix(MARK) {
                ensure!(status == "0", "$ {command}\nended with {status}:\n{}", lines.join("\n"));
                lines.retain(|line: &String| !line.is_empty());
                return Ok(lines);
            }
            lines.push(line);
        }
        bail!("the shell ended at {command}")
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        // One that has ended already is what is wanted.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// A folder that looks like the repository as far as the README goes, with a demo that runs in it.
pub(super) struct Checkout {
    pub(super) folder: tempfile::TempDir,
    pub(super) demo: Demo,
}

impl Checkout {
    pub(super) fn new() -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let root = folder.path();
        copy(&Path::new(ROOT).join("workflows"), &root.join("workflows"))?;
        let plugins = root.join("target/stock-plugins");
        copy(&Path::new(ROOT).join("target/stock-plugins"), &plugins)?;
        let programs = Programs {
            redress: PathBuf::from(env!("CARGO_BIN_EXE_redress-under-test")),
            provider: PathBuf::from(env!("CARGO_BIN_EXE_redress-provider")),
            plugins,
        };
        let options = Options {
            folder: "target/dev".into(),
            port: 0,
            provider_port: 0,
            fresh: false,
            check: false,
            workflows: None,
            binaries: None,
        };
        let demo = Demo::start(root, &options, &programs)?;
        Ok(Self { folder, demo })
    }

    /// A line of the README, with the ports of this demo.
    fn here(&self, line: &str) -> String {
        line.replace("http://127.0.0.1:7373", &self.demo.host)
            .replace("http://127.0.0.1:7374", &self.demo.provider)
            .replace("target/debug/redress", env!("CARGO_BIN_EXE_redress-under-test"))
    }
}

fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in from.read_dir()? {
        let entry = entry?;
        let to = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &to)?;
        } else {
            std::fs::copy(entry.path(), to)?;
        }
    }
    Ok(())
}

pub(super) fn paste(shell: &mut Shell, checkout: &Checkout, step: &Step) -> anyhow::Result<()> {
    pasted(shell, &checkout.here(&step.command), step)
}

/// Paste a line as it is here, and see what is shown below it.
pub(super) fn pasted(shell: &mut Shell, command: &str, step: &Step) -> anyhow::Result<()> {
    let begun = Instant::now();
    loop {
        let output = shell.run(command)?;
        if step.shown.is_empty() || is_as_shown(&step.shown, &output) {
            println!("$ {}", step.command);
            return Ok(());
        }
        ensure!(
            only_reads(command) && begun.elapsed() < TRUE_WITHIN,
            "$ {command}\nshown:\n{}\nseen:\n{}",
            step.shown.join("\n"),
            output.join("\n")
        );
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn the_five_minutes_go_as_the_readme_shows_them() -> anyhow::Result<()> {
    let mut steps = steps(README, "Five minutes");
    assert_eq!(steps.remove(0), Step { command: "cargo xtask dev".to_owned(), shown: Vec::new() });
    ensure!(steps.len() > 15, "the section has only {} lines to paste", steps.len());
    let checkout = Checkout::new()?;
    let mut shell = Shell::new(checkout.folder.path())?;
    for step in &steps {
        paste(&mut shell, &checkout, step)?;
    }
    let revisions = shell.run(
        "for case in $first $second $third; do ask $host/v1/cases/$case | grep -o '\"revision\":\"[^\"]*\"'; done",
    )?;
    assert_eq!(revisions.len(), 3, "{revisions:?}");
    assert!(revisions[0] != revisions[1] && revisions[0] == revisions[2], "{revisions:?}");

    for step in self::steps(README, "The command line") {
        paste(&mut shell, &checkout, &step)?;
    }
    drop(shell);
    checkout.demo.check()?;
    checkout.demo.stop()
}

#[test]
fn what_is_left_out_may_be_anything_and_what_is_shown_stands_in_its_order() {
    let is = is_line_as_shown;
    assert!(is(r#"{"id":"…","result":"denied",…}"#, r#"{"id":"x","kind":"return","result":"denied","lines":[]}"#));
    assert!(is(r#"{…"a":1,…"b":2…}"#, r#"{"x":0,"a":1,"c":3,"b":2,"d":4}"#));
    assert!(!is(r#"{…"a":1,…"b":2…}"#, r#"{"b":2,"a":1,"d":4}"#));
    assert!(!is("Subject: …: refunded", "Subject: Your return 7: denied"));
    assert!(is("plain", "plain") && !is("plain", "plainer"));
}

#[test]
fn only_lines_that_read_are_asked_again() {
    assert!(only_reads("ask $host/v1/cases/$first") && only_reads("curl -sS http://127.0.0.1:7374/stats"));
    assert!(!["x=$(new x)", "sed -i s/a/b/ f", "ask -X PUT u", "ask u -d '{}'"].iter().any(|line| only_reads(line)));
}
