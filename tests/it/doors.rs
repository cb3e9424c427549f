//! Watched folders: a file becomes active once, whatever way it is saved, and nothing that is broken or half-written does.

mod faults;
mod folder;
mod overtaken;
mod plugin;
mod restart;
mod together;
mod watched;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use redress::publish::doors::{self, DoorState, DoorStatus, Folders, Refused, Report};
use redress_domain::ids::{Digest, Slug};
use redress_tests::world::{Merchant, World};

use super::publish::{active, ending, logged};

/// A host whose folder of workflows and folder of plugins is the same, with the merchant `acme`.
struct House {
    world: World,
    acme: Merchant,
    folder: tempfile::TempDir,
}

impl House {
    fn new() -> Self {
        let world = World::new().unwrap();
        let acme = world.bare_merchant("acme").unwrap();
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("watched")).unwrap();
        Self { world, acme, folder }
    }

    /// The host stops and starts again; the folder stays.
    fn restart(self) -> Self {
        let Self { world, acme, folder } = self;
        drop(acme);
        let world = world.restart().unwrap();
        let acme = world.reopen("acme").unwrap();
        Self { world, acme, folder }
    }

    fn folders(&self) -> Folders {
        let watched = self.folder.path().join("watched");
        Folders { workflows: Some(watched.clone()), plugins: Some(watched) }
    }

    fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join("watched").join(path)
    }

    fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    fn link(&self, to: &str, path: &str) {
        symlink(to, self.path(path)).unwrap();
    }

    /// One look.
    fn look(&self) -> Report {
        doors::scan(&self.world.app, &self.folders())
    }

    /// Looks until nothing wants another one: what they found together.
    fn settle(&self) -> Report {
        let mut all = Report::default();
        for _ in 0..200 {
            let Report { accepted, refused, strangers, failed, pending } = self.look();
            all.accepted.extend(accepted);
            all.refused.extend(refused);
            all.strangers.extend(strangers);
            all.failed.extend(failed);
            if pending == 0 {
                return all;
            }
        }
        panic!("it never settles: {all:?}")
    }

    fn status(&self) -> Vec<DoorStatus> {
        doors::status(&self.world.app, "acme").unwrap()
    }

    fn status_of(&self, path: &str) -> DoorStatus {
        let all = self.status();
        all.iter().find(|one| one.path == path).unwrap_or_else(|| panic!("{path}: {all:?}")).clone()
    }

    fn refused(&self, path: &str) -> Refused {
        match self.status_of(path).state {
            DoorState::Refused(refused) => refused,
            other => panic!("{other:?}"),
        }
    }

    fn revision(&self, workflow: &str) -> Option<Digest> {
        let name = Slug::new(workflow).unwrap();
        active(&self.acme).into_iter().find(|(slug, _)| *slug == name).map(|(_, revision)| revision)
    }

    /// The result that a case of the active workflow `returns` ends with, as its text says.
    fn result(&self) -> Option<String> {
        let revision = redress::publish::workflows::find(&self.acme.engine, self.revision("returns")?).unwrap()?;
        let (_, rest) = revision.source.split_once("result: ")?;
        Some(rest.split(' ').next()?.to_owned())
    }

    fn facts(&self) -> usize {
        logged(&self.acme).len()
    }
}

#[test]
fn an_edit_is_published_from_its_file_by_the_door() {
    let house = House::new();
    house.write("acme/a/b/returns.yaml", ending("first"));
    let report = house.settle();
    assert_eq!(report.accepted, [("acme/a/b/returns.yaml".to_owned(), house.revision("returns").unwrap())]);
    house.write("acme/a/b/returns.yaml", ending("second"));
    house.settle();
    assert_eq!((house.result().as_deref(), house.facts()), (Some("second"), 2));
    let revision = redress::publish::workflows::list(&house.acme.engine).unwrap().pop().unwrap();
    let by = (revision.by.id.as_str(), revision.by.role.as_str());
    assert_eq!((by, revision.note.as_str()), (("door", "admin"), "file acme/a/b/returns.yaml"));
    let status = house.status_of("acme/a/b/returns.yaml");
    assert_eq!((status.state, status.differs_from_active), (DoorState::Published(revision.revision), false));
    assert_eq!(house.look(), Report::default(), "an unchanged folder changes nothing");
}

#[test]
fn a_half_written_file_is_not_handed_in_even_if_it_is_valid() {
    let house = House::new();
    house.write("acme/returns.yaml", ending("first"));
    house.settle();
    // The half of a document that is valid on its own.
    let half = ending("second");
    house.write("acme/returns.yaml", &half);
    assert_eq!(house.look().pending, 1);
    assert_eq!(house.status_of("acme/returns.yaml").state, DoorState::Changing);
    house.write("acme/returns.yaml", format!("{half}priority: 5\n"));
    let report = house.look();
    assert_eq!((report.pending, report.accepted), (1, vec![]), "it has moved since the last look");
    house.settle();
    assert_eq!((house.result().as_deref(), house.facts()), (Some("second"), 2));
}

#[test]
fn a_broken_edit_is_refused_with_the_caret_at_its_place_while_the_old_one_stays() {
    let house = House::new();
    house.write("acme/returns.yaml", ending("first"));
    house.settle();
    let before = house.revision("returns");
    let broken = ending("second").replace("next: { done: done }", "next: { done: 退货 }");
    house.write("acme/returns.yaml", &broken);
    let report = house.settle();
    assert_eq!((report.refused, report.accepted), (vec!["acme/returns.yaml".to_owned()], vec![]));
    assert_eq!((house.revision("returns"), house.facts()), (before, 1));
    assert_eq!(super::publish::open(&house.acme, "return").revision, before);
    let refused = house.refused("acme/returns.yaml");
    insta::assert_snapshot!(refused.text);
    let at = broken.lines().nth(4).unwrap();
    let column = at[..at.find('退').unwrap()].chars().count();
    let problem = &refused.problems[0];
    assert_eq!(
        (problem.start.line, problem.start.character, problem.end.character),
        (4, column as u32, column as u32 + 2)
    );
    assert!(house.status_of("acme/returns.yaml").differs_from_active);
    // It is told once, and not handed in again.
    assert_eq!(house.look(), Report::default());

    house.write("acme/returns.yaml", ending("third"));
    house.settle();
    assert_eq!(house.result().as_deref(), Some("third"));
}

#[test]
fn a_text_that_was_cut_off_is_refused_until_it_is_whole() {
    let house = House::new();
    house.write("acme/returns.yaml", ending("first"));
    house.settle();
    let whole = ending("second");
    for end in [0, 9, 30, whole.len() / 2, whole.len() - 8] {
        house.write("acme/returns.yaml", &whole[..end]);
        house.settle();
        assert_eq!(house.result().as_deref(), Some("first"), "cut at {end}");
        house.refused("acme/returns.yaml");
    }
    house.write("acme/returns.yaml", [&whole.as_bytes()[..40], b"\xff\xfe"].concat());
    house.settle();
    assert_eq!(house.refused("acme/returns.yaml").problems[0].code, "not_utf8");
    house.write("acme/returns.yaml", &whole);
    house.settle();
    assert_eq!((house.result().as_deref(), house.facts()), (Some("second"), 2));
}

#[test]
fn a_file_that_is_deleted_retires_nothing_and_comes_back_as_nothing_new() {
    let house = House::new();
    house.write("acme/returns.yaml", ending("first"));
    house.settle();
    fs::remove_file(house.path("acme/returns.yaml")).unwrap();
    assert_eq!(house.settle(), Report::default());
    assert_eq!((house.result().as_deref(), house.status()), (Some("first"), vec![]));
    house.write("acme/returns.yaml", ending("first"));
    house.settle();
    assert_eq!((house.facts(), house.status_of("acme/returns.yaml").state), (1, DoorState::Same));
}

#[test]
fn the_same_bytes_under_two_names_are_one_publication() {
    let house = House::new();
    house.write("acme/a.yaml", ending("first"));
    house.write("acme/b.yml", ending("first"));
    let report = house.settle();
    assert_eq!((report.accepted.len(), house.facts()), (2, 1));
    // Each is a door of its own: an edit of one is an edit.
    house.write("acme/a.yaml", ending("second"));
    house.settle();
    assert_eq!(house.result().as_deref(), Some("second"));
    assert!(!house.status_of("acme/a.yaml").differs_from_active);
    assert!(house.status_of("acme/b.yml").differs_from_active);
}

#[test]
fn documents_of_other_kinds_are_left_alone() {
    let house = House::new();
    house.write("acme/mapping.yaml", "format: 1\nimport: shop\n");
    house.write("acme/tests.yaml", "format: 1\ntests_for: returns\n");
    house.write("acme/broken.yaml", "format: 1\nimport: [\n");
    house.write("acme/compose.yml", "services: {}\n");
    house.write("acme/empty.yaml", "");
    house.write("acme/notes.txt", ending("first"));
    assert_eq!((house.settle(), house.status()), (Report::default(), vec![]));
}
