//! Bodies on their way through the edge: a request's must arrive in time, an answer's end is the end of its turn.

use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};
use std::future::Future as _;
use tokio::time::{Instant, Sleep, sleep_until};

use super::pace::Turn;

/// Why a body is not complete.
#[derive(Debug, thiserror::Error)]
#[error("body did not arrive in time")]
struct Late;

/// The body of a request, until a deadline.
pub(super) struct Arriving<B> {
    body: B,
    deadline: Pin<Box<Sleep>>,
}

impl<B> Arriving<B> {
    pub(super) fn until(deadline: Instant, body: B) -> Self {
        Self { body, deadline: Box::pin(sleep_until(deadline)) }
    }
}

impl<B: HttpBody<Data = Bytes> + Unpin> HttpBody for Arriving<B>
where
    B::Error: Into<axum::BoxError>,
{
    type Data = Bytes;
    type Error = axum::BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        match Pin::new(&mut self.body).poll_frame(cx) {
            Poll::Ready(frame) => Poll::Ready(frame.map(|frame| frame.map_err(Into::into))),
            Poll::Pending if self.deadline.as_mut().poll(cx).is_ready() => Poll::Ready(Some(Err(Late.into()))),
            Poll::Pending => Poll::Pending,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The body of an answer. While it lives the connection is busy.
pub(super) struct Answering {
    body: Body,
    _turn: Turn,
}

impl Answering {
    pub(super) fn new(body: Body, turn: Turn) -> Self {
        Self { body, _turn: turn }
    }
}

impl HttpBody for Answering {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
