//! `redress workflow backtest`: what a candidate would have decided, before it decides anything.

mod text;

use std::fs::File;
use std::path::PathBuf;
use std::str::FromStr;

use chrono::NaiveDate;
use redress_domain::ids::Slug;

use crate::backtest::trial::{Override, Trial};
use crate::backtest::{self, Select, page, report};
use crate::cli::Global;
use crate::cli::error::Error;
use crate::cli::output::{Format, Out};
use crate::cli::session::{read_bytes, read_text};
use crate::import::progress::{Progress, Unit};
use crate::publish;

pub(super) const EXAMPLES: &str = "\
Examples:
  redress workflow backtest return.yaml --tenant shop --data data
  redress workflow backtest return.yaml --since 2026-01-01 --until 2026-03-31 --output json --tenant shop --data data
  redress workflow backtest return.yaml --html backtest.html --tenant shop --data data
  redress workflow backtest return.yaml --whole --tenant shop --data data
  redress workflow backtest return.yaml --from-scratch --tenant shop --data data
  redress workflow backtest --plugin purchase-match=match.wasm --limit 5000 --tenant shop --data data
";

/// Each case is decided again up to its first wait, with the facts recorded for it. Answers of plugins are taken from the record where
/// the same component was asked the same; else the plugin is called. Nothing is written and nothing leaves.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The candidate. Without one, the active workflows that call an exchanged plugin are tried.
    #[arg(value_name = "CANDIDATE", required_unless_present = "plugins")]
    file: Option<PathBuf>,
    /// Use this component in place of a plugin; may be given several times.
    #[arg(long = "plugin", value_name = "NAME=FILE.wasm")]
    plugins: Vec<Exchange>,
    /// Also write a page with pictures.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Run the whole history anew, on a ledger in memory: each case finds what the candidate left of the purchases before it.
    #[arg(long)]
    from_scratch: bool,
    /// Play closed cases to their end, with the events, answers and outcomes that were recorded for them.
    #[arg(long, conflicts_with = "from_scratch")]
    whole: bool,
    /// Only cases opened on this day or later, in the zone of the workflow.
    #[arg(long, value_name = "YYYY-MM-DD")]
    since: Option<NaiveDate>,
    /// Only cases opened on this day or before.
    #[arg(long, value_name = "YYYY-MM-DD")]
    until: Option<NaiveDate>,
    /// Only cases of this type.
    #[arg(long, value_name = "TYPE", value_parser = |text: &str| Slug::new(text))]
    kind: Option<Slug>,
    /// Only the newest so many.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    limit: Option<u64>,
}

/// A component in place of a plugin.
#[derive(Debug, Clone)]
struct Exchange {
    name: String,
    file: PathBuf,
}

impl FromStr for Exchange {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once('=') {
            Some((name, file)) if !name.is_empty() && !file.is_empty() => {
                Ok(Self { name: name.to_owned(), file: file.into() })
            }
            _ => Err("expected NAME=FILE.wasm"),
        }
    }
}

pub(super) fn run(args: &Args, at: &Global, out: &mut Out<'_>) -> Result<(), Error> {
    let format = at.format();
    if format == Format::Csv {
        let help = "use --output table or --output json";
        return Err(Error::Form { command: "a backtest", form: "csv", help });
    }
    let text = args.file.as_deref().map(read_text).transpose()?;
    let bytes = |one: &Exchange| Ok(Override { name: one.name.clone(), bytes: read_bytes(&one.file)? });
    let overrides: Vec<Override> = args.plugins.iter().map(bytes).collect::<Result<_, Error>>()?;
    if let Some(page) = &args.html {
        // Before the work, so that it is not done for nothing.
        File::options().append(true).create(true).open(page).map_err(Error::Write)?;
    }
    let session = at.session()?;
    let trial = Trial::new(&session.engine, text.as_deref(), &overrides).map_err(|error| match error {
        backtest::Error::Publish(publish::Error::Invalid(problems)) => {
            let file = args.file.clone().unwrap_or_else(|| PathBuf::from("(active workflow)"));
            let help = "nothing was decided: only a valid workflow can be tried";
            Error::document("workflow_invalid", &file, text.as_deref().unwrap_or_default(), &problems, help)
        }
        error => error.into(),
    })?;
    let select =
        Select { since: args.since, until: args.until, kind: args.kind.clone(), limit: args.limit, whole: args.whole };
    let mut progress = Progress::to_stderr();
    let mut begun = false;
    let mut tell = |done, total| {
        if !begun {
            progress.begin("backtest", total, Unit::Things);
            begun = true;
        }
        progress.reached(done);
    };
    let run = if args.from_scratch { backtest::from_scratch } else { backtest::run };
    let found = run(&session.engine, &trial, &select, &mut tell)?;
    if begun {
        progress.end();
    }
    if let Some(file) = &args.html {
        std::fs::write(file, page::html(&found)).map_err(Error::Write)?;
    }
    match format {
        Format::Json => out.json(&report::json(&found)),
        Format::Table | Format::Csv => out.data(&text::report(&found)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exchange_names_a_plugin_and_a_file() {
        let given: Exchange = "purchase-match=out/match.wasm".parse().unwrap();
        assert_eq!((given.name.as_str(), given.file.to_str()), ("purchase-match", Some("out/match.wasm")));
        assert!(["purchase-match", "=a.wasm", "a="].iter().all(|text| text.parse::<Exchange>().is_err()));
    }
}
