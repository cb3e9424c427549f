//! `/v1/workflows` and `/v1/revisions`: what new cases take, published and taken back; `/v1/files`: the watched folders.

use axum::extract::{OriginalUri, Request, State as Shared};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use redress_domain::ids::{Digest, Slug};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::page::{Named, Page, Paging, Params};
use super::problem::{FieldProblem, Problem, ProblemBody};
use super::publishing::{DOCUMENT_BYTES_MAX, Document, document, expected, problems, refused};
use super::repeat::{Command, Raw, RawCommand};
use super::replay::Kept;
use super::tenancy::{State, Tenant};
use super::wire::canary::CanaryView;
use super::wire::name;
use super::wire::publishing::{BecameView, FileView, InUseView, RevisionView, SinceView, WorkflowView};
use super::wire::start::triggers;
use super::{auth, body, codes, listed, respond};
use crate::engine::{self, Engine};
use crate::publish::doors::{self, DoorStatus};
use crate::publish::draft;
use crate::publish::live::{self, Live};
use crate::publish::way::{Answer, Way};
use crate::publish::workflows::active::{self, Active};
use crate::publish::workflows::history::{self, Became};
use crate::publish::workflows::{self, Publication, Revision};
use crate::{app, publish};

/// What was found in a text.
#[derive(Debug, Serialize, ToSchema)]
pub struct Validated {
    /// Whether it could be published as it is.
    valid: bool,
    /// The workflow that it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    workflow: Option<String>,
    /// The revision that it would be.
    #[serde(skip_serializing_if = "Option::is_none")]
    revision: Option<String>,
    /// How many steps it has.
    #[serde(skip_serializing_if = "Option::is_none")]
    steps: Option<usize>,
    /// The plugins that it calls, as it names them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    plugins: Vec<String>,
    /// Which years its table of holidays knows, where its calendar names one.
    #[serde(skip_serializing_if = "Option::is_none")]
    holidays: Option<String>,
    /// Every problem, each at its place. Of a valid text these are warnings: worth a second look, and no reason to refuse it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    problems: Vec<FieldProblem>,
}

/// Check the text of a workflow against what the merchant has. Nothing is changed.
#[utoipa::path(
    post, path = "/v1/workflows/validate", operation_id = "workflow.validate", tag = "workflows",
    request_body(content((Document = "application/json"), (String = "text/yaml"))),
    responses(
        (status = 200, body = Validated),
        (status = "4XX", body = ProblemBody, content_type = "application/problem+json"),
        (status = "5XX", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(super) async fn validate(
    tenant: Tenant,
    Shared(state): Shared<State>,
    request: Request,
) -> Result<axum::Json<Validated>, Problem> {
    let headers = request.headers().clone();
    let bytes = body::bytes(body::within(request, DOCUMENT_BYTES_MAX), &state).await?;
    let Document { source, .. } = document(&Raw { headers, bytes }, None)?;
    tenant.read(move |engine| validated(engine, &source)).await.map(axum::Json)
}

fn validated(engine: &Engine, source: &str) -> Result<Validated, Problem> {
    match workflows::check(engine, source) {
        Ok(definition) => Ok(Validated {
            valid: true,
            workflow: Some(definition.workflow.to_string()),
            revision: Some(definition.revision.to_string()),
            steps: Some(definition.steps.len()),
            plugins: definition.plugins.keys().map(ToString::to_string).collect(),
            holidays: definition.calendar.as_ref().and_then(|calendar| calendar.known_years()),
            problems: problems(source, &definition.warnings),
        }),
        Err(publish::Error::Invalid(found)) => {
            let problems = problems(source, &found);
            let (plugins, steps, holidays) = (Vec::new(), None, None);
            Ok(Validated { valid: false, workflow: None, revision: None, steps, plugins, holidays, problems })
        }
        Err(error) => Err(refused(error, source)),
    }
}

/// What is said about a text that comes as it is.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Said {
    /// Why it is published, in a few words; for a body of YAML.
    #[param(max_length = 500)]
    pub(super) note: Option<String>,
}

/// Publish a workflow: its text becomes a revision, and new cases take it. Cases that began with another one stay with it.
///
/// A text with problems is refused with all of them, each at its place, and what was active stays. The text that is active
/// already is answered and not published again.
#[utoipa::path(
    post, path = "/v1/workflows", operation_id = "workflow.publish", tag = "workflows",
    request_body(content((Document = "application/json"), (String = "text/yaml"))),
    params(
        Said,
        ("Idempotency-Key" = Option<String>, Header, description = "names this request: sent again, it is answered and not done again"),
        ("If-Match" = Option<String>, Header, description = "the ETag of the workflow that you saw"),
    ),
    responses(
        (status = 200, body = RevisionView),
        (status = "4XX", body = ProblemBody, content_type = "application/problem+json"),
        (status = "5XX", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
#[tracing::instrument(name = "workflow.publish", skip_all)]
pub(super) async fn publish(
    tenant: Tenant,
    Params(said): Params<Said>,
    RawCommand(Command { body, repeat, guard }): RawCommand<DOCUMENT_BYTES_MAX>,
) -> Result<Response, Problem> {
    let (Document { source, note }, expect) = (document(&body, said.note)?, expected(&body.headers)?);
    let by = tenant.caller.actor();
    let kept = tenant.read(move |engine| {
        let answer = repeat.map(|repeat| Answer { repeat, document: &|one| told(one).text() });
        let publication = Publication { note: &note, expect, answer, ..Publication::new(&source, &by, Way::Api) };
        let published = workflows::publish(engine, &publication);
        drop(guard);
        published.map(|revision| told(&revision)).map_err(|error| refused(error, &source))
    });
    Ok(kept.await?.into_response())
}

fn told(revision: &Revision) -> Kept {
    Kept::done(&RevisionView::from(revision)).version(revision.revision)
}

/// List workflows by name, each with what is live of it: the revision that new cases take, since when and by whom, and the
/// revisions on which cases run.
#[utoipa::path(
    get, path = "/v1/workflows", operation_id = "workflow.list", tag = "workflows", params(Paging),
    responses(
        (status = 200, body = Page<WorkflowView>),
        (status = "4XX", body = ProblemBody, content_type = "application/problem+json"),
        (status = "5XX", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(super) async fn list(
    tenant: Tenant,
    Shared(state): Shared<State>,
    address: OriginalUri,
    Params(paging): Params<Paging>,
) -> Result<Response, Problem> {
    let read = move |engine: &Engine| {
        let actives = active::all(engine)?.into_iter().map(|active| (active.workflow.to_string(), active));
        let page = listed::page("workflows", actives.collect(), &paging)?;
        let files = files(&state, engine)?;
        let live = live::of(engine, &page.data)?;
        // Both go by the same rows, in the same order.
        let mut live = live.into_iter();
        page.try_map(|active| workflow(engine, active, live.next(), &files))
    };
    Ok(tenant.read(read).await?.respond(&address))
}

/// Read what is live of a workflow: the revision that new cases take, since when and by whom, and the revisions on which cases
/// run. Its ETag names the active revision, for `If-Match`.
#[utoipa::path(
    get, path = "/v1/workflows/{workflow}", operation_id = "workflow.get", tag = "workflows",
    params(("workflow" = String, Path, description = "its name")),
    responses(
        (status = 200, body = WorkflowView),
        (status = "4XX", body = ProblemBody, content_type = "application/problem+json"),
        (status = "5XX", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(super) async fn get(
    tenant: Tenant,
    Shared(state): Shared<State>,
    Named(text): Named<String>,
) -> Result<Response, Problem> {
    let read = move |engine: &Engine| {
        let name = Slug::new(&text).map_err(|_| missing(&text))?;
        let active = active::of(engine, &name)?.ok_or_else(|| missing(&text))?;
        let live = live::of(engine, std::slice::from_ref(&active))?;
        let (revision, files) = (active.revision, files(&state, engine)?);
        Ok::<_, Problem>((revision, workflow(engine, active, live.into_iter().next(), &files)?))
    };
    let (active, view) = tenant.read(read).await?;
    let tag = respond::etag(active);
    Ok(([(header::ETAG, tag)], axum::Json(view)).into_response())
}

/// List when which revision of a workflow became active, the last time first.
#[utoipa::path(
    get, path = "/v1/workflows/{workflow}/revisions", operation_id = "workflow.revisions", tag = "workflows",
    params(("workflow" = String, Path, description = "its name"), Paging),
    responses(
        (status = 200, body = Page<BecameView>),
        (status = "4XX", body = ProblemBody, content_type = "application/problem+json"),
        (status = "5XX", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(super) async fn revisions(
    tenant: Tenant,
    address: OriginalUri,
    Named(text): Named<String>,
    Params(paging): Params<Paging>,
) -> Result<Response, Problem> {
    let read = move |engine: &Engine| {
        let name = Slug::new(&text).map_err(|_| missing(&text))?;
        let past: Vec<Became> = history::of(engine, &name)?;
        if past.is_empty() {
            return Err(missing(&text));
        }
        let active = workflows::active(engine, &name)?;
        let canary = engine.canary(&name).map(|watched| watched.canary.revision);
        let view = |one| BecameView::of(one, workflows::state(one.revision, active, canary));
        let rows = past.iter().enumerate().map(|(time, one)| (time.to_string(), view(one)));
        listed::page("revisions", rows.rev().collect(), &paging)
    };
    Ok(tenant.read(read).await?.respond(&address))
}

/// Read a revision with its text. It never changes.
#[utoipa::path(
    get, path = "/v1/revisions/{revision}", operation_id = "revision.get", tag = "workflows",
    params(("revision" = String, Path, description = "its content hash")),
    responses(
        (status = 200, body = RevisionView), (status = 304, description = "you have it"),
        (status = "4XX", body = ProblemBody, content_type = "application/problem+json"),
        (status = "5XX", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(super) async fn revision(
    tenant: Tenant,
    headers: HeaderMap,
    Named(text): Named<String>,
) -> Result<Response, Problem> {
    let missing = || Problem::new(codes::REVISION_NOT_FOUND, format!("revision {text:?} does not exist"));
    let digest: Digest = text.parse().map_err(|_| missing())?;
    let found = tenant.read(move |engine| workflows::find(engine, digest)).await?.ok_or_else(missing)?;
    let tag = respond::etag(digest);
    if respond::is_known(&headers, &tag) {
        return Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, tag)]).into_response());
    }
    Ok(([(header::ETAG, tag)], axum::Json(RevisionView::with_source(&found))).into_response())
}

/// Where to go back to.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Rollback {
    /// The revision; where it is left out, the one that was active before the present one.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    to: Option<String>,
    /// Why, in a few words.
    #[schema(min_length = 1, max_length = 500)]
    note: String,
}

/// Go back to a revision that was active before. Cases that began with another one stay with it.
#[utoipa::path(
    post, path = "/v1/workflows/{workflow}/rollback", operation_id = "workflow.rollback", tag = "workflows",
    request_body = Rollback,
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
#[tracing::instrument(name = "workflow.rollback", skip_all)]
pub(super) async fn rollback(
    tenant: Tenant,
    Named(text): Named<String>,
    headers: HeaderMap,
    Command { body, repeat, guard }: Command<Rollback>,
) -> Result<Response, Problem> {
    let workflow = Slug::new(&text).map_err(|_| missing(&text))?;
    let to = body.to.as_deref().map(|to| name("/to", to.parse())).transpose()?;
    let (note, expect) = (super::publishing::note(body.note)?, expected(&headers)?);
    let by = tenant.caller.actor();
    let kept = tenant.read(move |engine| {
        let answer = repeat.map(|repeat| Answer { repeat, document: &|one| told(one).text() });
        let rollback = workflows::Rollback { to, note: &note, by: &by, way: Way::Api, expect, answer };
        let now = workflows::rollback(engine, &workflow, &rollback);
        drop(guard);
        now.map(|revision| told(&revision)).map_err(|error| refused(error, ""))
    });
    Ok(kept.await?.into_response())
}

/// List the merchant's files in watched folders, and what became of each.
#[utoipa::path(
    get, path = "/v1/files", operation_id = "file.list", tag = "workflows", params(Paging),
    responses(
        (status = 200, body = Page<FileView>),
        (status = "4XX", body = ProblemBody, content_type = "application/problem+json"),
        (status = "5XX", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(super) async fn watched(
    tenant: Tenant,
    Shared(state): Shared<State>,
    address: OriginalUri,
    Params(paging): Params<Paging>,
) -> Result<Response, Problem> {
    let all = tenant.read(move |engine| files(&state, engine)).await?;
    let rows = all.iter().map(|file| (file.path.clone(), FileView::from(file))).collect();
    Ok(listed::page("files", rows, &paging)?.respond(&address))
}

fn files(state: &State, engine: &Engine) -> Result<Vec<DoorStatus>, Problem> {
    let status: Result<_, app::Error> = doors::status(&state.app, engine.record().slug.as_str());
    status.map_err(auth::not_opened)
}

fn workflow(
    engine: &Engine,
    active: Active,
    live: Option<Live>,
    files: &[DoorStatus],
) -> Result<WorkflowView, Problem> {
    let detail = || format!("active revision {} is not there", active.revision);
    let live = live.ok_or_else(|| engine::Error::Damaged { what: "revision", detail: detail() })?;
    // One that could not be loaded is told by the log; what is active of it is known all the same.
    let definition = engine.registry().definition(active.revision).ok();
    let own = files.iter().filter(|file| file.workflow.as_ref() == Some(&active.workflow));
    Ok(WorkflowView {
        name: active.workflow.to_string(),
        active: (&live.active).into(),
        since: live.since.as_ref().map(SinceView::from),
        priority: definition.as_ref().map_or(0, |definition| definition.priority),
        triggers: match &definition {
            Some(definition) => {
                let due = engine.schedules_due(definition)?;
                triggers(definition, &|schedule| due.get(&schedule.name()).copied())
            }
            None => Vec::new(),
        },
        canary: live.canary.as_ref().map(|watched| CanaryView::of(engine, watched)),
        draft: draft::find(engine, &active.workflow)?.map(|draft| (&draft.since).into()),
        revisions: live.revisions.iter().map(InUseView::from).collect(),
        files: own.map(FileView::from).collect(),
    })
}

pub(super) fn missing(name: &str) -> Problem {
    Problem::new(codes::WORKFLOW_NOT_FOUND, format!("workflow {name:?} does not exist"))
}
