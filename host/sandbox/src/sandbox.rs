//! The sandbox: plugins by digest, loaded away from any case and called from any thread.

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, PoisonError, RwLock};

use sha2::{Digest as _, Sha256};
use wasmtime::component::{Component, Linker};

use crate::Digest;
use crate::cache::{self, Cache, Found, hex};
use crate::call::{Answered, Attempt, Call, attempt};
use crate::contract::{Hook, LOG_INTERFACE};
use crate::engine::{Ticking, WASMTIME_VERSION, compatibility};
use crate::failure::{CallError, Error};
use crate::gate::{Gate, Patience};
use crate::guest::{Guest, linker};
use crate::hooks::Hooks;
use crate::inspect::{Inspected, Refusal, inspect};
use crate::limits::Limits;
use crate::manifest::Manifest;
use crate::stats::{Counters, Stats};

/// How a sandbox is made.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// What plugins may use.
    pub limits: Limits,
    /// Where compiled code is kept. None: nothing is kept, since code on disk without a MAC is never trusted.
    pub cache: Option<cache::Config>,
}

/// What is known of a loaded plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PluginInfo {
    /// The SHA-256 of its bytes.
    pub digest: Digest,
    /// What it says about itself.
    pub manifest: Manifest,
    /// The hooks it offers.
    pub hooks: Vec<Hook>,
}

/// Where the bytes of a plugin are found by its digest, if they are anywhere: they are what the digest says.
pub type Library = Arc<dyn Fn(&Digest) -> Option<Vec<u8>> + Send + Sync>;

/// Runs plugins. Clones share everything.
///
/// A plugin stays loaded while somebody holds its info; what nobody holds goes with the next [`Sandbox::sweep`].
#[derive(Clone)]
pub struct Sandbox {
    inner: Arc<Inner>,
    library: Option<Library>,
    #[cfg(feature = "mutants")]
    mutant: Option<crate::Mutant>,
}

struct Inner {
    limits: Arc<Limits>,
    linker: Linker<Guest>,
    fingerprint: String,
    cache: Option<Cache>,
    counters: Counters,
    plugins: RwLock<BTreeMap<Digest, Arc<Loaded>>>,
    /// The digests that some thread compiles right now.
    loading: Mutex<BTreeSet<Digest>>,
    loading_ended: Condvar,
    /// How many are compiled at once.
    compiling: Gate,
    /// Last, so that code is gone before the engine's ticker stops.
    ticking: Ticking,
}

struct Loaded {
    info: Arc<PluginInfo>,
    hooks: Hooks,
}

impl Sandbox {
    /// Makes the engine with its pool, starts the ticker and opens the cache.
    ///
    /// # Errors
    ///
    /// When the pool cannot be reserved or the cache's folder not be made.
    pub fn new(config: Config) -> Result<Self, Error> {
        Self::on(Ticking::new(&config.limits)?, config)
    }

    /// A sandbox that is wrong on purpose.
    ///
    /// # Errors
    ///
    /// As `new`.
    #[cfg(feature = "mutants")]
    pub fn mutant(config: Config, mutant: crate::Mutant) -> Result<Self, Error> {
        let ticking = match mutant {
            crate::Mutant::NanBits => Ticking::with_bits_of_nan(&config.limits)?,
            _ => Ticking::new(&config.limits)?,
        };
        Ok(Self { mutant: Some(mutant), ..Self::on(ticking, config)? })
    }

    fn on(ticking: Ticking, config: Config) -> Result<Self, Error> {
        let compatibility = compatibility(&ticking.engine);
        let linker = linker(&ticking.engine).map_err(|error| Error::Engine { detail: format!("{error:#}") })?;
        let cache = config.cache.map(|cache| Cache::open(cache, compatibility)).transpose()?;
        let compiling = Gate::new(config.limits.compilations_at_once_max, config.limits.compilations_waiting_max);
        Ok(Self {
            #[cfg(feature = "mutants")]
            mutant: None,
            library: None,
            inner: Arc::new(Inner {
                limits: Arc::new(config.limits),
                linker,
                fingerprint: format!("wasmtime {WASMTIME_VERSION} {}", hex(&compatibility)),
                cache,
                counters: Counters::default(),
                plugins: RwLock::default(),
                loading: Mutex::default(),
                loading_ended: Condvar::new(),
                compiling,
                ticking,
            }),
        })
    }

    /// The same sandbox for who has a library: a plugin that is wanted and not loaded is taken from there.
    #[must_use]
    pub fn with_library(&self, library: Library) -> Self {
        Self { library: Some(library), ..self.clone() }
    }

    /// Checks, compiles and keeps a plugin. It takes up to seconds on the calling thread. Threads that load the same bytes
    /// wait for one compilation.
    ///
    /// # Errors
    ///
    /// Why the bytes are not accepted; what was loaded before stays.
    pub fn load(&self, bytes: &[u8]) -> Result<Arc<PluginInfo>, Refusal> {
        self.keep(bytes, Patience::Waits)
    }

    /// As [`Self::load`], for bytes that somebody sends: where many are compiled already it is refused for now.
    ///
    /// # Errors
    ///
    /// As `load`, or [`Refusal::Busy`].
    pub fn upload(&self, bytes: &[u8]) -> Result<Arc<PluginInfo>, Refusal> {
        self.keep(bytes, Patience::GoesAway)
    }

    /// What bytes say about themselves, after everything that can be known without compiling was checked. Nothing is kept.
    ///
    /// # Errors
    ///
    /// Why the bytes are not accepted.
    pub fn describe(&self, bytes: &[u8]) -> Result<Arc<PluginInfo>, Refusal> {
        let digest: Digest = Sha256::digest(bytes).into();
        if let Some(info) = self.info(&digest) {
            return Ok(info);
        }
        let Inspected { manifest, hooks } = unpanicked(|| inspect(bytes, &self.inner.limits))?;
        Ok(Arc::new(PluginInfo { digest, manifest, hooks }))
    }

    /// A plugin that is loaded, or can be from the library: it takes up to seconds where it was never compiled here.
    #[must_use]
    pub fn require(&self, digest: &Digest) -> Option<Arc<PluginInfo>> {
        self.find_or_fetch(digest).map(|loaded| loaded.info.clone())
    }

    fn keep(&self, bytes: &[u8], patience: Patience) -> Result<Arc<PluginInfo>, Refusal> {
        let digest: Digest = Sha256::digest(bytes).into();
        if let Some(info) = self.info(&digest) {
            return Ok(info);
        }
        let _turn = self.inner.claim(digest);
        if let Some(info) = self.info(&digest) {
            return Ok(info);
        }
        let loaded = unpanicked(|| self.inner.prepare(digest, bytes, patience))?;
        let info = loaded.info.clone();
        self.inner.plugins.write().unwrap_or_else(PoisonError::into_inner).insert(digest, Arc::new(loaded));
        Ok(info)
    }

    /// Whether the plugin can be called.
    #[must_use]
    pub fn is_loaded(&self, digest: &Digest) -> bool {
        self.inner.find(digest).is_some()
    }

    /// What is known of a loaded plugin.
    #[must_use]
    pub fn info(&self, digest: &Digest) -> Option<Arc<PluginInfo>> {
        self.inner.find(digest).map(|loaded| loaded.info.clone())
    }

    /// Forgets a plugin; calls that run finish. Tells whether it was loaded.
    pub fn unload(&self, digest: &Digest) -> bool {
        self.inner.plugins.write().unwrap_or_else(PoisonError::into_inner).remove(digest).is_some()
    }

    /// Forgets the plugins whose info nobody holds; calls that run finish. Tells how many were forgotten.
    pub fn sweep(&self) -> usize {
        let mut plugins = self.inner.plugins.write().unwrap_or_else(PoisonError::into_inner);
        let before = plugins.len();
        plugins.retain(|_, loaded| Arc::strong_count(&loaded.info) > 1);
        before - plugins.len()
    }

    /// How many plugins are loaded.
    #[must_use]
    pub fn loaded(&self) -> usize {
        self.inner.plugins.read().unwrap_or_else(PoisonError::into_inner).len()
    }

    fn find_or_fetch(&self, digest: &Digest) -> Option<Arc<Loaded>> {
        self.inner.find(digest).or_else(|| self.fetch(digest))
    }

    /// Takes a plugin from the library. What was fetched before and is held by nobody makes room.
    fn fetch(&self, digest: &Digest) -> Option<Arc<Loaded>> {
        let bytes = self.library.as_ref()?(digest)?;
        if self.inner.idle() >= self.inner.limits.plugins_idle_max {
            self.sweep();
        }
        // Held until it is found: nobody sweeps it away in between.
        let held = self.load(&bytes).inspect_err(|refusal| {
            tracing::error!(
                plugin.digest = hex(digest),
                code = refusal.code(),
                "plugin that was taken before is refused: {refusal}"
            );
        });
        let found = held.is_ok().then(|| self.inner.find(digest)).flatten();
        drop(held);
        found
    }

    /// Puts a question to a plugin, on the calling thread, which needs 1 MiB of stack.
    ///
    /// # Errors
    ///
    /// Every way of failing; see [`CallError`].
    pub fn call(&self, digest: &Digest, call: Call<'_>) -> Result<Answered, CallError> {
        let Attempt { result, fuel, log, .. } = self.attempt(digest, call);
        result.map(|answer| Answered { answer, fuel, log })
    }

    /// As [`Self::call`], and tells fuel and log of a failed call too.
    #[must_use]
    pub fn attempt(&self, digest: &Digest, call: Call<'_>) -> Attempt {
        #[cfg(feature = "mutants")]
        if let Some(mutant) = self.mutant {
            let changed = crate::mutant::Changed::of(call, mutant);
            return Self { mutant: None, ..self.clone() }.attempt(digest, changed.put(call));
        }
        let inner = &*self.inner;
        inner.counters.calls.add_one();
        let ended = match self.find_or_fetch(digest) {
            None => Attempt::failed(CallError::NotLoaded { digest: hex(digest) }),
            Some(loaded) => match inner.attempt_once(&loaded, call) {
                // The host was slow, not the plugin: a plugin that works too much runs out of fuel.
                Attempt { result: Err(CallError::Interrupted { .. }), .. } => {
                    inner.counters.interrupted_once.add_one();
                    inner.attempt_once(&loaded, call)
                }
                ended => ended,
            },
        };
        inner.counters.fuel.add(ended.fuel);
        if let Err(error) = &ended.result {
            inner.counters.failed(error);
        }
        ended
    }

    /// What the answers depend on besides plugin and request: wasmtime's version and the hash of its settings. The
    /// same text means the same answer and the same fuel.
    #[must_use]
    pub fn fingerprint(&self) -> &str {
        &self.inner.fingerprint
    }

    /// The limits of this sandbox.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.inner.limits
    }

    /// What was counted so far.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.inner.counters.read()
    }
}

impl Inner {
    fn find(&self, digest: &Digest) -> Option<Arc<Loaded>> {
        self.plugins.read().unwrap_or_else(PoisonError::into_inner).get(digest).cloned()
    }

    /// Waits until no other thread loads this digest, and keeps others waiting until the turn is dropped.
    fn claim(&self, digest: Digest) -> Turn<'_> {
        let loading = self.loading.lock().unwrap_or_else(PoisonError::into_inner);
        let mut loading = self
            .loading_ended
            .wait_while(loading, |loading| loading.contains(&digest))
            .unwrap_or_else(PoisonError::into_inner);
        loading.insert(digest);
        Turn { inner: self, digest }
    }

    /// How many plugins are loaded that nobody holds.
    fn idle(&self) -> usize {
        let plugins = self.plugins.read().unwrap_or_else(PoisonError::into_inner);
        plugins.values().filter(|loaded| Arc::strong_count(&loaded.info) == 1).count()
    }

    fn prepare(&self, digest: Digest, bytes: &[u8], patience: Patience) -> Result<Loaded, Refusal> {
        let Inspected { manifest, hooks } = inspect(bytes, &self.limits)?;
        let component = self.component(&digest, bytes, patience)?;
        let linked = self
            .linker
            .instantiate_pre(&component)
            .map_err(|error| Refusal::WrongType { interface: LOG_INTERFACE, detail: format!("{error:#}") })?;
        let checked = Hooks::new(&linked, &hooks)?;
        Ok(Loaded { info: Arc::new(PluginInfo { digest, manifest, hooks }), hooks: checked })
    }

    /// The compiled component, from the cache where its artifact can be trusted.
    fn component(&self, digest: &Digest, bytes: &[u8], patience: Patience) -> Result<Component, Refusal> {
        let Some(cache) = &self.cache else { return self.compile(bytes, patience) };
        if let Some(component) = self.cached(cache, digest) {
            self.counters.cache_hits.add_one();
            return Ok(component);
        }
        let component = self.compile(bytes, patience)?;
        let written = component
            .serialize()
            .map_err(|error| std::io::Error::other(error.to_string()))
            .and_then(|code| cache.put(digest, &code));
        if let Err(error) = written {
            self.counters.cache_write_failures.add_one();
            tracing::warn!(plugin.digest = hex(digest), %error, "could not write a cached artifact");
        }
        Ok(component)
    }

    fn cached(&self, cache: &Cache, digest: &Digest) -> Option<Component> {
        let code = match cache.find(digest) {
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
        // SAFETY: `deserialize` runs what the bytes hold as machine code, so they must be what `serialize` gave for an
        // engine with these settings. `Cache::find` returned them after checking an HMAC over them, the plugin's digest
        // and this engine's compatibility hash, under a key that only this host has; and it is these bytes in memory
        // that are loaded, not the file.
        #[expect(unsafe_code, reason = "loading compiled code; the one unsafe call of the sandbox")]
        let component = unsafe { Component::deserialize(&self.ticking.engine, code) };
        component
            .inspect_err(|error| {
                tracing::warn!(plugin.digest = hex(digest), %error, "could not load a cached artifact");
            })
            .ok()
    }

    fn compile(&self, bytes: &[u8], patience: Patience) -> Result<Component, Refusal> {
        let _seat = self.compiling.enter(patience).ok_or(Refusal::Busy)?;
        let component = Component::from_binary(&self.ticking.engine, bytes)
            .map_err(|error| Refusal::Compile { detail: format!("{error:#}") })?;
        self.counters.compiled.add_one();
        Ok(component)
    }

    fn attempt_once(&self, loaded: &Loaded, call: Call<'_>) -> Attempt {
        guarded(|| attempt(&self.ticking.engine, &loaded.hooks, &loaded.info.manifest, call, &self.limits))
    }
}

/// Turns a panic over somebody's bytes into a refusal of them.
pub(crate) fn unpanicked<T>(check: impl FnOnce() -> Result<T, Refusal>) -> Result<T, Refusal> {
    catch_unwind(AssertUnwindSafe(check))
        .unwrap_or_else(|panic| Err(Refusal::CompilerPanic { detail: message_of(&*panic) }))
}

/// Turns a panic of the host into a failure of this call only.
fn guarded(ask: impl FnOnce() -> Attempt) -> Attempt {
    catch_unwind(AssertUnwindSafe(ask))
        .unwrap_or_else(|panic| Attempt::failed(CallError::HostPanic { detail: message_of(&*panic) }))
}

/// The right to load one digest.
struct Turn<'s> {
    inner: &'s Inner,
    digest: Digest,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.inner.loading.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.digest);
        self.inner.loading_ended.notify_all();
    }
}

/// The text of a panic, if it had one.
fn message_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("no message").to_owned()
}

#[cfg(test)]
mod tests {
    use super::guarded;
    use crate::failure::CallError;

    #[test]
    fn a_panic_of_the_host_fails_one_call_with_its_message() {
        let error = guarded(|| panic!("index {} out of range", 3)).result.unwrap_err();
        assert_eq!(error, CallError::HostPanic { detail: "index 3 out of range".to_owned() });
        assert!(error.is_infrastructure());
        let error = guarded(|| std::panic::panic_any(7)).result.unwrap_err();
        assert_eq!(error, CallError::HostPanic { detail: "no message".to_owned() });
    }
}
