//! `finish`, `fail` and a person's cancel: the end of a case. What is still promised to it is given back.

use super::{Flow, Run, contradicted, reserve, unbook, undo};
use crate::case::entry::Entry;
use crate::case::{About, EffectState, Task};
use crate::ids::{Digest, Slug, TaskId};

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
    undo::cancelled(run);
}

fn clear(run: &mut Run) {
    reserve::release_all(run);
    // Whether money left stays a person's question, for as long as nobody knows or the provider says otherwise.
    let is_known = |key: &Digest| run.case().effects.get(key).is_none_or(|effect| effect.state != EffectState::Unknown);
    let is_over = |task: &Task| match &task.about {
        About::Effect { key } => is_known(key) && !contradicted::is_asked(task),
        _ => true,
    };
    let open: Vec<TaskId> = run.case().tasks.iter().filter(|(_, task)| is_over(task)).map(|(id, _)| *id).collect();
    for id in open {
        run.emit(Entry::TaskClosed { id });
    }
}
