//! Rows of lists on the wire.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use super::WireMoney;
use super::case::{ExternalName, TaskView};
use crate::engine::listing::{CaseListing, TaskListing};

/// A case in a list.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct CaseRow {
    /// The id.
    pub id: String,
    /// The number that people read and type.
    pub number: String,
    /// `return`, `exchange`, `complaint` ...
    pub kind: String,
    /// `running`, `waiting`, `held` or `closed`.
    pub status: String,
    /// Whether its revision is on hold: it does not move.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub paused: bool,
    /// The step that it stands at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// What came of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result: Option<String>,
    /// `allow`, `deny` or `review`.
    pub remedy: String,
    /// Money refunded or on its way.
    pub refunded: WireMoney,
    /// Of it what nobody has confirmed yet; left out where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_its_way: Option<WireMoney>,
    /// The name that another system gives it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external: Option<ExternalName>,
    /// Whose case it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer: Option<String>,
    /// Business time of its opening.
    pub opened_at: String,
}

impl From<&CaseListing> for CaseRow {
    fn from(one: &CaseListing) -> Self {
        Self {
            id: one.id.to_string(),
            number: one.number.clone(),
            kind: one.kind.to_string(),
            status: one.status.clone(),
            paused: false,
            step: one.step.clone(),
            result: one.result.clone(),
            remedy: one.remedy.word().to_owned(),
            refunded: one.refunded.into(),
            on_its_way: one.on_its_way.map(WireMoney::from),
            external: one.external.as_ref().map(|one| ExternalName { source: one.source.clone(), id: one.id.clone() }),
            customer: one.customer.as_ref().map(ToString::to_string),
            opened_at: one.opened_at.to_string(),
        }
    }
}

/// A task, with its case.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TaskRow {
    /// The task.
    #[serde(flatten)]
    pub task: TaskView,
    /// The case that waits for it.
    pub case: String,
    /// The number of the case.
    pub number: String,
}

/// A task, with its case and with what may be answered.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TaskToAnswer {
    /// The task.
    #[serde(flatten)]
    pub row: TaskRow,
    /// The choices: one of them is the `outcome` of an answer.
    pub outcomes: Vec<String>,
    /// What is to be filled in, each field with its type; one that ends in `?` may be left out.
    #[schema(value_type = Object)]
    pub form: BTreeMap<String, String>,
}

impl From<&TaskListing> for TaskRow {
    fn from(one: &TaskListing) -> Self {
        Self { task: TaskView::of(one.id, &one.task), case: one.case.to_string(), number: one.number.clone() }
    }
}
