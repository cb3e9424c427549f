//! `finish`, `fail` and a person's cancel: the end of a case. What is still promised to it is given back.

use super::{Flow, Run, contradicted, reserve, subcase, unbook, undelivered, undo};
use crate::case::entry::Entry;
use crate::case::lane::LaneId;
use crate::case::{About, EffectState, Task};
use crate::ids::{Digest, Slug, TaskId};

pub(super) fn finish(run: &mut Run, result: &Slug) -> Flow {
    leave_others(run);
    run.emit(Entry::Finished { result: result.clone() });
    Flow::Stop
}

pub(super) fn fail(run: &mut Run, code: &Slug) -> Flow {
    leave_others(run);
    run.emit(Entry::CaseFailed { code: code.clone() });
    Flow::Stop
}

pub(super) fn cancel(run: &mut Run) {
    let all: Vec<LaneId> = std::iter::once(LaneId::main()).chain(run.case().lanes.keys().cloned()).collect();
    unbook::abandoned(run, &all);
    clear(run);
    let reason = run.input.command.reason.clone();
    run.emit(Entry::Cancelled { reason });
    undo::cancelled(run);
}

/// A lane ends the case for all of them. Its own step has done what it does.
fn leave_others(run: &mut Run) {
    let here = run.lane.clone();
    let others: Vec<LaneId> = run.case().lanes.keys().filter(|lane| **lane != here).cloned().collect();
    unbook::abandoned(run, &others);
    clear(run);
}

fn clear(run: &mut Run) {
    reserve::release_all(run);
    subcase::call_off(run, |_| true);
    close_tasks(run, |_| true);
    run.ready.clear();
}

/// Nobody need answer these tasks any more.
pub(super) fn close_tasks(run: &mut Run, which: impl Fn(&Task) -> bool) {
    // Whether money left stays a person's question, for as long as nobody knows or the provider says otherwise; and so does what
    // the customer was not told.
    let is_known = |key: &Digest| run.case().effects.get(key).is_none_or(|effect| effect.state != EffectState::Unknown);
    let is_over = |task: &Task| match &task.about {
        About::Effect { key } => is_known(key) && !contradicted::is_asked(task) && !undelivered::is_asked(task),
        _ => true,
    };
    let open = run.case().tasks.iter().filter(|(_, task)| which(task) && is_over(task));
    for id in open.map(|(id, _)| *id).collect::<Vec<TaskId>>() {
        run.emit(Entry::TaskClosed { id });
    }
}
