//! `redress workflow list`: all revisions, the newest first.

use crate::cli::Global;
use crate::cli::error::Error;
use crate::cli::output::Out;
use crate::publish::workflows;

pub(super) const EXAMPLES: &str = "\
Examples:
  redress workflow list --tenant shop --data data
  redress workflow list --active --tenant shop --data data
";

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// Only those that new cases take.
    #[arg(long)]
    active: bool,
}

pub(super) fn run(args: &Args, at: &Global, out: &mut Out<'_>) -> Result<(), Error> {
    let session = at.session()?;
    let actives = workflows::actives(&session.engine)?;
    let mut revisions = workflows::list(&session.engine)?;
    revisions.reverse();
    if args.active {
        revisions.retain(|one| actives.iter().any(|(_, active)| *active == one.revision));
    }
    super::listing(&session.engine, &revisions, &actives).print(at.format(), out)
}
