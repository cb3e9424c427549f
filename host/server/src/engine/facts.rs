//! Reading what a turn needs beside the case, as of one moment.

use std::collections::BTreeSet;

use redress_domain::case::command::Body;
use redress_domain::case::{Case, What};
use redress_domain::codec;
use redress_domain::facts::{Facts, LedgerAt, PURCHASES_MAX, Purchase};
use redress_domain::ids::{CustomerId, OrderId, Sku};
use redress_store::snapshot::Snapshot;

use super::error::Error;

/// The facts for a command on a case, or for one that is opened.
pub(super) fn load(snapshot: &Snapshot, case: Option<&Case>, body: &Body) -> Result<Facts, Error> {
    let (customer, order, lines) = match (case, body) {
        (Some(case), _) => (&case.customer, &case.order, &case.lines),
        (None, Body::Open(open)) => (&open.customer, &open.order, &open.lines),
        (None, _) => return Ok(Facts::default()),
    };
    let skus: BTreeSet<&Sku> = lines.iter().map(|line| &line.sku).collect();
    let mut facts = Facts::default();
    if let Some(customer) = customer {
        purchases(snapshot, customer, &skus, &mut facts)?;
    }
    if let Some(order) = order
        && let Some(bytes) = snapshot.order(order)?
    {
        facts.order = Some(codec::decode(&bytes).map_err(Error::damaged("order"))?);
    }
    facts.own = case.map(|case| case.reserved.clone()).unwrap_or_default();
    ledgers(snapshot, case, order.as_ref(), &mut facts)?;
    Ok(facts)
}

fn purchases(
    snapshot: &Snapshot,
    customer: &CustomerId,
    skus: &BTreeSet<&Sku>,
    facts: &mut Facts,
) -> Result<(), Error> {
    for sku in skus {
        let page = snapshot.purchases(customer, sku, PURCHASES_MAX - facts.purchases.len())?;
        for row in page.found {
            let purchase: Purchase = codec::decode(&row.facts).map_err(Error::damaged("purchase"))?;
            facts.purchases.push(purchase);
        }
        if page.more {
            facts.purchases.clear();
            facts.too_large = true;
            return Ok(());
        }
    }
    Ok(())
}

fn ledgers(snapshot: &Snapshot, case: Option<&Case>, order: Option<&OrderId>, facts: &mut Facts) -> Result<(), Error> {
    let mut orders: BTreeSet<OrderId> = facts.purchases.iter().map(|purchase| purchase.order.clone()).collect();
    orders.extend(order.cloned());
    if let Some(case) = case {
        orders.extend(case.reserved.iter().map(|held| held.take.order.clone()));
        for effect in case.effects.values() {
            match &effect.what {
                What::Refund(refund) => orders.extend(refund.order.clone()),
                What::Exchange(exchange) => orders.extend(exchange.items.iter().map(|item| item.take.order.clone())),
                _ => {}
            }
        }
    }
    let orders: Vec<OrderId> = orders.into_iter().collect();
    for (order, head) in orders.iter().zip(snapshot.load_ledgers(&orders)?) {
        let at = match head {
            Some(head) => LedgerAt {
                version: head.version.0,
                ledger: Some(codec::decode(&head.bytes).map_err(Error::damaged("ledger"))?),
            },
            None => LedgerAt { version: 0, ledger: None },
        };
        facts.ledgers.insert(order.clone(), at);
    }
    Ok(())
}
