//! What waits for its time: a loop for each tenant.
//!
//! ```text
//! something was stored ─┐
//! the first is due     ─┼─► a slice of what is due, and another one, until nothing is
//! a second has passed  ─┘
//! ```

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use redress_domain::clock::{Instant, Span};
use redress_store::work::Kind;
use tokio::sync::watch;

use super::tasks::{Stop, blocking};
use crate::engine::timers::Slice;
use crate::engine::{Engine, Error};

/// The host's clock may be moved, and the machine may have slept: it is looked at this often.
const LOOKED_AT_EVERY: Duration = Duration::from_secs(1);
/// Something is stored with every turn; that often and no more it is asked whether it is due sooner.
const STORED_PAUSE: Duration = Duration::from_millis(20);
/// When a slice found the queues full, others come first for so long.
const FULL_PAUSE: Duration = Duration::from_millis(50);
/// When the store failed.
const FAILED_PAUSE: Duration = Duration::from_secs(5);
/// A run that was cut goes on by itself; one that has not in this time was lost with its process.
const RESUMED_AFTER: Span = Span::from_millis(2_000);

/// How far behind a tenant's timers are, in milliseconds: for the figures.
#[derive(Debug, Clone, Default)]
pub(super) struct Lag(Arc<AtomicI64>);

impl Lag {
    /// How long the first of what is due has been waiting.
    pub(super) fn millis(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }

    fn set(&self, millis: i64) {
        self.0.store(millis.max(0), Ordering::Relaxed);
    }
}

/// Do what is due, until the host stops.
pub(super) async fn run(engine: Engine, lag: Lag, mut stop: Stop) {
    let mut changes = engine.changes();
    while !stop.is_told() {
        let pause = match blocking(&engine, pass).await {
            Ok(Pass { slice, next }) => {
                lag.set(overdue(&engine, next));
                match slice {
                    Slice { put_back: 1.., .. } => FULL_PAUSE,
                    Slice { claimed: 1.., .. } => Duration::ZERO,
                    _ => {
                        until_due(&engine, next, &mut changes, &mut stop).await;
                        continue;
                    }
                }
            }
            Err(error) => {
                tracing::error!(tenant = %engine.record().slug, code = error.code(), "due work could not be taken: {error}");
                FAILED_PAUSE
            }
        };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = stop.told() => {}
        }
    }
}

/// One look at what is due.
struct Pass {
    slice: Slice,
    next: Option<Instant>,
}

fn pass(engine: &Engine) -> Result<Pass, Error> {
    let now = engine.clock().now();
    engine.plan_schedules(now)?;
    let timers = engine.run_due_slice(&[Kind::Message, Kind::Timer, Kind::Schedule], now)?;
    let lost = engine.run_due_slice(&[Kind::Command], before(now))?;
    let slice = Slice {
        claimed: timers.claimed + lost.claimed,
        done: timers.done + lost.done,
        put_back: timers.put_back + lost.put_back,
    };
    let timer = engine.next_due(Kind::Timer)?;
    let message = engine.next_due(Kind::Message)?;
    let schedule = engine.next_due(Kind::Schedule)?;
    let lost = engine.next_due(Kind::Command)?.map(|due| due.after(RESUMED_AFTER));
    Ok(Pass { slice, next: [timer, message, schedule, lost].into_iter().flatten().min() })
}

/// For how long the first of what is due has been due.
fn overdue(engine: &Engine, next: Option<Instant>) -> i64 {
    next.map_or(0, |next| engine.clock().now().unix_ms() - next.unix_ms())
}

fn before(now: Instant) -> Instant {
    now.after(Span::from_millis(-RESUMED_AFTER.millis()))
}

/// Wait until something is due, or something was stored that may be due sooner. Nothing is read meanwhile.
async fn until_due(engine: &Engine, next: Option<Instant>, changes: &mut watch::Receiver<u64>, stop: &mut Stop) {
    loop {
        let left = next.map_or(i64::MAX, |_| -overdue(engine, next));
        if left <= 0 {
            return;
        }
        let pause = Duration::from_millis(left.unsigned_abs()).min(LOOKED_AT_EVERY);
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            // The engine lives as long as this loop, and so does its end of the channel.
            _ = changes.changed() => {
                tokio::time::sleep(STORED_PAUSE).await;
                changes.mark_unchanged();
                return;
            }
            () = stop.told() => return,
        }
    }
}
