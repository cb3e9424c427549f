//! Judges each line by the days from the delivery, or from the purchase, to the case.
//!
//! Parameters
//! - `window_days`: so many calendar days, in the merchant's zone, a return may come later.
//! - `clock`: what the days count from, `delivered` or `purchased`.
//!
//! A line is judged against the order line that it names, else against the customer's latest purchase of its stock
//! code. Where that purchase or its date of delivery is not known, the line is left to a person: this plugin only
//! knows days. It takes nothing; how much may come back is another plugin's question.

use redress_plugin::eligibility::{
    Cx, Eligibility, Failure, Line, LineVerdict, Moment, Purchase, Reason, Request, Verdict,
};
use redress_plugin::purchases::Purchases;

struct ReturnWindow;

#[redress_plugin::plugin(
    name = "return-window",
    version = "0.1.0",
    params(window_days: integer, clock: text = "delivered"),
)]
impl Eligibility for ReturnWindow {
    fn evaluate(req: &Request, cx: &Cx) -> Result<Verdict, Failure> {
        let window = Window { days: cx.arg_integer("window_days")?, clock: Clock::from_param(cx.arg_text("clock")?)? };
        let purchases = Purchases::new(&req.purchases);
        let judge = |line: &Line| match purchase_of(line, &purchases, req.about.opened) {
            Some(purchase) => window.judge(line, purchase, req.about.opened),
            None => LineVerdict::review(line.index, purchase_unknown(line)),
        };
        Ok(Verdict { lines: req.lines.iter().map(judge).collect(), ..Verdict::default() })
    }
}

/// How long a return may take, and from when.
struct Window {
    days: i64,
    clock: Clock,
}

#[derive(Clone, Copy)]
enum Clock {
    Delivered,
    Purchased,
}

impl Window {
    fn judge(&self, line: &Line, purchase: &Purchase, opened: Moment) -> LineVerdict {
        let Some(start) = self.clock.start(purchase) else {
            return LineVerdict::review(line.index, delivery_unknown(purchase));
        };
        let days = opened.days_since(&start);
        if days <= self.days {
            return LineVerdict::allow(line.index, line.quantity);
        }
        LineVerdict::deny(line.index, self.outside(days))
    }

    /// `days_over` is the smallest change that would have made it an allowance: so many days earlier, or more window.
    fn outside(&self, days: i64) -> Reason {
        let reason = Reason::new("outside_window").using([self.clock.input(), "about.opened", "args.window_days"]);
        reason.with("days", days).with("window_days", self.days).with("days_over", days.saturating_sub(self.days))
    }
}

impl Clock {
    fn from_param(word: &str) -> Result<Self, Failure> {
        match word {
            "delivered" => Ok(Self::Delivered),
            "purchased" => Ok(Self::Purchased),
            other => Err(Failure::bad_input(format!("`clock` is `{other}`, expected `delivered` or `purchased`"))),
        }
    }

    fn start(self, purchase: &Purchase) -> Option<Moment> {
        match self {
            Self::Delivered => purchase.delivered,
            Self::Purchased => Some(purchase.at),
        }
    }

    fn input(self) -> &'static str {
        match self {
            Self::Delivered => "purchases.delivered",
            Self::Purchased => "purchases.at",
        }
    }
}

/// What a line is judged against: the order line it names, else the latest purchase before the case.
fn purchase_of<'a>(line: &Line, purchases: &Purchases<'a>, opened: Moment) -> Option<&'a Purchase> {
    let is_before = |purchase: &&Purchase| purchase.at.unix_ms <= opened.unix_ms && purchase.sku == line.sku;
    match &line.bought {
        Some(named) => purchases.find(&named.order, named.line).map(|at| purchases.at(at)).filter(is_before),
        None => purchases.of_sku(&line.sku).iter().map(|at| purchases.at(*at)).find(is_before),
    }
}

fn purchase_unknown(line: &Line) -> Reason {
    Reason::new("purchase_unknown").using(["line.bought", "line.sku", "purchases"]).with("sku", line.sku.as_str())
}

fn delivery_unknown(purchase: &Purchase) -> Reason {
    let reason = Reason::new("facts_missing").using(["purchases.delivered"]).with("missing", "purchases.delivered");
    reason.with("order", purchase.order.as_str())
}

#[cfg(test)]
mod tests {
    use redress_plugin::eligibility::Bag;
    use redress_plugin::testing::{self, RequestBuilder, bought, moment};
    use redress_plugin::types::Remedy;

    use super::*;

    /// A case of day 1,000 with a window of 14 days and one line.
    fn case() -> RequestBuilder {
        RequestBuilder::new().arg("window_days", 14_i64)
    }

    fn delivered_on(case: RequestBuilder, order: &str, bought: i32, delivered: i32) -> RequestBuilder {
        case.purchase_with(order, "85123A", bought, 5, |purchase| purchase.delivered = Some(moment(delivered, 60)))
    }

    #[track_caller]
    fn judged(case: RequestBuilder) -> (Remedy, Vec<Reason>) {
        let line = testing::evaluate::<ReturnWindow>(&case.build()).answer.unwrap().lines.remove(0);
        (line.remedy, line.reasons)
    }

    #[test]
    fn the_window_counts_days_from_delivery_and_ends_with_its_last_day() {
        let delivered = |day| judged(delivered_on(case().line("85123A", 2), "1", 950, day)).0;
        assert_eq!([delivered(986), delivered(985)], [Remedy::Allow, Remedy::Deny]);
    }

    #[test]
    fn a_denial_says_by_how_many_days() {
        let (_, reasons) = judged(delivered_on(case().line("85123A", 2), "1", 950, 983));
        assert_eq!(reasons[0].code, "outside_window");
        let number = |key| reasons[0].params.integer(key).unwrap();
        assert_eq!([number("days"), number("window_days"), number("days_over")], [Some(17), Some(14), Some(3)]);
    }

    #[test]
    fn without_a_date_of_delivery_a_person_decides_unless_the_clock_is_the_purchase() {
        let line = || case().line("85123A", 1).purchase("1", "85123A", 990, 1);
        let (remedy, reasons) = judged(line());
        assert_eq!((remedy, reasons[0].params.text("missing")), (Remedy::Review, Ok(Some("purchases.delivered"))));
        assert_eq!(judged(line().arg("clock", "purchased")).0, Remedy::Allow);
    }

    #[test]
    fn a_line_is_judged_by_the_purchase_it_names_and_else_by_the_latest() {
        let both = |case| delivered_on(delivered_on(case, "1", 900, 905), "2", 990, 992);
        assert_eq!(judged(both(case().line("85123A", 1))).0, Remedy::Allow);
        assert_eq!(judged(both(case().line_with("85123A", 1, |line| line.bought = bought("1", 0)))).0, Remedy::Deny);
    }

    #[test]
    fn an_unknown_purchase_is_left_to_a_person() {
        let named = |order| case().line_with("85123B", 1, |line| line.bought = bought(order, 0));
        for unknown in [case().line("85123B", 1), named("1"), named("7")] {
            let (remedy, reasons) = judged(delivered_on(unknown, "1", 990, 992));
            assert_eq!((remedy, reasons[0].code.as_str()), (Remedy::Review, "purchase_unknown"));
        }
    }

    #[test]
    fn what_is_allowed_is_the_whole_line_and_takes_nothing() {
        let request = delivered_on(case().line("85123A", 9), "1", 990, 992).build();
        let line = testing::evaluate::<ReturnWindow>(&request).answer.unwrap().lines.remove(0);
        assert_eq!((line.quantity, line.takes.len()), (9, 0));
    }

    #[test]
    fn an_unknown_clock_is_bad_input() {
        let answer = testing::evaluate::<ReturnWindow>(&case().arg("clock", "shipped").build()).answer;
        assert_eq!(answer, Err(Failure::bad_input("`clock` is `shipped`, expected `delivered` or `purchased`")));
    }
}
