//! Entries: the facts that a turn adds to a case. Names carry a version; an old one is read for as long as a row may hold it.

mod names;
mod parts;

use serde::{Deserialize, Serialize};

use super::child::{Child, Ended};
use super::command::{Command, Settled};
use super::deadline::Proposal;
use super::lane::LaneId;
use super::migrated::Migrated;
use super::{Arrived, Effect, Item, Output, Reply, Retry, Task, What};
use crate::clock::Instant;
use crate::ids::{CaseId, Digest, Slug, TaskId};
use crate::value::{Fields, Value};
use crate::verdict::{Reason, Take};
pub use parts::{Opened, TableInput, TableRow};

/// One fact.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Entry {
    /// A case was opened.
    #[serde(rename = "case.opened.1")]
    Opened(Box<Opened>),
    /// No workflow took the case.
    #[serde(rename = "case.held.1")]
    Held,
    /// A step whose `when` does not hold was passed by.
    #[serde(rename = "step.skipped.1")]
    Skipped {
        /// The step.
        step: Slug,
    },
    /// A condition was decided; kept so that a person can see why.
    #[serde(rename = "step.decided.1")]
    Decided {
        /// The step.
        step: Slug,
        /// Where it went.
        then: Slug,
        /// The condition that held; none for `else`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        because: Option<String>,
    },
    /// Rows of a table matched; kept with what they looked at, so that a person can see why.
    #[serde(rename = "table.matched.1")]
    TableMatched {
        /// The step.
        step: Slug,
        /// The rows; more than one, or none, only where the table collects.
        rows: Vec<TableRow>,
        /// What the rows looked at.
        inputs: Vec<TableInput>,
    },
    /// Variables were set.
    #[serde(rename = "vars.set.1")]
    VarsSet {
        /// The new values.
        values: Fields,
    },
    /// A step gave something.
    #[serde(rename = "step.gave.1")]
    Gave {
        /// The step.
        step: Slug,
        /// The plugin that answered, where one did.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        plugin: Option<Digest>,
        /// What it gave.
        output: Output,
    },
    /// A step failed: a plugin, the ledger, an expression.
    #[serde(rename = "step.failed.1")]
    Failed {
        /// The step.
        step: Slug,
        /// A stable code.
        code: String,
        /// For a person.
        detail: String,
    },
    /// Units of an order line were promised to the case.
    #[serde(rename = "quantity.reserved.1")]
    Reserved {
        /// The line of the case.
        line: u32,
        /// The purchase and how many units.
        take: Take,
        /// When the promise ends by itself.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Instant>,
    },
    /// Promised units were given back.
    #[serde(rename = "quantity.released.1")]
    Released {
        /// The line of the case.
        line: u32,
        /// The purchase and how many units.
        take: Take,
    },
    /// Something is to leave the process.
    #[serde(rename = "effect.intended.1")]
    Intended {
        /// The key, minted once.
        key: Digest,
        /// What.
        effect: Box<Effect>,
    },
    /// The outcome of an effect became known.
    #[serde(rename = "effect.settled.1")]
    Settled {
        /// The effect.
        key: Digest,
        /// What became of it.
        outcome: Settled,
        /// The provider's reference.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reference: Option<String>,
        /// Who says so: `history`, `provider`, `person`.
        via: String,
        /// What a system answered that was asked something.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reply: Option<Reply>,
        /// Why it was declined, a code.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        code: Option<String>,
    },
    /// A person had an effect delivered again under its key.
    #[serde(rename = "effect.resent.1")]
    Resent {
        /// The effect.
        key: Digest,
        /// Who.
        by: String,
    },
    /// A step did something, and this would undo it.
    #[serde(rename = "compensation.registered.1")]
    Registered {
        /// The step.
        step: Slug,
        /// What is to be sent then.
        what: Box<What>,
        /// How it is sent again, where the workflow says so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry: Option<Retry>,
    },
    /// What a step did is undone.
    #[serde(rename = "compensation.undone.1")]
    Undone {
        /// The compensation, by its place among those of the case.
        place: u32,
    },
    /// Refunded units stand in the ledger as returned, their money as refunded.
    #[serde(rename = "refund.booked.1")]
    Booked {
        /// What was booked.
        items: Vec<Item>,
    },
    /// A declined refund was taken out of the ledger again.
    #[serde(rename = "refund.unbooked.1")]
    Unbooked {
        /// What was taken out.
        items: Vec<Item>,
    },
    /// Work for a person was opened.
    #[serde(rename = "task.opened.1")]
    TaskOpened {
        /// The task.
        id: TaskId,
        /// What it is.
        task: Box<Task>,
    },
    /// A person took a task.
    #[serde(rename = "task.claimed.1")]
    TaskClaimed {
        /// The task.
        id: TaskId,
        /// Who.
        by: String,
    },
    /// A task was given back: anybody may take it.
    #[serde(rename = "task.released.1")]
    TaskReleased {
        /// The task.
        id: TaskId,
    },
    /// A person answered a task.
    #[serde(rename = "task.completed.1")]
    TaskCompleted {
        /// The task.
        id: TaskId,
        /// The choice.
        outcome: String,
        /// Who.
        by: String,
        /// Effects of an imported case leave for real from here on: the person confirmed it.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        live: bool,
    },
    /// One person answered a task that needs a second one who agrees; what was answered before is gone.
    #[serde(rename = "task.proposed.1")]
    TaskProposed {
        /// The task.
        id: TaskId,
        /// The answer.
        proposal: Box<Proposal>,
    },
    /// The queue of a task was reminded of it.
    #[serde(rename = "task.reminded.1")]
    TaskReminded {
        /// The task.
        id: TaskId,
        /// When it was due to be reminded.
        at: Instant,
        /// Earlier reminders that were due as well and are not sent.
        #[serde(default, skip_serializing_if = "is_zero")]
        passed_over: u32,
    },
    /// The answer to a task is late.
    #[serde(rename = "task.overdue.1")]
    TaskOverdue {
        /// The task.
        id: TaskId,
        /// Since when.
        at: Instant,
    },
    /// A task went to another queue because nobody answered; nobody has taken it there yet.
    #[serde(rename = "task.escalated.1")]
    TaskEscalated {
        /// The task.
        id: TaskId,
        /// The queue.
        to: String,
        /// When that was due.
        at: Instant,
        /// Earlier escalations that were due as well and are passed over.
        #[serde(default, skip_serializing_if = "is_zero")]
        passed_over: u32,
    },
    /// Somebody was reminded of what a step waits for.
    #[serde(rename = "wait.reminded.1")]
    WaitReminded {
        /// The step.
        step: Slug,
        /// When it was due to be reminded.
        at: Instant,
        /// Earlier reminders that were due as well and are not sent.
        #[serde(default, skip_serializing_if = "is_zero")]
        passed_over: u32,
    },
    /// A task is no longer needed: the wait ended otherwise.
    #[serde(rename = "task.closed.1")]
    TaskClosed {
        /// The task.
        id: TaskId,
    },
    /// The case waits at a step.
    #[serde(rename = "wait.began.1")]
    WaitBegan {
        /// The step.
        step: Slug,
        /// When the wait ends by itself.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Instant>,
        /// The version of the table of holidays that its end was counted with.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        holidays: Option<Digest>,
    },
    /// A wait ended because its time was over.
    #[serde(rename = "wait.timed_out.1")]
    TimedOut {
        /// The step.
        step: Slug,
    },
    /// An event arrived that nothing waited for; it is kept.
    #[serde(rename = "event.kept.1")]
    EventKept {
        /// The event.
        event: Arrived,
    },
    /// An event ended a wait.
    #[serde(rename = "event.taken.1")]
    EventTaken {
        /// The step that waited.
        step: Slug,
        /// The event.
        event: Arrived,
        /// Its place among the kept events, if it was kept.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        kept: Option<u32>,
    },
    /// An event came of which a step awaits several; the wait goes on.
    #[serde(rename = "event.gathered.1")]
    EventGathered {
        /// The step that waits.
        step: Slug,
        /// Which of its events it is, by its place.
        arm: u32,
        /// The event.
        event: Arrived,
        /// Its place among the kept events, if it was kept.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        kept: Option<u32>,
    },
    /// The events that a step had gathered are kept for later waits: it does not wait for them any more.
    #[serde(rename = "events.let_go.1")]
    EventsLetGo {
        /// The step.
        step: Slug,
    },
    /// A timer, event or outcome found nothing waiting for it.
    #[serde(rename = "input.ignored.1")]
    Ignored {
        /// What it was.
        what: String,
        /// Why nothing waited.
        why: String,
    },
    /// The run was cut after many steps and goes on in another turn.
    #[serde(rename = "run.paused.1")]
    Paused {
        /// The next step.
        step: Slug,
    },
    /// Something came while the revision of the case is on hold: it is kept until the case goes on.
    #[serde(rename = "input.deferred.1")]
    Deferred {
        /// What came.
        command: Box<Command>,
    },
    /// The first of what was kept is taken up; what follows in the turn came of it.
    #[serde(rename = "input.taken_up.1")]
    TakenUp,
    /// The case goes on with another revision of its workflow.
    #[serde(rename = "case.migrated.1")]
    Migrated(Box<Migrated>),
    /// A task is as another revision has it: its id and who took it stay.
    #[serde(rename = "task.moved.1")]
    TaskMoved {
        /// The task.
        id: TaskId,
        /// Who works on it now.
        queue: String,
        /// What it is called now.
        title: String,
        /// Reason codes that the case carries meanwhile.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        reasons: Vec<Reason>,
    },
    /// What follows in the turn is of this lane; a turn begins on the main line.
    #[serde(rename = "lane.entered.1")]
    LaneEntered {
        /// The lane.
        lane: LaneId,
    },
    /// A step began its branches or iterations and waits for them.
    #[serde(rename = "lanes.opened.1")]
    LanesOpened {
        /// The step.
        step: Slug,
        /// What its iterations go through.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        elements: Vec<Value>,
    },
    /// A branch or an iteration began.
    #[serde(rename = "lane.began.1")]
    LaneBegan {
        /// Its name.
        lane: LaneId,
        /// Its first step.
        step: Slug,
    },
    /// Variables of the lane alone were set; they are merged when the lanes join.
    #[serde(rename = "lane.set.1")]
    LaneSet {
        /// The new values.
        values: Fields,
    },
    /// A branch or an iteration came to its end.
    #[serde(rename = "lane.ended.1")]
    LaneEnded {
        /// Its name.
        lane: LaneId,
    },
    /// The lanes of a step are over, those that had not come to their end called off.
    #[serde(rename = "lanes.joined.1")]
    LanesJoined {
        /// The step.
        step: Slug,
    },
    /// A sub-case is to be opened.
    #[serde(rename = "subcase.intended.1")]
    SubCaseIntended {
        /// Its id, which follows from this case and its step.
        id: CaseId,
        /// What it is.
        child: Box<Child>,
    },
    /// Nobody waits for a sub-case any more.
    #[serde(rename = "subcase.left.1")]
    SubCaseLeft {
        /// The sub-case.
        id: CaseId,
        /// It is told to end; otherwise it goes on by itself.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        called_off: bool,
    },
    /// A sub-case has ended.
    #[serde(rename = "subcase.ended.1")]
    SubCaseEnded(Box<Ended>),
    /// The case went back to a step that it came by.
    #[serde(rename = "step.returned.1")]
    WentBack {
        /// The `again`.
        step: Slug,
        /// Where it led.
        to: Slug,
    },
    /// The case ended with a result.
    #[serde(rename = "case.finished.1")]
    Finished {
        /// The result.
        result: Slug,
    },
    /// The case ended as failed.
    #[serde(rename = "case.failed.1")]
    CaseFailed {
        /// The code.
        code: Slug,
    },
    /// A person ended the case.
    #[serde(rename = "case.cancelled.1")]
    Cancelled {
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// Reasons were added that belong to no line.
    #[serde(rename = "reasons.added.1")]
    ReasonsAdded {
        /// The reasons.
        reasons: Vec<Reason>,
    },
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}
