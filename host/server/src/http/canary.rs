//! `/v1/workflows/{workflow}/canary`: a share of the new cases tries a revision, which then becomes active or is stopped.

use axum::response::{IntoResponse as _, Response};
use redress_domain::ids::Slug;
use redress_domain::workflow::canary::{Bounds, MIN_CASES_MAX, OVER_MAX, Percent};
use serde::Deserialize;
use utoipa::ToSchema;

use super::body;
use super::page::Named;
use super::problem::{Problem, ProblemBody};
use super::publishing::{DOCUMENT_BYTES_MAX, expected, note, refused};
use super::repeat::{Command, RawCommand};
use super::replay::Kept;
use super::tenancy::Tenant;
use super::wire::canary::CanaryView;
use super::wire::invalid;
use super::wire::publishing::RevisionView;
use super::workflows::missing;
use crate::engine::Engine;
use crate::engine::canary::Watched;
use crate::publish::canary::{self, End, Start, Tried};
use crate::publish::way::{Answer, Way};
use crate::publish::workflows::Revision;

/// A revision to try on a share of the new cases.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StartCanary {
    /// A revision that is stored: its number, its hash, or the beginning of that.
    revision: Option<String>,
    /// Instead: a text, in YAML. It is checked and stored as a revision, without becoming active.
    source: Option<String>,
    /// The share of the new cases, in percent.
    #[schema(minimum = 1, maximum = 99)]
    percent: u8,
    /// Why, in a few words.
    #[serde(default)]
    #[schema(max_length = 500)]
    note: String,
    /// When it stops by itself.
    #[serde(default)]
    stop: StopWhen,
}

/// When a canary stops by itself: how much worse it may do than the cases beside it.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StopWhen {
    /// Cases of each side before anything is compared; 30 where it is left out.
    #[schema(minimum = 1, maximum = 10000)]
    min_cases: Option<u32>,
    /// Percentage points that the share of cases in which a step failed may be over; 5 where it is left out.
    #[schema(maximum = 10000)]
    failures_over: Option<u32>,
    /// Percentage points that the share of cases in which a wait timed out may be over; 10 where it is left out.
    #[schema(maximum = 10000)]
    timeouts_over: Option<u32>,
    /// Percent that the refunds of a case may be over; 50 where it is left out.
    #[schema(maximum = 10000)]
    refunds_over: Option<u32>,
}

/// Why a canary ends.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EndCanary {
    /// Why, in a few words.
    #[schema(min_length = 1, max_length = 500)]
    note: String,
}

/// Try a revision on a share of the new cases. Which cases it takes follows from their ids; those stay with it.
///
/// Its cases are compared with those of the active revision after every turn. Once both sides have enough of them and it does
/// worse, it is stopped: no further case takes it, and the history says why. It is over as well when another revision becomes active.
#[utoipa::path(
    post, path = "/v1/workflows/{workflow}/canary", operation_id = "canary.start", tag = "workflows",
    request_body = StartCanary,
    params(
        ("workflow" = String, Path, description = "its name"),
        ("Idempotency-Key" = Option<String>, Header, description = "names this request: sent again, it is answered and not done again"),
        ("If-Match" = Option<String>, Header, description = "the ETag of the workflow that you saw"),
    ),
    responses(
        (status = 200, body = CanaryView),
        (status = "4XX", body = ProblemBody, content_type = "application/problem+json"),
        (status = "5XX", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
#[tracing::instrument(name = "canary.start", skip_all)]
pub(super) async fn start(
    tenant: Tenant,
    Named(text): Named<String>,
    RawCommand(Command { body: raw, repeat, guard }): RawCommand<DOCUMENT_BYTES_MAX>,
) -> Result<Response, Problem> {
    let body: StartCanary = body::parse(&raw.headers, &raw.bytes)?;
    let workflow = Slug::new(&text).map_err(|_| missing(&text))?;
    let percent = Percent::new(body.percent).ok_or_else(|| invalid("/percent", "a share is 1 to 99 percent"))?;
    let (bounds, note, expect) = (bounds(&body.stop)?, note(body.note)?, expected(&raw.headers)?);
    let (source, revision) = (body.source, body.revision);
    if source.is_some() == revision.is_some() {
        return Err(invalid("/revision", "either `revision` or `source` says what is tried"));
    }
    let by = tenant.caller.actor();
    let kept = tenant.read(move |engine| {
        let text = source.unwrap_or_default();
        let tried = revision.as_deref().map_or(Tried::Text(&text), Tried::Named);
        let document = |one: &Watched| told(engine, one).text();
        let answer = repeat.map(|repeat| Answer { repeat, document: &document });
        let start = Start { tried, percent, bounds, note: &note, by: &by, way: Way::Api, expect, answer };
        let begun = canary::start(engine, &workflow, &start);
        drop(guard);
        begun.map(|watched| told(engine, &watched)).map_err(|error| refused(error, &text))
    });
    Ok(kept.await?.into_response())
}

/// Make the canary of a workflow active: every new case takes it.
#[utoipa::path(
    post, path = "/v1/workflows/{workflow}/canary/promote", operation_id = "canary.promote", tag = "workflows",
    request_body = EndCanary,
    params(
        ("workflow" = String, Path, description = "its name"),
        ("Idempotency-Key" = Option<String>, Header, description = "names this request: sent again, it is answered and not done again"),
    ),
    responses(
        (status = 200, body = RevisionView),
        (status = "4XX", body = ProblemBody, content_type = "application/problem+json"),
        (status = "5XX", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
#[tracing::instrument(name = "canary.promote", skip_all)]
pub(super) async fn promote(
    tenant: Tenant,
    Named(text): Named<String>,
    Command { body, repeat, guard }: Command<EndCanary>,
) -> Result<Response, Problem> {
    let workflow = Slug::new(&text).map_err(|_| missing(&text))?;
    let (note, by) = (note(body.note)?, tenant.caller.actor());
    let kept = tenant.read(move |engine| {
        let active = |one: &Revision| Kept::done(&RevisionView::from(one)).version(one.revision);
        let document = |one: &Revision| active(one).text();
        let answer = repeat.map(|repeat| Answer { repeat, document: &document });
        let end = End { note: &note, by: &by, way: Way::Api, answer };
        let now = canary::promote(engine, &workflow, &end);
        drop(guard);
        now.map(|revision| active(&revision)).map_err(|error| refused(error, ""))
    });
    Ok(kept.await?.into_response())
}

/// Stop the canary of a workflow: every new case takes the active revision. Cases that took the canary stay with it.
#[utoipa::path(
    post, path = "/v1/workflows/{workflow}/canary/stop", operation_id = "canary.stop", tag = "workflows",
    request_body = EndCanary,
    params(
        ("workflow" = String, Path, description = "its name"),
        ("Idempotency-Key" = Option<String>, Header, description = "names this request: sent again, it is answered and not done again"),
    ),
    responses(
        (status = 200, body = CanaryView),
        (status = "4XX", body = ProblemBody, content_type = "application/problem+json"),
        (status = "5XX", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
#[tracing::instrument(name = "canary.stop", skip_all)]
pub(super) async fn stop(
    tenant: Tenant,
    Named(text): Named<String>,
    Command { body, repeat, guard }: Command<EndCanary>,
) -> Result<Response, Problem> {
    let workflow = Slug::new(&text).map_err(|_| missing(&text))?;
    let (note, by) = (note(body.note)?, tenant.caller.actor());
    let kept = tenant.read(move |engine| {
        let document = |one: &Watched| told(engine, one).text();
        let answer = repeat.map(|repeat| Answer { repeat, document: &document });
        let end = End { note: &note, by: &by, way: Way::Api, answer };
        let last = canary::stop(engine, &workflow, &end);
        drop(guard);
        last.map(|watched| told(engine, &watched)).map_err(|error| refused(error, ""))
    });
    Ok(kept.await?.into_response())
}

fn told(engine: &Engine, watched: &Watched) -> Kept {
    Kept::done(&CanaryView::of(engine, watched))
}

fn bounds(stop: &StopWhen) -> Result<Bounds, Problem> {
    let usual = Bounds::default();
    let within = |name: &str, given: Option<u32>, usual: u32, range: std::ops::RangeInclusive<u32>| {
        let given = given.unwrap_or(usual);
        let wrong = || invalid(format!("/stop/{name}"), format!("it is {} to {}", range.start(), range.end()));
        if range.contains(&given) { Ok(given) } else { Err(wrong()) }
    };
    Ok(Bounds {
        min_cases: within("min_cases", stop.min_cases, usual.min_cases, 1..=MIN_CASES_MAX)?,
        failed_over: within("failures_over", stop.failures_over, usual.failed_over, 0..=OVER_MAX)?,
        late_over: within("timeouts_over", stop.timeouts_over, usual.late_over, 0..=OVER_MAX)?,
        refunded_over: within("refunds_over", stop.refunds_over, usual.refunded_over, 0..=OVER_MAX)?,
    })
}
