//! `/v1/orders`: put, put again, read, listed.

use redress::keys::Role;
use redress_tests::shop::Shop;
use redress_tests::web::{Got, Web};
use serde_json::{Value as Json, json};

/// Takes what was bought, and waits.
const HOLD: &str = "
steps:
  - { id: match, call: { plugin: std/purchase-match@0, with: { window_days: 90 } }, as: matched }
  - { id: hold, approve: { lines: =matched.lines, until: 30d } }
  - { id: look, review: { queue: desk, title: Look, next: { go: done }, timeout: { never: a person must look } } }
  - { id: done, finish: { result: seen } }
";

struct Door {
    shop: Shop,
    web: Web,
    key: String,
}

impl Door {
    fn new() -> Self {
        let shop = Shop::with(HOLD).unwrap();
        let web = Web::of(&shop.world).unwrap();
        let key = web.key(shop.merchant.engine.record().id, Role::Integrator).unwrap();
        Self { shop, web, key }
    }

    async fn put(&self, order: &str, body: &Json) -> Got {
        self.web.ask("PUT", &format!("/v1/orders/{order}")).by(&self.key).json(body).send().await
    }

    async fn get(&self, address: &str) -> Got {
        self.web.ask("GET", address).by(&self.key).send().await
    }

    /// The fields that an order is refused for.
    async fn wrong(&self, body: &Json) -> Vec<String> {
        let got = self.put("o9", body).await;
        assert_eq!(got.problem(), (422, "body_invalid".to_owned()), "{}", got.json());
        let errors = got.json()["errors"].as_array().unwrap().clone();
        errors.iter().map(|error| error["pointer"].as_str().unwrap().to_owned()).collect()
    }
}

fn gbp(amount: &str) -> Json {
    json!({ "amount": amount, "currency": "GBP" })
}

fn order() -> Json {
    json!({
        "customer": "c1", "currency": "GBP", "placed_at": "2026-02-20T10:00:00Z",
        "lines": [
            { "sku": "85123A", "quantity": 3, "unit_price": gbp("0.001") },
            {
                "sku": "22423", "quantity": 2, "at": "2026-02-21T10:00:00Z", "delivered_at": "2026-02-23T10:00:00Z",
                "unit_price": gbp("12.75"), "paid": { "total": gbp("24.00"), "tax": gbp("4.00"), "discount": gbp("1.50") },
                "units": [{ "serial": "S1", "lot": "L", "expiry": "2027-01-31" }], "attributes": { "regulated": true },
            },
        ],
        "payments": [{ "id": "p1", "provider": "card", "reference": "ch_1", "captured": gbp("24.01") }],
        "attributes": { "channel": "web" },
    })
}

#[tokio::test]
async fn an_order_is_new_once_and_unchanged_when_it_is_put_as_it_was_read() {
    let door = Door::new();
    let first = door.put("o%2F1", &order()).await;
    assert_eq!((first.status.as_u16(), first.header("location")), (201, Some("/v1/orders/o%2F1")), "{}", first.json());
    let mut read = door.get("/v1/orders/o%2F1").await.json();
    assert_eq!(read, first.json());
    assert_eq!(read["id"], "o/1");
    assert_eq!(read["lines"][0]["at"], "2026-02-20T10:00:00.000Z", "a line was bought with its order");
    assert_eq!(read["lines"][0]["paid"]["total"], gbp("0.01"), "three tenths of a penny, rounded up");
    assert_eq!(read["lines"][1]["paid"]["tax"], gbp("4.00"));
    assert_eq!(read["lines"][1]["units"][0]["expiry"], "2027-01-31");
    read.as_object_mut().unwrap().remove("id");
    for body in [&order(), &read] {
        let again = door.put("o%2F1", body).await;
        assert_eq!((again.status.as_u16(), again.header("etag")), (200, first.header("etag")));
    }
}

#[tokio::test]
async fn an_order_is_replaced_only_where_the_sender_saw_it_as_it_is() {
    let door = Door::new();
    let first = door.put("o1", &order()).await;
    let tag = first.header("etag").unwrap();
    let known = door.web.ask("GET", "/v1/orders/o1").by(&door.key).header("if-none-match", tag).send().await;
    assert_eq!((known.status.as_u16(), known.bytes.len()), (304, 0));
    let mut other = order();
    other["lines"][0]["quantity"] = json!(4);
    let put = |order: &str, tag: &str| {
        door.web.ask("PUT", &format!("/v1/orders/{order}")).by(&door.key).header("if-match", tag).json(&other)
    };
    assert_eq!(put("o1", "\"1\"").send().await.problem(), (412, "stale".to_owned()));
    assert_eq!(put("o2", tag).send().await.problem(), (412, "stale".to_owned()), "there is no such order");
    let changed = put("o1", tag).send().await;
    assert_eq!(changed.status, 200, "{}", changed.json());
    assert_ne!(changed.header("etag"), Some(tag));
    assert_eq!(put("o1", tag).send().await.problem(), (412, "stale".to_owned()), "it has moved on");
}

#[tokio::test]
async fn an_order_never_falls_below_what_a_case_holds_of_it() {
    let door = Door::new();
    door.put("o1", &order()).await;
    door.shop.open(&[("22423", 2)]).unwrap();
    let mut less = order();
    less["lines"][1]["quantity"] = json!(1);
    assert_eq!(door.put("o1", &less).await.problem(), (409, "order_below_returned".to_owned()));
    assert_eq!(door.get("/v1/orders/o1").await.json()["lines"][1]["quantity"], 2);
}

#[tokio::test]
async fn an_order_that_is_none_is_refused_at_the_field_that_is_wrong() {
    let door = Door::new();
    let with = |pointer: &str, json: Json| {
        let mut body = order();
        *body.pointer_mut(pointer).unwrap() = json;
        body
    };
    for (pointer, json, told) in [
        ("/placed_at", json!("yesterday"), "/placed_at"),
        ("/currency", json!("GBX"), "/currency"),
        ("/lines/0/sku", json!(""), "/lines/0/sku"),
        ("/lines/0/quantity", json!(-1), "/lines/0/quantity"),
        ("/lines/0/unit_price/amount", json!("1e3"), "/lines/0/unit_price/amount"),
        ("/lines/0/unit_price/amount", json!("99999999999999999999"), "/lines/0/unit_price"),
        ("/lines/1/paid/total", json!({ "amount": "24", "currency": "EUR" }), "/lines/1/paid/total/currency"),
        ("/lines/1/paid/tax/amount", json!("-1"), "/lines/1/paid/tax/amount"),
        ("/lines/1/units", json!([{}, {}, {}]), "/lines/1/units"),
        ("/lines/1/units/0/expiry", json!("2027-02-30"), "/lines/1/units/0/expiry"),
        ("/lines/1/attributes", json!({ "Regulated": true }), "/lines/1/attributes/Regulated"),
        ("/payments/0/id", json!(""), "/payments/0/id"),
    ] {
        assert_eq!(door.wrong(&with(pointer, json)).await, [told]);
    }
    let twice = json!([order()["payments"][0], order()["payments"][0]]);
    assert_eq!(door.wrong(&with("/payments", twice)).await, ["/payments/1/id"]);
    let mut unknown = order();
    unknown["lines"][0]["price"] = gbp("1");
    assert_eq!(door.wrong(&unknown).await, ["/lines/0/price"]);
    let none = door.put("o9", &with("/lines", json!([]))).await;
    assert_eq!(none.problem(), (422, "order_invalid".to_owned()));
    assert_eq!(door.get("/v1/orders/o9").await.problem(), (404, "order_not_found".to_owned()), "nothing was kept");
}

#[tokio::test]
async fn orders_are_listed_page_by_page_each_once() {
    let door = Door::new();
    for number in 0..5 {
        assert_eq!(door.put(&format!("o{number}"), &order()).await.status, 201);
    }
    let (mut seen, mut next) = (Vec::new(), Some("/v1/orders?limit=2".to_owned()));
    while let Some(address) = next {
        let page = door.get(&address).await;
        let rows = page.json()["data"].as_array().unwrap().clone();
        assert!(rows.iter().all(|row| row["paid"] == gbp("24.01") && row["lines"] == 2), "{rows:?}");
        seen.extend(rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()));
        next = page.header("link").map(|link| link[1..link.find('>').unwrap()].to_owned());
        assert_eq!(page.json()["has_more"], next.is_some());
    }
    assert_eq!(seen, ["o0", "o1", "o2", "o3", "o4"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn an_order_that_many_put_at_once_is_put_or_has_moved_and_nothing_else() {
    let door = Door::new();
    door.put("o1", &order()).await;
    let mut putting = tokio::task::JoinSet::new();
    for quantity in 4..68 {
        let (web, key, mut body) = (door.web.clone(), door.key.clone(), order());
        body["lines"][0]["quantity"] = json!(quantity);
        putting.spawn(async move { web.ask("PUT", "/v1/orders/o1").by(&key).json(&body).send().await });
    }
    let mut put = 0;
    while let Some(got) = putting.join_next().await {
        let got = got.unwrap();
        match got.status.as_u16() {
            200 => put += 1,
            _ => assert_eq!(got.problem(), (409, "conflict".to_owned()), "{}", got.json()),
        }
    }
    assert!(put > 0);
}
