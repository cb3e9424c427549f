//! Documents that nobody would write: whatever the text, the checker answers with a definition or with problems inside the text.
//!
//! A few seconds in `cargo test`; `REDRESS_FUZZ_SECONDS=600 cargo test -p redress-domain --test fuzz` goes on for as long. What once
//! failed is kept in `fuzz.proptest-regressions` and tried first.

#![expect(clippy::print_stdout, reason = "a long run tells how many documents it tried")]

mod common;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use proptest::test_runner::{Config, FileFailurePersistence, TestCaseError, TestRunner};
use redress_domain::value::Type;
use redress_domain::workflow::diagnostic::{line_column, render};
use redress_domain::workflow::expr::{Expr, Scope, Template};
use redress_domain::workflow::load::{Environment, load};

/// Documents of one round: some two seconds.
const CASES: u32 = 1_500;
/// Where the failures of the past are kept.
const SEEDS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fuzz.proptest-regressions");

/// Good documents that are damaged: the shipped merchants and the broken files of the golden tests.
const GOOD: &[&str] = &[
    include_str!("../../../workflows/online-retail/return.yaml"),
    include_str!("../../../workflows/medical-device/return.yaml"),
    include_str!("../../../tests/golden/kinds/table/good.yaml"),
    "format: 1\nworkflow: small\ncurrency: GBP\ntriggers: [{ case_opened: { type: return } }]\nsteps: [{ id: a, wait: { for: 1d } }, { id: z, finish: { result: done } }]\n",
];

/// What the language is written with, and what it is not.
const WORDS: &[&str] = &[
    "\n",
    "\n  ",
    "\n    ",
    "\n      ",
    "\n- ",
    "\n  - ",
    ": ",
    ", ",
    "{ ",
    " }",
    "[",
    "]",
    "'",
    "\"",
    "|\n",
    ">\n",
    "&a ",
    "*a",
    "!!x ",
    "<<: ",
    "# x\n",
    "\t",
    "---\n",
    "=",
    "steps:\n",
    "id: a",
    "then: a",
    "when: ",
    "has(a)",
    "case.lines",
    "case.reason",
    "vars:",
    "call: ",
    "decide:",
    "review: ",
    "await: ",
    "next: ",
    "timeout: ",
    "never: ",
    "on_error: ",
    "match: ",
    "event.x == 1",
    "&&",
    "||",
    "!",
    "(",
    ")",
    "1.5",
    "-1",
    "99999999999999999999999999999",
    "5d",
    "P3DT4H",
    "2026-02-30",
    "\u{feff}",
    "\r\n",
    "\\",
    "? ",
    "%YAML 1.1\n",
    "...",
    "\u{0}",
    "\u{85}",
    "{{",
    "}}",
    "exists(l, ",
    "l.quantity",
    "round(",
    ", 2)",
    " / 0",
    "in [",
    "matches(case.number, \"(a+)+$\")",
    "table: ",
    "parallel: ",
    "for_each: ",
    "again: ",
    "to: a",
    "branches: ",
    "join: any",
    "hit: first",
    "inputs: [",
    "rows: [",
    "'<= 5'",
    "'-'",
    "标题",
    "🦀",
    "e\u{301}",
    "null",
    "~",
    "extends: std/x@1",
    "patch: ",
    "refund: { amount: 1.00 }",
    "finish: { result: x }",
    "fail: { code: x }",
    "as: a",
    "type: [a, b]?",
    "money",
    "text?",
];

/// One change of a text: where, how much of it goes, what comes in its place.
#[derive(Debug, Clone)]
struct Change {
    at: usize,
    gone: usize,
    comes: String,
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let comes = prop_oneof![
        4 => prop::sample::select(WORDS).prop_map(str::to_owned),
        2 => prop::collection::vec(prop::sample::select(WORDS), 0..12).prop_map(|words| words.concat()),
        1 => "\\PC{0,24}",
        1 => any::<char>().prop_map(String::from),
        1 => (1usize..2_000, prop::sample::select(WORDS)).prop_map(|(times, word)| word.repeat(times)),
        1 => Just(String::new()),
    ];
    let gone = prop_oneof![4 => 0usize..8, 1 => 0usize..400];
    let change = (any::<prop::sample::Index>(), gone, comes);
    let change = change.prop_map(|(at, gone, comes)| Change { at: at.index(1 << 20), gone, comes });
    prop::collection::vec(change, 1..8)
}

/// A text to be checked.
fn texts() -> impl Strategy<Value = String> {
    let damaged = (prop::sample::select(GOOD), changes()).prop_map(|(good, changes)| changed(good, &changes));
    let woven = (
        prop::sample::select(GOOD),
        prop::sample::select(GOOD),
        any::<prop::sample::Index>(),
        any::<prop::sample::Index>(),
    );
    let woven = woven.prop_map(|(one, other, cut, begin)| {
        let lines = |text: &str| text.lines().map(|line| format!("{line}\n")).collect::<Vec<_>>();
        let (one, other) = (lines(one), lines(other));
        let (cut, begin) = (cut.index(one.len()), begin.index(other.len()));
        one[..cut].iter().chain(&other[begin..]).cloned().collect::<String>()
    });
    let words = prop::collection::vec(prop::sample::select(WORDS), 0..120).prop_map(|words| words.concat());
    prop_oneof![8 => damaged, 2 => woven, 2 => words, 1 => "\\PC{0,200}", 1 => prop::collection::vec(any::<char>(), 0..200).prop_map(String::from_iter)]
}

fn changed(good: &str, changes: &[Change]) -> String {
    let mut text: Vec<char> = good.chars().collect();
    for change in changes {
        let at = change.at % (text.len() + 1);
        let end = (at + change.gone).min(text.len());
        text.splice(at..end, change.comes.chars());
    }
    text.into_iter().collect()
}

/// An expression, more often nearly right than not.
fn expressions() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(vec![
        "case",
        "case.amount",
        "case.lines",
        "case.note",
        "case.reason",
        "1",
        "0.5",
        "\"x\"",
        "true",
        "now",
        "[1, 2]",
        "1.",
        "r'",
        "é",
        "5d",
        "l.sku",
    ]);
    let leaf = leaf.prop_map(str::to_owned);
    leaf.prop_recursive(8, 96, 3, |inner| {
        let operator =
            prop::sample::select(vec!["+", "-", "*", "/", "==", "!=", "<", ">=", "&&", "||", "in", "?", ":", ".", "="]);
        let function = prop::sample::select(vec![
            "has",
            "orElse",
            "size",
            "round",
            "matches",
            "split",
            "trim",
            "number",
            "date",
            "days_between",
            "instant",
            "nothing",
        ]);
        let form = prop::sample::select(vec!["exists", "all", "filter", "map"]);
        prop_oneof![
            (inner.clone(), operator, inner.clone()).prop_map(|(a, operator, b)| format!("{a} {operator} {b}")),
            (function, prop::collection::vec(inner.clone(), 0..3))
                .prop_map(|(function, args)| format!("{function}({})", args.join(", "))),
            (inner.clone(), form, inner.clone()).prop_map(|(list, form, body)| format!("{list}.{form}(l, {body})")),
            (inner.clone(), inner.clone(), inner.clone()).prop_map(|(a, b, c)| format!("{a} ? {b} : {c}")),
            inner.clone().prop_map(|a| format!("({a})")),
            inner.clone().prop_map(|a| format!("!{a}")),
            inner.prop_map(|a| format!("{a}[0]")),
        ]
    })
}

fn scope() -> Scope {
    let line = Type::object([("sku", Type::Text), ("quantity", Type::Number)]);
    let case = Type::object([
        ("amount", Type::Money),
        ("lines", line.list()),
        ("note", Type::Text.optional()),
        ("reason", Type::words(["damaged", "worn"])),
    ]);
    let roots = BTreeMap::from([("case".to_owned(), case), ("now".to_owned(), Type::Instant)]);
    Scope { roots, currency: "GBP".parse().expect("a currency"), calendar: None }
}

fn check_document(source: &str, environment: &Environment) -> Result<(), TestCaseError> {
    match load(source, environment) {
        Ok(definition) => {
            let again = load(source, environment).map_err(|found| TestCaseError::fail(format!("{found:?}")))?;
            prop_assert_eq!(definition.revision, again.revision);
            prop_assert!(!definition.steps.is_empty());
        }
        Err(found) => {
            prop_assert!(!found.is_empty() && found.len() <= 100);
            for one in found {
                prop_assert!(one.code != "internal", "{:?}", one);
                prop_assert!(one.range.start <= one.range.end && one.range.end <= source.len(), "{:?}", one);
                prop_assert!(source.get(one.range.start..one.range.end).is_some(), "{:?} cuts a letter", one);
                let (line, column) = line_column(source, one.range.start);
                prop_assert!(line >= 1 && column >= 1);
                prop_assert!(!render("w.yaml", source, &one).is_empty());
            }
        }
    }
    Ok(())
}

fn check_expression(source: &str, scope: &Scope) -> Result<(), TestCaseError> {
    for expected in [None, Some(&Type::Bool), Some(&Type::Money)] {
        if let Err(found) = Expr::compile(source, scope, expected) {
            prop_assert!(!found.is_empty());
            for one in found {
                prop_assert!(source.get(one.range.start..one.range.end).is_some(), "{:?}", one);
            }
        }
    }
    let text = format!("a {{{{ {source} }}}} b");
    drop(Template::compile(&text, scope));
    Ok(())
}

/// Try until a number of cases is done, or for as long as the environment says.
fn fuzz<S: Strategy>(strategy: &S, name: &str, check: impl Fn(S::Value) -> Result<(), TestCaseError>) {
    let seconds = std::env::var("REDRESS_FUZZ_SECONDS").ok().and_then(|text| text.parse().ok());
    let (began, mut rounds) = (Instant::now(), 0);
    loop {
        let config = Config {
            cases: CASES,
            failure_persistence: Some(Box::new(FileFailurePersistence::Direct(SEEDS))),
            test_name: Some("fuzz"),
            ..Config::default()
        };
        if let Err(failure) = TestRunner::new(config).run(strategy, &check) {
            panic!("{name}: {failure}");
        }
        rounds += 1;
        if seconds.is_none_or(|seconds| began.elapsed() >= Duration::from_secs(seconds)) {
            break;
        }
    }
    println!("{name}: {} tried in {} s", u64::from(CASES) * rounds, began.elapsed().as_secs());
}

#[test]
fn no_text_makes_the_checker_fail_otherwise_than_with_problems() {
    let environment = common::environment();
    fuzz(&texts(), "documents", |source| check_document(&source, &environment));
}

#[test]
fn no_expression_makes_the_checker_fail_otherwise_than_with_problems() {
    let scope = scope();
    fuzz(&expressions(), "expressions", |source| check_expression(&source, &scope));
}

/// Fuzzing damages good documents; were one not good, it would damage nothing.
#[test]
fn the_documents_that_are_damaged_are_good() {
    for source in &GOOD[..1] {
        assert!(load(source, &common::environment()).is_ok());
    }
    assert!(load(GOOD[3], &common::environment()).is_ok());
}
