//! A provider of payments, stock and messages to try the outbox on: it verifies what it is told, acts once for each key, loses
//! answers when it is asked to, and remembers everything, so that it is the judge of what was done.

pub mod book;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use redress::clock::Clock;
use rust_decimal::Decimal;
use standardwebhooks::Webhook;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

use book::{Book, Outcome, Told};

/// Bytes of a request; the largest case has a thousand lines.
const BODY_BYTES_MAX: usize = 4 << 20;
/// Seconds that a signature may be old, or early.
const TOLERANCE: i64 = 5 * 60;

/// How a provider behaves.
#[derive(Debug, Clone)]
pub struct Options {
    /// The address to listen at; port 0 for a free one.
    pub listen: SocketAddr,
    /// What requests are signed with: `whsec_` and base64.
    pub secret: String,
    /// Where it writes down what it did, before it answers.
    pub book: PathBuf,
    /// Act, and lose every nth answer.
    pub lose_every: Option<u64>,
    /// How long it thinks, after it has acted.
    pub delay: Duration,
    /// Answer the first calls of each key with `202`, the outcome to those that follow.
    pub later: u64,
    /// Decline refunds of more than this.
    pub decline_above: Option<Decimal>,
    /// Act on every call, as a provider that knows no keys.
    pub forgetful: bool,
    /// What it answers beside the outcome, where it is asked something.
    pub answer: Option<serde_json::Value>,
}

impl Options {
    /// One that does what it is told and tells what it did.
    #[must_use]
    pub fn honest(secret: &str, book: PathBuf) -> Self {
        Self {
            listen: ([127, 0, 0, 1], 0).into(),
            secret: secret.to_owned(),
            book,
            lose_every: None,
            delay: Duration::ZERO,
            later: 0,
            decline_above: None,
            forgetful: false,
            answer: None,
        }
    }
}

/// What the provider does with the next call, once.
#[derive(Debug, Clone)]
pub enum Trick {
    /// Answer this status, and do nothing.
    Refuse(u16),
    /// The same, and ask for so many seconds of pause.
    RefuseFor(u16, u32),
    /// Hang up, and do nothing.
    HangUp,
    /// Act, and hang up.
    ActAndHangUp,
    /// Act, and answer `200` with these words.
    ActAndSay(String),
    /// Answer, after so long, as usual.
    Think(Duration),
}

/// A provider at work. Dropped, it is gone with all of its connections.
pub struct Provider {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
}

struct Shared {
    options: Options,
    webhook: Webhook,
    clock: Arc<dyn Clock>,
    book: Mutex<Book>,
    tricks: Mutex<VecDeque<Trick>>,
    last: Mutex<serde_json::Value>,
}

impl Provider {
    /// Open the book and listen.
    pub async fn start(options: Options, clock: Arc<dyn Clock>) -> anyhow::Result<Self> {
        let webhook = Webhook::new(&options.secret).context("a signing secret")?;
        let book = Book::open(&options.book)?;
        let listener = TcpListener::bind(options.listen).await.context("an address to listen at")?;
        let address = listener.local_addr()?;
        let (book, tricks) = (Mutex::new(book), Mutex::default());
        let shared = Arc::new(Shared { options, webhook, clock, book, tricks, last: Mutex::default() });
        let accepting = tokio::runtime::Handle::current().spawn(accept(listener, shared.clone()));
        Ok(Self { address, shared, accepting })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where a connector sends to.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}/{path}", self.address)
    }

    /// What it did so far.
    #[must_use]
    pub fn stats(&self) -> book::Stats {
        self.shared.book().stats()
    }

    /// Every effect by its key.
    #[must_use]
    pub fn effects(&self) -> Vec<book::Known> {
        self.shared.book().effects()
    }

    /// Whether something is still asked of the next call.
    #[must_use]
    pub fn has_tricks(&self) -> bool {
        !self.shared.tricks().is_empty()
    }

    /// Nothing is asked of the next call that was.
    pub fn next_is_honest(&self) {
        drop(self.shared.tricks().pop_front());
    }

    /// The body of the last request that was signed well.
    #[must_use]
    pub fn last_body(&self) -> serde_json::Value {
        self.shared.last.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Do this with the next call.
    pub fn next(&self, trick: Trick) {
        self.shared.tricks().push_back(trick);
    }

    /// Serve until it breaks.
    pub async fn serve(mut self) -> anyhow::Result<()> {
        Ok((&mut self.accepting).await?)
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Shared {
    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tricks(&self) -> MutexGuard<'_, VecDeque<Trick>> {
        self.tricks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => if let Ok((stream, _)) = accepted {
                connections.spawn(connection(stream, shared.clone()));
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn connection(stream: TcpStream, shared: Arc<Shared>) {
    let service = service_fn(|request| answer(request, shared.clone()));
    // A connection that was hung up ends with an error, which is the point of it.
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

/// The answer could not be given: the connection is dropped instead.
#[derive(Debug, thiserror::Error)]
#[error("hung up")]
struct HungUp;

type Answer = Response<Full<Bytes>>;

async fn answer(request: Request<Incoming>, shared: Arc<Shared>) -> Result<Answer, HungUp> {
    match (request.method(), request.uri().path()) {
        (&Method::GET, "/stats") => Ok(json(StatusCode::OK, &shared.book().stats())),
        (&Method::GET, "/effects") => Ok(json(StatusCode::OK, &shared.book().effects())),
        (&Method::POST, _) => told(request, &shared).await,
        _ => Ok(refusal(StatusCode::NOT_FOUND, "there is nothing here")),
    }
}

async fn told(request: Request<Incoming>, shared: &Shared) -> Result<Answer, HungUp> {
    let (head, body) = request.into_parts();
    let Ok(body) = Limited::new(body, BODY_BYTES_MAX).collect().await else {
        return Ok(refusal(StatusCode::PAYLOAD_TOO_LARGE, "the body could not be read"));
    };
    let body = body.to_bytes();
    let told = match verify(shared, &head.headers, &body).and_then(|key| Told::read(key, &body)) {
        Ok(told) => told,
        Err(why) => return Ok(refusal(StatusCode::UNAUTHORIZED, &why)),
    };
    *shared.last.lock().unwrap_or_else(PoisonError::into_inner) = serde_json::from_slice(&body).unwrap_or_default();
    if told.kind == "connector.test" {
        // Somebody wants to know whether there is anybody: nothing is done.
        return Ok(json(StatusCode::OK, &serde_json::json!({})));
    }
    let trick = shared.tricks().pop_front();
    match &trick {
        Some(Trick::Refuse(status)) => return Ok(refusal(status_of(*status), "as it was asked to")),
        Some(Trick::RefuseFor(status, seconds)) => {
            let mut answer = refusal(status_of(*status), "as it was asked to");
            answer.headers_mut().insert(RETRY_AFTER, (*seconds).into());
            return Ok(answer);
        }
        Some(Trick::HangUp) => return Err(HungUp),
        _ => {}
    }
    let Ok((outcome, calls)) = shared.book().take(&told, &shared.options) else {
        return Ok(refusal(StatusCode::UNPROCESSABLE_ENTITY, "the key is known with another body"));
    };
    let thinks = if let Some(Trick::Think(time)) = &trick { *time } else { shared.options.delay };
    if !thinks.is_zero() {
        tokio::time::sleep(thinks).await;
    }
    let lost = shared.options.lose_every.is_some_and(|every| shared.book().stats().calls.is_multiple_of(every));
    match trick {
        Some(Trick::ActAndHangUp) => Err(HungUp),
        Some(Trick::ActAndSay(words)) => Ok(Response::new(Full::from(words))),
        _ if lost => Err(HungUp),
        _ if calls <= shared.options.later => Ok(json(StatusCode::ACCEPTED, &serde_json::json!({}))),
        _ => Ok(json(StatusCode::OK, &settled(&told.key, outcome, shared.options.answer.as_ref()))),
    }
}

fn settled(key: &str, outcome: Outcome, answer: Option<&serde_json::Value>) -> serde_json::Value {
    let reference = format!("prov_{}", key.get(..12).unwrap_or(key));
    let mut said = serde_json::json!({ "outcome": outcome, "reference": reference });
    if let Some(answer) = answer {
        said["answer"] = answer.clone();
    }
    said
}

/// The key of a request that is signed as it should be.
fn verify(shared: &Shared, headers: &HeaderMap, body: &[u8]) -> Result<String, String> {
    let header = |name: &str| {
        let value = headers.get(name).and_then(|value| value.to_str().ok());
        value.map(ToOwned::to_owned).ok_or_else(|| format!("the header {name} is missing"))
    };
    let (id, signatures) = (header("webhook-id")?, header("webhook-signature")?);
    let at: i64 = header("webhook-timestamp")?.parse().map_err(|_| "the timestamp is no number".to_owned())?;
    let now = shared.clock.now().unix_ms().div_euclid(1_000);
    if (now - at).abs() > TOLERANCE {
        return Err(format!("the timestamp is {} s off", now - at));
    }
    let expected = shared.webhook.sign(&id, at, body).map_err(|error| error.to_string())?;
    if !signatures.split(' ').any(|signature| signature == expected) {
        return Err("the signature is wrong".to_owned());
    }
    if header("idempotency-key")? != id {
        return Err("idempotency-key and webhook-id differ".to_owned());
    }
    Ok(id)
}

fn status_of(status: u16) -> StatusCode {
    StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

fn json(status: StatusCode, value: &impl serde::Serialize) -> Answer {
    let body = serde_json::to_vec(value).unwrap_or_default();
    let mut answer = Response::new(Full::from(body));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, hyper::header::HeaderValue::from_static("application/json"));
    answer
}

fn refusal(status: StatusCode, why: &str) -> Answer {
    json(status, &serde_json::json!({ "error": why }))
}
