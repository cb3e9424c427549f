//! The purchases of a request, found by order line or by stock code.
//!
//! A request may carry 2,000 purchases and hundreds of lines. Positions are sorted once, when they are first asked for,
//! and then searched: in a component this costs a fraction of what a map of all of them does.

use std::cell::OnceCell;
use std::cmp::{Ordering, Reverse};

use crate::types::{Failure, Moment, Purchase, Take};

/// An index over a list of purchases. Positions are those of the list.
#[derive(Clone, Debug)]
pub struct Purchases<'a> {
    all: &'a [Purchase],
    keys: OnceCell<Vec<Key<'a>>>,
    by_order_line: OnceCell<Vec<usize>>,
    by_sku: OnceCell<Vec<usize>>,
}

/// What a purchase is found by.
#[derive(Clone, Copy, Debug)]
struct Key<'a> {
    sku: Code<'a>,
    order: Code<'a>,
    line: u32,
    at_ms: i64,
}

impl<'a> Purchases<'a> {
    /// An index over these purchases.
    #[must_use]
    pub fn new(all: &'a [Purchase]) -> Self {
        Self { all, keys: OnceCell::new(), by_order_line: OnceCell::new(), by_sku: OnceCell::new() }
    }

    /// The purchase at a position that this index gave.
    #[must_use]
    pub fn at(&self, position: usize) -> &'a Purchase {
        &self.all[position]
    }

    /// The position of an order line.
    #[must_use]
    pub fn find(&self, order: &str, line: u32) -> Option<usize> {
        let keys = self.keys();
        let order_line = |key: &Key<'a>| (key.order, key.line);
        let sorted =
            self.by_order_line.get_or_init(|| sorted(keys, &|one, other| order_line(one).cmp(&order_line(other))));
        let sought = (Code::new(order), line);
        let found = sorted.binary_search_by(|position| order_line(&keys[*position]).cmp(&sought));
        found.ok().map(|at| sorted[at])
    }

    /// The purchase that a take takes from.
    ///
    /// # Errors
    /// [`Failure::BadInput`] where it is not among them.
    pub fn of_take(&self, take: &Take) -> Result<&'a Purchase, Failure> {
        self.find(&take.order, take.line).map(|at| self.at(at)).ok_or_else(|| Self::unknown(take))
    }

    pub(crate) fn unknown(take: &Take) -> Failure {
        let (order, line) = (&take.order, take.line);
        Failure::bad_input(format!("order {order} line {line} is taken back, but is not among the purchases"))
    }

    /// The positions of a stock code, exactly as written: the latest purchase first, then the greater order, then the
    /// greater line.
    #[must_use]
    pub fn of_sku(&self, sku: &str) -> &[usize] {
        let keys = self.keys();
        let rank = |key: &Key<'a>| (key.sku, Reverse((key.at_ms, key.order, key.line)));
        let sorted = self.by_sku.get_or_init(|| sorted(keys, &|one, other| rank(one).cmp(&rank(other))));
        let sku = Code::new(sku);
        let start = sorted.partition_point(|position| keys[*position].sku < sku);
        let after = sorted[start..].partition_point(|position| keys[*position].sku == sku);
        &sorted[start..start + after]
    }

    fn keys(&self) -> &[Key<'a>] {
        let key = |purchase: &'a Purchase| {
            let (sku, order) = (Code::new(&purchase.sku), Code::new(&purchase.order));
            Key { sku, order, line: purchase.line, at_ms: purchase.at.unix_ms }
        };
        self.keys.get_or_init(|| self.all.iter().map(key).collect())
    }
}

/// The positions of the keys in order. Called through a pointer, because a sort is some kilobytes of code for every
/// comparison that it is made for.
fn sorted<'a>(keys: &[Key<'a>], order: &dyn Fn(&Key<'a>, &Key<'a>) -> Ordering) -> Vec<usize> {
    let mut positions: Vec<usize> = (0..keys.len()).collect();
    positions.sort_unstable_by(|one, other| order(&keys[*one], &keys[*other]));
    positions
}

/// A text that orders as texts do. Its first bytes are compared as one number, which for most codes is all it takes:
/// WebAssembly has no instruction for comparing memory.
#[derive(Clone, Copy, Debug)]
struct Code<'a> {
    head: u64,
    text: &'a str,
}

impl<'a> Code<'a> {
    fn new(text: &'a str) -> Self {
        let head = text.bytes().chain(std::iter::repeat(0)).take(8).fold(0, |head, byte| head << 8 | u64::from(byte));
        Self { head, text }
    }
}

impl Ord for Code<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.head.cmp(&other.head).then_with(|| match (self.text.len(), other.text.len()) {
            // Texts that end within equal heads differ at most in zero bytes at their end.
            (ours @ ..=8, theirs @ ..=8) => ours.cmp(&theirs),
            _ => self.text.cmp(other.text),
        })
    }
}

impl PartialOrd for Code<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Code<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Code<'_> {}

impl Moment {
    /// Calendar days from an earlier moment to this one, in the request's zone.
    #[must_use]
    pub fn days_since(&self, earlier: &Self) -> i64 {
        i64::from(self.local_day) - i64::from(earlier.local_day)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{RequestBuilder, moment};

    fn bought() -> Vec<Purchase> {
        let case =
            RequestBuilder::new().purchase("9", "B", 10, 1).purchase("10", "A", 20, 1).purchase("10", "B", 20, 1);
        case.purchase("11", "B", 20, 1).purchase("11", "B", 20, 1).purchase("12", "b", 30, 1).build().purchases
    }

    #[test]
    fn an_order_line_is_found_among_lines_of_its_order_only() {
        let bought = bought();
        let purchases = Purchases::new(&bought);
        let found: Vec<_> = [("10", 1), ("9", 0), ("11", 1), ("11", 2), ("1", 0)]
            .iter()
            .map(|(order, line)| purchases.find(order, *line))
            .collect();
        assert_eq!(found, [Some(2), Some(0), Some(4), None, None]);
        assert_eq!(purchases.at(2).sku, "B");
    }

    #[test]
    fn a_stock_code_has_its_purchases_latest_first() {
        let bought = bought();
        let purchases = Purchases::new(&bought);
        assert_eq!(purchases.of_sku("B"), [4, 3, 2, 0]);
        assert_eq!(purchases.of_sku("b"), [5]);
        assert!(purchases.of_sku("C").is_empty() && purchases.of_sku("").is_empty());
    }

    #[test]
    fn days_are_calendar_days_and_not_hours() {
        assert_eq!(moment(11, 60).days_since(&moment(10, 86_340)), 1);
        assert_eq!(moment(10, 0).days_since(&moment(11, 0)), -1);
    }

    #[test]
    fn codes_order_as_texts_do() {
        let texts =
            ["", "\0", "1", "1\0", "10", "85123A", "85123a", "12345678", "12345678\0", "123456789", "12345679", "é"];
        for one in texts {
            for other in texts {
                assert_eq!(Code::new(one).cmp(&Code::new(other)), one.cmp(other), "{one:?} {other:?}");
            }
        }
    }
}
