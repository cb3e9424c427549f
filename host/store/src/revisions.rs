//! Which cases run on which revision: read page by page, and counted as far as somebody wants to know.

use redress_domain::ids::{CaseId, Digest};

use crate::error::ReadError;
use crate::keys::{Parts, after_prefix};
use crate::limits::PAGE_ROWS_MAX;
use crate::row::{Standing, standing_prefix};
use crate::snapshot::{Snapshot, damaged};
use crate::tables::Table;

/// Bytes of a digest, the first part of a key.
const DIGEST_BYTES: usize = 32;

/// How many cases run on a revision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted {
    /// The revision.
    pub revision: Digest,
    /// So many, or more.
    pub cases: usize,
    /// Whether the limit cut some off.
    pub more: bool,
}

/// A case of a revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfRevision {
    /// The case.
    pub case: CaseId,
    /// What came of it, in the engine's bytes; empty for a case that is older than the index.
    pub value: Vec<u8>,
}

impl Snapshot {
    /// Cases of a revision by id, that is by when they were stored, behind a case; at most `limit`, and at most 1,000.
    pub fn cases_of(
        &self,
        revision: Digest,
        standing: Standing,
        after: Option<CaseId>,
        limit: usize,
    ) -> Result<Vec<OfRevision>, ReadError> {
        let table = Table::CasesByRevision;
        let prefix = standing_prefix(revision, standing).done();
        let from = match after {
            Some(case) => [&prefix[..], &case.bytes(), &[0]].concat(),
            None => prefix.clone(),
        };
        let to = after_prefix(&prefix).ok_or_else(|| damaged(table))?;
        let mut cases = Vec::new();
        for row in self.open(table)?.range(&from[..]..&to[..])?.take(limit.min(PAGE_ROWS_MAX)) {
            let (key, value) = row?;
            let case = Parts(key.value().get(prefix.len()..).unwrap_or_default()).case();
            cases.push(OfRevision { case: case.ok_or_else(|| damaged(table))?, value: value.value().to_vec() });
        }
        Ok(cases)
    }

    /// How many cases run on a revision, counted up to `max`.
    pub fn count_open(&self, revision: Digest, max: usize) -> Result<Counted, ReadError> {
        let prefix = standing_prefix(revision, Standing::Open).done();
        let to = after_prefix(&prefix).ok_or_else(|| damaged(Table::CasesByRevision))?;
        let mut cases = 0;
        for row in self.open(Table::CasesByRevision)?.range(&prefix[..]..&to[..])? {
            row?;
            if cases == max {
                return Ok(Counted { revision, cases, more: true });
            }
            cases += 1;
        }
        Ok(Counted { revision, cases, more: false })
    }

    /// Whether a case runs on a revision, or ever did.
    pub fn was_taken(&self, revision: Digest) -> Result<bool, ReadError> {
        let open = self.cases_of(revision, Standing::Open, None, 1)?;
        Ok(!open.is_empty() || !self.cases_of(revision, Standing::Past, None, 1)?.is_empty())
    }

    /// The revisions on which cases run, in no order that means anything; at most `limit`, each by one look and not by its cases.
    pub fn revisions_in_use(&self, limit: usize) -> Result<Vec<Digest>, ReadError> {
        let table = Table::CasesByRevision;
        let (rows, mut found, mut from) = (self.open(table)?, Vec::new(), Vec::new());
        while found.len() < limit {
            let Some(row) = rows.range(&from[..]..)?.next() else { break };
            let key = row?.0.value().to_vec();
            let bytes = key.get(..DIGEST_BYTES).and_then(|bytes| bytes.try_into().ok());
            let revision = Digest::from_bytes(bytes.ok_or_else(|| damaged(table))?);
            if key.get(DIGEST_BYTES) == Some(&(Standing::Open as u8)) {
                found.push(revision);
            }
            let Some(next) = after_prefix(revision.bytes()) else { break };
            from = next;
        }
        Ok(found)
    }
}
