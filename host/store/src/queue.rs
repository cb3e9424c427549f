//! The queue of a writer: many hand in, one takes out. It is bounded, and waiting in it never yields.
//!
//! The channels of the usual libraries spin and then yield a few times before they sleep. On a machine that is busy with work behind
//! that of cases, a thread that yields gives its place to that work for a millisecond, and is not let in at once when it is woken next
//! (Linux from 6.12 on takes a yield for a slice that was used up). Sleeping at once is what a writer wants anyway: the next batch is a
//! turn away.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// Both ends of a queue of this length.
#[must_use]
pub fn queue<T>(max: usize) -> (Sender<T>, Receiver<T>) {
    let state = State { waiting: VecDeque::new(), is_taken_from: true, is_handed_to: true, sleeps: false };
    let shared = Arc::new(Shared { state: Mutex::new(state), changed: Condvar::new(), max });
    (Sender(shared.clone()), Receiver(shared))
}

/// Why something was not taken; it is gone.
#[derive(Debug, PartialEq, Eq)]
pub enum Refused {
    /// As much waits as may.
    Full,
    /// Nobody takes out any more.
    Closed,
}

/// The end where things are handed in. Dropped, it lets what waits be taken out, and then ends the other.
pub struct Sender<T>(Arc<Shared<T>>);

/// The end where they are taken out, by one at a time.
pub struct Receiver<T>(Arc<Shared<T>>);

struct Shared<T> {
    state: Mutex<State<T>>,
    /// Something came, or nothing will come any more.
    changed: Condvar,
    max: usize,
}

struct State<T> {
    waiting: VecDeque<T>,
    is_taken_from: bool,
    is_handed_to: bool,
    /// The other end sleeps: who changes something wakes it.
    sleeps: bool,
}

impl<T> Shared<T> {
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wake(&self, mut state: MutexGuard<'_, State<T>>) {
        let sleeps = std::mem::take(&mut state.sleeps);
        drop(state);
        if sleeps {
            self.changed.notify_one();
        }
    }
}

impl<T> Sender<T> {
    /// Hands in without waiting.
    ///
    /// # Errors
    ///
    /// As much waits as may, or nobody takes out any more.
    pub fn send(&self, thing: T) -> Result<(), Refused> {
        let mut state = self.0.lock();
        if !state.is_taken_from {
            return Err(Refused::Closed);
        }
        if state.waiting.len() >= self.0.max {
            return Err(Refused::Full);
        }
        state.waiting.push_back(thing);
        self.0.wake(state);
        Ok(())
    }
}

impl<T> Receiver<T> {
    /// The next one, waited for; none when nothing will come any more.
    #[must_use]
    pub fn take(&mut self) -> Option<T> {
        self.take_until(None)
    }

    /// The next one, waited for until then.
    #[must_use]
    pub fn take_before(&mut self, deadline: Instant) -> Option<T> {
        self.take_until(Some(deadline))
    }

    /// The next one, if it is there.
    #[must_use]
    pub fn take_now(&mut self) -> Option<T> {
        self.0.lock().waiting.pop_front()
    }

    fn take_until(&mut self, deadline: Option<Instant>) -> Option<T> {
        let mut state = self.0.lock();
        loop {
            if let Some(thing) = state.waiting.pop_front() {
                return Some(thing);
            }
            if !state.is_handed_to {
                return None;
            }
            state.sleeps = true;
            state = match deadline {
                None => self.0.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(deadline) => {
                    let left = deadline.checked_duration_since(Instant::now()).filter(|left| !left.is_zero());
                    let Some(left) = left else {
                        state.sleeps = false;
                        return None;
                    };
                    self.0.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.is_handed_to = false;
        self.0.wake(state);
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        let waiting = {
            let mut state = self.0.lock();
            state.is_taken_from = false;
            std::mem::take(&mut state.waiting)
        };
        // What is dropped may do anything, and does it without the lock.
        drop(waiting);
    }
}

#[cfg(test)]
mod tests {
    use std::thread;
    use std::time::{Duration, Instant};

    use super::{Refused, queue};

    #[test]
    fn what_is_handed_in_comes_out_in_order_up_to_the_last_one() {
        let (sender, mut receiver) = queue(100_000);
        let taking =
            thread::Builder::new().spawn(move || std::iter::from_fn(|| receiver.take()).collect::<Vec<_>>()).unwrap();
        for n in 0..50_000 {
            sender.send(n).unwrap();
        }
        drop(sender);
        assert_eq!(taking.join().unwrap(), (0..50_000).collect::<Vec<_>>());
    }

    #[test]
    fn a_full_queue_and_one_that_nobody_takes_from_refuse() {
        let (sender, mut receiver) = queue(1);
        assert_eq!(sender.send(1), Ok(()));
        assert_eq!(sender.send(2), Err(Refused::Full));
        assert_eq!(receiver.take_now(), Some(1));
        assert_eq!(sender.send(3), Ok(()));
        drop(receiver);
        assert_eq!(sender.send(4), Err(Refused::Closed));
    }

    #[test]
    fn who_waits_until_a_moment_gets_what_comes_before_it_and_nothing_after() {
        let (sender, mut receiver) = queue(9);
        assert_eq!(receiver.take_before(Instant::now()), None);
        assert_eq!(receiver.take_before(Instant::now() + Duration::from_millis(1)), None);
        let handing = thread::Builder::new().spawn(move || {
            sender.send(7).unwrap();
            sender
        });
        assert_eq!(receiver.take_before(Instant::now() + Duration::from_secs(60)), Some(7));
        drop(handing.unwrap().join().unwrap());
        assert_eq!(receiver.take_before(Instant::now() + Duration::from_secs(60)), None);
    }

    #[test]
    fn what_nobody_took_out_is_dropped_with_the_end_that_took_out() {
        let (sender, receiver) = queue(9);
        let thing = std::sync::Arc::new(());
        sender.send(thing.clone()).unwrap();
        drop(receiver);
        assert_eq!(std::sync::Arc::strong_count(&thing), 1);
    }
}
