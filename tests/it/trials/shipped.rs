//! The tests of the workflows that come with the product: all pass, and reach all there is. And those of the reference.

use redress::cli::Exit;

use super::{Folder, command};

const README: &str = include_str!("../../../workflows/README.md");

/// The bases, and the merchants that come with them: what leaves its currency to a merchant has tests that name one.
const WORKFLOWS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../workflows");

#[test]
fn all_workflows_that_come_along_do_what_their_tests_say_and_the_tests_reach_all_of_them() {
    let ran = command(&["workflow", "test", WORKFLOWS, "--output", "json"]);
    let json = ran.json();
    let failed: Vec<_> = json["tests"].as_array().unwrap().iter().filter(|test| test["passed"] == false).collect();
    assert!(failed.is_empty() && ran.exit == Exit::Done, "{failed:#?}{}", ran.talk);
    let coverage = json["coverage"].as_array().unwrap();
    assert!(coverage.len() >= 7, "{coverage:#?}");
    for of in coverage {
        for sort in ["steps", "arms", "rows", "answers", "timeouts"] {
            let missed = of[sort]["missed"].as_array().map_or(0, Vec::len);
            assert_eq!(missed, 0, "{of:#}");
        }
    }
}

/// The block of YAML that has this line.
fn block(line: &str) -> &'static str {
    let (before, after) = README.split_once(&format!("\n{line}\n")).unwrap();
    let start = before.rfind("```yaml\n").unwrap() + "```yaml\n".len();
    let end = before.len() + after.find("\n```\n").unwrap() + line.len() + 3;
    &README[start..end]
}

#[test]
fn the_tests_of_the_reference_are_those_of_its_workflow() {
    let (workflow, tests) = (block("workflow: small-returns"), block("tests_for: small-returns"));
    let folder = Folder::with(&[("small.yaml", workflow), ("small.test.yaml", tests)]);
    let ran = command(&["workflow", "test", &folder.path("")]);
    assert_eq!(ran.exit, Exit::Done, "{}{}", ran.data, ran.talk);
    assert!(ran.data.ends_with("4 passed, 0 failed\n"), "{}", ran.data);
    // The same inside the workflow: what stands for all tests there is written in each.
    let given = "given: { case: { customer: c1, lines: [{ sku: A1 }] } }";
    let inside = format!("{workflow}tests:\n  - {{ name: never bought, {given}, expect: {{ result: denied }} }}\n");
    let folder = Folder::with(&[("small.yaml", &inside)]);
    let ran = command(&["workflow", "test", &folder.path("small.yaml")]);
    assert!(ran.data.ends_with("1 passed, 0 failed\n"), "{}{}", ran.data, ran.talk);
}
