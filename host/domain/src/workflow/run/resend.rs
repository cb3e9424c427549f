//! Sending an effect again on a person's word: under the same key, so that a provider which did act says so instead of acting
//! once more.

use super::{Run, claim, effects, tasks};
use crate::case::command::Rejection;
use crate::case::entry::Entry;
use crate::case::{EffectState, What};
use crate::decision::Work;
use crate::ids::Digest;

/// A person asks for it, whether or not the case is still open.
pub(super) fn asked(run: &mut Run, key: Digest) -> Result<(), Rejection> {
    let effect = effects::of_case(run, key)?;
    match (effect.state, &effect.what) {
        (EffectState::Unknown, _) => answer_task(run, key)?,
        (EffectState::Intended, _) | (_, What::Notice { .. }) => {}
        (state, _) => {
            let message = format!("effect {key} is settled as {}", state.word());
            return Err(Rejection::new("effect_settled", message));
        }
    }
    again(run, key);
    Ok(())
}

/// Whoever sends it again has answered the question what became of it.
fn answer_task(run: &mut Run, key: Digest) -> Result<(), Rejection> {
    let Some(id) = tasks::of_effect(run, key) else { return Ok(()) };
    claim::may_answer(run, id)?;
    let (outcome, by) = ("resend".to_owned(), run.input.command.actor.id.clone());
    run.emit(Entry::TaskCompleted { id, outcome, by, live: false });
    Ok(())
}

/// Let it leave once more.
pub(super) fn again(run: &mut Run, key: Digest) {
    let by = run.input.command.actor.id.clone();
    run.emit(Entry::Resent { key, by });
    run.work.push(Work::Effect { key });
}
