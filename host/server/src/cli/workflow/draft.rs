//! `redress workflow draft`: texts that are kept before they are published.

use std::path::PathBuf;

use axum::http::Method;
use clap::Subcommand;
use serde_json::{Value as Json, json};

use crate::cli::door::part;
use crate::cli::error::Error;
use crate::cli::output::{Format, Out};
use crate::cli::session::read_text;
use crate::cli::shown::{self, Column};
use crate::cli::{Global, HELP};
use crate::publish::suite::named;

pub(super) const EXAMPLES: &str = "\
Examples:
  redress workflow draft save return.yaml --note \"for January\" --server http://127.0.0.1:7373
  redress workflow draft publish online-retail-return --server http://127.0.0.1:7373
";
const SAVE: &str = "\
Examples:
  redress workflow draft save return.yaml --note \"for January\" --server http://127.0.0.1:7373
";
const SHOW: &str = "\
Examples:
  redress workflow draft show online-retail-return --server http://127.0.0.1:7373
";
const LIST: &str = "\
Examples:
  redress workflow draft list --tenant shop --data data
";
const DISCARD: &str = "\
Examples:
  redress workflow draft discard online-retail-return --server http://127.0.0.1:7373
";
const PUBLISH: &str = "\
Examples:
  redress workflow draft publish online-retail-return --note \"from today on\" --server http://127.0.0.1:7373
";

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Verb {
    /// Keep a file as a draft, also one with problems; what is active does not move.
    #[command(help_template = HELP, before_help = SAVE)]
    Save(SaveArgs),
    /// Show a draft, and everything that is wrong with it.
    #[command(help_template = HELP, before_help = SHOW)]
    Show(Named),
    /// Show all drafts.
    #[command(help_template = HELP, before_help = LIST)]
    List,
    /// Throw a draft away.
    #[command(help_template = HELP, before_help = DISCARD)]
    Discard(Named),
    /// Make a draft the workflow that new cases take.
    #[command(help_template = HELP, before_help = PUBLISH)]
    Publish(PublishArgs),
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct SaveArgs {
    /// The file.
    file: PathBuf,
    /// The workflow that it is to become, where the file does not say so yet.
    #[arg(long)]
    name: Option<String>,
    /// Why, in a few words.
    #[arg(long, value_name = "TEXT", default_value = "")]
    note: String,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Named {
    /// The workflow.
    name: String,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct PublishArgs {
    /// The workflow.
    name: String,
    /// Why, in a few words; the note of the draft where it is left out.
    #[arg(long, value_name = "TEXT", default_value = "")]
    note: String,
}

const COLUMNS: [Column; 6] = [
    Column::text("workflow", "/workflow"),
    Column::text("state", "/state"),
    Column::digest("revision", "/revision"),
    Column::time("since", "/since/at"),
    Column::text("by", "/since/by/id"),
    Column::text("note", "/since/note"),
];

const PUBLISHED: [Column; 3] =
    [Column::text("workflow", "/workflow"), Column::text("number", "/number"), Column::digest("revision", "/revision")];

pub(super) fn run(verb: &Verb, at: &Global, out: &mut Out<'_>) -> Result<(), Error> {
    match verb {
        Verb::Save(args) => save(args, at, out),
        Verb::Show(args) => {
            let draft = at.door()?.get(&address(&args.name))?;
            print(&draft, at, out)?;
            if at.format() != Format::Json {
                out.data(draft["source"].as_str().unwrap_or_default())?;
            }
            Ok(())
        }
        Verb::List => {
            let all = at.door()?.all("/v1/drafts")?;
            if at.format() == Format::Json {
                return out.json(&Json::Array(all));
            }
            shown::rows(&COLUMNS, &all).print(at.format(), out)
        }
        Verb::Discard(args) => {
            at.door()?.send(Method::DELETE, &address(&args.name), None, &[])?;
            out.say(&format!("the draft of {} is gone", args.name));
            Ok(())
        }
        Verb::Publish(args) => {
            let body = json!({ "note": args.note });
            let revision = at.door()?.post(&format!("{}/publish", address(&args.name)), &body)?;
            if at.format() == Format::Json {
                return out.json(&revision);
            }
            shown::rows(&PUBLISHED, std::slice::from_ref(&revision)).print(at.format(), out)
        }
    }
}

fn address(name: &str) -> String {
    format!("/v1/workflows/{}/draft", part(name))
}

fn save(args: &SaveArgs, at: &Global, out: &mut Out<'_>) -> Result<(), Error> {
    let source = read_text(&args.file)?;
    let name = args.name.clone().or_else(|| named(&source, "workflow").map(|name| name.to_string()));
    let help = "give --name NAME: the file does not say which workflow it is";
    let name = name.ok_or(Error::Missing { what: "name of the workflow", help })?;
    let body = json!({ "source": source, "note": args.note });
    let draft = at.door()?.send(Method::PUT, &address(&name), Some(&body), &[])?;
    print(&draft, at, out)
}

/// The draft, and what is wrong with it.
fn print(draft: &Json, at: &Global, out: &mut Out<'_>) -> Result<(), Error> {
    if at.format() == Format::Json {
        return out.json(draft);
    }
    shown::rows(&COLUMNS, std::slice::from_ref(draft)).print(at.format(), out)?;
    for problem in draft["problems"].as_array().into_iter().flatten() {
        let place = &problem["range"]["start"];
        let at = |name: &str| place[name].as_u64().map_or(0, |number| number + 1);
        let told = |name: &str| problem[name].as_str().unwrap_or_default();
        out.say(&format!("{}:{}: {} [{}]", at("line"), at("character"), told("detail"), told("code")));
    }
    Ok(())
}
