//! Requests to the merchant's own systems: signed, answered, settled later, and sent again under one key.

use redress::keys::Role;
use redress::outbox::connectors::{self, Kind};
use redress::outbox::delivery::{NO_CONNECTOR, Outcome};
use redress_domain::case::{Case, EffectState};
use redress_domain::ids::Slug;
use redress_domain::value::Value;
use redress_tests::delivery::{Trial, webhook};
use redress_tests::provider::{Provider, Trick};
use redress_tests::shop::{effect, failure, stands};
use redress_tests::web::Web;
use redress_tests::world::admin;
use serde_json::json;

use super::{HOUR, counted, last, outcomes};

const LABEL: &str = "
steps:
  - id: label
    http:
      target: carrier-label
      body: { rma: =case.number, units: '=case.lines[0].quantity', weight: 1.25, limit: '=case.lines[0].quantity * 0.5' }
      expect: { number: text, costs: money, boxes: number? }
    as: label
    on_error: [{ match: declined, then: refused }]
  - { id: done, finish: { result: labelled } }
  - { id: refused, finish: { result: refused } }
";

fn carrier() -> Kind {
    Kind::Http(Slug::new("carrier-label").unwrap())
}

fn good() -> serde_json::Value {
    json!({ "number": "L1", "costs": { "amount": "3.20", "currency": "GBP" }, "more": [1] })
}

/// A shop whose carrier gives this answer.
fn asked(answer: serde_json::Value) -> (Trial, Provider, Case) {
    let trial = Trial::with(LABEL).unwrap();
    let provider = trial.provider(|options| options.answer = Some(answer)).unwrap();
    trial.connect(carrier(), webhook(&provider, "label")).unwrap();
    let case = trial.shop.open(&[("A1", 3)]).unwrap();
    (trial, provider, case)
}

#[test]
fn a_system_is_asked_and_its_answer_is_what_the_step_gives() {
    let (trial, provider, case) = asked(good());
    assert_eq!(stands(&case), "label");
    trial.send().unwrap();
    let case = trial.shop.case(&case).unwrap();
    assert_eq!((stands(&case), counted(&provider)), ("labelled", (1, 1, 1)));
    assert_eq!(provider.effects()[0].kind, "http.requested");
    let sent = provider.last_body();
    assert_eq!(
        sent["data"],
        json!({ "target": "carrier-label", "body": { "rma": case.number, "units": 3, "weight": "1.25", "limit": "1.5" } })
    );
    let Some(Value::Object(given)) = case.output("label") else { panic!("an output") };
    assert_eq!((&given["number"], given["costs"].to_string()), (&Value::text("L1"), "GBP 3.20".to_owned()));
    assert!(!given.contains_key("more") && !given.contains_key("boxes"), "{given:?}");
    assert!(given["reference"].to_string().starts_with("prov_"));
    let listing = trial.engine().effect(effect(&case, "label", None)).unwrap().unwrap();
    assert_eq!((listing.what.as_str(), listing.state), ("http", EffectState::Confirmed));
}

#[test]
fn an_answer_that_is_not_as_expected_is_a_persons_who_has_it_asked_again() {
    for wrong in [json!({}), json!({ "number": 7, "costs": { "amount": "1", "currency": "GBP" } }), json!(null)] {
        let (trial, provider, case) = asked(wrong);
        trial.send().unwrap();
        assert_eq!(failure(&trial.shop.case(&case).unwrap()), "answer_invalid");
        trial.shop.answer(&case, "try_again", &[]).unwrap();
        trial.send_after(HOUR).unwrap();
        assert_eq!(counted(&provider), (2, 1, 1), "the same key");
        assert_eq!(failure(&trial.shop.case(&case).unwrap()), "answer_invalid");
    }
}

#[test]
fn a_lost_answer_is_asked_for_again_and_a_refusal_is_a_decline() {
    let (trial, provider, case) = asked(good());
    provider.next(Trick::ActAndHangUp);
    trial.send().unwrap();
    provider.next(Trick::ActAndSay("{\"number\": \"L1\"}".to_owned()));
    trial.send_after(HOUR).unwrap();
    assert_eq!(stands(&trial.shop.case(&case).unwrap()), "label", "words without an outcome are no answer");
    trial.send_after(HOUR).unwrap();
    assert_eq!(stands(&trial.shop.case(&case).unwrap()), "labelled");
    assert_eq!(counted(&provider), (3, 1, 1));
    let (trial, provider, case) = asked(good());
    provider.next(Trick::Refuse(422));
    trial.send().unwrap();
    assert_eq!(stands(&trial.shop.case(&case).unwrap()), "refused");
}

#[test]
fn what_was_accepted_is_settled_later_through_the_api_with_the_answer() {
    let trial = Trial::with(LABEL).unwrap();
    let provider = trial.provider(|options| options.later = 100).unwrap();
    trial.connect(carrier(), webhook(&provider, "label")).unwrap();
    let case = trial.shop.open(&[("A1", 3)]).unwrap();
    trial.send().unwrap();
    let key = effect(&case, "label", None);
    assert_eq!(outcomes(&trial, key), [Outcome::Accepted]);
    let web = Web::of(&trial.shop.world).unwrap();
    let integrator = web.key(trial.engine().record().id, Role::Integrator).unwrap();
    let tell = |name: &'static str, body: serde_json::Value| {
        let (web, address) = (&web, format!("/v1/effects/{key}/outcome"));
        let asking = web.ask("POST", &address).by(&integrator).named(name).json(&body);
        trial.runtime.block_on(asking.send())
    };
    let told = tell("a", json!({ "outcome": "confirmed", "reference": "c-1", "answer": good() }));
    assert_eq!((told.status.as_u16(), told.json()["kind"].as_str()), (200, Some("http")), "{}", told.json());
    let case = trial.shop.case(&case).unwrap();
    assert_eq!(stands(&case), "labelled");
    assert_eq!(trial.send_after(HOUR).unwrap(), 0, "nothing is left to ask");
}

#[test]
fn a_request_without_a_connector_waits_for_one_of_its_own_name() {
    let trial = Trial::with(LABEL).unwrap();
    let provider = trial.provider(|options| options.answer = Some(good())).unwrap();
    let case = trial.shop.open(&[("A1", 1)]).unwrap();
    let key = effect(&case, "label", None);
    trial.connect(Kind::Http(Slug::new("carrier").unwrap()), webhook(&provider, "label")).unwrap();
    trial.send().unwrap();
    assert_eq!(last(&trial, key).reason.as_deref(), Some(NO_CONNECTOR));
    trial.connect(carrier(), webhook(&provider, "label")).unwrap();
    trial.send().unwrap();
    assert_eq!(stands(&trial.shop.case(&case).unwrap()), "labelled");
    let kinds = || connectors::list(trial.engine()).unwrap().into_iter().map(|(kind, _)| kind.to_string());
    assert_eq!(kinds().collect::<Vec<_>>(), ["http:carrier", "http:carrier-label"]);
    assert!(connectors::remove(trial.engine(), &carrier(), &admin()).unwrap());
    assert_eq!(kinds().collect::<Vec<_>>(), ["http:carrier"]);
}

#[test]
fn a_system_of_the_intranet_is_no_receiver_and_a_merchant_has_a_bounded_number() {
    let trial = Trial::with(LABEL).unwrap();
    let provider = trial.provider(|_| {}).unwrap();
    let code = |result: Result<(), connectors::Error>| result.expect_err("a refusal").code();
    let to = |url: &str| {
        let connectors::Connector::Webhook(known) = webhook(&provider, "label") else { panic!("a webhook") };
        connectors::Connector::Webhook(connectors::Webhook { url: url.to_owned(), ..known })
    };
    for url in ["https://10.0.0.1/x", "http://label.example/x", "https://[::1]/x"] {
        assert_eq!(code(trial.connect(carrier(), to(url))), "connector_address_refused", "{url}");
    }
    for n in 0..64 {
        let kind = Kind::Http(Slug::new(&format!("system-{n}")).unwrap());
        trial.connect(kind, webhook(&provider, "label")).unwrap();
    }
    assert_eq!(code(trial.connect(carrier(), webhook(&provider, "label"))), "connectors_full");
    let known = Kind::Http(Slug::new("system-7").unwrap());
    trial.connect(known, webhook(&provider, "other")).unwrap();
    for wrong in ["http:", "http:Carrier", "http:a/b", "https"] {
        assert!(wrong.parse::<Kind>().is_err(), "{wrong}");
    }
}
