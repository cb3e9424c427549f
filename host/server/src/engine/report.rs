//! What an import took in and what it left out, and why: kept with the tenant, printed at the end.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// How many examples of each kind are told; all are counted.
pub(crate) const EXAMPLES_MAX: u64 = 5;

/// What an import came to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The name of the mapping.
    pub mapping: String,
    /// The name of the source.
    pub source: String,
    /// The files, in the order in which they were read.
    pub files: Vec<String>,
    /// How many rows they have.
    pub rows: u64,
    /// How many orders these rows are.
    pub orders: u64,
    /// With how many lines.
    pub order_lines: u64,
    /// How many cases these rows are.
    pub cases: u64,
    /// With how many lines.
    pub case_lines: u64,
    /// Rows that a rule leaves out, by the reason that the rule names; only what is not 0.
    pub skipped: BTreeMap<String, u64>,
    /// Rows that could not be read, by what was wrong.
    pub row_errors: BTreeMap<String, u64>,
    /// Rows that were taken although something is odd about them.
    pub warnings: BTreeMap<String, u64>,
    /// The first of each kind of row error and warning.
    pub examples: Vec<Example>,
    /// What became of the orders.
    pub put: Handed,
    /// What became of the cases.
    pub opened: Handed,
    /// New cases that are earlier than one of their customer that was decided before this import.
    pub out_of_order: u64,
}

/// What became of the orders, or of the cases, that were handed in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handed {
    /// Not known before.
    pub new: u64,
    /// Known, with the same content.
    pub unchanged: u64,
    /// Known with other content: reported, not applied.
    pub changed: u64,
    /// Refused by the rules.
    pub refused: u64,
    /// The first that were changed or refused.
    pub examples: Vec<Refused>,
}

/// An order or a case that was not taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// Its number in the source.
    pub id: String,
    /// A stable code; `changed` where other content is known under the number.
    pub code: String,
    /// For a person.
    pub message: String,
}

/// A row that something is wrong with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Example {
    /// Where it stands.
    pub place: Place,
    /// Under which name it is counted.
    pub kind: String,
    /// For a person; never quotes what the row says.
    pub message: String,
}

/// A place in the files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The file, as it was named.
    pub file: String,
    /// The line in it, from 1.
    pub line: u64,
}

impl Handed {
    /// Count one that was not taken.
    pub(crate) fn refuse(&mut self, id: &str, code: &str, message: String) {
        self.refused += 1;
        self.example(id, code, message);
    }

    /// Count one that is known with other content.
    pub(crate) fn change(&mut self, id: &str) {
        self.changed += 1;
        self.example(id, "changed", "other content is known under this number and was kept".to_owned());
    }

    fn example(&mut self, id: &str, code: &str, message: String) {
        if self.examples.iter().filter(|known| known.code == code).count() < EXAMPLES_MAX as usize {
            self.examples.push(Refused { id: id.to_owned(), code: code.to_owned(), message });
        }
    }
}
