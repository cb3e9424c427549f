//! How fast an import was. Not part of the report: two runs with the same result differ in it.

use std::time::Duration;

/// How fast an import was.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Timings {
    /// Reading and gathering the rows.
    pub reading: Duration,
    /// Handing in the orders.
    pub orders: Duration,
    /// Handing in the cases.
    pub cases: Duration,
    /// How many cases were decided; those known before are not among them.
    pub decided: u64,
    /// How many turns that took.
    pub turns: u64,
    /// For each decided case, from handing it in until it was durable; sorted.
    latencies: Vec<Duration>,
}

impl Timings {
    pub(super) fn new(
        reading: Duration,
        orders: Duration,
        cases: Duration,
        turns: u64,
        latencies: Vec<Duration>,
    ) -> Self {
        let mut latencies = latencies;
        latencies.sort();
        Self { reading, orders, cases, decided: latencies.len() as u64, turns, latencies }
    }

    /// Cases decided in a second.
    pub fn cases_per_second(&self) -> u64 {
        per_second(self.decided, self.cases)
    }

    /// Turns in a second.
    pub fn turns_per_second(&self) -> u64 {
        per_second(self.turns, self.cases)
    }

    /// The time within which so many of a hundred turns were durable; zero where none was taken.
    pub fn percentile(&self, percent: usize) -> Duration {
        let place = (self.latencies.len() * percent).div_ceil(100).max(1) - 1;
        self.latencies.get(place).or(self.latencies.last()).copied().unwrap_or_default()
    }
}

fn per_second(count: u64, elapsed: Duration) -> u64 {
    let per = u128::from(count).saturating_mul(1_000_000).checked_div(elapsed.as_micros()).unwrap_or_default();
    u64::try_from(per).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_those_of_the_turns_that_were_taken() {
        let second = Duration::from_secs(1);
        let latencies = (1..=200).rev().map(Duration::from_millis).collect();
        let timings = Timings::new(second, second, second * 2, 300, latencies);
        assert_eq!(timings.percentile(50), Duration::from_millis(100));
        assert_eq!(timings.percentile(99), Duration::from_millis(198));
        assert_eq!(timings.percentile(100), Duration::from_millis(200));
        assert_eq!((timings.cases_per_second(), timings.turns_per_second()), (100, 150));
    }

    #[test]
    fn an_import_that_decided_nothing_has_no_speed() {
        assert_eq!(Timings::default().percentile(50), Duration::ZERO);
        assert_eq!(Timings::default().cases_per_second(), 0);
    }
}
