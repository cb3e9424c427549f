//! A return from submission to refund, through the real engine, store and plugins.

use redress::engine::Seen;
use redress_domain::case::Status;
use redress_domain::case::command::Settled;
use redress_domain::verdict::Remedy;
use redress_tests::world::{World, a_return, days_ago, from_history, order};

const PLAIN: &str = include_str!("../fixtures/workflows/plain-return.yaml");

#[test]
fn a_return_of_what_was_bought_is_refunded_once_the_provider_confirms() -> anyhow::Result<()> {
    let world = World::new()?;
    let merchant = world.merchant("acme")?;
    merchant.publish(PLAIN)?;
    merchant.order(&order("1001", "c1", days_ago(10), &[("A1", 3, "2.50")])?)?;
    let receipt = merchant.open(a_return("c1", &[("A1", 2)])?)?;

    let case = merchant.case(receipt.case)?;
    assert!(matches!(&case.status, Status::Waiting { step, .. } if step.as_str() == "pay"), "{:?}", case.status);
    let (key, _) = case.effects.iter().next().expect("one leg");
    merchant.settle(case.id, *key, Settled::Confirmed)?;
    let case = merchant.case(receipt.case)?;
    // The goods must still be put away before the case ends.
    let shelf = case.effects.iter().find(|(_, effect)| effect.step.as_str() == "shelf").expect("a restock");
    merchant.settle(case.id, *shelf.0, Settled::Confirmed)?;

    let case = merchant.case(receipt.case)?;
    assert_eq!(case.result.as_deref(), Some("refunded"));
    assert_eq!((case.remedy(), case.refunded().to_string()), (Remedy::Allow, "GBP 5.00".to_owned()));
    Ok(())
}

#[test]
fn a_return_from_the_past_is_decided_in_one_turn() -> anyhow::Result<()> {
    let world = World::new()?;
    let merchant = world.merchant("acme")?;
    merchant.publish(PLAIN)?;
    merchant.order(&order("1001", "c1", days_ago(10), &[("A1", 3, "2.50")])?)?;
    let receipt = merchant.open(from_history(a_return("c1", &[("A1", 2), ("B2", 1)])?, "R1"))?;
    let case = merchant.case(receipt.case)?;
    assert_eq!((case.turn, case.result.as_deref()), (1, Some("refunded")));
    assert_eq!(case.decisive_reasons(), ["not_purchased"]);
    assert_eq!(case.refunded().to_string(), "GBP 5.00");

    let again = merchant.open(from_history(a_return("c1", &[("A1", 2), ("B2", 1)])?, "R1"))?;
    assert_eq!((again.case, again.turn, again.seen), (case.id, 1, Seen::Unchanged));
    Ok(())
}
