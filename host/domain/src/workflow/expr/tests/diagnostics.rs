//! What is refused when it is loaded, and what the message points at.

use super::*;

fn drawing(source: &str) -> String {
    drawn(source, &Expr::compile(source, &scope(), None).unwrap_err())
}

#[test]
fn a_misspelt_field_is_pointed_at_with_the_word_that_was_meant() {
    let expected = "\
x:1:6: `case` has no field `amout` [unknown_field]
 1 | case.amout > 500
   |      ^^^^^
   = did you mean `amount`?
";
    assert_eq!(drawing("case.amout > 500"), expected);
}

#[test]
fn a_misspelt_root_is_pointed_at_with_the_word_that_was_meant() {
    let expected = "\
x:1:1: unknown name `cas` [unknown_name]
 1 | cas.amount > 500
   | ^^^
   = did you mean `case`?
";
    assert_eq!(drawing("cas.amount > 500"), expected);
}

#[test]
fn money_does_not_compare_with_text() {
    let expected = "\
x:1:15: cannot compare money with text [wrong_type]
 1 | case.amount > \"500\"
   |               ^^^^^
";
    assert_eq!(drawing("case.amount > \"500\""), expected);
}

#[test]
fn a_word_that_an_enumeration_does_not_have_is_pointed_at() {
    let expected = "\
x:1:28: \"wrongitem\" is not one of damaged|wrong_item|changed_mind [bad_enum_word]
 1 | case.reason in [\"damaged\", \"wrongitem\"]
   |                            ^^^^^^^^^^^
   = did you mean \"wrong_item\"?
";
    assert_eq!(drawing("case.reason in [\"damaged\", \"wrongitem\"]"), expected);
}

#[test]
fn a_misspelt_function_is_pointed_at_and_its_arguments_are_checked_too() {
    let expected = "\
x:1:1: unknown function `days_betwen` [unknown_function]
 1 | days_betwen(case.delivered_at, case.opened_at) <= 7
   | ^^^^^^^^^^^
   = did you mean `days_between`?
x:1:18: `case` has no field `delivered_at` [unknown_field]
 1 | days_betwen(case.delivered_at, case.opened_at) <= 7
   |                  ^^^^^^^^^^^^
   = it has amount, claim, lines, note, number, opened_at, pct, reason, refund, regulated, tags, weight
";
    assert_eq!(drawing("days_betwen(case.delivered_at, case.opened_at) <= 7"), expected);
}

#[test]
fn an_operand_of_and_is_a_yes_or_no() {
    let expected = "\
x:1:20: expected a yes/no value here, found text [wrong_type]
 1 | case.amount > 5 && \"x\" + case.number
   |                    ^^^^^^^^^^^^^^^^^
";
    assert_eq!(drawing("case.amount > 5 && \"x\" + case.number"), expected);
    refused("case.amount > 5 && case.number", "wrong_type", "number");
}

#[test]
fn a_read_without_a_guard_says_how_to_guard() {
    let expected = "\
x:1:6: `case.weight` may be absent [not_guarded]
 1 | case.weight > 5
   |      ^^^^^^
   = ask first, `has(case.weight) && …`, or give a default, `orElse(case.weight, 0)`
";
    assert_eq!(drawing("case.weight > 5"), expected);
}

#[test]
fn guards_reach_exactly_as_far_as_they_hold() {
    for source in [
        "has(case.weight) || case.weight > 5",
        "!has(case.weight) && case.weight > 5",
        "case.weight > 5 && has(case.weight)",
        "has(case.note) && case.weight > 5",
        "(has(case.weight) || case.regulated) && case.weight > 5",
        "!(has(case.weight) && case.regulated) ? 1 > case.weight : false",
        "(has(case.weight) && case.regulated) ? true : case.weight > 5",
        "(has(case.weight) && case.regulated) || case.weight > 5",
        "case.lines.exists(l, has(case.weight)) && case.weight > 5",
    ] {
        refused(source, "not_guarded", "weight");
    }
    refused("has(case.note) && customer.tier == \"gold\"", "not_guarded", "customer");
    refused("has(customer) && customer.tier == \"gold\"", "not_guarded", "tier");
    refused("case.lines.exists(l, has(l.sku) && l.serial == \"1\")", "not_guarded", "serial");
    refused("number(case.note) > 5", "not_guarded", "note");
    refused("orElse(number(case.note), 0)", "not_guarded", "note");
}

#[test]
fn every_problem_is_reported_at_once() {
    let source = "case.amout > 5 && cas.x == 1 && case.reason == \"damagd\" && trimm(case.note) == 1 && case.pct";
    assert_eq!(
        problems(source, None),
        [
            "unknown_field @ amout: `case` has no field `amout` (did you mean `amount`?)",
            "unknown_name @ cas: unknown name `cas` (did you mean `case`?)",
            "bad_enum_word @ \"damagd\": \"damagd\" is not one of damaged|wrong_item|changed_mind (did you mean \"damaged\"?)",
            "unknown_function @ trimm: unknown function `trimm` (did you mean `trim`?)",
            "wrong_type @ pct: expected a yes/no value here, found number",
        ]
    );
}

#[test]
fn what_is_not_of_the_language_is_a_syntax_error() {
    for (source, pointed, message) in [
        ("case.amount = 5", "=", "`=` does not compare"),
        ("=case.amount", "=", "expected a value before `=`"),
        ("case.regulated and true", "and", "`and` is no operator"),
        ("1 < 2 < 3", "< 2 <", "comparisons do not chain"),
        ("case.", "", "expected the name of a field after `.`"),
        ("", "", "the expression ends where a value is expected"),
        ("(1 + 2", "", "expected `)` to close the bracket"),
        ("size(case.tags", "", "expected `,` between two values"),
        ("case.regulated ? 1", "", "expected `:` between the two values of `? :`"),
        ("\"open", "\"open", "text without a closing quote"),
        ("\"a\\d\"", "\\d", "unknown escape `\\d`"),
        ("30d", "30d", "`30d` is neither a number nor a name"),
        ("1 # 2", "#", "unexpected character `#`"),
        ("1 2", "2", "expected an operator before `2`"),
        ("“x”", "“", "unexpected character `“`"),
        ("1 & 2", "&", "`&` is no operator"),
        ("[1, 2,]", "]", "expected a value before `]`"),
    ] {
        let found = problems(source, None);
        let expected = format!("syntax @ {pointed}: {message}");
        assert!(found.len() == 1 && found[0].starts_with(&expected), "{source}: {found:?}, expected {expected}");
    }
}

#[test]
fn types_that_do_not_belong_together_are_refused() {
    for (source, code, pointed) in [
        ("missing > 5 || true", "unknown_name", "missing"),
        ("null > 5", "unknown_name", "null"),
        ("case.amount == \"x\"", "wrong_type", "\"x\""),
        ("case.pct > case.amount", "wrong_type", "case.pct > case.amount"),
        ("case.amount > case.pct", "wrong_type", "case.amount > case.pct"),
        ("case.amount + case.pct", "wrong_type", "case.amount + case.pct"),
        ("case.amount * order.total", "wrong_type", "case.amount * order.total"),
        ("case.amount > 0.005", "bad_literal", "0.005"),
        ("order.day - order.day", "wrong_type", "order.day - order.day"),
        ("order.day == now", "wrong_type", "order.day == now"),
        ("now + 5", "wrong_type", "5"),
        ("case.number < \"R-2\"", "wrong_type", "case.number < \"R-2\""),
        ("case.regulated < true", "wrong_type", "case.regulated < true"),
        ("case.reason == route", "wrong_type", "case.reason == route"),
        ("case == case", "wrong_type", "case == case"),
        ("case.number.length > 5", "unknown_field", "length"),
        ("case.tags.size > 1", "unknown_field", "size"),
        ("case.number[0]", "wrong_type", "number"),
        ("case.tags[\"x\"]", "unknown_field", "\"x\""),
        ("case[0]", "wrong_type", "case"),
        ("!case.amount", "wrong_type", "amount"),
        ("-case.number", "wrong_type", "number"),
        ("5 in case.tags", "wrong_type", "5"),
        ("\"R\" in case.number", "wrong_type", "number"),
        ("case.pct in case.tags", "wrong_type", "case.pct in case.tags"),
        ("\"stolen\" in [case.reason]", "bad_enum_word", "\"stolen\""),
        ("[1, \"x\"]", "wrong_type", "\"x\""),
        ("case.regulated ? 1 : \"x\"", "wrong_type", "\"x\""),
        ("case.pct / 100", "needs_round", "case.pct / 100"),
        ("round(abs(case.pct / 3), 2)", "needs_round", "case.pct / 3"),
        ("round(case.amount * 2, 3)", "bad_literal", "3"),
        ("round(case.pct, case.pct)", "bad_literal", "case.pct"),
        ("round(1.5, 29)", "bad_literal", "29"),
        ("round(1.5, 1, even)", "bad_literal", "even"),
        ("round(1.5)", "wrong_arguments", "round"),
        ("case.tags.size(1)", "wrong_arguments", "size"),
        ("trim(5)", "wrong_type", "5"),
        ("sum(case.tags)", "wrong_type", "tags"),
        ("max(1, now)", "wrong_type", "now"),
        ("matches(case.number, case.number)", "bad_literal", "case.number"),
        ("matches(case.number, \"(\")", "bad_literal", "\"(\""),
        ("matches(case.number, \"((a{100}){100}){100}\")", "bad_literal", "\"((a{100}){100}){100}\""),
        ("date(\"2026-02-30\")", "bad_literal", "\"2026-02-30\""),
        ("date(case.number)", "wrong_type", "number"),
        ("duration(\"2 weeks\")", "bad_literal", "\"2 weeks\""),
        ("instant(case.number, \"%H:%M\")", "bad_literal", "\"%H:%M\""),
        ("instant(case.number, \"%Y-%m-%d %H\")", "bad_literal", "\"%Y-%m-%d %H\""),
        ("instant(case.number, \"%Q\")", "bad_literal", "\"%Q\""),
        ("instant(case.number, \"%s\")", "bad_literal", "\"%s\""),
        ("instant(case.number, \"%Y-%m-%d\", \"Mars\")", "bad_literal", "\"Mars\""),
        ("has(1)", "wrong_type", "1"),
        ("has(case.nots)", "unknown_field", "nots"),
        ("orElse(case.weight, \"x\")", "wrong_type", "\"x\""),
        ("case.tags.exists(5, true)", "wrong_type", "5"),
        ("case.tags.exists(case, true)", "name_taken", "case"),
        ("case.number.exists(x, true)", "wrong_type", "number"),
        ("case.tags.exists(x, x)", "wrong_type", "x"),
        ("case.lines.map(l, l.serial)", "not_guarded", "serial"),
        ("99999999999999999999999999999999", "bad_literal", "99999999999999999999999999999999"),
        ("1e30", "bad_literal", "1e30"),
    ] {
        refused(source, code, pointed);
    }
}

#[test]
fn the_type_that_the_place_needs_is_asked_for() {
    for (source, expected, problem) in [
        ("case.pct", Type::Bool, "wrong_type @ pct: expected a yes/no value, found number"),
        (
            "case.amount * 2",
            Type::Money,
            "wrong_type @ case.amount * 2: expected money, found an unrounded price (round it to what can be paid: `round(…, 2)`)",
        ),
        (
            "case.pct",
            Type::Money,
            "wrong_type @ pct: expected money, found number (`money(…)` makes an amount of a number)",
        ),
        (
            "case.note",
            Type::Text,
            "not_guarded @ note: `case.note` may be absent (ask first, `has(case.note) && …`, or give a default, `orElse(case.note, \"\")`)",
        ),
        ("0.005", Type::Money, "bad_literal @ 0.005: 0.005 has more decimals than GBP has (2)"),
        (
            "\"manul\"",
            Type::words(["instant", "manual"]),
            "bad_enum_word @ \"manul\": \"manul\" is not one of instant|manual (did you mean \"manual\"?)",
        ),
        ("[1, now]", Type::Number.list(), "wrong_type @ 1: expected an instant, found number"),
        ("case.number", Type::words(["a"]), "wrong_type @ number: expected one of a, found text"),
    ] {
        assert_eq!(problems(source, Some(&expected)), [problem], "{source}");
    }
    assert_eq!(problems("case.note", Some(&Type::Text.optional())), ["fine: text?"]);
}

#[test]
fn an_expression_is_short_and_shallow() {
    let deep = format!("{}1{}", "(".repeat(20_000), ")".repeat(20_000));
    assert!(problems(&deep, None)[0].starts_with("too_long"), "more than 2 KiB");
    for source in [
        format!("{}1{}", "(".repeat(900), ")".repeat(900)),
        format!("{}true", "!".repeat(2_000)),
        format!("{}1", "-".repeat(2_000)),
        format!("{}1{}", "[".repeat(900), "]".repeat(900)),
        format!("{}1", "true ? 1 : ".repeat(150)),
        format!("1{}", " + 1".repeat(400)),
        format!("case{}", ".x".repeat(900)),
        format!("case{}", "[0]".repeat(600)),
        format!("{}1{}", "size(".repeat(300), ")".repeat(300)),
    ] {
        assert!(problems(&source, None)[0].starts_with("too_deep"), "{source}");
    }
    let flat = format!("true{}", " && true".repeat(200));
    assert_eq!(problems(&flat, None), ["fine: bool"]);
    let long = format!("[{}]", "1,".repeat(1_001));
    assert!(problems(&long, None)[0].starts_with("too_long"));
}

#[test]
fn a_template_points_into_its_own_text() {
    let found = |source: &str| drawn(source, &Template::compile(source, &scope()).unwrap_err());
    let expected = "\
x:1:16: `case` has no field `numbr` [unknown_field]
 1 | Return {{ case.numbr }} {{ case.weight }}
   |                ^^^^^
   = did you mean `number`?
x:1:28: `case.weight` may be absent [not_guarded]
 1 | Return {{ case.numbr }} {{ case.weight }}
   |                            ^^^^^^^^^^^
   = give a default, `orElse(case.weight, \"\")`
";
    assert_eq!(found("Return {{ case.numbr }} {{ case.weight }}"), expected);
    assert!(found("a {{ case.number").starts_with("x:1:3: `{{` without its `}}` [syntax]"));
    assert!(found("{{ case.lines }}").starts_with("x:1:4: expected a single value here, found a list of object"));
    assert!(found(&"{{ 1 }}".repeat(65)).contains("at most 64 expressions"));
    assert!(found(&"x".repeat(70_000)).contains("too_long"));
    assert!(found("{{ }}").contains("the expression ends where a value is expected"));
}
