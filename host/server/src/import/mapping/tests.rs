//! The merchant's own mapping, and what is said of broken ones.

use redress_domain::workflow::diagnostic::{line_column, render};

use super::*;

const GOOD: &str = include_str!("../../../../../workflows/online-retail/import.yaml");

/// The good mapping with some text replaced: each problem as `line:column code path: message`.
#[track_caller]
fn problems(replaced: &[(&str, &str)]) -> Vec<String> {
    let mut text = GOOD.to_owned();
    for (before, after) in replaced {
        assert!(text.contains(before), "{before:?} is not in the mapping");
        text = text.replace(before, after);
    }
    let found = load(&text).err().unwrap_or_default();
    let shown = found.iter().map(|diagnostic| {
        let (line, column) = line_column(&text, diagnostic.range.start);
        format!("{line}:{column} {} {}: {}", diagnostic.code, diagnostic.path, diagnostic.message)
    });
    shown.collect()
}

#[test]
fn the_mapping_of_the_demo_loads() {
    let mapping = load(GOOD).unwrap_or_else(|found| {
        panic!("{}", found.iter().map(|diagnostic| render("import.yaml", GOOD, diagnostic)).collect::<String>())
    });
    assert_eq!((mapping.name.as_str(), mapping.source.name.as_str()), ("online-retail", "online-retail"));
    assert_eq!((mapping.columns.len(), mapping.rules.len()), (6, 5));
    assert!(mapping.rules[4].when.is_none());
    assert_eq!(mapping.rules[4].then, Then::Skip(Slug::new("other_invoice").unwrap()));
    assert_eq!(mapping.order.unwrap().line.sku.path, "order.line.sku");
}

#[test]
fn the_example_of_the_readme_loads() {
    let readme = include_str!("../../../../../workflows/README.md");
    let (_, section) = readme.split_once("## Import mappings").unwrap();
    let example = section.split("```yaml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    assert!(load(example).is_ok(), "{:#?}", load(example).err());
}

#[test]
fn every_problem_of_a_mapping_comes_at_once_where_it_stands() {
    let found = problems(&[
        ("currency: GBP }", "currency: POUND }"),
        ("Quantity: number", "Quantity: nummber"),
        ("row.UnitPrice > 0'", "row.UnitPrise > 0'"),
        ("as: case_line", "as: case_lines"),
        ("unit_price: =price(row.UnitPrice)", "unit_price: =row.UnitPrice\n    cost: 1"),
        ("opened_at:", "at:"),
    ]);
    assert_eq!(
        found,
        [
            "4:76 bad_literal source.currency: \"POUND\" is not an ISO 4217 currency code",
            "9:13 bad_enum_word columns.Quantity: `nummber` is not one of text|number|text?|number?",
            "16:78 unknown_field rows[0].when: `row` has no field `UnitPrise`",
            "18:78 bad_enum_word rows[2].as: `case_lines` is not one of order_line|case_line",
            "30:22 wrong_type order.line.unit_price: expected an unrounded price, found number",
            "31:5 unknown_field order.line.cost: unknown field `cost`",
            "37:3 unknown_field case.at: unknown field `at`",
        ]
    );
}

#[test]
fn the_last_rule_takes_every_row_and_only_the_last() {
    let lost = problems(&[("  - { skip: other_invoice }\n", "")]);
    assert_eq!(lost, ["19:7 missing_rule rows[3]: rows that no rule takes would be lost"]);
    let early = problems(&[(
        "  - { when: 'matches(row.InvoiceNo, \"^C[0-9]{6}$\")', skip: cancellation_line }",
        "  - { skip: rest }",
    )]);
    assert_eq!(early, ["19:7 unreachable rows[3]: no row reaches the rules after this one"]);
}

#[test]
fn a_rule_says_one_thing_and_a_section_is_used() {
    let both = problems(&[("{ skip: other_invoice }", "{ skip: other_invoice, as: order_line }")]);
    assert_eq!(both, ["20:7 missing_field rows[4]: a rule says what the row is by either `as` or `skip`"]);
    let unused = problems(&[("as: case_line", "skip: returned")]);
    assert_eq!(unused, ["32:1 unused case: no rule gives rows `as: case_line`, so `case` is never used"]);
    let missing = problems(&[("\norder:\n", "\nother:\n")]);
    assert!(missing.iter().any(|found| found.contains("`order` is missing, and a rule gives rows `as: order_line`")));
}

#[test]
fn a_column_that_may_be_empty_is_asked_for_first() {
    let optional = ("CustomerID: text ", "CustomerID: text? ");
    let unguarded = problems(&[optional]);
    assert_eq!(unguarded.len(), 2);
    assert!(unguarded[0].starts_with("24:25 not_guarded order.customer: "), "{unguarded:?}");
    let plain = ("customer: '=split(row.CustomerID, \".\")[0]'", "customer: =row.CustomerID");
    assert_eq!(problems(&[optional, plain]), [""; 0]);
}

#[test]
fn a_case_has_a_type_that_can_be_one_and_names_whole_purchases() {
    let kind = problems(&[("type: return", "type: Full Return")]);
    assert_eq!(kind.len(), 1);
    assert!(kind[0].starts_with("34:9 bad_name case.type: "), "{kind:?}");
    let half = problems(&[("quantity: =-row.Quantity", "quantity: =-row.Quantity\n    order: =row.InvoiceNo")]);
    assert_eq!(half.len(), 1);
    assert!(half[0].contains("`order` and `order_line` go together"), "{half:?}");
}
