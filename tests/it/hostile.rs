//! Plugins that mean harm, and what the product does about them: every way of failing ends at a person, with nothing reserved,
//! nothing refunded and nothing sent; other cases, merchants and plugins do not notice.

mod aftermath;
mod artifacts;
mod failures;
mod money;
mod neighbours;
mod sense;
mod stateless;
mod uploads;

use redress_domain::case::command::Settled;
use redress_domain::case::{About, Case, Status, Task};
use redress_domain::codec;
use redress_domain::ids::{CaseId, OrderId, TaskId};
use redress_domain::ledger::Ledger;
use redress_domain::verdict::Remedy;
use redress_sandbox::Hook;
use redress_tests::guests::Guest;
use redress_tests::world::{Merchant, World, days_ago, order};

const PLAIN: &str = include_str!("../fixtures/workflows/plain-return.yaml");

/// A merchant with the stock plugins and the plain workflow, whose customer `c1` bought 3 × A1 for 7.50 and 1 × B2 for 4.00.
fn a_shop(world: &World, slug: &str) -> anyhow::Result<Merchant> {
    let merchant = world.merchant(slug)?;
    merchant.publish(PLAIN)?;
    merchant.order(&order("1001", "c1", days_ago(10), &[("A1", 3, "2.50"), ("B2", 1, "4.00")])?)?;
    Ok(merchant)
}

/// The component of a guest that takes the parameters of `purchase-match`, so that it can stand in its place.
fn in_place_of_match(guest: Guest) -> anyhow::Result<Vec<u8>> {
    let manifest = r#"{"name":"guest","version":"0.1.0","sdk":"test","hook":"eligibility",
        "params":{"window_days":{"type":"integer"}}}"#;
    guest.manifest(manifest).component()
}

/// A guest for a hook with this body.
fn doing(hook: Hook, body: &str) -> Guest {
    Guest::new(hook).body(body)
}

fn endless_loop() -> Guest {
    doing(Hook::Eligibility, "(loop $for_ever (br $for_ever)) unreachable")
}

/// The one open task of a case.
fn only_task(case: &Case) -> (TaskId, &Task) {
    let mut tasks = case.tasks.iter();
    match (tasks.next(), tasks.next()) {
        (Some((id, task)), None) => (*id, task),
        _ => panic!("one task, not {:?}", case.tasks),
    }
}

/// The case waits at a step for a person who is told that it failed with this code.
fn assert_waits_for_a_person(case: &Case, step: &str, code: &str) {
    assert!(matches!(&case.status, Status::Waiting { step: at, until: None, .. } if at.as_str() == step), "{case:?}");
    let (_, task) = only_task(case);
    let About::Failure { step: failed, code: found } = &task.about else { panic!("{task:?}") };
    assert_eq!((failed.as_str(), found.as_str(), task.queue.as_str()), (step, code, "problems"), "{task:?}");
    assert!(task.title.contains(code), "{}", task.title);
    assert_eq!((case.remedy(), case.decisive_reasons()), (Remedy::Review, vec![code]));
    assert_eq!(case.result, None);
}

/// Nothing is promised to the case, paid to its customer or on its way.
fn assert_nothing_left_the_shop(case: &Case) {
    assert!(case.reserved.is_empty(), "{:?}", case.reserved);
    assert!(case.effects.is_empty(), "{:?}", case.effects);
    assert!(case.refunded().is_zero());
}

/// Units promised and returned of a line of order 1001.
fn held_of(merchant: &Merchant, line: u32) -> anyhow::Result<(u32, u32)> {
    let ledgers = merchant.engine.store().read()?.load_ledgers(&[OrderId::new("1001")?])?;
    let Some(Some(head)) = ledgers.into_iter().next() else { return Ok((0, 0)) };
    let ledger: Ledger = codec::decode(&head.bytes)?;
    Ok(ledger.line(line).map_or((0, 0), |line| (line.reserved, line.returned)))
}

/// Confirm every effect that is on its way, until none is left.
fn settle_all(merchant: &Merchant, case: CaseId) -> anyhow::Result<Case> {
    use redress_domain::case::EffectState;
    loop {
        let now = merchant.case(case)?;
        let open = now.effects.iter().find(|(_, effect)| effect.state == EffectState::Intended);
        let Some((key, _)) = open else { return Ok(now) };
        merchant.settle(case, *key, Settled::Confirmed)?;
    }
}
