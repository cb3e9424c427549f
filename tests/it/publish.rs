//! Publishing: revisions, plugins that are pushed, and what a restart finds.

use redress::engine::Error as EngineError;
use redress::engine::log::{self, What};
use redress::publish::{Error, plugins, workflows};
use redress_domain::case::Case;
use redress_domain::ids::{Digest, Slug};
use redress_sandbox::Hook;
use redress_tests::guests::{Guest, counting, integer_step};
use redress_tests::shop::stands;
use redress_tests::world::{Merchant, World, a_return, admin};

fn ending(result: &str) -> String {
    format!(
        "format: 1\nworkflow: returns\ntriggers: [{{ case_opened: {{ type: return }} }}]\nsteps:
  - {{ id: look, review: {{ queue: q, title: Look, next: {{ done: done }}, timeout: {{ never: a person must look }} }} }}
  - {{ id: done, finish: {{ result: {result} }} }}\n"
    )
}

/// A workflow of this name that asks the plugin `number` and branches on its answer.
fn asking(name: &str) -> String {
    format!(
        "format: 1\nworkflow: {name}\ntriggers: [{{ case_opened: {{ type: {name} }} }}]\nsteps:
  - {{ id: ask, call: {{ plugin: number@0 }}, as: given }}
  - id: pick
    decide:
      - {{ when: 'given.out.count == 7', then: seven }}
      - {{ else: other }}
  - {{ id: seven, finish: {{ result: seven }} }}
  - {{ id: other, finish: {{ result: other }} }}\n"
    )
}

fn seven() -> Vec<u8> {
    integer_step("count", "(i64.const 7)").component().unwrap()
}

fn world() -> (World, Merchant) {
    let world = World::new().unwrap();
    let merchant = world.bare_merchant("acme").unwrap();
    (world, merchant)
}

fn open(merchant: &Merchant, kind: &str) -> Case {
    let open =
        redress_domain::case::command::Open { kind: Slug::new(kind).unwrap(), ..a_return("c1", &[("A1", 1)]).unwrap() };
    merchant.case(merchant.open(open).unwrap().case).unwrap()
}

fn active(merchant: &Merchant) -> Vec<(Slug, Digest)> {
    workflows::actives(&merchant.engine).unwrap()
}

fn logged(merchant: &Merchant) -> Vec<What> {
    log::read(&merchant.engine).unwrap().into_iter().map(|logged| logged.what).collect()
}

#[test]
fn the_same_text_twice_is_one_revision_and_so_is_one_that_says_the_same() {
    let (_world, merchant) = world();
    let first = merchant.publish(&ending("done")).unwrap();
    let again = merchant.publish(&format!("# The same.\n{}", ending("done"))).unwrap();
    assert_eq!((again.revision, again.number), (first.revision, first.number));
    assert_eq!((workflows::list(&merchant.engine).unwrap().len(), logged(&merchant).len()), (1, 1));
    let other = merchant.publish(&ending("over")).unwrap();
    assert_eq!((first.number, other.number), (1, 2));
    // Going back is a new fact about an old revision.
    merchant.publish(&ending("done")).unwrap();
    assert_eq!(active(&merchant), [(first.workflow, first.revision)]);
}

#[test]
fn a_text_with_problems_leaves_the_active_revision_and_tells_them_all() {
    let (_world, merchant) = world();
    merchant.publish(&ending("done")).unwrap();
    let before = (active(&merchant), logged(&merchant));
    let broken = ending("done").replace("next: { done: done }", "next: { done: nowhere }").replace("title: Look, ", "");
    let result = workflows::publish(&merchant.engine, &broken, "test", &admin());
    let Err(Error::Invalid(problems)) = result else { panic!("{result:?}") };
    assert!(problems.len() >= 2, "{problems:?}");
    assert_eq!((active(&merchant), logged(&merchant)), before);
    assert_eq!(stands(&open(&merchant, "return")), "look");
}

#[test]
fn a_case_stays_with_the_revision_that_it_began_with() {
    let (_world, merchant) = world();
    let first = merchant.publish(&ending("first")).unwrap();
    let old = open(&merchant, "return");
    let second = merchant.publish(&ending("second")).unwrap();
    let new = open(&merchant, "return");
    assert_eq!((old.revision, new.revision), (Some(first.revision), Some(second.revision)));
    for (case, expected) in [(old, "first"), (new, "second")] {
        let task = *case.tasks.keys().next().unwrap();
        merchant.complete(case.id, task, "done").unwrap();
        assert_eq!(stands(&merchant.case(case.id).unwrap()), expected);
    }
}

#[test]
fn a_plugin_that_is_pushed_republishes_what_calls_it_in_one_commit() {
    let (_world, merchant) = world();
    merchant.push("number", &counting().component().unwrap()).unwrap();
    let one = merchant.publish(&asking("one")).unwrap();
    merchant.publish(&asking("two")).unwrap();
    merchant.publish(&ending("done")).unwrap();
    assert_eq!(stands(&open(&merchant, "one")), "other");
    let turns = || merchant.engine.store().read().unwrap().load_tenant().unwrap().unwrap().version.0;
    let before = turns();

    let pushed = merchant.push("number", &seven()).unwrap();
    assert_eq!(turns(), before + 1, "plugin and workflows become active together");
    let facts = logged(&merchant);
    let [
        What::PluginActivated { digest, .. },
        What::WorkflowPublished { workflow: a, note, number: 4, .. },
        What::WorkflowPublished { workflow: b, number: 5, .. },
    ] = &facts[facts.len() - 3..]
    else {
        panic!("{facts:?}")
    };
    assert_eq!((*digest, a.as_str(), b.as_str(), note.as_str()), (pushed.digest, "one", "two", "plugin activated"));
    assert!(active(&merchant).iter().all(|(_, revision)| *revision != one.revision));
    assert_eq!(stands(&open(&merchant, "one")), "seven");

    // The same bytes once more change nothing that a case could see.
    merchant.push("number", &seven()).unwrap();
    assert_eq!(workflows::list(&merchant.engine).unwrap().len(), 5);
}

#[test]
fn a_plugin_that_would_break_a_workflow_is_refused_and_nothing_changes() {
    let (_world, merchant) = world();
    merchant.push("number", &seven()).unwrap();
    merchant.publish(&asking("one")).unwrap();
    let before = (active(&merchant), logged(&merchant), plugins::list(&merchant.engine).unwrap());
    let other = integer_step("amount", "(i64.const 7)").component().unwrap();
    let error = merchant.push("number", &other).unwrap_err();
    let Some(Error::Breaks { workflow, problems }) = error.downcast_ref() else { panic!("{error:?}") };
    assert_eq!((workflow.as_str(), problems.is_empty()), ("one", false));
    let other_hook = Guest::new(Hook::Eligibility).component().unwrap();
    assert!(matches!(merchant.push("number", &other_hook).unwrap_err().downcast_ref(), Some(Error::Breaks { .. })));
    assert_eq!((active(&merchant), logged(&merchant), plugins::list(&merchant.engine).unwrap()), before);
    assert_eq!(stands(&open(&merchant, "one")), "seven");
}

#[test]
fn a_restart_finds_the_active_revisions_their_plugins_and_those_that_cases_are_pinned_to() {
    let (world, merchant) = world();
    merchant.push("number", &seven()).unwrap();
    merchant.publish(&asking("one")).unwrap();
    let waiting = {
        merchant.publish(&ending("first")).unwrap();
        let waiting = open(&merchant, "return");
        merchant.publish(&ending("second")).unwrap();
        waiting
    };
    let before = active(&merchant);
    drop(merchant);
    let world = world.restart().unwrap();
    let merchant = world.reopen("acme").unwrap();
    assert_eq!(active(&merchant), before);
    assert_eq!(stands(&open(&merchant, "one")), "seven");
    merchant.complete(waiting.id, *waiting.tasks.keys().next().unwrap(), "done").unwrap();
    assert_eq!(stands(&merchant.case(waiting.id).unwrap()), "first");
    let numbers: Vec<_> = merchant.cases().unwrap().into_iter().map(|id| merchant.case(id).unwrap().number).collect();
    assert_eq!(numbers.len(), 2);
    assert_ne!(numbers[0], numbers[1], "numbers go on where they were");
}

#[test]
fn publishing_is_recorded_with_who_and_when() {
    let (world, merchant) = world();
    merchant.push("number", &seven()).unwrap();
    let revision = merchant.publish(&asking("one")).unwrap();
    let facts = log::read(&merchant.engine).unwrap();
    assert!(facts.iter().all(|fact| fact.by == admin() && fact.at == world.app.clock().now()));
    assert_eq!((revision.by, revision.note.as_str(), revision.number), (admin(), "test", 1));
    let unknown = merchant.engine.registry().definition(Digest::of(b"nothing"));
    assert!(matches!(unknown, Err(EngineError::Revision { .. })));
}
