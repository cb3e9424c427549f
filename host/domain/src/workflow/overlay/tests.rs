//! What overlays become, and whose fault it is what does not fit.

use proptest::prelude::*;

use super::rebase::{Meets, rebase};
use super::*;

const BASE: &str = "format: 1
workflow: base
currency: GBP
zone: UTC
triggers: [{ case_opened: { type: return } }]
limits: { refund_max: 100.00 }
vars: { days: { type: number, default: 30 } }
sealed: [limits]
steps:
  - id: look
    review: { queue: desk, title: Look, next: { go: rest, no: refused }, timeout: { after: 5d, then: refused } }
  - { id: rest, wait: { for: 2d } }
  - { id: pay, sealed: true, open: [reason], refund: { amount: 5.00 } }
  - { id: done, finish: { result: done } }
  - { id: refused, fail: { code: refused } }
";

fn environment() -> Environment {
    let nested = overlay("");
    let bases = [("std/base@1", BASE), ("own@7", nested.as_str())];
    Environment { bases: bases.map(|(name, text)| (name.to_owned(), text.to_owned())).into(), ..Environment::default() }
}

fn overlay(rest: &str) -> String {
    format!("format: 1\nworkflow: own\nextends: std/base@1\n{rest}")
}

fn load(source: &str) -> Result<Definition, Vec<Diagnostic>> {
    load::load(source, &environment())
}

/// What is wrong, each with the line that is pointed at.
fn told(source: &str) -> Vec<String> {
    let one = |one: Diagnostic| format!("{} {}: {}", line_column(source, one.range.start).0, one.code, one.message);
    load(source).err().unwrap_or_default().into_iter().map(one).collect()
}

#[test]
fn an_overlay_is_its_base_with_its_patches() {
    let source = overlay(
        "vars: { days: { default: 14 }, fee: { type: money, default: 1.00 } }
patch:
  - set: { at: steps.look.review.timeout.after, to: 2d }
  - set: { at: steps.pay.refund.reason, to: agreed }
  - replace: { step: rest, with: { wait: { for: 1d }, title: Short } }
  - insert: { before: look, step: { id: more, when: days > 10, wait: { for: 3d } } }
  - insert: { before: done, step: { id: tell, notify: { template: bye, to: customer } } }
  - remove: { at: 'triggers[0].case_opened.type' }
",
    );
    let whole = whole(&source, &environment()).unwrap().write();
    assert_eq!(
        whole,
        "format: 1
workflow: own
currency: GBP
zone: UTC
triggers:
  - { case_opened: {} }
limits:
  refund_max: 100.00
vars:
  days: { type: number, default: 14 }
  fee: { type: money, default: 1.00 }
steps:
  - { id: more, when: days > 10, wait: { for: 3d } }
  - id: look
    review: { queue: desk, title: Look, next: { go: rest, no: refused }, timeout: { after: 2d, then: refused } }
  - { id: rest, wait: { for: 1d }, title: Short }
  - { id: pay, sealed: true, open: [reason], refund: { amount: 5.00, reason: agreed } }
  - { id: tell, notify: { template: bye, to: customer } }
  - { id: done, finish: { result: done } }
  - { id: refused, fail: { code: refused } }
"
    );
    assert_eq!(told(&source), [""; 0]);
    let (own, written) = (load(&source).unwrap(), load(&whole).unwrap());
    assert_eq!(own.revision, written.revision, "the revision is that of the whole document");
    assert_ne!(own.revision, load(&source.replace("default: 14", "default: 15")).unwrap().revision);
}

#[test]
fn what_is_wrong_in_the_base_is_told_at_the_patch_that_caused_it() {
    let source = overlay(
        "patch:
  - set: { at: steps.look.review.queue, to: night }
  - remove: { step: rest }
  - set: { at: steps.look.title, to: Look here }
",
    );
    assert_eq!(told(&source), ["6 unknown_step: there is no step `rest`, from base std/base@1, line 11, column 53"]);
    // What stands in the overlay itself is told where it stands.
    let source = overlay("patch:\n  - set: { at: steps.look.review.next.go, to: reste }\n");
    assert_eq!(told(&source), ["5 unknown_step: there is no step `reste`"]);
}

#[test]
fn what_only_two_patches_together_break_is_told_at_the_second() {
    let source = overlay(
        "patch:
  - insert: { before: done, step: { id: late, wait: { for: 1d } } }
  - set: { at: steps.pay.refund.reason, to: x }
  - insert: { before: rest, step: { id: jump, wait: { for: 1d }, then: done } }
  - set: { at: steps.look.review.next.go, to: jump }
",
    );
    let told = told(&source);
    assert_eq!(told, ["8 unreachable: no step leads to `rest`, from base std/base@1, line 12, column 11"], "{told:#?}");
}

#[test]
fn a_base_that_does_not_pass_by_itself_is_told_where_it_is_named() {
    let mut environment = environment();
    environment.bases.insert("std/base@1".to_owned(), BASE.replace("wait: { for: 2d }", "wait: { for: long }"));
    let source = overlay("patch:\n  - set: { at: steps.look.review.queue, to: night }\n");
    let found = load::load(&source, &environment).unwrap_err();
    let place = |one: &Diagnostic| (line_column(&source, one.range.start), one.code.clone());
    assert_eq!(found.iter().map(place).collect::<Vec<_>>(), [((3, 10), "bad_literal".to_owned())]);
    assert!(found[0].message.ends_with("from base std/base@1, line 12, column 30"), "{}", found[0].message);
}

#[test]
fn a_base_of_a_base_is_refused() {
    let source = overlay("").replace("std/base@1", "own@7");
    assert_eq!(told(&source), ["3 nested_base: `own@7` is an overlay itself"]);
}

#[test]
fn a_pin_is_a_number_or_twelve_letters_of_a_revision() {
    for good in ["std/a@1", "a@12", "a@0123456789ab", "a@999999999"] {
        assert!(pin(good).is_some(), "{good}");
    }
    for wrong in ["a", "a@", "a@latest", "a@0", "a@01", "a@abc", "x/a@1", "A@1", "a@1.0", "a@1@2"] {
        assert_eq!(pin(wrong), None, "{wrong}");
    }
}

/// A new edition of the base.
fn newer() -> String {
    BASE.replace("queue: desk", "queue: front")
        .replace("default: 30", "default: 21")
        .replace(
            "  - { id: rest, wait: { for: 2d } }\n",
            "  - { id: rest, wait: { for: 3d } }\n  - { id: note, set: { days: 1 } }\n",
        )
        .replace("after: 5d", "after: 4d")
}

#[test]
fn a_newer_base_conflicts_where_both_changed_the_same() {
    let source = overlay(
        "vars: { days: { default: 14 } }   # ours
patch:
  - set: { at: steps.look.review.queue, to: night }
  - set: { at: steps.look.review.timeout.after, to: 4d }
  - set: { at: steps.look.title, to: Look here }
  - replace: { step: rest, with: { wait: { for: 1d } } }
  - insert: { after: rest, step: { id: more, wait: { for: 1d } } }
",
    );
    let found = rebase(&source, BASE, &newer(), "std/base@2").unwrap();
    let own: Vec<_> =
        found.own.iter().map(|own| (own.line, own.name.as_str(), own.field.as_str(), own.meets)).collect();
    assert_eq!(
        own,
        [
            (4, "days", "default", Meets::Conflict),
            (6, "look", "review.queue", Meets::Conflict),
            (7, "look", "review.timeout.after", Meets::Same),
            (8, "look", "title", Meets::Nothing),
            (9, "rest", "", Meets::Conflict),
            (10, "rest", "", Meets::Nothing),
        ]
    );
    let fields: Vec<_> = found.base.iter().map(|one| format!("{} {}", one.name, one.field)).collect();
    assert_eq!(fields, ["days default", "look review.queue", "look review.timeout.after", "rest wait.for", "note "]);
    assert_eq!(found.source, source.replace("std/base@1", "std/base@2"), "the rest is as it was written");
}

#[test]
fn a_step_that_the_base_took_out_is_a_conflict_for_who_builds_on_it() {
    let new = BASE.replace("  - { id: rest, wait: { for: 2d } }\n", "").replace("go: rest", "go: pay");
    let meets = |patch: &str| {
        let found = rebase(&overlay(&format!("patch:\n  - {patch}\n")), BASE, &new, "std/base@2").unwrap();
        found.own[0].meets
    };
    assert_eq!(meets("insert: { after: rest, step: { id: more, wait: { for: 1d } } }"), Meets::Conflict);
    assert_eq!(meets("set: { at: steps.rest.wait.for, to: 1d }"), Meets::Conflict);
    assert_eq!(meets("remove: { step: rest }"), Meets::Same);
    assert_eq!(meets("set: { at: steps.look.review.next.go, to: pay }"), Meets::Same);
    assert_eq!(meets("set: { at: limits.refund_max, to: 5.00 }"), Meets::Nothing);
}

fn word(of: &'static [&'static str]) -> impl Strategy<Value = &'static str> {
    prop::sample::select(of)
}

const STEPS: &[&str] = &["look", "rest", "pay", "done", "refused", "more", "nowhere"];
const BODIES: &[&str] =
    &["wait: { for: 1d }", "fail: { code: lost }", "set: { days: 1 }", "wait: { for: long }", "then: pay"];
const PATHS: &[&str] = &[
    "steps.look.review.queue",
    "steps.look.review.next.go",
    "steps.rest.wait.for",
    "steps.pay.refund.reason",
    "steps.pay.refund.amount",
    "steps.done.finish.result",
    "steps.more.title",
    "triggers",
    "'triggers[0].case_opened.type'",
    "vars.days.default",
    "limits",
    "title",
];
const VALUES: &[&str] =
    &["night", "2d", "rest", "refused", "5", "[]", "{}", "'{{ case.number }}'", "=case.number", "[a, b]"];

fn patch() -> impl Strategy<Value = String> {
    prop_oneof![
        (word(PATHS), word(VALUES)).prop_map(|(at, to)| format!("set: {{ at: {at}, to: {to} }}")),
        word(PATHS).prop_map(|at| format!("remove: {{ at: {at} }}")),
        word(STEPS).prop_map(|step| format!("remove: {{ step: {step} }}")),
        (word(STEPS), word(BODIES)).prop_map(|(step, with)| format!("replace: {{ step: {step}, with: {{ {with} }} }}")),
        (word(&["after", "before"]), word(STEPS), word(STEPS), word(BODIES)).prop_map(|(side, beside, id, body)| {
            format!("insert: {{ {side}: {beside}, step: {{ id: {id}, {body} }} }}")
        }),
    ]
}

proptest! {
    #[test]
    fn any_overlay_is_refused_at_its_own_lines_or_means_what_its_whole_means(
        patches in prop::collection::vec(patch(), 1..6)
    ) {
        let lines: String = patches.iter().map(|one| format!("  - {one}\n")).collect();
        let source = overlay(&format!("patch:\n{lines}"));
        match load(&source) {
            Ok(definition) => {
                let whole = whole(&source, &environment()).unwrap().write();
                prop_assert_eq!(load(&whole).unwrap().revision, definition.revision);
            }
            Err(found) => {
                prop_assert!(!found.is_empty());
                prop_assert!(found.iter().all(|one| one.range.end <= source.len()), "{:?}", found);
            }
        }
    }
}

#[test]
fn what_is_worth_a_second_look_is_told_at_the_overlay() {
    let base = "format: 1\nworkflow: base\ncurrency: EUR\nzone: UTC\ntriggers: [{ case_opened: {} }]\nlimits: { refund_max: 50.00 }\nsteps:\n  - { id: pay, refund: { amount: 40.00 } }\n  - { id: done, finish: { result: done } }\n";
    let environment = Environment { bases: [("own@1".to_owned(), base.to_owned())].into(), ..Environment::default() };
    let told = |patch: &str| {
        let text = format!("format: 1\nworkflow: over\nextends: own@1\n{patch}\n");
        let definition = load::load(&text, &environment).unwrap();
        definition
            .warnings
            .iter()
            .map(|one| (line_column(&text, one.range.start).0, one.code.clone()))
            .collect::<Vec<_>>()
    };
    assert_eq!(told("title: Over"), []);
    let limited = "title: Over\npatch:\n  - set: { at: steps.done.finish.result, to: paid }\n  - set: { at: limits.refund_max, to: 30.00 }";
    assert_eq!(told(limited), [(7, "refund_above_limit".to_owned())], "the patch that caused it");
}

#[test]
fn an_overlay_says_in_other_words_what_its_base_tells() {
    let base = "format: 1\nworkflow: base\ncurrency: EUR\nzone: UTC\ntriggers: [{ case_opened: {} }]\nmessages:\n  sorry: { subject: Sorry, text: { en: Base, de: Basis } }\nsteps:\n  - { id: tell, notify: { template: sorry, to: customer } }\n  - { id: done, finish: { result: done } }\n";
    let environment = Environment { bases: [("own@1".to_owned(), base.to_owned())].into(), ..Environment::default() };
    let load = |rest: &str| load::load(&format!("format: 1\nworkflow: over\nextends: own@1\n{rest}\n"), &environment);
    let digest = |definition: &Definition| match &definition.step("tell").unwrap().kind {
        crate::workflow::definition::Kind::Notify(notify) => notify.message.as_ref().unwrap().digest,
        _ => panic!("it tells"),
    };
    let same = load("title: Over").unwrap();
    let patched = load("patch:\n  - set: { at: messages.sorry.text.en, to: 'Ours {{ case.number }}' }").unwrap();
    let laid = load("messages: { sorry: { text: { en: 'Ours {{ case.number }}' } } }").unwrap();
    assert_eq!(digest(&patched), digest(&laid), "laid over, or patched");
    assert!(digest(&same) != digest(&laid) && same.revision != laid.revision);
    let wrong = load("messages: { sorry: { text: { en: '{{ case.numbr }}' } } }").unwrap_err();
    assert_eq!((wrong[0].code.as_str(), wrong[0].path.as_str()), ("unknown_field", "messages.sorry.text.en"));
    let sealed = base.replace("steps:", "sealed: [messages]\nsteps:");
    let environment = Environment { bases: [("own@1".to_owned(), sealed)].into(), ..Environment::default() };
    let text = "format: 1\nworkflow: over\nextends: own@1\nmessages: { sorry: { subject: x } }\n";
    assert_eq!(load::load(text, &environment).unwrap_err()[0].code, "sealed");
}
