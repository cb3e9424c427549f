//! What a person may answer to a task. The one place that says it, to who asks and to who answers.

use std::collections::BTreeMap;

use super::{contradicted, fail, lanes, undelivered};
use crate::case::{About, Case, Task, What};
use crate::value::Type;
use crate::workflow::definition::{Definition, Hook, Kind};

/// The outcome of an inspection that names none.
pub const DONE: &str = "done";

/// The outcomes that a task offers, in the order in which people read them; none where its revision does not know its step.
pub fn outcomes(definition: Option<&Definition>, task: &Task) -> Vec<String> {
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    match (&task.about, definition) {
        // No answer changes the currency of a case, and nothing of the workflow is meant for another.
        (About::Failure { code, .. }, _) if code == fail::CURRENCY_DIFFERS => words(&["close"]),
        (About::Unrouted, _) | (_, None) => words(&["close"]),
        (About::Review { step } | About::Inspection { step }, Some(definition)) => {
            match definition.step(step.as_str()).and_then(|step| step.kind.asked()) {
                Some(review) if review.next.is_empty() => words(&[DONE]),
                Some(review) => review.next.keys().cloned().collect(),
                None => Vec::new(),
            }
        }
        (About::TooLong, Some(_)) => words(&["keep", "close"]),
        (About::Failure { step, code }, Some(definition)) => match definition.step(step.as_str()) {
            // Its lanes ran already, and would run again.
            Some(_) if code == lanes::MERGE_FAILED => words(&["close"]),
            Some(step) if gives_verdicts(definition, &step.kind) => words(&["try_again", "decide", "close"]),
            Some(_) => words(&["try_again", "close"]),
            None => Vec::new(),
        },
        (About::Effect { .. }, Some(_)) if undelivered::is_asked(task) => words(&undelivered::OUTCOMES),
        (About::Effect { .. }, Some(_)) if contradicted::is_asked(task) => words(&["paid", "recovered"]),
        (About::Effect { .. }, Some(_)) => words(&["paid", "not_paid", "resend"]),
    }
}

/// What is to be filled in with an answer: the form of a review, or what a system was to answer; none for a task that asks for
/// nothing.
pub fn form(definition: Option<&Definition>, case: &Case, task: &Task) -> Option<BTreeMap<String, Type>> {
    if let About::Effect { key } = &task.about {
        return match &case.effects.get(key)?.what {
            What::Http(request) => Some(request.expect.clone()),
            _ => None,
        };
    }
    let step = definition?.step(task.about.asking()?.as_str())?;
    Some(step.kind.asked()?.ask.clone())
}

fn gives_verdicts(definition: &Definition, kind: &Kind) -> bool {
    match kind {
        Kind::Call { plugin, .. } => {
            definition.plugins.get(plugin).is_some_and(|plugin| plugin.hook <= Hook::Compliance)
        }
        _ => false,
    }
}
