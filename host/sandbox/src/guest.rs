//! The host's side of one running instance: what it may import, what it may allocate, and how its failures are told
//! apart.

use std::sync::Arc;

use wasmtime::component::Linker;
use wasmtime::{Engine, PoolConcurrencyLimitError, ResourceLimiter, StoreContextMut, Trap, WasmBacktrace};

use crate::contract::{Level, Major};
use crate::failure::{Stopped, TrapKind};
use crate::limits::Limits;
use crate::log::{Log, LogLine};

/// What the store of one call holds.
pub(crate) struct Guest {
    limits: Arc<Limits>,
    log: Log,
    memory_bytes: usize,
}

impl Guest {
    pub(crate) fn new(limits: Arc<Limits>) -> Self {
        Self { limits, log: Log::default(), memory_bytes: 0 }
    }

    /// The log lines kept, and how many were dropped.
    pub(crate) fn into_log(self) -> (Vec<LogLine>, u64) {
        self.log.finish()
    }
}

/// Everything that a plugin can import: the log.
pub(crate) fn linker(engine: &Engine) -> wasmtime::Result<Linker<Guest>> {
    let mut linker = Linker::new(engine);
    linker.instance(&Major::Zero.log())?.func_wrap("log", log)?;
    #[cfg(feature = "trial")]
    linker.instance(&Major::Two.log())?.func_wrap("log", |store: StoreContextMut<'_, Guest>, (level, text)| {
        use crate::contract::trial::{Becomes as _, Level};
        let level: Level = level;
        log(store, (level.becomes(), text))
    })?;
    Ok(linker)
}

fn log(mut store: StoreContextMut<'_, Guest>, (level, text): (Level, String)) -> wasmtime::Result<()> {
    // The host's work is paid for with the guest's fuel, since fuel does not count what happens outside the guest.
    let bytes = u64::try_from(text.len()).unwrap_or(u64::MAX);
    let cost = store.data().limits.log_line_fuel.saturating_add(bytes);
    let left = store.get_fuel()?.checked_sub(cost);
    store.set_fuel(left.unwrap_or(0))?;
    if left.is_none() {
        return Err(Trap::OutOfFuel.into());
    }
    let Guest { limits, log, .. } = store.data_mut();
    log.push(limits, level, &text);
    Ok(())
}

/// What an instance may not have. It ends the call rather than telling the guest, whose answer to "no memory" would
/// be a trap without a reason.
#[derive(Clone, Copy, Debug, thiserror::Error)]
enum Denied {
    #[error("{asked} bytes of memory")]
    Memory { asked: usize },
    #[error("a table of {asked} elements")]
    Table { asked: usize },
}

impl ResourceLimiter for Guest {
    fn memory_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        if is_bounded_by_itself(desired, maximum, self.limits.memory_bytes_max) {
            return Ok(false);
        }
        let asked = self.memory_bytes.saturating_add(desired.saturating_sub(current));
        if asked > self.limits.memory_bytes_max {
            return Err(Denied::Memory { asked }.into());
        }
        self.memory_bytes = asked;
        Ok(true)
    }

    fn table_growing(&mut self, _current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        if is_bounded_by_itself(desired, maximum, self.limits.table_elements_max) {
            return Ok(false);
        }
        if desired > self.limits.table_elements_max {
            return Err(Denied::Table { asked: desired }.into());
        }
        Ok(true)
    }
}

/// Whether the module's own maximum, lower than the limit, forbids this. The guest is told, as WebAssembly says. A
/// maximum at the limit is the pool's.
fn is_bounded_by_itself(desired: usize, maximum: Option<usize>, limit: usize) -> bool {
    maximum.is_some_and(|maximum| maximum < limit && desired > maximum)
}

/// How far a call had come when it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// The instance was being made; start functions run here.
    Start,
    /// The hook was called.
    Run,
}

/// What an error of wasmtime means.
pub(crate) fn stopped_by(error: &wasmtime::Error, phase: Phase) -> Stopped {
    if let Some(denied) = error.downcast_ref::<Denied>() {
        return match *denied {
            Denied::Memory { asked } => Stopped::Memory { asked },
            Denied::Table { asked } => Stopped::Table { asked },
        };
    }
    if let Some(trap) = error.downcast_ref::<Trap>() {
        return stopped_by_trap(*trap);
    }
    if error.is::<PoolConcurrencyLimitError>() {
        return Stopped::Busy;
    }
    if phase == Phase::Start {
        return Stopped::Host(format!("{error:#}"));
    }
    let detail = error.root_cause().to_string();
    // wasmtime keeps the type of this error to itself; a test holds it to these words.
    if !detail.contains("fuel allocated for hostcalls has been exhausted") {
        return Stopped::Abi(detail);
    }
    // A backtrace means that the guest was running, and the only thing it can call is the log.
    if error.downcast_ref::<WasmBacktrace>().is_some() { Stopped::LogTooLarge } else { Stopped::BroughtTooMuch }
}

fn stopped_by_trap(trap: Trap) -> Stopped {
    Stopped::Trap(match trap {
        Trap::OutOfFuel => return Stopped::OutOfFuel,
        Trap::Interrupt => return Stopped::Interrupted,
        Trap::StackOverflow => return Stopped::StackOverflow,
        Trap::StringOutOfBounds
        | Trap::ListOutOfBounds
        | Trap::InvalidDiscriminant
        | Trap::InvalidChar
        | Trap::UnalignedPointer
        | Trap::CannotEnterComponent
        | Trap::CannotLeaveComponent => return Stopped::Abi(trap.to_string()),
        Trap::UnreachableCodeReached => TrapKind::Unreachable,
        Trap::MemoryOutOfBounds => TrapKind::MemoryOutOfBounds,
        Trap::TableOutOfBounds => TrapKind::TableOutOfBounds,
        Trap::IndirectCallToNull => TrapKind::IndirectCallToNull,
        Trap::BadSignature => TrapKind::BadSignature,
        Trap::IntegerDivisionByZero => TrapKind::DivisionByZero,
        Trap::IntegerOverflow => TrapKind::IntegerOverflow,
        Trap::BadConversionToInteger => TrapKind::BadConversion,
        _ => TrapKind::Other,
    })
}
