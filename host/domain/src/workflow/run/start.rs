//! A case that names its workflow: whether the workflow takes what starts it.

mod event;

pub use event::opens;

use super::{Input, route};
use crate::case::command::{Body, Open, Rejection};
use crate::case::start::{By, Start};
use crate::ids::Slug;
use crate::value::Fields;
use crate::workflow::definition::start::Manual;
use crate::workflow::definition::{Definition, misfits};

/// Whether a revision takes a case that names its workflow.
///
/// # Errors
/// Why it does not.
pub fn check(definition: &Definition, input: &Input) -> Result<(), Rejection> {
    let Body::Open(open) = &input.command.body else { return Ok(()) };
    let Some(start) = &open.start else { return Ok(()) };
    taken(Some(definition), open, start, input).map(drop)
}

/// The workflow as it takes the case.
pub(super) fn taken<'d>(
    definition: Option<&'d Definition>,
    open: &Open,
    start: &Start,
    input: &Input,
) -> Result<&'d Definition, Rejection> {
    let Some(definition) = definition else {
        let message = format!("there is no workflow {}", start.workflow);
        return Err(Rejection { code: "unknown_workflow", message, fields: vec!["workflow".to_owned()] });
    };
    match &start.by {
        By::Manual { inputs } => by_name(definition, open, inputs, &input.command.actor.role)?,
        By::Event { event, .. } => drop(event::wanted_as(definition, event, &open.kind)?),
        By::Schedule { .. } => scheduled(definition, &open.kind)?,
    }
    Ok(definition)
}

/// The variables that the case begins with because of what starts it.
pub(super) fn gives(definition: &Definition, open: &Open) -> Result<Fields, Rejection> {
    match open.start.as_ref().map(|start| &start.by) {
        Some(By::Manual { inputs }) => Ok(inputs.clone()),
        Some(By::Event { event, .. }) => event::gives(definition, event, &open.kind),
        Some(By::Schedule { .. }) | None => Ok(Fields::new()),
    }
}

fn by_name(definition: &Definition, open: &Open, inputs: &Fields, role: &str) -> Result<(), Rejection> {
    let name = &definition.workflow;
    let Some(manual) = &definition.starts.manual else {
        let message = format!("workflow {name} has no trigger `manual`: no case is opened by naming it");
        return Err(Rejection { code: "not_startable", message, fields: vec!["workflow".to_owned()] });
    };
    if !manual.roles.contains(role) {
        let message = format!("workflow {name} is started by {}, not by {role}", listed(manual));
        return Err(Rejection { code: "not_allowed", message, fields: vec!["workflow".to_owned()] });
    }
    if open.kind != manual.kind {
        let message = format!("workflow {name} opens cases of the type {}, not {}", manual.kind, open.kind);
        return Err(Rejection { code: "not_startable", message, fields: vec!["kind".to_owned()] });
    }
    let wrong: Vec<String> = misfits(&manual.inputs, inputs).into_iter().map(|name| format!("inputs.{name}")).collect();
    if !wrong.is_empty() {
        let message = format!("workflow {name} declares its inputs otherwise: {}", wrong.join(", "));
        return Err(Rejection { code: "wrong_inputs", message, fields: wrong });
    }
    route::required(&manual.requires, open)
}

/// When a revision says otherwise a backtest and a canary are none the less asked about the case.
fn scheduled(definition: &Definition, kind: &Slug) -> Result<(), Rejection> {
    if definition.starts.schedules.iter().any(|schedule| schedule.kind == *kind) {
        return Ok(());
    }
    let message = format!("workflow {} opens no {kind} by a schedule", definition.workflow);
    Err(Rejection { code: "not_startable", message, fields: vec!["kind".to_owned()] })
}

fn listed(manual: &Manual) -> String {
    manual.roles.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
}
