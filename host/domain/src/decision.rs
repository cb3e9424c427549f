//! What one turn decides: everything that one commit holds.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ask::Asked;
use crate::case::Case;
use crate::case::command::{Body, Command, Timer};
use crate::case::entry::Entry;
use crate::clock::Instant;
use crate::facts::Facts;
use crate::ids::{CaseId, Digest, OrderId, Slug};
use crate::ledger::Ledger;
use crate::workflow::expr::Leaf;

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
    /// Something to tell another case.
    Message {
        /// The case.
        to: CaseId,
        /// What happens to it.
        body: Box<Body>,
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
    /// The conditions that were decided on the way, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    /// What came of it.
    pub entries: Vec<Entry>,
}

/// Most conditions that one turn tells; a run of more was long enough to be told by its entries.
pub const CONDITIONS_MAX: usize = 64;
/// Most parts of a condition that are told.
pub const PARTS_MAX: usize = 32;
/// Most characters of a part, and of a value in it.
pub const PART_CHARS_MAX: usize = 200;

/// A condition that was decided, with the value of each part that was asked: why a case went where it went.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Condition {
    /// The step.
    pub step: Slug,
    /// As it is written.
    pub source: String,
    /// Whether it held.
    pub holds: bool,
    /// Its parts in the order in which they were asked. What stands behind a part that decided is not asked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Part>,
}

/// A part of a condition that is not put together from others.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// As it is written.
    pub source: String,
    /// Whether it held.
    pub holds: bool,
    /// What was compared: as it is written, and the value. A free text is never kept.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<(String, String)>,
}

impl Condition {
    /// What is kept of a condition.
    pub fn new(step: &Slug, source: &str, holds: bool, leaves: Vec<Leaf>) -> Self {
        let part = |leaf: Leaf| Part {
            source: cut(&leaf.source),
            holds: leaf.holds,
            values: leaf.values.into_iter().map(|(source, value)| (cut(&source), cut(&value))).collect(),
        };
        let parts = leaves.into_iter().take(PARTS_MAX).map(part).collect();
        Self { step: step.clone(), source: cut(source.trim()), holds, parts }
    }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(PART_CHARS_MAX) {
        Some((end, _)) => format!("{}\u{2026}", &text[..end]),
        None => text.to_owned(),
    }
}
