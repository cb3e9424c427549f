//! `redress replay`: what was decided, decided again by the same rules, plugins and facts.

mod asked;
mod told;

use std::path::{Path, PathBuf};

use chrono::NaiveDate;
use redress_domain::ids::Slug;
use redress_sandbox::Config;

use super::Global;
use super::case::show;
use super::error::Error;
use super::output::{Format, Out};
use super::session::read_bytes;
use super::words::count;
use crate::backtest::Select;
use crate::engine::Engine;
use crate::import::progress::{Progress, Unit};
use crate::replay::exported::{self, Exported};
use crate::replay::{self, Report, report};

pub(super) const EXAMPLES: &str = "\
Examples:
  redress replay 00019 --tenant shop --data data
  redress replay --all --data data --output json
  redress replay --all --limit 1000 --tenant shop --data data
  redress replay 00019 --export decisions.json --tenant shop --data data
  redress replay decisions.json
  redress replay 00019 --server http://127.0.0.1:7373 --key-file viewer.key
  redress replay --all --since 2026-03-01 --server http://127.0.0.1:7373 --key-file viewer.key --output json
";

/// Each turn is computed again from its record, each plugin asked again by the component that was asked. On the same engine answer and
/// fuel must be the same to the byte; on another engine the answers. It ends with 1 where anything differs. Nothing is written. A running host
/// does it part by part, behind everything else that it does.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A case by its number, its id or its name in another system; or a file of exported decisions.
    #[arg(value_name = "CASE|FILE", required_unless_present = "all", conflicts_with = "all")]
    what: Option<String>,
    /// The system that gives the case its name, where several give the same.
    #[arg(long, value_name = "NAME", requires = "what")]
    source: Option<String>,
    /// Every case: of the tenant, or without one of all tenants.
    #[arg(long)]
    all: bool,
    /// Write the decisions of the case to a file, with the components that made them, and replay nothing.
    #[arg(long, value_name = "FILE", conflicts_with = "all")]
    export: Option<PathBuf>,
    /// Only cases opened on this day or later, in the zone of the tenant.
    #[arg(long, value_name = "YYYY-MM-DD", conflicts_with = "what")]
    since: Option<NaiveDate>,
    /// Only cases opened on this day or before.
    #[arg(long, value_name = "YYYY-MM-DD", conflicts_with = "what")]
    until: Option<NaiveDate>,
    /// Only cases of this type.
    #[arg(long, value_name = "TYPE", conflicts_with = "what", value_parser = |text: &str| Slug::new(text))]
    kind: Option<Slug>,
    /// Only the newest so many of each tenant.
    #[arg(long, value_name = "N", conflicts_with = "what", value_parser = clap::value_parser!(u64).range(1..))]
    limit: Option<u64>,
}

pub(super) fn run(args: &Args, at: &Global, out: &mut Out<'_>) -> Result<(), Error> {
    let format = at.format();
    if format == Format::Csv {
        let help = "use --output table or --output json";
        return Err(Error::Form { command: "a replay", form: "csv", help });
    }
    // A file that is there is meant; no case is called like one that is there.
    let file = args.what.as_deref().map(Path::new).filter(|file| args.export.is_none() && file.is_file());
    let found = match (file, &args.export) {
        (Some(file), _) => report::json(&Exported::read(&read_bytes(file)?)?.replay(Config::default())?),
        (None, Some(file)) => return export(args, file, at, out),
        (None, None) if at.server.is_some() => asked::found(args, at)?,
        (None, None) => report::json(&found(args, at)?),
    };
    match format {
        Format::Json => out.json(&found)?,
        Format::Table | Format::Csv => out.data(&told::text(&found))?,
    }
    match found["different"].as_u64() {
        None | Some(0) => Ok(()),
        Some(different) => Err(Error::Different(different)),
    }
}

fn found(args: &Args, at: &Global) -> Result<Report, Error> {
    match &args.what {
        None => all(args, at),
        Some(case) => {
            let session = at.session()?;
            Ok(replay::case(&session.engine, find(&session.engine, case, args.source.as_deref())?)?)
        }
    }
}

fn all(args: &Args, at: &Global) -> Result<Report, Error> {
    let select =
        Select { since: args.since, until: args.until, kind: args.kind.clone(), limit: args.limit, whole: false };
    if at.tenant.is_some() {
        return cases(&at.session()?.engine, &select);
    }
    let app = at.host()?;
    let mut report = Report::default();
    for tenant in app.tenants()? {
        report.add(cases(&app.engine(tenant.slug.as_str())?, &select)?);
    }
    Ok(report)
}

fn cases(engine: &Engine, select: &Select) -> Result<Report, Error> {
    let (mut progress, mut begun) = (Progress::to_stderr(), false);
    let mut tell = |done, total| {
        if !begun {
            progress.begin("replay", total, Unit::Things);
            begun = true;
        }
        progress.reached(done);
    };
    let found = replay::cases(engine, select, &mut tell)?;
    if begun {
        progress.end();
    }
    Ok(found)
}

fn find(engine: &Engine, case: &str, source: Option<&str>) -> Result<redress_domain::ids::CaseId, Error> {
    let named = show::Args { case: case.to_owned(), source: source.map(ToOwned::to_owned) };
    show::find(&engine.store().read()?, &named)?.ok_or_else(|| show::not_found(case))
}

fn export(args: &Args, file: &Path, at: &Global, out: &mut Out<'_>) -> Result<(), Error> {
    let session = at.session()?;
    let case = find(&session.engine, args.what.as_deref().unwrap_or_default(), args.source.as_deref())?;
    let exported = exported::export(&session.engine, &session.app.host().objects(), case)?;
    std::fs::write(file, exported.write()).map_err(Error::Write)?;
    out.say(&format!("{} written to {}", count(exported.decisions(), "decision"), file.display()));
    Ok(())
}
