//! The work that every open tenant has: its timers, its effects, and the deletion of old answers. New tenants are taken up within a
//! second. Beside it the host deletes old answers of its own.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redress_domain::ids::TenantId;
use tokio::task::JoinSet;

use super::sweep;
use super::tasks::Stop;
use super::timers::{self, Lag};
use crate::app::App;
use crate::clock::steady::Standing;
use crate::outbox::Outbox;

/// How often is looked for tenants that were made meanwhile.
const LOOKED_FOR_EVERY: Duration = Duration::from_secs(1);

/// The tenants whose work is done, and how far behind each is. Clones share everything.
#[derive(Debug, Clone, Default)]
pub(super) struct Tenants(Arc<Mutex<BTreeMap<TenantId, Lag>>>);

impl Tenants {
    /// How long the first of what is due has been due, in milliseconds, of each tenant.
    pub(super) fn lags(&self) -> Vec<i64> {
        self.all().values().map(Lag::millis).collect()
    }

    /// Do the work of every tenant, until the host stops; answers when all of it has ended.
    pub(super) async fn run(self, app: App, outbox: Outbox, standing: Standing, mut stop: Stop) {
        let mut work = JoinSet::new();
        if standing != Standing::Held {
            work.spawn(sweep::host(app.clone(), stop.clone()));
        }
        while !stop.is_told() {
            if standing != Standing::Held {
                self.take_up(&app, &outbox, &stop, &mut work);
            }
            tokio::select! {
                () = tokio::time::sleep(LOOKED_FOR_EVERY) => {}
                Some(ended) = work.join_next() => told(ended),
                () = stop.told() => {}
            }
        }
        while let Some(ended) = work.join_next().await {
            told(ended);
        }
    }

    fn take_up(&self, app: &App, outbox: &Outbox, stop: &Stop, work: &mut JoinSet<()>) {
        for engine in app.engines() {
            let mut all = self.all();
            if all.contains_key(&engine.record().id) {
                continue;
            }
            let lag = Lag::default();
            all.insert(engine.record().id, lag.clone());
            outbox.watch(&engine);
            work.spawn(timers::run(engine.clone(), lag, stop.clone()));
            work.spawn(sweep::tenant(engine, stop.clone()));
        }
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<TenantId, Lag>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A tenant's work ends when the host stops, and not before.
fn told(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended {
        tracing::error!("timers of a tenant stopped, a restart begins them again: {error}");
    }
}
