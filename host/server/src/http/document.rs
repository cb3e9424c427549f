//! The OpenAPI document: what the macros cannot know is added here, for every operation alike.

use serde_json::{Value as Json, json};
use utoipa::openapi::OpenApi;

use super::access::Access;
use super::routes::Served;

include!(concat!(env!("OUT_DIR"), "/examples.rs"));

/// What the groups of operations are about, in the order of the documentation.
const TAGS: &[(&str, &str)] = &[
    ("cases", "Customer matters: opened, read, told what happened, ended."),
    ("orders", "What was bought: the shop hands it in, cases take from it."),
    ("tasks", "What people have to decide."),
    ("effects", "What was asked of the world: money, goods, messages, and what became of it."),
    ("events", "What happened, in the order in which it was stored."),
    ("workflows", "The rules of a merchant, as texts with revisions."),
    ("plugins", "WebAssembly components that workflows call."),
    ("connectors", "Where effects go."),
    ("keys", "Who may come in."),
    ("tenants", "The merchants of a host."),
];

const DESCRIPTION: &str = "After-sales as durable cases: returns, refunds, repairs and complaints.

Errors are problem details (RFC 9457) with a stable `code`; each has a page at `/errors/{code}`. Unknown fields of requests are
refused; ignore unknown fields of answers. The guide is `docs/api.md`.";

const KEY: &str = "A key: `Authorization: Bearer rdr_...`. It names its tenant and its role.";

/// The document as it is served.
pub(super) fn complete(made: &OpenApi, table: &[Served]) -> Json {
    let mut document = serde_json::to_value(made).unwrap_or_default();
    document["openapi"] = json!("3.1.0");
    document["info"] = json!({
        "title": "Redress", "version": env!("CARGO_PKG_VERSION"), "description": DESCRIPTION,
        "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
    });
    document["servers"] = json!([{ "url": "/" }]);
    document["tags"] = TAGS.iter().map(|(name, about)| json!({ "name": name, "description": about })).collect();
    document["components"]["securitySchemes"] =
        json!({ "key": { "type": "http", "scheme": "bearer", "description": KEY } });
    for served in table {
        if let Some(operation) = document["paths"][&served.path].get_mut(served.method.to_ascii_lowercase()) {
            secure(operation, served.access);
            refusals(operation);
            describe(operation);
            if let Some(example) = example(&served.operation) {
                show(operation, &example);
            }
        }
    }
    open_parts(&mut document);
    document
}

/// A schema that is a part of another one cannot forbid the fields of the whole.
fn open_parts(document: &mut Json) {
    let Some(schemas) = document["components"]["schemas"].as_object_mut() else { return };
    let parts: Vec<String> = schemas
        .values()
        .filter_map(|schema| schema["allOf"].as_array())
        .flatten()
        .filter_map(|part| part["$ref"].as_str()?.rsplit('/').next().map(str::to_owned))
        .collect();
    for part in parts {
        if let Some(schema) = schemas.get_mut(&part).and_then(Json::as_object_mut) {
            schema.remove("additionalProperties");
        }
    }
}

/// Every answer says in a few words what it means: OpenAPI wants a description of each.
fn describe(operation: &mut Json) {
    let Some(responses) = operation["responses"].as_object_mut() else { return };
    for (status, response) in responses {
        let about = match status.as_str() {
            "201" => "it was made",
            "202" => "it was taken, and goes on",
            "204" => "it was done",
            "304" => "it is as you have it",
            _ => "the answer",
        };
        if let Some(response) = response.as_object_mut() {
            response.entry("description").or_insert_with(|| json!(about));
        }
    }
}

/// The example of an operation: a request, and what it was answered.
fn example(operation: &str) -> Option<Json> {
    let (_, text) = EXAMPLES.iter().find(|(name, _)| *name == operation)?;
    serde_json::from_str(text).ok()
}

/// Who may use it, and how the operator names the tenant.
fn secure(operation: &mut Json, access: Access) {
    let roles = access.roles();
    operation["security"] = if access == Access::Open { json!([]) } else { json!([{ "key": [] }]) };
    operation["x-roles"] = roles.iter().map(|role| role.word()).collect();
    if let Access::Tenant(_) | Access::Either(_) = access {
        let about = "the tenant that an operator acts for; other keys know theirs";
        let header = json!({
            "name": "Redress-Tenant", "in": "header", "required": false, "description": about,
            "schema": { "type": "string" },
        });
        match operation["parameters"].as_array_mut() {
            Some(parameters) => parameters.push(header),
            None => operation["parameters"] = json!([header]),
        }
    }
}

/// Every operation may be refused, in one form.
fn refusals(operation: &mut Json) {
    let schema = json!({ "$ref": "#/components/schemas/ProblemBody" });
    for (class, about) in [("4XX", "it was refused"), ("5XX", "the host could not do it")] {
        let content = json!({ "application/problem+json": { "schema": schema } });
        operation["responses"][class] = json!({ "description": about, "content": content });
    }
}

/// Put request and answer where readers of the document look for them.
fn show(operation: &mut Json, example: &Json) {
    let sent = &example["request"]["body"];
    let media = example["request"]["content_type"].as_str().unwrap_or("application/json");
    // By pointer: an index would make the body that it does not find.
    let body = operation.pointer_mut("/requestBody/content").and_then(|contents| contents.get_mut(media));
    if let (false, Some(content)) = (sent.is_null(), body) {
        content["example"] = sent.clone();
    }
    let status = example["response"]["status"].to_string();
    let answered = &example["response"]["body"];
    let contents =
        operation["responses"].get_mut(&status).and_then(|response| response.get_mut("content")?.as_object_mut());
    if let Some(content) = contents.and_then(|contents| contents.values_mut().next()) {
        content["example"] = answered.clone();
    }
}
