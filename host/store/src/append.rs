//! The writer: one thread per open tenant, the only place where a write transaction begins.
//!
//! It takes what is queued (up to 256 batches; a little longer when more are probably on their way), checks and writes each
//! batch, commits once, and answers all. The rules after an error:
//!
//! * Before the commit: nothing is stored, every batch of the group is answered `Io`.
//! * In the commit: every batch of the group is answered `Unknown`.
//! * Then the file is closed and opened once. If that fails, reads and writes stop until the next start; if the next commit
//!   fails again, writes stop (`ReadOnly`) and reads go on. Nothing is acknowledged in between.
//! * A panic while a transaction is open ends the process: unwinding through it leaks pages, and a restart is certain.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::thread;
use std::time::Instant;

use redb::{Database, Durability, WriteTransaction};
use redress_domain::ids::TenantId;

use crate::apply::{Group, Stop};
use crate::batch::{AppendError, Appended, Batch};
use crate::commit::{Moment, Watcher};
use crate::error::{Fault, OpenError};
use crate::limits::{GROUP_BATCHES_MAX, GROUP_BYTES_MAX, GROUP_WAIT, QUEUE_BATCHES_MAX, WRITER_STACK_BYTES};
use crate::queue::{Receiver, Refused, Sender, queue};
use crate::work::{Claim, ClaimRequest};

/// Begin a write transaction as every commit is made: immediate, in two phases, with quick-repair.
///
/// Two phases make a torn commit impossible rather than detectable; quick-repair makes opening after a crash take
/// milliseconds rather than a walk over the file. Commits are grouped, so that both cost little.
pub(crate) fn begin_durable(database: &Database) -> Result<WriteTransaction, Fault> {
    let mut txn = database.begin_write()?;
    txn.set_durability(Durability::Immediate)?;
    txn.set_two_phase_commit(true);
    txn.set_quick_repair(true);
    Ok(txn)
}

/// What the writer shares with the readers of a tenant.
pub(crate) struct Shared {
    /// The open file; `None` after an error that even opening again did not mend.
    pub(crate) database: RwLock<Option<Database>>,
    /// Opens the file again after an error.
    pub(crate) reopen: Box<dyn Fn() -> Result<Database, OpenError> + Send + Sync>,
    /// How write transactions begin: `begin_durable`, except where a test shows what would be lost without it.
    pub(crate) begin: fn(&Database) -> Result<WriteTransaction, Fault>,
    /// Whose file it is; part of every audit link.
    pub(crate) tenant: TenantId,
    /// What the writer has done.
    pub(crate) counters: Counters,
    /// Who is told of each commit while it is made, where somebody is.
    pub(crate) watcher: OnceLock<Watcher>,
}

impl Shared {
    fn tell(&self, moment: Moment) {
        if let Some(watcher) = self.watcher.get() {
            watcher(moment);
        }
    }
}

impl Drop for Shared {
    /// Close the file where an error is seen; dropping the database alone would swallow it.
    fn drop(&mut self) {
        let database = self.database.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(Err(error)) = database.map(Database::close) {
            tracing::error!(tenant.id = %self.tenant, error = %error, "store {} could not be closed", self.tenant);
        }
    }
}

/// Figures since the store was opened.
#[derive(Default)]
pub(crate) struct Counters {
    commits: AtomicU64,
    batches: AtomicU64,
    conflicts: AtomicU64,
    rows: AtomicU64,
    commit_micros: AtomicU64,
    read_only: AtomicBool,
}

/// What the writer of a tenant has done since the store was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stats {
    /// Commits, each with its syncs.
    pub commits: u64,
    /// Batches and claims that were stored.
    pub batches: u64,
    /// Batches that were refused because a stream had moved.
    pub conflicts: u64,
    /// Rows written and deleted.
    pub rows: u64,
    /// What all commits took together, in microseconds.
    pub commit_micros: u64,
    /// Whether writes have stopped after an error, until the next start.
    pub read_only: bool,
}

impl Counters {
    pub(crate) fn stats(&self) -> Stats {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let (commits, batches) = (read(&self.commits), read(&self.batches));
        Stats {
            commits,
            batches,
            conflicts: read(&self.conflicts),
            rows: read(&self.rows),
            commit_micros: read(&self.commit_micros),
            read_only: self.read_only.load(Ordering::Relaxed),
        }
    }
}

/// How a waiting caller gets its answer.
pub(crate) type Reply<T> = Box<dyn FnOnce(Result<T, AppendError>) + Send>;

#[expect(clippy::large_enum_variant, reason = "jobs are boxed in the queue, and nearly all of them are batches")]
enum Job {
    Append { batch: Batch, bytes: usize, reply: Reply<Appended> },
    Claim { request: ClaimRequest, reply: Reply<Vec<Claim>> },
}

enum Done {
    Appended(Result<Appended, AppendError>),
    Claimed(Result<Vec<Claim>, AppendError>),
}

/// The handle of the writer thread: the sending end of its queue.
pub(crate) struct Writer {
    // Boxed: the places of a queue that was once full stay as large as what they hold.
    jobs: Option<Sender<Box<Job>>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Writer {
    pub(crate) fn start(shared: Arc<Shared>) -> std::io::Result<Self> {
        let (jobs, queue) = queue(QUEUE_BATCHES_MAX);
        let writer = WriterThread { shared, queue, last_group: 1, health: Health::Good };
        let thread = thread::Builder::new()
            .name("store-writer".to_owned())
            .stack_size(WRITER_STACK_BYTES)
            .spawn(move || writer.run())?;
        Ok(Self { jobs: Some(jobs), thread: Some(thread) })
    }

    /// Hand in a batch. The reply runs on the writer's thread, after the commit; it must be short and never wait for this
    /// store.
    pub(crate) fn append(&self, batch: Batch, reply: Reply<Appended>) -> Result<(), AppendError> {
        let bytes = batch.check()?;
        self.send(Job::Append { batch, bytes, reply })
    }

    pub(crate) fn claim(&self, request: ClaimRequest, reply: Reply<Vec<Claim>>) -> Result<(), AppendError> {
        self.send(Job::Claim { request, reply })
    }

    fn send(&self, job: Job) -> Result<(), AppendError> {
        let Some(jobs) = &self.jobs else { return Err(AppendError::ReadOnly) };
        jobs.send(Box::new(job)).map_err(|refused| match refused {
            Refused::Full => AppendError::Full,
            Refused::Closed => AppendError::ReadOnly,
        })
    }
}

impl Drop for Writer {
    /// Let the writer finish what is queued, then wait for it; unless a reply dropped the last handle on its own thread.
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take()
            && thread.thread().id() != thread::current().id()
            && thread.join().is_err()
        {
            tracing::error!("store writer ended in a panic");
        }
    }
}

/// Whether the file can be trusted with another commit.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Health {
    Good,
    /// Opened again after an error; one more error is the end.
    Reopened,
    ReadOnly,
}

/// How a group was lost.
enum Lost {
    BeforeCommit(Fault),
    InCommit(Fault),
}

impl From<Stop> for Lost {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Broken(fault) => Self::BeforeCommit(fault),
            Stop::Refused(error) => Self::BeforeCommit(Fault::new(error)),
        }
    }
}

struct WriterThread {
    shared: Arc<Shared>,
    queue: Receiver<Box<Job>>,
    last_group: usize,
    health: Health,
}

impl WriterThread {
    fn run(mut self) {
        while let Some(first) = self.queue.take() {
            let group = self.collect(first);
            self.last_group = group.len();
            if self.health == Health::ReadOnly {
                answer_all(group, || AppendError::ReadOnly);
            } else {
                self.commit_and_answer(group);
            }
        }
    }

    /// What goes into the next commit. Callers that were answered together tend to come back together, so it waits for as
    /// many as last time; someone who is alone never waits.
    fn collect(&mut self, first: Box<Job>) -> Vec<Job> {
        let deadline = Instant::now() + GROUP_WAIT;
        let mut bytes = first.bytes();
        let mut group = vec![*first];
        while group.len() < GROUP_BATCHES_MAX && bytes < GROUP_BYTES_MAX {
            let next =
                if group.len() < self.last_group { self.queue.take_before(deadline) } else { self.queue.take_now() };
            let Some(job) = next else { break };
            bytes += job.bytes();
            group.push(*job);
        }
        group
    }

    fn commit_and_answer(&mut self, group: Vec<Job>) {
        match self.commit(&group) {
            Ok(done) => {
                self.health = Health::Good;
                for (job, done) in group.into_iter().zip(done) {
                    job.answer(done);
                }
            }
            Err(Lost::BeforeCommit(fault)) => {
                self.recover(&fault);
                answer_all(group, || AppendError::Io(fault.clone()));
            }
            Err(Lost::InCommit(fault)) => {
                self.recover(&fault);
                answer_all(group, || AppendError::Unknown(fault.clone()));
            }
        }
    }

    /// Write a group and commit it, if it wrote anything.
    fn commit(&self, group: &[Job]) -> Result<Vec<Done>, Lost> {
        let txn = {
            let database = self.shared.database.read().unwrap_or_else(PoisonError::into_inner);
            let database = database.as_ref().ok_or_else(|| Lost::BeforeCommit(closed()))?;
            (self.shared.begin)(database).map_err(Lost::BeforeCommit)?
        };
        // Declared after the transaction and so dropped before it: nothing unwinds through an open transaction.
        let _guard = AbortOnPanic;
        let (done, rows) = write(&txn, self.shared.tenant, group)?;
        if rows > 0 {
            self.shared.tell(Moment::BeforeCommit);
            let begun = Instant::now();
            txn.commit().map_err(|error| Lost::InCommit(error.into()))?;
            let micros = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
            self.shared.counters.commit_micros.fetch_add(micros, Ordering::Relaxed);
            self.shared.tell(Moment::AfterCommit);
        } else {
            txn.abort().map_err(|error| Lost::BeforeCommit(error.into()))?;
        }
        self.count(&done, rows);
        Ok(done)
    }

    fn count(&self, done: &[Done], rows: u64) {
        let counters = &self.shared.counters;
        let count = |wanted: fn(&Done) -> bool| done.iter().filter(|done| wanted(done)).count() as u64;
        let stored = count(|done| matches!(done, Done::Appended(Ok(_)) | Done::Claimed(Ok(_))));
        let conflicts = count(|done| matches!(done, Done::Appended(Err(AppendError::Conflict { .. }))));
        counters.batches.fetch_add(stored, Ordering::Relaxed);
        counters.conflicts.fetch_add(conflicts, Ordering::Relaxed);
        counters.rows.fetch_add(rows, Ordering::Relaxed);
        counters.commits.fetch_add(u64::from(rows > 0), Ordering::Relaxed);
    }

    /// After an error: open the file again, once.
    fn recover(&mut self, fault: &Fault) {
        let tenant = self.shared.tenant;
        if self.health == Health::Reopened {
            tracing::error!(tenant.id = %tenant, error = %fault, "store {tenant} failed again and is read-only");
            self.stop_writing();
            return;
        }
        tracing::error!(tenant.id = %tenant, error = %fault, "store {tenant} failed, opening it again");
        let mut database = self.shared.database.write().unwrap_or_else(PoisonError::into_inner);
        // The old handle gives its lock back before the new one asks for it.
        drop(database.take());
        match (self.shared.reopen)() {
            Ok(opened) => {
                *database = Some(opened);
                self.health = Health::Reopened;
            }
            Err(error) => {
                tracing::error!(tenant.id = %tenant, error = %error, "store {tenant} could not be opened again");
                drop(database);
                self.stop_writing();
            }
        }
    }

    fn stop_writing(&mut self) {
        self.health = Health::ReadOnly;
        self.shared.counters.read_only.store(true, Ordering::Relaxed);
    }
}

/// Check and write each job of a group. A refused job is answered with its refusal; the others go on.
fn write(txn: &WriteTransaction, tenant: TenantId, jobs: &[Job]) -> Result<(Vec<Done>, u64), Lost> {
    let mut group = Group::new(txn, tenant)?;
    let mut done = Vec::with_capacity(jobs.len());
    for job in jobs {
        done.push(match job {
            Job::Append { batch, .. } => Done::Appended(refusal(group.append(batch))?),
            Job::Claim { request, .. } => Done::Claimed(refusal(group.claim(request))?),
        });
    }
    Ok((done, group.finish()?))
}

/// A refusal is an answer; a broken database is not.
fn refusal<T>(result: Result<T, Stop>) -> Result<Result<T, AppendError>, Lost> {
    match result {
        Ok(value) => Ok(Ok(value)),
        Err(Stop::Refused(error)) => Ok(Err(error)),
        Err(Stop::Broken(fault)) => Err(Lost::BeforeCommit(fault)),
    }
}

fn answer_all(group: Vec<Job>, error: impl Fn() -> AppendError) {
    for job in group {
        job.refuse(error());
    }
}

fn closed() -> Fault {
    redb::StorageError::DatabaseClosed.into()
}

impl Job {
    fn bytes(&self) -> usize {
        match self {
            Self::Append { bytes, .. } => *bytes,
            Self::Claim { .. } => 0,
        }
    }

    fn refuse(self, error: AppendError) {
        match self {
            Self::Append { reply, .. } => run_reply(reply, Err(error)),
            Self::Claim { reply, .. } => run_reply(reply, Err(error)),
        }
    }

    fn answer(self, done: Done) {
        match (self, done) {
            (Self::Append { reply, .. }, Done::Appended(result)) => run_reply(reply, result),
            (Self::Claim { reply, .. }, Done::Claimed(result)) => run_reply(reply, result),
            // Answers are made in the order of their jobs, each by its kind.
            (job, _) => job.refuse(AppendError::Malformed("an answer met another question")),
        }
    }
}

/// Replies are the callers' code: their panics end with them and not with the writer.
fn run_reply<T>(reply: Reply<T>, result: Result<T, AppendError>) {
    if catch_unwind(AssertUnwindSafe(|| reply(result))).is_err() {
        tracing::error!("reply to a stored batch panicked");
    }
}

/// Ends the process when it is dropped by a panic.
pub(crate) struct AbortOnPanic;

impl Drop for AbortOnPanic {
    fn drop(&mut self) {
        if thread::panicking() {
            tracing::error!("store writer panicked with an open transaction, the process ends");
            process::abort();
        }
    }
}
