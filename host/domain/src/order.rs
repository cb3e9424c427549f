//! Orders as the merchant's shop knows them: what was bought, when, for how much, and how it was paid.

use serde::{Deserialize, Serialize};

use crate::clock::Instant;
use crate::ids::{CustomerId, OrderId, Sku};
use crate::money::{Currency, Money, MoneyError, Price, Rounding};
use crate::value::Fields;

/// Most lines of one order: all of its rows are stored at once. A wholesale order of the first data set has 1,114.
pub const ORDER_LINES_MAX: usize = 4_000;

/// One physical thing, as far as it is known.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unit {
    /// Batch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lot: Option<String>,
    /// Serial number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<String>,
    /// Last day of use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expiry: Option<chrono::NaiveDate>,
    /// Unique device identifier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub udi: Option<String>,
}

/// What was paid for a line, as the shop splits it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Paid {
    /// All of it: the most that the line can ever refund.
    pub total: Money,
    /// Of which tax.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax: Option<Money>,
    /// Taken off before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discount: Option<Money>,
    /// Of which the line's share of shipping.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipping: Option<Money>,
}

/// A line of an order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OrderLine {
    /// The stock code.
    pub sku: Sku,
    /// Units bought.
    pub quantity: u32,
    /// When this line was bought; lines of one order may differ.
    pub at: Instant,
    /// When it reached the customer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivered_at: Option<Instant>,
    /// Exact price of one unit.
    pub unit_price: Price,
    /// What was paid.
    pub paid: Paid,
    /// The units, where the shop knows them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub units: Vec<Unit>,
    /// The merchant's own fields.
    #[serde(default, skip_serializing_if = "Fields::is_empty")]
    pub attributes: Fields,
}

impl OrderLine {
    /// What so many units at this price cost, rounded up, so that a rounded refund of all of them fits under it.
    pub fn price_of(unit_price: Price, quantity: u32) -> Result<Paid, MoneyError> {
        let total = unit_price.times(quantity.into())?.round(Rounding::Up)?;
        Ok(Paid { total, tax: None, discount: None, shipping: None })
    }
}

/// A payment of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    /// The shop's name for it, unique in the order.
    pub id: String,
    /// Who took the money.
    pub provider: String,
    /// The provider's reference.
    pub reference: String,
    /// How much was taken.
    pub captured: Money,
}

/// An order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Order {
    /// The merchant's number.
    pub id: OrderId,
    /// Who bought.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<CustomerId>,
    /// The one currency of all amounts.
    pub currency: Currency,
    /// When it was placed.
    pub placed_at: Instant,
    /// The lines; a line's number is its place here, from 0.
    pub lines: Vec<OrderLine>,
    /// The payments, where the shop tells them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub payments: Vec<Payment>,
    /// The merchant's own fields.
    #[serde(default, skip_serializing_if = "Fields::is_empty")]
    pub attributes: Fields,
}

impl Order {
    /// What was paid for all lines.
    pub fn paid_total(&self) -> Result<Money, MoneyError> {
        Money::sum(self.currency, self.lines.iter().map(|line| line.paid.total))
    }

    /// Why this cannot be an order, if so: every rule that later code relies on.
    pub fn check(&self) -> Result<(), OrderError> {
        if self.lines.is_empty() || self.lines.len() > ORDER_LINES_MAX {
            return Err(OrderError::Lines { found: self.lines.len() });
        }
        for (line, content) in self.lines.iter().enumerate() {
            let currencies = [content.unit_price.currency(), content.paid.total.currency()];
            if currencies.iter().any(|currency| *currency != self.currency) {
                return Err(OrderError::Currency { line });
            }
            if content.quantity == 0
                || content.paid.total.is_negative()
                || content.unit_price.amount().is_sign_negative()
            {
                return Err(OrderError::Amount { line });
            }
        }
        let other = self.payments.iter().find(|payment| payment.captured.currency() != self.currency);
        other.map_or(Ok(()), |payment| Err(OrderError::Payment { id: payment.id.clone() }))?;
        self.paid_total()?;
        Ok(())
    }
}

/// Why something cannot be an order.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OrderError {
    /// No line, or too many.
    #[error("an order has 1 to {ORDER_LINES_MAX} lines, found {found}")]
    Lines {
        /// How many there were.
        found: usize,
    },
    /// A line in another currency.
    #[error("line {line} is not in the currency of the order")]
    Currency {
        /// The line, from 0.
        line: usize,
    },
    /// No units, or an amount below zero.
    #[error("line {line} has no units or an amount below zero")]
    Amount {
        /// The line, from 0.
        line: usize,
    },
    /// A payment in another currency.
    #[error("payment {id:?} is not in the currency of the order")]
    Payment {
        /// The payment.
        id: String,
    },
    /// Amounts that do not add up to something that can be held.
    #[error("order total could not be computed")]
    Total(#[from] MoneyError),
}
