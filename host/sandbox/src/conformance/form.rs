//! The contract's records as people write them in JSON, and as programs hold them: both directions, led by the WIT text.
//!
//! Field names are the contract's with `_` for `-`. An enum is its name (`"restock_after_inspection"`), an exact decimal a text
//! (`"2.50"`), a moment a text with its offset (`"2026-01-15T09:30:00+01:00"`), an open bag an object (`{ "seal": "intact" }`) of plain
//! values, or of `{ "decimal": "1.5" }`, `{ "timestamp": .. }` and `{ "money": .. }`. The records' own form (`{ "mantissa": 250, "scale": 2 }`, a list of
//! `{ "key": .., "value": { "Text": .. } }`) is read as well. A field that the contract does not have is a mistake with its place.

use std::sync::OnceLock;

use serde::Serialize;
use serde_json::{Map, Value as Json, json};
use wit_parser::{InterfaceId, Resolve, Type, TypeDefKind};

use super::moment;
use crate::contract::WIT;

/// What in a written record is not as it must be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Mistake {
    /// Where: a JSON pointer.
    pub at: String,
    /// What is wrong there.
    pub what: String,
}

impl std::fmt::Display for Mistake {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", if self.at.is_empty() { "/" } else { &self.at }, self.what)
    }
}

/// What becomes of fields that are not written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fill {
    /// They are empty: no entries, no text, nothing, zero.
    Empty,
    /// They stay away: what is written is part of something.
    Leave,
}

/// The types of the contract, by name.
pub(super) struct Forms {
    resolve: Resolve,
    types: InterfaceId,
}

impl Forms {
    /// Those of this host's contract.
    pub(super) fn contract() -> &'static Self {
        static FORMS: OnceLock<Forms> = OnceLock::new();
        FORMS.get_or_init(|| Self::read_wit(WIT))
    }

    /// The text is part of this program, and a test reads it.
    fn read_wit(text: &str) -> Self {
        let mut resolve = Resolve::default();
        let package = resolve.push_source("types.wit", text).expect("the contract is WIT");
        let types = resolve.packages[package].interfaces["types"];
        Self { resolve, types }
    }

    /// A written record as programs hold it.
    pub(super) fn read(&self, record: &str, written: &Json, fill: Fill) -> Result<Json, Vec<Mistake>> {
        let mut reader = Reader { forms: self, fill, at: String::new(), mistakes: Vec::new() };
        let held = reader.value(self.named(record), written);
        if reader.mistakes.is_empty() { Ok(held) } else { Err(reader.mistakes) }
    }

    /// A held record as people write it.
    pub(super) fn show(&self, record: &str, held: &Json) -> Json {
        self.shown(self.named(record), held)
    }

    fn named(&self, name: &str) -> Type {
        Type::Id(self.resolve.interfaces[self.types].types[name])
    }

    fn kind(&self, ty: Type) -> (Option<&str>, &TypeDefKind) {
        let Type::Id(id) = ty else { return (None, &TypeDefKind::Unknown) };
        let def = &self.resolve.types[id];
        match &def.kind {
            TypeDefKind::Type(alias @ Type::Id(_)) => self.kind(*alias),
            kind => (def.name.as_deref(), kind),
        }
    }

    /// The value's type, where a list of this is an open bag: records of a key and a value.
    fn of_bag(&self, element: Type) -> Option<Type> {
        match self.kind(element) {
            (Some("attribute" | "fact"), TypeDefKind::Record(record)) => Some(record.fields[1].ty),
            _ => None,
        }
    }

    fn shown(&self, ty: Type, held: &Json) -> Json {
        match self.kind(ty) {
            (Some("decimal"), _) => decimal_text(held).map_or_else(|| held.clone(), Json::from),
            (Some("moment"), _) => moment::text(held).map_or_else(|| held.clone(), Json::from),
            (Some("value"), TypeDefKind::Variant(_)) => self.shown_value(ty, held),
            (_, TypeDefKind::Record(record)) => {
                let field = |field: &wit_parser::Field| {
                    let name = snake(&field.name);
                    let shown = self.shown(field.ty, &held[&name]);
                    (name, shown)
                };
                Json::Object(record.fields.iter().map(field).collect())
            }
            (_, TypeDefKind::Enum(kinds)) => {
                let name = kinds.cases.iter().find(|case| *held == camel(&case.name));
                name.map_or_else(|| held.clone(), |case| Json::from(snake(&case.name)))
            }
            (_, TypeDefKind::Option(inner)) if !held.is_null() => self.shown(*inner, held),
            (_, TypeDefKind::List(element)) => self.shown_list(*element, held),
            _ => held.clone(),
        }
    }

    fn shown_list(&self, element: Type, held: &Json) -> Json {
        let entries = held.as_array().map(Vec::as_slice).unwrap_or_default();
        if let Some(value) = self.of_bag(element) {
            let bag: Map<String, Json> = entries
                .iter()
                .map(|one| (one["key"].as_str().unwrap_or_default().to_owned(), self.shown(value, &one["value"])))
                .collect();
            // A key that is there twice would be lost.
            if bag.len() == entries.len() {
                return Json::Object(bag);
            }
        }
        Json::Array(entries.iter().map(|one| self.shown(element, one)).collect())
    }

    fn shown_value(&self, ty: Type, held: &Json) -> Json {
        let (Some((tag, inner)), (_, TypeDefKind::Variant(variant))) =
            (held.as_object().and_then(|held| held.iter().next()), self.kind(ty))
        else {
            return held.clone();
        };
        let case = variant.cases.iter().find(|case| camel(&case.name) == *tag);
        match case.and_then(|case| case.ty.map(|ty| (case.name.as_str(), self.shown(ty, inner)))) {
            Some(("text" | "integer" | "boolean", plain)) => plain,
            Some((name, shown)) => json!({ name: shown }),
            None => held.clone(),
        }
    }
}

/// Reads one written record, and remembers where it is.
struct Reader<'f> {
    forms: &'f Forms,
    fill: Fill,
    at: String,
    mistakes: Vec<Mistake>,
}

impl Reader<'_> {
    fn wrong(&mut self, what: impl Into<String>) -> Json {
        self.mistakes.push(Mistake { at: self.at.clone(), what: what.into() });
        Json::Null
    }

    fn below(&mut self, name: &str, read: impl FnOnce(&mut Self) -> Json) -> Json {
        let length = self.at.len();
        self.at.push('/');
        self.at.push_str(&name.replace('~', "~0").replace('/', "~1"));
        let value = read(self);
        self.at.truncate(length);
        value
    }

    fn value(&mut self, ty: Type, written: &Json) -> Json {
        match ty {
            Type::Bool if written.is_boolean() => written.clone(),
            Type::Bool => self.wrong(format!("is not true or false: {}", brief(written))),
            Type::String if written.is_string() => written.clone(),
            Type::String => self.wrong(format!("is not a text such as \"A1\": {}", brief(written))),
            Type::U8 => self.whole(written, 0, i128::from(u8::MAX)),
            Type::U32 => self.whole(written, 0, i128::from(u32::MAX)),
            Type::U64 => self.whole(written, 0, i128::from(u64::MAX)),
            Type::S32 => self.whole(written, i128::from(i32::MIN), i128::from(i32::MAX)),
            Type::S64 => self.whole(written, i128::from(i64::MIN), i128::from(i64::MAX)),
            Type::Id(_) => self.named(ty, written),
            _ => self.wrong("is of a type that this form does not have"),
        }
    }

    fn whole(&mut self, written: &Json, min: i128, max: i128) -> Json {
        let number = written.as_i64().map(i128::from).or_else(|| written.as_u64().map(i128::from));
        match number {
            Some(number) if (min..=max).contains(&number) => written.clone(),
            Some(number) => self.wrong(format!("is {number}, it goes from {min} to {max}")),
            None => self.wrong(format!("is not a whole number such as 3: {}", brief(written))),
        }
    }

    fn named(&mut self, ty: Type, written: &Json) -> Json {
        let forms = self.forms;
        match (forms.kind(ty), written) {
            ((Some("decimal"), _), Json::String(text)) => decimal_of(text).unwrap_or_else(|| {
                self.wrong(format!("{text:?} is not a plain decimal such as \"12.50\" with at most 18 digits"))
            }),
            ((Some("moment"), _), Json::String(text)) => moment::of(text).unwrap_or_else(|| {
                self.wrong(format!("{text:?} is not a moment such as \"2026-01-15T09:30:00+01:00\""))
            }),
            ((Some("value"), TypeDefKind::Variant(variant)), _) => self.plain(variant, written),
            ((_, TypeDefKind::Record(record)), Json::Object(fields)) => self.record(record, fields),
            ((Some("decimal"), _), _) => {
                self.wrong(format!("is not a decimal, which is a text such as \"12.50\": {}", brief(written)))
            }
            ((Some("moment"), _), _) => self.wrong(format!(
                "is not a moment, which is a text such as \"2026-01-15T09:30:00+01:00\": {}",
                brief(written)
            )),
            ((Some("money"), _), _) => self.wrong(format!(
                "is not money, which is an object such as {{ \"minor\": 250, \"currency\": \"EUR\" }}, in minor units: {}",
                brief(written)
            )),
            ((name, TypeDefKind::Record(record)), _) => {
                let field = record.fields.first().map(|field| snake(&field.name)).unwrap_or_default();
                let what = format!("is not an object such as {{ {field:?}: .. }}, a {}", name.unwrap_or("record"));
                self.wrong(format!("{what}: {}", brief(written)))
            }
            ((_, TypeDefKind::Enum(kinds)), Json::String(text)) => {
                let found = kinds.cases.iter().find(|case| snake(&case.name) == *text || camel(&case.name) == *text);
                match found {
                    Some(case) => Json::from(camel(&case.name)),
                    None => {
                        let names: Vec<_> = kinds.cases.iter().map(|case| snake(&case.name)).collect();
                        self.wrong(format!("{text:?} is none of {}", names.join(", ")))
                    }
                }
            }
            ((_, TypeDefKind::Enum(kinds)), _) => {
                let names: Vec<_> = kinds.cases.iter().map(|case| snake(&case.name)).collect();
                self.wrong(format!("is none of {}: {}", names.join(", "), brief(written)))
            }
            ((_, TypeDefKind::Option(_)), Json::Null) => Json::Null,
            ((_, TypeDefKind::Option(inner)), _) => self.value(*inner, written),
            ((_, TypeDefKind::List(element)), Json::Array(entries)) => {
                let element = *element;
                let entries = entries.iter().enumerate();
                entries.map(|(at, one)| self.below(&at.to_string(), |below| below.value(element, one))).collect()
            }
            ((_, TypeDefKind::List(element)), Json::Object(bag)) => match forms.of_bag(*element) {
                Some(value) => bag
                    .iter()
                    .map(|(key, one)| json!({ "key": key, "value": self.below(key, |below| below.value(value, one)) }))
                    .collect(),
                None => self.wrong(format!("is not a list such as [{{ .. }}]: {}", brief(written))),
            },
            ((_, TypeDefKind::List(element)), _) => match forms.of_bag(*element) {
                Some(_) => {
                    let example = "is not an object such as { \"opened\": true, \"days\": 3 }";
                    self.wrong(format!("{example}: {}", brief(written)))
                }
                None => self.wrong(format!("is not a list such as [..]: {}", brief(written))),
            },
            _ => self.wrong(format!("is not as the contract has it: {}", brief(written))),
        }
    }

    /// A value of an open bag: plain where JSON has its type, else an object with its type's name.
    fn plain(&mut self, variant: &wit_parser::Variant, written: &Json) -> Json {
        match written {
            Json::String(text) => json!({ "Text": text }),
            Json::Bool(truth) => json!({ "Boolean": truth }),
            Json::Number(number) if number.is_f64() => {
                self.wrong(format!("is {number}: a decimal is written as {{ \"decimal\": \"{number}\" }}"))
            }
            Json::Number(_) => json!({ "Integer": self.value(Type::S64, written) }),
            Json::Object(fields) if fields.len() == 1 => {
                let (tag, inner) = fields.iter().next().unwrap_or((&self.at, written));
                let case = variant.cases.iter().find(|case| case.name == *tag || camel(&case.name) == *tag);
                match case.and_then(|case| case.ty.map(|ty| (camel(&case.name), ty))) {
                    Some((tag, ty)) => json!({ tag: self.value(ty, inner) }),
                    None => {
                        let names: Vec<_> = variant.cases.iter().map(|case| case.name.as_str()).collect();
                        let what = format!("{tag:?} is no type of a value: {}", names.join(", "));
                        self.wrong(what)
                    }
                }
            }
            Json::Object(fields) if fields.contains_key("minor") || fields.contains_key("currency") => self.wrong(
                "is not a value: money is written as { \"money\": { \"minor\": 250, \"currency\": \"EUR\" } }, in minor units",
            ),
            _ => self.wrong(format!(
                "is not a text, a whole number, true, false, {{ \"decimal\": \"1.5\" }}, {{ \"timestamp\": \"2026-01-15T09:30:00+01:00\" }} \
                 or {{ \"money\": {{ \"minor\": 250, \"currency\": \"EUR\" }} }}: {}",
                brief(written)
            )),
        }
    }

    fn record(&mut self, record: &wit_parser::Record, written: &Map<String, Json>) -> Json {
        let known = |name: &String| record.fields.iter().any(|field| snake(&field.name) == *name);
        for unknown in written.keys().filter(|name| !known(name)) {
            let names: Vec<_> = record.fields.iter().map(|field| snake(&field.name)).collect();
            let what = format!("is no field of it: {}", names.join(", "));
            self.below(unknown, |below| below.wrong(what));
        }
        let mut held = Map::new();
        for field in &record.fields {
            let name = snake(&field.name);
            let value = match (written.get(&name), self.fill) {
                (Some(value), _) => self.below(&name, |below| below.value(field.ty, value)),
                (None, Fill::Empty) => self.empty(field.ty),
                (None, Fill::Leave) => continue,
            };
            held.insert(name, value);
        }
        Json::Object(held)
    }

    fn empty(&self, ty: Type) -> Json {
        match ty {
            Type::Bool => Json::Bool(false),
            Type::String => Json::from(""),
            Type::Id(_) => match self.forms.kind(ty).1 {
                TypeDefKind::Record(record) => {
                    Json::Object(record.fields.iter().map(|field| (snake(&field.name), self.empty(field.ty))).collect())
                }
                TypeDefKind::Enum(kinds) => Json::from(camel(&kinds.cases[0].name)),
                TypeDefKind::List(_) => json!([]),
                TypeDefKind::Variant(_) => json!({ "Text": "" }),
                _ => Json::Null,
            },
            _ => Json::from(0),
        }
    }
}

/// The beginning of what was written.
fn brief(written: &Json) -> String {
    const CHARS_MOST: usize = 60;
    let text = written.to_string();
    if text.chars().count() <= CHARS_MOST {
        return text;
    }
    text.chars().take(CHARS_MOST).chain("...".chars()).collect()
}

/// A name of the contract as JSON has it.
pub(super) fn snake(name: &str) -> String {
    name.replace('-', "_")
}

fn camel(name: &str) -> String {
    name.split('-').map(|word| word[..1].to_uppercase() + &word[1..]).collect()
}

fn decimal_of(text: &str) -> Option<Json> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let is_plain = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !is_plain(whole) || !is_plain(fraction) || fraction.len() > 28 || digits.ends_with('.') {
        return None;
    }
    let sign = if text.starts_with('-') { "-" } else { "" };
    let mantissa: i64 = format!("{sign}{whole}{fraction}").parse().ok()?;
    Some(json!({ "mantissa": mantissa, "scale": fraction.len() }))
}

fn decimal_text(held: &Json) -> Option<String> {
    let (mantissa, scale) = (held["mantissa"].as_i64()?, usize::try_from(held["scale"].as_u64()?).ok()?);
    let digits = format!("{:0>width$}", mantissa.unsigned_abs(), width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    let sign = if mantissa < 0 { "-" } else { "" };
    Some(if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::{Disposition, Request, Value, Verdict};

    fn request(written: &Json) -> Result<Request, Vec<Mistake>> {
        let held = Forms::contract().read("request", written, Fill::Empty)?;
        Ok(serde_json::from_value(held).unwrap())
    }

    #[test]
    fn what_people_write_becomes_the_records_and_is_shown_as_it_was_written() {
        let written = json!({
            "now": "2026-01-15T09:30:00+01:00",
            "args": { "days": 14, "share": { "decimal": "-0.150" }, "at": { "timestamp": "2026-01-15T00:00:00Z" }, "on": true },
            "lines": [{ "sku": "A1", "attributes": { "seal": "broken" } }],
            "purchases": [{ "unit_price": "2.50", "paid": { "minor": 750, "currency": "EUR" } }],
        });
        let request = request(&written).unwrap();
        assert_eq!(
            (request.now.unix_ms, request.now.local_day, request.now.local_second),
            (1_768_465_800_000, 20_468, 34_200)
        );
        assert_eq!((request.purchases[0].unit_price.mantissa, request.purchases[0].unit_price.scale), (250, 2));
        assert!(matches!(&request.lines[0].attributes[0].value, Value::Text(text) if text == "broken"));
        let shown = Forms::contract().show("request", &serde_json::to_value(&request).unwrap());
        for pointer in ["/now", "/args", "/lines/0/attributes", "/purchases/0/unit_price", "/purchases/0/paid"] {
            assert_eq!(shown.pointer(pointer), written.pointer(pointer), "{pointer}");
        }
        // What is shown is read again, to the same records.
        let again: Request =
            serde_json::from_value(Forms::contract().read("request", &shown, Fill::Empty).unwrap()).unwrap();
        assert_eq!(again, request);
    }

    #[test]
    fn the_records_own_form_is_read_as_it_is() {
        let request =
            request(&json!({ "lines": [{ "sku": "x" }], "args": [{ "key": "a", "value": { "Integer": 1 } }] }))
                .unwrap();
        let held = serde_json::to_value(&request).unwrap();
        assert_eq!(Forms::contract().read("request", &held, Fill::Empty).unwrap(), held);
    }

    #[test]
    fn every_mistake_is_told_at_its_place() {
        let written = json!({
            "lins": [], "now": "yesterday", "seed": -1, "args": { "a/b": 1.5 },
            "lines": [{ "sku": 7, "quantity": 5_000_000_000_u64, "unit": { "expiry_day": "x" } }],
            "purchases": [{ "unit_price": "1,50", "left": true }],
        });
        let told = request(&written).unwrap_err();
        let at: Vec<_> = told.iter().map(|mistake| mistake.at.as_str()).collect();
        assert_eq!(
            at,
            [
                "/lins",
                "/now",
                "/seed",
                "/args/a~1b",
                "/lines/0/sku",
                "/lines/0/quantity",
                "/lines/0/unit/expiry_day",
                "/purchases/0/left",
                "/purchases/0/unit_price"
            ]
        );
        assert!(told[0].what.contains("lines, purchases"), "{}", told[0]);
    }

    #[test]
    fn what_has_another_form_is_told_the_form_that_is_read() {
        let told = |written: Json| request(&written).unwrap_err()[0].to_string();
        let purchase = |field: &str, value: Json| told(json!({ "purchases": [{ field: value }] }));
        assert_eq!(
            purchase("unit_price", json!(12.5)),
            "/purchases/0/unit_price: is not a decimal, which is a text such as \"12.50\": 12.5"
        );
        assert!(purchase("at", json!(1_768_465_800)).contains("a text such as \"2026-01-15T09:30:00+01:00\": 1768"));
        let money = "{ \"minor\": 250, \"currency\": \"EUR\" }, in minor units";
        assert!(purchase("paid", json!("2.50 EUR")).ends_with(&format!("{money}: \"2.50 EUR\"")));
        assert!(purchase("left", json!("3")).ends_with("is not a whole number such as 3: \"3\""));
        assert!(purchase("sku", json!(7)).ends_with("is not a text such as \"A1\": 7"));
        assert!(
            purchase("attributes", json!("opened")).contains("an object such as { \"opened\": true, \"days\": 3 }")
        );
        let arg = |value: Json| told(json!({ "args": { "fee": value } }));
        assert_eq!(arg(json!(0.15)), "/args/fee: is 0.15: a decimal is written as { \"decimal\": \"0.15\" }");
        assert!(arg(json!({ "minor": 250, "currency": "EUR" })).contains("{ \"money\": { \"minor\": 250"));
        assert!(arg(json!([1])).contains("{ \"timestamp\": \"2026-01-15T09:30:00+01:00\" }"));
        assert!(arg(json!({ "money": 4 })).starts_with("/args/fee: is not money, which is an object such as"));
        assert!(told(json!({ "lines": "A1" })).contains("is not a list such as [..]: \"A1\""));
        assert!(told(json!({ "lines": {} })).contains("is not a list such as [{ .. }]: {}"));
        assert!(
            told(json!({ "lines": ["A1"] })).contains("is not an object such as { \"index\": .. }, a line: \"A1\"")
        );
        let long = told(json!({ "lines": [{ "quantity": "9".repeat(80) }] }));
        assert!(long.ends_with("99...") && long.len() < 130, "{long}");
    }

    #[test]
    fn an_enum_has_the_contracts_name_and_what_is_left_away_stays_away() {
        let forms = Forms::contract();
        let written = json!({ "lines": [{ "remedy": "deny", "disposition": "restock_after_inspection" }] });
        let part = forms.read("verdict", &written, Fill::Leave).unwrap();
        assert_eq!(part, json!({ "lines": [{ "remedy": "Deny", "disposition": "RestockAfterInspection" }] }));
        let whole: Verdict = serde_json::from_value(forms.read("verdict", &written, Fill::Empty).unwrap()).unwrap();
        assert_eq!(whole.lines[0].disposition, Some(Disposition::RestockAfterInspection));
        let wrong = forms.read("verdict", &json!({ "lines": [{ "remedy": "perhaps" }] }), Fill::Leave).unwrap_err();
        assert_eq!(wrong[0].to_string(), "/lines/0/remedy: \"perhaps\" is none of allow, deny, review");
    }

    #[test]
    fn decimals_keep_their_digits() {
        for text in ["0", "-0.150", "12.50", "9223372036854775807", "0.0000000000000000001"] {
            assert_eq!(decimal_of(text).and_then(|held| decimal_text(&held)).as_deref(), Some(text));
        }
        for text in ["", "1.", ".5", "1e5", "--1", "9223372036854775808", "+1"] {
            assert_eq!(decimal_of(text), None, "{text}");
        }
    }
}
