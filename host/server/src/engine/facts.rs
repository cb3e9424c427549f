//! Reading what a turn needs beside the case, as of one moment.

use std::collections::BTreeSet;

use redress_domain::case::command::Body;
use redress_domain::case::{Case, What};
use redress_domain::codec;
use redress_domain::facts::{Facts, LedgerAt, PURCHASES_MAX, Purchase};
use redress_domain::ids::{CustomerId, OrderId, Sku};
use redress_store::snapshot::Snapshot;

use super::error::Error;

/// Bytes of purchases and ledgers that one turn may read: they are recorded with it, and a record has at most 16 MiB. Beyond it a
/// person decides, as with too many purchases.
const BYTES_MAX: usize = 4 << 20;

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
    if ledgers(snapshot, case, order.as_ref(), &mut facts)? > BYTES_MAX && !facts.purchases.is_empty() {
        give_up(&mut facts);
        ledgers(snapshot, case, order.as_ref(), &mut facts)?;
    }
    Ok(facts)
}

fn purchases(
    snapshot: &Snapshot,
    customer: &CustomerId,
    skus: &BTreeSet<&Sku>,
    facts: &mut Facts,
) -> Result<(), Error> {
    let mut bytes = 0;
    for sku in skus {
        let page = snapshot.purchases(customer, sku, PURCHASES_MAX - facts.purchases.len())?;
        for row in page.found {
            bytes += row.facts.len();
            let purchase: Purchase = codec::decode(&row.facts).map_err(Error::damaged("purchase"))?;
            facts.purchases.push(purchase);
        }
        if page.more || bytes > BYTES_MAX {
            give_up(facts);
            return Ok(());
        }
    }
    Ok(())
}

/// More than a question may carry: whoever decides is told so, and nothing of it.
fn give_up(facts: &mut Facts) {
    facts.purchases.clear();
    facts.ledgers.clear();
    facts.too_large = true;
}

/// The ledgers of all orders that the turn may take from; answers how many bytes they have.
fn ledgers(
    snapshot: &Snapshot,
    case: Option<&Case>,
    order: Option<&OrderId>,
    facts: &mut Facts,
) -> Result<usize, Error> {
    let mut bytes = 0;
    let mut orders: BTreeSet<OrderId> = facts.purchases.iter().map(|purchase| purchase.order.clone()).collect();
    orders.extend(order.cloned());
    if let Some(case) = case {
        orders.extend(case.reserved.iter().map(|held| held.take.order.clone()));
        orders.extend(case.effects.values().filter_map(|effect| match &effect.what {
            What::Refund(refund) => refund.order.clone(),
            _ => None,
        }));
    }
    let orders: Vec<OrderId> = orders.into_iter().collect();
    for (order, head) in orders.iter().zip(snapshot.load_ledgers(&orders)?) {
        let at = match head {
            Some(head) => {
                bytes += head.bytes.len();
                let ledger = codec::decode(&head.bytes).map_err(Error::damaged("ledger"))?;
                LedgerAt { version: head.version.0, ledger: Some(ledger) }
            }
            None => LedgerAt { version: 0, ledger: None },
        };
        facts.ledgers.insert(order.clone(), at);
    }
    Ok(bytes)
}
