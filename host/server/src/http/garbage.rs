//! `POST /v1/revisions/gc`: revisions that nobody needs are deleted.

use axum::response::{IntoResponse as _, Response};
use redress_domain::ids::Slug;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::problem::{Problem, ProblemBody};
use super::publishing::{note, refused};
use super::repeat::Command;
use super::replay::Kept;
use super::tenancy::Tenant;
use super::wire::invalid;
use super::workflows::missing;
use crate::publish::gc::{self, Looked, Report, Wish};
use crate::publish::way::{Answer, Way};

/// Which revisions are to be deleted.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CollectGarbage {
    /// Only revisions of this workflow.
    workflow: Option<String>,
    /// Only revisions that are out of use for so many days; 90 where it is left out.
    #[schema(minimum = 30)]
    older_than_days: Option<u32>,
    /// Only say what would be deleted.
    #[serde(default)]
    dry_run: bool,
    /// Why, in a few words.
    #[serde(default)]
    #[schema(max_length = 500)]
    note: String,
}

/// What became of the revisions.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = GarbageReport)]
pub struct ReportView {
    /// Nothing was deleted: it tells what would be.
    dry_run: bool,
    /// What was deleted, the oldest first.
    deleted: Vec<LookedView>,
    /// What is kept, with the reason.
    kept: Vec<LookedView>,
    /// Whether there is more to be deleted by another call.
    more: bool,
}

/// A revision that was looked at.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = GarbageRevision)]
pub struct LookedView {
    /// The workflow.
    workflow: String,
    /// The revision.
    revision: String,
    /// Its number.
    number: u64,
    /// When it was last in use.
    used_at: String,
    /// Why it is kept: `active`, `canary`, `previous` (who goes back comes to it), `on_hold`, `has_cases` (a case runs on it or ever
    /// did), `is_base` (an active overlay extends it) or `too_young`.
    #[serde(skip_serializing_if = "Option::is_none")]
    because: Option<&'static str>,
}

impl LookedView {
    fn of(one: &Looked, because: Option<&'static str>) -> Self {
        let (workflow, revision) = (one.workflow.to_string(), one.revision.to_string());
        Self { workflow, revision, number: one.number, used_at: one.used_at.to_string(), because }
    }
}

impl From<&Report> for ReportView {
    fn from(report: &Report) -> Self {
        Self {
            dry_run: report.dry_run,
            deleted: report.deleted.iter().map(|one| LookedView::of(one, None)).collect(),
            kept: report.kept.iter().map(|(one, kept)| LookedView::of(one, Some(kept.word()))).collect(),
            more: report.more,
        }
    }
}

/// Delete the revisions that no case ever ran on and that are out of use for long, or say which those are.
///
/// A revision on which a case runs or ran stays as long as the record of the case. What is active, a canary, on hold, extended by an active
/// overlay, or what somebody who goes back comes to, stays as well.
#[utoipa::path(
    post, path = "/v1/revisions/gc", operation_id = "revision.gc", tag = "workflows",
    request_body = CollectGarbage,
    params(
        ("Idempotency-Key" = Option<String>, Header, description = "names this request: sent again, it is answered and not done again"),
    ),
    responses(
        (status = 200, body = ReportView),
        (status = "4XX", body = ProblemBody, content_type = "application/problem+json"),
        (status = "5XX", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
#[tracing::instrument(name = "revision.gc", skip_all)]
pub(super) async fn collect(
    tenant: Tenant,
    Command { body, repeat, guard }: Command<CollectGarbage>,
) -> Result<Response, Problem> {
    let named = body.workflow.as_deref().map(|name| Slug::new(name).map_err(|_| missing(name)));
    let workflow = named.transpose()?;
    let days = gc::days(body.older_than_days).map_err(|why| invalid("/older_than_days", why))?;
    let (note, by, dry_run) = (note(body.note)?, tenant.caller.actor(), body.dry_run);
    let kept = tenant.read(move |engine| {
        let document = |one: &Report| Kept::done(&ReportView::from(one)).text();
        let answer = repeat.map(|repeat| Answer { repeat, document: &document });
        let wish = Wish { workflow, days, dry_run, note: &note, by: &by, way: Way::Api, answer };
        let report = gc::collect(engine, &wish);
        drop(guard);
        report.map(|report| Kept::done(&ReportView::from(&report))).map_err(|error| refused(error, ""))
    });
    Ok(kept.await?.into_response())
}
