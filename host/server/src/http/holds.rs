//! `/v1/holds`, and `/v1/workflows/{workflow}/hold` and `/resume`: all cases of a revision are paused, and go on again.

use axum::extract::OriginalUri;
use axum::response::{IntoResponse as _, Response};
use redress_domain::ids::Slug;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::listed;
use super::page::{Named, Page, Paging, Params};
use super::problem::{Problem, ProblemBody};
use super::publishing::{note, refused};
use super::repeat::Command;
use super::replay::Kept;
use super::tenancy::Tenant;
use super::wire::publishing::SinceView;
use super::workflows::missing;
use crate::engine::Engine;
use crate::publish::hold::{self, Held, Wish};
use crate::publish::way::{Answer, Way};

/// Whose cases are to be paused, or to go on.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HoldRevision {
    /// The revision: its number, its hash, or the beginning of that.
    revision: String,
    /// Why, in a few words.
    #[schema(min_length = 1, max_length = 500)]
    note: String,
}

/// A revision on hold, and the cases that it pauses.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Hold)]
pub struct HoldView {
    /// The workflow.
    workflow: String,
    /// The revision.
    revision: String,
    /// Its number.
    number: u64,
    /// Whether it is the active one: the workflow takes no new cases until another one is made active, or this one is resumed.
    active: bool,
    /// Since when, by whom and why.
    since: SinceView,
    /// Cases that are paused.
    open_cases: usize,
    /// Whether there are more than were counted.
    more: bool,
}

impl From<&Held> for HoldView {
    fn from(one: &Held) -> Self {
        Self {
            workflow: one.hold.workflow.to_string(),
            revision: one.hold.revision.to_string(),
            number: one.hold.number,
            active: one.active,
            since: (&one.hold.since).into(),
            open_cases: one.open_cases,
            more: one.more,
        }
    }
}

/// Pause all cases of a revision, wherever they stand.
///
/// Nothing of them moves and nothing of them leaves: timers, events and outcomes are kept with the case, effects that were not sent stay, and
/// people's answers are refused with `case_paused`. A case may go on with another revision meanwhile, by a migration. Where the
/// revision is the active one, no new case is opened on it (`revision_on_hold`): make another one active. A canary ends by it.
#[utoipa::path(
    post, path = "/v1/workflows/{workflow}/hold", operation_id = "workflow.hold", tag = "workflows",
    request_body = HoldRevision,
    params(
        ("workflow" = String, Path, description = "its name"),
        ("Idempotency-Key" = Option<String>, Header, description = "names this request: sent again, it is answered and not done again"),
    ),
    responses(
        (status = 200, body = HoldView),
        (status = "4XX", body = ProblemBody, content_type = "application/problem+json"),
        (status = "5XX", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
#[tracing::instrument(name = "workflow.hold", skip_all)]
pub(super) async fn begin(
    tenant: Tenant,
    named: Named<String>,
    command: Command<HoldRevision>,
) -> Result<Response, Problem> {
    change(tenant, named, command, hold::begin).await
}

/// Let the cases of a revision go on: each takes up what came meanwhile, in the order in which it happened.
#[utoipa::path(
    post, path = "/v1/workflows/{workflow}/resume", operation_id = "workflow.resume", tag = "workflows",
    request_body = HoldRevision,
    params(
        ("workflow" = String, Path, description = "its name"),
        ("Idempotency-Key" = Option<String>, Header, description = "names this request: sent again, it is answered and not done again"),
    ),
    responses(
        (status = 200, body = HoldView, description = "the hold as it was"),
        (status = "4XX", body = ProblemBody, content_type = "application/problem+json"),
        (status = "5XX", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
#[tracing::instrument(name = "workflow.resume", skip_all)]
pub(super) async fn end(
    tenant: Tenant,
    named: Named<String>,
    command: Command<HoldRevision>,
) -> Result<Response, Problem> {
    change(tenant, named, command, hold::end).await
}

/// List the revisions that are on hold. `GET /v1/cases?paused=true` lists their cases.
#[utoipa::path(
    get, path = "/v1/holds", operation_id = "hold.list", tag = "workflows", params(Paging),
    responses(
        (status = 200, body = Page<HoldView>),
        (status = "4XX", body = ProblemBody, content_type = "application/problem+json"),
        (status = "5XX", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(super) async fn list(
    tenant: Tenant,
    address: OriginalUri,
    Params(paging): Params<Paging>,
) -> Result<Response, Problem> {
    let all = tenant.read(hold::list).await?;
    let rows = all.iter().map(|held| (held.hold.revision.to_string(), HoldView::from(held))).collect();
    Ok(listed::page("holds", rows, &paging)?.respond(&address))
}

async fn change(
    tenant: Tenant,
    Named(text): Named<String>,
    Command { body, repeat, guard }: Command<HoldRevision>,
    change: fn(&Engine, &Slug, &Wish<'_>) -> Result<Held, crate::publish::Error>,
) -> Result<Response, Problem> {
    let workflow = Slug::new(&text).map_err(|_| missing(&text))?;
    let (note, by, revision) = (note(body.note)?, tenant.caller.actor(), body.revision);
    let kept = tenant.read(move |engine| {
        let document = |one: &Held| Kept::done(&HoldView::from(one)).text();
        let answer = repeat.map(|repeat| Answer { repeat, document: &document });
        let wish = Wish { revision: &revision, note: &note, by: &by, way: Way::Api, answer };
        let held = change(engine, &workflow, &wish);
        drop(guard);
        held.map(|held| Kept::done(&HoldView::from(&held))).map_err(|error| refused(error, ""))
    });
    Ok(kept.await?.into_response())
}
