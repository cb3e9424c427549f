//! `exchange`: other goods for the units that come back. The units are consumed in the ledgers before anything leaves, as by a
//! refund of no money, so that nothing is exchanged and refunded; a decline gives them back to the case.

use super::{Flow, Run, StepError, effects, fail, pay, reserve};
use crate::case::command::Settled;
use crate::case::entry::Entry;
use crate::case::{Effect, EffectState, Exchange, Item, What};
use crate::decision::Work;
use crate::ids::{Digest, Sku};
use crate::money::Money;
use crate::value::Value;
use crate::workflow::definition::{self, Definition, Step};

/// The shop kept the goods no longer.
const HOLD_LAPSED: &str = "hold_lapsed";

pub(super) fn enter(
    run: &mut Run,
    definition: &Definition,
    step: &Step,
    exchange: &definition::Exchange,
) -> Result<Flow, StepError> {
    if let Some(begun) = effects::begun(run, step) {
        return begun;
    }
    let items = items(run)?;
    let exchange = wanted(run, definition, exchange, items)?;
    book(run, &exchange.items)?;
    run.emit(Entry::Booked { items: exchange.items.clone() });
    let (key, until) = (run.effect_key(&step.id, &exchange.sku, "exchange"), exchange.hold_until);
    let effect = run.intended(&step.id, What::Exchange(exchange), step.retry.clone());
    run.emit(Entry::Intended { key, effect: Box::new(effect) });
    if run.history() {
        return Ok(effects::leave(run, step, &[key]));
    }
    run.work.push(Work::Effect { key });
    Ok(run.stay_until(&step.id, Some(until)))
}

/// The units that the case holds: what an `approve` promised it.
fn items(run: &Run) -> Result<Vec<Item>, StepError> {
    let amount = Money::zero(run.case().currency);
    let held = run.case().reserved.iter();
    let items: Vec<Item> = held.map(|held| Item { line: held.line, take: held.take.clone(), amount }).collect();
    if items.is_empty() {
        let detail = "the case holds no units that could be exchanged: `approve` comes first";
        return Err(StepError::new("nothing_approved", detail));
    }
    Ok(items)
}

fn wanted(
    run: &Run,
    definition: &Definition,
    exchange: &definition::Exchange,
    items: Vec<Item>,
) -> Result<Exchange, StepError> {
    let sku = match run.value(definition, &exchange.sku)? {
        Value::Text(sku) => Sku::new(&sku).map_err(|_| reserve::shape("a stock code"))?,
        _ => return Err(reserve::shape("a stock code")),
    };
    let quantity = match &exchange.quantity {
        None => items.iter().fold(0_u32, |all, item| all.saturating_add(item.take.quantity)),
        Some(quantity) => match run.value(definition, quantity)? {
            Value::Number(number) if number.fract().is_zero() => u32::try_from(number)
                .ok()
                .filter(|units| *units > 0)
                .ok_or_else(|| reserve::shape("a number of units"))?,
            _ => return Err(reserve::shape("a number of units")),
        },
    };
    let (hold_until, price_difference) = (run.now().after(exchange.hold_stock), exchange.price_difference.clone());
    Ok(Exchange { sku, quantity, hold_until, price_difference, items })
}

/// All or nothing: a refused exchange leaves no ledger behind.
fn book(run: &mut Run, items: &[Item]) -> Result<(), StepError> {
    let before = run.ledgers.clone();
    let booked = items.iter().try_for_each(|item| {
        let ledger = reserve::ledger(run, &item.take)?;
        ledger.exchange(item.take.line, item.take.quantity).map_err(reserve::refused)
    });
    if booked.is_err() {
        run.ledgers = before;
    }
    booked
}

/// An exchange that was declined: its units are promised to the case again. Of other effects there is nothing to give back.
pub(super) fn give_back(run: &mut Run, key: Digest) -> Result<(), StepError> {
    let effect = run.case().effects.get(&key);
    let Some(What::Exchange(exchange)) = effect.map(|effect| effect.what.clone()) else { return Ok(()) };
    let before = run.ledgers.clone();
    let given = exchange.items.iter().try_for_each(|item| {
        let ledger = reserve::ledger(run, &item.take)?;
        ledger.give_back(item.take.line, item.take.quantity).map_err(reserve::refused)
    });
    match given {
        Ok(()) => run.emit(Entry::Unbooked { items: exchange.items }),
        Err(_) => run.ledgers = before,
    }
    given
}

/// Book an exchange again that was declined: the goods left after all. The ledger takes it only where its units are still the case's,
/// or nobody's.
pub(super) fn rebook(run: &mut Run, key: Digest) -> Result<(), StepError> {
    let effect = run.case().effects.get(&key);
    let Some(What::Exchange(exchange)) = effect.map(|effect| effect.what.clone()) else { return Ok(()) };
    let before = run.ledgers.clone();
    let booked = pay::reserve_missing(run, &exchange.items)
        .and_then(|reserved| book(run, &exchange.items).map(|()| reserved))
        .inspect_err(|_| run.ledgers = before);
    for (line, take) in booked? {
        run.emit(Entry::Reserved { line, take, until: None });
    }
    run.emit(Entry::Booked { items: exchange.items });
    Ok(())
}

/// The shop has not confirmed it in time. It may have sent the goods all the same, so that nobody knows: what comes back stays
/// consumed until the shop or a person says what became of it.
pub(super) fn lapsed(run: &mut Run, definition: &Definition, step: &Step) {
    let is_open = |effect: &Effect| effect.state == EffectState::Intended && effect.undoes.is_none();
    let open = effects::of_step(run, &step.id).filter(|(_, effect)| is_open(effect));
    let keys: Vec<Digest> = open.map(|(key, _)| *key).collect();
    for key in &keys {
        let (outcome, via) = (Settled::Unknown, "hold".to_owned());
        run.emit(Entry::Settled { key: *key, outcome, reference: None, via, reply: None, code: None });
    }
    let flow = match fail::handler(step, HOLD_LAPSED) {
        Some(then) => {
            let (step, code) = (step.id.clone(), HOLD_LAPSED.to_owned());
            run.emit(Entry::Failed { step, code, detail: "the shop has not confirmed it in time".to_owned() });
            Flow::To(then)
        }
        None => {
            keys.iter().for_each(|key| effects::ask_person(run, &step.id, *key, HOLD_LAPSED));
            run.stay(&step.id)
        }
    };
    run.follow(definition, step, Ok(flow));
}
