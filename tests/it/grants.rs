//! What plugins are told beside the case: what there is, of it what the manifest asks for, of that what the merchant grants.

use std::collections::BTreeSet;

use redress::engine::log::{self, What};
use redress::publish::grants::{self, Granting};
use redress::publish::way::Way;
use redress::replay::{self, exported};
use redress_domain::clock::Span;
use redress_domain::ids::{CaseId, OrderId};
use redress_domain::value::Value;
use redress_tests::guests::deny_all;
use redress_tests::world::{Merchant, World, a_return, admin, days_ago, from_history, order};
use serde_json::{Value as Json, json};

const WORKFLOW: &str = "format: 1
workflow: told
currency: GBP
triggers: [{ case_opened: { type: return } }]
steps:
  - { id: ask, call: { plugin: often@0 }, as: answer }
  - { id: other, call: { plugin: silent@0 }, as: other }
  - { id: end, finish: { result: done } }
";

fn asking_for(facts: &str) -> Vec<u8> {
    let manifest =
        format!(r#"{{"name":"guest","version":"0.1.0","sdk":"test","hook":"eligibility","facts":[{facts}]}}"#);
    deny_all().manifest(&manifest).component().unwrap()
}

fn grant(merchant: &Merchant, plugin: &str, facts: &[&str]) -> Result<BTreeSet<String>, redress::publish::Error> {
    let facts: BTreeSet<String> = facts.iter().map(ToString::to_string).collect();
    let by = admin();
    let granting = Granting { plugin, facts: &facts, note: "test", by: &by, way: Way::Api, answer: None };
    grants::grant(&merchant.engine, &granting)
}

fn opened(merchant: &Merchant, order: &str) -> anyhow::Result<CaseId> {
    let mut open = a_return("c1", &[("A1", 1)])?;
    open.order = Some(OrderId::new(order)?);
    Ok(merchant.open(open)?.case)
}

/// The facts in the requests of a case, as its plugins saw them.
fn seen(world: &World, merchant: &Merchant, case: CaseId) -> anyhow::Result<Vec<Json>> {
    let file = exported::export(&merchant.engine, &world.app.host().objects(), case)?.write();
    let file: Json = serde_json::from_slice(&file)?;
    let of = |decision: &Json| decision["question"]["case"]["facts"].clone();
    Ok(file["decisions"].as_array().unwrap().iter().map(of).collect())
}

#[test]
fn a_plugin_is_told_what_it_asks_for_and_is_granted_and_the_next_one_is_told_nothing() -> anyhow::Result<()> {
    let world = World::new()?;
    let merchant = world.bare_merchant("acme")?;
    let asks = asking_for(
        r#""customer.cases_365d","customer.refunds_365d","customer.last_case_at","order.lines","order.paid""#,
    );
    let refused = merchant.push("often", &asks).unwrap_err().to_string();
    assert!(refused.contains("is not granted: customer.cases_365d, customer.refunds_365d, "), "{refused}");
    let granted =
        ["customer.cases_365d", "customer.refunds_365d", "customer.last_case_at", "order.lines", "order.paid"];
    grant(&merchant, "often", &granted)?;
    merchant.push("often", &asks)?;
    merchant.push("silent", &asking_for(""))?;
    merchant.publish(WORKFLOW)?;
    merchant.order(&order("1001", "c1", days_ago(10), &[("A1", 3, "2.50"), ("B2", 1, "4.00")])?)?;

    let first = opened(&merchant, "1001")?;
    let number = |name: &str, n: i64| json!({ "key": name, "value": { "Integer": n } });
    let money = json!({ "key": "order.paid", "value": { "Money": { "minor": 1_150, "currency": "GBP" } } });
    let none_before = vec![number("customer.cases_365d", 0), number("customer.refunds_365d", 0)];
    let order_of = vec![number("order.lines", 2), money];
    assert_eq!(seen(&world, &merchant, first)?, [json!([none_before, order_of.clone()].concat()), json!([])]);

    // The case before counts for the next one; what lies further back than a year does not.
    let mut old = from_history(a_return("c1", &[("A1", 1)])?, "OLD");
    old.order = None;
    let mut submission = redress_tests::world::submission(
        redress::engine::Target::New,
        redress_domain::case::command::Body::Open(Box::new(old)),
    );
    submission.occurred_at = Some(days_ago(500));
    merchant.engine.execute(submission)?;
    world.pass(Span::from_millis(1_000));
    let second = opened(&merchant, "1001")?;
    let told = seen(&world, &merchant, second)?[0].as_array().unwrap().clone();
    assert_eq!(told[0], number("customer.cases_365d", 1));
    assert_eq!(told[1]["key"], "customer.last_case_at");
    // What was told is recorded, and the decision can be made again from it.
    let facts = &merchant.journal(second)?[0].facts.told;
    assert_eq!(facts.keys().collect::<Vec<_>>(), ["often@0"]);
    assert_eq!(facts["often@0"]["order.lines"], Value::whole(2));
    for case in [first, second] {
        assert_eq!(replay::case(&merchant.engine, case)?.different, 0);
    }
    Ok(())
}

#[test]
fn what_is_taken_back_is_not_told_from_the_next_turn_on_and_is_not_activated_again() -> anyhow::Result<()> {
    let world = World::new()?;
    let merchant = world.bare_merchant("acme")?;
    grant(&merchant, "often", &["customer.cases_365d"])?;
    let before = merchant.push("often", &asking_for(r#""customer.cases_365d""#))?;
    merchant.push("silent", &asking_for(""))?;
    merchant.publish(WORKFLOW)?;
    merchant.order(&order("1001", "c1", days_ago(10), &[("A1", 3, "2.50")])?)?;
    let told = opened(&merchant, "1001")?;
    merchant.push("often", &deny_all().component()?)?;
    grant(&merchant, "often", &[])?;
    assert_eq!(merchant.activate("often@0", before.digest).unwrap_err().code(), "plugin_not_granted");
    grant(&merchant, "often", &["customer.cases_365d"])?;
    merchant.activate("often@0", before.digest)?;
    grant(&merchant, "often", &[])?;
    let silent = opened(&merchant, "1001")?;
    assert_eq!(seen(&world, &merchant, silent)?[0], json!([]));
    // What was told then is told again when it is made again.
    assert_eq!(seen(&world, &merchant, told)?[0].as_array().map(Vec::len), Some(1));
    assert_eq!(replay::case(&merchant.engine, told)?.different, 0);
    let grants = log::read(&merchant.engine)?.into_iter().filter(|one| matches!(one.what, What::PluginGranted { .. }));
    assert_eq!(grants.count(), 4);
    Ok(())
}

#[test]
fn nobody_asks_for_or_grants_what_there_is_not() -> anyhow::Result<()> {
    let world = World::new()?;
    let merchant = world.bare_merchant("acme")?;
    assert_eq!(grant(&merchant, "often", &["customer.name"]).unwrap_err().code(), "fact_unknown");
    let refused = merchant.push("often", &asking_for(r#""customer.phone""#)).unwrap_err().to_string();
    assert!(refused.contains("customer.phone; there are customer.cases_365d, "), "{refused}");
    assert_eq!(grant(&merchant, "No Name", &[]).unwrap_err().code(), "plugin_name_invalid");
    assert_eq!(grants::of(&merchant.engine, "often")?, BTreeSet::new());
    Ok(())
}
