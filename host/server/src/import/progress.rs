//! How far something long is, as an import or a migration: a bar where somebody watches, a line now and then where a file or a pipe
//! does, nothing in tests.
//!
//! Everything goes to standard error; standard output is for the result.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// How often a line is written where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(5);

/// Tells how far something long is.
pub struct Progress {
    shows: Shows,
}

enum Shows {
    Nothing,
    Bar(ProgressBar),
    Lines(Lines),
}

/// What is being counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    Bytes,
    Things,
}

impl Progress {
    /// To standard error, in the form that suits whoever reads it.
    pub fn to_stderr() -> Self {
        let is_terminal = std::io::stderr().is_terminal();
        // A bar that draws nothing until its first phase begins.
        let shows = if is_terminal { Shows::Bar(ProgressBar::hidden()) } else { Shows::Lines(Lines::new()) };
        Self { shows }
    }

    /// To nobody.
    pub fn silent() -> Self {
        Self { shows: Shows::Nothing }
    }

    /// Something new begins, of which there will be so much.
    pub(crate) fn begin(&mut self, what: &'static str, total: u64, unit: Unit) {
        match &mut self.shows {
            Shows::Nothing => {}
            Shows::Bar(bar) => {
                *bar = ProgressBar::new(total).with_message(what).with_style(style(unit));
            }
            Shows::Lines(lines) => lines.begin(what, total),
        }
    }

    /// So much of it is done.
    pub(crate) fn reached(&mut self, done: u64) {
        match &mut self.shows {
            Shows::Nothing => {}
            Shows::Bar(bar) => bar.set_position(done),
            Shows::Lines(lines) => lines.reached(done),
        }
    }

    /// All of it is done.
    pub(crate) fn end(&mut self) {
        match &mut self.shows {
            Shows::Nothing => {}
            Shows::Bar(bar) => bar.finish(),
            Shows::Lines(lines) => lines.end(),
        }
    }
}

fn style(unit: Unit) -> ProgressStyle {
    let template = match unit {
        Unit::Bytes => "{msg:>8} [{bar:32}] {bytes}/{total_bytes}, {eta} left",
        Unit::Things => "{msg:>8} [{bar:32}] {human_pos}/{human_len}, {per_sec}, {eta} left",
    };
    // Both templates are ours; the library's own style is as good.
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

/// Lines for a log.
struct Lines {
    what: &'static str,
    total: u64,
    began: Instant,
    told: Instant,
}

impl Lines {
    fn new() -> Self {
        let now = Instant::now();
        Self { what: "", total: 0, began: now, told: now }
    }

    fn begin(&mut self, what: &'static str, total: u64) {
        *self = Self { what, total, ..Self::new() };
    }

    fn reached(&mut self, done: u64) {
        if self.told.elapsed() < LINE_EVERY {
            return;
        }
        self.told = Instant::now();
        let left = match seconds_left(self.began.elapsed(), done, self.total) {
            Some(seconds) => format!(", about {seconds} s left"),
            None => String::new(),
        };
        tell(&format!("{}: {} %{left}", self.what, percent(done, self.total)));
    }

    fn end(&self) {
        tell(&format!("{}: done in {} s", self.what, self.began.elapsed().as_secs()));
    }
}

/// Somebody who closed our standard error does not stop an import.
fn tell(line: &str) {
    drop(writeln!(std::io::stderr(), "{line}"));
}

fn percent(done: u64, total: u64) -> u64 {
    done.saturating_mul(100).checked_div(total).unwrap_or(100).min(100)
}

/// At the speed so far; unknown before anything was done.
fn seconds_left(elapsed: Duration, done: u64, total: u64) -> Option<u64> {
    let left = u128::from(total.saturating_sub(done));
    let millis = elapsed.as_millis().saturating_mul(left).checked_div(u128::from(done))?;
    u64::try_from(millis / 1_000).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_reckoned_at_the_speed_so_far() {
        assert_eq!(seconds_left(Duration::from_secs(10), 100, 400), Some(30));
        assert_eq!(seconds_left(Duration::from_secs(10), 0, 400), None);
        assert_eq!(seconds_left(Duration::from_secs(10), 401, 400), Some(0));
    }

    #[test]
    fn nothing_at_all_is_done_at_once() {
        assert_eq!([percent(0, 0), percent(1, 3), percent(9, 3)], [100, 33, 100]);
    }
}
