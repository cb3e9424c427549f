//! The cases that every plugin is asked: a file of them for the hooks that decide, and those that are too large for a file.

use serde_json::{Value as Json, json};

use super::case::{Case, Question};
use crate::contract::{Attribute, Decimal, Hook, Moment, Money, Value};
use crate::manifest::{BaseType, Manifest};

/// Requests to hooks that decide about a case, in the form of case files.
const DECISIONS: &str = include_str!("built_in.json");
/// The most purchases that a host collects for a request.
const PURCHASES_MOST: usize = 2_000;
/// Lines of a large case.
const LINES_MANY: usize = 200;
/// The most entries of an open bag.
const BAG_MOST: usize = 64;

/// What every plugin is asked at a hook. Parameters that the manifest requires are given.
pub(super) fn cases(hook: Hook, manifest: &Manifest) -> Vec<Case> {
    let written = match hook {
        Hook::Step => steps(),
        _ => decisions(),
    };
    // The texts are ours; a test reads each.
    let case = |(name, request): (String, Json)| {
        let mut question = Question::read(hook, &request).ok()?;
        give_params(&mut question, manifest, |_, kind| plausible(kind));
        Some(Case { name, question, expect: None })
    };
    written.into_iter().filter_map(case).collect()
}

/// Whether a built-in case is as large as a request may be.
pub(super) fn is_large(name: &str) -> bool {
    ["most_purchases", "many_lines", "full_bags", "long_texts"].contains(&name)
}

fn decisions() -> Vec<(String, Json)> {
    let cases: Vec<Json> = serde_json::from_str(DECISIONS).unwrap_or_default();
    let named = |case: Json| (case["name"].as_str().unwrap_or_default().to_owned(), case["request"].clone());
    let mut cases: Vec<(String, Json)> = cases.into_iter().map(named).collect();
    let orders = |count: usize, of: usize| -> Vec<Json> {
        (0..count)
            .map(|at| json!({ "order": (1_000 + at).to_string(), "line": 0, "sku": format!("A{}", at % of), "quantity": 3 }))
            .collect()
    };
    let lines = |count: usize, of: usize| -> Vec<Json> {
        (0..count).map(|at| json!({ "sku": format!("A{}", at % of), "quantity": 2 })).collect()
    };
    let takes: Vec<Json> =
        (0..100).map(|at| json!({ "order": (1_000 + at).to_string(), "line": 0, "quantity": 1 })).collect();
    let matched = json!([{ "verdict": { "lines": [{ "remedy": "allow", "quantity": 100, "takes": takes }] } }]);
    cases.push((
        "most_purchases".to_owned(),
        json!({ "lines": [{ "sku": "A0", "quantity": 100 }], "purchases": orders(PURCHASES_MOST, 1), "earlier": matched }),
    ));
    cases.push((
        "many_lines".to_owned(),
        json!({ "lines": lines(LINES_MANY, 20), "purchases": orders(LINES_MANY, 20) }),
    ));
    let bag = full_bag();
    cases.push((
        "full_bags".to_owned(),
        json!({
            "about": { "attributes": bag }, "customer": { "id": "cus_1", "attributes": bag }, "facts": bag,
            "lines": [{ "sku": "A0", "attributes": bag }], "purchases": [{ "sku": "A0", "attributes": bag }],
        }),
    ));
    let long = "x".repeat(1_000);
    cases.push((
        "long_texts".to_owned(),
        json!({ "about": { "claim": long, "reason": long }, "lines": [{ "sku": long }], "purchases": [{ "sku": long, "order": long }] }),
    ));
    cases
}

fn steps() -> Vec<(String, Json)> {
    let extreme = json!({
        "seed": u64::MAX, "now": { "unix_ms": i64::MIN, "local_day": i32::MIN, "local_second": 0 }, "ask": "", "zone": "", "jurisdiction": "",
    });
    [
        ("plain", json!({})),
        ("extreme_numbers", extreme),
        ("unicode", json!({ "zone": "Asia/上海", "jurisdiction": "🎁" })),
    ]
    .map(|(name, request)| (name.to_owned(), request))
    .into()
}

/// Every type of value, in as many entries as a bag may have.
fn full_bag() -> Json {
    let values = [
        json!("text"),
        json!(i64::MIN),
        json!(true),
        json!({ "decimal": "-0.0000000000000000001" }),
        json!({ "timestamp": "2026-01-15T12:00:00Z" }),
        json!({ "money": { "minor": i64::MAX, "currency": "EUR" } }),
    ];
    (0..BAG_MOST)
        .map(|at| (format!("unknown_{at}"), values[at % values.len()].clone()))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

/// Gives every parameter that the manifest requires, and that the question does not have.
pub(super) fn give_params(
    question: &mut Question,
    manifest: &Manifest,
    mut value: impl FnMut(&str, BaseType) -> Value,
) {
    let args = match question {
        Question::Decision(_, request) => &mut request.args,
        Question::Step(request) => &mut request.args,
    };
    for (name, param) in &manifest.params {
        if param.required && !args.iter().any(|given| given.key == *name) {
            args.push(Attribute { key: name.clone(), value: value(name, param.kind.base) });
        }
    }
}

/// A value of a type that most plugins can do something with.
pub(super) fn plausible(kind: BaseType) -> Value {
    let moment = Moment { unix_ms: 1_768_435_200_000, local_day: 20_468, local_second: 0 };
    match kind {
        BaseType::Text => Value::Text("text".to_owned()),
        BaseType::Integer => Value::Integer(14),
        BaseType::Decimal => Value::Decimal(Decimal { mantissa: 150, scale: 3 }),
        BaseType::Boolean => Value::Boolean(true),
        BaseType::Timestamp => Value::Timestamp(moment),
        BaseType::Money => Value::Money(Money { minor: 500, currency: "EUR".to_owned() }),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::limits::Limits;
    use crate::measure;

    #[test]
    fn every_built_in_case_is_one_and_a_host_could_ask_it() {
        let text = r#"{"name":"a","version":"0.1.0","sdk":"x","hook":"step","params":{
            "must":{"type":"integer","required":true},"may":{"type":"text"},"perhaps":{"type":"text?","required":false},"has":{"type":"text","default":"x"}}}"#;
        let manifest = Manifest::parse(text.as_bytes()).unwrap();
        for hook in Hook::ALL {
            let wanted = if hook == Hook::Step { steps().len() } else { decisions().len() };
            let cases = cases(hook, &manifest);
            assert_eq!(cases.len(), wanted, "one of them is not read");
            assert_eq!(cases.iter().map(|case| case.name.as_str()).collect::<BTreeSet<_>>().len(), wanted);
            for case in cases {
                let (args, measured) = match &case.question {
                    Question::Decision(_, request) => (&request.args, measure::request(request, &Limits::default())),
                    Question::Step(request) => (&request.args, measure::step_request(request, &Limits::default())),
                };
                assert_eq!(measured, Ok(()), "{}", case.name);
                assert_eq!(args.iter().map(|arg| arg.key.as_str()).collect::<Vec<_>>(), ["must"]);
            }
        }
    }
}
