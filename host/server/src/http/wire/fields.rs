//! A merchant's own fields: JSON in and out, exactly. Numbers that JSON does not hold exactly are written as `{"number": "1.25"}`.

use redress_domain::value::{Fields, Value};
use serde_json::{Map, Value as Json, json};

use super::{WireMoney, exact, instant, invalid};
use crate::http::problem::Problem;

/// Own fields of one thing.
const FIELDS_MAX: usize = 50;
/// Letters of a field's name.
const NAME_BYTES_MAX: usize = 64;
/// Letters of a text.
const TEXT_BYTES_MAX: usize = 4_096;
/// Values in one field, all levels counted.
const VALUES_MAX: usize = 1_000;

/// Fields from a body.
pub fn read(pointer: &str, object: &Map<String, Json>) -> Result<Fields, Problem> {
    if object.len() > FIELDS_MAX {
        return Err(invalid(pointer, format!("{} fields, at most {FIELDS_MAX} are kept", object.len())));
    }
    let mut left = VALUES_MAX;
    object.iter().map(|(name, json)| field(pointer, name, json, &mut left)).collect()
}

/// Whether a value that is read by its declared type keeps the limits of all values.
pub fn bounded(at: &str, json: &Json) -> Result<(), Problem> {
    fn count(at: &str, json: &Json, left: &mut usize) -> Result<(), Problem> {
        *left = left.checked_sub(1).ok_or_else(|| invalid(at, format!("more than {VALUES_MAX} values")))?;
        match json {
            Json::String(text) if text.len() > TEXT_BYTES_MAX => Err(too_long(at, text)),
            Json::Array(items) => items.iter().try_for_each(|item| count(at, item, left)),
            Json::Object(object) => object.values().try_for_each(|item| count(at, item, left)),
            _ => Ok(()),
        }
    }
    count(at, json, &mut VALUES_MAX.clone())
}

fn too_long(at: &str, text: &str) -> Problem {
    invalid(at, format!("{} bytes of text, at most {TEXT_BYTES_MAX}", text.len()))
}

fn field(pointer: &str, name: &str, json: &Json, left: &mut usize) -> Result<(String, Value), Problem> {
    let at = format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"));
    let good = (1..=NAME_BYTES_MAX).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    if !good {
        return Err(invalid(at, format!("{name:?} is no name of lower case letters, digits and underscores")));
    }
    Ok((name.to_owned(), value(&at, json, left)?))
}

fn value(at: &str, json: &Json, left: &mut usize) -> Result<Value, Problem> {
    *left = left.checked_sub(1).ok_or_else(|| invalid(at, format!("more than {VALUES_MAX} values")))?;
    match json {
        Json::Null => Err(invalid(at, "null is no value: leave out what is absent")),
        Json::Bool(yes) => Ok(Value::Bool(*yes)),
        Json::String(text) if text.len() <= TEXT_BYTES_MAX => Ok(Value::text(text)),
        Json::String(text) => Err(too_long(at, text)),
        Json::Number(number) => {
            let whole = number.as_i64().ok_or_else(|| invalid(at, "write it exactly: {\"number\": \"1.25\"}"))?;
            Ok(Value::whole(whole))
        }
        Json::Array(items) => items
            .iter()
            .enumerate()
            .map(|(place, item)| value(&format!("{at}/{place}"), item, left))
            .collect::<Result<_, _>>()
            .map(Value::List),
        Json::Object(object) => typed(at, object).unwrap_or_else(|| {
            object.iter().map(|(name, json)| field(at, name, json, left)).collect::<Result<_, _>>().map(Value::Object)
        }),
    }
}

/// The forms that JSON has no value for.
fn typed(at: &str, object: &Map<String, Json>) -> Option<Result<Value, Problem>> {
    let (name, json) = object.iter().next().filter(|_| object.len() == 1)?;
    let text = || json.as_str();
    Some(match (name.as_str(), text()) {
        ("number", Some(text)) => {
            exact(text).map(Value::Number).ok_or_else(|| invalid(at, format!("{text:?} is no number like \"1.25\"")))
        }
        ("instant", Some(text)) => instant(at, text).map(Value::Instant),
        ("date", Some(text)) => {
            text.parse().map(Value::Date).map_err(|_| invalid(at, format!("{text:?} is no day like \"2026-03-02\"")))
        }
        ("money", None) => serde_json::from_value::<WireMoney>(json.clone())
            .map_err(|error| invalid(at, error))
            .and_then(|money| money.money(at))
            .map(Value::Money),
        _ => return None,
    })
}

/// Fields as JSON.
pub fn shown(fields: &Fields) -> Json {
    Json::Object(object(fields))
}

/// Fields as an object.
pub fn object(fields: &Fields) -> Map<String, Json> {
    fields.iter().map(|(name, value)| (name.clone(), show(value))).collect()
}

fn show(value: &Value) -> Json {
    match value {
        Value::Bool(yes) => json!(yes),
        Value::Text(text) => json!(text),
        Value::Number(number) => {
            let number = number.normalize();
            let whole = if number.scale() == 0 { i64::try_from(number.mantissa()).ok() } else { None };
            whole.map_or_else(|| json!({ "number": number.to_string() }), |whole| json!(whole))
        }
        Value::Money(money) => json!({ "money": WireMoney::from(*money) }),
        Value::Price(price) => json!({ "price": WireMoney::from(*price) }),
        Value::Date(date) => json!({ "date": date.to_string() }),
        Value::Instant(at) => json!({ "instant": at.to_string() }),
        Value::Duration(span) => json!({ "duration": span.to_string() }),
        Value::List(items) => items.iter().map(show).collect(),
        Value::Object(fields) => shown(fields),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_one(json: Json) -> Result<Value, String> {
        let mut left = VALUES_MAX;
        value("/x", &json, &mut left).map_err(|problem| problem.code().to_owned())
    }

    #[test]
    fn what_is_shown_reads_back_as_the_same_value() {
        for json in [
            json!(true),
            json!("text"),
            json!(12),
            json!(-3),
            json!({ "number": "1.25" }),
            json!({ "money": { "amount": "12.50", "currency": "GBP" } }),
            json!({ "date": "2026-03-02" }),
            json!({ "instant": "2026-03-02T09:00:00.000Z" }),
            json!([1, "a", { "b": false }]),
        ] {
            assert_eq!(show(&read_one(json.clone()).unwrap()), json);
        }
    }

    #[test]
    fn what_json_does_not_hold_exactly_is_refused() {
        for json in [
            json!(1.5),
            json!(18_446_744_073_709_551_615_u64),
            json!(null),
            json!({ "number": "1e5" }),
            json!({ "A": 1 }),
        ] {
            assert_eq!(read_one(json.clone()).err().as_deref(), Some("body_invalid"), "{json}");
        }
    }
}
