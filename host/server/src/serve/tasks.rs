//! Work of the host that runs beside requests: when it is to end, and blocking calls on threads of their own.

use tokio::sync::watch;

use crate::engine::{Engine, Error};

/// Tells everybody to come to an end.
#[derive(Debug)]
pub(super) struct Stopper(watch::Sender<bool>);

/// Whether to come to an end.
#[derive(Debug, Clone)]
pub(super) struct Stop(watch::Receiver<bool>);

impl Stopper {
    pub(super) fn new() -> Self {
        Self(watch::Sender::new(false))
    }

    pub(super) fn listen(&self) -> Stop {
        Stop(self.0.subscribe())
    }

    pub(super) fn stop(&self) {
        self.0.send_replace(true);
    }
}

impl Stop {
    /// Wait until told.
    pub(super) async fn told(&mut self) {
        // Where nobody is left to tell, it is the end as well.
        self.0.wait_for(|stop| *stop).await.ok();
    }

    pub(super) fn is_told(&self) -> bool {
        *self.0.borrow()
    }
}

/// Call what reads or writes files on a thread where waiting harms nobody.
pub(super) async fn blocking<T: Send + 'static>(
    engine: &Engine,
    work: impl FnOnce(&Engine) -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    let engine = engine.clone();
    let done = tokio::task::spawn_blocking(move || work(&engine)).await;
    done.unwrap_or_else(|panic| {
        tracing::error!("work beside the requests failed inside: {panic}");
        Err(Error::Internal)
    })
}
