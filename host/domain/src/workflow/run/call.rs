//! `call`: ask a plugin. A broken plugin never means approve and never deny.

use std::collections::BTreeMap;

use super::{Flow, Run, StepError, sense};
use crate::ask::{Answer, Answered, Ask, Failure};
use crate::case::Output;
use crate::case::entry::Entry;
use crate::facts::PURCHASES_MAX;
use crate::ids::Digest;
use crate::value::{Fields, Type};
use crate::verdict::Quote;
use crate::workflow::definition::{Definition, Hook, Plugin, PluginRef, Step};
use crate::workflow::expr::Expr;

pub(super) fn enter(
    run: &mut Run,
    definition: &Definition,
    step: &Step,
    plugin: &PluginRef,
    with: &BTreeMap<String, Expr>,
) -> Result<Flow, StepError> {
    let pinned = pinned(definition, plugin)?;
    if pinned.hook != Hook::Step && run.input.facts.too_large {
        let detail = format!("the customer has more than {PURCHASES_MAX} purchases of these stock codes");
        return Err(StepError::new("facts_too_large", detail));
    }
    let mut args = Fields::new();
    for (name, expr) in with {
        args.insert(name.clone(), run.value(definition, expr)?);
    }
    let (case, turn, iteration) = (run.case().id, run.stamp.turn, run.lane.iteration());
    let seed = Digest::of(&if iteration.is_main() {
        crate::codec::encode(&(case, &step.id, turn))
    } else {
        crate::codec::encode(&(case, &step.id, turn, iteration))
    });
    let first = seed.bytes().first_chunk::<8>().copied().unwrap_or_default();
    Ok(Flow::Ask(Box::new(Ask {
        step: step.id.clone(),
        lane: run.lane.clone(),
        plugin: plugin.to_string(),
        digest: pinned.digest,
        hook: pinned.hook,
        now: run.now(),
        seed: u64::from_be_bytes(first),
        jurisdiction: run.input.jurisdiction.clone(),
        args,
    })))
}

/// Take an answer in: the case goes on with it, or the step failed.
pub(super) fn answered(
    run: &mut Run,
    definition: &Definition,
    step: &Step,
    ask: &Ask,
    answered: Answered,
) -> Result<Flow, StepError> {
    let failed = |failure: Failure| StepError { code: failure.code, detail: failure.detail, reasons: failure.reasons };
    let answer = answered.outcome.map_err(failed)?;
    let output = match (answer, ask.hook) {
        (Answer::Verdict(verdict), Hook::Eligibility | Hook::Compliance) => {
            sense::verdict(run, ask.hook, &verdict)?;
            Output::Verdict(verdict)
        }
        (Answer::Quote(quote), Hook::Refund) => {
            sense::quote(run, &quote)?;
            Output::Quote(in_currency(run, quote)?)
        }
        (Answer::Values(fields), Hook::Step) => {
            Output::Values(Fields::from([("out".to_owned(), crate::value::Value::Object(fields))]))
        }
        _ => return Err(StepError::new("plugin_wrong_hook", "the plugin answered another question")),
    };
    let declared = definition.plugins.values().find(|plugin| plugin.digest == ask.digest);
    if let Some(plugin) = declared {
        provides(plugin, &output)?;
    }
    let reasons = match &output {
        Output::Verdict(verdict) => verdict.reasons.clone(),
        Output::Quote(quote) => quote.reasons.clone(),
        Output::Values(_) | Output::Skipped => Vec::new(),
    };
    run.emit(Entry::Gave { step: step.id.clone(), plugin: Some(ask.digest), output });
    if !reasons.is_empty() {
        run.emit(Entry::ReasonsAdded { reasons });
    }
    Ok(Flow::Next)
}

fn pinned<'a>(definition: &'a Definition, plugin: &PluginRef) -> Result<&'a Plugin, StepError> {
    let missing = || StepError::new("plugin_missing", format!("the revision has no plugin {plugin}"));
    definition.plugins.get(plugin).ok_or_else(missing)
}

fn in_currency(run: &Run, quote: Quote) -> Result<Quote, StepError> {
    let currency = run.case().currency;
    quote.total(currency).map_err(|error| StepError::new("wrong_currency", error.to_string()))?;
    Ok(quote)
}

/// An answer that lacks a promised value, or has it in another type, fails the plugin.
fn provides(plugin: &Plugin, output: &Output) -> Result<(), StepError> {
    let given = match output {
        Output::Verdict(verdict) => &verdict.provides,
        Output::Quote(quote) => &quote.provides,
        Output::Values(fields) => match fields.get("out") {
            Some(crate::value::Value::Object(out)) => out,
            _ => return Ok(()),
        },
        Output::Skipped => return Ok(()),
    };
    for (name, kind) in &plugin.provides {
        let good = match given.get(name) {
            Some(value) => value.is_of(kind),
            None => matches!(kind, Type::Optional(_)),
        };
        if !good {
            let detail = format!("the plugin promises `{name}` of type {kind} and did not give it");
            return Err(StepError::new("plugin_provides_missing", detail));
        }
    }
    Ok(())
}
