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

const PARCELS: &str = "format: 1
workflow: parcels
currency: GBP
zone: Europe/London
events: { parcel_found: { order: text, heavy: bool? } }
triggers:
  - event: { name: parcel_found, match: event.heavy == true, type: heavy, set: { shelf: big } }
  - event: { name: parcel_found, type: found, order: =event.order, reason: no_label }
vars: { shelf: { type: text, default: small } }
steps:
  - { id: pick, decide: [{ when: 'case.type == \"heavy\"', then: now }, { else: later }] }
  - { id: now, finish: { result: seen } }
  - { id: later, wait: { for: 2d }, then: now }
";

#[test]
fn a_test_says_which_event_starts_the_case() {
    let bench = Bench::new();
    let outcomes = bench.run(
        PARCELS,
        "tests:
  - name: heavy ones at once
    given: { event: { with: { order: '1001', heavy: true } } }
    expect: { path: [pick, now], vars: { shelf: big } }
  - name: others later
    given: { event: { name: parcel_found, with: { order: '1001' } } }
    play: [{ after: 2d }]
    expect: { path: [pick, later, now], vars: { shelf: small } }
",
    );
    outcomes.iter().for_each(|outcome| assert_eq!(unmet(outcome), [], "{}", outcome.name));
    assert_eq!(outcomes.len(), 2);
}

const DAILY: &str = "format: 1
workflow: daily
currency: GBP
zone: Europe/London
triggers: [{ schedule: { cron: 0 9 * * *, type: count } }, { schedule: { cron: 0 9 1 * *, type: audit } }]
steps:
  - { id: pick, decide: [{ when: 'case.type == \"audit\"', then: now }, { else: later }] }
  - { id: now, finish: { result: seen } }
  - { id: later, wait: { for: 2d }, then: now }
";

#[test]
fn a_test_says_that_the_time_of_a_schedule_has_come() {
    let bench = Bench::new();
    let outcomes = bench.run(
        DAILY,
        "tests:
  - name: the audit at once
    given: { schedule: { type: audit }, case: { opened_at: '2026-03-01 09:00' } }
    expect: { path: [pick, now] }
  - name: the count later
    given: { schedule: { type: count } }
    play: [{ after: 2d }]
    expect: { path: [pick, later, now] }
",
    );
    outcomes.iter().for_each(|outcome| assert_eq!(unmet(outcome), [], "{}", outcome.name));
    assert_eq!(outcomes.len(), 2);
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
    assert_eq!(told(DAILY, ""), ["missing_field"]);
    assert_eq!(told(DAILY, "given: { schedule: {} }, "), ["missing_field"], "of which type");
    assert_eq!(told(DAILY, "given: { schedule: { type: cuont } }, "), ["not_startable"]);
    assert_eq!(told(COUNT, "given: { schedule: {} }, "), ["not_startable"]);
    assert_eq!(told(PARCELS, ""), ["missing_field"]);
    assert_eq!(told(PARCELS, "given: { event: {} }, "), ["missing_input"]);
    assert_eq!(told(PARCELS, "given: { event: { name: parcel_fond } }, "), ["unknown_event"]);
    assert_eq!(told(PARCELS, "given: { event: { with: { order: x, size: 3 } } }, "), ["unknown_field"]);
    assert_eq!(told(PARCELS, "given: { event: { with: { order: x, heavy: 3 } } }, "), ["wrong_type"]);
    assert_eq!(told(PARCELS, "given: { event: { with: { order: '' } } }, "), ["wrong_event"]);
    assert_eq!(told(PARCELS, "given: { manual: {} }, "), ["not_startable"]);
    let only_heavy =
        PARCELS.replace("  - event: { name: parcel_found, type: found, order: =event.order, reason: no_label }\n", "");
    assert_eq!(told(&only_heavy, "given: { event: { with: { order: x } } }, "), ["event_not_wanted"]);
    assert_eq!(told(COUNT, "given: { event: {} }, "), ["not_startable"]);
    let opened = COUNT.replace(
        "manual: { roles: [admin, integrator], type: count, requires: [reason], inputs: [shelf, urgent] }",
        "case_opened: { type: count }",
    );
    let opened = opened.replace("shelf: text", "shelf: text?");
    assert_eq!(told(&opened, "given: { manual: {} }, "), ["not_startable"]);
}
