//! Other goods for those that come back: out of the ledger once, back into it where the shop has none, and never exchanged and
//! refunded.

use super::*;
use crate::case::Reply;
use crate::case::command::Timer;

const STEPS: &str = r"
  - { id: quote, call: { plugin: quote@0 }, as: quote }
  - id: swap
    exchange: { sku: A2, hold_stock: 2d, price_difference: none }
    as: swapped
HANDLED
  - { id: told, http: { target: shop, body: { order: =swapped.reference } }, then: done }
  - { id: pay, refund: { quote: =quote } }
  - { id: done, finish: { result: done } }
";
const STOCK: &str = "    on_error: [{ match: out_of_stock, then: pay }, { match: hold_lapsed, then: pay }]";

/// A workflow that exchanges what the quote's lines name.
fn desk(handled: &str) -> Desk {
    let steps = STEPS.replace("HANDLED", handled);
    let steps =
        if handled.is_empty() { steps.replace("  - { id: pay, refund: { quote: =quote } }\n", "") } else { steps };
    Desk::with(&steps)
}

/// A case that holds so many units, as an `approve` leaves it, and that has come to its exchange.
fn swapping(desk: &mut Desk, units: u32) -> Nth {
    let case = desk.open(units);
    // The quote of these tests knows no verdict, so that the units are promised by hand and the step is tried again.
    assert_eq!(desk.task(case).1.reasons[0].code, "nothing_approved");
    desk.promise(case, units);
    desk.answer(case, "try_again").unwrap();
    case
}

fn settle(desk: &mut Desk, case: Nth, outcome: Settled, code: Option<&str>, reference: Option<&str>) {
    let key = desk.key(case, "swap");
    let (code, reference) = (code.map(str::to_owned), reference.map(str::to_owned));
    desk.give(case, Body::Settle(Settle { code, reference, ..Settle::new(key, outcome) })).unwrap();
}

#[test]
fn units_that_are_exchanged_are_returned_for_no_money_and_the_shops_order_is_the_output() {
    let mut desk = desk("");
    let case = swapping(&mut desk, 2);
    let (key, effect) = desk.effect(case, "swap");
    let What::Exchange(exchange) = &effect.what else { panic!("{effect:?}") };
    assert_eq!((exchange.sku.as_str(), exchange.quantity), ("A2", 2));
    assert_eq!(desk.work[0], Work::Effect { key });
    assert_eq!((desk.stands(case), desk.books()), ("swap", ((0, 2, 0), [0, 0])));
    settle(&mut desk, case, Settled::Confirmed, None, Some("2002"));
    let What::Http(request) = &desk.effect(case, "told").1.what else { panic!() };
    assert_eq!(request.body["order"].to_string(), "2002");
    assert!(desk.cases[case].reserved.is_empty());
}

#[test]
fn what_the_shop_does_not_have_is_the_cases_again_and_may_be_refunded() {
    let mut desk = desk(STOCK);
    let case = swapping(&mut desk, 2);
    settle(&mut desk, case, Settled::Declined, Some("out_of_stock"), None);
    assert_eq!((desk.stands(case), desk.books().0), ("pay", (0, 2, 500)), "refunded out of the units that came back");
    let mut other = self::desk("");
    let case = swapping(&mut other, 2);
    settle(&mut other, case, Settled::Declined, Some("discontinued"), None);
    assert_eq!(other.asked_of(case, other.key(case, "swap")), "declined", "a code that nobody names is a decline");
    other.answer(case, "not_paid").unwrap();
    assert_eq!((other.stands(case), other.books().0), ("declined", (0, 0, 0)), "the end gives back what the case held");
}

#[test]
fn a_shop_that_does_not_confirm_in_time_leaves_the_units_where_they_are() {
    let lapse = |desk: &mut Desk, case: Nth| {
        let since = desk.cases[case].turn;
        let step = Slug::from_static("swap");
        let early = Body::Timer(timer(&step, since));
        desk.give(case, early.clone()).unwrap();
        assert_eq!(desk.last(case), ["input.ignored.1"], "not before its time");
        desk.now = desk.now.after(Span::from_days(2));
        desk.give(case, early).unwrap();
    };
    let mut alone = desk("");
    let case = swapping(&mut alone, 1);
    lapse(&mut alone, case);
    let key = alone.key(case, "swap");
    assert_eq!((alone.asked_of(case, key), alone.state(case, "swap")), ("hold_lapsed", EffectState::Unknown));
    assert_eq!(alone.books().0, (0, 1, 0), "nobody knows whether the goods left");
    settle(&mut alone, case, Settled::Confirmed, None, Some("2002"));
    assert_eq!(
        (alone.stands(case), alone.cases[case].tasks.len()),
        ("told", 0),
        "the shop's own word ends the question"
    );

    let mut handled = desk(STOCK);
    let case = swapping(&mut handled, 3);
    lapse(&mut handled, case);
    assert_eq!((handled.stands(case), handled.task(case).1.reasons[0].code.as_str()), ("pay", "quantity_exceeds_left"));
    assert_eq!(handled.books().0, (0, 3, 0), "what may have been exchanged is not refunded");
    settle(&mut handled, case, Settled::Declined, Some("out_of_stock"), None);
    assert_eq!(handled.books().0, (3, 0, 0), "a late decline gives the units back");
    handled.answer(case, "try_again").unwrap();
    assert_eq!(handled.books().0, (0, 3, 750));
}

fn timer(step: &Slug, since: u64) -> Timer {
    Timer::Wait { step: step.clone(), since, lane: Default::default() }
}

#[test]
fn a_cancel_keeps_what_may_have_been_exchanged_until_the_shop_says_otherwise() {
    let mut desk = desk("");
    let case = swapping(&mut desk, 2);
    desk.give(case, Body::Cancel).unwrap();
    assert_eq!(desk.books().0, (0, 2, 0));
    settle(&mut desk, case, Settled::Declined, None, None);
    assert_eq!((desk.stands(case), desk.books().0), ("cancelled", (0, 0, 0)));
    settle(&mut desk, case, Settled::Declined, None, None);
    assert_eq!((desk.last(case), desk.books().0), (vec!["input.ignored.1"], (0, 0, 0)), "once");
    assert_eq!(desk.cases[case].effects[&desk.key(case, "swap")].reply, None::<Reply>);
}

#[test]
fn a_shop_that_sends_what_it_declined_is_a_persons_question() {
    const ASKED: &str = "confirmed_after_decline";
    let mut alone = desk("");
    let case = swapping(&mut alone, 2);
    settle(&mut alone, case, Settled::Declined, Some("discontinued"), None);
    let key = alone.key(case, "swap");
    assert_eq!(alone.asked_of(case, key), "declined");
    settle(&mut alone, case, Settled::Confirmed, None, Some("2002"));
    assert_eq!((alone.asked_of(case, key), alone.books().0), (ASKED, (0, 2, 0)), "in place of the other question");
    settle(&mut alone, case, Settled::Confirmed, None, Some("2002"));
    assert_eq!(alone.last(case), ["input.ignored.1"], "once");
    alone.answer(case, "paid").unwrap();
    assert_eq!(
        (alone.stands(case), alone.books().0, alone.state(case, "swap")),
        ("told", (0, 2, 0), EffectState::Confirmed)
    );

    // The case has ended, its units are free again, and the goods are with the customer.
    let mut ended = desk("");
    let case = swapping(&mut ended, 2);
    settle(&mut ended, case, Settled::Declined, None, None);
    ended.answer(case, "not_paid").unwrap();
    assert_eq!((ended.stands(case), ended.books().0), ("declined", (0, 0, 0)));
    settle(&mut ended, case, Settled::Confirmed, None, Some("2002"));
    assert_eq!((ended.asked_of(case, ended.key(case, "swap")), ended.books().0), (ASKED, (0, 0, 0)));
    ended.answer(case, "paid").unwrap();
    assert_eq!((ended.books().0, ended.state(case, "swap")), ((0, 2, 0), EffectState::Confirmed));
    assert!(ended.cases[case].tasks.is_empty() && ended.cases[case].reserved.is_empty());

    // What was refunded meanwhile is not exchanged as well.
    let mut refunded = desk(STOCK);
    let case = swapping(&mut refunded, 3);
    settle(&mut refunded, case, Settled::Declined, Some("out_of_stock"), None);
    assert_eq!((refunded.stands(case), refunded.books().0), ("pay", (0, 3, 750)));
    settle(&mut refunded, case, Settled::Confirmed, None, Some("2002"));
    assert_eq!(refunded.asked_of(case, refunded.key(case, "swap")), ASKED);
    assert_eq!(code(refunded.answer(case, "paid")), "refund_not_bookable");
    assert_eq!(refunded.books().0, (0, 3, 750), "a refusal leaves no ledger behind");
    refunded.answer(case, "recovered").unwrap();
    assert_eq!((refunded.state(case, "swap"), refunded.books().0), (EffectState::Declined, (0, 3, 750)));
}
