//! `finish`, `fail` and a person's cancel: the end of a case. What is still promised to it is given back.

use super::{Flow, Run, reserve, unbook};
use crate::case::entry::Entry;
use crate::case::{About, Task};
use crate::ids::{Slug, TaskId};

pub(super) fn finish(run: &mut Run, result: &Slug) -> Flow {
    clear(run);
    run.emit(Entry::Finished { result: result.clone() });
    Flow::Stop
}

pub(super) fn fail(run: &mut Run, code: &Slug) -> Flow {
    clear(run);
    run.emit(Entry::CaseFailed { code: code.clone() });
    Flow::Stop
}

pub(super) fn cancel(run: &mut Run) {
    unbook::abandoned(run);
    clear(run);
    let reason = run.input.command.reason.clone();
    run.emit(Entry::Cancelled { reason });
}

fn clear(run: &mut Run) {
    reserve::release_all(run);
    // What became of money stays a person's question.
    let of_case = |(_, task): &(&TaskId, &Task)| !matches!(task.about, About::Effect { .. });
    let open: Vec<TaskId> = run.case().tasks.iter().filter(of_case).map(|(id, _)| *id).collect();
    for id in open {
        run.emit(Entry::TaskClosed { id });
    }
}
