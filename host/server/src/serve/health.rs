//! How the host is doing: `/livez`, `/readyz`, `/version`, `/metrics`.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use axum::{Json, Router};
use redress_store::host::Host;
use serde::Serialize;

use super::figures::Figures;
use super::heart::Heart;
use super::tasks::Stop;
use crate::app::App;
use crate::clock::steady::{Standing, SteadyClock};
use crate::engine::CONTRACT_MAJOR;
use crate::http::codes;
use crate::http::problem::Problem;
use crate::http::{self, auth};
use crate::keys::Role;

const LIVE: &str = "/livez";
const READY: &str = "/readyz";
const VERSION: &str = "/version";
const METRICS: &str = "/metrics";

/// What a proxy adds: a request that came through one is not from this machine, whoever handed it on.
const FORWARDED: [&str; 3] = ["forwarded", "x-forwarded-for", "x-real-ip"];

/// What is asked about.
#[derive(Clone)]
pub(super) struct Health {
    pub(super) app: App,
    pub(super) api: http::State,
    pub(super) clock: Arc<SteadyClock>,
    pub(super) heart: Heart,
    pub(super) figures: Figures,
    pub(super) stop: Stop,
}

/// Whether a route is one of these: they are let in when nothing else is.
pub(super) fn is_own(route: &str) -> bool {
    [LIVE, READY, VERSION, METRICS].contains(&route)
}

/// The routes.
pub(super) fn routes(health: Health) -> Router {
    Router::new()
        .route(LIVE, get(live))
        .route(READY, get(ready))
        .route(VERSION, get(version))
        .route(METRICS, get(metrics))
        .with_state(health)
}

/// The process answers.
async fn live() -> Json<Live> {
    Json(Live { status: "live" })
}

#[derive(Serialize)]
struct Live {
    status: &'static str,
}

/// One thing that should be as it is meant to be.
#[derive(Serialize)]
struct Check {
    name: &'static str,
    ok: bool,
    /// Whether no request should be sent here meanwhile: what is wrong with one tenant is no reason to turn away the others.
    #[serde(skip)]
    bars: bool,
    /// What is not, for a person.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
}

#[derive(Serialize)]
struct Ready {
    status: &'static str,
    checks: Vec<Check>,
}

/// Whether requests should be sent here.
async fn ready(State(health): State<Health>) -> Response {
    let checks = vec![health.not_stopping(), health.folder(), health.tenants(), health.stores(), health.time()];
    let is_ready = !checks.iter().any(|check| check.bars);
    let (code, status) =
        if is_ready { (StatusCode::OK, "ready") } else { (StatusCode::SERVICE_UNAVAILABLE, "not_ready") };
    (code, Json(Ready { status, checks })).into_response()
}

impl Health {
    fn not_stopping(&self) -> Check {
        check("host", self.stop.is_told().then(|| "the host is stopping".to_owned()))
    }

    fn folder(&self) -> Check {
        let wrong = (!self.heart.beats()).then(|| "the data folder takes no writes; the log says why".to_owned());
        check("folder", wrong)
    }

    fn tenants(&self) -> Check {
        let (open, failed) = (self.app.engines().len(), self.app.not_opened());
        let all = open + failed.len();
        let wrong = failed.first_key_value().map(|(first, code)| {
            format!("{} of {all} tenants could not be opened, {first} among them [{code}]", failed.len())
        });
        Check { bars: wrong.is_some() && self.none_takes_writes(), ..check("tenants", wrong) }
    }

    fn none_takes_writes(&self) -> bool {
        self.app.engines().iter().all(|engine| engine.store().stats().read_only)
    }

    fn stores(&self) -> Check {
        let engines = self.app.engines();
        let stopped: Vec<_> = engines.iter().filter(|engine| engine.store().stats().read_only).collect();
        let wrong = stopped.first().map(|first| {
            format!("{} of {} tenants take no writes, {} among them", stopped.len(), engines.len(), first.record().slug)
        });
        Check { bars: wrong.is_some() && self.none_takes_writes(), ..check("stores", wrong) }
    }

    fn time(&self) -> Check {
        let reading = self.clock.read();
        let wrong = match reading.standing {
            Standing::Follows => None,
            Standing::Jumped => Some(format!("the machine's clock has jumped by {} ms", reading.deviation_ms)),
            Standing::Held => Some(format!(
                "the machine's clock is {} ms ahead of when the host was last up: timers are held and effects not sent",
                reading.deviation_ms
            )),
        };
        check("clock", wrong)
    }
}

fn check(name: &'static str, wrong: Option<String>) -> Check {
    Check { name, ok: wrong.is_none(), bars: wrong.is_some(), detail: wrong }
}

#[derive(Serialize)]
struct Version {
    version: &'static str,
    /// What it was built from, where that is known.
    commit: Option<&'static str>,
    contract_major: u32,
    store_format: u64,
}

async fn version() -> Json<Version> {
    Json(Version {
        version: env!("CARGO_PKG_VERSION"),
        commit: option_env!("REDRESS_COMMIT"),
        contract_major: CONTRACT_MAJOR,
        store_format: Host::FORMAT,
    })
}

/// For the operator, and for this machine.
async fn metrics(State(health): State<Health>, request: Request) -> Response {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| *peer);
    if !is_local(peer, request.headers())
        && let Err(problem) = operator(&health, request.headers())
    {
        return problem.into_response();
    }
    let figures = health.figures.clone();
    let text = tokio::task::spawn_blocking(move || figures.text()).await;
    match text {
        Ok(Ok(text)) => {
            let media = "application/openmetrics-text; version=1.0.0; charset=utf-8";
            ([(header::CONTENT_TYPE, HeaderValue::from_static(media))], text).into_response()
        }
        Ok(Err(error)) => Problem::internal(&error).into_response(),
        Err(error) => Problem::internal(&error).into_response(),
    }
}

fn operator(health: &Health, headers: &HeaderMap) -> Result<(), Problem> {
    let caller = auth::caller(&health.api, headers)?;
    if caller.key.role == Role::Operator {
        return Ok(());
    }
    Err(Problem::new(codes::NOT_ALLOWED, format!("a key of role {} may not do this", caller.key.role)))
}

fn is_local(peer: Option<SocketAddr>, headers: &HeaderMap) -> bool {
    let near = peer.is_some_and(|peer| peer.ip().to_canonical().is_loopback());
    near && !FORWARDED.iter().any(|name| headers.contains_key(*name))
}
