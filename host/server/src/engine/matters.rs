//! The tenant's own matters, and who may change them: one at a time.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

use redress_sandbox::PluginInfo;

use super::Engine;

/// What those hold who change the tenant's own matters.
#[derive(Debug, Default)]
pub(super) struct Matters {
    publishing: Mutex<()>,
    moving: Mutex<()>,
    recording: Mutex<()>,
    held: Mutex<Vec<Arc<PluginInfo>>>,
}

impl Engine {
    /// The right to publish: one at a time, from computing what becomes active to making it so, so that two publishers do not undo
    /// each other.
    pub(crate) fn publishing(&self) -> MutexGuard<'_, ()> {
        self.0.matters.publishing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The right to publish, where nobody has it: for who runs on the threads of turns. Who has it may be running tests of a workflow
    /// there, and would wait for a thread that waits for them.
    pub(super) fn publishing_unless_busy(&self) -> Option<MutexGuard<'_, ()>> {
        match self.0.matters.publishing.try_lock() {
            Ok(alone) => Some(alone),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    /// The right to move cases to another revision, or to delete one. Not that of publishing: who holds it waits for turns, and what
    /// ends a canary runs among them.
    pub(crate) fn moving(&self) -> MutexGuard<'_, ()> {
        self.0.matters.moving.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The right to make a record of the tenant's own stream: those who make one at once wait for each other, instead of moving the
    /// stream under each other.
    pub(super) fn recording(&self) -> MutexGuard<'_, ()> {
        self.0.matters.recording.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The plugins that new cases call: they are loaded while they are here.
    pub(crate) fn held(&self) -> MutexGuard<'_, Vec<Arc<PluginInfo>>> {
        self.0.matters.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
