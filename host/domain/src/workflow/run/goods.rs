//! `restock` and `notify`: goods and messages.

use super::{Flow, Run, StepError, effects, message};
use crate::case::entry::Entry;
use crate::case::{Case, EffectState, Line, Output, What};
use crate::ids::Sku;
use crate::value::Value;
use crate::verdict::Remedy;
use crate::workflow::builtin::{RESTOCK_INSPECTED, RESTOCK_TO};
use crate::workflow::definition::{Definition, Kind, Notify, Restock, Step};
use crate::workflow::expr::Expr;

pub(super) fn restock(
    run: &mut Run,
    definition: &Definition,
    step: &Step,
    restock: &Restock,
) -> Result<Flow, StepError> {
    let Some(what) = what(run, definition, restock)? else { return Ok(effects::leave(run, step, &[])) };
    let What::Restock { to, .. } = &what else { return Ok(effects::leave(run, step, &[])) };
    let key = run.effect_key(&step.id, to, "restock");
    intend(run, step, key, what);
    Ok(effects::leave(run, step, &[key]))
}

/// Which goods go where; nothing where the case took nothing back.
pub(super) fn what(run: &Run, definition: &Definition, restock: &Restock) -> Result<Option<What>, StepError> {
    let to = place(run, definition, &restock.to)?;
    // Not every unit tells its lot.
    let of_unit = |expr: &Option<Expr>| match expr {
        Some(expr) => Ok(run.value_or_absent(definition, expr)?.map(|text| text.to_string())),
        None => Ok::<_, StepError>(None),
    };
    let (lot, serial, goods) = (of_unit(&restock.lot)?, of_unit(&restock.serial)?, goods(run.case()));
    Ok((!goods.is_empty()).then_some(What::Restock { to, goods, lot, serial }))
}

/// Where goods are to go.
fn place(run: &Run, definition: &Definition, to: &Expr) -> Result<String, StepError> {
    match run.value(definition, to)? {
        Value::Text(to) if RESTOCK_TO.contains(&to.as_str()) => Ok(to),
        // The checker saw to an inspection on every way here; goods are not sold on its word alone.
        Value::Text(to) if RESTOCK_INSPECTED.contains(&to.as_str()) && is_inspected(run.case(), definition) => Ok(to),
        other => Err(StepError::new("restock_place", format!("goods cannot go to {other} without an inspection"))),
    }
}

/// Whether somebody with a name looked at the goods.
fn is_inspected(case: &Case, definition: &Definition) -> bool {
    let by_somebody = |output: &Output| match output {
        Output::Values(fields) => matches!(fields.get("by"), Some(Value::Text(by)) if !by.is_empty()),
        _ => false,
    };
    let inspections = definition.steps.iter().filter(|step| matches!(step.kind, Kind::Inspect(_)));
    inspections.flat_map(|step| case.outputs_of(step.id.as_str())).any(by_somebody)
}

/// What the case took back: of each line what the verdicts allow, and else what money went back for, because a person decided so.
fn goods(case: &Case) -> Vec<(Sku, u32)> {
    let units = |place: usize, line: &Line| {
        let allowed = line.outcome.as_ref().filter(|outcome| outcome.remedy == Remedy::Allow);
        allowed.map_or_else(|| refunded_units(case, place), |outcome| outcome.quantity)
    };
    let lines = case.lines.iter().enumerate().map(|(place, line)| (line.sku.clone(), units(place, line)));
    lines.filter(|(_, units)| *units > 0).collect()
}

fn refunded_units(case: &Case, place: usize) -> u32 {
    let refunds = case.effects.values().filter(|effect| effect.state != EffectState::Declined);
    let items = refunds.filter_map(|effect| match &effect.what {
        What::Refund(refund) => Some(&refund.items),
        What::Exchange(exchange) => Some(&exchange.items),
        _ => None,
    });
    items.flatten().filter(|item| item.line as usize == place).map(|item| item.take.quantity).sum()
}

pub(super) fn notify(run: &mut Run, definition: &Definition, step: &Step, notify: &Notify) -> Result<Flow, StepError> {
    if run.history() {
        let what = format!("notify {}", notify.template);
        run.emit(Entry::Ignored { what, why: "the case is history".to_owned() });
        return Ok(Flow::Next);
    }
    let key = run.effect_key(&step.id, &notify.to, "notify");
    let what = notice(run, definition, notify)?;
    intend(run, step, key, what);
    run.work.push(crate::decision::Work::Effect { key });
    Ok(Flow::Next)
}

/// A message, in the document's own words where it has some.
pub(super) fn notice(run: &Run, definition: &Definition, notify: &Notify) -> Result<What, StepError> {
    let message = message::written(run, definition, notify.message.as_deref())?;
    let Notify { template, to, channel, .. } = notify.clone();
    Ok(What::Notice { template, to, channel, message })
}

fn intend(run: &mut Run, step: &Step, key: crate::ids::Digest, what: What) {
    let effect = run.intended(&step.id, what, step.retry.clone());
    run.emit(Entry::Intended { key, effect: Box::new(effect) });
}
