//! What expressions mean when they are evaluated.

use super::*;

#[test]
fn every_function_of_the_table_has_an_example_that_gives_its_answer() {
    for function in functions::functions() {
        assert!(function.example.contains(&format!("{}(", function.name)), "{} is not in its example", function.name);
        assert!(!function.doc.is_empty() && !function.signature.is_empty());
        assert_eq!(shown(function.example), function.answer, "{}", function.example);
    }
}

#[test]
fn decimals_are_exact_from_the_source_text() {
    for (source, answer) in [
        ("0.1 + 0.2 == 0.3", "true"),
        ("199.99 * 3", "599.97"),
        ("case.amount * 3", "GBP 2399.97"),
        ("1e15 + 0.01", "1000000000000000.01"),
        ("9007199254740993.07 + 0.01", "9007199254740993.08"),
        ("1.5e-3", "0.0015"),
        ("2E+2", "200"),
        ("-5 - -5", "0"),
        ("7 % 4", "3"),
        ("2 + 3 * 4", "14"),
        ("(2 + 3) * 4", "20"),
        ("10 - 4 - 3", "3"),
        ("1.10 == 1.1", "true"),
    ] {
        assert_eq!(shown(source), answer, "{source}");
    }
}

#[test]
fn what_cannot_be_computed_is_an_error_and_never_a_value() {
    for (source, code) in [
        ("round(1 / 0, 2)", "division_by_zero"),
        ("1 % 0", "division_by_zero"),
        ("79228162514264337593543950335 + 0.1", "overflow"),
        ("0.00000000000001 * 0.000000000000001", "overflow"),
        ("money(0.005)", "too_precise"),
        ("money(1e20)", "overflow"),
        ("number(\"12,5\")", "bad_text"),
        ("number(\"\")", "bad_text"),
        ("number(\".5\")", "bad_text"),
        ("instant(\"31.02.2026\", \"%d.%m.%Y\")", "bad_text"),
        ("instant(\"2011-03-27 01:30\", \"%Y-%m-%d %H:%M\")", "bad_text"),
        ("case.tags[2]", "missing"),
        ("case.tags[0.5]", "bad_number"),
        ("case.tags[-1]", "missing"),
        ("split(\"a\", \"\")[0]", "bad_text"),
        ("add_days(order.day, 0.5)", "bad_number"),
        ("add_days(order.day, 4000000)", "overflow"),
        ("add_days(now, -999999)", "overflow"),
        ("now + duration(\"9999999d\")", "overflow"),
        ("instant(\"+12000-01-01\", \"%Y-%m-%d\")", "bad_text"),
        ("add_days(instant(\"2011-03-26 01:30\", \"%Y-%m-%d %H:%M\"), 1)", "bad_time"),
    ] {
        assert_eq!(shown(source), format!("error {code}"), "{source}");
    }
}

#[test]
fn an_error_names_its_part_and_does_not_quote_the_data() {
    let error = run("case.regulated || number(case.number) > 5").unwrap_err();
    assert_eq!(error.to_string(), "`number(case.number)`: the text is not a number");
}

#[test]
fn a_field_that_is_missing_is_an_error_and_never_absorbed() {
    let data = data().case("amount", None);
    for source in ["case.amount > 5", "case.amount > 5 || true", "!(case.amount > 5)", "case.amount == 5 ? 1 : 2"] {
        let error = run_on(source, &data).unwrap_err();
        assert_eq!((error.code, error.message.as_str()), ("missing", "`case.amount` is missing"), "{source}");
    }
    assert_eq!(run_on("true || case.amount > 5", &data).unwrap(), Value::Bool(true));
}

#[test]
fn a_root_that_breaks_its_promise_is_an_error() {
    let error = run_on("case.amount > 5", &data().case("amount", Some(Value::whole(7)))).unwrap_err();
    assert_eq!(
        (error.code, error.message.as_str()),
        ("wrong_type", "`case.amount` is number where money was promised")
    );
    let unknown_word = data().case("reason", Some(Value::text("stolen")));
    assert_eq!(run_on("case.reason == \"damaged\"", &unknown_word).unwrap_err().code, "wrong_type");
}

#[test]
fn money_of_another_currency_is_an_error() {
    let yen = Value::Money(Money::new("5".parse().unwrap(), "JPY".parse().unwrap()).unwrap());
    let data = data().case("amount", Some(yen));
    for source in ["case.amount > 5", "case.amount + order.total", "round(case.amount * 2, 2)", "case.amount"] {
        assert_eq!(run_on(source, &data).unwrap_err().code, "currency", "{source}");
    }
}

#[test]
fn money_keeps_its_decimals_and_a_product_must_be_rounded() {
    for (source, answer) in [
        ("case.amount + 0.01", "GBP 800.00"),
        ("order.total - case.amount", "GBP 200.01"),
        ("-case.amount", "GBP -799.99"),
        ("case.amount >= 799.99", "true"),
        ("order.total > case.amount * 0.5", "true"),
        ("round(case.amount * case.pct / 100, 2)", "GBP 479.99"),
        ("round(case.amount / 3, 2)", "GBP 266.66"),
        ("round(case.amount / order.total * 100, 1)", "80"),
        ("round(price(0.005), 2)", "GBP 0.01"),
        ("round(price(0.005), 2, half_even)", "GBP 0.00"),
        ("round(price(0.001), 2, \"up\")", "GBP 0.01"),
        ("round(case.amount, 0)", "GBP 800.00"),
        ("sum(case.lines.map(l, l.price * l.quantity))", "GBP 15.30"),
        ("sum(case.lines.filter(l, l.quantity > 99).map(l, l.paid))", "GBP 0.00"),
        ("max(case.amount, 1000)", "GBP 1000.00"),
        ("min(case.amount * 2, order.total)", "GBP 1000.00"),
        ("case.amount in [1, 799.99]", "true"),
        ("case.regulated ? case.amount : 0", "GBP 0.00"),
        ("abs(case.amount - order.total)", "GBP 200.01"),
        ("text(case.amount)", "GBP 799.99"),
    ] {
        assert_eq!(shown(source), answer, "{source}");
    }
}

#[test]
fn a_literal_becomes_the_type_that_its_place_needs() {
    for (source, expected, value) in [
        ("0", Type::Money, pounds("0")),
        ("500.00", Type::Money.optional(), pounds("500")),
        ("0.001", Type::Price, Value::Price(Price::new("0.001".parse().unwrap(), gbp()))),
        ("case.amount", Type::Price, Value::Price(Price::new("799.99".parse().unwrap(), gbp()))),
        ("\"manual\"", Type::words(["instant", "manual"]), Value::text("manual")),
        ("[]", Type::Money.list(), Value::List(vec![])),
        ("[0, 1]", Type::Money.list(), Value::List(vec![pounds("0"), pounds("1")])),
        ("case.regulated ? 1 : 2", Type::Money, pounds("2")),
        ("case.reason", Type::Text, Value::text("damaged")),
        ("[order.total, 0]", Type::Money.list(), Value::List(vec![pounds("1000"), pounds("0")])),
    ] {
        let expr = Expr::compile(source, &scope(), Some(&expected)).unwrap_or_else(|found| panic!("{found:?}"));
        let found = expr.evaluate(&data(), &mut context()).unwrap();
        assert_eq!(found, value, "{source}");
        assert!(found.is_of(expr.kind()) && found.is_of(&expected), "{source}");
    }
}

#[test]
fn days_are_counted_in_the_zone_of_the_document() {
    for (source, answer) in [
        // 23:30 UTC is half past midnight of the next day in London's summer.
        ("days_between(order.delivered_at, case.opened_at)", "11"),
        ("date(case.opened_at)", "2011-05-31"),
        ("days_between(case.opened_at, order.delivered_at) < 0", "true"),
        ("days_between(order.day, case.opened_at)", "11"),
        ("date(\"2011-05-20\") == order.day", "true"),
        ("now - case.opened_at", "1470m"),
        ("now - case.opened_at <= duration(\"25h\")", "true"),
        ("order.delivered_at + duration(\"30d\") > now", "true"),
        ("now - duration(\"90s\")", "2011-05-31T23:58:30.000Z"),
        ("add_days(order.delivered_at, 90)", "2011-08-18T12:00:00.000Z"),
        // The clock goes back in between: the local time stays.
        ("add_days(order.delivered_at, 180)", "2011-11-16T13:00:00.000Z"),
        ("add_days(order.day, -20)", "2011-04-30"),
        ("instant(\"12/1/2010 8:26\", \"%m/%d/%Y %H:%M\")", "2010-12-01T08:26:00.000Z"),
        ("instant(\"2011-06-01\", \"%Y-%m-%d\")", "2011-05-31T23:00:00.000Z"),
        ("instant(\"2011-06-01T00:00:00+0800\", \"%Y-%m-%dT%H:%M:%S%z\")", "2011-05-31T16:00:00.000Z"),
        ("instant(\"2011-06-01 00:00\", \"%Y-%m-%d %H:%M\", \"Asia/Shanghai\")", "2011-05-31T16:00:00.000Z"),
    ] {
        assert_eq!(shown(source), answer, "{source}");
    }
}

#[test]
fn texts_and_lists_work_as_methods_and_as_functions() {
    for (source, answer) in [
        ("starts_with(case.number, \"R\")", "true"),
        ("case.number.starts_with(\"R\")", "true"),
        ("split(\"a-b-c\", \"-\").size()", "3"),
        ("\" x \".trim().upper() + 'y'", "Xy"),
        ("\"a\\\"b\\n\\\\\" == 'a\"b\\n\\\\'", "true"),
        ("matches(case.number, r'^[A-Z]-\\d$')", "true"),
        ("size(\"退货\")", "2"),
        ("case.reason in [\"damaged\", \"wrong_item\"]", "true"),
        ("\"b\" in case.tags", "true"),
        ("!(\"z\" in case.tags)", "true"),
        ("case.tags == [\"a\", \"b\"]", "true"),
        ("case.tags != []", "true"),
        ("case.tags[1]", "b"),
        ("case.lines[0].sku", "85123A"),
        ("case[\"number\"]", "R-1"),
        ("case.lines.exists(l, l.quantity > 5 && l.sku in [\"85123A\"])", "true"),
        ("case.lines.all(l, l.quantity > 5)", "false"),
        ("case.lines.filter(l, l.quantity == 0)[0].sku", "71053"),
        ("case.lines.exists(l, case.tags.exists(t, t == l.sku || t == \"b\"))", "true"),
        ("[[1, 2], [3]].map(row, sum(row))", "[3, 3]"),
        ("case.regulated ? \"a\" : route == \"manual\" ? \"b\" : \"c\"", "b"),
        ("replace(\"a.b.c\", \".\", \"\")", "abc"),
    ] {
        assert_eq!(shown(source), answer, "{source}");
    }
}

#[test]
fn optional_values_are_read_behind_a_guard_only() {
    for (source, answer) in [
        ("has(case.note) && case.note == \"torn\"", "true"),
        ("has(case.weight) && case.weight > 5", "false"),
        ("!has(case.weight) || case.weight > 5", "true"),
        ("has(case.weight) ? case.weight : 7", "7"),
        ("!has(case.weight) ? 7 : case.weight", "7"),
        ("orElse(case.weight, 7) + 1", "8"),
        ("case.weight.orElse(1)", "1"),
        ("orElse(case.refund, 0)", "GBP 0.00"),
        ("orElse(case.refund, case.amount)", "GBP 799.99"),
        ("orElse(case.claim, \"goodwill\")", "goodwill"),
        ("has(customer.tier) && customer.tier == \"gold\" && customer.id == \"x\"", "false"),
        ("orElse(customer.tier, \"silver\")", "silver"),
        ("has(customer) && customer.id == \"x\"", "false"),
        ("!(!has(case.note) || case.note != \"torn\")", "true"),
        ("(has(case.weight) || false) ? 1 : 2", "2"),
        ("has(case.note) && case.tags.all(t, case.note != t)", "true"),
        ("case.lines.exists(l, has(l.serial) && l.serial == \"1\")", "false"),
        ("has(case.lines[5])", "false"),
        ("(has(case.note) && has(case.weight)) || true ? 1 : 2", "1"),
    ] {
        assert_eq!(shown(source), answer, "{source}");
    }
}

#[test]
fn an_optional_expression_has_no_value_where_its_path_has_none() {
    let kind = Type::Number.optional();
    let expr = Expr::compile("case.weight", &scope(), Some(&kind)).unwrap();
    assert_eq!(expr.kind(), &kind);
    assert_eq!(expr.evaluate_optional(&data(), &mut context()), Ok(None));
    assert_eq!(expr.evaluate(&data(), &mut context()).unwrap_err().code, "missing");
    let heavy = data().case("weight", Some(Value::whole(3)));
    assert_eq!(expr.evaluate_optional(&heavy, &mut context()), Ok(Some(Value::whole(3))));
}

#[test]
fn the_budget_stops_nested_loops_and_long_lists() {
    let many = Value::List((0..100).map(|i| Value::text(format!("t{i}"))).collect());
    let data = data().case("tags", Some(many));
    let nested = "case.tags.all(a, case.tags.all(b, size(case.tags.map(c, 1)) == 0 || a == b || true))";
    refused(nested, "too_deep", "map");
    let expr = Expr::compile("case.tags.all(a, case.tags.all(b, a != \"\" || b != \"\"))", &scope(), None).unwrap();
    let mut context = context();
    assert_eq!(expr.evaluate(&data, &mut context).unwrap_err().code, "budget");
    assert_eq!(context.steps_left, 0);
    let lines = (0..500).map(|i| line("x", i, "1")).collect();
    let copies = run_on("case.lines.map(l, case).size()", &data.case("lines", Some(Value::List(lines))));
    assert_eq!(copies.unwrap_err().code, "budget");
    let text = super::data().case("note", Some(Value::text("x".repeat(60_000))));
    let doubling = "has(case.note) && size(case.note + case.note) > 1";
    assert_eq!(run_on(doubling, &text).unwrap_err().code, "too_long");
    let growing = "has(case.note) && size(replace(case.note, \"x\", \"xx\")) > 1";
    assert_eq!(run_on(growing, &text).unwrap_err().code, "too_long");
}

#[test]
fn a_loop_over_two_thousand_lines_fits_the_budget() {
    let lines = (0..2_000).map(|i| line("x", i, "1")).collect();
    let data = data().case("lines", Some(Value::List(lines)));
    assert_eq!(run_on("case.lines.exists(l, l.quantity < 0)", &data).unwrap(), Value::Bool(false));
}

#[test]
fn explaining_tells_of_every_condition_that_was_asked() {
    let source = "case.amount > 500 && !(case.reason == \"changed_mind\") && (case.regulated || has(case.weight))";
    let expr = Expr::compile(source, &scope(), Some(&Type::Bool)).unwrap();
    let explained = expr.explain(&data(), &mut context());
    assert_eq!(explained.value, Ok(Some(Value::Bool(false))));
    let told: Vec<_> = explained.leaves.iter().map(|leaf| (leaf.source.as_str(), leaf.holds)).collect();
    assert_eq!(
        told,
        [
            ("case.amount > 500", true),
            ("(case.reason == \"changed_mind\")", false),
            ("case.regulated", false),
            ("has(case.weight)", false),
        ]
    );
    let choice = Expr::compile("case.regulated ? case.pct > 5 : case.pct > 50", &scope(), None).unwrap();
    let explained = choice.explain(&data(), &mut context());
    let told: Vec<_> = explained.leaves.iter().map(|leaf| (leaf.source.as_str(), leaf.holds)).collect();
    assert_eq!(told, [("case.regulated", false), ("case.pct > 50", true)]);
}

#[test]
fn explaining_tells_what_was_compared_and_never_a_free_text() {
    let told = |source: &str| {
        let expr = Expr::compile(source, &scope(), Some(&Type::Bool)).unwrap();
        let leaves = expr.explain(&data(), &mut context()).leaves;
        leaves
            .into_iter()
            .flat_map(|leaf| leaf.values)
            .map(|(part, value)| format!("{part} = {value}"))
            .collect::<Vec<_>>()
    };
    let amount = run("case.amount").unwrap();
    assert_eq!(told("case.amount > 500"), [format!("case.amount = {amount}")]);
    assert_eq!(told("case.amount * 2 > case.amount && case.regulated")[1], format!("case.amount = {amount}"));
    let (kinds, texts) = (told("case.reason == \"damaged\""), told("case.lines.exists(l, l.quantity > 0)"));
    assert!(kinds.len() <= 1 && texts.is_empty(), "{kinds:?} {texts:?}");
    assert!(told("case.number == \"R-1\"").is_empty(), "a free text may be anybody's words");
}

#[test]
fn an_expression_tells_what_it_reads_and_what_it_guards() {
    let source =
        "has(customer.tier) && round(case.amount / 2, 2, half_even) > 5 && case.lines.exists(l, l.sku == route)";
    let expr = Expr::compile(source, &scope(), None).unwrap();
    let reads: Vec<_> = expr.reads().iter().map(String::as_str).collect();
    assert_eq!(reads, ["case.amount", "case.lines", "customer.tier", "route"]);
    let guards: Vec<_> = expr.guards().iter().map(String::as_str).collect();
    assert_eq!(guards, ["customer", "customer.tier"]);
    let guarded = scope().with_guards(guards);
    assert!(Expr::compile("customer.tier == \"gold\"", &guarded, None).is_ok());
    refused("customer.tier == \"gold\"", "not_guarded", "customer");
}

#[test]
fn a_template_prints_its_values() {
    let render = |source: &str| Template::compile(source, &scope()).unwrap().render(&data(), &mut context()).unwrap();
    assert_eq!(
        render("{{ case.number }}: {{case.reason}}, {{ case.amount }} {{ \"}}\" }}!"),
        "R-1: damaged, GBP 799.99 }}!"
    );
    assert_eq!(render("退货 {{ orElse(case.weight, 2.50) }} kg"), "退货 2.5 kg");
    assert_eq!(render("{{ r'\\' }}{{ '\\'' }}"), "\\'");
    assert_eq!(render("no values }} here { }"), "no values }} here { }");
    assert_eq!(render(""), "");
}
