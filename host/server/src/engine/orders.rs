//! Orders: handed in by the shop, indexed by customer and stock code.

use std::collections::BTreeSet;

use redress_domain::case::command::Rejection;
use redress_domain::codec;
use redress_domain::facts::Purchase;
use redress_domain::ids::Digest;
use redress_domain::ledger::{Ledger, LedgerError};
use redress_domain::order::Order;
use redress_store::batch::{AppendError, Batch, Stream, Version};
use redress_store::row::{Row, RowKey};
use redress_store::snapshot::Snapshot;

use super::Engine;
use super::error::Error;

/// Whether an order was seen before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Put {
    /// It was not.
    New,
    /// It was, with the same content: nothing was done.
    Unchanged,
    /// It was, with another content: nothing was done.
    Changed,
}

impl Engine {
    /// Take an order that an import hands in. One seen before is never changed, only compared.
    ///
    /// # Errors
    /// The order is none, or the store did not take it; `then` is not called.
    pub fn put_order(
        &self,
        order: &Order,
        source: &str,
        external: &str,
        then: impl FnOnce(Result<Put, Error>) + Send + 'static,
    ) -> Result<(), Error> {
        order.check().map_err(Error::Order)?;
        let document = codec::encode(order);
        let content = Digest::of(&document);
        let snapshot = self.store().read()?;
        if let Some(known) = snapshot.imported(source, external)? {
            then(Ok(if known == content { Put::Unchanged } else { Put::Changed }));
            return Ok(());
        }
        let mut batch = Batch::default();
        replace(&snapshot, &mut batch, order, document)?;
        batch.rows.push(Row::imported(source, external, content));
        self.store().append_then(batch, move |result| {
            then(result.map(|_| Put::New).map_err(|error| match error {
                // A case took from the order in the same moment; the order is put again, or not at all.
                AppendError::Conflict { .. } => Error::Conflict(1),
                other => Error::from(other),
            }));
        })?;
        Ok(())
    }
}

/// The rows of an order, in place of an earlier one of that number if there is one.
fn replace(snapshot: &Snapshot, batch: &mut Batch, order: &Order, document: Vec<u8>) -> Result<(), Error> {
    let rows = purchases(order)?;
    let new: BTreeSet<&RowKey> = rows.iter().map(|(key, _)| key).collect();
    if let Some(before) = snapshot.order(&order.id)? {
        let before: Order = codec::decode(&before).map_err(Error::damaged("order"))?;
        let gone = purchases(&before)?.into_iter().map(|(key, _)| key).filter(|key| !new.contains(key));
        batch.rows.extend(gone.map(Row::Delete).collect::<Vec<_>>());
        restate(snapshot, batch, order)?;
    }
    batch.rows.extend(rows.into_iter().map(|(key, row)| Row::Put(key, row)));
    batch.rows.push(Row::Put(RowKey::order(&order.id), document));
    Ok(())
}

fn purchases(order: &Order) -> Result<Vec<(RowKey, Vec<u8>)>, Error> {
    let Some(customer) = &order.customer else { return Ok(Vec::new()) };
    let row = |purchase: Purchase| {
        let key = RowKey::purchase(customer, &purchase.sku, &purchase.order, purchase.line);
        (key, codec::encode(&purchase))
    };
    Ok(Purchase::of(order)?.into_iter().map(row).collect())
}

/// An order never falls below what cases hold of it. Its ledger follows it and moves, so that a turn which read the order as it
/// was decides again.
fn restate(snapshot: &Snapshot, batch: &mut Batch, order: &Order) -> Result<(), Error> {
    let (version, mut ledger) = match snapshot.head(&Stream::Ledger(order.id.clone()))? {
        Some(head) => (head.version, codec::decode(&head.bytes).map_err(Error::damaged("ledger"))?),
        None => (Version::NONE, Ledger::new(order.paid_total()?, &order.payments)),
    };
    let lines: Vec<_> = order.lines.iter().map(|line| (line.quantity, line.paid.total)).collect();
    ledger.restate(&lines, &order.payments).map_err(|error| match error {
        LedgerError::Quantity { line, left, asked } => Error::OrderBelowReturned { line, held: asked, bought: left },
        other => Rejection::new("order_below_refunded", other.to_string()).into(),
    })?;
    batch.take(order.id.clone(), version, codec::encode(&ledger));
    Ok(())
}
