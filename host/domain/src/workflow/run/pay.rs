//! `refund`: send money back. What is not yet reserved is reserved, the money is booked in the ledgers under every cap, and one
//! effect per leg (order and payment) is recorded before anything leaves the process.

use std::collections::BTreeMap;

use super::reserve::{self, count, refused, shape};
use super::{Flow, Run, StepError, effects};
use crate::case::entry::Entry;
use crate::case::{Effect, EffectState, Item, Refund, What};
use crate::ids::OrderId;
use crate::ledger::LedgerError;
use crate::money::Money;
use crate::value::Value;
use crate::verdict::Take;
use crate::workflow::definition::{Definition, RefundOf, Step};
use crate::workflow::expr::Expr;

pub(super) fn enter(
    run: &mut Run,
    definition: &Definition,
    step: &Step,
    amount: &RefundOf,
    method: &str,
    reason: Option<&Expr>,
) -> Result<Flow, StepError> {
    if let Some(begun) = effects::begun(run, step) {
        return begun;
    }
    let reason = reason.map(|reason| run.value(definition, reason)).transpose()?.map(|reason| reason.to_string());
    let how = How { method, reason };
    let before = run.ledgers.clone();
    let planned = plan(run, definition, amount, &how);
    let (reserved, items, legs) = match planned {
        Ok(planned) => planned,
        Err(error) => {
            // All or nothing: a refused refund leaves no ledger behind.
            run.ledgers = before;
            return Err(error);
        }
    };
    for (line, take) in reserved {
        run.emit(Entry::Reserved { line, take, until: None });
    }
    if !items.is_empty() {
        run.emit(Entry::Booked { items });
    }
    let mut keys = Vec::new();
    for refund in legs {
        let key = run.effect_key(&step.id, (&refund.order, &refund.payment), "refund");
        let effect = Effect {
            step: step.id.clone(),
            lane: run.lane.clone(),
            round: run.round,
            what: What::Refund(refund),
            state: EffectState::Intended,
            reference: None,
        };
        run.emit(Entry::Intended { key, effect: Box::new(effect) });
        keys.push(key);
    }
    Ok(effects::leave(run, step, &keys))
}

/// What every leg of a refund says beside its amount.
struct How<'a> {
    method: &'a str,
    reason: Option<String>,
}

impl How<'_> {
    fn leg(&self, order: Option<OrderId>, payment: Option<String>, amount: Money, items: Vec<Item>) -> Refund {
        Refund { order, payment, method: self.method.to_owned(), amount, reason: self.reason.clone(), items }
    }
}

type Planned = (Vec<(u32, Take)>, Vec<Item>, Vec<Refund>);

fn plan(run: &mut Run, definition: &Definition, amount: &RefundOf, how: &How<'_>) -> Result<Planned, StepError> {
    let (items, bare) = match amount {
        RefundOf::Quote(quote) => (items(&run.value(definition, quote)?)?, None),
        RefundOf::Amount(amount) => (Vec::new(), Some(money(run.value(definition, amount)?)?)),
    };
    let currency = run.case().currency;
    let asked = items.iter().map(|item| item.amount).chain(bare);
    let total = Money::sum(currency, asked).map_err(|error| StepError::new("wrong_currency", error.to_string()))?;
    cap(run, definition, total)?;
    let reserved = reserve_missing(run, &items)?;
    let mut per_order: BTreeMap<OrderId, Vec<Item>> = BTreeMap::new();
    for item in &items {
        let ledger = reserve::ledger(run, &item.take)?;
        ledger.refund(item.take.line, item.take.quantity, item.amount).map_err(refused)?;
        per_order.entry(item.take.order.clone()).or_default().push(item.clone());
    }
    let mut legs = Vec::new();
    for (order, items) in per_order {
        legs.extend(order_legs(run, order, items, how)?);
    }
    if let Some(amount) = bare {
        if run.case().order.is_some() {
            // Its lines have their own caps, which a bare amount would pass by.
            return Err(StepError::new("amount_with_order", "a case with an order is refunded by a quote"));
        }
        if amount.is_negative() {
            return Err(refused(LedgerError::Negative(amount)));
        }
        if !amount.is_zero() {
            legs.push(how.leg(None, None, amount, Vec::new()));
        }
    }
    Ok((reserved, items, legs))
}

/// The most that the case may refund, where the document says so; earlier refunds of the case count.
fn cap(run: &Run, definition: &Definition, total: Money) -> Result<(), StepError> {
    let Some(limit) = &definition.limits.refund_max else { return Ok(()) };
    let limit = money(run.value(definition, limit)?)?;
    let all = run.case().refunded().plus(total).map_err(|error| StepError::new("wrong_currency", error.to_string()))?;
    match all.compare(limit) {
        Ok(std::cmp::Ordering::Greater) => {
            Err(StepError::new("refund_exceeds_limit", format!("{all} would be refunded, the limit is {limit}")))
        }
        Ok(_) => Ok(()),
        Err(error) => Err(StepError::new("wrong_currency", error.to_string())),
    }
}

/// Reserve what the case does not hold yet.
pub(super) fn reserve_missing(run: &mut Run, items: &[Item]) -> Result<Vec<(u32, Take)>, StepError> {
    let mut held: BTreeMap<(u32, OrderId, u32), u32> = BTreeMap::new();
    for one in &run.case().reserved {
        held.insert((one.line, one.take.order.clone(), one.take.line), one.take.quantity);
    }
    let mut reserved = Vec::new();
    for item in items {
        let has = held.entry((item.line, item.take.order.clone(), item.take.line)).or_default();
        let used = item.take.quantity.min(*has);
        *has -= used;
        let take = Take { quantity: item.take.quantity - used, ..item.take.clone() };
        if take.quantity > 0 {
            reserve::reserve(run, &take)?;
            reserved.push((item.line, take));
        }
    }
    Ok(reserved)
}

fn order_legs(run: &mut Run, order: OrderId, items: Vec<Item>, how: &How<'_>) -> Result<Vec<Refund>, StepError> {
    let currency = run.case().currency;
    let sum = Money::sum(currency, items.iter().map(|item| item.amount));
    let sum = sum.map_err(|error| StepError::new("amount_invalid", error.to_string()))?;
    if sum.is_zero() {
        return Ok(Vec::new());
    }
    let Some(taken) = run.ledgers.get_mut(&order) else { return Err(shape("a ledger of the order")) };
    let legs = taken.ledger.legs(sum).map_err(refused)?;
    let mut refunds = Vec::new();
    let mut items = items;
    for (payment, amount) in legs {
        if let Some(payment) = &payment {
            taken.ledger.book(payment, amount).map_err(refused)?;
        }
        // The items stand once, with the first leg of their order.
        let items = std::mem::take(&mut items);
        refunds.push(how.leg(Some(order.clone()), payment, amount, items));
    }
    Ok(refunds)
}

/// The lines of a quote, in the shape that expressions see.
fn items(quote: &Value) -> Result<Vec<Item>, StepError> {
    let Value::Object(quote) = quote else { return Err(shape("a quote")) };
    let Some(Value::List(lines)) = quote.get("lines") else { return Err(shape("the lines of a quote")) };
    let item = |line: &Value| {
        let Value::Object(fields) = line else { return Err(shape("a quote line")) };
        let Some(Value::Money(amount)) = fields.get("amount") else { return Err(shape("an amount")) };
        let take = reserve::take(fields, "order_line")?;
        Ok(Item { line: count(fields, "line")?, take, amount: *amount })
    };
    lines.iter().map(item).collect()
}

fn money(value: Value) -> Result<Money, StepError> {
    match value {
        Value::Money(money) => Ok(money),
        _ => Err(shape("money")),
    }
}
