//! Files of the database: created so that a crash leaves no half file, opened with their format checked.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process;

use redb::{Builder, Database, DatabaseError, ReadableDatabase};

use crate::append::begin_durable;
use crate::error::{Fault, OpenError};
use crate::keys::Parts;
use crate::tables::{Definition, FORMAT, Table, meta};

/// What every file begins with: its tables and the rows of `meta`.
pub(crate) struct Layout<'a> {
    /// The tables.
    pub(crate) tables: &'a [Definition],
    /// Rows of the `meta` table beside the format.
    pub(crate) meta: Vec<(&'a [u8], &'a [u8])>,
}

/// Create a file: written under a temporary name, synced, given its name, and the folder synced.
///
/// redb files that are cut during their first seconds may not open again; a file under its final name is complete.
pub(crate) fn create(path: &Path, layout: &Layout<'_>) -> Result<(), OpenError> {
    if path.exists() {
        return Err(OpenError::Exists { path: path.to_owned() });
    }
    let failed = |source: Fault| OpenError::Io { attempt: "created", path: path.to_owned(), source };
    let temporary = temporary(path).map_err(|error| failed(error.into()))?;
    let database = Database::create(&temporary).map_err(|error| failed(error.into()))?;
    lay_out(&database, layout).map_err(failed)?;
    database.close().map_err(|error| failed(error.into()))?;
    publish_new(&temporary, path).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => OpenError::Exists { path: path.to_owned() },
        _ => failed(error.into()),
    })
}

/// A free name beside a file, of this process alone: another one may be creating the same file.
pub(crate) fn temporary(path: &Path) -> io::Result<PathBuf> {
    let temporary = path.with_extension(format!("new{}", process::id()));
    match fs::remove_file(&temporary) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(temporary),
    }
}

/// Give a complete file its final name, durably, unless the name is taken: of two processes one makes the file.
pub(crate) fn publish_new(temporary: &Path, path: &Path) -> io::Result<()> {
    File::open(temporary)?.sync_all()?;
    let linked = fs::hard_link(temporary, path);
    fs::remove_file(temporary)?;
    linked?;
    sync_folder(path)
}

/// Give a complete file its final name, durably, in place of what has the name.
pub(crate) fn publish(temporary: &Path, path: &Path) -> io::Result<()> {
    File::open(temporary)?.sync_all()?;
    fs::rename(temporary, path)?;
    sync_folder(path)
}

/// Make the names in a file's folder durable.
pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

/// Write the tables and the format of a new file.
pub(crate) fn lay_out(database: &Database, layout: &Layout<'_>) -> Result<(), Fault> {
    let txn = begin_durable(database)?;
    for &table in layout.tables {
        txn.open_table(table)?;
    }
    {
        let mut rows = txn.open_table(Table::Meta.definition())?;
        rows.insert(meta::FORMAT, &FORMAT.to_be_bytes()[..])?;
        for &(key, value) in &layout.meta {
            rows.insert(key, value)?;
        }
    }
    Ok(txn.commit()?)
}

/// Open an existing file, alone. Every open repairs what a crash left. An older file is opened as it is: see `migrate`.
pub(crate) fn open(path: &Path, cache_bytes: usize) -> Result<Database, OpenError> {
    if !path.exists() {
        return Err(OpenError::Missing { path: path.to_owned() });
    }
    let database = Builder::new().set_cache_size(cache_bytes).open(path).map_err(|error| match error {
        DatabaseError::DatabaseAlreadyOpen => OpenError::DataInUse { path: path.to_owned() },
        other => OpenError::Io { attempt: "opened", path: path.to_owned(), source: other.into() },
    })?;
    check_format(&database, path)?;
    Ok(database)
}

fn check_format(database: &Database, path: &Path) -> Result<(), OpenError> {
    let foreign = || OpenError::NotAStore { path: path.to_owned() };
    let found = format(database).map_err(|_| foreign())?.ok_or_else(foreign)?;
    if found > FORMAT {
        return Err(OpenError::NewerFormat { path: path.to_owned(), found, known: FORMAT });
    }
    Ok(())
}

/// The format of a file; `None` where it says none.
pub(crate) fn format(database: &Database) -> Result<Option<u64>, Fault> {
    Ok(read_meta(database, meta::FORMAT)?.and_then(|value| Parts(&value).number()))
}

/// One value of the `meta` table.
pub(crate) fn read_meta(database: &Database, key: &[u8]) -> Result<Option<Vec<u8>>, Fault> {
    let table = database.begin_read()?.open_table(Table::Meta.definition())?;
    Ok(table.get(key)?.map(|value| value.value().to_vec()))
}
