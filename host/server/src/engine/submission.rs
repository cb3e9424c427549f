//! What is handed to the engine, and what it answers.

use redress_domain::case::command::{Actor, Body};
use redress_domain::clock::Instant;
use redress_domain::ids::CaseId;
use redress_store::row::Row;
use redress_store::work::{ClaimRef, WorkItem};

use super::personal::Contact;
use super::repeat::Repeat;

/// What is to happen, to which case.
#[derive(Debug, Clone)]
pub struct Submission {
    /// To which case.
    pub target: Target,
    /// Business time, where it is not the server's; only for those who may say so.
    pub occurred_at: Option<Instant>,
    /// Who.
    pub actor: Actor,
    /// How it came in.
    pub channel: String,
    /// From which system or file.
    pub source: Option<String>,
    /// Why, from people.
    pub reason: Option<String>,
    /// What.
    pub body: Body,
    /// The turn that the case must stand at, where the sender saw it: a case that has moved since is left alone.
    pub expect: Option<u64>,
    /// The request that this answers, where it may come again.
    pub repeat: Option<Repeat>,
    /// How the customer of a new case is reached: kept with the customer, apart from the case.
    pub contact: Contact,
}

impl Submission {
    /// What happens to a case through a channel, said now by nobody in particular.
    pub fn new(target: Target, actor: Actor, channel: &str, body: Body) -> Self {
        Self {
            target,
            occurred_at: None,
            actor,
            channel: channel.to_owned(),
            source: None,
            reason: None,
            body,
            expect: None,
            repeat: None,
            contact: Contact::new(),
        }
    }
}

/// Which case a command is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// One that it opens.
    New,
    /// One that it opens under this id.
    Named(CaseId),
    /// This one.
    Case(CaseId),
}

/// What became of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The case.
    pub case: CaseId,
    /// Its turn after the command; of a case seen before, the one that it stands at.
    pub turn: u64,
    /// Whether a submission was new.
    pub seen: Seen,
}

/// Whether a submission was seen before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// It was not.
    New,
    /// It was, with the same content: nothing was done.
    Unchanged,
    /// It was, with another content: nothing was done.
    Changed,
}

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
