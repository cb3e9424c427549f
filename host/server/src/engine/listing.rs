//! What a list of cases or tasks shows, kept beside the index so that a page reads no snapshot.

use redress_domain::case::{Case, External, Task};
use redress_domain::clock::Instant;
use redress_domain::ids::{CaseId, CustomerId, Slug, TaskId};
use redress_domain::money::Money;
use redress_domain::verdict::Remedy;
use serde::{Deserialize, Serialize};

/// A case in a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CaseListing {
    /// The id.
    pub id: CaseId,
    /// The number that people read.
    pub number: String,
    /// `return`, `exchange` ...
    pub kind: Slug,
    /// Business time of its opening.
    pub opened_at: Instant,
    /// The name that another system gives it.
    pub external: Option<External>,
    /// Whose case.
    pub customer: Option<CustomerId>,
    /// `running`, `waiting`, `held`, `closed`.
    pub status: String,
    /// The step that it stands at.
    pub step: Option<String>,
    /// What came of it.
    pub result: Option<String>,
    /// The derived remedy.
    pub remedy: Remedy,
    /// Money refunded or on its way.
    pub refunded: Money,
}

impl CaseListing {
    /// How a case is listed.
    pub fn of(case: &Case) -> Self {
        Self {
            id: case.id,
            number: case.number.clone(),
            kind: case.kind.clone(),
            opened_at: case.opened_at,
            external: case.external.clone(),
            customer: case.customer.clone(),
            status: case.status.word().to_owned(),
            step: case.status.step().map(ToString::to_string),
            result: case.result.clone(),
            remedy: case.remedy(),
            refunded: case.refunded(),
        }
    }
}

/// A task in a queue.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TaskListing {
    /// The id.
    pub id: TaskId,
    /// The case.
    pub case: CaseId,
    /// The number of the case.
    pub number: String,
    /// The task.
    pub task: Task,
}
