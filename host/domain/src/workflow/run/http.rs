//! `http`: ask a system of the merchant, and wait for its answer. What it answered is kept with the effect; the step's output is
//! that answer, once it holds all that is expected of it.

use super::{Flow, Run, StepError, effects, resend};
use crate::case::command::Complete;
use crate::case::entry::Entry;
use crate::case::{Effect, EffectState, Reply, Request, What};
use crate::ids::Digest;
use crate::value::{Fields, Type, Value};
use crate::workflow::definition::{Definition, Http, Step};

/// The answer is not what the step expects.
const ANSWER_INVALID: &str = "answer_invalid";

pub(super) fn enter(run: &mut Run, definition: &Definition, step: &Step, http: &Http) -> Result<Flow, StepError> {
    if run.history() {
        // Nothing is asked about the past; what only an answer could tell is absent there.
        let what = format!("http {}", http.target);
        run.emit(Entry::Ignored { what, why: "the case is history".to_owned() });
        return Ok(Flow::Next);
    }
    if let Some((key, effect)) = of_step(run, step) {
        let is_useless =
            effect.round == run.round && effect.state == EffectState::Confirmed && checked(effect).is_err();
        if is_useless {
            // It is asked again under its key: a system that did act says so, and this time perhaps in the right words.
            resend::again(run, key);
            return Ok(run.stay(&step.id));
        }
    }
    if let Some(begun) = effects::begun(run, step) {
        return begun;
    }
    let what = What::Http(request(run, definition, http)?);
    let key = run.effect_key(&step.id, &http.target, "http");
    let effect = run.intended(&step.id, what, step.retry.clone());
    run.emit(Entry::Intended { key, effect: Box::new(effect) });
    Ok(effects::leave(run, step, &[key]))
}

/// The request with its values; what is absent is left out.
pub(super) fn request(run: &Run, definition: &Definition, http: &Http) -> Result<Request, StepError> {
    let mut body = Fields::new();
    for (name, expr) in &http.body {
        if let Some(value) = run.value_or_absent(definition, expr)? {
            body.insert(name.clone(), value);
        }
    }
    Ok(Request { target: http.target.clone(), body, expect: http.expect.clone() })
}

/// The output of the step: the answer to its request.
pub(super) fn answer(run: &Run, step: &Step) -> Result<Fields, StepError> {
    let Some((_, effect)) = of_step(run, step) else { return Ok(Fields::new()) };
    let mut fields = checked(effect)?;
    if let Some(reference) = &effect.reference {
        fields.insert("reference".to_owned(), Value::text(reference));
    }
    Ok(fields)
}

/// What a person says that the system answered, where a person settles the request.
pub(super) fn told(what: &What, complete: &Complete) -> Option<Reply> {
    let What::Http(request) = what else { return None };
    let mut reply = Reply::default();
    for (name, value) in &complete.form {
        match request.expect.get(name) {
            Some(kind) if value.is_of(kind) => drop(reply.fields.insert(name.clone(), value.clone())),
            _ => reply.wrong.push(name.clone()),
        }
    }
    Some(reply)
}

fn of_step<'a>(run: &'a Run, step: &'a Step) -> Option<(Digest, &'a Effect)> {
    effects::of_step(run, &step.id).find(|(_, effect)| effect.undoes.is_none()).map(|(key, effect)| (*key, effect))
}

/// The answer, if it holds all that is expected, each of its type.
fn checked(effect: &Effect) -> Result<Fields, StepError> {
    let What::Http(request) = &effect.what else { return Ok(Fields::new()) };
    let reply = effect.reply.clone().unwrap_or_default();
    let is_missing = |(name, kind): &(&String, &Type)| match reply.fields.get(*name) {
        Some(value) => !value.is_of(kind),
        None => !matches!(kind, Type::Optional(_)) && !reply.wrong.contains(name),
    };
    let missing = request.expect.iter().filter(is_missing).map(|(name, kind)| format!("`{name}` ({kind}) is missing"));
    let wrong = reply.wrong.iter().map(|name| match request.expect.get(name) {
        Some(kind) => format!("`{name}` is not of type {kind}"),
        None => format!("`{name}` is not expected"),
    });
    let found: Vec<String> = missing.chain(wrong).collect();
    if found.is_empty() {
        return Ok(reply.fields);
    }
    Err(StepError::new(ANSWER_INVALID, format!("the answer of {}: {}", request.target, found.join(", "))))
}
