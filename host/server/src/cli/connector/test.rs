//! `redress connector test`: whether somebody is there.

use serde_json::json;

use crate::cli::Global;
use crate::cli::door::part;
use crate::cli::error::Error;
use crate::cli::output::{Format, Out};
use crate::cli::shown::{self, Column};

pub(super) const EXAMPLES: &str = "\
Examples:
  redress connector test payment --server http://127.0.0.1:7373 --key-file admin.key
";

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// payment, stock, notification, mail, or http:NAME.
    kind: String,
}

const COLUMNS: [Column; 4] = [
    Column::text("kind", "/kind"),
    Column::flag("good", "/good"),
    Column::count("status", "/status"),
    Column::text("reason", "/reason"),
];

pub(super) fn run(args: &Args, at: &Global, out: &mut Out<'_>) -> Result<(), Error> {
    let tested = at.door()?.post(&format!("/v1/connectors/{}/test", part(&args.kind)), &json!({}))?;
    match at.format() {
        Format::Json => out.json(&tested)?,
        format => shown::rows(&COLUMNS, std::slice::from_ref(&tested)).print(format, out)?,
    }
    if tested["good"] == true { Ok(()) } else { Err(Error::Unwell(1)) }
}
