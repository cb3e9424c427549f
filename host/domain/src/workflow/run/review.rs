//! `review`: a task for a person.

use super::{Flow, Run, StepError};
use crate::case::entry::Entry;
use crate::case::{About, Task};
use crate::verdict::Reason;
use crate::workflow::definition::{Definition, Review, Step, Timeout};
use crate::workflow::expr::Context;

pub(super) fn enter(run: &mut Run, definition: &Definition, step: &Step, review: &Review) -> Result<Flow, StepError> {
    let title = title(run, definition, step, review)?;
    let (id, imported) = (run.mint_task(), run.history());
    let task = Task {
        about: About::Review { step: step.id.clone() },
        queue: review.queue.to_string(),
        title,
        opened_at: run.now(),
        reasons: review.reasons.iter().map(|code| Reason::code(code.as_str())).collect(),
        imported,
        assignee: None,
        lane: run.lane.clone(),
    };
    run.emit(Entry::TaskOpened { id, task: Box::new(task) });
    let after = match &review.timeout {
        // The past is not hurried: an imported review has no timer.
        Timeout::After { after, .. } if !imported => Some(*after),
        _ => None,
    };
    Ok(run.stay(&step.id, after))
}

/// What the task is called.
pub(super) fn title(run: &Run, definition: &Definition, step: &Step, review: &Review) -> Result<String, StepError> {
    let Some(title) = review.title.locale("en") else { return Ok(step.id.to_string()) };
    let steps_left = super::EXPRESSION_STEPS_MAX;
    let mut context = Context { zone: definition.zone, currency: definition.currency, steps_left };
    let failed =
        |error: crate::workflow::expr::EvalError| StepError::new(format!("expression_{}", error.code), error.message);
    title.render(&run.names, &mut context).map_err(failed)
}
