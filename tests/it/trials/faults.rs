//! What goes wrong on the way out, as the outbox meets it: crashes, lost answers, declines, silence.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use redress::clock::Clock;
use redress::trial::Outcome;
use redress_domain::clock::{Instant, Span};

use super::{Bench, LOOKED_AT, read, unmet, way};

/// The way of a case whose goods are as new.
const PAID: &str = "[look, grade, pay, shelf, tell, done]";

/// One test of a refund that meets faults.
fn fault(inject: &str, play: &str, expect: &str) -> Outcome {
    let tests = format!(
        "tests:
  - name: it is paid
    play: [{{ answer: look, outcome: accept, with: {{ state: new }} }}{play}]
    inject: {inject}
    expect: {{ {expect} }}
"
    );
    Bench::new().run(LOOKED_AT, &tests).remove(0)
}

#[test]
fn a_crash_is_a_delivery_that_is_repeated_under_its_key() {
    for (kind, calls) in [("crash_before_send", 1), ("crash_after_send", 2), ("lost_answer", 2)] {
        let expect = format!(
            "path: {PAID}, refunds: [{{ amount: 12.50 }}], result: done, provider_calls: {{ refund: {calls}, distinct_keys: 1 }}"
        );
        let outcome = fault(&format!("{{ at: pay, fault: {kind} }}"), "", &expect);
        assert!(outcome.passed(), "{kind}: {outcome:#?}");
        // The same, three times in a row, and once more at the next effect.
        let expect = format!(
            "path: {PAID}, refunds: [{{ amount: 12.50 }}], messages: [return-done],
             provider_calls: {{ refund: {}, notice: {}, distinct_keys: 2 }}",
            if calls == 1 { 1 } else { 4 },
            if calls == 1 { 1 } else { 2 },
        );
        let inject = format!("[{{ at: pay, fault: {kind}, times: 3 }}, {{ at: tell, fault: {kind} }}]");
        let outcome = fault(&inject, "", &expect);
        assert!(outcome.passed(), "{kind}: {outcome:#?}");
    }
}

#[test]
fn a_decline_is_the_receivers_last_word() {
    let expect = "path: [look, grade, pay, tell, done], refunds: [], provider_calls: { refund: 1 }";
    let outcome = fault("{ at: pay, fault: declined }", "", expect);
    assert!(outcome.passed(), "{outcome:#?}");
    let later = fault("[]", ", { after: 2d, settle: pay, outcome: declined }", expect);
    assert!(!later.passed(), "asked again meanwhile: {later:#?}");
    assert_eq!(way(&later), way(&outcome));
}

#[test]
fn a_receiver_that_never_answers_is_asked_for_a_day_and_then_a_person_is() {
    let silent = "{ at: pay, fault: timeout }";
    let outcome =
        fault(silent, "", "waits_at: pay, open_tasks: [pay], refunds: [], provider_calls: { distinct_keys: 1 }");
    assert!(outcome.passed(), "{outcome:#?}");
    // Not before the receiver's memory of the key has ended.
    let early = fault(silent, ", { after: 23h, answer: pay, outcome: paid }", "waits_at: pay");
    assert_eq!(unmet(&early), [("", "no task of `pay` is open, the case is waiting at `pay`".to_owned())]);
    for (outcome, path, refunds) in
        [("paid", PAID, "[{ amount: 12.50 }]"), ("not_paid", "[look, grade, pay, tell, done]", "[]")]
    {
        let play = format!(", {{ after: 25h, answer: pay, outcome: {outcome} }}");
        let outcome = fault(silent, &play, &format!("path: {path}, refunds: {refunds}, open_tasks: 0"));
        assert!(outcome.passed(), "{outcome:#?}");
    }
}

#[test]
fn what_a_receiver_takes_and_settles_later_is_settled_when_the_test_says() {
    let play = ", { after: 1h, settle: pay, outcome: confirmed }";
    let outcome = fault("[]", play, &format!("path: {PAID}, refunds: [{{ amount: 12.50 }}]"));
    assert!(outcome.passed(), "{outcome:#?}");
    let outcome = fault("[]", ", { after: 1h, settle: pay, outcome: unknown }", "waits_at: pay, open_tasks: [pay]");
    assert!(outcome.passed(), "{outcome:#?}");
    // Nobody settles it within the three days that it may take.
    let never = ", { after: 4d }, { settle: pay, outcome: confirmed }";
    let outcome = fault("[]", never, "open_tasks: 0, ends_with: [done]");
    assert!(outcome.passed(), "what comes late is taken all the same: {outcome:#?}");
}

/// A label that the carrier makes and voids, and two people who look at it.
const LABELLED: &str = "format: 1
workflow: labelled
currency: GBP
zone: Europe/London
calendar: { hours: \"Mon-Fri 09:00-17:00\" }
triggers: [{ case_opened: { type: return } }]
steps:
  - id: label
    http: { target: carrier, expect: { number: text, costs: money? } }
    as: label
    on_error: [{ match: declined, then: heavy }]
    compensate: { http: { target: void, body: { number: =label.number } } }
  - id: look
    review: { queue: desk, title: Look, next: { fine: done, odd: off }, four_eyes: true, timeout: { after: 2bd, then: off } }
  - { id: off, undo: all }
  - { id: heavy, notify: { template: too-heavy, to: desk } }
  - { id: done, finish: { result: done } }
";

#[test]
fn a_system_says_what_the_test_lets_it_say_at_once_or_later() {
    let outcomes = Bench::new().run(
        LABELLED,
        "given: { case: { opened_at: 2026-03-06 16:30 } }
mock: { carrier: { number: L1, costs: 4.20, reference: C-1 }, void: {} }
tests:
  - name: two people by name
    play: [{ answer: look, outcome: fine, by: ada }, { after: 1h, answer: look, outcome: fine, by: bo }]
    expect: { path: [label, look, done], undone: [], provider_calls: { http: 1 } }
  - name: one person is not two
    play: [{ answer: look, outcome: fine }, { after: 1h, answer: look, outcome: fine }]
    expect: { waits_at: look }
  - name: two days of work after a Friday are over on Tuesday
    play: [{ after: 1bd }, { after: 7bh }]
    expect: { waits_at: look, undone: [] }
  - name: and then the label is voided
    play: [{ after: 2bd }]
    expect: { path: [label, look, off, heavy, done], undone: [label], provider_calls: { http: 2, distinct_keys: 2 } }
  - name: it says it later
    play: [{ after: 1h, settle: label, outcome: confirmed, with: { number: L2 } }]
    expect: { waits_at: look }
  - name: or that it does not do it, and why
    play: [{ after: 1h, settle: label, outcome: declined, code: too_heavy }]
    expect: { path: [label, heavy, done] }
  - name: or at once
    mock: { carrier: { declines: too_heavy } }
    expect: { path: [label, heavy, done] }
  - name: or as a fault
    inject: { at: label, fault: declined, code: closed }
    expect: { path: [label, heavy, done] }
  - name: a system of which nothing is said answers nothing
    mock: { carrier: {} }
    expect: { waits_at: label, open_tasks: [label] }
",
    );
    let failed: Vec<_> =
        outcomes.iter().filter(|outcome| !outcome.passed()).map(|one| (&one.name, unmet(one))).collect();
    assert_eq!(failed.len(), 1, "{failed:#?}");
    assert_eq!(failed[0].0, "one person is not two");
}

#[test]
fn a_plugin_that_fails_in_a_test_approves_nothing_and_one_that_answers_nonsense_is_not_believed() {
    let workflow = "format: 1
workflow: quoted
currency: GBP
zone: Europe/London
triggers: [{ case_opened: { type: return } }]
steps:
  - { id: match, call: { plugin: std/purchase-match@0, with: { window_days: 90 } }, as: matched }
  - { id: quote, call: { plugin: std/refund-quote@0 }, as: quote }
  - { id: pay, refund: { quote: =quote } }
  - { id: done, finish: { result: done } }
";
    let outcomes = Bench::new().run(
        workflow,
        "given:
  case: { customer: c1, lines: [{ sku: A, quantity: 2 }, { sku: B }] }
  order: { lines: [{ sku: A, quantity: 3, unit_price: 2.50 }, { sku: B, unit_price: 10 }] }
tests:
  - name: all of it for real
    expect: { refunds: [{ amount: 15.00 }], result: done }
  - name: a verdict of the test's own, and what it says of each line
    mock: { std/purchase-match@0: { lines: [{ verdict: deny, reasons: [torn] }, { verdict: allow }] } }
    expect: { refunds: [{ amount: 10.00 }], reasons: [torn] }
  - name: a quote of the test's own is spread over what was taken
    mock: { std/refund-quote@0: { quote: 12.00 } }
    expect: { refunds: [{ amount: 12.00 }] }
  - name: one that pays more than was paid goes to a person
    mock: { std/refund-quote@0: { quote: 99.00 } }
    expect: { waits_at: pay, open_tasks: [pay], refunds: [] }
  - name: one that fails goes to a person, who tries again in vain
    mock: { std/refund-quote@0: { fails: out_of_fuel } }
    play: [{ answer: quote, outcome: try_again }]
    expect: { path: [match, quote, quote], open_tasks: [quote], refunds: [], remedy: review }
  - name: a verdict that is too short is no verdict
    mock: { std/purchase-match@0: { lines: [{ verdict: allow }] } }
    expect: { waits_at: match, open_tasks: [match] }
",
    );
    assert!(outcomes.iter().all(Outcome::passed), "{outcomes:#?}");
}

/// A clock of a machine that is slow: each look at it is a second later.
#[derive(Debug)]
struct Slow(AtomicI64);

impl Clock for Slow {
    fn now(&self) -> Instant {
        Instant::from_unix_ms(self.0.fetch_add(1_000, Ordering::SeqCst))
    }

    fn random(&self) -> u128 {
        1
    }
}

#[test]
fn tests_that_take_too_long_or_never_rest_are_ended() {
    let bench = Bench::new();
    let definition = bench.definition(LOOKED_AT);
    let tests = "tests:
  - name: one
    play: [{ answer: look, outcome: accept, with: { state: new } }]
    inject: { at: pay, fault: timeout }
    expect: { open_tasks: [pay] }
";
    let trials = read(&definition, tests);
    let run = |change: &dyn Fn(&mut redress::trial::House)| {
        let mut house = bench.house();
        change(&mut house);
        house.run(&definition, &trials, |_| {}).remove(0)
    };
    assert!(run(&|_| {}).passed());
    let restless = run(&|house| house.limits.trials.rounds_max = 5);
    assert_eq!(unmet(&restless), [("", "the test does not come to rest: more than 5 things were due".to_owned())]);
    let slow = run(&|house| {
        house.clock = Arc::new(Slow(AtomicI64::new(0)));
        house.limits.trials.within = Span::from_millis(10_000);
    });
    assert_eq!(unmet(&slow), [("", "the tests take longer than 10s: this one was not run to its end".to_owned())]);
}
