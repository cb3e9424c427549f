//! Good documents, one per step kind, and what they become.

use super::*;
use crate::clock::Span;
use crate::ids::Digest;
use crate::value::Type;
use crate::workflow::calendar::delay::Delay;
use crate::workflow::definition::{Hook, Join, Merge, RefundOf, Required, Timeout, Until, Within};
use crate::workflow::diagnostic::render;

const HEAD: &str = "
format: 1
workflow: good
triggers:
  - case_opened: { type: return, requires: [order, customer] }
limits: { refund_max: =order.paid_total }
events:
  goods_received: { rma: text, pieces: number? }
  parcel_lost: {}
vars:
  window_days: { type: number, default: 90 }
  review_over: { type: money, default: 500.00 }
  route: [fast, slow]
";

fn plugin(hook: Hook, params: &[(&str, Type)], provides: &[(&str, Type)]) -> Plugin {
    let types = |list: &[(&str, Type)]| list.iter().map(|(name, kind)| ((*name).to_owned(), kind.clone())).collect();
    Plugin {
        digest: Digest::of(b"plugin"),
        hook,
        params: types(params),
        whole: Default::default(),
        provides: types(provides),
        facts: Vec::new(),
        attributes: Default::default(),
    }
}

fn environment() -> Environment {
    let named = |name: &str, plugin: Plugin| (PluginRef { name: name.to_owned(), major: 0 }, plugin);
    Environment {
        plugins: [
            named("std/purchase-match", plugin(Hook::Eligibility, &[("window_days", Type::Number)], &[])),
            named("std/refund-quote", plugin(Hook::Refund, &[], &[("fee", Type::Money.optional())])),
            named(
                "own-score",
                plugin(
                    Hook::Step,
                    &[("text", Type::Text), ("limit", Type::Number.optional())],
                    &[("score", Type::Number)],
                ),
            ),
        ]
        .into(),
        currency: "GBP".parse().ok(),
        zone: Some(Zone::Europe__London),
        ..Environment::default()
    }
}

fn loaded(source: &str) -> Definition {
    match load(source, &environment()) {
        Ok(definition) => definition,
        Err(found) => panic!("{}", found.iter().map(|d| render("good.yaml", source, d)).collect::<String>()),
    }
}

/// A document with these steps.
fn steps(steps: &str) -> Definition {
    loaded(&format!("{HEAD}steps:\n{steps}"))
}

fn first(text: &str) -> Kind {
    steps(&format!("{text}\n  - {{ id: done, finish: {{ result: closed }} }}\n")).steps[0].kind.clone()
}

#[test]
fn the_head_is_read_and_the_tenant_lends_what_is_missing() {
    let definition = steps("  - { id: done, finish: { result: closed } }\n");
    assert_eq!(definition.workflow.as_str(), "good");
    assert_eq!((definition.currency.code(), definition.zone), ("GBP", Zone::Europe__London));
    assert_eq!(definition.triggers[0].requires, [Required::Order, Required::Customer].into());
    assert_eq!(definition.vars["route"].kind, Type::words(["fast", "slow"]));
    assert_eq!(definition.vars["review_over"].default.as_ref().map(ToString::to_string), Some("GBP 500.00".to_owned()));
    assert!(definition.events["parcel_lost"].is_empty());
    assert!(definition.limits.refund_max.is_some());
}

#[test]
fn a_call_takes_literals_and_expressions() {
    let Kind::Call { plugin, with } =
        first("  - id: score\n    call: { plugin: own-score@0, with: { text: =case.number, limit: 5 } }")
    else {
        panic!()
    };
    assert_eq!(plugin.to_string(), "own-score@0");
    assert_eq!(with.keys().collect::<Vec<_>>(), ["limit", "text"]);
    let source = "  - { id: score, call: { plugin: own-score@0, with: { text: 'a b' } } }\n  - { id: done, finish: { result: closed } }\n";
    assert_eq!(steps(source).plugins.len(), 1, "only what is called belongs to the revision");
}

#[test]
fn a_decide_ends_with_else() {
    let Kind::Decide { arms } =
        first("  - id: pick\n    decide:\n      - { when: 'window_days > 30', then: done }\n      - { else: done }")
    else {
        panic!()
    };
    assert!(arms[0].when.is_some() && arms[1].when.is_none());
}

#[test]
fn a_set_makes_a_variable_known() {
    let definition = steps(
        "
  - { id: choose, set: { route: fast } }
  - { id: pick, decide: [{ when: 'route == \"fast\"', then: done }, { else: lost }] }
  - { id: done, finish: { result: closed } }
  - { id: lost, fail: { code: lost } }
",
    );
    assert!(matches!(&definition.steps[0].kind, Kind::Set { assignments } if assignments[0].0 == "route"));
    assert!(matches!(&definition.steps[3].kind, Kind::Fail { code } if code.as_str() == "lost"));
}

const MATCHED: &str = "
  - { id: match, call: { plugin: std/purchase-match@0, with: { window_days: =window_days } }, as: matched }
";

#[test]
fn an_approve_takes_the_lines_of_a_verdict() {
    let definition = steps(&format!(
        "{MATCHED}
  - {{ id: hold, approve: {{ lines: =matched.lines, until: 21d }} }}
  - {{ id: done, finish: {{ result: closed }} }}
"
    ));
    assert!(
        matches!(&definition.steps[1].kind, Kind::Approve { until, .. } if *until == Delay::Span(Span::from_days(21)))
    );
}

#[test]
fn a_review_leads_to_a_step_for_each_outcome() {
    let definition = steps(
        "
  - id: look
    review:
      queue: returns-l1
      title: { en: 'Look at {{ case.number }}', zh-CN: '查看 {{ case.number }}' }
      ask: { note: text?, state: [new, worn] }
      next: { accept: done, refuse: lost }
      reasons: [amount_over_limit]
      timeout: { after: 5d, then: lost }
    as: seen
  - { id: done, finish: { result: closed }, when: 'seen.state == \"new\"' }
  - { id: lost, fail: { code: lost } }
",
    );
    let Kind::Review(review) = &definition.steps[0].kind else { panic!() };
    assert_eq!(review.next.keys().collect::<Vec<_>>(), ["accept", "refuse"]);
    assert_eq!(review.ask["note"], Type::Text.optional());
    assert!(
        matches!(&review.timeout, Timeout::After { after, then } if *after == Delay::Span(Span::from_days(5)) && then.as_str() == "lost")
    );
}

#[test]
fn an_await_is_indexed_by_fields_of_the_event() {
    let definition = steps(
        "
  - id: goods
    await:
      any:
        - { event: goods_received, match: 'event.rma == case.number && event.pieces == size(case.lines)', then: done }
        - { event: parcel_lost }
      timeout: { never: the customer was asked to send nothing }
    then: lost
  - { id: done, finish: { result: closed } }
  - { id: lost, fail: { code: lost } }
",
    );
    let Kind::Await { arms, timeout, .. } = &definition.steps[0].kind else { panic!() };
    assert_eq!(arms[0].matches.iter().map(|(field, _)| field.as_str()).collect::<Vec<_>>(), ["rma", "pieces"]);
    assert_eq!((arms[0].then.is_some(), arms[1].then.is_some()), (true, false));
    assert!(matches!(timeout, Timeout::Never { because } if because.contains("nothing")));
}

#[test]
fn a_wait_is_a_span_or_an_instant() {
    assert!(
        matches!(first("  - { id: rest, wait: { for: P3DT4H } }"), Kind::Wait(Until::For(span)) if span == Delay::Span(Span::from_millis(273_600_000)))
    );
    assert!(matches!(first("  - { id: rest, wait: { until: =order.placed_at } }"), Kind::Wait(Until::Instant(_))));
    assert!(matches!(
        first("  - { id: rest, wait: { until: '2030-01-01T00:00:00Z' } }"),
        Kind::Wait(Until::Instant(_))
    ));
}

#[test]
fn a_refund_is_a_quote_or_a_capped_amount() {
    let definition = steps(
        "
  - { id: quote, call: { plugin: std/refund-quote@0 } }
  - { id: pay, refund: { quote: =steps.quote, reason: changed_mind } }
  - { id: more, refund: { amount: 12.50, method: voucher } }
  - { id: done, finish: { result: closed }, when: 'steps.pay.status == \"confirmed\"' }
  - { id: lost, fail: { code: lost } }
",
    );
    assert!(
        matches!(&definition.steps[1].kind, Kind::Refund { amount: RefundOf::Quote(_), method, .. } if method == "original")
    );
    assert!(
        matches!(&definition.steps[2].kind, Kind::Refund { amount: RefundOf::Amount(_), method, .. } if method == "voucher")
    );
}

#[test]
fn a_restock_goes_where_goods_may_go() {
    assert!(matches!(first("  - { id: shelf, restock: { to: quarantine } }"), Kind::Restock { .. }));
    assert!(matches!(
        first("  - { id: shelf, restock: { to: '=window_days > 30 ? \"scrap\" : \"quarantine\"' } }"),
        Kind::Restock { .. }
    ));
}

#[test]
fn a_notify_has_a_channel() {
    assert!(matches!(
        first("  - { id: tell, notify: { template: return-done, to: customer } }"),
        Kind::Notify(notify) if notify.channel == "email"
    ));
}

#[test]
fn a_parallel_has_lists_of_its_own_and_lends_what_they_give() {
    let definition = steps(
        "
  - id: both
    parallel:
      branches:
        goods:
          - { id: shelf, restock: { to: quarantine } }
          - { id: note, set: { route: slow } }
        again: [{ id: tell, notify: { template: hello, to: customer } }]
  - { id: pick, decide: [{ when: 'steps.shelf.status == \"confirmed\" && route == \"slow\"', then: done }, { else: lost }] }
  - { id: done, finish: { result: closed } }
  - { id: lost, fail: { code: lost } }
",
    );
    let Kind::Parallel(parallel) = &definition.steps[0].kind else { panic!() };
    let first: Vec<_> = parallel.branches.iter().map(|(branch, step)| (branch.as_str(), step.as_str())).collect();
    assert_eq!((first, parallel.join), (vec![("again", "tell"), ("goods", "shelf")], Join::All));
    let ids: Vec<_> = definition.steps.iter().map(|step| step.id.as_str()).collect();
    assert_eq!(ids, ["both", "tell", "shelf", "note", "pick", "done", "lost"], "by the names of the branches");
    let after = |id: &str| definition.after(id).map(|step| step.id.as_str());
    assert_eq!((after("both"), after("tell"), after("shelf"), after("note")), (Some("pick"), None, Some("note"), None));
}

#[test]
fn a_for_each_goes_through_a_list_of_any_type() {
    let definition = steps(
        "
  - id: each
    for_each:
      in: '=case.lines.filter(l, l.quantity > 1)'
      max: 20
      as: line
      parallel: 4
      merge: { window_days: sum }
      steps:
        - { id: add, set: { window_days: =line.quantity } }
    as: gone_through
  - { id: done, finish: { result: closed }, when: 'gone_through.count > 1' }
  - { id: lost, fail: { code: lost } }
",
    );
    let Kind::ForEach(each) = &definition.steps[0].kind else { panic!() };
    assert_eq!((each.max, each.at_once, each.element.as_str(), each.first.as_str()), (20, 4, "line", "add"));
    assert_eq!(each.merge, [("window_days".to_owned(), Merge::Sum)].into());
    assert_eq!(definition.steps[1].within, Some(Within { step: Slug::new("each").unwrap(), branch: None }));
}

#[test]
fn an_again_passes_the_steps_between_and_those_inside_them() {
    let definition = steps(
        "
  - { id: start, set: { route: slow } }
  - id: look
    review: { queue: q, title: Look, next: { clear: done, odd: each }, timeout: { after: 5d, then: done } }
  - id: each
    for_each: { in: =case.lines, max: 3, steps: [{ id: tell, notify: { template: hello, to: customer } }] }
  - { id: back, again: { to: look, max_visits: 3 } }
  - { id: lost, fail: { code: lost } }
  - { id: done, finish: { result: closed } }
",
    );
    let passed: Vec<_> = definition
        .ways_back
        .iter()
        .map(|(again, passed)| (again.as_str(), passed.iter().map(Slug::as_str).collect::<Vec<_>>()))
        .collect();
    assert_eq!(passed, [("back", vec!["back", "each", "look", "tell"])]);
}

#[test]
fn a_document_has_so_many_steps_and_those_inside_others_count() {
    let inside = |count: usize| {
        let body: String = (0..count).map(|n| format!("        - {{ id: s{n}, set: {{ route: slow }} }}\n")).collect();
        format!(
            "{HEAD}steps:\n  - id: each\n    for_each:\n      in: =case.lines\n      max: 3\n      steps:\n{body}  - {{ id: done, finish: {{ result: closed }} }}\n"
        )
    };
    assert!(load(&inside(STEPS_MAX - 2), &environment()).is_ok());
    let found = load(&inside(STEPS_MAX - 1), &environment()).unwrap_err();
    assert!(found.iter().any(|d| d.code == "too_large"), "{found:?}");
}

#[test]
fn failures_lead_to_a_step_by_their_code() {
    let definition = steps(
        "
  - id: pay
    refund: { amount: 1 }
    on_error: [{ match: declined, then: lost }, { match: any, then: done }]
  - { id: done, finish: { result: closed } }
  - { id: lost, fail: { code: lost } }
",
    );
    let codes: Vec<_> = definition.steps[0].on_error.iter().map(|entry| entry.code.as_deref()).collect();
    assert_eq!(codes, [Some("declined"), None]);
}

#[test]
fn the_revision_follows_the_meaning_and_the_plugins() {
    let source = format!("{HEAD}steps:{MATCHED}  - {{ id: done, finish: {{ result: closed }} }}\n");
    let revision = |source: &str, environment: &Environment| load(source, environment).unwrap().revision;
    let base = revision(&source, &environment());
    assert_eq!(revision(&format!("# why\n{}", source.replace("500.00", "500.0")), &environment()), base);
    assert_ne!(revision(&source.replace("500.00", "500.01"), &environment()), base);
    let mut other = environment();
    let matcher = other.plugins.get_mut(&PluginRef { name: "std/purchase-match".to_owned(), major: 0 }).unwrap();
    matcher.digest = Digest::of(b"next");
    assert_ne!(revision(&source, &other), base);
    let mut uncalled = environment();
    let quote = uncalled.plugins.get_mut(&PluginRef { name: "std/refund-quote".to_owned(), major: 0 }).unwrap();
    quote.digest = Digest::of(b"next");
    assert_eq!(revision(&source, &uncalled), base, "a plugin that is not called does not count");
}

#[test]
fn every_kind_of_the_table_has_a_loader() {
    let document =
        |name: &str| format!("{HEAD}steps:\n  - {{ id: x, {name}: 0 }}\n  - {{ id: y, fail: {{ code: z }} }}\n");
    for kind in schema::STEP_KINDS {
        let found = load(&document(kind.name), &environment()).unwrap_err();
        // After a `finish` or `fail` the second step is unreachable as well.
        let codes: Vec<_> = found.iter().map(|d| d.code.as_str()).filter(|code| *code != "unreachable").collect();
        assert_eq!(codes, ["wrong_type"], "{}: {found:?}", kind.name);
    }
}

#[test]
fn the_example_of_every_kind_loads() {
    const BEFORE: &str = "
- { id: law, call: { plugin: std/purchase-match@0, with: { window_days: 1 } }, as: matched }
- { id: amounts, call: { plugin: std/refund-quote@0 }, as: quote }
";
    const AFTER: &str = "
- { id: refused, fail: { code: refused } }
- { id: done, finish: { result: closed } }
";
    for kind in schema::STEP_KINDS {
        // An example that is among the surrounding steps, or names an output as they do, takes their place.
        let own = |line: &&str| {
            let id = line.split(',').next().unwrap_or_default();
            let names_matched = kind.name == "call" && line.contains("as: matched");
            !(names_matched || kind.example.starts_with(id) && !id.is_empty())
        };
        let around = |steps: &str| steps.lines().filter(own).collect::<Vec<_>>().join("\n");
        let source = format!("{HEAD}steps:{}\n{}{}\n", around(BEFORE), kind.example, around(AFTER));
        let found = load(&source, &environment()).err().unwrap_or_default();
        // Not every example leads to both ends.
        let found: Vec<_> =
            found.iter().filter(|d| d.code != "unreachable").map(|d| render(kind.name, &source, d)).collect();
        assert!(found.is_empty(), "{}", found.join("\n"));
    }
}

#[test]
fn the_example_of_the_readme_loads() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../workflows/README.md");
    let readme = std::fs::read_to_string(path).unwrap();
    let example = readme.split("```yaml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    assert_eq!(loaded(example).steps.len(), 10);
}

#[test]
fn a_target_that_is_nearly_a_system_that_is_connected_is_misspelt_and_another_may_be_connected_later() {
    let document = |target: &str, undone: &str| {
        format!(
            "{HEAD}steps:\n  - {{ id: ask, http: {{ target: {target} }}, compensate: {{ http: {{ target: {undone} }} }} }}\n  - {{ id: done, finish: {{ result: done }} }}\n"
        )
    };
    let systems = ["carrier-label", "carrier-void"].map(|name| Slug::new(name).unwrap());
    let known = Environment { systems: systems.into(), ..environment() };
    let wrong = load(&document("carrier-labl", "carier-void"), &known).unwrap_err();
    let told: Vec<_> = wrong.iter().map(|one| (one.code.as_str(), one.message.as_str(), one.path.as_str())).collect();
    assert_eq!(
        told,
        [
            ("unknown_target", "no system `carrier-labl` is connected", "steps[0].http.target"),
            ("unknown_target", "no system `carier-void` is connected", "steps[0].compensate.http.target"),
        ]
    );
    assert!(wrong[0].help.as_deref().is_some_and(|help| help.starts_with("did you mean `carrier-label`?")));
    for target in ["carrier-label", "warehouse"] {
        assert!(load(&document(target, "carrier-void"), &known).is_ok(), "{target}");
    }
    assert!(load(&document("carrier-labl", "carier-void"), &environment()).is_ok(), "nobody knows any system");
}

#[test]
fn no_text_makes_the_loader_panic() {
    let whole = format!("{HEAD}steps:{MATCHED}  - {{ id: done, finish: {{ result: closed }} }}\n");
    for end in (0..whole.len()).filter(|end| whole.is_char_boundary(*end)) {
        let cut = load(&whole[..end], &environment());
        assert!(cut.is_ok() || cut.is_err_and(|found| !found.is_empty()));
        let without = format!("{}{}", &whole[..end], &whole[(end + 1).min(whole.len())..]);
        assert!(load(&without, &environment()).map_or_else(|found| !found.is_empty(), |_| true));
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(300))]

    #[test]
    fn no_shuffled_document_makes_the_loader_panic(picks in proptest::collection::vec(0_usize..1_000, 0..60)) {
        const PARTS: &[&str] = &[
            "\n", "\n  ", "\n    ", "\n- ", "\n  - ", ": ", ", ", "{ ", " }", "[", "]", "'", "\"", "|\n", ">\n", "&a ", "*a", "!!x ", "<<: ",
            "# ü\n", "\t", "---\n", "=", "steps", "steps:\n  - ", "id: a", "then: a", "when: ", "has(a)", "case.lines", "标题", "vars",
            "call", "decide", "review: ", "await: ", "next: ", "timeout: ", "on_error: ", "match: ", "event.x == 1", "&&", "1.5", "5d", "\u{feff}",
            "parallel: ", "branches: ", "\n      a:\n        - ", "for_each: ", "in: =case.lines", "max: 3", "again: ", "to: a", "merge: ", "join: 2",
            "\r\n", "\\", "? ", "%YAML 1.1\n", "...", "\u{0}",
        ];
        let source: String = picks.iter().map(|pick| PARTS[pick % PARTS.len()]).collect();
        for source in [source.clone(), format!("{HEAD}steps:\n  - {{ id: a, wait: {{ for: 1d }} }}\n{source}")] {
            let found = load(&source, &environment()).err().unwrap_or_default();
            for diagnostic in found {
                proptest::prop_assert!(diagnostic.code != "internal", "{source:?}");
                proptest::prop_assert!(diagnostic.range.start <= diagnostic.range.end && diagnostic.range.end <= source.len());
                proptest::prop_assert!(!render("x", &source, &diagnostic).is_empty());
            }
        }
    }
}
