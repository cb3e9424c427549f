//! Events: one that a step waits for ends the wait; any other is kept for later waits, in order.

use super::{Flow, Run, StepError, gather};
use crate::case::command::{Event, Rejection};
use crate::case::entry::Entry;
use crate::case::lane::LaneId;
use crate::case::{Arrived, EVENTS_MAX, Output};
use crate::value::{Fields, Type, Value};
use crate::workflow::definition::{Definition, EventArm, Kind, Step};

pub(super) fn arrived(run: &mut Run, definition: Option<&Definition>, event: &Event) -> Result<(), Rejection> {
    let Some(definition) = definition else {
        run.emit(Entry::Ignored { what: format!("event {}", event.name), why: "no workflow runs".to_owned() });
        return Ok(());
    };
    check(definition, event)?;
    if run.case().is_closed() {
        run.emit(Entry::Ignored { what: format!("event {}", event.name), why: "the case is closed".to_owned() });
        return Ok(());
    }
    let event = Arrived { name: event.name.clone(), at: run.came_at(), fields: event.fields.clone() };
    let mut failed = None;
    for (lane, step, arms) in waiting(run, definition) {
        run.turn_to(&lane);
        let open = gather::open(run, step);
        match matching(run, definition, (arms, &open), &event) {
            Ok(Some(arm)) => {
                if open.len() > 1 && gather::needs_all(step) {
                    gather::gather(run, step, arm, event, None);
                    return Ok(());
                }
                let flow = take(run, step, (arms, arm), event, None);
                run.follow(definition, step, Ok(flow));
                return Ok(());
            }
            Ok(None) => {}
            Err(error) => failed = failed.or(Some((lane, step, error))),
        }
    }
    run.turn_to(&LaneId::main());
    // Whoever mends a wait that failed finds the event there.
    keep(run, event);
    if let Some((lane, step, error)) = failed {
        run.turn_to(&lane);
        run.follow(definition, step, Err(error));
    }
    Ok(())
}

/// The lanes that wait for events, in their order: the first whose wait an event matches takes it.
fn waiting<'a>(run: &mut Run, definition: &'a Definition) -> Vec<(LaneId, &'a Step, &'a [EventArm])> {
    let lanes: Vec<LaneId> = std::iter::once(LaneId::main()).chain(run.case().lanes.keys().cloned()).collect();
    let mut found = Vec::new();
    for lane in lanes {
        let step = run.case().place(&lane).and_then(|place| definition.step(place.step()?.as_str()));
        run.lane = lane.clone();
        if let Some((step, arms)) = step.filter(|step| run.awaits(&step.id)).and_then(|step| Some((step, arms(step)?)))
        {
            found.push((lane, step, arms));
        }
    }
    run.lane = LaneId::main();
    found
}

fn keep(run: &mut Run, event: Arrived) {
    if run.case().events.iter().filter(|kept| kept.is_kept(run.now())).count() >= EVENTS_MAX {
        let why = format!("{EVENTS_MAX} events are kept already");
        run.emit(Entry::Ignored { what: format!("event {}", event.name), why });
    } else {
        run.emit(Entry::EventKept { event });
    }
}

/// Offer the kept events to a wait that begins, oldest first.
pub(super) fn kept(run: &mut Run, definition: &Definition, step: &Step) -> Result<Option<Flow>, StepError> {
    let Some(arms) = arms(step) else { return Ok(None) };
    let fitting = gather::fitting(run, definition, step)?;
    let wanted = if gather::needs_all(step) { arms.len() } else { 1 };
    if fitting.len() < wanted {
        return Ok(None);
    }
    for (taken, (place, arm)) in fitting.into_iter().take(wanted).enumerate() {
        // Each that is taken leaves its place.
        let kept = u32::try_from(place - taken).ok();
        let event = run.case().events[place - taken].clone();
        if taken + 1 == wanted {
            return Ok(Some(take(run, step, (arms, arm), event, kept)));
        }
        gather::gather(run, step, arm, event, kept);
    }
    Ok(None)
}

/// The event ends the wait by one of its arms. What it carries is an output where only one event could come: the checker knows
/// no other fields.
fn take(run: &mut Run, step: &Step, (arms, arm): (&[EventArm], usize), event: Arrived, kept: Option<u32>) -> Flow {
    if gather::needs_all(step) {
        return gather::complete(run, step, event, kept);
    }
    let arm = &arms[arm];
    let is_only = arms.iter().all(|other| other.event == arm.event);
    let mut fields = if is_only { event.fields.clone() } else { Fields::new() };
    fields.insert("event".to_owned(), Value::text(&event.name));
    fields.insert("at".to_owned(), Value::Instant(event.at));
    run.emit(Entry::EventTaken { step: step.id.clone(), event, kept });
    run.emit(Entry::Gave { step: step.id.clone(), plugin: None, output: Output::Values(fields) });
    arm.then.clone().map_or(Flow::Next, Flow::To)
}

pub(super) fn arms(step: &Step) -> Option<&[EventArm]> {
    match &step.kind {
        Kind::Await { arms, .. } => Some(arms),
        _ => None,
    }
}

/// The first of the events that are open which this one is, by its place.
pub(super) fn matching(
    run: &mut Run,
    definition: &Definition,
    (arms, open): (&[EventArm], &[usize]),
    event: &Arrived,
) -> Result<Option<usize>, StepError> {
    'arms: for (place, arm) in open.iter().map(|place| (*place, &arms[*place])) {
        if arm.event != event.name {
            continue;
        }
        for (field, expr) in &arm.matches {
            if event.fields.get(field) != Some(&run.value(definition, expr)?) {
                continue 'arms;
            }
        }
        return Ok(Some(place));
    }
    Ok(None)
}

fn check(definition: &Definition, event: &Event) -> Result<(), Rejection> {
    let Some(declared) = definition.events.get(&event.name) else {
        let message = format!("the workflow declares no event {:?}", event.name);
        return Err(Rejection { code: "unknown_event", message, fields: vec!["name".to_owned()] });
    };
    let shape = Type::Object(declared.clone());
    let (given, known): (Value, Fields) = (Value::Object(event.fields.clone()), event.fields.clone());
    if given.is_of(&shape) {
        return Ok(());
    }
    let bad = |(name, kind): (&String, &Type)| match known.get(name) {
        Some(value) => !value.is_of(kind),
        None => !matches!(kind, Type::Optional(_)),
    };
    let mut fields: Vec<String> = declared.iter().filter(|field| bad(*field)).map(|(name, _)| name.clone()).collect();
    fields.extend(known.keys().filter(|name| !declared.contains_key(*name)).cloned());
    let message = format!("event {:?} does not carry what it declares: {}", event.name, fields.join(", "));
    let fields = fields.into_iter().map(|name| format!("fields.{name}")).collect();
    Err(Rejection { code: "wrong_event", message, fields })
}
