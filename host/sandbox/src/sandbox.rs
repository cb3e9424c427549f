//! The sandbox: plugins by digest, loaded away from any case and called from any thread.

use std::any::Any;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use sha2::{Digest as _, Sha256};

use crate::Digest;
use crate::cache::{self, hex};
use crate::call::{Answered, Attempt, Call};
use crate::cell::Wall;
use crate::compiler::Compiler;
use crate::contract::{Hook, Major};
use crate::engine::Ticking;
use crate::failure::{CallError, Error};
use crate::gate::Patience;
use crate::inspect::{Inspected, Refusal, class_of, inspect_for};
use crate::limits::{Class, Limits};
use crate::manifest::Manifest;
use crate::plugins::Plugins;
use crate::room::{Furniture, Origin, Ready, Room};
use crate::rooms::Rooms;
use crate::stats::{Counters, Stats};

/// How a sandbox is made.
#[derive(Clone, Debug)]
pub struct Config {
    /// What compiled plugins may use.
    pub limits: Limits,
    /// What interpreters may use.
    pub interpreter_limits: Limits,
    /// Where compiled code is kept. None: nothing is kept, since code on disk without a MAC is never trusted.
    pub cache: Option<cache::Config>,
    /// Where strangers' components are compiled.
    pub compiler: Compiler,
    /// Where plugins run.
    pub wall: Wall,
    /// The contracts that plugins may speak, oldest first.
    pub spoken: &'static [Major],
}

impl Default for Config {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            interpreter_limits: Limits::interpreter(),
            cache: None,
            compiler: Compiler::default(),
            wall: Wall::default(),
            spoken: Major::OFFERED,
        }
    }
}

/// What is known of a loaded plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PluginInfo {
    /// The SHA-256 of its bytes.
    pub digest: Digest,
    /// What it says about itself.
    pub manifest: Manifest,
    /// The contract it speaks.
    pub major: Major,
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
    fingerprint: String,
    spoken: &'static [Major],
    counters: Arc<Counters>,
    plugins: Plugins<Loaded>,
    /// The digests that some thread compiles right now.
    loading: Mutex<BTreeSet<Digest>>,
    loading_ended: Condvar,
    /// Last: code is gone before its engine.
    rooms: Rooms,
}

struct Loaded {
    info: Arc<PluginInfo>,
    plugin: Ready,
    room: Arc<Room>,
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
        let Config { limits, interpreter_limits, cache, compiler, wall, spoken } = config;
        let counters = Arc::new(Counters::default());
        let furniture = Furniture { cache, compiler, wall, counters: counters.clone() };
        let rooms = Rooms::new(ticking, [limits, interpreter_limits], furniture)?;
        Ok(Self {
            #[cfg(feature = "mutants")]
            mutant: None,
            library: None,
            inner: Arc::new(Inner {
                fingerprint: rooms.compiled().fingerprint(),
                spoken,
                counters,
                plugins: Plugins::default(),
                loading: Mutex::default(),
                loading_ended: Condvar::new(),
                rooms,
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
        self.keep(bytes, Patience::Waits, Origin::Sent)
    }

    /// As [`Self::load`], for bytes that came with this program: they are compiled in this process, wherever others are.
    ///
    /// # Errors
    ///
    /// As `load`.
    pub fn load_own(&self, bytes: &[u8]) -> Result<Arc<PluginInfo>, Refusal> {
        self.keep(bytes, Patience::Waits, Origin::Own)
    }

    /// As [`Self::load`], for bytes that somebody sends: where many are compiled already it is refused for now.
    ///
    /// # Errors
    ///
    /// As `load`, or [`Refusal::Busy`].
    pub fn upload(&self, bytes: &[u8]) -> Result<Arc<PluginInfo>, Refusal> {
        self.keep(bytes, Patience::GoesAway, Origin::Sent)
    }

    /// Whether plugins can be compiled: where that is done by a process of its own, one is started.
    ///
    /// # Errors
    ///
    /// It cannot be started, or does not do its work.
    pub fn try_compiler(&self) -> Result<(), Refusal> {
        self.inner.rooms.compiled().try_compiler()
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
        let Inspected { manifest, major, hooks } = unpanicked(|| self.inner.inspected(bytes))?;
        Ok(Arc::new(PluginInfo { digest, manifest, major, hooks }))
    }

    /// A plugin that is loaded, or can be from the library: it takes up to seconds where it was never compiled here.
    #[must_use]
    pub fn require(&self, digest: &Digest) -> Option<Arc<PluginInfo>> {
        self.find_or_fetch(digest).map(|loaded| loaded.info.clone())
    }

    fn keep(&self, bytes: &[u8], patience: Patience, origin: Origin) -> Result<Arc<PluginInfo>, Refusal> {
        let digest: Digest = Sha256::digest(bytes).into();
        if let Some(info) = self.info(&digest) {
            return Ok(info);
        }
        let _turn = self.inner.claim(digest);
        if let Some(info) = self.info(&digest) {
            return Ok(info);
        }
        let loaded = unpanicked(|| self.inner.prepare(digest, bytes, patience, origin))?;
        let info = loaded.info.clone();
        self.inner.plugins.insert(digest, Arc::new(loaded));
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
        self.inner.plugins.remove(digest)
    }

    /// Forgets the plugins whose info nobody holds; calls that run finish. Tells how many were forgotten.
    pub fn sweep(&self) -> usize {
        self.inner.plugins.retain(|loaded| Arc::strong_count(&loaded.info) > 1)
    }

    /// How many plugins are loaded.
    #[must_use]
    pub fn loaded(&self) -> usize {
        self.inner.plugins.count(|_| true)
    }

    fn find_or_fetch(&self, digest: &Digest) -> Option<Arc<Loaded>> {
        self.inner.find(digest).or_else(|| self.fetch(digest))
    }

    /// Takes a plugin from the library. What was fetched before and is held by nobody makes room.
    fn fetch(&self, digest: &Digest) -> Option<Arc<Loaded>> {
        let bytes = self.library.as_ref()?(digest)?;
        if Class::ALL.into_iter().any(|class| self.inner.idle(class) >= self.limits_of(class).plugins_idle_max) {
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
            Some(loaded) => Attempt { major: Some(loaded.info.major), ..inner.attempt_again(&loaded, call) },
        };
        inner.counters.fuel.add(ended.fuel);
        if let Err(error) = &ended.result {
            inner.counters.failed(error);
        }
        ended
    }

    /// What the answers depend on besides plugin and request: wasmtime's version and the hash of its settings. The
    /// same text means the same answer and the same fuel, also of interpreters: their settings differ from these always in the same
    /// way, by how a memory begins.
    #[must_use]
    pub fn fingerprint(&self) -> &str {
        &self.inner.fingerprint
    }

    /// What compiled plugins may use.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        self.limits_of(Class::Compiled)
    }

    /// What plugins of a class may use.
    #[must_use]
    pub fn limits_of(&self, class: Class) -> &Limits {
        self.inner.rooms.limits(class)
    }

    /// Bytes of the largest component of any class.
    #[must_use]
    pub fn upload_bytes_max(&self) -> usize {
        Class::ALL.into_iter().map(|class| self.limits_of(class).upload_bytes_max).max().unwrap_or(0)
    }

    /// The processes that plugins run in, by their numbers; none where they run in this one.
    #[must_use]
    pub fn processes(&self) -> Vec<u32> {
        self.inner.rooms.processes()
    }

    /// What was counted so far.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.inner.counters.read()
    }
}

impl Inner {
    fn find(&self, digest: &Digest) -> Option<Arc<Loaded>> {
        self.plugins.find(digest)
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

    /// How many plugins of a class are loaded that nobody holds.
    fn idle(&self, class: Class) -> usize {
        self.plugins.count(|loaded| loaded.info.manifest.class == class && Arc::strong_count(&loaded.info) == 1)
    }

    fn prepare(&self, digest: Digest, bytes: &[u8], patience: Patience, origin: Origin) -> Result<Loaded, Refusal> {
        let inspected = self.inspected(bytes)?;
        let room = self.rooms.of(inspected.manifest.class).map_err(|error| match error {
            Error::Cell { detail } => Refusal::Process { detail },
            error => Refusal::Compiler { detail: format!("the engine for interpreters could not be made: {error}") },
        })?;
        let plugin = room.prepare(&digest, bytes, &inspected, patience, origin)?;
        let Inspected { manifest, major, hooks } = inspected;
        Ok(Loaded { info: Arc::new(PluginInfo { digest, manifest, major, hooks }), plugin, room })
    }

    /// Checked by the limits of the class that the bytes say they are of.
    fn inspected(&self, bytes: &[u8]) -> Result<Inspected, Refusal> {
        let largest = self.rooms.limits(Class::Interpreter).upload_bytes_max;
        let class = if bytes.len() > largest { Class::Interpreter } else { class_of(bytes) };
        let inspected = inspect_for(bytes, self.rooms.limits(class), self.spoken)?;
        if inspected.manifest.class == class { Ok(inspected) } else { Err(Refusal::ClassHidden) }
    }

    /// A call, and once more where the host may be to blame.
    fn attempt_again(&self, loaded: &Loaded, call: Call<'_>) -> Attempt {
        match self.attempt_once(loaded, call) {
            // The host was slow, not the plugin: a plugin that works too much runs out of fuel.
            Attempt { result: Err(CallError::Interrupted { .. }), .. } => {
                self.counters.interrupted_once.add_one();
                self.attempt_once(loaded, call)
            }
            // Somebody may have ended it; whether it was the plugin shows in another one.
            Attempt { result: Err(CallError::ProcessLost { .. }), .. } => self.attempt_once(loaded, call),
            ended => ended,
        }
    }

    fn attempt_once(&self, loaded: &Loaded, call: Call<'_>) -> Attempt {
        guarded(|| loaded.room.attempt(&loaded.plugin, &loaded.info.manifest, call))
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
pub(crate) fn message_of(panic: &(dyn Any + Send)) -> String {
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
