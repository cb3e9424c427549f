//! A folder that is treated badly: whatever is done to it, only what somebody wrote whole and valid is ever active.

use std::collections::BTreeSet;
use std::fs;

use redress::publish::doors::{DoorState, Report};
use redress::publish::workflows;
use redress_tests::kitchen::Dice;

use super::{House, ending};

/// Edits of the long game.
const EDITS: usize = 1_000;

/// A workflow that passes its checks and not its tests.
fn untrue(result: &str) -> String {
    format!("{}tests: [{{ name: it ends, expect: {{ result: {result} }} }}]\n", ending(result))
}

#[test]
fn valid_over_invalid_over_valid_is_what_is_active_and_an_earlier_text_is_its_earlier_revision() {
    let house = House::new();
    let invalid = ending("second").replace("next: { done: done }", "next: { done: nowhere }");
    let mut active = Vec::new();
    for (text, result, taken) in [
        (ending("first"), "first", true),
        (invalid.clone(), "first", false),
        (ending("second"), "second", true),
        (untrue("third"), "second", false),
        (invalid, "second", false),
        (ending("third"), "third", true),
        (String::new(), "third", false),
        (ending("first"), "first", true),
    ] {
        house.write("acme/returns.yaml", &text);
        let report = house.settle();
        assert_eq!((report.accepted.len(), report.refused.len()), (usize::from(taken), usize::from(!taken)), "{text}");
        assert_eq!(house.result().as_deref(), Some(result), "{text}");
        let is_refused = matches!(house.status_of("acme/returns.yaml").state, DoorState::Refused(_));
        assert_eq!(is_refused, !taken, "{text}");
        active.push(house.revision("returns"));
    }
    assert_eq!(active.first(), active.last(), "the text of before is the revision of before");
    let revisions = workflows::list(&house.acme.engine).unwrap();
    assert_eq!(revisions.iter().map(|one| one.number).collect::<Vec<_>>(), [1, 2, 3]);
}

/// What is done to the file of a workflow, and what of it was ever whole and valid.
struct Vandal {
    house: House,
    dice: Dice,
    /// Results that were written whole in a valid text.
    whole: BTreeSet<String>,
    edits: usize,
}

impl Vandal {
    /// One edit, in one of the ways of editors, mounts and accidents.
    fn edit(&mut self) {
        self.edits += 1;
        let result = format!("edit{}", self.edits);
        let text = ending(&result);
        let file = "acme/returns.yaml";
        match self.dice.roll(10) {
            // Written in two parts; the first may be a valid text of its own.
            0 => self.house.write(file, &text[..usize::try_from(self.dice.roll(200)).unwrap()]),
            1 => self.house.write(file, text.replace("next: { done: done }", "next: { done: nowhere }")),
            2 => self.house.write(file, untrue(&result)),
            3 => self.house.write(file, [text.as_bytes(), b"\xff"].concat()),
            4 => drop(fs::remove_file(self.house.path(file))),
            5 | 6 => {
                self.whole.insert(result);
                let to = format!("acme/..v{}/returns.yaml", self.edits);
                self.house.write(&to, text);
                self.house.link(&format!("..v{}/returns.yaml", self.edits), "acme/.link");
                fs::rename(self.house.path("acme/.link"), self.house.path(file)).unwrap();
            }
            7 | 8 => {
                self.whole.insert(result);
                self.house.write("acme/.returns.tmp", text);
                fs::rename(self.house.path("acme/.returns.tmp"), self.house.path(file)).unwrap();
            }
            _ => {
                self.whole.insert(result);
                // A link would be written through.
                drop(fs::remove_file(self.house.path(file)));
                self.house.write(file, text);
            }
        }
    }

    /// Whatever is active was written whole by somebody.
    fn check(&self) {
        for revision in workflows::list(&self.house.acme.engine).unwrap() {
            let (_, rest) = revision.source.split_once("result: ").unwrap();
            let result = rest.split(' ').next().unwrap();
            assert!(self.whole.contains(result) && revision.source == ending(result), "{}", revision.source);
        }
    }
}

#[test]
fn after_a_thousand_edits_of_every_kind_the_last_whole_one_is_active() {
    let house = House::new();
    let beta = house.world.bare_merchant("beta").unwrap();
    let mut vandal = Vandal { house, dice: Dice::new(7), whole: BTreeSet::new(), edits: 0 };
    let mut of_beta = 0;
    while vandal.edits < EDITS {
        for _ in 0..=vandal.dice.roll(4) {
            vandal.edit();
        }
        if vandal.dice.once_in(10) {
            of_beta += 1;
            vandal.house.write("beta/returns.yaml", ending(&format!("beta{of_beta}")));
        }
        for _ in 0..vandal.dice.roll(4) {
            vandal.house.look();
        }
    }
    vandal.check();
    let file = vandal.house.path("acme/returns.yaml");
    drop(fs::remove_file(&file));
    vandal.house.write("acme/returns.yaml", ending("last"));
    vandal.whole.insert("last".to_owned());
    vandal.house.settle();
    assert_eq!(vandal.house.result().as_deref(), Some("last"));
    vandal.check();
    let revisions = workflows::list(&vandal.house.acme.engine).unwrap().len();
    println!("{EDITS} edits, {} of them whole, {revisions} revisions", vandal.whole.len());
    assert!(revisions > 20, "{revisions} revisions");
    // The neighbour's file is taken as if nothing had happened.
    let neighbour = workflows::list(&beta.engine).unwrap();
    assert_eq!(neighbour.last().unwrap().source, ending(&format!("beta{of_beta}")));
    assert_eq!(vandal.house.look(), Report::default());
}

#[test]
fn a_swapped_mount_brings_a_workflow_and_its_tests_together() {
    let house = House::new();
    let tests = |result: &str| {
        format!(
            "format: 1\ntests_for: returns\ntests: [{{ name: it ends, play: [{{ answer: look }}], expect: {{ result: {result} }} }}]\n"
        )
    };
    let whole = |result: &str| format!("currency: GBP\nzone: Europe/London\n{}", ending(result));
    let mount = |version: &str, result: &str, expected: &str| {
        house.write(&format!("acme/..{version}/returns.yaml"), whole(result));
        house.write(&format!("acme/..{version}/returns.test.yaml"), tests(expected));
        house.link(&format!("..{version}"), "acme/..data_tmp");
        fs::rename(house.path("acme/..data_tmp"), house.path("acme/..data")).unwrap();
    };
    mount("a", "first", "first");
    house.link("..data/returns.yaml", "acme/returns.yaml");
    house.link("..data/returns.test.yaml", "acme/returns.test.yaml");
    assert_eq!((house.settle().accepted.len(), house.result().as_deref()), (1, Some("first")));
    mount("b", "second", "third");
    assert_eq!(house.settle().refused, ["acme/returns.yaml"]);
    assert_eq!((house.refused("acme/returns.yaml").code, house.result().as_deref()), ("tests_failed", Some("first")));
    mount("c", "third", "third");
    assert_eq!((house.settle().accepted.len(), house.result().as_deref()), (1, Some("third")));
}

#[test]
fn a_merchants_broken_folder_costs_the_good_one_beside_it_nothing() {
    let house = House::new();
    let beta = house.world.bare_merchant("beta").unwrap();
    house.write("acme/broken.yaml", "format: 1\nworkflow: broken\nsteps: [\n");
    house.write("acme/untrue.yaml", untrue("wrong").replace("workflow: returns", "workflow: untrue"));
    house.write("acme/beside.yaml", ending("beside").replace("workflow: returns", "workflow: beside"));
    house.write("acme/beside.test.yaml", "format: 1\ntests_for: beside\ntests: [\n");
    house.link("/etc", "acme/out");
    for n in 1..=20 {
        house.write("beta/returns.yaml", ending(&format!("beta{n}")));
        house.look();
        house.look();
        let newest = workflows::list(&beta.engine).unwrap().pop().unwrap();
        assert_eq!((newest.number, newest.source), (n, ending(&format!("beta{n}"))));
    }
    let mut refused: Vec<_> = house.status().into_iter().map(|one| (one.path, one.state)).collect();
    refused.retain(|(_, state)| matches!(state, DoorState::Refused(_)));
    let names: Vec<_> = refused.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(names, ["acme/beside.yaml", "acme/broken.yaml", "acme/untrue.yaml"]);
    assert!(super::active(&house.acme).is_empty());
}
