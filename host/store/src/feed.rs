//! The feed: everything that happened to a tenant, one journal row after the other, in the order in which it was stored.
//!
//! A row of the journals has its audit number from the commit that wrote it, and the numbers have no gap. The feed finds the row
//! of a number; a reader that remembers the last number it saw misses nothing and sees nothing twice.

use redress_domain::ids::CaseId;

use crate::batch::{Stream, Version};
use crate::error::ReadError;
use crate::keys::{Key, Parts};
use crate::snapshot::{Snapshot, damaged, journal_row};
use crate::tables::Table;

/// In front of the key of a case's turn.
const CASE: u8 = 1;
/// In front of the key of a turn of the tenant's own stream.
const TENANT: u8 = 2;

/// One turn of any stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fed {
    /// Its place in the order of everything: its audit number, from 1, without a gap.
    pub n: u64,
    /// Whose turn it is; a case, or the tenant.
    pub stream: Stream,
    /// Which turn of the stream.
    pub turn: Version,
    /// The engine's bytes.
    pub record: Vec<u8>,
}

impl Snapshot {
    /// What happened behind a number, at most `limit` turns; from the beginning behind 0.
    pub fn feed(&self, after: u64, limit: usize) -> Result<Vec<Fed>, ReadError> {
        let Some(first) = after.checked_add(1) else { return Ok(Vec::new()) };
        let mut fed = Vec::new();
        for row in self.open(Table::Feed)?.range(&first.to_be_bytes()[..]..)?.take(limit) {
            let (key, place) = row?;
            let n = Parts(key.value()).number().ok_or_else(|| damaged(Table::Feed))?;
            fed.push(self.fed(n, place.value())?);
        }
        Ok(fed)
    }

    fn fed(&self, n: u64, place: &[u8]) -> Result<Fed, ReadError> {
        let (journal, key) = journal_at(place).ok_or_else(|| damaged(Table::Feed))?;
        let stream = stream_of(journal, key).ok_or_else(|| damaged(Table::Feed))?;
        let value = self.get(journal, key)?.ok_or_else(|| damaged(Table::Feed))?;
        let row = journal_row(key, &value).ok_or_else(|| damaged(journal))?;
        // The row says itself which number it has: a feed that leads elsewhere is damaged.
        if row.link.n != n {
            return Err(damaged(Table::Feed));
        }
        Ok(Fed { n, stream, turn: row.turn, record: row.record })
    }
}

/// Where a journal row lies, as the feed keeps it.
pub(crate) fn place(journal: Table, key: &[u8]) -> Vec<u8> {
    let tag = if journal == Table::TenantTurns { TENANT } else { CASE };
    Key::default().byte(tag).rest(key).done()
}

fn journal_at(place: &[u8]) -> Option<(Table, &[u8])> {
    match place.split_first()? {
        (&CASE, key) => Some((Table::CaseTurns, key)),
        (&TENANT, key) => Some((Table::TenantTurns, key)),
        _ => None,
    }
}

fn stream_of(journal: Table, key: &[u8]) -> Option<Stream> {
    if journal == Table::TenantTurns {
        return Some(Stream::Tenant);
    }
    Parts(key).array().map(CaseId::from_bytes).map(Stream::Case)
}
