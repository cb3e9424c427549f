//! The cases as the reference script reports them: one line each, and a summary.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::ensure;
use chrono::{DateTime, FixedOffset};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// What an import took in and left out, in the product's words.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Imported {
    orders: u64,
    order_lines: u64,
    /// By the name that the mapping gives the rule.
    skipped: BTreeMap<String, u64>,
}

/// A case, in the product's words.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Case {
    external_id: String,
    opened_at: DateTime<FixedOffset>,
    remedy: Remedy,
    #[serde(with = "rust_decimal::serde::str")]
    refunded: Decimal,
    /// Of the case and of all its lines.
    reasons: Vec<Reason>,
}

#[derive(Debug, Clone, Deserialize)]
struct Reason {
    code: String,
    /// What the reason speaks for.
    remedy: Remedy,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Remedy {
    Allow,
    Deny,
    Review,
}

/// The summary; fields in the order in which the script prints them.
#[derive(Debug, Serialize)]
pub(super) struct Summary {
    orders: u64,
    order_lines: u64,
    skipped: BTreeMap<String, u64>,
    cases: usize,
    outcomes: BTreeMap<&'static str, u64>,
    reasons: BTreeMap<String, u64>,
    refunded_gbp: String,
    cases_sha256: String,
}

/// What came out, in the order of the cases' time.
pub(super) struct Report {
    imported: Imported,
    rows: Vec<Row>,
}

struct Row {
    invoice: String,
    outcome: &'static str,
    refund: Decimal,
    reasons: BTreeSet<String>,
}

impl Report {
    /// Refuses an export that cannot be right: an id twice, a part of a penny, money for a case that was not allowed.
    pub(super) fn new(imported: Imported, mut cases: Vec<Case>) -> anyhow::Result<Self> {
        cases.sort_by(|a, b| (a.opened_at, &a.external_id).cmp(&(b.opened_at, &b.external_id)));
        let ids: BTreeSet<&str> = cases.iter().map(|case| case.external_id.as_str()).collect();
        ensure!(ids.len() == cases.len(), "the export names {} cases by {} ids", cases.len(), ids.len());
        let rows = cases.into_iter().map(Row::new).collect::<anyhow::Result<_>>()?;
        Ok(Self { imported, rows })
    }

    /// One line per case, with a heading.
    pub(super) fn csv(&self) -> String {
        self.rows.iter().fold("invoice,outcome,refund_gbp,reasons\n".to_owned(), |csv, row| csv + &row.line())
    }

    /// The summary.
    pub(super) fn summary(&self) -> Summary {
        let mut outcomes = BTreeMap::new();
        let mut reasons = BTreeMap::new();
        let mut digest = Sha256::new();
        for row in &self.rows {
            *outcomes.entry(row.outcome).or_default() += 1;
            for reason in &row.reasons {
                *reasons.entry(reason.clone()).or_default() += 1;
            }
            digest.update(row.line());
        }
        Summary {
            orders: self.imported.orders,
            order_lines: self.imported.order_lines,
            skipped: self.imported.skipped.clone(),
            cases: self.rows.len(),
            outcomes,
            reasons,
            refunded_gbp: pounds(self.rows.iter().map(|row| row.refund).sum()),
            cases_sha256: hex(&digest.finalize()),
        }
    }
}

impl Row {
    /// A case in review gives the reasons for the review, any other case what was denied.
    fn new(case: Case) -> anyhow::Result<Self> {
        let (outcome, speaks_for) = match case.remedy {
            Remedy::Allow => ("refunded", Remedy::Deny),
            Remedy::Deny => ("denied", Remedy::Deny),
            Remedy::Review => ("review", Remedy::Review),
        };
        let invoice = case.external_id;
        ensure!(
            case.refunded.round_dp(2) == case.refunded,
            "case {invoice} refunds a part of a penny: {}",
            case.refunded
        );
        ensure!(
            case.remedy == Remedy::Allow || case.refunded.is_zero(),
            "case {invoice} is {outcome} and refunds {}",
            case.refunded
        );
        let reasons =
            case.reasons.into_iter().filter(|reason| reason.remedy == speaks_for).map(|reason| reason.code).collect();
        Ok(Self { invoice, outcome, refund: case.refunded, reasons })
    }

    fn line(&self) -> String {
        let reasons: Vec<&str> = self.reasons.iter().map(String::as_str).collect();
        format!("{},{},{},{}\n", self.invoice, self.outcome, pounds(self.refund), reasons.join("|"))
    }
}

fn pounds(amount: Decimal) -> String {
    format!("{amount:.2}")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn imported() -> Imported {
        serde_json::from_str(r#"{"id": "import_1", "orders": 3, "order_lines": 5, "skipped": {"sale_line": 2}}"#)
            .unwrap()
    }

    fn cases(text: &str) -> Vec<Case> {
        serde_json::from_str(text).unwrap()
    }

    const CASES: &str = r#"[
        {"external_id": "C536390", "opened_at": "2010-12-01T10:19:00.000Z", "remedy": "review", "refunded": "0.00", "status": "waiting",
         "reasons": [{"code": "not_purchased", "remedy": "deny"}, {"code": "not_a_product", "remedy": "review"}, {"code": "not_a_product", "remedy": "review"}]},
        {"external_id": "C536383", "opened_at": "2010-12-01T09:49:00.000Z", "remedy": "allow", "refunded": "12.5",
         "reasons": [{"code": "quantity_exceeds_purchase", "remedy": "deny"}, {"code": "within_window", "remedy": "allow"}]},
        {"external_id": "C536379", "opened_at": "2010-12-01T09:49:00.000Z", "remedy": "deny", "refunded": "0.00",
         "reasons": [{"code": "outside_window", "remedy": "deny"}, {"code": "not_purchased", "remedy": "deny"}]}
    ]"#;

    #[test]
    fn lines_stand_by_time_then_invoice_with_the_reasons_of_their_outcome() {
        let report = Report::new(imported(), cases(CASES)).unwrap();
        assert_eq!(
            report.csv(),
            "invoice,outcome,refund_gbp,reasons\n\
             C536379,denied,0.00,not_purchased|outside_window\n\
             C536383,refunded,12.50,quantity_exceeds_purchase\n\
             C536390,review,0.00,not_a_product\n"
        );
    }

    #[test]
    fn the_summary_has_the_keys_and_the_order_of_the_script() {
        let summary = Report::new(imported(), cases(CASES)).unwrap().summary();
        let expected = r#"{
  "orders": 3,
  "order_lines": 5,
  "skipped": {
    "sale_line": 2
  },
  "cases": 3,
  "outcomes": {
    "denied": 1,
    "refunded": 1,
    "review": 1
  },
  "reasons": {
    "not_a_product": 1,
    "not_purchased": 1,
    "outside_window": 1,
    "quantity_exceeds_purchase": 1
  },
  "refunded_gbp": "12.50",
  "cases_sha256": "DIGEST"
}"#;
        let printed = serde_json::to_string_pretty(&summary).unwrap();
        assert_eq!(printed.replace(&summary.cases_sha256, "DIGEST"), expected);
    }

    #[test]
    fn no_cases_at_all_come_to_nothing() {
        let summary = Report::new(imported(), Vec::new()).unwrap().summary();
        assert_eq!(summary.refunded_gbp, "0.00");
        assert_eq!(summary.cases_sha256, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    }

    #[test]
    fn an_export_that_cannot_be_right_is_refused() {
        let twice = CASES.replace("C536383", "C536390");
        let penny = CASES.replace("12.5\"", "12.505\"");
        let denied = CASES.replace("\"allow\", \"refunded\"", "\"deny\", \"refunded\"");
        for text in [twice, penny, denied] {
            assert!(Report::new(imported(), cases(&text)).is_err(), "{text}");
        }
    }
}
