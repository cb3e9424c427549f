//! `/v1/tasks`: listed, taken, given back, answered.

use redress::keys::Role;
use redress_domain::case::Case;
use redress_domain::case::command::Settled;
use redress_domain::clock::Span;
use redress_domain::value::Value;
use redress_tests::shop::{Shop, the_task};
use redress_tests::web::{Got, Web};
use redress_tests::world::{days_ago, order};
use serde_json::{Value as Json, json};

/// A person looks, twice.
const LOOK: &str = "
steps:
  - id: look
    review:
      queue: desk
      title: Look
      ask: { note: text?, fee: money?, day: date?, grade: [a, b] }
      next: { go: again, stop: done }
      timeout: { never: a person must look }
  - { id: again, review: { queue: office, title: Again, next: { go: done }, timeout: { never: a person must look } } }
  - { id: done, finish: { result: seen } }
";

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
}

impl Door {
    fn new(document: &str) -> Self {
        let shop = Shop::with(document).unwrap();
        shop.merchant.order(&order("o1", "c1", days_ago(10), &[("A1", 60, "2.55")]).unwrap()).unwrap();
        let web = Web::of(&shop.world).unwrap();
        Self { shop, web }
    }

    fn key(&self, role: Role) -> String {
        self.web.key(self.shop.merchant.engine.record().id, role).unwrap()
    }

    async fn get(&self, address: &str, key: &str) -> Got {
        self.web.ask("GET", address).by(key).send().await
    }

    async fn post(&self, task: &str, verb: &str, key: &str) -> Got {
        self.web.ask("POST", &format!("/v1/tasks/{task}/{verb}")).by(key).json(&json!({})).send().await
    }

    async fn complete(&self, task: &str, key: &str, body: &Json) -> Got {
        let name = redress_domain::ids::Digest::of(body.to_string().as_bytes()).short();
        self.web.ask("POST", &format!("/v1/tasks/{task}/complete")).by(key).named(&name).json(body).send().await
    }
}

fn task(case: &Case) -> String {
    the_task(case).0.to_string()
}

/// The id in a key, which actors are named by.
fn id(key: &str) -> &str {
    key.split('_').nth(1).unwrap()
}

#[tokio::test]
async fn a_task_is_listed_in_its_queue_with_who_has_taken_it() {
    let door = Door::new(LOOK);
    let (agent, viewer) = (door.key(Role::Agent), door.key(Role::Viewer));
    let opened = |_| {
        door.shop.world.pass(Span::from_days(1));
        door.shop.open(&[("A1", 1)]).unwrap()
    };
    let cases: Vec<_> = (0..3).map(opened).collect();
    let first = task(&cases[0]);
    let claimed = door.post(&first, "claim", &agent).await;
    assert_eq!((claimed.status.as_u16(), claimed.json()["tasks"][0]["assignee"].as_str()), (200, Some(id(&agent))));
    let list = async |query: &str| {
        let rows = door.get(&format!("/v1/tasks?{query}"), &viewer).await.json()["data"].as_array().unwrap().clone();
        rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let (second, third) = (task(&cases[1]), task(&cases[2]));
    assert_eq!(list("queue=desk").await, [first.clone(), second.clone(), third.clone()]);
    assert!(list("queue=office").await.is_empty());
    assert_eq!(list("assignee=none").await.len(), 2);
    assert_eq!(list(&format!("queue=desk&assignee={}", id(&agent))).await, [first.as_str()]);
    let read = door.get(&format!("/v1/tasks/{first}"), &viewer).await.json();
    assert_eq!((read["case"].as_str(), read["queue"].as_str()), (Some(&*cases[0].id.to_string()), Some("desk")));
    assert_eq!(read["about"], "review");
    let released = door.post(&first, "release", &agent).await;
    assert_eq!((released.status.as_u16(), released.json()["tasks"][0].get("assignee")), (200, None));
    door.complete(&first, &agent, &json!({ "outcome": "stop", "form": { "grade": "a" } })).await;
    assert_eq!(door.get(&format!("/v1/tasks/{first}"), &viewer).await.problem(), (404, "task_not_found".to_owned()));
}

#[tokio::test]
async fn of_two_who_take_a_task_at_once_one_gets_it() {
    let door = Door::new(LOOK);
    let (ada, bob) = (door.key(Role::Agent), door.key(Role::Agent));
    for _ in 0..20 {
        let case = door.shop.open(&[("A1", 1)]).unwrap();
        let id = task(&case);
        let (one, other) = tokio::join!(door.post(&id, "claim", &ada), door.post(&id, "claim", &bob));
        let (won, lost) = if one.status == 200 { (one, other) } else { (other, one) };
        assert_eq!((won.status.as_u16(), lost.problem()), (200, (409, "task_claimed".to_owned())));
    }
}

#[tokio::test]
async fn a_task_that_another_has_taken_is_answered_by_an_admin_alone() {
    let door = Door::new(LOOK);
    let (ada, bob, admin) = (door.key(Role::Agent), door.key(Role::Agent), door.key(Role::Admin));
    let case = door.shop.open(&[("A1", 1)]).unwrap();
    let id = task(&case);
    assert_eq!(door.post(&id, "claim", &ada).await.status, 200);
    let answer = json!({ "outcome": "go", "form": { "grade": "b" } });
    assert_eq!(door.complete(&id, &bob, &answer).await.problem(), (409, "task_claimed".to_owned()));
    assert_eq!(door.post(&id, "release", &bob).await.problem(), (409, "task_claimed".to_owned()));
    let done = door.complete(&id, &admin, &answer).await;
    assert_eq!((done.status.as_u16(), done.json()["step"].as_str()), (200, Some("again")), "{}", done.json());
}

#[tokio::test]
async fn a_form_is_read_as_the_review_asks_for_it() {
    let door = Door::new(LOOK);
    let agent = door.key(Role::Agent);
    let case = door.shop.open(&[("A1", 1)]).unwrap();
    let id = task(&case);
    for (form, pointer) in [
        (json!({ "grade": "c" }), "/form/grade"),
        (json!({ "grade": "a", "day": "soon" }), "/form/day"),
        (json!({ "grade": "a", "fee": "12.50" }), "/form/fee"),
        (json!({ "grade": "a", "note": 7 }), "/form/note"),
    ] {
        let wrong = door.complete(&id, &agent, &json!({ "outcome": "go", "form": form })).await;
        assert_eq!(wrong.problem(), (422, "body_invalid".to_owned()));
        assert_eq!(wrong.json()["errors"][0]["pointer"], pointer);
    }
    for form in [json!({}), json!({ "grade": "a", "colour": "red" })] {
        let wrong = door.complete(&id, &agent, &json!({ "outcome": "go", "form": form })).await;
        assert_eq!(wrong.problem(), (422, "wrong_form".to_owned()));
    }
    let other = door.complete(&id, &agent, &json!({ "outcome": "burn", "form": { "grade": "a" } })).await;
    assert_eq!(other.problem(), (422, "unknown_outcome".to_owned()));
    let form =
        json!({ "grade": "a", "note": "torn", "fee": { "amount": "1.50", "currency": "GBP" }, "day": "2026-03-02" });
    let done = door.complete(&id, &agent, &json!({ "outcome": "go", "form": form, "reason": "seen by me" })).await;
    assert_eq!(done.status, 200, "{}", done.json());
    let case = door.shop.case(&case).unwrap();
    let given = case.output("look").unwrap();
    let Value::Object(given) = given else { panic!("{given:?}") };
    assert_eq!(given["fee"].to_string(), "GBP 1.50");
    assert_eq!(given["day"].to_string(), "2026-03-02");
    let second = door.complete(&task(&case), &agent, &json!({ "outcome": "go", "form": { "a": 1 } })).await;
    assert_eq!(second.problem(), (422, "wrong_form".to_owned()), "this review asks for nothing");
}

#[tokio::test]
async fn what_became_of_money_only_an_admin_says() {
    let door = Door::new(PAY);
    let (agent, admin) = (door.key(Role::Agent), door.key(Role::Admin));
    let case = door.shop.open(&[("A1", 1)]).unwrap();
    let case = door.shop.settle(&case, "pay", None, Settled::Unknown).unwrap();
    let (id, answer) = (task(&case), json!({ "outcome": "paid", "reason": "the bank says so" }));
    assert_eq!(door.complete(&id, &agent, &answer).await.problem(), (403, "not_allowed".to_owned()));
    let first = door.complete(&id, &admin, &answer).await;
    assert_eq!((first.status.as_u16(), first.json()["result"].as_str()), (200, Some("refunded")), "{}", first.json());
    let again = door.complete(&id, &admin, &answer).await;
    assert_eq!((again.json(), again.header("idempotent-replayed")), (first.json(), Some("true")));
}
