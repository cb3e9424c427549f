//! Each case by itself: the facts that were recorded for it, page by page on all cores, as of one moment.

use std::sync::atomic::{AtomicU64, Ordering};

use redress_domain::ask::{Answered, Ask};
use redress_domain::backtest::again::{Again, Rules, Stretch, Unknown};
use redress_domain::backtest::side::Side;
use redress_domain::backtest::tally::{Compared, Named, Tally};
use redress_domain::ids::CaseId;
use redress_domain::workflow::definition::Definition;
use redress_domain::workflow::run::Run;
use redress_store::snapshot::Snapshot;

use super::pages::{Pages, Select};
use super::trial::Trial;
use super::{Error, Recorded, Report, parallel, turn};
use crate::engine::{self, Engine, ask};

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
        let (answered, _) = ask::answer(self.engine.sandbox(), definition, ask, run, |request| {
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
