//! Functions of numbers, money and prices. All arithmetic is checked: what 28 digits cannot hold is an error.

use std::borrow::Cow;
use std::cmp::Ordering;

use rust_decimal::Decimal;

use super::Args;
use super::text::text_of;
use crate::clock::Span;
use crate::money::{Currency, Money, MoneyError, Price, Rounding};
use crate::value::{Type, Value};
use crate::workflow::expr::evaluate::charge;
use crate::workflow::expr::typed::Settings;
use crate::workflow::expr::{Context, EvalError};

type Answer = Result<Value, EvalError>;

pub(super) fn sum(args: &Args<'_>, settings: &Settings, context: &mut Context) -> Answer {
    let Some(Value::List(items)) = args.first().map(Cow::as_ref) else { return Err(EvalError::shape()) };
    charge(context, items.len())?;
    let mut total = Decimal::ZERO;
    for item in items {
        let (amount, currency) = amount_of(item)?;
        if let Some(currency) = currency {
            same_currency(currency, context.currency)?;
        }
        total = plus(total, amount)?;
    }
    match settings.result {
        Type::Money => payable(total, context.currency),
        Type::Price => Ok(Value::Price(Price::new(total, context.currency))),
        _ => Ok(Value::Number(total)),
    }
}

pub(super) fn min(args: &Args<'_>, _: &Settings, _: &mut Context) -> Answer {
    pick(args, Ordering::Less)
}

pub(super) fn max(args: &Args<'_>, _: &Settings, _: &mut Context) -> Answer {
    pick(args, Ordering::Greater)
}

fn pick(args: &Args<'_>, wanted: Ordering) -> Answer {
    let [first, second] = args else { return Err(EvalError::shape()) };
    let better = order(second, first)? == wanted;
    Ok(if better { second } else { first }.clone().into_owned())
}

pub(super) fn abs(args: &Args<'_>, _: &Settings, _: &mut Context) -> Answer {
    match args.first().map(Cow::as_ref) {
        Some(Value::Number(number)) => Ok(Value::Number(number.abs())),
        Some(Value::Money(money)) => payable(money.amount().abs(), money.currency()),
        Some(Value::Price(price)) => Ok(Value::Price(Price::new(price.amount().abs(), price.currency()))),
        Some(Value::Duration(span)) => Ok(Value::Duration(Span::from_millis(span.millis().saturating_abs()))),
        _ => Err(EvalError::shape()),
    }
}

pub(super) fn round(args: &Args<'_>, settings: &Settings, _: &mut Context) -> Answer {
    let rounding = settings.rounding.unwrap_or(Rounding::HalfAwayFromZero);
    let (amount, currency) = amount_of(args.first().ok_or_else(EvalError::shape)?)?;
    let rounded = rounding.apply(amount, settings.digits);
    match currency {
        Some(currency) => payable(rounded, currency),
        None => Ok(Value::Number(rounded)),
    }
}

pub(super) fn number(args: &Args<'_>, _: &Settings, context: &mut Context) -> Answer {
    let text = text_of(args, 0, context)?;
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
        && digits.starts_with(|c: char| c.is_ascii_digit())
        && digits.ends_with(|c: char| c.is_ascii_digit());
    let number = plain.then(|| Decimal::from_str_exact(text).ok()).flatten();
    // The text itself may be personal, so that the message does not quote it.
    number.map(Value::Number).ok_or_else(|| EvalError::new("bad_text", "the text is not a number"))
}

pub(super) fn money(args: &Args<'_>, _: &Settings, context: &mut Context) -> Answer {
    payable(amount_of(args.first().ok_or_else(EvalError::shape)?)?.0, context.currency)
}

pub(super) fn price(args: &Args<'_>, _: &Settings, context: &mut Context) -> Answer {
    Ok(Value::Price(Price::new(amount_of(args.first().ok_or_else(EvalError::shape)?)?.0, context.currency)))
}

/// The decimal of a number, money or price, and its currency.
pub(in crate::workflow::expr) fn amount_of(value: &Value) -> Result<(Decimal, Option<Currency>), EvalError> {
    match value {
        Value::Number(number) => Ok((*number, None)),
        Value::Money(money) => Ok((money.amount(), Some(money.currency()))),
        Value::Price(price) => Ok((price.amount(), Some(price.currency()))),
        _ => Err(EvalError::shape()),
    }
}

/// An amount that can be paid, if the currency can hold it.
pub(in crate::workflow::expr) fn payable(amount: Decimal, currency: Currency) -> Answer {
    Money::new(amount, currency).map(Value::Money).map_err(|error| match error {
        MoneyError::TooPrecise { .. } => EvalError::new("too_precise", "more decimals than the currency has"),
        other => EvalError::new("overflow", other.to_string()),
    })
}

/// Refuse two currencies in one operation.
pub(in crate::workflow::expr) fn same_currency(left: Currency, right: Currency) -> Result<(), EvalError> {
    let message = || format!("an amount in {left} met one in {right}");
    if left == right { Ok(()) } else { Err(EvalError::new("currency", message())) }
}

/// Which of two values of one type is larger.
pub(in crate::workflow::expr) fn order(left: &Value, right: &Value) -> Result<Ordering, EvalError> {
    match (left, right) {
        (Value::Date(left), Value::Date(right)) => Ok(left.cmp(right)),
        (Value::Instant(left), Value::Instant(right)) => Ok(left.cmp(right)),
        (Value::Duration(left), Value::Duration(right)) => Ok(left.cmp(right)),
        (left, right) => {
            let ((left, ours), (right, theirs)) = (amount_of(left)?, amount_of(right)?);
            if let (Some(ours), Some(theirs)) = (ours, theirs) {
                same_currency(ours, theirs)?;
            }
            Ok(left.cmp(&right))
        }
    }
}

/// The sum, if 28 digits hold it exactly.
pub(in crate::workflow::expr) fn plus(left: Decimal, right: Decimal) -> Result<Decimal, EvalError> {
    let sum = left.checked_add(right).ok_or_else(overflow)?;
    // A sum that lost digits has fewer decimals than the finer of the two.
    let needed = left.normalize().scale().max(right.normalize().scale());
    if sum.scale() >= needed { Ok(sum) } else { Err(overflow()) }
}

/// The product, if 28 digits hold it exactly.
pub(in crate::workflow::expr) fn times(left: Decimal, right: Decimal) -> Result<Decimal, EvalError> {
    let product = left.checked_mul(right).ok_or_else(overflow)?;
    let needed = left.normalize().scale() + right.normalize().scale();
    if product.scale() >= needed || left.is_zero() || right.is_zero() { Ok(product) } else { Err(overflow()) }
}

/// A result that 28 digits cannot hold.
pub(in crate::workflow::expr) fn overflow() -> EvalError {
    EvalError::new("overflow", "the result has more than 28 digits")
}
