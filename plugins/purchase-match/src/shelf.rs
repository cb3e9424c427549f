//! The customer's purchases by stock code, and what of them is still left in this call.
//!
//! A case may have hundreds of lines and a customer thousands of purchases, so each stock code is sorted once and
//! what is used up at its start is skipped for good.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use redress_plugin::eligibility::{Line, Moment, Purchase, Take};
use redress_plugin::types::TAKES_MAX;

/// All purchases that a case may take from.
pub(crate) struct Shelves<'a> {
    purchases: &'a [Purchase],
    /// What is left of each purchase.
    left: Vec<u32>,
    /// Calendar days from each purchase to the case.
    days: Vec<i64>,
    window_days: i64,
    by_sku: BTreeMap<&'a str, Shelf>,
    by_order_line: BTreeMap<(&'a str, u32), usize>,
}

/// The purchases of one stock code, as positions in the request.
#[derive(Default)]
struct Shelf {
    /// Within the window, latest first.
    recent: Vec<usize>,
    /// How many of `recent`, from its start, have nothing left.
    used_up: usize,
    /// Days since the latest purchase outside the window.
    older_days: Option<i64>,
}

/// What there was for a line.
pub(crate) enum Match {
    /// Nothing that was bought is left.
    NotPurchased,
    /// What is left was bought before the window; the latest so many days ago.
    OutsideWindow {
        /// Days from the purchase to the case.
        days: i64,
    },
    /// More purchases than an answer may name.
    TooManyTakes,
    /// So much of these; perhaps less than the line asks for, never nothing.
    Taken(Vec<Take>),
}

impl<'a> Shelves<'a> {
    /// Sort what was bought, not after the case was opened, and is not returned yet.
    pub(crate) fn new(purchases: &'a [Purchase], opened: Moment, window_days: i64) -> Self {
        let days = |purchase: &Purchase| i64::from(opened.local_day) - i64::from(purchase.at.local_day);
        let mut shelves = Self {
            purchases,
            left: purchases.iter().map(|purchase| purchase.left).collect(),
            days: purchases.iter().map(days).collect(),
            window_days,
            by_sku: BTreeMap::new(),
            by_order_line: BTreeMap::new(),
        };
        for (at, purchase) in purchases.iter().enumerate() {
            if purchase.left > 0 && purchase.at.unix_ms <= opened.unix_ms {
                shelves.add(at, purchase);
            }
        }
        for shelf in shelves.by_sku.values_mut() {
            shelf.recent.sort_by_key(|at| {
                let purchase = &purchases[*at];
                Reverse((purchase.at.unix_ms, purchase.order.as_str(), purchase.line))
            });
        }
        shelves
    }

    fn add(&mut self, at: usize, purchase: &'a Purchase) {
        let shelf = self.by_sku.entry(&purchase.sku).or_default();
        let days = self.days[at];
        if days <= self.window_days {
            shelf.recent.push(at);
        } else {
            shelf.older_days = Some(shelf.older_days.map_or(days, |older| older.min(days)));
        }
        self.by_order_line.insert((&purchase.order, purchase.line), at);
    }

    /// Take as much as there is for the line, latest purchase first.
    pub(crate) fn take(&mut self, line: &Line) -> Match {
        let named;
        let (recent, older_days): (&[usize], _) = match &line.bought {
            Some(bought) => match self.by_order_line.get(&(bought.order.as_str(), bought.line)) {
                Some(&at) if self.purchases[at].sku != line.sku || self.left[at] == 0 => (&[], None),
                Some(&at) if self.days[at] > self.window_days => (&[], Some(self.days[at])),
                Some(&at) => {
                    named = [at];
                    (&named, None)
                }
                None => (&[], None),
            },
            None => match self.by_sku.get_mut(line.sku.as_str()) {
                Some(shelf) => {
                    let older_days = shelf.older_days;
                    (shelf.still_there(&self.left), older_days)
                }
                None => (&[], None),
            },
        };
        if recent.is_empty() {
            return older_days.map_or(Match::NotPurchased, |days| Match::OutsideWindow { days });
        }
        let planned = plan(recent, &self.left, line.quantity);
        if planned.len() > TAKES_MAX {
            return Match::TooManyTakes;
        }
        for (at, quantity) in &planned {
            self.left[*at] -= quantity;
        }
        let take = |(at, quantity): &(usize, u32)| {
            let purchase = &self.purchases[*at];
            Take { order: purchase.order.clone(), line: purchase.line, quantity: *quantity }
        };
        Match::Taken(planned.iter().map(take).collect())
    }
}

impl Shelf {
    /// The recent purchases from the first on that has something left.
    fn still_there(&mut self, left: &[u32]) -> &[usize] {
        while self.recent.get(self.used_up).is_some_and(|at| left[*at] == 0) {
            self.used_up += 1;
        }
        &self.recent[self.used_up..]
    }
}

/// How much of which purchase covers the quantity, as far as it can be covered.
fn plan(recent: &[usize], left: &[u32], mut quantity: u32) -> Vec<(usize, u32)> {
    let mut planned = Vec::new();
    for &at in recent {
        if quantity == 0 {
            break;
        }
        let taken = quantity.min(left[at]);
        if taken > 0 {
            planned.push((at, taken));
            quantity -= taken;
        }
    }
    planned
}
