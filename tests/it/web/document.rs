//! The OpenAPI document: complete, and changed only on purpose.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use redress::http::api;
use redress_tests::web::Web;
use redress_tests::world::World;
use serde_json::Value as Json;

fn golden() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("golden/openapi.json")
}

async fn served() -> Json {
    let world = World::new().unwrap();
    Web::of(&world).unwrap().ask("GET", "/openapi.json").send().await.json()
}

#[tokio::test]
async fn the_document_is_as_it_was_read_last() {
    let text = format!("{:#}\n", served().await);
    if std::env::var_os("REDRESS_BLESS").is_some() {
        fs::write(golden(), text).unwrap();
        return;
    }
    let written = fs::read_to_string(golden()).unwrap_or_default();
    let differs = written.lines().zip(text.lines()).position(|(old, new)| old != new);
    assert!(written == text, "line {differs:?} differs; read the change, then run it again with REDRESS_BLESS=1");
}

#[tokio::test]
async fn every_operation_says_who_may_use_it_and_how_it_is_refused() {
    let document = served().await;
    assert_eq!(document["openapi"], "3.1.0");
    let tags: BTreeSet<_> =
        document["tags"].as_array().unwrap().iter().map(|tag| tag["name"].clone().to_string()).collect();
    for served in api().table() {
        let operation = &document["paths"][&served.path][served.method.to_ascii_lowercase()];
        let name = &served.operation;
        assert_eq!(operation["operationId"].as_str(), Some(&**name));
        assert!(
            operation["summary"].as_str().is_some_and(|summary| summary.ends_with('.')),
            "{name} says what it does"
        );
        let own = operation["tags"].as_array().unwrap();
        assert!(own.len() == 1 && tags.contains(&own[0].to_string()), "{name} has a tag that is described");
        assert_eq!(operation["security"][0]["key"], Json::Array(Vec::new()), "{name} wants a key");
        assert_eq!(operation["x-roles"].as_array().map(Vec::len), Some(served.access.roles().len()), "{name}");
        for class in ["4XX", "5XX"] {
            let refused = &operation["responses"][class]["content"]["application/problem+json"]["schema"]["$ref"];
            assert_eq!(refused, "#/components/schemas/ProblemBody", "{name} is refused in one form");
        }
        for (status, response) in operation["responses"].as_object().unwrap() {
            assert!(response["description"].is_string(), "{name}: {status} is described");
            assert!(response.get("content").is_none_or(Json::is_object), "{name}: {status} has content or none");
        }
        assert!(
            operation.get("requestBody").is_none_or(|body| body["content"].is_object()),
            "{name} has a body or none"
        );
        let parts = served.path.split('{').skip(1).filter_map(|part| part.split('}').next());
        for part in parts {
            let parameters = operation["parameters"].as_array().unwrap();
            let told = parameters.iter().any(|one| one["name"] == part && one["in"] == "path");
            assert!(told, "{name} tells of its part {part:?}");
        }
        assert!(has_example(operation), "{name} shows an answer");
    }
}

/// Whether an answer that is a success shows one, where it has a body.
fn has_example(operation: &Json) -> bool {
    let responses = operation["responses"].as_object().unwrap();
    let done = responses.iter().filter(|(status, _)| status.starts_with('2'));
    let contents: Vec<_> = done.filter_map(|(_, response)| response["content"].as_object()).collect();
    contents.is_empty() || contents.iter().flat_map(|content| content.values()).any(|one| one.get("example").is_some())
}

#[tokio::test]
async fn every_reference_of_the_document_leads_somewhere() {
    let document = served().await;
    let mut references = BTreeSet::new();
    collect(&document, &mut references);
    assert!(references.len() > 20, "{references:?}");
    for reference in references {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
    }
}

fn collect(json: &Json, references: &mut BTreeSet<String>) {
    match json {
        Json::Object(object) => {
            references.extend(object.get("$ref").and_then(Json::as_str).map(str::to_owned));
            object.values().for_each(|value| collect(value, references));
        }
        Json::Array(items) => items.iter().for_each(|item| collect(item, references)),
        _ => {}
    }
}
