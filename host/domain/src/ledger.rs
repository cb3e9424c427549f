//! The ledger of an order: what of it is reserved, returned and refunded, and what may still be.
//!
//! Quantity is reserved, not hoped for; money is capped per line, per order and per payment. Every change is checked before it is
//! made, so that no order of commands refunds more than was paid or takes back more than was sold.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::money::{Currency, Money, MoneyError};
use crate::order::Payment;

/// What of one order is reserved, returned and refunded. Lines that nothing happened to are absent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    paid: Money,
    refunded: Money,
    lines: BTreeMap<u32, LedgerLine>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    payments: BTreeMap<String, LedgerPayment>,
}

/// One order line in the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerLine {
    /// Units bought.
    pub bought: u32,
    /// What was paid for them.
    pub paid: Money,
    /// Units promised to cases.
    pub reserved: u32,
    /// Units refunded.
    pub returned: u32,
    /// Money refunded.
    pub refunded: Money,
    /// Units among the returned ones for which other goods were given: their money stays.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub exchanged: u32,
}

fn is_zero(units: &u32) -> bool {
    *units == 0
}

/// One payment in the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerPayment {
    /// How much was taken.
    pub captured: Money,
    /// How much went back.
    pub refunded: Money,
}

/// Why the ledger refuses a change.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    /// More units than are left.
    #[error("order line {line} has {left} units left, asked for {asked}")]
    Quantity {
        /// The order line.
        line: u32,
        /// Units left.
        left: u32,
        /// Units asked for.
        asked: u32,
    },
    /// More money than was paid for the line.
    #[error("order line {line} was paid {paid}, and {refunded} would be refunded")]
    LinePaid {
        /// The order line.
        line: u32,
        /// What was paid.
        paid: Money,
        /// What would be refunded in all.
        refunded: Money,
    },
    /// More money than was paid for the order.
    #[error("the order was paid {paid}, and {refunded} would be refunded")]
    OrderPaid {
        /// What was paid.
        paid: Money,
        /// What would be refunded in all.
        refunded: Money,
    },
    /// More money than the payments took.
    #[error("the payments have {left} left, asked for {asked}")]
    Payments {
        /// What is left.
        left: Money,
        /// What was asked for.
        asked: Money,
    },
    /// A refund below zero.
    #[error("a refund cannot be {0}")]
    Negative(Money),
    /// The ledger does not hold what is to be given back: a fault of ours.
    #[error("order line {line} does not hold what is to be given back")]
    NotHeld {
        /// The order line.
        line: u32,
    },
    /// Amounts that do not combine.
    #[error("amounts do not combine")]
    Money(#[from] MoneyError),
}

impl LedgerError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Quantity { .. } => "quantity_exceeds_left",
            Self::LinePaid { .. } | Self::OrderPaid { .. } | Self::Payments { .. } => "refund_exceeds_payment",
            Self::Negative(_) => "refund_negative",
            Self::NotHeld { .. } => "ledger_not_held",
            Self::Money(MoneyError::Currencies { .. }) => "wrong_currency",
            Self::Money(_) => "amount_invalid",
        }
    }
}

impl Ledger {
    /// The ledger of an order to which nothing has happened yet.
    pub fn new(paid: Money, payments: &[Payment]) -> Self {
        let nothing = Money::zero(paid.currency());
        let entry =
            |payment: &Payment| (payment.id.clone(), LedgerPayment { captured: payment.captured, refunded: nothing });
        Self { paid, refunded: nothing, lines: BTreeMap::new(), payments: payments.iter().map(entry).collect() }
    }

    /// The order's currency.
    pub fn currency(&self) -> Currency {
        self.paid.currency()
    }

    /// Money refunded in all.
    pub fn refunded(&self) -> Money {
        self.refunded
    }

    /// The line, if something happened to it.
    pub fn line(&self, line: u32) -> Option<&LedgerLine> {
        self.lines.get(&line)
    }

    /// All lines that something happened to.
    pub fn lines(&self) -> impl Iterator<Item = (u32, &LedgerLine)> {
        self.lines.iter().map(|(line, held)| (*line, held))
    }

    /// The payments, by the shop's names for them.
    pub fn payments(&self) -> impl Iterator<Item = (&str, &LedgerPayment)> {
        self.payments.iter().map(|(id, held)| (id.as_str(), held))
    }

    /// Make a line known, with what was bought and paid; changes nothing where it is known.
    pub fn know(&mut self, line: u32, bought: u32, paid: Money) {
        let nothing = Money::zero(paid.currency());
        let new = LedgerLine { bought, paid, reserved: 0, returned: 0, refunded: nothing, exchanged: 0 };
        self.lines.entry(line).or_insert(new);
    }

    /// Follow an order that its shop told anew, line by line: what was bought and paid is as told now; what is reserved, returned
    /// and refunded stays, and the order must still cover it.
    pub fn restate(&mut self, lines: &[(u32, Money)], payments: &[Payment]) -> Result<(), LedgerError> {
        let mut new = Self::new(Money::sum(self.currency(), lines.iter().map(|(_, paid)| *paid))?, payments);
        if self.refunded.compare(new.paid)?.is_gt() {
            return Err(LedgerError::OrderPaid { paid: new.paid, refunded: self.refunded });
        }
        for (line, held) in &self.lines {
            let nothing = (0, Money::zero(self.currency()));
            let (bought, paid) = lines.get(*line as usize).copied().unwrap_or(nothing);
            if bought < held.reserved + held.returned {
                return Err(LedgerError::Quantity { line: *line, left: bought, asked: held.reserved + held.returned });
            }
            if held.refunded.compare(paid)?.is_gt() {
                return Err(LedgerError::LinePaid { line: *line, paid, refunded: held.refunded });
            }
            new.lines.insert(*line, LedgerLine { bought, paid, ..held.clone() });
        }
        for (id, before) in &self.payments {
            // A payment that is told no more has nothing left.
            let gone = LedgerPayment { captured: before.refunded, refunded: before.refunded };
            new.payments.entry(id.clone()).or_insert(gone).refunded = before.refunded;
        }
        new.refunded = self.refunded;
        *self = new;
        Ok(())
    }

    /// Promise units to a case.
    pub fn reserve(&mut self, line: u32, quantity: u32) -> Result<(), LedgerError> {
        let held = self.lines.get_mut(&line).ok_or(LedgerError::NotHeld { line })?;
        if quantity > held.left() {
            return Err(LedgerError::Quantity { line, left: held.left(), asked: quantity });
        }
        held.reserved += quantity;
        Ok(())
    }

    /// Take a promise back.
    pub fn release(&mut self, line: u32, quantity: u32) -> Result<(), LedgerError> {
        let held = self.lines.get_mut(&line).filter(|held| held.reserved >= quantity);
        held.ok_or(LedgerError::NotHeld { line })?.reserved -= quantity;
        Ok(())
    }

    /// Turn a promise into a refund: the units are returned, the money is booked.
    pub fn refund(&mut self, line: u32, quantity: u32, amount: Money) -> Result<(), LedgerError> {
        if amount.is_negative() {
            return Err(LedgerError::Negative(amount));
        }
        let order = self.refunded.plus(amount)?;
        if order.compare(self.paid)?.is_gt() {
            return Err(LedgerError::OrderPaid { paid: self.paid, refunded: order });
        }
        let held = self.lines.get_mut(&line).filter(|held| held.reserved >= quantity);
        let held = held.ok_or(LedgerError::NotHeld { line })?;
        let refunded = held.refunded.plus(amount)?;
        let paid = held.refundable(held.exchanged);
        if refunded.compare(paid)?.is_gt() {
            return Err(LedgerError::LinePaid { line, paid, refunded });
        }
        held.refunded = refunded;
        held.reserved -= quantity;
        held.returned += quantity;
        self.refunded = order;
        Ok(())
    }

    /// Turn a promise into an exchange: the units are returned and no money is booked. What was paid for them is refunded no more.
    pub fn exchange(&mut self, line: u32, quantity: u32) -> Result<(), LedgerError> {
        let held = self.lines.get_mut(&line).filter(|held| held.reserved >= quantity);
        let held = held.ok_or(LedgerError::NotHeld { line })?;
        let paid = held.refundable(held.exchanged + quantity);
        if held.refunded.compare(paid)?.is_gt() {
            return Err(LedgerError::LinePaid { line, paid, refunded: held.refunded });
        }
        held.reserved -= quantity;
        held.returned += quantity;
        held.exchanged += quantity;
        Ok(())
    }

    /// Undo an exchange that was declined: the units are promised again.
    pub fn give_back(&mut self, line: u32, quantity: u32) -> Result<(), LedgerError> {
        let is_held = |held: &&mut LedgerLine| held.returned >= quantity && held.exchanged >= quantity;
        let held = self.lines.get_mut(&line).filter(is_held).ok_or(LedgerError::NotHeld { line })?;
        held.returned -= quantity;
        held.exchanged -= quantity;
        held.reserved += quantity;
        Ok(())
    }

    /// Undo a refund that the provider declined: the money is not booked, the units are promised again.
    pub fn decline(&mut self, line: u32, quantity: u32, amount: Money) -> Result<(), LedgerError> {
        if amount.is_negative() {
            return Err(LedgerError::Negative(amount));
        }
        let order = self.refunded.minus(amount)?;
        let held = self.lines.get_mut(&line).filter(|held| held.returned >= quantity);
        let held = held.ok_or(LedgerError::NotHeld { line })?;
        let refunded = held.refunded.minus(amount)?;
        if refunded.is_negative() {
            return Err(LedgerError::NotHeld { line });
        }
        held.refunded = refunded;
        held.returned -= quantity;
        held.reserved += quantity;
        self.refunded = order;
        Ok(())
    }

    /// Split a refund over the payments, first payment first; one leg without a payment where the shop told none.
    pub fn legs(&self, amount: Money) -> Result<Vec<(Option<String>, Money)>, LedgerError> {
        if self.payments.is_empty() {
            return Ok(vec![(None, amount)]);
        }
        let (mut open, mut legs) = (amount, Vec::new());
        for (id, payment) in &self.payments {
            let left = payment.captured.minus(payment.refunded)?;
            let part = if left.compare(open)?.is_lt() { left } else { open };
            // A payment that has nothing left, or was told with less than nothing, carries nothing.
            if !part.is_zero() && !part.is_negative() {
                open = open.minus(part)?;
                legs.push((Some(id.clone()), part));
            }
        }
        if open.is_zero() { Ok(legs) } else { Err(LedgerError::Payments { left: amount.minus(open)?, asked: amount }) }
    }

    /// Book a leg on its payment, which gives back no more than it took; a negative amount takes it back.
    pub fn book(&mut self, payment: &str, amount: Money) -> Result<(), LedgerError> {
        let Some(held) = self.payments.get_mut(payment) else { return Ok(()) };
        let left = held.captured.minus(held.refunded)?;
        if !amount.is_negative() && amount.compare(left)?.is_gt() {
            return Err(LedgerError::Payments { left, asked: amount });
        }
        held.refunded = held.refunded.plus(amount)?;
        Ok(())
    }
}

impl LedgerLine {
    /// Units that are neither promised nor returned.
    pub fn left(&self) -> u32 {
        self.bought.saturating_sub(self.reserved).saturating_sub(self.returned)
    }

    /// The most money that may go back where so many units were exchanged: the others' share of what was paid, in whole cents
    /// upwards.
    fn refundable(&self, exchanged: u32) -> Money {
        if exchanged == 0 || self.bought == 0 {
            return self.paid;
        }
        let others = i128::from(self.bought.saturating_sub(exchanged));
        let bought = i128::from(self.bought);
        let share = (i128::from(self.paid.minor()) * others + bought - 1) / bought;
        Money::from_minor(i64::try_from(share).unwrap_or(i64::MAX), self.paid.currency())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gbp(pence: i64) -> Money {
        Money::from_minor(pence, "GBP".parse().unwrap())
    }

    fn ledger() -> Ledger {
        let mut ledger = Ledger::new(gbp(1_000), &[]);
        ledger.know(0, 3, gbp(900));
        ledger
    }

    #[test]
    fn the_last_unit_is_promised_once() {
        let mut ledger = ledger();
        ledger.reserve(0, 3).unwrap();
        assert_eq!(ledger.reserve(0, 1), Err(LedgerError::Quantity { line: 0, left: 0, asked: 1 }));
        ledger.release(0, 1).unwrap();
        ledger.reserve(0, 1).unwrap();
    }

    #[test]
    fn a_line_never_refunds_more_than_was_paid_for_it() {
        let mut ledger = ledger();
        ledger.reserve(0, 2).unwrap();
        ledger.refund(0, 1, gbp(900)).unwrap();
        let refused = ledger.refund(0, 1, gbp(1));
        assert_eq!(refused.unwrap_err().code(), "refund_exceeds_payment");
        assert_eq!(ledger.refunded(), gbp(900));
    }

    #[test]
    fn an_order_never_refunds_more_than_was_paid_for_it() {
        let mut ledger = Ledger::new(gbp(1_000), &[]);
        ledger.know(0, 3, gbp(900));
        ledger.know(1, 1, gbp(900));
        ledger.reserve(0, 1).unwrap();
        ledger.reserve(1, 1).unwrap();
        ledger.refund(0, 1, gbp(600)).unwrap();
        assert!(matches!(ledger.refund(1, 1, gbp(500)), Err(LedgerError::OrderPaid { .. })));
    }

    #[test]
    fn a_declined_refund_leaves_the_units_promised_and_no_money_booked() {
        let mut ledger = ledger();
        ledger.reserve(0, 2).unwrap();
        let before = ledger.clone();
        ledger.refund(0, 2, gbp(600)).unwrap();
        ledger.decline(0, 2, gbp(600)).unwrap();
        assert_eq!(ledger, before);
    }

    #[test]
    fn legs_fill_the_payments_in_turn_and_never_more_than_was_captured() {
        let payment = |id: &str, pence| Payment {
            id: id.into(),
            provider: "card".into(),
            reference: id.into(),
            captured: gbp(pence),
        };
        let mut ledger = Ledger::new(gbp(1_000), &[payment("a", 300), payment("b", 700)]);
        assert_eq!(ledger.legs(gbp(500)).unwrap(), [(Some("a".into()), gbp(300)), (Some("b".into()), gbp(200))]);
        ledger.book("a", gbp(300)).unwrap();
        assert_eq!(ledger.legs(gbp(701)).unwrap_err().code(), "refund_exceeds_payment");
        assert_eq!(ledger.book("a", gbp(1)), Err(LedgerError::Payments { left: gbp(0), asked: gbp(1) }));
        ledger.book("a", gbp(-300)).unwrap();
        ledger.book("a", gbp(300)).unwrap();
    }

    #[test]
    fn an_order_told_anew_keeps_what_happened_to_it_and_must_cover_it() {
        let mut ledger = ledger();
        ledger.reserve(0, 2).unwrap();
        ledger.refund(0, 1, gbp(300)).unwrap();
        assert!(matches!(ledger.clone().restate(&[(1, gbp(900))], &[]), Err(LedgerError::Quantity { line: 0, .. })));
        assert!(matches!(ledger.clone().restate(&[(3, gbp(299))], &[]), Err(LedgerError::OrderPaid { .. })));
        assert!(matches!(
            ledger.clone().restate(&[(3, gbp(299)), (1, gbp(1))], &[]),
            Err(LedgerError::LinePaid { line: 0, .. })
        ));
        ledger.restate(&[(2, gbp(600))], &[]).unwrap();
        assert_eq!(ledger.line(0).unwrap().left(), 0);
        assert_eq!(ledger.refunded(), gbp(300));
        assert!(matches!(ledger.refund(0, 1, gbp(301)), Err(LedgerError::OrderPaid { .. })));
    }

    #[test]
    fn units_are_exchanged_or_refunded_and_never_both_in_whatever_order() {
        // Numbers that look random and repeat.
        let mut state = 7_u64;
        let mut roll = |sides: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % sides
        };
        let (mut exchanged, mut refunded, mut refused) = (0, 0, 0);
        for _ in 0..200 {
            let mut ledger = ledger();
            for _ in 0..30 {
                let (quantity, amount) =
                    (u32::try_from(1 + roll(3)).unwrap(), gbp(i64::try_from(roll(7) * 150).unwrap()));
                let done = match roll(5) {
                    0 => ledger.reserve(0, quantity),
                    1 => ledger.release(0, quantity),
                    2 => ledger.exchange(0, quantity).inspect(|()| exchanged += 1),
                    3 => ledger.give_back(0, quantity),
                    _ => ledger.refund(0, quantity, amount).inspect(|()| refunded += 1),
                };
                refused += u32::from(done.is_err());
                let line = ledger.line(0).unwrap();
                assert!(line.reserved + line.returned <= line.bought && line.exchanged <= line.returned, "{line:?}");
                // 3.00 a unit: what was exchanged is refunded no more.
                assert!(line.refunded.minor() <= 300 * i64::from(line.bought - line.exchanged), "{line:?}");
            }
        }
        assert!(exchanged > 100 && refunded > 100 && refused > 100, "{exchanged} {refunded} {refused}");
    }

    #[test]
    fn an_exchange_that_was_declined_leaves_the_ledger_as_it_was() {
        let mut ledger = ledger();
        ledger.reserve(0, 2).unwrap();
        let before = ledger.clone();
        ledger.exchange(0, 2).unwrap();
        assert_eq!(ledger.reserve(0, 2).unwrap_err().code(), "quantity_exceeds_left");
        ledger.give_back(0, 2).unwrap();
        assert_eq!(ledger, before);
        assert_eq!(ledger.give_back(0, 1).unwrap_err().code(), "ledger_not_held");
    }

    #[test]
    fn no_money_is_taken_back_that_was_not_booked() {
        let mut ledger = ledger();
        ledger.know(1, 1, gbp(100));
        ledger.reserve(0, 1).unwrap();
        ledger.reserve(1, 1).unwrap();
        ledger.refund(0, 1, gbp(300)).unwrap();
        ledger.refund(1, 1, gbp(100)).unwrap();
        assert_eq!(ledger.decline(1, 1, gbp(101)), Err(LedgerError::NotHeld { line: 1 }));
    }

    #[test]
    fn another_currency_is_refused() {
        let mut ledger = ledger();
        ledger.reserve(0, 1).unwrap();
        let yen = Money::from_minor(1, "JPY".parse().unwrap());
        assert_eq!(ledger.refund(0, 1, yen).unwrap_err().code(), "wrong_currency");
    }
}
