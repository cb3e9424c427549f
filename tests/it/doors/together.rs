//! Files of one folder that depend on each other become active together, or not at all.

use redress::engine::log;
use redress::publish::workflows;
use redress_domain::ids::{Digest, Slug};

use super::House;
use crate::publish::ending;

const BASE: &str = "acme/base.yaml";
const OVERLAY: &str = "acme/overlay.yaml";

fn base(result: &str) -> String {
    ending(result).replace("format: 1", "format: 1\ncurrency: GBP")
}

fn overlay(queue: &str) -> String {
    format!(
        "format: 1\nworkflow: ours\nextends: returns@bundle\npatch:\n  - set: {{ at: steps.look.review.queue, to: {queue} }}\n"
    )
}

/// The queue and the result of the overlay as it is active.
fn ours(house: &House) -> Option<(String, String)> {
    let active = workflows::active(&house.acme.engine, &Slug::new("ours").unwrap()).unwrap()?;
    let definition = house.acme.engine.registry().definition(active).unwrap();
    let queue = definition.step("look").and_then(|step| step.kind.asked()).map(|review| review.queue.to_string());
    let revision = workflows::find(&house.acme.engine, active).unwrap()?;
    let base = revision.base?.source;
    let (_, rest) = base.split_once("result: ")?;
    Some((queue?, rest.split(' ').next()?.to_owned()))
}

fn is(queue: &str, result: &str) -> Option<(String, String)> {
    Some((queue.to_owned(), result.to_owned()))
}

/// Facts of the tenant's own stream, as they were recorded together.
fn together(house: &House) -> Vec<usize> {
    log::turns(&house.acme.engine).unwrap().iter().map(Vec::len).collect()
}

fn active(house: &House) -> [Option<Digest>; 2] {
    [house.revision("returns"), house.revision("ours")]
}

#[test]
fn an_overlay_and_the_file_that_it_extends_are_one_commit_and_change_with_each_other() {
    let house = House::new();
    house.write(OVERLAY, overlay("first"));
    house.write(BASE, base("one"));
    assert_eq!(house.settle().accepted.len(), 2);
    assert_eq!((ours(&house), together(&house)), (is("first", "one"), vec![2]));
    // The base alone: what extends it follows, in the same commit.
    house.write(BASE, base("two"));
    assert_eq!(house.settle().accepted.len(), 2);
    assert_eq!((ours(&house), together(&house)), (is("first", "two"), vec![2, 2]));
    // The overlay alone: its base is as it was.
    house.write(OVERLAY, overlay("second"));
    house.settle();
    assert_eq!((ours(&house), together(&house)), (is("second", "two"), vec![2, 2, 1]));
    assert_eq!(house.look(), Default::default(), "an unchanged folder changes nothing");
    let house = house.restart();
    house.settle();
    assert_eq!((ours(&house), together(&house)), (is("second", "two"), vec![2, 2, 1]));
}

#[test]
fn what_depends_on_a_broken_file_stays_as_it_was_until_that_is_mended() {
    let house = House::new();
    house.write(OVERLAY, overlay("first"));
    house.write(BASE, base("one"));
    house.settle();
    let before = active(&house);
    house.write(BASE, base("two").replace("queue: q", "qeue: q"));
    house.write(OVERLAY, overlay("second"));
    let report = house.settle();
    assert_eq!((report.refused.len(), active(&house)), (2, before));
    assert_eq!(house.refused(BASE).code, "workflow_invalid");
    assert_eq!(house.look(), Default::default(), "it is told once");
    house.write(BASE, base("two"));
    house.settle();
    assert_eq!((ours(&house), together(&house)), (is("second", "two"), vec![2, 2]), "the overlay comes with it");
}

#[test]
fn a_good_file_is_kept_out_by_the_one_that_it_comes_with_and_says_which() {
    let house = House::new();
    house.write(BASE, base("one"));
    house.write(OVERLAY, overlay("first").replace("steps.look.review.queue", "steps.nowhere.review.queue"));
    house.settle();
    assert_eq!(active(&house), [None, None]);
    let refused = house.refused(BASE);
    assert!(refused.code == "bundle_refused" && refused.text.contains(OVERLAY), "{refused:?}");
    house.write(OVERLAY, overlay("first"));
    house.settle();
    assert_eq!((ours(&house), together(&house)), (is("first", "one"), vec![2]));
}

#[test]
fn a_way_back_of_the_base_is_not_undone_by_a_change_of_what_extends_it() {
    let house = House::new();
    house.write(OVERLAY, overlay("first"));
    house.write(BASE, base("one"));
    house.settle();
    house.write(BASE, base("two"));
    house.settle();
    house.acme.roll_back("returns", None).unwrap();
    let back = house.revision("returns");
    house.write(OVERLAY, overlay("second"));
    house.settle();
    assert_eq!((house.revision("returns"), ours(&house)), (back, is("second", "two")));
}

#[test]
fn while_one_of_them_is_being_written_the_other_waits() {
    let house = House::new();
    house.write(BASE, base("one"));
    house.write(OVERLAY, overlay("first"));
    house.settle();
    let before = active(&house);
    house.write(OVERLAY, overlay("second"));
    house.look();
    // The overlay rests, and the base has just changed.
    house.write(BASE, base("two"));
    assert_eq!(house.look().pending, 2);
    assert_eq!(active(&house), before);
    house.settle();
    assert_eq!((ours(&house), together(&house)), (is("second", "two"), vec![2, 2]));
}
