//! What an engine counts of itself.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use super::{Engine, Error};

/// The counters themselves; their values order nothing else.
#[derive(Debug, Default)]
pub(super) struct Figures {
    turns: AtomicU64,
    conflicts: AtomicU64,
    /// By code, of which there is a fixed number.
    failed: Mutex<BTreeMap<&'static str, u64>>,
}

/// What the engine counted since it started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// Turns committed.
    pub turns: u64,
    /// Turns computed again because another one moved what they read.
    pub conflicts: u64,
}

impl Engine {
    /// What was counted since the start.
    pub fn counts(&self) -> Counts {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Counts { turns: read(&self.0.figures.turns), conflicts: read(&self.0.figures.conflicts) }
    }

    /// Commands that were refused or failed since the start, by code.
    pub fn failures(&self) -> BTreeMap<&'static str, u64> {
        self.0.figures.failed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Turns of the tenant that wait for a worker.
    pub fn queued(&self) -> usize {
        self.0.workers.queued(self.0.record.id)
    }
}

impl Figures {
    pub(super) fn turn(&self) {
        self.turns.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn conflict(&self) {
        self.conflicts.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn failed(&self, error: &Error) {
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        *failed.entry(error.code()).or_default() += 1;
    }
}
