//! Refunds through the real ledger: caps, legs, declines, and outcomes that nobody knows.

use redress_domain::case::command::{Body, Complete, PersonVerdict, Settled};
use redress_domain::case::entry::Entry;
use redress_domain::case::{Case, Output, What};
use redress_domain::clock::Span;
use redress_domain::ids::Digest;
use redress_domain::value::{Fields, Value};
use redress_domain::verdict::Remedy;
use redress_sandbox::Hook;
use redress_store::batch::{AppendError, Batch};
use redress_store::work::{ClaimRequest, Kind, WorkChanges, WorkKey};
use redress_tests::guests::{Guest, quoting};
use redress_tests::shop::{Shop, effect, failure, paid_by, refused, stands, the_task};
use redress_tests::world::{a_return, days_ago, from_history, order};

const MATCH_AND_PAY: &str = "
steps:
  - { id: match, call: { plugin: std/purchase-match@0, with: { window_days: 90 } }, as: matched }
  - { id: quote, call: { plugin: std/refund-quote@0 }, as: quote }
  - { id: pay, refund: { quote: =quote } }
  - { id: done, finish: { result: refunded } }
  - { id: declined, fail: { code: declined } }
";

/// The same, going on at `declined` where the provider declines.
fn with_handler() -> String {
    MATCH_AND_PAY.replace(
        "refund: { quote: =quote }",
        "refund: { quote: =quote }, on_error: [{ match: declined, then: declined }]",
    )
}

/// Without the step that only a handler leads to.
fn without_handler() -> String {
    MATCH_AND_PAY.replace("  - { id: declined, fail: { code: declined } }\n", "")
}

/// A merchant that sold three of A1 for 2.50 and two of B2 for 4.00, all of it to be paid back over these payments.
fn sold(document: &str, payments: &[(&str, i64)]) -> Shop {
    let shop = Shop::with(document).unwrap();
    let order = order("1001", "c1", days_ago(10), &[("A1", 3, "2.50"), ("B2", 2, "4.00")]).unwrap();
    shop.merchant.order(&paid_by(order, payments)).unwrap();
    shop
}

fn legs(case: &Case) -> Vec<(String, Option<String>, i64)> {
    let leg = |what: &What| match what {
        What::Refund(refund) => {
            Some((refund.order.clone()?.to_string(), refund.payment.clone(), refund.amount.minor()))
        }
        _ => None,
    };
    let mut legs: Vec<_> = case.effects.values().filter_map(|effect| leg(&effect.what)).collect();
    legs.sort();
    legs
}

fn payments(shop: &Shop) -> Vec<i64> {
    let ledger = shop.merchant.ledger("1001").unwrap().unwrap();
    ledger.payments().map(|(_, held)| held.refunded.minor()).collect()
}

fn is_in_outbox(shop: &Shop, key: Digest) -> bool {
    let key = WorkKey { kind: Kind::Effect, key: key.bytes().to_vec() };
    shop.merchant.engine.store().read().unwrap().work(&key).unwrap().is_some()
}

#[test]
fn a_refund_has_one_leg_for_each_order_and_payment_that_it_needs() {
    let shop = sold(&without_handler(), &[("card", 600), ("voucher", 950)]);
    let newer = order("1002", "c1", days_ago(5), &[("A1", 1, "2.00")]).unwrap();
    shop.merchant.order(&newer).unwrap();
    let case = shop.open(&[("A1", 4), ("B2", 1)]).unwrap();
    let card = ("1001".to_owned(), Some("card".to_owned()), 600);
    let voucher = ("1001".to_owned(), Some("voucher".to_owned()), 550);
    assert_eq!(legs(&case), [card, voucher, ("1002".to_owned(), None, 200)]);
    assert_eq!(payments(&shop), [600, 550]);
    assert_eq!((shop.line("1001", 0).unwrap(), shop.line("1001", 1).unwrap()), ((0, 3, 750), (0, 1, 400)));
    for key in case.effects.keys() {
        assert!(is_in_outbox(&shop, *key));
        shop.merchant.settle(case.id, *key, Settled::Confirmed).unwrap();
        assert!(!is_in_outbox(&shop, *key), "what is settled is sent no more");
    }
    assert_eq!(stands(&shop.case(&case).unwrap()), "refunded");
}

#[test]
fn no_line_is_refunded_more_than_was_paid_for_it_even_by_cases_that_quoted_before() {
    let shop = Shop::empty().unwrap();
    shop.merchant.push("greedy", &quoting(700, "GBP").component().unwrap()).unwrap();
    shop.publish(
        "steps:
  - { id: quote, call: { plugin: greedy@0 }, as: quote }
  - { id: look, review: { queue: q, title: Look, next: { pay: pay }, timeout: { never: a person must look } } }
  - { id: pay, refund: { quote: =quote } }
  - { id: done, finish: { result: refunded } }
",
    )
    .unwrap();
    let order = order("1001", "c1", days_ago(10), &[("A1", 3, "2.50"), ("B2", 2, "4.00")]).unwrap();
    shop.merchant.order(&order).unwrap();
    let (one, other) = (shop.open(&[("A1", 1)]).unwrap(), shop.open(&[("A1", 1)]).unwrap());
    shop.answer(&one, "pay", &[]).unwrap();
    shop.answer(&other, "pay", &[]).unwrap();
    assert_eq!(failure(&shop.case(&other).unwrap()), "refund_exceeds_payment");
    assert_eq!(shop.line("1001", 0).unwrap(), (0, 1, 700), "what was refused reserved nothing either");
    assert_eq!(refused(shop.answer(&other, "decide", &[])).code, "unknown_outcome");
    shop.answer(&other, "try_again", &[]).unwrap();
    assert_eq!(failure(&shop.case(&other).unwrap()), "refund_exceeds_payment", "and nobody can talk it into more");
}

#[test]
fn no_payment_gives_back_more_than_it_took() {
    let shop = sold(&without_handler(), &[("card", 100)]);
    let case = shop.open(&[("A1", 1)]).unwrap();
    assert_eq!((stands(&case), failure(&case).as_str()), ("pay", "refund_exceeds_payment"));
    assert_eq!(shop.merchant.ledger("1001").unwrap(), None);
}

#[test]
fn a_case_refunds_at_most_its_limit_in_all_its_refunds() {
    let shop = sold(
        "
limits: { refund_max: 6.00 }
steps:
  - { id: match, call: { plugin: std/purchase-match@0, with: { window_days: 90 } } }
  - { id: quote, call: { plugin: std/refund-quote@0 }, as: quote }
  - { id: pay, refund: { quote: =quote } }
  - { id: more, refund: { amount: 1.01, method: voucher }, on_error: [{ match: refund_exceeds_limit, then: enough }] }
  - { id: done, finish: { result: refunded } }
  - { id: enough, finish: { result: enough } }
",
        &[],
    );
    let over = shop.open(&[("A1", 3)]).unwrap();
    assert_eq!(failure(&over), "refund_exceeds_limit");
    let case = shop.open(&[("A1", 2)]).unwrap();
    let case = shop.settle(&case, "pay", None, Settled::Confirmed).unwrap();
    assert_eq!((stands(&case), case.refunded().minor()), ("enough", 500));
}

#[test]
fn a_declined_refund_leaves_the_ledger_as_if_it_had_never_been() {
    for payments_told in [vec![], vec![("card", 1_550)], vec![("card", 300), ("voucher", 1_250)]] {
        let shop = sold(&with_handler(), &payments_told);
        let case = shop.open(&[("A1", 2), ("B2", 1)]).unwrap();
        let keys: Vec<Digest> = case.effects.keys().copied().collect();
        for key in keys {
            shop.merchant.settle(case.id, key, Settled::Declined).unwrap();
        }
        let case = shop.case(&case).unwrap();
        assert_eq!((stands(&case), case.refunded().minor()), ("declined", 0));
        assert_eq!((shop.line("1001", 0).unwrap(), shop.line("1001", 1).unwrap()), ((0, 0, 0), (0, 0, 0)));
        assert!(payments(&shop).iter().all(|refunded| *refunded == 0));
        // Who was declined may return it once more.
        let again = shop.open(&[("A1", 3), ("B2", 2)]).unwrap();
        assert_eq!(again.refunded().minor(), 1_550);
    }
}

#[test]
fn of_a_partly_declined_refund_the_declined_money_alone_goes_back() {
    let shop = sold(&with_handler(), &[("card", 300), ("voucher", 1_250)]);
    let case = shop.open(&[("A1", 2), ("B2", 1)]).unwrap();
    assert_eq!(stands(&shop.settle(&case, "pay", Some("card"), Settled::Declined).unwrap()), "pay");
    let case = shop.settle(&case, "pay", Some("voucher"), Settled::Confirmed).unwrap();
    assert_eq!((stands(&case), case.refunded().minor()), ("declined", 600));
    let Some(Output::Values(output)) = case.outputs.get("pay") else { panic!("a refund has an output") };
    assert_eq!(output.get("status"), Some(&Value::text("partly_declined")));
    assert_eq!(output.get("amount").map(ToString::to_string).as_deref(), Some("GBP 6.00"));
    assert_eq!((shop.line("1001", 0).unwrap(), shop.line("1001", 1).unwrap()), ((0, 2, 200), (0, 1, 400)));
    assert_eq!(payments(&shop), [0, 600]);
}

#[test]
fn a_second_refund_of_an_order_that_is_declined_leaves_the_first_one_alone() {
    let shop = Shop::empty().unwrap();
    shop.merchant.push("one", &quoting(120, "GBP").component().unwrap()).unwrap();
    shop.publish(
        "
steps:
  - { id: quote, call: { plugin: one@0 }, as: first }
  - { id: pay, refund: { quote: =first } }
  - { id: again, refund: { quote: =first }, on_error: [{ match: declined, then: declined }] }
  - { id: done, finish: { result: refunded } }
  - { id: declined, fail: { code: declined } }
",
    )
    .unwrap();
    shop.merchant.order(&order("1001", "c1", days_ago(10), &[("A1", 3, "2.50")]).unwrap()).unwrap();
    let case = shop.open(&[("A1", 1)]).unwrap();
    shop.settle(&case, "pay", None, Settled::Confirmed).unwrap();
    assert_eq!(shop.line("1001", 0).unwrap(), (0, 2, 240));
    let case = shop.settle(&case, "again", None, Settled::Declined).unwrap();
    assert_eq!((stands(&case), case.refunded().minor()), ("declined", 120));
    assert_eq!(shop.line("1001", 0).unwrap(), (0, 1, 120));
}

#[test]
fn a_decline_that_comes_after_the_case_was_cancelled_still_frees_money_and_units() {
    let shop = sold(&without_handler(), &[("card", 300), ("voucher", 1_250)]);
    let case = shop.open(&[("A1", 2)]).unwrap();
    shop.settle(&case, "pay", Some("card"), Settled::Declined).unwrap();
    shop.merchant.command(case.id, Body::Cancel).unwrap();
    assert_eq!((stands(&shop.case(&case).unwrap()), payments(&shop)), ("cancelled", vec![0, 200]));
    assert_eq!(shop.line("1001", 0).unwrap(), (0, 2, 200));
    let case = shop.settle(&case, "pay", Some("voucher"), Settled::Declined).unwrap();
    assert_eq!((shop.line("1001", 0).unwrap(), payments(&shop)), ((0, 0, 0), vec![0, 0]));
    assert!(case.reserved.is_empty(), "a closed case holds nothing");
}

#[test]
fn an_outcome_that_nobody_knows_is_asked_for_beyond_the_end_of_the_case() {
    let shop = sold(&without_handler(), &[]);
    let case = shop.open(&[("A1", 1)]).unwrap();
    shop.merchant.command(case.id, Body::Cancel).unwrap();
    let case = shop.settle(&case, "pay", None, Settled::Unknown).unwrap();
    assert_eq!((stands(&case), the_task(&case).1.reasons[0].code.as_str()), ("cancelled", "outcome_unknown"));
    assert_eq!(shop.line("1001", 0).unwrap(), (0, 1, 250), "it may have been paid");
    shop.answer(&case, "not_paid", &[]).unwrap();
    assert_eq!(shop.line("1001", 0).unwrap(), (0, 0, 0));
    assert!(shop.case(&case).unwrap().tasks.is_empty());
}

#[test]
fn whether_money_left_is_asked_beyond_the_end_of_the_case_and_what_was_declined_is_never_sent_again() {
    for (answer, line) in [("paid", (0, 2, 500)), ("not_paid", (0, 2, 300))] {
        let shop = sold(&without_handler(), &[("card", 300), ("voucher", 1_250)]);
        let case = shop.open(&[("A1", 2)]).unwrap();
        shop.settle(&case, "pay", Some("card"), Settled::Confirmed).unwrap();
        let case = shop.settle(&case, "pay", Some("voucher"), Settled::Unknown).unwrap();
        shop.merchant.command(case.id, Body::Cancel).unwrap();
        assert_eq!((stands(&shop.case(&case).unwrap()), shop.line("1001", 0).unwrap()), ("cancelled", (0, 2, 500)));
        shop.answer(&case, answer, &[]).unwrap();
        assert_eq!(shop.line("1001", 0).unwrap(), line, "{answer}");
        assert!(shop.case(&case).unwrap().tasks.is_empty());
    }
    let shop = sold(&without_handler(), &[]);
    let case = shop.open(&[("A1", 2)]).unwrap();
    let case = shop.settle(&case, "pay", None, Settled::Declined).unwrap();
    let task = the_task(&case).0;
    shop.merchant.command(case.id, Body::Cancel).unwrap();
    assert_eq!(shop.line("1001", 0).unwrap(), (0, 0, 0));
    assert_eq!(refused(shop.merchant.complete(case.id, task, "resend")).code, "case_closed");
}

#[test]
fn a_refund_that_nobody_paid_and_nobody_handles_fails_its_case() {
    let shop = sold(&without_handler(), &[]);
    let case = shop.open(&[("A1", 1)]).unwrap();
    shop.settle(&case, "pay", None, Settled::Declined).unwrap();
    shop.answer(&case, "not_paid", &[]).unwrap();
    let case = shop.case(&case).unwrap();
    assert_eq!((stands(&case), case.status.word(), case.refunded().minor()), ("declined", "closed", 0));
}

#[test]
fn an_unknown_outcome_opens_one_task_and_a_late_confirmation_closes_it() {
    let shop = sold(&without_handler(), &[]);
    let case = shop.open(&[("A1", 1)]).unwrap();
    shop.settle(&case, "pay", None, Settled::Unknown).unwrap();
    let case = shop.settle(&case, "pay", None, Settled::Unknown).unwrap();
    assert_eq!(the_task(&case).1.reasons[0].code, "outcome_unknown");
    assert_eq!(stands(&case), "pay");
    let case = shop.settle(&case, "pay", None, Settled::Confirmed).unwrap();
    assert_eq!((stands(&case), case.tasks.len()), ("refunded", 0));
}

#[test]
fn an_outcome_that_comes_twice_is_recorded_as_ignored() {
    let shop = sold(&without_handler(), &[]);
    let case = shop.open(&[("A1", 1)]).unwrap();
    let case = shop.settle(&case, "pay", None, Settled::Confirmed).unwrap();
    for outcome in [Settled::Confirmed, Settled::Declined, Settled::Unknown] {
        let after = shop.settle(&case, "pay", None, outcome).unwrap();
        assert_eq!((stands(&after), after.refunded()), ("refunded", case.refunded()));
        assert!(matches!(shop.entries(case.id).unwrap().last(), Some(Entry::Ignored { .. })));
    }
    assert_eq!(refused(shop.merchant.settle(case.id, Digest::of(b"x"), Settled::Confirmed)).code, "effect_not_found");
}

#[test]
fn a_person_settles_what_was_declined_or_is_not_known() {
    for (outcome, refunded, line) in [("paid", 250, (0, 1, 250)), ("not_paid", 0, (0, 0, 0))] {
        let shop = sold(&without_handler(), &[]);
        let case = shop.open(&[("A1", 1)]).unwrap();
        shop.settle(&case, "pay", None, Settled::Unknown).unwrap();
        assert_eq!(refused(shop.answer(&case, "perhaps", &[])).code, "unknown_outcome");
        shop.answer(&case, outcome, &[]).unwrap();
        let case = shop.case(&case).unwrap();
        assert_eq!((case.is_closed(), case.refunded().minor()), (true, refunded));
        assert_eq!(shop.line("1001", 0).unwrap(), line);
    }
}

#[test]
fn what_a_person_sends_again_goes_out_under_the_same_key_and_is_booked_once() {
    let shop = sold(&without_handler(), &[]);
    let case = shop.open(&[("A1", 1)]).unwrap();
    let key = effect(&case, "pay", None);
    shop.settle(&case, "pay", None, Settled::Declined).unwrap();
    assert!(!is_in_outbox(&shop, key));
    shop.answer(&case, "resend", &[]).unwrap();
    let case = shop.case(&case).unwrap();
    assert!(is_in_outbox(&shop, key) && case.effects.len() == 1 && case.tasks.is_empty());
    let case = shop.settle(&case, "pay", None, Settled::Confirmed).unwrap();
    assert_eq!((stands(&case), shop.line("1001", 0).unwrap()), ("refunded", (0, 1, 250)));
}

#[test]
fn what_is_sent_again_while_it_is_on_its_way_leaves_once_whoever_held_it_before() {
    let shop = sold(&without_handler(), &[]);
    let case = shop.open(&[("A1", 1)]).unwrap();
    let key = effect(&case, "pay", None);
    let store = shop.merchant.engine.store();
    let claiming = || ClaimRequest {
        who: "sender".to_owned(),
        kinds: vec![Kind::Effect],
        max: 10,
        lease: Span::from_days(1),
        now: shop.world.app.clock().now(),
    };
    let before = store.claim(claiming()).unwrap();
    shop.merchant.command(case.id, Body::Resend(key)).unwrap();
    let after = store.claim(claiming()).unwrap();
    assert_eq!((before.len(), after.len()), (1, 1), "a lease does not hold up what a person sends again");
    let finish = WorkChanges { finish: vec![before[0].claim.clone()], ..WorkChanges::default() };
    let late = store.append(Batch { work: finish, ..Batch::default() });
    assert!(matches!(late, Err(AppendError::Fenced)), "{late:?}");
    let case = shop.settle(&case, "pay", None, Settled::Confirmed).unwrap();
    assert_eq!((stands(&case), shop.line("1001", 0).unwrap()), ("refunded", (0, 1, 250)));
    assert!(!is_in_outbox(&shop, key));
}

#[test]
fn a_refund_that_its_provider_confirms_after_all_is_booked_by_a_persons_word() {
    let shop = sold(&with_handler(), &[("card", 300), ("voucher", 1_250)]);
    let case = shop.open(&[("A1", 2)]).unwrap();
    for payment in ["card", "voucher"] {
        shop.settle(&case, "pay", Some(payment), Settled::Declined).unwrap();
    }
    assert_eq!((shop.line("1001", 0).unwrap(), payments(&shop)), ((0, 0, 0), vec![0, 0]));
    let case = shop.settle(&case, "pay", Some("voucher"), Settled::Confirmed).unwrap();
    assert_eq!((stands(&case), the_task(&case).1.reasons[0].code.as_str()), ("declined", "confirmed_after_decline"));
    assert_eq!(shop.line("1001", 0).unwrap(), (0, 0, 0), "its word alone books nothing");
    shop.answer(&case, "paid", &[]).unwrap();
    assert_eq!((shop.line("1001", 0).unwrap(), payments(&shop)), ((0, 2, 200), vec![0, 200]));
    assert_eq!(shop.case(&case).unwrap().refunded().minor(), 200);
}

#[test]
fn legs_of_orders_and_payments_with_strange_names_are_never_one() {
    let shop = Shop::with(&without_handler()).unwrap();
    for (id, payment) in [("A", "B/C"), ("A/B", "C")] {
        let sold = order(id, "c1", days_ago(10), &[("A1", 1, "2.50")]).unwrap();
        shop.merchant.order(&paid_by(sold, &[(payment, 250)])).unwrap();
    }
    let case = shop.open(&[("A1", 2)]).unwrap();
    assert_eq!((case.effects.len(), case.refunded().minor()), (2, 500));
}

#[test]
fn a_case_that_takes_from_more_orders_than_one_commit_holds_asks_a_person() {
    let shop = Shop::with(&without_handler()).unwrap();
    for number in 0..64 {
        shop.merchant.order(&order(&number.to_string(), "c1", days_ago(10), &[("A1", 1, "1.00")]).unwrap()).unwrap();
    }
    let most = shop.open(&[("A1", 63)]).unwrap();
    assert_eq!(most.effects.len(), 63);
    let shop = Shop::with(&without_handler()).unwrap();
    for number in 0..64 {
        shop.merchant.order(&order(&number.to_string(), "c1", days_ago(10), &[("A1", 1, "1.00")]).unwrap()).unwrap();
    }
    let case = shop.open(&[("A1", 64)]).unwrap();
    assert_eq!((stands(&case), failure(&case).as_str()), ("pay", "too_many_orders"));
}

#[test]
fn what_a_person_decides_in_place_of_a_plugin_takes_from_what_is_left() {
    let shop = Shop::empty().unwrap();
    shop.merchant.push("broken", &Guest::new(Hook::Eligibility).component().unwrap()).unwrap();
    shop.publish(&without_handler().replace("std/purchase-match@0, with: { window_days: 90 }", "broken@0")).unwrap();
    shop.merchant.order(&order("1001", "c1", days_ago(10), &[("A1", 1, "2.50")]).unwrap()).unwrap();
    shop.merchant.order(&order("1002", "c1", days_ago(5), &[("A1", 1, "2.00")]).unwrap()).unwrap();
    let case = shop.open(&[("A1", 2), ("B2", 1)]).unwrap();
    let decide = |lines: &[(u32, Remedy, u32)]| {
        let line = |(line, remedy, quantity): &(u32, Remedy, u32)| PersonVerdict {
            line: *line,
            remedy: *remedy,
            quantity: *quantity,
            reason: "kindness".to_owned(),
        };
        let (task, lines) = (the_task(&case).0, lines.iter().map(line).collect());
        let complete = Complete { task, outcome: "decide".to_owned(), form: Fields::new(), live: false, lines };
        shop.merchant.command(case.id, Body::Complete(complete))
    };
    let (allow, deny) = (Remedy::Allow, Remedy::Deny);
    for wrong in [&[(0, allow, 2)][..], &[(0, allow, 3), (1, deny, 0)], &[(0, Remedy::Review, 1), (1, deny, 0)]] {
        assert_eq!(refused(decide(wrong)).code, "wrong_verdict");
    }
    decide(&[(0, allow, 2), (1, deny, 0)]).unwrap();
    let case = shop.case(&case).unwrap();
    assert_eq!(legs(&case), [("1001".to_owned(), None, 250), ("1002".to_owned(), None, 200)]);
    assert_eq!(case.decisive_reasons(), ["kindness"]);
}

#[test]
fn the_past_is_paid_already_until_a_person_says_that_it_is_paid_for_real() {
    let shop = sold(&without_handler(), &[]);
    let past = shop.take(from_history(a_return("c1", &[("A1", 1)]).unwrap(), "R1")).unwrap();
    assert_eq!((stands(&past), past.turn), ("refunded", 1));
    assert!(past.effects.keys().all(|key| !is_in_outbox(&shop, *key)));

    let look =
        "  - { id: look, review: { queue: q, title: Look, next: { pay: pay }, timeout: { after: 1d, then: pay } } }\n";
    for (is_live, expected) in [(false, "refunded"), (true, "pay")] {
        let document = without_handler().replace("  - { id: pay,", &format!("{look}  - {{ id: pay,"));
        let shop = sold(&document, &[]);
        let case = shop.take(from_history(a_return("c1", &[("A1", 1)]).unwrap(), "R2")).unwrap();
        let (task, outcome) = (the_task(&case).0, "pay".to_owned());
        let complete = Complete { task, outcome, form: Fields::new(), live: is_live, lines: Vec::new() };
        shop.merchant.command(case.id, Body::Complete(complete)).unwrap();
        let case = shop.case(&case).unwrap();
        assert_eq!(stands(&case), expected);
        assert_eq!(is_in_outbox(&shop, effect(&case, "pay", None)), is_live);
    }
}
