//! `review` and `inspect`: a task for a person.

use super::{Flow, Run, StepError, sla};
use crate::case::entry::Entry;
use crate::case::{About, Task};
use crate::verdict::Reason;
use crate::workflow::definition::review::Review;
use crate::workflow::definition::{Definition, Kind, Step, Timeout};
use crate::workflow::expr::Context;

pub(super) fn enter(run: &mut Run, definition: &Definition, step: &Step, review: &Review) -> Result<Flow, StepError> {
    let title = match review.title.locale("en") {
        Some(title) => {
            let steps_left = super::EXPRESSION_STEPS_MAX;
            let mut context = Context { zone: definition.zone, currency: definition.currency, steps_left };
            let failed = |error: crate::workflow::expr::EvalError| {
                StepError::new(format!("expression_{}", error.code), error.message)
            };
            title.render(&run.names, &mut context).map_err(failed)?
        }
        None => step.id.to_string(),
    };
    let (id, imported) = (run.mint_task(), run.history());
    let about = match &step.kind {
        Kind::Inspect(_) => About::Inspection { step: step.id.clone() },
        _ => About::Review { step: step.id.clone() },
    };
    // The past is not hurried.
    let deadline = review.sla.as_ref().filter(|_| !imported).map(|given| sla::deadline(run, definition, given));
    let task = Task {
        about,
        queue: review.queue.to_string(),
        title,
        opened_at: run.now(),
        reasons: review.reasons.iter().map(|code| Reason::code(code.as_str())).collect(),
        imported,
        assignee: None,
        lane: run.lane.clone(),
        deadline,
        proposal: None,
    };
    run.emit(Entry::TaskOpened { id, task: Box::new(task) });
    sla::arm(run, id);
    let after = match &review.timeout {
        // An imported one has no timer either.
        Timeout::After { after, .. } if !imported => Some(*after),
        _ => None,
    };
    Ok(run.stay_for(definition, &step.id, after))
}
