//! The heartbeat: what the host remembers of its time, and the proof that its folder can be written.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use redress_domain::codec;
use redress_store::host::{Host, HostError};

use super::tasks::Stop;
use crate::app::App;
use crate::clock::steady::{Heartbeat, SteadyClock};

/// The setting of the host.
const SETTING: &str = "heartbeat";
/// The machine's clock is looked at so often, asked for or not: a jump is told when it happens.
const LOOKED_AT_EVERY: Duration = Duration::from_secs(1);
/// A heartbeat is written after so many looks: once a minute.
const WRITTEN_EVERY: u32 = 60;

/// Whether the last heartbeat could be written. Clones share it.
#[derive(Debug, Clone)]
pub(super) struct Heart(Arc<AtomicBool>);

impl Heart {
    pub(super) fn new() -> Self {
        Self(Arc::new(AtomicBool::new(true)))
    }

    pub(super) fn beats(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Beat until the host stops, and once more then.
    pub(super) async fn run(self, app: App, clock: Arc<SteadyClock>, mut stop: Stop) {
        let (mut looks, mut standing) = (0, clock.read().standing);
        loop {
            if looks % WRITTEN_EVERY == 0 {
                self.beat(&app, &clock).await;
            }
            looks = looks.wrapping_add(1);
            tokio::select! {
                () = tokio::time::sleep(LOOKED_AT_EVERY) => {}
                () = stop.told() => break,
            }
            let stands = clock.read().standing;
            if std::mem::replace(&mut standing, stands) != stands {
                // A host that dies now must still know at its next start which clock it did not believe.
                looks = 0;
            }
        }
        self.beat(&app, &clock).await;
    }

    async fn beat(&self, app: &App, clock: &Arc<SteadyClock>) {
        let (app, clock) = (app.clone(), clock.clone());
        let written = tokio::task::spawn_blocking(move || write(app.host(), clock.heartbeat())).await;
        let failed = match written {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(error.to_string()),
            Err(panic) => Some(panic.to_string()),
        };
        if let Some(error) = &failed {
            tracing::error!("heartbeat could not be written, the data folder takes no writes: {error}");
        }
        self.0.store(failed.is_none(), Ordering::Relaxed);
    }
}

fn write(host: &Host, heartbeat: Heartbeat) -> Result<(), HostError> {
    host.put_setting(SETTING, &codec::encode(&heartbeat))
}

/// What the host remembered when it last ran.
pub(super) fn read(host: &Host) -> Result<Option<Heartbeat>, super::Error> {
    let kept = host.setting(SETTING)?;
    Ok(kept.map(|bytes| codec::decode(&bytes)).transpose()?)
}
