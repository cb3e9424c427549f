//! One batch inside an open write transaction: every check before the first write, then the writes.
//!
//! The checks read through the transaction, so a batch sees the batches before it in the same commit. A refused batch has
//! written nothing; an error of the database ends the whole group.

use std::collections::BTreeMap;

use redb::{ReadableTable, WriteTransaction};
use redress_domain::clock::Instant;
use redress_domain::ids::{Digest, TenantId};

use crate::audit::{AuditLink, record_digest};
use crate::batch::{AppendError, Appended, Batch, Idem, Stream, Version};
use crate::error::{Fault, ReadError};
use crate::feed;
use crate::keys::{Key, Parts};
use crate::limits::CLAIM_MAX;
use crate::row::{Row, RowKey};
use crate::tables::{Table, meta};
use crate::work::{Claim, ClaimRef, ClaimRequest, Kind, WorkChanges, WorkKey, WorkState, due_prefix, holder};

/// Why a batch did not go through.
pub(crate) enum Stop {
    /// The rules of the batch: nothing was written, the group goes on.
    Refused(AppendError),
    /// The database: the transaction is lost, and with it the group.
    Broken(Fault),
}

impl<E: Into<Fault>> From<E> for Stop {
    fn from(fault: E) -> Self {
        Self::Broken(fault.into())
    }
}

type OpenTable<'txn> = redb::Table<'txn, &'static [u8], &'static [u8]>;

/// The tables of one write transaction, opened when first touched, and what the group shares.
pub(crate) struct Group<'txn> {
    txn: &'txn WriteTransaction,
    open: BTreeMap<Table, OpenTable<'txn>>,
    tenant: TenantId,
    audit: AuditLink,
    epoch: u64,
    stored: (AuditLink, u64),
    rows: u64,
}

/// The stream's place in the tables: its head, and its journal if it has one.
pub(crate) fn head_row(stream: &Stream) -> (Table, Vec<u8>) {
    match stream {
        Stream::Case(case) => (Table::CaseHeads, case.bytes().to_vec()),
        Stream::Ledger(order) => (Table::LedgerHeads, order.as_str().as_bytes().to_vec()),
        Stream::Tenant => (Table::TenantHeads, Vec::new()),
    }
}

/// The journal row of a turn.
pub(crate) fn turn_row(stream: &Stream, turn: Version) -> (Table, Vec<u8>) {
    let (heads, key) = head_row(stream);
    let journal = if heads == Table::TenantHeads { Table::TenantTurns } else { Table::CaseTurns };
    (journal, Key::default().rest(&key).number(turn.0).done())
}

/// The record behind an idempotency row.
pub(crate) fn idem_of(scope: &str, key: &str, value: &[u8]) -> Option<Idem> {
    let mut parts = Parts(value);
    let body = Digest::from_bytes(parts.array()?);
    Some(Idem { scope: scope.to_owned(), key: key.to_owned(), body, answer: parts.0.to_vec() })
}

impl<'txn> Group<'txn> {
    pub(crate) fn new(txn: &'txn WriteTransaction, tenant: TenantId) -> Result<Self, Stop> {
        let start = AuditLink::START;
        let mut group =
            Self { txn, open: BTreeMap::new(), tenant, audit: start, epoch: 0, stored: (start, 0), rows: 0 };
        if let Some(link) = group.get(Table::Meta, meta::AUDIT)? {
            group.audit = AuditLink::take(&mut Parts(&link)).ok_or_else(|| damaged(Table::Meta))?;
        }
        if let Some(epoch) = group.get(Table::Meta, meta::EPOCH)? {
            group.epoch = Parts(&epoch).number().ok_or_else(|| damaged(Table::Meta))?;
        }
        group.stored = (group.audit, group.epoch);
        Ok(group)
    }

    /// Check a batch and write it.
    pub(crate) fn append(&mut self, batch: &Batch) -> Result<Appended, Stop> {
        self.check_idem(batch)?;
        self.check_streams(batch)?;
        self.check_rows(batch)?;
        self.check_work(&batch.work)?;

        let versions = self.write_streams(batch)?;
        self.write_work(&batch.work)?;
        for row in &batch.rows {
            match row {
                Row::Put(key, value) | Row::PutNew(key, value) => self.put(key.table, &key.bytes, value)?,
                Row::Delete(key) => self.delete(key.table, &key.bytes)?,
            }
        }
        if let Some(idem) = &batch.idem {
            let value = Key::default().rest(idem.body.bytes()).rest(&idem.answer).done();
            self.put(Table::Idempotency, &RowKey::idempotency(&idem.scope, &idem.key).bytes, &value)?;
        }
        Ok(Appended { versions, audit: self.audit.n })
    }

    /// Lease what is due, the longest waiting first within each kind.
    pub(crate) fn claim(&mut self, request: &ClaimRequest) -> Result<Vec<Claim>, Stop> {
        let mut claims = Vec::new();
        for &kind in &request.kinds {
            for key in self.due(kind, request.now, request.max.min(CLAIM_MAX) - claims.len())? {
                claims.push(self.lease(key, request)?);
            }
        }
        Ok(claims)
    }

    /// Write what the group shares. Answers how many rows were written; with 0 there is nothing to commit.
    pub(crate) fn finish(mut self) -> Result<u64, Stop> {
        if self.audit != self.stored.0 {
            self.put(Table::Meta, meta::AUDIT, &self.audit.encode())?;
        }
        if self.epoch != self.stored.1 {
            self.put(Table::Meta, meta::EPOCH, &self.epoch.to_be_bytes())?;
        }
        Ok(self.rows)
    }

    fn check_idem(&mut self, batch: &Batch) -> Result<(), Stop> {
        let Some(idem) = &batch.idem else { return Ok(()) };
        match self.get(Table::Idempotency, &RowKey::idempotency(&idem.scope, &idem.key).bytes)? {
            None => Ok(()),
            Some(value) => {
                let earlier = idem_of(&idem.scope, &idem.key, &value).ok_or_else(|| damaged(Table::Idempotency))?;
                Err(Stop::Refused(AppendError::Duplicate(Box::new(earlier))))
            }
        }
    }

    fn check_streams(&mut self, batch: &Batch) -> Result<(), Stop> {
        for (stream, expected) in &batch.expect {
            let (table, key) = head_row(stream);
            let found = match self.get(table, &key)? {
                None => Version::NONE,
                Some(head) => Version(Parts(&head).number().ok_or_else(|| damaged(table))?),
            };
            if found != *expected {
                let (stream, expected) = (stream.clone(), *expected);
                return Err(Stop::Refused(AppendError::Conflict { stream, expected, found }));
            }
        }
        Ok(())
    }

    fn check_rows(&mut self, batch: &Batch) -> Result<(), Stop> {
        for row in &batch.rows {
            if let Row::PutNew(key, _) = row
                && self.get(key.table, &key.bytes)?.is_some()
            {
                return Err(Stop::Refused(AppendError::NotUnique { table: key.table() }));
            }
        }
        Ok(())
    }

    fn check_work(&mut self, work: &WorkChanges) -> Result<(), Stop> {
        for claim in work.finish.iter().chain(work.renew.iter().map(|(claim, _)| claim)) {
            self.held(claim)?;
        }
        let freed = work.freed();
        for item in &work.put {
            if !freed.contains(&item.key) && self.get(Table::Work, &item.key.row())?.is_some() {
                return Err(Stop::Refused(AppendError::NotUnique { table: Table::Work.name() }));
            }
        }
        Ok(())
    }

    fn write_streams(&mut self, batch: &Batch) -> Result<Vec<(Stream, Version)>, Stop> {
        let mut versions = Vec::with_capacity(batch.heads.len());
        for (stream, expected) in &batch.expect {
            let Some((_, head)) = batch.heads.iter().find(|(head, _)| head == stream) else { continue };
            let version = expected.next();
            let (table, key) = head_row(stream);
            self.put(table, &key, &Key::default().number(version.0).rest(head).done())?;
            if let Some((_, record)) = batch.entries.iter().find(|(entry, _)| entry == stream) {
                let (journal, key) = turn_row(stream, version);
                self.audit = self.audit.next(self.tenant, record_digest(journal, &key, record));
                self.put(journal, &key, &[&self.audit.encode()[..], record].concat())?;
                self.put(Table::Feed, &self.audit.n.to_be_bytes(), &feed::place(journal, &key))?;
            }
            versions.push((stream.clone(), version));
        }
        Ok(versions)
    }

    fn write_work(&mut self, work: &WorkChanges) -> Result<(), Stop> {
        for key in work.freed() {
            if let Some(state) = self.work(key)? {
                self.delete(Table::WorkByDue, &key.due_row(state.visible))?;
                self.delete(Table::Work, &key.row())?;
            }
        }
        for (claim, until) in &work.renew {
            let state = self.held(claim)?;
            self.move_work(&claim.key, state.visible, &WorkState { visible: *until, ..state })?;
        }
        for item in &work.put {
            let state = WorkState::new(item);
            self.put(Table::Work, &item.key.row(), &state.encode())?;
            self.put(Table::WorkByDue, &item.key.due_row(state.visible), &[])?;
        }
        Ok(())
    }

    /// The item behind a claim, if the claim still holds it.
    fn held(&mut self, claim: &ClaimRef) -> Result<WorkState, Stop> {
        let state = self.work(&claim.key)?.filter(|state| state.epoch == claim.epoch && claim.epoch != 0);
        state.ok_or(Stop::Refused(AppendError::Fenced))
    }

    fn work(&mut self, key: &WorkKey) -> Result<Option<WorkState>, Stop> {
        let Some(value) = self.get(Table::Work, &key.row())? else { return Ok(None) };
        Ok(Some(WorkState::decode(&value).ok_or_else(|| damaged(Table::Work))?))
    }

    /// What can be claimed now: never claimed and due, or its lease has ended.
    fn due(&mut self, kind: Kind, now: Instant, max: usize) -> Result<Vec<WorkKey>, Stop> {
        let start = due_prefix(kind).done();
        let end = due_prefix(kind).instant(Instant::from_unix_ms(now.unix_ms().saturating_add(1))).done();
        let fixed = start.len() + size_of::<u64>();
        let mut keys = Vec::new();
        for row in self.table(Table::WorkByDue)?.range(&start[..]..&end[..])?.take(max) {
            let (key, _) = row?;
            keys.push(WorkKey { kind, key: key.value().get(fixed..).unwrap_or_default().to_vec() });
        }
        Ok(keys)
    }

    fn lease(&mut self, key: WorkKey, request: &ClaimRequest) -> Result<Claim, Stop> {
        let state = self.work(&key)?.ok_or_else(|| damaged(Table::WorkByDue))?;
        self.epoch += 1;
        let until = request.now.after(request.lease);
        let leased = WorkState { visible: until, epoch: self.epoch, holder: holder(&request.who), ..state.clone() };
        self.move_work(&key, state.visible, &leased)?;
        let claim = ClaimRef { key, epoch: self.epoch };
        Ok(Claim { claim, due: state.due, until, payload: state.payload })
    }

    fn move_work(&mut self, key: &WorkKey, from: Instant, to: &WorkState) -> Result<(), Stop> {
        self.delete(Table::WorkByDue, &key.due_row(from))?;
        self.put(Table::WorkByDue, &key.due_row(to.visible), &[])?;
        self.put(Table::Work, &key.row(), &to.encode())
    }

    fn table(&mut self, table: Table) -> Result<&mut OpenTable<'txn>, Stop> {
        if !self.open.contains_key(&table) {
            self.open.insert(table, self.txn.open_table(table.definition())?);
        }
        self.open.get_mut(&table).ok_or_else(|| damaged(table))
    }

    fn get(&mut self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, Stop> {
        Ok(self.table(table)?.get(key)?.map(|value| value.value().to_vec()))
    }

    fn put(&mut self, table: Table, key: &[u8], value: &[u8]) -> Result<(), Stop> {
        self.table(table)?.insert(key, value)?;
        self.rows += 1;
        Ok(())
    }

    fn delete(&mut self, table: Table, key: &[u8]) -> Result<(), Stop> {
        if self.table(table)?.remove(key)?.is_some() {
            self.rows += 1;
        }
        Ok(())
    }
}

/// A row that is not what its table says ends the group: nothing may be decided on a damaged file.
fn damaged(table: Table) -> Stop {
    Stop::Broken(Fault::new(ReadError::Damaged { table: table.name() }))
}
