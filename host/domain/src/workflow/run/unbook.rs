//! Declined refunds: what a leg booked is taken out of its order's ledger again, once, whenever the decline becomes final; and
//! booked again where the money left after all.

use std::collections::BTreeSet;

use super::{Run, StepError, pay, reserve};
use crate::case::entry::Entry;
use crate::case::lane::{LaneId, Place};
use crate::case::{Effect, EffectState, Item, Refund, What};
use crate::ids::{Digest, OrderId, Slug};
use crate::money::{Money, MoneyError};
use crate::verdict::Take;

/// Take these declined legs of a step out of the ledgers again: all of them, or none.
pub(super) fn unbook(run: &mut Run, step: &Slug, declined: &[Digest]) -> Result<(), StepError> {
    let before = run.ledgers.clone();
    let legs = declined.iter().filter_map(|key| leg(run, key));
    let orders: BTreeSet<OrderId> = legs.filter_map(|leg| leg.order.clone()).collect();
    let unbooked: Result<Vec<_>, _> = orders.iter().map(|order| of_order(run, step, order, declined)).collect();
    match unbooked {
        Ok(unbooked) => {
            unbooked.into_iter().for_each(|items| run.emit(Entry::Unbooked { items }));
            Ok(())
        }
        Err(error) => {
            run.ledgers = before;
            Err(error)
        }
    }
}

/// An outcome that came after the case had left the step: a leg that was declined so late is nobody's any more.
pub(super) fn late(run: &mut Run, step: &Slug, key: Digest) {
    if let Err(error) = unbook(run, step, &[key]) {
        run.emit(Entry::Failed { step: step.clone(), code: error.code, detail: error.detail });
    }
    if run.case().is_closed() {
        reserve::release_all(run);
    }
}

/// The case ends while these lanes wait at a step: legs that were declined there wait for nobody any more.
pub(super) fn abandoned(run: &mut Run, lanes: &[LaneId]) {
    let here = run.lane.clone();
    for lane in lanes {
        let Some(Place::Waiting { step, .. }) = run.case().place(lane) else { continue };
        let is_refused =
            |effect: &Effect| effect.step == step && effect.lane == *lane && effect.state == EffectState::Declined;
        let refused = run.case().effects.iter().filter(|(_, effect)| is_refused(effect));
        let keys: Vec<Digest> = refused.map(|(key, _)| *key).collect();
        run.turn_to(lane);
        if let Err(error) = unbook(run, &step, &keys) {
            run.emit(Entry::Failed { step, code: error.code, detail: error.detail });
        }
    }
    run.turn_to(&here);
}

fn leg<'a>(run: &'a Run, key: &Digest) -> Option<&'a Refund> {
    match &run.case().effects.get(key)?.what {
        What::Refund(refund) => Some(refund),
        _ => None,
    }
}

/// Book a declined leg again that was taken out: the money left after all. The ledger takes it under every cap, or says why it
/// cannot.
pub(super) fn rebook(run: &mut Run, step: &Slug, key: Digest) -> Result<(), StepError> {
    let Some(leg) = leg(run, &key).cloned() else { return Ok(()) };
    // A bare amount stands in no ledger.
    let Some(order) = &leg.order else { return Ok(()) };
    let (items, _) = carried(run, step, order, &[key])?;
    let reserved = pay::reserve_missing(run, &items)?;
    for item in &items {
        let ledger = reserve::ledger(run, &item.take)?;
        ledger.refund(item.take.line, item.take.quantity, item.amount).map_err(reserve::refused)?;
    }
    if let (Some(payment), Some(taken)) = (&leg.payment, run.ledgers.get_mut(order)) {
        taken.ledger.book(payment, leg.amount).map_err(reserve::refused)?;
    }
    for (line, take) in reserved {
        run.emit(Entry::Reserved { line, take, until: None });
    }
    run.emit(Entry::Booked { items });
    Ok(())
}

/// The legs of one order leave its ledger.
fn of_order(run: &mut Run, step: &Slug, order: &OrderId, declined: &[Digest]) -> Result<Vec<Item>, StepError> {
    let (items, legs) = carried(run, step, order, declined)?;
    for item in &items {
        let ledger = reserve::ledger(run, &item.take)?;
        ledger.decline(item.take.line, item.take.quantity, item.amount).map_err(reserve::refused)?;
    }
    for leg in legs {
        if let (Some(payment), Some(taken)) = (&leg.payment, run.ledgers.get_mut(order)) {
            let minus = Money::zero(leg.amount.currency()).minus(leg.amount).map_err(invalid)?;
            taken.ledger.book(payment, minus).map_err(reserve::refused)?;
        }
    }
    Ok(items)
}

type Carried = (Vec<Item>, Vec<Refund>);

/// What these declined legs of an order carried, and the legs. Units go with them only while the whole order is declined: as
/// long as one leg may have been paid nobody can say which of them were paid for.
fn carried(run: &Run, step: &Slug, order: &OrderId, declined: &[Digest]) -> Result<Carried, StepError> {
    let of_order = run.case().effects.iter().filter_map(|(key, effect)| match &effect.what {
        What::Refund(refund)
            if effect.step == *step && effect.lane == run.lane && refund.order.as_ref() == Some(order) =>
        {
            Some((*key, refund.clone(), effect.state))
        }
        _ => None,
    });
    let mut legs: Vec<(Digest, Refund, EffectState)> = of_order.collect();
    // As they were made: payment by payment.
    legs.sort_by(|(_, a, _), (_, b, _)| a.payment.cmp(&b.payment));
    let is_whole = legs.iter().all(|(_, _, state)| *state == EffectState::Declined);
    let booked: Vec<Item> = legs.iter().flat_map(|(_, leg, _)| leg.items.clone()).collect();
    let amounts = legs.iter().map(|(key, leg, _)| (leg.amount, declined.contains(key)));
    let back = shares(&booked, amounts).map_err(invalid)?;
    let items = booked.into_iter().zip(back).map(|(item, amount)| {
        let quantity = if is_whole { item.take.quantity } else { 0 };
        Item { line: item.line, take: Take { quantity, ..item.take }, amount }
    });
    let items: Vec<Item> = items.filter(|item| item.take.quantity > 0 || !item.amount.is_zero()).collect();
    let legs = legs.into_iter().filter(|(key, _, _)| declined.contains(key)).map(|(_, leg, _)| leg);
    Ok((items, legs.collect()))
}

/// How much of each item the declined legs carried. Items and legs are two ways to cut one sum: laid side by side, each leg
/// carries what stands beside it, so that no two legs ever give back the same money.
fn shares(items: &[Item], legs: impl Iterator<Item = (Money, bool)>) -> Result<Vec<Money>, MoneyError> {
    let mut back: Vec<Money> = items.iter().map(|item| Money::zero(item.amount.currency())).collect();
    let mut left: Vec<Money> = items.iter().map(|item| item.amount).collect();
    let mut place = 0;
    for (mut open, is_declined) in legs {
        while !open.is_zero() && place < items.len() {
            let part = if left[place].compare(open)?.is_lt() { left[place] } else { open };
            left[place] = left[place].minus(part)?;
            open = open.minus(part)?;
            if is_declined {
                back[place] = back[place].plus(part)?;
            }
            if left[place].is_zero() {
                place += 1;
            }
        }
    }
    Ok(back)
}

fn invalid(error: MoneyError) -> StepError {
    StepError::new("amount_invalid", error.to_string())
}
