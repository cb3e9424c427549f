//! `Idempotency-Key`: a request that comes again is answered as it was, and done once.
//!
//! The answer is committed with what the request did. While the first is under way a second one is told so; another request
//! under the same key is refused. A refusal changes nothing and is not kept: the request may be sent again.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts as _, Request};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use redress_domain::ids::Digest;
use serde::de::DeserializeOwned;

use super::problem::Problem;
use super::tenancy::{Scope, State};
use super::{body, codes, respond};
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

/// As `Command`, with a body of at most so many bytes as it came.
pub struct RawCommand<const BYTES_MAX: usize>(pub Command<Raw>);

/// A body as it came.
pub struct Raw {
    /// The headers of its request.
    pub headers: HeaderMap,
    /// Its bytes.
    pub bytes: Bytes,
}

/// The first answer once more, or why there is none.
pub enum Instead {
    /// The request came before.
    Again(Scope, Answered),
    /// It is not taken.
    Problem(Problem),
}

impl<T: DeserializeOwned + Send> FromRequest<State> for Command<T> {
    type Rejection = Response;

    async fn from_request(request: Request, state: &State) -> Result<Self, Response> {
        let Command { body, repeat, guard } = given(take(request, state).await).await?;
        let body = body::parse(&body.headers, &body.bytes).map_err(Problem::into_response)?;
        Ok(Self { body, repeat, guard })
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

impl<const BYTES_MAX: usize> FromRequest<State> for RawCommand<BYTES_MAX> {
    type Rejection = Response;

    async fn from_request(request: Request, state: &State) -> Result<Self, Response> {
        given(take(body::within(request, BYTES_MAX), state).await).await.map(Self)
    }
}

/// A command, or what is answered in its place.
async fn given(taken: Result<Command<Raw>, Instead>) -> Result<Command<Raw>, Response> {
    match taken {
        Ok(command) => Ok(command),
        Err(Instead::Problem(problem)) => Err(problem.into_response()),
        Err(Instead::Again(scope, answered)) => Err(super::replay::answer(&scope, answered).await),
    }
}

async fn take(request: Request, state: &State) -> Result<Command<Raw>, Instead> {
    let (mut parts, rest) = request.into_parts();
    let scope = Scope::from_request_parts(&mut parts, state).await?;
    let (headers, route) = (parts.headers.clone(), format!("{} {}", parts.method, parts.uri));
    let bytes = body::bytes(Request::from_parts(parts, rest), state).await?;
    let Some(key) = key(&headers)? else {
        return Ok(Command { body: Raw { headers, bytes }, repeat: None, guard: None });
    };
    let body = Digest::of(&[route.as_bytes(), b"\n", &bytes].concat());
    let repeat = Repeat { scope: scope.caller().key.id.clone(), key, body };
    let busy = || {
        let detail = "the first request under this key is under way; ask again in a moment";
        Problem::new(codes::IDEMPOTENCY_IN_FLIGHT, detail).retry_after(1)
    };
    // Entered before it is looked up, so that nobody answers in between.
    let guard = state.in_flight.enter(&scope, &repeat).ok_or_else(busy)?;
    match before(state, &scope, repeat.clone()).await? {
        Before::Never => Ok(Command { body: Raw { headers, bytes }, repeat: Some(repeat), guard: Some(guard) }),
        Before::Answered(answered) => Err(Instead::Again(scope, answered)),
        Before::Other => {
            let detail = "another request was sent under this key; a new request needs a new key";
            Err(Problem::new(codes::IDEMPOTENCY_KEY_REUSED, detail).into())
        }
    }
}

/// Whether the request came before: a tenant's file remembers its own, the system file those of the host.
async fn before(state: &State, scope: &Scope, repeat: Repeat) -> Result<Before, Problem> {
    match scope {
        Scope::Tenant(tenant) => tenant.read(move |engine| engine.answered(&repeat)).await,
        Scope::Host(_) => {
            let app = state.app.clone();
            let before = respond::blocking(move || repeat.answered_by(app.host())).await?;
            before.map_err(|error| Problem::internal(&error))
        }
    }
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

/// Requests that are under way, by tenant (empty for the host), caller and key.
#[derive(Clone, Default)]
pub(super) struct InFlight(Arc<Mutex<BTreeSet<Name>>>);

type Name = (String, String, String);

/// Keeps a request's name until it is dropped.
pub struct Guard {
    flights: InFlight,
    name: Name,
}

impl InFlight {
    fn enter(&self, scope: &Scope, repeat: &Repeat) -> Option<Guard> {
        let place = match scope {
            Scope::Tenant(tenant) => tenant.engine.record().id.to_string(),
            Scope::Host(_) => String::new(),
        };
        let name = (place, repeat.scope.clone(), repeat.key.clone());
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
