//! What test runners report, summed.

use std::fmt;

/// Tests counted over all runners.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tally {
    /// Tests that passed.
    pub(super) passed: u64,
    /// Tests, or steps without tests, that failed.
    pub(super) failed: u64,
    /// Tests, or steps, that were not run.
    pub(super) skipped: u64,
}

impl Tally {
    /// Take up one line of a runner's output; only its closing line `test result: …` counts.
    pub(super) fn line(&mut self, line: &str) {
        let Some((_, result)) = line.split_once("test result:") else { return };
        let mut previous = "";
        for word in result.split_whitespace() {
            let count = || previous.parse::<u64>().unwrap_or(0);
            match word {
                "passed;" => self.passed += count(),
                "failed;" => self.failed += count(),
                "ignored;" => self.skipped += count(),
                _ => {}
            }
            previous = word;
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)?;
        if self.skipped > 0 { write!(f, ", {} skipped", self.skipped) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runners_are_summed_and_other_lines_do_not_count() {
        let mut tally = Tally::default();
        for line in [
            "running 7 tests",
            "test result: ok. 7 passed; 0 failed; 1 ignored; 0 measured; 4 filtered out; finished in 0.01s",
            "test a_test_of_99_passed_things ... ok",
            "test result: FAILED. 2 passed; 3 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.20s\n",
        ] {
            tally.line(line);
        }
        assert_eq!(tally, Tally { passed: 9, failed: 3, skipped: 1 });
    }

    #[test]
    fn nothing_skipped_is_not_mentioned() {
        assert_eq!(Tally { passed: 9, failed: 0, skipped: 0 }.to_string(), "9 passed, 0 failed");
        assert_eq!(Tally { passed: 9, failed: 1, skipped: 2 }.to_string(), "9 passed, 1 failed, 2 skipped");
    }
}
