//! The customer's purchases by stock code, and what of them is still left in this call.
//!
//! A case may have hundreds of lines and a customer thousands of purchases, so what is used up at the start of a stock
//! code's purchases is skipped for good.

use std::collections::BTreeMap;

use redress_plugin::eligibility::{Line, Moment, Purchase, Take};
use redress_plugin::purchases::Purchases;
use redress_plugin::types::TAKES_MAX;

/// All purchases that a case may take from.
pub(crate) struct Shelves<'a> {
    purchases: Purchases<'a>,
    /// What is left of each purchase.
    left: Vec<u32>,
    opened: Moment,
    window_days: i64,
    by_sku: BTreeMap<&'a str, Shelf>,
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
    pub(crate) fn new(purchases: &'a [Purchase], opened: Moment, window_days: i64) -> Self {
        let left = purchases.iter().map(|purchase| purchase.left).collect();
        Self { purchases: Purchases::new(purchases), left, opened, window_days, by_sku: BTreeMap::new() }
    }

    /// Take as much as there is for the line, latest purchase first.
    pub(crate) fn take(&mut self, line: &'a Line) -> Match {
        if let Some(bought) = &line.bought {
            let at = self.purchases.find(&bought.order, bought.line);
            let mut named = self.shelf(at.as_slice(), &line.sku);
            return self.take_from(&mut named, line.quantity);
        }
        let known = self.by_sku.remove(line.sku.as_str());
        let mut shelf = known.unwrap_or_else(|| self.shelf(self.purchases.of_sku(&line.sku), &line.sku));
        let found = self.take_from(&mut shelf, line.quantity);
        self.by_sku.insert(&line.sku, shelf);
        found
    }

    fn take_from(&mut self, shelf: &mut Shelf, quantity: u32) -> Match {
        while shelf.recent.get(shelf.used_up).is_some_and(|at| self.left[*at] == 0) {
            shelf.used_up += 1;
        }
        let recent = &shelf.recent[shelf.used_up..];
        if recent.is_empty() {
            return shelf.older_days.map_or(Match::NotPurchased, |days| Match::OutsideWindow { days });
        }
        let planned = plan(recent, &self.left, quantity);
        if planned.len() > TAKES_MAX {
            return Match::TooManyTakes;
        }
        for (at, quantity) in &planned {
            self.left[*at] -= quantity;
        }
        let take = |(at, quantity): &(usize, u32)| {
            let purchase = self.purchases.at(*at);
            Take { order: purchase.order.clone(), line: purchase.line, quantity: *quantity }
        };
        Match::Taken(planned.iter().map(take).collect())
    }

    /// What of these purchases was bought not after the case was opened, and is left.
    fn shelf(&self, positions: &[usize], sku: &str) -> Shelf {
        let mut shelf = Shelf::default();
        for &at in positions {
            let purchase = self.purchases.at(at);
            if purchase.sku != sku || purchase.at.unix_ms > self.opened.unix_ms || self.left[at] == 0 {
                continue;
            }
            let days = self.opened.days_since(&purchase.at);
            if days <= self.window_days {
                shelf.recent.push(at);
            } else {
                shelf.older_days = Some(shelf.older_days.map_or(days, |older| older.min(days)));
            }
        }
        shelf
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
