//! Rust: cargo makes a core module, in which the SDK left types and manifest.

use std::path::PathBuf;

use serde_json::Value as Json;

use super::Built;
use super::tool::Tools;
use crate::cli::error::Error;

const TARGET: &str = "wasm32-unknown-unknown";
const CARGO: &str = "https://rustup.rs";

pub(super) fn build(tools: &mut Tools<'_, '_>) -> Result<Built, Error> {
    let (name, target) = package(tools)?;
    super::without_earlier(tools.folder, &name)?;
    ensure_target(tools)?;
    let mut args = vec!["build", "--release", "--target", TARGET];
    args.extend(tools.offline.then_some("--offline"));
    tools.run("cargo", &args, CARGO)?;
    let module = target.join(TARGET).join("release").join(format!("{}.wasm", name.replace('-', "_")));
    let bytes = std::fs::read(&module).map_err(|source| Error::Read { path: module, source })?;
    Ok(Built { name, bytes })
}

/// The package's name, and where cargo puts what it makes.
fn package(tools: &Tools<'_, '_>) -> Result<(String, PathBuf), Error> {
    let args = ["metadata", "--no-deps", "--format-version", "1", "--offline"];
    let told = tools.ask("cargo", &args, CARGO)?.and_then(|json| serde_json::from_slice::<Json>(&json).ok());
    let word = |json: &Json, pointer: &str| json.pointer(pointer).and_then(Json::as_str).map(str::to_owned);
    let both = told.and_then(|json| word(&json, "/packages/0/name").zip(word(&json, "/target_directory")));
    let (name, target) = both.ok_or_else(|| Error::NotBuilt { tool: "cargo metadata".to_owned() })?;
    Ok((name, PathBuf::from(target)))
}

/// The target's standard library, which rustup brings.
fn ensure_target(tools: &mut Tools<'_, '_>) -> Result<(), Error> {
    let there = tools.ask("rustc", &["--print", "target-libdir", "--target", TARGET], CARGO)?;
    let folder = there.map(|path| PathBuf::from(String::from_utf8_lossy(&path).trim()));
    if folder.is_some_and(|folder| folder.is_dir()) {
        return Ok(());
    }
    let how = "rustup target add wasm32-unknown-unknown";
    tools.may_install("the target wasm32-unknown-unknown", how)?;
    tools.run("rustup", &["target", "add", TARGET], CARGO)
}
