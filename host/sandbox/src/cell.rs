//! The second wall: plugins run in processes of their own, so that one that breaks out of the sandbox, or brings the engine down, has
//! one process and the calls in it, and neither the database nor a key.
//!
//! A cell is such a process: this same program, started anew with nothing of its host but one socket. It takes machine code and
//! questions, and gives what a plugin said or what stopped it. It closes itself in before it sees a plugin: no file, no network, no
//! other process, a bounded memory. The host believes none of what comes back: an answer is measured and checked there, as it is
//! where plugins run in the host itself. Every plugin of every merchant may use the same cell, one call at a time, each in an instance
//! of its own.

#[cfg(target_os = "linux")]
mod cage;
#[cfg(not(target_os = "linux"))]
#[path = "cell/no_cage.rs"]
mod cage;
mod inside;
mod link;
mod pool;
mod process;
mod shelf;
mod wire;

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;

pub use self::inside::serve;
pub(crate) use self::pool::Cells;
use crate::Digest;
use crate::compiler::this_program;
use crate::contract::{Hook, Major};

/// Where plugins run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Wall {
    /// In this process, behind the sandbox alone.
    #[default]
    Sandbox,
    /// In processes of their own, each with a sandbox.
    Cells(Program),
}

impl Wall {
    /// Cells of this program itself, started with one argument. It is found even when its file was replaced meanwhile, since another
    /// version might run plugins otherwise.
    #[must_use]
    pub fn this_program(argument: &str) -> Self {
        Self::Cells(Program { path: this_program(), args: vec![argument.into()] })
    }
}

/// The program of a cell: it calls [`serve`] when it is started with these arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// The file.
    pub path: PathBuf,
    /// The arguments.
    pub args: Vec<OsString>,
}

/// A plugin as it is kept for cells, which take it when they are first asked.
pub(crate) struct Kept {
    pub(crate) digest: Digest,
    pub(crate) major: Major,
    pub(crate) hooks: Vec<Hook>,
    pub(crate) code: Arc<Vec<u8>>,
}
