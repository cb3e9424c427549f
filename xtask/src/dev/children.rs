//! The processes of the demo: started, looked at, stopped.

use std::fs::{self, OpenOptions};
use std::io::{BufRead as _, BufReader};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

use super::Programs;
use super::folder::Folder;

/// How long anything of the demo may take: a busy machine is slow, a broken one would wait for ever.
const WAIT_MAX: Duration = Duration::from_secs(120);
/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// Lines of a log that an error shows.
const LOG_LINES: usize = 8;

/// A process that says where it listens; killed when it is dropped.
pub(super) struct Child {
    name: &'static str,
    process: std::process::Child,
    /// Where it listens.
    pub(super) address: String,
}

/// The provider of payments, stock and messages.
pub(super) fn provider(programs: &Programs, folder: &Folder, port: u16) -> anyhow::Result<Child> {
    let mut command = Command::new(&programs.provider);
    command.args(["--listen", &format!("127.0.0.1:{port}")]).arg("--book").arg(folder.book());
    // Not an argument, which others on the machine can read.
    command.env("REDRESS_PROVIDER_SECRET", folder.secret()?);
    Child::start("provider", command, &folder.log("provider"))
}

/// The host.
pub(super) fn host(programs: &Programs, folder: &Folder, workflows: &Path, port: u16) -> anyhow::Result<Child> {
    let mut command = Command::new(&programs.redress);
    command.arg("serve").arg("--data").arg(folder.data()).args(["--listen", &format!("127.0.0.1:{port}")]);
    command.arg("--workflows").arg(workflows).arg("--plugins").arg(folder.plugins());
    command.args(["--allow-simulated", "--allow-connector", "127.0.0.1"]);
    Child::start("host", command, &folder.log("host"))
}

impl Child {
    fn start(name: &'static str, mut command: Command, log: &Path) -> anyhow::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(log)?;
        // A group of its own: Ctrl-C on a terminal is for us, and we stop the others in order.
        let command = command.process_group(0).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(file);
        let mut process = command.spawn().with_context(|| format!("could not start the {name}"))?;
        let mut lines = BufReader::new(process.stdout.take().context("standard output is piped")?).lines();
        while let Some(line) = lines.next().transpose()? {
            if let Some((_, address)) = line.split_once("http://") {
                let address = format!("http://{}", address.trim());
                return Ok(Self { name, process, address });
            }
        }
        let status = process.wait()?;
        bail!("the {name} ended with {status} before it listened:\n{}", last_lines(log))
    }

    /// An error if it has ended by itself.
    pub(super) fn look(&mut self) -> anyhow::Result<()> {
        match self.process.try_wait()? {
            Some(status) => bail!("the {} ended with {status}", self.name),
            None => Ok(()),
        }
    }

    /// Ask it to stop, and wait until it has.
    pub(super) fn stop(mut self) -> anyhow::Result<()> {
        let id = self.process.id().to_string();
        let asked = Command::new("kill").args(["-TERM", &id]).status().context("could not run kill")?;
        if !asked.success() {
            bail!("the {} could not be asked to stop", self.name);
        }
        wait_for(&format!("the {} to stop", self.name), || Ok(self.process.try_wait()?.is_some()))
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // One that has ended already is what is wanted.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// Look again and again until it is so, for a time that has an end.
pub(super) fn wait_for(what: &str, mut is_so: impl FnMut() -> anyhow::Result<bool>) -> anyhow::Result<()> {
    let begun = Instant::now();
    while !is_so()? {
        if begun.elapsed() > WAIT_MAX {
            bail!("waited {} seconds for {what}", WAIT_MAX.as_secs());
        }
        std::thread::sleep(LOOK_EVERY);
    }
    Ok(())
}

fn last_lines(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(LOG_LINES)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_ends_before_it_listens_is_told_with_its_last_words() {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", "echo one >&2; echo no room >&2; exit 3"]);
        let error = Child::start("host", command, &folder.path().join("log")).err().unwrap().to_string();
        assert!(error.contains("exit status: 3") && error.ends_with("one\nno room"), "{error}");
    }

    #[test]
    fn a_process_that_listens_is_known_by_its_address_and_stops_when_it_is_asked() {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", "trap 'exit 0' TERM; echo listening on http://127.0.0.1:4; while :; do sleep 0.05; done"]);
        let mut child = Child::start("host", command, &folder.path().join("log")).unwrap();
        assert_eq!(child.address, "http://127.0.0.1:4");
        child.look().unwrap();
        child.stop().unwrap();
    }
}
