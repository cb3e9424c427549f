//! `/v1/drafts` and `/v1/workflows/{workflow}/draft`: texts that are kept before they are published.

use axum::extract::OriginalUri;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use redress_domain::ids::Slug;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::page::{Named, Page, Paging, Params};
use super::problem::{FieldProblem, Problem, ProblemBody};
use super::publishing::{DOCUMENT_BYTES_MAX, Document, document, expected, note, problems, refused};
use super::repeat::{Command, RawCommand};
use super::replay::Kept;
use super::tenancy::Tenant;
use super::wire::publishing::{RevisionView, SinceView};
use super::workflows::{Said, missing};
use super::{body, listed};
use crate::engine::Engine;
use crate::publish::draft::{self, Draft, Looked, Save};
use crate::publish::way::{Answer, Way};
use crate::publish::workflows::Revision;

/// A text that is kept and not active.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Draft)]
pub struct DraftView {
    /// The workflow that it is to become.
    workflow: String,
    /// `checked` where it passes its checks and tests and could be published as it is, else `draft`.
    state: &'static str,
    /// The revision that it would be.
    #[serde(skip_serializing_if = "Option::is_none")]
    revision: Option<String>,
    /// Since when, by whom and why.
    since: SinceView,
    /// What is wrong with it, each at its place. Not in lists.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    problems: Vec<FieldProblem>,
    /// The text as it was written. Not in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<String>,
}

/// How a draft is published.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PublishDraft {
    /// Why, in a few words; the note of the draft where it is left out.
    #[serde(default)]
    #[schema(max_length = 500)]
    note: String,
}

impl From<&Draft> for DraftView {
    fn from(one: &Draft) -> Self {
        Self {
            workflow: one.workflow.to_string(),
            state: if one.passed.is_some() { "checked" } else { "draft" },
            revision: one.passed.map(|revision| revision.to_string()),
            since: (&one.since).into(),
            problems: Vec::new(),
            source: None,
        }
    }
}

impl From<&Looked> for DraftView {
    fn from(looked: &Looked) -> Self {
        let source = &looked.draft.source;
        let found = looked.outcome.as_ref().err().into_iter().flatten();
        Self {
            state: if looked.outcome.is_ok() { "checked" } else { "draft" },
            revision: looked.outcome.as_ref().ok().map(ToString::to_string),
            problems: found.flat_map(|failed| problems(source, &failed.problems)).collect(),
            source: Some(source.clone()),
            ..Self::from(&looked.draft)
        }
    }
}

/// Keep a text as the draft of a workflow, in place of the one before.
///
/// It is checked and its tests are run, and it is kept with all that is wrong with it. What is active does not move. The workflow need not be
/// there yet.
#[utoipa::path(
    put, path = "/v1/workflows/{workflow}/draft", operation_id = "draft.put", tag = "workflows",
    request_body(content((Document = "application/json"), (String = "text/yaml"))),
    params(
        ("workflow" = String, Path, description = "its name"),
        Said,
        ("Idempotency-Key" = Option<String>, Header, description = "names this request: sent again, it is answered and not done again"),
    ),
    responses(
        (status = 200, body = DraftView),
        (status = "4XX", body = ProblemBody, content_type = "application/problem+json"),
        (status = "5XX", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
#[tracing::instrument(name = "draft.put", skip_all)]
pub(super) async fn put(
    tenant: Tenant,
    Named(text): Named<String>,
    Params(said): Params<Said>,
    RawCommand(Command { body, repeat, guard }): RawCommand<DOCUMENT_BYTES_MAX>,
) -> Result<Response, Problem> {
    let Document { source, note } = document(&body, said.note)?;
    let workflow = Slug::new(&text).map_err(|_| missing(&text))?;
    let by = tenant.caller.actor();
    let kept = tenant.read(move |engine| {
        let told = |one: &Looked| Kept::done(&DraftView::from(one)).text();
        let answer = repeat.map(|repeat| Answer { repeat, document: &told });
        let save = Save { source: &source, note: &note, by: &by, way: Way::Api, answer };
        let saved = draft::save(engine, &workflow, &save);
        drop(guard);
        saved.map(|looked| Kept::done(&DraftView::from(&looked))).map_err(|error| refused(error, &source))
    });
    Ok(kept.await?.into_response())
}

/// Read the draft of a workflow, checked and tried against what there is by now.
#[utoipa::path(
    get, path = "/v1/workflows/{workflow}/draft", operation_id = "draft.get", tag = "workflows",
    params(("workflow" = String, Path, description = "its name")),
    responses(
        (status = 200, body = DraftView),
        (status = "4XX", body = ProblemBody, content_type = "application/problem+json"),
        (status = "5XX", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(super) async fn get(tenant: Tenant, Named(text): Named<String>) -> Result<Response, Problem> {
    let workflow = Slug::new(&text).map_err(|_| missing(&text))?;
    let read = move |engine: &Engine| draft::show(engine, &workflow).map_err(|error| refused(error, ""));
    Ok(axum::Json(DraftView::from(&tenant.read(read).await?)).into_response())
}

/// List the drafts by workflow, each with what its checks came to when it was kept.
#[utoipa::path(
    get, path = "/v1/drafts", operation_id = "draft.list", tag = "workflows", params(Paging),
    responses(
        (status = 200, body = Page<DraftView>),
        (status = "4XX", body = ProblemBody, content_type = "application/problem+json"),
        (status = "5XX", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(super) async fn list(
    tenant: Tenant,
    address: OriginalUri,
    Params(paging): Params<Paging>,
) -> Result<Response, Problem> {
    let all = tenant.read(draft::list).await?;
    let rows = all.iter().map(|one| (one.workflow.to_string(), DraftView::from(one))).collect();
    Ok(listed::page("drafts", rows, &paging)?.respond(&address))
}

/// Throw the draft of a workflow away.
#[utoipa::path(
    delete, path = "/v1/workflows/{workflow}/draft", operation_id = "draft.discard", tag = "workflows",
    params(("workflow" = String, Path, description = "its name")),
    responses(
        (status = 204),
        (status = "4XX", body = ProblemBody, content_type = "application/problem+json"),
        (status = "5XX", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
#[tracing::instrument(name = "draft.discard", skip_all)]
pub(super) async fn discard(tenant: Tenant, Named(text): Named<String>) -> Result<StatusCode, Problem> {
    let workflow = Slug::new(&text).map_err(|_| missing(&text))?;
    let by = tenant.caller.actor();
    let discard = move |engine: &Engine| {
        draft::discard(engine, &workflow, &by, &Way::Api).map(drop).map_err(|error| refused(error, ""))
    };
    tenant.read(discard).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Publish the draft of a workflow: new cases take it, and it is no draft any more. One that does not pass stays what it is.
#[utoipa::path(
    post, path = "/v1/workflows/{workflow}/draft/publish", operation_id = "draft.publish", tag = "workflows",
    request_body = PublishDraft,
    params(
        ("workflow" = String, Path, description = "its name"),
        ("Idempotency-Key" = Option<String>, Header, description = "names this request: sent again, it is answered and not done again"),
        ("If-Match" = Option<String>, Header, description = "the ETag of the workflow that you saw"),
    ),
    responses(
        (status = 200, body = RevisionView),
        (status = "4XX", body = ProblemBody, content_type = "application/problem+json"),
        (status = "5XX", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
#[tracing::instrument(name = "draft.publish", skip_all)]
pub(super) async fn publish(
    tenant: Tenant,
    Named(text): Named<String>,
    RawCommand(Command { body: raw, repeat, guard }): RawCommand<DOCUMENT_BYTES_MAX>,
) -> Result<Response, Problem> {
    let wish: PublishDraft = body::parse(&raw.headers, &raw.bytes)?;
    let workflow = Slug::new(&text).map_err(|_| missing(&text))?;
    let (note, expect, by) = (note(wish.note)?, expected(&raw.headers)?, tenant.caller.actor());
    let kept = tenant.read(move |engine| {
        let active = |one: &Revision| Kept::done(&RevisionView::from(one)).version(one.revision);
        let document = |one: &Revision| active(one).text();
        let answer = repeat.map(|repeat| Answer { repeat, document: &document });
        let source = draft::find(engine, &workflow)?.map(|draft| draft.source).unwrap_or_default();
        let publish = draft::Publish { note: &note, by: &by, expect, answer };
        let published = draft::publish(engine, &workflow, publish);
        drop(guard);
        published.map(|revision| active(&revision)).map_err(|error| refused(error, &source))
    });
    Ok(kept.await?.into_response())
}
