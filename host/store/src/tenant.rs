//! The handle of one tenant's store: created and opened here, shared by cloning.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use redb::backends::InMemoryBackend;
use redb::{Builder, Database, ReadableDatabase, WriteTransaction};
use redress_domain::ids::{CaseId, TenantId};

use crate::append::{Counters, Shared, Stats, Writer, begin_durable};
use crate::batch::{AppendError, Appended, Batch, Version};
use crate::commit::Moment;
use crate::error::{Fault, OpenError, ReadError};
use crate::file::{self, Layout};
use crate::limits::CACHE_BYTES;
use crate::migrate;
use crate::queue::queue;
use crate::row::RowKey;
use crate::snapshot::{Head, JournalRow, Snapshot};
use crate::tables::{Definition, Table, meta};
use crate::work::{Claim, ClaimRequest};

/// One tenant's store. Clones share the file and its writer; the last one to go finishes what is queued and closes the file.
#[derive(Clone)]
pub struct TenantStore(Arc<Inner>);

struct Inner {
    // Dropped first: the writer finishes before the file closes.
    writer: Writer,
    shared: Arc<Shared>,
}

/// How a tenant's file is opened.
#[derive(Debug, Clone, Copy)]
pub struct Config {
    /// Page cache in bytes. An import of hundreds of thousands of rows deserves more than the default of 32 MiB.
    pub cache_bytes: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self { cache_bytes: CACHE_BYTES }
    }
}

impl TenantStore {
    /// Create a tenant's file in a folder and open it.
    pub fn create(folder: &Path, tenant: TenantId, config: Config) -> Result<Self, OpenError> {
        file::create(&file_of(folder, tenant), &layout(&tables(), &tenant.bytes()))?;
        Self::open(folder, tenant, config)
    }

    /// Open a tenant's file, alone: `DataInUse` when it is open elsewhere.
    pub fn open(folder: &Path, tenant: TenantId, config: Config) -> Result<Self, OpenError> {
        let path = file_of(folder, tenant);
        let open = move || open_file(&path, tenant, config);
        Self::start(tenant, open()?, Box::new(open), begin_durable)
    }

    /// A store that lives in memory, for tests and trials. It keeps every promise but the one about disks.
    pub fn open_in_memory(tenant: TenantId) -> Result<Self, OpenError> {
        let io = |source| OpenError::Io { attempt: "created", path: PathBuf::from("(memory)"), source };
        let database = Builder::new().create_with_backend(InMemoryBackend::new()).map_err(|error| io(error.into()))?;
        file::lay_out(&database, &layout(&tables(), &tenant.bytes())).map_err(io)?;
        let gone = || Err(OpenError::Missing { path: PathBuf::from("(memory)") });
        Self::start(tenant, database, Box::new(gone), begin_durable)
    }

    /// Put the handle around an open file.
    pub(crate) fn start(
        tenant: TenantId,
        database: Database,
        reopen: Box<dyn Fn() -> Result<Database, OpenError> + Send + Sync>,
        begin: fn(&Database) -> Result<WriteTransaction, Fault>,
    ) -> Result<Self, OpenError> {
        let database = RwLock::new(Some(database));
        let (counters, watcher) = (Counters::default(), OnceLock::new());
        let shared = Arc::new(Shared { database, reopen, begin, tenant, counters, watcher });
        let writer = Writer::start(Arc::clone(&shared)).map_err(|error| OpenError::Io {
            attempt: "given a writer thread",
            path: PathBuf::from(tenant.to_string()),
            source: error.into(),
        })?;
        Ok(Self(Arc::new(Inner { writer, shared })))
    }

    /// Whose store it is.
    pub fn tenant(&self) -> TenantId {
        self.0.shared.tenant
    }

    /// Store a batch, all of it or nothing, and wait until it is on disk.
    ///
    /// Answers `Full` at once when the queue is full; it never waits for a place. Must not be called from a reply.
    pub fn append(&self, batch: Batch) -> Result<Appended, AppendError> {
        let (sender, mut answer) = queue(1);
        self.append_then(batch, move |result| drop(sender.send(result)))?;
        answer.take().unwrap_or(Err(AppendError::ReadOnly))
    }

    /// Store a batch and go on; `then` gets the answer.
    ///
    /// `then` runs on the writer's thread, after the commit: it must be short and never wait for this store. An `Err` here
    /// means that the batch was not taken, and that `then` is never called.
    pub fn append_then(
        &self,
        batch: Batch,
        then: impl FnOnce(Result<Appended, AppendError>) + Send + 'static,
    ) -> Result<(), AppendError> {
        self.0.writer.append(batch, Box::new(then))
    }

    /// Lease work that is due. A claim is on disk before it is answered, so that its epoch never comes again.
    ///
    /// Asking when nothing is due costs a read and no commit.
    pub fn claim(&self, request: ClaimRequest) -> Result<Vec<Claim>, AppendError> {
        if !self.anything_due(&request).map_err(|error| AppendError::Io(Fault::new(error)))? {
            return Ok(Vec::new());
        }
        let (sender, mut answer) = queue(1);
        self.0.writer.claim(request, Box::new(move |result| drop(sender.send(result))))?;
        answer.take().unwrap_or(Err(AppendError::ReadOnly))
    }

    fn anything_due(&self, request: &ClaimRequest) -> Result<bool, ReadError> {
        let now = self.read()?;
        for &kind in &request.kinds {
            if now.next_due(kind)?.is_some_and(|due| due <= request.now) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Everything as of now, for reads that belong together. Drop it soon: it keeps old pages from being reused.
    pub fn read(&self) -> Result<Snapshot, ReadError> {
        let database = self.0.shared.database.read().unwrap_or_else(PoisonError::into_inner);
        let database = database.as_ref().ok_or(ReadError::Closed)?;
        Ok(Snapshot::new(self.tenant(), database.begin_read()?))
    }

    /// The snapshot of a case.
    pub fn load_case(&self, case: CaseId) -> Result<Option<Head>, ReadError> {
        self.read()?.load_case(case)
    }

    /// The journal of a case, from a turn on.
    pub fn journal(&self, case: CaseId, from: Version, limit: usize) -> Result<Vec<JournalRow>, ReadError> {
        self.read()?.journal(case, from, limit)
    }

    /// One row of the facts or indexes.
    pub fn row(&self, key: &RowKey) -> Result<Option<Vec<u8>>, ReadError> {
        self.read()?.row(key)
    }

    /// Let somebody look at each commit while it is made, on the writer's thread: whoever tries what a crash leaves behind copies
    /// the file at these moments. Only the first one who asks is told; they must not panic and never wait for this store.
    pub fn watch_commits(&self, told: impl Fn(Moment) + Send + Sync + 'static) {
        drop(self.0.shared.watcher.set(Box::new(told)));
    }

    /// What the writer has done since the store was opened.
    pub fn stats(&self) -> Stats {
        self.0.shared.counters.stats()
    }
}

impl fmt::Debug for TenantStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TenantStore({})", self.tenant())
    }
}

/// The tables of a tenant's file.
pub(crate) fn tables() -> Vec<Definition> {
    Table::ALL.iter().map(|table| table.definition()).collect()
}

/// What a tenant's file begins with.
pub(crate) fn layout<'a>(tables: &'a [Definition], tenant: &'a [u8]) -> Layout<'a> {
    Layout { tables, meta: vec![(meta::TENANT, tenant)] }
}

/// Where a tenant's file lies in its folder: it is named after the immutable id, never after the slug.
pub(crate) fn file_of(folder: &Path, tenant: TenantId) -> PathBuf {
    folder.join(format!("{tenant}.redb"))
}

fn open_file(path: &Path, wanted: TenantId, config: Config) -> Result<Database, OpenError> {
    let database = file::open(path, config.cache_bytes)?;
    let failed = |source| OpenError::Io { attempt: "read", path: path.to_owned(), source };
    let id = file::read_meta(&database, meta::TENANT).map_err(failed)?;
    let id: Option<[u8; 16]> = id.and_then(|bytes| bytes.try_into().ok());
    let found = TenantId::from_bytes(id.ok_or_else(|| OpenError::NotAStore { path: path.to_owned() })?);
    if found != wanted {
        return Err(OpenError::WrongTenant { path: path.to_owned(), found, wanted });
    }
    migrate::bring_up(&database, migrate::TENANT, path)?;
    Ok(database)
}
