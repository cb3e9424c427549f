//! Trials: the tests of a workflow, run on the real engine.
//!
//! Each test has a store in memory, an engine on it, a clock that moves only where the test says so, and the outbox on the bench. The
//! engine, its timers, the rules of settlement and the plugins are those that a merchant's cases meet, so that what a test proves is
//! what happens. No socket is opened and nothing is written to a disk.

pub mod coverage;
mod mocks;
mod receiver;
mod replay;
mod stage;

use std::sync::Arc;

use redress_domain::clock::Instant;
use redress_domain::ids::Slug;
use redress_domain::workflow::definition::Definition;
use redress_domain::workflow::diagnostic::{Diagnostic, Range};
use redress_domain::workflow::trial::{Mismatch, Trial, judge};
use redress_sandbox::Sandbox;

use crate::clock::Clock;
use crate::config::Limits;
use crate::engine::Engine;
use crate::engine::tenant::TenantRecord;
use crate::engine::workers::Workers;
use coverage::Reached;
use stage::Stage;

/// The code of a diagnostic that tells of a failed test.
pub const FAILED: &str = "test_failed";

/// What trials run with.
#[derive(Clone)]
pub struct House {
    /// For whom: zone, currency, law.
    pub record: TenantRecord,
    /// Where plugins run.
    pub sandbox: Sandbox,
    /// The threads that run turns.
    pub workers: Workers,
    /// What is allowed.
    pub limits: Limits,
    /// The host's own time, by which tests may not take too long.
    pub clock: Arc<dyn Clock>,
    /// The workflows beside the one that is tried, which it may run.
    pub beside: Vec<Arc<Definition>>,
}

/// What came of one test.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Its name.
    pub name: String,
    /// Where its name stands.
    pub at: Range,
    /// The steps that were taken.
    pub path: Vec<Slug>,
    /// What was not as it should be; nothing where it passed.
    pub failures: Vec<Failure>,
    /// Why people were asked whom the workflow does not ask.
    pub stuck: Vec<Stuck>,
    /// What of the workflow it reached.
    pub reached: Reached,
    /// How long it took, by the host's clock.
    pub millis: i64,
}

/// Why the case went to a person whom its workflow does not ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stuck {
    /// The step that failed; none where no workflow took the case.
    pub step: Option<Slug>,
    /// The code, as `on_error` names it.
    pub code: String,
    /// What it says beside.
    pub detail: String,
}

impl std::fmt::Display for Stuck {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Some(step) = &self.step else { return write!(f, "no trigger takes the case, a person was asked") };
        write!(f, "step {step} failed with {}", self.code)?;
        if !self.detail.is_empty() {
            write!(f, ": {}", self.detail)?;
        }
        write!(f, "; no `on_error` takes it, a person was asked")
    }
}

/// Something that was not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Where it stands in the test.
    pub at: Range,
    /// What it is.
    pub what: Fault,
}

/// What was not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// Something else came than was expected.
    Unmet {
        /// The expectation.
        field: &'static str,
        /// What was expected and what was found.
        mismatch: Mismatch,
    },
    /// Something could not be played.
    Unplayed(String),
    /// The test could not be run to its end.
    Broken(String),
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unmet { field, mismatch } => {
                write!(f, "`{field}` is {}, expected {}", mismatch.found, mismatch.expected)
            }
            Self::Unplayed(why) | Self::Broken(why) => f.write_str(why),
        }
    }
}

impl House {
    /// For the trials of a merchant's workflows: their threads take turns with those of the merchant's own cases.
    pub fn of(engine: &Engine) -> Self {
        Self {
            record: engine.record().clone(),
            sandbox: engine.sandbox().clone(),
            workers: engine.workers().clone(),
            limits: engine.limits().clone(),
            clock: engine.shared_clock(),
            beside: engine.registry().active(),
        }
    }

    /// Run all tests of a workflow, one after the other. `told` hears of each when it is done.
    pub fn run(&self, definition: &Arc<Definition>, trials: &[Trial], mut told: impl FnMut(&Outcome)) -> Vec<Outcome> {
        let deadline = self.clock.now().after(self.limits.trials.within);
        let run = |trial: &Trial| {
            let outcome = self.try_one(definition, trial, deadline);
            told(&outcome);
            outcome
        };
        trials.iter().map(run).collect()
    }

    fn try_one(&self, definition: &Arc<Definition>, trial: &Trial, deadline: Instant) -> Outcome {
        let began = self.clock.now();
        let mut outcome = Outcome {
            name: trial.name.clone(),
            at: trial.at,
            path: Vec::new(),
            failures: Vec::new(),
            stuck: Vec::new(),
            reached: Reached::default(),
            millis: 0,
        };
        match Stage::played(self, definition, trial, deadline) {
            Ok(ended) => {
                outcome.failures.extend(ended.unplayed);
                let seen = ended.story.seen(&ended.calls);
                let unmet = trial.expect.iter().filter_map(|expectation| {
                    let mismatch = judge(expectation, &seen)?;
                    Some(Failure { at: expectation.at, what: Fault::Unmet { field: expectation.field, mismatch } })
                });
                outcome.failures.extend(unmet);
                outcome.stuck = ended.story.stuck();
                outcome.reached = Reached::of(definition, &ended.story);
                outcome.path = ended.story.path;
            }
            Err(broken) => outcome.failures.push(Failure { at: trial.at, what: Fault::Broken(broken.to_string()) }),
        }
        outcome.millis = self.clock.now().unix_ms() - began.unix_ms();
        outcome
    }
}

impl Outcome {
    /// Whether all was as it should be.
    pub fn passed(&self) -> bool {
        self.failures.is_empty()
    }

    /// The failures as problems of the document that the test stands in.
    pub fn problems(&self) -> Vec<Diagnostic> {
        let way: Vec<&str> = self.path.iter().map(Slug::as_str).collect();
        let problem = |failure: &Failure| {
            let message = format!("test {:?} failed: {}", self.name, failure.what);
            let found = Diagnostic::new(FAILED, failure.at, message);
            let way = (!way.is_empty()).then(|| format!("path taken: {}", way.join(" > ")));
            let told: Vec<String> = way.into_iter().chain(self.stuck.iter().map(ToString::to_string)).collect();
            if told.is_empty() { found } else { found.help(told.join("; ")) }
        };
        self.failures.iter().map(problem).collect()
    }
}

impl std::fmt::Debug for House {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "House({})", self.record.slug)
    }
}
