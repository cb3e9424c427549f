//! A person's answer to a task.

use super::{Run, age, answer, claim, contradicted, effects, fail, http, offers, resend, undelivered};
use crate::case::command::{Complete, PersonVerdict, Rejection, Settled};
use crate::case::entry::Entry;
use crate::case::{About, Output, Task};
use crate::ids::{Digest, Slug, TaskId};
use crate::value::Fields;
use crate::verdict::{LineVerdict, Reason, Remedy, Tier, Verdict};
use crate::workflow::definition::{Definition, Step};

pub(super) fn complete(run: &mut Run, definition: Option<&Definition>, complete: &Complete) -> Result<(), Rejection> {
    let task = open(run, complete.task)?.clone();
    claim::may_answer(run, complete.task)?;
    run.turn_to(&task.lane);
    let offered = offers::outcomes(definition, &task);
    if !offered.is_empty() && !offered.contains(&complete.outcome) {
        let message = format!("{:?} is not one of {}", complete.outcome, offered.join(", "));
        return Err(Rejection { code: "unknown_outcome", message, fields: vec!["outcome".to_owned()] });
    }
    match (&task.about, definition) {
        (About::Failure { code, .. }, _) if code == fail::CURRENCY_DIFFERS => close(run, complete),
        (About::Unrouted, _) | (_, None) => close(run, complete),
        (About::Review { step } | About::Inspection { step }, Some(definition)) => {
            answer::review(run, definition, complete, step)
        }
        (About::TooLong, Some(definition)) => age::answered(run, definition, complete),
        (About::Failure { step, .. }, Some(definition)) => failure(run, definition, complete, step),
        (About::Effect { .. }, Some(_)) if undelivered::is_asked(&task) => {
            undelivered::answered(run, complete);
            Ok(())
        }
        (About::Effect { key }, Some(definition)) if contradicted::is_asked(&task) => {
            contradicted::answered(run, definition, complete, *key)
        }
        (About::Effect { key }, Some(definition)) => effect(run, definition, complete, *key),
    }
}

/// A task that waits for an answer.
pub(super) fn open(run: &Run, id: TaskId) -> Result<&Task, Rejection> {
    let missing = || Rejection::new("task_not_open", format!("task {id} is not open"));
    run.case().tasks.get(&id).ok_or_else(missing)
}

/// All that can be done with a case that no workflow takes on.
fn close(run: &mut Run, complete: &Complete) -> Result<(), Rejection> {
    close_task(run, complete);
    super::finish::cancel(run);
    Ok(())
}

pub(super) fn close_task(run: &mut Run, complete: &Complete) {
    let by = run.input.command.actor.id.clone();
    let (id, outcome, live) = (complete.task, complete.outcome.clone(), complete.live);
    run.emit(Entry::TaskCompleted { id, outcome, by, live });
}

pub(super) fn step_of<'a>(definition: &'a Definition, step: &Slug) -> Result<&'a Step, Rejection> {
    let missing = || Rejection::new("step_missing", format!("the revision has no step {step}"));
    definition.step(step.as_str()).ok_or_else(missing)
}

/// A failed step: try it again, or decide line by line what the plugin should have decided, or end the case.
fn failure(run: &mut Run, definition: &Definition, complete: &Complete, step: &Slug) -> Result<(), Rejection> {
    let step = step_of(definition, step)?;
    match complete.outcome.as_str() {
        "decide" => {
            let verdict = person_verdict(run, &complete.lines)?;
            close_task(run, complete);
            let output = Output::Verdict(verdict);
            run.emit(Entry::Gave { step: step.id.clone(), plugin: None, output });
            run.follow(definition, step, Ok(super::Flow::Next));
        }
        "close" => {
            close_task(run, complete);
            super::finish::cancel(run);
        }
        _ => {
            close_task(run, complete);
            run.next = Some(step.id.clone());
        }
    }
    Ok(())
}

/// What a person decides, as a verdict: units come from the newest purchases that have something left.
fn person_verdict(run: &Run, lines: &[PersonVerdict]) -> Result<Verdict, Rejection> {
    let case = run.case();
    let wrong = |message: String| Rejection { code: "wrong_verdict", message, fields: vec!["lines".to_owned()] };
    let mut given: Vec<u32> = lines.iter().map(|line| line.line).collect();
    given.sort_unstable();
    let wanted: Vec<u32> = (0..).take(case.lines.len()).collect();
    if given != wanted {
        return Err(wrong(format!("a verdict names each of the {} lines once", case.lines.len())));
    }
    let mut used = std::collections::BTreeMap::new();
    let mut verdict = Verdict { lines: Vec::new(), reasons: Vec::new(), duties: Vec::new(), provides: Fields::new() };
    for line in lines {
        let asked = &case.lines[line.line as usize];
        let too_much = line.remedy == Remedy::Allow && (line.quantity == 0 || line.quantity > asked.quantity);
        if line.remedy == Remedy::Review || too_much {
            return Err(wrong(format!("line {} is allowed for 1 to {} units, or denied", line.line, asked.quantity)));
        }
        if Slug::new(&line.reason).is_err() {
            return Err(wrong(format!("the reason of line {} is a code: a word in lower case", line.line)));
        }
        let quantity = if line.remedy == Remedy::Allow { line.quantity } else { 0 };
        verdict.lines.push(LineVerdict {
            line: line.line,
            remedy: line.remedy,
            quantity,
            takes: run.input.facts.newest(&asked.sku, quantity, &mut used),
            disposition: None,
            tier: Tier::Goodwill,
            reasons: vec![Reason::code(&line.reason)],
        });
    }
    Ok(verdict)
}

/// An effect that a person settles.
fn effect(run: &mut Run, definition: &Definition, complete: &Complete, key: Digest) -> Result<(), Rejection> {
    let effect = effects::of_case(run, key)?.clone();
    close_task(run, complete);
    match complete.outcome.as_str() {
        "paid" => effects::record(run, key, Settled::Confirmed, http::told(&effect.what, complete)),
        "not_paid" => effects::record(run, key, Settled::Declined, None),
        _ => {
            resend::again(run, key);
            return Ok(());
        }
    }
    effects::settled_by_person(run, definition, &effect, key);
    Ok(())
}

/// Whether an open task asks what became of an effect.
pub(super) fn is_of_effect(run: &Run, task: TaskId) -> bool {
    run.case().tasks.get(&task).is_some_and(|task| matches!(task.about, About::Effect { .. }))
}

/// The open task that asks what became of this effect.
pub(super) fn of_effect(run: &Run, wanted: Digest) -> Option<TaskId> {
    let about = About::Effect { key: wanted };
    run.case().tasks.iter().find(|(_, task)| task.about == about).map(|(id, _)| *id)
}

/// The task of a review or an inspection at this step, if one is open.
pub(super) fn of_review(run: &Run, wanted: &Slug) -> Option<TaskId> {
    let of_step = |task: &Task| task.lane == run.lane && task.about.asking() == Some(wanted);
    run.case().tasks.iter().find(|(_, task)| of_step(task)).map(|(id, _)| *id)
}
