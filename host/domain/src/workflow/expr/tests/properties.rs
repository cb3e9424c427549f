//! What holds for every source.

use proptest::prelude::*;
use rust_decimal::Decimal;

use super::*;

/// An arithmetic expression and its value, by plain decimal arithmetic.
fn arithmetic() -> impl Strategy<Value = (String, Decimal)> {
    let literal = (0i64..10_000, 0u32..4).prop_map(|(mantissa, scale)| {
        let number = Decimal::new(mantissa, scale);
        (number.to_string(), number)
    });
    literal.prop_recursive(4, 16, 2, |inner| {
        (inner.clone(), inner, 0..4).prop_map(|((a, x), (b, y), operator)| match operator {
            0 => (format!("({a} + {b})"), x + y),
            1 => (format!("({a} - {b})"), x - y),
            2 if x.scale() + y.scale() < 20 && x.abs() < Decimal::from(1_000_000) => (format!("{a} * {b}"), x * y),
            _ => (format!("-({a})"), -x),
        })
    })
}

proptest! {
    #[test]
    fn any_text_is_an_expression_or_a_problem_inside_it(source in "\\PC{0,80}") {
        if let Err(found) = Expr::compile(&source, &scope(), None) {
            for problem in found {
                prop_assert!(source.get(problem.range.start..problem.range.end).is_some(), "{:?}", problem);
            }
        }
    }

    #[test]
    fn any_text_is_a_template_or_a_problem_inside_it(source in "[^a]{0,9}(\\{\\{)?\\PC{0,40}(\\}\\})?\\PC{0,9}") {
        if let Err(found) = Template::compile(&source, &scope()) {
            for problem in found {
                prop_assert!(source.get(problem.range.start..problem.range.end).is_some(), "{:?}", problem);
            }
        }
    }

    #[test]
    fn any_words_of_the_language_are_an_expression_or_a_problem(
        words in prop::collection::vec(prop::sample::select(vec![
            "case", ".", "amount", "lines", "note", "(", ")", "[", "]", "{{", "}}", "&&", "||", "!", "-", "+", "/", "==", "<", "in", "?", ":",
            ",", "1", "0.5", "\"x\"", "has", "orElse", "exists", "map", "x", "round", "true", "size", "date", "matches", "now", "r'", "\\",
        ]), 0..40)
    ) {
        let source = words.join(" ");
        let tight = words.concat();
        for source in [&source, &tight] {
            if let Ok(expr) = Expr::compile(source, &scope(), None)
                && let Ok(value) = expr.evaluate(&data(), &mut context())
            {
                prop_assert!(value.is_of(expr.kind()), "{source} gave {value:?}, and is {:?}", expr.kind());
            }
            let _ = Template::compile(source, &scope());
        }
    }

    #[test]
    fn arithmetic_is_that_of_decimals((source, value) in arithmetic()) {
        prop_assert_eq!(run(&source), Ok(Value::Number(value)), "{}", source);
    }

    #[test]
    fn an_evaluation_never_takes_more_steps_than_it_has(steps in 0u32..60) {
        let expr = Expr::compile("case.lines.map(l, l.quantity * 2).exists(q, q > 100) || case.amount > 5", &scope(), None).unwrap();
        let mut context = Context { steps_left: steps, ..context() };
        match expr.evaluate(&data(), &mut context) {
            Ok(value) => prop_assert_eq!(value, Value::Bool(true)),
            Err(error) => prop_assert_eq!((error.code, context.steps_left), ("budget", 0)),
        }
    }
}
