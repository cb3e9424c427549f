//! The batch: everything that one turn commits, and how it can be refused.

use std::collections::BTreeSet;
use std::fmt;

use redress_domain::ids::{CaseId, Digest, OrderId};

use crate::error::Fault;
use crate::limits::{BATCH_BYTES_MAX, BATCH_ROWS_MAX, BATCH_STREAMS_MAX, KEY_BYTES_MAX};
use crate::row::Row;
use crate::work::WorkChanges;

/// How often a stream has moved. A case's version is the number of its last turn.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(pub u64);

impl Version {
    /// Of a stream that does not exist yet.
    pub const NONE: Self = Self(0);

    /// The version after the next change.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Something with versions, on which a batch may depend.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stream {
    /// One customer matter: journal and snapshot.
    Case(CaseId),
    /// What is reserved, returned and refunded of one order. It has no journal: the case's entry tells what was taken.
    Ledger(OrderId),
    /// The tenant's own matters: publishing, keys, activations, imports. Journal and state.
    Tenant,
}

impl fmt::Display for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Case(case) => case.fmt(f),
            Self::Ledger(order) => write!(f, "ledger of order {order}"),
            Self::Tenant => f.write_str("tenant"),
        }
    }
}

/// Everything that is stored together, or not at all.
///
/// A stream moves on by one version exactly when the batch holds a head for it; a stream that is only expected is checked and
/// left alone. The head of a case or of the tenant comes with its entry, the journal row of the turn.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Batch {
    /// The versions that the decision was made on, each stream once, at most 64.
    pub expect: Vec<(Stream, Version)>,
    /// Journal rows, at most one a stream. The turn's number is the stream's new version.
    pub entries: Vec<(Stream, Vec<u8>)>,
    /// New snapshots, at most one a stream.
    pub heads: Vec<(Stream, Vec<u8>)>,
    /// What is to be done later, and what is done.
    pub work: WorkChanges,
    /// Facts and indexes, each key once.
    pub rows: Vec<Row>,
    /// The request that this batch answers, if it may be repeated.
    pub idem: Option<Idem>,
}

/// The record of a request and its answer. The store keeps it under (scope, key), once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Idem {
    /// Who may repeat the request: the key of one caller means nothing to another.
    pub scope: String,
    /// The caller's idempotency key.
    pub key: String,
    /// The digest of the request, so that another request under the same key is told apart.
    pub body: Digest,
    /// What was answered.
    pub answer: Vec<u8>,
}

/// What became of a stored batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Appended {
    /// The new versions of the streams that moved, in the order of `expect`.
    pub versions: Vec<(Stream, Version)>,
    /// The number of the last audit link after this batch.
    pub audit: u64,
}

/// Why a batch was not stored. Except after `Unknown` it left no trace.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AppendError {
    /// A stream is not where the decision saw it. Load again and decide again.
    #[error("{stream} is at version {found}, expected {expected}")]
    Conflict {
        /// The stream that moved.
        stream: Stream,
        /// What the batch expected.
        expected: Version,
        /// Where the stream is.
        found: Version,
    },
    /// The request was answered before; here is the record of it.
    #[error("request was answered before under the idempotency key {:?}", .0.key)]
    Duplicate(Box<Idem>),
    /// A row that must be new is there already.
    #[error("row of table {table} exists already")]
    NotUnique {
        /// The table's name.
        table: &'static str,
    },
    /// The lease of a work item was lost: it ended and someone else claimed the item, or the item is gone.
    #[error("lease of a work item was lost")]
    Fenced,
    /// The batch is larger than a limit; it can never be stored.
    #[error("batch has {found} {what}, at most {max} are stored at once")]
    TooLarge {
        /// What there is too much of.
        what: &'static str,
        /// How much there is.
        found: usize,
        /// The limit.
        max: usize,
    },
    /// The batch contradicts itself: a bug of the caller.
    #[error("batch is malformed: {0}")]
    Malformed(&'static str),
    /// The queue of the writer is full. Try again later.
    #[error("writer's queue is full, a retry may succeed")]
    Full,
    /// An earlier I/O error stopped all writing until the next start.
    #[error("store is read-only after an error, restart to try again")]
    ReadOnly,
    /// The commit failed midway: the batch may be stored or not. Read it again by its idempotency key, version or claim.
    #[error("commit failed, whether the batch is stored is unknown")]
    Unknown(#[source] Fault),
    /// The disk or the file failed before the commit; the batch is not stored.
    #[error("store could not be written")]
    Io(#[source] Fault),
}

impl Batch {
    /// Take a case or the tenant one turn on from the version that was seen.
    pub fn turn(&mut self, stream: Stream, seen: Version, entry: Vec<u8>, head: Vec<u8>) -> &mut Self {
        self.entries.push((stream.clone(), entry));
        self.moved(stream, seen, head)
    }

    /// Take from the ledger of an order, as it was seen.
    pub fn take(&mut self, order: OrderId, seen: Version, ledger: Vec<u8>) -> &mut Self {
        self.moved(Stream::Ledger(order), seen, ledger)
    }

    /// Depend on a stream without changing it.
    pub fn depend(&mut self, stream: Stream, seen: Version) -> &mut Self {
        self.expect.push((stream, seen));
        self
    }

    fn moved(&mut self, stream: Stream, seen: Version, head: Vec<u8>) -> &mut Self {
        self.heads.push((stream.clone(), head));
        self.depend(stream, seen)
    }

    /// Everything that can be refused without looking at the store. Answers the batch's size in bytes.
    pub(crate) fn check(&self) -> Result<usize, AppendError> {
        self.check_streams()?;
        self.work.check()?;
        within("streams", self.expect.len(), BATCH_STREAMS_MAX)?;
        within("rows", self.rows.len() + self.work.len(), BATCH_ROWS_MAX)?;
        if !all_distinct(self.rows.iter().map(Row::key)) {
            return Err(AppendError::Malformed("a row is changed twice"));
        }
        let idem_key = self.idem.iter().map(|idem| idem.scope.len() + idem.key.len() + size_of::<u16>());
        let row_keys = self.rows.iter().map(|row| row.key().bytes.len());
        within("bytes of a key", row_keys.chain(idem_key).max().unwrap_or(0), KEY_BYTES_MAX)?;
        let size = self.size();
        within("bytes", size, BATCH_BYTES_MAX)?;
        Ok(size)
    }

    fn check_streams(&self) -> Result<(), AppendError> {
        let expected: BTreeSet<_> = self.expect.iter().map(|(stream, _)| stream).collect();
        let entries: BTreeSet<_> = self.entries.iter().map(|(stream, _)| stream).collect();
        let heads: BTreeSet<_> = self.heads.iter().map(|(stream, _)| stream).collect();
        let repeated =
            expected.len() < self.expect.len() || entries.len() < self.entries.len() || heads.len() < self.heads.len();
        let fault = if repeated {
            "a stream is named twice"
        } else if !heads.is_subset(&expected) {
            "a head's stream is not expected at a version"
        } else if entries.iter().any(|stream| matches!(stream, Stream::Ledger(_))) {
            "a ledger has no journal"
        } else if heads.iter().any(|stream| !matches!(stream, Stream::Ledger(_)) && !entries.contains(stream)) {
            "a head has no entry"
        } else if !entries.is_subset(&heads) {
            "an entry has no head"
        } else {
            return Ok(());
        };
        Err(AppendError::Malformed(fault))
    }

    fn size(&self) -> usize {
        let streams = self.entries.iter().chain(&self.heads).map(|(_, bytes)| bytes.len());
        let rows = self.rows.iter().map(Row::size);
        let idem = self.idem.iter().map(|idem| idem.scope.len() + idem.key.len() + idem.answer.len());
        streams.chain(rows).chain(idem).sum::<usize>() + self.work.size()
    }
}

/// Refuse what is larger than its limit.
pub(crate) fn within(what: &'static str, found: usize, max: usize) -> Result<(), AppendError> {
    if found > max { Err(AppendError::TooLarge { what, found, max }) } else { Ok(()) }
}

/// Whether nothing occurs twice.
pub(crate) fn all_distinct<T: Ord>(mut items: impl Iterator<Item = T>) -> bool {
    let mut seen = BTreeSet::new();
    items.all(|item| seen.insert(item))
}
