//! Answers that contradict their question, given by real plugins.

use redress_sandbox::answer::Rule;
use redress_sandbox::contract::{Attribute, LineVerdict, Money, Quote, Remedy, StepAnswer, Value, Verdict};
use redress_sandbox::{CallError, Hook};

use crate::guests::{Guest, quoting, taking};
use crate::{allow, ask, failure, gbp, quote, quoted, sandbox, take, verdict};

fn rule(error: &CallError) -> Rule {
    match error {
        CallError::AnswerInvalid(invalid) => invalid.rule,
        other => panic!("not an invalid answer: {other}"),
    }
}

fn broken_by(lines: Vec<LineVerdict>) -> Rule {
    rule(&failure(&Guest::new(Hook::Eligibility).verdict(&verdict(lines))))
}

fn broken_by_quote(quote: &Quote) -> Rule {
    rule(&failure(&Guest::new(Hook::Refund).quote(quote)))
}

#[test]
fn a_verdict_speaks_of_each_line_of_the_request_at_most_once() {
    assert_eq!(broken_by(vec![allow(2, 1, Vec::new())]), Rule::LineUnknown);
    assert_eq!(broken_by(vec![allow(0, 1, Vec::new()), allow(0, 1, Vec::new())]), Rule::LineTwice);
    // More verdicts than lines are not even looked at.
    let many = Guest::new(Hook::Eligibility).verdict(&verdict(vec![allow(0, 1, Vec::new()); 3]));
    assert_eq!(failure(&many), CallError::AnswerTooLarge { what: "lines", got: 3, max: 2 });
}

#[test]
fn no_line_gets_more_than_was_asked_for() {
    assert_eq!(broken_by(vec![allow(0, 4, Vec::new())]), Rule::QuantityAboveAsked);
    assert_eq!(broken_by(vec![allow(0, 1, vec![take("536378", 2)])]), Rule::TakesAboveQuantity);
    let review = LineVerdict { remedy: Remedy::Review, ..allow(1, 0, vec![take("536378", 3)]) };
    assert_eq!(broken_by(vec![review]), Rule::TakesAboveQuantity);
}

#[test]
fn no_more_is_taken_than_is_left_of_a_purchase() {
    let error = failure(&taking(4));
    // The first line asks for 3; the quantity is noticed first.
    assert_eq!(rule(&error), Rule::QuantityAboveAsked);
    assert_eq!(broken_by(vec![allow(0, 2, vec![take("536400", 2)])]), Rule::QuantityAboveLeft);
    // Each line for itself would do, both together do not.
    let both = vec![allow(0, 2, vec![take("536378", 2)]), allow(1, 2, vec![take("536378", 2)])];
    assert_eq!(broken_by(both), Rule::QuantityAboveLeft);
    assert_eq!(broken_by(vec![allow(0, 1, vec![take("999999", 1)])]), Rule::PurchaseUnknown);
    let mut other_line = take("536378", 1);
    other_line.line = 6;
    assert_eq!(broken_by(vec![allow(0, 1, vec![other_line])]), Rule::PurchaseUnknown);
}

#[test]
fn no_more_is_refunded_than_was_paid_and_is_still_open() {
    // 10.00 paid, 2.50 refunded.
    ask(sandbox(), &quoting(750, "GBP")).result.unwrap();
    let error = failure(&quoting(751, "GBP"));
    assert_eq!(rule(&error), Rule::AmountAbovePaid);
    assert_eq!(error.code(), "plugin_answer_invalid");
    assert!(error.to_string().contains("751 of 750 minor units"), "{error}");
    let twice = quote(vec![quoted(0, take("536378", 1), gbp(400)), quoted(1, take("536378", 1), gbp(351))]);
    assert_eq!(broken_by_quote(&twice), Rule::AmountAbovePaid);
    // A sum that would overflow is above what was paid, too.
    assert_eq!(rule(&failure(&quoting(i64::MAX, "GBP"))), Rule::AmountAbovePaid);
}

#[test]
fn a_quote_keeps_the_currency_and_has_no_negative_amounts() {
    assert_eq!(rule(&failure(&quoting(1, "EUR"))), Rule::CurrencyDiffers);
    assert_eq!(rule(&failure(&quoting(1, "gbp"))), Rule::CurrencyDiffers);
    assert_eq!(rule(&failure(&quoting(-1, "GBP"))), Rule::AmountNegative);
}

#[test]
fn a_quote_speaks_of_the_requests_lines_and_purchases() {
    let one = |line, from: &str, quantity| quote(vec![quoted(line, take(from, quantity), gbp(1))]);
    assert_eq!(broken_by_quote(&one(5, "536378", 1)), Rule::LineUnknown);
    assert_eq!(broken_by_quote(&one(0, "999999", 1)), Rule::PurchaseUnknown);
    assert_eq!(broken_by_quote(&one(1, "536378", 3)), Rule::QuantityAboveAsked);
    assert_eq!(broken_by_quote(&one(1, "536400", 2)), Rule::QuantityAboveLeft);
    let twice = quote(vec![quoted(0, take("536378", 1), gbp(1)), quoted(0, take("536378", 1), gbp(1))]);
    assert_eq!(broken_by_quote(&twice), Rule::LineTwice);
}

#[test]
fn a_plugin_provides_what_its_manifest_says() {
    let provide = |provides: Vec<(&str, Value)>| {
        let provides = provides.into_iter().map(|(key, value)| Attribute { key: key.to_owned(), value }).collect();
        let answer = StepAnswer { provides, reasons: Vec::new() };
        let guest = Guest::new(Hook::Step).provides(r#"{"score":"integer","cap":"money?"}"#).step(&answer);
        ask(sandbox(), &guest).result.map(|_| ()).map_err(|error| rule(&error))
    };
    let score = || ("score", Value::Integer(1));
    assert_eq!(provide(vec![score()]), Ok(()));
    assert_eq!(provide(vec![score(), ("cap", Value::Money(gbp(5)))]), Ok(()));
    assert_eq!(provide(Vec::new()), Err(Rule::ProvidesMissing));
    assert_eq!(provide(vec![("score", Value::Text("1".to_owned()))]), Err(Rule::ProvidesType));
    let dollars = Money { minor: 1, currency: "dollars".to_owned() };
    assert_eq!(provide(vec![score(), ("cap", Value::Money(dollars))]), Err(Rule::ProvidesType));
    assert_eq!(provide(vec![score(), ("more", Value::Boolean(true))]), Err(Rule::ProvidesUndeclared));
    assert_eq!(provide(vec![score(), score()]), Err(Rule::ProvidesUndeclared));
    // The decision hooks are held to it as well.
    let guest = Guest::new(Hook::Compliance).provides(r#"{"score":"integer"}"#);
    let empty = Verdict { lines: Vec::new(), reasons: Vec::new(), duties: Vec::new(), provides: Vec::new() };
    assert_eq!(rule(&failure(&guest.verdict(&empty))), Rule::ProvidesMissing);
}
