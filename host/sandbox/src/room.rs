//! One engine with all that belongs to it: artifact cache, compiler, what runs its plugins, and the limits that shaped its pool.

use std::sync::Arc;
use std::time::Instant;

use wasmtime::component::Linker;

use crate::Digest;
use crate::cache::{self, Cache, Found, hex};
use crate::call::{Attempt, Call, attempt, run};
use crate::cell::{Cells, Kept, Wall};
use crate::compiler::{self, Compiler};
use crate::engine::{Ticking, WASMTIME_VERSION, compatibility};
use crate::failure::Error;
use crate::gate::{Gate, Patience};
use crate::guest::{Guest, linker};
use crate::hooks::Hooks;
use crate::inspect::{Inspected, Refusal};
use crate::limits::Limits;
use crate::load::{Unready, load};
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

/// What a room is made with besides its limits.
#[derive(Clone)]
pub(crate) struct Furniture {
    pub(crate) cache: Option<cache::Config>,
    pub(crate) compiler: Compiler,
    pub(crate) wall: Wall,
    pub(crate) counters: Arc<Counters>,
}

/// An engine and what belongs to it.
pub(crate) struct Room {
    limits: Arc<Limits>,
    compatibility: [u8; 32],
    cache: Option<Cache>,
    compiler: Compiler,
    /// How many are compiled at once.
    compiling: Gate,
    counters: Arc<Counters>,
    runner: Runner,
    /// Last, so that code is gone before the engine's ticker stops.
    ticking: Ticking,
}

/// What runs the plugins of a room.
enum Runner {
    /// The calling thread, on the room's own engine.
    Here(Linker<Guest>),
    /// Processes with an engine each; that of the room only compiles.
    Cells(Cells),
}

/// A plugin that can be asked in its room.
pub(crate) enum Ready {
    Here(Hooks),
    InCells(Kept),
}

impl Room {
    /// Opens the cache of an engine and puts all together.
    pub(crate) fn new(ticking: Ticking, limits: Limits, furniture: Furniture) -> Result<Self, Error> {
        let Furniture { cache, compiler, wall, counters } = furniture;
        let compatibility = compatibility(&ticking.engine);
        let limits = Arc::new(limits);
        let runner = match wall {
            Wall::Sandbox => {
                let linker = linker(&ticking.engine);
                Runner::Here(linker.map_err(|error| Error::Engine { detail: format!("{error:#}") })?)
            }
            Wall::Cells(program) => {
                Runner::Cells(Cells::new(program, limits.clone(), compatibility, counters.clone())?)
            }
        };
        let cache = cache.map(|cache| Cache::open(cache, compatibility)).transpose()?;
        let compiling = Gate::new(limits.compilations_at_once_max, limits.compilations_waiting_max);
        Ok(Self { limits, compatibility, cache, compiler, compiling, counters, runner, ticking })
    }

    /// What the limits are.
    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// What the answers depend on besides plugin and request.
    pub(crate) fn fingerprint(&self) -> String {
        format!("wasmtime {WASMTIME_VERSION} {}", hex(&self.compatibility))
    }

    /// Puts a question to a plugin of this room.
    pub(crate) fn attempt(&self, plugin: &Ready, manifest: &Manifest, call: Call<'_>) -> Attempt {
        attempt(call, manifest, &self.limits, |fuel| match (plugin, &self.runner) {
            (Ready::Here(hooks), _) => run(&self.ticking.engine, hooks, call, &self.limits, fuel),
            (Ready::InCells(kept), Runner::Cells(cells)) => cells.ask(kept, call, fuel),
            (Ready::InCells(_), Runner::Here(_)) => unreachable!("a room has one runner from its beginning to its end"),
        })
    }

    /// The processes that plugins run in, by their numbers; none where they run in this one.
    pub(crate) fn processes(&self) -> Vec<u32> {
        match &self.runner {
            Runner::Here(_) => Vec::new(),
            Runner::Cells(cells) => cells.ids(),
        }
    }

    /// Compiles a component of nothing, to see that the compiler works.
    pub(crate) fn try_compiler(&self) -> Result<(), Refusal> {
        self.code(b"\0asm\x0d\0\x01\0", Origin::Sent).map(drop)
    }

    /// A component that was inspected, compiled and ready to be asked: from the cache where its artifact can be trusted.
    pub(crate) fn prepare(
        &self,
        digest: &Digest,
        bytes: &[u8],
        inspected: &Inspected,
        patience: Patience,
        origin: Origin,
    ) -> Result<Ready, Refusal> {
        if let Some(ready) = self.cached(digest, inspected)? {
            self.counters.cache_hits.add_one();
            return Ok(ready);
        }
        let (code, took) = {
            let _seat = self.compiling.enter(patience).ok_or(Refusal::Busy)?;
            let began = Instant::now();
            (Arc::new(self.code(bytes, origin)?), began.elapsed())
        };
        tracing::info!(
            plugin.digest = hex(digest),
            duration_ms = took.as_millis(),
            by = self.by(origin),
            "plugin was compiled"
        );
        let ready = self.ready(digest, code.clone(), inspected)?;
        self.counters.compiled.add_one();
        if let Some(Err(error)) = self.cache.as_ref().map(|cache| cache.put(digest, &code)) {
            self.counters.cache_write_failures.add_one();
            tracing::warn!(plugin.digest = hex(digest), %error, "could not write a cached artifact");
        }
        Ok(ready)
    }

    /// Code to where it runs.
    fn ready(&self, digest: &Digest, code: Arc<Vec<u8>>, inspected: &Inspected) -> Result<Ready, Unready> {
        match &self.runner {
            Runner::Here(linker) => {
                load(&self.ticking.engine, linker, &code, inspected.major, &inspected.hooks).map(Ready::Here)
            }
            Runner::Cells(cells) => {
                let Inspected { major, hooks, .. } = inspected;
                let kept = Kept { digest: *digest, major: *major, hooks: hooks.clone(), code };
                cells.load(&kept).map(|()| Ready::InCells(kept))
            }
        }
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

    fn cached(&self, digest: &Digest, inspected: &Inspected) -> Result<Option<Ready>, Refusal> {
        let Some(cache) = &self.cache else { return Ok(None) };
        let code = match cache.find(digest) {
            Found::Artifact(code) => code,
            Found::Nothing => return Ok(None),
            Found::Forged(path) => {
                self.counters.cache_alarms.add_one();
                tracing::error!(
                    plugin.digest = hex(digest),
                    cache.path = %path.display(),
                    "a cached artifact was not as this host wrote it; it is compiled again. \
                     Check the disk, and who can write to the folder"
                );
                return Ok(None);
            }
        };
        match self.ready(digest, Arc::new(code), inspected) {
            Ok(ready) => Ok(Some(ready)),
            Err(Unready::Code(error)) => {
                tracing::warn!(plugin.digest = hex(digest), error, "could not load a cached artifact");
                Ok(None)
            }
            Err(unready) => Err(unready.into()),
        }
    }
}
