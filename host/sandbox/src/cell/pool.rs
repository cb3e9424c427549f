//! The cells of a room: as many as calls ran at once, each used by one call at a time.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::process::Cell;
use super::{Kept, Program};
use crate::call::{Call, Outcome};
use crate::failure::{Error, Stopped};
use crate::limits::Limits;
use crate::load::Unready;
use crate::stats::Counters;

/// The cells of one engine's settings.
pub(crate) struct Cells {
    program: Program,
    limits: Arc<Limits>,
    compatibility: [u8; 32],
    counters: Arc<Counters>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Those that nobody uses, by the niceness of the threads that use them: a process keeps that of the thread that started it, and one
    /// that runs plugins behind all others must not be taken by a thread that comes first, nor the other way round.
    idle: BTreeMap<i32, Vec<Cell>>,
    /// The numbers of all that there are, with those that are being started.
    alive: Vec<u32>,
    starting: u32,
}

/// Why there was no answer.
enum Gone {
    /// More calls run already than may.
    Busy,
    /// No cell could be started.
    Unstarted(String),
    /// The cell was lost.
    Lost(String),
}

impl Cells {
    /// Starts the first one, to see that it can be done.
    pub(crate) fn new(
        program: Program,
        limits: Arc<Limits>,
        compatibility: [u8; 32],
        counters: Arc<Counters>,
    ) -> Result<Self, Error> {
        let cells = Self { program, limits, compatibility, counters, state: Mutex::default() };
        let (first, caged) = cells.start().map_err(|error| Error::Cell { detail: error.to_string() })?;
        if let Err(why) = caged {
            tracing::warn!(why, "the system does not close in the processes that run plugins; their limits hold alone");
        }
        let mut state = cells.state();
        state.alive.push(first.id());
        state.idle.entry(niceness()).or_default().push(first);
        drop(state);
        Ok(cells)
    }

    /// The numbers of the processes.
    pub(crate) fn ids(&self) -> Vec<u32> {
        self.state().alive.clone()
    }

    /// Shows a plugin's code to a cell: whether it can be asked.
    pub(crate) fn load(&self, kept: &Kept) -> Result<(), Unready> {
        match self.with(|cell| cell.load(kept, &self.limits)) {
            Ok(loaded) => loaded,
            Err(Gone::Busy) => Err(Unready::Process("all of them are taken, a retry may succeed".to_owned())),
            Err(Gone::Unstarted(detail) | Gone::Lost(detail)) => Err(Unready::Process(detail)),
        }
    }

    /// Puts a question to a plugin in a cell.
    pub(crate) fn ask(&self, kept: &Kept, call: Call<'_>, fuel: u64) -> Outcome {
        let stopped = match self.with(|cell| cell.ask(kept, call, fuel, &self.limits)) {
            Ok(outcome) => return outcome,
            Err(Gone::Busy) => Stopped::Busy,
            Err(Gone::Unstarted(detail)) => Stopped::Host(format!("no process could be started for it: {detail}")),
            Err(Gone::Lost(detail)) => Stopped::Lost(detail),
        };
        Outcome::stopped(stopped)
    }

    /// Uses a cell that is idle, or a new one. One that fails is ended.
    fn with<T>(&self, act: impl FnOnce(&mut Cell) -> io::Result<T>) -> Result<T, Gone> {
        let niceness = niceness();
        let mut cell = self.take(niceness)?;
        let done = act(&mut cell);
        match done {
            Ok(done) => {
                self.state().idle.entry(niceness).or_default().push(cell);
                Ok(done)
            }
            Err(error) => {
                let id = cell.id();
                let detail = cell.end(&error);
                self.state().alive.retain(|alive| *alive != id);
                self.counters.processes_lost.add_one();
                tracing::error!(detail, "a process that runs plugins was lost");
                Err(Gone::Lost(detail))
            }
        }
    }

    fn take(&self, niceness: i32) -> Result<Cell, Gone> {
        let mut state = self.state();
        // The one that was used last: its plugins and pages are at hand.
        if let Some(cell) = state.idle.get_mut(&niceness).and_then(Vec::pop) {
            return Ok(cell);
        }
        if state.alive.len() + state.starting as usize >= self.limits.calls_at_once_max as usize {
            // One of another niceness that nobody uses makes room.
            let Some(unused) = state.idle.values_mut().find_map(Vec::pop) else { return Err(Gone::Busy) };
            state.alive.retain(|alive| *alive != unused.id());
            drop(unused);
        }
        state.starting += 1;
        drop(state);
        let started = self.start();
        let mut state = self.state();
        state.starting -= 1;
        let (cell, _) = started.map_err(|error| Gone::Unstarted(error.to_string()))?;
        state.alive.push(cell.id());
        Ok(cell)
    }

    fn start(&self) -> io::Result<(Cell, Result<(), String>)> {
        Cell::start(&self.program, &self.limits, self.compatibility)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// That of the calling thread; where the system does not tell, all are alike.
fn niceness() -> i32 {
    rustix::process::getpriority_process(None).unwrap_or_default()
}
