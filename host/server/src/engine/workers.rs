//! A fixed set of threads that run turns, fed fairly: tenants take turns, so that one with much to do delays the others by one
//! turn and not by its whole queue. A tenant whose plugins compute more than they are given, and long at a time, has its turns run on
//! threads of a second lane, to which the machine gives what the first one leaves, so that even its dearest turn delays nobody.

mod budget;
mod lane;

use std::collections::{BTreeMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use redress_domain::ids::TenantId;

use budget::Budget;
pub use budget::Rate;
use lane::Lane;

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
    /// Something came for the threads of a lane.
    prompt: Condvar,
    patient: Condvar,
    queued_max: usize,
    rate: Rate,
    started: Instant,
}

#[derive(Default)]
struct State {
    /// What tenants have left that used fuel lately.
    budgets: BTreeMap<TenantId, Budget>,
    queues: BTreeMap<TenantId, VecDeque<Job>>,
    /// Tenants that have something queued, in the order in which they are served.
    order: VecDeque<TenantId>,
    /// Threads that run a job.
    busy: usize,
    closed: bool,
}

/// Run something long on a thread of its own behind those of turns: it gets what they leave of the cores.
///
/// # Errors
/// The machine gives no thread.
pub(crate) fn behind_turns(name: &'static str, work: impl FnOnce() + Send + 'static) -> std::io::Result<()> {
    let thread = std::thread::Builder::new().name(name.to_owned()).stack_size(STACK_BYTES);
    let behind = move || {
        Lane::Patient.enter();
        work();
    };
    thread.spawn(behind).map(drop)
}

/// How busy the threads are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Load {
    /// Threads there are, of both lanes.
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
    /// Start so many threads, and as many behind them, each tenant with a queue of this length and plugins that may compute at this
    /// rate.
    ///
    /// # Errors
    /// The machine gives no thread.
    pub fn start(threads: usize, queued_max: usize, rate: Rate) -> std::io::Result<Self> {
        let (state, started) = (Mutex::default(), Instant::now());
        let (prompt, patient) = (Condvar::new(), Condvar::new());
        let shared = Arc::new(Shared { state, prompt, patient, queued_max, rate, started });
        let spawn = |(lane, n): (Lane, usize)| {
            let shared = shared.clone();
            let thread = std::thread::Builder::new().name(lane.thread_name(n)).stack_size(STACK_BYTES);
            thread.spawn(move || work(&shared, lane))
        };
        let places = Lane::BOTH.into_iter().flat_map(|lane| (0..threads.max(1)).map(move |n| (lane, n)));
        let threads = places.map(spawn).collect::<std::io::Result<Vec<_>>>()?;
        Ok(Self(Arc::new(Pool { shared, threads: Mutex::new(threads) })))
    }

    /// How many jobs may run at once where so many threads were asked for.
    #[must_use]
    pub fn of_both_lanes(threads: usize) -> usize {
        threads.max(1).saturating_mul(Lane::BOTH.len())
    }

    /// Queue a job of a tenant.
    pub(super) fn queue(&self, tenant: TenantId, job: Job) -> Result<(), Full> {
        let shared = &self.0.shared;
        let mut state = shared.lock();
        if state.queues.get(&tenant).is_some_and(|queue| queue.len() >= shared.queued_max) {
            return Err(Full);
        }
        shared.push(&mut state, tenant, job);
        Ok(())
    }

    /// Queue a job that was accepted before and must go on, whatever else waits.
    pub(super) fn queue_again(&self, tenant: TenantId, job: Job) {
        let shared = &self.0.shared;
        shared.push(&mut shared.lock(), tenant, job);
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

    /// Whether a tenant with something queued belongs to this lane now.
    fn has_some_for(&mut self, shared: &Shared, lane: Lane) -> bool {
        let (rate, now) = (shared.rate, shared.started.elapsed());
        let Self { order, budgets, queues, .. } = self;
        match lane {
            Lane::Prompt => order.iter().any(|tenant| lane_of(budgets, tenant, rate, now) == lane),
            // Few are in debt, and many may wait.
            Lane::Patient => {
                budgets.iter_mut().any(|(tenant, budget)| budget.gives_way(rate, now) && queues.contains_key(tenant))
            }
        }
    }

    /// The next job for a thread of this lane: of the first tenant whose turns belong there.
    fn pop(&mut self, shared: &Shared, lane: Lane) -> Option<Job> {
        let (rate, now) = (shared.rate, shared.started.elapsed());
        self.budgets.retain(|_, budget| !budget.is_full(rate, now));
        let Self { order, budgets, closed, .. } = self;
        // Who ends has no time for lanes.
        let place = order.iter().position(|tenant| *closed || lane_of(budgets, tenant, rate, now) == lane);
        let tenant = self.order.remove(place?)?;
        let queue = self.queues.get_mut(&tenant)?;
        let job = queue.pop_front()?;
        if queue.is_empty() {
            self.queues.remove(&tenant);
        } else {
            self.order.push_back(tenant);
        }
        Some(job)
    }
}

/// Where the turns of a tenant belong now.
fn lane_of(budgets: &mut BTreeMap<TenantId, Budget>, tenant: &TenantId, rate: Rate, now: Duration) -> Lane {
    let gives_way = budgets.get_mut(tenant).is_some_and(|budget| budget.gives_way(rate, now));
    if gives_way { Lane::Patient } else { Lane::Prompt }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, state: &mut State, tenant: TenantId, job: Job) {
        state.push(tenant, job);
        self.changed(lane_of(&mut state.budgets, &tenant, self.rate, self.started.elapsed())).notify_one();
    }

    fn changed(&self, lane: Lane) -> &Condvar {
        match lane {
            Lane::Prompt => &self.prompt,
            Lane::Patient => &self.patient,
        }
    }
}

fn work(shared: &Shared, lane: Lane) {
    lane.enter();
    loop {
        let mut state = shared.lock();
        let job = loop {
            let job = state.pop(shared, lane);
            // Debts come and go while jobs wait: what belongs to the other lane by now was told to this one, and its threads may sleep.
            if state.has_some_for(shared, lane.other()) {
                shared.changed(lane.other()).notify_one();
            }
            if let Some(job) = job {
                break job;
            }
            if state.closed {
                return;
            }
            state = shared.changed(lane).wait(state).unwrap_or_else(PoisonError::into_inner);
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
        Lane::BOTH.into_iter().for_each(|lane| self.shared.changed(lane).notify_all());
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

    const RATE: Rate = Rate { fuel_per_second: 1_000, burst: 0, long_turn: 1 };
    const SOON: Duration = Duration::from_secs(20);

    fn tenant(n: u128) -> TenantId {
        TenantId::mint(clock::Instant::from_unix_ms(0), n)
    }

    fn name_of_thread() -> String {
        std::thread::current().name().unwrap_or_default().to_owned()
    }

    #[test]
    fn a_tenant_whose_plugins_compute_too_much_never_takes_a_thread_from_the_others() {
        let workers = Workers::start(2, 100, RATE).unwrap();
        let (noisy, quiet) = (tenant(1), tenant(2));
        workers.spent(noisy, 1_000_000);
        let (begun, beginning) = mpsc::channel();
        let (stop, stopped) = mpsc::channel::<()>();
        let stopped = Arc::new(Mutex::new(stopped));
        for _ in 0..3 {
            let (begun, stopped) = (begun.clone(), stopped.clone());
            let endless = move || {
                begun.send(name_of_thread()).unwrap();
                let _ = stopped.lock().unwrap().recv();
            };
            workers.queue(noisy, Box::new(endless)).unwrap();
        }
        let began = || beginning.recv_timeout(SOON).unwrap();
        let (first, second) = (began(), began());
        assert!([first, second].iter().all(|name| name.starts_with("patient-turn-")));
        workers.queue(quiet, Box::new(move || begun.send(name_of_thread()).unwrap())).unwrap();
        assert!(began().starts_with("turn-"), "the third turn of the noisy tenant waits");
        stop.send(()).unwrap();
        assert!(began().starts_with("patient-turn-"));
        drop(stop);
    }

    #[test]
    fn a_tenant_in_debt_goes_on_while_the_others_keep_every_thread_of_theirs() {
        let workers = Workers::start(1, 100, RATE).unwrap();
        let (noisy, quiet) = (tenant(1), tenant(2));
        let (told, telling) = mpsc::channel();
        let (go, waits) = mpsc::channel::<()>();
        workers.queue(quiet, Box::new(move || waits.recv().unwrap())).unwrap();
        workers.spent(noisy, 1_000_000);
        workers.queue(noisy, Box::new(move || told.send(()).unwrap())).unwrap();
        assert_eq!(telling.recv_timeout(SOON), Ok(()));
        go.send(()).unwrap();
    }

    #[test]
    fn a_job_whose_debt_ends_while_it_waits_is_taken_by_the_other_lane_whose_threads_sleep() {
        let workers = Workers::start(1, 100, Rate { fuel_per_second: 1_000_000, ..RATE }).unwrap();
        let (endless, waiting) = (tenant(1), tenant(2));
        let (told, telling) = mpsc::channel();
        let tell = |what: &'static str| {
            let told = told.clone();
            move || told.send((what, name_of_thread())).unwrap()
        };
        // The prompt thread has run something, and has nothing more to do.
        workers.queue(waiting, Box::new(tell("first"))).unwrap();
        assert_eq!(telling.recv_timeout(SOON).unwrap().0, "first");
        // The patient one is busy with a tenant that stays in debt.
        let (go, waits) = mpsc::channel::<()>();
        let begun = tell("begun");
        workers.spent(endless, u64::MAX);
        let job = move || {
            begun();
            waits.recv().unwrap();
        };
        workers.queue(endless, Box::new(job)).unwrap();
        // It has enough to do afterwards, too.
        let (last, holds) = mpsc::channel::<()>();
        workers.queue(endless, Box::new(move || _ = holds.recv())).unwrap();
        assert_eq!(telling.recv_timeout(SOON).unwrap(), ("begun", "patient-turn-0".to_owned()));
        // 50 ms of debt, which the prompt thread is not told of when it is over.
        workers.spent(waiting, 50_000);
        workers.queue(waiting, Box::new(tell("second"))).unwrap();
        let shared = &workers.0.shared;
        let lane = || lane_of(&mut shared.lock().budgets, &waiting, shared.rate, shared.started.elapsed());
        while lane() == Lane::Patient {
            std::thread::yield_now();
        }
        // Now the patient thread is told of a job that is none of its own.
        go.send(()).unwrap();
        assert_eq!(telling.recv_timeout(SOON), Ok(("second", "turn-0".to_owned())));
        drop(last);
    }

    #[test]
    fn every_job_is_run_whatever_debts_come_and_go_while_it_waits() {
        // In debt at each spending, and out of it with the next millisecond.
        let workers = Workers::start(2, 10_000, RATE).unwrap();
        let (told, telling) = mpsc::channel();
        for n in 0..5_000 {
            let (told, tenant, again) = (told.clone(), tenant(n % 7), workers.clone());
            let job = move || {
                again.spent(tenant, 1);
                told.send(()).unwrap();
            };
            workers.queue(tenant, Box::new(job)).unwrap();
        }
        for n in 0..5_000 {
            assert_eq!(telling.recv_timeout(SOON), Ok(()), "after {n}");
        }
    }
}
