//! Export: every row of a tenant as of one moment, while writing goes on. Never a copy of the live file.

use std::io;

use redress_domain::ids::{Digest, TenantId};
use sha2::{Digest as _, Sha256};

use crate::error::{Fault, ReadError};
use crate::snapshot::Snapshot;
use crate::tables::{FORMAT, Table};

/// Where an export goes.
pub trait Sink {
    /// Take one row. Rows come table by table, by key.
    fn row(&mut self, table: &'static str, key: &[u8], value: &[u8]) -> io::Result<()>;
}

/// What an export holds, to check it by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// The layout of the tables.
    pub format: u64,
    /// Whose data it is.
    pub tenant: TenantId,
    /// The tables in the order in which they were written.
    pub tables: Vec<TableManifest>,
}

/// What an export holds of one table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableManifest {
    /// The table's name.
    pub table: &'static str,
    /// How many rows.
    pub rows: u64,
    /// SHA-256 over every row: length of the key, key, length of the value, value; lengths in 8 bytes, big-endian.
    pub digest: Digest,
}

/// Why an export stopped.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The store could not be read.
    #[error("table could not be exported")]
    Read(#[from] ReadError),
    /// The sink did not take a row.
    #[error("row of table {table} could not be written to the export")]
    Write {
        /// The table's name.
        table: &'static str,
        /// What the sink said.
        #[source]
        source: Fault,
    },
}

impl Snapshot {
    /// Hand every row to a sink.
    pub fn export(&self, sink: &mut dyn Sink) -> Result<Manifest, ExportError> {
        let mut tables = Vec::with_capacity(Table::ALL.len());
        for &table in Table::ALL {
            let name = table.name();
            let mut hash = Sha256::new();
            let rows = self.each(table, |key, value| {
                for part in [key, value] {
                    hash.update((part.len() as u64).to_be_bytes());
                    hash.update(part);
                }
                sink.row(name, key, value).map_err(|error| ExportError::Write { table: name, source: error.into() })
            })?;
            tables.push(TableManifest { table: name, rows, digest: Digest::from_bytes(hash.finalize().into()) });
        }
        Ok(Manifest { format: FORMAT, tenant: self.tenant(), tables })
    }
}
