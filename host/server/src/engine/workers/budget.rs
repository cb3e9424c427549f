//! What the plugins of a tenant may compute before its turns get what those of others leave: a bucket of fuel that fills with time.
//!
//! A tenant in debt loses nothing while nobody else has anything to do, and nothing either while its turns are short: those take turns
//! with the turns of others. It is a long turn that keeps a core from them.

use std::time::Duration;

/// How a bucket fills.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Fuel that a second gives back.
    pub fuel_per_second: u64,
    /// Most fuel that a tenant saves up, and so what a burst may use.
    pub burst: u64,
    /// Fuel from which on a turn is long.
    pub long_turn: u64,
}

/// Fuel that a tenant has left.
#[derive(Debug, Clone, Copy)]
pub(super) struct Budget {
    /// Negative: in debt.
    left: i64,
    /// When that was, since the threads were started.
    at: Duration,
    /// Until when its last long turn counts.
    long_until: Duration,
}

impl Budget {
    /// Of a tenant that has used nothing.
    pub(super) fn full(rate: Rate, at: Duration) -> Self {
        Self { left: signed(rate.burst), at, long_until: Duration::ZERO }
    }

    /// Fill it up to this moment.
    fn fill(&mut self, rate: Rate, now: Duration) {
        // In whole milliseconds; what is left of one counts with the next.
        let passed = u64::try_from(now.saturating_sub(self.at).as_millis()).unwrap_or(u64::MAX);
        if passed == 0 {
            return;
        }
        let gained = u128::from(rate.fuel_per_second).saturating_mul(passed.into()) / 1_000;
        let gained = i64::try_from(gained).unwrap_or(i64::MAX);
        self.left = self.left.saturating_add(gained).min(signed(rate.burst));
        self.at = self.at.saturating_add(Duration::from_millis(passed));
    }

    /// The plugins of a turn used so much.
    pub(super) fn spend(&mut self, rate: Rate, fuel: u64, now: Duration) {
        self.fill(rate, now);
        // A debt is forgotten within seconds, however large it was: it keeps others safe and punishes nobody.
        let floor = signed(rate.fuel_per_second).saturating_mul(-DEBT_SECONDS_MAX);
        self.left = self.left.saturating_sub(signed(fuel)).max(floor);
        if fuel >= rate.long_turn {
            self.long_until = now.saturating_add(LONG_COUNTS_FOR);
        }
    }

    /// Whether its turns give way to those of others: it is in debt, and not by short turns alone.
    pub(super) fn gives_way(&mut self, rate: Rate, now: Duration) -> bool {
        self.is_in_debt(rate, now) && now < self.long_until
    }

    /// Whether it used more than it was given.
    fn is_in_debt(&mut self, rate: Rate, now: Duration) -> bool {
        self.fill(rate, now);
        self.left < 0
    }

    /// Whether it is as if nothing had been used: it need not be kept.
    pub(super) fn is_full(&mut self, rate: Rate, now: Duration) -> bool {
        self.fill(rate, now);
        self.left >= signed(rate.burst) && now >= self.long_until
    }
}

/// Seconds after which a debt is paid off.
const DEBT_SECONDS_MAX: i64 = 5;

/// How long it is remembered that a turn was long; as long as the debt of such turns lasts at most.
const LONG_COUNTS_FOR: Duration = Duration::from_secs(DEBT_SECONDS_MAX.unsigned_abs());

fn signed(fuel: u64) -> i64 {
    i64::try_from(fuel).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate { fuel_per_second: 1_000, burst: 2_000, long_turn: 600 };

    /// One of which no turn is long.
    const SHORT: Rate = Rate { long_turn: u64::MAX, ..RATE };

    fn at(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn a_burst_is_free_and_what_is_over_it_is_paid_off_by_time() {
        let mut budget = Budget::full(SHORT, at(0));
        budget.spend(SHORT, 2_000, at(0));
        assert!(!budget.is_in_debt(SHORT, at(0)));
        budget.spend(SHORT, 500, at(0));
        assert!(budget.is_in_debt(SHORT, at(0)) && budget.is_in_debt(SHORT, at(499)));
        assert!(!budget.is_in_debt(SHORT, at(500)));
        assert!(!budget.is_full(SHORT, at(2_499)));
        assert!(budget.is_full(SHORT, at(2_500)));
    }

    #[test]
    fn short_turns_give_way_to_nobody_however_many_and_a_long_one_does_as_long_as_the_debt_lasts() {
        let mut budget = Budget::full(RATE, at(0));
        for _ in 0..20 {
            budget.spend(RATE, 599, at(0));
        }
        assert!(budget.is_in_debt(RATE, at(0)) && !budget.gives_way(RATE, at(0)));
        budget.spend(RATE, 600, at(0));
        assert!(budget.gives_way(RATE, at(0)) && budget.gives_way(RATE, at(4_999)));
        // It is in debt again, and its long turn was long ago.
        budget.spend(RATE, 599, at(5_000));
        assert!(budget.is_in_debt(RATE, at(5_000)) && !budget.gives_way(RATE, at(5_000)));
    }

    #[test]
    fn a_long_turn_within_the_budget_gives_way_to_nobody() {
        let mut budget = Budget::full(RATE, at(0));
        budget.spend(RATE, 2_000, at(0));
        assert!(!budget.gives_way(RATE, at(0)));
        budget.spend(RATE, 1, at(0));
        assert!(budget.gives_way(RATE, at(0)));
    }

    #[test]
    fn a_long_turn_is_remembered_though_it_was_paid_for() {
        let mut budget = Budget::full(RATE, at(0));
        budget.spend(RATE, 600, at(0));
        assert!(!budget.is_full(RATE, at(4_999)), "forgotten with what it cost");
        budget.spend(RATE, 599, at(4_999));
        assert!(!budget.is_full(RATE, at(4_999)) && budget.is_full(RATE, at(5_600)));
    }

    #[test]
    fn however_often_it_is_looked_at_it_fills_as_fast() {
        let mut budget = Budget::full(RATE, at(0));
        budget.spend(RATE, 3_000, at(0));
        for looks in 1..500 {
            assert!(budget.is_in_debt(RATE, Duration::from_micros(1_900 * looks)), "{looks}");
        }
        assert!(!budget.is_in_debt(RATE, at(1_000)));
    }

    #[test]
    fn no_debt_lasts_longer_than_some_seconds_and_nothing_is_saved_up_beyond_a_burst() {
        let mut budget = Budget::full(RATE, at(0));
        budget.spend(RATE, u64::MAX, at(0));
        assert!(budget.is_in_debt(RATE, at(4_999)));
        assert!(!budget.is_in_debt(RATE, at(5_000)));
        assert!(budget.is_full(RATE, at(1_000_000)));
        budget.spend(RATE, 2_001, at(1_000_000));
        assert!(budget.is_in_debt(RATE, at(1_000_000)));
        // A clock that does not go on gives nothing.
        assert!(budget.is_in_debt(RATE, at(0)));
    }
}
