//! The only place that reads the clock and the machine's randomness. Everything else is handed both.

pub mod machine;
pub mod steady;

use std::fmt::Debug;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use redress_domain::clock::Instant;

/// Time and randomness for one host.
pub trait Clock: Debug + Send + Sync {
    /// The server's time.
    fn now(&self) -> Instant;

    /// Fresh random bits.
    fn random(&self) -> u128;
}

/// The machine's own.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Instant {
        wall()
    }

    fn random(&self) -> u128 {
        u128::from_le_bytes(random_bytes())
    }
}

/// What the machine says the time is.
#[expect(clippy::disallowed_methods, reason = "this is the one module that reads the clock")]
pub(crate) fn wall() -> Instant {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Instant::from_unix_ms(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// Fresh random bytes of the machine.
pub fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    // Without randomness ids would collide and keys be guessed: there is no way on.
    getrandom::fill(&mut bytes).expect("the machine has randomness");
    bytes
}

/// A clock that stands still until it is moved, with randomness that repeats: for replay and for trying things out.
#[derive(Debug)]
pub struct FixedClock {
    now: AtomicI64,
    drawn: AtomicU64,
}

impl FixedClock {
    /// Stands at this instant.
    pub fn at(now: Instant) -> Self {
        Self { now: AtomicI64::new(now.unix_ms()), drawn: AtomicU64::new(0) }
    }

    /// Move it.
    pub fn set(&self, now: Instant) {
        self.now.store(now.unix_ms(), Ordering::SeqCst);
    }
}

impl Clock for FixedClock {
    fn now(&self) -> Instant {
        Instant::from_unix_ms(self.now.load(Ordering::SeqCst))
    }

    fn random(&self) -> u128 {
        let n = u128::from(self.drawn.fetch_add(1, Ordering::SeqCst)) + 1;
        // An odd multiplier visits every value once.
        n.wrapping_mul(0x2545_f491_4f6c_dd1d_9e37_79b9_7f4a_7c15)
    }
}
