//! Tests of workflows that run others, and of workflows that are run: no other case is opened, the test says how it ends.

use redress_domain::workflow::trial;

use super::{Bench, read, unmet, way};

const OUTER: &str = "format: 1
workflow: outer
currency: GBP
zone: Europe/London
triggers: [{ case_opened: { type: return } }]
vars: { told: text? }
steps:
  - { id: note, run: { workflow: note@active, with: { what: =case.number }, wait: no_wait } }
  - id: report
    run: { workflow: report@active, with: { device: =case.number }, timeout: { after: 5d, then: late } }
    as: report
    on_error: [{ match: sub_case_failed, then: refused }, { match: sub_case_cancelled, then: refused }]
  - { id: told, set: { told: =report.result } }
  - { id: done, finish: { result: reported } }
  - { id: late, finish: { result: late } }
  - { id: refused, finish: { result: refused } }
";

const CALLED: &str = "format: 1
workflow: report
currency: GBP
zone: Europe/London
triggers: [{ called: { inputs: [device, urgent] } }]
vars: { device: text, urgent: { type: bool, default: false } }
steps:
  - { id: pick, decide: [{ when: urgent, then: now }, { else: later }] }
  - { id: now, finish: { result: reported } }
  - { id: later, wait: { for: 2d }, then: now }
";

#[test]
fn a_test_says_how_a_sub_case_ends() {
    let bench = Bench::new();
    let outcomes = bench.run(
        OUTER,
        "tests:
  - name: it finishes
    play: [{ after: 1d, ended: report, result: reported }]
    expect: { path: [note, report, told, done], sub_cases: [report, note], vars: { told: reported }, result: reported }
  - name: it fails
    play: [{ ended: report, code: broken }]
    expect: { path: [note, report, refused] }
  - name: somebody cancels it
    play: [{ ended: report }]
    expect: { path: [note, report, refused] }
  - name: it takes too long
    play: [{ after: 6d }]
    expect: { result: late, sub_cases: [note, report] }
  - name: it ends twice
    play: [{ ended: report, result: reported }, { ended: report }]
    expect: { result: refused }
  - name: nothing was opened
    play: [{ ended: report, result: reported }]
    expect: { sub_cases: [report] }
",
    );
    for outcome in &outcomes[..4] {
        assert_eq!(unmet(outcome), [], "{}", outcome.name);
    }
    assert_eq!(way(&outcomes[0]), ["note", "report", "told", "done"]);
    assert!(unmet(&outcomes[4])[0].1.contains("no sub-case that has not ended"), "{:?}", unmet(&outcomes[4]));
    assert_eq!(unmet(&outcomes[5]), [("sub_cases", "[note, report]".to_owned())]);
}

#[test]
fn a_workflow_that_is_run_is_tried_with_inputs() {
    let bench = Bench::new();
    let outcomes = bench.run(
        CALLED,
        "tests:
  - name: at once
    given: { called: { device: D1, urgent: true } }
    expect: { path: [pick, now], vars: { device: D1 } }
  - name: later
    given: { called: { device: D1 } }
    play: [{ after: 2d }]
    expect: { path: [pick, later, now], result: reported }
",
    );
    outcomes.iter().for_each(|outcome| assert_eq!(unmet(outcome), [], "{}", outcome.name));
    assert_eq!(outcomes.len(), 2);
}

#[test]
fn what_does_not_fit_is_told_before_anything_runs() {
    let bench = Bench::new();
    let told = |workflow: &str, tests: &str| {
        let definition = bench.definition(workflow);
        let source = format!("format: 1\ntests_for: {}\ntests:\n  - {{ name: one, {tests} }}\n", definition.workflow);
        trial::load(&source, &definition).unwrap_err().into_iter().map(|found| found.code).collect::<Vec<_>>()
    };
    let expect = "expect: { status: closed }";
    assert_eq!(told(CALLED, expect), ["missing_field"], "the workflow only runs as a sub-case");
    assert_eq!(told(CALLED, &format!("given: {{ called: {{}} }}, {expect}")), ["missing_input"]);
    assert_eq!(
        told(CALLED, &format!("given: {{ called: {{ device: D1, urgnt: true }} }}, {expect}")),
        ["unknown_field"]
    );
    assert_eq!(told(CALLED, &format!("given: {{ called: {{ device: D1, urgent: 3 }} }}, {expect}")), ["wrong_type"]);
    assert_eq!(told(OUTER, &format!("given: {{ called: {{}} }}, {expect}")), ["not_callable"]);
    assert_eq!(told(OUTER, &format!("play: [{{ ended: told }}], {expect}")), ["wrong_step"]);
    assert_eq!(told(OUTER, &format!("play: [{{ ended: report, result: a, code: b }}], {expect}")), ["clash"]);
    assert_eq!(told(OUTER, &format!("play: [{{ after: 1d, result: a }}], {expect}")), ["never_taken"]);
    let definition = bench.definition(CALLED);
    assert_eq!(
        read(&definition, "tests: [{ name: one, given: { called: { device: D1 } }, expect: { status: waiting } }]\n")
            .len(),
        1
    );
}
