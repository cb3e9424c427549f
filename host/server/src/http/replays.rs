//! `/v1/cases/{case}/replay` and `/v1/replay`: what was decided, decided again by the same rules, plugins and facts, a part at a time.
//!
//! It computes, so that it must harm nobody who has something to decide: it runs on a thread of its own behind those of turns, one at a
//! time on the host and one of each merchant in the queue for it, and a part ends after some seconds.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::State as Shared;
use chrono::NaiveDate;
use redress_domain::ids::{Slug, TenantId};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use utoipa::{IntoParams, ToSchema};

use super::cases::find;
use super::codes;
use super::page::{self, List, Named, Params};
use super::problem::{Problem, ProblemBody};
use super::tenancy::{State, Tenant};
use crate::backtest::Select;
use crate::engine::Engine;
use crate::engine::workers::behind_turns;
use crate::replay::part::{self, Bounds, Place};
use crate::replay::report::sides;
use crate::replay::{self, Difference, Report};

/// How long a part may take: long enough to say much, and short enough for who waits behind it.
const PART_WITHIN: Duration = Duration::from_secs(2);
/// How long a request waits for those of other merchants.
const WAIT_WITHIN: Duration = Duration::from_secs(20);
/// Differences that a part tells one by one: each has both sides whole.
const DIFFERENCES_MAX: usize = 20;

/// What a part of a replay found.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Replay)]
pub(super) struct ReplayView {
    /// Decisions of plugins that were made again.
    checked: u64,
    /// Decisions and turns that are not what was recorded.
    different: u64,
    /// The first of them.
    first_different: Option<DifferenceView>,
    /// Cases that were looked at to their end.
    cases: u64,
    /// Turns that were computed again.
    turns: u64,
    /// Questions that are others only because something before them in their turn was different; not counted as different.
    followed: u64,
    /// Decisions that cannot be made again.
    unknown: u64,
    /// The same by the code of the reason.
    unknown_by_code: BTreeMap<String, u64>,
    /// Decisions that another engine made with other fuel.
    fuel_moved: u64,
    /// Decisions by the engine that made them.
    engines: BTreeMap<String, u64>,
    /// The first 20 of what differs.
    differences: Vec<DifferenceView>,
}

/// Something that is not what was recorded.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ReplayDifference)]
pub(super) struct DifferenceView {
    /// The merchant.
    tenant: String,
    /// The number of the case.
    case: String,
    /// Its id.
    id: String,
    /// The turn.
    turn: u64,
    /// The question, counted from 1 in its turn; `null` where the turn as a whole differs.
    ask: Option<usize>,
    /// The step that asks.
    step: Option<String>,
    /// The plugin as the workflow names it.
    plugin: Option<String>,
    /// Its component.
    component: Option<String>,
    /// What differs: `question`, `answer`, `fuel`, `questions`, `entries` or `refused`.
    differs: &'static str,
    /// What was recorded.
    recorded: Json,
    /// What there is now.
    found: Json,
}

/// A case that was replayed, or the beginning of it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CaseReplay)]
pub(super) struct CaseReplayView {
    /// What was found.
    #[serde(flatten)]
    found: ReplayView,
    /// The turn with which the rest begins, as `turn` of the next request; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_turn: Option<u64>,
}

/// Cases that were replayed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CasesReplay)]
pub(super) struct CasesReplayView {
    /// What was found.
    #[serde(flatten)]
    found: ReplayView,
    /// About how many cases there are, whatever was asked for.
    about: u64,
    /// Where the next part begins; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
    /// Whether there is a next part.
    has_more: bool,
}

/// From where a case is replayed.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Beginning {
    /// The turn to begin with: `next_turn` of the answer before.
    #[param(minimum = 1, default = 1)]
    turn: Option<u64>,
}

/// Which cases are replayed.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    /// Only cases opened on this day or later, in the merchant's zone: `2026-03-31`.
    #[param(format = Date)]
    since: Option<String>,
    /// Only cases opened on this day or before.
    #[param(format = Date)]
    until: Option<String>,
    /// Only cases of this type.
    kind: Option<String>,
    /// How many cases a part has at most, at most 100.
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<usize>,
    /// Where to go on: `next_cursor` of the part before.
    cursor: Option<String>,
}

/// Decide a case again as its record says it was decided, and compare.
///
/// Each turn is computed again from its record, each plugin asked again by the component that was asked: answers, fuel and what came of the turn
/// must be the same. Nothing is written. After two seconds it ends with `next_turn`, the first turn of the next request.
#[utoipa::path(
    get, path = "/v1/cases/{case}/replay", operation_id = "case.replay", tag = "cases",
    params(("case" = String, Path, description = "the id (case_...), or the number that people type"), Beginning),
    responses(
        (status = 200, body = CaseReplayView),
        (status = "4XX", body = ProblemBody, content_type = "application/problem+json"),
        (status = "5XX", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(super) async fn case(
    tenant: Tenant,
    Shared(state): Shared<State>,
    Named(case): Named<String>,
    Params(from): Params<Beginning>,
) -> Result<axum::Json<CaseReplayView>, Problem> {
    let (id, from) = (find(&tenant, &case).await?, from.turn.unwrap_or(1));
    let (found, next_turn) =
        state.replays.run(&tenant, move |engine| part::case(engine, id, from, PART_WITHIN)).await?;
    Ok(axum::Json(CaseReplayView { found: ReplayView::of(&found), next_turn }))
}

/// Decide cases again as their records say, the newest first, and compare.
///
/// As for one case. A part has at most so many cases and ends after two seconds; `next_cursor` goes on where it ended, in the middle of a
/// long case where need be. Cases that are opened meanwhile are not among them.
#[utoipa::path(
    get, path = "/v1/replay", operation_id = "case.replay_all", tag = "cases", params(Which),
    responses(
        (status = 200, body = CasesReplayView),
        (status = "4XX", body = ProblemBody, content_type = "application/problem+json"),
        (status = "5XX", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(super) async fn cases(
    tenant: Tenant,
    Shared(state): Shared<State>,
    Params(which): Params<Which>,
) -> Result<axum::Json<CasesReplayView>, Problem> {
    let list = List::of("replay")
        .with("since", which.since.as_deref())
        .with("until", which.until.as_deref())
        .with("kind", which.kind.as_deref());
    let place = page::place(list, which.limit, which.cursor.as_deref())?;
    let foreign = || Problem::new(codes::CURSOR_INVALID, "the cursor is one of another list");
    let from = place.cursor.as_ref().map(|cursor| Place::of(cursor.as_bytes()).ok_or_else(foreign)).transpose()?;
    let select = which.select()?;
    let bounds = Bounds { cases: place.limit as u64, within: PART_WITHIN };
    let work = move |engine: &Engine| {
        let (found, next) = part::cases(engine, &select, from, bounds)?;
        Ok((found, next, engine.store().read()?.last_case_number()?.unwrap_or(0)))
    };
    let (found, next, about) = state.replays.run(&tenant, work).await?;
    let next = place.page(Vec::<()>::new(), next.map(|next| next.bytes()).as_deref());
    let (next_cursor, has_more) = (next.next_cursor, next.has_more);
    Ok(axum::Json(CasesReplayView { found: ReplayView::of(&found), about, next_cursor, has_more }))
}

impl Which {
    fn select(&self) -> Result<Select, Problem> {
        let wrong = |name: &str, text: &str| {
            Problem::new(codes::PARAMETER_INVALID, format!("{name} is {text:?}, no day like 2026-03-31"))
        };
        let day = |name: &str, text: &Option<String>| {
            let read = |text: &String| text.parse::<NaiveDate>().map_err(|_| wrong(name, text));
            text.as_ref().map(read).transpose()
        };
        let kind = self.kind.as_deref().map(Slug::new).transpose();
        let kind = kind.map_err(|error| Problem::new(codes::PARAMETER_INVALID, error.to_string()))?;
        let (since, until) = (day("since", &self.since)?, day("until", &self.until)?);
        Ok(Select { since, until, kind, limit: None, whole: false })
    }
}

impl ReplayView {
    fn of(report: &Report) -> Self {
        let told = report.differences.iter().take(DIFFERENCES_MAX).map(DifferenceView::of);
        let differences: Vec<DifferenceView> = told.collect();
        Self {
            checked: report.checked,
            different: report.different,
            first_different: differences.first().cloned(),
            cases: report.cases,
            turns: report.turns,
            followed: report.followed,
            unknown: report.unknown.values().sum(),
            unknown_by_code: report.unknown.clone(),
            fuel_moved: report.fuel_moved,
            engines: report.engines.clone(),
            differences,
        }
    }
}

impl DifferenceView {
    fn of(one: &Difference) -> Self {
        let (recorded, found) = sides(&one.what);
        let (plugin, component) = one.plugin.clone().unzip();
        Self {
            tenant: one.case.tenant.clone(),
            case: one.case.number.clone(),
            id: one.case.id.to_string(),
            turn: one.turn,
            ask: one.ask,
            step: one.step.clone(),
            plugin,
            component: component.map(|digest| digest.to_string()),
            differs: one.what.code(),
            recorded,
            found,
        }
    }
}

/// Decisions that are made again for clients: one part at a time, and one of each merchant on the way there.
#[derive(Clone)]
pub(super) struct Replays {
    seat: Arc<Semaphore>,
    waiting: Arc<Mutex<BTreeSet<TenantId>>>,
}

impl Default for Replays {
    fn default() -> Self {
        Self { seat: Arc::new(Semaphore::new(1)), waiting: Arc::default() }
    }
}

/// Keeps the place of a merchant until it is dropped.
struct Entered {
    waiting: Arc<Mutex<BTreeSet<TenantId>>>,
    tenant: TenantId,
}

impl Replays {
    fn enter(&self, tenant: TenantId) -> Option<Entered> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.insert(tenant).then(|| Entered { waiting: self.waiting.clone(), tenant })
    }

    /// Replay something behind everything else that the host does.
    async fn run<T: Send + 'static>(
        &self,
        tenant: &Tenant,
        work: impl FnOnce(&Engine) -> Result<T, replay::Error> + Send + 'static,
    ) -> Result<T, Problem> {
        let busy =
            |what: &str| Problem::new(codes::OVERLOADED, format!("{what}; come again in a moment")).retry_after(1);
        let entered =
            self.enter(tenant.engine.record().id).ok_or_else(|| busy("a replay of this merchant is under way"))?;
        let seat = timeout(WAIT_WITHIN, self.seat.clone().acquire_owned()).await.ok().and_then(Result::ok);
        let seat = seat.ok_or_else(|| busy("replays of other merchants are under way"))?;
        let (sender, answer) = tokio::sync::oneshot::channel();
        let engine = tenant.engine.clone();
        let part = move || {
            let result = work(&engine);
            // Only now: a client that has gone leaves no second one computing.
            drop((seat, entered));
            drop(sender.send(result));
        };
        behind_turns("replay", part).map_err(|error| Problem::internal(&error))?;
        let stopped = |_| Problem::new(codes::INTERNAL, "it is in the host's log under this request's id");
        Ok(answer.await.map_err(stopped)??)
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.tenant);
    }
}

impl From<replay::Error> for Problem {
    fn from(error: replay::Error) -> Self {
        match error {
            replay::Error::Engine(error) => error.into(),
            replay::Error::NoCase(_) => Self::new(codes::CASE_NOT_FOUND, error.to_string()),
            replay::Error::Thread(_) | replay::Error::File(_) => Self::internal(&error),
        }
    }
}

#[cfg(test)]
mod tests {
    use redress_domain::clock::Instant;

    use super::*;

    #[test]
    fn a_merchant_has_one_place_until_it_leaves() {
        let (replays, tenant) = (Replays::default(), |n| TenantId::mint(Instant::from_unix_ms(0), n));
        let first = replays.enter(tenant(1));
        assert!(first.is_some() && replays.enter(tenant(1)).is_none() && replays.enter(tenant(2)).is_some());
        drop(first);
        assert!(replays.enter(tenant(1)).is_some());
    }
}
