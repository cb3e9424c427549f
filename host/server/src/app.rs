//! A host put together: data folder, sandbox, workers, and the engines of its tenants. Built once.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use redress_domain::codec;
use redress_domain::ids::{Digest, Slug, TenantId};
use redress_sandbox::{Library, PluginInfo, Sandbox, cache};
use redress_store::error::OpenError;
use redress_store::host::{Host, HostError, Setting, Tenant};
use redress_store::objects::{ObjectError, Objects};
use redress_store::tenant::Config;

use crate::clock::{Clock, random_bytes};
use crate::config::Limits;
use crate::engine::tenant::TenantRecord;
use crate::engine::workers::Workers;
use crate::engine::{self, Engine, Parts};
use crate::publish::doors::Memory;
use crate::publish::{self, plugins, workflows};

/// A host on a data folder. Clones share everything.
#[derive(Clone)]
pub struct App(Arc<Inner>);

struct Inner {
    host: Host,
    sandbox: Sandbox,
    /// Loaded as long as the host runs.
    _stock: Vec<Arc<PluginInfo>>,
    workers: Workers,
    clock: Arc<dyn Clock>,
    limits: Limits,
    /// What the watched folders held when they were looked at last.
    doors: Memory,
    /// The tenants that are open: each file is opened once.
    engines: Mutex<BTreeMap<Slug, Engine>>,
    /// The tenants that could not be opened, each with the code of the reason: they are not tried again and again.
    not_opened: Mutex<BTreeMap<Slug, &'static str>>,
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
    /// The tenant could not be opened when that was tried.
    #[error("tenant {tenant:?} could not be opened [{reason}], the host is restarted to try again")]
    NotOpened {
        /// The tenant.
        tenant: String,
        /// The code of what failed then.
        reason: &'static str,
    },
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
            Self::NotOpened { .. } => "tenant_not_opened",
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

    /// Start a host on an open data folder.
    ///
    /// # Errors
    /// The machine does not give what a host needs.
    pub fn on(host: Host, clock: Arc<dyn Clock>, limits: Limits) -> Result<Self, Error> {
        let cache = cache::Config { dir: host.artifact_folder(), key: *host.key().bytes() };
        let compiler = limits.plugin_compiler.clone();
        let [compiled, interpreter_limits] = sandbox_limits(&limits);
        let wall = limits.plugin_wall.clone();
        let config = redress_sandbox::Config {
            limits: compiled,
            interpreter_limits,
            cache: Some(cache),
            compiler,
            wall,
            ..redress_sandbox::Config::default()
        };
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
        let sandbox = sandbox.with_library(library(host.objects()));
        let stock = plugins::keep_stock(&host.objects()).and_then(|()| plugins::hold_stock(&sandbox));
        let stock = stock.map_err(|error| Error::Stock(Box::new(error)))?;
        let workers = Workers::start(limits.turn_workers, limits.tenant_turns_queued_max, limits.plugin_rate)
            .map_err(Error::Workers)?;
        Ok(Self(Arc::new(Inner {
            host,
            sandbox,
            _stock: stock,
            workers,
            clock,
            limits,
            doors: Memory::default(),
            engines: Mutex::default(),
            not_opened: Mutex::default(),
        })))
    }

    /// The data folder.
    pub fn host(&self) -> &Host {
        &self.0.host
    }

    /// Where plugins run.
    pub fn sandbox(&self) -> &Sandbox {
        &self.0.sandbox
    }

    /// Time and randomness.
    pub fn clock(&self) -> &dyn Clock {
        &*self.0.clock
    }

    /// The threads that run turns.
    pub fn workers(&self) -> &Workers {
        &self.0.workers
    }

    /// What the host allows itself and its tenants.
    pub fn limits(&self) -> &Limits {
        &self.0.limits
    }

    /// What the watched folders held when they were looked at last.
    pub(crate) fn doors(&self) -> &Memory {
        &self.0.doors
    }

    /// Make a tenant and start its engine.
    ///
    /// # Errors
    /// The name is taken, or the file could not be made.
    pub fn create_tenant(&self, record: TenantRecord) -> Result<Engine, Error> {
        self.create_tenant_beside(record, None)
    }

    /// Make a tenant and start its engine, and write a setting with it, or neither.
    ///
    /// # Errors
    /// The name is taken, or the file could not be made.
    pub fn create_tenant_beside(&self, record: TenantRecord, beside: Option<&Setting>) -> Result<Engine, Error> {
        let mut engines = self.engines_open();
        let tenant = Tenant { id: record.id, slug: record.slug.clone(), record: codec::encode(&record) };
        let store = self.0.host.create_tenant(&tenant, self.store_config(), beside).map_err(|error| match error {
            HostError::SlugTaken { slug } => Error::TenantExists(slug.to_string()),
            other => Error::Host(other),
        })?;
        let slug = record.slug.clone();
        let engine = self.start(record, store)?;
        engines.insert(slug, engine.clone());
        Ok(engine)
    }

    /// All tenants, by name.
    ///
    /// # Errors
    /// The system file cannot be read.
    pub fn tenants(&self) -> Result<Vec<TenantRecord>, Error> {
        self.0.host.tenants()?.iter().map(record).collect()
    }

    /// The engine of a tenant, with its workflows and plugins; started when it is first asked for. What is due waits for
    /// `Engine::run_due`.
    ///
    /// # Errors
    /// There is no such tenant, or its file cannot be read.
    pub fn engine(&self, slug: &str) -> Result<Engine, Error> {
        let missing = || Error::NoTenant(slug.to_owned());
        let name = Slug::new(slug).map_err(|_| missing())?;
        // Held while the file is opened: a second opening would find it in use.
        let mut engines = self.engines_open();
        if let Some(engine) = engines.get(&name) {
            return Ok(engine.clone());
        }
        if let Some(reason) = self.failures().get(&name).copied() {
            return Err(Error::NotOpened { tenant: slug.to_owned(), reason });
        }
        let tenant = self.0.host.tenant(&name)?.ok_or_else(missing)?;
        let engine = self.open_engine(&tenant).inspect_err(|error| self.failed(&name, error))?;
        engines.insert(name, engine.clone());
        Ok(engine)
    }

    /// The tenants that could not be opened, each with the code of the reason.
    pub fn not_opened(&self) -> BTreeMap<Slug, &'static str> {
        self.failures().clone()
    }

    /// A file that is in use may be free a moment later; what else is wrong stays so until somebody mends it.
    fn failed(&self, name: &Slug, error: &Error) {
        if !matches!(error, Error::Host(HostError::Open(OpenError::DataInUse { .. }))) {
            self.failures().insert(name.clone(), error.code());
        }
    }

    fn failures(&self) -> MutexGuard<'_, BTreeMap<Slug, &'static str>> {
        self.0.not_opened.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open_engine(&self, tenant: &Tenant) -> Result<Engine, Error> {
        let open = || {
            let store = self.0.host.open_tenant(tenant.id, self.store_config())?;
            self.start(record(tenant)?, store)
        };
        // A file that is damaged where nobody looks for damage must not take the others with it.
        catch_unwind(AssertUnwindSafe(open)).unwrap_or_else(|_| {
            let detail = "reading it ended with a panic, which is in the log".to_owned();
            Err(engine::Error::Damaged { what: "tenant's file", detail }.into())
        })
    }

    /// The engine of the tenant of an id.
    ///
    /// # Errors
    /// There is no such tenant, or its file cannot be read.
    pub fn engine_of(&self, id: TenantId) -> Result<Engine, Error> {
        if let Some(engine) = self.engines_open().values().find(|engine| engine.record().id == id) {
            return Ok(engine.clone());
        }
        let tenant = self.0.host.tenants()?.into_iter().find(|tenant| tenant.id == id);
        self.engine(tenant.ok_or_else(|| Error::NoTenant(id.to_string()))?.slug.as_str())
    }

    /// The engines that are open, by name.
    pub fn engines(&self) -> Vec<Engine> {
        self.engines_open().values().cloned().collect()
    }

    fn engines_open(&self) -> MutexGuard<'_, BTreeMap<Slug, Engine>> {
        self.0.engines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn start(&self, record: TenantRecord, store: redress_store::tenant::TenantStore) -> Result<Engine, Error> {
        let engine = Engine::start(Parts {
            record,
            store,
            sandbox: self.0.sandbox.clone(),
            registry: Default::default(),
            clock: self.0.clock.clone(),
            limits: self.0.limits.clone(),
            workers: self.0.workers.clone(),
            stand_in: None,
        })?;
        workflows::restore(&engine, &self.0.host.objects())?;
        Ok(engine)
    }

    fn store_config(&self) -> Config {
        Config { cache_bytes: self.0.limits.tenant_cache_bytes }
    }
}

/// Where the sandbox finds what a case is pinned to and nobody has loaded.
fn library(objects: Objects) -> Library {
    Arc::new(move |digest: &redress_sandbox::Digest| {
        let digest = Digest::from_bytes(*digest);
        let told = |error: &ObjectError| tracing::error!(plugin.digest = %digest, "plugin could not be read: {}", publish::chain(error));
        objects.get(digest).inspect_err(told).ok()
    })
}

/// The sandbox has room for a call of every worker, of both lanes, and of the one replay beside them: a case must not fail because another
/// one runs, or runs again.
fn sandbox_limits(limits: &Limits) -> [redress_sandbox::Limits; 2] {
    let calls = u32::try_from(Workers::of_both_lanes(limits.turn_workers)).unwrap_or(u32::MAX).saturating_add(1);
    [redress_sandbox::Limits::default(), redress_sandbox::Limits::interpreter()]
        .map(|usual| redress_sandbox::Limits { calls_at_once_max: usual.calls_at_once_max.max(calls), ..usual })
}

fn record(tenant: &Tenant) -> Result<TenantRecord, Error> {
    Ok(codec::decode(&tenant.record).map_err(engine::Error::damaged("tenant record"))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_class_of_plugins_has_room_for_a_call_of_every_thread_of_turns_and_a_replay() {
        let limits = Limits { turn_workers: 40, ..Limits::default() };
        let threads = Workers::start(40, 1, limits.plugin_rate).unwrap().load().threads;
        for class in sandbox_limits(&limits) {
            assert!(class.calls_at_once_max as usize > threads, "{} for {threads}", class.calls_at_once_max);
        }
    }
}
