//! A host put together: data folder, sandbox, workers, and the engines of its tenants. Built once.

use std::path::Path;
use std::sync::Arc;

use redress_domain::codec;
use redress_domain::ids::Slug;
use redress_sandbox::{Sandbox, cache};
use redress_store::error::OpenError;
use redress_store::host::{Host, HostError, Tenant};
use redress_store::tenant::Config;

use crate::clock::{Clock, random_bytes};
use crate::config::Limits;
use crate::engine::tenant::TenantRecord;
use crate::engine::workers::Workers;
use crate::engine::{self, Engine, Parts};
use crate::publish::{self, plugins, workflows};

/// A host on a data folder.
pub struct App {
    host: Host,
    sandbox: Sandbox,
    workers: Workers,
    clock: Arc<dyn Clock>,
    limits: Limits,
}

/// Why a host could not start or a tenant not be opened.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The data folder.
    #[error("data folder could not be opened")]
    Host(#[from] HostError),
    /// The sandbox.
    #[error("sandbox could not be started")]
    Sandbox(#[source] redress_sandbox::Error),
    /// The threads.
    #[error("worker threads could not be started")]
    Workers(#[source] std::io::Error),
    /// The plugins that are shipped with the binary.
    #[error("stock plugins could not be loaded")]
    Stock(#[source] Box<publish::Error>),
    /// The name is taken.
    #[error("tenant {0:?} exists already")]
    TenantExists(String),
    /// No tenant of this name.
    #[error("tenant {0:?} does not exist")]
    NoTenant(String),
    /// The tenant's engine.
    #[error("engine of the tenant could not be started")]
    Engine(#[from] engine::Error),
}

impl Error {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Host(HostError::Open(OpenError::DataInUse { .. })) => "data_in_use",
            Self::Host(HostError::Open(OpenError::Missing { .. })) => "data_not_found",
            Self::Host(_) => "data_not_opened",
            Self::Sandbox(_) | Self::Workers(_) | Self::Stock(_) => "host_not_started",
            Self::TenantExists(_) => "tenant_exists",
            Self::NoTenant(_) => "tenant_not_found",
            Self::Engine(error) => error.code(),
        }
    }
}

impl App {
    /// Open a data folder, or make one.
    ///
    /// # Errors
    /// Another process uses the folder, or the machine does not give what a host needs.
    pub fn open(folder: &Path, clock: Arc<dyn Clock>, limits: Limits) -> Result<Self, Error> {
        Self::on(Host::open_or_create(folder, random_bytes())?, clock, limits)
    }

    /// Open a data folder that is there.
    ///
    /// # Errors
    /// There is none, another process uses it, or the machine does not give what a host needs.
    pub fn open_existing(folder: &Path, clock: Arc<dyn Clock>, limits: Limits) -> Result<Self, Error> {
        Self::on(Host::open(folder)?, clock, limits)
    }

    fn on(host: Host, clock: Arc<dyn Clock>, limits: Limits) -> Result<Self, Error> {
        let cache = cache::Config { dir: host.artifact_folder(), key: *host.key().bytes() };
        let config = redress_sandbox::Config { cache: Some(cache), limits: sandbox_limits(&limits) };
        let sandbox = Sandbox::new(config).map_err(Error::Sandbox)?;
        Self::assemble(host, sandbox, clock, limits)
    }

    /// Open a data folder with a sandbox that other hosts of this process use too.
    ///
    /// # Errors
    /// As `open`.
    pub fn with_sandbox(folder: &Path, sandbox: Sandbox, clock: Arc<dyn Clock>, limits: Limits) -> Result<Self, Error> {
        Self::assemble(Host::open_or_create(folder, random_bytes())?, sandbox, clock, limits)
    }

    fn assemble(host: Host, sandbox: Sandbox, clock: Arc<dyn Clock>, limits: Limits) -> Result<Self, Error> {
        let stock = plugins::load_stock(&sandbox).and_then(|()| plugins::keep_stock(&host.objects()));
        stock.map_err(|error| Error::Stock(Box::new(error)))?;
        let workers = Workers::start(limits.turn_workers, limits.tenant_turns_queued_max).map_err(Error::Workers)?;
        Ok(Self { host, sandbox, workers, clock, limits })
    }

    /// The data folder.
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// Where plugins run.
    pub fn sandbox(&self) -> &Sandbox {
        &self.sandbox
    }

    /// Time and randomness.
    pub fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    /// Make a tenant and start its engine.
    ///
    /// # Errors
    /// The name is taken, or the file could not be made.
    pub fn create_tenant(&self, record: TenantRecord) -> Result<Engine, Error> {
        let tenant = Tenant { id: record.id, slug: record.slug.clone(), record: codec::encode(&record) };
        let store = self.host.create_tenant(&tenant, self.store_config()).map_err(|error| match error {
            HostError::SlugTaken { slug } => Error::TenantExists(slug.to_string()),
            other => Error::Host(other),
        })?;
        self.start(record, store)
    }

    /// All tenants, by name.
    ///
    /// # Errors
    /// The system file cannot be read.
    pub fn tenants(&self) -> Result<Vec<TenantRecord>, Error> {
        self.host.tenants()?.iter().map(record).collect()
    }

    /// Start the engine of a tenant, with its workflows and plugins. A tenant's engine is started once and then cloned: a second
    /// one would find the file in use. What is due waits for `Engine::run_due`.
    ///
    /// # Errors
    /// There is no such tenant, or its file cannot be read.
    pub fn engine(&self, slug: &str) -> Result<Engine, Error> {
        let missing = || Error::NoTenant(slug.to_owned());
        let name = Slug::new(slug).map_err(|_| missing())?;
        let tenant = self.host.tenant(&name)?.ok_or_else(missing)?;
        let store = self.host.open_tenant(tenant.id, self.store_config())?;
        self.start(record(&tenant)?, store)
    }

    fn start(&self, record: TenantRecord, store: redress_store::tenant::TenantStore) -> Result<Engine, Error> {
        let engine = Engine::start(Parts {
            record,
            store,
            sandbox: self.sandbox.clone(),
            registry: Default::default(),
            clock: self.clock.clone(),
            limits: self.limits.clone(),
            workers: self.workers.clone(),
        })?;
        workflows::restore(&engine, &self.host.objects())?;
        Ok(engine)
    }

    fn store_config(&self) -> Config {
        Config { cache_bytes: self.limits.tenant_cache_bytes }
    }
}

/// The sandbox has room for a call of every worker: a case must not fail because another one runs.
fn sandbox_limits(limits: &Limits) -> redress_sandbox::Limits {
    let usual = redress_sandbox::Limits::default();
    let workers = u32::try_from(limits.turn_workers).unwrap_or(u32::MAX);
    redress_sandbox::Limits { calls_at_once_max: usual.calls_at_once_max.max(workers), ..usual }
}

fn record(tenant: &Tenant) -> Result<TenantRecord, Error> {
    Ok(codec::decode(&tenant.record).map_err(engine::Error::damaged("tenant record"))?)
}
