//! Limits and settings of a host, each with its reason.

use std::time::Duration;

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
    /// Due timers and continued runs of a tenant that are taken at once: as many as share a commit well. Its requests wait behind
    /// no more than these.
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
            due_claimed_max: 64,
            due_lease: Span::from_millis(30_000),
            tenant_cache_bytes: 64 << 20,
        }
    }
}

/// What clients may hold of a host that serves.
#[derive(Debug, Clone, Copy)]
pub struct Connections {
    /// Connections at once. Each costs some 30 KiB and a file handle.
    pub open_max: usize,
    /// Requests that are answered at once. Beyond it more would only wait for the same workers; those that come are told to
    /// come again.
    pub requests_max: usize,
    /// Bytes of a request's head: ours have a few hundred, cookies of strangers some thousand.
    pub head_bytes_max: usize,
    /// From a request's first byte to the end of its head.
    pub head: Duration,
    /// From the end of its head to the end of its body: 2 MiB over a slow line.
    pub body: Duration,
    /// Between two requests of a connection; load balancers keep theirs for 60 seconds, and it is they who should close first.
    pub idle: Duration,
    /// For the answer to begin, so that nobody waits for ever; streams may go on.
    pub answer: Duration,
    /// For a client to take something of its answer.
    pub stall: Duration,
    /// For what was asked before the host was told to stop.
    pub drain: Duration,
}

impl Default for Connections {
    fn default() -> Self {
        Self {
            open_max: 4_096,
            requests_max: 1_024,
            head_bytes_max: 16 << 10,
            head: Duration::from_secs(10),
            body: Duration::from_secs(30),
            idle: Duration::from_secs(75),
            answer: Duration::from_secs(60),
            stall: Duration::from_secs(30),
            drain: Duration::from_secs(10),
        }
    }
}
