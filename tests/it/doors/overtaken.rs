//! A file that was refused and would pass now never undoes what came in another way meanwhile.

use redress::publish::doors::{DoorState, Report};
use redress::publish::plugins;
use redress_domain::ids::Digest;
use redress_tests::guests::{counting, integer_step};
use redress_tests::shop::stands;

use super::{House, ending};
use crate::publish::{asking, open, seven};

const FILE: &str = "acme/returns.yaml";

/// What happens while the file is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meanwhile {
    Nothing,
    Published,
    /// Published, and taken back again: what is active says what it said, and somebody wanted it so.
    PublishedAndTakenBack,
    RolledBack,
    /// From another file.
    Saved,
}

/// Two revisions are published; the file then asks a plugin that is not there.
fn waiting(restart: bool) -> House {
    let house = House::new();
    for result in ["first", "second"] {
        house.write(FILE, ending(result));
        house.settle();
    }
    house.write(FILE, asking("returns"));
    assert_eq!(house.settle().refused, [FILE]);
    if restart { house.restart() } else { house }
}

#[test]
fn a_refused_file_that_would_pass_now_never_undoes_what_came_in_another_way() {
    use Meanwhile as M;
    for (meanwhile, stays) in [
        (M::Nothing, None),
        (M::Published, Some("api")),
        (M::PublishedAndTakenBack, Some("second")),
        (M::RolledBack, Some("first")),
        (M::Saved, Some("other")),
    ] {
        for restart in [false, true] {
            let house = waiting(restart);
            match meanwhile {
                M::Nothing => {}
                M::Published => drop(house.acme.publish(&ending("api")).unwrap()),
                M::PublishedAndTakenBack => {
                    house.acme.publish(&ending("api")).unwrap();
                    house.acme.roll_back("returns", None).unwrap();
                }
                M::RolledBack => drop(house.acme.roll_back("returns", None).unwrap()),
                M::Saved => {
                    house.write("acme/other.yaml", ending("other"));
                    house.settle();
                }
            }
            let house = if restart { house.restart() } else { house };
            house.settle();
            house.acme.push("number", &seven()).unwrap();
            let report = house.settle();
            let Some(stays) = stays else {
                assert_eq!(report.accepted.len(), 1, "{report:?}");
                assert_eq!(stands(&open(&house.acme, "returns")), "seven");
                continue;
            };
            assert_eq!((report.accepted, house.result().as_deref()), (vec![], Some(stays)), "{meanwhile:?}");
            let refused = house.refused(FILE);
            assert_eq!(refused.code, "file_differs", "{meanwhile:?}: {refused:?}");
            assert!(refused.text.contains("save it again"), "{}", refused.text);
            assert!(house.status_of(FILE).differs_from_active);
            assert_eq!(house.look(), Report::default(), "it is told once");
            let house = house.restart();
            house.settle();
            assert_eq!((house.refused(FILE).code, house.result().as_deref()), ("file_differs", Some(stays)));
            // Whoever saves it wants it.
            house.write(FILE, format!("# Again.\n{}", asking("returns")));
            assert_eq!(house.settle().accepted.len(), 1);
            assert_eq!(stands(&open(&house.acme, "returns")), "seven");
        }
    }
}

#[test]
fn a_revision_that_only_follows_its_plugin_is_nothing_that_came_in_another_way() {
    let house = House::new();
    house.acme.push("number", &counting().component().unwrap()).unwrap();
    house.write(FILE, asking("returns"));
    house.settle();
    // The edit asks a second plugin, which is not there yet.
    let edit = asking("returns").replace("number@0", "other@0");
    house.write(FILE, &edit);
    assert_eq!(house.settle().refused, [FILE]);
    house.acme.push("number", &seven()).unwrap();
    house.settle();
    assert_eq!(house.refused(FILE).problems[0].code, "unknown_plugin");
    house.acme.push("other", &seven()).unwrap();
    assert_eq!(house.settle().accepted.len(), 1);
    assert!(matches!(house.status_of(FILE).state, DoorState::Published(_)));
}

#[test]
fn a_refused_plugin_that_would_pass_now_never_undoes_one_that_came_in_another_way() {
    for by_api in [false, true] {
        let house = House::new();
        house.write("acme/number.wasm", seven());
        house.write("acme/one.yaml", asking("one"));
        house.settle();
        let unfit = integer_step("amount", "(i64.const 7)").component().unwrap();
        house.write("acme/number.wasm", &unfit);
        house.settle();
        assert_eq!(house.refused("acme/number.wasm").code, "plugin_breaks_workflow");
        let counting = counting().component().unwrap();
        if by_api {
            house.acme.push("number", &counting).unwrap();
        }
        // The workflow asks nobody any more, so that any plugin suits it.
        house.acme.publish(&ending("done").replace("workflow: returns", "workflow: one")).unwrap();
        house.settle();
        let active = plugins::list(&house.acme.engine).unwrap().pop().unwrap().digest;
        if by_api {
            assert_eq!(active, Digest::of(&counting));
            assert_eq!(house.refused("acme/number.wasm").code, "file_differs");
        } else {
            assert_eq!(active, Digest::of(&unfit));
        }
    }
}
