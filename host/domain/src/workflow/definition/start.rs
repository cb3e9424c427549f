//! What starts a case on a workflow by its name.

use std::collections::{BTreeMap, BTreeSet};

use super::{CallInput, Required};
use crate::ids::Slug;

/// The triggers that start a case by the workflow's name.
#[derive(Debug, Clone, Default)]
pub struct Starts {
    /// Who may open a case under it, where anybody may.
    pub manual: Option<Manual>,
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
