//! How entries change a case. The only place that changes one: folding the journal gives the snapshot, byte for byte.

mod events;
mod lanes;

use std::collections::BTreeMap;

use super::child::ChildState;
use super::command::{Command, Settled};
use super::deadline::AlarmKind;
use super::entry::{Entry, Opened};
use super::lane::{LaneId, Place};
use super::migrated::Migrated;
use super::{About, Case, Compensation, EffectState, Held, Item, Output, Status, Task, What};
use crate::clock::Instant;
use crate::ids::{Digest, TaskId};
use crate::money::Money;
use crate::verdict::{self, Take, Verdict};

/// When an entry was made.
#[derive(Debug, Clone, Copy)]
pub struct Stamp {
    /// Business time of the turn.
    pub at: Instant,
    /// The number of the turn.
    pub turn: u64,
}

/// An entry that cannot follow what came before it: a damaged journal or a fault of ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("entry {entry} cannot follow: {why}")]
pub struct Impossible {
    /// The entry.
    pub entry: &'static str,
    /// What does not fit.
    pub why: &'static str,
}

/// The case that entries make, from the first on.
pub fn fold<'a>(turns: impl IntoIterator<Item = (Stamp, &'a [Entry])>) -> Result<Option<Case>, Impossible> {
    let mut case = None;
    for (stamp, entries) in turns {
        for entry in entries {
            apply(&mut case, entry, stamp)?;
        }
    }
    Ok(case)
}

/// Apply one entry.
pub fn apply(case: &mut Option<Case>, entry: &Entry, stamp: Stamp) -> Result<(), Impossible> {
    let impossible = |why| Impossible { entry: entry.name(), why };
    match (case.as_mut(), entry) {
        (None, Entry::Opened(opened)) => *case = Some(open(opened, stamp)),
        (None, _) => return Err(impossible("no case was opened before it")),
        (Some(_), Entry::Opened(_)) => return Err(impossible("the case is open already")),
        (Some(case), entry) => {
            if case.turn != stamp.turn {
                case.lane = LaneId::main();
            }
            change(case, entry, stamp).map_err(impossible)?;
            case.changed_at = stamp.at;
            case.turn = stamp.turn;
        }
    }
    Ok(())
}

/// The case that a first entry makes.
pub fn open(opened: &Opened, stamp: Stamp) -> Case {
    let submission = &opened.submission;
    Case {
        id: opened.id,
        number: opened.number.clone(),
        kind: submission.kind.clone(),
        external: submission.external.clone(),
        history: submission.history,
        workflow: opened.workflow.clone(),
        revision: opened.revision,
        opened_at: stamp.at,
        changed_at: stamp.at,
        turn: stamp.turn,
        customer: submission.customer.clone(),
        order: submission.order.clone(),
        currency: submission.currency,
        reason: submission.reason.clone(),
        claim: submission.claim.clone(),
        channel: opened.channel.clone(),
        attributes: submission.attributes.clone(),
        lines: submission.lines.clone(),
        status: Status::Held,
        lanes: Default::default(),
        lane: LaneId::main(),
        elements: Default::default(),
        visits: Default::default(),
        result: None,
        reasons: Vec::new(),
        vars: opened.vars.clone(),
        outputs: Default::default(),
        reserved: Vec::new(),
        tasks: Default::default(),
        effects: Default::default(),
        compensations: Vec::new(),
        events: Vec::new(),
        gathered: BTreeMap::new(),
        deferred: Vec::new(),
        parent: opened.parent.clone(),
        started: opened.started.clone(),
        children: Default::default(),
    }
}

fn change(case: &mut Case, entry: &Entry, stamp: Stamp) -> Result<(), &'static str> {
    match entry {
        Entry::Opened(_) => return Err("the case is open already"),
        Entry::Held => case.status = Status::Held,
        Entry::Skipped { step } => drop(case.outputs.insert(case.lane.key(step.as_str()), Output::Skipped)),
        Entry::Decided { .. } | Entry::TableMatched { .. } | Entry::WaitReminded { .. } => {}
        Entry::Failed { .. } | Entry::TimedOut { .. } | Entry::Ignored { .. } => {}
        Entry::VarsSet { values } => case.vars.extend(values.clone()),
        Entry::Gave { step, output, .. } => gave(case, step.as_str(), output),
        Entry::Reserved { line, take, until } => hold(case, *line, take, (stamp.turn, *until)),
        Entry::Released { line, take } => drop_held(case, *line, take)?,
        Entry::Intended { key, effect } => {
            if let Some(place) = effect.undoes {
                compensation(case, place)?.key = Some(*key);
            }
            case.effects.insert(*key, (**effect).clone());
        }
        Entry::Registered { step, what, retry } => {
            let (step, lane, what, retry) = (step.clone(), case.lane.clone(), (**what).clone(), retry.clone());
            case.compensations.push(Compensation { step, lane, what, retry, key: None, undone: false });
        }
        Entry::Undone { place } => compensation(case, *place)?.undone = true,
        Entry::Settled { key, outcome, reference, reply, code, .. } => {
            settle(case, key, *outcome, reference.as_deref())?;
            if let Some(effect) = case.effects.get_mut(key) {
                effect.reply = reply.clone().or(effect.reply.take());
                effect.code.clone_from(code);
            }
        }
        Entry::Resent { key, .. } => resend(case, key)?,
        Entry::Booked { items } => items.iter().try_for_each(|item| book(case, item))?,
        Entry::Unbooked { items } => items.iter().try_for_each(|item| unbook(case, item, stamp.turn))?,
        Entry::TaskOpened { .. }
        | Entry::TaskClaimed { .. }
        | Entry::TaskReleased { .. }
        | Entry::TaskProposed { .. }
        | Entry::TaskReminded { .. }
        | Entry::TaskOverdue { .. }
        | Entry::TaskEscalated { .. }
        | Entry::TaskCompleted { .. }
        | Entry::TaskMoved { .. }
        | Entry::TaskClosed { .. } => change_of_task(case, entry)?,
        Entry::WaitBegan { step, until, .. } => {
            lanes::stand(case, Place::Waiting { step: step.clone(), since: stamp.turn, until: *until })?;
        }
        Entry::EventKept { .. }
        | Entry::EventTaken { .. }
        | Entry::EventGathered { .. }
        | Entry::EventsLetGo { .. } => events::change(case, entry, stamp)?,
        Entry::Paused { step } => lanes::stand(case, Place::Running { step: step.clone() })?,
        Entry::Deferred { command } => defer(case, command),
        Entry::TakenUp => take_up(case)?,
        Entry::Migrated(migrated) => migrate(case, migrated, stamp.turn)?,
        Entry::WentBack { step, .. } => *case.visits.entry(case.lane.key(step.as_str())).or_default() += 1,
        Entry::LaneEntered { .. }
        | Entry::LanesOpened { .. }
        | Entry::LaneBegan { .. }
        | Entry::LaneSet { .. }
        | Entry::LaneEnded { .. }
        | Entry::LanesJoined { .. } => lanes::change(case, entry, stamp)?,
        Entry::SubCaseIntended { .. } | Entry::SubCaseLeft { .. } | Entry::SubCaseEnded(_) => sub_case(case, entry)?,
        Entry::Finished { result } => close(case, false, result.as_str()),
        Entry::CaseFailed { code } => close(case, true, code.as_str()),
        Entry::Cancelled { .. } => close(case, false, "cancelled"),
        Entry::ReasonsAdded { reasons } => case.reasons.extend(reasons.iter().cloned()),
    }
    Ok(())
}

/// The oldest of what was kept while the revision was on hold is taken up.
fn take_up(case: &mut Case) -> Result<(), &'static str> {
    if case.deferred.is_empty() {
        return Err("nothing was kept");
    }
    case.deferred.remove(0);
    Ok(())
}

/// What an entry about a sub-case changes.
fn sub_case(case: &mut Case, entry: &Entry) -> Result<(), &'static str> {
    const MISSING: &str = "the case has no such sub-case";
    match entry {
        Entry::SubCaseIntended { id, .. } if case.children.contains_key(id) => {
            return Err("the sub-case is there already");
        }
        Entry::SubCaseIntended { id, child } => drop(case.children.insert(*id, (**child).clone())),
        Entry::SubCaseLeft { id, called_off } => {
            let state = if *called_off { ChildState::CalledOff } else { ChildState::Alone };
            case.children.get_mut(id).ok_or(MISSING)?.state = state;
        }
        Entry::SubCaseEnded(ended) => {
            let child = case.children.get_mut(&ended.case).ok_or(MISSING)?;
            child.state = ChildState::Ended(ended.ending.clone());
            child.number.clone_from(&ended.number);
        }
        _ => {}
    }
    Ok(())
}

/// What an entry about a task changes.
fn change_of_task(case: &mut Case, entry: &Entry) -> Result<(), &'static str> {
    match entry {
        Entry::TaskOpened { id, task } => drop(case.tasks.insert(*id, (**task).clone())),
        Entry::TaskClaimed { id, by } => task(case, id)?.assignee = Some(by.clone()),
        Entry::TaskReleased { id } => task(case, id)?.assignee = None,
        Entry::TaskProposed { id, proposal } => {
            let task = task(case, id)?;
            task.proposal = Some((**proposal).clone());
            task.assignee = None;
        }
        Entry::TaskReminded { id, at, .. } => silence(case, id, *at, |kind| *kind == AlarmKind::Remind)?,
        Entry::TaskOverdue { id, at } => {
            silence(case, id, *at, |kind| *kind == AlarmKind::Due)?;
            late(case, id)?;
        }
        Entry::TaskEscalated { id, to, at, .. } => {
            silence(case, id, *at, |kind| matches!(kind, AlarmKind::Escalate { .. }))?;
            late(case, id)?;
            let task = task(case, id)?;
            task.queue = to.clone();
            task.assignee = None;
        }
        Entry::TaskCompleted { id, live, .. } => {
            case.tasks.remove(id).ok_or("the task is not open")?;
            case.history &= !live;
        }
        Entry::TaskClosed { id } => drop(case.tasks.remove(id).ok_or("the task is not open")?),
        Entry::TaskMoved { id, queue, title, reasons } => {
            let task = task(case, id)?;
            (task.queue, task.title, task.reasons) = (queue.clone(), title.clone(), reasons.clone());
        }
        _ => {}
    }
    Ok(())
}

/// Record an output; a verdict also settles what came of each line, together with the verdicts before it.
fn gave(case: &mut Case, step: &str, output: &Output) {
    case.outputs.insert(case.lane.key(step), output.clone());
    if let Output::Verdict(_) = output {
        let verdicts = case.outputs.values().filter_map(|output| match output {
            Output::Verdict(verdict) => Some(verdict),
            _ => None,
        });
        let outcomes = verdict::combine(verdicts.collect::<Vec<&Verdict>>());
        for (line, mut outcome) in outcomes {
            if let Some(line) = case.lines.get_mut(line as usize) {
                outcome.amount = line.outcome.take().and_then(|before| before.amount);
                line.outcome = Some(outcome);
            }
        }
    }
}

fn same_place(held: &Held, line: u32, take: &Take) -> bool {
    held.line == line && held.take.order == take.order && held.take.line == take.line
}

fn hold(case: &mut Case, line: u32, take: &Take, (since, until): (u64, Option<Instant>)) {
    match case.reserved.iter_mut().find(|held| same_place(held, line, take)) {
        Some(held) => {
            held.take.quantity += take.quantity;
            held.since = since;
            held.until = until;
        }
        None => case.reserved.push(Held { line, take: take.clone(), since, until }),
    }
}

fn drop_held(case: &mut Case, line: u32, take: &Take) -> Result<(), &'static str> {
    let held = case.reserved.iter_mut().find(|held| same_place(held, line, take));
    let held = held.filter(|held| held.take.quantity >= take.quantity).ok_or("the case does not hold these units")?;
    held.take.quantity -= take.quantity;
    case.reserved.retain(|held| held.take.quantity > 0);
    Ok(())
}

fn add(case: &mut Case, item: &Item, amount: Money) -> Result<(), &'static str> {
    let line = case.lines.get_mut(item.line as usize).ok_or("the case has no such line")?;
    if let Some(outcome) = &mut line.outcome {
        let before = outcome.amount.unwrap_or(Money::zero(amount.currency()));
        outcome.amount = Some(before.plus(amount).map_err(|_| "the amounts do not add up")?);
    }
    Ok(())
}

fn book(case: &mut Case, item: &Item) -> Result<(), &'static str> {
    add(case, item, item.amount)?;
    if item.take.quantity == 0 { Ok(()) } else { drop_held(case, item.line, &item.take) }
}

fn unbook(case: &mut Case, item: &Item, turn: u64) -> Result<(), &'static str> {
    let minus = Money::zero(item.amount.currency()).minus(item.amount).map_err(|_| "the amounts do not add up")?;
    add(case, item, minus)?;
    if item.take.quantity > 0 {
        hold(case, item.line, &item.take, (turn, None));
    }
    Ok(())
}

fn settle(case: &mut Case, key: &Digest, outcome: Settled, reference: Option<&str>) -> Result<(), &'static str> {
    let effect = case.effects.get_mut(key).ok_or("the case has no such effect")?;
    effect.state = match outcome {
        Settled::Confirmed => EffectState::Confirmed,
        Settled::Declined => EffectState::Declined,
        Settled::Unknown => EffectState::Unknown,
    };
    if let Some(reference) = reference {
        effect.reference = Some(reference.to_owned());
    }
    Ok(())
}

/// On its way once more. What came of a notice stays where somebody may have been told: telling them again undoes nothing. A system that is asked again under
/// the same key does nothing more, and answers.
fn resend(case: &mut Case, key: &Digest) -> Result<(), &'static str> {
    let effect = case.effects.get_mut(key).ok_or("the case has no such effect")?;
    match (effect.state, &effect.what) {
        (EffectState::Confirmed, What::Notice { .. }) => {}
        // One that has a code reached nobody, and leaves as if it never had.
        (EffectState::Declined, What::Notice { .. }) if effect.code.is_none() => {}
        (EffectState::Confirmed, what) if !matches!(what, What::Http(_)) => return Err("the effect is confirmed"),
        _ => {
            effect.state = EffectState::Intended;
            (effect.reply, effect.code) = (None, None);
        }
    }
    Ok(())
}

fn compensation(case: &mut Case, place: u32) -> Result<&mut Compensation, &'static str> {
    case.compensations.get_mut(place as usize).ok_or("the case has no such compensation")
}

fn task<'a>(case: &'a mut Case, id: &TaskId) -> Result<&'a mut Task, &'static str> {
    case.tasks.get_mut(id).ok_or("the task is not open")
}

/// What was to happen to a task by then is done, or passed over.
fn silence(case: &mut Case, id: &TaskId, at: Instant, of: fn(&AlarmKind) -> bool) -> Result<(), &'static str> {
    let deadline = task(case, id)?.deadline.as_mut().ok_or("the task has no deadline")?;
    deadline.alarms.retain(|alarm| alarm.at > at || !of(&alarm.kind));
    Ok(())
}

fn late(case: &mut Case, id: &TaskId) -> Result<(), &'static str> {
    task(case, id)?.deadline.as_mut().ok_or("the task has no deadline")?.overdue = true;
    Ok(())
}

/// What happened earlier is taken up earlier, also where the host learnt of it later.
fn defer(case: &mut Case, command: &Command) {
    let place = case.deferred.partition_point(|one| one.occurred_at <= command.occurred_at);
    case.deferred.insert(place, command.clone());
}

/// Go on with another revision. Whatever names a step names it as it is called there; keys of effects stay as they were minted.
fn migrate(case: &mut Case, migrated: &Migrated, turn: u64) -> Result<(), &'static str> {
    if case.revision != Some(migrated.from) {
        return Err("the case does not run on the revision that it leaves");
    }
    let Status::Waiting { since, .. } = case.status else { return Err("the case does not wait") };
    lanes::migrate(case, &migrated.lanes, turn)?;
    let since = if migrated.rearmed { turn } else { since };
    case.status = Status::Waiting { step: migrated.step.clone(), since, until: migrated.until };
    case.revision = Some(migrated.to);
    case.vars = migrated.vars.clone();
    let named = |step: &str| migrated.steps.iter().find(|(old, _)| old.as_str() == step).map(|(_, new)| new.clone());
    for task in case.tasks.values_mut() {
        if let About::Review { step } | About::Inspection { step } | About::Failure { step, .. } = &mut task.about
            && let Some(new) = named(step.as_str())
        {
            *step = new;
        }
    }
    for effect in case.effects.values_mut() {
        if let Some(new) = named(effect.step.as_str()) {
            effect.step = new;
        }
    }
    for child in case.children.values_mut() {
        if let Some(new) = named(child.step.as_str()) {
            child.step = new;
        }
    }
    // In an iteration the name of that stands before the step's.
    let called = |key: String| {
        let (before, step) = key.rsplit_once('.').map_or((None, key.as_str()), |(before, step)| (Some(before), step));
        match (before, named(step)) {
            (_, None) => key,
            (None, Some(new)) => new.to_string(),
            (Some(before), Some(new)) => format!("{before}.{new}"),
        }
    };
    case.outputs = std::mem::take(&mut case.outputs).into_iter().map(|(step, gave)| (called(step), gave)).collect();
    case.visits = std::mem::take(&mut case.visits).into_iter().map(|(step, times)| (called(step), times)).collect();
    Ok(())
}

fn close(case: &mut Case, failed: bool, result: &str) {
    case.status = Status::Closed { failed };
    case.lanes.clear();
    case.elements.clear();
    case.result = Some(result.to_owned());
}
