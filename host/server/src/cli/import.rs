//! `redress import`: orders and cases of the past, read through a mapping.

mod show;

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Subcommand;

use crate::cli::error::Error;
use crate::cli::output::Out;
use crate::cli::session::{actor, read_text};
use crate::cli::{Global, HELP};
use crate::import;
use crate::import::mapping::{self, Mapping};
use crate::import::progress::Progress;
use crate::import::timings::Timings;

const EXAMPLES: &str = "\
Examples:
  redress import --map import.yaml orders.csv.gz --tenant shop --data data
  redress import --map import.yaml 2011-*.csv --timings --tenant shop --data data
  redress import show --tenant shop --data data
";

/// Orders first, then cases by time. What is known already is not changed, so a stopped import is run again.
#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES, subcommand_negates_reqs = true)]
pub(super) struct Args {
    #[command(subcommand)]
    verb: Option<Verb>,
    /// The mapping: how rows become orders and cases.
    #[arg(long, value_name = "FILE", required = true)]
    map: Option<PathBuf>,
    /// The data: CSV, gzip or not.
    #[arg(required = true, value_name = "DATA")]
    files: Vec<PathBuf>,
    /// Tell on standard error how fast it was.
    #[arg(long)]
    timings: bool,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Show what the last import took in and what it left out, and why.
    #[command(help_template = HELP, before_help = show::EXAMPLES)]
    Show(show::Args),
}

pub(super) fn run(args: &Args, at: &Global, out: &mut Out<'_>) -> Result<(), Error> {
    match (&args.verb, &args.map) {
        (Some(Verb::Show(args)), _) => show::run(args, at, out),
        (None, Some(map)) => take_in(map, args, at, out),
        (None, None) => Err(Error::Missing { what: "mapping", help: "give --map FILE" }),
    }
}

fn take_in(map: &Path, args: &Args, at: &Global, out: &mut Out<'_>) -> Result<(), Error> {
    let mapping = mapping(map)?;
    let session = at.session()?;
    let due = || session.engine.run_due(session.app.clock().now()).map_err(Error::from);
    // What a process that died left to do comes first.
    due()?;
    let mut progress = Progress::to_stderr();
    let (report, timings) = import::import(&session.engine, &mapping, &args.files, &actor(), &mut progress)?;
    due()?;
    if args.timings {
        out.say(&speed(&timings));
    }
    show::print(&report, at.format(), out)
}

fn mapping(file: &Path) -> Result<Mapping, Error> {
    let text = read_text(file)?;
    let help = "nothing was read; workflows/README.md describes mappings";
    mapping::load(&text).map_err(|problems| Error::document("mapping_invalid", file, &text, &problems, help))
}

/// One line for people and for whoever compares two runs.
fn speed(timings: &Timings) -> String {
    format!(
        "decided {} cases in {} turns: {} cases/s, {} turns/s, a turn p50 {} p99 {}; read in {}, orders in {}, cases in {}",
        timings.decided,
        timings.turns,
        timings.cases_per_second(),
        timings.turns_per_second(),
        millis(timings.percentile(50)),
        millis(timings.percentile(99)),
        millis(timings.reading),
        millis(timings.orders),
        millis(timings.cases),
    )
}

/// To a tenth of a millisecond, without a float.
fn millis(duration: Duration) -> String {
    let tenths = duration.as_micros() / 100;
    format!("{}.{} ms", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_to_a_tenth_of_a_millisecond() {
        assert_eq!(millis(Duration::from_micros(1_250)), "1.2 ms");
        assert_eq!(millis(Duration::from_millis(61_000)), "61000.0 ms");
    }
}
