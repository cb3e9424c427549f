//! The release build's own command line, one function per command that is used.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail};
use serde::de::DeserializeOwned;

use super::report::{Case, Imported};
use crate::metadata::Workspace;
use crate::shell;

const TENANT: &str = "online-retail";

/// The built product and the data folder that it works in.
pub(crate) struct Product {
    binary: PathBuf,
    data: PathBuf,
}

impl Product {
    /// Compile the release build; the stock plugins must have been compiled before.
    pub(crate) fn build(root: &Path, data: &Path) -> anyhow::Result<Self> {
        shell::run(&mut shell::cargo(
            root,
            &["build", "--locked", "--release", "--package", "redress", "--bin", "redress"],
        ))?;
        let folder = Workspace::load(root)?.target_folder.join("release");
        let binary = folder.join("redress").with_extension(std::env::consts::EXE_EXTENSION);
        Ok(Self { binary, data: data.to_owned() })
    }

    /// Create the merchant, unless the data folder has been used before.
    pub(crate) fn create_tenant(&self) -> anyhow::Result<()> {
        let is_used = self.data.read_dir().is_ok_and(|mut entries| entries.next().is_some());
        if is_used {
            return Ok(());
        }
        let facts = ["--zone", "Europe/London", "--currency", "GBP", "--locale", "en", "--jurisdiction", "UK"];
        let mut command = Command::new(&self.binary);
        self.run(command.args(["tenant", "create", TENANT]).arg("--data").arg(&self.data).args(facts))
    }

    /// Put a component in the place of the plugin of this name.
    pub(crate) fn push_plugin(&self, name: &str, component: &Path) -> anyhow::Result<()> {
        let mut command = self.command(["plugin", "push"]);
        self.run(command.args(["--name", name]).arg(component))
    }

    /// Make a workflow the active one.
    pub(crate) fn publish_workflow(&self, file: &Path) -> anyhow::Result<()> {
        let mut command = self.command(["workflow", "publish"]);
        self.run(command.arg(file))
    }

    /// Import files through a mapping; cases are decided on the way. The product tells progress and speed on standard error.
    pub(crate) fn import(&self, mapping: &Path, files: &[PathBuf]) -> anyhow::Result<()> {
        let mut command = self.command(["import", "--timings"]);
        self.run(command.arg("--map").arg(mapping).args(files))
    }

    /// What the import took in and what it left out.
    pub(crate) fn imported(&self) -> anyhow::Result<Imported> {
        self.read(["import", "show"])
    }

    /// Every case, as the product exports it.
    pub(crate) fn cases(&self) -> anyhow::Result<Vec<Case>> {
        self.read(["case", "export"])
    }

    /// What a candidate would have decided; the product tells progress on standard error.
    pub(crate) fn backtest(&self, candidate: &Path) -> anyhow::Result<serde_json::Value> {
        let candidate = candidate.to_str().context("a path of letters")?;
        self.read(["workflow", "backtest", candidate])
    }

    fn command<const N: usize>(&self, words: [&str; N]) -> Command {
        let mut command = Command::new(&self.binary);
        command.args(words).args([
            OsStr::new("--tenant"),
            OsStr::new(TENANT),
            OsStr::new("--data"),
            self.data.as_os_str(),
        ]);
        command
    }

    /// Our own standard output is data, so what the product says goes to standard error.
    fn run(&self, command: &mut Command) -> anyhow::Result<()> {
        shell::run(command.stdout(Stdio::from(std::io::stderr())))
    }

    fn read<T: DeserializeOwned, const N: usize>(&self, words: [&str; N]) -> anyhow::Result<T> {
        let mut child = self.command(words).args(["--output", "json"]).stdout(Stdio::piped()).spawn()?;
        let output = child.stdout.take().context("standard output is piped")?;
        let answer = serde_json::from_reader(std::io::BufReader::new(output));
        let status = child.wait()?;
        if !status.success() {
            bail!("`redress {}` ended with {status}", words.join(" "));
        }
        answer.with_context(|| format!("could not read what `redress {}` says", words.join(" ")))
    }
}
