//! `manual`: whoever may names the workflow.

use redress::backtest::trial::Trial;
use redress::backtest::{self, Select};
use redress_domain::workflow::canary::Bounds;

use super::{Case, Got, Role, Shop, Started, Web, case_of, json, key, pointers, stands};

const COUNT: &str = "workflow: stock-count
triggers:
  - manual: { roles: [agent], type: count, inputs: [shelf, by, limit] }
vars: { shelf: text, by: date?, limit: { type: money, default: 5.00 } }
steps:
  - id: look
    review: { queue: floor, title: 'Count {{ shelf }}', next: { right: done, wrong: wrong }, timeout: { after: 5d, then: wrong } }
  - { id: done, finish: { result: right } }
  - { id: wrong, finish: { result: wrong } }
";

const ELSEWHERE: &str = "workflow: anything
triggers: [{ case_opened: {} }]
steps: [{ id: done, finish: { result: anything } }]
";

fn shop() -> (Shop, Web) {
    let shop = Shop::with(COUNT).unwrap();
    shop.publish(ELSEWHERE).unwrap();
    let web = Web::of(&shop.world).unwrap();
    (shop, web)
}

async fn open(web: &Web, key: &str, name: &str, body: &super::Json) -> Got {
    web.ask("POST", "/v1/cases").by(key).named(name).json(body).send().await
}

fn count() -> super::Json {
    json!({ "workflow": "stock-count", "inputs": { "shelf": "A7", "by": "2026-03-09" } })
}

#[tokio::test]
async fn a_case_is_opened_under_a_workflow_by_its_name() {
    let (shop, web) = shop();
    let agent = key(&web, &shop, Role::Agent);
    let got = open(&web, &agent, "a", &count()).await;
    assert_eq!(got.status, 201, "{}", got.json());
    assert_eq!((&got.json()["kind"], &got.json()["started"]["by"]), (&json!("count"), &json!("manual")));
    let case = case_of(&shop.merchant, &got);
    assert_eq!((stands(&case), case.started.clone(), case.lines.len()), ("look", Some(Started::Manual), 0));
    assert_eq!(case.tasks.values().next().unwrap().title, "Count A7");
    assert_eq!(case.vars["by"].to_string(), "2026-03-09", "an input is read by its type");
    let again = open(&web, &agent, "a", &count()).await;
    assert_eq!((again.json(), shop.merchant.cases().unwrap().len()), (got.json(), 1));
    // Who names nothing is not led there by the type of case.
    let other = json!({ "kind": "count", "lines": [] });
    let other = case_of(&shop.merchant, &open(&web, &agent, "b", &other).await);
    assert_eq!((other.workflow.as_ref().unwrap().as_str(), other.started), ("anything", None));
}

#[tokio::test]
async fn a_start_that_does_not_fit_is_refused_with_what_would() {
    let (shop, web) = shop();
    let agent = key(&web, &shop, Role::Agent);
    let with = |name: &str, value: super::Json| {
        let mut body = count();
        body[name] = value;
        body
    };
    for (place, (body, status, code, pointer)) in [
        (with("workflow", json!("nothing")), 422, "unknown_workflow", "/workflow"),
        (with("workflow", json!("anything")), 422, "not_startable", "/workflow"),
        (with("workflow", json!("Stock Count")), 422, "body_invalid", "/workflow"),
        (with("kind", json!("return")), 422, "not_startable", "/kind"),
        (with("inputs", json!({})), 422, "wrong_inputs", "/inputs/shelf"),
        (with("inputs", json!({ "shelf": 7 })), 422, "body_invalid", "/inputs/shelf"),
        (with("inputs", json!({ "shelf": "A", "colour": "red" })), 422, "wrong_inputs", "/inputs/colour"),
        (json!({ "kind": "return", "lines": [], "inputs": { "shelf": "A" } }), 422, "body_invalid", "/inputs"),
        (json!({ "kind": "return" }), 422, "body_invalid", "/lines"),
        (json!({ "lines": [] }), 422, "body_invalid", "/kind"),
    ]
    .into_iter()
    .enumerate()
    {
        let got = open(&web, &agent, &format!("r{place}"), &body).await;
        assert_eq!((got.problem(), pointers(&got)), ((status, code.to_owned()), vec![pointer.to_owned()]), "{body}");
    }
    for role in [Role::Admin, Role::Integrator] {
        let got = open(&web, &key(&web, &shop, role), &role.to_string(), &count()).await;
        assert_eq!(got.problem(), (403, "not_allowed".to_owned()));
        assert!(got.json()["detail"].as_str().unwrap().contains("started by agent, not by"), "{}", got.json());
    }
    assert_eq!(shop.merchant.cases().unwrap(), []);
}

#[tokio::test]
async fn what_starts_a_workflow_is_told_with_who_may_and_what_is_filled_in() {
    let (shop, web) = shop();
    let viewer = key(&web, &shop, Role::Viewer);
    let got = web.ask("GET", "/v1/workflows/stock-count").by(&viewer).send().await.json();
    let inputs = json!([
        { "name": "by", "type": "date?", "required": false },
        { "name": "limit", "type": "money", "required": false },
        { "name": "shelf", "type": "text", "required": true },
    ]);
    assert_eq!(got["triggers"], json!([{ "by": "manual", "types": ["count"], "roles": ["agent"], "inputs": inputs }]));
}

/// The same workflow, on trial.
fn changed(from: &str, to: &str) -> String {
    format!("format: 1\ncurrency: GBP\n{}", COUNT.replace(from, to))
}

#[tokio::test]
async fn a_canary_takes_a_start_that_it_may_take_and_leaves_the_others_to_the_active_revision() {
    let (shop, web) = shop();
    let agent = key(&web, &shop, Role::Agent);
    let on = async |name: &str| {
        let case: Case = case_of(&shop.merchant, &open(&web, &agent, name, &count()).await);
        case.revision.unwrap()
    };
    let active = on("before").await;
    let canary = |text: &str| shop.merchant.canary("stock-count", text, 99, Bounds::default()).unwrap().canary.revision;
    let fits = canary(&changed("after: 5d", "after: 6d"));
    assert_eq!(on("canary").await, fits);
    shop.merchant.end_canary("stock-count", false).unwrap();
    canary(&changed("roles: [agent]", "roles: [admin]"));
    assert_eq!(on("not-allowed-there").await, active);
    shop.merchant.end_canary("stock-count", false).unwrap();
    canary(
        &changed(
            "  - manual: { roles: [agent], type: count, inputs: [shelf, by, limit] }",
            "  - case_opened: { type: count }",
        )
        .replace("shelf: text,", "shelf: { type: text, default: x },"),
    );
    assert_eq!(on("not-startable-there").await, active);
}

#[tokio::test]
async fn a_backtest_opens_the_case_again_on_the_workflow_that_was_named() {
    let (shop, web) = shop();
    let agent = key(&web, &shop, Role::Agent);
    case_of(&shop.merchant, &open(&web, &agent, "a", &count()).await);
    let tally = |text: &str| {
        let trial = Trial::new(&shop.merchant.engine, Some(text), &[]).unwrap();
        let select = Select::default();
        backtest::run(&shop.merchant.engine, &trial, &select, &mut |_, _| {}).unwrap().tally
    };
    let same = tally(&changed("after: 5d", "after: 6d"));
    assert_eq!((same.cases, same.path_changed), (1, 0));
    let over = tally(&changed(
        "steps:\n",
        "steps:\n  - { id: pick, decide: [{ when: 'shelf == \"A7\"', then: wrong }, { else: look }] }\n",
    ));
    assert_eq!((over.cases, over.path_changed), (1, 1));
    // A workflow that anything leads to does not take what named another one.
    let elsewhere = tally(&format!("format: 1\ncurrency: GBP\npriority: 9\n{ELSEWHERE}"));
    assert_eq!(elsewhere.cases, 0);
}
