//! What a new author ran into: an inspection without choices, reminders among the messages, why a person was asked, and a broken file
//! below a long list of what was never reached.

use redress::cli::Exit;

use super::{Bench, Folder, GOOD, LOOKED_AT, command, unmet};

const INSPECTED: &str = "format: 1
workflow: inspected
currency: EUR
zone: Europe/Berlin
triggers: [{ case_opened: { type: return } }]
limits: { refund_max: 10.00 }
calendar: { hours: \"Mon-Fri 09:00-17:00\" }
events: { goods_received: {} }
vars: { amount: { type: money, default: 5.00 } }
steps:
  - id: goods
    await: { event: goods_received, remind: [1d], timeout: { after: 9d, then: late } }
  - id: check
    inspect:
      queue: warehouse
      ask: { amount: money }
      sla: { due: 4bh, remind: [2bh], escalate: [{ after: 6bh, to: leads }] }
      timeout: { after: 10d, then: late }
    as: checked
  - { id: pay, refund: { amount: =checked.amount } }
  - { id: done, finish: { result: done } }
  - { id: late, finish: { result: late } }
";

#[test]
fn an_inspection_without_choices_is_answered_done_and_reminders_are_messages() {
    let tests = "tests:
  - name: by its one outcome
    given: { case: { type: return } }
    play: [{ event: goods_received }, { answer: check, outcome: done, with: { amount: 5.00 } }]
    expect: { result: done, messages: [] }
  - name: the outcome may be left out
    given: { use: by its one outcome }
    play: [{ event: goods_received }, { answer: check, with: { amount: 5.00 } }]
    expect: { result: done }
  - name: everybody is reminded
    given: { use: by its one outcome }
    play: [{ after: 25h }, { event: goods_received }, { after: 3bh }, { after: 4bh }]
    expect: { waits_at: check, messages: [wait-reminder, task-reminder, task-escalated], reminders: 2 }
";
    let outcomes = Bench::new().run(INSPECTED, tests);
    assert!(outcomes.iter().all(|one| one.passed()), "{outcomes:#?}");
    let other = tests.replace("[wait-reminder, task-reminder,", "[task-reminder, wait-reminder,");
    let outcomes = Bench::new().run(INSPECTED, &other);
    assert_eq!(unmet(&outcomes[2]), [("messages", "[wait-reminder, task-reminder, task-escalated]".to_owned())]);
}

#[test]
fn a_failed_test_says_which_step_failed_with_which_code() {
    let tests = "tests:
  - name: too much
    given: { case: { type: return } }
    play: [{ event: goods_received }, { answer: check, with: { amount: 50.00 } }]
    expect: { result: done }
";
    let outcomes = Bench::new().run(INSPECTED, tests);
    let told = outcomes[0].problems()[0].help.clone().unwrap();
    assert!(told.starts_with("path taken: goods > check > pay; step pay failed with refund_exceeds_limit: "), "{told}");
    let folder =
        Folder::with(&[("w.yaml", INSPECTED), ("w.test.yaml", &format!("format: 1\ntests_for: inspected\n{tests}"))]);
    let ran = command(&["workflow", "test", &folder.path("w.yaml")]);
    assert!(ran.data.contains("        step pay failed with refund_exceeds_limit: "), "{}", ran.data);
    let json = command(&["workflow", "test", &folder.path("w.yaml"), "--output", "json"]).json();
    let stuck = &json["tests"][0]["stuck"][0];
    assert_eq!((&stuck["step"], &stuck["code"]), (&"pay".into(), &"refund_exceeds_limit".into()));
}

#[test]
fn what_is_broken_comes_last_below_what_was_never_reached() {
    let broken = "format: 1\ntests_for: looked-at\ntests:\n  - { name: x, expct: {} }\n";
    let folder = Folder::with(&[("w.yaml", LOOKED_AT), ("a.test.yaml", broken), ("b.test.yaml", GOOD)]);
    let ran = command(&["workflow", "test", &folder.path("w.yaml"), "--coverage"]);
    assert_eq!(ran.exit, Exit::Invalid);
    let last_missed = ran.data.rfind("never reached").unwrap();
    let problem = ran.data.find("a.test.yaml:4:").unwrap();
    assert!(problem > last_missed && ran.data.contains("1 file not valid\n"), "{}", ran.data);
    assert!(ran.talk.contains("error[workflow_invalid]: "), "{}", ran.talk);

    let nameless = Folder::with(&[("w.yaml", LOOKED_AT), ("a.test.yaml", "format: 1\ntest_for: looked-at\n")]);
    let ran = command(&["workflow", "test", &nameless.path("w.yaml")]);
    assert_eq!(ran.exit, Exit::NotFound);
    assert!(ran.talk.contains("a.test.yaml") && ran.talk.contains("add `tests_for: NAME`"), "{}", ran.talk);
}

#[test]
fn a_test_looks_at_what_a_message_of_the_workflow_says() {
    let workflow = LOOKED_AT.replace("template: return-done, to: desk", "template: paid-out, to: desk").replace(
        "steps:\n",
        "messages: { paid-out: { subject: 'About {{ case.number }}', text: 'We pay {{ amount }}.' } }\nsteps:\n",
    );
    let tests = "tests:
  - name: less is paid for what was worn
    given: { case: { type: return } }
    play: [{ answer: look, outcome: accept, with: { state: worn } }]
    expect: { messages: [{ template: paid-out, says: GBP 6.25 }] }
  - name: more is paid for what is new
    given: { case: { type: return } }
    play: [{ answer: look, outcome: accept, with: { state: new } }]
    expect: { messages: [{ template: paid-out, says: GBP 6.25 }] }
";
    let outcomes = Bench::new().run(&workflow, tests);
    assert!(outcomes[0].passed(), "{:?}", outcomes[0]);
    let said = "[paid-out that says \"We pay GBP 12.50.\"]".to_owned();
    assert_eq!(unmet(&outcomes[1]), [("messages", said)]);
}

#[test]
fn the_workflows_of_the_reference_are_valid_as_they_stand_there() {
    let readme = include_str!("../../../workflows/README.md");
    let blocks = readme.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next());
    let workflows: Vec<&str> = blocks.filter(|block| block.starts_with("format: 1\nworkflow:")).collect();
    assert_eq!(workflows.len(), 3, "one, an overlay, and one with words of its own");
    for workflow in workflows {
        let folder = Folder::with(&[("w.yaml", workflow)]);
        let ran = command(&["workflow", "check", &folder.path("w.yaml"), "--deny-warnings"]);
        assert_eq!(ran.exit, Exit::Done, "{}{}", ran.data, ran.talk);
    }
}
