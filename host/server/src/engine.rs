//! The engine of one tenant: commands in, turns decided on the workers, each committed as one batch.
//!
//! ```text
//! submit ─► lane of the case ─► worker: load, advance ⇄ sandbox ─► store::append ─► reply
//!                                   ▲                                  │ conflict
//!                                   └──────────────────────────────────┘
//! ```

mod answer;
pub(crate) mod ask;
mod breaker;
pub mod canary;
mod commit;
pub mod error;
mod facts;
pub mod figures;
pub mod hold;
pub mod listing;
pub mod log;
mod matters;
mod messages;
mod orders;
pub mod personal;
pub mod question;
pub mod registry;
pub mod repeat;
pub mod report;
mod schedules;
mod settle;
pub mod staged;
pub mod stand_in;
pub mod starts;
pub mod stay;
pub mod submission;
pub mod tenant;
pub mod timers;
pub mod told;
pub mod translate;
mod turn;
pub mod workers;

use std::collections::{BTreeMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use redress_domain::case::command::{Body, Command};
use redress_domain::case::evolve::{self, Stamp};
use redress_domain::case::{Case, number};
use redress_domain::clock::Instant;
use redress_domain::codec;
use redress_domain::decision::Turn;
use redress_domain::ids::{CaseId, CustomerId};
use redress_sandbox::Sandbox;
use redress_store::batch::{AppendError, Appended, Batch, Version};
use redress_store::queue::queue;
use redress_store::scan::{Direction, Scan};
use redress_store::tenant::TenantStore;
use redress_store::work::ClaimRef;
use tokio::sync::watch;

use crate::clock::Clock;
use crate::config::Limits;
use answer::{Answer, Reply};
pub use error::Error;
use registry::Registry;
use staged::After;
use stand_in::StandIn;
use tenant::TenantRecord;
use turn::{Computed, Order};
use workers::Workers;

/// The major version of the plugin contract that this program's own records are in; what a component speaks is recorded with its
/// decisions.
pub const CONTRACT_MAJOR: u32 = 0;

/// The engine of one tenant. Clones share everything.
#[derive(Clone)]
pub struct Engine(Arc<Inner>);

struct Inner {
    record: TenantRecord,
    store: TenantStore,
    sandbox: Sandbox,
    registry: Registry,
    clock: Arc<dyn Clock>,
    limits: Limits,
    workers: Workers,
    stand_in: Option<Arc<dyn StandIn>>,
    /// Commands of one case wait for each other here.
    lanes: Mutex<BTreeMap<CaseId, VecDeque<Job>>>,
    /// What those hold who change the tenant's own matters.
    matters: matters::Matters,
    /// The number of the last record: who wants to know that something happened waits here.
    changes: watch::Sender<u64>,
    last_number: AtomicU64,
    figures: figures::Figures,
    /// Due work that failed, and how often.
    failing: Mutex<timers::Failing>,
    canaries: canary::Canaries,
    shadows: staged::Shadows,
    breakers: breaker::Breakers,
}

/// What an engine is made of.
pub struct Parts {
    /// Who the tenant is.
    pub record: TenantRecord,
    /// Its file.
    pub store: TenantStore,
    /// Where its plugins run.
    pub sandbox: Sandbox,
    /// Its workflows.
    pub registry: Registry,
    /// Time and randomness.
    pub clock: Arc<dyn Clock>,
    /// What is allowed.
    pub limits: Limits,
    /// The threads, shared with other tenants.
    pub workers: Workers,
    /// Who answers in place of plugins, where somebody does.
    pub stand_in: Option<Arc<dyn StandIn>>,
}

pub use figures::Counts;
pub use orders::{Placed, Put};
use submission::Doing;
pub use submission::{Receipt, Seen, Submission, Target};

struct Job {
    order: Order,
    claim: Option<ClaimRef>,
    conflicts: u32,
    reply: Answer,
}

impl Engine {
    /// Start the engine of a tenant.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn start(parts: Parts) -> Result<Self, Error> {
        let snapshot = parts.store.read()?;
        let last = snapshot.last_case_number()?.unwrap_or(0);
        let (changes, _) = watch::channel(snapshot.audit_head()?.n);
        drop(snapshot);
        Ok(Self(Arc::new(Inner {
            record: parts.record,
            store: parts.store,
            sandbox: parts.sandbox,
            registry: parts.registry,
            clock: parts.clock,
            limits: parts.limits,
            workers: parts.workers,
            stand_in: parts.stand_in,
            lanes: Mutex::default(),
            matters: matters::Matters::default(),
            changes,
            last_number: AtomicU64::new(last),
            figures: figures::Figures::default(),
            failing: Mutex::default(),
            canaries: canary::Canaries::default(),
            shadows: staged::Shadows::default(),
            breakers: breaker::Breakers::default(),
        })))
    }

    /// An engine of the same tenant on another store and with other workflows, for trials; it shares threads, sandbox and clock.
    /// What its cases want to send stays in that store: nobody takes it from there.
    ///
    /// # Errors
    /// The store cannot be read.
    pub(crate) fn beside(&self, store: TenantStore, registry: Registry) -> Result<Self, Error> {
        Self::start(Parts {
            record: self.0.record.clone(),
            store,
            sandbox: self.0.sandbox.clone(),
            registry,
            clock: self.0.clock.clone(),
            limits: self.0.limits.clone(),
            workers: self.0.workers.clone(),
            stand_in: None,
        })
    }

    /// Hand a command in. `then` is called once, on another thread, when it is decided and durable, or refused; it must be short.
    ///
    /// # Errors
    /// Too much is waiting already; `then` is not called.
    pub fn submit(
        &self,
        submission: Submission,
        then: impl FnOnce(Result<Receipt, Error>) + Send + 'static,
    ) -> Result<(), Error> {
        self.hand_in(submission, None, Box::new(then))
    }

    /// Hand a command in and wait until it is decided and durable.
    ///
    /// # Errors
    /// The command was refused or could not be decided.
    pub fn execute(&self, submission: Submission) -> Result<Receipt, Error> {
        let (sender, mut answer) = queue(1);
        self.submit(submission, move |result| drop(sender.send(result)))?;
        answer.take().unwrap_or(Err(Error::Stopped))
    }

    /// The case as it stands.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn case(&self, id: CaseId) -> Result<Option<Case>, Error> {
        let head = self.0.store.load_case(id)?;
        head.map(|head| codec::decode(&head.bytes).map_err(Error::damaged("case"))).transpose()
    }

    /// The case as it stood after a turn.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn case_at(&self, id: CaseId, turn: u64) -> Result<Option<Case>, Error> {
        let snapshot = self.0.store.read()?;
        let Some(head) = snapshot.load_case(id)? else { return Ok(None) };
        if head.version.0 <= turn {
            return Ok(Some(codec::decode(&head.bytes).map_err(Error::damaged("case"))?));
        }
        let mut turns = Vec::new();
        for row in snapshot.journal(id, Version(1), usize::try_from(turn).unwrap_or(usize::MAX))? {
            turns.push(codec::decode::<Turn>(&row.record).map_err(Error::damaged("turn"))?);
        }
        let stamped = turns.iter().map(|turn| (Stamp { at: turn.at, turn: turn.number }, &turn.entries[..]));
        let damaged = |error: evolve::Impossible| Error::Damaged { what: "case", detail: error.to_string() };
        evolve::fold(stamped).map_err(damaged)
    }

    /// When the customer's last case was opened, in business time.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn last_opened(&self, customer: &CustomerId) -> Result<Option<Instant>, Error> {
        let scan = Scan::CasesByCustomer(customer.clone());
        let page = self.0.store.read()?.scan(&scan, Direction::Backward, None, 1)?;
        Ok(page.rows.first().and_then(|row| row.at))
    }

    /// Who the tenant is.
    pub fn record(&self) -> &TenantRecord {
        &self.0.record
    }

    /// The tenant's file.
    pub fn store(&self) -> &TenantStore {
        &self.0.store
    }

    /// The tenant's workflows.
    pub fn registry(&self) -> &Registry {
        &self.0.registry
    }

    /// Where the tenant's plugins run.
    pub fn sandbox(&self) -> &Sandbox {
        &self.0.sandbox
    }

    /// Time and randomness.
    pub fn clock(&self) -> &dyn Clock {
        &*self.0.clock
    }

    /// The same, to be kept.
    pub(crate) fn shared_clock(&self) -> Arc<dyn Clock> {
        self.0.clock.clone()
    }

    /// The threads that run turns.
    pub(crate) fn workers(&self) -> &Workers {
        &self.0.workers
    }

    /// Learn that something was recorded: the number of the last record, now and whenever it grows.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.0.changes.subscribe()
    }

    /// A batch was stored up to this record.
    fn changed(&self, record: u64) {
        self.0.changes.send_if_modified(|last| {
            let grew = record > *last;
            *last = record.max(*last);
            grew
        });
    }

    /// Let those look who wait for work: some was written that came with no record.
    fn stir(&self) {
        self.0.changes.send_modify(|_| {});
    }

    /// The host's own limits.
    pub fn limits(&self) -> &Limits {
        &self.0.limits
    }

    fn hand_in(&self, submission: Submission, doing: Option<Doing>, reply: Reply) -> Result<(), Error> {
        let clock = &self.0.clock;
        // Stamped once, when the engine accepts the command, and kept on reruns.
        let (recorded_at, random) = (clock.now(), clock.random());
        let (case, number) = match submission.target {
            Target::Case(case) => (case, None),
            Target::New => (CaseId::mint(recorded_at, random), Some(self.next_number())),
            Target::Named(case) => (case, Some(self.next_number())),
        };
        let said_at = submission.occurred_at;
        let command = Command {
            occurred_at: said_at.unwrap_or(recorded_at),
            recorded_at,
            actor: submission.actor,
            channel: submission.channel,
            source: submission.source,
            reason: submission.reason,
            body: submission.body,
        };
        let (expect, repeat, contact) = (submission.expect, submission.repeat, submission.contact);
        let (claim, kept, next) =
            doing.map_or((None, Vec::new(), None), |doing| (Some(doing.claim), doing.rows, doing.next));
        let order = Order { case, number, command, said_at, expect, repeat, contact, kept, next };
        let job = Job { order, claim, conflicts: 0, reply: Answer::new(reply) };
        self.enter_lane(job)
    }

    fn next_number(&self) -> String {
        number::format(self.0.last_number.fetch_add(1, Ordering::Relaxed) + 1)
    }

    /// Commands of one case run one after the other; those of different cases side by side.
    fn enter_lane(&self, job: Job) -> Result<(), Error> {
        let case = job.order.case;
        let mut lanes = self.0.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(waiting) = lanes.get_mut(&case) {
            if waiting.len() >= self.0.limits.case_commands_waiting_max {
                return Err(refuse(job));
            }
            waiting.push_back(job);
            return Ok(());
        }
        lanes.insert(case, VecDeque::new());
        drop(lanes);
        if job.claim.is_some() {
            // Claimed work comes in slices and has places of its own: a full queue of requests does not keep it out.
            self.again(job);
            return Ok(());
        }
        let (engine, slot) = (self.clone(), Arc::new(Mutex::new(Some(job))));
        let taken = slot.clone();
        let queued = self.0.workers.queue(
            self.0.record.id,
            Box::new(move || {
                if let Some(job) = taken.lock().unwrap_or_else(PoisonError::into_inner).take() {
                    engine.run(job);
                }
            }),
        );
        if queued.is_ok() {
            return Ok(());
        }
        self.leave_lane(case);
        let job = slot.lock().unwrap_or_else(PoisonError::into_inner).take();
        Err(job.map_or(Error::Full, refuse))
    }

    fn leave_lane(&self, case: CaseId) {
        let mut lanes = self.0.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        let next = lanes.get_mut(&case).and_then(VecDeque::pop_front);
        match next {
            Some(job) => {
                drop(lanes);
                self.again(job);
            }
            None => drop(lanes.remove(&case)),
        }
    }

    fn again(&self, job: Job) {
        let engine = self.clone();
        self.0.workers.queue_again(self.0.record.id, Box::new(move || engine.run(job)));
    }

    #[tracing::instrument(name = "case.turn", skip_all, fields(case.id = %job.order.case))]
    fn run(&self, mut job: Job) {
        // A panic anywhere before the batch is handed in must still leave the lane, or the case would wait for ever.
        let prepared =
            catch_unwind(AssertUnwindSafe(|| turn::compute(&self.0, &job.order, job.claim.as_ref()).map(prepare)));
        match prepared.unwrap_or(Err(Error::Internal)) {
            Err(error) => self.finish(job, Err(error)),
            Ok(Prepared::Seen(receipt)) => self.finish(job, Ok(receipt)),
            Ok(Prepared::Batch { batch, receipt, resume, mut after }) => {
                let engine = self.clone();
                job.conflicts += 1;
                let slot = Arc::new(Mutex::new(Some(job)));
                let taken = slot.clone();
                let handed = self.0.store.append_then(*batch, move |result| {
                    if let Some(job) = taken.lock().unwrap_or_else(PoisonError::into_inner).take() {
                        if result.is_ok() {
                            engine.after(&mut after, receipt.case, receipt.turn);
                        }
                        engine.appended(job, receipt, resume, result);
                    }
                });
                // Only a batch that was not handed in leaves its job here: otherwise the callback owns it.
                if let Err(error) = handed
                    && let Some(job) = slot.lock().unwrap_or_else(PoisonError::into_inner).take()
                {
                    self.finish(job, Err(error.into()));
                }
            }
        }
    }

    /// The store has answered. Runs on the writer's thread, so it only hands on.
    fn appended(&self, job: Job, receipt: Receipt, resume: bool, result: Result<Appended, AppendError>) {
        match result {
            Ok(appended) => {
                self.changed(appended.audit);
                if receipt.seen == Seen::New {
                    self.0.figures.turn();
                }
                let (case, turn) = (receipt.case, receipt.turn);
                self.finish(job, Ok(receipt));
                if resume {
                    timers::resume(self, case, turn);
                }
            }
            // What the turn read has moved: read again, ask again. A taken number or name is the same case.
            Err(AppendError::Conflict { .. } | AppendError::NotUnique { .. }) => {
                self.0.figures.conflict();
                self.conflict(job);
            }
            Err(error) => self.finish(job, Err(error.into())),
        }
    }

    fn conflict(&self, job: Job) {
        let internal =
            job.claim.is_some() || matches!(job.order.command.body, Body::Timer(_) | Body::Continue | Body::Settle(_));
        if job.conflicts > self.0.limits.turn_conflicts_max && !internal {
            let conflicts = job.conflicts;
            self.finish(job, Err(Error::Conflict(conflicts)));
        } else {
            self.again(job);
        }
    }

    fn finish(&self, job: Job, result: Result<Receipt, Error>) {
        if let Err(error) = &result {
            self.0.figures.failed(error);
            tracing::warn!(case.id = %job.order.case, code = error.code(), "command {} failed: {error}", job.order.command.body.name());
        }
        let case = job.order.case;
        job.reply.give(result);
        self.leave_lane(case);
    }
}

/// A turn as far as it can be taken without the store.
enum Prepared {
    Batch { batch: Box<Batch>, receipt: Receipt, resume: bool, after: Box<After> },
    Seen(Receipt),
}

fn prepare(computed: Computed) -> Prepared {
    match computed {
        Computed::Seen(receipt, None) => Prepared::Seen(receipt),
        Computed::Seen(receipt, idem) => {
            let batch = Box::new(Batch { idem, ..Batch::default() });
            Prepared::Batch { batch, receipt, resume: false, after: Box::default() }
        }
        Computed::Left(receipt, batch) => Prepared::Batch { batch, receipt, resume: false, after: Box::default() },
        Computed::Decided(decision, beside, after) => {
            let batch = Box::new(commit::batch(&decision, *beside));
            let receipt = Receipt { case: decision.case.id, turn: decision.turn.number, seen: Seen::New };
            Prepared::Batch { batch, receipt, resume: decision.resume, after }
        }
    }
}

/// A job that was not accepted: its caller learns it from the returned error alone.
fn refuse(mut job: Job) -> Error {
    job.reply.forget();
    Error::Full
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Engine({})", self.0.record.slug)
    }
}
