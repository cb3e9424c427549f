//! The shapes of the tables as JSON Schema.

use redress_domain::value::Type;
use redress_domain::workflow::builtin;
use redress_domain::workflow::schema::{Field, Shape, Table, VARIABLE};
use redress_domain::workflow::types;
use serde_json::{Value as Json, json};

/// A short name, as `ids::Slug` has it.
pub(super) const NAME: &str = "^[a-z][a-z0-9_-]{0,63}$";
/// A base with its number, or the beginning of its revision.
pub(super) const BASE: &str = "^(std/)?[a-z][a-z0-9_-]{0,63}@([1-9][0-9]{0,8}|[0-9a-f]{12,64})$";
/// A workflow that is run, with its revision.
pub(super) const WORKFLOW: &str = "^[a-z][a-z0-9_-]{0,63}@(active|[1-9][0-9]{0,8}|[0-9a-f]{10,64})$";
/// A plugin with its major version.
pub(super) const PLUGIN: &str = "^(std/)?[a-z][a-z0-9_-]{0,63}@(0|[1-9][0-9]*)$";
/// A span of time; which of them are longer than nothing is left to the checker.
pub(super) const DURATION: &str = "^([0-9]+(s|m|h|d|bh|bd)|P([0-9]+D)?(T([0-9]+H)?([0-9]+M)?([0-9]+S)?)?)$";

/// What excludes what in the body of a step kind: exactly one of these sets of fields is there.
const EITHER: &[(&str, &[&[&str]])] = &[
    ("decide", &[&["when", "then"], &["else"]]),
    ("await", &[&["event"], &["any"], &["all"]]),
    ("wait", &[&["for"], &["until"]]),
    ("refund", &[&["quote"], &["amount"]]),
];

/// A map with the fields of a table, and no others.
pub(super) fn object(table: &Table) -> Json {
    let properties: serde_json::Map<String, Json> =
        table.fields.iter().map(|field| (field.name.to_owned(), described(field))).collect();
    let required: Vec<&str> = table.fields.iter().filter(|field| field.required).map(|field| field.name).collect();
    let mut schema = json!({ "type": "object", "properties": properties, "additionalProperties": false });
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    schema
}

fn described(field: &Field) -> Json {
    let mut schema = shape(field.name, &field.shape);
    schema["description"] = json!(field.doc);
    schema
}

/// What may stand behind a key of this name.
pub(super) fn shape(name: &str, shape: &Shape) -> Json {
    match shape {
        Shape::Flag => json!({ "type": "boolean" }),
        Shape::Whole => json!({ "type": "integer" }),
        Shape::Text => json!({ "type": "string" }),
        Shape::Words => named("words"),
        Shape::Name if name == "queue" || name == "template" => named(name),
        Shape::Name | Shape::Step => named("name"),
        Shape::Choice(words) => json!({ "enum": words }),
        Shape::Currency => json!({ "type": "string", "pattern": "^[A-Z]{3}$" }),
        Shape::Zone => json!({ "type": "string", "pattern": "^[A-Za-z][A-Za-z0-9_+/-]*$" }),
        Shape::Duration => named("duration"),
        Shape::Hours => json!({ "type": "string", "pattern": "[0-9]{2}:[0-9]{2}" }),
        Shape::Type => named("type"),
        Shape::Variable => json!({ "anyOf": [named("type"), object(&VARIABLE)] }),
        Shape::Condition | Shape::Input => named("condition"),
        Shape::Row => {
            let cell = json!({ "type": ["string", "number", "boolean", "object"] });
            json!({ "type": "array", "items": cell, "minItems": 1 })
        }
        Shape::Match => json!({ "type": "string", "pattern": "event\\s*\\." }),
        Shape::Value(kind) => value(kind),
        Shape::Plugin => named("plugin"),
        Shape::Base => named("base"),
        Shape::Workflow => named("workflow_name"),
        Shape::Timeout => named("timeout"),
        Shape::Map(table) => object(table),
        Shape::Names(inner) => json!({ "type": "object", "additionalProperties": self::shape("", inner) }),
        Shape::List(inner) => json!({ "type": "array", "items": self::shape(name, inner) }),
        Shape::OneOrMany(inner) => {
            let one = self::shape(name, inner);
            json!({ "anyOf": [one, { "type": "array", "items": one }] })
        }
        Shape::Join => json!({ "anyOf": [{ "enum": ["all", "any"] }, { "type": "integer", "minimum": 1 }] }),
        Shape::StepMap => named("step"),
        Shape::StepBody => named("body"),
    }
}

/// Let exactly one of these sets of fields be there.
pub(super) fn exclude(schema: &mut Json, sets: &[&[&str]]) {
    schema["oneOf"] = sets.iter().map(|fields| json!({ "required": fields })).collect();
}

/// The same for the body of a step kind, where something in it excludes something else.
pub(super) fn exclude_in(schema: &mut Json, kind: &str) {
    if let Some((_, sets)) = EITHER.iter().find(|(name, _)| *name == kind) {
        let each = if schema["type"] == "array" { &mut schema["items"] } else { schema };
        exclude(each, sets);
    }
}

/// A type as a document writes it: one of the plain ones, a list of one, or a list of words.
pub(super) fn kind_of_value() -> Json {
    let plain = types::PLAIN.iter().flat_map(|(name, _)| [(*name).to_owned(), format!("{name}?")]);
    json!({
        "anyOf": [
            { "enum": plain.collect::<Vec<_>>() },
            { "type": "string", "pattern": "^(list\\(.+\\)|\\[.+\\]|files(\\(.*\\))?)\\??$" },
            { "type": "array", "items": named("name"), "minItems": 1 },
        ],
    })
}

/// An expression or a literal of the type that a table names.
fn value(kind: &str) -> Json {
    let record = |name: &str| {
        builtin::RECORDS.iter().any(|record| record.name == name).then(|| Type::Object(builtin::fields(name)))
    };
    match types::parse(kind, &record) {
        Ok(kind) => value_of(&kind),
        // The type is not known before the document is: anything but nothing.
        Err(_) => json!({ "type": ["string", "number", "boolean", "array", "object"] }),
    }
}

/// An expression or a literal of a type.
pub(super) fn value_of(kind: &Type) -> Json {
    let or_expression = |literal: Json| json!({ "anyOf": [literal, named("expression")] });
    match kind {
        Type::Bool => or_expression(json!({ "type": "boolean" })),
        Type::Text | Type::Date | Type::Instant => json!({ "type": "string" }),
        Type::Number | Type::Money | Type::Price => or_expression(json!({ "type": "number" })),
        Type::Duration => or_expression(named("duration")),
        Type::Enum(words) => or_expression(json!({ "enum": words })),
        Type::List(inner) if matches!(**inner, Type::Object(_)) => named("expression"),
        Type::List(_) => or_expression(json!({ "type": "array" })),
        Type::Object(_) => named("expression"),
        Type::Optional(inner) => value_of(inner),
    }
}

/// Whether a value may be left out.
pub(super) fn is_optional(kind: &Type) -> bool {
    matches!(kind, Type::Optional(_))
}

fn named(definition: &str) -> Json {
    json!({ "$ref": format!("#/$defs/{definition}") })
}
