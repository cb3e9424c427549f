//! What can go wrong with files and reads. Refusals of a batch are in `batch`.

use std::error::Error;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use redress_domain::ids::TenantId;

/// An error of the database or the file system, without its type: nothing outside this crate depends on the database.
///
/// It can be cloned, because one failed commit is the answer to every batch that was in it.
#[derive(Debug, Clone)]
pub struct Fault(Arc<dyn Error + Send + Sync>);

impl Fault {
    pub(crate) fn new(source: impl Error + Send + Sync + 'static) -> Self {
        Self(Arc::new(source))
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Error for Fault {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source()
    }
}

macro_rules! fault_from {
    ($($source:ty),*) => { $(
        impl From<$source> for Fault {
            fn from(source: $source) -> Self {
                Self::new(source)
            }
        }
    )* };
}

fault_from!(
    io::Error,
    redb::StorageError,
    redb::TableError,
    redb::TransactionError,
    redb::CommitError,
    redb::DatabaseError,
    redb::SetDurabilityError
);

/// Why a read has no answer.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ReadError {
    /// The disk or the file failed.
    #[error("store could not be read")]
    Io(#[source] Fault),
    /// The file is closed: an I/O error closed it and it could not be opened again.
    #[error("store is closed after an error, restart to try again")]
    Closed,
    /// A row is not what its table says: a damaged file, or a bug of ours.
    #[error("row of table {table} is damaged")]
    Damaged {
        /// The table's name.
        table: &'static str,
    },
    /// The cursor belongs to another listing.
    #[error("cursor does not belong to this listing")]
    ForeignCursor,
}

impl<E: Into<Fault>> From<E> for ReadError {
    fn from(fault: E) -> Self {
        Self::Io(fault.into())
    }
}

/// Why a store could not be created or opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process, or another handle of this one, has the file open.
    #[error("{} is in use by another process", path.display())]
    DataInUse {
        /// The locked file.
        path: PathBuf,
    },
    /// There is something already.
    #[error("{} exists already", path.display())]
    Exists {
        /// What was to be created.
        path: PathBuf,
    },
    /// There is nothing to open.
    #[error("{} does not exist", path.display())]
    Missing {
        /// What was to be opened.
        path: PathBuf,
    },
    /// A newer program wrote the file.
    #[error("{} has format {found}, this program knows up to {known}", path.display())]
    NewerFormat {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u64,
        /// The newest format that this program reads.
        known: u64,
    },
    /// The file is a database, but not one of ours.
    #[error("{} is not a store of this program", path.display())]
    NotAStore {
        /// The file.
        path: PathBuf,
    },
    /// The file belongs to another tenant: it was renamed or copied.
    #[error("{} belongs to {found}, not to {wanted}", path.display())]
    WrongTenant {
        /// The file.
        path: PathBuf,
        /// Whose it is.
        found: TenantId,
        /// Who was asked for.
        wanted: TenantId,
    },
    /// The file or folder could not be read or written.
    #[error("{} could not be {attempt}", path.display())]
    Io {
        /// What was attempted, in the past tense.
        attempt: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system or the database said.
        #[source]
        source: Fault,
    },
}
