//! `redress plugin push`: check, compile and activate a component.

use std::path::PathBuf;

use axum::http::Method;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use redress_domain::clock::Zone;
use redress_sandbox::Sandbox;
use serde_json::Value as Json;

use crate::app;
use crate::cli::door::{Door, part};
use crate::cli::error::Error;
use crate::cli::listing::{Cell, Listing};
use crate::cli::output::Out;
use crate::cli::session::{actor, read_bytes, read_text};
use crate::cli::shown::{self, Column};
use crate::cli::{Global, words};
use crate::publish::plugins::Upload;
use crate::publish::way::Way;
use crate::publish::{plugins, workflows};

pub(super) const EXAMPLES: &str = "\
Examples:
  redress plugin push target/my-rule.wasm --tenant shop --data data
  redress plugin push deny-all.wasm --name purchase-match --tenant shop --data data
  redress plugin push my-rule.wasm --server http://127.0.0.1:7373 --key-file admin.key
  redress plugin push my-rule.wasm --signature my-rule.wasm.minisig --tenant shop --data data
";

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The WebAssembly component, or a core module with its types, of which the host makes one.
    file: PathBuf,
    /// The name that workflows call it by; without it the one in its manifest.
    #[arg(long)]
    name: Option<String>,
    /// Its signature, as `minisign -S` writes it.
    #[arg(long, value_name = "FILE.minisig")]
    signature: Option<PathBuf>,
}

pub(super) fn run(args: &Args, at: &Global, out: &mut Out<'_>) -> Result<(), Error> {
    let bytes = read_bytes(&args.file)?;
    let signature = args.signature.as_deref().map(read_text).transpose()?;
    if at.server.is_some() {
        return asked(args, bytes, signature.as_deref(), at, out);
    }
    let session = at.session()?;
    let engine = &session.engine;
    let info = plugins::read(engine.sandbox(), &bytes)?;
    let name = args.name.as_deref().unwrap_or(&info.manifest.name);
    let before = workflows::actives(engine)?;
    let (by, signature) = (actor(), signature.as_deref());
    let upload = Upload { name, bytes: &bytes, signature, by: &by, way: Way::Cli, answer: None };
    let active = plugins::push(engine, &session.app.host().objects(), &upload)?;
    for (workflow, revision) in workflows::actives(engine)?.iter().filter(|now| !before.contains(now)) {
        out.say(&format!("workflow {workflow} calls it and has a new revision: {}", revision.short()));
    }
    // It is there: that its past could not be read changes nothing of that.
    let earlier = plugins::history(engine).unwrap_or_default().into_iter().map(|became| became.plugin);
    let earlier = earlier.filter(|one| one.plugin == active.plugin).map(|one| (one.version, one.digest.to_string()));
    if let Some(note) = note(&active.version, &active.digest.to_string(), earlier) {
        out.say(&note);
    }
    let row = vec![Cell::text(active.plugin), Cell::text(active.version), Cell::Digest(active.digest)];
    let listing =
        Listing { columns: vec!["plugin", "version", "digest"], hidden: &[], zone: Zone::UTC, rows: vec![row] };
    listing.print(at.format(), out)
}

const COLUMNS: [Column; 3] =
    [Column::text("plugin", "/plugin"), Column::text("version", "/version"), Column::digest("digest", "/digest")];

/// Through a running host.
fn asked(args: &Args, bytes: Vec<u8>, signature: Option<&str>, at: &Global, out: &mut Out<'_>) -> Result<(), Error> {
    let address = format!("/v1/plugins/{}", part(&name_of(args.name.as_deref(), &bytes)?));
    let door = at.door()?;
    let plugin = hand_in(&door, &address, bytes, signature)?;
    let text = |one: &Json, key: &str| one[key].as_str().unwrap_or_default().to_owned();
    // It is there: that its past could not be read changes nothing of that.
    let past = door.get(&format!("/v1/plugins/{}", part(&text(&plugin, "plugin")))).unwrap_or_default();
    let earlier =
        past["history"].as_array().into_iter().flatten().map(|one| (text(one, "version"), text(one, "digest")));
    if let Some(note) = note(&text(&plugin, "version"), &text(&plugin, "digest"), earlier) {
        out.say(&note);
    }
    shown::rows(&COLUMNS, &[plugin]).print(at.format(), out)
}

/// What is to be said of a version that does not tell a component from what was active before.
fn note(version: &str, digest: &str, earlier: impl Iterator<Item = (String, String)>) -> Option<String> {
    let numbers = |version: &str| version.split('.').map(|part| part.parse().ok()).collect::<Option<Vec<u64>>>();
    let mut newest: Option<(Vec<u64>, String)> = None;
    for (other, bytes) in earlier.filter(|(_, bytes)| bytes != digest) {
        if other == version {
            let bytes = words::clean(bytes.get(..8).unwrap_or(&bytes));
            return Some(format!(
                "note: {version} was active before with other bytes ({bytes}); a version of its own would tell them apart"
            ));
        }
        newest = newest.max(numbers(&other).map(|numbers| (numbers, other)));
    }
    let (above, other) = newest?;
    (numbers(version)? < above)
        .then(|| format!("note: it is {version}, and {} was active before", words::clean(&other)))
}

/// The name that was given, or the one in the manifest. It is read here: the address has it.
pub(super) fn name_of(given: Option<&str>, bytes: &[u8]) -> Result<String, Error> {
    if let Some(name) = given {
        return Ok(name.to_owned());
    }
    let sandbox = Sandbox::new(redress_sandbox::Config::default()).map_err(app::Error::Sandbox)?;
    Ok(plugins::read(&sandbox, bytes)?.manifest.name.clone())
}

/// Put a component at an address, with its signature where it has one.
pub(super) fn hand_in(door: &Door, address: &str, bytes: Vec<u8>, signature: Option<&str>) -> Result<Json, Error> {
    let signature = signature.map(|text| BASE64.encode(text));
    let signature = signature.as_deref().map(|signature| ("redress-signature", signature));
    let headers: Vec<(&str, &str)> = [("content-type", "application/wasm")].into_iter().chain(signature).collect();
    door.send_bytes(Method::PUT, address, bytes, &headers)
}

#[cfg(test)]
mod tests {
    use super::note;

    fn said(version: &str, earlier: &[(&str, &str)]) -> Option<String> {
        note(version, "aaaa", earlier.iter().map(|(version, digest)| ((*version).to_owned(), (*digest).to_owned())))
    }

    #[test]
    fn a_version_that_was_there_with_other_bytes_and_one_that_is_lower_are_told() {
        assert_eq!(said("0.1.0", &[]), None);
        assert_eq!(said("0.1.0", &[("0.1.0", "aaaa"), ("0.0.9", "bbbb")]), None);
        assert!(said("0.1.0", &[("0.1.0", "bbbbbbbbbbbb")]).unwrap().contains("other bytes (bbbbbbbb)"));
        let lower = said("0.9.0", &[("0.10.0", "bbbb"), ("0.2.0", "cccc"), ("0.9.0", "aaaa")]).unwrap();
        assert!(lower.contains("0.10.0 was active before"), "{lower}");
    }
}
