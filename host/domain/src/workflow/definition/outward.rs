//! Whom a workflow deals with outside: systems that it asks, queues that people work on.

use std::collections::{BTreeMap, BTreeSet};

use crate::ids::Slug;
use crate::value::Type;
use crate::workflow::definition::{Compensate, Definition, Http, Kind, Notify, Step};
use crate::workflow::expr::Expr;

/// Goods that go somewhere.
#[derive(Debug, Clone)]
pub struct Restock {
    /// Where to.
    pub to: Expr,
    /// The lot that they are of.
    pub lot: Option<Expr>,
    /// The serial number of a single unit.
    pub serial: Option<Expr>,
}

/// The text that reminds a queue of a task.
pub const TASK_REMINDER: &str = "task-reminder";
/// The text that tells a queue of a task that came to it because nobody answered.
pub const TASK_ESCALATED: &str = "task-escalated";
/// The text that reminds a customer of what the case waits for.
pub const WAIT_REMINDER: &str = "wait-reminder";

impl Definition {
    /// The systems that its steps ask, each a connector `http:<target>`.
    pub fn targets(&self) -> BTreeSet<&Slug> {
        self.steps.iter().flat_map(Step::requests).map(|http| &http.target).collect()
    }

    /// The texts that are told to somebody, by its own steps and for it while it waits.
    pub fn templates(&self) -> BTreeSet<&str> {
        let mut all: BTreeSet<&str> =
            self.steps.iter().flat_map(Step::told).map(|notify| notify.template.as_str()).collect();
        let is_hurried = |step: &Step| step.kind.asked().is_some_and(|review| review.sla.is_some());
        if self.steps.iter().any(is_hurried) {
            all.extend([TASK_REMINDER, TASK_ESCALATED]);
        }
        if self.steps.iter().any(|step| matches!(&step.kind, Kind::Await { remind, .. } if !remind.is_empty())) {
            all.insert(WAIT_REMINDER);
        }
        all
    }

    /// Whether it has a text of its own under this name that it tells somebody.
    pub fn has_text(&self, name: &str) -> bool {
        let is_own = |notify: &Notify| notify.template.as_str() == name && notify.message.is_some();
        let told = self.steps.iter().flat_map(Step::told).any(is_own);
        told || self.messages.keys().any(|known| known.as_str() == name)
    }

    /// What the answers of a system may hold, by all steps that ask it.
    pub fn answers_of(&self, target: &str) -> BTreeMap<&str, &Type> {
        let asked = self.steps.iter().flat_map(Step::requests).filter(|http| http.target.as_str() == target);
        asked.flat_map(|http| http.expect.iter().map(|(name, kind)| (name.as_str(), kind))).collect()
    }
}

impl Step {
    /// What it asks of systems: by itself, and where it is undone.
    pub fn requests(&self) -> impl Iterator<Item = &Http> {
        let itself = if let Kind::Http(http) = &self.kind { Some(http) } else { None };
        let undone = if let Some(Compensate::Http(http)) = &self.compensate { Some(http) } else { None };
        itself.into_iter().chain(undone)
    }

    /// What it tells somebody: by itself, and where it is undone.
    fn told(&self) -> impl Iterator<Item = &Notify> {
        let itself = if let Kind::Notify(notify) = &self.kind { Some(notify) } else { None };
        let undone = if let Some(Compensate::Notify(notify)) = &self.compensate { Some(notify) } else { None };
        itself.into_iter().chain(undone)
    }
}

/// Which steps an `undo` undoes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Undo {
    /// All that have done something that can be undone.
    All,
    /// These.
    Steps(Vec<Slug>),
}
