//! From machine code to hooks that can be asked: loaded into an engine, linked, its types compared.

use serde::{Deserialize, Serialize};
use wasmtime::Engine;
use wasmtime::component::{Component, Linker};

use crate::contract::{Hook, Major};
use crate::guest::Guest;
use crate::hooks::Hooks;
use crate::inspect::Refusal;

/// Why a plugin's code cannot be called.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Unready {
    /// It is no code for this engine, or needs more than the pool holds.
    Code(String),
    /// The interface of a hook, or the log, has other types than the contract's.
    Type { interface: String, detail: String },
    /// The process that plugins run in could not look at it.
    Process(String),
}

impl From<Unready> for Refusal {
    fn from(unready: Unready) -> Self {
        match unready {
            Unready::Code(detail) => Self::Compile { detail },
            Unready::Type { interface, detail } => Self::WrongType { interface, detail },
            Unready::Process(detail) => Self::Process { detail },
        }
    }
}

/// Loads code that was compiled for this engine, and checks the types of the hooks that it is said to have.
pub(crate) fn load(
    engine: &Engine,
    linker: &Linker<Guest>,
    code: &[u8],
    major: Major,
    hooks: &[Hook],
) -> Result<Hooks, Unready> {
    // SAFETY: `deserialize` runs what the bytes hold as machine code, so they must be what an engine with these settings
    // compiled. There are two ways here. `Cache::find` returned them after checking an HMAC over them, the plugin's digest
    // and this engine's compatibility hash, under a key that only this host has. Or they were compiled just now: by
    // this engine, or by a child that runs this same program and named the same hash, over a pipe that nobody else holds.
    // A process that runs plugins gets them from its host over such a pipe, after it named that hash too.
    // And it is these bytes in memory that are loaded, not a file.
    #[expect(unsafe_code, reason = "loading compiled code")]
    let component = unsafe { Component::deserialize(engine, code) };
    let component = component.map_err(|error| Unready::Code(format!("{error:#}")))?;
    let linked = linker.instantiate_pre(&component);
    let linked = linked.map_err(|error| Unready::Type { interface: major.log(), detail: format!("{error:#}") })?;
    Hooks::new(&linked, major, hooks)
}
