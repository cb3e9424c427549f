//! Answers that fit their question and must still not become money: what the ledger, the document's own cap and the case's
//! currency refuse goes to a person, and nothing is booked of it.

use redress_domain::case::{Case, EffectState};
use redress_domain::money::{Currency, Price};
use redress_domain::order::{Order, OrderLine};
use redress_tests::guests::quoting;
use redress_tests::world::{Merchant, World, a_return, days_ago, order};

use super::{PLAIN, assert_nothing_left_the_shop, assert_waits_for_a_person, held_of, only_task, settle_all};

const TWO_REFUNDS: &str = include_str!("../../fixtures/workflows/two-refunds.yaml");

/// A merchant whose refund plugin says 5.00 for one unit whenever it is asked, and who pays what it says twice.
fn a_generous_shop(world: &World, workflow: &str, units: u32) -> anyhow::Result<Merchant> {
    let merchant = world.merchant("acme")?;
    merchant.push("refund-quote", &quoting(500, "GBP").component()?)?;
    merchant.publish(workflow)?;
    merchant.order(&order("1001", "c1", days_ago(10), &[("A1", units, "8.00")])?)?;
    Ok(merchant)
}

/// The first refund was paid; the second was not, and only a person can go on.
fn assert_paid_once(merchant: &Merchant, case: &Case, code: &str) -> anyhow::Result<()> {
    assert_waits_for_a_person(case, "more", code);
    let states: Vec<EffectState> = case.effects.values().map(|effect| effect.state).collect();
    assert_eq!((states.as_slice(), case.refunded().to_string().as_str()), (&[EffectState::Confirmed][..], "GBP 5.00"));
    assert!(case.reserved.is_empty(), "{:?}", case.reserved);
    assert_eq!(held_of(merchant, 0)?, (0, 1));
    Ok(())
}

#[test]
fn the_earlier_refund_of_a_case_counts_for_what_the_document_allows() -> anyhow::Result<()> {
    let world = World::new()?;
    let merchant = a_generous_shop(&world, &TWO_REFUNDS.replace("100.00", "9.99"), 3)?;
    let case = settle_all(&merchant, merchant.open(a_return("c1", &[("A1", 3)])?)?.case)?;
    assert_paid_once(&merchant, &case, "refund_exceeds_limit")?;

    // Trying again changes nothing; ending the case leaves what was paid.
    merchant.complete(case.id, only_task(&case).0, "try_again")?;
    let case = merchant.case(case.id)?;
    assert_paid_once(&merchant, &case, "refund_exceeds_limit")?;
    merchant.complete(case.id, only_task(&case).0, "close")?;
    let case = merchant.case(case.id)?;
    assert_eq!((case.result.as_deref(), case.refunded().to_string()), (Some("cancelled"), "GBP 5.00".to_owned()));

    // One penny more would have been enough: the cap and nothing else stood in the way.
    merchant.publish(&TWO_REFUNDS.replace("100.00", "10.00"))?;
    let case = settle_all(&merchant, merchant.open(a_return("c1", &[("A1", 2)])?)?.case)?;
    assert_eq!((case.result.as_deref(), case.refunded().to_string()), (Some("refunded"), "GBP 10.00".to_owned()));
    Ok(())
}

#[test]
fn an_amount_that_was_open_when_asked_is_not_paid_once_it_is_gone() -> anyhow::Result<()> {
    let world = World::new()?;
    // 8.00 for two units: each answer of 5.00 is within what was paid, both are not.
    let merchant = a_generous_shop(&world, TWO_REFUNDS, 1)?;
    merchant.order(&order("1002", "c2", days_ago(10), &[("A1", 2, "4.00")])?)?;
    let case = settle_all(&merchant, merchant.open(a_return("c2", &[("A1", 2)])?)?.case)?;
    assert_waits_for_a_person(&case, "more", "refund_exceeds_payment");
    assert_eq!((case.refunded().to_string(), case.reserved.is_empty()), ("GBP 5.00".to_owned(), true));
    Ok(())
}

#[test]
fn a_unit_that_was_left_when_asked_is_not_taken_twice() -> anyhow::Result<()> {
    let world = World::new()?;
    let merchant = a_generous_shop(&world, TWO_REFUNDS, 1)?;
    let case = settle_all(&merchant, merchant.open(a_return("c1", &[("A1", 1)])?)?.case)?;
    assert_paid_once(&merchant, &case, "quantity_exceeds_left")
}

#[test]
fn an_amount_in_the_currency_of_the_order_but_not_of_the_case_is_not_paid() -> anyhow::Result<()> {
    let world = World::new()?;
    let merchant = world.merchant("acme")?;
    merchant.push("refund-quote", &quoting(250, "EUR").component()?)?;
    merchant.publish(PLAIN)?;
    merchant.order(&in_euros(order("1001", "c1", days_ago(10), &[("A1", 3, "2.50")])?)?)?;
    let case = merchant.case(merchant.open(a_return("c1", &[("A1", 1)])?)?.case)?;
    assert_waits_for_a_person(&case, "quote", "wrong_currency");
    assert_nothing_left_the_shop(&case);
    assert_eq!(held_of(&merchant, 0)?, (0, 0));
    Ok(())
}

/// The same order, paid in euros.
fn in_euros(order: Order) -> anyhow::Result<Order> {
    let currency: Currency = "EUR".parse()?;
    let line = |line: OrderLine| {
        let unit_price = Price::new(line.unit_price.amount(), currency);
        let paid = OrderLine::price_of(unit_price, line.quantity)?;
        Ok(OrderLine { unit_price, paid, ..line })
    };
    let lines = order.lines.into_iter().map(line).collect::<anyhow::Result<_>>()?;
    Ok(Order { currency, lines, ..order })
}
