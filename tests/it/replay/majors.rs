//! A merchant's plugin that goes to the next major of the contract: cases before and after are decided, recorded and replayed side by side.

use redress_domain::clock::Instant;
use redress_domain::ids::CaseId;
use redress_sandbox::contract::Major;
use redress_sandbox::{Config, Limits, Sandbox};
use redress_tests::guests::{Guest, deny_all};
use redress_tests::world::{Merchant, START, World, a_return, days_ago, order, quick_folder};

use super::{all, assert_equal};

const TRIAL: &str = include_str!("../../../host/sandbox/trial/redress-plugin-2/types.wit");

const GUARDED: &str = "format: 1
workflow: guarded
currency: GBP
triggers: [{ case_opened: { type: return } }]
steps:
  - { id: ask, call: { plugin: guard@0 } }
  - { id: done, finish: { result: done } }
";

fn decided_by(merchant: &Merchant, guest: &Guest, customer: &str) -> anyhow::Result<CaseId> {
    merchant.push("guard", &guest.component()?)?;
    Ok(merchant.open(a_return(customer, &[("A1", 1)])?)?.case)
}

/// The major that each decision of a case was made in, and what it was.
fn decisions(merchant: &Merchant, case: CaseId) -> anyhow::Result<Vec<(u32, String)>> {
    let turns = merchant.journal(case)?;
    let asks = turns.into_iter().flat_map(|turn| turn.asks);
    Ok(asks.map(|asked| (asked.answered.contract, format!("{:?}", asked.answered.outcome))).collect())
}

#[test]
fn decisions_of_two_majors_name_theirs_and_come_out_again() -> anyhow::Result<()> {
    let limits = Limits { wall_clock_ms: 60_000, ..Limits::default() };
    let sandbox = Sandbox::new(Config { limits, spoken: Major::WITH_TRIAL, ..Config::default() })?;
    let folder = quick_folder()?;
    let world = World::with_sandbox(folder.path(), sandbox, Instant::from_unix_ms(START))?;
    let merchant = world.merchant("acme")?;
    merchant.order(&order("1001", "c1", days_ago(10), &[("A1", 3, "2.50")])?)?;
    merchant.order(&order("1002", "c2", days_ago(10), &[("A1", 3, "2.50")])?)?;
    merchant.push("guard", &deny_all().component()?)?;
    merchant.publish(GUARDED)?;
    let older = decided_by(&merchant, &deny_all(), "c1")?;
    let newer = decided_by(&merchant, &deny_all().contract(TRIAL), "c2")?;
    let (first, second) = (decisions(&merchant, older)?, decisions(&merchant, newer)?);
    let [(0, said)] = first.as_slice() else { panic!("{first:?}") };
    assert!(said.contains("deny_all"), "{said}");
    assert_eq!(second, [(2, said.clone())]);
    let report = all(&merchant)?;
    assert_equal(&report);
    assert_eq!((report.checked, report.unknown.len()), (2, 0), "{report:?}");
    Ok(())
}
