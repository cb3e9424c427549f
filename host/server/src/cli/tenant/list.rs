//! `redress tenant list`: show all tenants.

use crate::cli::Global;
use crate::cli::error::Error;
use crate::cli::output::Out;
use crate::cli::shown;

pub(super) const EXAMPLES: &str = "\
Examples:
  redress tenant list --data data
  redress tenant list --data data --output json
  redress tenant list --server http://127.0.0.1:7373 --key-file operator.key
";

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {}

pub(super) fn run(_: &Args, at: &Global, out: &mut Out<'_>) -> Result<(), Error> {
    if at.server.is_some() {
        return shown::rows(&super::COLUMNS, &at.door()?.all("/v1/tenants")?).print(at.format(), out);
    }
    super::listing(&at.host()?.tenants()?).print(at.format(), out)
}
