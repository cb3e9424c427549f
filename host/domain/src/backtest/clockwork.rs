//! The timers of a case that is played again: one that the record fired too goes off in the turn in which it did, any other when it
//! is due.
//!
//! A record fires a timer late where the host was down or the revision on hold, and between two timers of one instant other cases
//! may have given goods back. Both decide what a case comes to, so that the same rules come to the same end only in the same order.

use std::collections::BTreeMap;

use crate::case::About;
use crate::case::command::{Body, Command, Timer};
use crate::case::lane::LaneId;
use crate::clock::Instant;
use crate::ids::{Slug, TaskId};

/// Which timer it is, in the record and in the case that is played: without the numbers of turns and tasks, which may differ.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Which {
    Wait(Slug, LaneId),
    Remind(Slug, LaneId),
    Task(String, LaneId),
    Reservation,
    OpenFor,
}

impl Which {
    /// None where it speaks of a task that is not known: it will find nothing, whenever it goes off.
    fn of<'t>(timer: &Timer, task: impl FnOnce(&TaskId) -> Option<(&'t About, &'t LaneId)>) -> Option<Self> {
        Some(match timer {
            Timer::Wait { step, lane, .. } => Self::Wait(step.clone(), lane.clone()),
            Timer::Remind { step, lane, .. } => Self::Remind(step.clone(), lane.clone()),
            Timer::Task { task: id } => task(id).map(|(about, lane)| Self::Task(format!("{about:?}"), lane.clone()))?,
            Timer::Reservation { .. } => Self::Reservation,
            Timer::OpenFor => Self::OpenFor,
        })
    }
}

struct Pending {
    timer: Timer,
    which: Option<Which>,
}

/// What is to go off, and what the record has yet to fire.
#[derive(Default)]
pub(super) struct Clockwork {
    /// By their time, and by the order in which they were set.
    pending: BTreeMap<(Instant, u32), Pending>,
    wanted: u32,
    /// How often the turns to come fire a timer that was due at an instant.
    to_come: BTreeMap<(Instant, Which), u32>,
}

impl Clockwork {
    /// A timer that the record fires later on.
    pub(super) fn expect<'t>(
        &mut self,
        command: &Command,
        task: impl FnOnce(&TaskId) -> Option<(&'t About, &'t LaneId)>,
    ) {
        if let Some(which) = fired_by(command, task) {
            *self.to_come.entry((command.occurred_at, which)).or_default() += 1;
        }
    }

    /// A timer of the case that is played.
    pub(super) fn set<'t>(
        &mut self,
        due: Instant,
        timer: Timer,
        task: impl FnOnce(&TaskId) -> Option<(&'t About, &'t LaneId)>,
    ) {
        let which = Which::of(&timer, task);
        self.pending.insert((due, self.wanted), Pending { timer, which });
        self.wanted += 1;
    }

    /// The first that is due by then, and that the record does not fire later on.
    pub(super) fn due_by(&mut self, to: Instant) -> Option<(Instant, Timer)> {
        let mut by_then = self.pending.range(..=(to, u32::MAX));
        let (key, _) = by_then.find(|((due, _), pending)| !self.comes(*due, pending))?;
        let key = *key;
        self.pending.remove(&key).map(|pending| (key.0, pending.timer))
    }

    fn comes(&self, due: Instant, pending: &Pending) -> bool {
        pending.which.as_ref().is_some_and(|which| self.to_come.contains_key(&(due, which.clone())))
    }

    /// The timer that the record fires here, where the case that is played has it too.
    pub(super) fn fired<'t>(
        &mut self,
        command: &Command,
        task: impl FnOnce(&TaskId) -> Option<(&'t About, &'t LaneId)>,
    ) -> Option<Timer> {
        let (due, which) = (command.occurred_at, fired_by(command, task)?);
        let now = (due, which);
        if let Some(left) = self.to_come.get_mut(&now) {
            *left -= 1;
            if *left == 0 {
                self.to_come.remove(&now);
            }
        }
        let mut then = self.pending.range((due, 0)..=(due, u32::MAX));
        let (key, _) = then.find(|(_, pending)| pending.which.as_ref() == Some(&now.1))?;
        let key = *key;
        self.pending.remove(&key).map(|pending| pending.timer)
    }

    /// When the next one is due.
    pub(super) fn next(&self) -> Option<Instant> {
        self.pending.keys().next().map(|(due, _)| *due)
    }
}

fn fired_by<'t>(command: &Command, task: impl FnOnce(&TaskId) -> Option<(&'t About, &'t LaneId)>) -> Option<Which> {
    match &command.body {
        Body::Timer(timer) => Which::of(timer, task),
        _ => None,
    }
}
