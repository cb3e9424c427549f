//! Effects on their way: leaving, settling, and what a step makes of the outcome of all of its effects.

use super::{Flow, Run, StepError, contradicted, fail, finish, http, swap, tasks, unbook, undelivered, undo};
use crate::case::command::{Rejection, Settle, Settled};
use crate::case::entry::Entry;
use crate::case::{About, Effect, EffectState, Output, Reply, What};
use crate::decision::Work;
use crate::ids::{Digest, Slug};
use crate::money::Money;
use crate::value::{Fields, Value};
use crate::verdict::Reason;
use crate::workflow::definition::{Definition, Kind, Step};

/// Let the effects of a step go: at once settled where the case is history, otherwise as work, and the step waits for them.
pub(super) fn leave(run: &mut Run, step: &Step, keys: &[Digest]) -> Flow {
    if run.history() {
        for key in keys {
            let (outcome, via) = (Settled::Confirmed, "history".to_owned());
            run.emit(Entry::Settled { key: *key, outcome, reference: None, via, reply: None, code: None });
        }
        return done(run, step).unwrap_or_else(|error| fail::failed(run, step, error));
    }
    if keys.is_empty() {
        return done(run, step).unwrap_or_else(|error| fail::failed(run, step, error));
    }
    run.work.extend(keys.iter().map(|key| Work::Effect { key: *key }));
    run.stay(&step.id)
}

/// A step that is entered once more, after a failure: what it sent before is never sent again.
pub(super) fn begun(run: &mut Run, step: &Step) -> Option<Result<Flow, StepError>> {
    of_step(run, &step.id).find(|(_, effect)| effect.round == run.round)?;
    Some(if all_settled(run, &step.id) { done(run, step) } else { Ok(run.stay(&step.id)) })
}

/// The outcome of an effect, from its provider.
pub(super) fn settled(run: &mut Run, definition: Option<&Definition>, settle: &Settle) -> Result<(), Rejection> {
    let effect = of_case(run, settle.key)?.clone();
    run.turn_to(&effect.lane);
    let is_known = settle.outcome == Settled::Unknown && effect.state == EffectState::Unknown;
    if is_known || matches!(effect.state, EffectState::Confirmed | EffectState::Declined) {
        let why = format!("it is settled as {}", effect.state.word());
        run.emit(Entry::Ignored { what: format!("effect {}", settle.key.short()), why });
        if settle.outcome == Settled::Confirmed && effect.state == EffectState::Declined {
            contradicted::ask(run, &effect, settle.key);
        }
        return Ok(());
    }
    let Settle { key, outcome, reference, reply, code } = settle.clone();
    run.emit(Entry::Settled { key, outcome, reference, via: "provider".to_owned(), reply, code });
    if settle.outcome != Settled::Unknown
        && let Some(id) = tasks::of_effect(run, settle.key)
    {
        // The provider's own word ends the question that a person was asked.
        run.emit(Entry::TaskClosed { id });
    }
    match definition {
        Some(definition) if is_work(&effect) && run.awaits(&effect.step) && is_latest(run, &effect) => {
            conclude(run, definition, &effect, settle.key)
        }
        _ if settle.outcome == Settled::Declined => {
            unbook::late(run, &effect.step, settle.key);
            undelivered::ask(run, &effect, settle.key);
        }
        _ if settle.outcome == Settled::Unknown => ask_person(run, &effect.step, settle.key, "outcome_unknown"),
        Some(definition) => undo::too_late(run, definition, &effect),
        None => {}
    }
    if run.case().is_closed() || undo::is_unattended(run, &effect) {
        undo::later(run, settle.key);
    }
    Ok(())
}

/// An effect of the case.
pub(super) fn of_case(run: &Run, key: Digest) -> Result<&Effect, Rejection> {
    let missing = || Rejection::new("effect_not_found", format!("the case has no effect {key}"));
    run.case().effects.get(&key).ok_or_else(missing)
}

/// Record what a person says became of an effect.
pub(super) fn record(run: &mut Run, key: Digest, outcome: Settled, reply: Option<Reply>) {
    run.emit(Entry::Settled { key, outcome, reference: None, via: "person".to_owned(), reply, code: None });
}

/// After an outcome: a task where a person is needed, else on with the step once all of its effects are settled.
fn conclude(run: &mut Run, definition: &Definition, effect: &Effect, key: Digest) {
    let Some(step) = definition.step(effect.step.as_str()) else { return };
    let state = run.case().effects.get(&key).map_or(effect.state, |effect| effect.state);
    let code = match state {
        EffectState::Unknown => Some("outcome_unknown"),
        EffectState::Declined => Some("declined"),
        EffectState::Intended | EffectState::Confirmed => None,
    };
    match code {
        Some(code) if handler(run, step, code).is_none() => {
            ask_person(run, &step.id, key, code);
        }
        _ => {
            if all_settled(run, &step.id) {
                go_on(run, definition, step);
            }
        }
    }
}

/// On from a step whose effects are all settled.
fn go_on(run: &mut Run, definition: &Definition, step: &Step) {
    let flow = done(run, step);
    let flow = undo::registered(run, definition, step, flow);
    run.follow(definition, step, flow);
}

/// Where a decline leads: by the code that its receiver gave, else as a decline.
fn handler(run: &Run, step: &Step, code: &str) -> Option<Slug> {
    let told = of_step(run, &step.id).find_map(|(_, effect)| effect.code.as_deref()).filter(|_| code == "declined");
    let named = |code: &str| step.on_error.iter().find(|on| on.code.as_deref() == Some(code)).map(|on| on.then.clone());
    told.and_then(named).or_else(|| fail::handler(step, code))
}

/// Let a person say what became of an effect.
pub(super) fn ask_person(run: &mut Run, step: &Slug, key: Digest, code: &str) {
    let (title, reasons) = (format!("Effect of step {step}: {code}"), vec![Reason::code(code)]);
    fail::open_task(run, About::Effect { key }, title, reasons);
}

/// A person settled an effect: the step goes on once nothing else is open. After the case has left the step, only the ledger
/// is put right.
pub(super) fn settled_by_person(run: &mut Run, definition: &Definition, effect: &Effect, key: Digest) {
    let Some(step) = definition.step(effect.step.as_str()) else { return };
    if !is_work(effect) || !run.awaits(&step.id) || !is_latest(run, effect) {
        if run.case().effects.get(&key).is_some_and(|effect| effect.state == EffectState::Declined) {
            unbook::late(run, &step.id, key);
        }
        undo::later(run, key);
    } else if all_settled(run, &step.id) {
        go_on(run, definition, step);
    }
}

/// The effects of a step in this lane, those of the last time that the case came to it.
pub(super) fn of_step<'a>(run: &'a Run, step: &'a Slug) -> impl Iterator<Item = (&'a Digest, &'a Effect)> {
    let of_lane = move |effect: &Effect| effect.step == *step && effect.lane == run.lane && is_work(effect);
    let effects = || run.case().effects.iter().filter(move |(_, effect)| of_lane(effect));
    let latest = effects().map(|(_, effect)| effect.round).max().unwrap_or(0);
    effects().filter(move |(_, effect)| effect.round == latest)
}

/// Whether a step waits for the effect: not for a message, as a reminder of what it waits for.
fn is_work(effect: &Effect) -> bool {
    !matches!(effect.what, What::Notice { .. })
}

/// Whether the case has not come to the effect's step once more since.
fn is_latest(run: &Run, effect: &Effect) -> bool {
    of_step(run, &effect.step).all(|(_, latest)| latest.round == effect.round)
}

pub(super) fn all_settled(run: &Run, step: &Slug) -> bool {
    let is_settled =
        |key: Digest, effect: &Effect| effect.state != EffectState::Intended && tasks::of_effect(run, key).is_none();
    of_step(run, step).all(|(key, effect)| is_settled(*key, effect))
}

/// All effects of the step are settled: its output, and where a decline or an unknown outcome leads.
pub(super) fn done(run: &mut Run, step: &Step) -> Result<Flow, StepError> {
    let states: Vec<EffectState> = of_step(run, &step.id).map(|(_, effect)| effect.state).collect();
    let declined = states.iter().filter(|state| **state == EffectState::Declined).count();
    let status = match () {
        () if states.contains(&EffectState::Unknown) => "unknown",
        () if declined > 0 && declined == states.len() => "declined",
        () if declined > 0 => "partly_declined",
        () => "confirmed",
    };
    if let (Kind::Undo(which), "confirmed") = (&step.kind, status) {
        return Ok(undo::go_on(run, step, which));
    }
    let mut fields = Fields::from([("status".to_owned(), Value::text(status))]);
    match &step.kind {
        Kind::Refund { .. } => {
            fields.insert("amount".to_owned(), Value::Money(refunded_by(run, &step.id)));
        }
        Kind::Http(_) if status == "confirmed" => fields = http::answer(run, step)?,
        Kind::Exchange(_) => {
            let reference = of_step(run, &step.id).find_map(|(_, effect)| effect.reference.as_ref());
            fields.extend(reference.map(|reference| ("reference".to_owned(), Value::text(reference))));
        }
        _ => {}
    }
    let refused: Vec<Digest> = of_step(run, &step.id)
        .filter(|(_, effect)| effect.state == EffectState::Declined)
        .map(|(key, _)| *key)
        .collect();
    unbook::unbook(run, &step.id, &refused)?;
    refused.iter().try_for_each(|key| swap::give_back(run, *key))?;
    // A request that was not answered has no output: there is nothing in it to read.
    if status == "confirmed" || !matches!(step.kind, Kind::Http(_) | Kind::Undo(_)) {
        run.emit(Entry::Gave { step: step.id.clone(), plugin: None, output: Output::Values(fields) });
    }
    match status {
        "unknown" => Err(StepError::new("outcome_unknown", "the outcome of an effect is not known")),
        "declined" | "partly_declined" => match handler(run, step, "declined") {
            Some(then) => Ok(Flow::To(then)),
            // Never silently on: what should have been paid was not, so the case has failed.
            None => Ok(finish::fail(run, &Slug::from_static("declined"))),
        },
        _ => Ok(Flow::Next),
    }
}

fn refunded_by(run: &Run, step: &Slug) -> Money {
    let amount = |(_, effect): (&Digest, &Effect)| match &effect.what {
        What::Refund(refund) if effect.state == EffectState::Confirmed => Some(refund.amount),
        _ => None,
    };
    let currency = run.case().currency;
    Money::sum(currency, of_step(run, step).filter_map(amount)).unwrap_or(Money::zero(currency))
}
