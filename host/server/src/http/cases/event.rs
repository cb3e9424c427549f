//! `POST /v1/cases/{case}/events`: what happened outside, told to the case.

use std::collections::BTreeMap;

use axum::response::Response;
use redress_domain::case::command::{Body, Event};
use redress_domain::ids::CaseId;
use redress_domain::value::Type;
use serde::Deserialize;
use serde_json::{Map, Value as Json};
use utoipa::ToSchema;

use super::{answer, find};
use crate::engine::{Engine, Error, Target};
use crate::http::page::Named;
use crate::http::problem::{Problem, ProblemBody};
use crate::http::repeat::{Command, NamedCommand};
use crate::http::tenancy::Tenant;
use crate::http::wire::case::CaseView;
use crate::http::wire::{instant, invalid, typed};

/// Letters of the name of an event.
const NAME_BYTES_MAX: usize = 64;

/// Something that happened outside.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TellEvent {
    /// The event, as the workflow declares it: `goods_received` ...
    #[schema(max_length = 64)]
    name: String,
    /// What it carries, as the workflow declares it.
    #[serde(default)]
    #[schema(value_type = Object)]
    fields: Map<String, Json>,
    /// When it happened, where that is not now; only for keys with the right `backdate`.
    #[schema(format = DateTime)]
    occurred_at: Option<String>,
}

/// Tell a case what happened: goods arrived, a parcel was handed in.
///
/// An event that the case waits for ends the wait; any other is kept for a later one. The workflow declares which there are.
#[utoipa::path(
    post, path = "/v1/cases/{case}/events", operation_id = "case.event", tag = "cases", request_body = TellEvent,
    params(
        ("case" = String, Path, description = "the id (case_...), or the number that people type"),
        ("Idempotency-Key" = String, Header, description = "names this request: sent again, it is answered and not done again"),
    ),
    responses(
        (status = 200, body = CaseView),
        (status = "4XX", body = ProblemBody, content_type = "application/problem+json"),
        (status = "5XX", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
#[tracing::instrument(name = "case.event", skip_all)]
pub(in crate::http) async fn event(
    tenant: Tenant,
    Named(case): Named<String>,
    NamedCommand(Command { body, repeat, guard }): NamedCommand<TellEvent>,
) -> Result<Response, Problem> {
    let id = find(&tenant, &case).await?;
    let said = body.occurred_at.as_deref().map(|text| instant("/occurred_at", text)).transpose()?;
    if !(1..=NAME_BYTES_MAX).contains(&body.name.len()) {
        return Err(invalid("/name", format!("it has 1 to {NAME_BYTES_MAX} bytes")));
    }
    let name = body.name.clone();
    let declared = tenant.read(move |engine| declared(engine, id, &name)).await?;
    let fields = typed::read("/fields", &body.fields, &declared)?;
    let mut submission = tenant.submission(Target::Case(id), Body::Event(Event { name: body.name, fields }));
    submission.occurred_at = tenant.occurred(said)?;
    submission.repeat = repeat;
    let receipt = tenant.submit(submission, guard).await?;
    answer(&tenant, id, receipt.turn).await
}

/// The types of what an event carries. Where none are declared the rules refuse the event.
fn declared(engine: &Engine, case: CaseId, event: &str) -> Result<BTreeMap<String, Type>, Error> {
    let revision = engine.case(case)?.and_then(|case| case.revision);
    let definition = revision.map(|revision| engine.registry().definition(revision)).transpose()?;
    Ok(definition.and_then(|definition| definition.events.get(event).cloned()).unwrap_or_default())
}
