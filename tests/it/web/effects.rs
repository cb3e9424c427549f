//! `/v1/effects`: listed, settled by a provider, delivered again.

use redress::keys::Role;
use redress_domain::case::command::Settled;
use redress_domain::case::{Case, EffectState};
use redress_tests::shop::{Shop, effect, the_task};
use redress_tests::web::{Got, Web};
use redress_tests::world::{days_ago, order};
use serde_json::{Value as Json, json};

const PAY: &str = "
steps:
  - { id: match, call: { plugin: std/purchase-match@0, with: { window_days: 90 } } }
  - { id: quote, call: { plugin: std/refund-quote@0 }, as: quote }
  - { id: pay, refund: { quote: =quote } }
  - { id: done, finish: { result: refunded } }
";

struct Door {
    shop: Shop,
    web: Web,
    provider: String,
    admin: String,
}

impl Door {
    fn new() -> Self {
        let shop = Shop::with(PAY).unwrap();
        shop.merchant.order(&order("o1", "c1", days_ago(10), &[("A1", 60, "2.55")]).unwrap()).unwrap();
        let web = Web::of(&shop.world).unwrap();
        let key = |role| web.key(shop.merchant.engine.record().id, role).unwrap();
        let (provider, admin) = (key(Role::Integrator), key(Role::Admin));
        Self { shop, web, provider, admin }
    }

    /// A case whose refund is on its way, and the key of the refund.
    fn paying(&self) -> (Case, String) {
        let case = self.shop.open(&[("A1", 1)]).unwrap();
        let key = effect(&case, "pay", None).to_string();
        (case, key)
    }

    async fn get(&self, address: &str) -> Got {
        self.web.ask("GET", address).by(&self.provider).send().await
    }

    async fn post(&self, address: &str, key: &str, name: &str, body: &Json) -> Got {
        self.web.ask("POST", address).by(key).named(name).json(body).send().await
    }

    async fn outcome(&self, effect: &str, name: &str, body: &Json) -> Got {
        self.post(&format!("/v1/effects/{effect}/outcome"), &self.provider, name, body).await
    }

    async fn redeliver(&self, effect: &str, name: &str) -> Got {
        let body = json!({ "reason": "the provider lost it" });
        self.post(&format!("/v1/effects/{effect}/redeliver"), &self.admin, name, &body).await
    }
}

#[tokio::test]
async fn a_provider_settles_an_effect_once() {
    let door = Door::new();
    let (case, key) = door.paying();
    let confirmed = json!({ "outcome": "confirmed", "reference": "re_1" });
    let first = door.outcome(&key, "a", &confirmed).await;
    assert_eq!((first.status.as_u16(), first.json()["state"].as_str()), (200, Some("confirmed")), "{}", first.json());
    assert_eq!(
        (first.json()["reference"].as_str(), first.json()["number"].as_str()),
        (Some("re_1"), Some(&*case.number))
    );
    assert_eq!(door.shop.case(&case).unwrap().result.as_deref(), Some("refunded"));
    let again = door.outcome(&key, "a", &confirmed).await;
    assert_eq!((again.json(), again.header("idempotent-replayed")), (first.json(), Some("true")));
    let later = door.outcome(&key, "b", &json!({ "outcome": "declined" })).await;
    assert_eq!((later.status.as_u16(), later.json()["state"].as_str()), (200, Some("confirmed")), "it stays as it is");
    let replayed = door.outcome(&key, "a", &confirmed).await;
    assert_eq!(replayed.json(), first.json(), "as it stood then");
    assert_eq!(door.shop.line("o1", 0).unwrap(), (0, 1, 255), "one refund");
}

#[tokio::test]
async fn an_outcome_is_told_of_an_effect_that_is_there_in_words_that_are_known() {
    let door = Door::new();
    let (_, key) = door.paying();
    for key in ["0".repeat(64), "not-a-key".to_owned()] {
        let missing = door.outcome(&key, &key, &json!({ "outcome": "confirmed" })).await;
        assert_eq!(missing.problem(), (404, "effect_not_found".to_owned()));
    }
    for body in [json!({ "outcome": "unknown" }), json!({}), json!({ "outcome": "confirmed", "reference": "x\ny" })] {
        let wrong = door.outcome(&key, &body.to_string(), &body).await;
        assert!(wrong.status.is_client_error(), "{}", wrong.json());
    }
    let wrong = door.outcome(&key, "long", &json!({ "outcome": "confirmed", "reference": "x".repeat(257) })).await;
    assert_eq!(wrong.problem(), (422, "body_invalid".to_owned()));
    assert_eq!(door.get(&format!("/v1/effects/{key}")).await.json()["state"], "intended");
}

#[tokio::test]
async fn an_admin_stands_for_an_unknown_outcome_with_its_task_and_a_provider_may_still_tell() {
    let door = Door::new();
    let (case, key) = door.paying();
    door.shop.settle(&case, "pay", None, Settled::Unknown).unwrap();
    let body = json!({ "outcome": "confirmed" });
    let by_hand = door.post(&format!("/v1/effects/{key}/outcome"), &door.admin, "a", &body).await;
    assert_eq!(by_hand.problem(), (409, "effect_unknown".to_owned()));
    assert_eq!(the_task(&door.shop.case(&case).unwrap()).1.queue, "problems", "a person is asked");
    let told = door.outcome(&key, "b", &body).await;
    assert_eq!((told.status.as_u16(), told.json()["state"].as_str()), (200, Some("confirmed")));
    assert!(door.shop.case(&case).unwrap().tasks.is_empty());
}

#[tokio::test]
async fn an_effect_is_delivered_again_under_its_key_until_it_is_settled() {
    let door = Door::new();
    let (case, key) = door.paying();
    door.shop.settle(&case, "pay", None, Settled::Unknown).unwrap();
    let first = door.redeliver(&key, "a").await;
    assert_eq!((first.status.as_u16(), first.json()["state"].as_str()), (200, Some("intended")), "{}", first.json());
    assert_eq!(first.json()["key"], key);
    let again = door.redeliver(&key, "a").await;
    assert_eq!((again.json(), again.header("idempotent-replayed")), (first.json(), Some("true")));
    let resent = door.shop.entries(case.id).unwrap().iter().filter(|entry| entry.name() == "effect.resent.1").count();
    assert_eq!(resent, 1);
    let no_reason =
        door.post(&format!("/v1/effects/{key}/redeliver"), &door.admin, "b", &json!({ "reason": "" })).await;
    assert_eq!(no_reason.problem(), (422, "body_invalid".to_owned()));
    door.shop.settle(&case, "pay", None, Settled::Confirmed).unwrap();
    assert_eq!(door.redeliver(&key, "c").await.problem(), (409, "effect_settled".to_owned()));
    assert_eq!(door.redeliver(&key, "a").await.json(), first.json(), "as it stood then");
}

#[tokio::test]
async fn effects_are_listed_by_state_those_that_wait_for_somebody_first() {
    let door = Door::new();
    let mut keys = Vec::new();
    for outcome in [Settled::Confirmed, Settled::Unknown, Settled::Declined, Settled::Confirmed, Settled::Unknown] {
        let (case, key) = door.paying();
        door.shop.settle(&case, "pay", None, outcome).unwrap();
        keys.push(key);
    }
    keys.push(door.paying().1);
    for limit in [1, 2, 3, 6, 7] {
        let (mut states, mut seen, mut next) = (Vec::new(), Vec::new(), Some(format!("/v1/effects?limit={limit}")));
        while let Some(address) = next {
            let page = door.get(&address).await;
            let rows = page.json()["data"].as_array().unwrap().clone();
            assert!(!rows.is_empty(), "no empty page");
            states.extend(rows.iter().map(|row| row["state"].as_str().unwrap().to_owned()));
            seen.extend(rows.iter().map(|row| row["key"].as_str().unwrap().to_owned()));
            next = page.header("link").map(|link| link[1..link.find('>').unwrap()].to_owned());
        }
        assert_eq!(
            states,
            ["unknown", "unknown", "intended", "declined", "confirmed", "confirmed"],
            "{limit} at a time"
        );
        seen.sort();
        let mut all = keys.clone();
        all.sort();
        assert_eq!(seen, all, "each once");
    }
    let declined = door.get("/v1/effects?state=declined").await.json();
    assert_eq!(declined["data"].as_array().unwrap().len(), 1);
    let read = door.get(&format!("/v1/effects/{}", keys[5])).await.json();
    assert_eq!(
        (read["amount"]["amount"].as_str(), read["deliveries"].as_array().map(Vec::len)),
        (Some("2.55"), Some(0))
    );
    assert_eq!(door.get("/v1/effects?state=lost").await.problem(), (400, "parameter_invalid".to_owned()));
    for cursor in ["AA", "CQ", "BAAA"] {
        let foreign = door.get(&format!("/v1/effects?state=declined&cursor={cursor}")).await;
        assert!(foreign.status == 200 || foreign.problem().1 == "cursor_invalid", "{cursor}");
    }
    let last = EffectState::Confirmed.word();
    assert_eq!(door.get(&format!("/v1/effects?state={last}&cursor=CQ")).await.problem().1, "cursor_invalid");
}

#[tokio::test]
async fn money_on_its_way_is_told_apart_from_what_is_there() {
    let door = Door::new();
    let (case, _) = door.paying();
    let told = async || {
        let whole = door.get(&format!("/v1/cases/{}", case.id)).await.json();
        let row = door.get("/v1/cases").await.json()["data"][0].clone();
        assert_eq!((&whole["refunded"], &whole["on_its_way"]), (&row["refunded"], &row["on_its_way"]));
        (whole["refunded"].clone(), whole["on_its_way"].clone())
    };
    let (refunded, way) = told().await;
    assert!(refunded["amount"] != "0.00" && way == refunded, "{refunded} {way}");
    door.shop.settle(&case, "pay", None, Settled::Unknown).unwrap();
    assert_eq!(told().await, (refunded.clone(), refunded.clone()), "nobody knows");
    door.outcome(&effect(&case, "pay", None).to_string(), "b", &json!({ "outcome": "confirmed" })).await;
    assert_eq!(told().await, (refunded, Json::Null));
}
