//! Quotes what was paid for the goods that a case takes back: quantity times unit price, exactly, rounded once a line.
//!
//! What is taken back is what the earlier opinions of the case say: for each line the takes of the last opinion that
//! has any, and nothing for a line that any opinion denies or leaves to a person.
//!
//! The sum of a line is rounded half away from zero to the minor unit of its currency. Its takes get parts that add
//! up to exactly that sum, so it makes no difference over how many orders a line was bought.
//!
//! Where that is more than was paid for a purchase and not yet refunded (after a discount, or by rounding), it does not decide: what
//! is fair then is a person's to say.
//!
//! Parameters
//! - `percent`: how much of it, 0 to 100; all where it is left out. What is kept is the merchant's to justify.

use redress_plugin::agreed::Agreed;
use redress_plugin::money::minor_places;
use redress_plugin::number::{Exact, Rounding};
use redress_plugin::open::Open;
use redress_plugin::purchases::Purchases;
use redress_plugin::refund::{Attribute, Cx, Failure, LineQuote, Money, Part, Quote, Reason, Refund, Request, Take};
use redress_plugin::types::Decimal;

struct RefundQuote;

/// All of what was paid.
const WHOLE: u32 = 100;
/// A percentage is two decimal places.
const PERCENT_PLACES: u8 = 2;

#[redress_plugin::plugin(
    name = "refund-quote",
    version = "0.1.0",
    params(percent: optional integer),
    provides(lines_quoted: integer),
)]
impl Refund for RefundQuote {
    fn quote(req: &Request, cx: &Cx) -> Result<Quote, Failure> {
        let percent = percent(cx)?;
        let agreed = Agreed::new(&req.earlier);
        let bought = Purchases::new(&req.purchases);
        let mut open = Open::new(&bought);
        let mut quote = Quote::default();
        let mut lines_quoted = 0_i64;
        for line in &req.lines {
            let takes = agreed.takes_of(line.index);
            for one in quote_line(line.index, takes, &bought, percent)? {
                for part in &one.parts {
                    open.spend(&one.take, &part.amount)?;
                }
                quote.lines.push(one);
            }
            lines_quoted += i64::from(!takes.is_empty());
        }
        quote.provides.push(Attribute::new("lines_quoted", lines_quoted));
        Ok(quote)
    }
}

fn percent(cx: &Cx) -> Result<u32, Failure> {
    let Some(asked) = cx.optional_integer("percent")? else { return Ok(WHOLE) };
    let percent = u32::try_from(asked).ok().filter(|percent| *percent <= WHOLE);
    percent.ok_or_else(|| Failure::bad_input(format!("`percent` is {asked}, it goes from 0 to {WHOLE}")))
}

/// One quote for each take; together they are the rounded sum.
fn quote_line(line: u32, takes: &[Take], bought: &Purchases<'_>, percent: u32) -> Result<Vec<LineQuote>, Failure> {
    let mut sum = Exact::ZERO;
    let mut quoted = 0;
    let mut currency: Option<&str> = None;
    let mut quotes = Vec::new();
    for take in takes {
        let purchase = bought.of_take(take)?;
        let ours = purchase.paid.currency.as_str();
        if currency.is_some_and(|theirs| theirs != ours) {
            return Err(Failure::cannot_decide(mixed_currencies(line)));
        }
        currency = Some(ours);
        let places = minor_places(ours).ok_or_else(|| Failure::bad_input(format!("`{ours}` is no currency")))?;
        sum = sum.checked_add(share(purchase.unit_price, take.quantity, percent)?)?;
        let so_far = sum.rounded(places, Rounding::HalfAwayFromZero)?;
        let amount = Money::new(so_far - quoted, ours);
        quoted = so_far;
        quotes.push(LineQuote { line, take: take.clone(), parts: vec![Part { kind: "goods".to_owned(), amount }] });
    }
    Ok(quotes)
}

/// The exact price of so many units, or so much of it.
fn share(price: Decimal, quantity: u32, percent: u32) -> Result<Exact, Failure> {
    if percent == WHOLE {
        return Ok(price.times(quantity));
    }
    let hundredths = Decimal::new(price.mantissa, price.scale.saturating_add(PERCENT_PLACES));
    let units = quantity.checked_mul(percent).ok_or_else(|| Failure::bad_input("the quantity is too large"))?;
    Ok(hundredths.times(units))
}

fn mixed_currencies(line: u32) -> Reason {
    Reason::new("mixed_currencies").using(["purchases.paid"]).with("line", line)
}

#[cfg(test)]
mod tests {
    use redress_plugin::refund::{Bag, Purchase};
    use redress_plugin::testing::{self, RequestBuilder};
    use redress_plugin::types::{LineVerdict, Verdict};

    use super::*;

    fn take(order: &str, quantity: u32) -> Take {
        Take { order: order.to_owned(), line: 0, quantity }
    }

    fn opinion(lines: Vec<LineVerdict>) -> Verdict {
        Verdict { lines, ..Verdict::default() }
    }

    fn allowed(line: u32, takes: Vec<Take>) -> LineVerdict {
        LineVerdict::allow(line, takes.iter().map(|take| take.quantity).sum()).taking(takes)
    }

    /// Orders 1, 2, ... with these unit prices in thousandths, one line each.
    fn bought_at(prices: &[i64], currency: &str) -> RequestBuilder {
        let prices = prices.iter().enumerate();
        prices.fold(RequestBuilder::new(), |case, (at, price)| {
            case.purchase_with(&(at + 1).to_string(), "85123A", 990, 1_000, |purchase| {
                purchase.unit_price = Decimal::new(*price, 3);
                for money in [&mut purchase.paid, &mut purchase.refunded] {
                    money.currency = currency.to_owned();
                }
            })
        })
    }

    fn quote(case: RequestBuilder) -> Result<Quote, Failure> {
        testing::quote::<RefundQuote>(&case.build()).answer
    }

    fn minors(quote: &Quote) -> Vec<(u32, &str, i64)> {
        let parts = quote.lines.iter();
        parts.map(|line| (line.line, line.take.order.as_str(), line.parts[0].amount.minor)).collect()
    }

    #[test]
    fn a_line_over_several_orders_adds_up_to_its_rounded_sum() {
        let case = bought_at(&[5, 5, 5], "GBP").line("85123A", 3);
        let quote = quote(case.earlier("m", opinion(vec![allowed(0, vec![take("1", 1), take("2", 1), take("3", 1)])])));
        let quote = quote.unwrap();
        // 0.005, 0.010, 0.015 round to 0.01, 0.01, 0.02.
        assert_eq!(minors(&quote), [(0, "1", 1), (0, "2", 0), (0, "3", 1)]);
        assert_eq!(quote.provides.integer("lines_quoted"), Ok(Some(1)));
        assert_eq!(quote.lines[0].parts[0].kind, "goods");
    }

    #[test]
    fn each_line_is_rounded_by_itself() {
        let verdict = opinion(vec![allowed(0, vec![take("1", 1)]), allowed(1, vec![take("1", 1)])]);
        let quote =
            quote(bought_at(&[1_005], "GBP").line("85123A", 1).line("85123A", 1).earlier("m", verdict)).unwrap();
        assert_eq!(minors(&quote), [(0, "1", 101), (1, "1", 101)]);
    }

    #[test]
    fn a_price_below_the_minor_unit_counts_with_its_quantity() {
        let of = |quantity| {
            let verdict = opinion(vec![allowed(0, vec![take("1", quantity)])]);
            minors(&quote(bought_at(&[1], "GBP").line("85123A", quantity).earlier("m", verdict)).unwrap())[0].2
        };
        assert_eq!([of(4), of(5), of(14), of(15)], [0, 1, 1, 2]);
    }

    #[test]
    fn the_minor_unit_is_that_of_the_currency() {
        for (currency, minor) in [("GBP", 247), ("JPY", 2), ("KWD", 2_468)] {
            let case = bought_at(&[1_234], currency).line("85123A", 2);
            let quote = quote(case.earlier("m", opinion(vec![allowed(0, vec![take("1", 2)])]))).unwrap();
            assert_eq!(quote.lines[0].parts[0].amount, Money::new(minor, currency));
        }
    }

    #[test]
    fn the_last_opinion_with_takes_counts() {
        let case = bought_at(&[1_000, 2_000], "GBP").line("85123A", 1);
        let case = case.earlier("first", opinion(vec![allowed(0, vec![take("1", 1)])]));
        let case = case.earlier("second", opinion(vec![allowed(0, vec![take("2", 1)])]));
        let quote = quote(case.earlier("third", opinion(vec![allowed(0, Vec::new())]))).unwrap();
        assert_eq!(minors(&quote), [(0, "2", 200)]);
    }

    #[test]
    fn a_line_that_any_opinion_denies_or_leaves_to_a_person_is_not_quoted() {
        let because = || Reason::new("a_reason");
        for stop in [LineVerdict::deny(0, because()), LineVerdict::review(0, because())] {
            let matched = opinion(vec![allowed(0, vec![take("1", 1)]), allowed(1, vec![take("1", 1)])]);
            let case = bought_at(&[1_000], "GBP").line("85123A", 1).line("85123A", 1).earlier("m", matched);
            let quote = quote(case.earlier("law", opinion(vec![stop]))).unwrap();
            assert_eq!(minors(&quote), [(1, "1", 100)]);
        }
    }

    #[test]
    fn a_part_of_the_price_is_rounded_as_the_whole_is() {
        let of = |percent: i64, prices: &[i64]| {
            let takes = (1..=prices.len()).map(|order| take(&order.to_string(), 1)).collect();
            quote(
                bought_at(prices, "CNY")
                    .line("85123A", 3)
                    .arg("percent", percent)
                    .earlier("m", opinion(vec![allowed(0, takes)])),
            )
        };
        let minors = |percent, prices: &[i64]| -> Vec<i64> {
            minors(&of(percent, prices).unwrap()).into_iter().map(|(_, _, minor)| minor).collect()
        };
        assert_eq!(minors(85, &[129_000]), [10_965]);
        // 85 % of 0.01, 0.02 and 0.03 is 0.0085, 0.017 and 0.0255.
        assert_eq!(minors(85, &[10, 10, 10]), [1, 1, 1]);
        assert_eq!(minors(100, &[5, 5, 5]), [1, 0, 1]);
        assert_eq!(minors(0, &[129_000]), [0]);
        for percent in [-1, 101, i64::MAX] {
            let refused = Failure::bad_input(format!("`percent` is {percent}, it goes from 0 to 100"));
            assert_eq!(of(percent, &[1_000]), Err(refused));
        }
    }

    #[test]
    fn more_than_was_paid_and_not_yet_refunded_is_left_to_a_person() {
        let paying = |paid: i64, refunded: i64, quantities: &[u32]| {
            let case = RequestBuilder::new().purchase_with("1", "85123A", 990, 5, |purchase| {
                purchase.paid.minor = paid;
                purchase.refunded.minor = refunded;
            });
            let case = quantities.iter().fold(case, |case, quantity| case.line("85123A", *quantity));
            let takes = |(at, quantity): (usize, &u32)| allowed(u32::try_from(at).unwrap(), vec![take("1", *quantity)]);
            quote(case.earlier("m", opinion(quantities.iter().enumerate().map(takes).collect())))
        };
        assert!(paying(5_000, 3_000, &[2]).is_ok());
        // Each line alone would be covered.
        assert!(paying(5_000, 3_000, &[1, 1]).is_ok());
        for (paid, refunded, quantities) in [(5_000, 3_001, &[2][..]), (1_999, 0, &[1, 1]), (0, 0, &[1])] {
            let Err(Failure::CannotDecide(reasons)) = paying(paid, refunded, quantities) else { panic!() };
            assert_eq!(reasons[0].code, "more_than_paid");
            assert_eq!(reasons[0].params.integer("open_minor"), Ok(Some(paid - refunded)));
        }
    }

    #[test]
    fn what_cannot_be_priced_is_refused() {
        let priced =
            |case: RequestBuilder, takes| quote(case.line("85123A", 2).earlier("m", opinion(vec![allowed(0, takes)])));
        let unknown = priced(bought_at(&[1_000], "GBP"), vec![take("9", 1)]);
        assert!(matches!(unknown, Err(Failure::BadInput(what)) if what.contains("order 9 line 0")));
        let nonsense = priced(bought_at(&[1_000], "pounds"), vec![take("1", 1)]);
        assert_eq!(nonsense, Err(Failure::bad_input("`pounds` is no currency")));
        let euro = |purchase: &mut Purchase| purchase.paid.currency = "EUR".to_owned();
        let mixed = bought_at(&[1_000], "GBP").purchase_with("2", "85123A", 990, 1, euro);
        let mixed = priced(mixed, vec![take("1", 1), take("2", 1)]);
        assert_eq!(mixed, Err(Failure::cannot_decide(mixed_currencies(0))));
    }
}
