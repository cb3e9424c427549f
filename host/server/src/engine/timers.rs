//! Work that is due: timers that end waits, and runs that were cut. After a crash the store still holds it.

use crossbeam_channel::Sender;
use redress_domain::case::command::{Actor, Body, Timer};
use redress_domain::clock::Instant;
use redress_domain::codec;
use redress_domain::ids::CaseId;
use redress_store::batch::{AppendError, Batch};
use redress_store::work::{Claim, ClaimRef, ClaimRequest, Kind};

use super::error::Error;
use super::{Doing, Engine, Receipt, Submission, Target};

/// Who claims due work in this process.
const HOLDER: &str = "engine";

impl Engine {
    /// Do everything that is due at this instant, and answer how much was done. Also the recovery after a crash.
    ///
    /// One item that fails is logged, keeps its lease and delays nobody: it comes back when the lease ends.
    ///
    /// # Errors
    /// The store failed.
    pub fn run_due(&self, now: Instant) -> Result<usize, Error> {
        let mut done = 0;
        loop {
            let claims = self.0.store.claim(ClaimRequest {
                who: HOLDER.to_owned(),
                kinds: vec![Kind::Timer, Kind::Command],
                max: self.0.limits.due_claimed_max,
                lease: self.0.limits.due_lease,
                now,
            })?;
            if claims.is_empty() {
                return Ok(done);
            }
            done += self.run_claims(claims);
        }
    }

    fn run_claims(&self, claims: Vec<Claim>) -> usize {
        let (sender, answers) = crossbeam_channel::bounded(claims.len());
        let handed = claims.into_iter().filter(|claim| self.hand_in_claim(claim, &sender)).count();
        let did = |result: &Result<Receipt, Error>| match result {
            Ok(_) | Err(Error::Rejected(_)) => true,
            // Somebody else did it meanwhile: a run that was cut goes on by itself.
            Err(Error::Append(AppendError::Fenced)) => false,
            Err(error) => {
                tracing::error!(code = error.code(), "due work failed and is tried again after its lease: {error}");
                false
            }
        };
        answers.iter().take(handed).filter(did).count()
    }

    fn hand_in_claim(&self, claim: &Claim, sender: &Sender<Result<Receipt, Error>>) -> bool {
        let (sender, engine, refused) = (sender.clone(), self.clone(), claim.claim.clone());
        let reply = move |result: Result<Receipt, Error>| {
            if let Err(Error::Rejected(_)) = &result {
                engine.forget(refused);
            }
            drop(sender.send(result));
        };
        let handed = command(claim).and_then(|(case, body)| {
            self.hand_in(submission(case, body, claim.due), Some(Doing::new(claim.claim.clone())), Box::new(reply))
        });
        if let Err(error) = &handed {
            tracing::error!(code = error.code(), "due work was not taken and is tried again after its lease: {error}");
        }
        handed.is_ok()
    }
}

impl Engine {
    /// Work that the rules refuse is done: it would be refused for ever.
    fn forget(&self, claim: ClaimRef) {
        let mut batch = Batch::default();
        batch.work.finish.push(claim);
        let forgotten = self.0.store.append_then(batch, |result| {
            if let Err(error) = result {
                tracing::warn!("refused work comes back after its lease: {error}");
            }
        });
        if let Err(error) = forgotten {
            tracing::warn!("refused work comes back after its lease: {error}");
        }
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

fn command(claim: &Claim) -> Result<(CaseId, Body), Error> {
    match claim.claim.key.kind {
        Kind::Timer => {
            let (case, timer): (CaseId, Timer) = codec::decode(&claim.payload).map_err(Error::damaged("timer"))?;
            Ok((case, Body::Timer(timer)))
        }
        Kind::Effect | Kind::Command => {
            let case = codec::decode(&claim.payload).map_err(Error::damaged("command"))?;
            Ok((case, Body::Continue))
        }
    }
}
