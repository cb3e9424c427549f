//! `/v1/keys` and `/v1/tenants`: who may come in, and to whom.

use std::sync::mpsc;
use std::time::Duration;

use redress::engine::log::{self, What};
use redress::engine::repeat::forget_answers_of_host;
use redress::keys::{NewKey, Role};
use redress_domain::clock::Span;
use redress_domain::ids::TenantId;
use redress_tests::web::{Got, Web};
use redress_tests::world::{Merchant, World};
use serde_json::{Value as Json, json};

struct House {
    world: World,
    web: Web,
    merchant: Merchant,
}

impl House {
    fn new() -> Self {
        let world = World::new().unwrap();
        let merchant = world.bare_merchant("acme").unwrap();
        let web = Web::of(&world).unwrap();
        Self { world, web, merchant }
    }

    fn tenant(&self) -> TenantId {
        self.merchant.engine.record().id
    }

    fn admin(&self) -> String {
        self.web.key(self.tenant(), Role::Admin).unwrap()
    }

    async fn post(&self, by: &str, address: &str, name: &str, body: &Json) -> Got {
        self.web.ask("POST", address).by(by).named(name).json(body).send().await
    }

    /// What the tenant's own record tells of keys.
    fn told(&self) -> Vec<String> {
        let facts = log::read(&self.merchant.engine).unwrap().into_iter().filter_map(|logged| match logged.what {
            What::KeyCreated { role, .. } => Some(format!("created {role} by {}", logged.by.role)),
            What::KeyRevoked { .. } => Some(format!("revoked by {}", logged.by.role)),
            _ => None,
        });
        facts.collect()
    }
}

fn agent() -> Json {
    json!({ "name": "desk 1", "role": "agent" })
}

#[tokio::test]
async fn the_secret_of_a_key_is_shown_once_however_often_the_request_comes() {
    let house = House::new();
    let admin = house.admin();
    let first = house.post(&admin, "/v1/keys", "k", &agent()).await;
    assert_eq!(first.status, 201, "{}", first.json());
    let secret = first.json()["secret"].as_str().unwrap().to_owned();
    let again = house.post(&admin, "/v1/keys", "k", &agent()).await;
    assert_eq!((again.status, again.header("idempotent-replayed")), (first.status, Some("true")));
    assert_eq!(again.header("location"), first.header("location"));
    let mut expected = first.json();
    expected.as_object_mut().unwrap().remove("secret");
    expected["secret_shown_before"] = json!(true);
    assert_eq!(again.json(), expected);
    // The key of the first answer is the only one that was made, and it opens what an agent may.
    let listed = house.web.ask("GET", "/v1/keys").by(&admin).send().await.json();
    assert_eq!(listed["data"].as_array().unwrap().iter().filter(|key| key["name"] == "desk 1").count(), 1);
    assert_eq!(house.web.ask("GET", "/v1/cases").by(&secret).send().await.status, 200);
    assert_eq!(house.told(), ["created agent by admin"]);
}

#[tokio::test]
async fn a_key_that_is_taken_back_opens_nothing_and_is_taken_back_once() {
    let house = House::new();
    let admin = house.admin();
    let made = house.post(&admin, "/v1/keys", "k", &agent()).await.json();
    let (secret, address) = (made["secret"].as_str().unwrap(), format!("/v1/keys/{}", made["id"].as_str().unwrap()));
    for name in ["first", "second"] {
        let revoked = house.post(&admin, &format!("{address}/revoke"), name, &json!({})).await;
        assert_eq!(revoked.status, 200, "{}", revoked.json());
        assert!(revoked.json()["revoked_at"].is_string());
    }
    let refused = house.web.ask("GET", "/v1/cases").by(secret).send().await;
    assert_eq!(refused.problem(), (401, "key_invalid".to_owned()));
    assert_eq!(house.told(), ["created agent by admin", "revoked by admin"]);
    let House { world, web, merchant } = house;
    // Who holds the host holds its folder.
    drop((web, merchant));
    let web = Web::of(&world.restart().unwrap()).unwrap();
    assert_eq!(web.ask("GET", "/v1/cases").by(secret).send().await.problem(), (401, "key_invalid".to_owned()));
}

#[tokio::test]
async fn an_admin_gives_no_more_than_it_has() {
    let house = House::new();
    let admin = house.admin();
    let operator = json!({ "name": "me", "role": "operator" });
    assert_eq!(house.post(&admin, "/v1/keys", "a", &operator).await.problem(), (403, "not_allowed".to_owned()));
    let backdate = json!({ "name": "importer", "role": "integrator", "backdate": true });
    let refused = house.post(&admin, "/v1/keys", "b", &backdate).await;
    assert_eq!(refused.problem(), (403, "backdate_not_allowed".to_owned()));
    assert_eq!(refused.json()["errors"][0]["pointer"], "/backdate");
    let backdating = house.web.backdating(house.tenant(), Role::Admin).unwrap();
    assert_eq!(house.post(&backdating, "/v1/keys", "c", &backdate).await.status, 201);
}

#[tokio::test]
async fn an_operator_keeps_its_own_keys_and_those_of_a_merchant_that_it_names() {
    let house = House::new();
    let operator = house.web.operator().unwrap();
    let of_host = json!({ "name": "night", "role": "operator" });
    let first = house.post(&operator, "/v1/keys", "k", &of_host).await;
    assert_eq!(first.status, 201, "{}", first.json());
    assert!(first.json().get("tenant").is_none());
    let again = house.post(&operator, "/v1/keys", "k", &of_host).await;
    assert_eq!((again.status, again.json()["secret_shown_before"].as_bool()), (first.status, Some(true)));
    let other = json!({ "name": "day", "role": "operator" });
    assert_eq!(house.post(&operator, "/v1/keys", "k", &other).await.problem().1, "idempotency_key_reused");
    assert_eq!(house.post(&operator, "/v1/keys", "l", &agent()).await.problem(), (400, "tenant_required".to_owned()));
    let named = house.web.ask("POST", "/v1/keys").by(&operator).header("redress-tenant", "acme").json(&agent());
    let made = named.send().await;
    assert_eq!((made.status.as_u16(), made.json()["tenant"].as_str()), (201, Some("acme")));
    assert_eq!(house.told(), ["created agent by admin"]);
    let all = house.web.ask("GET", "/v1/keys").by(&operator).send().await.json();
    let roles: Vec<_> = all["data"].as_array().unwrap().iter().map(|key| key["role"].as_str().unwrap()).collect();
    assert_eq!(roles.len(), 3, "{roles:?}");
    // One key of the host was made by each request, and it is the operator who takes back the merchant's.
    let revoke = format!("/v1/keys/{}/revoke", made.json()["id"].as_str().unwrap());
    assert_eq!(house.post(&operator, &revoke, "m", &json!({})).await.status, 200);
    assert_eq!(house.told(), ["created agent by admin", "revoked by admin"]);
}

#[tokio::test]
async fn a_tenant_is_made_once_and_its_name_is_taken_for_ever() {
    let house = House::new();
    let operator = house.web.operator().unwrap();
    let shop = json!({
        "name": "shop", "zone": "Asia/Shanghai", "currency": "CNY", "locale": "zh-CN", "jurisdiction": "CN",
    });
    let first = house.post(&operator, "/v1/tenants", "t", &shop).await;
    assert_eq!((first.status.as_u16(), first.header("location")), (201, Some("/v1/tenants/shop")));
    let again = house.post(&operator, "/v1/tenants", "t", &shop).await;
    assert_eq!((again.status, again.json()), (first.status, first.json()));
    let taken = house.post(&operator, "/v1/tenants", "u", &shop).await;
    assert_eq!(taken.problem(), (409, "tenant_exists".to_owned()));
    for (field, wrong) in
        [("name", "std"), ("zone", "Shanghai"), ("currency", "yuan"), ("locale", "ZH"), ("jurisdiction", "c")]
    {
        let mut other = shop.clone();
        other[field] = json!(wrong);
        let refused = house.post(&operator, "/v1/tenants", field, &other).await;
        assert_eq!(refused.problem(), (422, "body_invalid".to_owned()), "{field}");
        assert_eq!(refused.json()["errors"][0]["pointer"], format!("/{field}"));
    }
    let all = house.web.ask("GET", "/v1/tenants?limit=1").by(&operator).send().await;
    assert_eq!((&all.json()["data"][0]["name"], &all.json()["has_more"]), (&json!("acme"), &json!(true)));
    let link = all.header("link").unwrap().strip_prefix('<').unwrap().split('>').next().unwrap().to_owned();
    let rest = house.web.ask("GET", &link).by(&operator).send().await.json();
    assert_eq!(rest["data"], json!([first.json()]));
    let own = house.web.ask("GET", "/v1/tenant").by(&house.admin()).send().await.json();
    assert_eq!(own["name"], "acme");
}

#[tokio::test]
async fn an_operator_who_names_no_merchant_is_answered_again_about_a_merchants_key() {
    let house = House::new();
    let (operator, admin) = (house.web.operator().unwrap(), house.admin());
    let mut revoke = Vec::new();
    for name in ["a", "b"] {
        let made = house.post(&admin, "/v1/keys", name, &agent()).await.json();
        revoke.push(format!("/v1/keys/{}/revoke", made["id"].as_str().unwrap()));
    }
    let first = house.post(&operator, &revoke[0], "r", &json!({})).await;
    assert_eq!((first.status.as_u16(), first.header("idempotent-replayed")), (200, None), "{}", first.json());
    let again = house.post(&operator, &revoke[0], "r", &json!({})).await;
    assert_eq!((again.status.as_u16(), again.header("idempotent-replayed")), (200, Some("true")));
    assert_eq!(again.json(), first.json());
    let other = house.post(&operator, &revoke[1], "r", &json!({})).await;
    assert_eq!(other.problem(), (422, "idempotency_key_reused".to_owned()));
    // Who names the merchant asks the merchant's own file, and finds the key taken back already.
    let named = house.web.ask("POST", &revoke[0]).by(&operator).header("redress-tenant", "acme").named("r");
    assert_eq!(named.json(&json!({})).send().await.json(), first.json());
    assert_eq!(house.told().iter().filter(|told| told.starts_with("revoked")).count(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn keys_that_are_made_at_once_are_all_made() {
    const AT_ONCE: usize = 40;
    let house = House::new();
    let admin = house.admin();
    let mut making = tokio::task::JoinSet::new();
    for n in 0..AT_ONCE {
        let (web, admin) = (house.web.clone(), admin.clone());
        let ask =
            async move { web.ask("POST", "/v1/keys").by(&admin).named(&format!("k{n}")).json(&agent()).send().await };
        making.spawn(ask);
    }
    while let Some(made) = making.join_next().await {
        let made = made.unwrap();
        assert_eq!(made.status, 201, "{}", made.json());
    }
    let all = house.web.ask("GET", "/v1/keys?limit=100").by(&admin).send().await.json();
    let made = |key: &&Json| key["name"] == "desk 1" && key["revoked_at"].is_null();
    assert_eq!(all["data"].as_array().unwrap().iter().filter(made).count(), AT_ONCE);
    assert_eq!((all["data"].as_array().unwrap().len(), house.told().len()), (AT_ONCE + 1, AT_ONCE));
}

#[test]
fn a_caller_is_known_while_a_key_is_being_made() {
    let house = House::new();
    let (admin, state) = (house.admin(), house.web.state.clone());
    let new = NewKey { tenant: None, role: Role::Operator, backdate: false, name: "night".to_owned() };
    // What is written beside a key is asked for when the commit begins.
    let made = state.keys.create_beside(state.app.host(), state.app.clock(), new, |_| {
        let (keys, admin) = (state.keys.clone(), admin.clone());
        let (told, known) = mpsc::channel();
        let check = move || {
            let _ = told.send(keys.check(&admin).is_ok());
        };
        std::thread::Builder::new().spawn(check).unwrap();
        assert_eq!(known.recv_timeout(Duration::from_secs(20)), Ok(true), "requests wait for the disk");
        None
    });
    assert!(state.keys.check(&made.unwrap().secret).is_ok());
}

#[tokio::test]
async fn the_host_forgets_what_it_answered_after_seven_days() {
    let house = House::new();
    let operator = house.web.operator().unwrap();
    let of_host = json!({ "name": "night", "role": "operator" });
    let app = house.world.app.clone();
    let forget = || forget_answers_of_host(app.host(), app.clock().now(), None).unwrap();
    let first = house.post(&operator, "/v1/keys", "k", &of_host).await.json();
    house.world.pass(Span::from_days(7));
    assert_eq!(forget(), (0, None));
    assert_eq!(house.post(&operator, "/v1/keys", "k", &of_host).await.json()["id"], first["id"]);
    house.world.pass(Span::from_millis(1));
    assert_eq!((forget(), forget()), ((1, None), (0, None)));
    let later = house.post(&operator, "/v1/keys", "k", &of_host).await;
    assert_eq!((later.status.as_u16(), later.header("idempotent-replayed")), (201, None));
    assert_ne!(later.json()["id"], first["id"]);
}
