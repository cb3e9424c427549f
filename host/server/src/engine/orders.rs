//! Orders: handed in by the shop, indexed by customer and stock code.

use std::collections::BTreeSet;

use redress_domain::codec;
use redress_domain::facts::Purchase;
use redress_domain::ids::Digest;
use redress_domain::ledger::Ledger;
use redress_domain::order::Order;
use redress_store::batch::{Batch, Stream, Version};
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
        self.store().append_then(batch, move |result| then(result.map(|_| Put::New).map_err(Error::from)))?;
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
        below_returned(snapshot, batch, order)?;
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

/// An order never falls below what cases hold of it; the batch depends on the ledger that says so.
fn below_returned(snapshot: &Snapshot, batch: &mut Batch, order: &Order) -> Result<(), Error> {
    let stream = Stream::Ledger(order.id.clone());
    let Some(head) = snapshot.head(&stream)? else {
        batch.depend(stream, Version::NONE);
        return Ok(());
    };
    let ledger: Ledger = codec::decode(&head.bytes).map_err(Error::damaged("ledger"))?;
    for (line, held) in ledger.lines() {
        let bought = order.lines.get(line as usize).map_or(0, |line| line.quantity);
        let kept = held.reserved + held.returned;
        if bought < kept {
            return Err(Error::OrderBelowReturned { line, held: kept, bought });
        }
    }
    batch.depend(stream, head.version);
    Ok(())
}
