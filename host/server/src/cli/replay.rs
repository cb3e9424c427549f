//! `redress replay`: what was decided, decided again by the same rules, plugins and facts.

use std::path::{Path, PathBuf};

use chrono::NaiveDate;
use redress_domain::ids::Slug;
use redress_sandbox::Config;
use serde_json::Value as Json;

use super::Global;
use super::case::show;
use super::error::Error;
use super::output::{Format, Out};
use super::session::{Session, read_bytes};
use super::words::{clean, count};
use crate::backtest::Select;
use crate::engine::Engine;
use crate::import::progress::{Progress, Unit};
use crate::replay::exported::{self, Exported};
use crate::replay::{self, Difference, Report, report};

pub(super) const EXAMPLES: &str = "\
Examples:
  redress replay 00019 --tenant shop --data data
  redress replay --all --data data --output json
  redress replay --all --limit 1000 --tenant shop --data data
  redress replay 00019 --export decisions.json --tenant shop --data data
  redress replay decisions.json
";

/// Differences that are shown; JSON has more.
const SHOWN: usize = 10;

/// Most characters of a side that are shown; JSON has all.
const SIDE_CHARS: usize = 300;

/// Each turn is computed again from its record, each plugin asked again by the component that was asked. On the same engine answer and
/// fuel must be the same to the byte; on another engine the answers. It ends with 1 where anything differs. Nothing is written.
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
    let found = match &args.what {
        None => all(args, at)?,
        // A file that is there is meant; no case is called like one that is there.
        Some(file) if args.export.is_none() && Path::new(file).is_file() => {
            Exported::read(&read_bytes(Path::new(file))?)?.replay(Config::default())?
        }
        Some(case) => {
            let session = at.session()?;
            let id = find(&session.engine, case, args.source.as_deref())?;
            if let Some(file) = &args.export {
                return export(&session, id, file, out);
            }
            replay::case(&session.engine, id)?
        }
    };
    match format {
        Format::Json => out.json(&report::json(&found))?,
        Format::Table | Format::Csv => out.data(&text(&found))?,
    }
    if found.different == 0 { Ok(()) } else { Err(Error::Different(found.different)) }
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

fn export(session: &Session, case: redress_domain::ids::CaseId, file: &Path, out: &mut Out<'_>) -> Result<(), Error> {
    let exported = exported::export(&session.engine, &session.app.host().objects(), case)?;
    std::fs::write(file, exported.write()).map_err(Error::Write)?;
    out.say(&format!("{} written to {}", count(exported.decisions(), "decision"), file.display()));
    Ok(())
}

fn text(report: &Report) -> String {
    let number = |n: u64, what| count(usize::try_from(n).unwrap_or(usize::MAX), what);
    let mut text = format!(
        "{} of plugins made again, in {} of {}: {}\n",
        number(report.checked, "decision"),
        number(report.turns, "turn"),
        number(report.cases, "case"),
        match report.different {
            0 => "nothing differs".to_owned(),
            n => format!("{n} different"),
        }
    );
    for one in report.differences.iter().take(SHOWN) {
        text += &difference(one);
    }
    if report.differences.len() > SHOWN {
        text += &format!("and {} more: --output json has them\n", report.different - SHOWN as u64);
    }
    if report.followed > 0 {
        text += &format!("{} after a difference of the same turn: not counted\n", number(report.followed, "question"));
    }
    if report.fuel_moved > 0 {
        text += &format!("{} with other fuel on another engine\n", number(report.fuel_moved, "decision"));
    }
    for (code, n) in &report.unknown {
        text += &format!("{} that cannot be made again: {code}\n", number(*n, "decision"));
    }
    for (engine, n) in &report.engines {
        text += &format!("{} by engine {}\n", number(*n, "decision"), clean(engine));
    }
    text
}

fn difference(one: &Difference) -> String {
    let tenant = if one.case.tenant.is_empty() { String::new() } else { format!("{} ", one.case.tenant) };
    let ask = match (&one.ask, &one.step, &one.plugin) {
        (Some(ask), Some(step), Some((plugin, digest))) => {
            format!(", question {ask}: step {step} asks {plugin} ({})", digest.short())
        }
        _ => String::new(),
    };
    let (recorded, found) = report::sides(&one.what);
    format!(
        "  {tenant}case {}, turn {}{ask}: {} differs\n    recorded: {}\n    now:      {}\n",
        one.case.number,
        one.turn,
        one.what.code(),
        side(&recorded),
        side(&found)
    )
}

fn side(value: &Json) -> String {
    let text = match value {
        Json::String(text) => text.clone(),
        other => other.to_string(),
    };
    let text = clean(&text);
    match text.char_indices().nth(SIDE_CHARS) {
        Some((end, _)) => format!("{}\u{2026}", &text[..end]),
        None => text,
    }
}
