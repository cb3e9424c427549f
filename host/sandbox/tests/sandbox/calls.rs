//! Plugins that work: answers, logs, fuel, isolation between calls, several threads.

use std::sync::Barrier;
use std::thread;

use redress_sandbox::contract::{
    Attribute, Citation, Disposition, Level, Reason, Remedy, StepAnswer, Tier, Value, Verdict,
};
use redress_sandbox::{Answer, Call, CallError, Hook, Limits};

use crate::guests::{Guest, counting, deny_all, integer_step, quoting, taking};
use crate::{
    allow, ask, gbp, integer, load, moment, patient, quote, quoted, request, sandbox, step_request, take, verdict, with,
};

#[test]
fn every_kind_of_value_comes_over_unchanged() {
    let value = |key: &str, value| Attribute { key: key.to_owned(), value };
    let provides = vec![
        value("text", Value::Text("退货 <b>=1+1</b>".to_owned())),
        value("integer", Value::Integer(i64::MIN)),
        value("decimal", Value::Decimal(redress_sandbox::contract::Decimal { mantissa: -15, scale: 28 })),
        value("boolean", Value::Boolean(true)),
        value("timestamp", Value::Timestamp(moment())),
        value("money", Value::Money(gbp(i64::MAX))),
    ];
    let declared = r#"{"text":"text","integer":"integer","decimal":"decimal","boolean":"boolean",
        "timestamp":{"type":"timestamp"},"money":"money","absent":"text?"}"#;
    let answer = StepAnswer { provides, reasons: Vec::new() };
    let guest = Guest::new(Hook::Step).provides(declared).step(&answer);
    assert_eq!(ask(sandbox(), &guest).result, Ok(Answer::Step(answer)));
}

#[test]
fn a_verdict_comes_over_with_its_takes_and_reasons() {
    let reason = Reason {
        code: "within_window".to_owned(),
        cites: Some(Citation {
            pack: "eu".to_owned(),
            rule: "r1".to_owned(),
            article: "2011/83 art. 9".to_owned(),
            mark: "V1".to_owned(),
        }),
        used: vec!["now".to_owned(), "purchase.at".to_owned()],
        params: vec![Attribute { key: "days".to_owned(), value: Value::Integer(3) }],
    };
    let mut first = allow(0, 3, vec![take("536378", 2), take("536400", 1)]);
    first.disposition = Some(Disposition::ReturnToMaker);
    first.reasons = vec![reason.clone()];
    let mut second = allow(1, 0, Vec::new());
    second.remedy = Remedy::Review;
    second.tier = Tier::Safety;
    let expected = Verdict { reasons: vec![reason], ..verdict(vec![first, second]) };
    for hook in [Hook::Eligibility, Hook::Compliance] {
        let guest = Guest::new(hook).verdict(&expected);
        assert_eq!(ask(sandbox(), &guest).result, Ok(Answer::Verdict(expected.clone())));
    }
}

#[test]
fn the_ready_made_guests_read_their_request() {
    let Ok(Answer::Verdict(denied)) = ask(sandbox(), &deny_all()).result else { panic!() };
    let lines: Vec<_> =
        denied.lines.iter().map(|line| (line.line, line.remedy, line.reasons[0].code.as_str())).collect();
    assert_eq!(lines, [(0, Remedy::Deny, "deny_all"), (1, Remedy::Deny, "deny_all")]);

    let expected = verdict(vec![allow(0, 2, vec![take("536378", 2)])]);
    assert_eq!(ask(sandbox(), &taking(2)).result, Ok(Answer::Verdict(expected)));

    let expected = quote(vec![quoted(0, take("536378", 1), gbp(250))]);
    assert_eq!(ask(sandbox(), &quoting(250, "GBP")).result, Ok(Answer::Quote(expected)));
}

#[test]
fn nothing_survives_from_one_call_to_the_next() {
    assert_eq!(integer(ask(sandbox(), &counting())), 1);
    assert_eq!(integer(ask(sandbox(), &counting())), 1);
    // Nor in memory, though slots are used again.
    let code = "(i32.store (i32.const 900000) (i32.add (i32.load (i32.const 900000)) (i32.const 1)))
                (i64.load32_u (i32.const 900000))";
    for _ in 0..100 {
        assert_eq!(integer(ask(sandbox(), &integer_step("kept", code))), 1);
    }
}

#[test]
fn the_bits_of_a_nan_are_the_same_everywhere() {
    let code = "(i64.extend_i32_u (i32.reinterpret_f32
        (f32.add (f32.reinterpret_i32 (i32.const 0x7fe00001)) (f32.const 1))))";
    assert_eq!(integer(ask(sandbox(), &integer_step("bits", code))), 0x7fc0_0000);
}

#[test]
fn sandboxes_with_the_same_settings_have_the_same_fingerprint() {
    let other = with(Limits { calls_at_once_max: 2, ..patient() });
    assert_eq!(sandbox().fingerprint(), other.fingerprint());
    assert!(other.fingerprint().starts_with("wasmtime 48."), "{}", other.fingerprint());
}

#[test]
fn the_same_question_costs_the_same_fuel() {
    let fuel: Vec<u64> = (0..20).map(|_| ask(sandbox(), &deny_all()).fuel).collect();
    assert!(fuel[0] > 0);
    assert!(fuel.iter().all(|one| *one == fuel[0]), "{fuel:?}");
}

#[test]
fn one_unit_of_fuel_decides_and_always_in_the_same_way() {
    let guest = integer_step(
        "n",
        "(loop $next (global.set $n (i64.add (global.get $n) (i64.const 1)))
           (br_if $next (i64.lt_u (global.get $n) (i64.const 1000)))) (global.get $n)",
    )
    .fields("(global $n (mut i64) (i64.const 0))");
    let ends = |fuel: u64| ask(&with(Limits { fuel, ..patient() }), &guest).result;
    let (mut fails, mut works) = (0, ask(sandbox(), &guest).fuel);
    while works - fails > 1 {
        let middle = fails + (works - fails) / 2;
        if ends(middle).is_ok() { works = middle } else { fails = middle }
    }
    for _ in 0..3 {
        assert!(ends(works).is_ok());
        assert_eq!(ends(fails), Err(CallError::OutOfFuel { fuel: fails }));
    }
}

#[test]
fn a_log_is_kept_for_the_merchant_even_when_the_call_fails() {
    let guest = Guest::new(Hook::Step)
        .fields(r#"(data (i32.const 5000) "why\n\1b[31mit failed")"#)
        .body("(call $log (i32.const 2) (i32.const 5000) (i32.const 18)) unreachable");
    let attempt = ask(sandbox(), &guest);
    assert_eq!(attempt.result.unwrap_err().code(), "plugin_trap");
    assert_eq!(attempt.log.len(), 1);
    assert_eq!((attempt.log[0].level, attempt.log[0].text.as_str()), (Level::Warn, "why [31mit failed"));
}

#[test]
fn a_plugin_is_asked_only_what_it_offers_and_only_when_it_is_loaded() {
    let sandbox = with(patient());
    let digest = load(&sandbox, &deny_all());
    let request = request();
    assert_eq!(sandbox.call(&digest, Call::Refund(&request)), Err(CallError::HookMissing { hook: Hook::Refund }));
    assert!(sandbox.is_loaded(&digest));
    assert!(sandbox.unload(&digest));
    assert!(!sandbox.unload(&digest));
    let error = sandbox.call(&digest, Call::Eligibility(&request)).unwrap_err();
    assert_eq!((error.code(), error.is_infrastructure()), ("plugin_not_loaded", true));
    assert_eq!(
        sandbox.stats().errors.into_iter().collect::<Vec<_>>(),
        [("plugin_hook_missing", 1), ("plugin_not_loaded", 1)]
    );
}

#[test]
fn a_request_that_is_too_large_is_not_asked() {
    let digest = load(sandbox(), &deny_all());
    let mut many = request();
    many.purchases = vec![many.purchases[0].clone(); 2_001];
    let error = sandbox().call(&digest, Call::Eligibility(&many)).unwrap_err();
    assert_eq!(error, CallError::RequestTooLarge { what: "purchases", got: 2_001, max: 2_000 });
    many.purchases.truncate(2_000);
    sandbox().call(&digest, Call::Eligibility(&many)).unwrap();
    many.about.number = "x".repeat(1 << 20);
    let error = sandbox().call(&digest, Call::Eligibility(&many)).unwrap_err();
    assert_eq!(error.code(), "plugin_request_too_large");
}

#[test]
pub(crate) fn threads_that_load_one_plugin_compile_it_once() {
    let sandbox = with(patient());
    let bytes = counting().component().unwrap();
    let barrier = Barrier::new(8);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                barrier.wait();
                sandbox.load(&bytes).unwrap();
            });
        }
    });
    assert_eq!(sandbox.stats().compiled, 1);
}

#[test]
pub(crate) fn a_merchant_whose_plugin_loops_does_not_stop_another_merchants_calls() {
    let sandbox = with(Limits { fuel: 500_000_000, ..patient() });
    let bad = load(&sandbox, &Guest::new(Hook::Eligibility).body("(loop $for_ever (br $for_ever)) unreachable"));
    let good = load(&sandbox, &deny_all());
    let (request, barrier) = (request(), Barrier::new(2));
    thread::scope(|scope| {
        let looping = scope.spawn(|| {
            barrier.wait();
            sandbox.call(&bad, Call::Eligibility(&request))
        });
        barrier.wait();
        let mut meanwhile = 0;
        while !looping.is_finished() {
            sandbox.call(&good, Call::Eligibility(&request)).unwrap();
            meanwhile += 1;
        }
        assert!(meanwhile > 10, "{meanwhile} calls while the other looped");
        assert_eq!(looping.join().unwrap().unwrap_err().code(), "plugin_out_of_fuel");
    });
}

#[test]
pub(crate) fn a_call_beyond_those_that_may_run_at_once_is_told_so() {
    let sandbox = with(Limits { fuel: u64::MAX, calls_at_once_max: 1, wall_clock_ms: 1_000, ..Limits::default() });
    let bad = load(&sandbox, &Guest::new(Hook::Eligibility).body("(loop $for_ever (br $for_ever)) unreachable"));
    let good = load(&sandbox, &deny_all());
    let request = request();
    thread::scope(|scope| {
        // The one place may be taken by the good plugin at first.
        let looping = scope.spawn(|| {
            loop {
                match sandbox.call(&bad, Call::Eligibility(&request)) {
                    Err(CallError::Busy) => thread::yield_now(),
                    ended => return ended,
                }
            }
        });
        // It comes first, or its first try meets this thread's and it tries again.
        while sandbox.stats().calls == 0 {
            thread::yield_now();
        }
        let mut turned_away = 0;
        while !looping.is_finished() {
            match sandbox.call(&good, Call::Eligibility(&request)) {
                Err(CallError::Busy) => turned_away += 1,
                other => drop(other.unwrap()),
            }
        }
        assert!(turned_away > 0);
        assert!(looping.join().unwrap().unwrap_err().is_infrastructure());
    });
    sandbox.call(&good, Call::Eligibility(&request)).unwrap();
}

#[test]
pub(crate) fn plugins_exchanged_under_way_give_their_own_answers_and_nobody_elses() {
    let sandbox = with(patient());
    let versions: Vec<Vec<u8>> =
        (0..4).map(|n| integer_step("n", &format!("(i64.const {n})")).component().unwrap()).collect();
    let digests: Vec<_> = versions.iter().map(|bytes| sandbox.describe(bytes).unwrap().digest).collect();
    let step = step_request();
    let done = std::sync::atomic::AtomicBool::new(false);
    thread::scope(|scope| {
        let callers: Vec<_> = (0..2)
            .map(|caller| {
                let (sandbox, digests, step, done) = (&sandbox, &digests, &step, &done);
                scope.spawn(move || {
                    let mut answered = 0;
                    for n in (0..digests.len()).cycle().skip(caller) {
                        if done.load(std::sync::atomic::Ordering::Relaxed) {
                            break;
                        }
                        match sandbox.call(&digests[n], Call::Step(step)) {
                            Err(CallError::NotLoaded { .. }) => thread::yield_now(),
                            other => {
                                let Answer::Step(StepAnswer { provides, .. }) = other.unwrap().answer else { panic!() };
                                assert_eq!(provides[0].value, Value::Integer(i64::try_from(n).unwrap()));
                                answered += 1;
                            }
                        }
                    }
                    answered
                })
            })
            .collect();
        for round in 0..60 {
            sandbox.load(&versions[round % 4]).unwrap();
            sandbox.unload(&digests[(round + 2) % 4]);
        }
        done.store(true, std::sync::atomic::Ordering::Relaxed);
        let answered: i32 = callers.into_iter().map(|caller| caller.join().unwrap()).sum();
        assert!(answered > 0);
    });
}

#[test]
fn a_plugin_that_nobody_holds_is_swept_away_and_a_library_brings_it_back() {
    let guest = deny_all();
    let bytes = guest.component().unwrap();
    let sandbox = with(patient());
    let held = sandbox.load(&bytes).unwrap();
    assert_eq!((sandbox.sweep(), sandbox.loaded()), (0, 1));
    drop(held);
    assert_eq!((sandbox.sweep(), sandbox.loaded()), (1, 0));
    let digest = sandbox.describe(&bytes).unwrap().digest;
    assert_eq!(sandbox.loaded(), 0, "what is described is not loaded");
    let request = request();
    let failed = sandbox.attempt(&digest, Call::Eligibility(&request)).result;
    assert!(matches!(failed, Err(CallError::NotLoaded { .. })), "{failed:?}");
    let with_library = sandbox.with_library(std::sync::Arc::new(move |wanted: &redress_sandbox::Digest| {
        (*wanted == digest).then(|| bytes.clone())
    }));
    assert!(with_library.attempt(&digest, Call::Eligibility(&request)).result.is_ok());
    assert!(with_library.require(&[0; 32]).is_none());
    assert_eq!(with_library.stats().compiled, 2);
}

#[test]
fn plugins_that_were_fetched_and_are_held_by_nobody_make_room() {
    let sandbox = with(Limits { plugins_idle_max: 2, ..patient() });
    let guests: Vec<Vec<u8>> =
        (0..5).map(|n| integer_step("count", &format!("(i64.const {n})")).component().unwrap()).collect();
    let digests: Vec<_> = guests.iter().map(|bytes| sandbox.describe(bytes).unwrap().digest).collect();
    let find = {
        let digests = digests.clone();
        move |wanted: &redress_sandbox::Digest| {
            digests.iter().position(|one| one == wanted).map(|at| guests[at].clone())
        }
    };
    let sandbox = sandbox.with_library(std::sync::Arc::new(find));
    let step = step_request();
    for (n, digest) in (0..).zip(&digests) {
        assert_eq!(integer(sandbox.attempt(digest, Call::Step(&step))), n);
        assert!(sandbox.loaded() <= 2);
    }
}
