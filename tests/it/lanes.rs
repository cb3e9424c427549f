//! Cases that are in several places at once, on the real engine.

use redress::keys::Role;
use redress_domain::case::command::{Body, Complete, Event, Open, Settled};
use redress_domain::case::entry::Entry;
use redress_domain::case::{Case, Effect, EffectState, What};
use redress_domain::clock::Span;
use redress_domain::ids::{CaseId, Slug};
use redress_domain::value::{Fields, Value};
use redress_tests::kitchen::CROWD;
use redress_tests::shop::{Shop, stands};
use redress_tests::web::Web;
use redress_tests::world::{Merchant, World, a_return, days_ago, order};

/// A merchant of the crowd, with two orders to return.
fn crowd() -> Shop {
    let shop = Shop::empty().unwrap();
    shop.merchant.publish(CROWD).unwrap();
    for (id, sku, quantity) in [("1001", "A1", 3), ("1002", "B2", 2)] {
        shop.merchant.order(&order(id, "c1", days_ago(10), &[(sku, quantity, "2.50")]).unwrap()).unwrap();
    }
    shop
}

fn opened(shop: &Shop) -> Case {
    let open = a_return("c1", &[("A1", 2), ("B2", 1)]).unwrap();
    shop.take(Open { kind: Slug::new("crowd").unwrap(), ..open }).unwrap()
}

/// What a case waits for next, given to it: an answer, an outcome, else a day.
fn go_on(world: &World, merchant: &Merchant, case: &Case) {
    let is_open =
        |effect: &Effect| effect.state == EffectState::Intended && !matches!(effect.what, What::Notice { .. });
    if let Some((id, task)) = case.tasks.iter().next() {
        let outcome = if task.queue == "warehouse" { "right" } else { "accept" }.to_owned();
        let form = Fields::from([("state".to_owned(), Value::text("new"))]);
        let complete = Complete { task: *id, outcome, form, live: false, lines: Vec::new() };
        merchant.command(case.id, Body::Complete(complete)).unwrap();
    } else if let Some((key, _)) = case.effects.iter().find(|(_, effect)| is_open(effect)) {
        merchant.settle(case.id, *key, Settled::Confirmed).unwrap();
    } else {
        world.pass(Span::from_days(1));
        merchant.run_due().unwrap();
    }
}

/// Up to its end, with a look at it after each commit.
fn to_the_end(world: &World, merchant: &Merchant, id: CaseId, mut look: impl FnMut(&Case)) -> Case {
    for _ in 0..50 {
        let case = merchant.case(id).unwrap();
        if case.is_closed() {
            return case;
        }
        look(&case);
        go_on(world, merchant, &case);
    }
    panic!("the case comes to no end");
}

#[test]
fn a_host_that_dies_after_any_commit_brings_the_case_to_the_same_end() {
    let shop = crowd();
    let id = opened(&shop).id;
    let mut cuts = Vec::new();
    let whole = to_the_end(&shop.world, &shop.merchant, id, |_| cuts.push(shop.world.power_cut().unwrap()));
    assert_eq!((stands(&whole), whole.refunded().minor()), ("done", 750));
    assert_eq!(whole.vars["units"], Value::whole(3), "two of one line and one of the other");
    assert!(cuts.len() >= 8, "{} commits", cuts.len());
    for cut in cuts {
        let merchant = cut.reopen("acme").unwrap();
        assert_eq!(to_the_end(&cut, &merchant, id, |_| {}), whole);
    }
}

#[test]
fn an_event_wins_the_race_and_the_timer_of_the_other_side_finds_nothing() {
    let shop = crowd();
    let case = opened(&shop);
    assert_eq!(case.lanes.keys().map(ToString::to_string).collect::<Vec<_>>(), ["race.event", "race.person"]);
    let fields = Fields::from([("rma".to_owned(), Value::text(&case.number)), ("parcels".to_owned(), Value::whole(1))]);
    let event = Event { name: "goods_received".to_owned(), fields };
    shop.merchant.command(case.id, Body::Event(event)).unwrap();
    let case = shop.case(&case).unwrap();
    assert_eq!((stands(&case), case.vars.get("who")), ("asked", Some(&Value::text("event"))));
    assert!(case.lanes.is_empty() && case.tasks.values().all(|task| task.lane.is_main()), "{:?}", case.tasks);
    shop.pass(Span::from_days(5)).unwrap();
    let entries = shop.entries(case.id).unwrap();
    let ignored = entries.iter().filter(|entry| matches!(entry, Entry::Ignored { .. })).count();
    assert_eq!(ignored, 2, "the review's timer and the event's");
}

#[tokio::test]
async fn a_case_and_its_timeline_tell_over_http_where_its_lanes_stand() {
    let shop = crowd();
    let case = opened(&shop);
    let web = Web::of(&shop.world).unwrap();
    let key = web.key(shop.merchant.engine.record().id, Role::Agent).unwrap();
    let told = web.ask("GET", &format!("/v1/cases/{}", case.id)).by(&key).send().await.json();
    assert_eq!((told["status"].as_str(), told["step"].as_str()), (Some("waiting"), Some("race")));
    let lanes: Vec<_> = told["lanes"].as_array().unwrap().iter().map(|lane| (&lane["lane"], &lane["step"])).collect();
    assert_eq!(
        format!("{lanes:?}"),
        r#"[(String("race.event"), String("goods")), (String("race.person"), String("look"))]"#
    );
    assert!(told["lanes"][0]["until"].is_string() && told["lanes"][0]["status"] == "waiting", "{told}");
    assert_eq!((&told["tasks"][0]["lane"], &told["tasks"][0]["step"]), (&"race.person".into(), &"look".into()));
    let timeline = web.ask("GET", &format!("/v1/cases/{}/timeline", case.id)).by(&key).send().await.json();
    let entries = timeline["data"][0]["entries"].as_array().unwrap();
    let of =
        |kind: &str| entries.iter().find(|entry| entry["type"] == kind).unwrap_or_else(|| panic!("{kind}: {timeline}"));
    assert_eq!((&of("wait.began")["lane"], &of("wait.began")["step"]), (&"race.event".into(), &"goods".into()));
    assert_eq!(of("task.opened")["lane"], "race.person");
    let feed = web.ask("GET", "/v1/events").by(&key).send().await.json();
    let waiting = feed["data"].as_array().unwrap().iter().filter(|event| event["type"] == "case.waiting");
    let waiting: Vec<_> = waiting.map(|event| event["data"]["lane"].as_str().unwrap_or_default()).collect();
    assert_eq!(waiting, ["race.event", "race.person"]);
    assert!(of("lanes.opened").get("lane").is_none() && entries.iter().all(|entry| entry["type"] != "lane.entered"));
}

#[test]
fn what_two_branches_promise_in_one_turn_lapses_each_in_its_own_time() {
    let hold = |branch: &str, line: u32, days: u32| {
        let lines = format!("'=matched.lines.filter(l, l.line == {line})'");
        format!(
            "        {branch}:\n          - {{ id: hold_{branch}, approve: {{ lines: {lines}, until: {days}d }} }}\n"
        )
    };
    let document = format!(
        "steps:
  - {{ id: match, call: {{ plugin: std/purchase-match@0, with: {{ window_days: 90 }} }}, as: matched }}
  - id: both
    parallel:
      branches:
{}{}  - {{ id: look, review: {{ queue: q, title: Look, next: {{ done: done }}, timeout: {{ never: a person must look }} }} }}
  - {{ id: done, finish: {{ result: done }} }}
",
        hold("long", 1, 30),
        hold("short", 0, 2)
    );
    let shop = Shop::with(&document).unwrap();
    shop.merchant.order(&order("1001", "c1", days_ago(10), &[("A1", 3, "2.50"), ("B2", 3, "1.50")]).unwrap()).unwrap();
    let case = shop.open(&[("A1", 2), ("B2", 1)]).unwrap();
    let held = || (shop.line("1001", 0).unwrap().0, shop.line("1001", 1).unwrap().0);
    assert_eq!((stands(&case), held()), ("look", (2, 1)));
    shop.pass(Span::from_days(2)).unwrap();
    assert_eq!(held(), (0, 1));
    shop.pass(Span::from_days(28)).unwrap();
    assert_eq!(held(), (0, 0));
}

/// Answer the open task of the lane that comes first.
fn answer_first(shop: &Shop, case: &Case, outcome: &str) {
    let case = shop.case(case).unwrap();
    let (id, _) = case.tasks.iter().min_by_key(|(_, task)| task.lane.clone()).expect("an open task");
    shop.merchant.complete(case.id, *id, outcome).unwrap();
}

#[test]
fn each_line_is_counted_two_at_once_and_what_was_said_is_put_together() {
    let shop = Shop::empty().unwrap();
    shop.merchant.publish(include_str!("../golden/kinds/for_each/good.yaml")).unwrap();
    for (answers, result) in [(["right", "right", "right"], "counted"), (["right", "wrong", "right"], "miscounted")] {
        let case = shop.open(&[("A1", 2), ("B2", 1), ("C3", 4)]).unwrap();
        assert_eq!(case.tasks.len(), 2);
        answers.iter().for_each(|answer| answer_first(&shop, &case, answer));
        let case = shop.case(&case).unwrap();
        assert_eq!((stands(&case), &case.vars["units"]), (result, &Value::whole(7)));
        assert_eq!(case.vars.contains_key("wrong"), result == "miscounted");
    }
}

#[test]
fn a_customer_is_asked_twice_at_most_for_what_is_missing() {
    let shop = Shop::empty().unwrap();
    shop.merchant.publish(include_str!("../golden/kinds/again/good.yaml")).unwrap();
    let case = shop.open(&[("A1", 1)]).unwrap();
    for _ in 0..3 {
        assert_eq!(stands(&shop.case(&case).unwrap()), "look");
        answer_first(&shop, &case, "incomplete");
    }
    let case = shop.case(&case).unwrap();
    assert_eq!((stands(&case), case.effects.len()), ("given_up", 3), "each reminder is one of its own");
}
