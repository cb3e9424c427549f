//! What the machine knows of time: a wall clock that people and programs set, and one that only ever counts.

use std::fmt::Debug;
use std::time::Duration;

use redress_domain::clock::Instant;

/// The two clocks of a machine. Tests have a machine of their own, whose wall clock jumps.
pub trait Machine: Debug + Send + Sync {
    /// The time of day; it may jump.
    fn wall(&self) -> Instant;

    /// How long the machine runs, including the time for which it slept.
    fn counted(&self) -> Duration;
}

/// This machine.
#[derive(Debug, Clone, Copy)]
pub struct ThisMachine;

impl Machine for ThisMachine {
    fn wall(&self) -> Instant {
        super::wall()
    }

    fn counted(&self) -> Duration {
        counted()
    }
}

/// A laptop that was closed for a night, or a machine that was suspended, has not stood still.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn counted() -> Duration {
    use rustix::time::{ClockId, clock_gettime};
    let at = clock_gettime(ClockId::Boottime);
    Duration::new(u64::try_from(at.tv_sec).unwrap_or(0), u32::try_from(at.tv_nsec).unwrap_or(0))
}

/// Elsewhere the standard library's: where it stands still while the machine sleeps, a sleep is seen as a jump.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn counted() -> Duration {
    use std::sync::OnceLock;
    static START: OnceLock<std::time::Instant> = OnceLock::new();
    START.get_or_init(std::time::Instant::now).elapsed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machine_counts_on() {
        let (before, after) = (ThisMachine.counted(), ThisMachine.counted());
        assert!(before > Duration::ZERO && after >= before);
    }
}
