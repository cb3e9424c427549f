//! The sandbox against real WebAssembly: plugins that work, plugins that are broken, plugins that mean harm.
#![expect(clippy::unwrap_used, reason = "a helper that fails ends its test")]

#[expect(unreachable_pub, reason = "shared with the product's tests, where it is a public module")]
#[path = "../../../../tests/src/guests/mod.rs"]
mod guests;

mod answers;
mod bombs;
mod cache;
mod calls;
mod classes;
mod compiling;
mod hostile;
mod uploads;

use std::sync::OnceLock;

use redress_sandbox::contract::{
    CaseInfo, Decimal, Line, LineQuote, LineVerdict, Moment, Money, Part, Purchase, Quote, Remedy, Request, StepAnswer,
    StepRequest, Take, Tier, Value, Verdict,
};
use redress_sandbox::{Answer, Attempt, Call, CallError, Config, Digest, Hook, Limits, Sandbox};

use crate::guests::Guest;

/// The sandbox that most tests share. Its clock is far away, so that a busy machine changes no outcome.
fn sandbox() -> &'static Sandbox {
    static SHARED: OnceLock<Sandbox> = OnceLock::new();
    SHARED.get_or_init(|| with(patient()))
}

/// A sandbox with its own limits.
fn with(limits: Limits) -> Sandbox {
    let interpreter_limits = Limits { wall_clock_ms: 60_000, ..Limits::interpreter() };
    Sandbox::new(Config { limits, interpreter_limits, ..Config::default() }).unwrap()
}

/// The default limits but for the clock.
fn patient() -> Limits {
    Limits { wall_clock_ms: 60_000, ..Limits::default() }
}

/// Loads a guest; a guest that is refused is a mistake in the test.
fn load(sandbox: &Sandbox, guest: &Guest) -> Digest {
    sandbox.load(&guest.component().unwrap()).unwrap().digest
}

/// Puts the usual question of the guest's hook to it.
fn ask(sandbox: &Sandbox, guest: &Guest) -> Attempt {
    let digest = load(sandbox, guest);
    let (request, step) = (request(), step_request());
    let call = match sandbox.info(&digest).unwrap().hooks[0] {
        Hook::Eligibility => Call::Eligibility(&request),
        Hook::Compliance => Call::Compliance(&request),
        Hook::Refund => Call::Refund(&request),
        Hook::Step => Call::Step(&step),
    };
    sandbox.attempt(&digest, call)
}

/// The failure of a guest that must fail.
fn failure(guest: &Guest) -> CallError {
    ask(sandbox(), guest).result.unwrap_err()
}

/// Two lines of one stock code, 3 and 2 wanted; 4 bought for 10.00 GBP, of which 1 is returned and 2.50 refunded, and
/// 1 more bought for 2.00.
fn request() -> Request {
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

fn step_request() -> StepRequest {
    StepRequest {
        ask: "ask-2".to_owned(),
        now: moment(),
        seed: 7,
        zone: "Europe/London".to_owned(),
        jurisdiction: "GB".to_owned(),
        args: Vec::new(),
    }
}

fn moment() -> Moment {
    Moment { unix_ms: 1_291_198_860_000, local_day: 14_944, local_second: 36_060 }
}

fn line(index: u32, quantity: u32) -> Line {
    let sku = "85123A".to_owned();
    Line { index, sku, quantity, bought: None, unit: None, reason: None, attributes: Vec::new() }
}

fn purchase(order: &str, quantity: u32, left: u32, paid: i64, refunded: i64) -> Purchase {
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

fn gbp(minor: i64) -> Money {
    Money { minor, currency: "GBP".to_owned() }
}

fn take(order: &str, quantity: u32) -> Take {
    Take { order: order.to_owned(), line: 5, quantity }
}

fn allow(line: u32, quantity: u32, takes: Vec<Take>) -> LineVerdict {
    let remedy = Remedy::Allow;
    LineVerdict { line, remedy, quantity, takes, disposition: None, tier: Tier::Goodwill, reasons: Vec::new() }
}

fn verdict(lines: Vec<LineVerdict>) -> Verdict {
    Verdict { lines, reasons: Vec::new(), duties: Vec::new(), provides: Vec::new() }
}

fn quoted(line: u32, take: Take, amount: Money) -> LineQuote {
    LineQuote { line, take, parts: vec![Part { kind: "goods".to_owned(), amount }] }
}

fn quote(lines: Vec<LineQuote>) -> Quote {
    Quote { lines, reasons: Vec::new(), provides: Vec::new() }
}

/// The integer that a step provides.
fn integer(attempt: Attempt) -> i64 {
    match attempt.result.unwrap() {
        Answer::Step(StepAnswer { provides, .. }) => match provides[0].value {
            Value::Integer(number) => number,
            ref other => panic!("not an integer: {other:?}"),
        },
        other => panic!("not a step's answer: {other:?}"),
    }
}
