//! The cells of a room: as many as are used at once, each by one call or one load at a time.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::process::Cell;
use super::{Kept, Program};
use crate::call::{Call, Outcome};
use crate::failure::{Error, Stopped};
use crate::limits::Limits;
use crate::load::Unready;
use crate::stats::Counters;

/// How long a cell may be unused before it is ended: a burst does not hold its memory for ever.
const UNUSED_MAX: Duration = Duration::from_secs(300);

/// The cells of one engine's settings.
pub(crate) struct Cells {
    program: Program,
    limits: Arc<Limits>,
    compatibility: [u8; 32],
    counters: Arc<Counters>,
    /// Whether the system closed the first one in: the others must be too.
    is_caged: bool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Those that nobody uses, by the niceness of the threads that use them: a process keeps that of the thread that started it, and one
    /// that runs plugins behind all others must not be taken by a thread that comes first, nor the other way round. The last was used
    /// last.
    idle: BTreeMap<i32, Vec<Unused>>,
    /// The numbers of all that there are.
    alive: Vec<u32>,
    /// How many are being started.
    starting: usize,
    /// How many calls run.
    calls: u32,
}

struct Unused {
    cell: Cell,
    since: Instant,
}

/// Why there was no answer.
enum Gone {
    /// More run already than may.
    Busy,
    /// No cell could be started.
    Unstarted(String),
    /// The cell was lost.
    Lost(String),
}

/// What becomes of a cell that was used.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Then {
    Stays,
    Ends,
}

impl Cells {
    /// Starts the first one, to see that it can be done.
    pub(crate) fn new(
        program: Program,
        limits: Arc<Limits>,
        compatibility: [u8; 32],
        counters: Arc<Counters>,
    ) -> Result<Self, Error> {
        let started = Cell::start(&program, &limits, compatibility);
        let (first, caged) = started.map_err(|error| Error::Cell { detail: error.to_string() })?;
        if let Err(why) = &caged {
            tracing::warn!(why, "the system does not close in the processes that run plugins; their limits hold alone");
        }
        let mut state = State { alive: vec![first.id()], ..State::default() };
        state.idle.entry(niceness()).or_default().push(Unused { cell: first, since: Instant::now() });
        let is_caged = caged.is_ok();
        Ok(Self { program, limits, compatibility, counters, is_caged, state: Mutex::new(state) })
    }

    /// The numbers of the processes.
    pub(crate) fn ids(&self) -> Vec<u32> {
        self.state().alive.clone()
    }

    /// Shows a plugin's code to a cell: whether it can be asked. One that is lost meanwhile costs no plugin.
    pub(crate) fn load(&self, kept: &Kept) -> Result<(), Unready> {
        let load = || self.with(|cell| Ok((cell.load(kept, &self.limits)?, Then::Stays)));
        let loaded = match load() {
            Err(Gone::Lost(_)) => load(),
            loaded => loaded,
        };
        match loaded {
            Ok(loaded) => loaded,
            Err(Gone::Busy) => Err(Unready::Process("all of them are taken, a retry may succeed".to_owned())),
            Err(Gone::Unstarted(detail) | Gone::Lost(detail)) => Err(Unready::Process(detail)),
        }
    }

    /// Puts a question to a plugin in a cell.
    pub(crate) fn ask(&self, kept: &Kept, call: Call<'_>, fuel: u64) -> Outcome {
        let Some(_calling) = Calling::begin(self) else { return Outcome::stopped(Stopped::Busy) };
        let asked = self.with(|cell| {
            let outcome = cell.ask(kept, call, fuel, &self.limits)?;
            // One that has not what it needs, or whose engine panicked, is not asked again.
            let is_broken = matches!(outcome.said, Err(Stopped::Host(_) | Stopped::Panic(_)));
            Ok((outcome, if is_broken { Then::Ends } else { Then::Stays }))
        });
        let stopped = match asked {
            Ok(outcome) => return outcome,
            Err(Gone::Busy) => Stopped::Busy,
            Err(Gone::Unstarted(detail)) => Stopped::Host(format!("no process could be started for it: {detail}")),
            Err(Gone::Lost(detail)) => Stopped::Lost(detail),
        };
        Outcome::stopped(stopped)
    }

    /// Uses a cell that is idle, or a new one. One that fails is ended.
    fn with<T>(&self, act: impl FnOnce(&mut Cell) -> io::Result<(T, Then)>) -> Result<T, Gone> {
        let niceness = niceness();
        let mut cell = self.take(niceness)?;
        let listed = Listed { cells: self, id: cell.id() };
        match act(&mut cell) {
            Ok((done, Then::Stays)) => {
                std::mem::forget(listed);
                self.give_back(niceness, cell);
                Ok(done)
            }
            Ok((done, Then::Ends)) => Ok(done),
            Err(error) => {
                // Before it is gone, and its number somebody else's.
                drop(listed);
                let detail = cell.end(&error);
                self.lost(&detail);
                Err(Gone::Lost(detail))
            }
        }
    }

    fn lost(&self, detail: &str) {
        self.counters.processes_lost.add_one();
        tracing::error!(detail, "a process that runs plugins was lost");
    }

    fn give_back(&self, niceness: i32, cell: Cell) {
        let mut state = self.state();
        let idle = state.idle.entry(niceness).or_default();
        idle.push(Unused { cell, since: Instant::now() });
        let is_unused = idle.first().is_some_and(|first| first.since.elapsed() > UNUSED_MAX);
        let unused = is_unused.then(|| idle.remove(0));
        if let Some(unused) = &unused {
            state.alive.retain(|alive| *alive != unused.cell.id());
        }
        drop(state);
        // Ending one takes a moment, in which others go on.
        drop(unused);
    }

    /// A cell that lives: one that ended while nobody used it is found here, so that no call meets it.
    fn take(&self, niceness: i32) -> Result<Cell, Gone> {
        let mut state = self.state();
        while let Some(Unused { mut cell, .. }) = state.idle.get_mut(&niceness).and_then(Vec::pop) {
            if cell.is_alive() {
                return Ok(cell);
            }
            state.alive.retain(|alive| *alive != cell.id());
            self.lost("it ended while nobody used it");
        }
        let mut makes_room = None;
        if state.alive.len() + state.starting >= self.all_max() {
            // One of another niceness that nobody uses makes room.
            let Some(unused) = state.idle.values_mut().find_map(Vec::pop) else { return Err(Gone::Busy) };
            state.alive.retain(|alive| *alive != unused.cell.id());
            makes_room = Some(unused);
        }
        state.starting += 1;
        drop(state);
        drop(makes_room);
        let started = self.start();
        let mut state = self.state();
        state.starting -= 1;
        let cell = started.map_err(|error| Gone::Unstarted(error.to_string()))?;
        state.alive.push(cell.id());
        Ok(cell)
    }

    /// Calls have their own; so have components that are loaded, which must not take a call's.
    fn all_max(&self) -> usize {
        let loads = self.limits.compilations_at_once_max.saturating_add(self.limits.compilations_waiting_max);
        loads.saturating_add(self.limits.calls_at_once_max as usize)
    }

    fn start(&self) -> io::Result<Cell> {
        let (cell, caged) = Cell::start(&self.program, &self.limits, self.compatibility)?;
        match caged {
            Err(why) if self.is_caged => Err(io::Error::other(format!("the system did not close it in: {why}"))),
            _ => Ok(cell),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A cell that is used, in the list of all. Dropped, it is there no more.
struct Listed<'c> {
    cells: &'c Cells,
    id: u32,
}

impl Drop for Listed<'_> {
    fn drop(&mut self) {
        self.cells.state().alive.retain(|alive| *alive != self.id);
    }
}

/// A call that runs, of those that may run at once.
struct Calling<'c>(&'c Cells);

impl<'c> Calling<'c> {
    fn begin(cells: &'c Cells) -> Option<Self> {
        let mut state = cells.state();
        if state.calls >= cells.limits.calls_at_once_max {
            return None;
        }
        state.calls += 1;
        Some(Self(cells))
    }
}

impl Drop for Calling<'_> {
    fn drop(&mut self) {
        self.0.state().calls -= 1;
    }
}

/// That of the calling thread; where the system does not tell, all are alike.
fn niceness() -> i32 {
    rustix::process::getpriority_process(None).unwrap_or_default()
}
