//! What operators do with values that the checker has matched to one another.

use std::borrow::Cow;
use std::cmp::Ordering;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use super::charge;
use crate::clock::{Instant, Span};
use crate::money::Price;
use crate::value::Value;
use crate::workflow::expr::ast::Operator;
use crate::workflow::expr::functions::amounts::{amount_of, order, overflow, payable, plus, same_currency, times};
use crate::workflow::expr::functions::text::join;
use crate::workflow::expr::{Context, EvalError};

type Answer = Result<Value, EvalError>;

/// `==`, `<` and their like.
pub(super) fn compare(
    operator: Operator,
    left: &Value,
    right: &Value,
    context: &mut Context,
) -> Result<bool, EvalError> {
    let order = match operator {
        Operator::Equal => return equal(left, right, context),
        Operator::NotEqual => return equal(left, right, context).map(|equal| !equal),
        _ => order(left, right)?,
    };
    Ok(match operator {
        Operator::Less => order.is_lt(),
        Operator::AtMost => order.is_le(),
        Operator::More => order.is_gt(),
        _ => order.is_ge(),
    })
}

/// Whether an item is in a list; every item of the list costs a step.
pub(super) fn contains(list: &Value, item: &Value, context: &mut Context) -> Result<bool, EvalError> {
    let Value::List(items) = list else { return Err(EvalError::shape()) };
    for candidate in items {
        charge(context, 1)?;
        if equal(candidate, item, context)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn equal(left: &Value, right: &Value, context: &mut Context) -> Result<bool, EvalError> {
    match (left, right) {
        (Value::Bool(left), Value::Bool(right)) => Ok(left == right),
        (Value::Text(left), Value::Text(right)) => Ok(left == right),
        (Value::List(left), Value::List(right)) => {
            if left.len() != right.len() {
                return Ok(false);
            }
            for (left, right) in left.iter().zip(right) {
                charge(context, 1)?;
                if !equal(left, right, context)? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        (left, right) => Ok(order(left, right)? == Ordering::Equal),
    }
}

/// `+ - * / %`.
pub(super) fn arithmetic(
    operator: Operator,
    left: &Value,
    right: &Value,
    exact: bool,
    context: &mut Context,
) -> Answer {
    match (left, right) {
        (Value::Text(left), Value::Text(right)) => join(left, right, context),
        (Value::Instant(left), Value::Instant(right)) => {
            Ok(Value::Duration(Span::from_millis(left.unix_ms() - right.unix_ms())))
        }
        (Value::Instant(at), Value::Duration(span)) => {
            let back = operator == Operator::Minus;
            later(*at, if back { span.millis().checked_neg() } else { Some(span.millis()) })
        }
        (Value::Duration(span), Value::Instant(at)) => later(*at, Some(span.millis())),
        (Value::Duration(left), Value::Duration(right)) => {
            let (left, right) = (left.millis(), right.millis());
            let sum = if operator == Operator::Minus { left.checked_sub(right) } else { left.checked_add(right) };
            sum.map(|millis| Value::Duration(Span::from_millis(millis))).ok_or_else(overflow)
        }
        (left, right) => amounts(operator, left, right, exact),
    }
}

fn amounts(operator: Operator, left: &Value, right: &Value, exact: bool) -> Answer {
    let ((a, ours), (b, theirs)) = (amount_of(left)?, amount_of(right)?);
    if let (Some(ours), Some(theirs)) = (ours, theirs) {
        same_currency(ours, theirs)?;
    }
    let result = match operator {
        Operator::Plus if exact => plus(a, b)?,
        Operator::Minus if exact => plus(a, -b)?,
        Operator::Times if exact => times(a, b)?,
        Operator::Plus => a.checked_add(b).ok_or_else(overflow)?,
        Operator::Minus => a.checked_sub(b).ok_or_else(overflow)?,
        Operator::Times => a.checked_mul(b).ok_or_else(overflow)?,
        Operator::Divide | Operator::Remainder if b.is_zero() => {
            return Err(EvalError::new("division_by_zero", "division by zero"));
        }
        Operator::Divide => a.checked_div(b).ok_or_else(overflow)?,
        Operator::Remainder => a.checked_rem(b).ok_or_else(overflow)?,
        _ => return Err(EvalError::shape()),
    };
    match (left, right, ours.or(theirs)) {
        (Value::Money(_), Value::Money(_), Some(currency)) if operator != Operator::Divide => payable(result, currency),
        // The ratio of two amounts has no currency.
        (_, _, Some(currency)) if !(operator == Operator::Divide && theirs.is_some()) => {
            Ok(Value::Price(Price::new(result, currency)))
        }
        _ => Ok(Value::Number(result)),
    }
}

/// The instant so much later, if the calendar can name it; an instant by itself would be held to its bounds in silence.
fn later(at: Instant, millis: Option<i64>) -> Answer {
    let later = millis.and_then(|millis| at.unix_ms().checked_add(millis));
    let named = later.filter(|millis| Instant::from_unix_ms(*millis).unix_ms() == *millis);
    let beyond = || EvalError::new("overflow", "the instant is beyond what the calendar can name");
    named.map(|millis| Value::Instant(Instant::from_unix_ms(millis))).ok_or_else(beyond)
}

/// `-x`.
pub(super) fn negate(value: &Value) -> Answer {
    match value {
        Value::Number(number) => Ok(Value::Number(-*number)),
        Value::Money(money) => payable(-money.amount(), money.currency()),
        Value::Price(price) => Ok(Value::Price(Price::new(-price.amount(), price.currency()))),
        Value::Duration(span) => Ok(Value::Duration(Span::from_millis(span.millis().saturating_neg()))),
        _ => Err(EvalError::shape()),
    }
}

/// Money as a price: the same amount.
pub(super) fn widen(value: &Value) -> Answer {
    match value {
        Value::Money(money) => Ok(Value::Price(Price::from(*money))),
        Value::Price(price) => Ok(Value::Price(*price)),
        _ => Err(EvalError::shape()),
    }
}

/// The place that an index names; none where a list has no such place.
pub(super) fn place(index: &Value) -> Result<Option<usize>, EvalError> {
    match index {
        Value::Number(number) if *number != number.trunc() => {
            Err(EvalError::new("bad_number", "a place in a list is a whole number"))
        }
        Value::Number(number) if *number < Decimal::ZERO => Ok(None),
        Value::Number(number) => Ok(number.to_usize()),
        _ => Err(EvalError::shape()),
    }
}

/// The elements of a list that are to be kept.
pub(super) fn keep(list: Cow<'_, Value>, kept: &[bool]) -> Value {
    match list {
        Cow::Borrowed(Value::List(items)) => {
            Value::List(items.iter().zip(kept).filter(|(_, kept)| **kept).map(|(item, _)| item.clone()).collect())
        }
        Cow::Owned(Value::List(items)) => {
            Value::List(items.into_iter().zip(kept).filter(|(_, kept)| **kept).map(|(item, _)| item).collect())
        }
        other => other.into_owned(),
    }
}
