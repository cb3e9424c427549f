//! The JSON Schema of workflows: it takes every good file, refuses what has the wrong shape, and knows a merchant's own things.

mod judge;

use std::fs;
use std::path::{Path, PathBuf};

use redress::keys::Role;
use redress::publish::schema;
use redress_domain::workflow::problems::Problems;
use redress_domain::workflow::yaml::{self, Kind, Node};
use redress_tests::web::Web;
use redress_tests::world::World;
use serde_json::{Map, Value as Json, json};

use crate::publish::{asking, seven};
use judge::Judge;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// A schema that is asked about texts.
struct Asked(Judge);

impl Asked {
    fn new(schema: Json) -> Self {
        Self(Judge(schema))
    }

    fn says(&self, source: &str) -> Result<(), String> {
        self.0.says(&instance(source))
    }
}

/// What an editor reads a document as: YAML 1.2 in its core schema.
fn instance(source: &str) -> Json {
    let problems = Problems::new();
    let node = yaml::parse(source, &problems);
    node.map_or(Json::Null, |node| json_of(&node))
}

fn json_of(node: &Node) -> Json {
    match &node.kind {
        Kind::Scalar(scalar) if scalar.is_nothing() => Json::Null,
        Kind::Scalar(scalar) if scalar.is_bool() => json!(scalar.text == "true"),
        Kind::Scalar(scalar) if scalar.is_number() => serde_json::from_str(&scalar.text).unwrap(),
        Kind::Scalar(scalar) => json!(scalar.text),
        Kind::List(items) => items.iter().map(json_of).collect(),
        Kind::Map(entries) => Json::Object(
            entries.iter().map(|entry| (entry.key.text.clone(), json_of(&entry.value))).collect::<Map<_, _>>(),
        ),
        Kind::Broken => Json::Null,
    }
}

/// Every workflow in the repository that is meant to be good.
fn good() -> Vec<(PathBuf, String)> {
    let mut good = Vec::new();
    let mut waiting: Vec<PathBuf> =
        ["workflows", "tests/fixtures", "tests/golden"].map(|name| Path::new(ROOT).join(name)).into();
    while let Some(folder) = waiting.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                waiting.push(path);
            } else if path.extension().is_some_and(|ending| ending == "yaml") && !path.with_extension("txt").exists() {
                let text = fs::read_to_string(&path).unwrap();
                if instance(&text).get("workflow").is_some() {
                    good.push((path, text));
                }
            }
        }
    }
    good
}

#[test]
fn every_good_file_passes() {
    let schema = Asked::new(schema::general());
    let good = good();
    assert!(good.len() >= 4, "{} files", good.len());
    for (path, text) in good {
        schema.says(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }
}

#[test]
fn the_example_of_every_step_kind_passes() {
    let schema = Asked::new(schema::general());
    for kind in redress_domain::workflow::schema::STEP_KINDS {
        let steps = kind.example.replace('\n', "\n  ");
        let document = format!("format: 1\nworkflow: one\ntriggers: [{{ case_opened: {{}} }}]\nsteps:\n  {steps}\n");
        schema.says(&document).unwrap_or_else(|error| panic!("{}: {error}", kind.name));
    }
}

/// Golden files whose mistakes are mistakes of shape: an editor underlines them before anything is checked.
const OF_SHAPE: &[&str] = &[
    "01-unknown-field-of-the-document",
    "02-unknown-step-kind",
    "03-unknown-field-of-a-call",
    "12-wrong-shape",
    "16-missing-next",
    "18-missing-timeout-of-a-review",
    "19-missing-timeout-of-an-await",
    "48-missing-fields",
    "51-equals-sign-in-a-condition",
];

#[test]
fn what_has_the_wrong_shape_is_refused() {
    let schema = Asked::new(schema::general());
    for name in OF_SHAPE {
        let path = Path::new(ROOT).join("tests/golden/workflows").join(name).with_extension("yaml");
        assert!(schema.says(&fs::read_to_string(&path).unwrap()).is_err(), "{name} passes");
    }
    let document =
        |steps: &str| format!("format: 1\nworkflow: a\ntriggers: [{{ case_opened: {{}} }}]\nsteps: [{steps}]\n");
    for good in [
        "{ id: c, call: { plugin: std/purchase-match@0, with: { days: 5, text: =case.number } } }",
        "{ id: s, set: { a: 1, b: =x, c: true } }",
        "{ id: w, when: true, wait: { until: =now } }",
        "{ id: a, await: { any: [{ event: a }, { event: b, then: w }], timeout: { never: why } } }",
    ] {
        assert_eq!(schema.says(&document(good)), Ok(()), "{good}");
    }
    assert_eq!(schema.says(&document("{ id: done, finish: { result: done } }")), Ok(()));
    for broken in [
        "{ id: done, finish: { result: done }, fail: { code: lost } }",
        "{ id: done }",
        "{ finish: { result: done } }",
        "{ id: done, finish: { result: Done } }",
        "{ id: done, finish: { result: 5 } }",
        "{ id: w, wait: {} }",
        "{ id: w, wait: { for: soon } }",
        "{ id: w, wait: { for: 2d, until: =now } }",
        "{ id: d, decide: [{ when: x }] }",
        "{ id: d, decide: { else: x } }",
        "{ id: c, call: { plugin: purchase-match } }",
        "{ id: r, refund: { quote: =q, amount: 5 } }",
        "{ id: r, refund: { amount: five } }",
        "{ id: r, restock: { to: attic } }",
    ] {
        assert!(schema.says(&document(broken)).is_err(), "{broken} passes");
    }
    let good = document("{ id: done, finish: { result: done } }");
    for (from, to) in
        [("format: 1", "format: 2"), ("workflow: a", ""), ("triggers: [{ case_opened: {} }]", "triggers: {}")]
    {
        assert!(schema.says(&good.replace(from, to)).is_err(), "{to} passes");
    }
}

#[test]
fn an_overlay_has_a_shape_of_its_own() {
    let schema = Asked::new(schema::general());
    let overlay = |rest: &str| schema.says(&format!("format: 1\nworkflow: a\nextends: std/complaint@1\n{rest}\n"));
    for good in [
        "",
        "vars: { days: { default: 5 }, more: { type: number } }",
        "patch: [{ set: { at: steps.look.review.queue, to: night } }, { remove: { at: limits.lines } }]",
        "patch: [{ replace: { step: look, with: { wait: { for: 1d } } } }]",
        "patch: [{ insert: { after: look, step: { id: rest, wait: { for: 1d } } } }]",
    ] {
        assert_eq!(overlay(good), Ok(()), "{good}");
    }
    for broken in [
        "steps: [{ id: done, finish: { result: done } }]",
        "patch: [{ set: { at: steps.look.title } }]",
        "patch: [{ set: { at: title, to: A }, remove: { step: look } }]",
        "patch: [{ replace: { step: look, with: { id: other, wait: { for: 1d } } } }]",
        "patch: [{ insert: { after: look, before: tell, step: { id: rest, wait: { for: 1d } } } }]",
        "patch: [{ insert: { after: look, step: { wait: { for: 1d } } } }]",
        "patch: [{ remove: {} }]",
    ] {
        assert!(overlay(broken).is_err(), "{broken} passes");
    }
    assert!(schema.says("format: 1\nworkflow: a\nextends: std/complaint\n").is_err(), "a base that is not pinned");
}

#[tokio::test]
async fn with_a_key_it_knows_what_the_merchant_has() {
    let world = World::new().unwrap();
    let merchant = world.bare_merchant("acme").unwrap();
    world.bare_merchant("beta").unwrap();
    let web = Web::of(&world).unwrap();
    let general = web.ask("GET", schema::ADDRESS).send().await;
    assert_eq!(general.header("content-type"), Some("application/schema+json"));
    assert_eq!(general.json(), schema::general());

    let admin = web.key(merchant.engine.record().id, Role::Admin).unwrap();
    web.ask("PUT", "/v1/plugins/number").by(&admin).raw("application/wasm", &seven()).send().await;
    let look = asking("numbers").replace("steps:\n", LOOK);
    let published = web.ask("POST", "/v1/workflows").by(&admin).raw("text/yaml", look.as_bytes()).send().await;
    assert_eq!(published.status, 200, "{}", published.json());
    let own = web.ask("GET", schema::ADDRESS).by(&admin).send().await.json();
    assert_eq!(own["$defs"]["queue"]["examples"], json!(["night-desk"]));
    assert!(own["$defs"]["template"]["examples"].as_array().unwrap().contains(&json!("return-refunded")));
    let plugins = own["$defs"]["plugin"]["enum"].as_array().unwrap();
    assert!(plugins.contains(&json!("number@0")) && plugins.contains(&json!("std/purchase-match@0")), "{plugins:?}");
    let asked = Asked::new(own);
    assert_eq!(asked.says(&look), Ok(()));
    assert!(asked.says(&look.replace("number@0", "nombre@0")).is_err(), "a plugin that it has not");
    assert!(asked.says(&look.replace("plugin: number@0", "plugin: number@0, with: { x: 1 }")).is_err(), "no parameter");

    let operator = web.operator().unwrap();
    assert_eq!(web.ask("GET", schema::ADDRESS).by(&operator).send().await.json(), schema::general());
    let named = web.ask("GET", schema::ADDRESS).by(&operator).header("redress-tenant", "acme");
    assert_eq!(named.send().await.json()["$defs"]["queue"]["examples"], json!(["night-desk"]));
    let beta = web.ask("GET", schema::ADDRESS).by(&operator).header("redress-tenant", "beta");
    assert_eq!(beta.send().await.json()["$defs"]["queue"]["examples"], json!([]), "another merchant's are not shown");
    assert_eq!(
        web.ask("GET", schema::ADDRESS).by("rdr_nobody").send().await.problem(),
        (401, "key_invalid".to_owned())
    );
}

/// A task before everything else.
const LOOK: &str = "steps:
  - { id: look, review: { queue: night-desk, title: Look, next: { go: ask }, timeout: { never: a person looks } } }
";
