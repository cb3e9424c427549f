//! Cursors: each goes on in the list that it came from, and in no other.

use redress::keys::Role;
use redress_domain::ids::Slug;
use redress_tests::shop::Shop;
use redress_tests::web::Web;
use redress_tests::world::{a_return, days_ago, order};
use serde_json::{Value as Json, json};

/// A person looks.
const LOOK: &str = "
steps:
  - { id: look, review: { queue: desk, title: Look, next: { go: done }, timeout: { never: a person must look } } }
  - { id: done, finish: { result: seen } }
";
/// Money is on its way.
const PAY: &str = "
workflow: paying
triggers: [{ case_opened: { type: complaint } }]
limits: { refund_max: 1.00 }
steps:
  - { id: pay, refund: { amount: 1.00 } }
  - { id: done, finish: { result: refunded } }
";

#[tokio::test]
async fn a_cursor_of_another_list_or_of_other_filters_is_refused() {
    let shop = Shop::with(LOOK).unwrap();
    shop.publish(PAY).unwrap();
    for n in 0..2 {
        let order = order(&format!("o{n}"), "c1", days_ago(10), &[("A1", 1, "2.55")]).unwrap();
        shop.merchant.order(&order).unwrap();
    }
    let web = Web::of(&shop.world).unwrap();
    let key = web.key(shop.merchant.engine.record().id, Role::Admin).unwrap();
    web.key(shop.merchant.engine.record().id, Role::Agent).unwrap();
    let mut lists: Vec<String> = [
        "/v1/orders?",
        "/v1/cases?",
        "/v1/cases?customer=c1&",
        "/v1/cases?customer=c2&",
        "/v1/cases?kind=return&",
        "/v1/cases?status=waiting&",
        "/v1/tasks?",
        "/v1/tasks?queue=desk&",
        "/v1/tasks?queue=desk&assignee=none&",
        "/v1/effects?",
        "/v1/effects?state=intended&",
        "/v1/keys?",
        "/v1/workflows?",
    ]
    .map(str::to_owned)
    .into();
    for customer in ["c1", "c1", "c2", "c2"] {
        let mut open = a_return(customer, &[("A1", 1)]).unwrap();
        let looked_at = shop.merchant.open(open.clone()).unwrap().case;
        open.kind = Slug::new("complaint").unwrap();
        shop.merchant.open(open).unwrap();
        let tasks = web.ask("GET", "/v1/tasks?limit=100").by(&key).send().await.json();
        let is_it = |task: &&Json| task["case"] == looked_at.to_string();
        let task = tasks["data"].as_array().unwrap().iter().find(is_it).unwrap()["id"].clone();
        for verb in ["claim", "release"] {
            let address = format!("/v1/tasks/{}/{verb}", task.as_str().unwrap());
            assert_eq!(web.ask("POST", &address).by(&key).json(&json!({})).send().await.status, 200);
        }
        lists.push(format!("/v1/cases/{looked_at}/timeline?"));
    }
    let mut cursors = Vec::new();
    for list in &lists {
        let page = web.ask("GET", &format!("{list}limit=1")).by(&key).send().await.json();
        cursors.push(page["next_cursor"].as_str().unwrap_or_else(|| panic!("{list}: {page}")).to_owned());
    }
    for list in &lists {
        for (from, cursor) in lists.iter().zip(&cursors) {
            let got = web.ask("GET", &format!("{list}limit=1&cursor={cursor}")).by(&key).send().await;
            if from == list {
                assert_eq!(
                    (got.status.as_u16(), got.json()["data"].as_array().map(Vec::len)),
                    (200, Some(1)),
                    "{list}"
                );
            } else {
                assert_eq!(got.problem(), (400, "cursor_invalid".to_owned()), "{from} in {list}");
            }
        }
    }
}
