//! `/v1/cases/{case}/timeline`, events in, and which cases are listed.

use redress::keys::Role;
use redress_domain::clock::Span;
use redress_tests::shop::Shop;
use redress_tests::web::{Got, Web};
use redress_tests::world::{a_return, days_ago, order};
use serde_json::{Value as Json, json};

/// Waits for goods, then for a person.
const WAIT: &str = "
events: { goods_received: { rma: text?, weight: number?, seen: date? } }
vars: { size: { type: [small, large], default: small } }
steps:
  - { id: match, call: { plugin: std/purchase-match@0, with: { window_days: 90 } }, as: matched }
  - { id: grade, table: { hit: first, inputs: [size(case.lines), case.channel], rows: [['> 5', '-', { size: large }], ['-', '-', {}]] } }
  - { id: big, decide: [{ when: size == \"large\", then: late }, { else: goods }] }
  - { id: goods, await: { event: goods_received, timeout: { after: 14d, then: late } } }
  - { id: look, review: { queue: desk, title: Look, ask: { note: text? }, next: { go: done }, timeout: { never: a person must look } } }
  - { id: done, finish: { result: seen } }
  - { id: late, finish: { result: late } }
";

struct Door {
    shop: Shop,
    web: Web,
}

impl Door {
    fn new() -> Self {
        let shop = Shop::with(WAIT).unwrap();
        shop.merchant.order(&order("o1", "c1", days_ago(10), &[("A1", 6, "2.55")]).unwrap()).unwrap();
        let web = Web::of(&shop.world).unwrap();
        Self { shop, web }
    }

    fn key(&self, role: Role) -> String {
        self.web.key(self.shop.merchant.engine.record().id, role).unwrap()
    }

    async fn get(&self, address: &str, key: &str) -> Got {
        self.web.ask("GET", address).by(key).send().await
    }

    async fn tell(&self, case: &str, key: &str, name: &str, body: &Json) -> Got {
        self.web.ask("POST", &format!("/v1/cases/{case}/events")).by(key).named(name).json(body).send().await
    }
}

#[tokio::test]
async fn a_timeline_tells_turn_by_turn_who_did_what_and_why() {
    let door = Door::new();
    let (agent, viewer) = (door.key(Role::Agent), door.key(Role::Viewer));
    let case = door.shop.open(&[("A1", 2)]).unwrap().id.to_string();
    let told = door
        .tell(&case, &agent, "a", &json!({ "name": "goods_received", "fields": { "rma": "R7", "seen": "2026-03-02" } }))
        .await;
    assert_eq!((told.status.as_u16(), told.json()["step"].as_str()), (200, Some("look")), "{}", told.json());
    let cancel = json!({ "reason": "the customer Alice called" });
    door.web.ask("POST", &format!("/v1/cases/{case}/cancel")).by(&agent).json(&cancel).send().await;

    let address = format!("/v1/cases/{case}/timeline");
    let turns = door.get(&address, &agent).await.json()["data"].as_array().unwrap().clone();
    let commands: Vec<_> = turns.iter().map(|turn| turn["command"].as_str().unwrap()).collect();
    assert_eq!(commands, ["case.open", "case.event", "case.cancel"]);
    let ask = &turns[0]["asks"][0];
    assert_eq!((ask["plugin"].as_str(), ask["outcome"].as_str()), (Some("std/purchase-match@0"), Some("verdict")));
    assert!(ask["fuel"].as_u64() > Some(0) && ask["digest"].as_str().unwrap().len() == 64, "{ask}");
    let types: Vec<_> =
        turns[0]["entries"].as_array().unwrap().iter().map(|entry| entry["type"].as_str().unwrap()).collect();
    assert_eq!(types, ["case.opened", "step.gave", "table.matched", "step.decided", "wait.began"]);
    assert_eq!(turns[0]["entries"][1]["verdict"][0]["takes"], json!([{ "order": "o1", "line": 0, "quantity": 2 }]));
    let condition = json!({
        "step": "big", "condition": "size == \"large\"", "holds": false,
        "parts": [{ "part": "size == \"large\"", "holds": false, "values": [{ "expression": "size", "value": "small" }] }],
    });
    assert_eq!(turns[0]["conditions"], json!([condition]));
    let table = &turns[0]["entries"][2];
    assert_eq!(table["rows"], json!([{ "number": 2, "cells": ["-", "-"] }]));
    let inputs = json!([{ "expression": "size(case.lines)", "value": "1" }, { "expression": "case.channel" }]);
    assert_eq!(table["inputs"], inputs, "a text that no row names is not told");
    assert_eq!((turns[1]["by"]["kind"].as_str(), turns[1]["by"]["role"].as_str()), (Some("key"), Some("agent")));
    assert_eq!(turns[2]["reason"], json!({ "text": "the customer Alice called" }));

    let seen = door.get(&address, &viewer).await;
    assert_eq!(seen.json()["data"][2]["reason"], json!({ "withheld": "role" }));
    let text = String::from_utf8(seen.bytes).unwrap();
    assert!(!text.contains("Alice") && !text.contains("person:") && !text.contains("R7"), "{text}");
}

#[tokio::test]
async fn a_timeline_is_read_page_by_page() {
    let door = Door::new();
    let key = door.key(Role::Viewer);
    let case = door.shop.open(&[("A1", 1)]).unwrap();
    for number in 0..4 {
        door.shop.event(&case, "goods_received", "rma", &number.to_string()).unwrap();
    }
    let (mut seen, mut next) = (Vec::new(), Some(format!("/v1/cases/{}/timeline?limit=2", case.number)));
    while let Some(address) = next {
        let page = door.get(&address, &key).await;
        seen.extend(page.json()["data"].as_array().unwrap().iter().map(|turn| turn["turn"].as_u64().unwrap()));
        next = page.header("link").map(|link| link[1..link.find('>').unwrap()].to_owned());
    }
    assert_eq!(seen, [1, 2, 3, 4, 5]);
    assert_eq!(
        door.get("/v1/cases/case_00000000000000000000000000/timeline", &key).await.problem().1,
        "case_not_found"
    );
}

#[tokio::test]
async fn an_event_is_told_once_and_must_carry_what_it_declares() {
    let door = Door::new();
    let key = door.key(Role::Integrator);
    let case = door.shop.open(&[("A1", 1)]).unwrap();
    let id = case.id.to_string();
    let unknown = door.tell(&id, &key, "a", &json!({ "name": "fire" })).await;
    assert_eq!(unknown.problem(), (422, "unknown_event".to_owned()));
    let wrong = json!({ "name": "goods_received", "fields": { "colour": "red" } });
    let wrong = door.tell(&id, &key, "b", &wrong).await;
    assert_eq!(wrong.problem(), (422, "wrong_event".to_owned()));
    assert_eq!(wrong.json()["errors"][0]["pointer"], "/fields/colour");
    let day = json!({ "name": "goods_received", "fields": { "seen": "soon" } });
    let day = door.tell(&id, &key, "c", &day).await;
    assert_eq!(
        (day.problem().1, day.json()["errors"][0]["pointer"].clone()),
        ("body_invalid".to_owned(), json!("/fields/seen"))
    );
    let past = json!({ "name": "goods_received", "occurred_at": "2026-03-01T00:00:00Z" });
    assert_eq!(door.tell(&id, &key, "d", &past).await.problem(), (403, "backdate_not_allowed".to_owned()));

    let good = json!({ "name": "goods_received", "fields": { "weight": "1.25" } });
    let first = door.tell(&id, &key, "e", &good).await;
    assert_eq!((first.status.as_u16(), first.json()["turn"].as_u64()), (200, Some(2)), "{}", first.json());
    let again = door.tell(&id, &key, "e", &good).await;
    assert_eq!((again.json(), again.header("idempotent-replayed")), (first.json(), Some("true")));
    assert_eq!(door.shop.case(&case).unwrap().turn, 2);
    let unnamed = door.web.ask("POST", &format!("/v1/cases/{id}/events")).by(&key).json(&good).send().await;
    assert_eq!(unnamed.problem(), (400, "idempotency_key_required".to_owned()));
}

#[tokio::test]
async fn cases_are_listed_by_what_they_are_and_when_they_were_opened() {
    let door = Door::new();
    let key = door.key(Role::Viewer);
    let mut ids = Vec::new();
    for number in 0..6 {
        let mut open = a_return("c1", &[("A1", 1)]).unwrap();
        open.external = Some(redress_domain::case::External { source: "shop".to_owned(), id: format!("R:{number}") });
        ids.push(door.shop.take(open).unwrap().id.to_string());
        door.shop.world.pass(Span::from_days(1));
    }
    let listed = async |query: &str| {
        let (mut seen, mut next) = (Vec::new(), Some(format!("/v1/cases?limit=2&{query}")));
        while let Some(address) = next {
            let page = door.get(&address, &key).await;
            assert_eq!(page.status, 200, "{}", page.json());
            for row in page.json()["data"].as_array().unwrap() {
                seen.push(ids.iter().position(|id| row["id"] == **id).unwrap());
            }
            next = page.header("link").map(|link| link[1..link.find('>').unwrap()].to_owned());
        }
        seen
    };
    assert_eq!(listed("").await, [5, 4, 3, 2, 1, 0]);
    assert_eq!(listed("opened_at[gte]=2026-03-03T09:00:00Z&opened_at[lt]=2026-03-06T09:00:00Z").await, [3, 2, 1]);
    assert_eq!(listed("customer=c1&opened_at%5Blt%5D=2026-03-04T09:00:00Z").await, [1, 0]);
    assert_eq!(listed("kind=return&status=waiting").await.len(), 6);
    assert!(listed("kind=exchange").await.is_empty());
    assert_eq!(listed("external=shop:R:4").await, [4]);
    assert!(listed("external=shop:R:9").await.is_empty());
    assert!(listed("external=shop:R:4&status=closed").await.is_empty());
    for query in ["external=R4", "opened_at[lt]=soon", "colour=red"] {
        let wrong = door.get(&format!("/v1/cases?{query}"), &key).await;
        assert_eq!(wrong.problem(), (400, "parameter_invalid".to_owned()), "{query}");
    }
}
