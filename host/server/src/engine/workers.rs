//! A fixed set of threads that run turns, fed fairly: tenants take turns, so that one with much to do delays the others by one
//! turn and not by its whole queue. A tenant whose plugins compute more than they are given goes behind the others, and never has the
//! last thread, so that even its dearest turn delays nobody.

mod budget;

use std::collections::{BTreeMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Instant;

use redress_domain::ids::TenantId;

use budget::Budget;
pub use budget::Rate;

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
    rate: Rate,
    /// Threads that tenants in debt may have together: all but one.
    indebted_max: usize,
    started: Instant,
}

#[derive(Default)]
struct State {
    /// What tenants have left that used fuel lately.
    budgets: BTreeMap<TenantId, Budget>,
    /// Threads that run a job of a tenant in debt.
    indebted: usize,
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
    /// Start so many threads, each tenant with a queue of this length and plugins that may compute at this rate.
    ///
    /// # Errors
    /// The machine gives no thread.
    pub fn start(threads: usize, queued_max: usize, rate: Rate) -> std::io::Result<Self> {
        let indebted_max = threads.saturating_sub(1).max(1);
        let (state, changed, started) = (Mutex::default(), Condvar::new(), Instant::now());
        let shared = Arc::new(Shared { state, changed, queued_max, rate, indebted_max, started });
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
    /// The plugins of a tenant used so much fuel.
    pub(super) fn spent(&self, tenant: TenantId, fuel: u64) {
        if fuel == 0 {
            return;
        }
        let shared = &self.0.shared;
        let (rate, now) = (shared.rate, shared.started.elapsed());
        let mut state = shared.lock();
        state.budgets.entry(tenant).or_insert_with(|| Budget::full(rate, now)).spend(rate, fuel, now);
    }

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

    /// The next job, and whether its tenant is in debt: of the first tenant that is not, else of the first one that is where it may
    /// have another thread.
    fn pop(&mut self, shared: &Shared) -> Option<(Job, bool)> {
        let (rate, now) = (shared.rate, shared.started.elapsed());
        self.budgets.retain(|_, budget| !budget.is_full(rate, now));
        let budgets = &mut self.budgets;
        let mut is_in_debt = |tenant: &TenantId| budgets.get_mut(tenant).is_some_and(|one| one.is_in_debt(rate, now));
        let place = self.order.iter().position(|tenant| !is_in_debt(tenant));
        let indebted = place.is_none();
        if indebted && self.indebted >= shared.indebted_max {
            return None;
        }
        let tenant = self.order.remove(place.unwrap_or(0))?;
        let queue = self.queues.get_mut(&tenant)?;
        let job = queue.pop_front()?;
        if queue.is_empty() {
            self.queues.remove(&tenant);
        } else {
            self.order.push_back(tenant);
        }
        Some((job, indebted))
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
        let (job, indebted) = loop {
            match state.pop(shared) {
                Some(next) => break next,
                // What tenants in debt have left is done by the threads that they have.
                None if state.closed && (state.order.is_empty() || state.indebted > 0) => return,
                None => state = shared.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
            }
        };
        state.busy += 1;
        state.indebted += usize::from(indebted);
        drop(state);
        let done = catch_unwind(AssertUnwindSafe(job));
        {
            let mut state = shared.lock();
            state.busy -= 1;
            state.indebted -= usize::from(indebted);
        }
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

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use redress_domain::clock;

    use super::*;

    const RATE: Rate = Rate { fuel_per_second: 1_000, burst: 0 };
    const SOON: Duration = Duration::from_secs(20);

    fn tenant(n: u128) -> TenantId {
        TenantId::mint(clock::Instant::from_unix_ms(0), n)
    }

    #[test]
    fn a_tenant_whose_plugins_compute_too_much_never_has_the_last_thread() {
        let workers = Workers::start(2, 100, RATE).unwrap();
        let (noisy, quiet) = (tenant(1), tenant(2));
        workers.spent(noisy, 1_000_000);
        let (begun, beginning) = mpsc::channel();
        let (stop, stopped) = mpsc::channel::<()>();
        let stopped = Arc::new(Mutex::new(stopped));
        for _ in 0..2 {
            let (begun, stopped) = (begun.clone(), stopped.clone());
            let endless = move || {
                begun.send("noisy").unwrap();
                let _ = stopped.lock().unwrap().recv();
            };
            workers.queue(noisy, Box::new(endless)).unwrap();
        }
        assert_eq!(beginning.recv_timeout(SOON), Ok("noisy"));
        workers.queue(quiet, Box::new(move || begun.send("quiet").unwrap())).unwrap();
        assert_eq!(beginning.recv_timeout(SOON), Ok("quiet"), "the second turn of the noisy tenant waits");
        // Its own turns go on one by one.
        stop.send(()).unwrap();
        assert_eq!(beginning.recv_timeout(SOON), Ok("noisy"));
        stop.send(()).unwrap();
    }

    #[test]
    fn a_tenant_in_debt_has_a_thread_where_there_is_only_one_and_stands_behind_the_others() {
        let workers = Workers::start(1, 100, RATE).unwrap();
        let (noisy, quiet) = (tenant(1), tenant(2));
        let (told, telling) = mpsc::channel();
        let (go, waits) = mpsc::channel::<()>();
        workers.queue(quiet, Box::new(move || waits.recv().unwrap())).unwrap();
        workers.spent(noisy, 1_000_000);
        for (tenant, word) in [(noisy, "noisy"), (noisy, "noisy"), (quiet, "quiet"), (quiet, "quiet")] {
            let told = told.clone();
            workers.queue(tenant, Box::new(move || told.send(word).unwrap())).unwrap();
        }
        go.send(()).unwrap();
        let order: Vec<_> = (0..4).map(|_| telling.recv_timeout(SOON).unwrap()).collect();
        assert_eq!(order, ["quiet", "quiet", "noisy", "noisy"]);
    }
}
