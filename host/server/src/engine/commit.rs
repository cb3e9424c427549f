//! A decision as one batch: journal row, snapshot, ledgers, later work, lists.

use redress_domain::case::command::{Body, Open};
use redress_domain::case::number;
use redress_domain::case::start::By;
use redress_domain::clock::Instant;
use redress_domain::codec;
use redress_domain::decision::{Decision, Work};
use redress_domain::ids::{CaseId, Digest};
use redress_store::batch::{Batch, Idem, Stream, Version};
use redress_store::row::{Row, RowKey};
use redress_store::work::{ClaimRef, Kind, WorkItem, WorkKey};

use super::listing::CaseListing;
use super::repeat::{Given, Repeat};
use super::turn::Order;
use super::{Receipt, Seen, messages};

/// What a batch holds besides the decision.
#[derive(Debug, Default)]
pub(super) struct Beside {
    /// The work item that this turn does, if it came from one.
    pub(super) claim: Option<ClaimRef>,
    /// What is to be done after that.
    pub(super) next: Option<WorkItem>,
    /// Work items that are no longer needed.
    pub(super) cancel: Vec<WorkKey>,
    /// Claimed items that may be claimed again, each from a time on.
    pub(super) woken: Vec<(ClaimRef, Instant)>,
    /// Where the tenant's stream must stand still: the turn rests on a hold.
    pub(super) paused: Option<Version>,
    /// What people wrote, what is listed of tasks and effects, and what whoever did a work item keeps of it.
    pub(super) rows: Vec<Row>,
    /// Business time, where a submission said it.
    pub(super) said_at: Option<Instant>,
    /// The request that is answered.
    pub(super) repeat: Option<Repeat>,
}

/// The batch of a decision.
pub(super) fn batch(decision: &Decision, beside: Beside) -> Batch {
    let case = &decision.case;
    let mut batch = Batch::default();
    let seen = Version(decision.turn.number - 1);
    batch.turn(Stream::Case(case.id), seen, codec::encode(&decision.turn), codec::encode(case));
    for (order, taken) in &decision.ledgers {
        batch.take(order.clone(), Version(taken.version), codec::encode(&taken.ledger));
    }
    if let Body::Open(open) = &decision.turn.command.body {
        opened(&mut batch, decision, open, beside.said_at);
    }
    let listing = codec::encode(&CaseListing::of(case));
    batch.rows.push(Row::Put(RowKey::case_opened(case.opened_at, case.id), listing));
    work(&mut batch, decision);
    let claimed = beside.claim.as_ref().map(|claim| claim.key.clone());
    if let Some(version) = beside.paused {
        batch.depend(Stream::Tenant, version);
    }
    batch.work.renew.extend(beside.woken);
    batch.work.finish.extend(beside.claim);
    batch.work.put.extend(beside.next);
    batch.work.cancel.extend(beside.cancel.into_iter().filter(|key| Some(key) != claimed.as_ref()));
    batch.rows.extend(beside.rows);
    batch.idem = beside.repeat.map(|repeat| repeat.record(decision.turn.command.recorded_at, shown(decision)));
    batch
}

/// What is remembered of a request that found its case opened before: without it another request could come under its name. One
/// that names other content is refused, and a refusal is not remembered.
pub(super) fn seen(receipt: &Receipt, order: &Order) -> Option<Idem> {
    let Receipt { case, turn, seen } = *receipt;
    let repeat = order.repeat.clone().filter(|_| seen == Seen::Unchanged)?;
    Some(repeat.record(order.command.recorded_at, Given::Seen { case, turn }))
}

/// What the answer of a request shows: of one about an effect the effect, else the case.
fn shown(decision: &Decision) -> Given {
    let (case, turn) = (decision.case.id, decision.turn.number);
    match &decision.turn.command.body {
        Body::Settle(settle) => Given::Effect { key: settle.key, case, turn },
        Body::Resend(key) => Given::Effect { key: *key, case, turn },
        _ => Given::Turn { case, turn },
    }
}

fn opened(batch: &mut Batch, decision: &Decision, open: &Open, said_at: Option<Instant>) {
    let case = &decision.case;
    if let Some(number) = number::parse(&case.number) {
        batch.rows.push(Row::number_of_case(number, case.id));
    }
    if let Some(external) = &open.external {
        let content = content(open, said_at);
        batch.rows.push(Row::case_of_external(&external.source, &external.id, case.id, content));
    }
    if let Some(customer) = &case.customer {
        batch.rows.push(Row::Put(RowKey::case_customer(customer, case.opened_at, case.id), Vec::new()));
    }
}

/// What tells a submission that was seen before from another one under the same name. When the server took it is no part of it.
///
/// An event is told by what it carries: by which types that was read is the workflow's matter.
pub(super) fn content(open: &Open, said_at: Option<Instant>) -> Digest {
    if let Some(By::Event { content, .. }) = open.start.as_ref().map(|start| &start.by) {
        return *content;
    }
    Digest::of(&codec::encode(&(open, said_at)))
}

fn work(batch: &mut Batch, decision: &Decision) {
    let case = decision.case.id;
    let number = decision.turn.number;
    for (place, work) in (0_u32..).zip(&decision.work) {
        batch.work.put.push(match work {
            Work::Timer { due, timer } => {
                let key = timer_key(case, number, place);
                WorkItem { key, due: *due, payload: codec::encode(&(case, timer)) }
            }
            Work::Effect { key } => {
                let due = decision.turn.command.recorded_at;
                WorkItem { key: effect_key(key), due, payload: codec::encode(&(case, key)) }
            }
            Work::Message { to, body } => messages::item(decision, *to, body),
        });
    }
    if decision.resume {
        let due = decision.turn.command.recorded_at;
        batch.work.put.push(WorkItem { key: resume_key(case, number), due, payload: codec::encode(&case) });
    }
}

fn timer_key(case: CaseId, turn: u64, place: u32) -> WorkKey {
    let key = [&case.bytes()[..], &turn.to_be_bytes(), &place.to_be_bytes()].concat();
    WorkKey { kind: Kind::Timer, key }
}

/// The work item of an effect.
pub(super) fn effect_key(key: &Digest) -> WorkKey {
    WorkKey { kind: Kind::Effect, key: key.bytes().to_vec() }
}

/// The work item that goes on with a run that was cut in this turn.
pub(super) fn resume_key(case: CaseId, turn: u64) -> WorkKey {
    WorkKey { kind: Kind::Command, key: [&case.bytes()[..], &turn.to_be_bytes()].concat() }
}
