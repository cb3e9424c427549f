//! `redress workflow list`: all revisions, the newest first.

use crate::cli::Global;
use crate::cli::error::Error;
use crate::cli::output::Out;
use crate::cli::shown::{self, Column};
use crate::publish::workflows;

pub(super) const EXAMPLES: &str = "\
Examples:
  redress workflow list --tenant shop --data data
  redress workflow list --active --tenant shop --data data
  redress workflow list --server http://127.0.0.1:7373 --key-file viewer.key
";

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// Only those that new cases take.
    #[arg(long)]
    active: bool,
}

pub(super) fn run(args: &Args, at: &Global, out: &mut Out<'_>) -> Result<(), Error> {
    if at.server.is_some() {
        return asked(args, at, out);
    }
    let session = at.session()?;
    let actives = workflows::actives(&session.engine)?;
    let mut revisions = workflows::list(&session.engine)?;
    revisions.reverse();
    if args.active {
        revisions.retain(|one| actives.iter().any(|(_, active)| *active == one.revision));
    }
    super::listing(&session.engine, &revisions, &actives).print(at.format(), out)
}

const COLUMNS: [Column; 8] = [
    Column::count("number", "/number"),
    Column::text("workflow", "/workflow"),
    Column::digest("revision", "/revision"),
    Column::flag("active", "/active"),
    Column::text("state", "/state"),
    Column::time("published_at", "/published_at"),
    Column::text("by", "/by/id"),
    Column::text("note", "/note"),
];

fn asked(args: &Args, at: &Global, out: &mut Out<'_>) -> Result<(), Error> {
    let mut revisions = super::asked::revisions(&at.door()?)?;
    revisions.retain(|one| one["active"] == true || !args.active);
    shown::rows(&COLUMNS, &revisions).print(at.format(), out)
}
