//! Events: one that a step waits for ends the wait; any other is kept for later waits, in order.

use super::{Flow, Run, StepError};
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
        match matching(run, definition, arms, &event) {
            Ok(Some(arm)) => {
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
pub(super) fn kept(
    run: &mut Run,
    definition: &Definition,
    step: &Step,
    arms: &[EventArm],
) -> Result<Option<Flow>, StepError> {
    for (place, event) in run.case().events.clone().into_iter().enumerate() {
        if !event.is_kept(run.now()) {
            continue;
        }
        if let Some(arm) = matching(run, definition, arms, &event)? {
            let kept = u32::try_from(place).ok();
            return Ok(Some(take(run, step, (arms, arm), event, kept)));
        }
    }
    Ok(None)
}

/// The event ends the wait by one of its arms. What it carries is an output where only one event could come: the checker knows
/// no other fields.
fn take(run: &mut Run, step: &Step, (arms, arm): (&[EventArm], &EventArm), event: Arrived, kept: Option<u32>) -> Flow {
    let is_only = arms.iter().all(|other| other.event == arm.event);
    let mut fields = if is_only { event.fields.clone() } else { Fields::new() };
    fields.insert("event".to_owned(), Value::text(&event.name));
    fields.insert("at".to_owned(), Value::Instant(event.at));
    run.emit(Entry::EventTaken { step: step.id.clone(), event, kept });
    run.emit(Entry::Gave { step: step.id.clone(), plugin: None, output: Output::Values(fields) });
    arm.then.clone().map_or(Flow::Next, Flow::To)
}

fn arms(step: &Step) -> Option<&[EventArm]> {
    match &step.kind {
        Kind::Await { arms, .. } => Some(arms),
        _ => None,
    }
}

fn matching<'a>(
    run: &mut Run,
    definition: &Definition,
    arms: &'a [EventArm],
    event: &Arrived,
) -> Result<Option<&'a EventArm>, StepError> {
    'arms: for arm in arms.iter().filter(|arm| arm.event == event.name) {
        for (field, expr) in &arm.matches {
            if event.fields.get(field) != Some(&run.value(definition, expr)?) {
                continue 'arms;
            }
        }
        return Ok(Some(arm));
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
