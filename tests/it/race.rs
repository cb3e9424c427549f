//! Two returns of the same last unit at the same moment: one of them gets it, every time.

use std::sync::Barrier;

use redress_domain::case::Case;
use redress_domain::verdict::Remedy;
use redress_tests::world::{Merchant, World, a_return, days_ago, order};

const PLAIN: &str = include_str!("../fixtures/workflows/plain-return.yaml");
const ROUNDS: usize = 1_000;

#[test]
fn of_two_returns_of_the_last_unit_exactly_one_is_approved_in_each_of_a_thousand_rounds() {
    let world = World::new().unwrap();
    let merchant = world.merchant("acme").unwrap();
    merchant.publish(PLAIN).unwrap();
    for round in 0..ROUNDS {
        sell_one(&merchant, round);
    }
    let barrier = Barrier::new(2);
    let submit_all = || -> Vec<Case> {
        let submit = |round: usize| {
            let open = a_return(&customer(round), &[("A1", 1)]).unwrap();
            barrier.wait();
            let receipt = merchant.open(open).unwrap();
            merchant.case(receipt.case).unwrap()
        };
        (0..ROUNDS).map(submit).collect()
    };
    let (left, right) = std::thread::scope(|scope| {
        let other = std::thread::Builder::new().name("other customer".to_owned());
        let other = other.spawn_scoped(scope, submit_all).unwrap();
        (submit_all(), other.join().unwrap())
    });

    for (round, (left, right)) in left.iter().zip(&right).enumerate() {
        let (winner, loser) = if left.remedy() == Remedy::Allow { (left, right) } else { (right, left) };
        assert_eq!((winner.remedy(), loser.remedy()), (Remedy::Allow, Remedy::Deny), "round {round}");
        assert_eq!(loser.decisive_reasons(), ["not_purchased"], "round {round}");
        assert_eq!((winner.refunded().to_string(), loser.refunded().is_zero()), ("GBP 2.50".to_owned(), true));
        let ledger = merchant.ledger(&number(round)).unwrap().expect("a unit was taken");
        let line = ledger.line(0).expect("of the one line");
        assert_eq!((line.bought, line.reserved, line.returned), (1, 0, 1), "round {round}");
    }
    let conflicts = merchant.engine.counts().conflicts;
    println!("{conflicts} conflicts in {ROUNDS} rounds");
    assert!(conflicts > 0, "the two never met: nothing was tried");
}

fn number(round: usize) -> String {
    format!("order-{round}")
}

fn customer(round: usize) -> String {
    format!("customer-{round}")
}

fn sell_one(merchant: &Merchant, round: usize) {
    let order = order(&number(round), &customer(round), days_ago(10), &[("A1", 1, "2.50")]).unwrap();
    if round + 1 == ROUNDS {
        // The store takes batches in their order: once the last order is there, all are.
        merchant.order(&order).unwrap();
    } else {
        merchant.engine.put_order(&order, "test", order.id.as_str(), |result| assert!(result.is_ok())).unwrap();
    }
}
