//! Whatever dies between a request and its answer: the money leaves once.

use std::time::Duration;

use redress::outbox::connectors::{Connector, Kind, Webhook};
use redress::outbox::delivery::Outcome;
use redress_domain::case::entry::Entry;
use redress_domain::clock::Span;
use redress_tests::delivery::{PAY, Trial, outbox, webhook};
use redress_tests::provider::{Provider, Trick};
use redress_tests::shop::{Shop, stands, the_task};

/// Longer than a lease.
const LEASE: Span = Span::from_millis(60_001);

/// Let the outbox send until the provider has acted and thinks about its answer; then drop it in the middle.
fn die_after_the_provider_acted(trial: &Trial, provider: &Provider) {
    provider.next(Trick::Think(Duration::from_secs(600)));
    let acted = async {
        while provider.stats().calls == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    trial.runtime.block_on(async {
        tokio::select! {
            _ = trial.outbox.pass(trial.engine()) => panic!("the provider has not answered"),
            () = acted => {}
        }
    });
}

#[test]
fn a_host_that_dies_between_the_request_and_the_answer_asks_again_with_the_same_key() {
    let (trial, provider) = Trial::paid(PAY).unwrap();
    let (case, key) = trial.refund().unwrap();
    die_after_the_provider_acted(&trial, &provider);
    assert_eq!(trial.log(key).unwrap()[0].outcome, Outcome::Started);

    let Trial { shop, outbox: dead, runtime, .. } = trial;
    drop(dead);
    let Shop { world, merchant } = shop;
    drop(merchant);
    let world = world.restart().unwrap();
    let merchant = world.reopen("acme").unwrap();
    world.pass(LEASE);
    let outbox = outbox(&world, &runtime, &redress_tests::delivery::settings()).unwrap();
    assert_eq!(runtime.block_on(outbox.pass(&merchant.engine)).unwrap(), 1);
    assert_eq!(stands(&merchant.case(case.id).unwrap()), "refunded");
    let stats = provider.stats();
    assert_eq!((stats.calls, stats.keys, stats.effects, stats.repeated), (2, 1, 1, 1));
}

#[test]
fn a_crash_on_the_way_to_a_provider_without_keys_is_a_persons_question() {
    let trial = Trial::with(PAY).unwrap();
    let provider = trial.provider(|options| options.forgetful = true).unwrap();
    let Connector::Webhook(known) = webhook(&provider, "payment") else { panic!("a webhook") };
    trial.connect(Kind::Payment, Connector::Webhook(Webhook { idempotent: false, ..known })).unwrap();
    let (case, key) = trial.refund().unwrap();
    die_after_the_provider_acted(&trial, &provider);
    trial.send_after(LEASE).unwrap();
    let case = trial.shop.case(&case).unwrap();
    assert_eq!(the_task(&case).1.reasons[0].code, "outcome_unknown");
    assert_eq!((provider.stats().calls, provider.stats().effects), (1, 1));
    let log = trial.log(key).unwrap();
    assert_eq!((log.len(), log[0].reason.as_deref()), (1, Some("sent_and_not_idempotent")));
}

#[test]
fn of_two_senders_the_one_that_lost_its_lease_settles_nothing() {
    let (trial, provider) = Trial::paid(PAY).unwrap();
    let (case, key) = trial.refund().unwrap();
    provider.next(Trick::Think(Duration::from_secs(2)));
    let other = outbox(&trial.shop.world, &trial.runtime, trial.outbox.settings()).unwrap();
    let late = async {
        while provider.stats().calls == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        trial.shop.world.pass(LEASE);
        assert_eq!(other.pass(trial.engine()).await.unwrap(), 1);
        assert_eq!(stands(&trial.shop.case(&case).unwrap()), "refunded", "the second sender had its answer first");
    };
    let (first, ()) = trial.runtime.block_on(async { tokio::join!(trial.outbox.pass(trial.engine()), late) });
    assert_eq!(first.unwrap(), 1);
    let settled = trial.shop.entries(case.id).unwrap();
    let settled = settled.iter().filter(|entry| matches!(entry, Entry::Settled { .. } | Entry::Ignored { .. })).count();
    assert_eq!(settled, 1, "the answer of the first came too late and left no trace");
    assert_eq!((provider.stats().calls, provider.stats().effects), (2, 1));
    let outcomes: Vec<_> = trial.log(key).unwrap().iter().map(|delivery| delivery.outcome).collect();
    assert_eq!(outcomes, [Outcome::Started, Outcome::Confirmed]);
}

#[test]
fn a_provider_that_is_killed_knows_afterwards_what_it_did() {
    let (trial, provider) = Trial::paid(PAY).unwrap();
    provider.next(Trick::ActAndHangUp);
    let (case, _) = trial.refund().unwrap();
    trial.send().unwrap();
    let address = provider.address();
    drop(provider);
    // What was being written when it died was answered to nobody.
    let book = trial.folder().join("book");
    let half = [std::fs::read(&book).unwrap(), b"{\"key\":\"half a li".to_vec()].concat();
    std::fs::write(&book, half).unwrap();
    let provider = trial.runtime.block_on(async {
        loop {
            match trial_provider(&trial, address).await {
                Ok(provider) => break provider,
                Err(_) => tokio::task::yield_now().await,
            }
        }
    });
    trial.send_after(Span::from_millis(3_600_001)).unwrap();
    assert_eq!(stands(&trial.shop.case(&case).unwrap()), "refunded");
    assert_eq!((provider.stats().calls, provider.stats().effects), (2, 1));
}

async fn trial_provider(trial: &Trial, address: std::net::SocketAddr) -> anyhow::Result<Provider> {
    let mut options =
        redress_tests::provider::Options::honest(redress_tests::delivery::SECRET, trial.folder().join("book"));
    options.listen = address;
    Provider::start(options, trial.shop.world.clock.clone()).await
}
