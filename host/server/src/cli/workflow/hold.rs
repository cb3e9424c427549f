//! `redress workflow hold`, `held` and `resume`: pause all cases of a revision, show the holds, and let the cases go on.

use serde_json::{Value as Json, json};

use crate::cli::Global;
use crate::cli::door::part;
use crate::cli::error::Error;
use crate::cli::output::{Format, Out};
use crate::cli::shown::{self, Column};

pub(super) const HOLD_EXAMPLES: &str = "\
Examples:
  redress workflow hold online-retail-return --revision 41 --note \"refunds twice\" --server http://127.0.0.1:7373
  redress workflow hold online-retail-return --revision 9f2c41aa --note \"refunds twice\" --tenant shop --data data
";

pub(super) const RESUME_EXAMPLES: &str = "\
Examples:
  redress workflow resume online-retail-return --revision 41 --note \"the provider is mended\" --server http://127.0.0.1:7373
";

pub(super) const HELD_EXAMPLES: &str = "\
Examples:
  redress workflow held --server http://127.0.0.1:7373
  redress workflow held online-retail-return --output json --tenant shop --data data
  redress case list --paused --tenant shop --data data
";

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The workflow.
    name: String,
    /// The revision: its number, its hash, or at least 8 digits of that.
    #[arg(long)]
    revision: String,
    /// Why, in a few words.
    #[arg(long, value_name = "TEXT")]
    note: String,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct HeldArgs {
    /// Only revisions of this workflow.
    name: Option<String>,
}

const COLUMNS: [Column; 8] = [
    Column::text("workflow", "/workflow"),
    Column::text("number", "/number"),
    Column::digest("revision", "/revision"),
    Column::flag("active", "/active"),
    Column::text("paused_cases", "/paused"),
    Column::time("since", "/since/at"),
    Column::text("by", "/since/by/id"),
    Column::text("note", "/since/note"),
];

pub(super) fn hold(args: &Args, at: &Global, out: &mut Out<'_>) -> Result<(), Error> {
    let held = change("hold", args, at)?;
    print(std::slice::from_ref(&held), at, out)?;
    if held["active"] == true {
        out.say(
            "new cases are refused: make another revision active, by `redress workflow publish` or a rollback, or resume this one",
        );
    }
    Ok(())
}

pub(super) fn resume(args: &Args, at: &Global, out: &mut Out<'_>) -> Result<(), Error> {
    let held = change("resume", args, at)?;
    if at.format() == Format::Json {
        return out.json(&held);
    }
    out.say(&format!("revision {} goes on; {} cases were paused", held["number"], count(&held)));
    Ok(())
}

pub(super) fn held(args: &HeldArgs, at: &Global, out: &mut Out<'_>) -> Result<(), Error> {
    let mut all = at.door()?.all("/v1/holds")?;
    if let Some(name) = &args.name {
        all.retain(|one| one["workflow"] == **name);
    }
    if at.format() == Format::Json {
        return out.json(&Json::Array(all));
    }
    print(&all, at, out)
}

fn change(verb: &str, args: &Args, at: &Global) -> Result<Json, Error> {
    let body = json!({ "revision": args.revision, "note": args.note });
    at.door()?.post(&format!("/v1/workflows/{}/{verb}", part(&args.name)), &body)
}

fn print(held: &[Json], at: &Global, out: &mut Out<'_>) -> Result<(), Error> {
    if let (Format::Json, [one]) = (at.format(), held) {
        return out.json(one);
    }
    let counted = |one: &Json| {
        let mut row = one.clone();
        row["paused"] = json!(count(one));
        row
    };
    let rows: Vec<Json> = held.iter().map(counted).collect();
    shown::rows(&COLUMNS, &rows).print(at.format(), out)
}

fn count(held: &Json) -> String {
    format!("{}{}", held["open_cases"], if held["more"] == true { "+" } else { "" })
}
