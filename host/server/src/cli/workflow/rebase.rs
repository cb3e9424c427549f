//! `redress workflow rebase`: an overlay on another edition of its base, with what that means to each of its changes.

use std::path::{Path, PathBuf};

use redress_domain::workflow::overlay::rebase::{self, Meets, Own, Rebase};
use redress_domain::workflow::{diagnostic, overlay};
use serde_json::{Value as Json, json};

use super::check::Checker;
use super::text::{Reader, Text};
use crate::cli::Global;
use crate::cli::error::Error;
use crate::cli::output::{Format, Out};
use crate::cli::words;

pub(super) const EXAMPLES: &str = "\
Examples:
  redress workflow rebase return.yaml --onto std/consumer-return@2
  redress workflow rebase return.yaml --onto std/consumer-return@2 --write --tenant shop --data data

What the base changed is shown, and what that means to each change of the overlay: it stays, it is superfluous because the base says
the same now, or both changed the same and a person decides. Then the overlay is checked on the new base as a whole. --write puts the
new base into the file, where nothing is in conflict and the check passes; nothing is published.
";

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The overlay.
    file: PathBuf,
    /// The new base, as std/consumer-return@2.
    #[arg(long, value_name = "BASE")]
    onto: String,
    /// Write the new base into the file.
    #[arg(long)]
    write: bool,
}

pub(super) fn run(args: &Args, at: &Global, out: &mut Out<'_>) -> Result<(), Error> {
    let reader = Reader::new(at);
    let text = reader.read(&args.file.display().to_string())?;
    let rebase = rebased(&reader, &text, &args.onto)?;
    let checker = match reader.into_session() {
        Some(session) => Checker::Tenant(Box::new(session)),
        None => Checker::new(at)?,
    };
    let problems = checker.problems(&rebase.source)?;
    let conflicts = rebase.own.iter().filter(|own| own.meets == Meets::Conflict).count();
    let is_clean = conflicts == 0 && problems.is_empty();
    match at.format() {
        Format::Table => {
            out.data(&table(&rebase, &args.onto))?;
            let file = args.file.display().to_string();
            problems.iter().try_for_each(|one| out.data(&diagnostic::render(&file, &rebase.source, one)))?;
        }
        Format::Json => {
            let problems: Vec<Json> =
                problems.iter().map(|one| json!({ "code": one.code, "message": one.message })).collect();
            out.json(&json(&rebase, &problems))?;
        }
        Format::Csv => {
            return Err(Error::Form {
                command: "a base update",
                form: "csv",
                help: "use --output table or --output json",
            });
        }
    }
    if args.write && is_clean {
        write(&args.file, &rebase.source)?;
        out.say(&format!("{} extends {} now", args.file.display(), args.onto));
    }
    if is_clean {
        out.say(
            "next: redress workflow backtest tries it on the cases of the past, redress workflow publish makes it live",
        );
        return Ok(());
    }
    let help = "decide each conflict in the file and name the new base there; the file was not changed";
    let count = conflicts + problems.len();
    Err(Error::Document {
        code: "base_conflict",
        file: args.file.display().to_string(),
        count,
        problems: Vec::new(),
        help,
    })
}

/// The comparison of what the overlay extends now with what it is to extend.
fn rebased(reader: &Reader<'_>, text: &Text, onto: &str) -> Result<Rebase, Error> {
    let not_one = |what: &'static str| Error::NotFound {
        what,
        name: text.name.clone(),
        help: "an overlay names its base by `extends`".to_owned(),
    };
    let old = overlay::base_of(&text.source).ok_or_else(|| not_one("overlay"))?;
    let (before, after) = (reader.base(&old)?, reader.base(onto)?);
    rebase::rebase(&text.source, &before, &after, onto).ok_or_else(|| not_one("overlay that can be read"))
}

fn write(file: &Path, source: &str) -> Result<(), Error> {
    std::fs::write(file, source).map_err(|source| Error::Read { path: file.to_owned(), source })
}

fn table(rebase: &Rebase, onto: &str) -> String {
    let mut out = format!("{onto} has {}\n", words::count(rebase.base.len(), "change"));
    out.extend(rebase.base.iter().map(|change| format!("  {}", super::diff::line(change))));
    out += &format!("the overlay has {}\n", words::count(rebase.own.len(), "change"));
    for own in &rebase.own {
        let field = if own.field.is_empty() { String::new() } else { format!(" {}", own.field) };
        out += &format!("  line {}: {} {}{field}: {}\n", own.line, own.what, own.name, own.meets.word());
        if own.meets == Meets::Conflict {
            out.extend(own.changes.iter().map(|change| format!("    the base: {}", super::diff::line(change))));
        }
    }
    out
}

fn json(rebase: &Rebase, problems: &[Json]) -> Json {
    let own = |own: &Own| {
        json!({
            "line": own.line, "what": own.what, "name": own.name, "field": own.field, "meets": own.meets.word(),
            "base": super::diff::listing(&own.changes).objects(),
        })
    };
    json!({
        "base": super::diff::listing(&rebase.base).objects(),
        "own": rebase.own.iter().map(own).collect::<Vec<_>>(),
        "problems": problems,
        "source": rebase.source,
    })
}
