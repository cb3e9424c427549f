//! Replay: what was decided, decided again by the same rules, plugins and facts; anything that differs is told.
//!
//! ```text
//! journal ─► the case before each turn, its command, its facts ─┐
//! revision that the case was pinned to ─────────────────────────┴─► run ─► question: same digest?
//!                                                                     └─► component of the record: same answer, same fuel?
//!                                                                     └─► decision: same entries?
//! ```
//!
//! Nothing is written and nothing leaves.

mod compare;
pub mod exported;
mod judge;
pub mod part;
pub mod report;

use std::collections::BTreeMap;

use redress_domain::ask::Failure;
use redress_domain::ids::{CaseId, Digest};
use redress_store::error::ReadError;
use serde_json::Value as Json;

use crate::backtest::pages::{Pages, Select};
use crate::backtest::parallel;
use crate::engine::{self, Engine};
use judge::Judge;

/// Differences that are told one by one; further ones are counted.
pub const DIFFERENCES_MAX: usize = 100;

/// What a replay found.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Report {
    /// Cases that were looked at.
    pub cases: u64,
    /// Their turns: each was computed again.
    pub turns: u64,
    /// Decisions of plugins that were made again.
    pub checked: u64,
    /// Decisions and turns that are not what was recorded.
    pub different: u64,
    /// Questions that are others because something before them in their turn was different. They are not counted as different.
    pub followed: u64,
    /// Decisions that cannot be made again, by the code of the reason.
    pub unknown: BTreeMap<String, u64>,
    /// Decisions that another engine made with other fuel. Between engines only answers have to be equal.
    pub fuel_moved: u64,
    /// Decisions by the engine that made them.
    pub engines: BTreeMap<String, u64>,
    /// What differs, the first ones.
    pub differences: Vec<Difference>,
}

/// Something that is not what was recorded.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// The case.
    pub case: Named,
    /// The turn.
    pub turn: u64,
    /// The question, counted from 1 in its turn; none where the turn as a whole differs.
    pub ask: Option<usize>,
    /// The step that asks.
    pub step: Option<String>,
    /// The plugin as the workflow names it, and its component.
    pub plugin: Option<(String, Digest)>,
    /// What differs.
    pub what: Differs,
}

/// A case as people and programs name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// The merchant; empty for what comes from a file.
    pub tenant: String,
    /// The id.
    pub id: CaseId,
    /// The number.
    pub number: String,
}

/// What differs.
#[derive(Debug, Clone, PartialEq)]
pub enum Differs {
    /// The question: another step, another component, or another digest.
    Question {
        /// As recorded.
        recorded: String,
        /// As it is now.
        found: String,
    },
    /// The answer.
    Answer {
        /// As recorded.
        recorded: Json,
        /// As it is now.
        found: Json,
    },
    /// The fuel, on the same engine.
    Fuel {
        /// As recorded.
        recorded: u64,
        /// As it is now.
        found: u64,
    },
    /// More or fewer questions are asked.
    Count {
        /// As recorded.
        recorded: usize,
        /// As they are now.
        found: usize,
    },
    /// What the turn came to, with equal answers.
    Entries {
        /// The first entry that differs, from 1.
        entry: usize,
        /// As recorded.
        recorded: Json,
        /// As it is now.
        found: Json,
    },
    /// The rules refuse what they once took.
    Refused(String),
}

impl Differs {
    /// The stable word.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Question { .. } => "question",
            Self::Answer { .. } => "answer",
            Self::Fuel { .. } => "fuel",
            Self::Count { .. } => "questions",
            Self::Entries { .. } => "entries",
            Self::Refused(_) => "refused",
        }
    }
}

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The engine.
    #[error(transparent)]
    Engine(#[from] engine::Error),
    /// There is no such case.
    #[error("case {0} does not exist")]
    NoCase(CaseId),
    /// The machine gives no threads.
    #[error("replay could not be given a thread")]
    Thread(#[source] std::io::Error),
    /// A file that is not one of exported decisions.
    #[error("file of decisions could not be read: {0}")]
    File(String),
}

impl Error {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Engine(error) => error.code(),
            Self::NoCase(_) => "case_not_found",
            Self::Thread(_) => "host_not_started",
            Self::File(_) => "decisions_invalid",
        }
    }
}

impl From<ReadError> for Error {
    fn from(error: ReadError) -> Self {
        Self::Engine(error.into())
    }
}

impl Report {
    /// Take in what another found.
    pub fn add(&mut self, other: Self) {
        self.cases += other.cases;
        self.turns += other.turns;
        self.checked += other.checked;
        self.different += other.different;
        self.followed += other.followed;
        self.fuel_moved += other.fuel_moved;
        for (all, own) in [(&mut self.unknown, other.unknown), (&mut self.engines, other.engines)] {
            own.into_iter().for_each(|(name, count)| *all.entry(name).or_default() += count);
        }
        let room = DIFFERENCES_MAX.saturating_sub(self.differences.len());
        self.differences.extend(other.differences.into_iter().take(room));
    }

    fn differs(&mut self, difference: Difference) {
        self.different += 1;
        if self.differences.len() < DIFFERENCES_MAX {
            self.differences.push(difference);
        }
    }

    fn cannot(&mut self, code: &str) {
        *self.unknown.entry(code.to_owned()).or_default() += 1;
    }
}

/// Replay one case.
///
/// # Errors
/// There is none, or its record cannot be read.
pub fn case(engine: &Engine, case: CaseId) -> Result<Report, Error> {
    let snapshot = engine.store().read()?;
    Judge { engine, snapshot: &snapshot }.case(case)
}

/// Replay the cases of a tenant, the newest first. `progress` hears how many of about how many are done.
///
/// # Errors
/// A record cannot be read.
pub fn cases(engine: &Engine, select: &Select, progress: &mut dyn FnMut(u64, u64)) -> Result<Report, Error> {
    let snapshot = engine.store().read()?;
    let judge = Judge { engine, snapshot: &snapshot };
    let mut pages = Pages::new(&snapshot, select, engine.record().zone)?;
    let mut report = Report::default();
    while let Some(page) = pages.next()? {
        let threads = engine.limits().turn_workers;
        for found in parallel::each(&page, threads, |case| judge.case(*case)).map_err(Error::Thread)? {
            report.add(found?);
        }
        progress(report.cases, pages.total.max(report.cases));
    }
    Ok(report)
}

/// Whether another engine than this one made any of these decisions.
///
/// # Errors
/// A record cannot be read.
pub fn has_other_engine(engine: &Engine, select: &Select) -> Result<bool, Error> {
    let snapshot = engine.store().read()?;
    let (mut pages, mut has_other) = (Pages::new(&snapshot, select, engine.record().zone)?, false);
    let here = engine.sandbox().fingerprint();
    while let Some(page) = pages.next()? {
        for case in page {
            judge::walk(&snapshot, case, |_, turn| {
                has_other |= turn.asks.iter().any(|asked| asked.answered.engine != here);
                Ok(())
            })?;
        }
    }
    Ok(has_other)
}

/// Whether a recorded failure was the host's: another time there may be an answer, so there is nothing to compare with.
fn is_hosts(failure: &Failure) -> bool {
    redress_sandbox::INFRASTRUCTURE_CODES.contains(&failure.code.as_str())
}
