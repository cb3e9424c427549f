//! A case that is opened under a workflow by its name.

use redress_domain::case::start::{By, Start};
use redress_domain::ids::Slug;
use redress_domain::workflow::definition::CallInput;

use super::OpenCase;
use crate::engine::{Engine, Error};
use crate::http::problem::Problem;
use crate::http::tenancy::Tenant;
use crate::http::wire::{fields, invalid, name, typed};

/// How a case is started under a workflow that the submission names.
pub(super) struct Started {
    pub(super) start: Box<Start>,
    /// The type of case that the workflow opens so, where it does.
    kind: Option<Slug>,
}

/// The start that a submission names. The inputs are read by the types that the workflow declares; whether they fit, and who may
/// start it, the rules say.
pub(super) async fn named(tenant: &Tenant, body: &OpenCase) -> Result<Option<Started>, Problem> {
    let Some(workflow) = &body.workflow else {
        if body.inputs.is_empty() {
            return Ok(None);
        }
        return Err(invalid("/inputs", "inputs are those of a `workflow`, and none is named"));
    };
    let workflow = name("/workflow", Slug::new(workflow))?;
    let asked = workflow.clone();
    let manual = move |engine: &Engine| Ok::<_, Error>(engine.startable(&asked));
    let (kind, inputs) = match tenant.read(manual).await? {
        Some(manual) => {
            let kinds = manual.inputs.into_iter().map(|(name, CallInput { kind, .. })| (name, kind)).collect();
            (Some(manual.kind), typed::read("/inputs", &body.inputs, &kinds)?)
        }
        None => (None, fields::read("/inputs", &body.inputs)?),
    };
    let by = By::Manual { inputs };
    Ok(Some(Started { start: Box::new(Start { workflow, by }), kind }))
}

/// The type of case: the one that is written, else that of the workflow. Of a workflow that starts none so it does not matter.
pub(super) fn kind(written: Option<&str>, started: Option<&Started>) -> Result<Slug, Problem> {
    match (written, started) {
        (Some(written), _) => name("/kind", Slug::new(written)),
        (None, Some(Started { start, kind })) => Ok(kind.clone().unwrap_or_else(|| start.workflow.clone())),
        (None, None) => Err(invalid("/kind", "it is missing: name a type of case, or a `workflow`")),
    }
}
