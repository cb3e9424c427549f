//! What an import took in and what it left out, and why: kept with the tenant, printed at the end.

use std::collections::BTreeMap;

use redress_domain::ids::Slug;
use serde::{Deserialize, Serialize};

use super::rows::RowError;

/// How many examples of each kind are told; all are counted.
const EXAMPLES_MAX: u64 = 5;

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

/// What is counted while rows are gathered.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) rows: u64,
    pub(super) order_lines: u64,
    pub(super) case_lines: u64,
    pub(super) orders: Group,
    pub(super) cases: Group,
    skipped: BTreeMap<String, u64>,
    row_errors: BTreeMap<String, u64>,
    warnings: BTreeMap<String, u64>,
    examples: Vec<Example>,
}

/// Orders or cases: how many the rows are, and those that cannot be one.
#[derive(Debug, Default)]
pub(super) struct Group {
    pub(super) found: u64,
    handed: Handed,
}

impl Handed {
    /// Count one that was not taken.
    pub(super) fn refuse(&mut self, id: &str, code: &str, message: String) {
        self.refused += 1;
        self.example(id, code, message);
    }

    /// Count one that is known with other content.
    pub(super) fn change(&mut self, id: &str) {
        self.changed += 1;
        self.example(id, "changed", "other content is known under this number and was kept".to_owned());
    }

    fn example(&mut self, id: &str, code: &str, message: String) {
        if self.examples.iter().filter(|known| known.code == code).count() < EXAMPLES_MAX as usize {
            self.examples.push(Refused { id: id.to_owned(), code: code.to_owned(), message });
        }
    }
}

impl Group {
    /// Refuse one; the answer is `false`, for a filter to drop it.
    pub(super) fn refuse(&mut self, id: &str, code: &str, message: String) -> bool {
        self.handed.refuse(id, code, message);
        false
    }
}

impl Tally {
    pub(super) fn skip(&mut self, reason: &Slug) {
        count(&mut self.skipped, reason.as_str());
    }

    pub(super) fn row_error(&mut self, place: Place, error: RowError) {
        if count(&mut self.row_errors, error.kind) <= EXAMPLES_MAX {
            self.examples.push(Example { place, kind: error.kind.to_owned(), message: error.message });
        }
    }

    /// A row of another customer than the first row of its order or case.
    pub(super) fn odd_customer(&mut self, place: Place, id: &str) {
        let kind = "customer_differs";
        if count(&mut self.warnings, kind) <= EXAMPLES_MAX {
            let message = format!("the row was counted to {id:?}, whose first row names another customer");
            self.examples.push(Example { place, kind: kind.to_owned(), message });
        }
    }

    /// The report, before anything was handed in.
    pub(super) fn into_report(self, mapping: &str, source: &str, files: Vec<String>) -> Report {
        Report {
            mapping: mapping.to_owned(),
            source: source.to_owned(),
            files,
            rows: self.rows,
            orders: self.orders.found,
            order_lines: self.order_lines,
            cases: self.cases.found,
            case_lines: self.case_lines,
            skipped: self.skipped,
            row_errors: self.row_errors,
            warnings: self.warnings,
            examples: self.examples,
            put: self.orders.handed,
            opened: self.cases.handed,
            out_of_order: 0,
        }
    }
}

/// One more of this name; the answer is how many there are now.
fn count(counts: &mut BTreeMap<String, u64>, name: &str) -> u64 {
    let count = counts.entry(name.to_owned()).or_default();
    *count += 1;
    *count
}
