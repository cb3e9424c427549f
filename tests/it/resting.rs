//! A plugin that fails again and again is not asked for a while, and its cases go to a person at once.

use redress_domain::case::Status;
use redress_domain::clock::Span;
use redress_domain::ids::CaseId;
use redress_tests::guests::integer_step;
use redress_tests::world::{Merchant, World, a_return};

const WORKFLOW: &str = "format: 1
workflow: numbered
currency: GBP
triggers: [{ case_opened: { type: return } }]
steps:
  - { id: ask, call: { plugin: number@0 }, as: answer }
  - { id: end, finish: { result: done } }
";

fn opened(merchant: &Merchant) -> anyhow::Result<CaseId> {
    Ok(merchant.open(a_return("c1", &[("A1", 1)])?)?.case)
}

/// How the one question of a case failed, and the fuel of it.
fn failure(merchant: &Merchant, case: CaseId) -> anyhow::Result<(String, u64)> {
    let turns = merchant.journal(case)?;
    let answered = &turns[0].asks[0].answered;
    Ok((answered.outcome.as_ref().unwrap_err().code.clone(), answered.fuel))
}

#[test]
fn after_five_failures_a_person_is_asked_at_once_and_the_plugin_again_after_a_while() -> anyhow::Result<()> {
    let world = World::new()?;
    let merchant = world.bare_merchant("acme")?;
    let broken = merchant.push("number", &integer_step("n", "unreachable").component()?)?;
    merchant.publish(WORKFLOW)?;
    for _ in 0..5 {
        let case = opened(&merchant)?;
        assert_eq!(failure(&merchant, case)?.0, "plugin_trap");
    }
    let case = opened(&merchant)?;
    assert_eq!(failure(&merchant, case)?, ("plugin_resting".to_owned(), 0));
    let waiting = merchant.case(case)?;
    assert!(matches!(waiting.status, Status::Waiting { .. }), "{:?}", waiting.status);
    assert_eq!(waiting.tasks.len(), 1, "a person decides, as of every failure");
    assert!(merchant.engine.rests_until(broken.digest).is_some());

    // Its time is over: one is let through, and it fails still.
    world.pass(Span::from_millis(1_000));
    let (first, second) = (opened(&merchant)?, opened(&merchant)?);
    assert_eq!(failure(&merchant, first)?.0, "plugin_trap");
    assert_eq!(failure(&merchant, second)?.0, "plugin_resting");

    // Another component under its name is another matter.
    merchant.push("number", &integer_step("n", "(i64.const 1)").component()?)?;
    let case = opened(&merchant)?;
    assert_eq!(merchant.case(case)?.result.as_deref(), Some("done"));
    Ok(())
}

#[test]
fn a_plugin_that_says_that_it_cannot_decide_never_rests() -> anyhow::Result<()> {
    let world = World::new()?;
    let merchant = world.bare_merchant("acme")?;
    // The error of the step hook, with an empty list of reasons.
    let cannot = redress_tests::guests::Guest::new(redress_sandbox::Hook::Step)
        .body("(i32.store8 (i32.const 8192) (i32.const 1)) (i32.const 8192)");
    merchant.push("number", &cannot.component()?)?;
    merchant.publish(WORKFLOW)?;
    for _ in 0..8 {
        let case = opened(&merchant)?;
        assert_eq!(failure(&merchant, case)?.0, "plugin_cannot_decide");
    }
    Ok(())
}
