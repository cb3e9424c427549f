//! What starts a case on a workflow by its name.

use std::collections::{BTreeMap, BTreeSet};

use super::{CallInput, Required};
use crate::ids::Slug;
use crate::workflow::expr::Expr;

/// The triggers that start a case by the workflow's name.
#[derive(Debug, Clone, Default)]
pub struct Starts {
    /// Who may open a case under it, where anybody may.
    pub manual: Option<Manual>,
    /// The events that start one, in the order of the document.
    pub events: Vec<EventStart>,
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
