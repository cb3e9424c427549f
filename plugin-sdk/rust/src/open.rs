//! How much money is open: what was paid for a purchase, is not refunded yet, and was not spent in this call.

use std::collections::BTreeMap;

use crate::purchases::Purchases;
use crate::types::{Failure, Money, Reason, Take};

/// What a call refunds of each purchase, never more than is open.
#[derive(Clone, Debug)]
pub struct Open<'a> {
    bought: &'a Purchases<'a>,
    spent: BTreeMap<usize, i64>,
}

impl<'a> Open<'a> {
    /// Nothing is spent of these purchases so far.
    #[must_use]
    pub fn new(bought: &'a Purchases<'a>) -> Self {
        Self { bought, spent: BTreeMap::new() }
    }

    /// Count an amount that is refunded for a take.
    ///
    /// # Errors
    /// [`Failure::CannotDecide`] with the reason `more_than_paid` where that is more than is open, so that a person decides;
    /// [`Failure::BadInput`] where the order line is not among the purchases or has another currency.
    pub fn spend(&mut self, take: &Take, amount: &Money) -> Result<(), Failure> {
        let at = self.bought.find(&take.order, take.line).ok_or_else(|| Purchases::unknown(take))?;
        let purchase = self.bought.at(at);
        let open = purchase.paid.checked_sub(&purchase.refunded)?;
        let spent = self.spent.entry(at).or_default();
        let sum = Money::new(*spent, purchase.paid.currency.as_str()).checked_add(amount)?;
        if sum.minor > open.minor {
            return Err(Failure::cannot_decide(more_than_paid(take, sum.minor, open.minor)));
        }
        *spent = sum.minor;
        Ok(())
    }
}

fn more_than_paid(take: &Take, quoted: i64, open: i64) -> Reason {
    let used = ["purchases.unit_price", "purchases.paid", "purchases.refunded"];
    let reason = Reason::new("more_than_paid").using(used).with("order", take.order.as_str());
    reason.with("line", take.line).with("quoted_minor", quoted).with("open_minor", open)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::RequestBuilder;

    #[test]
    fn what_is_open_is_spent_once_over_all_lines() {
        let request = RequestBuilder::new()
            .purchase_with("1", "A", 990, 3, |purchase| purchase.refunded = Money::new(1_000, "GBP"))
            .build();
        let bought = Purchases::new(&request.purchases);
        let take = Take { order: "1".to_owned(), line: 0, quantity: 1 };
        let mut open = Open::new(&bought);
        assert_eq!(open.spend(&take, &Money::new(1_500, "GBP")), Ok(()));
        let Err(Failure::CannotDecide(reasons)) = open.spend(&take, &Money::new(501, "GBP")) else { panic!() };
        assert_eq!(reasons[0].code, "more_than_paid");
        // What was refused is not spent.
        assert_eq!(open.spend(&take, &Money::new(500, "GBP")), Ok(()));
        assert!(matches!(open.spend(&take, &Money::new(0, "EUR")), Err(Failure::BadInput(_))));
        let unknown = Take { order: "2".to_owned(), ..take };
        assert!(matches!(open.spend(&unknown, &Money::new(0, "GBP")), Err(Failure::BadInput(_))));
    }
}
