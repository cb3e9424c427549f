//! Tests of workflows that are started by their name: the test says by whom and with what.

use redress_domain::workflow::trial;

use super::{Bench, unmet, way};

const COUNT: &str = "format: 1
workflow: stock-count
currency: GBP
zone: Europe/London
triggers: [{ manual: { roles: [admin, integrator], type: count, requires: [reason], inputs: [shelf, urgent] } }]
vars: { shelf: text, urgent: { type: bool, default: false } }
steps:
  - { id: pick, decide: [{ when: 'urgent && case.type == \"count\"', then: now }, { else: later }] }
  - { id: now, finish: { result: counted } }
  - { id: later, wait: { for: 2d }, then: now }
";

#[test]
fn a_test_says_who_starts_the_case_and_with_what() {
    let bench = Bench::new();
    let outcomes = bench.run(
        COUNT,
        "given: { case: { reason: year_end } }
tests:
  - name: at once
    given: { manual: { inputs: { shelf: A7, urgent: true } } }
    expect: { path: [pick, now], vars: { shelf: A7 } }
  - name: later, by an integrator
    given: { manual: { role: integrator, inputs: { shelf: A7 } } }
    play: [{ after: 2d }]
    expect: { path: [pick, later, now], result: counted }
",
    );
    outcomes.iter().for_each(|outcome| assert_eq!(unmet(outcome), [], "{}", outcome.name));
    assert_eq!(way(&outcomes[1]), ["pick", "later", "now"]);
}

#[test]
fn what_does_not_fit_the_trigger_is_told_before_anything_runs() {
    let bench = Bench::new();
    let told = |workflow: &str, given: &str| {
        let definition = bench.definition(workflow);
        let name = &definition.workflow;
        let test = format!("{{ name: one, {given}expect: {{ status: closed }} }}");
        let source = format!("format: 1\ntests_for: {name}\ntests:\n  - {test}\n");
        trial::load(&source, &definition).unwrap_err().into_iter().map(|found| found.code).collect::<Vec<_>>()
    };
    assert_eq!(told(COUNT, ""), ["missing_field"], "nothing leads to it but its name");
    assert_eq!(told(COUNT, "given: { manual: {} }, "), ["missing_input"]);
    assert_eq!(told(COUNT, "given: { manual: { inputs: { shelf: A, urgnt: true } } }, "), ["unknown_field"]);
    assert_eq!(told(COUNT, "given: { manual: { inputs: { shelf: A, urgent: 3 } } }, "), ["wrong_type"]);
    assert_eq!(told(COUNT, "given: { manual: { role: agent, inputs: { shelf: A } } }, "), ["not_allowed"]);
    assert_eq!(told(COUNT, "given: { manual: { inputs: { shelf: A } }, called: {} }, "), ["clash"]);
    let opened = COUNT.replace(
        "manual: { roles: [admin, integrator], type: count, requires: [reason], inputs: [shelf, urgent] }",
        "case_opened: { type: count }",
    );
    let opened = opened.replace("shelf: text", "shelf: text?");
    assert_eq!(told(&opened, "given: { manual: {} }, "), ["not_startable"]);
}
