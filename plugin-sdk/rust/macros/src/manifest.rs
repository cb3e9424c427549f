//! The manifest: what a host reads of a plugin without running it.

use crate::arguments::{Arguments, Default, Param, Presence, ValueType};

/// The most bytes that a host reads.
const MANIFEST_BYTES_MAX: usize = 16 * 1024;

/// The manifest as JSON, or why it cannot be one.
pub(crate) fn json(arguments: &Arguments, hook: &str) -> Result<String, String> {
    let params = arguments.params.iter().map(|param| (param.name.as_str(), param_json(param)));
    let provides = &arguments.provides;
    let provides = provides.iter().map(|(name, kind)| (name.as_str(), object([("type", quoted(kind.name()))])));
    let manifest = object([
        ("name", quoted(&arguments.name)),
        ("version", quoted(&arguments.version)),
        ("sdk", quoted(concat!("redress-plugin ", env!("CARGO_PKG_VERSION")))),
        ("hooks", list([quoted(hook)])),
        ("params", object(params)),
        ("provides", object(provides)),
        ("facts", list(arguments.facts.iter().map(|key| quoted(key)))),
        ("attributes", attributes_json(&arguments.attributes)),
    ]);
    if manifest.len() > MANIFEST_BYTES_MAX {
        return Err(format!("the manifest is {} bytes, at most {MANIFEST_BYTES_MAX} are read", manifest.len()));
    }
    Ok(manifest)
}

fn param_json(param: &Param) -> String {
    let mut fields = vec![("type", quoted(param.value_type.name()))];
    match &param.presence {
        Presence::Required => fields.push(("required", "true".to_owned())),
        Presence::Optional => fields.push(("required", "false".to_owned())),
        Presence::Default(default) => {
            fields.push(("required", "false".to_owned()));
            fields.push(("default", default_json(default)));
        }
    }
    object(fields)
}

/// A list where no type is said, which every host reads.
fn attributes_json(attributes: &[(String, Option<ValueType>)]) -> String {
    if attributes.iter().all(|(_, kind)| kind.is_none()) {
        return list(attributes.iter().map(|(key, _)| quoted(key)));
    }
    let kind = |kind: Option<ValueType>| kind.map_or_else(|| "null".to_owned(), |kind| quoted(kind.name()));
    object(attributes.iter().map(|(key, of)| (key.as_str(), kind(*of))))
}

/// A default is a text in the manifest, so that a decimal keeps its digits, and an amount an object.
fn default_json(default: &Default) -> String {
    match default {
        Default::Text(text) | Default::Decimal { text, .. } => quoted(text),
        Default::Integer(number) => quoted(&number.to_string()),
        Default::Boolean(truth) => quoted(&truth.to_string()),
        Default::Money { minor, currency } => object([("minor", minor.to_string()), ("currency", quoted(currency))]),
    }
}

fn object<'a>(fields: impl IntoIterator<Item = (&'a str, String)>) -> String {
    let fields: Vec<String> = fields.into_iter().map(|(key, value)| format!("{}:{value}", quoted(key))).collect();
    format!("{{{}}}", fields.join(","))
}

fn list(items: impl IntoIterator<Item = String>) -> String {
    format!("[{}]", items.into_iter().collect::<Vec<_>>().join(","))
}

fn quoted(text: &str) -> String {
    let mut json = String::from('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => json.extend(['\\', character]),
            control if control < ' ' => json.push_str(&format!("\\u{:04x}", u32::from(control))),
            other => json.push(other),
        }
    }
    json.push('"');
    json
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_is_compact_json_in_the_order_of_its_fields() {
        let arguments = syn::parse_str(
            r#"name = "x", version = "0.1.0", params(days: integer, note: text = "a\"b\n"), provides(total: money),
               facts = ["customer.returns"]"#,
        );
        let expected = concat!(
            r#"{"name":"x","version":"0.1.0","sdk":"redress-plugin "#,
            env!("CARGO_PKG_VERSION"),
            r#"","hooks":["refund"],"params":{"days":{"type":"integer","required":true},"#,
            r#""note":{"type":"text","required":false,"default":"a\"b\u000a"}},"provides":{"total":{"type":"money"}},"#,
            r#""facts":["customer.returns"],"attributes":[]}"#,
        );
        assert_eq!(json(&arguments.unwrap(), "refund").as_deref(), Ok(expected));
    }

    #[test]
    fn attributes_are_a_list_of_names_unless_a_type_is_said() {
        let written = |rest: &str| {
            let arguments = syn::parse_str(&format!(r#"name = "x", version = "0.1.0", {rest}"#)).unwrap();
            json(&arguments, "refund").unwrap()
        };
        assert!(written(r#"attributes = ["a", "b"]"#).ends_with(r#""attributes":["a","b"]}"#));
        let typed = written(r#"attributes = ["a": money, "b"], params(fee: money = Money::new(490, "EUR"))"#);
        assert!(typed.ends_with(r#""attributes":{"a":"money","b":null}}"#), "{typed}");
        let fee = r#""fee":{"type":"money","required":false,"default":{"minor":490,"currency":"EUR"}}"#;
        assert!(typed.contains(fee), "{typed}");
    }

    #[test]
    fn a_manifest_that_no_host_would_read_is_refused() {
        let long = format!(r#"name = "x", version = "0.1.0", params(a: text = "{}")"#, "y".repeat(MANIFEST_BYTES_MAX));
        assert!(json(&syn::parse_str(&long).unwrap(), "step").unwrap_err().contains("at most 16384 are read"));
    }
}
