//! Where the checks of a document leave what they find, so that one run reports everything.

use std::cell::RefCell;

use crate::workflow::diagnostic::{Diagnostic, Severity};

/// How many problems of one document are reported: more would not be read.
pub const PROBLEMS_MAX: usize = 100;
/// How many are kept until they are sorted.
const KEPT_MAX: usize = 4 * PROBLEMS_MAX;
/// As much of a path, a message or a help as a person reads.
const TEXT_BYTES_MAX: usize = 1_024;

/// The problems found so far. Shared by every part of a check, hence the cell.
#[derive(Debug, Default)]
pub struct Problems {
    found: RefCell<Vec<Diagnostic>>,
    /// What refuses nothing, kept apart: it never takes the place of a problem.
    warned: RefCell<Vec<Diagnostic>>,
}

impl Problems {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Keep one more. Of a flood only those that stand first in the text are kept, and of what is said only its beginning: a
    /// hostile document must not become large by what is wrong with it.
    pub fn report(&self, diagnostic: Diagnostic) {
        let of = if diagnostic.severity == Severity::Warning { &self.warned } else { &self.found };
        let mut found = of.borrow_mut();
        found.push(shortened(diagnostic));
        if found.len() >= KEPT_MAX {
            cut(&mut found);
        }
    }

    /// Whether nothing is wrong so far; a warning says of nothing that it is.
    pub fn is_empty(&self) -> bool {
        self.found.borrow().is_empty()
    }

    /// All of them in the order of the text, each once, at most [`PROBLEMS_MAX`]; warnings as far as the problems leave room.
    pub fn into_sorted(self) -> Vec<Diagnostic> {
        let (mut found, mut warned) = (self.found.into_inner(), self.warned.into_inner());
        cut(&mut found);
        cut(&mut warned);
        warned.truncate(PROBLEMS_MAX - found.len());
        found.extend(warned);
        found.sort();
        found
    }
}

fn cut(found: &mut Vec<Diagnostic>) {
    found.sort();
    found.dedup();
    found.truncate(PROBLEMS_MAX);
}

fn shortened(diagnostic: Diagnostic) -> Diagnostic {
    Diagnostic {
        path: beginning(diagnostic.path),
        message: beginning(diagnostic.message),
        help: diagnostic.help.map(beginning),
        ..diagnostic
    }
}

fn beginning(mut text: String) -> String {
    if text.len() > TEXT_BYTES_MAX {
        text.truncate(text.floor_char_boundary(TEXT_BYTES_MAX));
        text.push('\u{2026}');
        // What was cut off is given back.
        text.shrink_to_fit();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workflow::diagnostic::Range;

    #[test]
    fn of_a_flood_those_that_stand_first_are_kept() {
        let problems = Problems::new();
        let report = |at: usize| problems.report(Diagnostic::new("x", Range::new(at, at), "y".repeat(at)));
        (0..5_000).rev().for_each(report);
        let found = problems.into_sorted();
        let places: Vec<_> = found.iter().map(|one| one.range.start).collect();
        assert_eq!(places, (0..PROBLEMS_MAX).collect::<Vec<_>>());
        let long = Problems::new();
        long.report(Diagnostic::new("x", Range::new(0, 0), "\u{e4}".repeat(5_000)));
        assert!(long.into_sorted()[0].message.len() <= TEXT_BYTES_MAX + 3);
    }

    #[test]
    fn a_warning_refuses_nothing_and_takes_no_problems_place() {
        let problems = Problems::new();
        (0..5_000).for_each(|at| problems.report(Diagnostic::new("w", Range::new(at, at), "").warning()));
        assert!(problems.is_empty());
        problems.report(Diagnostic::new("x", Range::new(9_000, 9_000), ""));
        assert!(!problems.is_empty());
        let found = problems.into_sorted();
        assert_eq!((found.len(), found[PROBLEMS_MAX - 1].code.as_str()), (PROBLEMS_MAX, "x"));
    }
}
