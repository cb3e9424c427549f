//! JavaScript: componentize-js puts the source beside an engine, with everything off that would need something of the host.

use redress_sandbox::Class;

use super::tool::Tools;
use super::{Built, manifest, params};
use crate::cli::error::Error;
use crate::cli::plugin::kit;

const NODE: &str = "https://nodejs.org, 20 or later";
const SOURCE: &str = "plugin.js";
const INSTALLED: &str = "node_modules/@bytecodealliance/componentize-js/package.json";

pub(super) fn build(tools: &mut Tools<'_, '_>) -> Result<Built, Error> {
    let manifest = manifest::read(tools.folder, Class::Interpreter)?;
    if !tools.folder.join(INSTALLED).is_file() {
        tools.may_install("componentize-js", "npm install")?;
        tools.out.say("componentize-js and an engine are installed into node_modules, some 400 MB, once");
        tools.run("npm", &["install", "--no-fund", "--no-audit"], NODE)?;
    }
    // It says where a mistake is; componentize-js only says that there is one.
    tools.run("node", &["--check", SOURCE], NODE)?;
    let script = kit::text("templates/js/componentize.mjs").unwrap_or_default();
    super::save(&tools.folder.join("build/componentize.mjs"), script.as_bytes())?;
    super::save(&tools.folder.join("build/params.js"), params::javascript(&manifest.defaults).as_bytes())?;
    let raw = tools.folder.join("build/raw.wasm");
    let world = format!("{}-plugin", manifest.hook);
    tools.run("node", &["build/componentize.mjs", SOURCE, &world, "build/raw.wasm"], NODE)?;
    manifest.put_into(&raw, "componentize-js")
}
