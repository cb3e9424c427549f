//! Questions to plugins and their answers, as the core sees them.

use serde::{Deserialize, Serialize};

use crate::case::lane::LaneId;
use crate::clock::Instant;
use crate::ids::{Digest, Slug};
use crate::value::Fields;
use crate::verdict::{Quote, Reason, Verdict};
use crate::workflow::definition::Hook;

/// A question. The case, its facts and earlier answers stand beside it in the turn, from which the request is built again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ask {
    /// The step that asks.
    pub step: Slug,
    /// The lane that it stands in.
    #[serde(default, skip_serializing_if = "LaneId::is_main")]
    pub lane: LaneId,
    /// The plugin as the document names it.
    pub plugin: String,
    /// The component that is asked: pinned with the revision.
    pub digest: Digest,
    /// What it is asked.
    pub hook: Hook,
    /// Business time; a plugin has no other clock.
    pub now: Instant,
    /// A plugin has no other randomness.
    pub seed: u64,
    /// The law that applied.
    pub jurisdiction: String,
    /// The parameters.
    pub args: Fields,
}

/// What came back, with what replay needs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answered {
    /// The answer, or how the plugin failed.
    pub outcome: Result<Answer, Failure>,
    /// Fuel used: what the plugin's author pays for.
    pub fuel: u64,
    /// SHA-256 of the canonical request.
    pub request: Digest,
    /// The version of the encoder that the request was made canonical with.
    pub encoder: u32,
    /// Major version of the contract.
    pub contract: u32,
    /// The engine that ran it.
    pub engine: String,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// Of an eligibility or compliance plugin.
    Verdict(Verdict),
    /// Of a refund plugin.
    Quote(Quote),
    /// Of a `step` plugin.
    Values(Fields),
}

/// How a plugin failed: a person's, always.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    /// A stable code.
    pub code: String,
    /// For a person.
    pub detail: String,
    /// What the plugin itself gave as reasons.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<Reason>,
}

/// A question with its answer, as a turn keeps it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Asked {
    /// The question.
    pub ask: Ask,
    /// The answer.
    pub answered: Answered,
}
