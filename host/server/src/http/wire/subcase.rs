//! Sub-cases on the wire: the case that opened one, and those that a case opened.

use redress_domain::case::child::{Child, Ending, Parent};
use redress_domain::case::entry::Entry;
use redress_domain::ids::CaseId;
use serde::Serialize;
use serde_json::Value as Json;
use utoipa::ToSchema;

use super::fields;
use super::timeline::{EntryView, named};

/// The case that opened this one.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ParentCase)]
pub struct ParentView {
    /// The id.
    pub id: String,
    /// The number that people read.
    pub number: String,
    /// The step `run` that opened it.
    pub step: String,
    /// Whether that step waits for its end.
    pub awaited: bool,
    /// How many cases stand above this one.
    pub depth: u32,
}

/// A case that this one opened.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = SubCase)]
pub struct ChildView {
    /// The id.
    pub id: String,
    /// The number that people read, once it has told its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number: Option<String>,
    /// The step that opened it.
    pub step: String,
    /// The branch or iteration that the step stood in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lane: Option<String>,
    /// The workflow.
    pub workflow: String,
    /// `active`, or the revision that the step names.
    pub revision: String,
    /// What it was given.
    #[schema(value_type = Object)]
    pub inputs: Json,
    /// `awaited`, `alone`, `called_off`, `finished`, `failed`, `cancelled` or `refused`, as far as this case was told.
    pub state: String,
    /// Its result, or the code of its failure or refusal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

impl From<&Parent> for ParentView {
    fn from(parent: &Parent) -> Self {
        Self {
            id: parent.case.to_string(),
            number: parent.number.clone(),
            step: parent.step.to_string(),
            awaited: parent.awaited,
            depth: parent.depth,
        }
    }
}

impl ChildView {
    /// A sub-case with its id.
    pub fn of(id: CaseId, child: &Child) -> Self {
        Self {
            id: id.to_string(),
            number: child.number.clone(),
            step: child.step.to_string(),
            lane: named(&child.lane),
            workflow: child.workflow.to_string(),
            revision: child.pin.to_string(),
            inputs: fields::shown(&child.inputs),
            state: child.state.word().to_owned(),
            code: child.state.code().map(str::to_owned),
        }
    }
}

/// What the timeline tells of a sub-case.
pub(super) fn told(entry: &Entry) -> EntryView {
    let of = |id: CaseId, codes: Vec<String>| EntryView { codes, case: Some(id.to_string()), ..EntryView::default() };
    match entry {
        Entry::SubCaseIntended { id, child } => {
            let step = Some(child.step.to_string());
            EntryView { step, ..of(*id, vec![format!("{}@{}", child.workflow, child.pin)]) }
        }
        Entry::SubCaseLeft { id, called_off: true } => of(*id, vec!["called_off".to_owned()]),
        Entry::SubCaseLeft { id, .. } => of(*id, vec!["alone".to_owned()]),
        Entry::SubCaseEnded(ended) => {
            let codes = std::iter::once(ended.ending.word()).chain(ended.ending.code());
            let detail = match &ended.ending {
                Ending::Refused { detail, .. } => Some(detail.clone()),
                _ => None,
            };
            EntryView { detail, ..of(ended.case, codes.map(str::to_owned).collect()) }
        }
        _ => EntryView::default(),
    }
}
