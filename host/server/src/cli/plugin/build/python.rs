//! Python: componentize-py puts the source beside an interpreter; what it would need of a host is stubbed.

use redress_sandbox::Class;

use super::tool::Tools;
use super::{Built, manifest, params};
use crate::cli::error::Error;

const PYTHON: &str = "Python 3.10 or later, with venv";
const TOOL: &str = ".venv/bin/componentize-py";

pub(super) fn build(tools: &mut Tools<'_, '_>) -> Result<Built, Error> {
    let manifest = manifest::read(tools.folder, Class::Interpreter)?;
    if !tools.folder.join(TOOL).is_file() {
        let how = "python3 -m venv .venv && .venv/bin/pip install -r requirements.txt";
        tools.may_install("componentize-py", how)?;
        tools.out.say("componentize-py is installed into .venv, some 70 MB, once");
        tools.run("python3", &["-m", "venv", ".venv"], PYTHON)?;
        let pip = tools.folder.join(".venv/bin/pip");
        tools.run(&absolute(&pip), &["install", "--quiet", "-r", "requirements.txt"], PYTHON)?;
    }
    let raw = tools.folder.join("build/raw.wasm");
    super::save(&raw, b"")?;
    super::save(&tools.folder.join("build/params.py"), params::python(&manifest.defaults).as_bytes())?;
    // Without it a package of that name that is installed would be found first.
    super::save(&tools.folder.join("build/__init__.py"), b"")?;
    let world = format!("{}-plugin", manifest.hook);
    let tool = absolute(&tools.folder.join(TOOL));
    tools.run(
        &tool,
        &["-d", "wit", "-w", &world, "componentize", "app", "-o", "build/raw.wasm", "--stub-wasi"],
        PYTHON,
    )?;
    manifest.put_into(&raw, "componentize-py")
}

/// A program in the project is started by its whole path: a relative one would be looked for where this program stands.
fn absolute(path: &std::path::Path) -> String {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned()).display().to_string()
}
