//! Deadlines on the running engine: timers in business time, the rows of queues, restarts, and evidence over HTTP.

use redress::engine::listing::TaskListing;
use redress::keys::Role;
use redress::publish::workflows;
use redress_domain::case::What;
use redress_domain::clock::Span;
use redress_domain::codec;
use redress_domain::value::Value;
use redress_store::scan::{Direction, Scan};
use redress_tests::shop::{Shop, refused, stands};
use redress_tests::web::Web;
use redress_tests::world::{Merchant, World, a_return};
use serde_json::json;

const LOOK: &str = r#"
calendar: { hours: "Mon-Fri 09:00-17:00", holidays: gb }
zone: Europe/London
steps:
  - id: look
    inspect:
      queue: desk
      ask: { state: [new, worn], photos: files(min=1) }
      sla: { due: 8bh, remind: [4bh], escalate: [{ after: 2bd, to: leads }] }
      timeout: { after: 10bd, then: late }
  - { id: done, finish: { result: seen } }
  - { id: late, finish: { result: late } }
"#;

fn queue(merchant: &Merchant, queue: &str) -> Vec<TaskListing> {
    let snapshot = merchant.engine.store().read().unwrap();
    let page = snapshot.scan(&Scan::TasksByQueue(queue.to_owned()), Direction::Forward, None, 100).unwrap();
    page.rows.iter().map(|row| codec::decode(&row.value).unwrap()).collect()
}

#[test]
fn an_escalated_task_is_listed_in_its_new_queue_alone() {
    let shop = Shop::with(LOOK).unwrap();
    let case = shop.open(&[("A1", 1)]).unwrap();
    assert_eq!((queue(&shop.merchant, "desk").len(), queue(&shop.merchant, "leads").len()), (1, 0));
    shop.pass(Span::from_days(1)).unwrap();
    let task = queue(&shop.merchant, "desk").remove(0).task;
    assert!(task.deadline.unwrap().overdue, "a day holds eight business hours");
    shop.pass(Span::from_days(5)).unwrap();
    assert_eq!((queue(&shop.merchant, "desk").len(), queue(&shop.merchant, "leads").len()), (0, 1));
    assert_eq!(stands(&shop.case(&case).unwrap()), "look");
    let effects = shop.case(&case).unwrap().effects;
    let notice = |what: &What| matches!(what, What::Notice { channel, .. } if channel == "queue");
    assert!(effects.len() == 2 && effects.values().all(|effect| notice(&effect.what)), "{effects:?}");
}

#[test]
fn a_restart_loses_no_deadline_and_reads_a_revision_by_the_holidays_that_it_was_published_with() {
    let world = World::new().unwrap();
    let merchant = world.bare_merchant("acme").unwrap();
    let text =
        format!("format: 1\nworkflow: tried\ncurrency: GBP\ntriggers: [{{ case_opened: {{ type: return }} }}]\n{LOOK}");
    let published = merchant.publish(&text).unwrap();
    assert_eq!(published.holidays.len(), 2, "the files of two years");
    let case = merchant.open(a_return("c1", &[("A1", 1)]).unwrap()).unwrap().case;
    let due = merchant.case(case).unwrap().tasks.values().next().unwrap().deadline.clone().unwrap();
    drop(merchant);
    let world = world.restart().unwrap();
    let merchant = world.reopen("acme").unwrap();
    let definition = merchant.engine.registry().definition(published.revision).unwrap();
    assert_eq!(definition.calendar.as_ref().unwrap().version(), due.holidays);
    let stored = workflows::find(&merchant.engine, published.revision).unwrap().unwrap();
    assert_eq!(stored.holidays, published.holidays);
    world.pass(Span::from_days(6));
    merchant.run_due().unwrap();
    assert_eq!((queue(&merchant, "desk").len(), queue(&merchant, "leads").len()), (0, 1));
}

#[tokio::test]
async fn evidence_comes_in_over_http_as_hashes_of_its_content() {
    let shop = Shop::with(LOOK).unwrap();
    let case = shop.open(&[("A1", 1)]).unwrap();
    let web = Web::of(&shop.world).unwrap();
    let key = web.key(shop.merchant.engine.record().id, Role::Agent).unwrap();
    let id = case.tasks.keys().next().unwrap().to_string();
    let shown = web.ask("GET", &format!("/v1/tasks/{id}")).by(&key).send().await.json();
    assert_eq!(shown["about"], "inspection");
    assert!(shown["due"].is_string(), "{shown}");
    let answer = async |name: &str, photos: serde_json::Value| {
        let body = json!({ "outcome": "done", "form": { "state": "new", "photos": photos } });
        web.ask("POST", &format!("/v1/tasks/{id}/complete")).by(&key).named(name).json(&body).send().await
    };
    let wrong = answer("a", json!(["photo.jpg"])).await;
    assert_eq!(wrong.problem(), (422, "wrong_form".to_owned()));
    let right = answer("b", json!([format!("sha256:{}", "ab".repeat(32))])).await;
    assert_eq!((right.status.as_u16(), right.json()["result"].as_str()), (200, Some("seen")), "{}", right.json());
}

#[test]
fn evidence_that_may_be_left_out_is_absent_where_it_is_and_whole_where_it_is_not() {
    let look = LOOK.replace("photos: files(min=1)", "photos: files(min=2)?").replace(
        "  - { id: done, finish",
        "    as: seen\n  - id: which\n    decide:\n      - { when: 'has(seen.photos) && size(seen.photos) > 1', then: shown }\n      - { else: done }\n  - { id: shown, finish: { result: shown } }\n  - { id: done, finish",
    );
    let shop = Shop::with(&look).unwrap();
    let photo = |digit: &str| Value::text(format!("sha256:{}", digit.repeat(64)));
    let answered = |photos: Option<Vec<Value>>| {
        let case = shop.open(&[("A1", 1)]).unwrap();
        let mut form = vec![("state", Value::text("new"))];
        form.extend(photos.map(|photos| ("photos", Value::List(photos))));
        match shop.answer(&case, "done", &form) {
            Ok(_) => Ok(stands(&shop.case(&case).unwrap()).to_owned()),
            error => Err(refused(error).message),
        }
    };
    assert_eq!(answered(None).unwrap(), "seen");
    assert_eq!(answered(Some(vec![photo("a"), photo("b")])).unwrap(), "shown");
    for few in [vec![photo("a")], vec![photo("a"), photo("a")], Vec::new()] {
        let refused = answered(Some(few)).unwrap_err();
        assert!(refused.contains("2 to 50 pieces of evidence"), "{refused}");
    }
}
