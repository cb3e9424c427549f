//! Sub-cases: a step that runs another workflow, and how a workflow is run by another one.

use std::collections::{BTreeMap, BTreeSet};

use super::{Definition, Kind, Required, Step, Timeout};
use crate::case::child::Pin;
use crate::ids::Slug;
use crate::value::{Fields, Type, Value};
use crate::workflow::expr::Expr;

/// A case of another workflow.
#[derive(Debug, Clone)]
pub struct Run {
    /// The workflow.
    pub workflow: Slug,
    /// Which revision.
    pub pin: Pin,
    /// What its inputs hold.
    pub with: BTreeMap<String, Expr>,
    /// The end of waiting for it; none where nobody waits.
    pub wait: Option<Timeout>,
}

/// Starts a case when another one runs the workflow.
#[derive(Debug, Clone, Default)]
pub struct CalledBy {
    /// The variables that the other case gives.
    pub inputs: BTreeMap<String, CallInput>,
    /// What that case must have.
    pub requires: BTreeSet<Required>,
}

/// A variable that another case gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallInput {
    /// What it holds.
    pub kind: Type,
    /// Whether it must be given: it has no default and may not be absent.
    pub required: bool,
}

/// Inputs that are not as they were declared: of another type, unknown, or missing.
pub fn misfits(declared: &BTreeMap<String, CallInput>, given: &Fields) -> Vec<String> {
    let is_wrong = |(name, value): &(&String, &Value)| match declared.get(*name) {
        Some(input) => !value.is_of(&input.kind),
        None => true,
    };
    let wrong = given.iter().filter(is_wrong).map(|(name, _)| name.clone());
    let missing = declared.iter().filter(|(name, input)| input.required && !given.contains_key(*name));
    wrong.chain(missing.map(|(name, _)| name.clone())).collect()
}

impl Definition {
    /// What another workflow must know of it to run it.
    pub fn callable(&self) -> Callable {
        let reference = |step: &Step| match &step.kind {
            Kind::Run(run) => Some(format!("{}@{}", run.workflow, run.pin)),
            _ => None,
        };
        Callable { called: self.called.clone(), runs: self.steps.iter().filter_map(reference).collect() }
    }
}

/// What is known of a workflow where another one runs it.
#[derive(Debug, Clone, Default)]
pub struct Callable {
    /// How it runs as a sub-case, where it does.
    pub called: Option<CalledBy>,
    /// The workflows that it runs itself, as it names them.
    pub runs: BTreeSet<String>,
}
