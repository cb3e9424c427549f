//! Folders as editors, mounts and strangers leave them.

use std::fs;

use redress::publish::doors::{self, DoorState, Report};

use super::{House, ending};

#[test]
fn a_file_that_is_saved_by_rename_is_published_and_what_editors_leave_is_not() {
    let house = House::new();
    house.write("acme/returns.yaml", ending("first"));
    house.settle();
    house.write("acme/.returns.yaml.swp", "x");
    house.write("acme/returns.yaml~", ending("backup"));
    house.write("acme/.new.yaml", ending("second"));
    house.write("acme/4913", "");
    house.write("acme/_draft.yaml", ending("draft"));
    house.write("acme/_drafts/returns.yaml", ending("draft"));
    house.write("acme/.git/returns.yaml", ending("draft"));
    assert_eq!(house.settle(), Report::default());
    fs::rename(house.path("acme/.new.yaml"), house.path("acme/returns.yaml")).unwrap();
    house.settle();
    assert_eq!((house.result().as_deref(), house.facts(), house.status().len()), (Some("second"), 2, 1));
}

#[test]
fn a_mounted_config_map_is_followed_when_its_data_is_swapped() {
    let house = House::new();
    house.write("acme/..2026_a/returns.yaml", ending("first"));
    house.link("..2026_a", "acme/..data");
    house.link("..data/returns.yaml", "acme/returns.yaml");
    let report = house.settle();
    assert_eq!((report.accepted.len(), report.failed), (1, vec![]));
    house.write("acme/..2026_b/returns.yaml", ending("second"));
    house.link("..2026_b", "acme/..data_tmp");
    fs::rename(house.path("acme/..data_tmp"), house.path("acme/..data")).unwrap();
    fs::remove_dir_all(house.path("acme/..2026_a")).unwrap();
    house.settle();
    assert_eq!((house.result().as_deref(), house.facts()), (Some("second"), 2));
}

#[test]
fn the_folders_of_all_tenants_may_be_one_config_map() {
    let house = House::new();
    house.write("..2026_a/acme/returns.yaml", ending("first"));
    house.link("..2026_a", "..data");
    house.link("..data/acme", "acme");
    house.settle();
    assert_eq!(house.result().as_deref(), Some("first"));
    assert_eq!(house.status()[0].path, "acme/returns.yaml");
}

#[test]
fn a_link_is_not_followed_out_of_its_tenants_folder() {
    let house = House::new();
    house.world.bare_merchant("beta").unwrap();
    fs::write(house.folder.path().join("secret.yaml"), ending("secret")).unwrap();
    house.write("beta/returns.yaml", ending("of_beta"));
    house.write("acme/good.yaml", ending("good"));
    house.link("../../secret.yaml", "acme/outside.yaml");
    house.link("../beta/returns.yaml", "acme/neighbour.yaml");
    house.link("../beta", "acme/folder");
    house.link("nowhere", "acme/dangling.yaml");
    house.link("../acme", "acme/circle");
    let report = house.settle();
    assert_eq!(report.accepted.len(), 2, "{report:?}");
    assert_eq!(house.result().as_deref(), Some("good"));
    let paths: Vec<_> = house.status().into_iter().map(|one| (one.path, one.digest.is_some())).collect();
    let expected = [("dangling", false), ("good", true), ("neighbour", false), ("outside", false)];
    assert_eq!(paths, expected.map(|(name, read)| (format!("acme/{name}.yaml"), read)));
    let DoorState::Unreadable(why) = house.status_of("acme/neighbour.yaml").state else { panic!() };
    assert_eq!(why, "it is a link that leads out of its tenant's folder");
}

#[test]
fn a_broken_folder_is_reported_and_the_others_go_on() {
    let house = House::new();
    for name in ["beta", "gamma"] {
        house.world.bare_merchant(name).unwrap();
    }
    // One leads away, one has more than is looked at, and between them lies a good one.
    house.link("..", "gamma");
    for n in 0..=2_000 {
        house.write(&format!("acme/{n}.yaml"), "");
    }
    house.write("beta/returns.yaml", ending("first"));
    let report = house.settle();
    let taken: Vec<_> = report.accepted.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(taken, ["beta/returns.yaml"]);
    for told in [("acme", "it has more than 2000 files"), ("gamma", "it leads out of the watched folder")] {
        assert!(report.failed.iter().any(|(who, why)| (who.as_str(), why.as_str()) == told), "{:?}", report.failed);
    }
    // When it is mended it is looked at like any other.
    for n in 0..=2_000 {
        fs::remove_file(house.path(&format!("acme/{n}.yaml"))).unwrap();
    }
    house.write("acme/returns.yaml", ending("mended"));
    house.settle();
    assert_eq!(house.result().as_deref(), Some("mended"));
}

#[test]
fn a_folder_without_a_tenant_is_reported_once_and_ignored() {
    let house = House::new();
    for stranger in ["nobody", "Not A Name"] {
        house.write(&format!("{stranger}/returns.yaml"), ending("first"));
    }
    for ignored in ["std", "_shared", ".git"] {
        house.write(&format!("{ignored}/returns.yaml"), ending("first"));
    }
    house.write("returns.yaml", ending("misplaced"));
    house.write("README.md", "");
    assert_eq!(house.look().strangers, ["Not A Name", "nobody", "returns.yaml"]);
    assert_eq!(house.look(), Report::default());
    let error = doors::status(&house.world.app, "nobody").unwrap_err();
    assert_eq!(error.code(), "tenant_not_found");
    // Once the tenant is there, so is its door.
    house.world.bare_merchant("nobody").unwrap();
    assert_eq!(house.settle().accepted.len(), 1);
}

#[test]
fn a_file_that_is_too_long_or_lies_too_deep_is_not_read() {
    let house = House::new();
    let file = |path: &str, bytes: u64| {
        house.write(path, "");
        fs::File::options().write(true).open(house.path(path)).unwrap().set_len(bytes).unwrap();
    };
    // Files with holes: whoever read them whole would run out of memory.
    file("acme/long.yaml", 1 << 40);
    file("acme/long.wasm", 1 << 40);
    file("acme/24mib.wasm", (24 << 20) + 1);
    house.write("acme/1/2/3/4/5/6/7/8/deep.yaml", ending("deep"));
    house.write("acme/1/2/3/4/5/6/7/8/9/deeper.yaml", ending("deeper"));
    house.settle();
    for (path, max) in [("long.yaml", 262_144), ("long.wasm", 25_165_824), ("24mib.wasm", 25_165_824)] {
        let DoorState::Unreadable(why) = house.status_of(&format!("acme/{path}")).state else { panic!("{path}") };
        assert_eq!(why, format!("it has more than {max} bytes"), "{path}");
    }
    assert_eq!((house.result().as_deref(), house.status().len()), (Some("deep"), 4));
}

#[test]
fn one_tenant_hands_in_only_so_much_in_a_look() {
    let house = House::new();
    house.world.bare_merchant("beta").unwrap();
    for n in 0..100 {
        let text = ending("first").replace("workflow: returns", &format!("workflow: w{n}"));
        house.write(&format!("acme/{n}.yaml"), text);
    }
    house.write("beta/returns.yaml", ending("first"));
    assert_eq!(house.look().pending, 101);
    let report = house.look();
    let of = |tenant: &str| report.accepted.iter().filter(|(path, _)| path.starts_with(tenant)).count();
    assert_eq!((of("acme/"), of("beta/"), report.pending), (64, 1, 36));
    assert_eq!((house.settle().accepted.len(), house.facts()), (36, 100));
}
