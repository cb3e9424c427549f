//! `GET /v1/events/stream`: events as they happen (server-sent events).

use std::collections::{BTreeMap, VecDeque};
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::State as Shared;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::sse::{Event as Sent, Sse};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream::unfold;
use redress_domain::ids::TenantId;
use serde::Deserialize;
use tokio::sync::watch;
use utoipa::IntoParams;

use super::{Event, Place, read};
use crate::engine;
use crate::http::codes;
use crate::http::page::Params;
use crate::http::problem::{Problem, ProblemBody};
use crate::http::tenancy::{State, Tenant};

/// Streams that one tenant may hold open: each costs a connection of the host.
pub const STREAMS_MAX: usize = 64;
/// How often a silent stream says that it is there: proxies close what is silent for 30 seconds and more.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// Events that are read ahead of a slow client.
const READ_AHEAD: usize = 100;
/// How a client that lost its connection says where it was.
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// The streams that are open. Clones share everything.
#[derive(Clone)]
pub struct Streams {
    open: Arc<Mutex<BTreeMap<TenantId, usize>>>,
    stop: watch::Sender<bool>,
    heartbeat: Duration,
}

/// One open stream; counted until it is dropped.
struct Seat {
    streams: Streams,
    tenant: TenantId,
}

impl Default for Streams {
    fn default() -> Self {
        Self::with_heartbeat(HEARTBEAT)
    }
}

impl Streams {
    /// No stream yet; each that is silent says so often that it is there.
    pub fn with_heartbeat(heartbeat: Duration) -> Self {
        Self { open: Arc::default(), stop: watch::Sender::new(false), heartbeat }
    }

    /// End all streams: the host stops. Later ones end as they begin.
    pub fn stop(&self) {
        self.stop.send_replace(true);
    }

    /// How many are open, of all tenants.
    pub fn count(&self) -> usize {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).values().sum()
    }

    fn enter(&self, tenant: TenantId) -> Option<Seat> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(tenant).or_default();
        (*count < STREAMS_MAX).then(|| {
            *count += 1;
            Seat { streams: self.clone(), tenant }
        })
    }
}

impl std::fmt::Debug for Streams {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Streams({})", self.count())
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut open = self.streams.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.tenant) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.tenant);
            }
        }
    }
}

/// From where.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct From {
    /// The id of the last event that you saw, where `Last-Event-ID` is not sent; from now on where both are left out.
    after: Option<String>,
}

/// Follow what happens, as server-sent events.
///
/// Each event has its id, its type and its JSON. A client that lost its connection sends the last id as `Last-Event-ID` and misses
/// nothing. The stream begins with an id alone, so that a client knows its place before the first event.
#[utoipa::path(
    get, path = "/v1/events/stream", operation_id = "event.stream", tag = "events",
    params(From, ("Last-Event-ID" = Option<String>, Header, description = "the id of the last event that you saw")),
    responses(
        (status = 200, body = Event, content_type = "text/event-stream"),
        (status = "4XX", body = ProblemBody, content_type = "application/problem+json"),
        (status = "5XX", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(in crate::http) async fn follow(
    Shared(state): Shared<State>,
    tenant: Tenant,
    headers: HeaderMap,
    Params(asked): Params<From>,
) -> Result<Response, Problem> {
    let full = || {
        let detail = format!("{STREAMS_MAX} streams are open already");
        Problem::new(codes::OVERLOADED, detail).retry_after(15)
    };
    let seat = state.streams.enter(tenant.engine.record().id).ok_or_else(full)?;
    // Watched before anything is read, so that what happens meanwhile wakes us.
    let (changes, stop) = (tenant.engine.changes(), state.streams.stop.subscribe());
    let last_id = headers.get(LAST_EVENT_ID).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let place = match last_id.or(asked.after) {
        Some(text) => Place::parse(&text)?,
        None => Place::behind(tenant.read(last).await?),
    };
    let mut following =
        Following { tenant, state, place, changes, stop, ready: VecDeque::new(), more: true, _seat: seat };
    // A place that is none of this merchant's is answered as such, before the stream begins.
    following.fill().await?;
    let begin = Sent::default().id(place.text());
    let events = unfold((Some(begin), following), |(begin, mut following)| async {
        let next = match begin {
            Some(begin) => begin,
            None => following.next().await?,
        };
        Some((Ok::<_, Infallible>(next), (None, following)))
    });
    let unbuffered = (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    Ok(([unbuffered], Sse::new(events)).into_response())
}

fn last(engine: &engine::Engine) -> Result<u64, engine::Error> {
    Ok(engine.store().read()?.audit_head()?.n)
}

/// A client that follows.
struct Following {
    tenant: Tenant,
    state: State,
    place: Place,
    changes: watch::Receiver<u64>,
    stop: watch::Receiver<bool>,
    ready: VecDeque<Event>,
    /// Whether something may lie behind the place.
    more: bool,
    _seat: Seat,
}

impl Following {
    /// What is sent next; `None` at the end of the stream.
    async fn next(&mut self) -> Option<Sent> {
        loop {
            if *self.stop.borrow() || self.is_revoked() {
                return None;
            }
            if let Some(event) = self.ready.pop_front() {
                // A type of our own has no line breaks, and what is encoded here always can be.
                return Some(Sent::default().id(&event.id).event(event.kind).json_data(&event).unwrap_or_default());
            }
            if self.more {
                if let Err(problem) = self.fill().await {
                    tracing::warn!(code = problem.code(), "stream of events ended");
                    return None;
                }
                continue;
            }
            tokio::select! {
                changed = self.changes.changed() => {
                    changed.ok()?;
                    self.more = true;
                }
                _ = self.stop.changed() => return None,
                () = tokio::time::sleep(self.state.streams.heartbeat) => return Some(Sent::default().comment("")),
            }
        }
    }

    async fn fill(&mut self) -> Result<(), Problem> {
        self.changes.mark_unchanged();
        let place = self.place;
        let read = self.tenant.read(move |engine| read(engine, place, READ_AHEAD)).await?;
        self.place = read.place;
        self.more = read.more;
        self.ready.extend(read.events);
        Ok(())
    }

    /// A key that was taken back ends what it opened.
    fn is_revoked(&self) -> bool {
        let key = self.state.keys.get(&self.tenant.caller.key.id);
        key.is_none_or(|key| key.revoked_at.is_some())
    }
}
