//! Quotes what is refunded for the goods that a case takes back: what was paid for each unit.

use redress_plugin::agreed::Agreed;
use redress_plugin::number::Rounding;
use redress_plugin::open::Open;
use redress_plugin::purchases::Purchases;
use redress_plugin::refund::{Cx, Failure, LineQuote, Money, Part, Quote, Refund, Request, Take};

struct Policy;

#[redress_plugin::plugin(name = "{{name}}", version = "0.1.0")]
impl Refund for Policy {
    fn quote(req: &Request, _cx: &Cx) -> Result<Quote, Failure> {
        let (agreed, bought) = (Agreed::new(&req.earlier), Purchases::new(&req.purchases));
        let mut open = Open::new(&bought);
        let mut quote = Quote::default();
        for line in &req.lines {
            for take in agreed.takes_of(line.index) {
                let amount = price_of(take, &bought)?;
                // No more than was paid and is not refunded yet: else a person decides.
                open.spend(take, &amount)?;
                let parts = vec![Part { kind: "goods".to_owned(), amount }];
                quote.lines.push(LineQuote { line: line.index, take: take.clone(), parts });
            }
        }
        Ok(quote)
    }
}

/// So many units at the price that they were bought for, rounded once.
fn price_of(take: &Take, bought: &Purchases<'_>) -> Result<Money, Failure> {
    let purchase = bought.of_take(take)?;
    let price = purchase.unit_price.times(take.quantity);
    Ok(Money::from_exact(price, &purchase.paid.currency, Rounding::HalfAwayFromZero)?)
}

#[cfg(test)]
mod tests {
    use redress_plugin::testing::{self, RequestBuilder};
    use redress_plugin::types::{LineVerdict, Verdict};

    use super::*;

    /// So many units come back of an order line of five at 10.00 GBP.
    fn quoted(quantity: u32) -> Vec<i64> {
        let take = Take { order: "1".to_owned(), line: 0, quantity };
        let lines = vec![LineVerdict::allow(0, quantity).taking(vec![take])];
        let request = RequestBuilder::new()
            .line("A1", quantity)
            .purchase("1", "A1", 990, 5)
            .earlier("match", Verdict { lines, ..Verdict::default() })
            .build();
        let quote = testing::quote::<Policy>(&request).answer.unwrap();
        quote.lines.iter().flat_map(|line| &line.parts).map(|part| part.amount.minor).collect()
    }

    #[test]
    fn what_was_paid_for_a_unit_is_refunded() {
        assert_eq!(quoted(2), [2_000]);
    }
}
