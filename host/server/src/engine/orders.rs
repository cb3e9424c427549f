//! Orders: handed in by the shop, indexed by customer and stock code.

use std::collections::BTreeSet;

use redress_domain::case::command::Rejection;
use redress_domain::codec;
use redress_domain::facts::Purchase;
use redress_domain::ids::{Digest, OrderId};
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
    /// It was, with another content.
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
            // On a conflict a case took from the order in the same moment; the order is put again, or not at all.
            then(result.map(|_| Put::New).map_err(Error::from));
        })?;
        Ok(())
    }
}

/// How often an order is put again when a case took from it in the same moment.
const ATTEMPTS: u32 = 16;

/// What became of an order that was put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placed {
    /// Whether it was there before, and as what.
    pub put: Put,
    /// The digest of its content.
    pub content: Digest,
}

impl Engine {
    /// The order of a number, and the digest of its content.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn order(&self, id: &OrderId) -> Result<Option<(Order, Digest)>, Error> {
        let Some(document) = self.store().read()?.order(id)? else { return Ok(None) };
        let order = codec::decode(&document).map_err(Error::damaged("order"))?;
        Ok(Some((order, Digest::of(&document))))
    }

    /// Take an order as the shop has it now, in place of what was known. `expect` is the content that the sender saw.
    ///
    /// # Errors
    /// The order is none, falls below what cases hold of it, or is not what the sender saw. Nothing was changed.
    pub fn replace_order(&self, order: &Order, expect: Option<Digest>) -> Result<Placed, Error> {
        order.check().map_err(Error::Order)?;
        let document = codec::encode(order);
        let content = Digest::of(&document);
        let mut tries = 0;
        loop {
            let snapshot = self.store().read()?;
            let before = snapshot.order(&order.id)?.map(|document| Digest::of(&document));
            if expect.is_some() && before != expect {
                return Err(Error::OrderMoved);
            }
            if before == Some(content) {
                return Ok(Placed { put: Put::Unchanged, content });
            }
            let mut batch = Batch::default();
            replace(&snapshot, &mut batch, order, document.clone())?;
            drop(snapshot);
            let put = if before.is_some() { Put::Changed } else { Put::New };
            tries += 1;
            match self.store().append(batch) {
                Ok(_) => return Ok(Placed { put, content }),
                Err(AppendError::Conflict { .. }) if tries < ATTEMPTS => {}
                Err(AppendError::Conflict { .. }) => return Err(Error::Conflict(tries)),
                Err(error) => return Err(error.into()),
            }
        }
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
