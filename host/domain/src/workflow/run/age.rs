//! A case that is open for longer than its workflow allows: a person is asked whether to go on. Nothing is ended by itself, for
//! money or goods may be on their way.

use super::{Run, fail, finish, tasks};
use crate::case::About;
use crate::case::command::{Complete, Rejection, Timer};
use crate::case::entry::Entry;
use crate::decision::Work;
use crate::verdict::Reason;
use crate::workflow::definition::Definition;

/// Why the task was opened.
const OPEN_TOO_LONG: &str = "open_too_long";

/// Begin to count; a case of the past is not hurried.
pub(super) fn begin(run: &mut Run, definition: &Definition) {
    if let (Some(open_for), false) = (definition.limits.open_for, run.history()) {
        let due = run.due(definition, open_for);
        run.work.push(Work::Timer { due, timer: Timer::OpenFor });
    }
}

/// The time is over.
pub(super) fn over(run: &mut Run) {
    let is_asked = run.case().tasks.values().any(|task| task.about == About::TooLong);
    if run.case().is_closed() || is_asked {
        let why = if is_asked { "a person is asked already" } else { "the case is closed" };
        run.emit(Entry::Ignored { what: "end of the time of the case".to_owned(), why: why.to_owned() });
        return;
    }
    let title = format!("Case {} is open for longer than its workflow allows", run.case().number);
    fail::open_task(run, About::TooLong, title, vec![Reason::code(OPEN_TOO_LONG)]);
}

/// A person's answer: the time begins again, or the case ends as cancelled.
pub(super) fn answered(run: &mut Run, definition: &Definition, complete: &Complete) -> Result<(), Rejection> {
    tasks::close_task(run, complete);
    match complete.outcome.as_str() {
        "close" => finish::cancel(run),
        _ => begin(run, definition),
    }
    Ok(())
}
