//! Clients that are slow, many, or too much; and handlers that fail.

use std::future::pending;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::routing::{get as on_get, post};
use redress::config::Connections;
use redress::keys::Role;
use redress::serve::Serving;
use redress_tests::serving::{answer, ask, closed, get, next_answer, serving, until};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::task::JoinSet;

use super::{A_WEEK_THEN_MONEY, Host};

const SHORT: Duration = Duration::from_millis(300);

async fn on(host: &Host, connections: Connections) -> Serving {
    serving(&host.opened, connections, Router::new()).await.unwrap()
}

async fn open_with(address: SocketAddr, text: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    stream
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_does_not_come_in_time_ends_its_connection() {
    let host = Host::new();
    let serving = on(&host, Connections { head: SHORT, ..Connections::default() }).await;
    let mut slow = open_with(serving.address(), "GET /livez HTTP/1.1\r\nhost: redr").await;
    let took = closed(&mut slow).await.unwrap();
    assert!(took >= SHORT - Duration::from_millis(50), "{took:?}");
    // A byte now and then does not prolong it.
    let mut trickle = open_with(serving.address(), "G").await;
    let begun = Instant::now();
    while trickle.write_all(b"E").await.is_ok() && begun.elapsed() < Duration::from_secs(20) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    serving.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_serves_many_requests_and_is_closed_when_it_idles() {
    let host = Host::new();
    let serving = on(&host, Connections { idle: SHORT, head: SHORT, ..Connections::default() }).await;
    let mut stream = TcpStream::connect(serving.address()).await.unwrap();
    for _ in 0..3 {
        stream.write_all(b"GET /livez HTTP/1.1\r\nhost: redress\r\n\r\n").await.unwrap();
        assert_eq!(next_answer(&mut stream).await.unwrap().status, 200);
    }
    let took = closed(&mut stream).await.unwrap();
    assert!(took >= SHORT - Duration::from_millis(50), "{took:?}");
    serving.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_does_not_come_in_time_is_a_problem() {
    let host = Host::new();
    let engine = host.merchant("shop", A_WEEK_THEN_MONEY);
    let key = host.key(Some(engine.record().id), Role::Agent);
    let serving = on(&host, Connections { body: SHORT, ..Connections::default() }).await;
    let head = format!(
        "POST /v1/cases HTTP/1.1\r\nhost: redress\r\nidempotency-key: one\r\nconnection: close\r\ncontent-length: 100\r\n\
         content-type: application/json\r\n{key}\r\n{{\"kind\":"
    );
    let mut slow = open_with(serving.address(), &head).await;
    let answer = answer(&mut slow).await.unwrap();
    assert_eq!(answer.problem(), (408, "request_timeout".to_owned()));
    assert_ne!(answer.json()["request_id"], "", "a problem names its request");
    serving.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_is_too_long_is_refused() {
    let host = Host::new();
    let serving = on(&host, Connections::default()).await;
    let long = format!("x-long: {}\r\n", "a".repeat(Connections::default().head_bytes_max));
    let refused = ask(serving.address(), "GET", "/livez", &long, "").await.unwrap();
    assert_eq!(refused.status, 431);
    assert_eq!(get(serving.address(), "/livez").await.unwrap().status, 200);
    serving.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_sends_too_much_gets_to_read_that_it_was_too_much() {
    let host = Host::new();
    let engine = host.merchant("shop", A_WEEK_THEN_MONEY);
    let key =
        host.key(Some(engine.record().id), Role::Agent) + "idempotency-key: one\r\ncontent-type: application/json\r\n";
    let serving = on(&host, Connections::default()).await;
    let body = " ".repeat(redress::http::service::BODY_BYTES_MAX + (4 << 20));
    let refused = ask(serving.address(), "POST", "/v1/cases", &key, &body).await.unwrap();
    assert_eq!(refused.problem(), (413, "body_too_large".to_owned()));
    serving.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn beyond_the_last_place_a_client_is_told_to_come_again() {
    let host = Host::new();
    let serving = on(&host, Connections { open_max: 3, ..Connections::default() }).await;
    let mut taken = Vec::new();
    for _ in 0..3 {
        let mut stream = open_with(serving.address(), "GET /livez HTTP/1.1\r\nhost: redress\r\n\r\n").await;
        assert_eq!(next_answer(&mut stream).await.unwrap().status, 200);
        taken.push(stream);
    }
    let refused = get(serving.address(), "/livez").await.unwrap();
    assert_eq!(refused.problem(), (503, "overloaded".to_owned()));
    assert!(refused.head.contains("retry-after: 1"), "{}", refused.head);
    taken.pop();
    let begun = Instant::now();
    while get(serving.address(), "/livez").await.unwrap().status != 200 {
        assert!(begun.elapsed() < Duration::from_secs(30), "a place that is given back is taken again");
    }
    serving.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_idle_connections_keep_nobody_from_being_answered() {
    let host = Host::new();
    let serving = on(&host, Connections::default()).await;
    let mut idle = Vec::new();
    for n in 0..1_000 {
        let text = if n % 2 == 0 { "" } else { "POST /v1/cases HTTP/1.1\r\nhost: re" };
        idle.push(open_with(serving.address(), text).await);
    }
    let begun = Instant::now();
    for _ in 0..100 {
        assert_eq!(get(serving.address(), "/version").await.unwrap().status, 200);
    }
    println!("100 requests beside 1,000 idle connections: {:?}", begun.elapsed());
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    let begun = Instant::now();
    serving.stop().await;
    assert!(begun.elapsed() < Duration::from_secs(5), "who idles does not hold up the end: {:?}", begun.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_takes_nothing_is_cut_off() {
    let host = Host::new();
    let big = Router::new().route("/big", on_get(|| async { Bytes::from(vec![b'x'; 64 << 20]) }));
    let limits = Connections { stall: SHORT, ..Connections::default() };
    let serving = serving(&host.opened, limits, big).await.unwrap();
    let mut slow = open_with(serving.address(), "GET /big HTTP/1.1\r\nhost: redress\r\n\r\n").await;
    let open = "redress_connections_open 1";
    let begun = Instant::now();
    while !get(serving.address(), "/metrics").await.unwrap().body.contains(open) {
        assert!(begun.elapsed() < Duration::from_secs(30), "the host gave the connection up");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let mut bytes = Vec::new();
    slow.read_to_end(&mut bytes).await.ok();
    assert!(bytes.len() < 64 << 20, "{} bytes came", bytes.len());
    serving.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handler_that_panics_is_a_problem_and_harms_nobody() {
    let host = Host::new();
    let more = Router::new().route("/panic", on_get(panics));
    let serving = serving(&host.opened, Connections::default(), more).await.unwrap();
    for _ in 0..3 {
        let answer = get(serving.address(), "/panic").await.unwrap();
        assert_eq!(answer.problem(), (500, "internal".to_owned()));
        assert!(!answer.body.contains("secret"), "{}", answer.body);
        assert!(answer.head.contains("x-request-id: "), "{}", answer.head);
    }
    assert!(get(serving.address(), "/metrics").await.unwrap().body.contains("redress_http_panics_total 3"));
    serving.stop().await;
}

async fn panics() -> &'static str {
    panic!("a secret of the inside")
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_waits_for_an_answer_for_ever() {
    let host = Host::new();
    let more = Router::new().route("/never", on_get(pending::<&'static str>));
    let limits = Connections { answer: SHORT, ..Connections::default() };
    let serving = serving(&host.opened, limits, more).await.unwrap();
    assert_eq!(get(serving.address(), "/never").await.unwrap().problem(), (504, "answer_timeout".to_owned()));
    serving.stop().await;
}

fn in_background<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> JoinSet<T> {
    let mut set = JoinSet::new();
    set.spawn(work);
    set
}

/// A route that answers when it is told to.
fn held() -> (Router, Arc<Notify>, Arc<Notify>) {
    let (entered, release) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (enter, released) = (entered.clone(), release.clone());
    let handler = move |body: Bytes| async move {
        enter.notify_one();
        released.notified().await;
        format!("{} bytes", body.len())
    };
    (Router::new().route("/held", post(handler)), entered, release)
}

#[tokio::test(flavor = "multi_thread")]
async fn beyond_the_last_request_a_client_is_told_to_come_again_but_health_answers() {
    let host = Host::new();
    let (more, entered, release) = held();
    let limits = Connections { requests_max: 1, ..Connections::default() };
    let serving = serving(&host.opened, limits, more).await.unwrap();
    let address = serving.address();
    let mut first = in_background(async move { ask(address, "POST", "/held", "", "abc").await });
    entered.notified().await;
    let refused = get(address, "/openapi.json").await.unwrap();
    assert_eq!(refused.problem(), (503, "overloaded".to_owned()));
    assert!(refused.head.contains("retry-after: 1"), "{}", refused.head);
    assert_eq!(get(address, "/livez").await.unwrap().status, 200);
    assert!(get(address, "/metrics").await.unwrap().body.contains("redress_http_overloaded_total 1"));
    release.notify_one();
    assert_eq!(first.join_next().await.unwrap().unwrap().unwrap().body, "3 bytes");
    assert_eq!(get(address, "/openapi.json").await.unwrap().status, 200);
    serving.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn beyond_the_last_large_body_small_ones_are_still_taken() {
    let host = Host::new();
    let (more, entered, release) = held();
    let limits = Connections { large_bodies_max: 1, small_body_bytes: 8, ..Connections::default() };
    let serving = serving(&host.opened, limits, more).await.unwrap();
    let address = serving.address();
    let mut first = in_background(async move { ask(address, "POST", "/held", "", "a large body").await });
    entered.notified().await;
    let refused = ask(address, "POST", "/v1/workflows/validate", "", "another large body").await.unwrap();
    assert_eq!(refused.problem(), (503, "overloaded".to_owned()));
    let small = ask(address, "POST", "/v1/workflows/validate", "", "small").await.unwrap();
    assert_eq!(small.problem(), (401, "key_required".to_owned()), "it got as far as the key");
    release.notify_one();
    assert_eq!(first.join_next().await.unwrap().unwrap().unwrap().body, "12 bytes");
    serving.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_asked_before_the_end_is_answered() {
    let host = Host::new();
    let (more, entered, release) = held();
    let serving = serving(&host.opened, Connections::default(), more).await.unwrap();
    let address = serving.address();
    let mut first = in_background(async move { ask(address, "POST", "/held", "", "abc").await });
    entered.notified().await;
    let mut stopping = in_background(serving.stop());
    until(|| Ok(std::net::TcpStream::connect(address).is_err().then_some(()))).await.unwrap();
    assert!(stopping.try_join_next().is_none(), "a request is in flight");
    release.notify_one();
    assert_eq!(first.join_next().await.unwrap().unwrap().unwrap().body, "3 bytes");
    stopping.join_next().await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_does_not_end_does_not_hold_up_the_end() {
    let host = Host::new();
    let (more, entered, _release) = held();
    let limits = Connections { drain: SHORT, ..Connections::default() };
    let serving = serving(&host.opened, limits, more).await.unwrap();
    let address = serving.address();
    let mut first = in_background(async move { ask(address, "POST", "/held", "", "abc").await });
    entered.notified().await;
    let begun = Instant::now();
    serving.stop().await;
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    assert!(first.join_next().await.unwrap().unwrap().is_err(), "it was cut off");
}
