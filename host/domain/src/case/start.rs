//! Cases that are started by name: whoever opens one says which workflow takes it, and no condition of a trigger is asked.

use serde::{Deserialize, Serialize};

use super::Arrived;
use crate::clock::Instant;
use crate::ids::{Digest, Slug};
use crate::value::Fields;

/// How the source of an event begins in the external name of the case that it started: an event is no case of the other system.
pub const EVENT_SOURCE: &str = "event:";

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
    /// Something that happened outside and that no case is named for.
    Event {
        /// What happened.
        event: Box<Arrived>,
        /// What tells it from another one that comes under its name, whatever the types that it is read by.
        content: Digest,
    },
    /// The time has come.
    Schedule {
        /// Which occurrence it is; the time is the case's.
        at: Instant,
    },
}

impl By {
    /// What the case keeps of it.
    pub fn kept(&self) -> Started {
        match self {
            Self::Manual { .. } => Started::Manual,
            Self::Event { event, .. } => Started::Event { name: event.name.clone() },
            Self::Schedule { at } => Started::Schedule { at: *at },
        }
    }
}

/// What a case that was started by name keeps of how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Started {
    /// Somebody named the workflow.
    Manual,
    /// An event that was told without a case; the case has its source and id as its external name.
    Event {
        /// The event.
        name: String,
    },
    /// A time of its workflow's schedule.
    Schedule {
        /// Which.
        at: Instant,
    },
}

impl Started {
    /// The word in records and on the wire: that of the trigger.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Manual => "manual",
            Self::Event { .. } => "event",
            Self::Schedule { .. } => "schedule",
        }
    }
}
