//! When a task must be answered, what happens while it is not, and an answer that waits for a second person.

use serde::{Deserialize, Serialize};

use crate::clock::Instant;
use crate::ids::Digest;
use crate::value::Fields;

/// When an answer is due, and what happens while there is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deadline {
    /// When it is due.
    pub due: Instant,
    /// Whether it came too late, or has not come and is late.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub overdue: bool,
    /// What is still to happen, in the order of time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alarms: Vec<Alarm>,
    /// The version of the table of holidays that it was counted with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holidays: Option<Digest>,
}

/// Something that happens while a task is not answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alarm {
    /// When.
    pub at: Instant,
    /// What.
    pub kind: AlarmKind,
}

/// What happens while a task is not answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlarmKind {
    /// The queue is reminded.
    Remind,
    /// The answer is late.
    Due,
    /// The task goes to another queue.
    Escalate {
        /// The queue.
        to: String,
    },
}

/// What one person answered, where a second one must agree.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Proposal {
    /// The choice.
    pub outcome: String,
    /// What was filled in.
    #[serde(default, skip_serializing_if = "Fields::is_empty")]
    pub form: Fields,
    /// Who.
    pub by: String,
}
