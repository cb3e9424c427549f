//! Effects that leave: each rule of settlement, against a provider that really answers, or does not.

mod connectors;
mod crashes;
mod mail;
mod messages;
mod requests;
mod retries;

use std::time::Duration;

use redress::outbox::connectors::{Connector, Kind, Webhook};
use redress::outbox::delivery::{Delivery, Outcome};
use redress::outbox::secret::Secret;
use redress_domain::case::command::Settled;
use redress_domain::clock::{Instant, Span};
use redress_domain::ids::Digest;
use redress_tests::delivery::{PAY, SECRET, Trial, webhook};
use redress_tests::provider::{Provider, Trick};
use redress_tests::shop::{stands, the_task};
use redress_tests::world::START;

/// Longer than any pause.
const HOUR: Span = Span::from_millis(3_600_001);

fn outcomes(trial: &Trial, key: Digest) -> Vec<Outcome> {
    trial.log(key).unwrap().iter().map(|delivery| delivery.outcome).collect()
}

fn last(trial: &Trial, key: Digest) -> Delivery {
    trial.log(key).unwrap().pop().expect("a delivery")
}

fn counted(provider: &Provider) -> (u64, u64, u64) {
    let stats = provider.stats();
    assert_eq!(stats.conflicts, 0, "the body is the same on every attempt");
    (stats.calls, stats.keys, stats.effects)
}

#[test]
fn a_refund_is_paid_by_its_provider_and_settles_the_case_with_its_reference() {
    let (trial, provider) = Trial::paid(PAY).unwrap();
    let (case, key) = trial.refund().unwrap();
    assert_eq!(trial.send().unwrap(), 1);
    let case = trial.shop.case(&case).unwrap();
    assert_eq!((stands(&case), counted(&provider)), ("refunded", (1, 1, 1)));
    assert_eq!(provider.stats().amount["GBP"].to_string(), "2.50");
    assert!(case.effects[&key].reference.as_deref().unwrap().starts_with("prov_"));
    let delivery = last(&trial, key);
    assert_eq!((delivery.outcome, delivery.status, delivery.attempt), (Outcome::Confirmed, Some(200), 1));
    assert_eq!((trial.send().unwrap(), counted(&provider)), (0, (1, 1, 1)), "nothing is left to send");
}

#[test]
fn what_may_have_been_lost_is_asked_again_under_the_same_key_and_done_once() {
    let busy = [408, 409, 425, 429, 500, 502, 503].map(Trick::Refuse);
    let lost = [Trick::HangUp, Trick::ActAndHangUp, Trick::ActAndSay("done!".to_owned()), Trick::Refuse(302)];
    for trick in busy.into_iter().chain(lost) {
        let (trial, provider) = Trial::paid(PAY).unwrap();
        provider.next(trick.clone());
        let (case, key) = trial.refund().unwrap();
        trial.send().unwrap();
        assert_eq!(stands(&trial.shop.case(&case).unwrap()), "pay", "{trick:?}");
        assert_eq!(outcomes(&trial, key), [Outcome::Retry], "{trick:?}");
        assert!(last(&trial, key).reason.is_some() && last(&trial, key).ended_at.is_some());
        trial.send_after(HOUR).unwrap();
        assert_eq!(stands(&trial.shop.case(&case).unwrap()), "refunded", "{trick:?}");
        assert_eq!((counted(&provider).1, counted(&provider).2), (1, 1), "{trick:?}");
        assert_eq!(outcomes(&trial, key), [Outcome::Retry, Outcome::Confirmed]);
    }
}

#[test]
fn what_a_provider_refuses_is_declined_and_a_persons() {
    for status in [400, 401, 402, 404, 422] {
        let (trial, provider) = Trial::paid(PAY).unwrap();
        provider.next(Trick::Refuse(status));
        let (case, key) = trial.refund().unwrap();
        trial.send().unwrap();
        let case = trial.shop.case(&case).unwrap();
        assert_eq!((stands(&case), the_task(&case).1.reasons[0].code.as_str()), ("pay", "declined"));
        assert_eq!((last(&trial, key).outcome, last(&trial, key).status), (Outcome::Declined, Some(status)));
    }
    let trial = Trial::with(PAY).unwrap();
    let provider = trial.provider(|options| options.decline_above = Some("2.49".parse().unwrap())).unwrap();
    trial.connect(Kind::Payment, webhook(&provider, "payment")).unwrap();
    let (case, key) = trial.refund().unwrap();
    trial.send().unwrap();
    assert_eq!((last(&trial, key).outcome, last(&trial, key).status), (Outcome::Declined, Some(200)));
    assert_eq!((counted(&provider), trial.shop.case(&case).unwrap().tasks.len()), ((1, 1, 0), 1));
}

#[test]
fn when_the_key_has_run_out_nobody_knows_and_a_person_may_send_it_again() {
    let (trial, provider) = Trial::paid(PAY).unwrap();
    let (case, key) = trial.refund().unwrap();
    for _ in 0..30 {
        provider.next(Trick::Refuse(503));
        trial.send_after(HOUR).unwrap();
    }
    let seen = trial.shop.case(&case).unwrap();
    assert_eq!((stands(&seen), the_task(&seen).1.reasons[0].code.as_str()), ("pay", "outcome_unknown"));
    let log = trial.log(key).unwrap();
    let tried: Vec<_> = log.iter().filter(|delivery| delivery.outcome == Outcome::Retry).collect();
    let lifetime = tried.last().unwrap().started_at.unix_ms() - tried[0].started_at.unix_ms();
    assert!(tried.len() >= 20 && lifetime < Span::from_days(1).millis(), "{} tries in {lifetime} ms", tried.len());
    assert_eq!(log.last().unwrap().reason.as_deref(), Some("key_lifetime_over"));
    assert_eq!(trial.send_after(Span::from_days(30)).unwrap(), 0, "an unknown outcome is never tried again by itself");

    let provider = trial.provider(|_| {}).unwrap();
    trial.connect(Kind::Payment, webhook(&provider, "payment")).unwrap();
    trial.shop.answer(&case, "resend", &[]).unwrap();
    trial.send().unwrap();
    assert_eq!(stands(&trial.shop.case(&case).unwrap()), "refunded");
    assert_eq!(counted(&provider), (1, 1, 1));
    assert_eq!(provider.effects()[0].key, key.to_string());
}

#[test]
fn a_provider_that_knows_no_keys_is_never_asked_twice() {
    let trial = Trial::with(PAY).unwrap();
    let provider = trial.provider(|options| options.forgetful = true).unwrap();
    let Connector::Webhook(known) = webhook(&provider, "payment") else { panic!("a webhook") };
    trial.connect(Kind::Payment, Connector::Webhook(Webhook { idempotent: false, ..known })).unwrap();
    for trick in [Trick::ActAndHangUp, Trick::HangUp, Trick::Refuse(503)] {
        provider.next(trick);
        let (case, key) = trial.refund().unwrap();
        trial.send().unwrap();
        assert_eq!(the_task(&trial.shop.case(&case).unwrap()).1.reasons[0].code, "outcome_unknown");
        assert_eq!(outcomes(&trial, key), [Outcome::Unknown]);
    }
    assert_eq!((trial.send_after(HOUR).unwrap(), provider.stats().calls), (0, 1));
}

#[test]
fn who_cannot_be_reached_was_told_nothing_so_that_even_a_provider_without_keys_is_tried_again() {
    let trial = Trial::with(PAY).unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let known = Webhook { idempotent: false, ..Webhook::new(format!("http://{address}/"), Secret::new(SECRET)) };
    trial.connect(Kind::Payment, Connector::Webhook(known)).unwrap();
    let (case, key) = trial.refund().unwrap();
    trial.send().unwrap();
    assert_eq!(
        (outcomes(&trial, key), last(&trial, key).reason.as_deref()),
        (vec![Outcome::Retry], Some("not_connected"))
    );
    let provider = trial.provider(|options| options.listen = address).unwrap();
    trial.send_after(HOUR).unwrap();
    assert_eq!((stands(&trial.shop.case(&case).unwrap()), counted(&provider)), ("refunded", (1, 1, 1)));
}

#[test]
fn what_is_accepted_is_asked_for_until_it_is_settled() {
    let trial = Trial::with(PAY).unwrap();
    let provider = trial.provider(|options| options.later = 2).unwrap();
    trial.connect(Kind::Payment, webhook(&provider, "payment")).unwrap();
    let (case, key) = trial.refund().unwrap();
    trial.send().unwrap();
    assert_eq!(outcomes(&trial, key), [Outcome::Accepted]);
    trial.send_after(HOUR).unwrap();
    trial.send_after(HOUR).unwrap();
    assert_eq!(outcomes(&trial, key), [Outcome::Accepted, Outcome::Accepted, Outcome::Confirmed]);
    assert_eq!((stands(&trial.shop.case(&case).unwrap()), counted(&provider)), ("refunded", (3, 1, 1)));
}

#[test]
fn what_is_accepted_and_never_settled_becomes_a_persons_and_is_not_asked_for_beyond_its_key() {
    let trial = Trial::with(PAY).unwrap();
    let provider = trial.provider(|options| options.later = 1_000).unwrap();
    trial.connect(Kind::Payment, webhook(&provider, "payment")).unwrap();
    let (case, _) = trial.refund().unwrap();
    trial.send().unwrap();
    for _ in 0..40 {
        trial.send_after(HOUR).unwrap();
    }
    let asked = provider.stats().calls;
    assert!((20..=25).contains(&asked), "{asked} calls: once an hour for a day");
    assert!(trial.shop.case(&case).unwrap().tasks.is_empty(), "its three days are not over");
    trial.send_after(Span::from_days(2)).unwrap();
    let case = trial.shop.case(&case).unwrap();
    assert_eq!(the_task(&case).1.reasons[0].code, "outcome_unknown");
    assert_eq!((provider.stats().calls, provider.stats().effects), (asked, 1));
}

#[test]
fn what_was_settled_from_outside_is_not_sent_any_more() {
    let trial = Trial::with(PAY).unwrap();
    let provider = trial.provider(|options| options.later = 1_000).unwrap();
    trial.connect(Kind::Payment, webhook(&provider, "payment")).unwrap();
    let (case, _) = trial.refund().unwrap();
    trial.send().unwrap();
    trial.shop.settle(&case, "pay", None, Settled::Confirmed).unwrap();
    assert_eq!((trial.send_after(HOUR).unwrap(), provider.stats().calls), (0, 1));
}

#[test]
fn a_receiver_that_asks_for_a_pause_gets_it_and_no_longer_one_than_an_hour() {
    for (asked, early, late) in [(600, 599, 1), (1_000_000, 3_599, 1)] {
        let (trial, provider) = Trial::paid(PAY).unwrap();
        provider.next(Trick::RefuseFor(503, asked));
        trial.refund().unwrap();
        trial.send().unwrap();
        assert_eq!(trial.send_after(Span::from_millis(early * 1_000)).unwrap(), 0, "{asked} s");
        assert_eq!(trial.send_after(Span::from_millis(late * 1_000)).unwrap(), 1, "{asked} s");
    }
}

#[test]
fn a_clock_that_is_set_pays_nothing_early_and_loses_nothing() {
    let (trial, provider) = Trial::paid(PAY).unwrap();
    provider.next(Trick::RefuseFor(503, 600));
    let (case, _) = trial.refund().unwrap();
    trial.send().unwrap();
    trial.shop.world.clock.set(Instant::from_unix_ms(START - 3_600_000));
    assert_eq!(trial.send().unwrap(), 0, "an hour back, nothing is due");
    trial.shop.world.clock.set(Instant::from_unix_ms(START).after(Span::from_days(3_650)));
    trial.send().unwrap();
    let case = trial.shop.case(&case).unwrap();
    assert_eq!(the_task(&case).1.reasons[0].code, "outcome_unknown", "ten years on, no provider knows the key");
    assert_eq!(counted(&provider), (0, 0, 0));
}

#[test]
fn every_refund_is_paid_once_by_a_provider_that_loses_every_third_answer() {
    const CASES: usize = 40;
    let trial = Trial::with(PAY).unwrap();
    let provider = trial.provider(|options| options.lose_every = Some(3)).unwrap();
    trial.connect(Kind::Payment, webhook(&provider, "payment")).unwrap();
    let cases: Vec<_> = (0..CASES).map(|_| trial.refund().unwrap().0).collect();
    for _ in 0..20 {
        trial.send_after(HOUR).unwrap();
    }
    assert!(cases.iter().all(|case| stands(&trial.shop.case(case).unwrap()) == "refunded"));
    let stats = provider.stats();
    assert_eq!((stats.keys, stats.effects, stats.conflicts), (40, 40, 0));
    assert!(stats.repeated >= 10, "{stats:?}");
    assert_eq!(stats.amount["GBP"].to_string(), "100.00");
    assert_eq!(trial.shop.line("1001", 0).unwrap(), (0, 40, 10_000), "the ledger says the same");
}

#[test]
fn the_loop_sends_by_itself_and_stops_when_it_is_told_to() {
    let (trial, provider) = Trial::paid(PAY).unwrap();
    trial.outbox.watch(trial.engine());
    let cases: Vec<_> = (0..30).map(|_| trial.refund().unwrap().0).collect();
    let all_paid = || cases.iter().all(|case| stands(&trial.shop.case(case).unwrap()) == "refunded");
    let paid = trial.runtime.block_on(async {
        let all = async {
            while !all_paid() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), all).await
    });
    assert!(paid.is_ok(), "thirty refunds take no half minute");
    assert_eq!(counted(&provider), (30, 30, 30));
    trial.runtime.block_on(trial.outbox.stop());
    trial.outbox.watch(trial.engine());
    trial.refund().unwrap();
    // A pass of another outbox finds it: the stopped one did not take it.
    let other = redress_tests::delivery::outbox(&trial.shop.world, &trial.runtime, trial.outbox.settings()).unwrap();
    assert_eq!(trial.runtime.block_on(other.pass(trial.engine())).unwrap(), 1);
}
