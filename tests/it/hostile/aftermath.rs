//! After a plugin failed: what a person can do, and what a better plugin changes.

use redress_domain::case::command::{Body, Complete, PersonVerdict};
use redress_domain::ids::{CaseId, Digest, TaskId};
use redress_domain::value::Fields;
use redress_domain::verdict::Remedy;
use redress_tests::world::{Merchant, World, a_return};

use super::{
    a_shop, assert_nothing_left_the_shop, assert_waits_for_a_person, doing, endless_loop, held_of, in_place_of_match,
    only_task, settle_all,
};

/// A shop whose matching fails, and the case that waits because of it.
fn a_failed_case(world: &World) -> anyhow::Result<(Merchant, CaseId, Digest)> {
    let merchant = a_shop(world, "acme")?;
    let hostile = merchant.push("purchase-match", &in_place_of_match(endless_loop())?)?;
    let case = merchant.open(a_return("c1", &[("A1", 2)])?)?.case;
    Ok((merchant, case, hostile.digest))
}

/// The stock plugin in place of the one that failed.
fn mend(merchant: &Merchant) -> anyhow::Result<Digest> {
    let stock = redress::publish::stock::find("purchase-match").expect("it is shipped");
    Ok(merchant.push("purchase-match", stock.bytes)?.digest)
}

/// A person's verdict on the only line, in place of the plugin's.
fn decide(merchant: &Merchant, case: CaseId, task: TaskId, remedy: Remedy, quantity: u32) -> anyhow::Result<()> {
    let reason = "seen_by_a_person".to_owned();
    let lines = vec![PersonVerdict { line: 0, remedy, quantity, reason }];
    let (outcome, form) = ("decide".to_owned(), Fields::new());
    merchant.command(case, Body::Complete(Complete { task, outcome, form, live: false, lines }))?;
    Ok(())
}

/// The components that a case asked, in order.
fn asked(merchant: &Merchant, case: CaseId) -> anyhow::Result<Vec<Digest>> {
    let turns = merchant.journal(case)?;
    Ok(turns.iter().flat_map(|turn| &turn.asks).map(|asked| asked.ask.digest).collect())
}

#[test]
fn a_case_keeps_the_plugin_it_began_with_and_new_cases_take_the_good_one() -> anyhow::Result<()> {
    let world = World::new()?;
    let (merchant, pinned, hostile) = a_failed_case(&world)?;
    let good = mend(&merchant)?;
    assert_ne!(good, hostile);

    // Trying again asks the same component: what a case is decided by does not change under it.
    let case = merchant.case(pinned)?;
    let first_task = only_task(&case).0;
    merchant.complete(pinned, first_task, "try_again")?;
    let again = merchant.case(pinned)?;
    assert_waits_for_a_person(&again, "match", "plugin_out_of_fuel");
    assert_ne!(only_task(&again).0, first_task, "a new task, since the old one was answered");
    assert_eq!((asked(&merchant, pinned)?, again.revision), (vec![hostile, hostile], case.revision));
    let refused = merchant.complete(pinned, first_task, "try_again").expect_err("the task was answered");
    assert_eq!(refused.code(), "task_not_open");

    let new = merchant.open(a_return("c1", &[("A1", 1)])?)?.case;
    let new = settle_all(&merchant, new)?;
    assert_eq!(new.result.as_deref(), Some("refunded"));
    assert_eq!(asked(&merchant, new.id)?[0], good);
    assert_ne!(new.revision, again.revision);
    Ok(())
}

#[test]
fn a_person_decides_in_place_of_the_plugin_and_the_case_goes_on() -> anyhow::Result<()> {
    let world = World::new()?;
    let (merchant, pinned, _) = a_failed_case(&world)?;
    mend(&merchant)?;
    let task = only_task(&merchant.case(pinned)?).0;
    decide(&merchant, pinned, task, Remedy::Allow, 1)?;
    assert_eq!(held_of(&merchant, 0)?, (0, 1), "the money is on its way, the unit is taken");

    let case = settle_all(&merchant, pinned)?;
    assert_eq!((case.result.as_deref(), case.refunded().to_string()), (Some("refunded"), "GBP 2.50".to_owned()));
    assert_eq!((case.remedy(), case.decisive_reasons()), (Remedy::Allow, vec!["seen_by_a_person"]));
    Ok(())
}

#[test]
fn a_person_who_denies_in_place_of_the_plugin_ends_the_case() -> anyhow::Result<()> {
    let world = World::new()?;
    let (merchant, pinned, _) = a_failed_case(&world)?;
    decide(&merchant, pinned, only_task(&merchant.case(pinned)?).0, Remedy::Deny, 0)?;
    let case = merchant.case(pinned)?;
    assert_eq!((case.result.as_deref(), case.remedy()), (Some("denied"), Remedy::Deny));
    assert_nothing_left_the_shop(&case);
    Ok(())
}

#[test]
fn a_person_cannot_decide_more_than_was_asked_for() -> anyhow::Result<()> {
    let world = World::new()?;
    let (merchant, pinned, _) = a_failed_case(&world)?;
    let task = only_task(&merchant.case(pinned)?).0;
    for (remedy, quantity) in [(Remedy::Allow, 3), (Remedy::Allow, 0), (Remedy::Review, 1)] {
        let refused = decide(&merchant, pinned, task, remedy, quantity).expect_err("no such verdict");
        assert!(format!("{refused:#}").contains("line 0 is allowed for 1 to 2 units, or denied"), "{refused:#}");
    }
    assert_waits_for_a_person(&merchant.case(pinned)?, "match", "plugin_out_of_fuel");
    Ok(())
}

#[test]
fn closing_the_task_ends_the_case_with_nothing_held() -> anyhow::Result<()> {
    let world = World::new()?;
    let (merchant, pinned, _) = a_failed_case(&world)?;
    merchant.complete(pinned, only_task(&merchant.case(pinned)?).0, "close")?;
    let case = merchant.case(pinned)?;
    assert!(case.is_closed() && case.tasks.is_empty());
    assert_eq!(case.result.as_deref(), Some("cancelled"));
    assert_nothing_left_the_shop(&case);
    assert_eq!(held_of(&merchant, 0)?, (0, 0));
    Ok(())
}

#[test]
fn an_amount_that_no_plugin_gave_is_nobodys_to_decide() -> anyhow::Result<()> {
    let world = World::new()?;
    let merchant = a_shop(&world, "acme")?;
    merchant.push("refund-quote", &doing(redress_sandbox::Hook::Refund, "unreachable").component()?)?;
    let case = merchant.case(merchant.open(a_return("c1", &[("A1", 2)])?)?.case)?;
    let task = only_task(&case).0;
    let refused = merchant.complete(case.id, task, "decide").expect_err("a quote is no verdict");
    assert_eq!(refused.code(), "unknown_outcome");
    merchant.complete(case.id, task, "close")?;
    assert_nothing_left_the_shop(&merchant.case(case.id)?);
    Ok(())
}

#[test]
fn a_failed_case_is_found_as_it_was_after_a_restart() -> anyhow::Result<()> {
    let world = World::new()?;
    let (merchant, pinned, hostile) = a_failed_case(&world)?;
    let before = merchant.case(pinned)?;
    mend(&merchant)?;
    drop(merchant);

    let world = world.restart()?;
    let merchant = world.reopen("acme")?;
    assert_eq!(merchant.case(pinned)?, before);
    merchant.complete(pinned, only_task(&before).0, "try_again")?;
    assert_waits_for_a_person(&merchant.case(pinned)?, "match", "plugin_out_of_fuel");
    assert_eq!(asked(&merchant, pinned)?, [hostile, hostile]);
    Ok(())
}
