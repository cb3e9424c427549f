//! `cargo xtask test`: everything that must hold before a change is handed in.
//!
//! Steps run one after the other, each with its time. A failed step stops only the steps that need it, so that one run shows
//! everything. The last line is `N passed, N failed`, with `, N skipped` where something was: tests count as their runners
//! report them; a step counts only when it fails without a failed test of its own (one failed) or is skipped (one skipped).

mod steps;
mod tally;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use tally::Tally;

/// Run all steps. Success only if nothing failed; the counts are the last line in either case.
pub(crate) fn run(root: &Path) -> ExitCode {
    let mut run = Run { root: root.to_owned(), tree_before: steps::tree(root), tally: Tally::default() };
    let reports = run_steps(steps::STEPS, &mut run);
    println!("\n== summary");
    for report in &reports {
        println!("{report}");
    }
    println!("{}", run.tally);
    if run.tally.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// What the steps share.
struct Run {
    root: PathBuf,
    /// What git called changed before the first step; none outside a checkout.
    tree_before: Option<String>,
    tally: Tally,
}

struct Step {
    name: &'static str,
    /// Steps without whose success this one would only repeat their failure.
    needs: &'static [&'static str],
    run: fn(&mut Run) -> anyhow::Result<Outcome>,
}

/// How a step that did not fail came out.
enum Outcome {
    Passed,
    /// Not run, and why.
    Skipped(String),
}

/// How a step ended, failures included.
enum End {
    Passed,
    Skipped(String),
    Failed(anyhow::Error),
}

struct Report {
    name: &'static str,
    took: Duration,
    end: End,
}

impl std::fmt::Display for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (name, took) = (self.name, format!("{:.1?}", self.took));
        match &self.end {
            End::Passed => write!(f, "ok      {name:<18} {took}"),
            End::Skipped(why) => write!(f, "SKIPPED {name:<18} {took}: {why}"),
            End::Failed(error) => write!(f, "FAILED  {name:<18} {took}: {error:#}"),
        }
    }
}

fn run_steps(steps: &[Step], run: &mut Run) -> Vec<Report> {
    let mut reports: Vec<Report> = Vec::new();
    for step in steps {
        println!("\n== {}", step.name);
        let started = Instant::now();
        let missing =
            step.needs.iter().find(|need| !reports.iter().any(|r| r.name == **need && matches!(r.end, End::Passed)));
        let end = match missing {
            Some(need) => End::Skipped(format!("needs `{need}`, which did not pass")),
            None => run_step(step, run),
        };
        if matches!(end, End::Skipped(_)) {
            run.tally.skipped += 1;
        }
        let report = Report { name: step.name, took: started.elapsed(), end };
        println!("{report}");
        reports.push(report);
    }
    reports
}

fn run_step(step: &Step, run: &mut Run) -> End {
    let failed_before = run.tally.failed;
    match (step.run)(run) {
        Ok(Outcome::Passed) => End::Passed,
        Ok(Outcome::Skipped(why)) => End::Skipped(why),
        Err(error) => {
            if run.tally.failed == failed_before {
                run.tally.failed += 1;
            }
            End::Failed(error)
        }
    }
}

#[cfg(test)]
mod tests {
    use anyhow::bail;

    use super::*;

    fn run_all(steps: &[Step]) -> (String, Vec<String>) {
        let mut run = Run { root: PathBuf::new(), tree_before: None, tally: Tally::default() };
        let reports = run_steps(steps, &mut run);
        (
            run.tally.to_string(),
            reports.iter().map(|r| r.to_string().split_whitespace().take(2).collect::<Vec<_>>().join(" ")).collect(),
        )
    }

    const fn step(
        name: &'static str,
        needs: &'static [&'static str],
        run: fn(&mut Run) -> anyhow::Result<Outcome>,
    ) -> Step {
        Step { name, needs, run }
    }

    fn passes(run: &mut Run) -> anyhow::Result<Outcome> {
        run.tally.line("test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s");
        Ok(Outcome::Passed)
    }

    fn fails(_: &mut Run) -> anyhow::Result<Outcome> {
        bail!("it does not compile")
    }

    fn fails_by_two_tests(run: &mut Run) -> anyhow::Result<Outcome> {
        run.tally
            .line("test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s");
        bail!("two tests failed")
    }

    #[test]
    fn a_failed_step_stops_only_what_needs_it() {
        let (tally, reports) =
            run_all(&[step("build", &[], fails), step("use", &["build"], passes), step("other", &[], passes)]);
        assert_eq!(reports, ["FAILED build", "SKIPPED use", "ok other"]);
        assert_eq!(tally, "3 passed, 1 failed, 1 skipped");
    }

    #[test]
    fn failed_tests_are_not_counted_again_as_a_failed_step() {
        let (tally, _) = run_all(&[step("test", &[], fails_by_two_tests), step("lint", &[], fails)]);
        assert_eq!(tally, "1 passed, 3 failed");
    }

    #[test]
    fn every_need_names_an_earlier_step() {
        for (at, step) in steps::STEPS.iter().enumerate() {
            for need in step.needs {
                assert!(steps::STEPS[..at].iter().any(|earlier| earlier.name == *need), "{} needs {need}", step.name);
            }
        }
    }
}
