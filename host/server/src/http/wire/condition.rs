//! Conditions that a turn decided, on the wire: why a case went where it went.

use redress_domain::decision::{Condition, Part};
use serde::Serialize;
use utoipa::ToSchema;

use super::all;

/// A condition that was decided.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Condition)]
pub struct ConditionView {
    /// The step.
    pub step: String,
    /// As the workflow has it.
    pub condition: String,
    /// Whether it held.
    pub holds: bool,
    /// Its parts, in the order in which they were asked; what stands behind a part that decided was not.
    pub parts: Vec<PartView>,
}

/// A part of a condition.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ConditionPart)]
pub struct PartView {
    /// As the workflow has it.
    pub part: String,
    /// Whether it held.
    pub holds: bool,
    /// What it compared; free texts are never told.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<ComparedView>,
}

/// What a part of a condition compared.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ComparedValue)]
pub struct ComparedView {
    /// As the workflow has it.
    pub expression: String,
    /// What it was.
    pub value: String,
}

impl From<&Condition> for ConditionView {
    fn from(condition: &Condition) -> Self {
        Self {
            step: condition.step.to_string(),
            condition: condition.source.clone(),
            holds: condition.holds,
            parts: all(&condition.parts),
        }
    }
}

impl From<&Part> for PartView {
    fn from(part: &Part) -> Self {
        let compared = |(expression, value): &(String, String)| ComparedView {
            expression: expression.clone(),
            value: value.clone(),
        };
        Self { part: part.source.clone(), holds: part.holds, values: part.values.iter().map(compared).collect() }
    }
}
