//! The thread that watches: what is saved becomes active soon, however it is saved.

use std::fs;
use std::time::{Duration, Instant};

use redress::publish::watch::{Doors, Error};
use redress::publish::workflows;

use super::{House, doors, ending};

/// Wait until it holds; a busy machine gets its time.
fn until(what: &str, holds: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !holds() {
        assert!(Instant::now() < deadline, "{what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

impl House {
    fn start(&self) -> Doors {
        Doors::start(&self.world.app, self.folders()).unwrap()
    }

    fn until_result(&self, result: &str) {
        until(result, || self.result().as_deref() == Some(result));
    }
}

#[test]
fn what_lies_there_is_active_when_the_start_answers_and_an_edit_soon_after() {
    let house = House::new();
    house.write("acme/returns.yaml", ending("first"));
    let watching = house.start();
    assert_eq!(house.result().as_deref(), Some("first"));
    house.write("acme/returns.yaml", ending("second"));
    house.until_result("second");
    house.write("acme/new/.part", ending("third"));
    fs::remove_file(house.path("acme/returns.yaml")).unwrap();
    fs::rename(house.path("acme/new/.part"), house.path("acme/new/other.yaml")).unwrap();
    house.until_result("third");
    watching.stop();
    // Stopped is stopped: the next edit waits for whoever looks next.
    house.write("acme/new/other.yaml", ending("fourth"));
    assert_eq!(house.look().pending, 1);
    assert_eq!(house.result().as_deref(), Some("third"));
}

#[test]
fn a_thousand_edits_end_at_the_last_one_with_every_state_between_valid() {
    let house = House::new();
    house.write("acme/returns.yaml", ending("edit0"));
    let watching = house.start();
    for n in 1..=1_000 {
        // In place and by rename, as editors do.
        if n % 2 == 0 {
            house.write("acme/returns.yaml", ending(&format!("edit{n}")));
        } else {
            house.write("acme/.returns", ending(&format!("edit{n}")));
            fs::rename(house.path("acme/.returns"), house.path("acme/returns.yaml")).unwrap();
        }
        assert!(house.revision("returns").is_some());
    }
    house.until_result("edit1000");
    watching.stop();
    for revision in workflows::list(&house.acme.engine).unwrap() {
        let (_, rest) = revision.source.split_once("result: edit").unwrap();
        let n: u32 = rest.split(' ').next().unwrap().parse().unwrap();
        assert_eq!(revision.source, ending(&format!("edit{n}")), "nothing was published that was never written");
    }
    assert_eq!(house.status().len(), 1);
}

#[test]
fn a_folder_that_is_put_in_the_place_of_the_watched_one_is_watched() {
    let house = House::new();
    house.write("acme/returns.yaml", ending("first"));
    let watching = house.start();
    let root = house.folder.path();
    fs::create_dir_all(root.join("next/acme")).unwrap();
    fs::write(root.join("next/acme/returns.yaml"), ending("second")).unwrap();
    fs::rename(root.join("watched"), root.join("old")).unwrap();
    fs::rename(root.join("next"), root.join("watched")).unwrap();
    house.until_result("second");
    // Gone for a while, and a link afterwards, as tools leave it that check out whole folders.
    fs::rename(root.join("watched"), root.join("v1")).unwrap();
    until("its absence is told", || doors::scan(&house.world.app, &house.folders()).failed.len() == 2);
    fs::create_dir_all(root.join("v2/acme")).unwrap();
    fs::write(root.join("v2/acme/returns.yaml"), ending("third")).unwrap();
    std::os::unix::fs::symlink("v2", root.join("watched")).unwrap();
    house.until_result("third");
    std::os::unix::fs::symlink("v1", root.join("watched.new")).unwrap();
    fs::rename(root.join("watched.new"), root.join("watched")).unwrap();
    house.until_result("second");
    watching.stop();
}

#[test]
fn a_broken_edit_does_not_stop_the_watching() {
    let house = House::new();
    house.write("acme/returns.yaml", ending("first"));
    let watching = house.start();
    house.write("acme/returns.yaml", "format: 1\nworkflow: returns\n");
    until("it is refused", || house.status().iter().any(|one| matches!(one.state, doors::DoorState::Refused(_))));
    assert_eq!(house.result().as_deref(), Some("first"));
    house.write("acme/returns.yaml", ending("second"));
    house.until_result("second");
    drop(watching);
}

#[test]
fn a_folder_that_is_not_there_is_told_at_the_start() {
    let house = House::new();
    let missing = house.folder.path().join("missing");
    let folders = doors::Folders { workflows: Some(missing.clone()), plugins: None };
    let error = Doors::start(&house.world.app, folders).unwrap_err();
    let Error::Folder { folder, .. } = &error else { panic!("{error:?}") };
    assert_eq!((folder, error.code()), (&missing, "folder_not_opened"));
}
