//! Matches the goods of a case with what the customer bought, latest purchase first, within a window of days.
//!
//! Parameters
//! - `window_days`: a purchase counts for so many calendar days, in the merchant's zone, before the case was opened.
//! - `sku_digits`, `sku_letters`: which stock codes are goods at all: exactly so many digits and then nothing
//!   (`none`) or only letters (`any`). Without `sku_digits` every stock code is.
//!
//! Every line of the case is judged in order, and what one line takes is gone for the next. A line that names the
//! order line it was bought with takes from that one only.

mod shelf;
mod sku;

use redress_plugin::eligibility::{Cx, Eligibility, Failure, Line, LineVerdict, Reason, Request, Verdict};
use redress_plugin::types::TAKES_MAX;

use crate::shelf::{Match, Shelves};
use crate::sku::SkuShape;

struct PurchaseMatch;

#[redress_plugin::plugin(
    name = "purchase-match",
    version = "0.1.0",
    params(window_days: integer, sku_digits: optional integer, sku_letters: text = "any"),
)]
impl Eligibility for PurchaseMatch {
    fn evaluate(req: &Request, cx: &Cx) -> Result<Verdict, Failure> {
        let window_days = cx.arg_integer("window_days")?;
        let mut case = Case {
            is_customer_known: req.customer.is_some(),
            shape: SkuShape::from_params(cx)?,
            window_days,
            shelves: Shelves::new(&req.purchases, req.about.opened, window_days),
        };
        Ok(Verdict { lines: req.lines.iter().map(|line| case.judge(line)).collect(), ..Verdict::default() })
    }
}

/// What the lines of a case are judged by, and what earlier lines left.
struct Case<'a> {
    is_customer_known: bool,
    shape: SkuShape,
    window_days: i64,
    shelves: Shelves<'a>,
}

impl<'a> Case<'a> {
    fn judge(&mut self, line: &'a Line) -> LineVerdict {
        if !self.is_customer_known {
            return LineVerdict::review(line.index, Reason::new("customer_unknown").using(["customer"]));
        }
        if !self.shape.is_product(&line.sku) {
            return LineVerdict::review(line.index, not_a_product(line));
        }
        let takes = match self.shelves.take(line) {
            Match::NotPurchased => return LineVerdict::deny(line.index, not_purchased(line)),
            Match::OutsideWindow { days } => {
                return LineVerdict::deny(line.index, outside_window(days, self.window_days));
            }
            Match::TooManyTakes => return LineVerdict::review(line.index, too_many_takes(line)),
            Match::Taken(takes) => takes,
        };
        let taken = takes.iter().map(|take| take.quantity).sum();
        let verdict = LineVerdict::allow(line.index, taken).taking(takes);
        if taken < line.quantity {
            return verdict.because(quantity_exceeds_purchase(line.quantity, taken));
        }
        verdict
    }
}

fn not_a_product(line: &Line) -> Reason {
    Reason::new("not_a_product").using(["line.sku"]).with("sku", line.sku.as_str())
}

fn not_purchased(line: &Line) -> Reason {
    let used = ["line.sku", "purchases.sku", "purchases.at", "purchases.left", "about.opened"];
    Reason::new("not_purchased").using(used).with("sku", line.sku.as_str())
}

/// `days` counts from the latest purchase of which something is left: the smallest window that would have allowed.
fn outside_window(days: i64, window_days: i64) -> Reason {
    let reason = Reason::new("outside_window").using(["purchases.at", "about.opened", "args.window_days"]);
    reason.with("days", days).with("window_days", window_days)
}

fn quantity_exceeds_purchase(asked: u32, taken: u32) -> Reason {
    let reason = Reason::new("quantity_exceeds_purchase").using(["line.quantity", "purchases.left"]);
    reason.with("asked", asked).with("left", taken)
}

fn too_many_takes(line: &Line) -> Reason {
    let most = i64::try_from(TAKES_MAX).unwrap_or(i64::MAX);
    Reason::new("too_many_takes").using(["purchases.left"]).with("asked", line.quantity).with("most", most)
}

#[cfg(test)]
mod tests;
