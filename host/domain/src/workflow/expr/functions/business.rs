//! Functions that count by the document's calendar. Days are those of the calendar's zone.

use std::borrow::Cow;

use chrono::NaiveDate;
use rust_decimal::prelude::ToPrimitive;

use super::Args;
use crate::clock::Span;
use crate::value::Value;
use crate::workflow::calendar::Calendar;
use crate::workflow::expr::evaluate::charge;
use crate::workflow::expr::typed::Settings;
use crate::workflow::expr::{Context, EvalError};

type Answer = Result<Value, EvalError>;

/// The most business days or hours that are counted on.
const COUNT_MAX: i64 = 2_500;
/// How many days are looked at for one step.
const DAYS_PER_STEP: i64 = 16;

pub(super) fn is_business_day(args: &Args<'_>, settings: &Settings, _: &mut Context) -> Answer {
    let calendar = calendar(settings)?;
    Ok(Value::Bool(calendar.is_business_day(day_of(args, 0, calendar)?)))
}

pub(super) fn business_days_between(args: &Args<'_>, settings: &Settings, _: &mut Context) -> Answer {
    let calendar = calendar(settings)?;
    Ok(Value::whole(calendar.days_between(day_of(args, 0, calendar)?, day_of(args, 1, calendar)?)))
}

pub(super) fn add_business_days(args: &Args<'_>, settings: &Settings, context: &mut Context) -> Answer {
    let calendar = calendar(settings)?;
    let days = count(args, 1, "days are counted in whole numbers", 1)?;
    charge_days(context, days)?;
    match args.first().map(Cow::as_ref) {
        Some(Value::Date(date)) => Ok(Value::Date(calendar.after_days(*date, days))),
        Some(Value::Instant(at)) => Ok(Value::Instant(calendar.instant_after_days(*at, days))),
        _ => Err(EvalError::shape()),
    }
}

pub(super) fn add_business_hours(args: &Args<'_>, settings: &Settings, context: &mut Context) -> Answer {
    let calendar = calendar(settings)?;
    const HOUR_MS: i64 = 3_600_000;
    let millis = count(args, 1, "business hours are counted to the millisecond", HOUR_MS)?;
    if millis < 0 {
        return Err(EvalError::new("bad_number", "business hours are counted on, not back"));
    }
    charge_days(context, millis / HOUR_MS)?;
    match args.first().map(Cow::as_ref) {
        Some(Value::Instant(at)) if millis == 0 => Ok(Value::Instant(*at)),
        Some(Value::Instant(at)) => Ok(Value::Instant(calendar.after_hours(*at, Span::from_millis(millis)))),
        _ => Err(EvalError::shape()),
    }
}

/// The calendar that the checker saw to.
fn calendar(settings: &Settings) -> Result<&Calendar, EvalError> {
    settings.calendar.as_deref().ok_or_else(EvalError::shape)
}

/// The number at this place times so many parts, which must be whole; bounded, because each is looked at.
fn count(args: &Args<'_>, place: usize, whole: &str, parts: i64) -> Result<i64, EvalError> {
    let Some(Value::Number(number)) = args.get(place).map(Cow::as_ref) else { return Err(EvalError::shape()) };
    if number.abs() > COUNT_MAX.into() {
        return Err(EvalError::new("overflow", format!("at most {COUNT_MAX} business days or hours are counted")));
    }
    let exact = number.checked_mul(parts.into()).filter(|exact| exact.is_integer());
    exact.and_then(|exact| exact.to_i64()).ok_or_else(|| EvalError::new("bad_number", whole))
}

fn charge_days(context: &mut Context, days: i64) -> Result<(), EvalError> {
    charge(context, usize::try_from(days.abs() / DAYS_PER_STEP).unwrap_or(usize::MAX))
}

fn day_of(args: &Args<'_>, place: usize, calendar: &Calendar) -> Result<NaiveDate, EvalError> {
    match args.get(place).map(Cow::as_ref) {
        Some(Value::Date(date)) => Ok(*date),
        Some(Value::Instant(at)) => Ok(at.date(calendar.zone)),
        _ => Err(EvalError::shape()),
    }
}
