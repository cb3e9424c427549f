//! Handing a whole schedule to the engine, with a window of what is not answered yet.

use std::time::{Duration, Instant as Stopwatch};

use crossbeam_channel::{Sender, bounded};

use super::plan::Schedule;
use crate::engine;

/// How many orders or cases are handed in and not answered yet: enough for full commits, and little to repeat after a stop.
const WINDOW: usize = 64;
/// How long to wait before trying again where the engine is busy with others, in milliseconds.
const RETRY_MS: u64 = 5;

/// Hand everything of a schedule in, with a window of what is not answered yet; ends when all is answered.
pub(crate) fn pump<T, E>(
    schedule: &mut Schedule,
    hand_in: impl Fn(usize, Reply<T>) -> Result<(), engine::Error>,
    mut answered: impl FnMut(Answer<T>) -> Result<(), E>,
) -> Result<(), E> {
    // An answer that comes while it is handed in must not block, so the channel holds the whole window.
    let (sender, answers) = bounded(WINDOW);
    let mut waiting = 0;
    loop {
        while waiting < WINDOW
            && let Some(place) = schedule.next()
        {
            let reply = Reply { place, handed_in: Stopwatch::now(), sender: sender.clone() };
            match hand_in(place, reply) {
                Ok(()) => waiting += 1,
                Err(error) if is_busy(&error) => {
                    schedule.again(place);
                    break;
                }
                Err(error) => {
                    answered(Answer { place, result: Err(error), took: Duration::ZERO })?;
                    schedule.answered(place);
                }
            }
        }
        if waiting == 0 {
            if schedule.is_finished() {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(RETRY_MS));
            continue;
        }
        // A sender of ours is alive, so there is always an answer to wait for.
        let Ok(answer) = answers.recv() else { return Ok(()) };
        waiting -= 1;
        let place = answer.place;
        if answer.result.as_ref().is_err_and(is_busy) {
            std::thread::sleep(Duration::from_millis(RETRY_MS));
            schedule.again(place);
        } else {
            answered(answer)?;
            schedule.answered(place);
        }
    }
}

/// The way back for one answer; given on another thread.
pub(crate) struct Reply<T> {
    place: usize,
    handed_in: Stopwatch,
    sender: Sender<Answer<T>>,
}

/// What the engine answered.
pub(crate) struct Answer<T> {
    /// The place in the schedule.
    pub(crate) place: usize,
    /// The answer.
    pub(crate) result: Result<T, engine::Error>,
    /// How long it took.
    pub(crate) took: Duration,
}

impl<T> Reply<T> {
    /// Give it.
    pub(crate) fn give(self, result: Result<T, engine::Error>) {
        // An import that has stopped hears no more answers; what they tell is durable all the same.
        drop(self.sender.send(Answer { place: self.place, result, took: self.handed_in.elapsed() }));
    }
}

/// The engine is busy with others: the same is handed in again.
fn is_busy(error: &engine::Error) -> bool {
    matches!(error, engine::Error::Full | engine::Error::Conflict(_))
}
