//! The audit chain: every journal row carries its number and a hash over everything before it.
//!
//! `h[n] = SHA-256("v1" ‖ tenant ‖ n ‖ h[n-1] ‖ SHA-256(record))`, with `h[0]` all zero, in the same transaction as the row.
//! *record* is the row as it lies in the table: which journal, its key, its bytes; so a row that is edited, deleted, copied
//! or put in another's place breaks the chain at its number. Whoever rewrites the whole chain with its head is found only by
//! a head that was kept elsewhere: `AuditHead` is what to keep.

use redress_domain::ids::{Digest, TenantId};
use sha2::{Digest as _, Sha256};

use crate::error::ReadError;
use crate::keys::{Key, Parts};
use crate::snapshot::Snapshot;
use crate::tables::Table;

/// How many links are looked at in one pass: 64 MiB of memory, whatever the length of the chain.
const WINDOW: u64 = 1 << 20;

/// One link: its number in the tenant's chain and the hash up to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuditLink {
    /// From 1, without a gap.
    pub n: u64,
    /// The hash over this record and all before it.
    pub hash: Digest,
}

/// The end of the chain: the number of its links and the last hash.
pub type AuditHead = AuditLink;

impl AuditLink {
    /// Before the first record.
    pub const START: Self = Self { n: 0, hash: Digest::from_bytes([0; 32]) };

    /// The link behind this one, for a record.
    pub(crate) fn next(self, tenant: TenantId, record: Digest) -> Self {
        let n = self.n + 1;
        let mut hash = Sha256::new();
        hash.update(b"v1");
        hash.update(tenant.bytes());
        hash.update(n.to_be_bytes());
        hash.update(self.hash.bytes());
        hash.update(record.bytes());
        Self { n, hash: Digest::from_bytes(hash.finalize().into()) }
    }

    pub(crate) fn encode(self) -> Vec<u8> {
        Key::default().number(self.n).rest(self.hash.bytes()).done()
    }

    pub(crate) fn take(parts: &mut Parts<'_>) -> Option<Self> {
        Some(Self { n: parts.number()?, hash: Digest::from_bytes(parts.array()?) })
    }
}

/// The digest of one journal row: the journal, the key and the bytes, so that a row is bound to its place.
pub(crate) fn record_digest(journal: Table, key: &[u8], record: &[u8]) -> Digest {
    let tag: &[u8] = if journal == Table::TenantTurns { b"tenant" } else { b"case" };
    let mut hash = Sha256::new();
    for part in [tag, key] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.update(record);
    Digest::from_bytes(hash.finalize().into())
}

/// What a check of the whole chain found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verified {
    /// Every link fits, up to the head.
    Intact(AuditHead),
    /// The chain is broken; everything before `n` fits.
    Broken {
        /// The first number that is wrong.
        n: u64,
        /// What is wrong with it.
        fault: AuditFault,
    },
}

/// What is wrong with a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuditFault {
    /// No row carries the number: a row was deleted.
    Missing,
    /// Two rows carry the number: a row was copied.
    Repeated,
    /// The row does not fit its hash: it was edited or moved.
    Changed,
    /// The row lies behind the head, or the head's hash is not the last row's: the head was changed.
    Head,
}

/// A row of a journal, as much of it as the chain is about.
struct Found {
    record: Digest,
    hash: Digest,
    repeated: bool,
}

/// Check the whole chain of a tenant and name the first number that is wrong.
///
/// Rows lie by case, links by number: the journals are read once for every million links.
pub fn verify(snapshot: &Snapshot) -> Result<Verified, ReadError> {
    let head = snapshot.audit_head()?;
    let mut last = AuditLink::START;
    loop {
        let (found, beyond) = window(snapshot, last.n, head.n)?;
        for row in found {
            let n = last.n + 1;
            let Some(row) = row else { return Ok(Verified::Broken { n, fault: AuditFault::Missing }) };
            if row.repeated {
                return Ok(Verified::Broken { n, fault: AuditFault::Repeated });
            }
            last = last.next(snapshot.tenant(), row.record);
            if last.hash != row.hash {
                return Ok(Verified::Broken { n, fault: AuditFault::Changed });
            }
        }
        if last.n == head.n {
            let n = beyond.unwrap_or(head.n);
            let fits = beyond.is_none() && last.hash == head.hash;
            return Ok(if fits { Verified::Intact(head) } else { Verified::Broken { n, fault: AuditFault::Head } });
        }
    }
}

/// The rows whose numbers follow `after`, and the lowest number that lies outside of the chain.
fn window(snapshot: &Snapshot, after: u64, head: u64) -> Result<(Vec<Option<Found>>, Option<u64>), ReadError> {
    let count = (head - after).min(WINDOW);
    let mut found: Vec<Option<Found>> = (0..count).map(|_| None).collect();
    let mut beyond: Option<u64> = None;
    for journal in [Table::CaseTurns, Table::TenantTurns] {
        snapshot.each(journal, |key, value| {
            let mut parts = Parts(value);
            let link = AuditLink::take(&mut parts).ok_or(ReadError::Damaged { table: journal.name() })?;
            if link.n == 0 || link.n > head {
                beyond = Some(beyond.map_or(link.n, |n| n.min(link.n)));
            } else if link.n > after && link.n <= after + count {
                let slot = &mut found[(link.n - after - 1) as usize];
                let repeated = slot.is_some();
                *slot = Some(Found { record: record_digest(journal, key, parts.0), hash: link.hash, repeated });
            }
            Ok::<_, ReadError>(())
        })?;
    }
    Ok((found, beyond))
}
