//! Publishing: revisions, plugins that are pushed, and what a restart finds.

mod loaded;

use redress::engine::Error as EngineError;
use redress::engine::log::{self, Origin, What};
use redress::engine::repeat::{Before, Given, Repeat};
use redress::publish::way::{Answer, Door, Tried, Way};
use redress::publish::workflows::history::How;
use redress::publish::workflows::{Publication, Rollback};
use redress::publish::{Error, plugins, workflows};
use redress_domain::case::Case;
use redress_domain::codec;
use redress_domain::ids::{Digest, Slug};
use redress_sandbox::Hook;
use redress_tests::guests::{Guest, counting, integer_step};
use redress_tests::shop::stands;
use redress_tests::world::{Merchant, World, a_return, admin};

pub(super) fn ending(result: &str) -> String {
    format!(
        "format: 1\nworkflow: returns\ntriggers: [{{ case_opened: {{ type: return }} }}]\nsteps:
  - {{ id: look, review: {{ queue: q, title: Look, next: {{ done: done }}, timeout: {{ never: a person must look }} }} }}
  - {{ id: done, finish: {{ result: {result} }} }}\n"
    )
}

/// A workflow of this name that asks the plugin `number` and branches on its answer.
pub(super) fn asking(name: &str) -> String {
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

pub(super) fn seven() -> Vec<u8> {
    integer_step("count", "(i64.const 7)").component().unwrap()
}

fn world() -> (World, Merchant) {
    let world = World::new().unwrap();
    let merchant = world.bare_merchant("acme").unwrap();
    (world, merchant)
}

pub(super) fn open(merchant: &Merchant, kind: &str) -> Case {
    let open =
        redress_domain::case::command::Open { kind: Slug::new(kind).unwrap(), ..a_return("c1", &[("A1", 1)]).unwrap() };
    merchant.case(merchant.open(open).unwrap().case).unwrap()
}

pub(super) fn active(merchant: &Merchant) -> Vec<(Slug, Digest)> {
    workflows::actives(&merchant.engine).unwrap()
}

pub(super) fn logged(merchant: &Merchant) -> Vec<What> {
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
    let back = merchant.publish(&ending("done")).unwrap();
    assert_eq!(active(&merchant), [(first.workflow, first.revision)]);
    // It is stored once, keeps its number, and takes none from the next.
    assert_eq!((back.number, workflows::list(&merchant.engine).unwrap().len(), logged(&merchant).len()), (1, 2, 3));
    assert_eq!(merchant.publish(&ending("new")).unwrap().number, 3);
}

#[test]
fn a_text_with_problems_leaves_the_active_revision_and_tells_them_all() {
    let (_world, merchant) = world();
    merchant.publish(&ending("done")).unwrap();
    let before = (active(&merchant), logged(&merchant));
    let broken = ending("done").replace("next: { done: done }", "next: { done: nowhere }").replace("title: Look, ", "");
    let result = workflows::publish(&merchant.engine, &Publication::new(&broken, &admin(), Way::Api));
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

fn returns() -> Slug {
    Slug::new("returns").unwrap()
}

fn is_active(merchant: &Merchant) -> Digest {
    workflows::active(&merchant.engine, &returns()).unwrap().unwrap()
}

#[test]
fn a_rollback_goes_to_the_revision_before_and_the_next_one_further_back() {
    let (world, merchant) = world();
    let [first, second, third] = ["first", "second", "third"].map(|name| merchant.publish(&ending(name)).unwrap());
    let begun = open(&merchant, "return");
    assert_eq!(merchant.roll_back("returns", None).unwrap(), second);
    assert_eq!((is_active(&merchant), workflows::list(&merchant.engine).unwrap().len()), (second.revision, 3));
    assert_eq!(open(&merchant, "return").revision, Some(second.revision));
    assert_eq!(merchant.case(begun.id).unwrap().revision, Some(third.revision), "a case keeps its rules");
    assert_eq!(merchant.roll_back("returns", None).unwrap(), first);
    let error = merchant.roll_back("returns", None).unwrap_err();
    assert!(matches!(error, Error::NothingBefore(_)), "{error:?}");

    // It is a fact like every other, and a restart finds it.
    let facts = logged(&merchant);
    let Some(What::WorkflowActivated { revision, number: 1, note, .. }) = facts.last() else { panic!("{facts:?}") };
    assert_eq!((*revision, note.as_str(), facts.len()), (first.revision, "it was wrong", 5));
    drop(merchant);
    let world = world.restart().unwrap();
    let merchant = world.reopen("acme").unwrap();
    assert_eq!(is_active(&merchant), first.revision);
    assert_eq!(open(&merchant, "return").revision, Some(first.revision));
    // What is published afterwards comes after what was left.
    merchant.publish(&ending("fourth")).unwrap();
    assert_eq!(merchant.roll_back("returns", None).unwrap(), first);
}

#[test]
fn a_rollback_goes_to_any_revision_that_was_active_and_to_no_other() {
    let (_world, merchant) = world();
    let [first, second] = ["first", "second"].map(|name| merchant.publish(&ending(name)).unwrap());
    merchant.push("number", &seven()).unwrap();
    let other = merchant.publish(&asking("one")).unwrap();
    let before = logged(&merchant).len();
    for (workflow, to, code) in [
        ("returns", Some(Digest::of(b"nothing")), "revision_not_found"),
        ("returns", Some(other.revision), "revision_not_found"),
        ("nothing", None, "workflow_not_found"),
        ("one", None, "rollback_impossible"),
    ] {
        assert_eq!(merchant.roll_back(workflow, to).unwrap_err().code(), code, "{workflow}");
    }
    // To where it is already is no step back.
    assert_eq!(merchant.roll_back("returns", Some(second.revision)).unwrap(), second);
    assert_eq!((logged(&merchant).len(), is_active(&merchant)), (before, second.revision));
    merchant.roll_back("returns", Some(first.revision)).unwrap();
    merchant.roll_back("returns", Some(second.revision)).unwrap();
    assert_eq!(is_active(&merchant), second.revision);
}

#[test]
fn whoever_saw_another_active_revision_changes_nothing() {
    let (_world, merchant) = world();
    let [first, second] = ["first", "second"].map(|name| merchant.publish(&ending(name)).unwrap());
    let (by, text, before) = (admin(), ending("third"), logged(&merchant).len());
    let publication = |expect| Publication { expect: Some(expect), ..Publication::new(&text, &by, Way::Api) };
    let moved = workflows::publish(&merchant.engine, &publication(first.revision)).unwrap_err();
    let Error::Moved { expected, active } = &moved else { panic!("{moved:?}") };
    assert_eq!((*expected, *active, moved.code()), (first.revision, Some(second.revision), "stale"));
    let back = Rollback { to: None, note: "", by: &by, way: Way::Api, expect: Some(first.revision), answer: None };
    assert_eq!(workflows::rollback(&merchant.engine, &returns(), &back).unwrap_err().code(), "stale");
    assert_eq!((is_active(&merchant), logged(&merchant).len()), (second.revision, before));
    workflows::publish(&merchant.engine, &publication(second.revision)).unwrap();
}

#[test]
fn the_history_tells_who_made_what_active_from_where_and_which_one_still_is() {
    let (_world, merchant) = world();
    let first = merchant.publish(&ending("first")).unwrap();
    let (by, text) = (admin(), ending("second"));
    let way = Way::Door(Door {
        path: "acme/returns.yaml".to_owned(),
        content: Digest::of(text.as_bytes()),
        tried: Tried::Never,
    });
    let publication = Publication { note: "file", ..Publication::new(&text, &by, way) };
    let second = workflows::publish(&merchant.engine, &publication).unwrap();
    assert_eq!((first.from, second.from), (Origin::Api, Origin::File("acme/returns.yaml".to_owned())));
    merchant.roll_back("returns", None).unwrap();
    let history = workflows::history::of(&merchant.engine, &returns()).unwrap();
    let told: Vec<_> =
        history.iter().map(|one| (one.number, one.how, one.note.as_str(), &one.from, one.active)).collect();
    let file = Origin::File("acme/returns.yaml".to_owned());
    assert_eq!(
        told,
        [
            (1, How::Published, "test", &Origin::Api, false),
            (2, How::Published, "file", &file, false),
            (1, How::RolledBack, "it was wrong", &Origin::Api, true),
        ]
    );
    assert!(history.iter().all(|one| one.by == by && one.at == merchant.engine.clock().now()));
}

#[test]
fn the_answer_and_the_row_of_a_door_are_committed_with_what_became_active() {
    let (_world, merchant) = world();
    let (by, text) = (admin(), ending("first"));
    let document = |revision: &workflows::Revision| format!("{{\"number\":{}}}", revision.number);
    let door = Door { path: "acme/returns.yaml".to_owned(), content: Digest::of(text.as_bytes()), tried: Tried::Never };
    let repeat = |key: &str| Repeat { scope: "k".to_owned(), key: key.to_owned(), body: Digest::of(b"body") };
    let publish = |key: &str| {
        let answer = Some(Answer { repeat: repeat(key), document: &document });
        let publication = Publication { answer, ..Publication::new(&text, &by, Way::Door(door.clone())) };
        workflows::publish(&merchant.engine, &publication).unwrap();
    };
    let records = || merchant.engine.store().read().unwrap().audit_head().unwrap().n;
    let mut changes = merchant.engine.changes();
    publish("a");
    assert_eq!(records(), 1);
    assert_eq!(*changes.borrow_and_update(), 1, "who waits for records is told");
    // Nothing becomes active a second time, but a request was answered.
    publish("b");
    assert_eq!(records(), 1);
    for key in ["a", "b"] {
        let Before::Answered(answered) = merchant.engine.answered(&repeat(key)).unwrap() else { panic!("{key}") };
        assert_eq!(answered.given, Given::Document("{\"number\":1}".to_owned()));
    }
    let row = merchant.engine.store().read().unwrap().door("acme/returns.yaml").unwrap();
    assert_eq!(row, Some(Digest::of(text.as_bytes())));
    // Had the answer been committed apart, the same key would publish again.
    let other = ending("second");
    let answer = Some(Answer { repeat: repeat("a"), document: &document });
    let publication = Publication { answer, ..Publication::new(&other, &by, Way::Api) };
    workflows::publish(&merchant.engine, &publication).unwrap_err();
    assert_eq!(records(), 1);
}

#[test]
fn an_earlier_component_becomes_active_again_with_the_revisions_that_called_it() {
    let (_world, merchant) = world();
    let one = merchant.push("number", &counting().component().unwrap()).unwrap();
    let first = merchant.publish(&asking("one")).unwrap();
    let two = merchant.push("number", &seven()).unwrap();
    assert_eq!(stands(&open(&merchant, "one")), "seven");
    let turns = || merchant.engine.store().read().unwrap().load_tenant().unwrap().unwrap().version.0;
    let before = turns();
    assert_eq!(merchant.activate("number@0", one.digest).unwrap(), one);
    assert_eq!(turns(), before + 1, "plugin and workflow become active together");
    assert_eq!(active(&merchant), [(first.workflow.clone(), first.revision)]);
    assert_eq!(stands(&open(&merchant, "one")), "other");
    // The revision is the one of before: it is not stored again and takes no number.
    assert_eq!(workflows::find(&merchant.engine, first.revision).unwrap(), Some(first));
    assert_eq!(merchant.publish(&ending("done")).unwrap().number, 3);

    let history = plugins::history(&merchant.engine).unwrap();
    let told: Vec<_> = history.iter().map(|became| (became.plugin.digest, became.active)).collect();
    assert_eq!(told, [(one.digest, false), (two.digest, false), (one.digest, true)]);
    for (plugin, digest) in [("number@0", Digest::of(b"nothing")), ("number@1", one.digest), ("other@0", one.digest)] {
        assert_eq!(merchant.activate(plugin, digest).unwrap_err().code(), "plugin_not_found", "{plugin}");
    }
}

#[test]
fn what_was_kept_before_origins_were_is_still_read() {
    let (_world, merchant) = world();
    merchant.push("number", &seven()).unwrap();
    let revision = merchant.publish(&ending("done")).unwrap();
    let mut old = serde_json::to_value(&revision).unwrap();
    old.as_object_mut().unwrap().remove("from").unwrap();
    let read: workflows::Revision = codec::decode(&codec::encode(&old)).unwrap();
    assert_eq!(read, workflows::Revision { from: Origin::Unknown, ..revision });

    for fact in logged(&merchant) {
        let mut old = serde_json::to_value(&fact).unwrap();
        old.as_object_mut().unwrap().values_mut().next().unwrap().as_object_mut().unwrap().remove("from").unwrap();
        let read: What = codec::decode(&codec::encode(&old)).unwrap();
        let (What::WorkflowPublished { from, .. } | What::PluginActivated { from, .. }) = &read else {
            panic!("{read:?}")
        };
        assert_eq!(*from, Origin::Unknown);
    }
}
