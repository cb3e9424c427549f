//! One engine with all that belongs to it: linker, artifact cache, compiler and the limits that shaped its pool.

use std::sync::Arc;
use std::time::Instant;

use wasmtime::component::{Component, Linker};

use crate::Digest;
use crate::cache::{self, Cache, Found, hex};
use crate::call::{Attempt, Call, attempt};
use crate::compiler::{self, Compiler};
use crate::contract::LOG_INTERFACE;
use crate::engine::{Ticking, WASMTIME_VERSION, compatibility};
use crate::failure::Error;
use crate::gate::{Gate, Patience};
use crate::guest::{Guest, linker};
use crate::hooks::Hooks;
use crate::inspect::{Inspected, Refusal};
use crate::limits::Limits;
use crate::manifest::Manifest;
use crate::stats::Counters;

/// Whose bytes are compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// They came with this program, as the compiler did.
    Own,
    /// Somebody sent them.
    Sent,
}

/// An engine and what belongs to it.
pub(crate) struct Room {
    limits: Arc<Limits>,
    linker: Linker<Guest>,
    compatibility: [u8; 32],
    cache: Option<Cache>,
    compiler: Compiler,
    /// How many are compiled at once.
    compiling: Gate,
    counters: Arc<Counters>,
    /// Last, so that code is gone before the engine's ticker stops.
    ticking: Ticking,
}

impl Room {
    /// Opens the cache of an engine and puts all together.
    pub(crate) fn new(
        ticking: Ticking,
        limits: Limits,
        cache: Option<cache::Config>,
        compiler: Compiler,
        counters: Arc<Counters>,
    ) -> Result<Self, Error> {
        let compatibility = compatibility(&ticking.engine);
        let linker = linker(&ticking.engine).map_err(|error| Error::Engine { detail: format!("{error:#}") })?;
        let cache = cache.map(|cache| Cache::open(cache, compatibility)).transpose()?;
        let compiling = Gate::new(limits.compilations_at_once_max, limits.compilations_waiting_max);
        Ok(Self { limits: Arc::new(limits), linker, compatibility, cache, compiler, compiling, counters, ticking })
    }

    /// What the limits are.
    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// What the answers depend on besides plugin and request.
    pub(crate) fn fingerprint(&self) -> String {
        format!("wasmtime {WASMTIME_VERSION} {}", hex(&self.compatibility))
    }

    /// Compiles, links and checks the types of a component that was inspected.
    pub(crate) fn prepare(
        &self,
        digest: &Digest,
        bytes: &[u8],
        inspected: &Inspected,
        patience: Patience,
        origin: Origin,
    ) -> Result<Hooks, Refusal> {
        let component = self.component(digest, bytes, patience, origin)?;
        let linked = self
            .linker
            .instantiate_pre(&component)
            .map_err(|error| Refusal::WrongType { interface: LOG_INTERFACE, detail: format!("{error:#}") })?;
        Hooks::new(&linked, &inspected.hooks)
    }

    /// Puts a question to a plugin of this room.
    pub(crate) fn attempt(&self, hooks: &Hooks, manifest: &Manifest, call: Call<'_>) -> Attempt {
        attempt(&self.ticking.engine, hooks, manifest, call, &self.limits)
    }

    /// Compiles a component of nothing, to see that the compiler works.
    pub(crate) fn try_compiler(&self) -> Result<(), Refusal> {
        self.code(b"\0asm\x0d\0\x01\0", Origin::Sent).map(drop)
    }

    /// The compiled component, from the cache where its artifact can be trusted.
    fn component(
        &self,
        digest: &Digest,
        bytes: &[u8],
        patience: Patience,
        origin: Origin,
    ) -> Result<Component, Refusal> {
        if let Some(component) = self.cached(digest) {
            self.counters.cache_hits.add_one();
            return Ok(component);
        }
        let (code, took) = {
            let _seat = self.compiling.enter(patience).ok_or(Refusal::Busy)?;
            let began = Instant::now();
            (self.code(bytes, origin)?, began.elapsed())
        };
        tracing::info!(
            plugin.digest = hex(digest),
            duration_ms = took.as_millis(),
            by = self.by(origin),
            "plugin was compiled"
        );
        let component = self.load(&code).map_err(|error| Refusal::Compile { detail: format!("{error:#}") })?;
        self.counters.compiled.add_one();
        if let Some(Err(error)) = self.cache.as_ref().map(|cache| cache.put(digest, &code)) {
            self.counters.cache_write_failures.add_one();
            tracing::warn!(plugin.digest = hex(digest), %error, "could not write a cached artifact");
        }
        Ok(component)
    }

    /// Who compiles, as the log says it.
    fn by(&self, origin: Origin) -> &'static str {
        match (&self.compiler, origin) {
            (Compiler::Child { .. }, Origin::Sent) => "a process of its own",
            _ => "this process",
        }
    }

    /// The machine code of a component.
    fn code(&self, bytes: &[u8], origin: Origin) -> Result<Vec<u8>, Refusal> {
        match &self.compiler {
            Compiler::Child { program, args } if origin == Origin::Sent => {
                compiler::in_child(program, args, bytes, &self.limits, &self.compatibility)
            }
            Compiler::Child { .. } | Compiler::InProcess => {
                let compiled = self.ticking.engine.precompile_component(bytes);
                compiled.map_err(|error| Refusal::Compile { detail: format!("{error:#}") })
            }
        }
    }

    fn cached(&self, digest: &Digest) -> Option<Component> {
        let code = match self.cache.as_ref()?.find(digest) {
            Found::Artifact(code) => code,
            Found::Nothing => return None,
            Found::Forged(path) => {
                self.counters.cache_alarms.add_one();
                tracing::error!(
                    plugin.digest = hex(digest),
                    cache.path = %path.display(),
                    "a cached artifact was not as this host wrote it; it is compiled again. \
                     Check the disk, and who can write to the folder"
                );
                return None;
            }
        };
        let component = self.load(&code);
        component
            .inspect_err(|error| {
                tracing::warn!(plugin.digest = hex(digest), %error, "could not load a cached artifact");
            })
            .ok()
    }

    /// Loads code that [`Self::code`] made for this engine, now or at an earlier start.
    fn load(&self, code: &[u8]) -> wasmtime::Result<Component> {
        // SAFETY: `deserialize` runs what the bytes hold as machine code, so they must be what an engine with these settings
        // compiled. There are two ways here. `Cache::find` returned them after checking an HMAC over them, the plugin's digest
        // and this engine's compatibility hash, under a key that only this host has. Or they were compiled just now: by
        // this engine, or by a child that runs this same program and named the same hash, over a pipe that nobody else holds.
        // And it is these bytes in memory that are loaded, not a file.
        #[expect(unsafe_code, reason = "loading compiled code")]
        let component = unsafe { Component::deserialize(&self.ticking.engine, code) };
        component
    }
}
