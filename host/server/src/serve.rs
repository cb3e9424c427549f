//! The running host: what is open is served, what waits for its time is done, until it is told to stop.
//!
//! ```text
//! open      the data folder, its time, its keys, every tenant
//! gate      the last decisions again, where another engine made them
//! start     heartbeat, timers and outbox of each tenant, then the door
//! serve     accept ─► pace ─► edge ─► router
//! stop      no new connections, requests in flight, timers, heartbeat, outbox; then the files close
//! ```

pub mod gate;
pub mod open;

mod accept;
mod body;
mod pace;

mod edge;
mod figures;
mod health;

mod heart;
mod sweep;
mod tasks;
mod tenants;
mod timers;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use redress_domain::codec::DecodeError;
use redress_domain::ids::Slug;
use redress_store::host::HostError;
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::task::{JoinError, JoinSet, spawn_blocking};

use accept::Door;
use edge::Edge;
use figures::{Figures, Sources};
use health::Health;
use heart::Heart;
use open::Opened;
use tasks::Stopper;
use tenants::Tenants;

use crate::config::Connections;
use crate::http::events::stream::Streams;
use crate::http::{State, service};
use crate::outbox::{self, Outbox};
use crate::publish::doors::Folders;
use crate::publish::watch::{self, Doors};
use crate::{app, keys};

/// How a host serves.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where it listens: a host and a port; port 0 is any that is free.
    pub listen: String,
    /// What clients may hold.
    pub connections: Connections,
    /// Where effects may go.
    pub outbox: outbox::Settings,
    /// Folders whose workflows and plugins are published when they change.
    pub folders: Folders,
}

/// Why a host does not serve.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The host.
    #[error(transparent)]
    App(#[from] app::Error),
    /// The keys.
    #[error(transparent)]
    Keys(#[from] keys::Error),
    /// The operator's first key could not be written where it belongs.
    #[error("{} could not be written", path.display())]
    KeyFile {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// What the host remembered of its time could not be read back.
    #[error("heartbeat could not be read back")]
    Heartbeat(#[from] DecodeError),
    /// The machine gives no threads or signals.
    #[error("host could not be started")]
    Machine(#[source] std::io::Error),
    /// A folder that is to be watched.
    #[error(transparent)]
    Doors(#[from] watch::Error),
    /// The outbox.
    #[error(transparent)]
    Outbox(#[from] outbox::Error),
    /// What was decided comes out otherwise on this engine.
    #[error("{different} of the last decisions of tenant {tenant} come out otherwise on this engine")]
    Decisions {
        /// The tenant.
        tenant: Slug,
        /// How many.
        different: u64,
    },
    /// The address is taken, or is not one of this machine.
    #[error("address {address:?} could not be listened on")]
    Listen {
        /// The address.
        address: String,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
}

impl From<HostError> for Error {
    fn from(error: HostError) -> Self {
        Self::App(error.into())
    }
}

impl Error {
    fn ended(error: JoinError) -> Self {
        Self::Machine(std::io::Error::other(error))
    }

    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::App(error) => error.code(),
            Self::Keys(_) => "keys_failed",
            Self::KeyFile { .. } => "key_file_not_written",
            Self::Heartbeat(_) => "record_damaged",
            Self::Doors(error) => error.code(),
            Self::Machine(_) | Self::Outbox(_) => "host_not_started",
            Self::Decisions { .. } => "decisions_differ",
            Self::Listen { .. } => "listen_failed",
        }
    }
}

/// A host that serves.
#[derive(Debug)]
pub struct Serving {
    address: SocketAddr,
    /// Clients that follow what happens: they would stay for ever.
    streams: Streams,
    /// Requests come in.
    door: (Stopper, JoinSet<()>),
    /// Work beside requests: it ends after them.
    beside: (Stopper, JoinSet<()>),
    /// What sends effects: it ends last.
    outbox: Outbox,
    /// What watches folders.
    doors: Doors,
}

impl Serving {
    /// Begin to serve what is open. When this answers, requests are answered.
    ///
    /// # Errors
    /// The address cannot be listened on.
    pub async fn start(opened: &Opened, settings: Settings) -> Result<Self, Error> {
        Self::with_routes(opened, settings, Router::new()).await
    }

    /// As `start`, with routes of somebody else's beside ours: they are under the same limits.
    ///
    /// # Errors
    /// As `start`.
    pub async fn with_routes(opened: &Opened, settings: Settings, more: Router) -> Result<Self, Error> {
        let failed = |source| Error::Listen { address: settings.listen.clone(), source };
        let listener = TcpListener::bind(&settings.listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let (watched, folders) = (opened.app.clone(), settings.folders);
        // Its first look publishes what changed while the host was down, before the first request is answered.
        let doors = spawn_blocking(move || Doors::start(&watched, folders)).await.map_err(Error::ended)??;
        let (door, beside) = (Stopper::new(), Stopper::new());
        let (heart, tenants, counts) = (Heart::new(), Tenants::default(), Arc::new(accept::Counts::default()));
        let Opened { app, clock, keys, .. } = opened;

        let mut work = JoinSet::new();
        work.spawn(heart.clone().run(app.clone(), clock.clone(), beside.listen()));
        // It watches no tenant yet: a tenant's effects leave when its timers run.
        let outbox = Outbox::new(app.host().key(), &Handle::current(), settings.outbox, app.limits().outbox.clone())?;
        work.spawn(tenants.clone().run(app.clone(), outbox.clone(), clock.read().standing, beside.listen()));

        let figures = Figures::new(Sources {
            app: app.clone(),
            clock: clock.clone(),
            tenants,
            connections: counts.clone(),
            named: Default::default(),
        });
        let api = State::new(app.clone(), keys.clone()).sending(outbox.settings().clone());
        let health = Health {
            app: app.clone(),
            api: api.clone(),
            clock: clock.clone(),
            heart,
            figures: figures.clone(),
            stop: door.listen(),
        };
        let routes = service::routes(&api).merge(health::routes(health)).merge(more);
        let streams = api.streams.clone();
        let router = service::identified(&api, Edge::new(settings.connections, figures).around(routes));
        let mut listening = JoinSet::new();
        listening.spawn(Door { listener, router, limits: settings.connections, counts }.serve(door.listen()));
        Ok(Self { address, streams, door: (door, listening), beside: (beside, work), outbox, doors })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Come to an end: take no more connections, answer what was asked, then end the work beside it.
    pub async fn stop(self) {
        self.streams.stop();
        for (stopper, mut tasks) in [self.door, self.beside] {
            stopper.stop();
            while let Some(ended) = tasks.join_next().await {
                if let Err(error) = ended {
                    tracing::error!("a part of the host ended before its time: {error}");
                }
            }
        }
        if spawn_blocking(move || self.doors.stop()).await.is_err() {
            tracing::error!("what watches folders ended before its time");
        }
        self.outbox.stop().await;
    }
}
