//! `redress key list`: all keys, without their secrets.

use serde_json::Value as Json;

use crate::cli::Global;
use crate::cli::error::Error;
use crate::cli::output::Out;
use crate::cli::shown::{self, Column};

pub(super) const EXAMPLES: &str = "\
Examples:
  redress key list --data data
  redress key list --tenant shop --server http://127.0.0.1:7373
";

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {}

const COLUMNS: &[Column] = &[
    Column::text("id", "/id"),
    Column::text("role", "/role"),
    Column::text("tenant", "/tenant"),
    Column::text("name", "/name"),
    Column::flag("backdate", "/backdate"),
    Column::time("created_at", "/created_at"),
    Column::time("revoked_at", "/revoked_at"),
];

pub(super) fn run(_: &Args, at: &Global, out: &mut Out<'_>) -> Result<(), Error> {
    let door = at.door()?;
    let mut rows: Vec<Json> = Vec::new();
    let mut address = "/v1/keys?limit=100".to_owned();
    loop {
        let page = door.get(&address)?;
        rows.extend(page["data"].as_array().cloned().unwrap_or_default());
        let Some(next) = page["next_cursor"].as_str() else { break };
        address = format!("/v1/keys?limit=100&cursor={next}");
    }
    shown::rows(COLUMNS, &rows).print(at.format(), out)
}
