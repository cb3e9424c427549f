//! The question that every plugin of the corpus is asked, and the answers that some give to it.

use redress_sandbox::contract::{
    CaseInfo, Decimal, Line, LineQuote, LineVerdict, Moment, Money, Part, Purchase, Quote, Remedy, Request,
    StepRequest, Take, Tier, Verdict,
};

/// Two lines of one stock code, 3 and 2 wanted; 4 bought for 10.00 GBP, of which 1 is returned and 2.50 refunded, and
/// 1 more bought for 2.00.
#[must_use]
pub fn request() -> Request {
    Request {
        ask: "ask-1".to_owned(),
        now: moment(),
        seed: 7,
        zone: "Europe/London".to_owned(),
        jurisdiction: "GB".to_owned(),
        args: Vec::new(),
        about: CaseInfo {
            id: "case-1".to_owned(),
            number: "C536379".to_owned(),
            kind: "return".to_owned(),
            reason: None,
            claim: Some("goodwill".to_owned()),
            opened: moment(),
            channel: "import".to_owned(),
            attributes: Vec::new(),
        },
        customer: None,
        lines: vec![line(0, 3), line(1, 2)],
        purchases: vec![purchase("536378", 4, 3, 1_000, 250), purchase("536400", 1, 1, 200, 0)],
        earlier: Vec::new(),
        facts: Vec::new(),
    }
}

/// A question to a step, without parameters.
#[must_use]
pub fn step_request() -> StepRequest {
    StepRequest {
        ask: "ask-2".to_owned(),
        now: moment(),
        seed: 7,
        zone: "Europe/London".to_owned(),
        jurisdiction: "GB".to_owned(),
        args: Vec::new(),
    }
}

/// The time of every question.
#[must_use]
pub fn moment() -> Moment {
    Moment { unix_ms: 1_291_198_860_000, local_day: 14_944, local_second: 36_060 }
}

/// A line of the request.
#[must_use]
pub fn line(index: u32, quantity: u32) -> Line {
    let sku = "85123A".to_owned();
    Line { index, sku, quantity, bought: None, unit: None, reason: None, attributes: Vec::new() }
}

/// An order line of the request's customer.
#[must_use]
pub fn purchase(order: &str, quantity: u32, left: u32, paid: i64, refunded: i64) -> Purchase {
    Purchase {
        order: order.to_owned(),
        line: 5,
        sku: "85123A".to_owned(),
        at: moment(),
        delivered: None,
        quantity,
        left,
        unit_price: Decimal { mantissa: 2_500, scale: 3 },
        paid: gbp(paid),
        refunded: gbp(refunded),
        attributes: Vec::new(),
    }
}

/// An amount in pounds.
#[must_use]
pub fn gbp(minor: i64) -> Money {
    Money { minor, currency: "GBP".to_owned() }
}

/// Units of a purchase.
#[must_use]
pub fn take(order: &str, quantity: u32) -> Take {
    Take { order: order.to_owned(), line: 5, quantity }
}

/// A line that is allowed.
#[must_use]
pub fn allow(line: u32, quantity: u32, takes: Vec<Take>) -> LineVerdict {
    let remedy = Remedy::Allow;
    LineVerdict { line, remedy, quantity, takes, disposition: None, tier: Tier::Goodwill, reasons: Vec::new() }
}

/// A verdict with these lines.
#[must_use]
pub fn verdict(lines: Vec<LineVerdict>) -> Verdict {
    Verdict { lines, reasons: Vec::new(), duties: Vec::new(), provides: Vec::new() }
}

/// A part of a quote.
#[must_use]
pub fn quoted(line: u32, take: Take, amount: Money) -> LineQuote {
    LineQuote { line, take, parts: vec![Part { kind: "goods".to_owned(), amount }] }
}

/// A quote with these lines.
#[must_use]
pub fn quote(lines: Vec<LineQuote>) -> Quote {
    Quote { lines, reasons: Vec::new(), provides: Vec::new() }
}
