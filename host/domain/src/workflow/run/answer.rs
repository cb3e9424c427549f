//! A person's answer to a review or an inspection: the choice, what was filled in, and a second person where two must agree.

use super::{Flow, Run, tasks};
use crate::case::Output;
use crate::case::command::{Complete, Rejection};
use crate::case::deadline::Proposal;
use crate::case::entry::Entry;
use crate::ids::Slug;
use crate::value::{Fields, Type, Value};
use crate::workflow::definition::Definition;
use crate::workflow::definition::review::{Files, Review};

/// What a reference to a piece of evidence begins with: the hash that names its content.
const EVIDENCE: &str = "sha256:";

pub(super) fn review(
    run: &mut Run,
    definition: &Definition,
    complete: &Complete,
    step: &Slug,
) -> Result<(), Rejection> {
    let step = tasks::step_of(definition, step)?;
    let Some(review) = step.kind.asked() else {
        return Err(Rejection::new("step_missing", format!("step {} asks nobody", step.id)));
    };
    let form = checked_form(review, &complete.form)?;
    let by = run.input.command.actor.id.clone();
    let before = tasks::open(run, complete.task)?.proposal.clone();
    if review.four_eyes {
        match &before {
            Some(first) if first.by == by => return Err(same_person(complete)),
            Some(first) if agrees(review, first, complete, &form) => {}
            _ => {
                let proposal = Box::new(Proposal { outcome: complete.outcome.clone(), form, by });
                run.emit(Entry::TaskProposed { id: complete.task, proposal });
                return Ok(());
            }
        }
    }
    tasks::close_task(run, complete);
    let mut fields = form;
    fields.insert("outcome".to_owned(), Value::text(&complete.outcome));
    fields.insert("by".to_owned(), Value::text(by));
    fields.insert("at".to_owned(), Value::Instant(run.now()));
    if let Some(first) = before.filter(|_| review.four_eyes) {
        fields.insert("first_by".to_owned(), Value::text(first.by));
    }
    run.emit(Entry::Gave { step: step.id.clone(), plugin: None, output: Output::Values(fields) });
    let flow = review.next.get(&complete.outcome).cloned().map_or(Flow::Next, Flow::To);
    run.follow(definition, step, Ok(flow));
    Ok(())
}

fn same_person(complete: &Complete) -> Rejection {
    let message = format!("task {} was answered by the same person; a second one must agree", complete.task);
    Rejection::new("second_person_needed", message)
}

/// Whether a second answer is the first one over again. What each wrote in words of their own may differ.
fn agrees(review: &Review, first: &Proposal, complete: &Complete, form: &Fields) -> bool {
    let is_free = |name: &str| match review.ask.get(name) {
        Some(Type::Optional(inner)) => **inner == Type::Text,
        kind => kind == Some(&Type::Text),
    };
    let said = |form: &Fields| -> Fields {
        form.iter().filter(|(name, _)| !is_free(name)).map(|(name, value)| (name.clone(), value.clone())).collect()
    };
    first.outcome == complete.outcome && said(&first.form) == said(form)
}

/// The form with what may be left out, or which of its fields are not as they were asked for.
fn checked_form(review: &Review, given: &Fields) -> Result<Fields, Rejection> {
    let mut form = given.clone();
    let mut wrong = Vec::new();
    for (name, kind) in &review.ask {
        let files = review.files.get(name);
        // One that may be left out is absent where it is, not empty.
        if files.is_some_and(|files| files.min == 0) && !matches!(kind, Type::Optional(_)) {
            form.entry(name.clone()).or_insert_with(|| Value::List(Vec::new()));
        }
        let good = match form.get(name) {
            Some(value) => value.is_of(kind) && files.is_none_or(|files| is_evidence(value, *files)),
            None => matches!(kind, Type::Optional(_)),
        };
        match form.get(name) {
            _ if good => {}
            None => wrong.push((name, format!("is missing: {}", asked_as(kind, files)))),
            Some(_) => wrong.push((name, format!("is not {}", asked_as(kind, files)))),
        }
    }
    let unasked = form.keys().filter(|name| !review.ask.contains_key(*name));
    wrong.extend(unasked.map(|name| (name, "is not asked for".to_owned())));
    if wrong.is_empty() {
        return Ok(form);
    }
    let told: Vec<_> = wrong.iter().map(|(name, why)| format!("form.{name} {why}")).collect();
    let fields = wrong.iter().map(|(name, _)| format!("form.{name}")).collect();
    Err(Rejection { code: "wrong_form", message: format!("the form is not as asked: {}", told.join("; ")), fields })
}

fn asked_as(kind: &Type, files: Option<&Files>) -> String {
    match files {
        Some(Files { min, max }) => {
            format!("{min} to {max} pieces of evidence, each named once by its content as `sha256:` and 64 digits")
        }
        None => kind.to_string(),
    }
}

/// So many references to different pieces of evidence.
fn is_evidence(value: &Value, files: Files) -> bool {
    let Value::List(items) = value else { return false };
    let is_reference = |item: &Value| match item {
        Value::Text(text) => text.strip_prefix(EVIDENCE).is_some_and(|hex| {
            hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
        }),
        _ => false,
    };
    let count = u32::try_from(items.len()).unwrap_or(u32::MAX);
    let once = items.iter().enumerate().all(|(place, item)| !items[..place].contains(item));
    (files.min..=files.max).contains(&count) && once && items.iter().all(is_reference)
}
