//! `redress calendar import`: an iCalendar file as a table of days off, to be read before it is used.

use std::path::PathBuf;

use redress_domain::ids::Slug;
use redress_domain::workflow::calendar::ical::{self, Entry};
use serde_json::{Value as Json, json};

use crate::cli::Global;
use crate::cli::error::Error;
use crate::cli::output::{Format, Out};
use crate::cli::session::read_text;
use crate::cli::words;

pub(super) const EXAMPLES: &str = "\
Examples:
  redress calendar import holidays.ics --name fr --year 2027 > workflows/calendars/fr-2027.yaml
  redress calendar import 2027.ics --name cn --year 2027 --worked 补班
  redress calendar import holidays.ics --name fr --year 2027 --output json
";

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The file, as iCalendar. Only entries of whole days are taken; the rest is told.
    file: PathBuf,
    /// The name of the table.
    #[arg(long, value_name = "NAME", value_parser = named)]
    name: Slug,
    /// The year.
    #[arg(long, value_name = "YEAR", value_parser = clap::value_parser!(i32).range(1970..=9998))]
    year: i32,
    /// A word in what an entry is called that makes it a day that is worked in exchange; may be given several times.
    #[arg(long, value_name = "WORD")]
    worked: Vec<String>,
}

pub(super) fn run(args: &Args, at: &Global, out: &mut Out<'_>) -> Result<(), Error> {
    let text = read_text(&args.file)?;
    let file = args.file.display().to_string();
    if text.len() > ical::BYTES_MAX {
        let help = "a file has at most 1 MiB; take the entries of one year";
        return Err(Error::Document { code: "too_large", file, count: 1, problems: Vec::new(), help });
    }
    let worked: Vec<&str> = args.worked.iter().map(String::as_str).chain(ical::WORKED.iter().copied()).collect();
    let read = ical::read(&text, &worked);
    match at.format() {
        Format::Json => out.json(&json!({
            "calendar": args.name,
            "year": args.year,
            "holidays": days(&read.entries, args.year, false),
            "works": days(&read.entries, args.year, true),
            "left_out": read.left_out,
        }))?,
        Format::Table | Format::Csv => {
            out.data(&ical::table(args.name.as_str(), args.year, &file, &read.entries))?;
        }
    }
    for left_out in &read.left_out {
        out.say(&format!("left out {}", words::clean(left_out)));
    }
    Ok(())
}

fn named(text: &str) -> Result<Slug, String> {
    Slug::new(text).map_err(|error| error.to_string())
}

fn days(entries: &[Entry], year: i32, worked: bool) -> Vec<Json> {
    use chrono::Datelike as _;
    let of_year = entries.iter().filter(|entry| entry.worked == worked && entry.from.year() == year);
    of_year.map(|entry| json!({ "from": entry.from, "to": entry.to, "name": entry.name })).collect()
}
