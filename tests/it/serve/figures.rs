//! What the host tells of itself, and to whom.

use std::collections::BTreeSet;

use axum::Router;
use redress::config::Connections;
use redress::engine::Target;
use redress::keys::Role;
use redress_domain::case::command::Body;
use redress_domain::clock::Span;
use redress_tests::serving::{ask, get, serving};
use redress_tests::world::{a_return, submission};

use super::{A_WEEK_THEN_MONEY, Host};

/// The names of all figures; each line is read.
fn names(text: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (series, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("{line}"));
        assert!(value.parse::<f64>().is_ok(), "{line}");
        let name = series.split('{').next().unwrap_or_default();
        assert!(name.starts_with("redress_"), "{line}");
        names.insert(name.to_owned());
    }
    assert!(text.ends_with("# EOF\n"), "{text}");
    names
}

#[tokio::test(flavor = "multi_thread")]
async fn the_figures_are_read_by_prometheus_and_every_one_is_in_the_book() {
    let host = Host::new();
    let engine = host.merchant("shop", A_WEEK_THEN_MONEY);
    let open = Body::Open(Box::new(a_return("c1", &[("A1", 1)]).unwrap()));
    engine.execute(submission(Target::New, open)).unwrap();
    let serving = serving(&host.opened, Connections::default(), Router::new()).await.unwrap();
    get(serving.address(), "/v1/cases").await.unwrap();
    get(serving.address(), "/made/up").await.unwrap();
    let text = get(serving.address(), "/metrics").await.unwrap();
    assert!(text.head.contains("content-type: application/openmetrics-text"), "{}", text.head);
    for expected in [
        "redress_turns_total{tenant=\"shop\"} 1",
        "redress_http_requests_total{route=\"/v1/cases\",method=\"GET\",status=\"4xx\"} 1",
        "redress_http_requests_total{route=\"(none)\",method=\"GET\",status=\"4xx\"} 1",
        "redress_clock{standing=\"follows\"} 1",
        "redress_stores 1",
    ] {
        assert!(text.body.lines().any(|line| line == expected), "{expected}\n{}", text.body);
    }
    assert!(!text.body.contains("/made/up"), "an address that a client made up is no label");
    let book = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/operations.md")).unwrap();
    for name in names(&text.body) {
        let base = ["_total", "_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end));
        assert!(
            book.contains(&format!("`{}`", base.unwrap_or(&name))) || book.contains(&format!("`{name}`")),
            "{name}"
        );
    }
    serving.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_figures_are_for_the_operator_and_for_this_machine() {
    let host = Host::new();
    let engine = host.merchant("shop", A_WEEK_THEN_MONEY);
    let serving = serving(&host.opened, Connections::default(), Router::new()).await.unwrap();
    let proxied = "x-forwarded-for: 203.0.113.7\r\n".to_owned();
    let asked = async |headers: &str| ask(serving.address(), "GET", "/metrics", headers, "").await.unwrap().status;
    assert_eq!(asked("").await, 200);
    assert_eq!(asked(&proxied).await, 401);
    assert_eq!(asked(&(proxied.clone() + &host.key(Some(engine.record().id), Role::Admin))).await, 403);
    assert_eq!(asked(&(proxied + &host.key(None, Role::Operator))).await, 200);
    serving.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ready_says_what_is_not() {
    let host = Host::new();
    host.merchant("shop", A_WEEK_THEN_MONEY);
    let serving = serving(&host.opened, Connections::default(), Router::new()).await.unwrap();
    let ready = get(serving.address(), "/readyz").await.unwrap();
    assert_eq!((ready.status, ready.json()["status"].as_str()), (200, Some("ready")), "{}", ready.body);
    host.hand.jump(Span::from_days(3_650));
    let jumped = get(serving.address(), "/readyz").await.unwrap();
    assert_eq!((jumped.status, jumped.json()["status"].as_str()), (503, Some("not_ready")), "{}", jumped.body);
    assert!(jumped.body.contains("the machine's clock has jumped by 315360000000 ms"), "{}", jumped.body);
    assert_eq!(get(serving.address(), "/livez").await.unwrap().status, 200);
    host.hand.jump(Span::from_days(-3_650));
    assert_eq!(get(serving.address(), "/readyz").await.unwrap().status, 200);
    serving.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_version_names_what_answers() {
    let host = Host::new();
    let serving = serving(&host.opened, Connections::default(), Router::new()).await.unwrap();
    let version = get(serving.address(), "/version").await.unwrap().json();
    assert_eq!(version["contract_major"], 0);
    assert_eq!(version["store_format"], redress_store::host::Host::FORMAT);
    assert!(version["version"].as_str().is_some_and(|version| version.split('.').count() == 3), "{version}");
    serving.stop().await;
}
