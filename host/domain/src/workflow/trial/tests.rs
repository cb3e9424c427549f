//! Broken documents of tests and exactly what is said about each: `tests/golden/trials/NN-name.yaml` beside `NN-name.txt`. With
//! `REDRESS_BLESS=1` the texts are rewritten; they are read in review like code. And what good ones become.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::*;
use crate::clock::{Span, Zone};
use crate::ids::Digest;
use crate::value::Type;
use crate::workflow::definition::{Hook, Plugin};
use crate::workflow::diagnostic::render;
use crate::workflow::load::{self, Environment};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/trials")
}

fn definition() -> Definition {
    let plugin = |name: &str, hook, params: &[(&str, Type)], provides: &[(&str, Type)]| {
        let types = |list: &[(&str, Type)]| list.iter().map(|(n, kind)| ((*n).to_owned(), kind.clone())).collect();
        let (name, major) = name.split_once('@').unwrap();
        let name = PluginRef { name: name.to_owned(), major: major.parse().unwrap() };
        let digest = Digest::of(name.to_string().as_bytes());
        (
            name,
            Plugin {
                digest,
                hook,
                params: types(params),
                whole: Default::default(),
                provides: types(provides),
                facts: Vec::new(),
                attributes: Default::default(),
            },
        )
    };
    let plugins = BTreeMap::from([
        plugin("std/purchase-match@0", Hook::Eligibility, &[("window_days", Type::Number)], &[]),
        plugin("std/refund-quote@0", Hook::Refund, &[], &[]),
        plugin("own-score@2", Hook::Step, &[("text", Type::Text)], &[("score", Type::Number)]),
    ]);
    let source = fs::read_to_string(folder().join("_workflow.yaml")).unwrap();
    let environment = Environment { plugins, ..Environment::default() };
    load::load(&source, &environment).unwrap_or_else(|found| {
        panic!("{}", found.iter().map(|one| render("_workflow.yaml", &source, one)).collect::<String>())
    })
}

fn good(tests: &str) -> Vec<Trial> {
    let source = format!("format: 1\ntests_for: tried\n{tests}");
    load(&source, &definition()).unwrap_or_else(|found| {
        panic!("{}", found.iter().map(|one| render("good.test.yaml", &source, one)).collect::<String>())
    })
}

#[test]
fn each_broken_document_is_told_exactly_what_is_wrong_with_it() {
    let definition = definition();
    let (mut wrong, mut codes, mut count) = (String::new(), BTreeSet::new(), 0);
    let mut names: Vec<_> = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
    names.sort();
    for path in names.into_iter().filter(|path| path.extension().is_some_and(|extension| extension == "yaml")) {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if name.starts_with('_') {
            continue;
        }
        count += 1;
        let source = fs::read_to_string(&path).unwrap();
        let found = load(&source, &definition).err().unwrap_or_default();
        codes.extend(found.iter().map(|one| one.code.clone()));
        let text = found.iter().map(|one| render(&name, &source, one)).collect::<Vec<_>>().join("\n");
        let path = path.with_extension("txt");
        if std::env::var_os("REDRESS_BLESS").is_some() {
            fs::write(&path, &text).unwrap();
        }
        let expected = fs::read_to_string(&path).unwrap_or_default();
        if text != expected || found.is_empty() {
            wrong += &format!("---- {name}\nexpected:\n{expected}\nfound:\n{text}\n");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(count >= 14 && codes.len() >= 20, "{count} files, {codes:?}");
    assert!(!codes.contains("internal"), "every refusal has its reason");
}

#[test]
fn what_is_given_for_all_counts_less_than_what_a_test_uses_and_that_less_than_its_own() {
    let tests = good(
        "given: { case: { customer: all, reason: all, wanted: all }, order: { id: all, lines: [{ sku: A, unit_price: 1 }] } }
mock: { own-score@2: { score: 1 }, std/purchase-match@0: { verdict: deny } }
tests:
  - name: one
    given: { case: { reason: one, wanted: one } }
    mock: { own-score@2: { score: 2 } }
    play: [{ after: 1d }]
    inject: { at: pay, fault: declined }
    expect: { status: closed }
  - name: two
    given: { use: one, case: { wanted: two }, order: { id: two, lines: [{ sku: A, unit_price: 1 }] } }
    expect: { status: closed }
",
    );
    let [one, two] = &tests[..] else { panic!("{tests:?}") };
    let open = &two.given.open;
    let of = |name: &str| open.attributes.get(name).map(ToString::to_string);
    assert_eq!(open.customer.as_ref().map(ToString::to_string).as_deref(), Some("all"));
    assert_eq!((open.reason.as_deref(), of("wanted").as_deref()), (Some("one"), Some("two")));
    assert_eq!((one.given.orders[0].id.as_str(), two.given.orders[0].id.as_str()), ("all", "two"));
    assert_eq!((two.play.len(), two.mocks.len()), (1, 2));
    assert_eq!(two.mocks, one.mocks);
    assert!(two.faults.is_empty(), "what goes wrong belongs to one test alone");
}

#[test]
fn times_are_days_local_times_instants_and_so_long_before_the_case() {
    let given = |case: &str, order: &str| {
        let order = format!("{order}lines: [{{ sku: A, unit_price: 1 }}]");
        let tests = format!(
            "tests: [{{ name: a, given: {{ case: {{ {case} }}, order: {{ {order} }} }}, expect: {{ status: held }} }}]\n"
        );
        good(&tests).remove(0).given
    };
    let winter = given("opened_at: 2026-01-05", "");
    assert_eq!(winter.opened_at.display(Zone::Europe__London), "2026-01-05 12:00:00 +00:00");
    assert_eq!(winter.orders[0].placed_at, winter.opened_at.after(Span::from_days(-10)));
    let summer = given("opened_at: 2026-07-05 09:30", "placed_at: 36h ago, delivered_at: 2026-07-04T23:00:00+02:00, ");
    assert_eq!(summer.opened_at.to_string(), "2026-07-05T08:30:00.000Z");
    assert_eq!(summer.orders[0].placed_at.to_string(), "2026-07-03T20:30:00.000Z");
    assert_eq!(summer.orders[0].lines[0].delivered_at.unwrap().to_string(), "2026-07-04T21:00:00.000Z");
}

#[test]
fn the_tests_inside_a_workflow_are_those_under_its_key_and_a_document_without_has_none() {
    let source = fs::read_to_string(folder().join("_workflow.yaml")).unwrap();
    assert!(inside(&source, &definition()).unwrap().is_empty());
    let with = format!("{source}tests: [{{ name: it is looked at, expect: {{ waits_at: look }} }}]\n");
    let tests = inside(&with, &definition()).unwrap();
    assert_eq!(tests[0].name, "it is looked at");
    assert_eq!(&with[tests[0].expect[0].at.start..tests[0].expect[0].at.end], "look");
}

#[test]
fn a_heading_is_known_before_its_workflow_is() {
    let heading =
        heading("format: 1\ntests_for: returns\nplugins: { own@1: std/other@0 }\ntests: [{ nme: a }]\n").unwrap();
    assert_eq!(heading.tests_for.as_str(), "returns");
    let (wanted, other) = heading.plugins.first_key_value().unwrap();
    assert_eq!((wanted.to_string(), other.to_string()), ("own@1".to_owned(), "std/other@0".to_owned()));
    assert!(super::heading("format: 1\nworkflow: returns\n").is_none());
}
