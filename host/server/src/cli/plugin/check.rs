//! `redress plugin check`: everything that a host asks of a plugin before it takes it, and more.

mod junit;

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anstyle::{AnsiColor, Style};
use redress_domain::clock::Zone;
use redress_sandbox::conformance::{self, Finding, Level, Plan, Report};
use serde_json::{Value as Json, json};

use super::opened::{self, Opened};
use crate::cli::Global;
use crate::cli::error::Error;
use crate::cli::listing::{Cell, Listing};
use crate::cli::output::{Format, Out};
use crate::cli::words;
use crate::import::progress::{Progress, Unit};

pub(super) const EXAMPLES: &str = "\
Examples:
  redress plugin check build/restocking-fee.wasm
  redress plugin check build/restocking-fee.wasm --cases cases
  redress plugin check build/restocking-fee.wasm --cases cases --junit report.xml --deny-warnings
  redress plugin check build/restocking-fee.wasm --seed 7 --generated 2000 --keep broken --output json
";

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The plugin: a component, a core module with its types, or a stock one as std/NAME.
    file: PathBuf,
    /// Your own cases: a folder of *.json, or one file. They are the same for `run` and `diff`.
    #[arg(long, value_name = "DIR")]
    cases: Option<PathBuf>,
    /// What the generated cases begin from: the same seed asks the same.
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,
    /// How many cases are generated for each hook.
    #[arg(long, value_name = "COUNT", default_value_t = 200, value_parser = clap::value_parser!(u32).range(0..=100_000))]
    generated: u32,
    /// Write each case that broke a rule into this folder, made small, to be run and mended.
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
    /// Write a report in JUnit's form as well.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// A warning fails the command too.
    #[arg(long)]
    deny_warnings: bool,
}

pub(super) fn run(args: &Args, at: &Global, out: &mut Out<'_>) -> Result<(), Error> {
    let own = args.cases.as_deref().map(opened::cases).transpose()?.unwrap_or_default();
    let opened = Opened::new(&args.file, out)?;
    own.iter().try_for_each(|case| opened.answers(case))?;
    let (began, progress) = (Instant::now(), RefCell::new(None));
    // What takes less than a second needs no word.
    let told = |done: usize, all: usize| {
        let mut progress = progress.borrow_mut();
        if progress.is_none() && began.elapsed().as_secs() > 0 {
            progress.insert(Progress::to_stderr()).begin("calls", all as u64, Unit::Things);
        }
        progress.iter_mut().for_each(|bar: &mut Progress| bar.reached(done as u64));
    };
    let plan = Plan { generated: args.generated, progress: &told, ..Plan::new(args.seed, &own) };
    let report = conformance::check(&opened.sandbox, &opened.plugin, &plan);
    progress.borrow_mut().iter_mut().for_each(Progress::end);
    if let Some(folder) = &args.keep {
        keep(&report, folder)?;
    }
    if let Some(file) = &args.junit {
        std::fs::write(file, junit::report(&report, &own)).map_err(Error::Write)?;
    }
    print(&report, opened.component.len(), at.format(), out)?;
    verdict(&report, args)
}

/// The command fails where a rule was broken. How was printed: it is what was asked for.
fn verdict(report: &Report, args: &Args) -> Result<(), Error> {
    let broken = |level: Level| report.rules.iter().filter(move |rule| rule.level == level && rule.broken > 0).count();
    let (errors, warnings) = (broken(Level::Error), broken(Level::Warning));
    let count = errors + if args.deny_warnings { warnings } else { 0 };
    if count == 0 {
        return Ok(());
    }
    let help = match (&args.keep, errors) {
        (_, 0) => "without --deny-warnings a warning fails nothing",
        (None, _) => {
            "--keep DIR writes each case that broke a rule as a file; redress plugin run FILE --input CASE shows one"
        }
        (Some(_), _) => "redress plugin run FILE --input CASE shows what became of a case that was kept",
    };
    let file = args.file.display().to_string();
    Err(Error::Document { code: "plugin_rules_broken", file, count, problems: Vec::new(), help })
}

fn keep(report: &Report, folder: &Path) -> Result<(), Error> {
    std::fs::create_dir_all(folder).map_err(Error::Write)?;
    for finding in &report.findings {
        let Some(written) = &finding.written else { continue };
        let file = folder.join(format!("{}-{}.json", finding.rule.name(), finding.case));
        std::fs::write(file, format!("{written:#}\n")).map_err(Error::Write)?;
    }
    Ok(())
}

fn print(report: &Report, bytes: usize, format: Format, out: &mut Out<'_>) -> Result<(), Error> {
    match format {
        Format::Table => text(report, bytes, out),
        Format::Json => {
            let mut json = serde_json::to_value(report).unwrap_or_default();
            json["clean"] = Json::from(report.is_clean());
            json["bytes"] = json!(bytes);
            out.json(&json)
        }
        Format::Csv => {
            let columns = vec!["rule", "level", "hook", "case", "detail"];
            let row = |one: &Finding| {
                let level = if one.level == Level::Error { "error" } else { "warning" };
                [one.rule.name(), level, one.hook.name(), &one.case, &one.detail].map(Cell::text).into()
            };
            let rows = report.findings.iter().map(row).collect();
            Listing { columns, hidden: &[], zone: Zone::UTC, rows }.print(format, out)
        }
    }
}

fn text(report: &Report, bytes: usize, out: &mut Out<'_>) -> Result<(), Error> {
    let hooks: Vec<_> = report.hooks.iter().map(ToString::to_string).collect();
    out.data(&format!(
        "{} {}, {}, {bytes} bytes, sha256 {}\n{}, {} undecided; most fuel {} of {} ({}), case {}\n",
        report.plugin,
        report.version,
        hooks.join(" and "),
        &report.digest[..12],
        words::count(report.cases, "case"),
        report.undecided,
        report.fuel.used,
        report.fuel.given,
        percent(report.fuel.used, report.fuel.given),
        report.fuel.case,
    ))?;
    for one in &report.undecided_because {
        out.data(&format!("  {:>6} x  {}\n", one.cases, words::clean(&one.because)))?;
    }
    for rule in &report.rules {
        let (word, color) = match (rule.broken, rule.level) {
            _ if rule.checked == 0 => ("-     ", AnsiColor::White),
            (0, _) => ("ok    ", AnsiColor::Green),
            (_, Level::Warning) => ("WARN  ", AnsiColor::Yellow),
            (_, Level::Error) => ("BROKEN", AnsiColor::Red),
        };
        let word = out.styled(true, Style::new().fg_color(Some(color.into())), word);
        let count = match rule.broken {
            0 => rule.checked.to_string(),
            broken => format!("{broken} of {}", rule.checked),
        };
        out.data(&format!("  {word}  {:<18}  {count:>10}  {}\n", rule.rule.name(), rule.rule.about()))?;
    }
    for one in &report.findings {
        let (rule, case, detail) = (one.rule.name(), words::clean(&one.case), words::clean(&one.detail));
        out.data(&format!("\n{rule}, {} case {case}\n  {detail}\n", one.hook))?;
    }
    if report.skipped > 0 {
        out.say(&format!("{} could not be asked: the machine had no room", words::count(report.skipped, "case")));
    }
    Ok(())
}

/// A part in percent with one place, without a float.
pub(super) fn percent(part: u64, whole: u64) -> String {
    let tenths = u128::from(part) * 1_000 / u128::from(whole.max(1));
    format!("{}.{} %", tenths / 10, tenths % 10)
}
