//! Work: what must be done later. The outbox, timers, commands to ourselves and what cases tell each other are one table with one way to take from it.
//!
//! An item is *claimed* for the length of a lease and *finished* inside the batch that records its outcome. Every claim has an
//! epoch that never repeats in this tenant; finishing with an older epoch is `Fenced`, so a slow worker that lost its lease
//! cannot settle what another one has taken over.

use std::collections::BTreeSet;

use redress_domain::clock::{Instant, Span};

use crate::batch::{AppendError, all_distinct, within};
use crate::keys::{Key, Parts};
use crate::limits::KEY_BYTES_MAX;

/// What kind of work it is: workers claim by kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Kind {
    /// Something to be reminded of at a time.
    Timer = 1,
    /// Something for the world outside: money, mail, a webhook.
    Effect = 2,
    /// A command to ourselves: continue a long turn, repeat after a conflict.
    Command = 3,
    /// What one case tells another.
    Message = 4,
    /// A case to open again and again, each time at its time.
    Schedule = 5,
}

impl Kind {
    /// All kinds, in the order in which they are claimed when all are asked for.
    pub const ALL: [Self; 5] = [Self::Timer, Self::Effect, Self::Command, Self::Message, Self::Schedule];
}

/// The name of one item: its kind and the engine's own key, minted once and stable over retries.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct WorkKey {
    /// What kind of work it is.
    pub kind: Kind,
    /// The engine's key, unique within the kind.
    pub key: Vec<u8>,
}

impl WorkKey {
    pub(crate) fn row(&self) -> Vec<u8> {
        Key::default().byte(self.kind as u8).rest(&self.key).done()
    }

    pub(crate) fn due_row(&self, visible: Instant) -> Vec<u8> {
        due_prefix(self.kind).instant(visible).rest(&self.key).done()
    }
}

/// The part of a due row's key that one kind has.
pub(crate) fn due_prefix(kind: Kind) -> Key {
    Key::default().byte(kind as u8)
}

/// Something to be done from a time on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkItem {
    /// Its name.
    pub key: WorkKey,
    /// Not before this.
    pub due: Instant,
    /// What to do, in the engine's bytes.
    pub payload: Vec<u8>,
}

/// Proof of a claim: which item, and the lease under which it was taken.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ClaimRef {
    /// The item.
    pub key: WorkKey,
    /// The lease's epoch.
    pub epoch: u64,
}

/// A claimed item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// What finishes or renews it.
    pub claim: ClaimRef,
    /// When it was due.
    pub due: Instant,
    /// When the lease ends and others may take the item.
    pub until: Instant,
    /// What to do.
    pub payload: Vec<u8>,
}

/// Who wants which work, for how long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimRequest {
    /// The worker, for people who look at what is stuck; at most 255 bytes of it are kept.
    pub who: String,
    /// The kinds it can do.
    pub kinds: Vec<Kind>,
    /// At most so many items.
    pub max: usize,
    /// How long it may take.
    pub lease: Span,
    /// What is due by then is taken.
    pub now: Instant,
}

/// The changes that a batch makes to work. They happen in this order: finish, cancel, renew, put.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WorkChanges {
    /// Claimed items that are done. A lost lease fails the batch with `Fenced`.
    pub finish: Vec<ClaimRef>,
    /// Items that need not be done any more, claimed or not; one that is gone already is no failure.
    pub cancel: Vec<WorkKey>,
    /// Claimed items that need more time, each with the new end of its lease. A lost lease fails the batch.
    pub renew: Vec<(ClaimRef, Instant)>,
    /// New items. A key that is there, and is not finished or cancelled by this batch, fails it with `NotUnique`.
    pub put: Vec<WorkItem>,
}

impl WorkChanges {
    pub(crate) fn len(&self) -> usize {
        self.finish.len() + self.cancel.len() + self.renew.len() + self.put.len()
    }

    pub(crate) fn size(&self) -> usize {
        self.put.iter().map(|item| item.key.key.len() + item.payload.len()).sum()
    }

    /// The items that this batch removes: their keys may be put again.
    pub(crate) fn freed(&self) -> BTreeSet<&WorkKey> {
        self.finish.iter().map(|claim| &claim.key).chain(&self.cancel).collect()
    }

    pub(crate) fn check(&self) -> Result<(), AppendError> {
        let touched = || {
            let renewed = self.renew.iter().map(|(claim, _)| &claim.key);
            self.finish.iter().map(|claim| &claim.key).chain(&self.cancel).chain(renewed)
        };
        if !all_distinct(touched()) || !all_distinct(self.put.iter().map(|item| &item.key)) {
            return Err(AppendError::Malformed("a work item is changed twice"));
        }
        // The due row holds the kind and an instant beside the key.
        let longest = touched().chain(self.put.iter().map(|item| &item.key)).map(|key| key.key.len() + 9).max();
        within("bytes of a key", longest.unwrap_or(0), KEY_BYTES_MAX)
    }
}

/// An item as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkState {
    /// From when on it can be claimed: when it is due, or when its lease ends.
    pub visible: Instant,
    /// When it is due.
    pub due: Instant,
    /// The epoch of the last claim; 0 when it was never claimed.
    pub epoch: u64,
    /// Who claimed it last.
    pub holder: String,
    /// What to do.
    pub payload: Vec<u8>,
}

impl WorkState {
    pub(crate) fn new(item: &WorkItem) -> Self {
        Self { visible: item.due, due: item.due, epoch: 0, holder: String::new(), payload: item.payload.clone() }
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let fixed = Key::default().instant(self.visible).instant(self.due).number(self.epoch);
        fixed.text(&self.holder).rest(&self.payload).done()
    }

    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut parts = Parts(bytes);
        Some(Self {
            visible: parts.instant()?,
            due: parts.instant()?,
            epoch: parts.number()?,
            holder: parts.text()?.to_owned(),
            payload: parts.0.to_vec(),
        })
    }
}

/// As much of a worker's name as is kept.
pub(crate) fn holder(who: &str) -> String {
    let end = (0..=who.len().min(255)).rev().find(|&end| who.is_char_boundary(end)).unwrap_or(0);
    who[..end].to_owned()
}
