//! `redress effect list`: effects by their state.

use clap::ValueEnum;

use crate::cli::Global;
use crate::cli::door::part;
use crate::cli::error::Error;
use crate::cli::output::Out;
use crate::cli::shown::{self, Column};

pub(super) const EXAMPLES: &str = "\
Examples:
  redress effect list --state unknown --tenant shop --data data
  redress effect list --limit 100 --server http://127.0.0.1:7373 --key-file desk1.key
";

/// What is known of an effect.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum State {
    Unknown,
    Intended,
    Declined,
    Confirmed,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// Only those of this state.
    #[arg(long, value_enum)]
    state: Option<State>,
    /// How many.
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=100))]
    limit: u16,
    /// Behind this cursor, which the page before ended with.
    #[arg(long, value_name = "CURSOR")]
    after: Option<String>,
}

const COLUMNS: &[Column] = &[
    Column::text("case", "/number"),
    Column::text("kind", "/kind"),
    Column::text("state", "/state"),
    Column::text("amount", "/amount"),
    Column::time("intended_at", "/intended_at"),
    Column::text("key", "/key"),
];

pub(super) fn run(args: &Args, at: &Global, out: &mut Out<'_>) -> Result<(), Error> {
    let mut address = format!("/v1/effects?limit={}", args.limit);
    if let Some(state) = args.state.and_then(|state| state.to_possible_value()) {
        address.push_str(&format!("&state={}", state.get_name()));
    }
    if let Some(after) = &args.after {
        address.push_str(&format!("&cursor={}", part(after)));
    }
    let page = at.door()?.get(&address)?;
    shown::page(COLUMNS, "effects", &page, at.format(), out)
}
