//! `redress workflow show`: the text of a revision, with what it is pinned to.

use serde_json::{Value as Json, json};

use crate::cli::Global;
use crate::cli::error::Error;
use crate::cli::output::{Format, Out};
use crate::cli::session::Session;
use crate::publish::workflows::{self, Revision};

pub(super) const EXAMPLES: &str = "\
Examples:
  redress workflow show online-retail-return --tenant shop --data data
  redress workflow show online-retail-return --revision 3f2a --tenant shop --data data
";

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The workflow.
    name: String,
    /// The beginning of a revision's hash; without it the active one.
    #[arg(long, value_name = "HASH")]
    revision: Option<String>,
}

pub(super) fn run(args: &Args, at: &Global, out: &mut Out<'_>) -> Result<(), Error> {
    let session = at.session()?;
    let (revision, is_active) = find(&session, args)?;
    match at.format() {
        Format::Table => out.data(&text(&revision, is_active, &session)),
        Format::Json => out.json(&json(&revision, is_active)),
        Format::Csv => {
            Err(Error::Form { command: "one workflow", form: "csv", help: "use --output table or --output json" })
        }
    }
}

fn find(session: &Session, args: &Args) -> Result<(Revision, bool), Error> {
    let lists = || "redress workflow list shows all revisions".to_owned();
    let mut revisions = workflows::list(&session.engine)?;
    revisions.retain(|one| one.workflow.as_str() == args.name);
    if revisions.is_empty() {
        return Err(Error::NotFound { what: "workflow", name: args.name.clone(), help: lists() });
    }
    let actives = workflows::actives(&session.engine)?;
    let active = actives.into_iter().find(|(name, _)| name.as_str() == args.name).map(|(_, revision)| revision);
    match &args.revision {
        None => revisions.retain(|one| Some(one.revision) == active),
        Some(prefix) => revisions.retain(|one| one.revision.to_string().starts_with(&prefix.to_ascii_lowercase())),
    }
    let wanted = args.revision.clone().unwrap_or_default();
    match revisions.len() {
        0 => Err(Error::NotFound { what: "revision", name: wanted, help: lists() }),
        1 => {
            let revision = revisions.remove(0);
            let is_active = Some(revision.revision) == active;
            Ok((revision, is_active))
        }
        _ => Err(Error::Ambiguous(wanted)),
    }
}

/// Facts as YAML comments, then the text as it was published: together a file that can be published again.
fn text(revision: &Revision, is_active: bool, session: &Session) -> String {
    let zone = session.engine.record().zone;
    let active = if is_active { ", active" } else { "" };
    let mut lines = format!("# {} number {}{active}\n", revision.workflow, revision.number);
    lines += &format!("# revision {}\n", revision.revision);
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
        "source": revision.source,
    })
}
