//! `redress case export`: all cases, one after the other, for programs.

use redress_domain::case::{Case, Line};
use redress_domain::clock::Instant;
use redress_domain::codec;
use redress_domain::ids::CaseId;
use redress_domain::verdict::{Outcome, Remedy};
use redress_store::scan::{Direction, Scan};
use redress_store::snapshot::Snapshot;
use serde_json::{Value as Json, json};

use crate::cli::Global;
use crate::cli::error::Error;
use crate::cli::json;
use crate::cli::listing::{Cell, Csv};
use crate::cli::output::{Format, Out};
use crate::engine;

pub(super) const EXAMPLES: &str = "\
Examples:
  redress case export --tenant shop --data data > cases.json
  redress case export --output csv --tenant shop --data data > cases.csv
";

/// Rows that are read at once.
const PAGE_ROWS: usize = 1_000;

/// Written as JSON, unless CSV is asked for.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {}

pub(super) fn run(_: &Args, at: &Global, out: &mut Out<'_>) -> Result<(), Error> {
    let format = at.output.unwrap_or(Format::Json);
    if format == Format::Table {
        return Err(Error::Form { command: "an export", form: "a table", help: "use --output json or --output csv" });
    }
    let session = at.session()?;
    let snapshot = session.engine.store().read()?;
    if format == Format::Csv {
        let mut csv = Csv::begin(&COLUMNS, out)?;
        return each(&snapshot, |case| csv.row(&row(case)));
    }
    let mut before = "[";
    each(&snapshot, |case| {
        out.data(&format!("{before}\n{}", object(case)))?;
        before = ",";
        Ok(())
    })?;
    out.data(if before == "[" { "[]\n" } else { "\n]\n" })
}

/// Every case by the time of its opening, those of one moment by external id.
fn each(snapshot: &Snapshot, mut visit: impl FnMut(&Case) -> Result<(), Error>) -> Result<(), Error> {
    let (mut cursor, mut moment): (_, Vec<(Instant, Case)>) = (None, Vec::new());
    loop {
        let page = snapshot.scan(&Scan::CasesByOpened, Direction::Forward, cursor.as_ref(), PAGE_ROWS)?;
        for row in page.rows {
            let (Some(at), Some(id)) = (row.at, row.case()) else { continue };
            if moment.first().is_some_and(|(first, _)| *first != at) {
                leave(&mut moment, &mut visit)?;
            }
            moment.push((at, load(snapshot, id)?));
        }
        cursor = page.next;
        if cursor.is_none() {
            return leave(&mut moment, &mut visit);
        }
    }
}

fn leave(moment: &mut Vec<(Instant, Case)>, visit: &mut impl FnMut(&Case) -> Result<(), Error>) -> Result<(), Error> {
    moment.sort_by(|(_, a), (_, b)| (external_id(a), a.id).cmp(&(external_id(b), b.id)));
    moment.drain(..).try_for_each(|(_, case)| visit(&case))
}

fn load(snapshot: &Snapshot, id: CaseId) -> Result<Case, Error> {
    let missing = || engine::Error::Damaged { what: "case", detail: format!("{id} is listed and not there") };
    let head = snapshot.load_case(id)?.ok_or_else(missing)?;
    Ok(codec::decode(&head.bytes).map_err(engine::Error::damaged("case"))?)
}

fn external_id(case: &Case) -> Option<&str> {
    case.external.as_ref().map(|external| external.id.as_str())
}

/// The remedy that a reason of a case speaks for. In a review only what asks for a person is decisive; else what left a line with
/// less than was asked for speaks for a denial, even where the rest of the line is allowed.
fn speaks_for(case: &Case, code: &str) -> Remedy {
    if case.remedy() == Remedy::Review {
        return Remedy::Review;
    }
    let gives = |outcome: &Outcome| outcome.reasons.iter().any(|reason| reason.code == code);
    let mut lines = case.lines.iter().filter_map(|line| Some((line, line.outcome.as_ref().filter(|one| gives(one))?)));
    match lines.next() {
        // Beside the lines: it speaks for what became of the whole.
        None => case.remedy(),
        Some(first) => {
            let grants = |(line, outcome): (&Line, &Outcome)| outcome.quantity >= line.quantity;
            if grants(first) && lines.all(grants) { Remedy::Allow } else { Remedy::Deny }
        }
    }
}

fn object(case: &Case) -> Json {
    let reasons = case.decisive_reasons().into_iter();
    let reasons: Vec<_> =
        reasons.map(|code| json!({ "code": code, "remedy": speaks_for(case, code).word() })).collect();
    json!({
        "id": case.id,
        "number": case.number,
        "external_id": external_id(case),
        "source": case.external.as_ref().map(|external| &external.source),
        "kind": case.kind,
        "opened_at": case.opened_at.to_string(),
        "customer": case.customer,
        "status": case.status.word(),
        "step": case.status.step(),
        "result": case.result,
        "remedy": case.remedy().word(),
        "refunded": case.refunded().amount().to_string(),
        "currency": case.currency,
        "reasons": reasons,
        "workflow": case.workflow,
        "revision": case.revision,
        "lines": case.lines.iter().map(json::line).collect::<Vec<_>>(),
        "on_its_way": case.on_its_way().amount().to_string(),
    })
}

const COLUMNS: [&str; 17] = [
    "id",
    "number",
    "external_id",
    "source",
    "kind",
    "opened_at",
    "customer",
    "status",
    "step",
    "result",
    "remedy",
    "refunded",
    "currency",
    "reasons",
    "workflow",
    "revision",
    "on_its_way",
];

fn row(case: &Case) -> Vec<Cell> {
    let external = case.external.as_ref();
    vec![
        Cell::text(case.id),
        Cell::text(&case.number),
        Cell::maybe(external_id(case)),
        Cell::maybe(external.map(|external| &external.source)),
        Cell::text(&case.kind),
        Cell::Time(case.opened_at),
        Cell::maybe(case.customer.as_ref()),
        Cell::text(case.status.word()),
        Cell::maybe(case.status.step()),
        Cell::maybe(case.result.as_ref()),
        Cell::text(case.remedy().word()),
        Cell::Decimal(case.refunded().amount().to_string()),
        Cell::text(case.currency),
        Cell::Words(case.decisive_reasons().into_iter().map(str::to_owned).collect()),
        Cell::maybe(case.workflow.as_ref()),
        case.revision.map_or(Cell::Absent, Cell::Digest),
        Cell::Decimal(case.on_its_way().amount().to_string()),
    ]
}
