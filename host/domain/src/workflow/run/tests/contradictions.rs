//! A provider that confirms what was settled as declined.

use super::*;

const ASKED: &str = "confirmed_after_decline";

/// The step after a decline ends the case at once.
const HANDLED: &str = "  - { id: quote, call: { plugin: quote@0 }, as: quote }
  - { id: pay, refund: { quote: =quote }, on_error: [{ match: declined, then: declined }] }
  - { id: done, finish: { result: refunded } }
  - { id: declined, fail: { code: declined } }
";

/// A person says how a decline ends.
const ASKING: &str = "  - { id: quote, call: { plugin: quote@0 }, as: quote }
  - { id: label, notify: { template: label, to: customer } }
  - { id: pay, refund: { quote: =quote } }
  - { id: done, finish: { result: refunded } }
";

/// The case stays open after a decline.
const RESTING: &str = "  - { id: quote, call: { plugin: quote@0 }, as: quote }
  - { id: pay, refund: { quote: =quote }, on_error: [{ match: declined, then: rest }] }
  - { id: done, finish: { result: refunded } }
  - { id: rest, wait: { for: 2d } }
  - { id: over, finish: { result: over } }
";

/// A return of two units whose legs were both declined.
fn declined(steps: &str) -> (Desk, Nth, Digest, Digest) {
    let mut desk = Desk::with(steps);
    let case = desk.open(2);
    assert_eq!(desk.books(), ((0, 2, 500), [300, 200]));
    let (card, voucher) = (desk.key(case, "card"), desk.key(case, "voucher"));
    desk.settle(case, card, Settled::Declined);
    desk.settle(case, voucher, Settled::Declined);
    (desk, case, card, voucher)
}

#[test]
fn a_confirmation_after_a_decline_changes_nothing_but_that_a_person_is_asked_once() {
    let (mut desk, case, card, _) = declined(HANDLED);
    assert_eq!((desk.stands(case), desk.books()), ("declined", ((0, 0, 0), [0, 0])));
    desk.settle(case, card, Settled::Confirmed);
    assert_eq!(desk.last(case), ["input.ignored.1", "task.opened.1"]);
    assert_eq!((desk.asked_of(case, card), desk.task(case).1.queue.as_str()), (ASKED, "problems"));
    assert_eq!((desk.state(case, "card"), desk.books()), (EffectState::Declined, ((0, 0, 0), [0, 0])));
    for again in [Settled::Confirmed, Settled::Declined, Settled::Unknown] {
        desk.settle(case, card, again);
        assert_eq!((desk.last(case), desk.asked_of(case, card)), (vec!["input.ignored.1"], ASKED));
    }
    assert_eq!(code(desk.give(case, Body::Resend(card))), "effect_settled");
    for other in ["not_paid", "resend"] {
        assert_eq!(code(desk.answer(case, other)), "unknown_outcome");
    }
}

#[test]
fn what_was_paid_after_all_is_booked_again_with_its_units_leg_by_leg() {
    let (mut desk, case, card, voucher) = declined(HANDLED);
    desk.settle(case, card, Settled::Confirmed);
    desk.answer(case, "paid").unwrap();
    assert_eq!(desk.books(), ((0, 2, 300), [300, 0]), "the units went with the first leg that was paid");
    assert_eq!((desk.state(case, "card"), desk.stands(case)), (EffectState::Confirmed, "declined"));
    assert_eq!(desk.cases[case].refunded(), pence(300));

    desk.settle(case, voucher, Settled::Confirmed);
    desk.answer(case, "paid").unwrap();
    assert_eq!((desk.books(), desk.cases[case].refunded()), (((0, 2, 500), [300, 200]), pence(500)));
    assert!(desk.cases[case].tasks.is_empty() && desk.cases[case].reserved.is_empty());
    desk.settle(case, card, Settled::Confirmed);
    assert_eq!(desk.last(case), ["input.ignored.1"], "what is confirmed is no question");
}

#[test]
fn what_was_recovered_stays_declined_and_in_no_book() {
    let (mut desk, case, card, _) = declined(HANDLED);
    desk.settle(case, card, Settled::Confirmed);
    desk.answer(case, "recovered").unwrap();
    assert_eq!((desk.state(case, "card"), desk.books()), (EffectState::Declined, ((0, 0, 0), [0, 0])));
    assert_eq!((desk.last(case), desk.stands(case)), (vec!["task.completed.1"], "declined"));
    assert!(desk.cases[case].tasks.is_empty());
}

#[test]
fn what_the_ledger_can_take_no_more_is_refused_and_can_only_be_recovered() {
    let (mut desk, case, card, _) = declined(HANDLED);
    let other = desk.open(2);
    desk.settle(case, card, Settled::Confirmed);
    let before = (desk.books(), desk.cases[case].clone());
    let refused = desk.answer(case, "paid").unwrap_err();
    let why = "the ledger takes the refund no more, order line 0 has 1 units left, asked for 2; once the money is back, answer recovered";
    assert_eq!((refused.code, refused.message.as_str()), ("refund_not_bookable", why));
    assert_eq!((desk.books(), desk.cases[case].clone()), before, "a refusal changes nothing");
    desk.answer(case, "recovered").unwrap();
    assert_eq!((desk.stands(other), desk.books()), ("pay", ((0, 2, 500), [300, 200])));
}

#[test]
fn a_payment_that_has_given_back_all_it_took_takes_no_leg_again() {
    let (mut desk, case, card, _) = declined(HANDLED);
    // The other case takes one unit, and most of what the card had.
    desk.open(1);
    assert_eq!(desk.books(), ((0, 1, 250), [250, 0]));
    desk.settle(case, card, Settled::Confirmed);
    let refused = desk.answer(case, "paid").unwrap_err();
    assert_eq!(refused.code, "refund_not_bookable");
    assert!(refused.message.contains("the payments have GBP 0.50 left, asked for GBP 3.00"), "{}", refused.message);
    assert_eq!(desk.books(), ((0, 1, 250), [250, 0]));
}

#[test]
fn while_the_step_still_waits_the_question_takes_the_place_of_the_one_before_and_the_step_goes_on_by_the_answer() {
    for (outcome, stands, books) in
        [("paid", "refunded", ((0, 2, 500), [300, 200])), ("recovered", "declined", ((0, 2, 200), [0, 200]))]
    {
        let mut desk = Desk::with(ASKING);
        let case = desk.open(2);
        let card = desk.key(case, "card");
        desk.settle(case, card, Settled::Declined);
        assert_eq!(desk.asked_of(case, card), "declined");
        desk.settle(case, card, Settled::Confirmed);
        assert_eq!(desk.last(case), ["input.ignored.1", "task.closed.1", "task.opened.1"]);
        assert_eq!(desk.asked_of(case, card), ASKED);
        desk.settle(case, desk.key(case, "voucher"), Settled::Confirmed);
        assert_eq!((desk.stands(case), desk.books()), ("pay", ((0, 2, 500), [300, 200])), "it waits for the person");
        desk.answer(case, outcome).unwrap();
        assert_eq!((desk.stands(case), desk.books()), (stands, books), "{outcome}");
    }
}

#[test]
fn a_decline_by_a_person_is_contradicted_like_one_by_the_provider() {
    let mut desk = Desk::with(ASKING);
    let case = desk.open(1);
    let card = desk.key(case, "card");
    desk.settle(case, card, Settled::Unknown);
    desk.answer(case, "not_paid").unwrap();
    assert_eq!((desk.stands(case), desk.books()), ("declined", ((0, 0, 0), [0, 0])));
    desk.settle(case, card, Settled::Confirmed);
    assert_eq!(desk.asked_of(case, card), ASKED);
    desk.answer(case, "paid").unwrap();
    assert_eq!(desk.books(), ((0, 1, 250), [250, 0]));
}

#[test]
fn the_question_outlives_its_case_however_the_case_ends() {
    // Cancelled while the step waits: the decline becomes final only then.
    let mut desk = Desk::with(ASKING);
    let case = desk.open(2);
    let card = desk.key(case, "card");
    desk.settle(case, card, Settled::Declined);
    desk.settle(case, card, Settled::Confirmed);
    desk.give(case, Body::Cancel).unwrap();
    assert_eq!((desk.stands(case), desk.books()), ("cancelled", ((0, 2, 200), [0, 200])));
    assert_eq!(desk.asked_of(case, card), ASKED);
    desk.answer(case, "paid").unwrap();
    assert_eq!(desk.books(), ((0, 2, 500), [300, 200]));

    // And cancelled later, after the case went on.
    let (mut desk, case, card, _) = declined(RESTING);
    assert_eq!((desk.stands(case), desk.books()), ("rest", ((2, 0, 0), [0, 0])), "the units are promised again");
    desk.settle(case, card, Settled::Confirmed);
    desk.give(case, Body::Cancel).unwrap();
    assert_eq!((desk.asked_of(case, card), desk.books()), (ASKED, ((0, 0, 0), [0, 0])));
    desk.answer(case, "paid").unwrap();
    assert_eq!(desk.books(), ((0, 2, 300), [300, 0]));
}

#[test]
fn units_that_the_case_still_holds_are_booked_and_not_taken_twice() {
    let (mut desk, case, card, _) = declined(RESTING);
    desk.settle(case, card, Settled::Confirmed);
    desk.answer(case, "paid").unwrap();
    assert_eq!((desk.stands(case), desk.books()), ("rest", ((0, 2, 300), [300, 0])));
    assert!(desk.cases[case].reserved.is_empty());
}

#[test]
fn a_leg_declined_after_another_was_paid_after_all_takes_only_its_own_money_out() {
    let mut desk = Desk::with(ASKING);
    let case = desk.open(2);
    let (card, voucher) = (desk.key(case, "card"), desk.key(case, "voucher"));
    desk.give(case, Body::Cancel).unwrap();
    desk.settle(case, card, Settled::Declined);
    assert_eq!(desk.books(), ((0, 2, 200), [0, 200]));
    desk.settle(case, card, Settled::Confirmed);
    desk.answer(case, "paid").unwrap();
    desk.settle(case, voucher, Settled::Declined);
    assert_eq!(desk.books(), ((0, 2, 300), [300, 0]));
}

#[test]
fn only_money_is_asked_about() {
    let mut desk = Desk::with(ASKING);
    let case = desk.open(1);
    let label = desk.key(case, "label");
    desk.settle(case, label, Settled::Declined);
    desk.settle(case, label, Settled::Confirmed);
    assert_eq!((desk.last(case), desk.cases[case].tasks.len()), (vec!["input.ignored.1"], 0));
}

#[test]
fn a_bare_amount_that_was_paid_after_all_counts_for_its_case() {
    let mut desk = Desk::with(
        "  - { id: gift, refund: { amount: 4.00, method: voucher }, on_error: [{ match: declined, then: over }] }\n  \
         - { id: done, finish: { result: refunded } }\n  - { id: over, finish: { result: over } }\n",
    );
    let case = desk.open(1);
    let key = *desk.cases[case].effects.keys().next().unwrap();
    desk.settle(case, key, Settled::Declined);
    assert_eq!((desk.stands(case), desk.cases[case].refunded()), ("over", pence(0)));
    desk.settle(case, key, Settled::Confirmed);
    desk.answer(case, "paid").unwrap();
    assert_eq!((desk.cases[case].refunded(), desk.books()), (pence(400), ((0, 0, 0), [0, 0])));
}
