//! Older files: the step from each format to the next, all of them in one commit. A crash leaves the file as it was, or as it
//! should be; the next open begins again or finds nothing to do.

use std::path::Path;

use redb::{Database, ReadableTable, WriteTransaction};
use redress_domain::case::Case;
use redress_domain::codec;

use crate::append::begin_durable;
use crate::audit::AuditLink;
use crate::error::{Fault, OpenError};
use crate::feed;
use crate::file;
use crate::host::KEYS;
use crate::keys::Parts;
use crate::row::{Standing, standing_prefix};
use crate::snapshot::damaged;
use crate::tables::{FORMAT, Table, meta};

/// Brings a file from one format to the next, inside the commit that also writes the new format.
type Step = fn(&WriteTransaction) -> Result<(), Fault>;

/// Of a tenant's file; the first brings format 1 to 2.
pub(crate) const TENANT: &[Step] = &[tenant_to_2, tenant_to_3, tenant_to_4];
/// Of the system file, which counts its formats together with the tenants' files.
pub(crate) const SYSTEM: &[Step] = &[system_to_2, unchanged, unchanged];

// A new format does not compile without its steps.
const _: () = assert!(TENANT.len() as u64 == FORMAT - 1 && SYSTEM.len() as u64 == FORMAT - 1);

/// Bring an open file to the format of this program. One that has it already is left alone; newer ones were refused before.
pub(crate) fn bring_up(database: &Database, steps: &[Step], path: &Path) -> Result<(), OpenError> {
    let attempt = "brought to the format of this program";
    take(database, steps).map_err(|source| OpenError::Io { attempt, path: path.to_owned(), source })
}

fn take(database: &Database, steps: &[Step]) -> Result<(), Fault> {
    let found = file::format(database)?.unwrap_or(FORMAT);
    if found >= FORMAT {
        return Ok(());
    }
    let txn = begin_durable(database)?;
    for (_, step) in (1..).zip(steps).filter(|(from, _)| found <= *from) {
        step(&txn)?;
    }
    txn.open_table(Table::Meta.definition())?.insert(meta::FORMAT, &FORMAT.to_be_bytes()[..])?;
    txn.commit()?;
    tracing::info!(format.from = found, format.to = FORMAT, "file was brought from format {found} to {FORMAT}");
    Ok(())
}

/// The feed, made from the journals: every row holds its audit number. The tables of effects and deliveries, empty.
fn tenant_to_2(txn: &WriteTransaction) -> Result<(), Fault> {
    for table in [Table::Effects, Table::EffectsByState, Table::Deliveries] {
        txn.open_table(table.definition())?;
    }
    let mut fed = txn.open_table(Table::Feed.definition())?;
    for journal in [Table::CaseTurns, Table::TenantTurns] {
        for row in txn.open_table(journal.definition())?.iter()? {
            let (key, value) = row?;
            let link = AuditLink::take(&mut Parts(value.value()));
            let link = link.ok_or_else(|| Fault::new(damaged(journal)))?;
            fed.insert(&link.n.to_be_bytes()[..], &feed::place(journal, key.value())[..])?;
        }
    }
    Ok(())
}

/// The cases of each revision, made from their snapshots. One that cannot be read is told and left out: it could not run before.
fn tenant_to_3(txn: &WriteTransaction) -> Result<(), Fault> {
    let mut by_revision = txn.open_table(Table::CasesByRevision.definition())?;
    for row in txn.open_table(Table::CaseHeads.definition())?.iter()? {
        let (key, value) = row?;
        let mut parts = Parts(value.value());
        let snapshot = parts.number().and_then(|_| codec::decode::<Case>(parts.0).ok());
        let Some(case) = snapshot else {
            tracing::error!("a case could not be read, and stands under no revision");
            continue;
        };
        let Some(revision) = case.revision else { continue };
        let standing = if case.is_closed() { Standing::Past } else { Standing::Open };
        let place = standing_prefix(revision, standing).rest(key.value()).done();
        by_revision.insert(&place[..], &[][..])?;
    }
    Ok(())
}

/// The merchant's own cases of plugins: none so far.
fn tenant_to_4(txn: &WriteTransaction) -> Result<(), Fault> {
    txn.open_table(Table::PluginCases.definition())?;
    Ok(())
}

/// The table of keys, empty.
fn system_to_2(txn: &WriteTransaction) -> Result<(), Fault> {
    txn.open_table(KEYS)?;
    Ok(())
}

/// Nothing of the system file changed.
fn unchanged(_: &WriteTransaction) -> Result<(), Fault> {
    Ok(())
}
