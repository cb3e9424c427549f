//! `redress plugin bench`: what one case costs, over many calls.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use redress_domain::clock::Zone;

use super::check::percent;
use super::opened::{self, Opened};
use crate::cli::Global;
use crate::cli::error::Error;
use crate::cli::listing::{Cell, Listing};
use crate::cli::output::{Format, Out};

pub(super) const EXAMPLES: &str = "\
Examples:
  redress plugin bench build/restocking-fee.wasm --input cases/opened.json
  redress plugin bench std/refund-quote --input case.json --calls 10000 --output json
";

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The plugin: a component, a core module with its types, or a stock one as std/NAME.
    file: PathBuf,
    /// The case.
    #[arg(long, value_name = "FILE")]
    input: PathBuf,
    /// How often it is asked, each time in a fresh instance; a tenth more before counts nothing.
    #[arg(long, value_name = "COUNT", default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    calls: u32,
}

pub(super) fn run(args: &Args, at: &Global, out: &mut Out<'_>) -> Result<(), Error> {
    let case = opened::case(&args.input)?;
    let opened = Opened::new(&args.file, out)?;
    opened.answers(&case)?;
    let ask = || opened.sandbox.attempt(&opened.plugin.digest, case.question.call());
    let first = ask();
    (0..args.calls / 10).for_each(|_| drop(ask()));
    let mut times: Vec<Duration> = (0..args.calls)
        .map(|_| {
            let began = Instant::now();
            drop(ask());
            began.elapsed()
        })
        .collect();
    times.sort_unstable();
    let at_percent = |percent: usize| times[(times.len() * percent / 100).min(times.len() - 1)];
    let ended = match &first.result {
        Ok(_) => "answer",
        Err(error) => error.code(),
    };
    let columns = vec!["case", "ended", "calls", "median_us", "p99_us", "most_us", "fuel", "fuel_max"];
    let row = vec![
        Cell::text(&case.name),
        Cell::text(ended),
        Cell::Count(args.calls.into()),
        Cell::Decimal(micros(at_percent(50))),
        Cell::Decimal(micros(at_percent(99))),
        Cell::Decimal(micros(at_percent(100))),
        Cell::Count(first.fuel),
        Cell::Count(first.fuel_max),
    ];
    Listing { columns, hidden: &[], zone: Zone::UTC, rows: vec![row] }.print(at.format(), out)?;
    if at.format() == Format::Table {
        let used = percent(first.fuel, first.fuel_max);
        out.say(&format!(
            "fuel is the same on every machine: {used} of what this case may use; times are this machine's"
        ));
    }
    Ok(())
}

/// To a tenth of a microsecond, without a float.
fn micros(time: Duration) -> String {
    let tenths = time.as_nanos() / 100;
    format!("{}.{}", tenths / 10, tenths % 10)
}
