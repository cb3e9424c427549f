//! Connectors: what they may be, where they lead, and that their secrets stay theirs.

use std::collections::BTreeMap;

use redress::engine::log::{self, What};
use redress::outbox::Settings;
use redress::outbox::connectors::{self, Connector, Kind, Smtp, Webhook};
use redress::outbox::delivery::Outcome;
use redress::outbox::secret::Secret;
use redress_domain::clock::Span;
use redress_tests::delivery::{PAY, SECRET, Trial, outbox, settings, webhook};
use redress_tests::shop::stands;
use redress_tests::world::admin;

use super::{HOUR, last, outcomes};

fn code(result: Result<(), connectors::Error>) -> &'static str {
    result.expect_err("a refusal").code()
}

fn to(url: &str) -> Connector {
    Connector::Webhook(Webhook::new(url, Secret::new(SECRET)))
}

#[test]
fn an_effect_without_a_connector_waits_says_so_once_and_leaves_as_soon_as_there_is_one() {
    let trial = Trial::with(PAY).unwrap();
    let (case, key) = trial.refund().unwrap();
    for _ in 0..30 {
        trial.send_after(HOUR).unwrap();
    }
    assert_eq!((stands(&trial.shop.case(&case).unwrap()), outcomes(&trial, key)), ("pay", vec![Outcome::Retry]));
    let told = last(&trial, key);
    assert_eq!((told.reason.as_deref(), told.how), (Some("no_connector"), None));
    assert!(trial.send().unwrap() == 0, "it is not due before its pause is over");
    let provider = trial.provider(|_| {}).unwrap();
    trial.connect(Kind::Payment, webhook(&provider, "payment")).unwrap();
    assert_eq!(trial.send().unwrap(), 1, "the connector makes it due, and its day of trying begins only now");
    assert_eq!((stands(&trial.shop.case(&case).unwrap()), provider.stats().effects), ("refunded", 1));
}

#[test]
fn a_removed_connector_makes_effects_wait_again() {
    let (trial, provider) = Trial::paid(PAY).unwrap();
    assert!(connectors::remove(trial.engine(), &Kind::Payment, &admin()).unwrap());
    assert!(!connectors::remove(trial.engine(), &Kind::Payment, &admin()).unwrap());
    let (_, key) = trial.refund().unwrap();
    trial.send().unwrap();
    assert_eq!((last(&trial, key).reason.as_deref(), provider.stats().calls), (Some("no_connector"), 0));
}

#[test]
fn a_secret_is_nowhere_in_the_file_and_nowhere_in_what_is_shown() {
    let (trial, _provider) = Trial::paid(PAY).unwrap();
    trial.refund().unwrap();
    trial.send().unwrap();
    let shown = format!("{:?}{:?}", connectors::list(trial.engine()).unwrap(), log::read(trial.engine()).unwrap());
    assert!(shown.contains("payment") && shown.contains("127.0.0.1") && !shown.contains(&SECRET[6..]));
    let facts = log::read(trial.engine()).unwrap();
    let is_set = |what: &What| matches!(what, What::ConnectorSet { kind, .. } if kind == "payment");
    assert_eq!(facts.iter().filter(|fact| is_set(&fact.what)).count(), 1);
    let raw = base64(&SECRET[6..]);
    let mut seen = 0;
    for file in walk(&trial.shop.world.folder().unwrap()) {
        let bytes = std::fs::read(&file).unwrap();
        for needle in [SECRET.as_bytes(), &SECRET.as_bytes()[6..], &raw] {
            assert!(!bytes.windows(needle.len()).any(|window| window == needle), "{}", file.display());
        }
        seen += usize::from(bytes.windows(17).any(|window| window == b"connector/payment"));
    }
    assert_eq!(seen, 1, "the connector itself is in one file");
}

fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] }).collect()
}

/// What a secret comes to, as it would lie in memory.
fn base64(text: &str) -> Vec<u8> {
    let digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bits: Vec<u32> = text.chars().filter_map(|c| digits.find(c)).map(|n| u32::try_from(n).unwrap()).collect();
    let whole = |four: &[u32]| (four[0] << 18 | four[1] << 12 | four[2] << 6 | four[3]).to_be_bytes()[1..].to_vec();
    bits.chunks_exact(4).flat_map(whole).collect()
}

#[test]
fn money_in_name_only_needs_a_host_that_allows_it_when_it_is_set_and_when_it_is_used() {
    let trial = Trial::with(PAY).unwrap();
    assert_eq!(code(trial.connect(Kind::Payment, Connector::Simulated)), "connector_not_allowed");
    let generous = Settings { allow_simulated: true, ..settings() };
    let (engine, key) = (trial.engine(), trial.shop.world.app.host().key());
    connectors::set(engine, key, &generous, &Kind::Payment, &Connector::Simulated, &admin()).unwrap();
    assert_eq!(
        code(connectors::set(engine, key, &generous, &Kind::Stock, &Connector::Simulated, &admin())),
        "connector_unfit"
    );
    let (case, effect) = trial.refund().unwrap();
    trial.send().unwrap();
    assert_eq!(last(&trial, effect).reason.as_deref(), Some("connector_not_allowed"));
    assert_eq!(stands(&trial.shop.case(&case).unwrap()), "pay");
    let outbox = outbox(&trial.shop.world, &trial.runtime, &generous).unwrap();
    trial.shop.world.pass(HOUR);
    trial.runtime.block_on(outbox.pass(engine)).unwrap();
    let case = trial.shop.case(&case).unwrap();
    assert_eq!((stands(&case), last(&trial, effect).how.as_deref()), ("refunded", Some("simulated")));
    assert!(case.effects[&effect].reference.as_deref().unwrap().starts_with("simulated-"));
}

#[test]
fn a_connector_that_is_not_sound_is_refused_when_it_is_set() {
    let trial = Trial::with(PAY).unwrap();
    let set = |kind, connector| code(trial.connect(kind, connector));
    for url in ["http://pay.example/", "https://10.0.0.1/", "https://pay.example:8443/", "https://a:b@pay.example/"] {
        assert_eq!(set(Kind::Payment, to(url)), "connector_address_refused", "{url}");
    }
    assert_eq!(set(Kind::Payment, to("not an address")), "connector_invalid");
    assert_eq!(set(Kind::Mail, to("https://pay.example/")), "connector_unfit");
    let weak = Webhook::new("https://pay.example/", Secret::new("whsec_c2hvcnQ="));
    assert_eq!(set(Kind::Payment, Connector::Webhook(weak)), "connector_invalid");
    let endless =
        Webhook { key_lifetime: Span::from_days(400), ..Webhook::new("https://pay.example/", Secret::new(SECRET)) };
    assert_eq!(set(Kind::Payment, Connector::Webhook(endless)), "connector_invalid");
    let mail = |url: &str| {
        let (url, from) = (url.to_owned(), "Shop <shop@example.com>".to_owned());
        Connector::Smtp(Smtp { url, from, user: None, password: None, queues: BTreeMap::new() })
    };
    assert_eq!(set(Kind::Payment, mail("smtps://mail.example")), "connector_unfit");
    assert_eq!(set(Kind::Mail, mail("smtp-plain://mail.example")), "connector_address_refused");
    assert_eq!(set(Kind::Mail, mail("smtps://192.168.0.1")), "connector_address_refused");
    assert_eq!(set(Kind::Mail, mail("smtps://mail.example:22")), "connector_address_refused");
    let folder = Connector::Folder {
        path: trial.folder().to_owned(),
        from: "shop@example.com".to_owned(),
        queues: BTreeMap::new(),
    };
    assert_eq!(set(Kind::Mail, folder), "connector_not_allowed");
    assert!(connectors::list(trial.engine()).unwrap().is_empty());
    trial.connect(Kind::Mail, mail("smtps://mail.example")).unwrap();
    trial.connect(Kind::Stock, to("https://stock.example/hook")).unwrap();
    let kinds: Vec<_> = connectors::list(trial.engine()).unwrap().into_iter().map(|(kind, _)| kind).collect();
    assert_eq!(kinds, [Kind::Stock, Kind::Mail]);
}

#[test]
fn an_address_that_is_not_allowed_any_more_gets_nothing() {
    let (trial, provider) = Trial::paid(PAY).unwrap();
    let strict = outbox(&trial.shop.world, &trial.runtime, &Settings::default()).unwrap();
    let (_, key) = trial.refund().unwrap();
    trial.runtime.block_on(strict.pass(trial.engine())).unwrap();
    assert_eq!((last(&trial, key).reason.as_deref(), provider.stats().calls), (Some("address_refused"), 0));
}
