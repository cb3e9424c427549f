//! `for_each`: one iteration after the other or several at once, each with its own waits, tasks, timers and effects.

use super::*;

const COUNT: &str = "  - id: each
    for_each:
      in: =case.lines
      max: 4
      steps:
        - id: look
          review: { queue: q, title: 'Count {{ item.index }}', next: { right: added, wrong: short }, timeout: { after: 2d, then: short } }
          as: seen
        - { id: added, set: { total: '=total + item.quantity' }, then: ended }
        - { id: short, set: { short: '=short + 1' } }
        - { id: ended, set: { last: =seen.outcome }, when: 'has(seen.outcome)' }
  - { id: done, finish: { result: done } }
";
const VARS: &str = "vars: { total: { type: number, default: 0 }, short: { type: number, default: 0 }, last: { type: text, default: none } }\n";

fn at_once(count: u32) -> String {
    let merged = COUNT.replace(
        "      max: 4\n",
        &format!("      max: 4\n      parallel: {count}\n      merge: {{ total: sum, short: sum, last: last }}\n"),
    );
    assert_ne!(merged, COUNT);
    merged
}

fn titles(desk: &Desk, case: Nth) -> Vec<String> {
    let mut tasks: Vec<_> =
        desk.cases[case].tasks.values().map(|task| (task.lane.clone(), task.title.clone())).collect();
    tasks.sort();
    tasks.into_iter().map(|(_, title)| title).collect()
}

#[test]
fn iterations_run_one_after_the_other_each_with_its_element() {
    let mut desk = Desk::beside(VARS, COUNT);
    let case = desk.open_lines(&[3, 1, 5]);
    for (number, outcome) in ["right", "wrong", "right"].into_iter().enumerate() {
        assert_eq!((desk.stands(case), titles(&desk, case)), ("each", vec![format!("Count {number}")]));
        assert_eq!(desk.lanes(case).last(), Some(&format!("each.{number} at look")));
        desk.answer(case, outcome).unwrap();
    }
    assert_eq!((desk.stands(case), desk.var(case, "total"), desk.var(case, "short")), ("done", "8".into(), "1".into()));
    assert_eq!((desk.count(case, "each"), desk.var(case, "last")), ("3".to_owned(), "right".to_owned()));
    assert_eq!(desk.cases[case].outputs.keys().collect::<Vec<_>>(), ["each"], "what the body gave is gone with it");
}

#[test]
fn so_many_iterations_run_at_once_as_the_document_says_and_do_not_mix() {
    let mut desk = Desk::beside(VARS, &at_once(2));
    let case = desk.open_lines(&[3, 1, 5]);
    assert_eq!(titles(&desk, case), ["Count 0", "Count 1"]);
    desk.answer_in(case, "each.1", "right").unwrap();
    assert_eq!(titles(&desk, case), ["Count 0", "Count 2"]);
    assert_eq!(desk.var(case, "total"), "0", "merged at the end");
    desk.answer_in(case, "each.2", "wrong").unwrap();
    assert_eq!((desk.stands(case), titles(&desk, case)), ("each", vec!["Count 0".to_owned()]));
    desk.answer_in(case, "each.0", "right").unwrap();
    assert_eq!((desk.stands(case), desk.var(case, "total"), desk.var(case, "short")), ("done", "4".into(), "1".into()));
    assert_eq!(desk.var(case, "last"), "right");
}

#[test]
fn a_timer_ends_the_wait_of_its_iteration_alone() {
    let mut desk = Desk::beside(VARS, &at_once(2));
    let case = desk.open_lines(&[3, 1]);
    desk.pass(Span::from_days(1));
    desk.answer_in(case, "each.0", "right").unwrap();
    desk.pass(Span::from_days(1));
    assert_eq!((desk.stands(case), desk.var(case, "total"), desk.var(case, "short")), ("done", "3".into(), "1".into()));
}

#[test]
fn no_element_is_no_iteration_and_too_many_are_a_failure() {
    let mut desk = Desk::beside(VARS, COUNT);
    let none = desk.open_lines(&[]);
    assert_eq!((desk.stands(none), desk.count(none, "each")), ("done", "0".to_owned()));
    let many = desk.open_lines(&[1, 1, 1, 1, 1]);
    assert_eq!(desk.stands(many), "each");
    let About::Failure { code, .. } = &desk.task(many).1.about else { panic!() };
    assert_eq!((code.as_str(), desk.lanes(many).len()), ("too_many_elements", 0));
    let handled = COUNT
        .replace("  - { id: done", "    on_error: [{ match: too_many_elements, then: many }]\n  - { id: done")
        + "  - { id: many, finish: { result: many } }\n";
    let mut desk = Desk::beside(VARS, &handled);
    let many = desk.open_lines(&[1, 1, 1, 1, 1]);
    assert_eq!(desk.stands(many), "many");
}

#[test]
fn the_list_is_read_once_and_elements_have_the_name_that_the_document_gives_them() {
    let steps = "  - id: each
    for_each:
      in: =words
      max: 3
      as: word
      steps:
        - { id: rest, wait: { for: 1d } }
        - { id: add, set: { words: '=[\"other\"]', said: '=said + word' } }
  - { id: done, finish: { result: done } }
";
    let vars = "vars: { words: { type: list(text), default: [a, b, c] }, said: { type: text, default: x } }\n";
    let mut desk = Desk::beside(vars, steps);
    let case = desk.open(1);
    desk.pass(Span::from_days(3));
    assert_eq!((desk.stands(case), desk.var(case, "said")), ("done", "xabc".to_owned()));
    assert!(desk.cases[case].elements.is_empty());
}

const PAY_EACH: &str = "  - id: each
    for_each:
      in: =case.lines
      max: 4
      parallel: 4
      steps:
        - { id: pay, refund: { amount: '=money(item.quantity)' }, on_error: [{ match: declined, then: told }] }
        - { id: told, notify: { template: paid, to: customer } }
  - { id: pay_again, refund: { amount: 1.00 } }
  - { id: done, finish: { result: done } }
";

/// The keys of a step's effects, in the order of their lanes.
fn keys(desk: &Desk, case: Nth, step: &str) -> Vec<Digest> {
    let of_step = desk.cases[case].effects.iter().filter(|(_, effect)| effect.step.as_str() == step);
    let mut keys: Vec<_> = of_step.map(|(key, effect)| (effect.lane.clone(), *key)).collect();
    keys.sort();
    keys.into_iter().map(|(_, key)| key).collect()
}

#[test]
fn each_iteration_has_an_effect_of_its_own_under_a_key_that_depends_on_its_place_alone() {
    let mut desk = Desk::with(PAY_EACH);
    let case = desk.open_lines(&[2, 3]);
    let pays = keys(&desk, case, "pay");
    assert_eq!(pays.len(), 2);
    assert_ne!(pays[0], pays[1]);
    // The same case computed again, as after a crash, mints the same keys.
    let mut again = Desk::with(PAY_EACH);
    let same = again.open_lines(&[2, 3]);
    assert_eq!(keys(&again, same, "pay"), pays);
    desk.settle(case, pays[1], Settled::Confirmed);
    assert_eq!(desk.lanes(case), ["each.0 at pay", "each.1 done"]);
    desk.settle(case, pays[0], Settled::Declined);
    assert_eq!((desk.stands(case), keys(&desk, case, "told").len()), ("pay_again", 2));
    assert_eq!(desk.cases[case].refunded(), pence(400));
}

#[test]
fn loops_and_branches_stand_inside_each_other() {
    let steps = "  - id: each
    for_each:
      in: =case.lines
      max: 4
      parallel: 2
      as: line
      steps:
        - id: both
          parallel:
            branches:
              a:
                - { id: look, review: { queue: q, title: 'Look {{ line.index }}', next: { on: said }, timeout: { never: why } }, as: seen }
                - { id: said, notify: { template: '{{ }}', to: customer }, when: 'seen.outcome == \"on\"' }
              b:
                - id: legs
                  for_each:
                    in: '=[1, 2]'
                    max: 2
                    as: leg
                    steps:
                      - { id: rest, wait: { for: 1d } }
                      - { id: pay, refund: { amount: '=money(leg)' } }
        - { id: after, refund: { amount: 0.50 }, when: 'steps.both.count == 2 && steps.look.outcome == \"on\"' }
  - { id: done, finish: { result: done } }
"
    .replace("'{{ }}'", "looked");
    let mut desk = Desk::with(&steps);
    let case = desk.open_lines(&[1, 1]);
    let both = |n: u32| {
        [
            format!("each.{n} at both"),
            format!("each.{n}.both.a at look"),
            format!("each.{n}.both.b at legs"),
            format!("each.{n}.both.b.legs.0 at rest"),
        ]
    };
    assert_eq!(desk.lanes(case), [both(0), both(1)].concat());
    desk.answer_in(case, "each.1.both.a", "on").unwrap();
    for _ in 0..2 {
        desk.pass(Span::from_days(1));
        for key in keys(&desk, case, "pay") {
            desk.settle(case, key, Settled::Confirmed);
        }
    }
    assert_eq!(desk.lanes(case), ["each.0 at both", "each.0.both.a at look", "each.0.both.b done", "each.1 at after"]);
    let pays = keys(&desk, case, "pay");
    assert_eq!(pays.iter().collect::<std::collections::BTreeSet<_>>().len(), 4, "one for each leg of each line");
    desk.answer_in(case, "each.0.both.a", "on").unwrap();
    for key in keys(&desk, case, "after") {
        desk.settle(case, key, Settled::Confirmed);
    }
    assert_eq!((desk.stands(case), desk.cases[case].refunded()), ("done", pence(700)));
}

#[test]
fn a_run_of_more_steps_than_a_turn_may_take_is_cut_inside_its_lanes_and_goes_on_there() {
    let steps = "  - id: each
    for_each:
      in: =case.lines
      max: 200
      parallel: 3
      merge: { total: sum }
      steps:
        - { id: one, set: { total: '=item.quantity' } }
        - { id: two, notify: { template: counted, to: customer } }
  - { id: done, finish: { result: done } }
";
    let vars = "vars: { total: { type: number, default: 0 } }\n";
    let mut desk = Desk::beside(vars, steps);
    let case = desk.open_lines(&[1; 200]);
    assert_eq!((desk.stands(case), desk.last(case).last()), ("each", Some(&"run.paused.1")));
    assert!(desk.cases[case].is_cut());
    let mut turns = 1;
    while desk.cases[case].is_cut() {
        desk.give(case, Body::Continue).unwrap();
        turns += 1;
    }
    assert_eq!((desk.stands(case), desk.var(case, "total"), turns), ("done", "200".to_owned(), 2));
    assert_eq!(keys(&desk, case, "two").len(), 200);
    desk.give(case, Body::Continue).unwrap();
    assert_eq!(desk.last(case), ["input.ignored.1"]);
}

#[test]
fn a_failure_in_an_iteration_is_a_task_of_that_iteration_and_the_others_go_on() {
    let steps = COUNT.replace("'=total + item.quantity'", "'=total + round(10 / (item.quantity - 1), 2)'");
    let mut desk = Desk::beside(
        VARS,
        &steps
            .replace("max: 4\n", "max: 4\n      parallel: 2\n      merge: { total: last, short: last, last: last }\n"),
    );
    let case = desk.open_lines(&[1, 2]);
    desk.answer_in(case, "each.0", "right").unwrap();
    assert_eq!(desk.lanes(case), ["each.0 at added", "each.1 at look"]);
    desk.answer_in(case, "each.1", "right").unwrap();
    assert_eq!(desk.lanes(case), ["each.0 at added", "each.1 done"]);
    let (_, task) = desk.task(case);
    assert_eq!(task.lane.to_string(), "each.0");
    desk.answer(case, "try_again").unwrap();
    assert_eq!((desk.stands(case), desk.lanes(case)[0].as_str()), ("each", "each.0 at added"));
    desk.answer(case, "close").unwrap();
    assert_eq!(desk.stands(case), "cancelled");
}

#[test]
fn what_a_plugin_gives_in_an_iteration_is_read_there_and_a_verdict_counts_for_good() {
    let steps = "  - id: each
    for_each:
      in: =case.lines
      max: 4
      steps:
        - { id: quote, call: { plugin: quote@0 }, as: quote }
        - { id: add, set: { total: '=total + quote.total' } }
  - { id: done, finish: { result: done } }
";
    let vars = "vars: { total: { type: money, default: 0.00 } }\n";
    let mut desk = Desk::beside(vars, steps);
    let case = desk.open_lines(&[2, 1]);
    assert_eq!((desk.stands(case), desk.var(case, "total")), ("done", "GBP 10.00".to_owned()));
    assert_eq!(desk.cases[case].outputs.keys().collect::<Vec<_>>(), ["each"]);
}

const AWAIT_EACH: &str = "  - id: each
    for_each:
      in: =case.lines
      max: 4
      parallel: 4
      steps:
        - id: goods
          await: { event: goods_received, match: 'event.rma == item.sku + text(item.index)', timeout: { after: 9d, then: lost } }
          as: came
          then: shelf
        - { id: lost, notify: { template: lost, to: customer }, then: told }
        - { id: shelf, notify: { template: shelved, to: customer } }
        - { id: told, notify: { template: told, to: customer } }
  - { id: done, finish: { result: done } }
";
const RMA: &str = "events: { goods_received: { rma: text } }\n";

#[test]
fn an_event_goes_to_the_iteration_that_it_matches_and_an_early_one_waits_for_its_own() {
    let mut desk = Desk::beside(RMA, &AWAIT_EACH.replace("parallel: 4", "parallel: 2"));
    let case = desk.open_lines(&[1, 1, 1]);
    desk.event(case, "goods_received", Some("A12"));
    assert_eq!(desk.cases[case].events.len(), 1, "nobody waits for the third line yet");
    desk.event(case, "goods_received", Some("A11"));
    assert_eq!(desk.lanes(case), ["each.0 at goods", "each.1 done", "each.2 done"], "the third found its own");
    desk.event(case, "goods_received", Some("A12"));
    assert_eq!(desk.lanes(case)[0], "each.0 at goods");
    desk.pass(Span::from_days(9));
    assert_eq!((desk.stands(case), desk.cases[case].events.len()), ("done", 1));
    let of = |step: &str| keys(&desk, case, step).len();
    assert_eq!((of("shelf"), of("lost"), of("told")), (2, 1, 3));
}

#[test]
fn an_event_that_several_lanes_wait_for_goes_to_the_first() {
    let any = AWAIT_EACH.replace("match: 'event.rma == item.sku + text(item.index)', ", "");
    let mut desk = Desk::beside(RMA, &any);
    let case = desk.open_lines(&[1; 3]);
    desk.event(case, "goods_received", Some("x"));
    assert_eq!(desk.lanes(case), ["each.0 done", "each.1 at goods", "each.2 at goods"]);
    desk.event(case, "goods_received", Some("x"));
    assert_eq!(desk.lanes(case)[1], "each.1 done");
}

const QUOTE_EACH: &str = "  - id: each
    for_each:
      in: =case.lines
      max: 4
      parallel: 4
      steps:
        - { id: quote, call: { plugin: quote@0 }, as: quote }
        - { id: pay, refund: { quote: =quote }, on_error: [{ match: declined, then: told }] }
        - { id: told, notify: { template: told, to: customer } }
  - { id: done, finish: { result: done } }
";

/// The legs of a lane that have this state, by their payments.
fn legs(desk: &Desk, case: Nth, lane: &str) -> Vec<(Digest, String)> {
    let of_lane = desk.cases[case].effects.iter().filter(|(_, effect)| effect.lane.to_string() == lane);
    let leg = |(key, effect): (&Digest, &Effect)| match &effect.what {
        What::Refund(refund) => Some((*key, refund.payment.clone().unwrap_or_default())),
        _ => None,
    };
    of_lane.filter_map(leg).collect()
}

#[test]
fn a_decline_in_an_iteration_takes_its_own_legs_out_of_the_books_and_no_others() {
    let mut desk = Desk::with(QUOTE_EACH);
    // Each iteration pays one unit: the first by card, the second by what the card has left and the voucher.
    let case = desk.open_lines(&[1, 1]);
    assert_eq!(desk.books(), ((0, 2, 500), [300, 200]));
    assert_eq!((legs(&desk, case, "each.0").len(), legs(&desk, case, "each.1").len()), (1, 2));
    for (key, _) in legs(&desk, case, "each.1") {
        desk.settle(case, key, Settled::Declined);
    }
    assert_eq!(
        (desk.lanes(case), desk.books()),
        (vec!["each.0 at pay".to_owned(), "each.1 done".to_owned()], ((1, 1, 250), [250, 0]))
    );
    desk.settle(case, legs(&desk, case, "each.0")[0].0, Settled::Confirmed);
    assert_eq!((desk.stands(case), desk.books()), ("done", ((0, 1, 250), [250, 0])));
}

#[test]
fn a_provider_that_changes_its_mind_about_a_leg_of_one_iteration_is_asked_about_in_it() {
    let mut desk = Desk::with(QUOTE_EACH);
    let case = desk.open_lines(&[1, 1]);
    let (card, _) = legs(&desk, case, "each.0")[0].clone();
    desk.settle(case, card, Settled::Declined);
    assert_eq!(desk.lanes(case)[0], "each.0 done");
    desk.settle(case, card, Settled::Confirmed);
    assert_eq!(desk.task(case).1.lane.to_string(), "each.0");
    desk.answer(case, "paid").unwrap();
    assert_eq!(desk.books(), ((0, 2, 500), [300, 200]));
    assert_eq!(desk.stands(case), "each", "the other is still on its way");
}

#[test]
fn hundreds_of_elements_are_gone_through_in_turns_of_bounded_length() {
    let steps = "  - id: each
    for_each:
      in: =case.lines
      max: 1000
      steps:
        - { id: add, set: { total: '=total + item.quantity' } }
        - { id: tell, notify: { template: counted, to: customer } }
  - { id: done, finish: { result: done } }
";
    let mut desk = Desk::beside("vars: { total: { type: number, default: 0 } }\n", steps);
    let case = desk.open_lines(&[2; 400]);
    while desk.cases[case].is_cut() {
        desk.give(case, Body::Continue).unwrap();
    }
    assert_eq!((desk.stands(case), desk.var(case, "total")), ("done", "800".to_owned()));
    assert_eq!(desk.cases[case].turn, 4, "of 256 steps each, and the last of what is left");
    assert_eq!(keys(&desk, case, "tell").iter().collect::<std::collections::BTreeSet<_>>().len(), 400);
}

#[test]
fn each_timer_closes_the_task_of_its_own_iteration() {
    let mut desk = Desk::beside(VARS, &at_once(4));
    let case = desk.open_lines(&[1; 4]);
    desk.now = desk.now.after(Span::from_days(2));
    let left = |desk: &Desk| {
        let lanes = desk.cases[case].tasks.values().map(|task| task.lane.clone());
        lanes.collect::<std::collections::BTreeSet<_>>().iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    for fired in 0..4 {
        let (_, _, timer) = desk.timers.remove(0);
        desk.give(case, Body::Timer(timer)).unwrap();
        assert_eq!(left(&desk), (fired + 1..4).map(|n| format!("each.{n}")).collect::<Vec<_>>());
    }
    assert_eq!((desk.stands(case), desk.var(case, "short")), ("done", "4".to_owned()));
}

#[test]
fn an_iteration_that_failed_does_not_keep_an_event_from_the_others() {
    let failing = "'event.rma == text(round(10 / (item.quantity - 1), 0))'";
    let steps = AWAIT_EACH.replace("'event.rma == item.sku + text(item.index)'", failing);
    let mut desk = Desk::beside(RMA, &steps);
    let case = desk.open_lines(&[1, 2, 3]);
    desk.event(case, "goods_received", Some("10"));
    assert_eq!(desk.lanes(case), ["each.0 at goods", "each.1 done", "each.2 at goods"], "who can take it takes it");
    assert!(desk.cases[case].tasks.is_empty());
    desk.event(case, "goods_received", Some("7"));
    assert_eq!((desk.task(case).1.lane.to_string(), desk.cases[case].events.len()), ("each.0".to_owned(), 1));
    desk.event(case, "goods_received", Some("5"));
    assert_eq!((desk.lanes(case)[2].as_str(), desk.stands(case)), ("each.2 done", "each"), "the third waits still");
}
