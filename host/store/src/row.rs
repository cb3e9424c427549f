//! Rows of the facts and indexes: which can be written, under which key. A closed list, by constructors.

use redress_domain::clock::Instant;
use redress_domain::ids::{CaseId, CustomerId, Digest, OrderId, Sku, TaskId};

use crate::keys::Key;
use crate::tables::Table;

/// One change of a row inside a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Row {
    /// Write the row, whatever was there.
    Put(RowKey, Vec<u8>),
    /// Write the row, or fail the whole batch with `NotUnique` when it is there already.
    PutNew(RowKey, Vec<u8>),
    /// Delete the row; nothing to delete is no failure.
    Delete(RowKey),
}

impl Row {
    /// The short number of a case. Unique.
    pub fn number_of_case(number: u64, case: CaseId) -> Self {
        Self::PutNew(RowKey::case_number(number), case.bytes().to_vec())
    }

    /// The case that an import opened for an external id, and the digest of the rows that it was made of. Unique.
    pub fn case_of_external(source: &str, external: &str, case: CaseId, content: Digest) -> Self {
        let value = Key::default().rest(&case.bytes()).rest(content.bytes()).done();
        Self::PutNew(RowKey::case_external(source, external), value)
    }

    /// What an import has taken under an external id; a later take with other content may replace it.
    pub fn imported(source: &str, external: &str, content: Digest) -> Self {
        Self::Put(RowKey::import(source, external), content.bytes().to_vec())
    }

    /// What a door handed in last under a path.
    pub fn door(path: &str, content: Digest) -> Self {
        Self::Put(RowKey::door(path), content.bytes().to_vec())
    }

    /// The key of the row that changes.
    pub fn key(&self) -> &RowKey {
        match self {
            Self::Put(key, _) | Self::PutNew(key, _) | Self::Delete(key) => key,
        }
    }

    /// How many bytes it adds to a batch.
    pub(crate) fn size(&self) -> usize {
        let value = match self {
            Self::Put(_, value) | Self::PutNew(_, value) => value.len(),
            Self::Delete(_) => 0,
        };
        self.key().bytes.len() + value
    }
}

/// The key of one row in one table.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RowKey {
    pub(crate) table: Table,
    pub(crate) bytes: Vec<u8>,
}

impl RowKey {
    fn new(table: Table, key: Key) -> Self {
        Self { table, bytes: key.done() }
    }

    /// The document of an order.
    pub fn order(order: &OrderId) -> Self {
        Self::new(Table::Orders, Key::default().rest(order.as_str().as_bytes()))
    }

    /// What a customer bought of a stock code in one line of an order.
    pub fn purchase(customer: &CustomerId, sku: &Sku, order: &OrderId, line: u32) -> Self {
        let key = purchase_prefix(customer, sku).text(order.as_str()).rest(&line.to_be_bytes());
        Self::new(Table::Purchases, key)
    }

    /// What an import has taken under an external id.
    pub fn import(source: &str, external: &str) -> Self {
        Self::new(Table::Imports, Key::default().text(source).rest(external.as_bytes()))
    }

    /// One field of personal data of one subject.
    pub fn person(subject: &str, field: &str) -> Self {
        Self::new(Table::People, Key::default().text(subject).rest(field.as_bytes()))
    }

    /// A case in the list by business time.
    pub fn case_opened(at: Instant, case: CaseId) -> Self {
        Self::new(Table::CasesByOpened, Key::default().instant(at).rest(&case.bytes()))
    }

    /// A case by its short number.
    pub fn case_number(number: u64) -> Self {
        Self::new(Table::CasesByNumber, Key::default().number(number))
    }

    /// A case by what the merchant's system calls it.
    pub fn case_external(source: &str, external: &str) -> Self {
        Self::new(Table::CasesByExternal, Key::default().text(source).rest(external.as_bytes()))
    }

    /// A case in the list of its customer.
    pub fn case_customer(customer: &CustomerId, at: Instant, case: CaseId) -> Self {
        let key = Key::default().text(customer.as_str()).instant(at).rest(&case.bytes());
        Self::new(Table::CasesByCustomer, key)
    }

    /// A case among those of a revision.
    pub fn case_of_revision(revision: Digest, standing: Standing, case: CaseId) -> Self {
        Self::new(Table::CasesByRevision, standing_prefix(revision, standing).rest(&case.bytes()))
    }

    /// A task.
    pub fn task(task: TaskId) -> Self {
        Self::new(Table::Tasks, Key::default().rest(&task.bytes()))
    }

    /// A task in its queue, ordered by when it is due.
    pub fn task_in_queue(queue: &str, due: Instant, task: TaskId) -> Self {
        Self::new(Table::TasksByQueue, Key::default().text(queue).instant(due).rest(&task.bytes()))
    }

    /// An effect by its key.
    pub fn effect(effect: Digest) -> Self {
        Self::new(Table::Effects, Key::default().rest(effect.bytes()))
    }

    /// An effect among those in the same state, by the time that the listing goes by.
    pub fn effect_in_state(state: &str, at: Instant, effect: Digest) -> Self {
        Self::new(Table::EffectsByState, Key::default().text(state).instant(at).rest(effect.bytes()))
    }

    /// One attempt to deliver an effect.
    pub fn delivery(effect: Digest, attempt: u32) -> Self {
        Self::new(Table::Deliveries, Key::default().rest(effect.bytes()).rest(&attempt.to_be_bytes()))
    }

    /// The record of an answered request; batches write it by their `idem`, and what is old enough is deleted by this key.
    pub fn idempotency(scope: &str, key: &str) -> Self {
        Self::new(Table::Idempotency, Key::default().text(scope).rest(key.as_bytes()))
    }

    /// A published revision.
    pub fn revision(digest: Digest) -> Self {
        Self::new(Table::Revisions, Key::default().rest(digest.bytes()))
    }

    /// What is active under a name.
    pub fn pointer(name: &str) -> Self {
        Self::new(Table::Pointers, Key::default().rest(name.as_bytes()))
    }

    /// A merchant's own case of a plugin's name.
    pub fn plugin_case(plugin: &str, case: &str) -> Self {
        Self::new(Table::PluginCases, Key::default().text(plugin).rest(case.as_bytes()))
    }

    /// What a door handed in last under a path.
    pub fn door(path: &str) -> Self {
        Self::new(Table::Doors, Key::default().rest(path.as_bytes()))
    }

    /// The table's name, for messages.
    pub fn table(&self) -> &'static str {
        self.table.name()
    }
}

/// How a case stands to a revision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Standing {
    /// It runs on it.
    Open = 0,
    /// It has ended on it, or went on to another.
    Past = 1,
}

/// The part of a key that the cases of a revision share.
pub(crate) fn standing_prefix(revision: Digest, standing: Standing) -> Key {
    Key::default().rest(revision.bytes()).byte(standing as u8)
}

/// The part of a purchase's key that one question is about.
pub(crate) fn purchase_prefix(customer: &CustomerId, sku: &Sku) -> Key {
    Key::default().text(customer.as_str()).text(sku.as_str())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn name() -> impl Strategy<Value = String> {
        // Few letters, so that names are often each other's beginnings.
        "[AB\u{e9}]{1,4}"
    }

    proptest! {
        #[test]
        fn a_purchase_lies_under_the_prefix_of_its_own_customer_and_sku_only(
            bought in (name(), name(), name(), 0_u32..3),
            asked in (name(), name()),
        ) {
            let (customer, sku) = (CustomerId::new(&bought.0).unwrap(), Sku::new(&bought.1).unwrap());
            let key = RowKey::purchase(&customer, &sku, &OrderId::new(&bought.2).unwrap(), bought.3);
            let prefix = purchase_prefix(&CustomerId::new(&asked.0).unwrap(), &Sku::new(&asked.1).unwrap()).done();
            prop_assert_eq!(key.bytes.starts_with(&prefix), (bought.0, bought.1) == asked);
        }
    }
}
