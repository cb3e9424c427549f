//! Limits and settings of a host, each with its reason.

use redress_domain::clock::Span;

/// What a host allows itself and its tenants.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Threads that run turns. Plugins compute and never wait, so more threads than cores gain nothing.
    pub turn_workers: usize,
    /// Turns of one tenant that may wait for a worker: about a second of work; more would only hide overload.
    pub tenant_turns_queued_max: usize,
    /// Commands that may wait for the one case they are all for: more is a sender that does not wait for answers.
    pub case_commands_waiting_max: usize,
    /// How often a turn is computed again after another one moved what it read.
    pub turn_conflicts_max: u32,
    /// Due timers and continued runs that are taken at once.
    pub due_claimed_max: usize,
    /// How long a taken timer is ours before another pass may take it.
    pub due_lease: Span,
    /// Page cache of an open tenant, bytes.
    pub tenant_cache_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            turn_workers: std::thread::available_parallelism().map_or(2, usize::from),
            tenant_turns_queued_max: 4_096,
            case_commands_waiting_max: 64,
            turn_conflicts_max: 5,
            due_claimed_max: 256,
            due_lease: Span::from_millis(30_000),
            tenant_cache_bytes: 64 << 20,
        }
    }
}
