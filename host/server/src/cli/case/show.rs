//! `redress case show`: everything about a case, and why each line came out as it did.

pub(in crate::cli) mod entries;
pub(in crate::cli) mod record;
mod reveal;
mod story;
mod text;

use redress_domain::case::number;
use redress_domain::codec;
use redress_domain::ids::CaseId;
use redress_store::scan::{Direction, Scan};
use redress_store::snapshot::Snapshot;

use super::asked;
use crate::cli::Global;
use crate::cli::error::Error;
use crate::cli::output::{Format, Out};
use crate::engine;
use crate::engine::listing::CaseListing;
use story::Story;

pub(super) const EXAMPLES: &str = "\
Examples:
  redress case show 00019 --tenant shop --data data
  redress case show C536379 --tenant shop --data data
  redress case show C536379 --output json --tenant shop --data data
  redress case show C536379 --source online-retail --server http://127.0.0.1:7373 --key-file desk1.key
";

/// Rows that are read at once.
const PAGE_ROWS: usize = 1_000;

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// Its number, its id (case_...), or the name that another system gives it.
    pub(in crate::cli) case: String,
    /// The system that gives it the name, where several give the same.
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) source: Option<String>,
}

pub(super) fn run(args: &Args, at: &Global, out: &mut Out<'_>) -> Result<(), Error> {
    let format = at.format();
    if format == Format::Csv {
        return Err(Error::Form { command: "one case", form: "csv", help: "use --output table or --output json" });
    }
    if at.server.is_some() {
        let door = at.door()?;
        let (case, turns) = asked::turns(&door, args)?;
        return match format {
            Format::Json => out.json(&asked::whole(case, turns)),
            Format::Table | Format::Csv => out.data(&asked::told(&case, &turns)),
        };
    }
    let session = at.session()?;
    let snapshot = session.engine.store().read()?;
    let id = find(&snapshot, args)?.ok_or_else(|| not_found(&args.case))?;
    let mut story = Story::read(&session.engine, &snapshot, id)?.ok_or_else(|| not_found(&args.case))?;
    match format {
        Format::Json => out.json(&record::story(&story)),
        Format::Table | Format::Csv => {
            reveal::reveal(&mut story, &snapshot)?;
            let report = text::report(&story, out);
            out.data(&report)
        }
    }
}

pub(in crate::cli) fn not_found(name: &str) -> Error {
    let is_number = name.len() >= 5 && name.bytes().all(|byte| byte.is_ascii_digit());
    let help = if is_number && number::parse(name).is_none() {
        "as a case number it does not fit its check digit: one digit is wrong, or two are swapped"
    } else {
        "redress case list shows the cases"
    };
    Error::NotFound { what: "case", name: name.to_owned(), help: help.to_owned() }
}

/// A number before a name of another system; `--source` leaves the number out.
pub(in crate::cli) fn find(snapshot: &Snapshot, args: &Args) -> Result<Option<CaseId>, Error> {
    if let Some(source) = &args.source {
        return Ok(snapshot.case_by_external(source, &args.case)?.map(|(case, _)| case));
    }
    if let Ok(id) = args.case.parse() {
        return Ok(Some(id));
    }
    if let Some(number) = number::parse(&args.case)
        && let Some(case) = snapshot.case_by_number(number)?
    {
        return Ok(Some(case));
    }
    by_external(snapshot, &args.case)
}

/// The oldest case of this name, whichever source gave it: sources are not listed anywhere, so the cases are.
fn by_external(snapshot: &Snapshot, name: &str) -> Result<Option<CaseId>, Error> {
    let mut cursor = None;
    loop {
        let page = snapshot.scan(&Scan::CasesByOpened, Direction::Forward, cursor.as_ref(), PAGE_ROWS)?;
        for row in page.rows {
            let listed: CaseListing = codec::decode(&row.value).map_err(engine::Error::damaged("listing"))?;
            if listed.external.is_some_and(|external| external.id == name) {
                return Ok(Some(listed.id));
            }
        }
        cursor = page.next;
        if cursor.is_none() {
            return Ok(None);
        }
    }
}
