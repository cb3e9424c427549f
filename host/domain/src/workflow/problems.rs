//! Where the checks of a document leave what they find, so that one run reports everything.

use std::cell::RefCell;

use crate::workflow::diagnostic::Diagnostic;

/// How many problems of one document are reported: more would not be read.
pub const PROBLEMS_MAX: usize = 100;

/// The problems found so far. Shared by every part of a check, hence the cell.
#[derive(Debug, Default)]
pub struct Problems {
    found: RefCell<Vec<Diagnostic>>,
}

impl Problems {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Keep one more.
    pub fn report(&self, diagnostic: Diagnostic) {
        self.found.borrow_mut().push(diagnostic);
    }

    /// Whether nothing is wrong so far.
    pub fn is_empty(&self) -> bool {
        self.found.borrow().is_empty()
    }

    /// All of them in the order of the text, each once, at most [`PROBLEMS_MAX`].
    pub fn into_sorted(self) -> Vec<Diagnostic> {
        let mut found = self.found.into_inner();
        found.sort();
        found.dedup();
        found.truncate(PROBLEMS_MAX);
        found
    }
}
