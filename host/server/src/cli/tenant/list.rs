//! `redress tenant list`: show all tenants.

use crate::cli::Global;
use crate::cli::error::Error;
use crate::cli::output::Out;

pub(super) const EXAMPLES: &str = "\
Examples:
  redress tenant list --data data
  redress tenant list --data data --output json
";

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {}

pub(super) fn run(_: &Args, at: &Global, out: &mut Out<'_>) -> Result<(), Error> {
    super::listing(&at.host()?.tenants()?).print(at.format(), out)
}
