//! `redress workflow canary`: try a revision on a share of the new cases, make it active, or stop it.

use std::path::PathBuf;

use serde_json::{Map, Value as Json, json};

use crate::cli::Global;
use crate::cli::door::part;
use crate::cli::error::Error;
use crate::cli::output::{Format, Out};
use crate::cli::session::read_text;
use crate::cli::shown::{self, Column};

pub(super) const EXAMPLES: &str = "\
Examples:
  redress workflow canary online-retail-return --file return.yaml --percent 10 --note \"thirty days\" --server http://127.0.0.1:7373
  redress workflow canary online-retail-return --revision 41 --percent 5 --refunds-over 20 --server http://127.0.0.1:7373
  redress workflow canary online-retail-return --promote --note \"a week without a complaint\" --server http://127.0.0.1:7373
  redress workflow canary online-retail-return --stop --note \"too many questions\" --server http://127.0.0.1:7373
";

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The workflow.
    name: String,
    /// A file to try: it is checked and stored as a revision, without becoming active.
    #[arg(long, value_name = "FILE", requires = "percent", group = "what")]
    file: Option<PathBuf>,
    /// A stored revision to try: its number, its hash, or at least 8 digits of that.
    #[arg(long, requires = "percent", group = "what")]
    revision: Option<String>,
    /// Make the canary active: every new case takes it.
    #[arg(long, group = "what")]
    promote: bool,
    /// Stop the canary: every new case takes the active revision.
    #[arg(long, group = "what")]
    stop: bool,
    /// The share of the new cases, in percent.
    #[arg(long, value_parser = clap::value_parser!(u8).range(1..=99))]
    percent: Option<u8>,
    /// Why, in a few words.
    #[arg(long, value_name = "TEXT", default_value = "")]
    note: String,
    /// Cases of each side before anything is compared.
    #[arg(long, value_name = "CASES")]
    min_cases: Option<u32>,
    /// It stops by itself when the share of cases in which a step failed is over by more points than this.
    #[arg(long, value_name = "POINTS")]
    failures_over: Option<u32>,
    /// It stops by itself when the share of cases in which a wait timed out is over by more points than this.
    #[arg(long, value_name = "POINTS")]
    timeouts_over: Option<u32>,
    /// It stops by itself when the refunds of a case are over by more percent than this.
    #[arg(long, value_name = "PERCENT")]
    refunds_over: Option<u32>,
}

const SIDES: [Column; 6] = [
    Column::text("side", "/side"),
    Column::text("revision", "/revision"),
    Column::text("cases", "/count"),
    Column::text("failures", "/failures"),
    Column::text("timeouts", "/timeouts"),
    Column::text("refunded", "/refunded"),
];

pub(super) fn run(args: &Args, at: &Global, out: &mut Out<'_>) -> Result<(), Error> {
    let address = format!("/v1/workflows/{}", part(&args.name));
    let canary = match (&args.file, &args.revision) {
        (Some(file), _) => at.door()?.post(&format!("{address}/canary"), &start(args, "source", read_text(file)?))?,
        (_, Some(name)) => at.door()?.post(&format!("{address}/canary"), &start(args, "revision", name.clone()))?,
        _ if args.promote || args.stop => {
            let verb = if args.promote { "promote" } else { "stop" };
            let ended = at.door()?.post(&format!("{address}/canary/{verb}"), &json!({ "note": args.note }))?;
            if args.promote {
                return promoted(&ended, at, out);
            }
            ended
        }
        // Without a wish it is shown.
        _ => at.door()?.get(&address)?["canary"].clone(),
    };
    if canary.is_null() {
        let help = "--file FILE or --revision NUMBER with --percent lets one out".to_owned();
        return Err(Error::NotFound { what: "canary", name: args.name.clone(), help });
    }
    print(&canary, at, out)
}

fn start(args: &Args, what: &str, value: String) -> Json {
    let stop = [
        ("min_cases", args.min_cases),
        ("failures_over", args.failures_over),
        ("timeouts_over", args.timeouts_over),
        ("refunds_over", args.refunds_over),
    ];
    let stop = stop.into_iter().filter_map(|(name, value)| Some((name.to_owned(), Json::from(value?))));
    let mut body = json!({ "percent": args.percent, "note": args.note, "stop": stop.collect::<Map<_, _>>() });
    body[what] = Json::from(value);
    body
}

fn promoted(revision: &Json, at: &Global, out: &mut Out<'_>) -> Result<(), Error> {
    if at.format() == Format::Json {
        return out.json(revision);
    }
    let columns = [
        Column::text("workflow", "/workflow"),
        Column::text("number", "/number"),
        Column::digest("revision", "/revision"),
    ];
    shown::rows(&columns, std::slice::from_ref(revision)).print(at.format(), out)
}

fn print(canary: &Json, at: &Global, out: &mut Out<'_>) -> Result<(), Error> {
    if at.format() == Format::Json {
        return out.json(canary);
    }
    let side = |name: &str, sums: &Json, revision: Json| {
        let mut row = sums.clone();
        row["side"] = json!(name);
        row["revision"] = revision;
        row
    };
    let share = format!("canary {} %", canary["percent"]);
    let rows =
        [side(&share, &canary["cases"], canary["number"].clone()), side("active", &canary["control"], Json::Null)];
    shown::rows(&SIDES, &rows).print(at.format(), out)
}
