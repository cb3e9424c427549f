//! What each kind of step does when a case comes to it, one rule at a time.

use redress_domain::case::command::{Body, Open, Timer};
use redress_domain::case::entry::Entry;
use redress_domain::case::lane::LaneId;
use redress_domain::case::{EVENTS_KEPT_FOR, Output};
use redress_domain::clock::Span;
use redress_domain::ids::Slug;
use redress_domain::value::{Fields, Value};
use redress_sandbox::Hook;
use redress_tests::guests::Guest;
use redress_tests::shop::{Shop, failure, refused, stands, the_task};
use redress_tests::world::{a_return, days_ago, from_history, order};

/// A review, then a wait for an event.
const LOOK_THEN_WAIT: &str = r#"
events: { goods_received: { rma: text } }
steps:
  - id: look
    review:
      queue: returns
      title: "Look at {{ case.number }}"
      ask: { state: '[new, worn]', note: text? }
      next: { accept: goods, refuse: refused }
      reasons: [looks_odd]
      timeout: { after: 5d, then: refused }
    as: seen
  - id: goods
    await: { event: goods_received, match: 'event.rma == case.number', timeout: { after: 21d, then: late } }
  - { id: done, finish: { result: received } }
  - { id: late, finish: { result: late } }
  - { id: refused, finish: { result: refused } }
"#;

fn new_goods() -> [(&'static str, Value); 1] {
    [("state", Value::text("new"))]
}

#[test]
fn an_event_ends_the_wait_that_it_matches_and_is_its_output() {
    let shop = Shop::with(LOOK_THEN_WAIT).unwrap();
    let case = shop.open(&[("A1", 1)]).unwrap();
    shop.answer(&case, "accept", &new_goods()).unwrap();
    shop.event(&case, "goods_received", "rma", "another").unwrap();
    assert_eq!(stands(&shop.case(&case).unwrap()), "goods");
    shop.event(&case, "goods_received", "rma", &case.number).unwrap();
    let case = shop.case(&case).unwrap();
    assert_eq!(stands(&case), "received");
    let Some(Output::Values(given)) = case.outputs.get("goods") else { panic!("the event is the output") };
    assert_eq!(given.get("event"), Some(&Value::text("goods_received")));
    assert_eq!(case.events.len(), 1, "what did not match is kept");
}

#[test]
fn an_event_that_comes_before_its_wait_is_taken_when_the_case_gets_there() {
    let shop = Shop::with(LOOK_THEN_WAIT).unwrap();
    let case = shop.open(&[("A1", 1)]).unwrap();
    shop.event(&case, "goods_received", "rma", &case.number).unwrap();
    assert_eq!(stands(&shop.case(&case).unwrap()), "look", "a person still has to look");
    shop.answer(&case, "accept", &new_goods()).unwrap();
    let case = shop.case(&case).unwrap();
    assert_eq!((stands(&case), case.events.len()), ("received", 0));
}

#[test]
fn an_event_is_kept_for_ninety_days_and_no_longer() {
    let never = LOOK_THEN_WAIT.replace("{ after: 5d, then: refused }", "{ never: \"a person must look\" }");
    for (late_ms, expected) in [(0, "received"), (1, "goods")] {
        let shop = Shop::with(&never).unwrap();
        let case = shop.open(&[("A1", 1)]).unwrap();
        shop.event(&case, "goods_received", "rma", &case.number).unwrap();
        shop.world.pass(Span::from_millis(EVENTS_KEPT_FOR.millis() + late_ms));
        shop.answer(&case, "accept", &new_goods()).unwrap();
        assert_eq!(stands(&shop.case(&case).unwrap()), expected, "{late_ms} ms late");
    }
}

#[test]
fn events_that_are_too_old_leave_their_places_to_new_ones() {
    let never = LOOK_THEN_WAIT.replace("{ after: 5d, then: refused }", "{ never: \"a person must look\" }");
    let shop = Shop::with(&never).unwrap();
    let case = shop.open(&[("A1", 1)]).unwrap();
    for n in 0..101 {
        shop.event(&case, "goods_received", "rma", &n.to_string()).unwrap();
    }
    assert_eq!(shop.case(&case).unwrap().events.len(), 100);
    assert!(matches!(shop.entries(case.id).unwrap().last(), Some(Entry::Ignored { .. })), "the last one was too many");
    shop.world.pass(Span::from_days(91));
    shop.event(&case, "goods_received", "rma", &case.number).unwrap();
    shop.answer(&case, "accept", &new_goods()).unwrap();
    assert_eq!(stands(&shop.case(&case).unwrap()), "received");
}

#[test]
fn a_wait_that_nothing_ends_goes_where_its_timeout_says_and_not_a_moment_earlier() {
    let shop = Shop::with(LOOK_THEN_WAIT).unwrap();
    let case = shop.open(&[("A1", 1)]).unwrap();
    shop.answer(&case, "accept", &new_goods()).unwrap();
    assert_eq!(shop.pass(Span::from_millis(Span::from_days(21).millis() - 1)).unwrap(), 1, "the review's, for nobody");
    assert_eq!(stands(&shop.case(&case).unwrap()), "goods");
    // A timer that somebody makes up does not end it either.
    let since = shop.case(&case).unwrap().turn - 1;
    let timer = Timer::Wait { step: Slug::new("goods").unwrap(), since, lane: LaneId::main() };
    shop.merchant.command(case.id, Body::Timer(timer)).unwrap();
    assert_eq!(stands(&shop.case(&case).unwrap()), "goods");
    shop.pass(Span::from_millis(1)).unwrap();
    assert_eq!(stands(&shop.case(&case).unwrap()), "late");
}

#[test]
fn a_review_that_nobody_answers_goes_where_its_timeout_says_and_its_task_is_gone() {
    let shop = Shop::with(LOOK_THEN_WAIT).unwrap();
    let case = shop.open(&[("A1", 1)]).unwrap();
    let (task, content) = the_task(&case);
    assert_eq!(content.title, format!("Look at {}", case.number));
    assert_eq!(case.decisive_reasons(), ["looks_odd"]);
    shop.pass(Span::from_days(5)).unwrap();
    let case = shop.case(&case).unwrap();
    assert_eq!((stands(&case), case.tasks.len()), ("refused", 0));
    assert_eq!(refused(shop.merchant.complete(case.id, task, "accept")).code, "case_closed");
}

#[test]
fn a_person_may_choose_only_what_the_review_offers_and_fills_in_what_it_asks() {
    let shop = Shop::with(LOOK_THEN_WAIT).unwrap();
    let case = shop.open(&[("A1", 1)]).unwrap();
    assert_eq!(refused(shop.answer(&case, "perhaps", &new_goods())).code, "unknown_outcome");
    let wrong: [&[(&str, Value)]; 3] =
        [&[], &[("state", Value::text("broken"))], &[("state", Value::text("new")), ("colour", Value::text("red"))]];
    for (form, field) in wrong.into_iter().zip(["form.state", "form.state", "form.colour"]) {
        let rejection = refused(shop.answer(&case, "accept", form));
        assert_eq!((rejection.code, rejection.fields), ("wrong_form", vec![field.to_owned()]));
    }
    assert_eq!(shop.case(&case).unwrap().turn, 1, "what is refused changes nothing");
    let task = the_task(&case).0;
    shop.answer(&case, "refuse", &new_goods()).unwrap();
    assert_eq!(stands(&shop.case(&case).unwrap()), "refused");
    assert_eq!(refused(shop.merchant.complete(case.id, task, "refuse")).code, "case_closed");
}

#[test]
fn an_event_that_was_not_declared_or_carries_something_else_is_refused() {
    let shop = Shop::with(LOOK_THEN_WAIT).unwrap();
    let case = shop.open(&[("A1", 1)]).unwrap();
    assert_eq!(refused(shop.event(&case, "goods_lost", "rma", "1")).code, "unknown_event");
    let rejection = refused(shop.event(&case, "goods_received", "parcel", "1"));
    assert_eq!(
        (rejection.code, rejection.fields),
        ("wrong_event", vec!["fields.rma".to_owned(), "fields.parcel".to_owned()])
    );
}

#[test]
fn a_step_that_is_skipped_neither_waits_nor_asks_anybody() {
    let shop = Shop::with(
        r#"
events: { goods_received: { rma: text } }
steps:
  - id: look
    when: 'has(case.reason)'
    review: { queue: q, title: "Look", next: { accept: goods }, timeout: { never: "yes" } }
  - id: goods
    when: 'has(case.reason)'
    await: { event: goods_received, timeout: { after: 1d, then: done } }
  - { id: rest, when: 'has(case.reason)', wait: { for: 1d } }
  - { id: done, finish: { result: skipped } }
"#,
    )
    .unwrap();
    let case = shop.open(&[("A1", 1)]).unwrap();
    assert_eq!((stands(&case), case.turn, case.tasks.len()), ("skipped", 1, 0));
    assert_eq!(shop.pass(Span::from_days(2)).unwrap(), 0, "no timer was set");
}

#[test]
fn a_wait_ends_after_its_time_and_one_that_is_over_does_not_begin() {
    let shop = Shop::with(
        "steps:\n  - { id: past, wait: { until: =case.opened_at } }\n  - { id: rest, wait: { for: 2d } }\n  - { id: done, finish: { result: rested } }\n",
    )
    .unwrap();
    let case = shop.open(&[("A1", 1)]).unwrap();
    assert_eq!(stands(&case), "rest");
    shop.pass(Span::from_millis(Span::from_days(2).millis() - 1)).unwrap();
    assert_eq!(stands(&shop.case(&case).unwrap()), "rest");
    shop.pass(Span::from_millis(1)).unwrap();
    assert_eq!(stands(&shop.case(&case).unwrap()), "rested");
}

#[test]
fn variables_are_all_computed_before_the_first_is_set() {
    let shop = Shop::with(
        r#"
vars: { a: { type: number, default: 1 }, b: { type: number, default: 2 } }
steps:
  - { id: swap, set: { a: =b, b: =a } }
  - id: check
    decide:
      - { when: 'a == 2 && b == 1 && vars.a == 2', then: swapped }
      - { else: wrong }
  - { id: swapped, finish: { result: swapped } }
  - { id: wrong, fail: { code: wrong } }
"#,
    )
    .unwrap();
    assert_eq!(stands(&shop.open(&[("A1", 1)]).unwrap()), "swapped");
}

#[test]
fn what_is_approved_is_promised_until_the_case_ends_or_the_time_is_over() {
    let document = r#"
steps:
  - { id: match, call: { plugin: std/purchase-match@0, with: { window_days: 90 } }, as: matched }
  - { id: hold, approve: { lines: =matched.lines, until: 10d } }
  - { id: look, review: { queue: q, title: "Look", next: { done: done }, timeout: { never: "a person must look" } } }
  - { id: done, finish: { result: done } }
"#;
    let shop = Shop::with(document).unwrap();
    shop.merchant.order(&order("1001", "c1", days_ago(10), &[("A1", 3, "2.50")]).unwrap()).unwrap();
    let case = shop.open(&[("A1", 2)]).unwrap();
    assert_eq!(shop.line("1001", 0).unwrap(), (2, 0, 0));
    let other = shop.open(&[("A1", 2)]).unwrap();
    assert_eq!(shop.line("1001", 0).unwrap(), (3, 0, 0), "the other gets the one that is left");
    shop.answer(&case, "done", &[]).unwrap();
    assert_eq!(shop.line("1001", 0).unwrap(), (1, 0, 0), "the end of a case gives back what it held");
    shop.pass(Span::from_days(10)).unwrap();
    assert_eq!(shop.line("1001", 0).unwrap(), (0, 0, 0), "a promise lapses");
    assert_eq!(stands(&shop.case(&other).unwrap()), "look");
    assert!(shop.case(&other).unwrap().reserved.is_empty());
}

#[test]
fn a_broken_plugin_asks_a_person_who_may_try_again_decide_or_close() {
    let document = r#"
steps:
  - { id: judge, call: { plugin: broken@0 }, as: judged }
  - { id: hold, approve: { lines: =judged.lines, until: 10d } }
  - { id: done, finish: { result: done } }
"#;
    let shop = Shop::empty().unwrap();
    shop.merchant.push("broken", &Guest::new(Hook::Eligibility).component().unwrap()).unwrap();
    shop.publish(document).unwrap();
    shop.merchant.order(&order("1001", "c1", days_ago(10), &[("A1", 3, "2.50")]).unwrap()).unwrap();
    let case = shop.open(&[("A1", 2)]).unwrap();
    let first = the_task(&case).0;
    assert_eq!((stands(&case), failure(&case).as_str()), ("judge", "plugin_trap"));
    assert_eq!(refused(shop.answer(&case, "approve", &[])).code, "unknown_outcome");
    shop.answer(&case, "try_again", &[]).unwrap();
    assert_ne!(the_task(&shop.case(&case).unwrap()).0, first, "it fails again, and that is a new task");
    assert_eq!(refused(shop.answer(&case, "decide", &[])).code, "wrong_verdict");
    shop.answer(&case, "close", &[]).unwrap();
    assert_eq!(stands(&shop.case(&case).unwrap()), "cancelled");
}

#[test]
fn an_event_never_takes_a_case_past_a_step_that_failed_and_is_not_lost_there() {
    let document = r#"
events: { goods_received: { rma: text } }
attributes: { case: { box: text } }
steps:
  - id: goods
    await: { event: goods_received, match: 'event.rma == case.box', timeout: { after: 21d, then: done } }
  - { id: done, finish: { result: received } }
"#;
    let shop = Shop::with(document).unwrap();
    // The attribute is declared and missing, as it may be in a case of the past: the match cannot be computed.
    let case = shop.take(Open { history: true, ..a_return("c1", &[("A1", 1)]).unwrap() }).unwrap();
    shop.event(&case, "goods_received", "rma", "1").unwrap();
    assert_eq!(failure(&shop.case(&case).unwrap()), "expression_missing");
    shop.event(&case, "goods_received", "rma", "2").unwrap();
    let failed = shop.case(&case).unwrap();
    assert_eq!((stands(&failed), failed.events.len(), failed.tasks.len()), ("goods", 2, 1));
}

#[test]
fn a_case_in_another_currency_is_a_persons_and_nothing_of_the_workflow_runs() {
    let shop = Shop::with("steps:\n  - { id: done, finish: { result: done } }\n").unwrap();
    let mut open = a_return("c1", &[("A1", 1)]).unwrap();
    open.currency = "EUR".parse().unwrap();
    let case = shop.take(open).unwrap();
    assert_eq!((stands(&case), failure(&case).as_str()), ("done", "currency_differs"));
    assert_eq!(refused(shop.answer(&case, "try_again", &[])).code, "unknown_outcome");
    shop.answer(&case, "close", &[]).unwrap();
    assert_eq!(stands(&shop.case(&case).unwrap()), "cancelled");
}

#[test]
fn more_purchases_than_a_question_may_carry_go_to_a_person() {
    let shop = Shop::with(
        "steps:\n  - { id: match, call: { plugin: std/purchase-match@0, with: { window_days: 90 } } }\n  - { id: done, finish: { result: done } }\n",
    )
    .unwrap();
    let lines = vec![("A1", 1, "1.00"); 2_001];
    shop.merchant.order(&order("1001", "c1", days_ago(10), &lines).unwrap()).unwrap();
    let case = shop.open(&[("A1", 1)]).unwrap();
    assert_eq!((stands(&case), failure(&case).as_str()), ("match", "facts_too_large"));
}

#[test]
fn the_workflow_of_highest_priority_takes_a_case_then_the_first_by_name_and_a_person_what_none_takes() {
    let shop = Shop::empty().unwrap();
    for (name, priority, when) in [("a", 0, "true"), ("b", 0, "true"), ("c", 5, "has(case.reason)")] {
        let head = format!("workflow: {name}\npriority: {priority}\n");
        let trigger =
            format!("triggers: [{{ case_opened: {{ type: return, when: '{when}', requires: [customer] }} }}]\n");
        let steps = format!("steps:\n  - {{ id: done, finish: {{ result: {name} }} }}\n");
        shop.publish(&format!("{head}{trigger}{steps}")).unwrap();
    }
    assert_eq!(stands(&shop.open(&[("A1", 1)]).unwrap()), "a");
    let mut open = a_return("c1", &[("A1", 1)]).unwrap();
    open.reason = Some("damaged".to_owned());
    assert_eq!(stands(&shop.take(open.clone()).unwrap()), "c");
    open.customer = None;
    let rejection = refused(shop.merchant.open(open.clone()));
    assert_eq!((rejection.code, rejection.fields), ("field_required", vec!["customer".to_owned()]));
    open.kind = Slug::new("complaint").unwrap();
    let case = shop.take(open).unwrap();
    assert_eq!((stands(&case), the_task(&case).1.queue.as_str()), ("(held)", "unrouted"));
    shop.answer(&case, "close", &[]).unwrap();
    assert_eq!(stands(&shop.case(&case).unwrap()), "cancelled");
}

#[test]
fn a_submission_with_more_lines_or_other_attributes_than_the_workflow_takes_is_refused_field_by_field() {
    let shop = Shop::with(
        "limits: { lines: 1 }\nattributes: { case: { gift: bool } }\nsteps:\n  - { id: done, finish: { result: done } }\n",
    )
    .unwrap();
    let rejection = refused(shop.merchant.open(a_return("c1", &[("A1", 1), ("B2", 1)]).unwrap()));
    assert_eq!((rejection.code, rejection.fields), ("too_many_lines", vec!["lines".to_owned()]));
    let mut open = a_return("c1", &[("A1", 1)]).unwrap();
    open.attributes = [("gift".to_owned(), Value::text("yes")), ("number".to_owned(), Value::text("1"))].into();
    open.lines[0].attributes = [("sku".to_owned(), Value::text("B2"))].into();
    let rejection = refused(shop.merchant.open(open.clone()));
    assert_eq!(rejection.code, "wrong_attributes");
    assert_eq!(rejection.fields, ["attributes.gift", "attributes.number", "lines[0].attributes.sku"]);
    open.attributes = [("gift".to_owned(), Value::Bool(true))].into();
    open.lines[0].attributes.clear();
    assert_eq!(stands(&shop.take(open).unwrap()), "done");
}

#[test]
fn a_review_of_the_past_has_no_timer_and_a_message_of_the_past_is_not_sent() {
    let notice =
        LOOK_THEN_WAIT.replace("steps:\n", "steps:\n  - { id: tell, notify: { template: hello, to: customer } }\n");
    let shop = Shop::with(&notice).unwrap();
    let case = shop.take(from_history(a_return("c1", &[("A1", 1)]).unwrap(), "R1")).unwrap();
    assert!(the_task(&case).1.imported && case.effects.is_empty());
    assert_eq!(shop.pass(Span::from_days(30)).unwrap(), 0);
    assert_eq!(stands(&shop.case(&case).unwrap()), "look");
}

#[test]
fn a_submission_without_an_attribute_that_the_steps_read_is_refused_field_by_field() {
    let shop = Shop::with(
        r#"
attributes:
  case: { box: text, note: text?, looked_at: text, unread: text }
  line: { worn: bool, size: text }
vars: { worn: { type: number, default: 0 } }
steps:
  - id: each
    for_each:
      in: =case.lines
      max: 9
      as: piece
      steps:
        - { id: count, when: piece.worn, set: { worn: '=worn + 1' } }
  - { id: tell, when: 'has(case.looked_at) && case.looked_at == "yes"', notify: { template: x, to: desk } }
  - id: look
    review:
      queue: desk
      title: 'Box {{ case.box }}{{ orElse(case.note, "") }}'
      next: { go: done }
      timeout: { after: 5d, then: done }
  - { id: done, finish: { result: done } }
"#,
    )
    .unwrap();
    let bare = a_return("c1", &[("A1", 1), ("B2", 1)]).unwrap();
    let rejection = refused(shop.merchant.open(bare.clone()));
    let lacks = ["attributes.box", "lines[0].attributes.worn", "lines[1].attributes.worn"];
    assert_eq!((rejection.code, rejection.fields), ("field_required", lacks.map(str::to_owned).to_vec()));
    let mut whole = bare.clone();
    whole.attributes = Fields::from([("box".to_owned(), Value::text("B1"))]);
    for line in &mut whole.lines {
        line.attributes = Fields::from([("worn".to_owned(), Value::Bool(false))]);
    }
    assert_eq!(stands(&shop.take(whole).unwrap()), "look");
    // The past is as it was.
    assert_eq!(failure(&shop.take(Open { history: true, ..bare }).unwrap()), "expression_missing");
}
