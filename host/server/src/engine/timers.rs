//! Work that is due: timers that end waits, what cases tell each other, and runs that were cut. After a crash the store still holds it.

use std::collections::BTreeMap;
use std::sync::{MutexGuard, PoisonError};

use crossbeam_channel::Sender;
use redress_domain::case::command::{Actor, Body, Timer};
use redress_domain::clock::{Instant, Span};
use redress_domain::codec;
use redress_domain::ids::CaseId;
use redress_store::batch::{AppendError, Batch};
use redress_store::row::Row;
use redress_store::work::{Claim, ClaimRef, ClaimRequest, Kind, WorkItem, WorkKey};

use super::error::Error;
use super::messages::Message;
use super::{Engine, Receipt, Submission, Target};

/// Who claims due work in this process.
const HOLDER: &str = "engine";
/// When the revision is on hold that a scheduled case would take.
const HELD_PAUSE: Span = Span::from_millis(60_000);
/// After so many failures the pause has reached its limit; more are not counted.
const FAILURES_COUNTED_MAX: u32 = 7;
/// Items whose failures are counted. Should more fail at once, the store has failed and not an item.
const FAILING_ITEMS_MAX: usize = 10_000;

/// What a slice of due work came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Slice {
    /// Items that were taken.
    pub claimed: usize,
    /// Items that are done.
    pub done: usize,
    /// Items that are due still, because too much was waiting: a moment later they may be taken again.
    pub put_back: usize,
}

/// How often items have failed in a row, by their keys.
pub(super) type Failing = BTreeMap<WorkKey, u32>;

/// The work item that a command does.
pub(super) struct Doing {
    pub(super) claim: ClaimRef,
    /// What whoever does it keeps of it.
    pub(super) rows: Vec<Row>,
    /// What is to be done after it.
    pub(super) next: Option<WorkItem>,
}

impl Doing {
    pub(super) fn new(claim: ClaimRef) -> Self {
        Self { claim, rows: Vec::new(), next: None }
    }
}

enum Fate {
    Done,
    /// Somebody else did it meanwhile: a run that was cut goes on by itself.
    Elsewhere,
    PutBack,
    Failed,
}

impl Engine {
    /// Do everything that is due at this instant, and answer how much was done. Also the recovery after a crash.
    ///
    /// One item that fails is logged and delays nobody: it comes back after a pause, a longer one each time.
    ///
    /// # Errors
    /// The store failed.
    pub fn run_due(&self, now: Instant) -> Result<usize, Error> {
        let mut done = 0;
        loop {
            let slice = self.run_due_slice(&[Kind::Message, Kind::Timer, Kind::Command], now)?;
            done += slice.done;
            if slice.claimed == 0 {
                return Ok(done);
            }
        }
    }

    /// Do some of what is due at this instant: few enough that others of this tenant come in between.
    ///
    /// # Errors
    /// The store failed.
    pub fn run_due_slice(&self, kinds: &[Kind], now: Instant) -> Result<Slice, Error> {
        let claims = self.0.store.claim(ClaimRequest {
            who: HOLDER.to_owned(),
            kinds: kinds.to_vec(),
            max: self.0.limits.due_claimed_max,
            lease: self.0.limits.due_lease,
            now,
        })?;
        let claimed = claims.len();
        let claims = self.without_stood_in(claims)?;
        let stood_in = claimed - claims.len();
        let fates = self.run_claims(claims, now);
        let count = |wanted: fn(&Fate) -> bool| fates.iter().filter(|fate| wanted(fate)).count();
        let done = stood_in + count(|fate| matches!(fate, Fate::Done));
        let put_back = count(|fate| matches!(fate, Fate::PutBack));
        Ok(Slice { claimed, done, put_back })
    }

    /// When the first of what is not yet done is due.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn next_due(&self, kind: Kind) -> Result<Option<Instant>, Error> {
        Ok(self.0.store.read()?.next_due(kind)?)
    }

    fn run_claims(&self, claims: Vec<Claim>, now: Instant) -> Vec<Fate> {
        let (sender, answers) = crossbeam_channel::bounded(claims.len());
        for claim in claims {
            self.hand_in_claim(claim, now, &sender);
        }
        drop(sender);
        answers.iter().map(|(claim, result)| self.fate(claim, result, now)).collect()
    }

    /// Each claim is answered once, whether it was taken or not.
    fn hand_in_claim(&self, claim: Claim, now: Instant, sender: &Sender<Answered>) {
        let (told, same) = (sender.clone(), claim.clone());
        let reply = move |result| drop(told.send((same, result)));
        let work = match claim.claim.key.kind {
            Kind::Schedule => self.occurrence(&claim, now),
            _ => command(&claim).map(|submission| (submission, Doing::new(claim.claim.clone()))),
        };
        let handed = work.and_then(|(submission, doing)| self.hand_in(submission, Some(doing), Box::new(reply)));
        if let Err(error) = handed {
            drop(sender.send((claim, Err(error))));
        }
    }

    fn fate(&self, item: Claim, result: Result<Receipt, Error>, now: Instant) -> Fate {
        let claim = item.claim.clone();
        match result {
            Ok(_) => {
                self.failing().remove(&claim.key);
                Fate::Done
            }
            Err(Error::Rejected(rejection)) => {
                match Message::read(&item) {
                    Ok(message) if claim.key.kind == Kind::Message => {
                        self.refuse_message(claim, &message, &rejection);
                    }
                    _ => self.forget(claim),
                }
                Fate::Done
            }
            Err(Error::Append(AppendError::Fenced)) => Fate::Elsewhere,
            Err(Error::OnHold { workflow, number }) if claim.key.kind == Kind::Schedule => {
                tracing::info!(%workflow, number, "a scheduled case is opened once its revision is no longer on hold");
                self.come_back(claim, now.after(HELD_PAUSE));
                Fate::Elsewhere
            }
            Err(Error::Full) => {
                self.come_back(claim, now);
                Fate::PutBack
            }
            Err(error) => {
                let pause = self.pause(&claim.key);
                tracing::error!(
                    code = error.code(),
                    pause_ms = pause.millis(),
                    "due work failed and is tried again: {error}"
                );
                self.come_back(claim, now.after(pause));
                Fate::Failed
            }
        }
    }

    /// How long an item that failed once more is left alone: the lease, doubled each time.
    fn pause(&self, key: &WorkKey) -> Span {
        let mut failing = self.failing();
        if failing.len() >= FAILING_ITEMS_MAX && !failing.contains_key(key) {
            return self.0.limits.due_lease;
        }
        let failures = failing.entry(key.clone()).or_default();
        let pause = self.0.limits.due_lease.millis().saturating_mul(1 << *failures);
        *failures = (*failures + 1).min(FAILURES_COUNTED_MAX);
        Span::from_millis(pause)
    }

    fn failing(&self) -> MutexGuard<'_, Failing> {
        self.0.failing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Give an item back, to be taken from an instant on. Where that fails too, it comes back when its lease ends.
    fn come_back(&self, claim: ClaimRef, at: Instant) {
        let mut batch = Batch::default();
        batch.work.renew.push((claim, at));
        self.store_aside(batch);
    }
}

type Answered = (Claim, Result<Receipt, Error>);

impl Engine {
    /// Work that the rules refuse is done: it would be refused for ever.
    fn forget(&self, claim: ClaimRef) {
        let mut batch = Batch::default();
        batch.work.finish.push(claim);
        self.store_aside(batch);
    }

    fn store_aside(&self, batch: Batch) {
        let told = |error: &AppendError| tracing::warn!("due work comes back after its lease: {error}");
        let stored = self.0.store.append_then(batch, move |result| {
            result.inspect_err(told).ok();
        });
        stored.inspect_err(told).ok();
    }
}

/// Go on with a run that was cut. The store holds the work as well: after a crash `run_due` finds it.
pub(super) fn resume(engine: &Engine, case: CaseId, turn: u64) {
    let at = engine.clock().now();
    let mut continued = submission(case, Body::Continue, at);
    continued.occurred_at = None;
    let handed = engine.hand_in(continued, None, Box::new(|_| {}));
    if let Err(error) = handed {
        tracing::info!(case.id = %case, "run that was cut in turn {turn} waits for the next pass: {error}");
    }
}

fn submission(case: CaseId, body: Body, due: Instant) -> Submission {
    let mut submission = Submission::new(Target::Case(case), Actor::host(), "timer", body);
    submission.occurred_at = Some(due);
    submission
}

fn command(claim: &Claim) -> Result<Submission, Error> {
    match claim.claim.key.kind {
        Kind::Timer => {
            let (case, timer): (CaseId, Timer) = codec::decode(&claim.payload).map_err(Error::damaged("timer"))?;
            Ok(submission(case, Body::Timer(timer), claim.due))
        }
        Kind::Message => {
            let Message { to, at, body } = Message::read(claim)?;
            let target = if matches!(body, Body::Open(_)) { Target::Named(to) } else { Target::Case(to) };
            let told = Submission::new(target, Actor::host(), "sub_case", body);
            Ok(Submission { occurred_at: Some(at), ..told })
        }
        Kind::Effect | Kind::Command | Kind::Schedule => {
            let case = codec::decode(&claim.payload).map_err(Error::damaged("command"))?;
            Ok(submission(case, Body::Continue, claim.due))
        }
    }
}
