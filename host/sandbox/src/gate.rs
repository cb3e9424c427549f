//! How many plugins are compiled at once, and how many wait for their turn: compiling takes a core and tens of mebibytes.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// What who comes to a closed gate does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Patience {
    /// Waits for a seat, however many wait: cases and the start of a host go on.
    Waits,
    /// Goes away where too many wait already: whoever uploads may come again.
    GoesAway,
}

/// The gate.
#[derive(Debug)]
pub(crate) struct Gate {
    seats: usize,
    waiting_max: usize,
    state: Mutex<State>,
    freed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    taken: usize,
    waiting: usize,
}

/// The right to compile, until it is dropped.
#[derive(Debug)]
pub(crate) struct Seat<'g>(&'g Gate);

impl Gate {
    pub(crate) fn new(seats: usize, waiting_max: usize) -> Self {
        Self { seats: seats.max(1), waiting_max, state: Mutex::default(), freed: Condvar::new() }
    }

    /// A seat, once there is one; `None` for who goes away.
    pub(crate) fn enter(&self, patience: Patience) -> Option<Seat<'_>> {
        let mut state = self.state();
        if state.taken >= self.seats && state.waiting >= self.waiting_max && patience == Patience::GoesAway {
            return None;
        }
        state.waiting += 1;
        let full = |state: &mut State| state.taken >= self.seats;
        let mut state = self.freed.wait_while(state, full).unwrap_or_else(PoisonError::into_inner);
        state.waiting -= 1;
        state.taken += 1;
        Some(Seat(self))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        self.0.state().taken -= 1;
        self.0.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::{Gate, Patience};

    #[test]
    fn who_uploads_goes_away_where_too_many_wait_and_who_must_go_on_waits() {
        let gate = Gate::new(1, 0);
        let seat = gate.enter(Patience::GoesAway).unwrap();
        assert!(gate.enter(Patience::GoesAway).is_none());
        let (told, entered) = mpsc::channel();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let seat = gate.enter(Patience::Waits);
                told.send(()).unwrap();
                drop(seat);
            });
            while gate.state().waiting == 0 {
                std::thread::yield_now();
            }
            assert!(entered.try_recv().is_err(), "two sit on one seat");
            drop(seat);
            entered.recv().unwrap();
        });
        assert!(gate.enter(Patience::GoesAway).is_some());
    }
}
