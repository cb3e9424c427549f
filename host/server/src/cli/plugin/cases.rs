//! `redress plugin cases`: the merchant's own cases, which every upload of a plugin is asked before it is taken.

use std::path::PathBuf;

use axum::http::Method;
use clap::Subcommand;
use serde_json::Value as Json;

use super::opened;
use crate::cli::door::{Door, part};
use crate::cli::error::Error;
use crate::cli::output::{Format, Out};
use crate::cli::shown::{self, Column};
use crate::cli::{Global, HELP, words};

pub(super) const EXAMPLES: &str = "\
Examples:
  redress plugin cases push restocking-fee cases --server http://127.0.0.1:7373 --key-file admin.key
  redress plugin cases list restocking-fee --tenant shop --data data
";
const PUSH: &str = "\
Examples:
  redress plugin cases push restocking-fee cases --note \"what we agreed on\" --server http://127.0.0.1:7373 --key-file admin.key
  redress plugin cases push restocking-fee cases --prune --tenant shop --data data
";
const LIST: &str = "\
Examples:
  redress plugin cases list restocking-fee --server http://127.0.0.1:7373 --key-file viewer.key
  redress plugin cases list restocking-fee --output json --tenant shop --data data
";
const SHOW: &str = "\
Examples:
  redress plugin cases show restocking-fee late > late.json
";
const REMOVE: &str = "\
Examples:
  redress plugin cases remove restocking-fee late opened --server http://127.0.0.1:7373 --key-file admin.key
";

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Verb {
    /// Keep the cases of a folder, or of a file; a component that answers one otherwise is not taken from then on.
    #[command(help_template = HELP, before_help = PUSH)]
    Push(PushArgs),
    /// Show the cases of a plugin.
    #[command(help_template = HELP, before_help = LIST)]
    List(Of),
    /// Show the file of a case.
    #[command(help_template = HELP, before_help = SHOW)]
    Show(ShowArgs),
    /// Remove cases: nothing is asked them any more.
    #[command(help_template = HELP, before_help = REMOVE)]
    Remove(RemoveArgs),
}

/// A plugin.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Of {
    /// The name that workflows call it by, without a version.
    plugin: String,
}

/// The host asks them of whatever is pushed or staged under the name, as `redress plugin check --cases` does. A case is called like its file,
/// without the ending. What is active stays so.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct PushArgs {
    #[command(flatten)]
    of: Of,
    /// The cases: a folder of *.json, or one file.
    #[arg(value_name = "DIR|FILE")]
    cases: PathBuf,
    /// Remove cases that are kept and are not among these.
    #[arg(long)]
    prune: bool,
    /// Why, in a few words.
    #[arg(long, value_name = "TEXT", default_value = "")]
    note: String,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct ShowArgs {
    #[command(flatten)]
    of: Of,
    /// The case.
    case: String,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct RemoveArgs {
    #[command(flatten)]
    of: Of,
    /// The cases.
    #[arg(required = true)]
    cases: Vec<String>,
}

const COLUMNS: [Column; 6] = [
    Column::text("case", "/case"),
    Column::text("hook", "/hook"),
    Column::flag("expects", "/expects"),
    Column::time("since", "/since/at"),
    Column::text("by", "/since/by/id"),
    Column::text("note", "/since/note"),
];

pub(super) fn run(verb: &Verb, at: &Global, out: &mut Out<'_>) -> Result<(), Error> {
    match verb {
        Verb::Push(args) => push(args, at, out),
        Verb::List(of) => print(&at.door()?.all(&address(of))?, at, out),
        Verb::Show(args) => {
            let case = at.door()?.get(&of_case(&args.of, &args.case))?;
            if at.format() == Format::Json {
                return out.json(&case);
            }
            out.data(case["source"].as_str().unwrap_or_default())
        }
        Verb::Remove(args) => {
            let door = at.door()?;
            remove(&door, &args.of, args.cases.iter().map(String::as_str), out)
        }
    }
}

fn push(args: &PushArgs, at: &Global, out: &mut Out<'_>) -> Result<(), Error> {
    // Each is one before the first is sent.
    let files = opened::case_files(&args.cases)?;
    let door = at.door()?;
    let note = if args.note.is_empty() { String::new() } else { format!("?note={}", part(&args.note)) };
    let keep = |(name, text): &(String, String)| {
        let address = format!("{}{note}", of_case(&args.of, name));
        door.send_bytes(Method::PUT, &address, text.clone().into_bytes(), &[("content-type", "application/json")])
    };
    let kept = files.iter().map(keep).collect::<Result<Vec<Json>, Error>>()?;
    let others = |all: &[Json]| -> Vec<String> {
        let names = all.iter().filter_map(|one| one["case"].as_str());
        names.filter(|name| !files.iter().any(|(file, _)| file == name)).map(str::to_owned).collect()
    };
    if args.prune {
        let others = others(&door.all(&address(&args.of))?);
        remove(&door, &args.of, others.iter().map(String::as_str), out)?;
    } else if let Ok(all) = door.all(&address(&args.of))
        && !others(&all).is_empty()
    {
        let count = words::count(others(&all).len(), "case");
        out.say(&format!("note: {count} kept before and not among these; --prune removes what is not"));
    }
    say_if_unknown(&door, &args.of.plugin, out);
    print(&kept, at, out)
}

/// Cases under a name that nothing has wait for it. They are kept: that this could not be looked up changes nothing of that.
fn say_if_unknown(door: &Door, plugin: &str, out: &mut Out<'_>) {
    let Ok(plugins) = door.all("/v1/plugins") else { return };
    let mut names = plugins.iter().filter_map(|one| one["plugin"].as_str()?.split('@').next());
    if !names.any(|name| name == plugin) {
        let plugin = words::clean(plugin);
        out.say(&format!("note: there is no plugin {plugin} yet; they are asked once one is pushed under this name"));
    }
}

fn remove<'a>(door: &Door, of: &Of, cases: impl Iterator<Item = &'a str>, out: &mut Out<'_>) -> Result<(), Error> {
    let mut removed = 0;
    for case in cases {
        door.send(Method::DELETE, &of_case(of, case), None, &[])?;
        removed += 1;
    }
    if removed > 0 {
        out.say(&format!("{} removed", words::count(removed, "case")));
    }
    Ok(())
}

fn print(cases: &[Json], at: &Global, out: &mut Out<'_>) -> Result<(), Error> {
    if at.format() == Format::Json {
        return out.json(&Json::Array(cases.to_vec()));
    }
    shown::rows(&COLUMNS, cases).print(at.format(), out)
}

fn address(of: &Of) -> String {
    format!("/v1/plugins/{}/cases", part(&of.plugin))
}

fn of_case(of: &Of, case: &str) -> String {
    format!("{}/{}", address(of), part(case))
}
