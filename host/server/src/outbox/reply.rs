//! What a receiver is asked for beside the outcome, and what of its answer counts: the expected fields, each of its type. Numbers
//! that are not whole are text, as everywhere: no number of JSON is exact enough.

use std::collections::BTreeMap;

use redress_domain::case::{Reply, What};
use redress_domain::clock::Instant;
use redress_domain::money::{Money, Price};
use redress_domain::value::{Fields, Type, Value};
use redress_domain::workflow::duration;
use rust_decimal::Decimal;
use serde_json::{Map, Value as Json, json};

/// What is read of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expect {
    /// Nothing but the status: a message is delivered or not.
    Thanks,
    /// The outcome, and the name that the receiver has for it.
    Outcome,
    /// The same, and these fields.
    Fields(BTreeMap<String, Type>),
}

impl Expect {
    /// What is asked for with an effect.
    pub fn of(what: &What) -> Self {
        match what {
            What::Notice { .. } => Self::Thanks,
            What::Refund(_) | What::Restock { .. } | What::Exchange(_) => Self::Outcome,
            What::Http(request) => Self::Fields(request.expect.clone()),
        }
    }

    /// What of an answer counts; nothing where nothing was asked for.
    pub fn read(&self, answer: Option<&Json>) -> Option<Reply> {
        let Self::Fields(expect) = self else { return None };
        let mut reply = Reply::default();
        for (name, kind) in expect {
            match answer.and_then(|answer| answer.get(name)) {
                // What is absent may be allowed to be; `null` says the same.
                None | Some(Json::Null) => {}
                Some(json) => match value(json, kind) {
                    Some(value) => drop(reply.fields.insert(name.clone(), value)),
                    None => reply.wrong.push(name.clone()),
                },
            }
        }
        Some(reply)
    }
}

/// Fields as a receiver is told them.
pub fn told(fields: &Fields) -> Json {
    Json::Object(fields.iter().map(|(name, value)| (name.clone(), told_value(value))).collect())
}

fn told_value(value: &Value) -> Json {
    let amount = |amount: Decimal, currency: String| json!({ "amount": amount.to_string(), "currency": currency });
    match value {
        Value::Bool(yes) => Json::from(*yes),
        Value::Text(text) => Json::from(text.as_str()),
        Value::Number(number) => match i64::try_from(*number) {
            Ok(whole) if number.fract().is_zero() => Json::from(whole),
            _ => Json::from(number.normalize().to_string()),
        },
        Value::Money(money) => amount(money.amount(), money.currency().to_string()),
        Value::Price(price) => amount(price.amount(), price.currency().to_string()),
        Value::Date(date) => Json::from(date.to_string()),
        Value::Instant(at) => Json::from(at.to_string()),
        Value::Duration(span) => Json::from(span.to_string()),
        Value::List(items) => items.iter().map(told_value).collect(),
        Value::Object(object) => told(object),
    }
}

fn value(json: &Json, kind: &Type) -> Option<Value> {
    Some(match kind {
        Type::Optional(inner) => return value(json, inner),
        Type::Bool => Value::Bool(json.as_bool()?),
        Type::Text => Value::text(json.as_str()?),
        Type::Enum(words) => Value::text(words.iter().find(|word| json.as_str() == Some(word))?),
        Type::Number => match json {
            Json::Number(number) => Value::whole(number.as_i64()?),
            _ => Value::Number(exact(json.as_str()?)?),
        },
        Type::Money => {
            let (amount, currency) = amount(json)?;
            Value::Money(Money::new(amount, currency.parse().ok()?).ok()?)
        }
        Type::Price => {
            let (amount, currency) = amount(json)?;
            Value::Price(Price::new(amount, currency.parse().ok()?))
        }
        Type::Date => Value::Date(json.as_str()?.parse().ok()?),
        Type::Instant => {
            let at = chrono::DateTime::parse_from_rfc3339(json.as_str()?).ok()?;
            Value::Instant(Instant::from_unix_ms(at.timestamp_millis()))
        }
        Type::Duration => Value::Duration(duration::parse(json.as_str()?).ok()?),
        Type::List(inner) => {
            Value::List(json.as_array()?.iter().map(|item| value(item, inner)).collect::<Option<_>>()?)
        }
        Type::Object(kinds) => object(json.as_object()?, kinds)?,
    })
}

fn object(json: &Map<String, Json>, kinds: &BTreeMap<String, Type>) -> Option<Value> {
    let mut fields = Fields::new();
    for (name, kind) in kinds {
        match json.get(name) {
            Some(json) => drop(fields.insert(name.clone(), value(json, kind)?)),
            None if matches!(kind, Type::Optional(_)) => {}
            None => return None,
        }
    }
    Some(Value::Object(fields))
}

fn amount(json: &Json) -> Option<(Decimal, &str)> {
    Some((exact(json.get("amount")?.as_str()?)?, json.get("currency")?.as_str()?))
}

/// Plain decimals, as many digits as are kept exactly.
fn exact(text: &str) -> Option<Decimal> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_plain = digits.starts_with(|letter: char| letter.is_ascii_digit())
        && digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    if is_plain { Decimal::from_str_exact(text).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(kind: Type, json: Json) -> Option<Value> {
        let reply =
            Expect::Fields([("x".to_owned(), kind)].into()).read(Some(&json!({ "x": json, "more": 1 }))).unwrap();
        assert_eq!(reply.fields.len() + reply.wrong.len(), 1);
        reply.fields.get("x").cloned()
    }

    #[test]
    fn a_field_counts_only_in_its_type() {
        for (kind, json) in [
            (Type::Bool, json!(true)),
            (Type::Text, json!("L1")),
            (Type::words(["a", "b"]), json!("b")),
            (Type::Number, json!(3)),
            (Type::Number, json!("1.25")),
            (Type::Money, json!({ "amount": "12.50", "currency": "GBP" })),
            (Type::Price, json!({ "amount": "0.001", "currency": "GBP" })),
            (Type::Date, json!("2026-03-02")),
            (Type::Instant, json!("2026-03-02T09:00:00+01:00")),
            (Type::Duration, json!("21d")),
            (Type::Text.list(), json!(["a", "b"])),
            (Type::Text.optional(), json!("a")),
        ] {
            let value = read(kind.clone(), json.clone()).unwrap_or_else(|| panic!("{json} as {kind}"));
            assert!(value.is_of(&kind), "{json} as {kind} is {value:?}");
            let again = read(kind.clone(), told_value(&value));
            assert_eq!(again, Some(value), "what is told is read as it was");
        }
        for (kind, json) in [
            (Type::Bool, json!("true")),
            (Type::Text, json!(1)),
            (Type::words(["a", "b"]), json!("c")),
            (Type::Number, json!(1.5)),
            (Type::Number, json!("1e5")),
            (Type::Number, json!("+1")),
            (Type::Money, json!("12.50")),
            (Type::Money, json!({ "amount": "12.505", "currency": "GBP" })),
            (Type::Money, json!({ "amount": 12, "currency": "GBP" })),
            (Type::Date, json!("2026-02-30")),
            (Type::Instant, json!("yesterday")),
            (Type::Text.list(), json!(["a", 1])),
        ] {
            assert_eq!(read(kind.clone(), json.clone()), None, "{json} as {kind}");
        }
    }

    #[test]
    fn what_is_absent_is_neither_there_nor_wrong() {
        let expect = Expect::Fields([("x".to_owned(), Type::Text)].into());
        for answer in [None, Some(json!({})), Some(json!({ "x": null })), Some(json!([1])), Some(json!("x"))] {
            assert_eq!(expect.read(answer.as_ref()), Some(Reply::default()), "{answer:?}");
        }
        assert_eq!(Expect::Outcome.read(Some(&json!({ "x": "y" }))), None);
    }
}
