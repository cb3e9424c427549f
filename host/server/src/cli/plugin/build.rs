//! `redress plugin build`: from a project to a component, by the language's own tools; what is missing is said with what installs it.

mod c;
mod javascript;
mod manifest;
mod params;
mod python;
mod rust;
mod tool;

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use redress_domain::ids::Digest;
use serde_json::json;

use super::opened::sandbox;
use crate::cli::Global;
use crate::cli::error::Error;
use crate::cli::output::{Format, Out};
use crate::publish::plugins;
use tool::Tools;

pub(super) const EXAMPLES: &str = "\
Examples:
  redress plugin build
  redress plugin build restocking-fee --offline
  redress plugin build restocking-fee --output json
";

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The project's folder.
    #[arg(default_value = ".")]
    folder: PathBuf,
    /// Install nothing and fetch nothing: what is missing is said.
    #[arg(long)]
    offline: bool,
}

/// What was built: a component, or a core module that becomes one.
struct Built {
    name: String,
    bytes: Vec<u8>,
}

pub(super) fn run(args: &Args, at: &Global, out: &mut Out<'_>) -> Result<(), Error> {
    let mut tools = Tools { folder: &args.folder, offline: args.offline, out };
    let has = |file: &str| args.folder.join(file).is_file();
    let built = match () {
        () if has("Cargo.toml") => rust::build(&mut tools)?,
        () if has("package.json") && has("plugin.json") => javascript::build(&mut tools)?,
        () if has("plugin.c") && has("plugin.json") => c::build(&mut tools)?,
        () if has("app.py") && has("plugin.json") => python::build(&mut tools)?,
        () => {
            let help =
                "it has none of Cargo.toml, plugin.c, package.json and app.py; redress plugin new makes one".to_owned();
            return Err(Error::NotFound { what: "plugin in", name: args.folder.display().to_string(), help });
        }
    };
    let below = if args.folder == Path::new(".") { Path::new("") } else { &args.folder };
    let file = below.join("build").join(format!("{}.wasm", built.name));
    let sandbox = sandbox()?;
    let component = plugins::component(&sandbox, &built.bytes)?;
    // What no host would take is not written.
    let info = plugins::read(&sandbox, &component)?;
    save(&file, &component)?;
    let (bytes, digest) = (component.len(), Digest::of(&component));
    if at.format() == Format::Json {
        return out.json(&json!({
            "file": file.display().to_string(), "bytes": bytes, "digest": digest.to_string(),
            "name": info.manifest.name, "version": info.manifest.version, "hooks": info.hooks,
        }));
    }
    let hooks: Vec<_> = info.hooks.iter().map(ToString::to_string).collect();
    out.data(&format!(
        "{}: {} {}, {}, {bytes} bytes, sha256 {}\n",
        file.display(),
        info.manifest.name,
        info.manifest.version,
        hooks.join(" and "),
        digest.short()
    ))
}

/// Takes the component of an earlier build away, before anything is built: it is not what the source says any more, whatever comes of
/// this build.
fn without_earlier(folder: &Path, name: &str) -> Result<(), Error> {
    match fs::remove_file(folder.join("build").join(format!("{name}.wasm"))) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(Error::Write(error)),
        _ => Ok(()),
    }
}

fn save(file: &Path, bytes: &[u8]) -> Result<(), Error> {
    let made = file.parent().map_or(Ok(()), fs::create_dir_all);
    made.and_then(|()| fs::write(file, bytes)).map_err(Error::Write)
}
