//! Tests of workflows: what they find, how they are told, and that a revision whose tests fail is never active.

mod faults;
mod publishing;
mod shipped;
mod starts;
mod stumbles;
mod subcases;

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;

use redress::cli::{self, Exit, Out};
use redress::trial::{Fault, House, Outcome};
use redress_domain::ids::Slug;
use redress_domain::workflow::definition::Definition;
use redress_domain::workflow::load::{self, Environment};
use redress_domain::workflow::trial::{self, Trial};
use redress_tests::world::{Merchant, World};
use serde_json::Value as Json;

/// What most tests here try: a person looks, then money goes back, goods go away and the customer is told.
pub(super) const LOOKED_AT: &str = "format: 1
workflow: looked-at
currency: GBP
zone: Europe/London
triggers: [{ case_opened: { type: return } }]
limits: { refund_max: 50.00 }
vars: { amount: { type: money, default: 12.50 } }
steps:
  - id: look
    review:
      queue: desk
      title: Look
      ask: { state: [new, worn] }
      next: { accept: grade, refuse: tell }
      timeout: { after: 5d, then: tell }
    as: seen
  - id: grade
    decide:
      - { when: 'seen.state == \"worn\"', then: less }
      - { else: pay }
  - { id: less, set: { amount: 6.25 } }
  - { id: pay, refund: { amount: =amount }, on_error: [{ match: declined, then: tell }] }
  - { id: shelf, restock: { to: scrap } }
  - { id: tell, notify: { template: return-done, to: desk } }
  - { id: done, finish: { result: done } }
";

/// A host for trials without a merchant's data.
struct Bench {
    _world: World,
    merchant: Merchant,
}

impl Bench {
    fn new() -> Self {
        let world = World::new().unwrap();
        let merchant = world.bare_merchant("acme").unwrap();
        Self { _world: world, merchant }
    }

    fn house(&self) -> House {
        House::of(&self.merchant.engine)
    }

    fn definition(&self, source: &str) -> Arc<Definition> {
        let plugins = redress::publish::plugins::available(&self.merchant.engine).unwrap();
        Arc::new(load::load(source, &Environment { plugins, ..Environment::default() }).unwrap())
    }

    /// Run the tests of a workflow, which lack the head of their document.
    fn run(&self, workflow: &str, tests: &str) -> Vec<Outcome> {
        let definition = self.definition(workflow);
        self.house().run(&definition, &read(&definition, tests), |_| {})
    }
}

fn read(definition: &Definition, tests: &str) -> Vec<Trial> {
    let source = format!("format: 1\ntests_for: {}\n{tests}", definition.workflow);
    trial::load(&source, definition).unwrap_or_else(|found| panic!("{found:#?}"))
}

/// What was found where something else was expected: field and what was found.
fn unmet(outcome: &Outcome) -> Vec<(&'static str, String)> {
    let told = |fault: &Fault| match fault {
        Fault::Unmet { field, mismatch } => (*field, mismatch.found.clone()),
        Fault::Unplayed(why) | Fault::Broken(why) => ("", why.clone()),
    };
    outcome.failures.iter().map(|failure| told(&failure.what)).collect()
}

fn way(outcome: &Outcome) -> Vec<&str> {
    outcome.path.iter().map(Slug::as_str).collect()
}

/// What a command came to.
struct Ran {
    exit: Exit,
    data: String,
    talk: String,
}

impl Ran {
    fn json(&self) -> Json {
        serde_json::from_str(&self.data).unwrap_or_else(|_| panic!("{}{}", self.data, self.talk))
    }
}

fn command(words: &[&str]) -> Ran {
    let (mut data, mut talk) = (Vec::new(), Vec::new());
    let words = std::iter::once(&"redress").chain(words).map(OsString::from);
    let exit = cli::run(words, &mut Out::new(&mut data, &mut talk));
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Ran { exit, data: text(data), talk: text(talk) }
}

/// A folder with files, for commands.
struct Folder(tempfile::TempDir);

impl Folder {
    fn with(files: &[(&str, &str)]) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        files.iter().for_each(|(name, content)| folder.write(name, content));
        folder
    }

    fn write(&self, name: &str, content: &str) {
        let path = self.0.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    fn path(&self, name: &str) -> String {
        let path: PathBuf = self.0.path().join(name);
        path.display().to_string()
    }
}

const GOOD: &str = "format: 1
tests_for: looked-at
tests:
  - name: new goods are paid in full
    play: [{ after: 1d, answer: look, outcome: accept, with: { state: new } }]
    expect:
      path: [look, grade, pay, shelf, tell, done]
      refunds: [{ amount: 12.50 }]
      messages: [return-done]
";

#[test]
fn a_test_that_passes_says_so_with_what_was_reached() {
    let folder = Folder::with(&[("looked-at.yaml", LOOKED_AT), ("looked-at.test.yaml", GOOD)]);
    for path in ["looked-at.yaml", "looked-at.test.yaml", ""] {
        let ran = command(&["workflow", "test", &folder.path(path)]);
        assert_eq!(ran.exit, Exit::Done, "{}{}", ran.data, ran.talk);
        assert!(ran.data.contains("looked-at.test.yaml\n  ok    new goods are paid in full  "), "{}", ran.data);
        let reached = "looked-at: reached 6 of 7 steps, 1 of 2 arms, 1 of 2 answers, 0 of 1 timeout; --coverage lists the others\n";
        assert!(ran.data.contains(reached), "{}", ran.data);
        assert!(ran.data.ends_with("\n1 passed, 0 failed\n"), "{}", ran.data);
    }
    let ran = command(&["workflow", "test", &folder.path(""), "--coverage"]);
    let missed: Vec<&str> = ran.data.lines().filter_map(|line| line.trim().strip_prefix("never reached: ")).collect();
    assert_eq!(
        missed,
        ["step less", "arm grade: seen.state == \"worn\" > less", "answer look: refuse", "timeout look"]
    );
}

#[test]
fn a_test_that_fails_shows_its_place_what_was_expected_what_came_and_the_way() {
    let bad = GOOD.replace("12.50", "12.05").replace("[look, grade, pay", "[look, pay");
    let folder = Folder::with(&[("looked-at.yaml", LOOKED_AT), ("looked-at.test.yaml", &bad)]);
    let ran = command(&["workflow", "test", &folder.path("")]);
    assert_eq!(ran.exit, Exit::Invalid);
    let file = folder.path("looked-at.test.yaml");
    let told = format!(
        "        {file}:7:7 path
          expected [look, pay, shelf, tell, done]
          found    [look, grade, pay, shelf, tell, done]
        {file}:8:7 refunds
          expected [GBP 12.05]
          found    [GBP 12.50 by pay]
        path taken: look > grade > pay > shelf > tell > done
"
    );
    assert!(ran.data.contains("  FAIL  new goods are paid in full  "), "{}", ran.data);
    assert!(ran.data.contains(&told), "{}", ran.data);
    assert!(ran.talk.starts_with("error[tests_failed]: 1 of 1 test failed\n"), "{}", ran.talk);

    let ran = command(&["workflow", "test", &folder.path(""), "--output", "json"]);
    assert_eq!(ran.exit, Exit::Invalid);
    let json = ran.json();
    assert_eq!((&json["passed"], &json["failed"]), (&0.into(), &1.into()));
    let failure = &json["tests"][0]["failures"][1];
    assert_eq!((&failure["line"], &failure["field"]), (&8.into(), &"refunds".into()));
    assert_eq!((&failure["expected"], &failure["found"]), (&"[GBP 12.05]".into(), &"[GBP 12.50 by pay]".into()));
    assert_eq!(json["coverage"][0]["steps"]["missed"], serde_json::json!(["less"]));
    let ran = command(&["workflow", "test", &folder.path(""), "--output", "csv"]);
    assert!(ran.data.lines().nth(1).unwrap().contains(",new goods are paid in full,false,"), "{}", ran.data);
}

#[test]
fn a_filter_takes_the_tests_whose_name_holds_it_and_a_document_with_problems_is_told_like_a_workflow() {
    let more = format!("{GOOD}  - name: Nobody looks\n    play: [{{ after: 5d }}]\n    expect: {{ refunds: [] }}\n");
    let folder = Folder::with(&[("a/looked-at.yaml", LOOKED_AT), ("a/looked-at.test.yaml", &more), ("a/b.txt", "x")]);
    let ran = command(&["workflow", "test", &folder.path("a"), "--filter", "nobody"]);
    assert!(ran.data.contains("Nobody looks") && ran.data.ends_with("1 passed, 0 failed\n"), "{}", ran.data);

    folder.write("a/looked-at.test.yaml", &more.replace("refunds: []", "refunds: [], stauts: closed"));
    let ran = command(&["workflow", "test", &folder.path("a")]);
    assert_eq!(ran.exit, Exit::Invalid);
    assert!(ran.data.contains("looked-at.test.yaml:12:28: tests[1].expect.stauts: unknown field"), "{}", ran.data);
    assert!(ran.data.contains("did you mean `status`?"), "{}", ran.data);

    folder.write("a/other.test.yaml", "format: 1\ntests_for: other\ntests: []\n");
    let ran = command(&["workflow", "test", &folder.path("a")]);
    assert_eq!(
        (ran.exit, ran.talk.contains("workflow \"other\" does not exist")),
        (Exit::NotFound, true),
        "{}",
        ran.talk
    );
    let ran = command(&["workflow", "test", &folder.path("a/b.txt")]);
    assert_eq!(ran.exit, Exit::NotFound);
}

#[test]
fn each_expectation_can_fail_and_says_what_it_found() {
    let outcomes = Bench::new().run(
        LOOKED_AT,
        "tests:
  - name: nobody looks yet
    expect:
      path: [look, grade]
      ends_with: [grade]
      status: closed
      waits_at: pay
      result: done
      remedy: allow
      reasons: [too_late]
      refunds: [{ amount: 1.00 }]
      restock: [scrap]
      exchanges: [A2]
      undone: [pay]
      messages: [return-done]
      open_tasks: [{ at: look, queue: office }]
      vars: { amount: 1.00 }
      provider_calls: { refund: 1, distinct_keys: 1 }
  - name: worn goods are paid in part
    play: [{ answer: look, outcome: accept, with: { state: worn } }]
    expect: { messages: [], open_tasks: 1, refunds: [{ amount: 6.25, step: look }], provider_calls: { notice: 0, http: 0, exchange: 1 } }
",
    );
    let expected = [
        ("path", "[look]"),
        ("ends_with", "[look]"),
        ("status", "waiting"),
        ("waits_at", "waiting at look"),
        ("result", "waiting at look"),
        ("remedy", "review"),
        ("reasons", "[]"),
        ("refunds", "[]"),
        ("restock", "[]"),
        ("exchanges", "[]"),
        ("undone", "[]"),
        ("messages", "[]"),
        ("open_tasks", "1: look in desk"),
        ("vars", "amount: GBP 12.50"),
        ("provider_calls", "refund: 0, distinct_keys: 0"),
    ];
    assert_eq!(unmet(&outcomes[0]), expected.map(|(field, found)| (field, found.to_owned())));
    let expected = [
        ("refunds", "[GBP 6.25 by pay]"),
        ("messages", "[return-done]"),
        ("open_tasks", "0"),
        ("provider_calls", "notice: 1, http: 0, exchange: 0"),
    ];
    assert_eq!(unmet(&outcomes[1]), expected.map(|(field, found)| (field, found.to_owned())));
}

#[test]
fn what_cannot_be_played_fails_at_its_place_and_nothing_after_it_is_played() {
    let outcomes = Bench::new().run(
        LOOKED_AT,
        "tests:
  - name: the task is gone
    play:
      - { after: 5d, answer: look, outcome: accept, with: { state: new } }
      - { cancel: never mind }
    expect: { path: [look, tell, done] }
  - name: nothing was sent
    play: [{ settle: pay, outcome: confirmed }]
    expect: { waits_at: look }
  - name: it is closed
    play: [{ answer: look, outcome: refuse, with: { state: new } }, { cancel: never mind }]
    expect: { ends_with: [done] }
",
    );
    let told: Vec<_> = outcomes.iter().map(unmet).collect();
    assert_eq!(told[0], [("", "no task of `look` is open, the case is closed as done".to_owned())]);
    assert_eq!(told[1], [("", "no effect of `pay` waits for an outcome, the case is waiting at `look`".to_owned())]);
    assert_eq!(told[2].len(), 1);
    assert!(told[2][0].1.starts_with("it was refused: case ") && told[2][0].1.ends_with(" is closed [case_closed]"));
}

#[test]
fn time_passes_as_it_does_for_a_host_and_each_timer_fires_when_it_is_due() {
    let rests = "format: 1
workflow: rests
currency: GBP
zone: Europe/London
triggers: [{ case_opened: { type: return } }]
vars: { at: instant }
steps:
  - { id: one, wait: { for: 36h } }
  - { id: noted, set: { at: =now } }
  - { id: two, wait: { for: 5d } }
  - { id: done, finish: { result: rested } }
";
    let outcomes = Bench::new().run(
        rests,
        "given: { case: { opened_at: 2026-03-28 21:00 } }
tests:
  - name: over the night in which clocks go forward
    play: [{ after: 30d }]
    expect: { path: [one, noted, two, done], vars: { at: 2026-03-30T10:00:00+01:00 } }
  - name: a moment before
    play: [{ after: 155h }, { after: 59m }, { after: 59s }]
    expect: { status: waiting, path: [one, noted, two] }
  - name: and at the moment
    play: [{ after: 155h }, { after: 60m }, { after: 12h }]
    expect: { result: rested }
",
    );
    assert!(outcomes.iter().all(Outcome::passed), "{outcomes:#?}");
    assert_eq!(way(&outcomes[1]), ["one", "noted", "two"]);
}

#[test]
fn rows_of_a_table_that_no_test_reaches_are_told() {
    let workflow = "format: 1
workflow: graded
currency: GBP
zone: Europe/London
triggers: [{ case_opened: { type: return } }]
attributes: { case: { age: number } }
vars: { share: { type: number, default: 0 } }
steps:
  - id: grade
    table:
      hit: first
      inputs: [case.age]
      rows:
        - ['<= 14', { share: 100 }]
        - ['<= 30', { share: 60 }]
        - ['-', { share: 0 }]
  - { id: done, finish: { result: graded } }
tests:
  - { name: fresh, given: { case: { age: 14 } }, expect: { vars: { share: 100 }, path: [grade, done] } }
  - { name: old, given: { case: { age: 31 } }, expect: { vars: { share: 0 } } }
";
    let folder = Folder::with(&[("graded.yaml", workflow)]);
    let ran = command(&["workflow", "test", &folder.path("graded.yaml"), "--coverage"]);
    assert_eq!(ran.exit, Exit::Done, "{}{}", ran.data, ran.talk);
    assert!(
        ran.data.contains("graded: reached 2 of 2 steps, 2 of 3 rows\n  never reached: row grade: row 2 [<= 30]\n"),
        "{}",
        ran.data
    );
}
