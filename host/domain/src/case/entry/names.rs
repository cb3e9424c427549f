//! The names of entries in the journal.

use super::Entry;

/// The name of each entry: a new one does not compile until it stands here, and a generator of tests must reach it.
macro_rules! names {
    ($($entry:pat => $name:literal,)+) => {
        impl Entry {
            /// Every name that this program writes.
            pub const NAMES: &[&str] = &[$($name),+];

            /// The name in the journal.
            pub fn name(&self) -> &'static str {
                match self { $($entry => $name),+ }
            }
        }
    };
}

names! {
    Entry::Opened(_) => "case.opened.1",
    Entry::Held => "case.held.1",
    Entry::Skipped { .. } => "step.skipped.1",
    Entry::Decided { .. } => "step.decided.1",
    Entry::TableMatched { .. } => "table.matched.1",
    Entry::VarsSet { .. } => "vars.set.1",
    Entry::Gave { .. } => "step.gave.1",
    Entry::Failed { .. } => "step.failed.1",
    Entry::Reserved { .. } => "quantity.reserved.1",
    Entry::Released { .. } => "quantity.released.1",
    Entry::Intended { .. } => "effect.intended.1",
    Entry::Settled { .. } => "effect.settled.1",
    Entry::Resent { .. } => "effect.resent.1",
    Entry::Registered { .. } => "compensation.registered.1",
    Entry::Undone { .. } => "compensation.undone.1",
    Entry::Booked { .. } => "refund.booked.1",
    Entry::Unbooked { .. } => "refund.unbooked.1",
    Entry::TaskOpened { .. } => "task.opened.1",
    Entry::TaskClaimed { .. } => "task.claimed.1",
    Entry::TaskReleased { .. } => "task.released.1",
    Entry::TaskCompleted { .. } => "task.completed.1",
    Entry::TaskProposed { .. } => "task.proposed.1",
    Entry::TaskReminded { .. } => "task.reminded.1",
    Entry::TaskOverdue { .. } => "task.overdue.1",
    Entry::TaskEscalated { .. } => "task.escalated.1",
    Entry::WaitReminded { .. } => "wait.reminded.1",
    Entry::TaskClosed { .. } => "task.closed.1",
    Entry::WaitBegan { .. } => "wait.began.1",
    Entry::TimedOut { .. } => "wait.timed_out.1",
    Entry::EventKept { .. } => "event.kept.1",
    Entry::EventTaken { .. } => "event.taken.1",
    Entry::EventGathered { .. } => "event.gathered.1",
    Entry::EventsLetGo { .. } => "events.let_go.1",
    Entry::Ignored { .. } => "input.ignored.1",
    Entry::Paused { .. } => "run.paused.1",
    Entry::Deferred { .. } => "input.deferred.1",
    Entry::TakenUp => "input.taken_up.1",
    Entry::Migrated(_) => "case.migrated.1",
    Entry::TaskMoved { .. } => "task.moved.1",
    Entry::LaneEntered { .. } => "lane.entered.1",
    Entry::LanesOpened { .. } => "lanes.opened.1",
    Entry::LaneBegan { .. } => "lane.began.1",
    Entry::LaneSet { .. } => "lane.set.1",
    Entry::LaneEnded { .. } => "lane.ended.1",
    Entry::LanesJoined { .. } => "lanes.joined.1",
    Entry::SubCaseIntended { .. } => "subcase.intended.1",
    Entry::SubCaseLeft { .. } => "subcase.left.1",
    Entry::SubCaseEnded(_) => "subcase.ended.1",
    Entry::WentBack { .. } => "step.returned.1",
    Entry::Finished { .. } => "case.finished.1",
    Entry::CaseFailed { .. } => "case.failed.1",
    Entry::Cancelled { .. } => "case.cancelled.1",
    Entry::ReasonsAdded { .. } => "reasons.added.1",
}
