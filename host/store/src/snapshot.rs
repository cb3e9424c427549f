//! Everything that can be read of a tenant, as of one moment.

use std::collections::BTreeMap;

use redb::{ReadTransaction, ReadableTable, ReadableTableMetadata};
use redress_domain::clock::Instant;
use redress_domain::ids::{CaseId, CustomerId, Digest, OrderId, Sku, TenantId};

use crate::apply::{head_row, idem_of, turn_row};
use crate::audit::{AuditHead, AuditLink};
use crate::batch::{Idem, Stream, Version};
use crate::error::ReadError;
use crate::keys::{Key, Parts, after_prefix};
use crate::row::{RowKey, purchase_prefix};
use crate::tables::{Table, meta};
use crate::work::{Kind, WorkKey, WorkState, due_prefix};

/// A read view: all answers belong to the same moment, whatever is committed meanwhile.
pub struct Snapshot {
    tenant: TenantId,
    txn: ReadTransaction,
}

/// The newest state of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// How often the stream has moved.
    pub version: Version,
    /// The engine's bytes.
    pub bytes: Vec<u8>,
}

/// One turn of a journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalRow {
    /// The turn's number: the version that it led to.
    pub turn: Version,
    /// Its place in the audit chain.
    pub link: AuditLink,
    /// The engine's bytes.
    pub record: Vec<u8>,
}

/// What one customer bought of one stock code, in one order line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Purchase {
    /// The order.
    pub order: OrderId,
    /// The line's number in the order.
    pub line: u32,
    /// The engine's bytes.
    pub facts: Vec<u8>,
}

/// The purchases that were found, and whether there are more than were asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Purchases {
    /// By order and line.
    pub found: Vec<Purchase>,
    /// Whether the limit cut some off.
    pub more: bool,
}

impl Snapshot {
    pub(crate) fn new(tenant: TenantId, txn: ReadTransaction) -> Self {
        Self { tenant, txn }
    }

    /// Whose data it is.
    pub fn tenant(&self) -> TenantId {
        self.tenant
    }

    /// The newest state of a stream; `None` when it does not exist yet.
    pub fn head(&self, stream: &Stream) -> Result<Option<Head>, ReadError> {
        let (table, key) = head_row(stream);
        self.get(table, &key)?.map(|value| head_of(table, &value)).transpose()
    }

    /// The snapshot of a case.
    pub fn load_case(&self, case: CaseId) -> Result<Option<Head>, ReadError> {
        self.head(&Stream::Case(case))
    }

    /// The ledgers of these orders, in their order; `None` for one from which nothing was taken yet.
    pub fn load_ledgers(&self, orders: &[OrderId]) -> Result<Vec<Option<Head>>, ReadError> {
        orders.iter().map(|order| self.head(&Stream::Ledger(order.clone()))).collect()
    }

    /// The state of the tenant's own stream.
    pub fn load_tenant(&self) -> Result<Option<Head>, ReadError> {
        self.head(&Stream::Tenant)
    }

    /// All cases by id, that is by when they were stored, behind a case; at most `limit`.
    pub fn cases(&self, after: Option<CaseId>, limit: usize) -> Result<Vec<(CaseId, Head)>, ReadError> {
        let table = Table::CaseHeads;
        let from = after.map(|case| [&case.bytes()[..], &[0]].concat()).unwrap_or_default();
        let mut cases = Vec::new();
        for row in self.open(table)?.range(&from[..]..)?.take(limit) {
            let (key, value) = row?;
            let case = Parts(key.value()).case().ok_or_else(|| damaged(table))?;
            cases.push((case, head_of(table, value.value())?));
        }
        Ok(cases)
    }

    /// The journal of a case, from a turn on (the first is 1), at most `limit` rows.
    pub fn journal(&self, case: CaseId, from: Version, limit: usize) -> Result<Vec<JournalRow>, ReadError> {
        self.turns(&Stream::Case(case), from, limit)
    }

    /// The journal of the tenant's own stream, from a turn on, at most `limit` rows.
    pub fn tenant_journal(&self, from: Version, limit: usize) -> Result<Vec<JournalRow>, ReadError> {
        self.turns(&Stream::Tenant, from, limit)
    }

    fn turns(&self, stream: &Stream, from: Version, limit: usize) -> Result<Vec<JournalRow>, ReadError> {
        let (table, first) = turn_row(stream, from);
        let (_, last) = turn_row(stream, Version(u64::MAX));
        let mut rows = Vec::new();
        for row in self.open(table)?.range(&first[..]..=&last[..])?.take(limit) {
            let (key, value) = row?;
            rows.push(journal_row(key.value(), value.value()).ok_or_else(|| damaged(table))?);
        }
        Ok(rows)
    }

    /// One row of the facts or indexes.
    pub fn row(&self, key: &RowKey) -> Result<Option<Vec<u8>>, ReadError> {
        self.get(key.table, &key.bytes)
    }

    /// The document of an order.
    pub fn order(&self, order: &OrderId) -> Result<Option<Vec<u8>>, ReadError> {
        self.row(&RowKey::order(order))
    }

    /// What a customer bought of a stock code, at most `max` order lines.
    pub fn purchases(&self, customer: &CustomerId, sku: &Sku, max: usize) -> Result<Purchases, ReadError> {
        let prefix = purchase_prefix(customer, sku).done();
        let mut found = Vec::new();
        let more = self.each_with(Table::Purchases, &prefix, max, |key, value| {
            found.push(purchase(key, value)?);
            Some(())
        })?;
        Ok(Purchases { found, more })
    }

    /// All fields of personal data of a subject; empty when there are none, or none any more.
    pub fn person(&self, subject: &str) -> Result<BTreeMap<String, Vec<u8>>, ReadError> {
        let prefix = Key::default().text(subject).done();
        let mut fields = BTreeMap::new();
        self.each_with(Table::People, &prefix, usize::MAX, |key, value| {
            fields.insert(str::from_utf8(key).ok()?.to_owned(), value.to_vec());
            Some(())
        })?;
        Ok(fields)
    }

    /// The case behind the short number that people type.
    pub fn case_by_number(&self, number: u64) -> Result<Option<CaseId>, ReadError> {
        let key = RowKey::case_number(number);
        self.decoded(&key, |value| Parts(value).case())
    }

    /// The highest short number given out. The numbers after it are free, for the one engine that has the file open.
    pub fn last_case_number(&self) -> Result<Option<u64>, ReadError> {
        let table = Table::CasesByNumber;
        let numbers = self.open(table)?;
        let Some((key, _)) = numbers.last()? else { return Ok(None) };
        Parts(key.value()).number().map(Some).ok_or_else(|| damaged(table))
    }

    /// The case that an import opened for an external id, and the digest of the rows that it was made of.
    pub fn case_by_external(&self, source: &str, external: &str) -> Result<Option<(CaseId, Digest)>, ReadError> {
        self.decoded(&RowKey::case_external(source, external), |value| {
            let mut parts = Parts(value);
            Some((parts.case()?, Digest::from_bytes(parts.array()?)))
        })
    }

    /// The digest of what an import has taken under an external id.
    pub fn imported(&self, source: &str, external: &str) -> Result<Option<Digest>, ReadError> {
        self.decoded(&RowKey::import(source, external), digest)
    }

    /// The digest of what a door handed in last under a path.
    pub fn door(&self, path: &str) -> Result<Option<Digest>, ReadError> {
        self.decoded(&RowKey::door(path), digest)
    }

    /// A published revision.
    pub fn revision(&self, digest: Digest) -> Result<Option<Vec<u8>>, ReadError> {
        self.row(&RowKey::revision(digest))
    }

    /// What is active under a name.
    pub fn pointer(&self, name: &str) -> Result<Option<Vec<u8>>, ReadError> {
        self.row(&RowKey::pointer(name))
    }

    /// The listing of an effect; `None` also for one that no turn has touched since the table is there.
    pub fn effect(&self, effect: Digest) -> Result<Option<Vec<u8>>, ReadError> {
        self.row(&RowKey::effect(effect))
    }

    /// The attempts to deliver an effect, in order, each with its record.
    pub fn deliveries(&self, effect: Digest) -> Result<Vec<(u32, Vec<u8>)>, ReadError> {
        let mut deliveries = Vec::new();
        self.each_with(Table::Deliveries, effect.bytes(), usize::MAX, |key, record| {
            deliveries.push((u32::from_be_bytes(key.try_into().ok()?), record.to_vec()));
            Some(())
        })?;
        Ok(deliveries)
    }

    /// The record of an answered request.
    pub fn idem(&self, scope: &str, key: &str) -> Result<Option<Idem>, ReadError> {
        self.decoded(&RowKey::idempotency(scope, key), |value| idem_of(scope, key, value))
    }

    /// One item of work; `None` when it is done or was never there.
    pub fn work(&self, key: &WorkKey) -> Result<Option<WorkState>, ReadError> {
        let Some(value) = self.get(Table::Work, &key.row())? else { return Ok(None) };
        WorkState::decode(&value).map(Some).ok_or_else(|| damaged(Table::Work))
    }

    /// When the next item of a kind can be claimed: when a worker should wake up.
    pub fn next_due(&self, kind: Kind) -> Result<Option<Instant>, ReadError> {
        let mut next = None;
        self.each_with(Table::WorkByDue, &due_prefix(kind).done(), 1, |key, _| {
            next = Some(Parts(key).instant()?);
            Some(())
        })?;
        Ok(next)
    }

    /// The end of the audit chain.
    pub fn audit_head(&self) -> Result<AuditHead, ReadError> {
        let Some(value) = self.get(Table::Meta, meta::AUDIT)? else { return Ok(AuditLink::START) };
        AuditLink::take(&mut Parts(&value)).ok_or_else(|| damaged(Table::Meta))
    }

    fn decoded<T>(&self, key: &RowKey, decode: impl FnOnce(&[u8]) -> Option<T>) -> Result<Option<T>, ReadError> {
        let Some(value) = self.row(key)? else { return Ok(None) };
        decode(&value).map(Some).ok_or_else(|| damaged(key.table))
    }

    pub(crate) fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, ReadError> {
        Ok(self.open(table)?.get(key)?.map(|value| value.value().to_vec()))
    }

    /// Rows whose keys begin with a prefix, which is cut off; `visit` answers `None` for a damaged row. Answers whether
    /// there are more than `max`.
    fn each_with(
        &self,
        table: Table,
        prefix: &[u8],
        max: usize,
        mut visit: impl FnMut(&[u8], &[u8]) -> Option<()>,
    ) -> Result<bool, ReadError> {
        let rows = self.open(table)?;
        let range = match after_prefix(prefix) {
            Some(end) => rows.range(prefix..&end[..])?,
            None => rows.range(prefix..)?,
        };
        for (seen, row) in range.enumerate() {
            if seen == max {
                return Ok(true);
            }
            let (key, value) = row?;
            let tail = key.value().get(prefix.len()..).unwrap_or_default();
            visit(tail, value.value()).ok_or_else(|| damaged(table))?;
        }
        Ok(false)
    }

    /// Every row of a table. Answers how many there are.
    pub(crate) fn each<E: From<ReadError>>(
        &self,
        table: Table,
        mut visit: impl FnMut(&[u8], &[u8]) -> Result<(), E>,
    ) -> Result<u64, E> {
        let rows = self.open(table)?;
        for row in rows.iter().map_err(ReadError::from)? {
            let (key, value) = row.map_err(ReadError::from)?;
            visit(key.value(), value.value())?;
        }
        Ok(rows.len().map_err(ReadError::from)?)
    }

    pub(crate) fn open(&self, table: Table) -> Result<OpenTable, ReadError> {
        Ok(self.txn.open_table(table.definition())?)
    }
}

/// A table inside a read transaction.
pub(crate) type OpenTable = redb::ReadOnlyTable<&'static [u8], &'static [u8]>;

fn head_of(table: Table, value: &[u8]) -> Result<Head, ReadError> {
    let mut parts = Parts(value);
    let version = Version(parts.number().ok_or_else(|| damaged(table))?);
    Ok(Head { version, bytes: parts.0.to_vec() })
}

pub(crate) fn journal_row(key: &[u8], value: &[u8]) -> Option<JournalRow> {
    let turn = Version(u64::from_be_bytes(*key.last_chunk()?));
    let mut parts = Parts(value);
    let link = AuditLink::take(&mut parts)?;
    Some(JournalRow { turn, link, record: parts.0.to_vec() })
}

/// A purchase from the part of its key behind customer and stock code.
fn purchase(key: &[u8], facts: &[u8]) -> Option<Purchase> {
    let mut parts = Parts(key);
    let order = OrderId::new(parts.text()?).ok()?;
    Some(Purchase { order, line: u32::from_be_bytes(parts.array()?), facts: facts.to_vec() })
}

fn digest(value: &[u8]) -> Option<Digest> {
    Parts(value).array().map(Digest::from_bytes)
}

pub(crate) fn damaged(table: Table) -> ReadError {
    ReadError::Damaged { table: table.name() }
}
