//! Listings: a closed list of them, read page by page in either direction.

use redress_domain::clock::Instant;
use redress_domain::ids::{CaseId, CustomerId, Digest, OrderId, TaskId};

use crate::error::ReadError;
use crate::keys::{Key, Parts, after_prefix};
use crate::limits::PAGE_ROWS_MAX;
use crate::snapshot::Snapshot;
use crate::tables::Table;
use crate::work::{Kind, due_prefix};

/// What can be listed, and in which order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scan {
    /// Cases by business time. Rows have `at`, `case` and the listing.
    CasesByOpened,
    /// A customer's cases by business time. Rows have `at`, `case` and the listing.
    CasesByCustomer(CustomerId),
    /// Cases that an import opened, by external id. Rows have `name`; the value is the case and the content digest.
    CasesByExternal(String),
    /// All tasks by id. Rows have `task`.
    Tasks,
    /// A queue's tasks, most urgent first. Rows have `at` (when it is due), `task` and the listing.
    TasksByQueue(String),
    /// Orders by their number. Rows have `name` and the document.
    Orders,
    /// What an import has taken, by external id. Rows have `name`; the value is the content digest.
    Imports(String),
    /// Work of a kind, by when it can be claimed. Rows have `at` and, as `tail`, the item's key.
    Work(Kind),
    /// Effects in a state, the earliest first. Rows have `at` and `digest`.
    EffectsByState(String),
    /// Records of answered requests. Rows have `idem`; the value is the request's digest and the answer.
    Idempotency,
    /// Published revisions by digest. Rows have `digest`.
    Revisions,
    /// Pointers whose names begin with a text. Rows have `name`, behind that text.
    Pointers(String),
    /// The merchant's own cases of a plugin's name, by their names. Rows have `name`.
    PluginCases(String),
    /// What doors handed in, by path. Rows have `name`; the value is the content digest.
    Doors,
}

/// Which way a listing is read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Direction {
    /// From the first key on.
    #[default]
    Forward,
    /// From the last key back: newest first.
    Backward,
}

/// Where the next page begins. Opaque; good for the same listing only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor(Vec<u8>);

impl Cursor {
    /// The cursor's bytes, to hand it out.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// A cursor that comes back. It is checked when it is used.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        Self(bytes.to_vec())
    }
}

/// One page of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The rows, in the direction asked for.
    pub rows: Vec<Listed>,
    /// Where to go on; `None` at the end.
    pub next: Option<Cursor>,
}

/// One row of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The instant that the listing is ordered by, where it is.
    pub at: Option<Instant>,
    /// The rest of the key, behind what the listing fixes.
    pub tail: Vec<u8>,
    /// The row's value.
    pub value: Vec<u8>,
}

impl Listed {
    /// The case that the row is about, in listings of cases.
    pub fn case(&self) -> Option<CaseId> {
        Parts(&self.tail).case()
    }

    /// The task that the row is about, in listings of tasks.
    pub fn task(&self) -> Option<TaskId> {
        Parts(&self.tail).task()
    }

    /// The name that the row has, in listings by name.
    pub fn name(&self) -> Option<&str> {
        str::from_utf8(&self.tail).ok()
    }

    /// The order that the row is about, in the listing of orders.
    pub fn order(&self) -> Option<OrderId> {
        OrderId::new(self.name()?).ok()
    }

    /// The digest that the row is about, in the listings of revisions and effects.
    pub fn digest(&self) -> Option<Digest> {
        Parts(&self.tail).array().map(Digest::from_bytes)
    }

    /// The scope and the key of the request that the row is about, in the listing of answered requests.
    pub fn idem(&self) -> Option<(String, String)> {
        let mut parts = Parts(&self.tail);
        let scope = parts.text()?.to_owned();
        Some((scope, str::from_utf8(parts.0).ok()?.to_owned()))
    }
}

impl Scan {
    /// The table, the part of the key that is fixed, and whether an instant follows it.
    fn place(&self) -> (Table, Vec<u8>, bool) {
        let text = |text: &str| Key::default().text(text).done();
        match self {
            Self::CasesByOpened => (Table::CasesByOpened, Vec::new(), true),
            Self::CasesByCustomer(customer) => (Table::CasesByCustomer, text(customer.as_str()), true),
            Self::CasesByExternal(source) => (Table::CasesByExternal, text(source), false),
            Self::Tasks => (Table::Tasks, Vec::new(), false),
            Self::TasksByQueue(queue) => (Table::TasksByQueue, text(queue), true),
            Self::Orders => (Table::Orders, Vec::new(), false),
            Self::Imports(source) => (Table::Imports, text(source), false),
            Self::Work(kind) => (Table::WorkByDue, due_prefix(*kind).done(), true),
            Self::EffectsByState(state) => (Table::EffectsByState, text(state), true),
            Self::Idempotency => (Table::Idempotency, Vec::new(), false),
            Self::Revisions => (Table::Revisions, Vec::new(), false),
            Self::Pointers(prefix) => (Table::Pointers, prefix.as_bytes().to_vec(), false),
            Self::PluginCases(plugin) => (Table::PluginCases, text(plugin), false),
            Self::Doors => (Table::Doors, Vec::new(), false),
        }
    }
}

impl Scan {
    /// A place in a listing that goes by time: read backward, what lies behind it is earlier than the instant.
    pub fn before(&self, at: Instant) -> Cursor {
        let (_, prefix, _) = self.place();
        Cursor(Key::default().rest(&prefix).instant(at).done())
    }
}

impl Snapshot {
    /// One page of a listing: at most `limit` rows (and at most 1,000), behind a cursor or from the start.
    pub fn scan(
        &self,
        scan: &Scan,
        direction: Direction,
        cursor: Option<&Cursor>,
        limit: usize,
    ) -> Result<Page, ReadError> {
        let (table, prefix, timed) = scan.place();
        let limit = limit.clamp(1, PAGE_ROWS_MAX);
        let (from, to) = bounds(&prefix, direction, cursor)?;
        let rows = self.open(table)?;
        let mut range = match &to {
            Some(to) => rows.range(&from[..]..&to[..])?,
            None => rows.range(&from[..]..)?,
        };
        let mut page = Page { rows: Vec::new(), next: None };
        let mut last = Vec::new();
        while let Some(row) = if direction == Direction::Forward { range.next() } else { range.next_back() } {
            if page.rows.len() == limit {
                page.next = Some(Cursor(last));
                break;
            }
            let (key, value) = row?;
            let mut parts = Parts(key.value().get(prefix.len()..).unwrap_or_default());
            let at =
                if timed { Some(parts.instant().ok_or(ReadError::Damaged { table: table.name() })?) } else { None };
            page.rows.push(Listed { at, tail: parts.0.to_vec(), value: value.value().to_vec() });
            last = key.value().to_vec();
        }
        Ok(page)
    }
}

/// From which key, and up to but not including which key, a page reads.
fn bounds(
    prefix: &[u8],
    direction: Direction,
    cursor: Option<&Cursor>,
) -> Result<(Vec<u8>, Option<Vec<u8>>), ReadError> {
    let end = after_prefix(prefix);
    let Some(Cursor(last)) = cursor else { return Ok((prefix.to_vec(), end)) };
    if !last.starts_with(prefix) {
        return Err(ReadError::ForeignCursor);
    }
    Ok(match direction {
        // The key right behind the last one.
        Direction::Forward => ([&last[..], &[0]].concat(), end),
        Direction::Backward => (prefix.to_vec(), Some(last.clone())),
    })
}
