//! The defaults that `plugin.json` declares, as code of the project's language: a manifest is not there when a plugin is called.

use std::fmt::Write as _;

use redress_sandbox::contract::{Decimal, Money, Value};

/// What is written above all of them.
const NOTE: &str = "Written by `redress plugin build` of the parameters in plugin.json. Change those.";

/// Names with their defaults, in the order of the names.
pub(super) type Defaults = Vec<(String, Value)>;

/// `build/params.c`, which `sdk/params.c` reads.
pub(super) fn c(defaults: &Defaults) -> String {
    let rows: String =
        defaults.iter().map(|(name, value)| format!("    {{{}, {}}},\n", c_text(name), c_value(value))).collect();
    let list = match defaults.len() {
        // C has no list of nothing.
        0 => "const redress_list_attribute_t redress_defaults = {NULL, 0};\n".to_owned(),
        count => format!(
            "static const redress_attribute_t DEFAULTS[] = {{\n{rows}}};\n\n\
             const redress_list_attribute_t redress_defaults = {{(redress_attribute_t *)DEFAULTS, {count}}};\n"
        ),
    };
    format!("/* {NOTE} */\n\n#include \"redress.h\"\n\n{list}")
}

fn c_value(value: &Value) -> String {
    let (tag, member, inner) = match value {
        Value::Text(text) => ("TEXT", "text", c_text(text)),
        Value::Integer(number) => ("INTEGER", "integer", c_number(*number)),
        Value::Decimal(Decimal { mantissa, scale }) => {
            ("DECIMAL", "decimal", format!("{{{}, {scale}}}", c_number(*mantissa)))
        }
        Value::Boolean(truth) => ("BOOLEAN", "boolean", truth.to_string()),
        Value::Timestamp(moment) => {
            let day = format!("{}, {}", moment.local_day, moment.local_second);
            ("TIMESTAMP", "timestamp", format!("{{{}, {day}}}", c_number(moment.unix_ms)))
        }
        Value::Money(Money { minor, currency }) => {
            ("MONEY", "money", format!("{{{}, {}}}", c_number(*minor), c_text(currency)))
        }
    };
    format!("{{.tag = REDRESS_VALUE_{tag}, .val = {{.{member} = {inner}}}}}")
}

/// The least number has no literal of its own in C.
fn c_number(number: i64) -> String {
    if number == i64::MIN { "INT64_MIN".to_owned() } else { format!("INT64_C({number})") }
}

/// A text with its length. What is not a letter, a digit or a space is written as its number: three digits end where they end.
fn c_text(text: &str) -> String {
    let mut literal = String::new();
    for byte in text.bytes() {
        match byte {
            b' ' | b'_' | b'.' | b'-' => literal.push(char::from(byte)),
            _ if byte.is_ascii_alphanumeric() => literal.push(char::from(byte)),
            _ => _ = write!(literal, "\\{byte:03o}"),
        }
    }
    format!("{{(uint8_t *)\"{literal}\", {}}}", text.len())
}

/// `build/params.js`, which `sdk/params.js` reads.
pub(super) fn javascript(defaults: &Defaults) -> String {
    let row = |(name, value): &(String, Value)| {
        let (tag, inner) = match value {
            Value::Text(text) => ("text", quoted(text)),
            Value::Integer(number) => ("integer", format!("{number}n")),
            Value::Decimal(Decimal { mantissa, scale }) => {
                ("decimal", format!("{{ mantissa: {mantissa}n, scale: {scale} }}"))
            }
            Value::Boolean(truth) => ("boolean", truth.to_string()),
            Value::Timestamp(moment) => {
                let day = format!("localDay: {}, localSecond: {}", moment.local_day, moment.local_second);
                ("timestamp", format!("{{ unixMs: {}n, {day} }}", moment.unix_ms))
            }
            Value::Money(Money { minor, currency }) => {
                ("money", format!("{{ minor: {minor}n, currency: {} }}", quoted(currency)))
            }
        };
        format!("  [{}, {{ tag: '{tag}', val: {inner} }}],\n", quoted(name))
    };
    let rows: String = defaults.iter().map(row).collect();
    format!("// {NOTE}\nexport const DEFAULTS = new Map([\n{rows}]);\n")
}

/// `build/params.py`, which `sdk/params.py` reads.
pub(super) fn python(defaults: &Defaults) -> String {
    let row = |(name, value): &(String, Value)| {
        let made = match value {
            Value::Text(text) => format!("Text({})", quoted(text)),
            Value::Integer(number) => format!("Integer({number})"),
            Value::Decimal(Decimal { mantissa, scale }) => format!("Decimal(types.Decimal({mantissa}, {scale}))"),
            Value::Boolean(true) => "Boolean(True)".to_owned(),
            Value::Boolean(false) => "Boolean(False)".to_owned(),
            Value::Timestamp(moment) => {
                let day = format!("{}, {}", moment.local_day, moment.local_second);
                format!("Timestamp(types.Moment({}, {day}))", moment.unix_ms)
            }
            Value::Money(Money { minor, currency }) => format!("Money(types.Money({minor}, {}))", quoted(currency)),
        };
        format!("    {}: types.Value_{made},\n", quoted(name))
    };
    let rows: String = defaults.iter().map(row).collect();
    format!("# {NOTE}\nfrom wit_world.imports import types\n\nDEFAULTS = {{\n{rows}}}\n")
}

/// A text between quotes as JSON has it, which is how JavaScript and Python have it too.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn defaults() -> Defaults {
        [
            ("a", Value::Text("say \"no\"?\n退\u{0}9".to_owned())),
            ("b", Value::Integer(i64::MIN)),
            ("c", Value::Decimal(Decimal { mantissa: -150, scale: 3 })),
            ("d", Value::Boolean(true)),
            ("e", Value::Money(Money { minor: 490, currency: "EUR".to_owned() })),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }

    #[test]
    fn every_type_is_written_in_every_language() {
        let c = c(&defaults());
        let text = r#"{{(uint8_t *)"a", 1}, {.tag = REDRESS_VALUE_TEXT, .val = {.text = {(uint8_t *)"say \042no\042\077\012\351\200\200\0009", 15}}}},"#;
        assert!(c.contains(text), "{c}");
        assert!(c.contains(".integer = INT64_MIN}") && c.contains(".decimal = {INT64_C(-150), 3}}"), "{c}");
        assert!(c.contains("{(redress_attribute_t *)DEFAULTS, 5}"), "{c}");
        let javascript = javascript(&defaults());
        assert!(
            javascript.contains(r#"["e", { tag: 'money', val: { minor: 490n, currency: "EUR" } }],"#),
            "{javascript}"
        );
        let python = python(&defaults());
        assert!(python.contains("\"d\": types.Value_Boolean(True),\n    \"e\": types.Value_Money("), "{python}");
    }

    #[test]
    fn a_plugin_without_defaults_has_none_in_every_language() {
        assert!(c(&Defaults::new()).ends_with("redress_defaults = {NULL, 0};\n"));
        assert!(javascript(&Defaults::new()).ends_with("new Map([\n]);\n"));
        assert!(python(&Defaults::new()).ends_with("DEFAULTS = {\n}\n"));
    }
}
