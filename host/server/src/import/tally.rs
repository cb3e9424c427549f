//! Counting what an import takes in and what it leaves out.

use std::collections::BTreeMap;

use redress_domain::ids::Slug;

use super::rows::RowError;
use crate::engine::report::{EXAMPLES_MAX, Example, Handed, Place, Report};

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
