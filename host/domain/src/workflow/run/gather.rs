//! An `await` of several events that must all come: each that does is gathered, and the last one ends the wait.
//!
//! What was gathered is kept for later waits where the wait ends in another way: its time is over, or the rules changed under it.

use std::collections::BTreeMap;

use super::{Flow, Run, StepError, events};
use crate::case::entry::Entry;
use crate::case::{Arrived, Gathered, Output};
use crate::ids::Slug;
use crate::value::{Fields, Value};
use crate::workflow::definition::{Definition, Kind, Step};

/// Whether each of its events must come.
pub(super) fn needs_all(step: &Step) -> bool {
    matches!(step.kind, Kind::Await { all: true, .. })
}

/// The events of the step that have not come yet, by their places.
pub(super) fn open(run: &Run, step: &Step) -> Vec<usize> {
    let wanted = events::arms(step).map_or(0, <[_]>::len);
    let has_come = |place: &usize| gathered(run).iter().any(|one| one.arm as usize == *place);
    (0..wanted).filter(|place| !has_come(place)).collect()
}

fn gathered(run: &Run) -> &[Gathered] {
    run.case().gathered.get(&run.lane).map_or(&[], Vec::as_slice)
}

/// The kept events that the step waits for, oldest first: the place of each among the kept, and which one it is. Of a step that
/// needs all, each at most once.
pub(super) fn fitting(run: &mut Run, definition: &Definition, step: &Step) -> Result<Vec<(usize, usize)>, StepError> {
    let Some(arms) = events::arms(step) else { return Ok(Vec::new()) };
    let (mut open, mut fitting) = (open(run, step), Vec::new());
    for (place, event) in run.case().events.clone().into_iter().enumerate() {
        if !event.is_kept(run.now()) {
            continue;
        }
        if let Some(arm) = events::matching(run, definition, (arms, &open), &event)? {
            open.retain(|one| *one != arm);
            fitting.push((place, arm));
        }
        if open.is_empty() || !(fitting.is_empty() || needs_all(step)) {
            break;
        }
    }
    Ok(fitting)
}

/// Gather what was kept already, once the step waits for the rest.
pub(super) fn kept(run: &mut Run, definition: &Definition, step: &Step) -> Result<(), StepError> {
    if !needs_all(step) {
        return Ok(());
    }
    for (taken, (place, arm)) in fitting(run, definition, step)?.into_iter().enumerate() {
        let event = run.case().events[place - taken].clone();
        gather(run, step, arm, event, u32::try_from(place - taken).ok());
    }
    Ok(())
}

/// One of several has come; the wait goes on.
pub(super) fn gather(run: &mut Run, step: &Step, arm: usize, event: Arrived, kept: Option<u32>) {
    let arm = u32::try_from(arm).unwrap_or(u32::MAX);
    run.emit(Entry::EventGathered { step: step.id.clone(), arm, event, kept });
}

/// The last of them has come. The output tells each by its name, and when the last one happened.
pub(super) fn complete(run: &mut Run, step: &Step, last: Arrived, kept: Option<u32>) -> Flow {
    let mut came: Vec<Arrived> = gathered(run).iter().map(|one| one.event.clone()).collect();
    came.push(last.clone());
    let at = came.iter().map(|event| event.at).max().unwrap_or(last.at);
    let told: BTreeMap<_, _> = came.into_iter().map(|event| (event.name, Value::Object(event.fields))).collect();
    let mut fields: Fields = told.into_iter().collect();
    fields.insert("at".to_owned(), Value::Instant(at));
    run.emit(Entry::EventTaken { step: step.id.clone(), event: last, kept });
    run.emit(Entry::Gave { step: step.id.clone(), plugin: None, output: Output::Values(fields) });
    Flow::Next
}

/// The step does not wait for the rest any more: what it had gathered may end other waits.
pub(super) fn let_go(run: &mut Run, step: &Slug) {
    if !gathered(run).is_empty() {
        run.emit(Entry::EventsLetGo { step: step.clone() });
    }
}
