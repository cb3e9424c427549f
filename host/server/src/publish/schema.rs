//! JSON Schema of workflow documents, made from the tables of the language: what an editor completes, explains and underlines
//! while a file is written.
//!
//! It says which fields there are and what may stand behind each. What takes more than one look (names that must exist, types of
//! expressions, ways that lead nowhere) is said by the checker.

mod merchant;
mod shapes;

use std::collections::{BTreeMap, BTreeSet};

use redress_domain::workflow::definition::{Plugin, PluginRef};
use redress_domain::workflow::schema::{DOCUMENT, OVERLAY, STEP, STEP_KINDS, TIMEOUT};
use serde_json::{Value as Json, json};

pub use merchant::merchant;

use super::bases;

/// Where a host serves it. The number is that of the document's `format`.
pub const ADDRESS: &str = "/schemas/workflow-1.json";

/// What a merchant has beside what everybody has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    /// The queues that its workflows name.
    pub queues: BTreeSet<String>,
    /// The texts that its workflows name, and those that are shipped.
    pub templates: BTreeSet<String>,
    /// The plugins that it may call.
    pub plugins: BTreeMap<PluginRef, Plugin>,
}

/// The schema that knows no merchant, as it stands in `workflows/schema`.
pub fn general() -> Json {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$comment": "made from the tables of the language, do not edit",
        "title": "A workflow of Redress",
        "description": "Which steps a case takes. The reference is workflows/README.md.",
        "type": "object",
        "if": { "required": ["extends"] },
        "then": { "$ref": "#/$defs/overlay" },
        "else": { "$ref": "#/$defs/workflow" },
        "$defs": definitions(),
    })
}

/// The same for a merchant: its plugins with their parameters are the ones that a call may name, its queues and texts are offered.
pub fn of(known: &Known) -> Json {
    let mut schema = general();
    let offer = |names: &BTreeSet<String>| names.iter().cloned().map(Json::String).collect::<Vec<_>>();
    schema["$defs"]["queue"]["examples"] = offer(&known.queues).into();
    schema["$defs"]["template"]["examples"] = offer(&known.templates).into();
    let names: Vec<String> = known.plugins.keys().map(ToString::to_string).collect();
    schema["$defs"]["plugin"] = json!({ "type": "string", "enum": names });
    let parameters: Vec<Json> = known.plugins.iter().map(|(name, plugin)| parameters(name, plugin)).collect();
    for step in ["step", "body"] {
        schema["$defs"][step]["properties"]["call"]["allOf"] = json!(parameters);
    }
    schema
}

/// What stands under `with` where this plugin is called.
fn parameters(name: &PluginRef, plugin: &Plugin) -> Json {
    let needed: Vec<&String> =
        plugin.params.iter().filter(|(_, kind)| !shapes::is_optional(kind)).map(|(param, _)| param).collect();
    let properties: serde_json::Map<String, Json> = plugin
        .params
        .iter()
        .map(|(param, kind)| {
            let mut schema = shapes::value_of(kind);
            schema["description"] = json!(format!("A parameter of {name}: {kind}."));
            (param.clone(), schema)
        })
        .collect();
    let mut then = json!({
        "properties": { "with": { "properties": properties, "required": needed, "additionalProperties": false } },
    });
    if !needed.is_empty() {
        then["required"] = json!(["with"]);
    }
    json!({ "if": { "properties": { "plugin": { "const": name.to_string() } } }, "then": then })
}

/// What is named by several fields.
fn definitions() -> Json {
    let mut timeout = shapes::object(&TIMEOUT);
    shapes::exclude(&mut timeout, &[&["after", "then"], &["never"]]);
    json!({
        "workflow": workflow(),
        "overlay": overlay(),
        "step": step(),
        "body": body(),
        "timeout": timeout,
        "name": { "type": "string", "pattern": shapes::NAME },
        "queue": { "type": "string", "pattern": shapes::NAME },
        "template": { "type": "string", "pattern": shapes::NAME },
        "plugin": { "type": "string", "pattern": shapes::PLUGIN },
        "base": { "type": "string", "pattern": shapes::BASE, "examples": bases::shipped().into_keys().collect::<Vec<_>>() },
        "workflow_name": { "type": "string", "pattern": shapes::WORKFLOW },
        "expression": { "type": "string", "pattern": "^=" },
        "condition": { "type": ["string", "boolean"], "pattern": "^[^=]" },
        "duration": { "type": "string", "pattern": shapes::DURATION },
        "type": shapes::kind_of_value(),
        "words": {
            "anyOf": [
                { "type": "string" },
                {
                    "type": "object", "minProperties": 1, "additionalProperties": { "type": "string" },
                    "propertyNames": { "pattern": "^[A-Za-z0-9-]+$" },
                },
            ],
        },
    })
}

/// A trigger is one of these.
const TRIGGERS: &[&[&str]] = &[&["case_opened"], &["called"], &["manual"], &["event"], &["schedule"]];

fn workflow() -> Json {
    let mut workflow = shapes::object(&DOCUMENT);
    workflow["properties"]["format"]["const"] = json!(1);
    shapes::exclude(&mut workflow["properties"]["triggers"]["items"], TRIGGERS);
    // What tests give and expect also has the merchant's own fields, which no table lists.
    loosen(&mut workflow["properties"]["tests"]["items"]["properties"]);
    workflow
}

/// Take other fields than those of the tables as well, however deep.
fn loosen(schema: &mut Json) {
    match schema {
        Json::Object(map) => {
            if let Some(closed) = map.get_mut("additionalProperties").filter(|more| **more == json!(false)) {
                *closed = json!(true);
            }
            map.values_mut().for_each(loosen);
        }
        Json::Array(items) => items.iter_mut().for_each(loosen),
        _ => {}
    }
}

/// An overlay: fields of a document that are laid over those of its base, and patches.
fn overlay() -> Json {
    let mut overlay = shapes::object(&OVERLAY);
    let mut document = workflow();
    // A variable of the base may be given another default alone.
    document["properties"]["vars"]["additionalProperties"]["anyOf"][1]["required"] = json!([]);
    if let (Some(fields), Some(own)) = (document["properties"].as_object_mut(), overlay["properties"].as_object_mut()) {
        let from_base = ["steps", "triggers", "sealed"];
        own.extend(std::mem::take(fields).into_iter().filter(|(name, _)| !from_base.contains(&name.as_str())));
    }
    overlay["required"] = json!(["format", "workflow", "extends"]);
    let patch = &mut overlay["properties"]["patch"]["items"];
    shapes::exclude(&mut patch["properties"]["insert"], &[&["after"], &["before"]]);
    shapes::exclude(&mut patch["properties"]["remove"], &[&["step"], &["at"]]);
    shapes::exclude(patch, &[&["set"], &["replace"], &["insert"], &["remove"]]);
    overlay
}

/// A step that takes the name of another one.
fn body() -> Json {
    let mut body = step();
    if let Some(fields) = body["properties"].as_object_mut() {
        fields.remove("id");
    }
    if let Some(body) = body.as_object_mut() {
        body.remove("required");
    }
    body
}

/// A step: the fields that every step has, and exactly one kind.
fn step() -> Json {
    let mut step = shapes::object(&STEP);
    for kind in STEP_KINDS {
        let mut schema = shapes::shape(kind.name, &kind.shape);
        shapes::exclude_in(&mut schema, kind.name);
        schema["description"] = json!(kind.doc);
        schema["markdownDescription"] = json!(format!("{}\n\n```yaml\n{}\n```", kind.doc, kind.example));
        step["properties"][kind.name] = schema;
    }
    step["oneOf"] = STEP_KINDS.iter().map(|kind| json!({ "required": [kind.name] })).collect();
    step
}

#[cfg(test)]
mod tests {
    use redress_domain::ids::Digest;
    use redress_domain::value::Type;
    use redress_domain::workflow::definition::Hook;

    use super::*;

    #[test]
    fn the_repository_holds_the_general_schema() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../workflows/schema/workflow-1.json");
        let text = format!("{:#}\n", general());
        if std::env::var_os("REDRESS_BLESS").is_some() {
            std::fs::write(path, text).unwrap();
        } else {
            let written = std::fs::read_to_string(path).unwrap_or_default();
            assert!(written == text, "the schema has changed: run it again with REDRESS_BLESS=1");
        }
    }

    #[test]
    fn every_field_of_a_step_is_explained_in_the_words_of_the_reference() {
        let schema = general();
        let step = &schema["$defs"]["step"];
        for kind in STEP_KINDS {
            assert_eq!(step["properties"][kind.name]["description"], kind.doc);
        }
        assert_eq!(step["properties"]["review"]["properties"]["queue"]["description"], "Who works on it.");
        assert_eq!(step["oneOf"].as_array().map(Vec::len), Some(STEP_KINDS.len()));
    }

    #[test]
    fn a_merchant_is_offered_what_it_has() {
        let score = Plugin {
            digest: Digest::of(b"score"),
            hook: Hook::Step,
            params: [("text".to_owned(), Type::Text), ("limit".to_owned(), Type::Number.optional())].into(),
            whole: Default::default(),
            provides: BTreeMap::new(),
            facts: Vec::new(),
            attributes: Default::default(),
        };
        let known = Known {
            queues: ["desk".to_owned()].into(),
            templates: ["hello".to_owned()].into(),
            plugins: [(PluginRef { name: "own-score".to_owned(), major: 2 }, score)].into(),
        };
        let schema = of(&known);
        assert_eq!(schema["$defs"]["queue"]["examples"], json!(["desk"]));
        assert_eq!(schema["$defs"]["template"]["examples"], json!(["hello"]));
        assert_eq!(schema["$defs"]["plugin"]["enum"], json!(["own-score@2"]));
        let rule = &schema["$defs"]["step"]["properties"]["call"]["allOf"][0];
        assert_eq!(rule["if"]["properties"]["plugin"]["const"], "own-score@2");
        assert_eq!(rule["then"]["properties"]["with"]["required"], json!(["text"]));
    }
}
