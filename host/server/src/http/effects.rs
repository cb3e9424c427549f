//! `/v1/effects`: what leaves the host, and what became of it.

use axum::extract::OriginalUri;
use axum::response::{IntoResponse as _, Response};
use redress_domain::case::EffectState;
use redress_domain::case::command::{Body, Settle, Settled};
use redress_domain::ids::{CaseId, Digest};
use redress_store::scan::{Cursor, Direction, Scan};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::cases::reason;
use super::codes;
use super::page::{self, List, Named, Page, Params};
use super::problem::{Problem, ProblemBody};
use super::repeat::{Command, NamedCommand};
use super::tenancy::Tenant;
use super::wire::effect::{EffectDetail, EffectRow};
use super::wire::{all, invalid};
use crate::engine::listing::EffectListing;
use crate::engine::{self, Engine, Target};
use crate::outbox::delivery;

/// The states, those that wait for somebody first.
const STATES: [EffectState; 4] =
    [EffectState::Unknown, EffectState::Intended, EffectState::Declined, EffectState::Confirmed];
/// Bytes of a provider's reference.
const REFERENCE_BYTES_MAX: usize = 256;

/// Which effects are listed.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Filter {
    /// How many rows, at most 100.
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<usize>,
    /// Where to go on: `next_cursor` of the page before.
    cursor: Option<String>,
    /// Only effects of this state: `intended`, `confirmed`, `declined` or `unknown`.
    state: Option<String>,
}

/// List effects of a state, the earliest first; or all: unknown, intended, declined, confirmed.
///
/// An effect that changes its state between two pages moves in the list.
#[utoipa::path(
    get, path = "/v1/effects", operation_id = "effect.list", tag = "effects", params(Filter),
    responses((status = 200, body = Page<EffectRow>), (status = "4XX", body = ProblemBody, content_type = "application/problem+json"))
)]
pub(super) async fn list(
    tenant: Tenant,
    address: OriginalUri,
    Params(filter): Params<Filter>,
) -> Result<Response, Problem> {
    let list = List::of("effects").with("state", filter.state.as_deref());
    let place = page::place(list, filter.limit, filter.cursor.as_deref())?;
    let states = match filter.state {
        None => STATES.to_vec(),
        Some(word) => vec![state(&word)?],
    };
    let page = tenant.read(move |engine| listed(engine, &states, &place)).await?;
    Ok(page.respond(&address))
}

fn state(word: &str) -> Result<EffectState, Problem> {
    let wrong = || {
        let words = STATES.map(EffectState::word).join(", ");
        Problem::new(codes::PARAMETER_INVALID, format!("state is {word:?}, not one of {words}"))
    };
    STATES.into_iter().find(|state| state.word() == word).ok_or_else(wrong)
}

/// One list after the other: a cursor is the place among the states, and the place in that list.
fn listed(engine: &Engine, states: &[EffectState], place: &page::Place) -> Result<Page<EffectRow>, Problem> {
    let snapshot = engine.store().read().map_err(engine::Error::from)?;
    let (mut at, mut cursor) = begin(states, place)?;
    let mut data = Vec::new();
    while let Some(state) = states.get(at) {
        let scan = Scan::EffectsByState(state.word().to_owned());
        let wanted = place.limit - data.len();
        let page = snapshot.scan(&scan, Direction::Forward, cursor.as_ref(), wanted.max(1)).map_err(page::refused)?;
        if wanted == 0 {
            if page.rows.is_empty() {
                at += 1;
                continue;
            }
            return Ok(place.page(data, Some(&next(at, None))));
        }
        for key in page.rows.iter().filter_map(|row| row.digest()) {
            data.extend(engine.effect(key)?.as_ref().map(EffectRow::from));
        }
        if let Some(inner) = page.next {
            return Ok(place.page(data, Some(&next(at, Some(&inner)))));
        }
        (at, cursor) = (at + 1, None);
    }
    Ok(place.page(data, None))
}

fn begin(states: &[EffectState], place: &page::Place) -> Result<(usize, Option<Cursor>), Problem> {
    let Some(cursor) = &place.cursor else { return Ok((0, None)) };
    let wrong = || Problem::new(codes::CURSOR_INVALID, "the cursor is one of another list");
    let (at, inner) = cursor.as_bytes().split_first().ok_or_else(wrong)?;
    let at = usize::from(*at);
    if at >= states.len() {
        return Err(wrong());
    }
    Ok((at, (!inner.is_empty()).then(|| Cursor::from_bytes(inner))))
}

fn next(at: usize, inner: Option<&Cursor>) -> Vec<u8> {
    let place = u8::try_from(at).unwrap_or(u8::MAX);
    [&[place], inner.map(Cursor::as_bytes).unwrap_or_default()].concat()
}

/// Read an effect, with what was tried to deliver it.
#[utoipa::path(
    get, path = "/v1/effects/{key}", operation_id = "effect.get", tag = "effects",
    params(("key" = String, Path, description = "the key: what the provider knows it by")),
    responses((status = 200, body = EffectDetail), (status = "4XX", body = ProblemBody, content_type = "application/problem+json"))
)]
pub(super) async fn get(tenant: Tenant, Named(key): Named<String>) -> Result<axum::Json<EffectDetail>, Problem> {
    let found = find(&tenant, &key).await?;
    let key = found.key;
    let deliveries = tenant.read(move |engine| delivery::of(engine, key)).await?;
    Ok(axum::Json(EffectDetail { effect: (&found).into(), deliveries: all(&deliveries) }))
}

/// What became of an effect.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TellOutcome {
    /// `confirmed`: it happened. `declined`: it did not and will not.
    outcome: Outcome,
    /// The provider's reference.
    #[schema(max_length = 256)]
    reference: Option<String>,
}

/// An outcome that a provider tells.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = EffectOutcome)]
pub enum Outcome {
    /// It happened.
    Confirmed,
    /// It did not and will not.
    Declined,
}

/// Tell what became of an effect: where a provider answered 202 and settles later.
///
/// An effect that is settled stays as it is; a provider that contradicts its own decline opens a task. Once nobody knows what became
/// of an effect, a person who found out answers its task.
#[utoipa::path(
    post, path = "/v1/effects/{key}/outcome", operation_id = "effect.outcome", tag = "effects", request_body = TellOutcome,
    params(
        ("key" = String, Path, description = "the key: what the provider knows it by"),
        ("Idempotency-Key" = String, Header, description = "names this request: sent again, it is answered and not done again"),
    ),
    responses(
        (status = 200, body = EffectRow),
        (status = "4XX", body = ProblemBody, content_type = "application/problem+json"),
        (status = "5XX", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
#[tracing::instrument(name = "effect.outcome", skip_all, fields(effect.key = %key))]
pub(super) async fn outcome(
    tenant: Tenant,
    Named(key): Named<String>,
    NamedCommand(Command { body, repeat, guard }): NamedCommand<TellOutcome>,
) -> Result<Response, Problem> {
    let found = find(&tenant, &key).await?;
    if found.state == EffectState::Unknown && tenant.caller.actor().role == "admin" {
        let detail = "nobody knows what became of it: answer its task, so that a person stands for the answer";
        return Err(Problem::new(codes::EFFECT_UNKNOWN, detail));
    }
    let good = |text: &String| (1..=REFERENCE_BYTES_MAX).contains(&text.len()) && !text.chars().any(char::is_control);
    if !body.reference.as_ref().is_none_or(good) {
        return Err(invalid("/reference", format!("it has 1 to {REFERENCE_BYTES_MAX} bytes on one line")));
    }
    let outcome = match body.outcome {
        Outcome::Confirmed => Settled::Confirmed,
        Outcome::Declined => Settled::Declined,
    };
    let settle = Settle { key: found.key, outcome, reference: body.reference };
    let mut submission = tenant.submission(Target::Case(found.case), Body::Settle(settle));
    submission.repeat = repeat;
    let receipt = tenant.submit(submission, guard).await?;
    answer(&tenant, found.key, found.case, receipt.turn).await
}

/// Why an effect is to be delivered again.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Redeliver {
    /// Why, in words.
    #[schema(min_length = 1, max_length = 2000)]
    reason: String,
}

/// Deliver an effect again, under the same key: a provider that did act says so instead of acting once more.
#[utoipa::path(
    post, path = "/v1/effects/{key}/redeliver", operation_id = "effect.redeliver", tag = "effects", request_body = Redeliver,
    params(
        ("key" = String, Path, description = "the key: what the provider knows it by"),
        ("Idempotency-Key" = String, Header, description = "names this request: sent again, it is answered and not done again"),
    ),
    responses(
        (status = 200, body = EffectRow),
        (status = "4XX", body = ProblemBody, content_type = "application/problem+json"),
        (status = "5XX", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
#[tracing::instrument(name = "effect.redeliver", skip_all, fields(effect.key = %key))]
pub(super) async fn redeliver(
    tenant: Tenant,
    Named(key): Named<String>,
    NamedCommand(Command { body, repeat, guard }): NamedCommand<Redeliver>,
) -> Result<Response, Problem> {
    let found = find(&tenant, &key).await?;
    let mut submission = tenant.submission(Target::Case(found.case), Body::Resend(found.key));
    submission.reason = Some(reason("/reason", body.reason)?);
    submission.repeat = repeat;
    let receipt = tenant.submit(submission, guard).await?;
    answer(&tenant, found.key, found.case, receipt.turn).await
}

/// An effect as it stood after a turn of its case.
pub(super) async fn answer(tenant: &Tenant, key: Digest, case: CaseId, turn: u64) -> Result<Response, Problem> {
    let read = move |engine: &Engine| {
        let listing = engine.effect(key)?;
        let case = engine.case_at(case, turn)?;
        Ok::<_, engine::Error>(listing.zip(case.and_then(|case| case.effects.get(&key).cloned())))
    };
    let found = tenant.read(read).await?;
    let (listing, effect) = found.ok_or_else(|| missing(&key.to_string()))?;
    let then = EffectListing { state: effect.state, reference: effect.reference, ..listing };
    Ok(axum::Json(EffectRow::from(&then)).into_response())
}

fn missing(name: &str) -> Problem {
    Problem::new(codes::EFFECT_NOT_FOUND, format!("effect {name:?} does not exist"))
}

/// The effect that a path names.
async fn find(tenant: &Tenant, name: &str) -> Result<EffectListing, Problem> {
    let key: Digest = name.parse().map_err(|_| missing(name))?;
    tenant.read(move |engine| engine.effect(key)).await?.ok_or_else(|| missing(name))
}
