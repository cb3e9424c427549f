//! Around every request: its span, its line in the log, its figures; and what keeps one request from harming the others.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use axum::Router;
use axum::body::HttpBody as _;
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use futures_util::FutureExt as _;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};
use tracing::Instrument as _;
use tracing::field::Empty;

use super::figures::Figures;
use super::health;
use crate::config::Connections;
use crate::http::codes;
use crate::http::problem::Problem;
use crate::http::respond::request_id;

/// The name of requests that no route takes: an address that a client made up is no label.
const NO_ROUTE: &str = "(none)";

/// What every request goes through. Clones share everything.
#[derive(Clone)]
pub(super) struct Edge {
    places: Arc<Semaphore>,
    large: Arc<Semaphore>,
    limits: Connections,
    figures: Figures,
}

impl Edge {
    pub(super) fn new(limits: Connections, figures: Figures) -> Self {
        let places = |max| Arc::new(Semaphore::new(max));
        Self { places: places(limits.requests_max), large: places(limits.large_bodies_max), limits, figures }
    }

    /// Put the edge around a router.
    pub(super) fn around(self, router: Router) -> Router {
        router.layer(from_fn_with_state(self, through))
    }
}

async fn through(State(edge): State<Edge>, request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().map_or(NO_ROUTE, MatchedPath::as_str).to_owned();
    let span = tracing::info_span!(
        "http.request", request.id = %request_id(), http.method = %method, http.route = route, tenant = Empty, key.id = Empty
    );
    let response = admit(&edge, &route, request, next).instrument(span.clone()).await;
    let (status, took) = (response.status(), begun.elapsed());
    edge.figures.answered(&route, &method, status, took);
    let duration_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    span.in_scope(|| {
        if health::is_own(&route) {
            tracing::debug!(http.status = status.as_u16(), duration_ms, "{method} {route}: {status}");
        } else {
            tracing::info!(http.status = status.as_u16(), duration_ms, "{method} {route}: {status}");
        }
    });
    response
}

/// Let a request in, where there is a place for it. Who asks how the host is doing always gets in.
async fn admit(edge: &Edge, route: &str, request: Request, next: Next) -> Response {
    let place = edge.places.try_acquire();
    if place.is_err() && !health::is_own(route) {
        return overloaded(edge, "too many requests are being answered; come again in a moment");
    }
    // One of unknown length may become a large one.
    let is_large = request.body().size_hint().upper().is_none_or(|bytes| bytes > edge.limits.small_body_bytes);
    let room = is_large.then(|| edge.large.try_acquire());
    if matches!(room, Some(Err(_))) {
        return overloaded(edge, "too many large bodies are being read; come again in a moment");
    }
    let _open = edge.figures.open();
    // A handler shares with others only what it locks, and no lock of ours minds a panic.
    let answer = AssertUnwindSafe(next.run(request)).catch_unwind();
    match timeout(edge.limits.answer, answer).await {
        Ok(Ok(response)) => response,
        Ok(Err(_)) => {
            edge.figures.panicked();
            tracing::error!("a handler panicked");
            Problem::new(codes::INTERNAL, "it is in the host's log under this request's id").into_response()
        }
        Err(_) => {
            let detail = "whether it was done is not known; ask, or send it again under the same Idempotency-Key";
            Problem::new(codes::ANSWER_TIMEOUT, detail).into_response()
        }
    }
}

fn overloaded(edge: &Edge, detail: &'static str) -> Response {
    edge.figures.overloaded();
    Problem::new(codes::OVERLOADED, detail).retry_after(1).into_response()
}
