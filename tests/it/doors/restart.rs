//! A folder is a door, not a state: what came in another way is never undone by a file that has not changed.

use redress::publish::doors::{DoorState, Report};
use redress_tests::world::admin;

use super::{House, ending};
use crate::publish::asking;

#[test]
fn a_restart_with_an_unchanged_folder_publishes_nothing() {
    let house = House::new();
    house.write("acme/returns.yaml", ending("first"));
    house.write("acme/number.wasm", crate::publish::seven());
    house.write("acme/one.yaml", asking("one"));
    house.write("acme/broken.yaml", "format: 1\nworkflow: broken\n");
    house.settle();
    let before = (house.facts(), house.revision("returns"), house.revision("one"));
    let house = house.restart();
    let report = house.settle();
    assert_eq!((report.accepted, house.facts()), (vec![], before.0));
    assert_eq!((house.revision("returns"), house.revision("one")), (before.1, before.2));
    assert_eq!(house.status_of("acme/returns.yaml").state, DoorState::Same);
    // Whoever looks for the problems of a refused file finds them after a restart too.
    assert_eq!(report.refused, ["acme/broken.yaml"]);
    assert!(house.refused("acme/broken.yaml").text.contains("acme/broken.yaml:1:1"));
    // An edit is one, before or after.
    house.write("acme/returns.yaml", ending("second"));
    house.settle();
    assert_eq!(house.result().as_deref(), Some("second"));
}

#[test]
fn a_rollback_by_the_api_survives_a_restart_and_an_unchanged_file() {
    for restart in [false, true] {
        let house = House::new();
        for result in ["first", "second"] {
            house.write("acme/returns.yaml", ending(result));
            house.settle();
        }
        house.acme.roll_back("returns", None).unwrap();
        let house = if restart { house.restart() } else { house };
        assert_eq!((house.settle(), house.result().as_deref()), (Report::default(), Some("first")));
        let status = house.status_of("acme/returns.yaml");
        assert!(status.differs_from_active, "{status:?}");
        // The next edit of the file counts, one that goes back to what was left too.
        house.write("acme/returns.yaml", format!("# Again.\n{}", ending("second")));
        house.settle();
        assert_eq!(house.result().as_deref(), Some("second"));
        assert!(!house.status_of("acme/returns.yaml").differs_from_active);
    }
}

#[test]
fn what_the_api_published_over_a_file_stays_until_the_file_changes() {
    let house = House::new();
    house.write("acme/returns.yaml", ending("file"));
    house.settle();
    house.acme.publish(&ending("api")).unwrap();
    assert_eq!(house.settle(), Report::default());
    let house = house.restart();
    house.settle();
    assert_eq!(house.result().as_deref(), Some("api"));
    assert!(house.status_of("acme/returns.yaml").differs_from_active);
    // Published over it with the same content, only written otherwise, it differs no more.
    house.acme.publish(&format!("# By hand.\n{}", ending("file"))).unwrap();
    assert!(!house.status_of("acme/returns.yaml").differs_from_active);
}

#[test]
fn a_power_cut_leaves_what_is_active_and_what_was_handed_in_together() {
    let house = House::new();
    house.write("acme/returns.yaml", ending("first"));
    house.settle();
    let cut = house.world.power_cut().unwrap();
    let acme = cut.reopen("acme").unwrap();
    let report = redress::publish::doors::scan(&cut.app, &house.folders());
    assert_eq!(report, Report::default());
    assert_eq!(super::active(&acme), super::active(&house.acme));
    let facts = redress::engine::log::read(&acme.engine).unwrap();
    assert_eq!(facts.len(), 1);
    assert_ne!(facts[0].by, admin(), "the door is who handed it in");
}

#[test]
fn an_older_file_that_lies_there_for_the_first_time_never_goes_back_behind_what_is_active() {
    let house = House::new();
    for result in ["first", "second"] {
        house.acme.publish(&ending(result)).unwrap();
    }
    // The host is started with a folder whose file was published once, in another way.
    house.write("acme/returns.yaml", format!("# As it was.\n{}", ending("first")));
    let report = house.settle();
    assert_eq!((report.accepted, report.refused), (vec![], vec!["acme/returns.yaml".to_owned()]));
    assert_eq!(house.result().as_deref(), Some("second"));
    let refused = house.refused("acme/returns.yaml");
    assert_eq!(refused.code, "file_differs");
    assert!(refused.text.contains("it says what was active before"), "{}", refused.text);
    // Neither a restart nor a plugin makes it count.
    let house = house.restart();
    house.settle();
    house.acme.push("number", &crate::publish::seven()).unwrap();
    house.settle();
    assert_eq!(house.result().as_deref(), Some("second"));
    assert!(house.status_of("acme/returns.yaml").differs_from_active);
    // Whoever saves it wants it.
    house.write("acme/returns.yaml", ending("first"));
    house.settle();
    assert_eq!(house.result().as_deref(), Some("first"));
    // What is active already, and what is new, are taken at once.
    house.write("acme/copy.yaml", ending("first"));
    house.write("acme/new.yaml", ending("new").replace("workflow: returns", "workflow: others"));
    assert_eq!(house.settle().refused, [""; 0]);
}
