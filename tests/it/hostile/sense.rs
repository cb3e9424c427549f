//! Answers that are well formed and make no sense of the case: each goes to a person, and nothing is paid.

use redress_sandbox::Hook;
use redress_sandbox::contract::Verdict;
use redress_tests::guests::{Guest, quoting, taking};
use redress_tests::world::{World, a_return, days_ago, order};

use super::{a_shop, assert_nothing_left_the_shop, assert_waits_for_a_person, in_place_of_match};

#[test]
fn a_verdict_that_leaves_lines_out_decides_nothing() -> anyhow::Result<()> {
    let world = World::new()?;
    let merchant = a_shop(&world, "acme")?;
    let empty = Verdict { lines: Vec::new(), reasons: Vec::new(), duties: Vec::new(), provides: Vec::new() };
    for guest in [Guest::new(Hook::Eligibility).verdict(&empty), taking(1)] {
        merchant.push("purchase-match", &in_place_of_match(guest)?)?;
        let case = merchant.case(merchant.open(a_return("c1", &[("A1", 1), ("B2", 1)])?)?.case)?;
        assert_waits_for_a_person(&case, "match", "verdict_incomplete");
        assert_nothing_left_the_shop(&case);
    }
    Ok(())
}

#[test]
fn a_line_is_never_paid_out_of_the_purchase_of_other_goods() -> anyhow::Result<()> {
    let world = World::new()?;
    let merchant = a_shop(&world, "acme")?;
    merchant.push("refund-quote", &quoting(100, "GBP").component()?)?;
    // The first line is B2, the first purchase that of A1.
    let case = merchant.case(merchant.open(a_return("c1", &[("B2", 1), ("A1", 1)])?)?.case)?;
    assert_waits_for_a_person(&case, "quote", "wrong_goods");
    assert_nothing_left_the_shop(&case);
    Ok(())
}

#[test]
fn a_quote_pays_for_the_purchases_that_were_allowed_and_no_others() -> anyhow::Result<()> {
    let world = World::new()?;
    let merchant = a_shop(&world, "acme")?;
    // The match takes from the latest purchase, the quote pays out of the first.
    merchant.order(&order("1002", "c1", days_ago(5), &[("A1", 1, "1.00")])?)?;
    merchant.push("refund-quote", &quoting(250, "GBP").component()?)?;
    let case = merchant.case(merchant.open(a_return("c1", &[("A1", 1)])?)?.case)?;
    assert_waits_for_a_person(&case, "quote", "quote_not_allowed");
    assert_nothing_left_the_shop(&case);
    Ok(())
}
