//! A plugin remembers nothing: each call has a fresh instance.

use redress_domain::case::{Case, Output};
use redress_domain::value::Value;
use redress_tests::guests::counting;
use redress_tests::world::{World, a_return};

const COUNT_TWICE: &str = include_str!("../../fixtures/workflows/count-twice.yaml");

#[test]
fn a_plugin_that_counts_its_calls_answers_one_each_time() -> anyhow::Result<()> {
    let world = World::new()?;
    let merchant = world.bare_merchant("acme")?;
    merchant.push("counter", &counting().component()?)?;
    merchant.publish(COUNT_TWICE)?;
    for customer in ["c1", "c2"] {
        let case = merchant.case(merchant.open(a_return(customer, &[("A1", 1)])?)?.case)?;
        assert_eq!((count(&case, "first"), count(&case, "second")), (Some(Value::whole(1)), Some(Value::whole(1))));
        assert_eq!(case.result.as_deref(), Some("alone"));
        let asks: Vec<_> = merchant.journal(case.id)?.into_iter().flat_map(|turn| turn.asks).collect();
        assert_eq!(asks.len(), 2);
        assert_eq!(asks[0].answered.fuel, asks[1].answered.fuel, "the same work each time");
    }
    // Another merchant's counter is the same component, loaded once.
    let other = world.bare_merchant("globex")?;
    other.push("counter", &counting().component()?)?;
    other.publish(COUNT_TWICE)?;
    let case = other.case(other.open(a_return("c1", &[("A1", 1)])?)?.case)?;
    assert_eq!(count(&case, "first"), Some(Value::whole(1)));
    Ok(())
}

/// What a step provided as `count`.
fn count(case: &Case, step: &str) -> Option<Value> {
    let Output::Values(fields) = case.outputs.get(step)? else { return None };
    let Value::Object(out) = fields.get("out")? else { return None };
    out.get("count").cloned()
}
