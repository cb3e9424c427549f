//! How a case came to another revision of its workflow, as its journal keeps it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::lane::LaneId;
use crate::clock::Instant;
use crate::ids::{Digest, Slug};
use crate::value::Fields;

/// How a case came to another revision.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Migrated {
    /// The revision that it left.
    pub from: Digest,
    /// The revision that it runs on.
    pub to: Digest,
    /// The step at which it waits there.
    pub step: Slug,
    /// Steps that are called otherwise there, by their names of before: outputs, effects and tasks of them go with it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub steps: BTreeMap<Slug, Slug>,
    /// Its variables.
    #[serde(default, skip_serializing_if = "Fields::is_empty")]
    pub vars: Fields,
    /// When the wait ends by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Instant>,
    /// The wait has a new timer, and that of before finds nothing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub rearmed: bool,
    /// Where its branches and iterations wait there, those that wait for something from outside.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub lanes: BTreeMap<LaneId, MigratedLane>,
}

/// Where a branch or an iteration waits on another revision.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MigratedLane {
    /// The step.
    pub step: Slug,
    /// When the wait ends by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Instant>,
    /// The wait has a new timer, and that of before finds nothing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub rearmed: bool,
}
