//! `event`: what happens where no case is named opens one case, whatever comes again.

use redress_domain::case::External;
use redress_domain::workflow::canary::Bounds;
use redress_tests::world::Merchant;

use super::{Case, Got, Role, Shop, Started, Web, case_of, json, key, pointers, stands};

const PARCELS: &str = "workflow: parcels
events: { parcel_found: { shelf: text, seen: date?, kind: [whole, open] }, parcel_lost: { value: money } }
triggers:
  - event: { name: parcel_found, match: 'event.kind == \"open\"', type: damage, customer: =event.shelf, set: { shelf: =event.shelf, seen: =event.seen } }
vars: { shelf: { type: text, default: none }, seen: date? }
steps:
  - id: look
    review: { queue: dock, title: 'Look at {{ shelf }}', next: { seen: done }, timeout: { after: 5d, then: done } }
  - { id: done, finish: { result: seen } }
";

/// Takes every kind, after the one above.
const LOST: &str = "workflow: lost
priority: -1
events: { parcel_lost: { value: money }, parcel_found: { shelf: number } }
triggers: [{ event: { name: parcel_lost, type: lost } }, { event: { name: parcel_found, type: lost } }]
steps: [{ id: done, finish: { result: lost } }]
";

fn shop() -> (Shop, Web) {
    let shop = Shop::with(PARCELS).unwrap();
    shop.publish(LOST).unwrap();
    let web = Web::of(&shop.world).unwrap();
    (shop, web)
}

fn found(id: &str) -> super::Json {
    let fields = json!({ "shelf": "D2", "kind": "open", "seen": "2026-03-01" });
    json!({ "source": "wms", "id": id, "name": "parcel_found", "fields": fields })
}

async fn tell(web: &Web, key: &str, body: &super::Json) -> Got {
    web.ask("POST", "/v1/events").by(key).json(body).send().await
}

fn cases(merchant: &Merchant) -> usize {
    merchant.cases().unwrap().len()
}

#[tokio::test]
async fn an_event_opens_one_case_that_knows_what_it_carried_however_often_it_is_told() {
    let (shop, web) = shop();
    let wms = key(&web, &shop, Role::Integrator);
    let got = tell(&web, &wms, &found("1")).await;
    assert_eq!(got.status, 201, "{}", got.json());
    assert_eq!(got.json()["started"], json!({ "by": "event", "event": "parcel_found" }));
    assert_eq!(got.json()["external"], json!({ "source": "event:wms", "id": "1" }));
    let case = case_of(&shop.merchant, &got);
    assert_eq!((case.kind.as_str(), case.tasks.values().next().unwrap().title.as_str()), ("damage", "Look at D2"));
    assert_eq!(
        (case.vars["seen"].to_string(), case.customer.as_ref().unwrap().as_str()),
        ("2026-03-01".to_owned(), "D2")
    );
    assert_eq!(case.started, Some(Started::Event { name: "parcel_found".to_owned() }));
    shop.answer(&case, "seen", &[]).unwrap();
    let again = tell(&web, &wms, &found("1")).await;
    assert_eq!((again.status.as_u16(), again.json()["id"].clone()), (200, got.json()["id"].clone()));
    assert_eq!(again.json()["result"], "seen", "as it stands");
    // Another system has an event of this id as well, and this system another event.
    let mut other = found("1");
    other["source"] = json!("dock");
    assert_eq!(tell(&web, &wms, &other).await.status, 201);
    assert_eq!(tell(&web, &wms, &found("2")).await.status, 201);
    assert_eq!(cases(&shop.merchant), 3);
    let mut changed = found("1");
    changed["fields"]["shelf"] = json!("D3");
    let refused = tell(&web, &wms, &changed).await;
    assert_eq!(refused.problem(), (409, "event_id_used".to_owned()));
    assert!(refused.json()["detail"].as_str().unwrap().contains(&case.id.to_string()));
}

#[tokio::test]
async fn the_same_event_told_at_once_by_many_opens_one_case() {
    let (shop, web) = shop();
    let wms = key(&web, &shop, Role::Integrator);
    let told = (0..12).map(|_| {
        let (web, wms) = (web.clone(), wms.clone());
        async move { tell(&web, &wms, &found("1")).await }
    });
    let all = futures_join(told).await;
    let ids: std::collections::BTreeSet<String> = all.iter().map(|got| got.json()["id"].to_string()).collect();
    let new = all.iter().filter(|got| got.status == 201).count();
    assert_eq!((ids.len(), new, cases(&shop.merchant)), (1, 1, 1));
    assert!(all.iter().all(|got| got.status.is_success()), "{all:?}");
}

/// Run all of them at the same time.
async fn futures_join<T: Send + 'static>(
    all: impl IntoIterator<Item = impl Future<Output = T> + Send + 'static>,
) -> Vec<T> {
    let mut set = tokio::task::JoinSet::new();
    all.into_iter().for_each(|one| drop(set.spawn(one)));
    set.join_all().await
}

#[tokio::test]
async fn the_event_is_known_after_a_restart_and_after_a_power_cut() {
    let (shop, web) = shop();
    let wms = key(&web, &shop, Role::Integrator);
    let before = shop.world.power_cut().unwrap();
    let first = case_of(&shop.merchant, &tell(&web, &wms, &found("1")).await);
    let after = shop.world.power_cut().unwrap();
    for (cut, status, n) in [(before, 201, 1), (after, 200, 1)] {
        let merchant = cut.reopen("acme").unwrap();
        let web = Web::of(&cut).unwrap();
        let wms = web.key(merchant.engine.record().id, Role::Integrator).unwrap();
        assert_eq!(tell(&web, &wms, &found("1")).await.status.as_u16(), status);
        assert_eq!(tell(&web, &wms, &found("1")).await.status.as_u16(), 200);
        assert_eq!(cases(&merchant), n);
    }
    // Nothing wants it any more, and it is answered with its case all the same.
    shop.publish(&PARCELS.replace(
        "name: parcel_found, match: 'event.kind == \"open\"'",
        "name: parcel_found, match: 'event.kind == \"whole\"'",
    ))
    .unwrap();
    let again = tell(&web, &wms, &found("1")).await;
    assert_eq!((again.status.as_u16(), again.json()["id"].as_str().unwrap()), (200, &*first.id.to_string()));
}

#[tokio::test]
async fn an_event_that_nothing_wants_is_refused_and_may_come_again() {
    let (shop, web) = shop();
    let wms = key(&web, &shop, Role::Integrator);
    let mut whole = found("1");
    whole["fields"]["kind"] = json!("whole");
    let mut other = found("1");
    other["name"] = json!("parcel_stolen");
    for body in [&whole, &other] {
        let got = tell(&web, &wms, body).await;
        let detail = got.json()["detail"].as_str().unwrap_or_default().to_owned();
        if *body == whole {
            // The other workflow that awaits it reads a number there.
            assert_eq!(
                (got.problem(), pointers(&got)),
                ((422, "body_invalid".to_owned()), vec!["/fields/shelf".to_owned()])
            );
        } else {
            assert_eq!(got.problem(), (422, "event_not_wanted".to_owned()));
            assert!(
                detail.contains("these do: parcel_found, parcel_lost") && detail.contains("nothing of it was kept"),
                "{detail}"
            );
        }
    }
    assert_eq!(cases(&shop.merchant), 0);
    shop.publish(&PARCELS.replace("match: 'event.kind == \"open\"'", "match: 'event.kind == \"whole\"'")).unwrap();
    assert_eq!(tell(&web, &wms, &whole).await.status, 201);
    let mut lost = json!({ "source": "wms", "id": "9", "name": "parcel_lost", "fields": { "value": { "amount": "7.50", "currency": "GBP" } } });
    let case = case_of(&shop.merchant, &tell(&web, &wms, &lost).await);
    assert_eq!((case.workflow.as_ref().unwrap().as_str(), stands(&case)), ("lost", "lost"));
    lost["id"] = json!("");
    let refused = tell(&web, &wms, &lost).await;
    assert_eq!((refused.problem(), pointers(&refused)), ((422, "body_invalid".to_owned()), vec!["/id".to_owned()]));
    let named = json!({ "kind": "return", "lines": [], "external": { "source": "event:wms", "id": "99" } });
    let refused = web.ask("POST", "/v1/cases").by(&wms).named("n").json(&named).send().await;
    assert_eq!(
        (refused.problem(), pointers(&refused)),
        ((422, "body_invalid".to_owned()), vec!["/external/source".to_owned()])
    );
}

#[tokio::test]
async fn who_comes_first_takes_it_and_a_canary_that_does_not_want_it_leaves_it() {
    let (shop, web) = shop();
    let wms = key(&web, &shop, Role::Integrator);
    let on = async |id: &str| {
        let case: Case = case_of(&shop.merchant, &tell(&web, &wms, &found(id)).await);
        case.revision.unwrap()
    };
    let active = on("1").await;
    let text = |from: &str, to: &str| format!("format: 1\ncurrency: GBP\n{}", PARCELS.replace(from, to));
    let canary = |text: &str| shop.merchant.canary("parcels", text, 99, Bounds::default()).unwrap().canary.revision;
    let fits = canary(&text("after: 5d", "after: 6d"));
    assert_eq!(on("2").await, fits);
    shop.merchant.end_canary("parcels", false).unwrap();
    canary(&text("event.kind == \"open\"", "event.kind == \"whole\""));
    assert_eq!(on("3").await, active);
    shop.merchant.end_canary("parcels", false).unwrap();
    let number = 1;
    shop.merchant.hold("parcels", number).unwrap();
    assert_eq!(tell(&web, &wms, &found("4")).await.problem(), (409, "revision_on_hold".to_owned()));
    shop.merchant.resume("parcels", number).unwrap();
    assert_eq!(tell(&web, &wms, &found("4")).await.status, 201);
    let external = External { source: "event:wms".to_owned(), id: "4".to_owned() };
    let all: Vec<Case> = shop.merchant.cases().unwrap().into_iter().map(|id| shop.merchant.case(id).unwrap()).collect();
    assert_eq!(all.iter().filter(|case| case.external.as_ref() == Some(&external)).count(), 1);
}
