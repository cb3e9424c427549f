//! What one turn decides: everything that one commit holds.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ask::Asked;
use crate::case::Case;
use crate::case::command::{Command, Timer};
use crate::case::entry::Entry;
use crate::clock::Instant;
use crate::facts::Facts;
use crate::ids::{Digest, OrderId, Slug};
use crate::ledger::Ledger;

/// The outcome of a turn. Nothing of it has happened before it is committed.
#[derive(Debug, Clone)]
pub struct Decision {
    /// The case as it stands after the turn.
    pub case: Case,
    /// What the journal keeps of the turn.
    pub turn: Turn,
    /// The ledgers that the turn takes from, with the version that must still be found.
    pub ledgers: BTreeMap<OrderId, Taken>,
    /// Timers to set and effects to send.
    pub work: Vec<Work>,
    /// The run was cut: an internal command goes on with it.
    pub resume: bool,
    /// The steps that the turn entered, in order; those that were skipped are not among them. It is not stored: computing the turn
    /// again gives it.
    pub path: Vec<Slug>,
}

/// A ledger that a turn changed.
#[derive(Debug, Clone, PartialEq)]
pub struct Taken {
    /// The version that it was read at.
    pub version: u64,
    /// The new content.
    pub ledger: Ledger,
}

/// Later work of a case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Work {
    /// A timer.
    Timer {
        /// When it is due.
        due: Instant,
        /// What it ends.
        timer: Timer,
    },
    /// An effect to send.
    Effect {
        /// Its key.
        key: Digest,
    },
}

/// One row of the journal: a turn with all that it saw, so that it can be explained and computed again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Turn {
    /// The number of the turn in its case, from 1.
    pub number: u64,
    /// Business time, never before the case's last entry.
    pub at: Instant,
    /// What was commanded, by whom.
    pub command: Command,
    /// What was read beside the case.
    pub facts: Facts,
    /// What was asked and answered.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub asks: Vec<Asked>,
    /// What came of it.
    pub entries: Vec<Entry>,
}
