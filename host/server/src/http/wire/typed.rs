//! Values of a declared type: plain JSON where the type says what it stands for, so that a form sends `"2026-03-02"` for a day.

use std::collections::BTreeMap;

use redress_domain::value::{Fields, Type, Value};
use redress_domain::workflow::duration;
use serde_json::{Map, Value as Json};

use super::{WireMoney, exact, fields, instant, invalid};
use crate::http::problem::Problem;

/// Fields of these types. What is not declared is read as it stands; whether it may be there the rules decide.
pub fn read(pointer: &str, object: &Map<String, Json>, declared: &BTreeMap<String, Type>) -> Result<Fields, Problem> {
    // The limits hold for declared fields too, so that everything is read once without types.
    let mut plain = Map::new();
    let mut read = Fields::new();
    for (name, json) in object {
        match declared.get(name) {
            Some(kind) => {
                fields::bounded(&at(pointer, name), json)?;
                read.insert(name.clone(), value(&at(pointer, name), json, kind)?);
            }
            None => drop(plain.insert(name.clone(), json.clone())),
        }
    }
    read.extend(fields::read(pointer, &plain)?);
    Ok(read)
}

fn at(pointer: &str, name: &str) -> String {
    format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"))
}

fn value(at: &str, json: &Json, kind: &Type) -> Result<Value, Problem> {
    let json = unwrapped(json, kind);
    let wrong = || invalid(at, format!("{json} is not of type {kind}"));
    let text = || json.as_str().ok_or_else(wrong);
    Ok(match kind {
        Type::Optional(inner) => return value(at, json, inner),
        Type::Bool => Value::Bool(json.as_bool().ok_or_else(wrong)?),
        Type::Text => Value::text(text()?),
        Type::Enum(words) => {
            Value::text(text().and_then(|text| words.iter().find(|word| *word == text).ok_or_else(wrong))?)
        }
        Type::Number => match json {
            Json::Number(number) => Value::whole(
                number
                    .as_i64()
                    .ok_or_else(|| invalid(at, format!("{number} is not exact: write it as a text, \"{number}\"")))?,
            ),
            _ => Value::Number(exact(text()?).ok_or_else(wrong)?),
        },
        Type::Money => Value::Money(money(at, json, kind)?.money(at)?),
        Type::Price => Value::Price(money(at, json, kind)?.price(at)?),
        Type::Date => Value::Date(text()?.parse().map_err(|_| wrong())?),
        Type::Instant => Value::Instant(instant(at, text()?)?),
        Type::Duration => Value::Duration(duration::parse(text()?).map_err(|_| wrong())?),
        Type::List(inner) => {
            let items = json.as_array().ok_or_else(wrong)?.iter().enumerate();
            Value::List(
                items.map(|(place, item)| value(&format!("{at}/{place}"), item, inner)).collect::<Result<_, _>>()?,
            )
        }
        Type::Object(declared) => Value::Object(read(at, json.as_object().ok_or_else(wrong)?, declared)?),
    })
}

fn money(at: &str, json: &Json, kind: &Type) -> Result<WireMoney, Problem> {
    serde_json::from_value(json.clone()).map_err(|error| invalid(at, format!("{json} is not of type {kind}: {error}")))
}

/// The value inside the form that untyped fields have: `{"date": "2026-03-02"}`.
fn unwrapped<'a>(json: &'a Json, kind: &Type) -> &'a Json {
    let tag = match kind {
        Type::Number => "number",
        Type::Money => "money",
        Type::Price => "price",
        Type::Date => "date",
        Type::Instant => "instant",
        Type::Duration => "duration",
        _ => return json,
    };
    let inner = json.as_object().filter(|object| object.len() == 1).and_then(|object| object.get(tag));
    inner.unwrap_or(json)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read_as(kind: Type, json: Json) -> Result<Value, String> {
        let declared = BTreeMap::from([("x".to_owned(), kind)]);
        let object = Map::from_iter([("x".to_owned(), json)]);
        let read = read("/form", &object, &declared).map_err(|problem| problem.code().to_owned())?;
        Ok(read["x"].clone())
    }

    #[test]
    fn plain_json_becomes_a_value_of_the_declared_type() {
        for (kind, json) in [
            (Type::Bool, json!(true)),
            (Type::Text, json!("scratched")),
            (Type::words(["a", "b"]), json!("b")),
            (Type::Number, json!(3)),
            (Type::Number, json!("1.25")),
            (Type::Number, json!({ "number": "1.25" })),
            (Type::Money, json!({ "amount": "12.50", "currency": "GBP" })),
            (Type::Money, json!({ "money": { "amount": "12.50", "currency": "GBP" } })),
            (Type::Price, json!({ "amount": "0.001", "currency": "GBP" })),
            (Type::Date, json!("2026-03-02")),
            (Type::Instant, json!("2026-03-02T09:00:00Z")),
            (Type::Duration, json!("21d")),
            (Type::Date.list(), json!(["2026-03-02"])),
            (Type::object([("day", Type::Date)]), json!({ "day": "2026-03-02" })),
            (Type::Date.optional(), json!("2026-03-02")),
        ] {
            let value = read_as(kind.clone(), json.clone()).unwrap_or_else(|code| panic!("{json} as {kind}: {code}"));
            assert!(value.is_of(&kind), "{json} as {kind} is {value:?}");
        }
    }

    #[test]
    fn json_of_another_type_is_refused() {
        for (kind, json) in [
            (Type::Bool, json!("true")),
            (Type::Text, json!(1)),
            (Type::words(["a", "b"]), json!("c")),
            (Type::Number, json!(1.5)),
            (Type::Number, json!("1e5")),
            (Type::Money, json!("12.50")),
            (Type::Money, json!({ "amount": "12.505", "currency": "GBP" })),
            (Type::Date, json!("2026-02-30")),
            (Type::Instant, json!("yesterday")),
            (Type::Duration, json!("8bh")),
            (Type::Text.list(), json!("a")),
            (Type::Text, json!("x".repeat(5_000))),
            (Type::Text.optional(), json!(null)),
        ] {
            assert_eq!(read_as(kind.clone(), json.clone()).err().as_deref(), Some("body_invalid"), "{json} as {kind}");
        }
    }
}
