//! `/v1/cases`: opened once, read, ended.

use redress::keys::Role;
use redress_tests::shop::Shop;
use redress_tests::web::Web;
use redress_tests::world::{days_ago, order};
use serde_json::{Value as Json, json};

/// Takes what was bought, and waits for the goods.
const REST: &str = "
events: { goods_received: { rma: text? } }
steps:
  - { id: match, call: { plugin: std/purchase-match@0, with: { window_days: 90, sku_digits: 5, sku_letters: any } }, as: matched }
  - { id: hold, approve: { lines: =matched.lines, until: 30d } }
  - { id: goods, await: { event: goods_received, timeout: { after: 14d, then: late } } }
  - { id: done, finish: { result: received } }
  - { id: late, finish: { result: late } }
";

fn open() -> Json {
    json!({ "kind": "return", "customer": { "id": "c1" }, "lines": [{ "sku": "85123A", "quantity": 1 }] })
}

#[tokio::test]
async fn a_case_is_opened_once_however_often_the_request_comes() {
    let shop = Shop::with(REST).unwrap();
    shop.merchant.order(&order("o1", "c1", days_ago(10), &[("85123A", 6, "2.55")]).unwrap()).unwrap();
    let web = Web::of(&shop.world).unwrap();
    let key = web.key(shop.merchant.engine.record().id, Role::Agent).unwrap();
    let first = web.ask("POST", "/v1/cases").by(&key).named("a").json(&open()).send().await;
    assert_eq!(first.status, 201, "{}", first.json());
    assert_eq!(first.json()["status"], "waiting");
    let again = web.ask("POST", "/v1/cases").by(&key).named("a").json(&open()).send().await;
    assert_eq!((again.status, again.header("idempotent-replayed")), (first.status, Some("true")));
    assert_eq!((again.json(), again.header("location")), (first.json(), first.header("location")));
    let other = json!({ "kind": "return", "lines": [{ "sku": "85123A", "quantity": 2 }] });
    let other = web.ask("POST", "/v1/cases").by(&key).named("a").json(&other).send().await;
    assert_eq!(other.problem(), (422, "idempotency_key_reused".to_owned()));
    let all = web.ask("GET", "/v1/cases").by(&key).send().await.json();
    assert_eq!(all["data"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_case_that_was_opened_before_is_remembered_under_the_key_that_found_it() {
    let shop = Shop::with(REST).unwrap();
    shop.merchant.order(&order("o1", "c1", days_ago(10), &[("85123A", 6, "2.55")]).unwrap()).unwrap();
    let web = Web::of(&shop.world).unwrap();
    let key = web.key(shop.merchant.engine.record().id, Role::Agent).unwrap();
    let of = |id: &str, quantity: u32| {
        let mut body = open();
        body["external"] = json!({ "source": "shop", "id": id });
        body["lines"][0]["quantity"] = json!(quantity);
        body
    };
    let post =
        async |name: &str, body: &Json| web.ask("POST", "/v1/cases").by(&key).named(name).json(body).send().await;
    let opened = post("first", &of("R-1", 1)).await;
    assert_eq!(opened.status, 201, "{}", opened.json());
    let seen = post("second", &of("R-1", 1)).await;
    assert_eq!((seen.status.as_u16(), seen.header("idempotent-replayed")), (200, None));
    assert_eq!(seen.json(), opened.json());
    assert_eq!(post("second", &of("R-2", 1)).await.problem(), (422, "idempotency_key_reused".to_owned()));
    // The case goes on; the answer stays.
    let events = format!("/v1/cases/{}/events", opened.json()["id"].as_str().unwrap());
    let event = json!({ "name": "goods_received", "fields": {} });
    assert_eq!(web.ask("POST", &events).by(&key).named("event").json(&event).send().await.status, 200);
    let again = post("second", &of("R-1", 1)).await;
    assert_eq!((again.status.as_u16(), again.header("idempotent-replayed")), (200, Some("true")));
    assert_eq!((again.json(), again.header("etag")), (seen.json(), seen.header("etag")));
    // One that finds it now finds it as it is now.
    assert_eq!(post("third", &of("R-1", 1)).await.json()["status"], "closed");
    // A refusal is not remembered.
    assert_eq!(post("fourth", &of("R-1", 2)).await.problem(), (409, "external_id_used".to_owned()));
    assert_eq!(post("fourth", &of("R-1", 1)).await.status, 200);
    assert_eq!(shop.merchant.cases().unwrap().len(), 1);
}
