//! What starts a case on a workflow by its name.

use std::collections::{BTreeMap, BTreeSet};

use super::{CallInput, Required};
use crate::clock::Zone;
use crate::ids::Slug;
use crate::workflow::cron::Cron;
use crate::workflow::expr::Expr;

/// The triggers that start a case by the workflow's name.
#[derive(Debug, Clone, Default)]
pub struct Starts {
    /// Who may open a case under it, where anybody may.
    pub manual: Option<Manual>,
    /// The events that start one, in the order of the document.
    pub events: Vec<EventStart>,
    /// When one is opened again and again, in the order of the document.
    pub schedules: Vec<Schedule>,
}

/// Starts a case when somebody names the workflow.
#[derive(Debug, Clone)]
pub struct Manual {
    /// Who may.
    pub roles: BTreeSet<String>,
    /// The type of case.
    pub kind: Slug,
    /// What a submission must name.
    pub requires: BTreeSet<Required>,
    /// The variables that are given with it.
    pub inputs: BTreeMap<String, CallInput>,
}

/// Starts a case when something happens that no case is named for.
#[derive(Debug, Clone)]
pub struct EventStart {
    /// The event.
    pub event: String,
    /// Fields of the event and what they must equal.
    pub matches: Vec<(String, Expr)>,
    /// The type of case.
    pub kind: Slug,
    /// The order that it is about.
    pub order: Option<Expr>,
    /// Whose case it is.
    pub customer: Option<Expr>,
    /// Why it is opened, a code.
    pub reason: Option<Expr>,
    /// What variables begin with.
    pub set: BTreeMap<String, Expr>,
}

/// Starts a case at each of these times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// The local minutes.
    pub cron: Cron,
    /// Where they are local.
    pub zone: Zone,
    /// The type of case.
    pub kind: Slug,
}

impl Schedule {
    /// What tells it from the others of its workflow.
    pub fn name(&self) -> String {
        format!("{} in {}: {}", self.cron.text(), self.zone, self.kind)
    }
}
