//! `redress workflow gc`: delete revisions that nobody needs.

use serde_json::{Value as Json, json};

use crate::cli::Global;
use crate::cli::error::Error;
use crate::cli::output::{Format, Out};
use crate::cli::shown::{self, Column};

pub(super) const EXAMPLES: &str = "\
Examples:
  redress workflow gc --dry-run --server http://127.0.0.1:7373
  redress workflow gc online-retail-return --older-than 365 --note \"once a year\" --tenant shop --data data
";

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// Only revisions of this workflow.
    name: Option<String>,
    /// Only revisions that are out of use for so many days; never within 30.
    #[arg(long, value_name = "DAYS", default_value_t = crate::publish::gc::DAYS_USUAL)]
    older_than: u32,
    /// Only say what would be deleted, and why the others are kept.
    #[arg(long)]
    dry_run: bool,
    /// Why, in a few words.
    #[arg(long, value_name = "TEXT", default_value = "")]
    note: String,
}

const COLUMNS: [Column; 6] = [
    Column::text("what", "/what"),
    Column::text("workflow", "/workflow"),
    Column::text("number", "/number"),
    Column::digest("revision", "/revision"),
    Column::time("used_at", "/used_at"),
    Column::text("because", "/because"),
];

pub(super) fn run(args: &Args, at: &Global, out: &mut Out<'_>) -> Result<(), Error> {
    let body = json!({
        "workflow": args.name, "older_than_days": args.older_than, "dry_run": args.dry_run, "note": args.note,
    });
    let report = at.door()?.post("/v1/revisions/gc", &body)?;
    if at.format() == Format::Json {
        return out.json(&report);
    }
    let verb = if args.dry_run { "would delete" } else { "deleted" };
    let told = |list: &str, what: &str| -> Vec<Json> {
        let mut rows = report[list].as_array().cloned().unwrap_or_default();
        rows.iter_mut().for_each(|row| row["what"] = json!(what));
        rows
    };
    let (deleted, kept) = (told("deleted", verb), told("kept", "kept"));
    let counts = format!("{verb} {} of {} revisions", deleted.len(), deleted.len() + kept.len());
    shown::rows(&COLUMNS, &[deleted, kept].concat()).print(at.format(), out)?;
    out.say(&counts);
    if report["more"] == true {
        out.say("there is more: run it again");
    }
    Ok(())
}
