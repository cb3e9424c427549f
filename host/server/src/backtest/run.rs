//! Each case by itself: the facts that were recorded for it, page by page on all cores, as of one moment.

use std::sync::atomic::{AtomicU64, Ordering};

use chrono::{Days, NaiveDate, NaiveTime};
use redress_domain::ask::{Answered, Ask};
use redress_domain::backtest::again::{Again, Rules, Stretch, Unknown};
use redress_domain::backtest::side::Side;
use redress_domain::backtest::tally::{Compared, Named, Tally};
use redress_domain::clock::{Instant, Zone};
use redress_domain::codec;
use redress_domain::ids::{CaseId, Slug};
use redress_domain::workflow::definition::Definition;
use redress_domain::workflow::run::Run;
use redress_store::scan::{Cursor, Direction, Scan};
use redress_store::snapshot::Snapshot;

use super::trial::Trial;
use super::{Error, Recorded, Report, parallel, turn};
use crate::engine::listing::CaseListing;
use crate::engine::{self, Engine, ask};

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

/// Decide past cases again, each by itself. `progress` hears how many of about how many are done.
///
/// # Errors
/// A record cannot be read.
pub fn run(
    engine: &Engine,
    trial: &Trial,
    select: &Select,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Report, Error> {
    let snapshot = engine.store().read()?;
    let active: Vec<&Definition> = trial.active.iter().map(AsRef::as_ref).collect();
    let record = engine.record();
    let rules =
        Rules { active: &active, on_trial: &trial.on_trial, tenant: record.id, jurisdiction: &record.jurisdiction };
    let whole = select.whole;
    let judge =
        Judge { engine, whole, snapshot: &snapshot, rules, reused: AtomicU64::new(0), called: AtomicU64::new(0) };
    let mut tally = tally(engine, trial);
    let mut pages = Pages::new(&snapshot, select, tally.zone)?;
    let mut done = 0;
    while let Some(cases) = pages.next()? {
        let judged = parallel::each(&cases, threads(engine), |case| judge.case(*case)).map_err(Error::Thread)?;
        for judged in judged {
            judged?.tell(&mut tally);
        }
        done += cases.len() as u64;
        progress(done, pages.total.max(done));
    }
    Ok(Report {
        on_trial: trial.named(),
        from_scratch: false,
        whole,
        tally,
        answers_reused: judge.reused.into_inner(),
        plugin_calls: judge.called.into_inner(),
    })
}

/// Days and totals are those of the workflow on trial.
pub(super) fn tally(engine: &Engine, trial: &Trial) -> Tally {
    let first = trial.definitions().next();
    let record = engine.record();
    Tally::new(first.map_or(record.zone, |one| one.zone), first.map_or(record.currency, |one| one.currency))
}

/// Plugins compute and never wait: a thread for each that the host gives to turns.
pub(super) fn threads(engine: &Engine) -> usize {
    engine.limits().turn_workers
}

/// A case decided twice, or why not.
pub(super) struct Judged {
    case: Named,
    what: What,
    /// A recorded outcome was taken for what it was not quite the outcome of.
    assumed: bool,
}

enum What {
    Elsewhere,
    Compared(Box<Compared>),
    Unknown(Unknown),
    StillOpen,
}

impl Judged {
    pub(super) fn new(of: &Stretch, before: Side, again: Again) -> Self {
        let case = Named::of(&of.case);
        let what = match again {
            Again::Elsewhere => What::Elsewhere,
            Again::Unknown(unknown) => What::Unknown(unknown),
            Again::Decided(after) => What::Compared(Box::new(Compared { case: case.clone(), before, after })),
        };
        Self { case, what, assumed: false }
    }

    fn still_open(before: &Stretch) -> Self {
        Self { case: Named::of(&before.case), what: What::StillOpen, assumed: false }
    }

    pub(super) fn tell(self, tally: &mut Tally) {
        tally.assumed += u64::from(self.assumed);
        match self.what {
            What::StillOpen => tally.still_open += 1,
            What::Elsewhere => tally.elsewhere(),
            What::Compared(compared) => tally.compared(*compared),
            What::Unknown(unknown) => tally.unknown(self.case, unknown),
        }
    }
}

struct Judge<'a> {
    engine: &'a Engine,
    whole: bool,
    snapshot: &'a Snapshot,
    rules: Rules<'a>,
    reused: AtomicU64,
    called: AtomicU64,
}

impl Judge<'_> {
    fn case(&self, case: CaseId) -> Result<Judged, Error> {
        if self.whole {
            return self.to_the_end(case);
        }
        let before = stretch(self.snapshot, case)?;
        let again = self.rules.again(&before, &mut |definition, ask, run| self.answer(&before, definition, ask, run));
        Ok(Judged::new(&before, before.side(), again))
    }

    fn to_the_end(&self, case: CaseId) -> Result<Judged, Error> {
        let read = Stretch::read_whole(first(self.snapshot, case)?, |number| turn(self.snapshot, case, number))?;
        let before = read.ok_or_else(|| never_opened(case))?;
        if !before.case.is_closed() {
            return Ok(Judged::still_open(&before));
        }
        let ended =
            self.rules.to_the_end(&before, &mut |definition, ask, run| self.answer(&before, definition, ask, run));
        Ok(Judged { assumed: ended.assumed, ..Judged::new(&before, before.end(), ended.again) })
    }

    /// The recorded answer where the same component was asked the same, else what the sandbox says.
    fn answer(&self, before: &Stretch, definition: &Definition, ask: &Ask, run: &Run) -> Answered {
        let mut is_known = false;
        let answered = ask::answer(self.engine.sandbox(), definition, ask, run, |request| {
            let same = |(was, answered): &(&Ask, &Answered)| was.digest == ask.digest && answered.request == request;
            let known = before.answers().find(same).map(|(_, answered)| answered.clone());
            is_known = known.is_some();
            known
        });
        let counter = if is_known { &self.reused } else { &self.called };
        counter.fetch_add(1, Ordering::Relaxed);
        answered
    }
}

/// The first stretch of a case.
pub(super) fn stretch(snapshot: &Snapshot, case: CaseId) -> Result<Stretch, Error> {
    let read = Stretch::read(first(snapshot, case)?, |number| turn(snapshot, case, number))?;
    read.ok_or_else(|| never_opened(case))
}

fn first(snapshot: &Snapshot, case: CaseId) -> Result<Recorded, Error> {
    let damaged = || engine::Error::Damaged { what: "case", detail: format!("{case} is listed and has no turn") };
    Ok(turn(snapshot, case, 1)?.ok_or_else(damaged)?)
}

fn never_opened(case: CaseId) -> Error {
    engine::Error::Damaged { what: "case", detail: format!("{case} was never opened") }.into()
}

/// The cases that are decided again, the newest first.
pub(super) struct Pages<'a> {
    snapshot: &'a Snapshot,
    select: &'a Select,
    since: Option<Instant>,
    cursor: Option<Cursor>,
    left: u64,
    ended: bool,
    /// About how many there are.
    pub(super) total: u64,
}

impl<'a> Pages<'a> {
    pub(super) fn new(snapshot: &'a Snapshot, select: &'a Select, zone: Zone) -> Result<Self, Error> {
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

    pub(super) fn next(&mut self) -> Result<Option<Vec<CaseId>>, Error> {
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
fn begin(day: NaiveDate, zone: Zone) -> Instant {
    let hour =
        |hour| NaiveTime::from_hms_opt(hour, 0, 0).and_then(|time| Instant::from_local(day.and_time(time), zone));
    // No zone skips two hours.
    hour(0).or_else(|| hour(1)).unwrap_or_else(|| {
        Instant::from_local(day.and_time(NaiveTime::MIN), Zone::UTC).unwrap_or(Instant::from_unix_ms(0))
    })
}
