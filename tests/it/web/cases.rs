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
