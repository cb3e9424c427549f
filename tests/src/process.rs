//! The host as a process of its own, on a port of its own: started, killed, started again.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, bail};

/// A process that says where it listens, and is killed when it is dropped.
pub struct Process {
    child: Child,
    /// Where it listens: `http://127.0.0.1:...`.
    pub address: String,
}

impl Process {
    /// Start a program that prints a line with its address once it answers.
    ///
    /// # Errors
    /// It ended before it said so.
    pub fn start(mut command: Command, log: &Path) -> anyhow::Result<Self> {
        let log = std::fs::OpenOptions::new().create(true).append(true).open(log)?;
        let mut child = command.stdout(Stdio::piped()).stderr(log).spawn()?;
        let mut lines = BufReader::new(child.stdout.take().context("standard output")?).lines();
        for line in &mut lines {
            if let Some((_, address)) = line?.split_once("http://") {
                let address = format!("http://{}", address.trim());
                // Read on, so that the process never waits for its reader.
                std::thread::Builder::new().name("reader".to_owned()).spawn(move || lines.for_each(drop))?;
                return Ok(Self { child, address });
            }
        }
        bail!("the process ended with {} before it listened", child.wait()?)
    }

    /// Its number.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// End it at once, as a power cut would.
    pub fn kill(mut self) -> anyhow::Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Ask it to stop, and wait until it has.
    ///
    /// # Errors
    /// It did not end by itself with success.
    pub fn stop(mut self) -> anyhow::Result<()> {
        let id = self.child.id().to_string();
        anyhow::ensure!(Command::new("kill").args(["-TERM", &id]).status()?.success(), "kill -TERM {id}");
        let status = self.child.wait()?;
        anyhow::ensure!(status.success(), "the process ended with {status}");
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // One that has ended already is what is wanted.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
