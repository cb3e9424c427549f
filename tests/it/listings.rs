//! What is listed of tasks and effects follows the cases that they belong to.

use redress::engine::listing::{EffectListing, TaskListing};
use redress_domain::case::EffectState;
use redress_domain::case::command::Settled;
use redress_domain::clock::Span;
use redress_domain::codec;
use redress_domain::ids::Digest;
use redress_store::scan::{Direction, Scan};
use redress_tests::shop::{Shop, effect, the_task};
use redress_tests::world::{a_return, days_ago, from_history, order};

const PAY: &str = "
steps:
  - { id: match, call: { plugin: std/purchase-match@0, with: { window_days: 90 } } }
  - { id: quote, call: { plugin: std/refund-quote@0 }, as: quote }
  - { id: pay, refund: { quote: =quote } }
  - { id: done, finish: { result: refunded } }
";

const LOOK: &str = "
steps:
  - { id: look, review: { queue: desk, title: Look, next: { go: again }, timeout: { never: a person must look } } }
  - { id: again, review: { queue: office, title: Again, next: { go: done }, timeout: { never: a person must look } } }
  - { id: done, finish: { result: seen } }
";

const STATES: [&str; 4] = ["intended", "confirmed", "declined", "unknown"];

fn sold(document: &str) -> Shop {
    let shop = Shop::with(document).unwrap();
    shop.merchant.order(&order("1001", "c1", days_ago(10), &[("A1", 3, "2.50")]).unwrap()).unwrap();
    shop
}

fn listed(shop: &Shop, key: Digest) -> EffectListing {
    shop.merchant.engine.effect(key).unwrap().expect("a listing")
}

/// In which states an effect is listed.
fn states(shop: &Shop, key: Digest) -> Vec<&'static str> {
    let snapshot = shop.merchant.engine.store().read().unwrap();
    let is_in = |state: &&str| {
        let page = snapshot.scan(&Scan::EffectsByState((*state).to_owned()), Direction::Forward, None, 100).unwrap();
        page.rows.iter().any(|row| row.digest() == Some(key))
    };
    STATES.into_iter().filter(is_in).collect()
}

fn queue(shop: &Shop, queue: &str) -> Vec<TaskListing> {
    let snapshot = shop.merchant.engine.store().read().unwrap();
    let page = snapshot.scan(&Scan::TasksByQueue(queue.to_owned()), Direction::Forward, None, 100).unwrap();
    page.rows.iter().map(|row| codec::decode(&row.value).unwrap()).collect()
}

#[test]
fn an_effect_is_listed_in_the_one_state_that_it_is_in() {
    let shop = sold(PAY);
    let case = shop.open(&[("A1", 1)]).unwrap();
    let key = effect(&case, "pay", None);
    let first = listed(&shop, key);
    assert_eq!((first.what.as_str(), first.state, first.case), ("refund", EffectState::Intended, case.id));
    assert_eq!((first.amount.map(|amount| amount.minor()), first.number), (Some(250), case.number.clone()));
    assert_eq!(states(&shop, key), ["intended"]);
    shop.world.pass(Span::from_days(1));
    shop.settle(&case, "pay", None, Settled::Unknown).unwrap();
    assert_eq!(states(&shop, key), ["unknown"]);
    shop.answer(&case, "resend", &[]).unwrap();
    assert_eq!(states(&shop, key), ["intended"]);
    assert_eq!(listed(&shop, key).intended_at, first.intended_at, "it was wanted once");
    shop.settle(&case, "pay", None, Settled::Confirmed).unwrap();
    assert_eq!((states(&shop, key), listed(&shop, key).state), (vec!["confirmed"], EffectState::Confirmed));
    assert_eq!(shop.merchant.engine.effect(Digest::of(b"another")).unwrap(), None);
}

#[test]
fn an_effect_that_is_history_is_listed_as_it_ended_only() {
    let shop = sold(PAY);
    let past = shop.take(from_history(a_return("c1", &[("A1", 1)]).unwrap(), "R1")).unwrap();
    assert_eq!(states(&shop, effect(&past, "pay", None)), ["confirmed"]);
}

#[test]
fn a_task_stands_in_its_queue_for_as_long_as_it_is_open() {
    let shop = sold(LOOK);
    let (first, second) = (shop.open(&[("A1", 1)]).unwrap(), shop.open(&[("A1", 1)]).unwrap());
    let ids = |name: &str| queue(&shop, name).iter().map(|task| task.id).collect::<Vec<_>>();
    assert_eq!(ids("desk"), [the_task(&first).0, the_task(&second).0]);
    assert_eq!(queue(&shop, "desk")[0].task, the_task(&first).1);
    shop.answer(&first, "go", &[]).unwrap();
    assert_eq!(ids("desk"), [the_task(&second).0]);
    assert_eq!(ids("office"), [the_task(&shop.case(&first).unwrap()).0]);
    shop.answer(&first, "go", &[]).unwrap();
    assert_eq!(ids("office"), []);
}
