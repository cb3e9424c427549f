//! Turns: two times, restarts, runs that were cut, submissions and orders that come again.

use std::sync::mpsc;

use redress::engine::{Error, Put, Seen, Submission, Target};
use redress_domain::case::command::{Actor, Body, Timer};
use redress_domain::case::entry::Entry;
use redress_domain::case::{Case, External, Status};
use redress_domain::clock::{Instant, Span};
use redress_domain::order::Order;
use redress_tests::guests::counting;
use redress_tests::kitchen::long_workflow;
use redress_tests::shop::{Shop, refused, stands};
use redress_tests::world::{Merchant, START, World, a_return, days_ago, from_history, order, submission};

const REST: &str = "steps:\n  - { id: rest, wait: { for: 2d } }\n  - { id: done, finish: { result: rested } }\n";
const HOLD: &str = "
steps:
  - { id: match, call: { plugin: std/purchase-match@0, with: { window_days: 90 } }, as: matched }
  - { id: hold, approve: { lines: =matched.lines, until: 10d } }
  - { id: look, review: { queue: q, title: Look, next: { done: done }, timeout: { never: a person must look } } }
  - { id: done, finish: { result: done } }
";

fn at(days: i64) -> Instant {
    days_ago(-days)
}

fn backdated(days: i64, target: Target, body: Body) -> Submission {
    Submission { occurred_at: Some(at(days)), ..submission(target, body) }
}

#[test]
fn rules_see_business_time_and_the_record_keeps_the_servers_too() {
    let shop = Shop::with(REST).unwrap();
    let open = Body::Open(Box::new(a_return("c1", &[("A1", 1)]).unwrap()));
    let receipt = shop.merchant.engine.execute(backdated(-10, Target::New, open)).unwrap();
    let case = shop.merchant.case(receipt.case).unwrap();
    assert_eq!((case.opened_at, stands(&case)), (at(-10), "rest"));
    assert!(matches!(case.status, Status::Waiting { until: Some(until), .. } if until == at(-8)));
    shop.merchant.run_due().unwrap();
    let journal = shop.merchant.journal(case.id).unwrap();
    assert_eq!(journal[0].command.recorded_at, Instant::from_unix_ms(START));
    assert_eq!(
        (journal[1].at, shop.case(&case).unwrap().changed_at),
        (at(-8), at(-8)),
        "a timer is due in business time"
    );
}

#[test]
fn business_time_never_goes_back() {
    let shop = Shop::with(HOLD).unwrap();
    let case = shop.open(&[("A1", 1)]).unwrap();
    shop.merchant.engine.execute(backdated(3, Target::Case(case.id), Body::Continue)).unwrap();
    shop.merchant.engine.execute(backdated(-5, Target::Case(case.id), Body::Cancel)).unwrap();
    let times: Vec<_> = shop.merchant.journal(case.id).unwrap().iter().map(|turn| turn.at).collect();
    assert!(times.is_sorted(), "{times:?}");
}

#[test]
fn a_closed_case_takes_no_command_and_ignores_what_comes_late() {
    let shop = Shop::with(REST).unwrap();
    let case = shop.open(&[("A1", 1)]).unwrap();
    shop.merchant.command(case.id, Body::Cancel).unwrap();
    assert_eq!(refused(shop.merchant.command(case.id, Body::Cancel)).code, "case_closed");
    let before = shop.case(&case).unwrap();
    shop.merchant.command(case.id, Body::Timer(Timer::Reservation { since: 1 })).unwrap();
    shop.merchant.command(case.id, Body::Continue).unwrap();
    assert_eq!(shop.pass(Span::from_days(2)).unwrap(), 1, "the timer of the wait is still there");
    let after = shop.case(&case).unwrap();
    assert_eq!((stands(&after), after.turn), ("cancelled", before.turn + 2));
    assert!(shop.entries(case.id).unwrap().iter().rev().take(2).all(|entry| matches!(entry, Entry::Ignored { .. })));
}

#[test]
fn a_timer_that_was_set_before_a_restart_fires_after_it_and_once() {
    let Shop { world, merchant } = Shop::with(REST).unwrap();
    let case = merchant.open(a_return("c1", &[("A1", 1)]).unwrap()).unwrap().case;
    drop(merchant);
    let world = world.restart().unwrap();
    let merchant = world.reopen("acme").unwrap();
    assert_eq!(merchant.run_due().unwrap(), 0);
    world.pass(Span::from_days(2));
    assert_eq!((merchant.run_due().unwrap(), stands(&merchant.case(case).unwrap())), (1, "rested"));
    assert_eq!(merchant.run_due().unwrap(), 0);
}

/// A merchant whose workflow asks more than one turn may.
fn long() -> (World, Merchant) {
    let world = World::new().unwrap();
    let merchant = world.bare_merchant("acme").unwrap();
    merchant.push("counting", &counting().component().unwrap()).unwrap();
    merchant.publish(&long_workflow()).unwrap();
    (world, merchant)
}

fn long_case() -> Body {
    let open = a_return("c1", &[("A1", 1)]).unwrap();
    let open = redress_domain::case::command::Open { kind: "long".to_owned().try_into().unwrap(), ..open };
    // From the past, so that business time differs from the server's.
    Body::Open(Box::new(from_history(open, "R1")))
}

/// Once the case is closed; each command waits for the turns before it.
fn when_closed(merchant: &Merchant, case: redress_domain::ids::CaseId) -> Case {
    loop {
        let now = merchant.case(case).unwrap();
        if now.is_closed() {
            return now;
        }
        std::thread::yield_now();
    }
}

#[test]
fn a_run_of_more_questions_than_one_turn_may_ask_goes_on_by_itself_in_the_same_business_time() {
    let (world, merchant) = long();
    let receipt = merchant.engine.execute(backdated(-30, Target::New, long_case())).unwrap();
    world.pass(Span::from_days(1));
    let case = when_closed(&merchant, receipt.case);
    let journal = merchant.journal(case.id).unwrap();
    let asked: Vec<_> = journal.iter().map(|turn| (turn.asks.len(), turn.at)).collect();
    assert_eq!(asked, [(32, at(-30)), (32, at(-30)), (6, at(-30))]);
    assert!(matches!(journal[0].entries.last(), Some(Entry::Paused { .. })));
    // Both turns that went on took their work with them: nothing is left that would wake the case again.
    assert_eq!((merchant.run_due().unwrap(), merchant.case(case.id).unwrap().turn), (0, 3));
}

#[test]
fn a_run_that_a_power_cut_stopped_between_two_turns_comes_to_the_same_end() {
    let (world, merchant) = long();
    let (sender, cut) = mpsc::channel();
    let world = std::sync::Arc::new(world);
    let held = world.clone();
    // The reply comes from the writer's thread before the run goes on: nothing else is being written at this moment.
    let reply = move |result: Result<redress::engine::Receipt, Error>| {
        drop(sender.send((result.unwrap(), held.power_cut().unwrap())));
    };
    merchant.engine.submit(backdated(-30, Target::New, long_case()), reply).unwrap();
    let (receipt, after) = cut.recv().unwrap();
    let whole = when_closed(&merchant, receipt.case);

    let merchant = after.reopen("acme").unwrap();
    let stopped = merchant.case(receipt.case).unwrap();
    assert!(matches!(stopped.status, Status::Running { .. }) && stopped.turn == 1, "{:?}", stopped.status);
    after.pass(Span::from_days(3));
    assert!(merchant.run_due().unwrap() > 0);
    assert_eq!(when_closed(&merchant, receipt.case), whole);
    assert_eq!(merchant.run_due().unwrap(), 0);
}

#[test]
fn a_submission_that_comes_again_is_known_whenever_it_comes_and_another_under_its_name_is_told() {
    let shop = Shop::with(REST).unwrap();
    let named = |quantity| {
        let external = Some(External { source: "shop".to_owned(), id: "R1".to_owned() });
        redress_domain::case::command::Open { external, ..a_return("c1", &[("A1", quantity)]).unwrap() }
    };
    let first = shop.merchant.open(named(1)).unwrap();
    shop.world.pass(Span::from_days(1));
    let again = shop.merchant.open(named(1)).unwrap();
    assert_eq!((again.case, again.seen), (first.case, Seen::Unchanged));
    assert_eq!(shop.merchant.open(named(2)).unwrap().seen, Seen::Changed);
    let body = Body::Open(Box::new(named(1)));
    let seen = shop.merchant.engine.execute(backdated(0, Target::New, body)).unwrap().seen;
    assert_eq!(seen, Seen::Changed, "a time of its own is part of what a submission says");
    assert_eq!(shop.merchant.cases().unwrap().len(), 1);
}

#[test]
fn commands_for_no_case_and_for_one_that_is_open_are_refused() {
    let shop = Shop::with(REST).unwrap();
    let case = shop.open(&[("A1", 1)]).unwrap();
    let open = Body::Open(Box::new(a_return("c1", &[("A1", 1)]).unwrap()));
    assert_eq!(refused(shop.merchant.command(case.id, open)).code, "case_open");
    let nobody = redress_domain::ids::CaseId::mint(at(0), 7);
    assert_eq!(refused(shop.merchant.command(nobody, Body::Cancel)).code, "case_not_found");
    let nothing = a_return("c1", &[("A1", 0)]).unwrap();
    assert_eq!(refused(shop.merchant.open(nothing)).code, "quantity_zero");
    let too_many = a_return("c1", &vec![("A1", 1); 1_001]).unwrap();
    assert_eq!(refused(shop.merchant.open(too_many)).code, "too_many_lines");
}

fn told_anew(merchant: &Merchant, order: &Order, name: &str) -> Result<Put, Error> {
    let (sender, answer) = mpsc::channel();
    merchant.engine.put_order(order, "corrections", name, move |result| drop(sender.send(result)))?;
    answer.recv().unwrap()
}

#[test]
fn an_order_that_is_told_anew_bounds_what_may_still_be_returned() {
    let shop = Shop::with(HOLD).unwrap();
    let sold = |quantity| order("1001", "c1", days_ago(10), &[("A1", quantity, "2.50")]).unwrap();
    shop.merchant.order(&sold(5)).unwrap();
    shop.open(&[("A1", 2)]).unwrap();
    assert_eq!(shop.line("1001", 0).unwrap().0, 2);
    let refused = told_anew(&shop.merchant, &sold(1), "1");
    assert!(matches!(refused, Err(Error::OrderBelowReturned { line: 0, held: 2, bought: 1 })), "{refused:?}");
    assert_eq!(told_anew(&shop.merchant, &sold(3), "2").unwrap(), Put::New);
    shop.open(&[("A1", 3)]).unwrap();
    assert_eq!(shop.line("1001", 0).unwrap().0, 3, "one of three was left");
}

#[test]
fn every_command_is_recorded_with_who_how_and_why() {
    let shop = Shop::with(REST).unwrap();
    let case = shop.open(&[("A1", 1)]).unwrap();
    let mut cancel = submission(Target::Case(case.id), Body::Cancel);
    cancel.reason = Some("opened twice".to_owned());
    shop.merchant.engine.execute(cancel).unwrap();
    shop.pass(Span::from_days(2)).unwrap();
    let journal = shop.merchant.journal(case.id).unwrap();
    let commands: Vec<_> =
        journal.iter().map(|turn| (turn.command.actor.id.as_str(), turn.command.channel.as_str())).collect();
    assert_eq!(commands, [("ada", "test"), ("ada", "test"), ("host", "timer")]);
    assert_eq!(journal[2].command.actor, Actor::host());
    assert!(journal[1].command.reason.as_deref().is_some_and(|reason| reason.starts_with("person:")));
}
