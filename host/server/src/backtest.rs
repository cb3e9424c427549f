//! Backtest: a candidate workflow or plugin on the cases of the past. Nothing is written to the tenant's file and nothing leaves.
//!
//! ```text
//! candidate ─► trial ─┐
//! journal ────────────┴─► judge: recorded facts, recorded answers where they still apply, else the sandbox ─► tally ─► report
//! ```

pub mod page;
pub(crate) mod pages;
pub(crate) mod parallel;
pub mod report;
mod run;
mod scratch;
pub mod trial;

use redress_domain::backtest::tally::Tally;
use redress_domain::case::evolve::Impossible;
use redress_domain::ids::{Digest, Slug};
use redress_store::error::{OpenError, ReadError};
use redress_store::snapshot::Snapshot;

use crate::{engine, publish};
pub use pages::Select;
pub use run::run;
pub use scratch::from_scratch;

/// What a backtest found.
#[derive(Debug, Clone)]
pub struct Report {
    /// The workflows on trial.
    pub on_trial: Vec<(Slug, Digest)>,
    /// Whether the whole history was run anew, each case on what the ones before it left.
    pub from_scratch: bool,
    /// Whether closed cases were played to their end.
    pub whole: bool,
    /// What the comparisons come to.
    pub tally: Tally,
    /// Answers of plugins that were taken from the record.
    pub answers_reused: u64,
    /// Questions that were put to plugins.
    pub plugin_calls: u64,
}

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The candidate.
    #[error(transparent)]
    Publish(#[from] publish::Error),
    /// The engine.
    #[error(transparent)]
    Engine(#[from] engine::Error),
    /// The scratch ledger.
    #[error("scratch ledger could not be made")]
    Scratch(#[source] OpenError),
    /// A plugin that no workflow on trial calls.
    #[error("no workflow on trial calls plugin {0}")]
    NotCalled(String),
    /// Nothing is on trial.
    #[error("neither a workflow nor a plugin is on trial")]
    Nothing,
    /// The machine gives no threads.
    #[error("backtest could not be given a thread")]
    Thread(#[source] std::io::Error),
}

impl Error {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Publish(error) => error.code(),
            Self::Engine(error) => error.code(),
            Self::Scratch(_) | Self::Thread(_) => "host_not_started",
            Self::NotCalled(_) => "plugin_not_called",
            Self::Nothing => "candidate_missing",
        }
    }
}

impl From<ReadError> for Error {
    fn from(error: ReadError) -> Self {
        Self::Engine(error.into())
    }
}

impl From<Impossible> for Error {
    fn from(error: Impossible) -> Self {
        Self::Engine(engine::Error::Damaged { what: "journal", detail: error.to_string() })
    }
}

/// One turn of a journal.
fn turn(snapshot: &Snapshot, case: redress_domain::ids::CaseId, number: u64) -> Result<Option<Recorded>, Error> {
    let rows = snapshot.journal(case, redress_store::batch::Version(number), 1)?;
    let decode = |bytes: &[u8]| redress_domain::codec::decode(bytes).map_err(engine::Error::damaged("turn"));
    Ok(rows.first().map(|row| decode(&row.record)).transpose()?)
}

type Recorded = redress_domain::decision::Turn;
