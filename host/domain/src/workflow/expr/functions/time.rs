//! Functions of dates, instants and spans. Nothing reads a clock: `now` is a root like any other.

use std::borrow::Cow;

use chrono::format::{Fixed, Item, Numeric, Parsed, StrftimeItems, parse};
use chrono::{Datelike, Days, NaiveDate, NaiveDateTime, NaiveTime, TimeZone};
use rust_decimal::prelude::ToPrimitive;

use super::Args;
use super::text::text_of;
use crate::clock::{Instant, Span, Zone, days_from_epoch};
use crate::value::Value;
use crate::workflow::expr::typed::Settings;
use crate::workflow::expr::{Context, EvalError};

type Answer = Result<Value, EvalError>;

/// How instants are written in a text; understood once, when the expression is loaded.
#[derive(Debug, Clone)]
pub(in crate::workflow::expr) struct Format {
    items: Vec<Item<'static>>,
    shape: Shape,
}

/// What a format names.
#[derive(Debug, Clone, Copy)]
enum Shape {
    /// A day; the instant is its beginning.
    Day,
    /// A day and a time.
    Local,
    /// A day, a time and an offset, so that no zone is needed.
    Offset,
}

impl Format {
    /// Understand a format of `strftime`, or say what is wrong with it.
    pub(in crate::workflow::expr) fn new(format: &str) -> Result<Self, &'static str> {
        let unknown = "holds a `%` that stands for nothing";
        let items = StrftimeItems::new(format).parse_to_owned().map_err(|_| unknown)?;
        if items.iter().any(|item| matches!(item, Item::Numeric(Numeric::Timestamp, _))) {
            return Err("holds `%s`, which is no local time");
        }
        if items.iter().any(|item| matches!(item, Item::Fixed(Fixed::TimezoneName))) {
            return Err("holds `%Z`, and the name of a zone cannot be read; give the zone as third argument");
        }
        // What a format names is tried out: write a known instant, then see what can be read back.
        let probe = Zone::UTC.with_ymd_and_hms(2011, 12, 31, 13, 45, 58).single().ok_or("cannot be tried out")?;
        let written = probe.format_with_items(items.iter()).to_string();
        [Shape::Offset, Shape::Local, Shape::Day]
            .into_iter()
            .map(|shape| Self { items: items.clone(), shape })
            .find(|format| format.read(&written, Zone::UTC).is_some_and(|at| at.date(Zone::UTC) == probe.date_naive()))
            .ok_or("does not name a day")
    }

    /// The instant that a text writes.
    fn read(&self, text: &str, zone: Zone) -> Option<Instant> {
        let mut parsed = Parsed::new();
        parse(&mut parsed, text, self.items.iter()).ok()?;
        let at = match self.shape {
            // An hour without a minute is no time, and must not be dropped in silence.
            Shape::Day if parsed.hour_mod_12().is_some() => None,
            Shape::Day => Instant::from_local(parsed.to_naive_date().ok()?.and_time(NaiveTime::MIN), zone),
            Shape::Local => Instant::from_local(parsed.to_naive_datetime_with_offset(0).ok()?, zone),
            Shape::Offset => Some(parsed.to_datetime().ok()?.to_utc().into()),
        };
        at.filter(|_| parsed.year().is_none_or(|year| (1..=9_999).contains(&year)))
    }
}

pub(super) fn instant(args: &Args<'_>, settings: &Settings, context: &mut Context) -> Answer {
    let format = settings.format.as_ref().ok_or_else(EvalError::shape)?;
    let at = format.read(text_of(args, 0, context)?, settings.zone.unwrap_or(context.zone));
    at.map(Value::Instant).ok_or_else(|| EvalError::new("bad_text", "the text is no instant of this format and zone"))
}

pub(super) fn date(args: &Args<'_>, _: &Settings, context: &mut Context) -> Answer {
    Ok(Value::Date(day_of(args, 0, context)?))
}

pub(super) fn days_between(args: &Args<'_>, _: &Settings, context: &mut Context) -> Answer {
    let (from, to) = (day_of(args, 0, context)?, day_of(args, 1, context)?);
    Ok(Value::whole(days_from_epoch(to) - days_from_epoch(from)))
}

pub(super) fn add_days(args: &Args<'_>, _: &Settings, context: &mut Context) -> Answer {
    let days = whole(args, 1)?;
    let later = shift(day_of(args, 0, context)?, days).ok_or_else(beyond)?;
    match args.first().map(Cow::as_ref) {
        Some(Value::Instant(at)) => {
            let time = at.utc().with_timezone(&context.zone).time();
            let skipped = || EvalError::new("bad_time", "that local time does not exist on that day");
            Instant::from_local(NaiveDateTime::new(later, time), context.zone).map(Value::Instant).ok_or_else(skipped)
        }
        _ => Ok(Value::Date(later)),
    }
}

/// The span that `30d`, `4h`, `15m` or `90s` writes.
pub(in crate::workflow::expr) fn span(text: &str) -> Option<Span> {
    let unit = text.find(|c: char| !c.is_ascii_digit())?;
    let millis: i64 = match &text[unit..] {
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    text[..unit].parse::<i64>().ok()?.checked_mul(millis).map(Span::from_millis)
}

/// The day at this place; of an instant in the document's zone.
fn day_of(args: &Args<'_>, place: usize, context: &Context) -> Result<NaiveDate, EvalError> {
    match args.get(place).map(Cow::as_ref) {
        Some(Value::Date(date)) => Ok(*date),
        Some(Value::Instant(at)) => Ok(at.date(context.zone)),
        _ => Err(EvalError::shape()),
    }
}

/// The whole number of days at this place, held to what the calendar can name.
fn whole(args: &Args<'_>, place: usize) -> Result<i64, EvalError> {
    let Some(Value::Number(number)) = args.get(place).map(Cow::as_ref) else { return Err(EvalError::shape()) };
    let days = number.is_integer().then(|| number.to_i64()).flatten();
    let days = days.ok_or_else(|| EvalError::new("bad_number", "days are counted in whole numbers"))?;
    if days.abs() <= 4_000_000 { Ok(days) } else { Err(beyond()) }
}

fn shift(date: NaiveDate, days: i64) -> Option<NaiveDate> {
    let span = Days::new(days.unsigned_abs());
    let day = if days < 0 { date.checked_sub_days(span) } else { date.checked_add_days(span) };
    day.filter(|day| (1..=9_999).contains(&day.year()))
}

fn beyond() -> EvalError {
    EvalError::new("overflow", "the day is beyond what the calendar can name")
}
