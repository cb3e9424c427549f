//! A revision whose tests fail is not published, through whichever door it comes.

use std::fs;

use redress::cli::Exit;
use redress::publish::doors::{self, DoorState, Folders};
use redress::publish::{Error, workflows};
use redress_domain::ids::{Digest, Slug};
use redress_tests::guests::integer_step;
use redress_tests::shop::stands;
use redress_tests::world::{Merchant, World, admin};

use super::{Folder, GOOD, LOOKED_AT, command};
use crate::publish::{asking, seven};

/// The workflow with tests inside it.
fn tested(workflow: &str, expect: &str) -> String {
    format!("{workflow}tests:\n  - {{ name: nobody looks, play: [{{ after: 5d }}], expect: {{ {expect} }} }}\n")
}

fn active(merchant: &Merchant) -> Option<Digest> {
    workflows::active(&merchant.engine, &Slug::new("looked-at").unwrap()).unwrap()
}

fn publish(merchant: &Merchant, source: &str) -> Result<workflows::Revision, Error> {
    let by = admin();
    let publication = workflows::Publication::new(source, &by, redress::publish::way::Way::Api);
    workflows::publish(&merchant.engine, &publication)
}

#[test]
fn tests_inside_a_workflow_must_pass_and_are_no_part_of_its_revision() {
    let world = World::new().unwrap();
    let merchant = world.bare_merchant("acme").unwrap();
    let first = publish(&merchant, &tested(LOOKED_AT, "path: [look, tell, done], refunds: []")).unwrap();
    let bare = publish(&merchant, LOOKED_AT).unwrap();
    assert_eq!((first.revision, first.number), (bare.revision, bare.number));

    let other = LOOKED_AT.replace("default: 12.50", "default: 13.00");
    let source = tested(&other, "path: [look, done], refunds: []");
    let Err(Error::Tests(failed)) = publish(&merchant, &source) else { panic!() };
    let problem = &failed[0].problems[0];
    assert_eq!(&source[problem.range.start..problem.range.end], "path");
    assert_eq!(problem.message, "test \"nobody looks\" failed: `path` is [look, tell, done], expected [look, done]");
    assert_eq!(problem.help.as_deref(), Some("path taken: look > tell > done"));
    assert_eq!((active(&merchant), workflows::list(&merchant.engine).unwrap().len()), (Some(first.revision), 1));
    assert_eq!(super::super::publish::open(&merchant, "return").revision, Some(first.revision));

    let second = publish(&merchant, &tested(&other, "refunds: []")).unwrap();
    assert_eq!((active(&merchant), second.number), (Some(second.revision), 2));
    // Whoever only mends a test publishes nothing; whoever breaks one is told.
    assert!(publish(&merchant, &tested(&other, "refunds: [{ amount: 1 }]")).is_err());
    assert_eq!(workflows::list(&merchant.engine).unwrap().len(), 2);
}

#[test]
fn a_merchants_tests_are_counted_and_leave_nothing_behind() {
    let world = World::new().unwrap();
    let merchant = world.bare_merchant("acme").unwrap();
    publish(&merchant, &tested(LOOKED_AT, "refunds: []")).unwrap();
    assert!(merchant.cases().unwrap().is_empty(), "the test's case is nobody's");
    let test = |n: usize| format!("  - {{ name: t{n}, expect: {{ waits_at: look }} }}\n");
    let many: String = (0..201).map(test).collect();
    let Err(Error::Invalid(problems)) = publish(&merchant, &format!("{LOOKED_AT}tests:\n{many}")) else { panic!() };
    assert_eq!((problems.len(), problems[0].code.as_str()), (1, "too_large"));
}

#[test]
fn a_plugin_under_which_a_test_fails_is_not_activated() {
    let world = World::new().unwrap();
    let merchant = world.bare_merchant("acme").unwrap();
    merchant.push("number", &seven()).unwrap();
    let source = format!("{}tests:\n  - {{ name: it is seven, expect: {{ result: seven }} }}\n", asking("one"));
    let before = publish(&merchant, &source).unwrap();
    let eight = integer_step("count", "(i64.const 8)").component().unwrap();
    let refused = merchant.push("number", &eight).unwrap_err();
    let Some(Error::Breaks { workflow, problems }) = refused.downcast_ref() else { panic!("{refused:?}") };
    assert_eq!((workflow.as_str(), problems[0].code.as_str()), ("one", "test_failed"));
    let now = workflows::active(&merchant.engine, &Slug::new("one").unwrap()).unwrap();
    assert_eq!(now, Some(before.revision));

    // The test is mended, which makes no revision, and counts all the same.
    let mended = source.replace("expect: { result: seven }", "expect: { path: [ask, pick, other] }");
    assert!(publish(&merchant, &mended).is_err(), "with the plugin of now it is seven");
    let either = source.replace("expect: { result: seven }", "expect: { status: closed }");
    assert_eq!(publish(&merchant, &either).unwrap().revision, before.revision);
    merchant.push("number", &eight).unwrap();
    assert_eq!(stands(&crate::publish::open(&merchant, "one")), "other");
}

/// A host whose folder of workflows is watched.
struct House {
    world: World,
    acme: Merchant,
    folder: Folder,
}

impl House {
    fn new() -> Self {
        let world = World::new().unwrap();
        let acme = world.bare_merchant("acme").unwrap();
        Self { world, acme, folder: Folder::with(&[("acme/.keep", "")]) }
    }

    /// Look until nothing wants another look; answers what was taken and what was refused.
    fn settle(&self) -> (usize, Vec<String>) {
        let folders = Folders { workflows: Some(self.folder.path("").into()), plugins: None };
        let (mut taken, mut refused) = (0, Vec::new());
        for _ in 0..50 {
            let report = doors::scan(&self.world.app, &folders);
            assert_eq!(report.failed, []);
            taken += report.accepted.len();
            refused.extend(report.refused);
            if report.pending == 0 {
                return (taken, refused);
            }
        }
        panic!("it never settles")
    }

    fn look(&self) -> doors::Report {
        let folders = Folders { workflows: Some(self.folder.path("").into()), plugins: None };
        doors::scan(&self.world.app, &folders)
    }

    fn told(&self) -> (&'static str, String) {
        let status = doors::status(&self.world.app, "acme").unwrap();
        let DoorState::Refused(refused) = status[0].state.clone() else { panic!("{status:?}") };
        (refused.code, refused.text)
    }
}

#[test]
fn a_file_with_tests_beside_a_workflow_keeps_it_out_until_one_of_the_two_is_mended() {
    let house = House::new();
    let bad = GOOD.replace("12.50", "13.50");
    house.folder.write("acme/returns/looked-at.test.yaml", &bad);
    house.folder.write("acme/returns/looked-at.yaml", LOOKED_AT);
    assert_eq!(house.settle(), (0, vec!["acme/returns/looked-at.yaml".to_owned()]));
    let (code, text) = house.told();
    assert_eq!((code, active(&house.acme)), ("tests_failed", None));
    assert!(
        text.contains("acme/returns/looked-at.test.yaml:8:7: test \"new goods are paid in full\" failed"),
        "{text}"
    );
    assert!(text.contains("path taken: look > grade > pay > shelf > tell > done"), "{text}");
    assert_eq!(house.look(), doors::Report::default(), "nothing has changed");

    // A file in another folder, or for another workflow, is none of its tests.
    house.folder.write("acme/looked-at.test.yaml", "format: 1\ntests_for: looked-at\ntests: [\n");
    house.folder.write("acme/returns/other.test.yaml", "format: 1\ntests_for: other\ntests: [\n");
    house.folder.write("acme/returns/looked-at.test.yaml", GOOD);
    assert_eq!(house.settle().0, 1, "the test was mended, the workflow is taken as it is");
    let first = active(&house.acme);

    // Mended the other way round: the workflow pays what the test wants.
    house.folder.write("acme/returns/looked-at.test.yaml", &bad);
    house.folder.write("acme/returns/looked-at.yaml", &LOOKED_AT.replace("12.50", "14.50"));
    assert_eq!(house.settle().1.len(), 1);
    assert_eq!(active(&house.acme), first);
    house.folder.write("acme/returns/looked-at.yaml", &LOOKED_AT.replace("12.50", "13.50"));
    assert_eq!(house.settle().0, 1);
    assert_ne!(active(&house.acme), first);
}

#[test]
fn a_file_with_tests_that_is_being_written_is_waited_for() {
    let house = House::new();
    house.folder.write("acme/looked-at.yaml", LOOKED_AT);
    house.folder.write("acme/looked-at.test.yaml", &GOOD[..GOOD.len() / 2]);
    assert_eq!(house.look().pending, 1);
    // The workflow rests, its tests do not.
    house.folder.write("acme/looked-at.test.yaml", &GOOD.replace("12.50", "13.50"));
    let report = house.look();
    assert_eq!((report.pending, report.accepted.len(), report.refused.len()), (1, 0, 0), "{report:?}");
    assert_eq!(house.settle().1, ["acme/looked-at.yaml"]);
    fs::remove_file(house.folder.path("acme/looked-at.test.yaml")).unwrap();
    assert_eq!(house.settle().0, 1, "without its tests it is taken");
}

#[test]
fn the_command_publishes_a_file_only_when_the_tests_beside_it_pass() {
    let folder =
        Folder::with(&[("looked-at.yaml", LOOKED_AT), ("looked-at.test.yaml", &GOOD.replace("12.50", "1.50"))]);
    let (data, file) = (folder.path("data"), folder.path("looked-at.yaml"));
    let facts = ["--zone", "Europe/London", "--currency", "GBP", "--locale", "en", "--jurisdiction", "UK"];
    let made = command(&[&["tenant", "create", "shop", "--data", &data][..], &facts[..]].concat());
    assert_eq!(made.exit, Exit::Done, "{}", made.talk);
    let publish = ["workflow", "publish", &file, "--data", &data, "--tenant", "shop"];
    let ran = command(&publish);
    assert_eq!(ran.exit, Exit::Invalid);
    assert!(ran.talk.contains(&format!("{}:8:7: test ", folder.path("looked-at.test.yaml"))), "{}", ran.talk);
    assert!(
        ran.talk.contains("error[tests_failed]: ") && ran.talk.contains("the active revision stays"),
        "{}",
        ran.talk
    );
    let listed = command(&["workflow", "list", "--data", &data, "--tenant", "shop", "--output", "json"]);
    assert_eq!(listed.json().as_array().map(Vec::len), Some(0));

    folder.write("looked-at.test.yaml", GOOD);
    assert_eq!(command(&publish).exit, Exit::Done);
    // With the merchant's own plugins and settings.
    let tried = command(&["workflow", "test", &file, "--data", &data, "--tenant", "shop"]);
    assert_eq!((tried.exit, tried.data.ends_with("1 passed, 0 failed\n")), (Exit::Done, true), "{}", tried.talk);
}
