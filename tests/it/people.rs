//! What people write is kept apart from the journal, so that it can be erased.

use redress::engine::personal;
use redress_domain::case::Output;
use redress_domain::case::command::{Body, Complete};
use redress_domain::codec;
use redress_domain::value::{Fields, Value};
use redress_store::batch::Version;
use redress_tests::world::{World, a_return};

const ASK: &str = include_str!("../fixtures/workflows/ask-a-person.yaml");
const NOTE: &str = "Anna of 4 Mill Lane says the box was wet";

#[test]
fn a_note_is_found_by_its_reference_and_never_in_journal_or_snapshot() -> anyhow::Result<()> {
    let world = World::new()?;
    let merchant = world.bare_merchant("acme")?;
    merchant.publish(ASK)?;
    let opened = merchant.open(a_return("c1", &[("A1", 1)])?)?.case;
    let task = *merchant.case(opened)?.tasks.keys().next().expect("a task");
    let form = Fields::from([("note".to_owned(), Value::text(NOTE)), ("state".to_owned(), Value::text("worn"))]);
    let complete = Complete { task, outcome: "accept".to_owned(), form, live: false, lines: Vec::new() };
    merchant.command(opened, Body::Complete(complete))?;

    let case = merchant.case(opened)?;
    let Some(Output::Values(given)) = case.outputs.get("look") else { panic!("the answer is an output") };
    assert_eq!(given.get("state"), Some(&Value::text("worn")), "a choice is no free text");
    let reference = given.get("note").map(ToString::to_string).expect("a reference");
    let rows = merchant.engine.store().journal(opened, Version(1), 10)?;
    let kept = rows.iter().map(|row| row.record.clone()).chain([codec::encode(&case)]);
    assert!(kept.into_iter().all(|bytes| !bytes.windows(NOTE.len()).any(|part| part == NOTE.as_bytes())));
    let found = personal::resolve(&merchant.engine.store().read()?, &case, &reference)?;
    assert_eq!(found.as_deref(), Some(NOTE));
    Ok(())
}
