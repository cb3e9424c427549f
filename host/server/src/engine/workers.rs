//! A fixed set of threads that run turns, fed fairly: tenants take turns, so that one with much to do delays the others by one
//! turn and not by its whole queue.

use std::collections::{BTreeMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use redress_domain::ids::TenantId;

type Job = Box<dyn FnOnce() + Send>;

/// wasmtime wants 1 MiB for a guest's stack; the turn around it is shallow.
const STACK_BYTES: usize = 4 << 20;

/// The threads. Dropping the last handle lets them finish what is queued.
#[derive(Clone)]
pub struct Workers(Arc<Pool>);

struct Pool {
    shared: Arc<Shared>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    queued_max: usize,
}

#[derive(Default)]
struct State {
    queues: BTreeMap<TenantId, VecDeque<Job>>,
    /// Tenants that have something queued, in the order in which they are served.
    order: VecDeque<TenantId>,
    /// Threads that run a job.
    busy: usize,
    closed: bool,
}

/// How busy the threads are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Load {
    /// Threads there are.
    pub threads: usize,
    /// Threads that run a job.
    pub busy: usize,
    /// Jobs that wait, of all tenants.
    pub queued: usize,
}

/// The queue of a tenant is full.
#[derive(Debug)]
pub(super) struct Full;

impl Workers {
    /// Start so many threads, each tenant with a queue of this length.
    ///
    /// # Errors
    /// The machine gives no thread.
    pub fn start(threads: usize, queued_max: usize) -> std::io::Result<Self> {
        let shared = Arc::new(Shared { state: Mutex::default(), changed: Condvar::new(), queued_max });
        let spawn = |n: usize| {
            let shared = shared.clone();
            let thread = std::thread::Builder::new().name(format!("turn-{n}")).stack_size(STACK_BYTES);
            thread.spawn(move || work(&shared))
        };
        let threads = (0..threads.max(1)).map(spawn).collect::<std::io::Result<Vec<_>>>()?;
        Ok(Self(Arc::new(Pool { shared, threads: Mutex::new(threads) })))
    }

    /// Queue a job of a tenant.
    pub(super) fn queue(&self, tenant: TenantId, job: Job) -> Result<(), Full> {
        let shared = &self.0.shared;
        let mut state = shared.lock();
        if state.queues.get(&tenant).is_some_and(|queue| queue.len() >= shared.queued_max) {
            return Err(Full);
        }
        state.push(tenant, job);
        shared.changed.notify_one();
        Ok(())
    }

    /// Queue a job that was accepted before and must go on, whatever else waits.
    pub(super) fn queue_again(&self, tenant: TenantId, job: Job) {
        self.0.shared.lock().push(tenant, job);
        self.0.shared.changed.notify_one();
    }
}

impl Workers {
    /// Jobs of a tenant that wait.
    pub(super) fn queued(&self, tenant: TenantId) -> usize {
        self.0.shared.lock().queues.get(&tenant).map_or(0, VecDeque::len)
    }

    /// How busy the threads are.
    pub fn load(&self) -> Load {
        let threads = self.0.threads.lock().unwrap_or_else(PoisonError::into_inner).len();
        let state = self.0.shared.lock();
        Load { threads, busy: state.busy, queued: state.queues.values().map(VecDeque::len).sum() }
    }
}

impl State {
    fn push(&mut self, tenant: TenantId, job: Job) {
        let queue = self.queues.entry(tenant).or_default();
        if queue.is_empty() {
            self.order.push_back(tenant);
        }
        queue.push_back(job);
    }

    fn pop(&mut self) -> Option<Job> {
        let tenant = self.order.pop_front()?;
        let queue = self.queues.get_mut(&tenant)?;
        let job = queue.pop_front();
        if queue.is_empty() {
            self.queues.remove(&tenant);
        } else {
            self.order.push_back(tenant);
        }
        job
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn work(shared: &Shared) {
    loop {
        let mut state = shared.lock();
        let job = loop {
            match state.pop() {
                Some(job) => break job,
                None if state.closed => return,
                None => state = shared.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
            }
        };
        state.busy += 1;
        drop(state);
        let done = catch_unwind(AssertUnwindSafe(job));
        shared.lock().busy -= 1;
        if done.is_err() {
            // The job's own guard has answered its caller; the thread goes on for the others.
            tracing::error!("a turn panicked");
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.changed.notify_all();
        let threads = std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        let own = std::thread::current().id();
        for thread in threads.into_iter().filter(|thread| thread.thread().id() != own) {
            // A panic of a job was caught and logged there.
            drop(thread.join());
        }
    }
}

impl std::fmt::Debug for Workers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Workers")
    }
}
