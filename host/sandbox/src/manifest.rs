//! What a plugin says about itself: the custom section `redress:manifest`, read without running anything.
//!
//! The SDK writes it into the core module; it may also stand at the top of the component. It is JSON, and a field that
//! this host does not know is refused, since it may ask for something that the host would not do.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::Value as Json;

use crate::contract::{Decimal, Hook, Money, Value};
use crate::limits::Class;

/// The name of the custom section.
pub const SECTION: &str = "redress:manifest";

/// Most entries of any list or map in a manifest; as many as an open bag of the contract holds.
const ENTRIES_MAX: usize = 64;

/// Bytes of a manifest that are read before it was measured.
const MANIFEST_READ_MAX: usize = 16 << 10;

/// Most characters of a name.
const NAME_CHARS_MAX: usize = 64;

/// What a plugin says about itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written")]
pub struct Manifest {
    /// The plugin's name: lower case letters, digits and hyphens.
    pub name: String,
    /// Its version, `major.minor.patch` with an optional `-suffix`.
    pub version: String,
    /// What built it, such as `redress-plugin 0.1.0`.
    pub sdk: String,
    /// The hooks it offers, in the contract's order.
    pub hooks: Vec<Hook>,
    /// What a workflow may give it in `with`, by name.
    pub params: BTreeMap<String, Param>,
    /// What every answer provides, by name.
    pub provides: BTreeMap<String, ValueType>,
    /// The facts it wants fetched before a call.
    pub facts: Vec<String>,
    /// The attributes it reads.
    pub attributes: Vec<String>,
    /// Which limits it runs under; most are compiled, and need not say so.
    #[serde(skip_serializing_if = "Class::is_usual")]
    pub class: Class,
}

/// A parameter of a plugin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Param {
    /// Its type.
    #[serde(rename = "type")]
    pub kind: ValueType,
    /// The value where the workflow gives none. It can be read as the type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<DefaultWritten>,
    /// Whether the workflow must give it.
    #[serde(default)]
    pub required: bool,
}

/// The default of a parameter as it is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum DefaultWritten {
    /// A text whatever the type, so that a decimal keeps its digits; whole numbers and truth values may also be written without
    /// quotes.
    Plain(String),
    /// An amount, in minor units as the contract has it.
    Money(DefaultMoney),
}

/// An amount that is a default.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DefaultMoney {
    /// How many minor units.
    pub minor: i64,
    /// The code of their currency.
    pub currency: String,
}

/// The type of a parameter or a provided value; written with a `?` at the end where it may be absent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ValueType {
    /// What it is.
    pub base: BaseType,
    /// Whether it may be absent.
    pub optional: bool,
}

/// The types of the contract's open bags.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum BaseType {
    /// UTF-8 text.
    Text,
    /// A 64-bit whole number.
    Integer,
    /// An exact decimal.
    Decimal,
    /// True or false.
    Boolean,
    /// An instant.
    Timestamp,
    /// An amount and its currency.
    Money,
}

/// Why a manifest was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// It is not the JSON of a manifest.
    #[error("could not read the manifest: {0}")]
    Json(String),
    /// Something in it is not as it must be.
    #[error("manifest field {field} was refused: {why}")]
    Field {
        /// Which field.
        field: &'static str,
        /// What is wrong with it.
        why: String,
    },
}

impl Manifest {
    /// Reads the bytes of the custom section.
    ///
    /// # Errors
    ///
    /// [`Problem`] says which field was refused and why.
    pub fn parse(bytes: &[u8]) -> Result<Self, Problem> {
        let written: Written = serde_json::from_slice(bytes).map_err(|error| Problem::Json(error.to_string()))?;
        Self::try_from(written)
    }
}

/// The class that a manifest names, whatever else is in it.
pub(crate) fn class_of(bytes: &[u8]) -> Option<Class> {
    #[derive(Deserialize)]
    struct Wanted {
        class: Option<Class>,
    }
    let wanted: Wanted = serde_json::from_slice(bytes.get(..bytes.len().min(MANIFEST_READ_MAX))?).ok()?;
    wanted.class
}

/// A manifest as it is written: `hook` for one, `hooks` for several.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: String,
    version: String,
    sdk: String,
    hook: Option<Hook>,
    hooks: Option<Vec<Hook>>,
    #[serde(default)]
    params: BTreeMap<String, Param>,
    #[serde(default)]
    provides: BTreeMap<String, Provided>,
    #[serde(default)]
    facts: Vec<String>,
    #[serde(default)]
    attributes: Vec<String>,
    #[serde(default)]
    class: Class,
}

/// A provided value as it is written: its type, or a record of it that leaves room for more.
#[derive(Deserialize)]
#[serde(untagged)]
enum Provided {
    Type(ValueType),
    Record(ProvidedRecord),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProvidedRecord {
    #[serde(rename = "type")]
    kind: ValueType,
}

impl From<Provided> for ValueType {
    fn from(provided: Provided) -> Self {
        match provided {
            Provided::Type(kind) | Provided::Record(ProvidedRecord { kind }) => kind,
        }
    }
}

impl TryFrom<Written> for Manifest {
    type Error = Problem;

    fn try_from(written: Written) -> Result<Self, Problem> {
        let Written { name, version, sdk, hook, hooks, params, provides, facts, attributes, class } = written;
        if !is_slug(&name) {
            return Err(refuse("name", format!("{name:?} is not lower case letters, digits and hyphens")));
        }
        if !is_version(&version) {
            return Err(refuse("version", format!("{version:?} is not major.minor.patch")));
        }
        if sdk.len() > NAME_CHARS_MAX || sdk.chars().any(char::is_control) {
            return Err(refuse("sdk", format!("{sdk:?} is not a short text")));
        }
        let hooks = hooks_of(hook, hooks)?;
        check_params(&params)?;
        check_names("provides", provides.len(), provides.keys())?;
        let provides = provides.into_iter().map(|(key, provided)| (key, provided.into())).collect();
        check_names("facts", facts.len(), facts.iter())?;
        check_names("attributes", attributes.len(), attributes.iter())?;
        Ok(Self { name, version, sdk, hooks, params, provides, facts, attributes, class })
    }
}

fn refuse(field: &'static str, why: String) -> Problem {
    Problem::Field { field, why }
}

fn hooks_of(hook: Option<Hook>, hooks: Option<Vec<Hook>>) -> Result<Vec<Hook>, Problem> {
    let mut hooks = match (hook, hooks) {
        (Some(hook), None) => vec![hook],
        (None, Some(hooks)) if !hooks.is_empty() => hooks,
        (Some(_), Some(_)) => return Err(refuse("hooks", "a manifest has either hook or hooks".to_owned())),
        (None, _) => return Err(refuse("hook", "a plugin has at least one hook".to_owned())),
    };
    let written = hooks.len();
    hooks.sort_unstable();
    hooks.dedup();
    if hooks.len() != written {
        return Err(refuse("hooks", "a hook is named twice".to_owned()));
    }
    Ok(hooks)
}

fn check_params(params: &BTreeMap<String, Param>) -> Result<(), Problem> {
    check_names("params", params.len(), params.keys())?;
    for (name, param) in params {
        if param.default.is_some() && param.required {
            return Err(refuse("params", format!("{name} is required and has a default")));
        }
        if !param.default.as_ref().is_none_or(|default| param.kind.base.admits(default)) {
            let form = param.kind.base.form_of_default();
            return Err(refuse("params", format!("the default of {name} is not of type {}: {form}", param.kind)));
        }
    }
    Ok(())
}

fn check_names<'a>(field: &'static str, count: usize, names: impl Iterator<Item = &'a String>) -> Result<(), Problem> {
    if count > ENTRIES_MAX {
        return Err(refuse(field, format!("{count} entries, at most {ENTRIES_MAX}")));
    }
    let mut seen = std::collections::BTreeSet::new();
    for name in names {
        if !is_key(name) {
            return Err(refuse(field, format!("{name:?} is not a name")));
        }
        if !seen.insert(name) {
            return Err(refuse(field, format!("{name:?} is named twice")));
        }
    }
    Ok(())
}

fn is_slug(text: &str) -> bool {
    let is_word = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    text.len() <= NAME_CHARS_MAX && text.split('-').all(is_word)
}

fn is_key(text: &str) -> bool {
    let is_part_of_key = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.');
    (1..=NAME_CHARS_MAX).contains(&text.len()) && text.bytes().all(is_part_of_key)
}

fn is_version(text: &str) -> bool {
    let (numbers, suffix) = text.split_once('-').map_or((text, None), |(numbers, suffix)| (numbers, Some(suffix)));
    let is_number = |part: &str| (1..=9).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
    let is_suffix = |part: &str| {
        (1..=NAME_CHARS_MAX).contains(&part.len())
            && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '.' || c == '-')
    };
    numbers.split('.').count() == 3 && numbers.split('.').all(is_number) && suffix.is_none_or(is_suffix)
}

impl Param {
    /// The default as plugins are given it; nothing where there is none, or one of more digits than a decimal has.
    #[must_use]
    pub fn default_value(&self) -> Option<Value> {
        Some(match (self.kind.base, self.default.as_ref()?) {
            (BaseType::Text, DefaultWritten::Plain(text)) => Value::Text(text.clone()),
            (BaseType::Integer, DefaultWritten::Plain(text)) => Value::Integer(text.parse().ok()?),
            (BaseType::Decimal, DefaultWritten::Plain(text)) => Value::Decimal(decimal_of(text)?),
            (BaseType::Boolean, DefaultWritten::Plain(text)) => Value::Boolean(text.parse().ok()?),
            (BaseType::Money, DefaultWritten::Money(DefaultMoney { minor, currency })) => {
                Value::Money(Money { minor: *minor, currency: currency.clone() })
            }
            _ => return None,
        })
    }
}

impl<'de> Deserialize<'de> for DefaultWritten {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Json::deserialize(deserializer)? {
            Json::String(text) => Ok(Self::Plain(text)),
            Json::Bool(truth) => Ok(Self::Plain(truth.to_string())),
            Json::Number(number) if number.is_i64() => Ok(Self::Plain(number.to_string())),
            amount @ Json::Object(_) => DefaultMoney::deserialize(amount).map(Self::Money).map_err(de::Error::custom),
            other => {
                let known = "a default is a text, a whole number, true, false or an amount, not";
                Err(de::Error::custom(format!("{known} {other}; a decimal is a text: \"0.15\"")))
            }
        }
    }
}

fn is_decimal(text: &str) -> bool {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    text.len() <= 30
        && match unsigned.split_once('.') {
            Some((whole, fraction)) => digits(whole) && digits(fraction),
            None => digits(unsigned),
        }
}

/// Every digit of a decimal as it was written.
fn decimal_of(text: &str) -> Option<Decimal> {
    let scale = text.split_once('.').map_or(0, |(_, fraction)| fraction.len());
    let mantissa = text.replacen('.', "", 1).parse().ok()?;
    u8::try_from(scale).ok().filter(|scale| *scale <= 28).map(|scale| Decimal { mantissa, scale })
}

impl BaseType {
    /// The name as manifests write it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Integer => "integer",
            Self::Decimal => "decimal",
            Self::Boolean => "boolean",
            Self::Timestamp => "timestamp",
            Self::Money => "money",
        }
    }

    /// Whether a default can be read as this type. A decimal may have more digits here than plugins can be given.
    fn admits(self, default: &DefaultWritten) -> bool {
        match (self, default) {
            (Self::Text, DefaultWritten::Plain(_)) => true,
            (Self::Integer, DefaultWritten::Plain(text)) => text.parse::<i64>().is_ok(),
            (Self::Decimal, DefaultWritten::Plain(text)) => is_decimal(text),
            (Self::Boolean, DefaultWritten::Plain(text)) => matches!(text.as_str(), "true" | "false"),
            (Self::Money, DefaultWritten::Money(DefaultMoney { currency, .. })) => {
                currency.len() == 3 && currency.bytes().all(|byte| byte.is_ascii_uppercase())
            }
            _ => false,
        }
    }

    /// How a default of it is written.
    fn form_of_default(self) -> &'static str {
        match self {
            Self::Text => r#"write "intact""#,
            Self::Integer => "write 14",
            Self::Decimal => r#"write "0.15", with at most 18 digits"#,
            Self::Boolean => "write true or false",
            Self::Timestamp => "a timestamp has none",
            Self::Money => r#"write { "minor": 490, "currency": "EUR" }, in minor units"#,
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        [Self::Text, Self::Integer, Self::Decimal, Self::Boolean, Self::Timestamp, Self::Money]
            .into_iter()
            .find(|base| base.name() == name)
    }
}

impl fmt::Display for ValueType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.base.name())?;
        if self.optional { f.write_str("?") } else { Ok(()) }
    }
}

impl Serialize for ValueType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ValueType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let (name, optional) = text.strip_suffix('?').map_or((text.as_str(), false), |name| (name, true));
        let base = BaseType::from_name(name).ok_or_else(|| de::Error::custom(format!("unknown type {text:?}")))?;
        Ok(Self { base, optional })
    }
}

#[cfg(test)]
mod tests {
    use super::{BaseType, DefaultWritten, Manifest, Problem};
    use crate::contract::{Decimal, Hook, Money, Value};
    use crate::limits::Class;

    const GOOD: &str = r#"{ "name": "return-window", "version": "0.1.0", "sdk": "redress-plugin 0.1.0", "hook": "eligibility",
        "params": { "window_days": { "type": "integer", "default": 90 }, "cap": { "type": "decimal?", "default": "1.50" } },
        "provides": { "days": "integer", "limit": { "type": "money?" } }, "facts": ["customer.returns"], "attributes": ["opened"] }"#;

    #[test]
    fn a_manifest_is_read_whole() {
        let manifest = Manifest::parse(GOOD.as_bytes()).unwrap();
        assert_eq!(manifest.hooks, [Hook::Eligibility]);
        assert_eq!(manifest.params["window_days"].default, Some(DefaultWritten::Plain("90".to_owned())));
        assert_eq!(manifest.provides["limit"].base, BaseType::Money);
        assert!(manifest.provides["limit"].optional);
        assert_eq!(manifest.class, Class::Compiled);
        let again = serde_json::to_vec(&manifest).unwrap();
        assert_eq!(Manifest::parse(&again).unwrap(), manifest);
    }

    #[test]
    fn each_mistake_is_refused_at_its_field() {
        let field_of = |from: &str, to: &str| match Manifest::parse(GOOD.replace(from, to).as_bytes()) {
            Err(Problem::Field { field, .. }) => field,
            Err(Problem::Json(_)) => "json",
            Ok(_) => "accepted",
        };
        assert_eq!(field_of("return-window", "Return Window"), "name");
        assert_eq!(field_of(r#""version": "0.1.0""#, r#""version": "1""#), "version");
        assert_eq!(field_of("redress-plugin 0.1.0", r"a\nb"), "sdk");
        assert_eq!(field_of(r#""hook": "eligibility""#, r#""hooks": []"#), "hook");
        assert_eq!(field_of(r#""hook": "eligibility""#, r#""hook": "step", "hooks": ["step"]"#), "hooks");
        assert_eq!(field_of(r#""hook": "eligibility""#, r#""hooks": ["step", "step"]"#), "hooks");
        assert_eq!(field_of(r#""hook": "eligibility""#, r#""hook": "payment""#), "json");
        assert_eq!(field_of(r#""default": 90"#, r#""default": 90.5"#), "json");
        assert_eq!(field_of(r#""default": 90"#, r#""default": 90, "required": true"#), "params");
        assert_eq!(field_of(r#""default": 90"#, r#""default": "ninety""#), "params");
        assert_eq!(field_of(r#""default": "1.50""#, r#""default": "1,50""#), "params");
        assert_eq!(field_of(r#""days": "integer""#, r#""days": "float""#), "json");
        assert_eq!(field_of(r#""days": "integer""#, r#""the days": "integer""#), "provides");
        assert_eq!(field_of(r#"["opened"]"#, r#"["opened", "opened"]"#), "attributes");
        assert_eq!(field_of(r#""facts""#, r#""network": true, "facts""#), "json");
        assert_eq!(field_of(r#""facts""#, r#""class": "interpreter", "facts""#), "accepted");
        assert_eq!(field_of(r#""facts""#, r#""class": "native", "facts""#), "json");
        assert_eq!(field_of(r#""facts""#, r#""facts""#), "accepted");
    }

    #[test]
    fn a_default_is_what_plugins_are_given() {
        let of = |kind: &str, default: &str| {
            let param = format!(r#""cap": {{ "type": "{kind}", "default": {default} }}"#);
            let text = GOOD.replace(r#""cap": { "type": "decimal?", "default": "1.50" }"#, &param);
            let manifest = Manifest::parse(text.as_bytes()).map_err(|problem| problem.to_string())?;
            let again = serde_json::to_vec(&manifest).unwrap();
            assert_eq!(Manifest::parse(&again).unwrap(), manifest);
            Ok::<_, String>(manifest.params["cap"].default_value())
        };
        assert_eq!(of("text", r#""a b""#), Ok(Some(Value::Text("a b".to_owned()))));
        assert_eq!(of("integer?", "-3"), Ok(Some(Value::Integer(-3))));
        assert_eq!(of("decimal", r#""-0.150""#), Ok(Some(Value::Decimal(Decimal { mantissa: -150, scale: 3 }))));
        assert_eq!(of("decimal", "7"), Ok(Some(Value::Decimal(Decimal { mantissa: 7, scale: 0 }))));
        assert_eq!(of("boolean", "true"), Ok(Some(Value::Boolean(true))));
        let amount = Money { minor: 490, currency: "EUR".to_owned() };
        assert_eq!(of("money", r#"{ "minor": 490, "currency": "EUR" }"#), Ok(Some(Value::Money(amount))));
        // What a host took before it takes now; plugins are not built of it.
        assert_eq!(of("decimal", r#""12345678901234567890""#), Ok(None));
        for (kind, default, form) in [
            ("money", r#""4.90 EUR""#, r#"write { "minor": 490, "currency": "EUR" }"#),
            ("money", r#"{ "minor": 490, "currency": "Euro" }"#, "write {"),
            ("money", r#"{ "minor": 4.9, "currency": "EUR" }"#, "invalid type: floating point"),
            ("text", r#"{ "minor": 490, "currency": "EUR" }"#, r#"write "intact""#),
            ("decimal", "0.15", r#"a decimal is a text: "0.15""#),
            ("timestamp", r#""2026-01-15T12:00:00Z""#, "a timestamp has none"),
        ] {
            let refused = of(kind, default).unwrap_err();
            assert!(refused.contains(form), "{refused}");
        }
    }

    #[test]
    fn lists_are_bounded() {
        let facts: Vec<String> = (0..65).map(|n| format!("fact.{n}")).collect();
        let json = GOOD.replace(r#"["customer.returns"]"#, &serde_json::to_string(&facts).unwrap());
        assert!(matches!(Manifest::parse(json.as_bytes()), Err(Problem::Field { field: "facts", .. })));
    }
}
