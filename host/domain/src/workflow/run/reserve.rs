//! `approve`: promise units of order lines to the case, so that two cases never get the last one.

use std::collections::{BTreeSet, btree_map};

use super::{Flow, Run, StepError};
use crate::case::command::Timer;
use crate::case::entry::Entry;
use crate::case::{Held, Output, What};
use crate::decision::{Taken, Work};
use crate::ids::OrderId;
use crate::ledger::{Ledger, LedgerError};
use crate::value::{Fields, Value};
use crate::verdict::Take;
use crate::workflow::calendar::delay::Delay;
use crate::workflow::definition::{Definition, Step};
use crate::workflow::expr::Expr;

pub(super) fn enter(
    run: &mut Run,
    definition: &Definition,
    step: &Step,
    lines: &Expr,
    until: Delay,
) -> Result<Flow, StepError> {
    let wanted = allowed(&run.value(definition, lines)?)?;
    let before = run.ledgers.clone();
    let reserved = wanted.iter().try_for_each(|(_, take)| reserve(run, take));
    if let Err(error) = reserved {
        // All or nothing: a failed step leaves no ledger behind.
        run.ledgers = before;
        return Err(error);
    }
    let units: u64 = wanted.iter().map(|(_, take)| u64::from(take.quantity)).sum();
    let mut cases_lines: Vec<u32> = wanted.iter().map(|(line, _)| *line).collect();
    cases_lines.dedup();
    // The past is not hurried.
    let due = (!run.history()).then(|| run.due(definition, until));
    for (line, take) in wanted {
        run.emit(Entry::Reserved { line, take, until: due });
    }
    if let (Some(due), true) = (due, units > 0) {
        run.work.push(Work::Timer { due, timer: Timer::Reservation { since: run.stamp.turn } });
    }
    let output = Fields::from([
        ("lines".to_owned(), Value::whole(cases_lines.len() as u64)),
        ("quantity".to_owned(), Value::whole(units)),
    ]);
    run.emit(Entry::Gave { step: step.id.clone(), plugin: None, output: Output::Values(output) });
    Ok(Flow::Next)
}

/// Promise units in the ledger of their order.
pub(super) fn reserve(run: &mut Run, take: &Take) -> Result<(), StepError> {
    ledger(run, take)?.reserve(take.line, take.quantity).map_err(refused)
}

/// Most orders that one case may take from: the store commits 64 streams at once, and one of them is the case.
const ORDERS_MAX: usize = 63;

/// The ledger that a take is booked in, with its line known. The turn then depends on the ledger's version.
pub(super) fn ledger<'a>(run: &'a mut Run, take: &Take) -> Result<&'a mut Ledger, StepError> {
    if !run.ledgers.contains_key(&take.order) {
        few_enough(run, &take.order)?;
    }
    let facts = &run.input.facts;
    let missing = || StepError::new("unknown_purchase", format!("no purchase {} line {}", take.order, take.line));
    let purchase = facts.purchase(&take.order, take.line);
    let taken = match run.ledgers.entry(take.order.clone()) {
        btree_map::Entry::Occupied(known) => known.into_mut(),
        btree_map::Entry::Vacant(slot) => {
            let at = facts.ledgers.get(&take.order);
            let ledger = match (at.and_then(|at| at.ledger.clone()), purchase) {
                (Some(ledger), _) => ledger,
                (None, Some(purchase)) => Ledger::new(purchase.order_paid, &purchase.payments),
                (None, None) => return Err(missing()),
            };
            slot.insert(Taken { version: at.map_or(0, |at| at.version), ledger })
        }
    };
    match purchase {
        Some(purchase) => taken.ledger.know(take.line, purchase.quantity, purchase.paid),
        None if taken.ledger.line(take.line).is_none() => return Err(missing()),
        None => {}
    }
    Ok(&mut taken.ledger)
}

/// Orders that the case ever took from count for good: what it booked may have to be taken out of all of them in one turn.
fn few_enough(run: &Run, order: &OrderId) -> Result<(), StepError> {
    let case = run.case();
    let refunded = case.effects.values().filter_map(|effect| match &effect.what {
        What::Refund(refund) => refund.order.as_ref(),
        _ => None,
    });
    let held = case.reserved.iter().map(|held| &held.take.order);
    let orders: BTreeSet<&OrderId> = run.ledgers.keys().chain(held).chain(refunded).collect();
    if orders.contains(order) || orders.len() < ORDERS_MAX {
        return Ok(());
    }
    Err(StepError::new("too_many_orders", format!("a case takes from at most {ORDERS_MAX} orders")))
}

/// Give back everything that the case still holds.
pub(super) fn release_all(run: &mut Run) {
    release(run, |_| true);
}

fn release(run: &mut Run, which: impl Fn(&Held) -> bool) {
    for Held { line, take, .. } in run.case().reserved.iter().filter(|held| which(held)).cloned().collect::<Vec<_>>() {
        let released = ledger(run, &take).and_then(|ledger| ledger.release(take.line, take.quantity).map_err(refused));
        // The case holds these units, so the ledger holds them too; otherwise the ledger is right and the case forgets them.
        debug_assert!(released.is_ok(), "{released:?}");
        run.emit(Entry::Released { line, take });
    }
}

/// The time of what was promised in a turn is over; not of what was promised there for longer.
pub(super) fn lapsed(run: &mut Run, since: u64) {
    let now = run.now();
    let of_turn = |held: &Held| held.since == since && held.until.is_none_or(|until| until <= now);
    if !run.case().reserved.iter().any(of_turn) {
        run.emit(Entry::Ignored { what: "timer reservation".to_owned(), why: "nothing is reserved".to_owned() });
    } else {
        release(run, of_turn);
    }
}

pub(super) fn refused(error: LedgerError) -> StepError {
    StepError::new(error.code(), error.to_string())
}

/// The takes of the allowed lines of a verdict, in the shape that expressions see.
fn allowed(lines: &Value) -> Result<Vec<(u32, Take)>, StepError> {
    let Value::List(lines) = lines else { return Err(shape("a list of verdict lines")) };
    let mut wanted = Vec::new();
    for line in lines {
        let Value::Object(fields) = line else { return Err(shape("a verdict line")) };
        if !matches!(fields.get("remedy"), Some(Value::Text(remedy)) if remedy == "allow") {
            continue;
        }
        let Some(Value::List(takes)) = fields.get("takes") else { return Err(shape("the takes of a line")) };
        for take in takes {
            let Value::Object(take) = take else { return Err(shape("a take")) };
            wanted.push((count(fields, "line")?, self::take(take, "line")?));
        }
    }
    Ok(wanted)
}

/// A take out of an object with `order`, a line under the given name, and `quantity`.
pub(super) fn take(fields: &Fields, line: &str) -> Result<Take, StepError> {
    let Some(Value::Text(order)) = fields.get("order") else { return Err(shape("an order")) };
    let order = OrderId::new(order).map_err(|_| shape("an order"))?;
    Ok(Take { order, line: count(fields, line)?, quantity: count(fields, "quantity")? })
}

/// A whole number of an object.
pub(super) fn count(fields: &Fields, name: &str) -> Result<u32, StepError> {
    match fields.get(name) {
        Some(Value::Number(number)) if number.fract().is_zero() => {
            u32::try_from(*number).map_err(|_| shape("a whole number"))
        }
        _ => Err(shape("a whole number")),
    }
}

pub(super) fn shape(expected: &str) -> StepError {
    StepError::new("wrong_shape", format!("expected {expected}"))
}
