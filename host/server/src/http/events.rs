//! `/v1/events`: what happened, in the order in which it was stored, without a gap.
//!
//! Events are a projection of the journals, made when they are read: nothing is stored twice, and what was not meant for the
//! outside never leaves. An event's id is the place behind it; a reader that goes on at the last id that it saw misses nothing and
//! sees nothing twice.

mod project;
pub mod stream;
pub mod tell;

use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::codes;
use super::page::{self, Page, Params};
use super::problem::{Problem, ProblemBody};
use super::tenancy::Tenant;
use super::wire::WireMoney;
use crate::engine::{self, Engine};

/// Turns that one page looks at: most have an event, imports of history have many.
const TURNS_MAX: usize = 1_000;
/// Turns that are read at once: one may hold the facts of thousands of purchases.
const TURNS_AT_ONCE: usize = 50;

/// How the id of an event begins.
const PREFIX: &str = "evt_";

/// Every type of event, with what it tells.
pub const TYPES: &[(&str, &str)] = &[
    ("case.opened", "a case was opened: kind, number, workflow, revision"),
    ("case.held", "no workflow took the case"),
    ("case.waiting", "the case waits at a step, perhaps until a time"),
    ("case.migrated", "the case goes on with another revision: revision, step"),
    ("case.closed", "the case has ended: result, and whether it was finished, failed or cancelled"),
    ("task.opened", "work for a person: queue, what it is about"),
    ("task.claimed", "a person took a task"),
    ("task.released", "a task was given back"),
    ("task.completed", "a person answered a task: outcome"),
    ("task.closed", "a task is no longer needed"),
    ("task.overdue", "the answer to a task is late"),
    ("task.escalated", "a task went to another queue because nobody answered: queue"),
    ("effect.intended", "something is to leave the host: kind, amount"),
    ("effect.resent", "an effect is delivered again under its key"),
    ("effect.confirmed", "an effect happened"),
    ("effect.declined", "an effect did not happen and will not"),
    ("effect.unknown", "nobody knows what became of an effect"),
    ("refund.confirmed", "money went back: amount; beside `effect.confirmed`"),
    ("workflow.published", "a revision of a workflow became active: number"),
    ("workflow.activated", "an earlier revision of a workflow became active again"),
    ("canary.started", "a share of the new cases takes a revision beside the active one: number"),
    ("canary.ended", "no further case takes a canary: number, and as outcome why"),
    ("revision.held", "all cases of a revision are paused: number"),
    ("revision.resumed", "the cases of a revision go on: number"),
    ("cases.migrated", "cases went on with this revision, some at each call: number"),
    ("plugin.activated", "a plugin became active: version, digest"),
    ("plugin.staged", "a component was put beside the active one: version, digest, and as kind `shadow` or `canary`"),
    ("plugin.unstaged", "a component is not beside the active one any more: digest, and as outcome why"),
    ("plugin.granted", "a plugin may be told other facts than before"),
    ("plugin.case_kept", "a case is kept that uploads of a plugin are asked: plugin_case, digest of its file"),
    ("plugin.case_removed", "a case of a plugin is not kept any more: plugin_case"),
    ("plugin.removed", "a plugin was removed: digest"),
];

/// What happened, as CloudEvents 1.0 writes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Event {
    /// `1.0`.
    pub specversion: &'static str,
    /// The place behind this event: send it as `after`, or as `Last-Event-ID`, to go on there.
    pub id: String,
    /// Whose event it is: `/tenants/NAME`.
    pub source: String,
    /// What happened: `case.opened`, `refund.confirmed` ...
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// The case, or the workflow or plugin.
    pub subject: String,
    /// When the host recorded it.
    pub time: String,
    /// `application/json`.
    pub datacontenttype: &'static str,
    /// More about it; which fields it has goes by the type.
    pub data: EventData,
}

/// More about an event. Nothing in it names or describes a person.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct EventData {
    /// Business time.
    pub occurred_at: String,
    /// The case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub case: Option<String>,
    /// The number of the case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number: Option<String>,
    /// Of the case, or of the effect, or what the task is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The case that opened this one, where it is a sub-case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// The branch or iteration that it is of; left out on the main line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lane: Option<String>,
    /// The step.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// When a wait ends by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// `finished`, `failed` or `cancelled`; of a task the choice.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
    /// What came of the case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result: Option<String>,
    /// The task.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task: Option<String>,
    /// Who works on the task.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queue: Option<String>,
    /// The key of who did it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// The key of the effect.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effect: Option<String>,
    /// The money.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<WireMoney>,
    /// The provider's reference.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// The workflow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workflow: Option<String>,
    /// The revision.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// The plugin.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plugin: Option<String>,
    /// The case that uploads of the plugin are asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plugin_case: Option<String>,
    /// Of the plugin, or the number of the revision.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The component, or the file of the case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
}

/// A place in the order of everything: behind an event of a turn, or behind the whole turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// The number of the turn.
    n: u64,
    /// How many of its events lie before.
    seen: u32,
}

impl Place {
    const START: Self = Self::behind(0);

    /// Behind all events of a turn.
    const fn behind(n: u64) -> Self {
        Self { n, seen: u32::MAX }
    }

    fn text(self) -> String {
        format!("{PREFIX}{}", page::text(&[&self.n.to_be_bytes()[..], &self.seen.to_be_bytes()].concat()))
    }

    fn parse(text: &str) -> Result<Self, Problem> {
        let wrong = || Problem::new(codes::CURSOR_INVALID, format!("{text:?} is no id of an event"));
        let bytes = text.strip_prefix(PREFIX).and_then(|text| page::bytes(text).ok()).ok_or_else(wrong)?;
        let (n, seen) = bytes.split_first_chunk().ok_or_else(wrong)?;
        let seen = seen.try_into().map_err(|_| wrong())?;
        let place = Self { n: u64::from_be_bytes(*n), seen: u32::from_be_bytes(seen) };
        // Turns are numbered from 1.
        if place.n > 0 || place == Self::START { Ok(place) } else { Err(wrong()) }
    }
}

/// Some events, and where to go on.
pub(super) struct Read {
    events: Vec<Event>,
    place: Place,
    /// Whether there is more behind that place.
    more: bool,
}

/// What happened behind a place: at most so many events, of at most `TURNS_MAX` turns.
pub(super) fn read(engine: &Engine, after: Place, limit: usize) -> Result<Read, Problem> {
    let snapshot = engine.store().read().map_err(engine::Error::from)?;
    let last = snapshot.audit_head().map_err(engine::Error::from)?.n;
    if after.n > last {
        return Err(Problem::new(codes::CURSOR_INVALID, "the place lies behind everything that happened"));
    }
    let mut read = Read { events: Vec::new(), place: after, more: false };
    let mut looked_at = 0;
    while looked_at < TURNS_MAX {
        // The turn of the place itself comes again, for what follows in it.
        let from = if read.place.seen == u32::MAX { read.place.n } else { read.place.n - 1 };
        let turns = snapshot.feed(from, TURNS_AT_ONCE).map_err(engine::Error::from)?;
        looked_at += turns.len();
        for fed in &turns {
            let seen = if fed.n == read.place.n { read.place.seen } else { 0 };
            for (event, index) in project::events(engine, fed)?.into_iter().zip(1_u32..).skip(seen as usize) {
                if read.events.len() == limit {
                    read.more = true;
                    return Ok(read);
                }
                read.place = Place { n: fed.n, seen: index };
                read.events.push(Event { id: read.place.text(), ..event });
            }
            read.place = Place::behind(fed.n);
        }
        if turns.len() < TURNS_AT_ONCE {
            break;
        }
    }
    read.more = read.place.n < last;
    Ok(read)
}

/// From where, and how many.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct After {
    /// How many events, at most 100.
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<usize>,
    /// The id of the last event that you saw, or `next_cursor`; everything from the beginning where it is left out.
    after: Option<String>,
}

/// List what happened, the earliest first.
///
/// `next_cursor` is always there: keep it, and ask with it for what happens next. A page may be short, or empty, and still have more
/// behind it.
#[utoipa::path(
    get, path = "/v1/events", operation_id = "event.list", tag = "events", params(After),
    responses((status = 200, body = Page<Event>), (status = "4XX", body = ProblemBody, content_type = "application/problem+json"))
)]
pub(super) async fn list(tenant: Tenant, Params(asked): Params<After>) -> Result<Response, Problem> {
    let limit = page::rows(asked.limit)?;
    let after = asked.after.as_deref().map_or(Ok(Place::START), Place::parse)?;
    let read = tenant.read(move |engine| read(engine, after, limit)).await?;
    let page = Page { data: read.events, next_cursor: Some(read.place.text()), has_more: read.more };
    Ok(axum::Json(page).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_reads_back_and_nothing_else_is_one() {
        for place in [Place::START, Place { n: 7, seen: 0 }, Place { n: u64::MAX, seen: 3 }, Place::behind(9)] {
            assert_eq!(Place::parse(&place.text()).unwrap(), place);
        }
        let start = Place::START.text();
        let longer = format!("{start}AAAA");
        for text in ["", "evt_", "evt_7", "evt_AAAAAAAAAAAAAAAA", "not an id", &start[4..], &longer] {
            assert_eq!(Place::parse(text).unwrap_err().code(), "cursor_invalid", "{text}");
        }
    }

    #[test]
    fn no_type_is_told_twice() {
        let mut names: Vec<_> = TYPES.iter().map(|(name, _)| name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), TYPES.len());
    }
}
