//! The outbox: effects that were committed leave here, and come back as the command that settles them.
//!
//! ```text
//! work item ─► claim ─► `started` in the log ─► request ─► answer ─► settle + log + end of the item, one commit
//!                          one commit                         └────► log + next try, one commit
//! ```
//!
//! Whatever dies on the way, what is left says what to do: an item whose attempt has no end is sent again under the same key, or
//! becomes a person's where the receiver does not know keys.

pub mod bench;
pub mod connectors;
mod courier;
pub mod delivery;
mod gates;
pub mod guard;
pub(crate) mod mail;
mod plan;
pub mod probe;
pub mod reply;
mod rules;
pub mod secret;
mod waiting;
mod webhook;
mod words;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use redress_domain::ids::TenantId;
use redress_store::host_key::HostKey;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::app::App;
use crate::config;
use crate::engine::{self, Engine};
use courier::Courier;
use guard::Allowed;

/// What the operator allows beyond what is safe for everybody.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Hosts that requests may go to whatever their address, also without TLS: providers in development, systems of the intranet.
    pub allowed: Vec<Allowed>,
    /// Connectors for demonstration and development: money that is paid in name only, mails that become files.
    pub allow_simulated: bool,
}

/// Why the outbox could not do its work.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The client for requests.
    #[error("client for webhooks could not be made")]
    Http(#[source] reqwest::Error),
    /// The engine or the store.
    #[error("outbox could not read or record what it sends")]
    Engine(#[from] engine::Error),
    /// A task of the runtime ended before its time.
    #[error("outbox was stopped")]
    Stopped,
}

/// The sender of all tenants. Clones share everything.
#[derive(Clone)]
pub struct Outbox(Arc<Inner>);

struct Inner {
    courier: Arc<Courier>,
    runtime: Handle,
    stopping: watch::Sender<bool>,
    loops: Mutex<BTreeMap<TenantId, JoinHandle<()>>>,
}

/// Send the effects of every tenant that is open. Tenants that are opened later are watched from `Outbox::watch` on.
///
/// # Errors
/// The machine has no certificates to trust.
pub fn start(app: &App, runtime: &Handle, settings: Settings) -> Result<Outbox, Error> {
    let outbox = Outbox::new(app.host().key(), runtime, settings, app.limits().outbox.clone())?;
    for engine in app.engines() {
        outbox.watch(&engine);
    }
    Ok(outbox)
}

impl Outbox {
    /// An outbox that sends nothing by itself yet.
    ///
    /// # Errors
    /// The machine has no certificates to trust.
    pub fn new(key: &HostKey, runtime: &Handle, settings: Settings, limits: config::Outbox) -> Result<Self, Error> {
        Ok(Self(Arc::new(Inner {
            courier: Arc::new(Courier::new(key, settings, limits)?),
            runtime: runtime.clone(),
            stopping: watch::Sender::new(false),
            loops: Mutex::default(),
        })))
    }

    /// Send the effects of a tenant from now on; once is enough.
    pub fn watch(&self, engine: &Engine) {
        let mut loops = self.0.loops.lock().unwrap_or_else(PoisonError::into_inner);
        if *self.0.stopping.borrow() {
            return;
        }
        loops.entry(engine.record().id).or_insert_with(|| {
            let (courier, engine, stopping) = (self.0.courier.clone(), engine.clone(), self.0.stopping.subscribe());
            self.0.runtime.spawn(async move { courier.watch(engine, stopping).await })
        });
    }

    /// Send everything of a tenant that is due, and answer how many effects were taken up.
    ///
    /// # Errors
    /// The store failed.
    pub async fn pass(&self, engine: &Engine) -> Result<usize, Error> {
        self.0.courier.pass(engine).await
    }

    /// What the operator allows.
    pub fn settings(&self) -> &Settings {
        self.0.courier.settings()
    }

    /// Take up nothing more, and wait for what is under way as long as the limits say. What is abandoned then is sent again
    /// after the next start.
    pub async fn stop(&self) {
        self.0.stopping.send_replace(true);
        let loops = std::mem::take(&mut *self.0.loops.lock().unwrap_or_else(PoisonError::into_inner));
        for (tenant, task) in loops {
            if task.await.is_err() {
                tracing::error!(tenant.id = %tenant, "the outbox of a tenant had ended before its time");
            }
        }
    }
}

impl std::fmt::Debug for Outbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Outbox")
    }
}
