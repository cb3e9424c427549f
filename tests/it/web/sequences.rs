//! Requests that come again, in random sequences and at once: one answer, one effect.
//!
//! `REDRESS_SEQUENCES=100000` runs the whole of them; the usual run is a part that takes seconds.

use std::ops::AddAssign;
use std::sync::Arc;

use redress::keys::Role;
use redress_tests::shop::Shop;
use redress_tests::web::{Got, Web};
use redress_tests::world::{days_ago, order};
use serde_json::{Value as Json, json};
use tokio::task::JoinHandle;

/// One refund, and its end.
const PAY: &str = "
limits: { refund_max: 1.00 }
steps:
  - { id: pay, refund: { amount: 1.00 } }
  - { id: done, finish: { result: refunded } }
";

/// Sequences of the usual run.
const USUAL: usize = 800;
/// Sequences that run beside each other.
const AT_ONCE: usize = 16;

/// How often what was seen: a run that does not see all of it is blind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Seen {
    requests: u64,
    replayed: u64,
    reused: u64,
    in_flight: u64,
}

impl AddAssign for Seen {
    fn add_assign(&mut self, more: Self) {
        self.requests += more.requests;
        self.replayed += more.replayed;
        self.reused += more.reused;
        self.in_flight += more.in_flight;
    }
}

/// One request under a key, with one of two bodies.
struct Repeated {
    web: Web,
    by: String,
    name: String,
    address: String,
    bodies: [Json; 2],
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_request_that_comes_again_in_any_order_is_done_once() {
    let asked = std::env::var("REDRESS_SEQUENCES").ok().map(|text| text.parse().unwrap());
    let sequences: usize = asked.unwrap_or(USUAL);
    let shop = Shop::with(PAY).unwrap();
    shop.merchant.order(&order("o1", "c1", days_ago(10), &[("A1", 1, "2.55")]).unwrap()).unwrap();
    let web = Web::of(&shop.world).unwrap();
    let by = web.key(shop.merchant.engine.record().id, Role::Admin).unwrap();
    let seats = Arc::new(tokio::sync::Semaphore::new(AT_ONCE));
    let mut running = tokio::task::JoinSet::new();
    let mut seen = Seen::default();
    for n in 0..sequences {
        let seat = seats.clone().acquire_owned().await.unwrap();
        let (web, by) = (web.clone(), by.clone());
        running.spawn(async move {
            let seen = sequence(&web, &by, n).await;
            drop(seat);
            seen
        });
        while let Some(done) = running.try_join_next() {
            seen += done.unwrap();
        }
    }
    while let Some(done) = running.join_next().await {
        seen += done.unwrap();
    }
    println!("{sequences} sequences (REDRESS_SEQUENCES=100000 runs all): {seen:?}");
    let cases = shop.merchant.cases().unwrap();
    assert_eq!(cases.len(), sequences, "one case for each sequence");
    let blind = [seen.replayed, seen.reused, seen.in_flight].contains(&0);
    assert!(!blind || sequences < USUAL, "not everything was seen: {seen:?}");
}

/// A case is opened, and its refund settled; each request comes again and again, and another under its key.
async fn sequence(web: &Web, by: &str, n: usize) -> Seen {
    let mut dice = Dice(n as u64);
    let open = |quantity: u32| {
        json!({
            "kind": "return", "customer": { "id": format!("c{n}") }, "lines": [{ "sku": "A1", "quantity": quantity }],
        })
    };
    let opening = Repeated::new(web, by, format!("open-{n}"), "/v1/cases".to_owned(), [open(1), open(2)]);
    let (opened, mut seen) = opening.run(&mut dice).await;
    let listed = web.ask("GET", &format!("/v1/cases?customer=c{n}")).by(by).send().await.json();
    assert_eq!(listed["data"].as_array().map(Vec::len), Some(1), "sequence {n}: one case of the customer");
    let case = opened.json();
    assert_eq!(case["id"], listed["data"][0]["id"]);

    let effect = case["effects"][0]["key"].as_str().unwrap_or_else(|| panic!("{case}")).to_owned();
    let told = |reference: &str| json!({ "outcome": "confirmed", "reference": format!("{reference}-{n}") });
    let address = format!("/v1/effects/{effect}/outcome");
    let settling = Repeated::new(web, by, format!("settle-{n}"), address, [told("a"), told("b")]);
    let (settled, more) = settling.run(&mut dice).await;
    seen += more;
    let now = web.ask("GET", &format!("/v1/cases/{}", case["id"].as_str().unwrap())).by(by).send().await.json();
    assert_eq!(now["effects"].as_array().map(Vec::len), Some(1), "sequence {n}: one effect");
    assert_eq!((&now["status"], now["refunded"]["amount"].as_str()), (&json!("closed"), Some("1.00")));
    assert_eq!(settled.json()["reference"], now["effects"][0]["reference"], "sequence {n}: of the one that was first");
    seen
}

impl Repeated {
    fn new(web: &Web, by: &str, name: String, address: String, bodies: [Json; 2]) -> Self {
        Self { web: web.clone(), by: by.to_owned(), name, address, bodies }
    }

    /// Some requests one by one and some at once, until one was done; then each body once more.
    async fn run(&self, dice: &mut Dice) -> (Got, Seen) {
        let mut answers: Vec<(usize, Got)> = Vec::new();
        let mut seen = Seen::default();
        for _ in 0..2 + dice.roll(3) {
            let burst: Vec<usize> = (0..1 + dice.roll(4)).map(|_| usize::from(dice.roll(4) == 0)).collect();
            let sent: Vec<_> = burst.iter().map(|body| self.send(*body)).collect();
            for (body, sent) in burst.into_iter().zip(sent) {
                answers.push((body, sent.await.unwrap()));
            }
        }
        for body in [0, 1] {
            answers.push((body, self.send(body).await.unwrap()));
        }
        let first = self.check(&answers, &mut seen);
        (first, seen)
    }

    fn send(&self, body: usize) -> JoinHandle<Got> {
        let (web, by, name) = (self.web.clone(), self.by.clone(), self.name.clone());
        let (address, body) = (self.address.clone(), self.bodies[body].clone());
        // On a thread of its own, so that two are under way at once; each is waited for below its burst.
        tokio::runtime::Handle::current()
            .spawn(async move { web.ask("POST", &address).by(&by).named(&name).json(&body).send().await })
    }

    /// One body was done, once; it is always answered alike, the other never.
    fn check(&self, answers: &[(usize, Got)], seen: &mut Seen) -> Got {
        seen.requests += answers.len() as u64;
        let done: Vec<&(usize, Got)> = answers.iter().filter(|(_, got)| got.status.is_success()).collect();
        let is_first = |got: &Got| got.header("idempotent-replayed").is_none();
        let firsts: Vec<_> = done.iter().filter(|(_, got)| is_first(got)).collect();
        let [(winner, first)] = &firsts[..] else { panic!("{}: {} were done", self.name, firsts.len()) };
        for (body, got) in answers {
            if got.status.is_success() {
                assert_eq!(body, winner, "{}: two bodies under one key", self.name);
                assert_eq!((got.status, got.json()), (first.status, first.json()), "{}", self.name);
                let headers = |got: &Got| ["etag", "location"].map(|name| got.header(name).map(str::to_owned));
                assert_eq!(headers(got), headers(first), "{}", self.name);
                seen.replayed += u64::from(!is_first(got));
                continue;
            }
            match got.problem() {
                (422, code) if code == "idempotency_key_reused" && body != winner => seen.reused += 1,
                (409, code) if code == "idempotency_in_flight" => seen.in_flight += 1,
                other => panic!("{}: body {body} is answered {other:?}, {winner} was done", self.name),
            }
        }
        first.clone()
    }
}

/// Rolls that repeat with their seed (SplitMix64).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % sides
    }
}
