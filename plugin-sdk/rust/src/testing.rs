//! Testing a plugin natively: requests in a few words, and calls that also give the log.
//!
//! ```
//! use redress_plugin::testing::RequestBuilder;
//!
//! let request = RequestBuilder::new()
//!     .opened_on(100)
//!     .arg("window_days", 90_i64)
//!     .line("85123A", 2)
//!     .purchase("536365", "85123A", 40, 6)
//!     .build();
//! assert_eq!(request.purchases[0].left, 6);
//! ```

use crate::compliance::Compliance;
use crate::cx::Cx;
use crate::eligibility::Eligibility;
use crate::log::recording;
use crate::manifest::Described;
use crate::refund::Refund;
use crate::step::Step;
use crate::types::{
    Attribute, CaseInfo, Decimal, Failure, Level, Line, Moment, Money, Opinion, OrderLineRef, Party, Purchase, Quote,
    Request, StepAnswer, StepRequest, Value, Verdict,
};

/// What a native call gave: the answer, and every line that it logged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run<T> {
    /// The answer of the hook.
    pub answer: Result<T, Failure>,
    /// The lines in the order they were written.
    pub log: Vec<(Level, String)>,
}

/// Call the eligibility hook of `P`.
pub fn evaluate<P: Eligibility + Described>(request: &Request) -> Run<Verdict> {
    run::<P, _>(&request.args, |cx| P::evaluate(request, cx))
}

/// Call the compliance hook of `P`.
pub fn check<P: Compliance + Described>(request: &Request) -> Run<Verdict> {
    run::<P, _>(&request.args, |cx| P::check(request, cx))
}

/// Call the refund hook of `P`.
pub fn quote<P: Refund + Described>(request: &Request) -> Run<Quote> {
    run::<P, _>(&request.args, |cx| P::quote(request, cx))
}

/// Call the step hook of `P`.
pub fn step<P: Step + Described>(request: &StepRequest) -> Run<StepAnswer> {
    run::<P, _>(&request.args, |cx| P::run(request, cx))
}

fn run<P: Described, T>(args: &[Attribute], hook: impl FnOnce(&Cx<'_>) -> Result<T, Failure>) -> Run<T> {
    recording::take();
    let answer = hook(&Cx::new::<P>(args));
    Run { answer, log: recording::take() }
}

/// The second `second` of the day `day` (since 1970-01-01) in a zone without an offset.
#[must_use]
pub fn moment(day: i32, second: u32) -> Moment {
    Moment { unix_ms: (i64::from(day) * 86_400 + i64::from(second)) * 1_000, local_day: day, local_second: second }
}

/// A request, built in a few words: a known customer in London, a case opened at noon of day 1,000, no lines yet.
#[derive(Clone, Debug)]
pub struct RequestBuilder {
    request: Request,
}

impl Default for RequestBuilder {
    fn default() -> Self {
        Self::new()
    }
}

impl RequestBuilder {
    /// A request without lines and purchases.
    #[must_use]
    pub fn new() -> Self {
        let opened = moment(1_000, 43_200);
        let about = CaseInfo {
            id: "case_1".to_owned(),
            number: "R-1".to_owned(),
            kind: "return".to_owned(),
            reason: None,
            claim: None,
            opened,
            channel: "test".to_owned(),
            attributes: Vec::new(),
        };
        let request = Request {
            ask: "ask_1".to_owned(),
            now: opened,
            seed: 0,
            zone: "Europe/London".to_owned(),
            jurisdiction: "UK".to_owned(),
            args: Vec::new(),
            about,
            customer: Some(Party { id: "cus_1".to_owned(), attributes: Vec::new() }),
            lines: Vec::new(),
            purchases: Vec::new(),
            earlier: Vec::new(),
            facts: Vec::new(),
        };
        Self { request }
    }

    /// Open the case, and call, at noon of this day.
    #[must_use]
    pub fn opened_on(self, day: i32) -> Self {
        self.opened_at(moment(day, 43_200))
    }

    /// Open the case, and call, at this moment.
    #[must_use]
    pub fn opened_at(mut self, opened: Moment) -> Self {
        (self.request.now, self.request.about.opened) = (opened, opened);
        self
    }

    /// Under this law.
    #[must_use]
    pub fn jurisdiction(mut self, jurisdiction: &str) -> Self {
        self.request.jurisdiction = jurisdiction.to_owned();
        self
    }

    /// Without a customer.
    #[must_use]
    pub fn anonymous(mut self) -> Self {
        self.request.customer = None;
        self
    }

    /// With an argument of the call.
    #[must_use]
    pub fn arg(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.request.args.push(Attribute::new(name, value));
        self
    }

    /// With an attribute of the case.
    #[must_use]
    pub fn case_attribute(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.request.about.attributes.push(Attribute::new(key, value));
        self
    }

    /// With one more line.
    #[must_use]
    pub fn line(self, sku: &str, quantity: u32) -> Self {
        self.line_with(sku, quantity, |_| ())
    }

    /// With one more line, changed by `change`.
    #[must_use]
    pub fn line_with(mut self, sku: &str, quantity: u32, change: impl FnOnce(&mut Line)) -> Self {
        let index = u32::try_from(self.request.lines.len()).unwrap_or(u32::MAX);
        let (bought, unit, reason) = (None, None, None);
        let mut line = Line { index, sku: sku.to_owned(), quantity, bought, unit, reason, attributes: Vec::new() };
        change(&mut line);
        self.request.lines.push(line);
        self
    }

    /// With one more order line: bought at noon of this day for 10.00 GBP each, nothing returned yet.
    #[must_use]
    pub fn purchase(self, order: &str, sku: &str, day: i32, quantity: u32) -> Self {
        self.purchase_with(order, sku, day, quantity, |_| ())
    }

    /// With one more order line, changed by `change`.
    #[must_use]
    pub fn purchase_with(
        mut self,
        order: &str,
        sku: &str,
        day: i32,
        quantity: u32,
        change: impl FnOnce(&mut Purchase),
    ) -> Self {
        let before = self.request.purchases.iter().filter(|purchase| purchase.order == order).count();
        let mut purchase = Purchase {
            order: order.to_owned(),
            line: u32::try_from(before).unwrap_or(u32::MAX),
            sku: sku.to_owned(),
            at: moment(day, 43_200),
            delivered: None,
            quantity,
            left: quantity,
            unit_price: Decimal::new(1_000, 2),
            paid: Money::new(i64::from(quantity) * 1_000, "GBP"),
            refunded: Money::new(0, "GBP"),
            attributes: Vec::new(),
        };
        change(&mut purchase);
        self.request.purchases.push(purchase);
        self
    }

    /// With a verdict that an earlier call of the case gave.
    #[must_use]
    pub fn earlier(mut self, plugin: &str, verdict: Verdict) -> Self {
        self.request.earlier.push(Opinion { step: plugin.to_owned(), plugin: plugin.to_owned(), verdict });
        self
    }

    /// The request.
    #[must_use]
    pub fn build(self) -> Request {
        self.request
    }
}

/// The order line that a case line names.
#[must_use]
pub fn bought(order: &str, line: u32) -> Option<OrderLineRef> {
    Some(OrderLineRef { order: order.to_owned(), line })
}
