//! `redress workflow show`: the text of a revision, with what it is pinned to.

use std::path::Path;

use serde_json::{Value as Json, json};

use super::text::find;
use crate::cli::Global;
use crate::cli::error::Error;
use crate::cli::output::{Format, Out};
use crate::cli::session::Session;
use crate::publish::bases;
use crate::publish::workflows::Revision;

pub(super) const EXAMPLES: &str = "\
Examples:
  redress workflow show online-retail-return --tenant shop --data data
  redress workflow show online-retail-return --revision 3f2a --tenant shop --data data
  redress workflow show apparel-return --resolved --tenant shop --data data
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
    let session = at.session()?;
    let (mut revision, is_active) = find(&session, &args.name, args.revision.as_deref())?;
    if args.resolved {
        let invalid = |found: Vec<_>| {
            Error::document("workflow_invalid", Path::new(&args.name), &revision.source, &found, "nothing was changed")
        };
        revision.source = bases::whole(&revision).map_err(invalid)?.write();
    }
    match at.format() {
        Format::Table => out.data(&text(&revision, is_active, &session)),
        Format::Json => out.json(&json(&revision, is_active)),
        Format::Csv => {
            Err(Error::Form { command: "one workflow", form: "csv", help: "use --output table or --output json" })
        }
    }
}

/// Facts as YAML comments, then the text as it was published: together a file that can be published again.
fn text(revision: &Revision, is_active: bool, session: &Session) -> String {
    let zone = session.engine.record().zone;
    let active = if is_active { ", active" } else { "" };
    let mut lines = format!("# {} number {}{active}\n", revision.workflow, revision.number);
    lines += &format!("# revision {}\n", revision.revision);
    if let Some(base) = &revision.base {
        lines += &format!("# extends {}\n", base.name);
    }
    lines += &format!("# published {} by {}", revision.published_at.display(zone), revision.by.id);
    lines += &if revision.note.is_empty() {
        "\n".to_owned()
    } else {
        format!(": {}\n", crate::cli::words::clean(&revision.note))
    };
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
