//! The attributes that a plugin reads: names, with types where it says them.

use std::fmt;

use serde::de::{self, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{BaseType, ValueType};

/// The attributes that a plugin reads, as they are written: `["opened"]`, or `{"opened": "boolean", "note": null}` where it says types.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attributes(Vec<(String, Option<BaseType>)>);

impl Attributes {
    /// Each with the type of its values, where that is said.
    pub fn iter(&self) -> impl Iterator<Item = (&String, Option<BaseType>)> {
        self.0.iter().map(|(name, kind)| (name, *kind))
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.0.len()
    }
}

impl FromIterator<(String, Option<BaseType>)> for Attributes {
    fn from_iter<I: IntoIterator<Item = (String, Option<BaseType>)>>(named: I) -> Self {
        Self(named.into_iter().collect())
    }
}

impl Serialize for Attributes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.iter().all(|(_, kind)| kind.is_none()) {
            return serializer.collect_seq(self.0.iter().map(|(name, _)| name));
        }
        serializer.collect_map(self.0.iter().map(|(name, kind)| (name, kind.map(BaseType::name))))
    }
}

impl<'de> Deserialize<'de> for Attributes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reading)
    }
}

struct Reading;

impl<'de> Visitor<'de> for Reading {
    type Value = Attributes;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(r#"the attributes that are read: ["opened"], or with their types {"opened": "boolean"}"#)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut names: A) -> Result<Attributes, A::Error> {
        let mut attributes = Attributes::default();
        while let Some(name) = names.next_element()? {
            attributes.0.push((name, None));
        }
        Ok(attributes)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut named: A) -> Result<Attributes, A::Error> {
        let mut attributes = Attributes::default();
        while let Some((name, kind)) = named.next_entry::<String, Option<ValueType>>()? {
            if kind.is_some_and(|kind| kind.optional) {
                let why = format!("attribute {name:?} may always be absent: write its type without the `?`");
                return Err(de::Error::custom(why));
            }
            attributes.0.push((name, kind.map(|kind| kind.base)));
        }
        Ok(attributes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Attributes, String> {
        serde_json::from_str(text).map_err(|error| error.to_string())
    }

    #[test]
    fn attributes_are_written_as_they_were_read() {
        for text in [r"[]", r#"["opened","note"]"#, r#"{"opened":"boolean","note":null,"fee":"money"}"#] {
            assert_eq!(serde_json::to_string(&read(text).unwrap()).unwrap(), text);
        }
        let both: Vec<_> = read(r#"{"opened":"boolean","note":null}"#).unwrap().iter().map(|one| one.1).collect();
        assert_eq!(both, [Some(BaseType::Boolean), None]);
    }

    #[test]
    fn what_is_no_attribute_is_told_with_how_one_is_written() {
        for (text, told) in [
            (r#""opened""#, r#"expected the attributes that are read: ["opened"], or"#),
            (r#"{"opened": "bool"}"#, "unknown type \"bool\""),
            (r#"{"opened": "boolean?"}"#, "write its type without the `?`"),
            (r#"["opened", 1]"#, "expected a string"),
        ] {
            let refused = read(text).unwrap_err();
            assert!(refused.contains(told), "{refused}");
        }
    }
}
