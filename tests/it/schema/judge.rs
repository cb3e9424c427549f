//! Whether a value is what a JSON Schema says: as much of 2020-12 as our schema uses. A keyword that is not known here fails the test,
//! so that none is passed over.

use regex::Regex;
use serde_json::{Map, Value as Json};

/// A schema, asked about values.
pub(super) struct Judge(pub(super) Json);

/// What says nothing about whether a value is right.
const WORDS: &[&str] =
    &["$schema", "$comment", "$defs", "title", "description", "markdownDescription", "examples", "then", "else"];

impl Judge {
    /// Nothing, or what is wrong first.
    pub(super) fn says(&self, value: &Json) -> Result<(), String> {
        self.check(&self.0, value, "")
    }

    fn is(&self, schema: &Json, value: &Json) -> bool {
        self.check(schema, value, "").is_ok()
    }

    fn check(&self, schema: &Json, value: &Json, at: &str) -> Result<(), String> {
        if let Some(all) = schema.as_bool() {
            return if all { Ok(()) } else { Err(format!("{at} may not be there")) };
        }
        for (keyword, says) in schema.as_object().unwrap() {
            if !WORDS.contains(&keyword.as_str()) {
                self.keyword(schema, keyword, says, value, at)?;
            }
        }
        Ok(())
    }

    fn keyword(&self, schema: &Json, keyword: &str, says: &Json, value: &Json, at: &str) -> Result<(), String> {
        let ok = |good: bool| if good { Ok(()) } else { Err(format!("{at}: {keyword} {says} refuses {value}")) };
        let all = || says.as_array().unwrap().iter();
        match keyword {
            "$ref" => {
                let to = self.0.pointer(says.as_str().unwrap().strip_prefix('#').unwrap());
                self.check(to.unwrap_or_else(|| panic!("{says} leads nowhere")), value, at)
            }
            "type" if says.is_array() => ok(all().any(|one| is_type(one, value))),
            "type" => ok(is_type(says, value)),
            "const" => ok(says == value),
            "enum" => ok(all().any(|one| one == value)),
            "pattern" => {
                ok(value.as_str().is_none_or(|text| Regex::new(says.as_str().unwrap()).unwrap().is_match(text)))
            }
            "required" => {
                ok(value.as_object().is_none_or(|map| all().all(|name| map.contains_key(name.as_str().unwrap()))))
            }
            "minProperties" => ok(value.as_object().is_none_or(|map| map.len() as u64 >= says.as_u64().unwrap())),
            "minimum" => ok(value.as_i64().is_none_or(|number| number >= says.as_i64().unwrap())),
            "minItems" => ok(value.as_array().is_none_or(|list| list.len() as u64 >= says.as_u64().unwrap())),
            "allOf" => all().try_for_each(|one| self.check(one, value, at)),
            "anyOf" => ok(all().any(|one| self.is(one, value))),
            "oneOf" => ok(all().filter(|one| self.is(one, value)).count() == 1),
            "if" => match schema.get(if self.is(says, value) { "then" } else { "else" }) {
                Some(then) => self.check(then, value, at),
                None => Ok(()),
            },
            "properties" | "additionalProperties" | "propertyNames" => {
                let Some(map) = value.as_object() else { return Ok(()) };
                self.fields(schema, keyword, says, map, at)
            }
            "items" => {
                let each = |(place, one): (usize, &Json)| self.check(says, one, &format!("{at}[{place}]"));
                value.as_array().into_iter().flatten().enumerate().try_for_each(each)
            }
            other => panic!("the keyword {other} is not known here"),
        }
    }

    fn fields(
        &self,
        schema: &Json,
        keyword: &str,
        says: &Json,
        map: &Map<String, Json>,
        at: &str,
    ) -> Result<(), String> {
        let known = schema.get("properties");
        for (name, value) in map {
            let own = known.and_then(|known| known.get(name));
            let here = format!("{at}.{name}");
            match (keyword, own) {
                ("properties", Some(own)) => self.check(own, value, &here)?,
                ("additionalProperties", None) => self.check(says, value, &here)?,
                ("propertyNames", _) => self.check(says, &Json::from(name.as_str()), &here)?,
                _ => {}
            }
        }
        Ok(())
    }
}

fn is_type(name: &Json, value: &Json) -> bool {
    match name.as_str().unwrap() {
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("the type {other} is not known here"),
    }
}
