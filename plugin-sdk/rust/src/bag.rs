//! Reading the open bags of a request: documented keys, typed values, and a plain failure for anything else.

use crate::types::{Attribute, Decimal, Fact, Failure, Moment, Money, Value};

/// Typed reading of a list of attributes.
///
/// A key that is absent is `None`; a key that holds another type than asked for is a [`Failure::BadInput`].
pub trait Bag {
    /// The value under a key, whatever its type.
    fn value(&self, key: &str) -> Option<&Value>;

    /// The text under a key.
    ///
    /// # Errors
    /// [`Failure::BadInput`] when it is not a text.
    fn text(&self, key: &str) -> Result<Option<&str>, Failure> {
        self.read(key, "text", |value| if let Value::Text(text) = value { Some(text.as_str()) } else { None })
    }

    /// The integer under a key.
    ///
    /// # Errors
    /// [`Failure::BadInput`] when it is not an integer.
    fn integer(&self, key: &str) -> Result<Option<i64>, Failure> {
        self.read(key, "integer", |value| if let Value::Integer(number) = value { Some(*number) } else { None })
    }

    /// The decimal under a key. An integer is one too: a host hands every whole number over as an integer.
    ///
    /// # Errors
    /// [`Failure::BadInput`] when it is no number.
    fn decimal(&self, key: &str) -> Result<Option<Decimal>, Failure> {
        self.read(key, "decimal", |value| match value {
            Value::Decimal(number) => Some(*number),
            Value::Integer(number) => Some(Decimal::new(*number, 0)),
            _ => None,
        })
    }

    /// The boolean under a key.
    ///
    /// # Errors
    /// [`Failure::BadInput`] when it is not a boolean.
    fn boolean(&self, key: &str) -> Result<Option<bool>, Failure> {
        self.read(key, "boolean", |value| if let Value::Boolean(truth) = value { Some(*truth) } else { None })
    }

    /// The instant under a key.
    ///
    /// # Errors
    /// [`Failure::BadInput`] when it is not a timestamp.
    fn timestamp(&self, key: &str) -> Result<Option<Moment>, Failure> {
        self.read(key, "timestamp", |value| if let Value::Timestamp(moment) = value { Some(*moment) } else { None })
    }

    /// The amount under a key.
    ///
    /// # Errors
    /// [`Failure::BadInput`] when it is not money.
    fn money(&self, key: &str) -> Result<Option<&Money>, Failure> {
        self.read(key, "money", |value| if let Value::Money(amount) = value { Some(amount) } else { None })
    }

    /// The value under a key as `pick` reads it.
    ///
    /// # Errors
    /// [`Failure::BadInput`] when `pick` finds nothing in the value that is there.
    fn read<'a, T>(
        &'a self,
        key: &str,
        wanted: &str,
        pick: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, Failure> {
        let Some(value) = self.value(key) else { return Ok(None) };
        let picked = pick(value);
        let mismatch = || Failure::bad_input(format!("`{key}` is {}, expected {wanted}", value.type_name()));
        if picked.is_some() { Ok(picked) } else { Err(mismatch()) }
    }
}

impl Bag for [Attribute] {
    fn value(&self, key: &str) -> Option<&Value> {
        self.iter().find(|attribute| attribute.key == key).map(|attribute| &attribute.value)
    }
}

impl Bag for [Fact] {
    fn value(&self, key: &str) -> Option<&Value> {
        self.iter().find(|fact| fact.key == key).map(|fact| &fact.value)
    }
}

impl Attribute {
    /// A value under a key.
    #[must_use]
    pub fn new(key: impl Into<String>, value: impl Into<Value>) -> Self {
        Self { key: key.into(), value: value.into() }
    }
}

impl Value {
    /// The name of the value's type, as manifests write it.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Text(_) => "text",
            Self::Integer(_) => "integer",
            Self::Decimal(_) => "decimal",
            Self::Boolean(_) => "boolean",
            Self::Timestamp(_) => "timestamp",
            Self::Money(_) => "money",
        }
    }
}

macro_rules! value_from {
    ($($from:ty => $variant:ident),* $(,)?) => {
        $(impl From<$from> for Value {
            fn from(value: $from) -> Self {
                Self::$variant(value.into())
            }
        })*
    };
}

value_from! {
    &str => Text,
    String => Text,
    i64 => Integer,
    i32 => Integer,
    u32 => Integer,
    Decimal => Decimal,
    bool => Boolean,
    Moment => Timestamp,
    Money => Money,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_type_is_read_as_itself_and_refused_as_another() {
        let moment = Moment { unix_ms: 1, local_day: 2, local_second: 3 };
        let values: [Value; 6] = [
            "x".into(),
            7_i64.into(),
            Decimal::new(5, 3).into(),
            true.into(),
            moment.into(),
            Money::new(1, "GBP").into(),
        ];
        let bag: Vec<Attribute> = values.into_iter().map(|value| Attribute::new(value.type_name(), value)).collect();
        let bag = bag.as_slice();
        assert_eq!(bag.text("text"), Ok(Some("x")));
        assert_eq!(bag.integer("integer"), Ok(Some(7)));
        assert_eq!(bag.decimal("decimal"), Ok(Some(Decimal::new(5, 3))));
        assert_eq!(bag.decimal("integer"), Ok(Some(Decimal::new(7, 0))), "a whole number is a decimal");
        assert_eq!(bag.integer("decimal"), Err(Failure::bad_input("`decimal` is decimal, expected integer")));
        assert_eq!(bag.decimal("text"), Err(Failure::bad_input("`text` is text, expected decimal")));
        assert_eq!(bag.boolean("boolean"), Ok(Some(true)));
        assert_eq!(bag.timestamp("timestamp"), Ok(Some(moment)));
        assert_eq!(bag.money("money"), Ok(Some(&Money::new(1, "GBP"))));
        assert_eq!(bag.text("absent"), Ok(None));
        assert_eq!(bag.text("integer"), Err(Failure::bad_input("`integer` is integer, expected text")));
        assert_eq!(bag.boolean("money"), Err(Failure::bad_input("`money` is money, expected boolean")));
    }
}
