//! `cargo xtask probe`: requests made up from the OpenAPI document, thousands of them, against a real host: no answer may be a
//! failure of ours, and none may differ from what the document says. The program that makes them up is schemathesis, from PyPI;
//! it is installed into `target/probe` and is no part of the tests.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::bail;

use crate::host::{Host, TENANT};
use crate::metadata::Workspace;
use crate::shell;

/// The version that was tried; another one may know other checks.
const SCHEMATHESIS: &str = "schemathesis==4.32.5";
/// What must hold of every answer.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,response_schema_conformance";
/// Tells it how WebAssembly is made up.
const UPLOADS: &str = include_str!("probe/uploads.py");

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
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("uploads.py"), UPLOADS)?;
    let host = Host::start(root, folder.path())?;
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
        command.env("SCHEMATHESIS_HOOKS", "uploads").env("PYTHONPATH", folder.path());
        command.env("REDRESS_COMPONENTS", target.join("stock-plugins"));
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
