//! A message that reached nobody, because no address is known or what is known is none. The case goes on without it; a person is told,
//! once at a time however many there are.

use super::{Run, effects, fail, resend, tasks};
use crate::case::command::{Complete, Settled};
use crate::case::{About, Effect, EffectState, Task, What};
use crate::ids::Digest;
use crate::verdict::Reason;

/// Why a message reached nobody, so that a person can mend it.
const CODES: [&str; 2] = ["no_address", "address_invalid"];
/// What a person may say of it: to send it once more, that somebody was told in another way, or to leave it.
pub(super) const OUTCOMES: [&str; 3] = ["resend", "told", "leave"];

/// Tell a person of a message that was declined now.
pub(super) fn ask(run: &mut Run, effect: &Effect, key: Digest) {
    let What::Notice { template, to, .. } = &effect.what else { return };
    let Some(code) = code_of(run, key) else { return };
    if run.case().tasks.values().any(is_asked) {
        return;
    }
    let title = format!("Message {template} to {to} reached nobody: {code}");
    fail::open_task(run, About::Effect { key }, title, vec![Reason::code(code)]);
}

/// Whether this is the question of a task.
pub(super) fn is_asked(task: &Task) -> bool {
    let is_code = |reason: &Reason| CODES.contains(&reason.code.as_str());
    matches!(task.about, About::Effect { .. }) && task.reasons.iter().any(is_code)
}

/// The answer holds for every message of the case that reached nobody.
pub(super) fn answered(run: &mut Run, complete: &Complete) {
    tasks::close_task(run, complete);
    let keys: Vec<Digest> = run.case().effects.keys().copied().collect();
    for key in keys.into_iter().filter(|key| code_of(run, *key).is_some()).collect::<Vec<_>>() {
        match complete.outcome.as_str() {
            "resend" => resend::again(run, key),
            "told" => effects::record(run, key, Settled::Confirmed, None),
            _ => {}
        }
    }
}

/// Why a message reached nobody, where that is so.
fn code_of(run: &Run, key: Digest) -> Option<&'static str> {
    let effect = run.case().effects.get(&key)?;
    let is_lost = matches!(effect.what, What::Notice { .. }) && effect.state == EffectState::Declined;
    let code = effect.code.as_deref().filter(|_| is_lost)?;
    CODES.into_iter().find(|known| *known == code)
}
