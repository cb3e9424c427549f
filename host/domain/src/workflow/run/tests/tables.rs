//! `table`: which rows match, what they set, what is recorded, and what is never guessed.

use super::*;
use crate::case::entry::{TableInput, TableRow};
use crate::value::Value;

const FIRST: &str = r#"
vars: { route: { type: [fast, slow, manual], default: manual }, share: { type: number, default: 7 } }
steps:
  - id: grade
    table:
      hit: first
      inputs: ['orElse(case.reason, "none")', 'case.lines[0].quantity']
      rows:
        - ['"damaged"', '<= 2', { route: fast, share: '=share + 1' }]
        - ['"damaged", "late"', '-', { route: slow }]
        - ['-', '-', {}]
  - id: pick
    decide:
      - { when: 'route == "fast" && share == 8', then: fast }
      - { when: 'route == "slow"', then: slow }
      - { else: manual }
  - { id: fast, finish: { result: fast } }
  - { id: slow, finish: { result: slow } }
  - { id: manual, finish: { result: manual } }
"#;

fn graded(reason: Option<&str>, units: u32) -> (Desk, Nth) {
    let mut desk = Desk::of(FIRST);
    let case = desk.open_as(units, |open| open.reason = reason.map(str::to_owned));
    (desk, case)
}

fn matched(desk: &Desk, case: Nth) -> (Vec<TableRow>, Vec<TableInput>) {
    let entries = desk.journals[case].iter().flat_map(|(_, entries)| entries);
    let mut found = entries.filter_map(|entry| match entry {
        Entry::TableMatched { rows, inputs, .. } => Some((rows.clone(), inputs.clone())),
        _ => None,
    });
    found.next_back().expect("a table was entered")
}

#[test]
fn the_first_row_that_matches_counts() {
    for (reason, units, expected) in [
        (Some("damaged"), 2, "fast"),
        (Some("damaged"), 3, "slow"),
        (Some("late"), 1, "slow"),
        (Some("other"), 1, "manual"),
        (None, 1, "manual"),
    ] {
        let (desk, case) = graded(reason, units);
        assert_eq!(desk.stands(case), expected, "{reason:?} {units}");
    }
}

#[test]
fn the_record_tells_row_tests_and_inputs_but_no_text_that_no_row_names() {
    let (desk, case) = graded(Some("damaged"), 2);
    let (rows, inputs) = matched(&desk, case);
    assert_eq!(rows, [TableRow { number: 1, cells: vec!["\"damaged\"".to_owned(), "<= 2".to_owned()] }]);
    let input = |expression: &str, value| TableInput { expression: expression.to_owned(), value };
    let reason = "orElse(case.reason, \"none\")";
    assert_eq!(
        inputs,
        [input(reason, Some(Value::text("damaged"))), input("case.lines[0].quantity", Some(Value::whole(2)))]
    );
    let (desk, case) = graded(Some("my name is Ada"), 2);
    assert_eq!(matched(&desk, case).1[0], input(reason, None));
    assert_eq!(matched(&desk, case).0[0].number, 3);
}

#[test]
fn what_is_absent_fails_the_step_and_matches_nothing() {
    // The attribute is declared and so may be read, but the submission lacks it.
    let mut desk = Desk::of(
        r#"
attributes: { case: { score: number } }
vars: { share: { type: number, default: 0 } }
steps:
  - { id: grade, table: { hit: first, inputs: [case.score], rows: [['-', { share: 1 }]] } }
  - { id: done, finish: { result: done } }
"#,
    );
    let case = desk.open(1);
    assert_eq!(desk.stands(case), "grade", "even `-` does not match what is not there");
    let About::Failure { code, .. } = &desk.task(case).1.about else { panic!("a failure") };
    assert_eq!(code, "expression_missing");
    let scored = desk.open_as(1, |open| _ = open.attributes.insert("score".to_owned(), Value::whole(1)));
    assert_eq!(desk.stands(scored), "done");
}

#[test]
fn collect_gathers_of_all_rows_that_match_in_their_order() {
    let mut desk = Desk::of(
        r#"
vars: { fees: list(money), notes: { type: list(text), default: [before] } }
steps:
  - id: add
    table:
      hit: collect
      inputs: ['case.lines[0].quantity']
      rows:
        - ['>= 2', { fees: 1.00 }]
        - ['>= 3', { fees: '=money(case.lines[0].quantity)', notes: many }]
        - ['9', { notes: nine }]
  - id: pick
    decide:
      - { when: 'size(fees) == 0 && size(notes) == 0', then: none }
      - { when: 'sum(fees) == 4.00 && fees[0] == 1.00 && notes == ["many"]', then: two }
      - { else: wrong }
  - { id: none, finish: { result: none } }
  - { id: two, finish: { result: two } }
  - { id: wrong, finish: { result: wrong } }
"#,
    );
    let none = desk.open(1);
    assert_eq!(desk.stands(none), "none", "what no row gathers is empty, not what it was before");
    assert_eq!(matched(&desk, none).0, []);
    let two = desk.open(3);
    assert_eq!(desk.stands(two), "two");
    assert_eq!(matched(&desk, two).0.iter().map(|row| row.number).collect::<Vec<_>>(), [1, 2]);
}

#[test]
fn a_row_sees_the_variables_as_they_were_before_the_table() {
    let mut desk = Desk::of(
        r#"
vars: { a: { type: number, default: 1 }, b: { type: number, default: 2 } }
steps:
  - { id: swap, table: { hit: unique, inputs: ['a < b'], rows: [[true, { a: =b, b: =a }], [false, {}]] } }
  - { id: check, decide: [{ when: 'a == 2 && b == 1', then: done }, { else: wrong }] }
  - { id: done, finish: { result: swapped } }
  - { id: wrong, finish: { result: wrong } }
"#,
    );
    let case = desk.open(1);
    assert_eq!(desk.stands(case), "swapped");
    assert_eq!(matched(&desk, case).0[0].number, 1);
}

#[test]
fn a_table_that_is_skipped_sets_nothing() {
    let mut desk = Desk::of(
        r#"
vars: { share: { type: number, default: 3 } }
steps:
  - { id: grade, when: 'has(case.reason)', table: { hit: first, inputs: [now], rows: [['-', { share: 1 }]] } }
  - { id: pick, decide: [{ when: 'share == 3', then: done }, { else: wrong }] }
  - { id: done, finish: { result: kept } }
  - { id: wrong, finish: { result: wrong } }
"#,
    );
    let case = desk.open(1);
    assert_eq!(desk.stands(case), "kept");
}
