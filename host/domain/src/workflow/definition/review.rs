//! What a person is asked, and what happens while they do not answer.

use std::collections::BTreeMap;

use crate::ids::Slug;
use crate::value::Type;
use crate::workflow::calendar::delay::Delay;
use crate::workflow::definition::{Timeout, Words};
use crate::workflow::expr::Template;

/// A task for a person.
#[derive(Debug, Clone)]
pub struct Review {
    /// Who works on it.
    pub queue: Slug,
    /// What the task is called; may hold `{{ }}`.
    pub title: Words<Template>,
    /// What the person fills in.
    pub ask: BTreeMap<String, Type>,
    /// Fields that take evidence, with how many pieces.
    pub files: BTreeMap<String, Files>,
    /// What the person may choose, and where it leads.
    pub next: BTreeMap<String, Slug>,
    /// Reason codes that the case carries while it waits here.
    pub reasons: Vec<Slug>,
    /// What happens while nobody answers.
    pub sla: Option<Sla>,
    /// Whether two people must give the same answer.
    pub four_eyes: bool,
    /// The end of waiting.
    pub timeout: Timeout,
}

/// How many pieces of evidence a field takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Files {
    /// At least.
    pub min: u32,
    /// At most.
    pub max: u32,
}

/// What happens while nobody answers. It never ends the wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sla {
    /// When an answer is due.
    pub due: Delay,
    /// When somebody is reminded.
    pub remind: Vec<Delay>,
    /// When the task goes to another queue.
    pub escalate: Vec<Escalation>,
}

/// A task goes to another queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Escalation {
    /// Counted from entering the step.
    pub after: Delay,
    /// The queue.
    pub to: Slug,
}
