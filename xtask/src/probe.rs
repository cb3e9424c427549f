//! `cargo xtask probe`: requests made up from the OpenAPI document, thousands of them, against a real host: no answer may be a
//! failure of ours, and none may differ from what the document says. The program that makes them up is schemathesis, from PyPI;
//! it is installed into `target/probe` and is no part of the tests.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, bail};

use crate::metadata::Workspace;
use crate::{plugins, shell, toolchain};

/// The version that was tried; another one may know other checks.
const SCHEMATHESIS: &str = "schemathesis==4.32.5";
/// What must hold of every answer.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,response_schema_conformance";
const TENANT: &str = "probed";

/// Try the API with made-up requests.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Requests that are made up for each operation, at most.
    #[arg(long, value_name = "N", default_value_t = 100)]
    examples: u32,
    /// The same requests again: the seed that a run before has printed.
    #[arg(long)]
    seed: Option<u64>,
}

/// Install, build, serve, try.
pub(crate) fn run(root: &Path, options: &Options) -> anyhow::Result<()> {
    let target = Workspace::load(root)?.target_folder;
    let program = installed(&target.join("probe"))?;
    toolchain::ensure_wasm_target(root)?;
    plugins::build(root)?;
    shell::run(&mut shell::cargo(root, &["build", "--locked", "--package", "redress", "--bin", "redress"]))?;
    let binary = target.join("debug/redress").with_extension(std::env::consts::EXE_EXTENSION);
    let folder = tempfile::tempdir()?;
    let host = Host::start(root, &binary, folder.path())?;
    for (who, key, tenant) in [("admin", &host.admin, None), ("operator", &host.operator, Some(TENANT))] {
        eprintln!("requests by a key of role {who}");
        let mut command = Command::new(&program);
        command.arg("run").arg(format!("{}/openapi.json", host.address));
        command.arg("--header").arg(format!("Authorization: Bearer {key}"));
        if let Some(tenant) = tenant {
            command.arg("--header").arg(format!("Redress-Tenant: {tenant}"));
        }
        command.args(["--checks", CHECKS, "--workers", "2", "--continue-on-failure", "--request-timeout", "30"]);
        // A stream never ends, so it has no answer to look at.
        command.args(["--exclude-path", "/v1/events/stream", "--max-examples", &options.examples.to_string()]);
        if let Some(seed) = options.seed {
            command.args(["--seed", &seed.to_string()]);
        }
        shell::run(command.current_dir(folder.path()))?;
    }
    Ok(())
}

/// The program, installed where it does not touch the machine's own Python.
fn installed(folder: &Path) -> anyhow::Result<PathBuf> {
    let program = folder.join("bin/st");
    if shell::answers(Command::new(&program).arg("--version")) {
        return Ok(program);
    }
    if !shell::answers(Command::new("python3").arg("--version")) {
        bail!("python3 is not installed; it runs {SCHEMATHESIS}, which makes up the requests");
    }
    shell::run(Command::new("python3").args(["-m", "venv"]).arg(folder))?;
    shell::run(Command::new(folder.join("bin/pip")).args(["install", "--quiet", SCHEMATHESIS]))?;
    Ok(program)
}

/// A host with one merchant, and the keys to it.
struct Host {
    child: Child,
    address: String,
    admin: String,
    operator: String,
}

impl Host {
    fn start(root: &Path, binary: &Path, folder: &Path) -> anyhow::Result<Self> {
        let data = folder.join("data");
        let redress = |words: &[&str]| {
            let mut command = Command::new(binary);
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
}

impl Drop for Host {
    fn drop(&mut self) {
        // It may have ended already, which is what is wanted.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
