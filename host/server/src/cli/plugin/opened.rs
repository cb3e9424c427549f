//! A plugin in a sandbox of the command's own, as its author tries it: from a file, or a stock one by its name.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use redress_sandbox::conformance::{Case, Mistake};
use redress_sandbox::{PluginInfo, Sandbox};

use crate::app;
use crate::cli::error::Error;
use crate::cli::output::Out;
use crate::publish::{self, plugins, stock};

/// Bytes of a plugin's file; the sandbox takes fewer.
const FILE_BYTES_MAX: u64 = 64 << 20;
/// From so many bytes on a compilation is worth a word.
const SLOW_BYTES: usize = 4 << 20;
/// Bytes of a case file: a request of the largest size, written out.
const CASE_BYTES_MAX: u64 = 16 << 20;

/// A plugin that can be called.
pub(super) struct Opened {
    /// Where it runs.
    pub(super) sandbox: Sandbox,
    /// What it says about itself. It is loaded while this is here.
    pub(super) plugin: Arc<PluginInfo>,
    /// The component.
    pub(super) component: Vec<u8>,
}

impl Opened {
    /// Read, check and compile.
    pub(super) fn new(file: &Path, out: &mut Out<'_>) -> Result<Self, Error> {
        Self::beside(sandbox()?, file, out)
    }

    /// As `new`, in the sandbox of another one.
    pub(super) fn beside(sandbox: Sandbox, file: &Path, out: &mut Out<'_>) -> Result<Self, Error> {
        let bytes = bytes(file)?;
        let component = plugins::component(&sandbox, &bytes)?.into_owned();
        if component.len() > SLOW_BYTES {
            out.say(&format!("compiling {} MiB, which takes some seconds", component.len() >> 20));
        }
        let plugin = sandbox.load(&component).map_err(publish::Error::Refused)?;
        Ok(Self { sandbox, plugin, component })
    }

    /// Whether it answers what a case asks.
    pub(super) fn answers(&self, case: &Case) -> Result<(), Error> {
        let (hook, hooks) = (case.question.hook(), &self.plugin.hooks);
        if hooks.contains(&hook) {
            return Ok(());
        }
        let offered: Vec<_> = hooks.iter().map(ToString::to_string).collect();
        let help = format!("case {:?} asks it; the plugin answers {}", case.name, offered.join(" and "));
        Err(Error::NotFound { what: "hook", name: hook.to_string(), help })
    }
}

/// A sandbox with the limits of the product.
pub(super) fn sandbox() -> Result<Sandbox, Error> {
    Ok(Sandbox::new(redress_sandbox::Config::default()).map_err(app::Error::Sandbox)?)
}

/// The bytes of a file, or of a stock plugin: `std/refund-quote`.
pub(super) fn bytes(file: &Path) -> Result<Vec<u8>, Error> {
    let stock = file.to_str().and_then(|name| name.strip_prefix("std/")).and_then(stock::find);
    match stock {
        Some(stock) if !file.exists() => Ok(stock.bytes.to_vec()),
        _ => limited(file, FILE_BYTES_MAX),
    }
}

/// Every case of a folder, or of a file, by name.
pub(super) fn cases(path: &Path) -> Result<Vec<Case>, Error> {
    files(path)?.iter().map(|file| case(file)).collect()
}

/// Every case of a folder, or of a file: the file's name and its text. Each is one.
pub(super) fn case_files(path: &Path) -> Result<Vec<(String, String)>, Error> {
    let read = |file: &PathBuf| {
        let (name, text) = (name(file), text(file)?);
        parse(file, &name, &text)?;
        Ok((name, text))
    };
    files(path)?.iter().map(read).collect()
}

fn files(path: &Path) -> Result<Vec<PathBuf>, Error> {
    let failed = |source| Error::Read { path: path.to_owned(), source };
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files: Vec<PathBuf> = Vec::new();
    for entry in path.read_dir().map_err(failed)? {
        let file = entry.map_err(failed)?.path();
        if file.extension().is_some_and(|ending| ending == "json") {
            files.push(file);
        }
    }
    files.sort();
    if files.is_empty() {
        let what = "a case file, whose name ends in .json";
        return Err(Error::NotFound { what, name: path.display().to_string(), help: CASES_HELP.to_owned() });
    }
    Ok(files)
}

const CASES_HELP: &str = "a case is a file: {\"hook\": \"refund\", \"request\": {..}, \"expect\": {..}}; docs/plugin-contract.md tells what is in it";

/// A case file.
pub(super) fn case(file: &Path) -> Result<Case, Error> {
    parse(file, &name(file), &text(file)?)
}

/// What a case is called whose file does not say.
fn name(file: &Path) -> String {
    file.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

fn text(file: &Path) -> Result<String, Error> {
    String::from_utf8(limited(file, CASE_BYTES_MAX)?).map_err(|error| Error::Read {
        path: file.to_owned(),
        source: io::Error::new(io::ErrorKind::InvalidData, error),
    })
}

fn parse(file: &Path, name: &str, text: &str) -> Result<Case, Error> {
    Case::parse(name, text).map_err(|mistakes| Error::Document {
        code: "case_invalid",
        file: file.display().to_string(),
        count: mistakes.len(),
        problems: mistakes.iter().map(|mistake: &Mistake| format!("{}{mistake}", file.display())).collect(),
        help: CASES_HELP,
    })
}

/// The bytes of a file. Of one that is larger than it may be no more is read than tells so.
fn limited(path: &Path, max: u64) -> Result<Vec<u8>, Error> {
    let failed = |source| Error::Read { path: path.to_owned(), source };
    let mut bytes = Vec::new();
    File::open(path).map_err(failed)?.take(max + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > max {
        return Err(failed(io::Error::other(format!("it has more than {max} bytes"))));
    }
    Ok(bytes)
}
