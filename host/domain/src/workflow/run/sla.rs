//! What happens while nobody answers: reminders, the end of the time, another queue. It never ends a wait; that is what a timeout does.
//!
//! Instants are fixed when the wait begins. Of what came due while the host was down, one reminder is sent and the last escalation
//! counts.

use super::{Run, message, version};
use crate::case::command::Timer;
use crate::case::deadline::{Alarm, AlarmKind, Deadline};
use crate::case::entry::Entry;
use crate::case::{Effect, What};
use crate::clock::Instant;
use crate::decision::Work;
use crate::ids::{Slug, TaskId};
use crate::workflow::calendar::delay::Delay;
use crate::workflow::definition::Definition;
use crate::workflow::definition::outward::{TASK_ESCALATED, TASK_REMINDER, WAIT_REMINDER};
use crate::workflow::definition::review::Sla;

/// Whom a wait reminds.
const CUSTOMER: &str = "customer";

/// The deadline of a task that is opened now.
pub(super) fn deadline(run: &Run, definition: &Definition, sla: &Sla) -> Deadline {
    let alarm = |delay: Delay, kind: AlarmKind| Alarm { at: run.due(definition, delay), kind };
    let reminders = sla.remind.iter().map(|after| alarm(*after, AlarmKind::Remind));
    let escalations =
        sla.escalate.iter().map(|step| alarm(step.after, AlarmKind::Escalate { to: step.to.to_string() }));
    let mut alarms: Vec<Alarm> = reminders.chain([alarm(sla.due, AlarmKind::Due)]).chain(escalations).collect();
    alarms.sort_by_key(|alarm| alarm.at);
    let delays = sla.remind.iter().copied().chain([sla.due]).chain(sla.escalate.iter().map(|step| step.after));
    let holidays = delays.filter_map(|delay| version(definition, Some(delay))).next();
    Deadline { due: run.due(definition, sla.due), overdue: false, alarms, holidays }
}

/// Set the timer of the next alarm of a task.
pub(super) fn arm(run: &mut Run, id: TaskId) {
    let deadline = run.case().tasks.get(&id).and_then(|task| task.deadline.as_ref());
    let next = deadline.and_then(|deadline| deadline.alarms.first()).map(|alarm| alarm.at);
    if let Some(due) = next {
        run.work.push(Work::Timer { due, timer: Timer::Task { task: id } });
    }
}

/// The timer of a task is due.
pub(super) fn of_task(run: &mut Run, definition: Option<&Definition>, id: TaskId) {
    let until = reached(run);
    let task = run.case().tasks.get(&id);
    let alarms =
        task.and_then(|task| task.deadline.as_ref()).map(|deadline| deadline.alarms.clone()).unwrap_or_default();
    let passed: Vec<Alarm> = alarms.into_iter().filter(|alarm| alarm.at <= until).collect();
    let (Some(task), false) = (task, passed.is_empty()) else {
        let what = format!("timer of task {id}");
        run.emit(Entry::Ignored { what, why: "nothing of the task is due".to_owned() });
        return;
    };
    let Some(step) = task.about.asking().cloned() else { return };
    let lane = task.lane.clone();
    run.turn_to(&lane);
    if let Some(due) = passed.iter().find(|alarm| alarm.kind == AlarmKind::Due) {
        run.emit(Entry::TaskOverdue { id, at: due.at });
    }
    let escalated = escalate(run, definition, &step, id, &passed);
    let reminders: Vec<Instant> =
        passed.iter().filter(|alarm| alarm.kind == AlarmKind::Remind).map(|alarm| alarm.at).collect();
    if let Some(at) = reminders.last() {
        run.emit(Entry::TaskReminded { id, at: *at, passed_over: passed_over(&reminders) });
        // Whoever is told that the task is theirs now needs no reminder of it.
        let queue = run.case().tasks.get(&id).map(|task| task.queue.clone()).filter(|_| !escalated);
        if let Some(queue) = queue {
            notice(run, definition, &step, (id, *at), (TASK_REMINDER, queue));
        }
    }
    arm(run, id);
}

/// The last of the escalations that came due.
fn escalate(run: &mut Run, definition: Option<&Definition>, step: &Slug, id: TaskId, passed: &[Alarm]) -> bool {
    let to = |alarm: &Alarm| match &alarm.kind {
        AlarmKind::Escalate { to } => Some((alarm.at, to.clone())),
        AlarmKind::Remind | AlarmKind::Due => None,
    };
    let escalations: Vec<(Instant, String)> = passed.iter().filter_map(to).collect();
    let Some((at, to)) = escalations.last().cloned() else { return false };
    run.emit(Entry::TaskEscalated { id, to: to.clone(), at, passed_over: passed_over(&escalations) });
    notice(run, definition, step, (id, at), (TASK_ESCALATED, to));
    true
}

/// Set the timer of the reminders of an await.
pub(super) fn remind(run: &mut Run, definition: &Definition, step: &Slug, remind: &[Delay]) {
    let mut rest: Vec<Instant> = remind.iter().map(|after| run.due(definition, *after)).collect();
    rest.sort();
    arm_wait(run, step, run.stamp.turn, rest);
}

pub(super) fn arm_wait(run: &mut Run, step: &Slug, since: u64, rest: Vec<Instant>) {
    if let (Some(due), false) = (rest.first().copied(), run.history()) {
        let lane = run.lane.clone();
        run.work.push(Work::Timer { due, timer: Timer::Remind { step: step.clone(), since, lane, rest } });
    }
}

/// The timer of an await's reminders is due.
pub(super) fn of_wait(run: &mut Run, definition: Option<&Definition>, step: &Slug, since: u64, rest: &[Instant]) {
    let until = reached(run);
    let (passed, left): (Vec<Instant>, Vec<Instant>) = rest.iter().partition(|at| **at <= until);
    let (Some(at), true) = (passed.last().copied(), run.waits_since(step, since)) else {
        let what = format!("reminder of step {step}");
        run.emit(Entry::Ignored { what, why: "the case does not wait there any more".to_owned() });
        return;
    };
    run.emit(Entry::WaitReminded { step: step.clone(), at, passed_over: passed_over(&passed) });
    notice(run, definition, step, (since, at), (WAIT_REMINDER, CUSTOMER.to_owned()));
    arm_wait(run, step, since, left);
}

/// Up to when alarms count. The command is as old as the timer; what the host's clock says by now tells what else came due.
fn reached(run: &Run) -> Instant {
    run.now().max(run.input.command.recorded_at)
}

fn passed_over<T>(all: &[T]) -> u32 {
    u32::try_from(all.len().saturating_sub(1)).unwrap_or(u32::MAX)
}

/// Tell somebody, once for each alarm. What is for a queue never leaves as mail, for mail goes to the customer.
fn notice(
    run: &mut Run,
    definition: Option<&Definition>,
    step: &Slug,
    of: impl serde::Serialize,
    (template, to): (&'static str, String),
) {
    let channel = if to == CUSTOMER { "email" } else { "queue" };
    let key = run.effect_key(step, (of, template), "notice");
    if run.case().effects.contains_key(&key) {
        return;
    }
    let template = Slug::from_static(template);
    let own = definition.and_then(|definition| Some((definition, definition.messages.get(&template)?.as_ref())));
    let written = own.map_or(Ok(None), |(definition, own)| message::written(run, definition, Some(own)));
    let message = written.unwrap_or_else(|error| {
        // Who is to be reminded is reminded in general words; why not in those of the document is kept.
        run.emit(Entry::Failed { step: step.clone(), code: error.code, detail: error.detail });
        None
    });
    let what = What::Notice { template, to, channel: channel.to_owned(), message };
    let (lane, round) = (run.lane.clone(), run.round);
    let effect = Effect { lane, round, ..Effect::intended(step.clone(), what, None) };
    run.emit(Entry::Intended { key, effect: Box::new(effect) });
    run.work.push(Work::Effect { key });
}
