//! Plugins behind a door, and workflows that wait for them.

use redress::publish::cases::{self, Keep};
use redress::publish::doors::{DoorState, Report};
use redress::publish::plugins;
use redress::publish::way::Way;
use redress_domain::clock::Instant;
use redress_domain::ids::Digest;
use redress_sandbox::{Config, Limits, Sandbox};
use redress_tests::guests::{counting, integer_step};
use redress_tests::shop::stands;
use redress_tests::world::{START, World, admin};

use super::House;
use crate::publish::{asking, open, seven};

#[test]
fn plugins_come_before_the_workflows_that_call_them() {
    let house = House::new();
    house.write("acme/a.yaml", asking("one"));
    house.write("acme/number.wasm", counting().component().unwrap());
    let report = house.settle();
    let paths: Vec<_> = report.accepted.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!((paths, report.refused), (vec!["acme/number.wasm", "acme/a.yaml"], vec![]));
    assert_eq!(stands(&open(&house.acme, "one")), "other");
}

#[test]
fn a_plugin_file_that_is_swapped_republishes_what_calls_it() {
    let house = House::new();
    house.write("acme/number.wasm", counting().component().unwrap());
    house.write("acme/one.yaml", asking("one"));
    house.settle();
    let before = (house.revision("one"), house.facts());
    house.write("acme/number.wasm", seven());
    let report = house.settle();
    assert_eq!(report.accepted, [("acme/number.wasm".to_owned(), Digest::of(&seven()))]);
    assert_ne!(house.revision("one"), before.0);
    assert_eq!(house.facts(), before.1 + 2, "a plugin and a revision");
    assert_eq!(stands(&open(&house.acme, "one")), "seven");
    // The workflow's file says what is active, though its revision is another one now.
    assert!(house.status().iter().all(|one| !one.differs_from_active), "{:?}", house.status());
    assert_eq!(house.look(), Report::default());

    // An earlier component by the API stays, though the file differs; a restart does not undo it.
    let earlier = Digest::of(&counting().component().unwrap());
    house.acme.activate("number@0", earlier).unwrap();
    assert_eq!(house.settle(), Report::default());
    assert!(house.status_of("acme/number.wasm").differs_from_active);
    assert!(!house.status_of("acme/one.yaml").differs_from_active);
    let house = house.restart();
    assert_eq!(house.settle(), Report::default());
    assert_eq!(plugins::list(&house.acme.engine).unwrap()[0].digest, earlier);
}

#[test]
fn a_workflow_that_lacks_a_plugin_is_published_when_the_plugin_arrives() {
    let house = House::new();
    house.write("acme/one.yaml", asking("one"));
    assert_eq!(house.settle().refused, ["acme/one.yaml"]);
    assert_eq!(house.refused("acme/one.yaml").problems[0].code, "unknown_plugin");
    assert_eq!(house.look(), Report::default(), "it is not tried while nothing has changed");
    house.write("acme/number.wasm", seven());
    let report = house.settle();
    let paths: Vec<_> = report.accepted.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(paths, ["acme/number.wasm", "acme/one.yaml"]);
    assert_eq!(stands(&open(&house.acme, "one")), "seven");
}

#[test]
fn a_plugin_that_arrives_by_another_way_or_while_the_host_is_down_is_arrived() {
    for restart in [false, true] {
        let mut house = House::new();
        house.write("acme/one.yaml", asking("one"));
        house.settle();
        house.acme.push("number", &seven()).unwrap();
        if restart {
            house = house.restart();
        }
        let report = house.settle();
        assert_eq!(report.accepted.len(), 1, "{report:?}");
        assert_eq!(stands(&open(&house.acme, "one")), "seven");
    }
}

#[test]
fn a_plugin_that_is_refused_changes_nothing_and_waits_for_workflows_that_suit_it() {
    let house = House::new();
    house.write("acme/number.wasm", seven());
    house.write("acme/one.yaml", asking("one"));
    house.settle();
    let before = (house.revision("one"), house.facts());
    house.write("acme/hello.wasm", "hello");
    house.write("acme/Bad Name.wasm", seven());
    house.write("acme/number.wasm", integer_step("amount", "(i64.const 7)").component().unwrap());
    house.settle();
    for (path, code) in [
        ("acme/hello.wasm", "upload_not_wasm"),
        ("acme/Bad Name.wasm", "plugin_name_invalid"),
        ("acme/number.wasm", "plugin_breaks_workflow"),
    ] {
        assert_eq!(house.refused(path).code, code, "{path}");
    }
    assert_eq!((house.revision("one"), house.facts()), before);
    assert_eq!(house.look(), Report::default());
    // The workflow goes another way: what stood in the way of the plugin is gone.
    let other = super::ending("done").replace("workflow: returns", "workflow: one");
    house.write("acme/one.yaml", other);
    house.settle();
    house.settle();
    assert!(matches!(house.status_of("acme/number.wasm").state, DoorState::Published(_)), "{:?}", house.status());
}

#[test]
fn a_file_that_answers_a_case_otherwise_is_refused_and_tried_again_when_the_case_changes() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("watched")).unwrap();
    // One that tries what it is given.
    let limits = Limits { wall_clock_ms: 60_000, dry_run_ms_max: 60_000, ..Limits::default() };
    let sandbox = Sandbox::new(Config { limits, ..Config::default() }).unwrap();
    let world = World::with_sandbox(&folder.path().join("data"), sandbox, Instant::from_unix_ms(START)).unwrap();
    let acme = world.bare_merchant("acme").unwrap();
    let house = House { world, acme, folder };
    let keep = |number: u8| {
        let source = format!(r#"{{"hook":"step","expect":{{"answer":{{"provides":{{"count":{number}}}}}}}}}"#);
        let (source, by) = (source.as_str(), admin());
        let keep = Keep { plugin: "number", case: "seven", source, note: "", by: &by, way: Way::Api, answer: None };
        cases::keep(&house.acme.engine, &keep).unwrap();
    };
    keep(8);
    house.write("acme/number.wasm", seven());
    let report = house.settle();
    assert_eq!(report.refused, ["acme/number.wasm"], "{report:?}");
    let refused = house.refused("acme/number.wasm");
    assert_eq!(refused.code, "plugin_case_differs");
    assert!(refused.text.contains("seven: /provides/count is 7 and not 8"), "{}", refused.text);
    assert_eq!(house.look(), Report::default(), "it is not tried while nothing has changed");
    keep(7);
    let report = house.settle();
    assert_eq!(report.accepted, [("acme/number.wasm".to_owned(), Digest::of(&seven()))]);
}
