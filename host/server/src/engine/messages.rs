//! What cases tell each other: opening a sub-case, calling it off, telling its end. Stored with the turn that says it and claimed
//! like everything else that is due, so that what comes of it and the end of the message are one commit.

use redress_domain::case::child::{Called, Ended, Ending};
use redress_domain::case::command::{Body, Rejection};
use redress_domain::case::entry::Entry;
use redress_domain::clock::Instant;
use redress_domain::codec;
use redress_domain::decision::Decision;
use redress_domain::ids::CaseId;
use redress_store::batch::Batch;
use redress_store::work::{Claim, ClaimRef, Kind, WorkItem, WorkKey};

use super::Engine;
use super::error::Error;

/// A message as it is stored.
pub(super) struct Message {
    /// The case that is told something.
    pub(super) to: CaseId,
    /// Business time: that of the turn that said it.
    pub(super) at: Instant,
    /// What happens to it.
    pub(super) body: Body,
}

impl Message {
    pub(super) fn read(claim: &Claim) -> Result<Self, Error> {
        let (to, at, body) = codec::decode(&claim.payload).map_err(Error::damaged("message"))?;
        Ok(Self { to, at, body })
    }

    fn item(&self, due: Instant) -> WorkItem {
        let payload = codec::encode(&(self.to, self.at, &self.body));
        WorkItem { key: key(self.to, &self.body), due, payload }
    }
}

/// The work item of what a decision tells another case.
pub(super) fn item(decision: &Decision, to: CaseId, body: &Body) -> WorkItem {
    let message = Message { to, at: decision.turn.at, body: body.clone() };
    message.item(decision.turn.command.recorded_at)
}

/// A sub-case is opened once, called off once, and ends once.
fn key(to: CaseId, body: &Body) -> WorkKey {
    let tail = match body {
        Body::SubCase(ended) => [&[2][..], &ended.case.bytes()].concat(),
        Body::Open(_) => vec![0],
        _ => vec![1],
    };
    WorkKey { kind: Kind::Message, key: [&to.bytes()[..], &tail].concat() }
}

/// The messages that this turn leaves nothing to do for. What is called off before it was opened is never opened; should it be
/// opened at this moment, the message that ends it finds it.
pub(super) fn needless(decision: &Decision) -> impl Iterator<Item = WorkKey> {
    decision.turn.entries.iter().filter_map(|entry| match entry {
        Entry::SubCaseLeft { id, called_off: true } => {
            Some(WorkKey { kind: Kind::Message, key: [&id.bytes()[..], &[0]].concat() })
        }
        _ => None,
    })
}

impl Engine {
    /// These claims without the sub-cases that a trial opens in name only: those are done with.
    pub(super) fn without_stood_in(&self, claims: Vec<Claim>) -> Result<Vec<Claim>, Error> {
        if self.0.stand_in.as_ref().is_none_or(|one| one.opens_sub_cases()) {
            return Ok(claims);
        }
        let opens = |claim: &Claim| {
            claim.claim.key.kind == Kind::Message
                && matches!(Message::read(claim), Ok(Message { body: Body::Open(_), .. }))
        };
        let (opening, others): (Vec<Claim>, Vec<Claim>) = claims.into_iter().partition(opens);
        if !opening.is_empty() {
            let mut batch = Batch::default();
            batch.work.finish.extend(opening.into_iter().map(|claim| claim.claim));
            self.store().append(batch)?;
        }
        Ok(others)
    }

    /// A message that the rules refuse is done with. That a sub-case cannot be opened is told to the case that waits for it, in
    /// the same commit; it is waited for, because whoever does all that is due does this too.
    pub(super) fn refuse_message(&self, claim: ClaimRef, message: &Message, rejection: &Rejection) {
        let mut batch = Batch::default();
        batch.work.finish.push(claim);
        if let Some(called) = called(&message.body)
            && called.parent.awaited
            // What is open already tells its end itself.
            && rejection.code != "case_open"
        {
            let ending = Ending::Refused { code: rejection.code.to_owned(), detail: rejection.message.clone() };
            let ended = Ended { case: message.to, number: None, ending };
            let body = Body::SubCase(Box::new(ended));
            let told = Message { to: called.parent.case, at: message.at, body };
            batch.work.put.push(told.item(self.clock().now()));
        }
        if let Err(error) = self.store().append(batch) {
            tracing::warn!(case.id = %message.to, "a refused message comes back after its lease: {error}");
        }
    }
}

fn called(body: &Body) -> Option<&Called> {
    match body {
        Body::Open(open) => open.called.as_deref(),
        _ => None,
    }
}
