//! `redress workflow show`: the text of a revision, with what it is pinned to.

use std::path::Path;

use serde_json::{Value as Json, json};

use super::text::{self, find};
use crate::cli::Global;
use crate::cli::error::Error;
use crate::cli::output::{Format, Out};
use crate::cli::session::Session;
use crate::cli::words::clean;
use crate::publish::bases;
use crate::publish::workflows::Revision;

pub(super) const EXAMPLES: &str = "\
Examples:
  redress workflow show online-retail-return --tenant shop --data data
  redress workflow show online-retail-return --revision 3f2a --tenant shop --data data
  redress workflow show apparel-return --resolved --tenant shop --data data
  redress workflow show online-retail-return --server http://127.0.0.1:7373 --key-file viewer.key
";

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The workflow.
    name: String,
    /// The beginning of a revision's hash; without it the active one.
    #[arg(long, value_name = "HASH")]
    revision: Option<String>,
    /// Of an overlay the whole document that it is with its base, in place of its own text.
    #[arg(long)]
    resolved: bool,
}

pub(super) fn run(args: &Args, at: &Global, out: &mut Out<'_>) -> Result<(), Error> {
    if at.server.is_some() {
        return asked(args, at, out);
    }
    let session = at.session()?;
    let (mut revision, is_active) = find(&session, &args.name, args.revision.as_deref())?;
    if args.resolved {
        let invalid = |found: Vec<_>| {
            Error::document("workflow_invalid", Path::new(&args.name), &revision.source, &found, "nothing was changed")
        };
        revision.source = bases::whole(&revision).map_err(invalid)?.write();
    }
    match at.format() {
        Format::Table => out.data(&stored(&revision, is_active, &session)),
        Format::Json => out.json(&json(&revision, is_active)),
        Format::Csv => Err(no_csv()),
    }
}

fn no_csv() -> Error {
    Error::Form { command: "one workflow", form: "csv", help: "use --output table or --output json" }
}

/// The same, as a running host has it.
fn asked(args: &Args, at: &Global, out: &mut Out<'_>) -> Result<(), Error> {
    let door = at.door()?;
    let (mut found, is_active) = text::asked(&door, &args.name, args.revision.as_deref())?;
    found["active"] = is_active.into();
    if let (true, Json::String(whole)) = (args.resolved, found["resolved"].take()) {
        found["source"] = whole.into();
    }
    if let Some(fields) = found.as_object_mut() {
        fields.remove("resolved");
    }
    match at.format() {
        Format::Table => out.data(&told(&found)),
        Format::Json => out.json(&found),
        Format::Csv => Err(no_csv()),
    }
}

/// As `stored`, of what a host told. Times are in UTC: a host may be anywhere.
fn told(found: &Json) -> String {
    let text = |pointer: &str| found.pointer(pointer).and_then(Json::as_str).map(clean).unwrap_or_default();
    let active = if found["active"] == true { ", active" } else { "" };
    let mut lines =
        format!("# {} number {}{active}\n# revision {}\n", text("/workflow"), found["number"], text("/revision"));
    if found["extends"].is_string() {
        lines += &format!("# extends {}\n", text("/extends"));
    }
    let note = if text("/note").is_empty() { String::new() } else { format!(": {}", text("/note")) };
    lines += &format!("# published {} by {}{note}\n", text("/published_at"), text("/by/id"));
    for (name, digest) in found["plugins"].as_object().into_iter().flatten() {
        lines += &format!("# plugin {} {}\n", clean(name), digest.as_str().unwrap_or_default());
    }
    format!("{lines}\n{}\n", found["source"].as_str().unwrap_or_default().trim_end_matches('\n'))
}

/// Facts as YAML comments, then the text as it was published: together a file that can be published again.
fn stored(revision: &Revision, is_active: bool, session: &Session) -> String {
    let zone = session.engine.record().zone;
    let active = if is_active { ", active" } else { "" };
    let mut lines = format!("# {} number {}{active}\n", revision.workflow, revision.number);
    lines += &format!("# revision {}\n", revision.revision);
    if let Some(base) = &revision.base {
        lines += &format!("# extends {}\n", base.name);
    }
    lines += &format!("# published {} by {}", revision.published_at.display(zone), revision.by.id);
    lines += &if revision.note.is_empty() { "\n".to_owned() } else { format!(": {}\n", clean(&revision.note)) };
    for (name, digest) in &revision.plugins {
        lines += &format!("# plugin {name} {digest}\n");
    }
    lines += "\n";
    lines + revision.source.trim_end_matches('\n') + "\n"
}

fn json(revision: &Revision, is_active: bool) -> Json {
    json!({
        "workflow": revision.workflow,
        "revision": revision.revision,
        "number": revision.number,
        "active": is_active,
        "published_at": revision.published_at.to_string(),
        "by": { "kind": revision.by.kind, "id": revision.by.id, "role": revision.by.role },
        "note": revision.note,
        "plugins": revision.plugins,
        "extends": revision.base.as_ref().map(|base| &base.name),
        "source": revision.source,
    })
}
