//! A real host with one merchant, for commands that try it from outside.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::Context as _;

use crate::metadata::Workspace;
use crate::{plugins, shell, toolchain};

/// The merchant's name.
pub(crate) const TENANT: &str = "tried";

/// A host with one merchant, and the keys to it.
pub(crate) struct Host {
    child: Child,
    /// Where it listens: `http://127.0.0.1:...`.
    pub(crate) address: String,
    /// The key of the merchant's admin, who may say when something happened.
    pub(crate) admin: String,
    /// The key of the host's operator.
    pub(crate) operator: String,
}

impl Host {
    /// Build the product, make its data folder, and serve it on a port that is free.
    pub(crate) fn start(root: &Path, folder: &Path) -> anyhow::Result<Self> {
        let binary = built(root)?;
        let data = folder.join("data");
        let redress = |words: &[&str]| {
            let mut command = Command::new(&binary);
            command.args(words).arg("--data").arg(&data);
            command
        };
        let facts = ["--zone", "Europe/London", "--currency", "GBP", "--locale", "en", "--jurisdiction", "UK"];
        shell::run(redress(&["tenant", "create", TENANT]).args(facts))?;
        for plugin in ["purchase-match", "refund-quote"] {
            let file = Workspace::load(root)?.target_folder.join("stock-plugins").join(plugin).with_extension("wasm");
            shell::run(redress(&["plugin", "push", "--tenant", TENANT, "--name", plugin]).arg(file))?;
        }
        let workflow = root.join("workflows/online-retail/return.yaml");
        shell::run(redress(&["workflow", "publish", "--tenant", TENANT]).arg(workflow))?;
        let key = |role: &str, more: &[&str]| {
            let words = ["key", "create", "--role", role, "--name", "probe"];
            let bytes = shell::output(redress(&words).args(more))?;
            anyhow::Ok(String::from_utf8(bytes)?.trim().to_owned())
        };
        let (admin, operator) = (key("admin", &["--backdate", "--tenant", TENANT])?, key("operator", &[])?);
        let mut child = redress(&["serve", "--listen", "127.0.0.1:0"]).stdout(Stdio::piped()).spawn()?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().context("standard output is piped")?).read_line(&mut line)?;
        let address = line.trim().rsplit(' ').next().context("the host says where it listens")?.to_owned();
        Ok(Self { child, address, admin, operator })
    }

    /// The id of the process.
    pub(crate) fn process(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // It may have ended already, which is what is wanted.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The debug build, made of the whole workspace as for the tests: what they have compiled is not compiled once more.
fn built(root: &Path) -> anyhow::Result<PathBuf> {
    toolchain::ensure_wasm_target(root)?;
    plugins::build(root)?;
    shell::run(&mut shell::cargo(root, &["build", "--locked", "--workspace", "--bin", "redress"]))?;
    let target = Workspace::load(root)?.target_folder;
    Ok(target.join("debug/redress").with_extension(std::env::consts::EXE_EXTENSION))
}
