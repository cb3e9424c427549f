//! Plugins that fail again and again rest for a while: nobody waits for what fails anyway, and the cases go to a person at once.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use redress_domain::ask::Failure;
use redress_domain::clock::{Instant, Span};
use redress_domain::ids::Digest;
use redress_sandbox::RESTING;

use super::Engine;

/// Failures in a row after which a component rests.
const FAILURES: u32 = 5;
/// How long it rests first.
const FIRST: Span = Span::from_millis(1_000);
/// How long it rests at most. Each time that it fails again it rests twice as long.
const LONGEST: Span = Span::from_millis(300_000);

impl Engine {
    /// Until when a component is not asked, because it failed again and again.
    pub fn rests_until(&self, component: Digest) -> Option<Instant> {
        self.0.breakers.until(component).filter(|until| *until > self.clock().now())
    }
}

/// The components that failed lately.
#[derive(Debug, Default)]
pub(super) struct Breakers(Mutex<BTreeMap<Digest, Breaker>>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Breaker {
    /// Failures in a row.
    failures: u32,
    /// The last of them.
    code: String,
    /// Until when it rests.
    until: Option<Instant>,
    /// How long it rests the next time.
    next: Span,
}

impl Breakers {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<Digest, Breaker>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How a component that rests fails. Once its time is over one question is let through, and what comes of it decides.
    pub(super) fn resting(&self, component: Digest, now: Instant) -> Option<Failure> {
        let mut all = self.lock();
        let breaker = all.get_mut(&component)?;
        let until = breaker.until?;
        if now >= until {
            // Others go on resting until this one is answered.
            breaker.until = Some(now.after(breaker.next));
            return None;
        }
        let (failures, code) = (breaker.failures, &breaker.code);
        let detail =
            format!("plugin failed {failures} times in a row, at last with {code}; it is asked again at {until}");
        Some(Failure { code: RESTING.to_owned(), detail, reasons: Vec::new() })
    }

    /// A component answered, or said by itself that it cannot.
    pub(super) fn answered(&self, component: Digest) {
        self.lock().remove(&component);
    }

    /// A component failed.
    pub(super) fn failed(&self, component: Digest, code: &str, now: Instant) {
        let mut all = self.lock();
        let new = || Breaker { failures: 0, code: String::new(), until: None, next: FIRST };
        let breaker = all.entry(component).or_insert_with(new);
        breaker.failures = breaker.failures.saturating_add(1);
        breaker.code = code.to_owned();
        if breaker.failures >= FAILURES {
            let until = now.after(breaker.next);
            breaker.until = Some(until);
            breaker.next = Span::from_millis(breaker.next.millis().saturating_mul(2).min(LONGEST.millis()));
            tracing::warn!(plugin.digest = %component, code, "plugin failed {} times in a row and rests until {until}", breaker.failures);
        }
    }

    /// Until when a component rests.
    pub(super) fn until(&self, component: Digest) -> Option<Instant> {
        self.lock().get(&component)?.until
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Instant {
        Instant::from_unix_ms(millis)
    }

    #[test]
    fn it_rests_after_five_failures_in_a_row_and_twice_as_long_each_time() {
        let (breakers, one) = (Breakers::default(), Digest::of(b"one"));
        (0..4).for_each(|_| breakers.failed(one, "plugin_trap", at(0)));
        assert_eq!(breakers.resting(one, at(0)), None);
        breakers.failed(one, "plugin_out_of_fuel", at(0));
        let failure = breakers.resting(one, at(999)).unwrap();
        assert_eq!(failure.code, "plugin_resting");
        assert!(failure.detail.starts_with("plugin failed 5 times in a row, at last with plugin_out_of_fuel"));
        // One is let through, the others go on resting.
        assert_eq!(breakers.resting(one, at(1_000)), None);
        assert!(breakers.resting(one, at(1_001)).is_some());
        breakers.failed(one, "plugin_trap", at(1_002));
        assert!(breakers.resting(one, at(3_001)).is_some());
        assert_eq!(breakers.resting(one, at(3_002)), None);
        // However often it fails, it is asked again within five minutes.
        (0..40).for_each(|_| breakers.failed(one, "plugin_trap", at(10_000)));
        assert_eq!(breakers.resting(one, at(310_000)), None);
    }

    #[test]
    fn an_answer_ends_it_and_others_are_not_concerned() {
        let (breakers, one, two) = (Breakers::default(), Digest::of(b"one"), Digest::of(b"two"));
        (0..5).for_each(|_| breakers.failed(one, "plugin_trap", at(0)));
        assert_eq!(breakers.resting(two, at(0)), None);
        breakers.answered(one);
        assert_eq!((breakers.resting(one, at(0)), breakers.until(one)), (None, None));
        (0..4).for_each(|_| breakers.failed(one, "plugin_trap", at(0)));
        assert_eq!(breakers.resting(one, at(0)), None, "it is counted anew");
    }
}
