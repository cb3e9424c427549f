//! A connection's pace: how long each side may take. Whoever is slower gives its place to others.
//!
//! ```text
//! Waiting ──first byte──► Head ──request complete──► Busy ──answer written──► Waiting
//!  75 s                   10 s                        handler's own limits     75 s
//! ```
//!
//! While an answer is written, a reader that takes nothing for 30 seconds is gone.

use std::future::Future as _;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

use crate::config::Connections;

/// What is read and thrown away of a body that was refused, so that its sender gets to read why.
const DRAINED_MAX: usize = 16 << 20;
/// For how long.
const DRAINED_FOR: Duration = Duration::from_secs(2);
/// A deadline that is never reached.
const FAR: Duration = Duration::from_secs(365 * 86_400);

/// Where a connection stands in its conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// For the first byte of a request.
    Waiting,
    /// For the end of its head.
    Head,
    /// For the handler, or for the client to take the answer.
    Busy,
}

/// The phase of one connection, shared with those who answer its requests.
#[derive(Debug, Clone)]
pub(super) struct Conversation(Arc<Mutex<(Phase, Instant)>>);

impl Conversation {
    pub(super) fn new(limits: &Connections) -> Self {
        Self(Arc::new(Mutex::new((Phase::Waiting, Instant::now() + limits.idle))))
    }

    /// A request is complete; its answer is made until the guard is dropped.
    pub(super) fn begin(&self, idle: Duration) -> Turn {
        *self.lock() = (Phase::Busy, Instant::now() + FAR);
        Turn { conversation: self.clone(), idle }
    }

    /// Whether a request is being answered.
    pub(super) fn is_busy(&self) -> bool {
        self.lock().0 == Phase::Busy
    }

    fn lock(&self) -> MutexGuard<'_, (Phase, Instant)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One request and its answer. Dropped when the answer was handed over whole.
#[derive(Debug)]
pub(super) struct Turn {
    conversation: Conversation,
    idle: Duration,
}

impl Drop for Turn {
    fn drop(&mut self) {
        *self.conversation.lock() = (Phase::Waiting, Instant::now() + self.idle);
    }
}

/// A stream that ends when its other side keeps it waiting for too long.
pub(super) struct Paced<S> {
    stream: S,
    conversation: Conversation,
    limits: Connections,
    /// Wakes the reading side.
    read: Pin<Box<Sleep>>,
    /// Wakes the writing side; running while the other side takes nothing.
    write: Pin<Box<Sleep>>,
    stalled: bool,
    /// How much was thrown away since the writing side was shut.
    drained: Option<usize>,
}

impl<S> Paced<S> {
    pub(super) fn new(stream: S, conversation: Conversation, limits: Connections) -> Self {
        let far = || Box::pin(sleep_until(Instant::now() + FAR));
        Self { stream, conversation, limits, read: far(), write: far(), stalled: false, drained: None }
    }

    /// Whether the client has kept us waiting for too long.
    fn is_late(&mut self, cx: &mut Context<'_>) -> bool {
        let deadline = self.conversation.lock().1;
        if self.read.deadline() != deadline {
            self.read.as_mut().reset(deadline);
        }
        self.read.as_mut().poll(cx).is_ready()
    }

    /// The first byte of a request begins the time of its head.
    fn heard(&self) {
        let mut state = self.conversation.lock();
        if state.0 == Phase::Waiting {
            *state = (Phase::Head, Instant::now() + self.limits.head);
        }
    }

    /// Progress of the writing side, or how long it may stand still.
    fn wrote<T>(&mut self, cx: &mut Context<'_>, wrote: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if wrote.is_ready() {
            self.stalled = false;
            return wrote;
        }
        if !self.stalled {
            self.stalled = true;
            self.write.as_mut().reset(Instant::now() + self.limits.stall);
        }
        ready!(self.write.as_mut().poll(cx));
        Poll::Ready(Err(late("answer was not taken in time")))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Paced<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        match Pin::new(&mut self.stream).poll_read(cx, buf) {
            Poll::Ready(result) => {
                if buf.filled().len() > before {
                    self.heard();
                }
                Poll::Ready(result)
            }
            Poll::Pending if self.is_late(cx) => Poll::Ready(Err(late("request did not come in time"))),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Paced<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let wrote = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.wrote(cx, wrote)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let wrote = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.wrote(cx, wrote)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(cx);
        self.wrote(cx, flushed)
    }

    /// Closing at once would cut off a client that still sends: it would never read why its body was refused.
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.drained.is_none() {
            ready!(Pin::new(&mut self.stream).poll_shutdown(cx))?;
            self.drained = Some(0);
            self.write.as_mut().reset(Instant::now() + DRAINED_FOR);
        }
        let mut scratch = [0; 8_192];
        while self.drained.is_some_and(|drained| drained < DRAINED_MAX) {
            let mut buf = ReadBuf::new(&mut scratch);
            match Pin::new(&mut self.stream).poll_read(cx, &mut buf) {
                Poll::Ready(Ok(())) if !buf.filled().is_empty() => {
                    self.drained = self.drained.map(|drained| drained + buf.filled().len());
                }
                Poll::Ready(_) => break,
                Poll::Pending => {
                    ready!(self.write.as_mut().poll(cx));
                    break;
                }
            }
        }
        Poll::Ready(Ok(()))
    }
}

fn late(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, what)
}
