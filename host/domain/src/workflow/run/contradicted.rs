//! A refund or an exchange that was settled as declined, and its receiver says later that it was done. The word alone changes
//! nothing: a person looks whether money or goods left, and ledger and receiver agree again by what they found.

use super::{Run, StepError, effects, swap, tasks, unbook};
use crate::case::command::{Complete, Rejection, Settled};
use crate::case::entry::Entry;
use crate::case::{Effect, Task, What};
use crate::ids::Digest;
use crate::workflow::definition::Definition;

/// The reason of the task.
const CODE: &str = "confirmed_after_decline";

/// Ask a person, once; in place of the question how to go on after the decline, if that is still open.
pub(super) fn ask(run: &mut Run, effect: &Effect, key: Digest) {
    if !matches!(effect.what, What::Refund(_) | What::Exchange(_)) {
        return;
    }
    if let Some(id) = tasks::of_effect(run, key) {
        if run.case().tasks.get(&id).is_some_and(is_asked) {
            return;
        }
        run.emit(Entry::TaskClosed { id });
    }
    effects::ask_person(run, &effect.step, key, CODE);
}

/// Whether this is the question of a task.
pub(super) fn is_asked(task: &Task) -> bool {
    task.reasons.iter().any(|reason| reason.code == CODE)
}

/// `paid`: money or goods did leave, and are booked again where the decline had taken them out. `recovered`: they were taken back,
/// and the effect stays declined.
pub(super) fn answered(
    run: &mut Run,
    definition: &Definition,
    complete: &Complete,
    key: Digest,
) -> Result<(), Rejection> {
    let effect = effects::of_case(run, key)?.clone();
    // A declined leg stays booked until its step has gone on.
    let is_booked = run.case().stands_at(&effect.lane, &effect.step);
    tasks::close_task(run, complete);
    if complete.outcome == "paid" {
        if !is_booked {
            let booked = unbook::rebook(run, &effect.step, key).and_then(|()| swap::rebook(run, key));
            booked.map_err(|error| refused(&effect, error))?;
        }
        effects::record(run, key, Settled::Confirmed, None);
    }
    if run.awaits(&effect.step) {
        effects::settled_by_person(run, definition, &effect, key);
    }
    Ok(())
}

fn refused(effect: &Effect, error: StepError) -> Rejection {
    let (what, back) =
        if matches!(effect.what, What::Exchange(_)) { ("exchange", "goods are") } else { ("refund", "money is") };
    let message =
        format!("the ledger takes the {what} no more, {}; once the {back} back, answer recovered", error.detail);
    Rejection { code: "refund_not_bookable", message, fields: vec!["outcome".to_owned()] }
}
