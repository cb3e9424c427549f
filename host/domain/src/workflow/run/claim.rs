//! Whose a task is: a person takes it and gives it back, and nobody else answers it meanwhile.

use super::{Run, tasks};
use crate::case::command::Rejection;
use crate::case::entry::Entry;
use crate::ids::TaskId;

/// The role that may answer and give back what another took: people fall ill.
const ADMIN: &str = "admin";

pub(super) fn claim(run: &mut Run, id: TaskId) -> Result<(), Rejection> {
    let assignee = tasks::open(run, id)?.assignee.clone();
    let by = run.input.command.actor.id.clone();
    match assignee {
        None => run.emit(Entry::TaskClaimed { id, by }),
        Some(assignee) if assignee == by => ignored(run, "claim", id, "it is theirs already"),
        Some(assignee) => return Err(claimed(id, &assignee)),
    }
    Ok(())
}

pub(super) fn release(run: &mut Run, id: TaskId) -> Result<(), Rejection> {
    may_answer(run, id)?;
    match tasks::open(run, id)?.assignee {
        Some(_) => run.emit(Entry::TaskReleased { id }),
        None => ignored(run, "release", id, "nobody has taken it"),
    }
    Ok(())
}

/// Whether whoever gives the command may answer the task: nobody else has taken it, or they are an admin.
pub(super) fn may_answer(run: &Run, id: TaskId) -> Result<(), Rejection> {
    let actor = &run.input.command.actor;
    match &tasks::open(run, id)?.assignee {
        Some(assignee) if *assignee != actor.id && actor.role != ADMIN => Err(claimed(id, assignee)),
        _ => Ok(()),
    }
}

fn claimed(id: TaskId, assignee: &str) -> Rejection {
    Rejection::new("task_claimed", format!("task {id} is claimed by {assignee:?}"))
}

fn ignored(run: &mut Run, what: &str, id: TaskId, why: &str) {
    run.emit(Entry::Ignored { what: format!("{what} of task {id}"), why: why.to_owned() });
}
