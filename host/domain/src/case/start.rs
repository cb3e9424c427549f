//! Cases that are started by name: whoever opens one says which workflow takes it, and no condition of a trigger is asked.

use serde::{Deserialize, Serialize};

use crate::ids::Slug;
use crate::value::Fields;

/// How a case is started whose workflow is named.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Start {
    /// The workflow that is to take it.
    pub workflow: Slug,
    /// By what.
    pub by: By,
}

/// What starts a case whose workflow is named.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// Somebody who names it.
    Manual {
        /// What its inputs hold.
        #[serde(default, skip_serializing_if = "Fields::is_empty")]
        inputs: Fields,
    },
}

impl By {
    /// What the case keeps of it.
    pub fn kept(&self) -> Started {
        match self {
            Self::Manual { .. } => Started::Manual,
        }
    }
}

/// What a case that was started by name keeps of how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Started {
    /// Somebody named the workflow.
    Manual,
}

impl Started {
    /// The word in records and on the wire: that of the trigger.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Manual => "manual",
        }
    }
}
