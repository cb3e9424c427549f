//! Every way in which a call, or the sandbox itself, fails.
//!
//! No failure of a plugin approves or denies anything. Those of the host ([`CallError::is_infrastructure`]) may go
//! away by trying again and are never recorded as what a plugin decided.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::answer::Invalid;
use crate::contract::{Hook, Reason};
use crate::limits::Limits;

/// Why a call gave no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// No plugin with this digest is loaded. The host's: it loads before it publishes.
    #[error("plugin {digest} is not loaded")]
    NotLoaded {
        /// The digest, in hexadecimal.
        digest: String,
    },
    /// The plugin does not offer the hook.
    #[error("plugin offers no hook {hook:?}", hook = hook.name())]
    HookMissing {
        /// The hook that was called.
        hook: Hook,
    },
    /// The question is larger than a plugin may be asked.
    #[error("request was too large: {what} {got}, at most {max}")]
    RequestTooLarge {
        /// What was counted.
        what: &'static str,
        /// How much there was.
        got: usize,
        /// How much there may be.
        max: usize,
    },
    /// The plugin used up its fuel.
    #[error("plugin ran out of its {fuel} units of fuel")]
    OutOfFuel {
        /// What it was given.
        fuel: u64,
    },
    /// The wall clock ended the call, twice. The host is overloaded, or fuel does not measure what the plugin does.
    #[error("plugin was interrupted after {wall_clock_ms} ms, twice")]
    Interrupted {
        /// The backstop.
        wall_clock_ms: u64,
    },
    /// The plugin's calls nested too deeply.
    #[error("plugin overflowed its stack")]
    StackOverflow,
    /// The plugin asked for more memory than it may have.
    #[error("plugin asked for {asked} bytes of memory, at most {max}")]
    MemoryLimit {
        /// The total it would have had.
        asked: usize,
        /// The most it may have.
        max: usize,
    },
    /// The plugin asked for a larger table than it may have.
    #[error("plugin asked for a table of {asked} elements, at most {max}")]
    TableLimit {
        /// The size it asked for.
        asked: usize,
        /// The most it may have.
        max: usize,
    },
    /// The plugin's code trapped; a panic of Rust code ends as [`TrapKind::Unreachable`].
    #[error("plugin trapped: {kind}")]
    Trap {
        /// Which trap.
        kind: TrapKind,
    },
    /// What the plugin handed over does not follow the component model's binary interface.
    #[error("plugin broke the binary interface: {detail}")]
    Abi {
        /// What was wrong, in wasmtime's words.
        detail: String,
    },
    /// One log line was too long even to be read.
    #[error("plugin wrote a log line that was too large to read")]
    LogTooLarge,
    /// The answer is larger than it may be.
    #[error("plugin's answer was too large: {what} {got}, at most {max}")]
    AnswerTooLarge {
        /// What was counted.
        what: &'static str,
        /// How much there was; at least this much where reading stopped early.
        got: usize,
        /// How much there may be.
        max: usize,
    },
    /// The answer contradicts the request or the plugin's own manifest.
    #[error("plugin's answer broke the rule {rule}: {detail}", rule = .0.rule.name(), detail = .0.detail)]
    AnswerInvalid(Invalid),
    /// The plugin says that it cannot decide, and why.
    #[error("plugin could not decide")]
    CannotDecide(Vec<Reason>),
    /// The plugin says that it cannot use what it was given.
    #[error("plugin refused its input: {0:?}")]
    BadInput(String),
    /// More calls ran at once than the sandbox has room for. The host's: its workers are fewer.
    #[error("sandbox had no room for another call")]
    Busy,
    /// The host could not start the plugin, for a reason that is not the plugin's.
    #[error("sandbox could not start the plugin: {detail}")]
    Host {
        /// wasmtime's words.
        detail: String,
    },
    /// The host's own code panicked during the call.
    #[error("sandbox panicked during the call: {detail}")]
    HostPanic {
        /// The panic's message.
        detail: String,
    },
    /// The process that ran the plugin ended, said nothing in time, or said what none says, and it was not the first.
    #[error("process that ran the plugin was lost, and it was not the first: {detail}")]
    ProcessLost {
        /// How it ended.
        detail: String,
    },
}

/// The code of a plugin that the wall clock ended.
pub const INTERRUPTED: &str = "plugin_interrupted";

/// The code of a call whose process was lost.
pub const PROCESS_LOST: &str = "sandbox_process_lost";

/// The code of a plugin that is not asked for a while, because it failed again and again.
pub const RESTING: &str = "plugin_resting";

/// The codes of the failures that are the host's and not the plugin's: another time there may be an answer.
pub const INFRASTRUCTURE_CODES: [&str; 7] =
    ["plugin_not_loaded", INTERRUPTED, RESTING, "sandbox_busy", "sandbox_host", "sandbox_panic", PROCESS_LOST];

/// Those of them that a plugin may have brought about: one that does so again and again is given a rest.
pub const SUSPECT_CODES: [&str; 2] = [INTERRUPTED, PROCESS_LOST];

/// The codes of what a plugin says by itself: it works, and cannot decide this.
pub const SAID_CODES: [&str; 2] = ["plugin_cannot_decide", "plugin_bad_input"];

impl CallError {
    /// The stable code of this failure, for records, counters and documentation.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotLoaded { .. } => "plugin_not_loaded",
            Self::HookMissing { .. } => "plugin_hook_missing",
            Self::RequestTooLarge { .. } => "plugin_request_too_large",
            Self::OutOfFuel { .. } => "plugin_out_of_fuel",
            Self::Interrupted { .. } => INTERRUPTED,
            Self::StackOverflow => "plugin_stack_overflow",
            Self::MemoryLimit { .. } => "plugin_memory_limit",
            Self::TableLimit { .. } => "plugin_table_limit",
            Self::Trap { .. } => "plugin_trap",
            Self::Abi { .. } => "plugin_abi",
            Self::LogTooLarge => "plugin_log_too_large",
            Self::AnswerTooLarge { .. } => "plugin_answer_too_large",
            Self::AnswerInvalid(_) => "plugin_answer_invalid",
            Self::CannotDecide(_) => "plugin_cannot_decide",
            Self::BadInput(_) => "plugin_bad_input",
            Self::Busy => "sandbox_busy",
            Self::Host { .. } => "sandbox_host",
            Self::HostPanic { .. } => "sandbox_panic",
            Self::ProcessLost { .. } => PROCESS_LOST,
        }
    }

    /// Whether the failure is the host's and not the plugin's: trying again later may help, and it is not recorded as
    /// something the plugin decided.
    #[must_use]
    pub fn is_infrastructure(&self) -> bool {
        INFRASTRUCTURE_CODES.contains(&self.code())
    }
}

/// What stopped a call where it ran. The numbers of the limits are not part of it: who asked knows them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Stopped {
    HookMissing(Hook),
    OutOfFuel,
    Interrupted,
    StackOverflow,
    Memory { asked: usize },
    Table { asked: usize },
    Trap(TrapKind),
    Abi(String),
    LogTooLarge,
    BroughtTooMuch,
    Busy,
    Host(String),
    Panic(String),
    Lost(String),
}

impl Stopped {
    /// As it is told, under the limits that the call had.
    pub(crate) fn told(self, limits: &Limits, fuel: u64) -> CallError {
        match self {
            Self::HookMissing(hook) => CallError::HookMissing { hook },
            Self::OutOfFuel => CallError::OutOfFuel { fuel },
            Self::Interrupted => CallError::Interrupted { wall_clock_ms: limits.wall_clock_ms },
            Self::StackOverflow => CallError::StackOverflow,
            Self::Memory { asked } => CallError::MemoryLimit { asked, max: limits.memory_bytes_max },
            Self::Table { asked } => CallError::TableLimit { asked, max: limits.table_elements_max },
            Self::Trap(kind) => CallError::Trap { kind },
            Self::Abi(detail) => CallError::Abi { detail },
            Self::LogTooLarge => CallError::LogTooLarge,
            Self::BroughtTooMuch => {
                let max = limits.hostcall_fuel;
                CallError::AnswerTooLarge { what: "bytes brought over", got: max.saturating_add(1), max }
            }
            Self::Busy => CallError::Busy,
            Self::Host(detail) => CallError::Host { detail },
            Self::Panic(detail) => CallError::HostPanic { detail },
            Self::Lost(detail) => CallError::ProcessLost { detail },
        }
    }
}

/// Which trap ended a plugin's code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TrapKind {
    /// The `unreachable` instruction: how a panic ends.
    Unreachable,
    /// A load or store outside the memory.
    MemoryOutOfBounds,
    /// An access outside a table.
    TableOutOfBounds,
    /// An indirect call of an empty table element.
    IndirectCallToNull,
    /// An indirect call of a function with another signature.
    BadSignature,
    /// An integer division by zero.
    DivisionByZero,
    /// An integer overflow in a division.
    IntegerOverflow,
    /// A float that fits no integer.
    BadConversion,
    /// A trap that this contract's plugins cannot normally meet.
    Other,
}

impl TrapKind {
    /// The stable name, as records show it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::MemoryOutOfBounds => "memory_out_of_bounds",
            Self::TableOutOfBounds => "table_out_of_bounds",
            Self::IndirectCallToNull => "indirect_call_to_null",
            Self::BadSignature => "bad_signature",
            Self::DivisionByZero => "division_by_zero",
            Self::IntegerOverflow => "integer_overflow",
            Self::BadConversion => "bad_conversion",
            Self::Other => "other",
        }
    }
}

impl fmt::Display for TrapKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why a sandbox could not be made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// wasmtime refused the configuration, or could not reserve the pool.
    #[error("could not make the engine: {detail}")]
    Engine {
        /// wasmtime's words.
        detail: String,
    },
    /// The process that plugins run in could not be started.
    #[error("could not start a process for plugins: {detail}")]
    Cell {
        /// How it ended.
        detail: String,
    },
    /// The thread that moves the epoch on could not be started.
    #[error("could not start the epoch's ticker")]
    Ticker(#[source] std::io::Error),
    /// The folder of the artifact cache could not be made, or not be closed to others.
    #[error("could not prepare the artifact cache in {dir:?}")]
    CacheDir {
        /// The folder.
        dir: std::path::PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
}
