//! Plain values of a document, read as the type that their place needs.

use chrono::{DateTime, NaiveDate};

use crate::clock::Instant;
use crate::money::{Currency, Money, Price};
use crate::value::{Type, Value};
use crate::workflow::diagnostic::suggest;
use crate::workflow::duration::{self, DurationError};
use crate::workflow::help;
use crate::workflow::reader::At;

/// The value that is written here; reports what does not read as this type.
pub fn literal(at: &At<'_>, kind: &Type, currency: Currency) -> Option<Value> {
    match kind {
        Type::Bool => at.bool().map(Value::Bool),
        Type::Text => at.text().map(Value::text),
        Type::Number => at.number().map(Value::Number),
        Type::Money => {
            let amount = at.number()?;
            match Money::new(amount, currency) {
                Ok(money) => Some(Value::Money(money)),
                Err(error) => at.refuse("bad_literal", error.to_string()),
            }
        }
        Type::Price => at.number().map(|amount| Value::Price(Price::new(amount, currency))),
        Type::Date => date(at).map(Value::Date),
        Type::Instant => instant(at).map(Value::Instant),
        Type::Duration => span(at).map(Value::Duration),
        Type::Enum(words) => word(at, words).map(Value::text),
        Type::List(inner) => {
            let items = at.list()?;
            let values: Vec<_> = items.iter().map(|item| literal(item, inner, currency)).collect();
            values.into_iter().collect::<Option<_>>().map(Value::List)
        }
        Type::Object(_) => at.refuse_with(
            "wrong_type",
            "an object cannot be written out here",
            "name it by an expression, as `=steps.<id>`",
        ),
        Type::Optional(inner) => literal(at, inner, currency),
    }
}

/// A span of time; reports what is none.
pub fn span(at: &At<'_>) -> Option<crate::clock::Span> {
    let text = &at.scalar("a duration")?.text;
    match duration::parse(text) {
        Ok(span) => Some(span),
        Err(error @ DurationError::Business) => {
            at.refuse_with("bad_literal", error.to_string(), "use hours or days, as `8h` or `2d`")
        }
        Err(error @ DurationError::TooLong) => at.refuse("bad_literal", error.to_string()),
        Err(DurationError::Malformed) => {
            let help = "as `30s`, `15m`, `4h`, `21d` or `P3DT4H`, longer than nothing".to_owned();
            at.refuse_with("bad_literal", format!("{text:?} is not a duration"), help::duration(text).unwrap_or(help))
        }
    }
}

fn date(at: &At<'_>) -> Option<NaiveDate> {
    let text = &at.scalar("a day of the calendar")?.text;
    // The library's own parser takes `2026-1-5` as well; one day has one spelling.
    match NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        Ok(date) if date.to_string() == *text => Some(date),
        _ => at.refuse_with("bad_literal", format!("{text:?} is not a day of the calendar"), "as `2026-02-28`"),
    }
}

fn instant(at: &At<'_>) -> Option<Instant> {
    // A number is told what an instant looks like, not how a text is quoted.
    let text = &at.scalar("an instant")?.text;
    match DateTime::parse_from_rfc3339(text) {
        Ok(instant) => Some(Instant::from(instant.to_utc())),
        Err(_) => at.refuse_with(
            "bad_literal",
            format!("{text:?} is not an instant"),
            "with the offset, as `2026-02-28T09:30:00+01:00`",
        ),
    }
}

fn word<'d>(at: &At<'d>, words: &[String]) -> Option<&'d str> {
    let text = at.text()?;
    if words.iter().any(|word| word == text) {
        return Some(text);
    }
    let message = format!("`{text}` is not one of {}", words.join("|"));
    match suggest(text, words.iter().map(String::as_str)) {
        Some(near) => at.refuse_with("bad_enum_word", message, format!("did you mean `{near}`?")),
        None => at.refuse("bad_enum_word", message),
    }
}
