//! What happens when a step cannot do what it does: `on_error`, else a person. Never silently on, never silently back.

use super::{Flow, Run, StepError};
use crate::case::entry::Entry;
use crate::case::{About, Task};
use crate::ids::Slug;
use crate::verdict::Reason;
use crate::workflow::definition::Step;

/// The queue of tasks that no workflow asked for.
pub(super) const QUEUE: &str = "problems";
/// A case in another currency than its workflow.
pub(super) const CURRENCY_DIFFERS: &str = "currency_differs";

pub(super) fn failed(run: &mut Run, step: &Step, error: StepError) -> Flow {
    match handler(step, &error.code) {
        Some(then) => {
            run.emit(Entry::Failed { step: step.id.clone(), code: error.code, detail: error.detail });
            Flow::To(then)
        }
        None => to_person(run, &step.id, error),
    }
}

/// The step that `on_error` names for a code.
pub(super) fn handler(step: &Step, code: &str) -> Option<Slug> {
    let matches = |on: &&crate::workflow::definition::OnError| on.code.as_deref().is_none_or(|wanted| wanted == code);
    step.on_error.iter().find(matches).map(|on| on.then.clone())
}

/// Open the built-in task of a failure and wait at the step.
pub(super) fn to_person(run: &mut Run, step: &Slug, error: StepError) -> Flow {
    let StepError { code, detail, reasons } = error;
    let reasons = [vec![Reason::code(code.as_str())], reasons].concat();
    run.emit(Entry::Failed { step: step.clone(), code: code.clone(), detail });
    let about = About::Failure { step: step.clone(), code: code.clone() };
    open_task(run, about, format!("Step {step} failed: {code}"), reasons);
    run.stay(step)
}

/// Open a built-in task.
pub(super) fn open_task(run: &mut Run, about: About, title: String, reasons: Vec<Reason>) {
    let (id, opened_at, imported) = (run.mint_task(), run.now(), run.history());
    let task = Task {
        about,
        queue: QUEUE.to_owned(),
        title,
        opened_at,
        reasons,
        imported,
        assignee: None,
        lane: run.lane.clone(),
        deadline: None,
        proposal: None,
    };
    run.emit(Entry::TaskOpened { id, task: Box::new(task) });
}
