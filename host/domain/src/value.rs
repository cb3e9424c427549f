//! Values and their types, as workflows, mappings and records see them.
//!
//! There is no null: what is absent is a key that is not there. A type says so with `?`, and an expression must ask with `has`.

use std::collections::BTreeMap;
use std::fmt;

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::clock::{Instant, Span};
use crate::money::{Money, Price};

/// Named values; sorted, so that equal objects have equal bytes.
pub type Fields = BTreeMap<String, Value>;

/// A value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Value {
    /// Yes or no.
    Bool(bool),
    /// Text, and the member of an enumeration.
    Text(String),
    /// An exact decimal.
    Number(Decimal),
    /// An amount that can be paid.
    Money(Money),
    /// An exact amount, not rounded.
    Price(Price),
    /// A calendar day.
    Date(NaiveDate),
    /// An instant.
    Instant(Instant),
    /// A span of time.
    Duration(Span),
    /// Values of one type.
    List(Vec<Value>),
    /// Named values.
    Object(Fields),
}

impl Value {
    /// Text, from anything that is text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// A whole number.
    pub fn whole(number: impl Into<Decimal>) -> Self {
        Self::Number(number.into())
    }

    /// An object of these fields; what is `None` is absent.
    pub fn object<'a>(fields: impl IntoIterator<Item = (&'a str, Option<Self>)>) -> Self {
        Self::Object(fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect())
    }

    /// The kind of value, in the words of the language.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Bool(_) => "bool",
            Self::Text(_) => "text",
            Self::Number(_) => "number",
            Self::Money(_) => "money",
            Self::Price(_) => "price",
            Self::Date(_) => "date",
            Self::Instant(_) => "instant",
            Self::Duration(_) => "duration",
            Self::List(_) => "list",
            Self::Object(_) => "object",
        }
    }

    /// Whether the value is one of this type; an optional type holds its inner values.
    pub fn is_of(&self, kind: &Type) -> bool {
        match (self, kind) {
            (_, Type::Optional(inner)) => self.is_of(inner),
            (Self::Text(text), Type::Enum(members)) => members.contains(text),
            (Self::List(items), Type::List(inner)) => items.iter().all(|item| item.is_of(inner)),
            (Self::Object(fields), Type::Object(types)) => {
                fields.keys().all(|name| types.contains_key(name))
                    && types.iter().all(|(name, kind)| match fields.get(name) {
                        Some(value) => value.is_of(kind),
                        None => matches!(kind, Type::Optional(_)),
                    })
            }
            (value, kind) => match kind {
                Type::Bool => matches!(value, Self::Bool(_)),
                Type::Text => matches!(value, Self::Text(_)),
                Type::Number => matches!(value, Self::Number(_)),
                Type::Money => matches!(value, Self::Money(_)),
                Type::Price => matches!(value, Self::Price(_)),
                Type::Date => matches!(value, Self::Date(_)),
                Type::Instant => matches!(value, Self::Instant(_)),
                Type::Duration => matches!(value, Self::Duration(_)),
                Type::Enum(_) | Type::List(_) | Type::Object(_) | Type::Optional(_) => false,
            },
        }
    }
}

/// The plain form for people and templates: text as it is, money with its currency.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(yes) => write!(f, "{yes}"),
            Self::Text(text) => f.write_str(text),
            Self::Number(number) => write!(f, "{}", number.normalize()),
            Self::Money(money) => write!(f, "{money}"),
            Self::Price(price) => write!(f, "{price}"),
            Self::Date(date) => write!(f, "{date}"),
            Self::Instant(at) => write!(f, "{at}"),
            Self::Duration(span) => write!(f, "{span}"),
            Self::List(items) => {
                f.write_str("[")?;
                for (i, item) in items.iter().enumerate() {
                    write!(f, "{}{item}", if i == 0 { "" } else { ", " })?;
                }
                f.write_str("]")
            }
            Self::Object(fields) => {
                f.write_str("{")?;
                for (i, (name, value)) in fields.iter().enumerate() {
                    write!(f, "{}{name}: {value}", if i == 0 { "" } else { ", " })?;
                }
                f.write_str("}")
            }
        }
    }
}

/// What a value may be; what the checker of expressions works with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Type {
    /// Yes or no.
    Bool,
    /// Text.
    Text,
    /// An exact decimal.
    Number,
    /// An amount that can be paid, in the document's currency.
    Money,
    /// An exact amount, in the document's currency: must pass `round` before it is paid.
    Price,
    /// A calendar day.
    Date,
    /// An instant.
    Instant,
    /// A span of time.
    Duration,
    /// One of these words.
    Enum(Vec<String>),
    /// Values of one type.
    List(Box<Type>),
    /// Named values; the set of names is closed.
    Object(BTreeMap<String, Type>),
    /// May be absent.
    Optional(Box<Type>),
}

impl Type {
    /// A list of this type.
    pub fn list(self) -> Self {
        Self::List(Box::new(self))
    }

    /// This type, or absent.
    pub fn optional(self) -> Self {
        if matches!(self, Self::Optional(_)) { self } else { Self::Optional(Box::new(self)) }
    }

    /// An object of these fields.
    pub fn object<'a>(fields: impl IntoIterator<Item = (&'a str, Self)>) -> Self {
        Self::Object(fields.into_iter().map(|(name, kind)| (name.to_owned(), kind)).collect())
    }

    /// An enumeration of these words.
    pub fn words<'a>(words: impl IntoIterator<Item = &'a str>) -> Self {
        Self::Enum(words.into_iter().map(str::to_owned).collect())
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool => f.write_str("bool"),
            Self::Text => f.write_str("text"),
            Self::Number => f.write_str("number"),
            Self::Money => f.write_str("money"),
            Self::Price => f.write_str("price"),
            Self::Date => f.write_str("date"),
            Self::Instant => f.write_str("instant"),
            Self::Duration => f.write_str("duration"),
            Self::Enum(words) => write!(f, "one of {}", words.join("|")),
            Self::List(inner) => write!(f, "list({inner})"),
            Self::Object(_) => f.write_str("object"),
            Self::Optional(inner) => write!(f, "{inner}?"),
        }
    }
}
