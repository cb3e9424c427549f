//! `Idempotency-Key`: a request that comes again is answered as it was, and done once.
//!
//! The answer is committed with what the request did. While the first is under way a second one is told so; another request
//! under the same key is refused. A refusal changes nothing and is not kept: the request may be sent again.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{FromRequest, FromRequestParts as _, Request};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use redress_domain::ids::Digest;
use serde::de::DeserializeOwned;

use super::problem::Problem;
use super::tenancy::{State, Tenant};
use super::{body, codes};
use crate::engine::repeat::{Answered, Before, Repeat};

/// The header that names a request.
const KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// The header of an answer that was given before.
pub(super) const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");
/// Letters of an idempotency key.
const KEY_BYTES_MAX: usize = 255;

/// A command: its body, and under which name it may come again. One that came before is answered here, and its handler never
/// runs.
pub struct Command<T> {
    /// The body.
    pub body: T,
    /// Under which name it may come again.
    pub repeat: Option<Repeat>,
    /// Held until the command is decided.
    pub guard: Option<Guard>,
}

/// As `Command`, for what moves money or goods: it must be named.
pub struct NamedCommand<T>(pub Command<T>);

/// The first answer once more, or why there is none.
pub enum Instead {
    /// The request came before.
    Again(Box<Tenant>, Answered),
    /// It is not taken.
    Problem(Problem),
}

impl<T: DeserializeOwned + Send> FromRequest<State> for Command<T> {
    type Rejection = Response;

    async fn from_request(request: Request, state: &State) -> Result<Self, Response> {
        match take(request, state).await {
            Ok(command) => Ok(command),
            Err(Instead::Problem(problem)) => Err(problem.into_response()),
            Err(Instead::Again(tenant, answered)) => Err(super::replay::answer(&tenant, answered).await),
        }
    }
}

impl<T: DeserializeOwned + Send> FromRequest<State> for NamedCommand<T> {
    type Rejection = Response;

    async fn from_request(request: Request, state: &State) -> Result<Self, Response> {
        if !request.headers().contains_key(KEY) {
            let detail =
                "name this request with an Idempotency-Key header, so that sending it again does nothing twice";
            return Err(Problem::new(codes::IDEMPOTENCY_KEY_REQUIRED, detail).into_response());
        }
        Command::from_request(request, state).await.map(Self)
    }
}

async fn take<T: DeserializeOwned>(request: Request, state: &State) -> Result<Command<T>, Instead> {
    let (mut parts, rest) = request.into_parts();
    let tenant = Tenant::from_request_parts(&mut parts, state).await?;
    let (headers, route) = (parts.headers.clone(), format!("{} {}", parts.method, parts.uri));
    let bytes = body::bytes(Request::from_parts(parts, rest), state).await?;
    let Some(key) = key(&headers)? else {
        return Ok(Command { body: body::parse(&headers, &bytes)?, repeat: None, guard: None });
    };
    let scope = tenant.caller.key.id.clone();
    let body = Digest::of(&[route.as_bytes(), b"\n", &bytes].concat());
    let repeat = Repeat { scope, key, body };
    let asked = repeat.clone();
    let busy = || {
        let detail = "the first request under this key is under way; ask again in a moment";
        Problem::new(codes::IDEMPOTENCY_IN_FLIGHT, detail).retry_after(1)
    };
    // Entered before it is looked up, so that nobody answers in between.
    let guard = state.in_flight.enter(&tenant, &repeat).ok_or_else(busy)?;
    match tenant.read(move |engine| engine.answered(&asked)).await? {
        Before::Never => {}
        Before::Answered(answered) => return Err(Instead::Again(Box::new(tenant), answered)),
        Before::Other => {
            let detail = "another request was sent under this key; a new request needs a new key";
            return Err(Problem::new(codes::IDEMPOTENCY_KEY_REUSED, detail).into());
        }
    }
    Ok(Command { body: body::parse(&headers, &bytes)?, repeat: Some(repeat), guard: Some(guard) })
}

fn key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(value) = headers.get(KEY) else { return Ok(None) };
    let text = value.to_str().unwrap_or_default();
    if (1..=KEY_BYTES_MAX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(Some(text.to_owned()));
    }
    let detail = format!("it has 1 to {KEY_BYTES_MAX} visible ASCII characters");
    Err(Problem::new(codes::IDEMPOTENCY_KEY_INVALID, detail))
}

/// Requests that are under way, by tenant, caller and key.
#[derive(Clone, Default)]
pub(super) struct InFlight(Arc<Mutex<BTreeSet<Name>>>);

type Name = (String, String, String);

/// Keeps a request's name until it is dropped.
pub struct Guard {
    flights: InFlight,
    name: Name,
}

impl InFlight {
    fn enter(&self, tenant: &Tenant, repeat: &Repeat) -> Option<Guard> {
        let name = (tenant.engine.record().id.to_string(), repeat.scope.clone(), repeat.key.clone());
        let mut names = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        names.insert(name.clone()).then(|| Guard { flights: self.clone(), name })
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.flights.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.name);
    }
}

impl From<Problem> for Instead {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

/// Mark an answer as given before.
pub(super) fn mark(mut response: Response) -> Response {
    response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    response
}
