//! What starts cases on the wire: the triggers of a workflow, and what started a case.

use redress_domain::case::start::Started;
use redress_domain::workflow::definition::{CallInput, Definition, Required};
use serde::Serialize;
use utoipa::ToSchema;

/// What starts a case.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
#[schema(as = Trigger)]
pub struct TriggerView {
    /// `case_opened`: a case of a type is opened; `manual`: somebody names the workflow; `called`: another workflow runs it.
    pub by: String,
    /// The types of case; empty for all.
    pub types: Vec<String>,
    /// A further condition, as the workflow has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// Whose keys may start a case by naming the workflow.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
    /// What a submission must name: `order`, `reason`, `customer`, `lines`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub requires: Vec<String>,
    /// What is filled in by whoever starts it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub inputs: Vec<InputView>,
}

/// A value that whoever starts a case fills in.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = TriggerInput)]
pub struct InputView {
    /// Its name.
    pub name: String,
    /// Its type, as the workflow has it.
    #[serde(rename = "type")]
    pub kind: String,
    /// Whether it must be given.
    pub required: bool,
}

/// What started a case, where that was not its type.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
#[schema(as = Started)]
pub struct StartedView {
    /// The trigger: `manual`.
    pub by: String,
}

/// Everything that starts a case on a workflow.
pub fn triggers(definition: &Definition) -> Vec<TriggerView> {
    let opened = definition.triggers.iter().map(|trigger| TriggerView {
        types: trigger.kinds.iter().cloned().collect(),
        when: trigger.when.as_ref().map(|when| when.source().to_owned()),
        requires: required(&trigger.requires),
        ..TriggerView::by("case_opened")
    });
    let called = definition.called.iter().map(|called| TriggerView {
        requires: required(&called.requires),
        inputs: inputs(&called.inputs),
        ..TriggerView::by("called")
    });
    let manual = definition.starts.manual.iter().map(|manual| TriggerView {
        types: vec![manual.kind.to_string()],
        roles: manual.roles.iter().cloned().collect(),
        requires: required(&manual.requires),
        inputs: inputs(&manual.inputs),
        ..TriggerView::by("manual")
    });
    opened.chain(manual).chain(called).collect()
}

impl TriggerView {
    fn by(word: &str) -> Self {
        Self { by: word.to_owned(), ..Self::default() }
    }
}

fn required<'a>(parts: impl IntoIterator<Item = &'a Required>) -> Vec<String> {
    parts.into_iter().map(|part| part.word().to_owned()).collect()
}

fn inputs<'a>(declared: impl IntoIterator<Item = (&'a String, &'a CallInput)>) -> Vec<InputView> {
    let view = |(name, input): (&String, &CallInput)| InputView {
        name: name.clone(),
        kind: input.kind.to_string(),
        required: input.required,
    };
    declared.into_iter().map(view).collect()
}

impl From<&Started> for StartedView {
    fn from(started: &Started) -> Self {
        Self { by: started.word().to_owned() }
    }
}
