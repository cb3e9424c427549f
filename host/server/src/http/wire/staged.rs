//! A component beside the active one on the wire, with what came of it so far.

use serde::Serialize;
use utoipa::ToSchema;

use super::publishing::SinceView;
use crate::engine::staged::{Compared, Example, Staged};

/// A component beside the active one of its name.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = StagedPlugin)]
pub struct StagedView {
    /// Name and major version.
    pub plugin: String,
    /// Its version.
    pub version: String,
    /// The SHA-256 of the component.
    pub digest: String,
    /// The active component, which it is compared with.
    pub beside: String,
    /// `shadow`: it is asked what the active component is asked, and its answers are not used. `canary`: it decides a share of the new
    /// cases; what comes of them is told with the workflows that call it.
    pub stage: &'static str,
    /// The share of the new cases, in percent; of a canary.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub percent: Option<u8>,
    /// Whose signature it came with, by the name of the key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signed_by: Option<String>,
    /// Since when, by whom and why.
    pub since: SinceView,
    /// What its answers as a shadow came to.
    pub compared: ComparedView,
}

/// What the answers of a shadow came to, beside those of the active component.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ComparedAnswers)]
pub struct ComparedView {
    /// Questions that it was asked.
    pub asked: u64,
    /// Answers that were the same to the byte.
    pub equal: u64,
    /// Answers that were others; failures among them.
    pub different: u64,
    /// Questions at which it failed and the active component did not.
    pub failed: u64,
    /// Questions that it was not asked, because too many waited.
    pub left_out: u64,
    /// Fuel of the active component for the questions that were asked.
    pub fuel_active: u64,
    /// Fuel of the shadow for the same questions.
    pub fuel: u64,
    /// The first answers that were others.
    pub examples: Vec<ExampleView>,
}

/// An answer that was another one.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = OtherAnswer)]
pub struct ExampleView {
    /// The case.
    pub case: String,
    /// The turn.
    pub turn: u64,
    /// The step that asked.
    pub step: String,
    /// What was decided: JSON, cut where it is long.
    pub active: String,
    /// What it would have been.
    pub shadow: String,
}

impl From<&Staged> for StagedView {
    fn from(one: &Staged) -> Self {
        Self {
            plugin: one.plugin.clone(),
            version: one.version.clone(),
            digest: one.digest.to_string(),
            beside: one.beside.to_string(),
            stage: one.stage.word(),
            percent: one.stage.percent().map(|percent| percent.get()),
            signed_by: one.signed_by.clone(),
            since: (&one.since).into(),
            compared: (&one.compared).into(),
        }
    }
}

impl From<&Compared> for ComparedView {
    fn from(one: &Compared) -> Self {
        Self {
            asked: one.asked,
            equal: one.equal,
            different: one.different,
            failed: one.failed,
            left_out: one.left_out,
            fuel_active: one.fuel_active,
            fuel: one.fuel,
            examples: one.examples.iter().map(Into::into).collect(),
        }
    }
}

impl From<&Example> for ExampleView {
    fn from(one: &Example) -> Self {
        Self {
            case: one.case.to_string(),
            turn: one.turn,
            step: one.step.to_string(),
            active: one.active.clone(),
            shadow: one.shadow.clone(),
        }
    }
}
