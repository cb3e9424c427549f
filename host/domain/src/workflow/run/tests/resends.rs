//! Sending an effect again, on a person's word.

use super::*;

const PAY: &str = "  - { id: quote, call: { plugin: quote@0 }, as: quote }
  - { id: label, notify: { template: label, to: customer } }
  - { id: pay, refund: { quote: =quote } }
  - { id: done, finish: { result: refunded } }
";

/// A case whose refund of two units is on its way to card and voucher, after a notice.
fn paying() -> (Desk, Nth) {
    let mut desk = Desk::with(PAY);
    let case = desk.open(2);
    (desk, case)
}

fn leaves(desk: &Desk, key: Digest) -> bool {
    desk.work == [Work::Effect { key }]
}

#[test]
fn what_is_on_its_way_leaves_again_under_its_key_and_stays_on_its_way() {
    let (mut desk, case) = paying();
    let card = desk.key(case, "card");
    let before = desk.cases[case].effects.clone();
    desk.turn(case, &agent("bob"), Body::Resend(card)).unwrap();
    assert!(leaves(&desk, card));
    assert_eq!(desk.cases[case].effects, before);
    let recorded = &desk.journals[case].last().unwrap().1;
    assert_eq!(recorded[..], [Entry::Resent { key: card, by: "bob".to_owned() }]);
    assert_eq!(desk.books(), ((0, 2, 500), [300, 200]), "and is booked once");
}

#[test]
fn what_nobody_knows_leaves_again_and_its_question_is_answered_with_it() {
    let (mut desk, case) = paying();
    let card = desk.key(case, "card");
    desk.settle(case, card, Settled::Unknown);
    let task = desk.task(case).0;
    desk.give(case, Body::Resend(card)).unwrap();
    assert!(leaves(&desk, card) && desk.cases[case].tasks.is_empty());
    assert_eq!((desk.state(case, "card"), desk.stands(case)), (EffectState::Intended, "pay"));
    let recorded = &desk.journals[case].last().unwrap().1;
    let (outcome, by) = ("resend".to_owned(), "ada".to_owned());
    assert_eq!(recorded[0], Entry::TaskCompleted { id: task, outcome, by, live: false });

    desk.settle(case, card, Settled::Confirmed);
    desk.settle(case, desk.key(case, "voucher"), Settled::Confirmed);
    assert_eq!((desk.stands(case), desk.books()), ("refunded", ((0, 2, 500), [300, 200])));
}

#[test]
fn an_effect_whose_question_another_took_is_sent_again_by_them_or_an_admin() {
    let (mut desk, case) = paying();
    let card = desk.key(case, "card");
    desk.settle(case, card, Settled::Unknown);
    let task = desk.task(case).0;
    desk.turn(case, &agent("ada"), Body::Claim(task)).unwrap();
    assert_eq!(code(desk.turn(case, &agent("bob"), Body::Resend(card))), "task_claimed");
    assert_eq!(desk.state(case, "card"), EffectState::Unknown);
    desk.turn(case, &admin("grace"), Body::Resend(card)).unwrap();
    assert_eq!(desk.state(case, "card"), EffectState::Intended);
}

#[test]
fn a_task_answered_with_resend_is_the_same() {
    for outcome in [Settled::Unknown, Settled::Declined] {
        let (mut desk, case) = paying();
        let card = desk.key(case, "card");
        desk.settle(case, card, outcome);
        desk.answer(case, "resend").unwrap();
        assert_eq!(desk.last(case), ["task.completed.1", "effect.resent.1"]);
        assert!(leaves(&desk, card));
        assert_eq!((desk.state(case, "card"), desk.books()), (EffectState::Intended, ((0, 2, 500), [300, 200])));
    }
}

#[test]
fn a_settled_refund_is_not_sent_again_and_an_unknown_key_is_not_found() {
    for (outcome, word) in [(Settled::Confirmed, "confirmed"), (Settled::Declined, "declined")] {
        let (mut desk, case) = paying();
        let card = desk.key(case, "card");
        desk.settle(case, card, outcome);
        let refused = desk.give(case, Body::Resend(card)).unwrap_err();
        let message = format!("effect {card} is settled as {word}");
        assert_eq!((refused.code, refused.message), ("effect_settled", message));
        assert_eq!(code(desk.give(case, Body::Resend(Digest::of(b"other")))), "effect_not_found");
    }
}

#[test]
fn a_notice_is_sent_again_whatever_came_of_it_and_after_the_end_of_the_case() {
    let states = [(Settled::Confirmed, EffectState::Confirmed), (Settled::Declined, EffectState::Declined)];
    for (outcome, state) in states {
        let (mut desk, case) = paying();
        let label = desk.key(case, "label");
        desk.settle(case, label, outcome);
        desk.give(case, Body::Resend(label)).unwrap();
        assert!(leaves(&desk, label));
        assert_eq!((desk.state(case, "label"), desk.stands(case)), (state, "pay"));

        desk.give(case, Body::Cancel).unwrap();
        desk.give(case, Body::Resend(label)).unwrap();
        assert!(leaves(&desk, label));
        assert_eq!((desk.state(case, "label"), desk.stands(case)), (state, "cancelled"));
    }
}

#[test]
fn an_effect_that_outlived_its_case_is_sent_again_and_settled_with_the_books() {
    for (outcome, books) in [(Settled::Confirmed, (0, 2, 500)), (Settled::Declined, (0, 2, 200))] {
        let (mut desk, case) = paying();
        let card = desk.key(case, "card");
        desk.give(case, Body::Cancel).unwrap();
        desk.give(case, Body::Resend(card)).unwrap();
        assert!(leaves(&desk, card));
        desk.settle(case, card, Settled::Unknown);
        assert_eq!(desk.asked_of(case, card), "outcome_unknown");
        desk.give(case, Body::Resend(card)).unwrap();
        assert!(leaves(&desk, card) && desk.cases[case].tasks.is_empty());
        desk.settle(case, card, outcome);
        assert_eq!((desk.stands(case), desk.books().0), ("cancelled", books), "{outcome:?}");
        assert!(desk.cases[case].tasks.is_empty() && desk.cases[case].reserved.is_empty());
    }
}
