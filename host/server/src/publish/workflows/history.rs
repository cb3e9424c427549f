//! What was active when: every publication and every way back, from the tenant's own stream.

use redress_domain::case::command::Actor;
use redress_domain::clock::Instant;
use redress_domain::ids::{Digest, Slug};
use redress_domain::workflow::canary::Percent;

use crate::engine::log::{self, Ended, Logged, Origin, What};
use crate::engine::{self, Engine};

/// A revision that became active, or was tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Became {
    /// The revision.
    pub revision: Digest,
    /// Its number.
    pub number: u64,
    /// By what.
    pub how: How,
    /// When.
    pub at: Instant,
    /// By whom.
    pub by: Actor,
    /// Why, in a few words.
    pub note: String,
    /// Where it came from.
    pub from: Origin,
    /// Whether it still is, since then.
    pub active: bool,
}

/// By what a revision became active.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// Its text was published, or a plugin that it calls became active.
    Published,
    /// Somebody went back to it.
    RolledBack,
    /// A share of the new cases took it, so many percent.
    Tried(Percent),
    /// No further case took it as a canary.
    TrialEnded(Ended),
    /// Its cases were paused.
    Held,
    /// Its cases went on.
    Resumed,
    /// So many cases came to it from another revision.
    MigratedTo(u64),
}

impl How {
    /// Whether every new case took it from then on.
    pub fn makes_active(self) -> bool {
        matches!(self, Self::Published | Self::RolledBack)
    }
}

/// Every time that a revision of a workflow became active or was tried, oldest first; empty for a workflow that was never published.
///
/// # Errors
/// The store cannot be read.
pub fn of(engine: &Engine, workflow: &Slug) -> Result<Vec<Became>, engine::Error> {
    let mut past: Vec<Became> = log::read(engine)?.into_iter().filter_map(|logged| became(logged, workflow)).collect();
    let active = super::active(engine, workflow)?;
    let is_last = |became: &&mut Became| Some(became.revision) == active && became.how.makes_active();
    if let Some(last) = past.iter_mut().rev().find(is_last) {
        last.active = true;
    }
    Ok(past)
}

/// The revision that was active before the present one. Who goes back twice comes two revisions back: a way back forgets what it
/// left.
/// One that is stored no more is passed over.
pub(in crate::publish) fn previous(past: &[Became], is_stored: impl Fn(Digest) -> bool) -> Option<Digest> {
    let mut line: Vec<Digest> = Vec::new();
    for became in past.iter().filter(|became| became.how.makes_active() && is_stored(became.revision)) {
        let seen = line.iter().rposition(|revision| *revision == became.revision);
        match (became.how, seen) {
            (How::RolledBack, Some(place)) => line.truncate(place + 1),
            _ if line.last() == Some(&became.revision) => {}
            _ => line.push(became.revision),
        }
    }
    line.pop();
    line.pop()
}

fn became(logged: Logged, workflow: &Slug) -> Option<Became> {
    let Logged { at, by, what } = logged;
    let (how, name, revision, number, note, from) = match what {
        What::WorkflowPublished { workflow, revision, number, note, from } => {
            (How::Published, workflow, revision, number, note, from)
        }
        What::WorkflowActivated { workflow, revision, number, note, from } => {
            (How::RolledBack, workflow, revision, number, note, from)
        }
        What::CanaryStarted { workflow, revision, number, percent, note, from, .. } => {
            (How::Tried(percent), workflow, revision, number, note, from)
        }
        What::CanaryEnded { workflow, revision, number, how, note, from, .. } => {
            (How::TrialEnded(how), workflow, revision, number, note, from)
        }
        What::RevisionHeld { workflow, revision, number, note, from } => {
            (How::Held, workflow, revision, number, note, from)
        }
        What::RevisionResumed { workflow, revision, number, note, from } => {
            (How::Resumed, workflow, revision, number, note, from)
        }
        What::CasesMigrated { workflow, revision, number, moved, note, from, .. } => {
            (How::MigratedTo(moved), workflow, revision, number, note, from)
        }
        _ => return None,
    };
    (name == *workflow).then_some(Became { revision, number, how, at, by, note, from, active: false })
}
