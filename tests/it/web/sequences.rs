//! Requests that come again, at once and later, under one name: the first answer, once, whatever the order.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use redress::keys::Role;
use redress_store::scan::{Direction, Scan};
use redress_tests::shop::Shop;
use redress_tests::web::{Got, Web};
use serde_json::{Value as Json, json};
use tokio::task::JoinSet;

/// How many sequences, unless `REDRESS_SEQUENCES` says otherwise. A hundred thousand take some minutes.
const SEQUENCES: usize = 4_000;
/// Sequences at once: more than there are workers, so that requests wait for each other.
const AT_ONCE: usize = 32;
const END: &str = "
steps:
  - { id: done, finish: { result: seen } }
";

/// Pseudo-random numbers that are the same for a seed: xorshift64* (S. Vigna, An experimental exploration of Marsaglia's
/// xorshift generators, scrambled, 2016).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32) % sides
    }
}

/// What was seen in all sequences.
#[derive(Default)]
struct Seen {
    first: AtomicUsize,
    again: AtomicUsize,
    in_flight: AtomicUsize,
    other: AtomicUsize,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_sequence_of_repeats_has_one_effect_and_one_answer() {
    let sequences = std::env::var("REDRESS_SEQUENCES").map_or(SEQUENCES, |text| text.parse().unwrap());
    let shop = Shop::with(END).unwrap();
    let web = Web::of(&shop.world).unwrap();
    let key = web.key(shop.merchant.engine.record().id, Role::Integrator).unwrap();
    let (seen, mut running) = (Arc::new(Seen::default()), JoinSet::new());
    for number in 0..sequences {
        if running.len() >= AT_ONCE {
            running.join_next().await.unwrap().unwrap();
        }
        let (web, key, seen) = (web.clone(), key.clone(), seen.clone());
        running.spawn(async move { sequence(&web, &key, number, &seen).await });
    }
    while let Some(ended) = running.join_next().await {
        ended.unwrap();
    }
    let count = |counter: &AtomicUsize| counter.load(Ordering::SeqCst);
    println!(
        "{sequences} sequences: {} repeats, {} told that the first is under way, {} told that the key is another's",
        count(&seen.again),
        count(&seen.in_flight),
        count(&seen.other)
    );
    assert_eq!(count(&seen.first), sequences, "each sequence was answered for the first time once");
    assert!(count(&seen.again) > 0 && count(&seen.in_flight) > 0 && count(&seen.other) > 0, "nothing was tried");
    assert_eq!(cases(&shop), sequences, "one effect for each key");
}

/// One name, two bodies, some requests at once and then some one after the other.
async fn sequence(web: &Web, key: &str, number: usize, seen: &Seen) {
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15 ^ (number as u64 + 1));
    let at_once = 1 + dice.roll(4);
    let bodies: Vec<u64> = (0..at_once).map(|_| dice.roll(4) / 3).collect();
    let mut together = JoinSet::new();
    for which in bodies {
        let (web, key) = (web.clone(), key.to_owned());
        together.spawn(async move { (which, ask(&web, &key, number, which).await) });
    }
    let mut answers = Vec::new();
    while let Some(answer) = together.join_next().await {
        answers.push(answer.unwrap());
    }
    // A request that was told to wait comes again; and some come again for no reason.
    let later = 1 + dice.roll(3);
    for _ in 0..later {
        let which = dice.roll(4) / 3;
        answers.push((which, ask(web, key, number, which).await));
    }
    judge(number, &answers, seen);
}

/// Whoever came first decides what the name stands for; all others follow.
fn judge(number: usize, answers: &[(u64, Got)], seen: &Seen) {
    let done: Vec<&(u64, Got)> = answers.iter().filter(|(_, got)| got.status == 201).collect();
    let (winner, answer) = done.first().map(|(which, got)| (*which, got.json())).expect("one request is answered");
    let fresh = done.iter().filter(|(_, got)| got.header("idempotent-replayed").is_none()).count();
    assert_eq!(fresh, 1, "sequence {number}: done once");
    seen.first.fetch_add(fresh, Ordering::SeqCst);
    seen.again.fetch_add(done.len() - fresh, Ordering::SeqCst);
    for (which, got) in answers {
        let code = if got.status == 201 { String::new() } else { got.problem().1 };
        match got.status.as_u16() {
            201 => assert_eq!((*which, got.json()), (winner, answer.clone()), "sequence {number}: the same answer"),
            409 => {
                assert_eq!(code, "idempotency_in_flight", "sequence {number}");
                seen.in_flight.fetch_add(1, Ordering::SeqCst);
            }
            422 => {
                assert_eq!((code.as_str(), *which != winner), ("idempotency_key_reused", true), "sequence {number}");
                seen.other.fetch_add(1, Ordering::SeqCst);
            }
            other => panic!("sequence {number}: {other} {code}"),
        }
    }
}

async fn ask(web: &Web, key: &str, number: usize, which: u64) -> Got {
    web.ask("POST", "/v1/cases").by(key).named(&format!("sequence-{number}")).json(&body(which)).send().await
}

fn body(which: u64) -> Json {
    json!({ "kind": "return", "lines": [{ "sku": "85123A", "quantity": 1 + which }] })
}

fn cases(shop: &Shop) -> usize {
    let snapshot = shop.merchant.engine.store().read().unwrap();
    let (mut count, mut cursor) = (0, None);
    loop {
        let page = snapshot.scan(&Scan::CasesByOpened, Direction::Forward, cursor.as_ref(), 1_000).unwrap();
        count += page.rows.len();
        cursor = page.next;
        if cursor.is_none() {
            return count;
        }
    }
}
