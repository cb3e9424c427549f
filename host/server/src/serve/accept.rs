//! The accept loop: HTTP/1.1 over TCP, with a limit on everything that a client can hold.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};
use tower::ServiceExt as _;

use super::body::{Answering, Arriving};
use super::pace::{Conversation, Paced};
use super::tasks::Stop;
use crate::config::Connections;

/// Said to those who come when there is no place left. Short enough for any socket's buffer.
const NO_PLACE: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\n\
    content-type: application/problem+json\r\nretry-after: 1\r\nconnection: close\r\ncontent-length: 148\r\n\r\n\
    {\"type\":\"/errors/overloaded\",\"title\":\"Too much is waiting\",\"status\":503,\
    \"detail\":\"the host has no place for another connection\",\"code\":\"overloaded\"}";
/// Connections that are told so at the same time; those beyond are closed without a word.
const TOLD_MAX: usize = 64;
/// How long one of them may take to listen.
const TOLD_FOR: Duration = Duration::from_secs(1);
/// When the system gives no connection, as when file handles have run out.
const REFUSED_PAUSE: Duration = Duration::from_millis(100);

/// What the accept loop counts.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) open: AtomicUsize,
    pub(super) accepted: AtomicU64,
    pub(super) refused: AtomicU64,
}

/// The door that clients come through.
pub(super) struct Door {
    pub(super) listener: TcpListener,
    pub(super) router: Router,
    pub(super) limits: Connections,
    pub(super) counts: Arc<Counts>,
}

impl Door {
    /// Serve until told to stop; then answer what was asked, for as long as that is allowed to take.
    pub(super) async fn serve(self, mut stop: Stop) {
        let places = Arc::new(Semaphore::new(self.limits.open_max));
        let told = Arc::new(Semaphore::new(TOLD_MAX));
        let mut connections = JoinSet::new();
        let stopping = stop.clone();
        loop {
            tokio::select! {
                accepted = self.listener.accept() => match accepted {
                    Ok((stream, peer)) => match places.clone().try_acquire_owned() {
                        Ok(place) => {
                            connections.spawn(self.connection(stream, peer, place, stopping.clone()));
                        }
                        Err(_) => self.turn_away(stream, &told, &mut connections),
                    },
                    Err(error) => not_accepted(&error).await,
                },
                // Those that have ended leave no trace behind.
                Some(_) = connections.join_next() => {}
                () = stop.told() => break,
            }
        }
        drop(self.listener);
        let ended = async { while connections.join_next().await.is_some() {} };
        if timeout(self.limits.drain, ended).await.is_err() {
            tracing::warn!(connections = connections.len(), "requests were cut off: they took too long to finish");
        }
        connections.shutdown().await;
    }

    /// One connection, from its first request to its last.
    fn connection(
        &self,
        stream: TcpStream,
        peer: SocketAddr,
        place: OwnedSemaphorePermit,
        mut stop: Stop,
    ) -> impl Future<Output = ()> + Send + 'static {
        let (router, limits) = (self.router.clone(), self.limits);
        let open = Open::one(&self.counts, place);
        async move {
            let _open = open;
            // Answers are small and complete: waiting for more to send would only delay them.
            stream.set_nodelay(true).ok();
            let conversation = Conversation::new(&limits);
            let paced = TokioIo::new(Paced::new(stream, conversation.clone(), limits));
            let talk = conversation.clone();
            let service = service_fn(move |request| answer(router.clone(), request, peer, talk.clone(), limits));
            let connection = builder(&limits).serve_connection(paced, service);
            tokio::pin!(connection);
            let ended = tokio::select! {
                ended = connection.as_mut() => ended,
                () = stop.told() => {
                    if !conversation.is_busy() {
                        return;
                    }
                    connection.as_mut().graceful_shutdown();
                    connection.await
                }
            };
            if let Err(error) = ended {
                tracing::debug!("connection ended: {error}");
            }
        }
    }

    fn turn_away(&self, stream: TcpStream, told: &Arc<Semaphore>, connections: &mut JoinSet<()>) {
        self.counts.refused.fetch_add(1, Ordering::Relaxed);
        let Ok(telling) = told.clone().try_acquire_owned() else { return };
        connections.spawn(async move {
            let _telling = telling;
            timeout(TOLD_FOR, tell_no_place(stream)).await.ok();
        });
    }
}

/// A connection that is open, as long as this lives.
struct Open {
    counts: Arc<Counts>,
    _place: OwnedSemaphorePermit,
}

impl Open {
    fn one(counts: &Arc<Counts>, place: OwnedSemaphorePermit) -> Self {
        counts.open.fetch_add(1, Ordering::Relaxed);
        counts.accepted.fetch_add(1, Ordering::Relaxed);
        Self { counts: counts.clone(), _place: place }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.counts.open.fetch_sub(1, Ordering::Relaxed);
    }
}

fn builder(limits: &Connections) -> http1::Builder {
    let mut builder = http1::Builder::new();
    // The pace of the connection is kept below HTTP, where waiting for a request and reading its head can be told apart.
    builder.timer(TokioTimer::new()).header_read_timeout(None).max_buf_size(limits.head_bytes_max);
    builder
}

/// Hand a request to the router. Its body has a deadline, and the connection is busy until the answer was handed over.
async fn answer(
    router: Router,
    request: Request<Incoming>,
    peer: SocketAddr,
    conversation: Conversation,
    limits: Connections,
) -> Result<Response, Infallible> {
    let turn = conversation.begin(limits.idle);
    let arrived_by = Instant::now() + limits.body;
    let mut request = request.map(|body| Body::new(Arriving::until(arrived_by, body)));
    request.extensions_mut().insert(ConnectInfo(peer));
    let response = router.oneshot(request).await?;
    Ok(response.map(|body| Body::new(Answering::new(body, turn))))
}

async fn tell_no_place(mut stream: TcpStream) -> io::Result<()> {
    stream.write_all(NO_PLACE).await?;
    stream.shutdown().await?;
    // What was asked is read, or the answer would be lost with it.
    let mut scratch = [0; 1_024];
    while stream.read(&mut scratch).await? > 0 {}
    Ok(())
}

/// A connection that was given up before it was taken is nobody's matter; anything else is the machine's.
async fn not_accepted(error: &io::Error) {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset};
    if matches!(error.kind(), ConnectionAborted | ConnectionReset) {
        return;
    }
    tracing::error!("connection could not be taken: {error}");
    tokio::time::sleep(REFUSED_PAUSE).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_who_find_no_place_are_told_in_whole_sentences() {
        let text = std::str::from_utf8(NO_PLACE).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("content-length: {}\r\n", body.len()).trim_end().to_owned()), "{}", body.len());
        assert_eq!(serde_json::from_str::<serde_json::Value>(body).unwrap()["code"], "overloaded");
    }
}
