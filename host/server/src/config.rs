//! Limits and settings of a host, each with its reason.

use std::time::Duration;

use redress_domain::clock::Span;
use redress_sandbox::{Compiler, Wall};

use crate::engine::workers::Rate;

/// What a host allows itself and its tenants.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Threads that run turns; as many stand behind them, for tenants over their budget. Plugins compute and never wait, so more threads
    /// than cores gain nothing.
    pub turn_workers: usize,
    /// Turns of one tenant that may wait for a worker: about a second of work; more would only hide overload.
    pub tenant_turns_queued_max: usize,
    /// What the plugins of one tenant may compute before its turns get what the turns of others leave of the cores. A unit of fuel is
    /// about a nanosecond: a fiftieth of one core, and a quarter of a second of that at once. It is 150 cases a second with the stock
    /// plugins, or 4 decisions of a plugin in JavaScript, and half of a call that uses up all its fuel. Turns that are shorter than a long one give way to
    /// nobody.
    pub plugin_rate: Rate,
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
    /// What is allowed on the way to providers.
    pub outbox: Outbox,
    /// What tests of workflows may cost.
    pub trials: Trials,
    /// Where uploaded plugins are compiled: the binary does it in a process of its own for each, whose time and memory end with it.
    pub plugin_compiler: Compiler,
    /// Where plugins run.
    pub plugin_wall: Wall,
}

/// What tests of workflows may cost: they are a merchant's, and run on the host's threads.
#[derive(Debug, Clone, Copy)]
pub struct Trials {
    /// Tests of one workflow, inside and beside it.
    pub tests_max: usize,
    /// How long all tests of a workflow may take together. A test takes some milliseconds.
    pub within: Span,
    /// How often one test may be looked at for what is due: each timer and each attempt of an effect costs one or two.
    pub rounds_max: usize,
}

impl Default for Trials {
    fn default() -> Self {
        Self { tests_max: 400, within: Span::from_millis(20_000), rounds_max: 2_000 }
    }
}

/// What the outbox allows itself and the receivers of effects.
#[derive(Debug, Clone)]
pub struct Outbox {
    /// How long an effect that is taken stays ours. It outlives the slowest request several times, so that only a process that
    /// died loses one.
    pub lease: Span,
    /// How long one request may take: a provider that thinks longer answers `202`.
    pub request_timeout: Duration,
    /// How long a connection may take to come about; who does not answer by then is not there.
    pub connect_timeout: Duration,
    /// As much of an answer as is read: an outcome and a reference are some hundred bytes.
    pub answer_bytes_max: usize,
    /// Effects of one tenant that are on their way at once.
    pub tenant_sending_max: usize,
    /// Effects that are on their way to one host at once, so that one that hangs does not hold up all others.
    pub host_sending_max: usize,
    /// The longest pause after a first failure; it doubles with each.
    pub retry_first: Span,
    /// The longest pause at all, also where the receiver asks for a longer one.
    pub retry_max: Span,
    /// For how long a message is tried.
    pub notice_lifetime: Span,
    /// How long a stop waits for what is under way; the rest is sent again after the next start.
    pub stop_within: Duration,
}

impl Default for Outbox {
    fn default() -> Self {
        Self {
            lease: Span::from_millis(60_000),
            request_timeout: Duration::from_secs(10),
            connect_timeout: Duration::from_secs(3),
            answer_bytes_max: 64 << 10,
            tenant_sending_max: 16,
            host_sending_max: 8,
            retry_first: Span::from_millis(5_000),
            retry_max: Span::from_millis(3_600_000),
            notice_lifetime: Span::from_days(3),
            stop_within: Duration::from_secs(12),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            turn_workers: std::thread::available_parallelism().map_or(2, usize::from),
            tenant_turns_queued_max: 4_096,
            plugin_rate: Rate { fuel_per_second: 20_000_000, burst: 5_000_000, long_turn: 1_000_000 },
            case_commands_waiting_max: 64,
            turn_conflicts_max: 5,
            due_claimed_max: 64,
            due_lease: Span::from_millis(30_000),
            tenant_cache_bytes: 64 << 20,
            outbox: Outbox::default(),
            trials: Trials::default(),
            plugin_compiler: Compiler::InProcess,
            plugin_wall: Wall::Sandbox,
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
    /// Bytes of a body that needs no place of its own: with `requests_max` they bound what small bodies hold, 64 MiB.
    pub small_body_bytes: u64,
    /// Larger bodies, and those of unknown length, at once. With the largest that a route takes (24 MiB, twice while it is read)
    /// they bound what bodies hold.
    pub large_bodies_max: usize,
    /// Bytes of a request's head: ours have a few hundred, cookies of strangers some thousand.
    pub head_bytes_max: usize,
    /// From a request's first byte to the end of its head.
    pub head: Duration,
    /// From the end of its head to the end of its body: 2 MiB over a slow line, an interpreter of 24 MiB over a good one.
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
            small_body_bytes: 64 << 10,
            large_bodies_max: 32,
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
