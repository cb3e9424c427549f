//! What waits for its time: all of it, once, not early, whatever happens to the clock.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant as Moment};

use axum::Router;
use redress::clock::Clock as _;
use redress::clock::steady::Standing;
use redress::config::Connections;
use redress::engine::repeat::{Before, Repeat};
use redress::engine::{Engine, Submission, Target};
use redress::http::tenancy::State;
use redress_domain::case::Status;
use redress_domain::case::command::Body;
use redress_domain::clock::Span;
use redress_domain::ids::{CaseId, Digest};
use redress_store::batch::Batch;
use redress_store::work::{Kind, WorkItem, WorkKey};
use redress_tests::serving::{get, serving, until};
use redress_tests::shop::stands;
use redress_tests::web::Web;
use redress_tests::world::{a_return, submission};

use super::{A_WEEK_THEN_MONEY, Host};

const DUE: usize = 10_000;
/// What the product promises for that many.
const PROMISED: Duration = Duration::from_secs(60);

/// Waits for a week and gives up.
const A_WEEK: &str = r#"
format: 1
workflow: tried
currency: GBP
triggers: [{ case_opened: { type: return } }]
events: { goods_received: {} }
steps:
  - { id: goods, await: { event: goods_received, timeout: { after: 7d, then: late } } }
  - { id: late, finish: { result: late } }
"#;

fn week() -> Span {
    Span::from_days(7)
}

fn open(engine: &Engine) -> CaseId {
    let open = Body::Open(Box::new(a_return("c1", &[("A1", 1)]).unwrap()));
    engine.execute(submission(Target::New, open)).unwrap().case
}

/// How many refunds were decided: each is an effect that waits to be sent.
fn refunds(engine: &Engine, cases: &[CaseId]) -> usize {
    cases.iter().map(|case| engine.case(*case).unwrap().unwrap().effects.len()).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_waits_that_end_in_one_second_end_once_within_a_minute_while_others_go_on() {
    let host = Host::new();
    let (busy, other) = (host.merchant("busy", A_WEEK), host.merchant("other", A_WEEK));
    let cases = many(&busy, DUE).await;
    let serving = serving(&host.opened, Connections::default(), Router::new()).await.unwrap();

    let (done, beside) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let (over, count, engine) = (done.clone(), beside.clone(), other.clone());
    let worst = tokio::task::spawn_blocking(move || {
        let mut worst = Duration::ZERO;
        while !over.load(Ordering::SeqCst) {
            let begun = Moment::now();
            open(&engine);
            worst = worst.max(begun.elapsed());
            count.fetch_add(1, Ordering::SeqCst);
        }
        worst
    });

    host.hand.pass(week());
    let begun = Moment::now();
    // One turn of each case, and none is left.
    until(|| Ok((busy.counts().turns >= 2 * DUE as u64).then_some(()))).await.unwrap();
    let took = begun.elapsed();
    done.store(true, Ordering::SeqCst);
    let (worst, beside) = (worst.await.unwrap(), beside.load(Ordering::SeqCst));
    println!("{DUE} waits ended in {took:?}; beside them {beside} cases of another merchant, the slowest in {worst:?}");
    assert!(took < PROMISED, "{took:?}");
    assert!(beside >= 20 && worst < Duration::from_secs(5), "{beside} cases, the slowest in {worst:?}");
    serving.stop().await;
    for case in &cases {
        let case = busy.case(*case).unwrap().unwrap();
        assert_eq!((stands(&case), case.turn), ("late", 2), "{}", case.number);
    }
    assert_eq!(busy.run_due(host.opened.clock.now()).unwrap(), 0, "nothing is left, nothing comes twice");
}

/// Open so many cases, as many at once as there is room for.
async fn many(engine: &Engine, count: usize) -> Vec<CaseId> {
    let (sender, receiver) = std::sync::mpsc::channel();
    let engine = engine.clone();
    tokio::task::spawn_blocking(move || {
        let mut cases = Vec::with_capacity(count);
        let mut handed = 0;
        while cases.len() < count {
            while handed < count && handed - cases.len() < 1_000 {
                let open = Body::Open(Box::new(a_return("c1", &[("A1", 1)]).unwrap()));
                let sender = sender.clone();
                engine.submit(submission(Target::New, open), move |result| drop(sender.send(result))).unwrap();
                handed += 1;
            }
            cases.push(receiver.recv().unwrap().unwrap().case);
        }
        cases
    })
    .await
    .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_jumps_pays_nothing_early_and_loses_nothing() {
    for jump in [Span::from_days(3_650), Span::from_millis(-3_600_000)] {
        let host = Host::new();
        let engine = host.merchant("shop", A_WEEK_THEN_MONEY);
        let cases: Vec<CaseId> = (0..5).map(|_| open(&engine)).collect();
        let serving = serving(&host.opened, Connections::default(), Router::new()).await.unwrap();
        let clock = &host.opened.clock;
        host.hand.jump(jump);
        assert_eq!(clock.read().standing, Standing::Jumped);
        host.hand.pass(Span::from_millis(week().millis() - 1));
        // By now the loop has looked more often than once, and what it would do can be done here.
        assert_eq!(engine.run_due(clock.now()).unwrap(), 0);
        assert_eq!(refunds(&engine, &cases), 0, "a week is not over");
        host.hand.pass(Span::from_millis(1));
        until(|| Ok((refunds(&engine, &cases) == cases.len()).then_some(()))).await.unwrap();
        serving.stop().await;
        assert_eq!(refunds(&engine, &cases), cases.len(), "each once");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_with_a_clock_that_is_years_ahead_holds_what_waits_until_it_is_right_again() {
    let host = Host::new();
    let engine = host.merchant("shop", A_WEEK_THEN_MONEY);
    let cases = [open(&engine)];
    drop(engine);
    serving(&host.opened, Connections::default(), Router::new()).await.unwrap().stop().await;

    host.hand.jump(Span::from_days(3_650));
    let host = host.again();
    assert_eq!(host.opened.clock.read().standing, Standing::Held);
    let held = serving(&host.opened, Connections::default(), Router::new()).await.unwrap();
    let ready = get(held.address(), "/readyz").await.unwrap();
    assert!(ready.status == 503 && ready.body.contains("timers are held"), "{}", ready.body);
    let engine = host.opened.app.engine("shop").unwrap();
    assert_eq!(engine.run_due(host.opened.clock.now()).unwrap(), 0);
    held.stop().await;
    drop(engine);

    host.hand.jump(Span::from_days(-3_650));
    host.hand.pass(week());
    let host = host.again();
    assert_eq!(host.opened.clock.read().standing, Standing::Follows);
    let engine = host.opened.app.engine("shop").unwrap();
    let serving = serving(&host.opened, Connections::default(), Router::new()).await.unwrap();
    until(|| Ok((refunds(&engine, &cases) == 1).then_some(()))).await.unwrap();
    serving.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_with_a_clock_set_back_goes_on_from_where_it_was() {
    let host = Host::new();
    let engine = host.merchant("shop", A_WEEK_THEN_MONEY);
    let case = open(&engine);
    drop(engine);
    host.hand.pass(Span::from_days(6));
    serving(&host.opened, Connections::default(), Router::new()).await.unwrap().stop().await;

    host.hand.jump(Span::from_days(-6));
    let host = host.again();
    let engine = host.opened.app.engine("shop").unwrap();
    let serving = serving(&host.opened, Connections::default(), Router::new()).await.unwrap();
    assert!(matches!(engine.case(case).unwrap().unwrap().status, Status::Waiting { .. }));
    host.hand.pass(Span::from_days(1));
    until(|| Ok((refunds(&engine, &[case]) == 1).then_some(()))).await.unwrap();
    serving.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_that_is_made_while_the_host_serves_has_its_timers_too() {
    let host = Host::new();
    let serving = serving(&host.opened, Connections::default(), Router::new()).await.unwrap();
    let engine = host.merchant("late-comer", A_WEEK);
    let case = open(&engine);
    host.hand.pass(week());
    until(|| Ok((stands(&engine.case(case)?.unwrap()) == "late").then_some(()))).await.unwrap();
    serving.stop().await;
}

#[test]
fn work_that_fails_again_and_again_is_left_alone_for_longer_each_time() {
    let host = Host::new();
    let engine = host.merchant("shop", A_WEEK);
    let key = WorkKey { kind: Kind::Timer, key: vec![1] };
    let broken = WorkItem { key, due: host.opened.clock.now(), payload: vec![0xff] };
    let mut batch = Batch::default();
    batch.work.put.push(broken);
    engine.store().append(batch).unwrap();
    let mut pauses = Vec::new();
    for _ in 0..10 {
        let now = host.opened.clock.now();
        let slice = engine.run_due_slice(&[Kind::Timer], now).unwrap();
        assert_eq!((slice.claimed, slice.done), (1, 0));
        // What was given back is stored behind the answer.
        let next = loop {
            let next = engine.next_due(Kind::Timer).unwrap().unwrap();
            let was_given_back = pauses.is_empty() || next != now.after(host.opened.app.limits().due_lease);
            if was_given_back {
                break next;
            }
            std::thread::yield_now();
        };
        pauses.push((next.unix_ms() - now.unix_ms()) / 1_000);
        host.hand.pass(Span::from_millis(next.unix_ms() - now.unix_ms()));
    }
    assert_eq!(pauses, [30, 60, 120, 240, 480, 960, 1_920, 3_840, 3_840, 3_840]);
}

#[test]
fn an_answer_is_kept_for_seven_days_and_no_longer() {
    let host = Host::new();
    let engine = host.merchant("shop", A_WEEK);
    let repeat = Repeat { scope: "key".to_owned(), key: "one".to_owned(), body: Digest::of(b"body") };
    let open = Body::Open(Box::new(a_return("c1", &[("A1", 1)]).unwrap()));
    engine.execute(Submission { repeat: Some(repeat.clone()), ..submission(Target::New, open) }).unwrap();
    host.hand.pass(week());
    assert_eq!(engine.forget_answers(host.opened.clock.now(), None).unwrap(), (0, None));
    assert!(matches!(engine.answered(&repeat).unwrap(), Before::Answered(_)));
    host.hand.pass(Span::from_millis(1));
    assert_eq!(engine.forget_answers(host.opened.clock.now(), None).unwrap(), (1, None));
    assert_eq!(engine.answered(&repeat).unwrap(), Before::Never);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_host_itself_answered_is_forgotten_while_it_runs() {
    let host = Host::new();
    let state = State::new(host.opened.app.clone(), host.opened.keys.clone());
    let operator = Web::on(state.clone()).operator().unwrap();
    let body = serde_json::json!({ "name": "night", "role": "operator" });
    let made = Web::on(state).ask("POST", "/v1/keys").by(&operator).named("k").json(&body).send().await;
    assert_eq!(made.status, 201);
    let answered = || -> anyhow::Result<usize> { Ok(host.opened.app.host().settings("answered/", None, 10)?.len()) };
    assert_eq!(answered().unwrap(), 1);
    host.hand.pass(Span::from_days(8));
    let serving = serving(&host.opened, Connections::default(), Router::new()).await.unwrap();
    until(|| answered().map(|left| (left == 0).then_some(()))).await.unwrap();
    serving.stop().await;
}

/// A count on each working day.
const DAILY: &str = r#"
format: 1
workflow: counted
currency: GBP
zone: UTC
triggers: [{ schedule: { cron: 0 9 * * *, type: count } }]
steps:
  - { id: later, wait: { for: 7d } }
  - { id: done, finish: { result: counted } }
"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_serves_opens_what_schedules_say_and_the_newest_of_what_it_missed() {
    let host = Host::new();
    let engine = host.merchant("counts", DAILY);
    let serving = serving(&host.opened, Connections::default(), Router::new()).await.unwrap();
    let planned = || Ok(engine.next_due(Kind::Schedule)?);
    let first = until(planned).await.unwrap();
    let day = Span::from_days(1);
    for n in 1..=3 {
        host.hand.pass(day);
        let due = first.after(Span::from_days(n));
        until(|| Ok(planned()?.filter(|next| *next == due))).await.unwrap();
        // A turn is counted just after it is committed.
        until(|| Ok((engine.counts().turns >= n.unsigned_abs()).then_some(()))).await.unwrap();
        assert_eq!(engine.counts().turns, n.unsigned_abs());
    }
    host.hand.pass(Span::from_days(30));
    until(|| Ok(planned()?.filter(|next| *next > first.after(Span::from_days(30))))).await.unwrap();
    // The waits of the three cases have ended beside the one new case.
    until(|| Ok((engine.counts().turns >= 7).then_some(()))).await.unwrap();
    assert_eq!(engine.counts().turns, 7);
    serving.stop().await;
}
