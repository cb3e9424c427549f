//! Keeping what comes while a revision is on hold, and taking it up when the case goes on: one turn for each, in the order in which
//! it happened.

use super::{Input, Run, begin};
use crate::case::command::{Body, Rejection};
use crate::case::entry::Entry;
use crate::case::{Case, EVENTS_MAX};
use crate::workflow::definition::Definition;

/// Who tells something that makes no sense learns it at once, and not when the case goes on.
pub(super) fn defer(definition: Option<&Definition>, case: Case, input: Input) -> Result<Run, Rejection> {
    begin::begin(definition, Some(case.clone()), input.clone())?;
    let events = case.deferred.iter().filter(|one| matches!(one.body, Body::Event(_))).count();
    if matches!(input.command.body, Body::Event(_)) && events >= EVENTS_MAX {
        let message = format!("case {} is paused, and keeps {EVENTS_MAX} events already", case.number);
        return Err(Rejection::new("case_paused", message));
    }
    let mut run = begin::run_of(definition, Some(case), input);
    begin::load(&mut run);
    let command = Box::new(run.input.command.clone());
    run.emit(Entry::Deferred { command });
    Ok(run)
}

/// Whether the case takes up what it kept before anything else. A run that was cut comes to its end first.
pub(super) fn is_next(run: &Run) -> bool {
    run.case.as_ref().is_some_and(|case| !case.is_cut() && !case.deferred.is_empty())
}

/// Do what was kept first, as if it came now. What the rules refuse by now is ignored, and the journal says so.
pub(super) fn take_up(definition: Option<&Definition>, run: Run) -> Run {
    let attempt = begun(definition, run.case.clone(), run.input.clone());
    attempt.unwrap_or_else(|rejection| {
        let mut run = next(definition, run.case, run.input);
        run.emit(Entry::Ignored { what: run.input.command.body.name().to_owned(), why: rejection.message });
        run
    })
}

fn begun(definition: Option<&Definition>, case: Option<Case>, input: Input) -> Result<Run, Rejection> {
    let mut run = next(definition, case, input);
    let body = run.input.command.body.clone();
    begin::command(&mut run, definition, &body)?;
    Ok(run)
}

/// A turn in which the first of what was kept was taken up, and nothing more has happened.
fn next(definition: Option<&Definition>, case: Option<Case>, input: Input) -> Run {
    let mut run = begin::run_of(definition, case, input);
    begin::load(&mut run);
    let kept = run.case().deferred.first().cloned();
    run.emit(Entry::TakenUp);
    if let Some(mut command) = kept {
        command.recorded_at = run.input.command.recorded_at;
        std::mem::swap(&mut run.input.command, &mut command);
        run.taken_up_by = Some(command);
    }
    run
}
