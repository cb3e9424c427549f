//! The one wasmtime engine: what WebAssembly may use, what is pooled, and the ticker of the epoch.

use std::hash::{Hash, Hasher};
use std::num::NonZeroUsize;
use std::sync::mpsc;
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use wasmtime::{
    Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, WasmBacktraceDetails, WasmFeatures,
};

use crate::failure::Error;
use crate::limits::Limits;

/// The wasmtime this was built with; a test compares it with the lock file.
pub(crate) const WASMTIME_VERSION: &str = "48.0.8";

/// What a plugin may use of WebAssembly: what compilers emit today and nothing that widens the engine's surface.
pub(crate) const FEATURES: WasmFeatures = WasmFeatures::MUTABLE_GLOBAL
    .union(WasmFeatures::SATURATING_FLOAT_TO_INT)
    .union(WasmFeatures::SIGN_EXTENSION)
    .union(WasmFeatures::MULTI_VALUE)
    .union(WasmFeatures::BULK_MEMORY)
    .union(WasmFeatures::REFERENCE_TYPES)
    .union(WasmFeatures::EXTENDED_CONST)
    .union(WasmFeatures::FLOATS)
    .union(WasmFeatures::COMPONENT_MODEL);

/// The engine and the thread that moves its epoch on. Dropping it stops the thread.
pub(crate) struct Ticking {
    pub(crate) engine: Engine,
    stop: Option<mpsc::Sender<()>>,
    ticker: Option<JoinHandle<()>>,
}

impl Ticking {
    pub(crate) fn new(limits: &Limits) -> Result<Self, Error> {
        Self::on(&config(limits), limits)
    }

    /// An engine that lets the processor's bits of a NaN through.
    #[cfg(feature = "mutants")]
    pub(crate) fn with_bits_of_nan(limits: &Limits) -> Result<Self, Error> {
        Self::on(config(limits).cranelift_nan_canonicalization(false), limits)
    }

    fn on(config: &Config, limits: &Limits) -> Result<Self, Error> {
        let engine = Engine::new(config).map_err(|error| Error::Engine { detail: format!("{error:#}") })?;
        let (stop, stopped) = mpsc::channel::<()>();
        let ticked = engine.weak();
        let tick = Duration::from_millis(limits.tick_ms.max(1));
        let (begins, begun) = mpsc::channel::<()>();
        let ticker = Builder::new()
            .name("sandbox-epoch".to_owned())
            .spawn(move || {
                // Who waits for it is there.
                let _ = begins.send(());
                while stopped.recv_timeout(tick) == Err(mpsc::RecvTimeoutError::Timeout) {
                    let Some(engine) = ticked.upgrade() else { break };
                    engine.increment_epoch();
                }
            })
            .map_err(Error::Ticker)?;
        // A process that closes itself in must not do so before its threads have what they begin with.
        let _ = begun.recv();
        Ok(Self { engine, stop: Some(stop), ticker: Some(ticker) })
    }
}

impl Drop for Ticking {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(ticker) = self.ticker.take() {
            // A ticker that panicked has nothing left to clean up.
            let _ = ticker.join();
        }
    }
}

/// A hash of all that decides whether compiled code fits this engine: wasmtime's version, the compiler's settings, the
/// processor's features.
pub(crate) fn compatibility(engine: &Engine) -> [u8; 32] {
    let mut hasher = StableHasher(Sha256::new());
    engine.precompile_compatibility_hash().hash(&mut hasher);
    hasher.0.finalize().into()
}

/// Feeds a [`Hash`] to SHA-256, because the standard hasher may change between compilers and artifacts outlive them.
struct StableHasher(Sha256);

impl Hasher for StableHasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        let digest = self.0.clone().finalize();
        let mut first = [0; 8];
        first.copy_from_slice(&digest[..8]);
        u64::from_be_bytes(first)
    }
}

/// An engine that compiles the same code and runs none: without the pool, which reserves more address space than a process
/// with limits has, and on one core, since others run cases.
pub(crate) fn compiling_engine(limits: &Limits) -> wasmtime::Result<Engine> {
    let mut config = settings(limits);
    config.parallel_compilation(false);
    Engine::new(&config)
}

fn config(limits: &Limits) -> Config {
    let mut config = settings(limits);
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool(limits)));
    config
}

/// What decides the code, and how it runs.
fn settings(limits: &Limits) -> Config {
    let mut config = Config::new();
    config.wasm_features(WasmFeatures::all(), false);
    config.wasm_features(FEATURES, true);
    config.consume_fuel(true);
    config.epoch_interruption(true);
    // Bits of a NaN differ between processors; canonical ones make a decision the same everywhere.
    config.cranelift_nan_canonicalization(true);
    config.max_wasm_stack(limits.stack_bytes_max);
    config.memory_init_cow(limits.copy_on_write);
    // Calls are synchronous; the option needs parts of wasmtime that are not compiled in.
    config.concurrency_support(false);
    config.wasm_backtrace_details(WasmBacktraceDetails::Disable);
    // One frame is enough to tell an error inside guest code from one while its answer is read.
    config.wasm_backtrace_max_frames(NonZeroUsize::new(1));
    config.generate_address_map(false);
    config
}

fn pool(limits: &Limits) -> PoolingAllocationConfig {
    let calls = limits.calls_at_once_max;
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(calls);
    pool.total_core_instances(calls.saturating_mul(limits.core_instances_max));
    pool.total_memories(memories(limits));
    pool.total_tables(calls.saturating_mul(limits.tables_max));
    pool.max_core_instances_per_component(limits.core_instances_max);
    pool.max_memories_per_component(limits.memories_max);
    pool.max_tables_per_component(limits.tables_max);
    pool.max_memories_per_module(limits.memories_max);
    pool.max_tables_per_module(limits.tables_max);
    pool.max_memory_size(limits.memory_bytes_max);
    pool.table_elements(limits.table_elements_max);
    pool.linear_memory_keep_resident(limits.keep_resident_bytes);
    pool.table_keep_resident(64 << 10);
    pool.max_unused_warm_slots(limits.warm_slots_max);
    // Leave `pagemap_scan` off: it skips dirty pages that were swapped out, and the next plugin of the slot reads them.
    pool
}

/// Slots for memories. From 128 on wasmtime gives each core some of its own; below, a slot goes from core to core with its pages in the
/// caches of the one before, and all wait for one lock. With images a slot is bound to what it held, so that who has it counts less. A
/// slot that nobody uses costs addresses and nothing else.
fn memories(limits: &Limits) -> u32 {
    const SHARED_OUT_FROM: u32 = 128;
    let needed = limits.calls_at_once_max.saturating_mul(limits.memories_max);
    let is_shared = limits.calls_at_once_max > 1 && !limits.copy_on_write;
    if is_shared { needed.max(SHARED_OUT_FROM) } else { needed }
}

#[cfg(test)]
mod tests {
    use super::{Ticking, WASMTIME_VERSION, compatibility, compiling_engine};
    use crate::limits::Limits;

    #[test]
    fn the_recorded_version_is_the_one_in_the_lock_file() {
        let lock = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.lock")).unwrap();
        assert!(lock.contains(&format!("name = \"wasmtime\"\nversion = \"{WASMTIME_VERSION}\"")));
    }

    #[test]
    fn compatibility_depends_on_the_settings_of_the_compiler_and_not_on_the_pool() {
        let of = |limits: &Limits| compatibility(&Ticking::new(limits).unwrap().engine);
        let default = Limits::default();
        assert_eq!(of(&default), of(&default));
        assert_eq!(of(&default), of(&Limits { calls_at_once_max: 1, ..default.clone() }));
        // What a child compiles is loaded by an engine that has a pool.
        assert_eq!(of(&default), compatibility(&compiling_engine(&default).unwrap()));
    }

    #[test]
    fn dropping_the_engine_stops_its_ticker() {
        let ticking = Ticking::new(&Limits::default()).unwrap();
        let engine = ticking.engine.weak();
        drop(ticking);
        assert!(engine.upgrade().is_none());
    }
}
