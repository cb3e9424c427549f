//! An outbox on the bench: effects are planned, written down, settled and tried again by the same rules, but what leaves goes to a
//! receiver in this process. No socket is opened. For trials of workflows.

use std::collections::BTreeSet;

use redress_domain::case::Reply;
use redress_domain::case::command::Actor;
use redress_domain::clock::Instant;
use redress_domain::ids::{CaseId, Digest, Slug};
use redress_store::host_key::HostKey;

use super::connectors::{self, Connector, Kind, Webhook};
use super::courier::{ComesTo, Courier, put_off};
use super::plan::{Parcel, Ready};
use super::rules::{Answer, Meaning, Told};
use super::secret::Secret;
use super::{Error, Settings};
use crate::config;
use crate::engine::{self, Engine};

/// The receiver's address: of a domain that never leads anywhere.
const ADDRESS: &str = "https://receiver.invalid/";
/// Nothing is signed with it, since nothing leaves.
const SECRET: &str = "whsec_MDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAw";

/// A request that would leave.
#[derive(Debug)]
pub struct Sent<'a> {
    /// The case.
    pub case: CaseId,
    /// The key of the effect: the same on every attempt.
    pub key: Digest,
    /// What it is about.
    pub kind: Kind,
    /// The body, as a webhook carries it.
    pub body: &'a [u8],
    /// When.
    pub at: Instant,
}

/// What becomes of a request.
#[derive(Debug, Clone, PartialEq)]
pub enum Received {
    /// The receiver did it, and says so.
    Confirmed(Said),
    /// The receiver did not and will not do it, for a reason that may have a code.
    Declined(Option<String>),
    /// The receiver tells later.
    Accepted,
    /// The answer is lost: whether the receiver did it is not known.
    Lost,
    /// The process dies at this point: nothing is written down of what came of it.
    Died,
}

/// What a receiver says beside that it did it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Said {
    /// What it calls what it did.
    pub reference: Option<String>,
    /// What it was asked for.
    pub reply: Option<Reply>,
}

/// An outbox that sends to a receiver in this process, when it is told to.
pub struct Bench(Courier);

/// What one pass did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pass {
    /// Effects that were taken up.
    pub taken: usize,
    /// Whether the process died, as far as this outbox and its engine know.
    pub died: bool,
}

impl Bench {
    /// An outbox with a key of its own.
    pub fn new(limits: config::Outbox) -> Self {
        Self(Courier::at_home(HostKey::unkept([0; 32]), Settings::default(), limits))
    }

    /// Connect everything that a workflow may send to the receiver, and the systems that it asks.
    ///
    /// # Errors
    /// It could not be recorded.
    pub fn connect(&self, engine: &Engine, systems: &BTreeSet<&Slug>) -> Result<(), connectors::Error> {
        let connector = Connector::Webhook(Webhook::new(ADDRESS, Secret::new(SECRET)));
        // Without a connector for mail, messages go to the merchant's own system.
        let own = systems.iter().map(|name| Kind::Http((*name).clone()));
        for kind in Kind::SINGLE.into_iter().filter(|kind| *kind != Kind::Mail).chain(own) {
            connectors::set(engine, &self.0.key, &self.0.settings, &kind, &connector, &Actor::host())?;
        }
        Ok(())
    }

    /// Hand everything that is due to the receiver, and record what it says. What was under way when the process died is left as it
    /// is: its lease runs out and it is sent again.
    ///
    /// # Errors
    /// The store failed.
    pub fn pass(&self, engine: &Engine, receiver: &mut dyn FnMut(&Sent<'_>) -> Received) -> Result<Pass, Error> {
        let mut all = Pass::default();
        loop {
            let taken = self.0.take(engine, self.0.limits.tenant_sending_max)?;
            all.taken += taken.claimed;
            if taken.claimed == 0 {
                return Ok(all);
            }
            for ready in taken.ready {
                match self.hand_over(engine, &ready, receiver) {
                    Some(answer) => self.record(engine, ready, &answer)?,
                    None => return Ok(Pass { died: true, ..all }),
                }
            }
        }
    }

    fn hand_over(
        &self,
        engine: &Engine,
        ready: &Ready,
        receiver: &mut dyn FnMut(&Sent<'_>) -> Received,
    ) -> Option<Answer> {
        let body: &[u8] = match &ready.parcel {
            Parcel::Request { body, .. } => body,
            Parcel::Mail { .. } | Parcel::Simulated => &[],
        };
        let kind = ready.log.last()?.connector.clone();
        let sent = Sent { case: ready.case, key: ready.key, kind, body, at: engine.clock().now() };
        Some(match receiver(&sent) {
            Received::Confirmed(Said { reference, reply }) => {
                Answer::new(Meaning::Confirmed(Told { reference, reply, code: None }))
            }
            Received::Declined(code) => {
                Answer::because(Meaning::Declined(Told { code, ..Told::default() }), "provider_declined")
            }
            Received::Accepted => Answer::new(Meaning::Accepted),
            Received::Lost => Answer::because(Meaning::Lost, "connection_lost"),
            Received::Died => return None,
        })
    }

    fn record(&self, engine: &Engine, ready: Ready, answer: &Answer) -> Result<(), engine::Error> {
        match self.0.comes_to(engine, &ready, answer) {
            Some(ComesTo::Outcome(settle, ended)) => {
                let row = ended.row(ready.key);
                engine.settle(ready.case, settle, ready.claim, vec![row]).map(drop)
            }
            Some(ComesTo::Again(ended, at)) => Ok(engine.store().append(put_off(&ready, &ended, at)).map(drop)?),
            None => Ok(()),
        }
    }
}

impl std::fmt::Debug for Bench {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Bench")
    }
}
