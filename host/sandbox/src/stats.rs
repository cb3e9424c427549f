//! What the sandbox counted since it was made.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::failure::CallError;

/// A reading of the counters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Components compiled.
    pub compiled: u64,
    /// Components loaded from the artifact cache instead.
    pub cache_hits: u64,
    /// Artifacts whose MAC was wrong. Anything above 0 means a person must look: the disk fails, or somebody wrote
    /// into the cache.
    pub cache_alarms: u64,
    /// Artifacts that could not be written.
    pub cache_write_failures: u64,
    /// Calls, with those that failed.
    pub calls: u64,
    /// Fuel that all calls used together.
    pub fuel: u64,
    /// Calls that the wall clock ended and that were tried a second time.
    pub interrupted_once: u64,
    /// Processes that plugins run in that ended otherwise than by the host's will. Anything above 0 means a person must look: the machine
    /// has too little memory, or a plugin found a hole.
    pub processes_lost: u64,
    /// Failed calls by their code.
    pub errors: BTreeMap<&'static str, u64>,
}

/// The counters themselves.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) compiled: Counter,
    pub(crate) cache_hits: Counter,
    pub(crate) cache_alarms: Counter,
    pub(crate) cache_write_failures: Counter,
    pub(crate) calls: Counter,
    pub(crate) fuel: Counter,
    pub(crate) interrupted_once: Counter,
    pub(crate) processes_lost: Counter,
    errors: Mutex<BTreeMap<&'static str, u64>>,
}

impl Counters {
    pub(crate) fn failed(&self, error: &CallError) {
        let mut errors = self.errors.lock().unwrap_or_else(PoisonError::into_inner);
        *errors.entry(error.code()).or_default() += 1;
    }

    pub(crate) fn read(&self) -> Stats {
        Stats {
            compiled: self.compiled.read(),
            cache_hits: self.cache_hits.read(),
            cache_alarms: self.cache_alarms.read(),
            cache_write_failures: self.cache_write_failures.read(),
            calls: self.calls.read(),
            fuel: self.fuel.read(),
            interrupted_once: self.interrupted_once.read(),
            processes_lost: self.processes_lost.read(),
            errors: self.errors.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        }
    }
}

/// A count that several threads add to; its value orders nothing else.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add_one(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn add(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    fn read(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
