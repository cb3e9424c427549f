//! `/v1/connectors`: set, shown without secrets, removed.

use redress::http::State;
use redress::keys::{Keys, Role};
use redress::outbox;
use redress_tests::provider::{Options, Provider};
use redress_tests::web::{Got, Web};
use redress_tests::world::World;
use serde_json::{Value as Json, json};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

struct Door {
    _world: World,
    web: Web,
    admin: String,
}

impl Door {
    fn new() -> Self {
        let world = World::new().unwrap();
        let merchant = world.bare_merchant("acme").unwrap();
        let web = Web::of(&world).unwrap();
        let admin = web.key(merchant.engine.record().id, Role::Admin).unwrap();
        Self { _world: world, web, admin }
    }

    async fn set(&self, kind: &str, body: &Json) -> Got {
        self.web.ask("PUT", &format!("/v1/connectors/{kind}")).by(&self.admin).json(body).send().await
    }

    async fn ask(&self, method: &str, address: &str) -> Got {
        self.web.ask(method, address).by(&self.admin).send().await
    }
}

fn webhook(url: &str) -> Json {
    json!({ "how": "webhook", "url": url, "secret": SECRET })
}

#[tokio::test]
async fn a_system_that_workflows_ask_has_a_connector_of_its_own_name() {
    let door = Door::new();
    let set = door.set("http:carrier-label", &webhook("https://carrier.shop.example/labels")).await;
    assert_eq!((set.status.as_u16(), &set.json()["kind"]), (200, &json!("http:carrier-label")), "{}", set.json());
    assert_eq!(door.ask("GET", "/v1/connectors").await.json()["data"], json!([set.json()]));
    assert_eq!(door.ask("DELETE", "/v1/connectors/http:carrier-label").await.status, 204);
    for kind in ["http:", "http:Carrier", "http"] {
        let refused = door.set(kind, &webhook("https://carrier.shop.example/labels")).await;
        assert_eq!(refused.problem(), (404, "connector_not_found".to_owned()), "{kind}");
    }
    let mailed =
        door.set("http:carrier", &json!({ "how": "smtp", "url": "smtps://m.example", "from": "a@b.example" })).await;
    assert_eq!(mailed.problem(), (422, "connector_unfit".to_owned()));
}

#[tokio::test]
async fn a_connector_is_set_and_shown_without_its_secrets_and_removed_once() {
    let door = Door::new();
    let set = door.set("payment", &webhook("https://pay.shop.example/redress")).await;
    assert_eq!((set.status.as_u16(), &set.json()["key_lifetime"]), (200, &json!("1d")), "{}", set.json());
    let smtp = json!({
        "how": "smtp", "url": "smtps://mail.shop.example", "from": "Shop <returns@shop.example>", "user": "shop",
        "password": SECRET,
    });
    let mail = door.set("mail", &smtp).await;
    assert_eq!((mail.status.as_u16(), &mail.json()["user"]), (200, &json!("shop")), "{}", mail.json());
    let listed = door.ask("GET", "/v1/connectors").await;
    assert_eq!(listed.json()["data"], json!([set.json(), mail.json()]));
    for shown in [&set, &mail, &listed] {
        assert!(!String::from_utf8_lossy(&shown.bytes).contains(SECRET));
    }
    assert_eq!(door.ask("DELETE", "/v1/connectors/mail").await.status, 204);
    let again = door.ask("DELETE", "/v1/connectors/mail").await;
    assert_eq!(again.problem(), (404, "connector_not_found".to_owned()));
    assert_eq!(door.ask("GET", "/v1/connectors").await.json()["data"], json!([set.json()]));
}

#[tokio::test]
async fn a_connector_that_is_not_sound_is_refused_at_its_field_and_quotes_no_secret() {
    let door = Door::new();
    let good = "https://pay.shop.example/redress";
    let with = |field: &str, value: &str| {
        let mut body = webhook(good);
        body[field] = json!(value);
        body
    };
    let cases = [
        ("payment", webhook("http://pay.shop.example"), "connector_address_refused", Some("/url")),
        ("payment", webhook("https://127.0.0.1/"), "connector_address_refused", Some("/url")),
        ("payment", with("secret", "hunter2"), "connector_invalid", Some("/secret")),
        ("payment", with("key_lifetime", "a while"), "body_invalid", Some("/key_lifetime")),
        ("payment", with("answer_within", "90d"), "connector_invalid", Some("/answer_within")),
        ("payment", with("colour", "red"), "body_invalid", None),
        ("mail", webhook(good), "connector_unfit", None),
        ("payment", json!({ "how": "simulated" }), "connector_not_allowed", None),
    ];
    for (kind, body, code, pointer) in cases {
        let refused = door.set(kind, &body).await;
        assert_eq!(refused.problem(), (422, code.to_owned()), "{body}");
        if let Some(pointer) = pointer {
            assert_eq!(refused.json()["errors"][0]["pointer"], pointer, "{body}");
        }
        let told = String::from_utf8_lossy(&refused.bytes).into_owned();
        assert!(!told.contains("hunter2") && !told.contains(SECRET), "{told}");
    }
    assert_eq!(door.set("carrier", &webhook(good)).await.problem(), (404, "connector_not_found".to_owned()));
    assert_eq!(door.ask("GET", "/v1/connectors").await.json()["data"], json!([]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connector_is_tried_with_a_signed_request_that_does_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::new().unwrap();
    let options = Options::honest(SECRET, folder.path().join("book"));
    let provider = Provider::start(options, world.clock.clone()).await.unwrap();
    let merchant = world.bare_merchant("acme").unwrap();
    let keys = Keys::load(world.app.host()).unwrap();
    let allowed = outbox::Settings { allowed: vec!["127.0.0.1".parse().unwrap()], ..Default::default() };
    let web = Web::on(State::new(world.app.clone(), keys).sending(allowed));
    let admin = web.key(merchant.engine.record().id, Role::Admin).unwrap();
    let ask =
        async |method: &str, address: &str, body: &Json| web.ask(method, address).by(&admin).json(body).send().await;
    let tested = async || ask("POST", "/v1/connectors/payment/test", &json!({})).await;
    assert_eq!(tested().await.problem(), (404, "connector_not_found".to_owned()));

    ask("PUT", "/v1/connectors/payment", &webhook(&provider.url("pay"))).await;
    assert_eq!(tested().await.json(), json!({ "kind": "payment", "good": true, "status": 200 }));
    assert_eq!(provider.stats().effects, 0, "nothing is done");
    let body = provider.last_body();
    assert_eq!((&body["type"], &body["tenant"], &body["data"]), (&json!("connector.test"), &json!("acme"), &json!({})));
    // One that does not know the secret refuses, which is told.
    let other = json!({ "how": "webhook", "url": provider.url("pay"), "secret": "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=" });
    ask("PUT", "/v1/connectors/payment", &other).await;
    let refused = json!({ "kind": "payment", "good": false, "status": 401, "reason": "status_401" });
    assert_eq!(tested().await.json(), refused);
    drop(provider);
    assert_eq!(tested().await.json(), json!({ "kind": "payment", "good": false, "reason": "not_connected" }));
}
