//! The cases of the past, page by page, as of one moment.

use chrono::{Days, NaiveDate, NaiveTime};
use redress_domain::clock::{Instant, Zone};
use redress_domain::codec;
use redress_domain::ids::{CaseId, Slug};
use redress_store::scan::{Cursor, Direction, Scan};
use redress_store::snapshot::Snapshot;

use crate::engine;
use crate::engine::listing::CaseListing;

/// Cases that are read at once: enough to keep all cores busy, and little to hold.
const PAGE_CASES: usize = 1_000;

/// Which cases are decided again.
#[derive(Debug, Clone, Default)]
pub struct Select {
    /// Opened on this day or later.
    pub since: Option<NaiveDate>,
    /// Opened on this day or before.
    pub until: Option<NaiveDate>,
    /// Of this type.
    pub kind: Option<Slug>,
    /// The newest so many.
    pub limit: Option<u64>,
    /// Only cases that are closed, and those to their end.
    pub whole: bool,
}

/// The cases that are decided again, the newest first.
pub(crate) struct Pages<'a> {
    snapshot: &'a Snapshot,
    select: &'a Select,
    since: Option<Instant>,
    cursor: Option<Cursor>,
    left: u64,
    ended: bool,
    /// About how many there are.
    pub(crate) total: u64,
}

impl<'a> Pages<'a> {
    pub(crate) fn new(snapshot: &'a Snapshot, select: &'a Select, zone: Zone) -> Result<Self, engine::Error> {
        let end = select.until.and_then(|day| day.checked_add_days(Days::new(1)));
        let left = select.limit.unwrap_or(u64::MAX);
        Ok(Self {
            snapshot,
            select,
            since: select.since.map(|day| begin(day, zone)),
            cursor: end.map(|day| Scan::CasesByOpened.before(begin(day, zone))),
            left,
            ended: false,
            total: snapshot.last_case_number()?.unwrap_or(0).min(left),
        })
    }

    pub(crate) fn next(&mut self) -> Result<Option<Vec<CaseId>>, engine::Error> {
        if self.ended || self.left == 0 {
            return Ok(None);
        }
        let page = self.snapshot.scan(&Scan::CasesByOpened, Direction::Backward, self.cursor.as_ref(), PAGE_CASES)?;
        let mut cases = Vec::with_capacity(page.rows.len());
        for row in page.rows {
            if self.left == 0 || row.at.zip(self.since).is_some_and(|(at, since)| at < since) {
                self.ended = true;
                break;
            }
            let Some(case) = row.case() else { continue };
            if let Some(kind) = &self.select.kind {
                let listed: CaseListing = codec::decode(&row.value).map_err(engine::Error::damaged("listing"))?;
                if listed.kind != *kind {
                    continue;
                }
            }
            self.left -= 1;
            cases.push(case);
        }
        self.ended |= page.next.is_none();
        self.cursor = page.next;
        Ok(Some(cases))
    }
}

/// The first instant of a day; where clocks skip midnight, that of the hour after.
pub(crate) fn begin(day: NaiveDate, zone: Zone) -> Instant {
    let hour =
        |hour| NaiveTime::from_hms_opt(hour, 0, 0).and_then(|time| Instant::from_local(day.and_time(time), zone));
    // No zone skips two hours.
    hour(0).or_else(|| hour(1)).unwrap_or_else(|| {
        Instant::from_local(day.and_time(NaiveTime::MIN), Zone::UTC).unwrap_or(Instant::from_unix_ms(0))
    })
}
