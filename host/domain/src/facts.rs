//! What a turn reads beside the case: the customer's purchases, ledgers, the order. Recorded once a turn, as read.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::case::Held;
use crate::clock::Instant;
use crate::ids::{OrderId, Sku};
use crate::ledger::Ledger;
use crate::money::{Money, Price};
use crate::order::{Order, OrderLine, Payment};
use crate::value::Fields;
use crate::verdict::Take;

/// Most purchases that one question may carry; beyond it a person decides (`facts_too_large`).
pub const PURCHASES_MAX: usize = 2_000;

/// An order line in the index by customer and stock code: all that a question and a ledger need, without reading the order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Purchase {
    /// The order.
    pub order: OrderId,
    /// The line in it, from 0.
    pub line: u32,
    /// The stock code.
    pub sku: Sku,
    /// When it was bought.
    pub at: Instant,
    /// When it reached the customer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivered_at: Option<Instant>,
    /// Units bought.
    pub quantity: u32,
    /// Exact price of one unit.
    pub unit_price: Price,
    /// What was paid for the line.
    pub paid: Money,
    /// What was paid for the order.
    pub order_paid: Money,
    /// The order's payments.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub payments: Vec<Payment>,
    /// The merchant's own fields.
    #[serde(default, skip_serializing_if = "Fields::is_empty")]
    pub attributes: Fields,
}

impl Purchase {
    /// The index rows of an order.
    pub fn of(order: &Order) -> Result<Vec<Self>, crate::money::MoneyError> {
        let order_paid = order.paid_total()?;
        let row = |(line, content): (usize, &OrderLine)| Self {
            order: order.id.clone(),
            line: u32::try_from(line).unwrap_or(u32::MAX),
            sku: content.sku.clone(),
            at: content.at,
            delivered_at: content.delivered_at,
            quantity: content.quantity,
            unit_price: content.unit_price,
            paid: content.paid.total,
            order_paid,
            payments: order.payments.clone(),
            attributes: content.attributes.clone(),
        };
        Ok(order.lines.iter().enumerate().map(row).collect())
    }
}

/// A ledger as it was read, with the version that a change must still find.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LedgerAt {
    /// The version; 0 where nothing has happened to the order yet.
    pub version: u64,
    /// The content, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ledger: Option<Ledger>,
}

/// Everything that a turn reads beside the case.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Facts {
    /// The customer's order lines of the stock codes in the case.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub purchases: Vec<Purchase>,
    /// There were more than `PURCHASES_MAX`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub too_large: bool,
    /// The ledgers of the orders of these purchases, and of those that the case took from.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub ledgers: BTreeMap<OrderId, LedgerAt>,
    /// Units that the case held when the turn began: they are its own, so they are left for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub own: Vec<Held>,
    /// The order that the case names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<Order>,
    /// What each plugin is told beside the case, by the name that workflows call it by: what it asks for and was granted.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub told: BTreeMap<String, Fields>,
}

impl Facts {
    /// The purchase that a take names.
    pub fn purchase(&self, order: &OrderId, line: u32) -> Option<&Purchase> {
        self.purchases.iter().find(|purchase| purchase.order == *order && purchase.line == line)
    }

    /// So many units out of the newest purchases of a stock code that have something left. `used` is what earlier calls took, so
    /// that several lines of one stock code do not take the same units.
    pub fn newest(&self, sku: &Sku, mut quantity: u32, used: &mut BTreeMap<(OrderId, u32), u32>) -> Vec<Take> {
        let mut purchases: Vec<_> = self.purchases.iter().filter(|purchase| purchase.sku == *sku).collect();
        purchases.sort_by(|a, b| (b.at, &b.order, b.line).cmp(&(a.at, &a.order, a.line)));
        let mut takes = Vec::new();
        for purchase in purchases {
            let before = used.entry((purchase.order.clone(), purchase.line)).or_insert(0);
            let part = quantity.min(self.left(purchase).0.saturating_sub(*before));
            if part > 0 {
                *before += part;
                quantity -= part;
                takes.push(Take { order: purchase.order.clone(), line: purchase.line, quantity: part });
            }
        }
        takes
    }

    /// Units of a purchase that are left for this case to return, and the money already refunded for it.
    pub fn left(&self, purchase: &Purchase) -> (u32, Money) {
        let ledger = self.ledgers.get(&purchase.order).and_then(|at| at.ledger.as_ref());
        let of_purchase = |held: &&Held| held.take.order == purchase.order && held.take.line == purchase.line;
        let own: u32 = self.own.iter().filter(of_purchase).map(|held| held.take.quantity).sum();
        match ledger.and_then(|ledger| ledger.line(purchase.line)) {
            Some(line) => (line.left() + own, line.refunded),
            None => (purchase.quantity, Money::zero(purchase.paid.currency())),
        }
    }
}
