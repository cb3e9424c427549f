//! `/v1/events`: in the order of the commits, without a gap, resumed where a reader was.

use std::collections::BTreeSet;
use std::time::Duration;

use redress::http::events::TYPES;
use redress::http::events::stream::{STREAMS_MAX, Streams};
use redress::http::tenancy::State;
use redress::keys::{Keys, Role};
use redress_domain::case::command::Settled;
use redress_tests::shop::{Shop, the_task};
use redress_tests::web::{Got, Web};
use redress_tests::world::{days_ago, order};
use serde_json::{Value as Json, json};

const PAY: &str = "
steps:
  - { id: match, call: { plugin: std/purchase-match@0, with: { window_days: 90 } } }
  - { id: quote, call: { plugin: std/refund-quote@0 }, as: quote }
  - { id: pay, refund: { quote: =quote } }
  - { id: look, review: { queue: desk, title: Look at it, next: { go: done }, timeout: { never: a person must look } } }
  - { id: done, finish: { result: refunded } }
";

struct Door {
    shop: Shop,
    web: Web,
    key: String,
}

impl Door {
    fn new() -> Self {
        Self::with(Streams::default())
    }

    fn with(streams: Streams) -> Self {
        let shop = Shop::with(PAY).unwrap();
        shop.merchant.order(&order("o1", "c1", days_ago(10), &[("A1", 600, "2.55")]).unwrap()).unwrap();
        let keys = Keys::load(shop.world.app.host()).unwrap();
        let mut state = State::new(shop.world.app.clone(), keys);
        state.streams = streams;
        let web = Web::on(state);
        let key = web.key(shop.merchant.engine.record().id, Role::Integrator).unwrap();
        Self { shop, web, key }
    }

    /// A whole case: paid, looked at, ended.
    fn case(&self) {
        let case = self.shop.open(&[("A1", 1)]).unwrap();
        self.shop.settle(&case, "pay", None, Settled::Confirmed).unwrap();
        self.shop.answer(&case, "go", &[]).unwrap();
    }

    async fn page(&self, query: &str) -> Got {
        self.web.ask("GET", &format!("/v1/events?{query}")).by(&self.key).send().await
    }

    /// Everything behind a place.
    async fn all(&self, limit: usize, after: Option<String>) -> Vec<Json> {
        let (mut events, mut after) = (Vec::new(), after);
        for _ in 0..1_000 {
            let behind = after.map(|id| format!("&after={id}")).unwrap_or_default();
            let page = self.page(&format!("limit={limit}{behind}")).await.json();
            events.extend(page["data"].as_array().unwrap().clone());
            if page["has_more"] == json!(false) {
                return events;
            }
            after = Some(page["next_cursor"].as_str().unwrap().to_owned());
        }
        panic!("the list goes on");
    }
}

fn text(json: &Json) -> String {
    json.as_str().unwrap().to_owned()
}

#[tokio::test]
async fn what_happened_is_told_in_order_and_continues_behind_any_event() {
    let door = Door::new();
    door.case();
    let all = door.all(100, None).await;
    let types: Vec<_> = all.iter().map(|event| text(&event["type"])).collect();
    let wanted = "workflow.published case.opened effect.intended case.waiting effect.confirmed refund.confirmed task.opened \
                  case.waiting task.completed case.closed";
    assert_eq!(types.iter().filter(|kind| *kind != "plugin.activated").cloned().collect::<Vec<_>>().join(" "), wanted);
    for event in &all {
        assert_eq!((event["specversion"].as_str(), event["source"].as_str()), (Some("1.0"), Some("/tenants/acme")));
        assert!(TYPES.iter().any(|(name, _)| event["type"] == *name), "{event}");
    }
    let refund = all.iter().find(|event| event["type"] == "refund.confirmed").unwrap();
    assert_eq!(refund["data"]["amount"], json!({ "amount": "2.55", "currency": "GBP" }));
    let ids: BTreeSet<_> = all.iter().map(|event| text(&event["id"])).collect();
    assert_eq!(ids.len(), all.len(), "an id is of one event");
    for (place, event) in all.iter().enumerate() {
        assert_eq!(door.all(1, Some(text(&event["id"]))).await, all[place + 1..], "behind event {place}");
    }
    assert!(!serde_json::to_string(&all).unwrap().contains("\"c1\""), "no customer");
}

#[tokio::test]
async fn a_reader_at_the_end_waits_at_its_place_and_a_place_that_is_none_is_refused() {
    let door = Door::new();
    door.case();
    let page = door.page("limit=100").await.json();
    let end = text(&page["next_cursor"]);
    let empty = door.page(&format!("after={end}")).await.json();
    assert_eq!((empty["data"].clone(), empty["has_more"].clone()), (json!([]), json!(false)));
    assert_eq!(text(&empty["next_cursor"]), end);
    door.case();
    assert_eq!(door.all(3, Some(end)).await.len(), 9);
    for wrong in ["evt_x", "7", "evt_AAAAAAAAAAAAAAAA", "evt_f_______________"] {
        assert_eq!(door.page(&format!("after={wrong}")).await.problem(), (400, "cursor_invalid".to_owned()), "{wrong}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_is_resumed_misses_nothing_and_repeats_nothing_while_cases_are_opened() {
    const CASES: usize = 40;
    let door = Door::new();
    let begin = text(&door.page("limit=100").await.json()["next_cursor"]);
    let (mut seen, mut last) = (Vec::new(), begin.clone());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| (0..CASES / 2).for_each(|_| door.case()));
        }
        tokio::task::block_in_place(|| {
            tokio::runtime::Handle::current().block_on(async {
                // Every connection is lost after a few events, in the middle of turns too.
                for lost_after in (1..8).cycle() {
                    let address = "/v1/events/stream";
                    let mut stream =
                        door.web.ask("GET", address).by(&door.key).header("last-event-id", &last).follow().await;
                    for _ in 0..lost_after {
                        let (id, event) = stream.event().await.unwrap();
                        assert_eq!(event["id"], id);
                        seen.push(event);
                        last = id;
                        if seen.iter().filter(|event| event["type"] == "case.closed").count() == CASES {
                            return;
                        }
                    }
                }
            });
        });
    });
    assert_eq!(seen.len(), CASES * 9);
    assert_eq!(seen, door.all(100, Some(begin)).await, "as the list has them");
}

#[tokio::test]
async fn a_stream_begins_now_with_its_place_and_tells_what_happens_next() {
    let door = Door::new();
    door.case();
    let mut stream = door.web.ask("GET", "/v1/events/stream").by(&door.key).follow().await;
    let place = stream.message().await.unwrap();
    assert_eq!(
        place.strip_prefix("id: ").map(str::to_owned),
        Some(text(&door.page("limit=100").await.json()["next_cursor"]))
    );
    door.case();
    assert_eq!(stream.event().await.unwrap().1["type"], "case.opened");
    let message = stream.message().await.unwrap();
    assert!(message.lines().any(|line| line == "event: effect.intended"), "{message}");
}

#[tokio::test]
async fn a_silent_stream_says_that_it_is_there() {
    let door = Door::with(Streams::with_heartbeat(Duration::from_millis(20)));
    let mut stream = door.web.ask("GET", "/v1/events/stream").by(&door.key).follow().await;
    stream.message().await.unwrap();
    for _ in 0..3 {
        assert!(stream.message().await.unwrap().starts_with(':'));
    }
}

#[tokio::test]
async fn streams_end_when_the_host_stops_and_when_their_key_is_taken_back() {
    let door = Door::with(Streams::with_heartbeat(Duration::from_millis(20)));
    let other = door.web.key(door.shop.merchant.engine.record().id, Role::Viewer).unwrap();
    let revoked = door.web.ask("GET", "/v1/events/stream").by(&other).follow().await;
    let stopped = door.web.ask("GET", "/v1/events/stream").by(&door.key).follow().await;
    let (app, id) = (&door.web.state.app, other.split('_').nth(1).unwrap());
    door.web.state.keys.revoke(app.host(), id, app.clock().now()).unwrap();
    revoked.end().await;
    assert_eq!(door.web.state.streams.count(), 1, "the other one goes on");
    door.web.state.streams.stop();
    stopped.end().await;
    assert_eq!(door.web.state.streams.count(), 0);
}

#[tokio::test]
async fn a_tenant_holds_so_many_streams_open_and_no_more() {
    let door = Door::new();
    let mut open = Vec::new();
    for _ in 0..STREAMS_MAX {
        open.push(door.web.ask("GET", "/v1/events/stream").by(&door.key).follow().await);
    }
    let more = door.web.ask("GET", "/v1/events/stream").by(&door.key).send().await;
    assert_eq!((more.problem(), more.header("retry-after")), ((503, "overloaded".to_owned()), Some("15")));
    open.pop();
    door.web.ask("GET", "/v1/events/stream").by(&door.key).follow().await;
}

#[tokio::test]
async fn a_task_that_is_taken_and_answered_is_told_with_the_key_that_did_it() {
    let door = Door::new();
    let begin = text(&door.page("limit=100").await.json()["next_cursor"]);
    let case = door.shop.open(&[("A1", 1)]).unwrap();
    let case = door.shop.settle(&case, "pay", None, Settled::Confirmed).unwrap();
    let agent = door.web.key(door.shop.merchant.engine.record().id, Role::Agent).unwrap();
    let task = the_task(&case).0.to_string();
    for verb in ["claim", "release"] {
        door.web.ask("POST", &format!("/v1/tasks/{task}/{verb}")).by(&agent).json(&json!({})).send().await;
    }
    let all = door.all(100, Some(begin)).await;
    let of_task: Vec<_> = all.iter().filter(|event| event["data"]["task"] == *task).collect();
    let types: Vec<_> = of_task.iter().map(|event| text(&event["type"])).collect();
    assert_eq!(types, ["task.opened", "task.claimed", "task.released"]);
    assert_eq!(of_task[1]["data"]["by"].as_str(), agent.split('_').nth(1));
    assert!(!serde_json::to_string(&all).unwrap().contains("Look at it"), "a title may quote a customer");
}
