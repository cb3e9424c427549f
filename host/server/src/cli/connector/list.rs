//! `redress connector list`: where effects go, without secrets.

use crate::cli::Global;
use crate::cli::error::Error;
use crate::cli::output::Out;
use crate::cli::shown::{self, Column};

pub(super) const EXAMPLES: &str = "\
Examples:
  redress connector list --server http://127.0.0.1:7373 --key-file admin.key
  redress connector list --tenant shop --data data --output json
";

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {}

pub(super) const COLUMNS: [Column; 7] = [
    Column::text("kind", "/kind"),
    Column::text("how", "/how"),
    Column::text("url", "/url"),
    Column::text("path", "/path"),
    Column::text("from", "/from"),
    Column::text("key_lifetime", "/key_lifetime"),
    Column::text("answer_within", "/answer_within"),
];

pub(super) fn run(_: &Args, at: &Global, out: &mut Out<'_>) -> Result<(), Error> {
    shown::rows(&COLUMNS, &at.door()?.all("/v1/connectors")?).print(at.format(), out)
}
