//! Merchants' plugins in a sandbox: wasmtime, limits, the artifact cache.
//!
//! Engine once, component once, a fresh store and instance per call, nothing importable but a bounded log, every way
//! of failing a variant of [`CallError`]. This crate knows the plugin contract and wasmtime; it does not know cases,
//! the store or the network. A plugin that fails decides nothing: what a failure means is the caller's rule (a
//! person's review).
//!
//! A plugin arrives as the bytes of a component, or of a core module that [`componentise`] makes one: [`Sandbox::upload`] checks ([`inspect`]) and compiles it, away from any
//! case; [`Sandbox::call`] answers one question. Plugins are known by the SHA-256 of their bytes, their [`Digest`].

// What a caller needs.
pub mod conformance;
pub mod contract;
pub mod limits;
mod sandbox;

// Loading a plugin.
pub mod cache;
pub mod compiler;
mod componentise;
mod confine;
mod engine;
mod gate;
mod hooks;
pub mod inspect;
mod load;
pub mod manifest;
mod plugins;
mod room;
mod rooms;

// Asking it.
pub mod answer;
mod call;
pub mod cell;
mod failure;
mod guest;
mod log;
mod measure;
#[cfg(feature = "mutants")]
mod mutant;
mod stats;

pub use crate::call::{Answer, Answered, Attempt, Call};
pub use crate::cell::Wall;
pub use crate::compiler::Compiler;
pub use crate::componentise::componentise;
pub use crate::contract::Hook;
pub use crate::failure::{
    CallError, Error, INFRASTRUCTURE_CODES, INTERRUPTED, PROCESS_LOST, RESTING, SAID_CODES, SUSPECT_CODES, TrapKind,
};
pub use crate::inspect::Refusal;
pub use crate::limits::{Class, Limits};
pub use crate::log::LogLine;
pub use crate::manifest::Manifest;
#[cfg(feature = "mutants")]
pub use crate::mutant::Mutant;
pub use crate::sandbox::{Config, Library, PluginInfo, Sandbox};
pub use crate::stats::Stats;

/// The SHA-256 of a plugin's bytes: its only name here.
pub type Digest = [u8; 32];
