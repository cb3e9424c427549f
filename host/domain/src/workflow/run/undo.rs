//! What undoes a step: kept once the step has done its work, and sent when the workflow says so or a person cancels the case. The
//! last that was done is undone first, one after the other.

use super::{Flow, Run, StepError, effects, goods, http};
use crate::case::command::Settled;
use crate::case::entry::Entry;
use crate::case::lane::LaneId;
use crate::case::{Compensation, Effect, EffectState, What};
use crate::decision::Work;
use crate::ids::{Digest, Slug};
use crate::workflow::definition::{Compensate, Definition, Step, Undo};

/// Keep what undoes the step, where it has done its work.
pub(super) fn registered(
    run: &mut Run,
    definition: &Definition,
    step: &Step,
    flow: Result<Flow, StepError>,
) -> Result<Flow, StepError> {
    let flow = flow?;
    // A step that sent nothing, because there was nothing to move or the case is of the past, has nothing to undo.
    let is_own = |effect: &Effect| effect.step == step.id && effect.lane == run.lane && effect.undoes.is_none();
    let did_something = run.case().effects.values().any(is_own);
    if let (Flow::Next, Some(compensate)) = (&flow, &step.compensate)
        && did_something
        && let Some(what) = what(run, definition, compensate)?
    {
        let (step, retry) = (step.id.clone(), step.retry.clone());
        run.emit(Entry::Registered { step, what: Box::new(what), retry });
    }
    Ok(flow)
}

/// What is to be sent, with its values as they are now: whatever the case does until then, it undoes what was done. Nothing where
/// there is nothing to move.
fn what(run: &Run, definition: &Definition, compensate: &Compensate) -> Result<Option<What>, StepError> {
    Ok(Some(match compensate {
        Compensate::Http(http) => What::Http(http::request(run, definition, http)?),
        Compensate::Restock(restock) => return goods::what(run, definition, restock),
        Compensate::Notify(notify) => goods::notice(run, definition, notify)?,
    }))
}

/// The step `undo`. What was begun before, by this step or another one, is never begun again.
pub(super) fn enter(run: &mut Run, step: &Step, which: &Undo) -> Result<Flow, StepError> {
    if effects::all_settled(run, &step.id) {
        return Ok(go_on(run, step, which));
    }
    Ok(run.stay(&step.id))
}

/// What was sent is done: on with the next, or with the case.
pub(super) fn go_on(run: &mut Run, step: &Step, which: &Undo) -> Flow {
    settle_done(run);
    // What is sent now is of the round in which the step was come to.
    let round = effects::of_step(run, &step.id).map(|(_, effect)| effect.round).max();
    run.round = run.round.max(round.unwrap_or(0));
    loop {
        match last(run, |one| which.names(&one.step) && is_within(&one.lane, &run.lane)) {
            None => return Flow::Next,
            Some(place) if begin(run, place, &step.id) => return run.stay(&step.id),
            Some(_) => {}
        }
    }
}

impl Undo {
    fn names(&self, step: &Slug) -> bool {
        match self {
            Self::All => true,
            Self::Steps(steps) => steps.contains(step),
        }
    }
}

/// A person ended the case: all that it did is undone. Nobody waits for it, and what fails is asked of a person.
pub(super) fn cancelled(run: &mut Run) {
    run.turn_to(&LaneId::main());
    run.round = 0;
    while let Some(place) = last(run, |_| true) {
        let step = run.case().compensations[place].step.clone();
        if begin(run, place, &step) {
            return;
        }
    }
}

/// These lanes are called off: what was done in them is undone at once, the last first, while the case goes on without them.
pub(super) fn called_off(run: &mut Run, lanes: &[LaneId]) {
    let is_of = |one: &Compensation| lanes.iter().any(|lane| is_within(&one.lane, lane));
    while let Some(place) = last(run, is_of) {
        let step = run.case().compensations[place].step.clone();
        begin(run, place, &step);
    }
}

/// An effect was confirmed that was on its way when its lane was called off: nobody wants it any more, so it is undone as well.
pub(super) fn too_late(run: &mut Run, definition: &Definition, effect: &Effect) {
    let is_gone = !effect.lane.is_main() && run.case().place(&effect.lane).is_none();
    let was_awaited = effect.state == EffectState::Intended && effect.undoes.is_none();
    let Some(step) = definition.step(effect.step.as_str()).filter(|step| step.compensate.is_some()) else { return };
    if !is_gone || !was_awaited || run.case().is_closed() {
        return;
    }
    // The step is done as it would have been, but that nothing follows it.
    let flow = effects::done(run, step);
    match registered(run, definition, step, flow) {
        Ok(_) => called_off(run, std::slice::from_ref(&effect.lane)),
        Err(error) => run.emit(Entry::Failed { step: step.id.clone(), code: error.code, detail: error.detail }),
    }
}

/// Whether it undoes a step for nobody who waits: after a cancel, or in a lane that was called off.
pub(super) fn is_unattended(run: &Run, effect: &Effect) -> bool {
    let undone = effect.undoes.and_then(|place| run.case().compensations.get(place as usize));
    undone.is_some_and(|one| one.step == effect.step)
}

/// An outcome that came when the case had ended, or had left the step: what a cancel began goes on with the next.
pub(super) fn later(run: &mut Run, key: Digest) {
    let Some(effect) = run.case().effects.get(&key).cloned() else { return };
    if effect.undoes.is_none() {
        return;
    }
    let is_unattended = is_unattended(run, &effect);
    settle_done(run);
    if !is_unattended || effect.state == EffectState::Intended {
        return;
    }
    if effect.state == EffectState::Declined && super::tasks::of_effect(run, key).is_none() && !is_answered(run, key) {
        effects::ask_person(run, &effect.step, key, "declined");
    }
    let is_open = |effect: &Effect| effect.undoes.is_some() && effect.state == EffectState::Intended;
    if run.case().is_closed() && !run.case().effects.values().any(is_open) {
        cancelled(run);
    }
}

/// Whether a person said so in this turn: they need not be asked.
fn is_answered(run: &Run, key: Digest) -> bool {
    let by_person =
        |entry: &Entry| matches!(entry, Entry::Settled { key: of, via, .. } if *of == key && via == "person");
    run.entries.iter().any(by_person)
}

/// Whether something was done in this lane, or in one that it is the branch or the iteration of.
fn is_within(lane: &LaneId, around: &LaneId) -> bool {
    std::iter::successors(Some(lane.clone()), |lane| Some(lane.parent()?.0)).any(|lane| lane == *around)
}

/// The last of these that was not begun.
fn last(run: &Run, which: impl Fn(&Compensation) -> bool) -> Option<usize> {
    run.case().compensations.iter().rposition(|one| one.key.is_none() && !one.undone && which(one))
}

/// Send one; answers whether there is something to wait for.
fn begin(run: &mut Run, place: usize, by: &Slug) -> bool {
    let Compensation { step, what, retry, .. } = run.case().compensations[place].clone();
    let place = u32::try_from(place).unwrap_or(u32::MAX);
    let is_notice = matches!(what, What::Notice { .. });
    if run.history() && (is_notice || matches!(what, What::Http(_))) {
        // Nobody is told and nothing is asked about the past.
        run.emit(Entry::Undone { place });
        return false;
    }
    let key = run.effect_key(&step, place, "compensation");
    let effect = Effect { undoes: Some(place), ..run.intended(by, what, retry) };
    run.emit(Entry::Intended { key, effect: Box::new(effect) });
    if run.history() {
        let (outcome, via) = (Settled::Confirmed, "history".to_owned());
        run.emit(Entry::Settled { key, outcome, reference: None, via, reply: None, code: None });
        run.emit(Entry::Undone { place });
        return false;
    }
    run.work.push(Work::Effect { key });
    if is_notice {
        // A message is said once it is to leave, as the step `notify` has it.
        run.emit(Entry::Undone { place });
    }
    !is_notice
}

/// Of what is confirmed the step is undone.
fn settle_done(run: &mut Run) {
    let is_done = |one: &Compensation| {
        let effect = one.key.and_then(|key| run.case().effects.get(&key));
        !one.undone && effect.is_some_and(|effect| effect.state == EffectState::Confirmed)
    };
    let done = run.case().compensations.iter().enumerate().filter(|(_, one)| is_done(one));
    let places: Vec<u32> = done.filter_map(|(place, _)| u32::try_from(place).ok()).collect();
    for place in places {
        run.emit(Entry::Undone { place });
    }
}
