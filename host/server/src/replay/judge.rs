//! One case, turn by turn: each from the case as its record left it, so that a difference is told where it is and not again after it.

use std::sync::Arc;

use redress_domain::ask::{Answered, Ask};
use redress_domain::case::Case;
use redress_domain::case::evolve::{self, Impossible, Stamp};
use redress_domain::codec;
use redress_domain::decision::{Decision, Turn};
use redress_domain::ids::{CaseId, Digest};
use redress_domain::replay::{self, Revisions, Rules, Stuck};
use redress_domain::workflow::definition::Definition;
use redress_domain::workflow::run::Run;
use redress_store::batch::Version;
use redress_store::snapshot::Snapshot;

use super::compare::{self, Compared};
use super::{Difference, Differs, Error, Named, Report};
use crate::engine::question::Question;
use crate::engine::{self, Engine};

/// Turns that are read at once.
const PAGE_TURNS: usize = 64;

/// Replays the cases of one tenant.
pub(super) struct Judge<'a> {
    pub(super) engine: &'a Engine,
    pub(super) snapshot: &'a Snapshot,
}

/// Every turn of a case in its order, each with the case as the record left it before.
pub(super) fn walk(
    snapshot: &Snapshot,
    case: CaseId,
    mut each: impl FnMut(Option<Case>, &Turn) -> Result<(), Error>,
) -> Result<(), Error> {
    let (mut stands, mut from) = (None, Version(1));
    loop {
        let rows = snapshot.journal(case, from, PAGE_TURNS)?;
        for row in &rows {
            let turn: Turn = codec::decode(&row.record).map_err(engine::Error::damaged("turn"))?;
            each(stands.clone(), &turn)?;
            let stamp = Stamp { at: turn.at, turn: turn.number };
            for entry in &turn.entries {
                evolve::apply(&mut stands, entry, stamp).map_err(|error| impossible(&error))?;
            }
            from = row.turn.next();
        }
        if rows.len() < PAGE_TURNS {
            return Ok(());
        }
    }
}

fn impossible(error: &Impossible) -> Error {
    engine::Error::Damaged { what: "journal", detail: error.to_string() }.into()
}

/// The definitions that a turn was computed by; none where one is not there any more.
pub(super) struct Found {
    pinned: Option<Arc<Definition>>,
    moved_to: Option<Arc<Definition>>,
}

impl Found {
    /// Those of a turn of a case that stood like this before it.
    pub(super) fn of(engine: &Engine, before: Option<&Case>, turn: &Turn) -> Option<Self> {
        let find = |revision: Option<Digest>| revision.map(|one| engine.registry().definition(one)).transpose().ok();
        let Revisions { pinned, moved_to } = Revisions::of(before, turn);
        Some(Self { pinned: find(pinned)?, moved_to: find(moved_to)? })
    }

    /// With what else the turn depends on.
    pub(super) fn rules<'d>(&'d self, engine: &'d Engine) -> Rules<'d> {
        Rules {
            pinned: self.pinned.as_deref(),
            moved_to: self.moved_to.as_deref(),
            tenant: engine.record().id,
            jurisdiction: &engine.record().jurisdiction,
        }
    }
}

impl Judge<'_> {
    /// Every turn of a case.
    pub(super) fn case(&self, case: CaseId) -> Result<Report, Error> {
        self.part(case, 1, &|| false).map(|(report, _)| report)
    }

    /// The turns of a case from one on, the first of them at least, until it is enough; and the turn with which the rest begins.
    pub(super) fn part(
        &self,
        case: CaseId,
        from: u64,
        is_enough: &dyn Fn() -> bool,
    ) -> Result<(Report, Option<u64>), Error> {
        let mut report = Report::default();
        let (mut is_there, mut rest) = (false, None);
        walk(self.snapshot, case, |before, turn| {
            is_there = true;
            if turn.number < from || rest.is_some() {
                return Ok(());
            }
            if report.turns > 0 && is_enough() {
                rest = Some(turn.number);
            } else {
                self.turn(case, before, turn, &mut report);
            }
            Ok(())
        })?;
        report.cases = u64::from(rest.is_none());
        if is_there { Ok((report, rest)) } else { Err(Error::NoCase(case)) }
    }

    fn turn(&self, id: CaseId, before: Option<Case>, turn: &Turn, report: &mut Report) {
        report.turns += 1;
        let Some(found) = Found::of(self.engine, before.as_ref(), turn) else {
            // Nothing can be said of its decisions, and that must not look like "equal".
            (0..turn.asks.len().max(1)).for_each(|_| report.cannot("revision_missing"));
            return;
        };
        let tenant = self.engine.record().slug.to_string();
        let case = Named { tenant, id, number: number(before.as_ref(), turn) };
        let mut asking = Asking { judge: self, turn, case: &case, asked: 0, is_off: false, report };
        let mut answers = |definition: &Definition, ask: &Ask, run: &Run| Some(asking.answer(definition, ask, run));
        let decided = replay::again(found.rules(self.engine), before, turn, &mut answers);
        asking.end(decided);
    }
}

/// The number of the case that a turn is of.
pub(super) fn number(before: Option<&Case>, turn: &Turn) -> String {
    let mut opened = None;
    let case = before.or_else(|| {
        let stamp = Stamp { at: turn.at, turn: turn.number };
        evolve::apply(&mut opened, turn.entries.first()?, stamp).ok()?;
        opened.as_ref()
    });
    case.map(|case| case.number.clone()).unwrap_or_default()
}

/// The questions of one turn.
struct Asking<'a> {
    judge: &'a Judge<'a>,
    turn: &'a Turn,
    case: &'a Named,
    asked: usize,
    /// Something before in this turn was different: what follows from it is not told again.
    is_off: bool,
    report: &'a mut Report,
}

impl Asking<'_> {
    fn answer(&mut self, definition: &Definition, ask: &Ask, run: &Run) -> Answered {
        let sandbox = self.judge.engine.sandbox();
        let place = self.asked;
        self.asked += 1;
        let Some(recorded) = self.turn.asks.get(place) else {
            // One question more than there were: told in the end, by their count.
            return engine::ask::answer(sandbox, definition, ask, run, |_| None).0;
        };
        self.report.checked += 1;
        *self.report.engines.entry(recorded.answered.engine.clone()).or_default() += 1;
        let again = compare::again(sandbox, recorded, ask, Question::of(definition, ask, run));
        match again.compared {
            Compared::Equal => {}
            Compared::FuelMoved => self.report.fuel_moved += 1,
            Compared::Unknown(code) => self.report.cannot(&code),
            Compared::Differs(Differs::Question { .. }) if self.is_off => self.report.followed += 1,
            Compared::Differs(what) => {
                self.is_off = true;
                let plugin = Some((recorded.ask.plugin.clone(), recorded.ask.digest));
                let step = Some(recorded.ask.step.to_string());
                let (case, turn) = (self.case.clone(), self.turn.number);
                self.report.differs(Difference { case, turn, ask: Some(place + 1), step, plugin, what });
            }
        }
        again.answered
    }

    fn end(self, decided: Result<Decision, Stuck>) {
        if self.is_off {
            return;
        }
        let what = match decided {
            Err(stuck) => Some(Differs::Refused(stuck.to_string())),
            Ok(_) if self.asked != self.turn.asks.len() => {
                Some(Differs::Count { recorded: self.turn.asks.len(), found: self.asked })
            }
            Ok(decision) => entries(self.turn, &decision.turn),
        };
        if let Some(what) = what {
            let (case, turn) = (self.case.clone(), self.turn.number);
            self.report.differs(Difference { case, turn, ask: None, step: None, plugin: None, what });
        }
    }
}

/// The first entry that is not what was recorded.
fn entries(recorded: &Turn, found: &Turn) -> Option<Differs> {
    let count = recorded.entries.len().max(found.entries.len());
    let differs = |place: &usize| {
        let of = |turn: &Turn| turn.entries.get(*place).map(codec::encode);
        of(recorded) != of(found)
    };
    let place = (0..count).find(differs)?;
    let told = |turn: &Turn| turn.entries.get(place).map(compare::json).unwrap_or_default();
    Some(Differs::Entries { entry: place + 1, recorded: told(recorded), found: told(found) })
}
