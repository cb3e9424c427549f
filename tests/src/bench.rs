//! Figures of the plugin sandbox, for `cargo xtask bench`: what a call costs, and what hostile plugins cost a neighbour.
//!
//! Every figure that is promised is a ratio in one run, or a median: machines differ, and so do their evenings.

pub mod hostile;
pub mod plugin;

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// How far it is, on a terminal.
fn progress(steps: usize) -> anyhow::Result<ProgressBar> {
    let bar = ProgressBar::new(u64::try_from(steps)?);
    bar.set_style(ProgressStyle::with_template("{bar:30} {pos}/{len} {elapsed_precise}")?);
    Ok(bar)
}

/// A value at a place of a sorted list, in thousandths: 500 is the median, 990 the p99.
fn at(sorted: &[Duration], thousandths: usize) -> Duration {
    let place = sorted.len().saturating_sub(1) * thousandths / 1_000;
    sorted.get(place).copied().unwrap_or_default()
}

/// How many times `of` is in `this`, as text with two places: no figure of ours is a float.
fn ratio(this: u128, of: u128) -> String {
    let hundredths = this * 100 / of.max(1);
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

/// Memory that this process holds, in KiB.
fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.split_whitespace().next().and_then(|number| number.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{at, ratio};

    #[test]
    fn a_place_in_a_list_and_a_ratio_are_what_they_say() {
        let list: Vec<Duration> = (1..=200).map(Duration::from_micros).collect();
        assert_eq!(at(&list, 500), Duration::from_micros(100));
        assert_eq!(at(&list, 990), Duration::from_micros(198));
        assert_eq!(at(&[], 500), Duration::ZERO);
        assert_eq!((ratio(3, 2), ratio(1, 0)), ("1.50".to_owned(), "1.00".to_owned()));
    }
}
