//! What the tests share: stores to run against, batches to put in, and names.

use redress_domain::clock::{Instant, Span};
use redress_domain::ids::{CaseId, CustomerId, Digest, OrderId, Sku, TaskId, TenantId};
use tempfile::TempDir;

use crate::batch::{AppendError, Appended, Batch, Idem, Stream, Version};
use crate::row::Row;
use crate::tenant::{Config, TenantStore};
use crate::work::{ClaimRequest, Kind, WorkItem, WorkKey};

/// Where a test's store lives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum On {
    Memory,
    File,
}

/// Run a test against every kind of store.
pub(super) fn everywhere(test: impl Fn(&World)) {
    for on in [On::Memory, On::File] {
        test(&World::new(on));
    }
}

pub(super) struct World {
    pub(super) store: TenantStore,
    pub(super) folder: TempDir,
}

impl World {
    pub(super) fn new(on: On) -> Self {
        let folder = TempDir::new().unwrap();
        let store = match on {
            On::Memory => TenantStore::open_in_memory(tenant()),
            On::File => TenantStore::create(folder.path(), tenant(), Config::default()),
        };
        Self { store: store.unwrap(), folder }
    }

    pub(super) fn append(&self, batch: Batch) -> Result<Appended, AppendError> {
        self.store.append(batch)
    }
}

pub(super) fn tenant() -> TenantId {
    TenantId::mint(at(0), 7)
}

pub(super) fn at(millis: i64) -> Instant {
    Instant::from_unix_ms(millis)
}

pub(super) fn case(n: u8) -> CaseId {
    CaseId::mint(at(i64::from(n)), u128::from(n))
}

pub(super) fn task(n: u8) -> TaskId {
    TaskId::mint(at(i64::from(n)), u128::from(n))
}

pub(super) fn order(name: &str) -> OrderId {
    OrderId::new(name).unwrap()
}

pub(super) fn customer(name: &str) -> CustomerId {
    CustomerId::new(name).unwrap()
}

pub(super) fn sku(name: &str) -> Sku {
    Sku::new(name).unwrap()
}

pub(super) fn bytes(text: &str) -> Vec<u8> {
    text.as_bytes().to_vec()
}

/// A turn of a case: its entry and head say which.
pub(super) fn turn(case: CaseId, seen: u64) -> Batch {
    let text = |what| format!("{what} {} of {case}", seen + 1).into_bytes();
    let mut batch = Batch::default();
    batch.turn(Stream::Case(case), Version(seen), text("turn"), text("state"));
    batch
}

/// The same, taking from an order's ledger as well.
pub(super) fn taking(mut batch: Batch, from: &str, seen: u64) -> Batch {
    batch.take(order(from), Version(seen), format!("ledger {}", seen + 1).into_bytes());
    batch
}

pub(super) fn rows(rows: impl IntoIterator<Item = Row>) -> Batch {
    Batch { rows: rows.into_iter().collect(), ..Batch::default() }
}

pub(super) fn idem(key: &str, body: &str, answer: &str) -> Idem {
    Idem { scope: "ada".to_owned(), key: key.to_owned(), body: Digest::of(body.as_bytes()), answer: bytes(answer) }
}

pub(super) fn effect(key: &str) -> WorkKey {
    WorkKey { kind: Kind::Effect, key: bytes(key) }
}

pub(super) fn due(key: &str, millis: i64) -> WorkItem {
    WorkItem { key: effect(key), due: at(millis), payload: format!("do {key}").into_bytes() }
}

/// A claim of effects at a time, for a lease of 100 ms.
pub(super) fn claiming(now: i64) -> ClaimRequest {
    let who = "worker".to_owned();
    ClaimRequest { who, kinds: vec![Kind::Effect], max: 10, lease: Span::from_millis(100), now: at(now) }
}
