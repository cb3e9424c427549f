//! Replay in parts that end soon, for who asks a host that has other things to do: so many cases, or so long, and where to go on.

use std::time::{Duration, Instant};

use chrono::Days;
use redress_domain::clock::Instant as Moment;
use redress_domain::codec;
use redress_domain::ids::CaseId;
use redress_store::scan::{Cursor, Direction, Scan};
use redress_store::snapshot::Snapshot;

use super::judge::Judge;
use super::{Error, Report};
use crate::backtest::Select;
use crate::backtest::pages::begin;
use crate::engine::listing::CaseListing;
use crate::engine::{self, Engine};

/// How much a part holds.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Cases.
    pub cases: u64,
    /// How long it may take. What is under way ends: a turn, at most.
    pub within: Duration,
}

/// Where a replay of many cases goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Behind which place of the list of cases.
    cursor: Option<Cursor>,
    /// With which turn of the case that lies there.
    turn: u64,
}

impl Place {
    /// As it is handed out.
    pub fn bytes(&self) -> Vec<u8> {
        let behind = self.cursor.as_ref().map_or(&[][..], Cursor::as_bytes);
        [&self.turn.to_be_bytes()[..], behind].concat()
    }

    /// One that comes back; none where it never was one.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        let (turn, behind) = bytes.split_first_chunk::<8>()?;
        let cursor = (!behind.is_empty()).then(|| Cursor::from_bytes(behind));
        Some(Self { cursor, turn: u64::from_be_bytes(*turn) })
    }
}

/// Replay a case from a turn on, for so long; and the turn with which the rest begins.
///
/// # Errors
/// There is none, or its record cannot be read.
pub fn case(engine: &Engine, case: CaseId, from: u64, within: Duration) -> Result<(Report, Option<u64>), Error> {
    let (snapshot, began) = (engine.store().read()?, Instant::now());
    Judge { engine, snapshot: &snapshot }.part(case, from, &|| began.elapsed() >= within)
}

/// Replay cases of a tenant from a place on, the newest first; and where the rest begins. Cases that are opened meanwhile are not among them.
///
/// # Errors
/// A record cannot be read.
pub fn cases(
    engine: &Engine,
    select: &Select,
    from: Option<Place>,
    bounds: Bounds,
) -> Result<(Report, Option<Place>), Error> {
    let (snapshot, began) = (engine.store().read()?, Instant::now());
    let (judge, is_enough) = (Judge { engine, snapshot: &snapshot }, || began.elapsed() >= bounds.within);
    let since = select.since.map(|day| begin(day, engine.record().zone));
    let mut at = from.unwrap_or_else(|| Place { cursor: until(engine, select), turn: 1 });
    let mut report = Report::default();
    while let Some(row) = next(&snapshot, at.cursor.as_ref())? {
        if since.is_some_and(|since| row.at < since) {
            return Ok((report, None));
        }
        let is_wanted = select.kind.as_ref().is_none_or(|kind| row.listed.kind == *kind);
        if is_wanted {
            let (found, rest) = judge.part(row.case, at.turn, &is_enough)?;
            report.add(found);
            if let Some(turn) = rest {
                return Ok((report, Some(Place { cursor: Some(place(row.at, row.case, true)), turn })));
            }
        }
        at = Place { cursor: Some(place(row.at, row.case, false)), turn: 1 };
        if is_enough() || report.cases >= bounds.cases {
            let is_last = next(&snapshot, at.cursor.as_ref())?.is_none();
            return Ok((report, (!is_last).then_some(at)));
        }
    }
    Ok((report, None))
}

/// A case in the list.
struct Row {
    at: Moment,
    case: CaseId,
    listed: CaseListing,
}

/// The case that lies behind a place.
fn next(snapshot: &Snapshot, cursor: Option<&Cursor>) -> Result<Option<Row>, Error> {
    let page = snapshot.scan(&Scan::CasesByOpened, Direction::Backward, cursor, 1)?;
    let Some(row) = page.rows.first() else { return Ok(None) };
    let listed: CaseListing = codec::decode(&row.value).map_err(engine::Error::damaged("listing"))?;
    Ok(Some(Row { at: row.at.unwrap_or(listed.opened_at), case: row.case().unwrap_or(listed.id), listed }))
}

/// The place of a case in the list: behind it, or right before it, so that the case is the next one whatever was opened since.
fn place(at: Moment, case: CaseId, is_before: bool) -> Cursor {
    let mut key = [Scan::CasesByOpened.before(at).as_bytes(), &case.bytes()[..]].concat();
    if is_before {
        // The list is read backward, up to what is smaller than a cursor: this is the smallest key behind that of the case.
        key.push(0);
    }
    Cursor::from_bytes(&key)
}

fn until(engine: &Engine, select: &Select) -> Option<Cursor> {
    let end = select.until.and_then(|day| day.checked_add_days(Days::new(1)))?;
    Some(Scan::CasesByOpened.before(begin(end, engine.record().zone)))
}
