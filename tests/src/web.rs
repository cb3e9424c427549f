//! The API under test, without a network: requests go straight into the router.

use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use axum::response::Response;
use http_body_util::BodyExt as _;
use redress::http::service;
use redress::http::tenancy::State;
use redress::keys::{Keys, NewKey, Role};
use redress_domain::ids::TenantId;
use serde_json::Value as Json;
use tower::ServiceExt as _;

use crate::world::World;

/// How long a test waits for what does not come.
const LONG: Duration = Duration::from_secs(60);
/// Heartbeats after which a stream should have ended.
const MESSAGES_MAX: usize = 1_000;

/// A host's API, with keys.
#[derive(Clone)]
pub struct Web {
    /// What the routes share.
    pub state: State,
    router: Router,
}

/// A request as it is put together.
pub struct Asking<'a> {
    web: &'a Web,
    method: String,
    address: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

/// An answer that comes bit by bit: server-sent events.
pub struct Following {
    body: Body,
    text: String,
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Got {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub bytes: Vec<u8>,
}

impl Web {
    /// The API of a world's host.
    pub fn of(world: &World) -> anyhow::Result<Self> {
        let keys = Keys::load(world.app.host())?;
        Ok(Self::on(State::new(world.app.clone(), keys)))
    }

    /// The API around a state.
    #[must_use]
    pub fn on(state: State) -> Self {
        let router = service::router(&state);
        Self { state, router }
    }

    /// A new key of a tenant.
    pub fn key(&self, tenant: TenantId, role: Role) -> anyhow::Result<String> {
        self.new_key(NewKey { tenant: Some(tenant), role, backdate: false, name: role.to_string() })
    }

    /// A new key of a tenant that may say when things happened.
    pub fn backdating(&self, tenant: TenantId, role: Role) -> anyhow::Result<String> {
        self.new_key(NewKey { tenant: Some(tenant), role, backdate: true, name: role.to_string() })
    }

    /// A new key of the host's operator.
    pub fn operator(&self) -> anyhow::Result<String> {
        self.new_key(NewKey { tenant: None, role: Role::Operator, backdate: true, name: "operator".to_owned() })
    }

    /// A new key.
    pub fn new_key(&self, new: NewKey) -> anyhow::Result<String> {
        let app = &self.state.app;
        Ok(self.state.keys.create(app.host(), app.clock(), new)?.secret)
    }

    /// A request.
    pub fn ask(&self, method: &str, address: &str) -> Asking<'_> {
        let (method, address) = (method.to_owned(), address.to_owned());
        Asking { web: self, method, address, headers: Vec::new(), body: Vec::new() }
    }
}

impl Asking<'_> {
    /// With a key.
    pub fn by(self, key: &str) -> Self {
        self.header("authorization", &format!("Bearer {key}"))
    }

    /// With a header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Under a name, so that it may come again.
    pub fn named(self, key: &str) -> Self {
        self.header("idempotency-key", key)
    }

    /// With a JSON body.
    pub fn json(self, body: &Json) -> Self {
        self.raw("application/json", body.to_string().as_bytes())
    }

    /// With these bytes.
    pub fn raw(mut self, media: &str, bytes: &[u8]) -> Self {
        self.body = bytes.to_vec();
        self.header("content-type", media)
    }

    /// Send it.
    pub async fn send(self) -> Got {
        let (parts, body) = self.begin().await.into_parts();
        let bytes = tokio::time::timeout(LONG, to_bytes(body, 64 << 20)).await.expect("an answer ends");
        let bytes = bytes.expect("an answer can be read").to_vec();
        Got { status: parts.status, headers: parts.headers, bytes }
    }

    /// Send it, and learn whether it is done: the status, and the code of a problem. A stream is not waited for.
    pub async fn outcome(self) -> (u16, String) {
        let (parts, body) = self.begin().await.into_parts();
        let media = parts.headers.get("content-type").and_then(|media| media.to_str().ok()).unwrap_or_default();
        if media != "application/problem+json" {
            return (parts.status.as_u16(), String::new());
        }
        let bytes = to_bytes(body, 64 << 20).await.expect("an answer can be read").to_vec();
        Got { status: parts.status, headers: parts.headers, bytes }.problem()
    }

    /// Send it, and read the answer as it comes.
    pub async fn follow(self) -> Following {
        let response = self.begin().await;
        assert_eq!(response.status(), StatusCode::OK);
        Following { body: response.into_body(), text: String::new() }
    }

    async fn begin(self) -> Response {
        let mut request = Request::builder().method(&*self.method).uri(&self.address);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let request = request.body(Body::from(self.body)).expect("a request of a test can be made");
        self.web.router.clone().oneshot(request).await.expect("a router answers")
    }
}

impl Following {
    /// The next message, as it is written; `None` at the end of the stream. A stream that says nothing for long fails its test.
    pub async fn message(&mut self) -> Option<String> {
        loop {
            if let Some((message, rest)) = self.text.split_once("\n\n") {
                let (message, rest) = (message.to_owned(), rest.to_owned());
                self.text = rest;
                return Some(message);
            }
            let frame = tokio::time::timeout(LONG, self.body.frame()).await;
            let frame = frame.expect("a stream says something")?.expect("a stream can be read");
            let bytes = frame.into_data().unwrap_or_default();
            self.text.push_str(std::str::from_utf8(&bytes).expect("events are text"));
        }
    }

    /// Read to the end of the stream. One that goes on and on fails its test.
    pub async fn end(mut self) {
        for _ in 0..MESSAGES_MAX {
            if self.message().await.is_none() {
                return;
            }
        }
        panic!("the stream goes on");
    }

    /// The next event: its id, and what it holds.
    pub async fn event(&mut self) -> Option<(String, Json)> {
        loop {
            let message = self.message().await?;
            let field = |name: &str| message.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
            if let (Some(id), Some(data)) = (field("id:"), field("data:")) {
                return Some((id.to_owned(), serde_json::from_str(data).expect("an event is JSON")));
            }
        }
    }
}

impl Got {
    /// The body as JSON.
    pub fn json(&self) -> Json {
        serde_json::from_slice(&self.bytes).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&self.bytes)))
    }

    /// The status and the code, of a problem.
    pub fn problem(&self) -> (u16, String) {
        (self.status.as_u16(), self.json()["code"].as_str().unwrap_or_default().to_owned())
    }

    /// A header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}
