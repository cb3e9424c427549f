//! `redress effect show`: one effect, with every attempt to deliver it.

use crate::cli::Global;
use crate::cli::door::part;
use crate::cli::error::Error;
use crate::cli::output::{Format, Out};
use crate::cli::shown::{self, Column};

pub(super) const EXAMPLES: &str = "\
Examples:
  redress effect show 5feceb66ffc86f38d952786c6d696c79c2dbc239dd4e91b46729d73a27fb57e9 --tenant shop --data data
  redress effect show 5feceb66ffc86f38d952786c6d696c79c2dbc239dd4e91b46729d73a27fb57e9 --output json --server http://127.0.0.1:7373
";

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The key of the effect.
    key: String,
}

const DELIVERIES: &[Column] = &[
    Column::text("attempt", "/attempt"),
    Column::time("started_at", "/started_at"),
    Column::time("ended_at", "/ended_at"),
    Column::text("connector", "/connector"),
    Column::text("outcome", "/outcome"),
    Column::text("status", "/status"),
    Column::text("reason", "/reason"),
];

pub(super) fn run(args: &Args, at: &Global, out: &mut Out<'_>) -> Result<(), Error> {
    let effect = at.door()?.get(&format!("/v1/effects/{}", part(&args.key)))?;
    if at.format() == Format::Json {
        return out.json(&effect);
    }
    let text = |name: &str| effect[name].as_str().unwrap_or_default().to_owned();
    out.data(&format!("{} of case {}: {}\n", text("kind"), text("number"), text("state")))?;
    let deliveries = effect["deliveries"].as_array().map(Vec::as_slice).unwrap_or_default();
    shown::rows(DELIVERIES, deliveries).print(at.format(), out)
}
