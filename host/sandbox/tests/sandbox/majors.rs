//! Two majors of the contract side by side: the one that is offered, and a trial of what comes after it.

use redress_sandbox::contract::{Attribute, Major, Reason, StepAnswer, Value};
use redress_sandbox::{Answer, Call, CallError, Config, Hook, Sandbox};

use crate::corpus::question::{request, step_request};
use crate::guests::{Guest, deny_all};
use crate::{patient, usual};

const TRIAL: &str = include_str!("../../trial/redress-plugin-2/types.wit");

/// A host that speaks both.
fn bilingual() -> Sandbox {
    Sandbox::new(Config { limits: patient(), spoken: Major::WITH_TRIAL, ..usual() }).unwrap()
}

fn text(key: &str, value: &str) -> Attribute {
    Attribute { key: key.to_owned(), value: Value::Text(value.to_owned()) }
}

#[test]
fn plugins_of_two_majors_answer_the_same_question_side_by_side() {
    let sandbox = bilingual();
    let older = sandbox.load(&deny_all().component().unwrap()).unwrap();
    let newer = sandbox.load(&deny_all().contract(TRIAL).component().unwrap()).unwrap();
    assert_eq!([older.major, newer.major], [Major::Zero, Major::Two]);
    assert_eq!([older.major.number(), newer.major.number()], [0, 2]);
    let question = request();
    let answer = |digest| sandbox.call(digest, Call::Eligibility(&question)).unwrap().answer;
    let Answer::Verdict(verdict) = answer(&newer.digest) else { panic!() };
    assert!(!verdict.lines.is_empty() && verdict.lines.len() == question.lines.len());
    assert_eq!(answer(&older.digest), Answer::Verdict(verdict));
}

/// Provides the first jurisdiction and a duration, for a reason that warns; all three are written in the newer contract only.
fn newer_step() -> Guest {
    let body = r#"(local $answer i32) (local $provides i32) (local $reason i32)
        (local.set $answer (call $alloc (i32.const 8) (i32.const 64)))
        (local.set $provides (call $alloc (i32.const 8) (i32.const 64)))
        (local.set $reason (call $alloc (i32.const 8) (i32.const 64)))
        (call $log (i32.const 2) (i32.const 16) (i32.const 5))
        (i32.store offset=4 (local.get $answer) (local.get $provides))
        (i32.store offset=8 (local.get $answer) (i32.const 2))
        (i32.store offset=12 (local.get $answer) (local.get $reason))
        (i32.store offset=16 (local.get $answer) (i32.const 1))
        (i32.store (local.get $provides) (i32.const 16))
        (i32.store offset=4 (local.get $provides) (i32.const 5))
        (i32.store offset=16 (local.get $provides) (i32.load (local.get 8)))
        (i32.store offset=20 (local.get $provides) (i32.load offset=4 (local.get 8)))
        (i32.store offset=32 (local.get $provides) (i32.const 21))
        (i32.store offset=36 (local.get $provides) (i32.const 4))
        (i32.store8 offset=40 (local.get $provides) (i32.const 6))
        (i64.store offset=48 (local.get $provides) (i64.const 90000))
        (i32.store (local.get $reason) (i32.const 25))
        (i32.store offset=4 (local.get $reason) (i32.const 7))
        (i32.store8 offset=60 (local.get $reason) (i32.const 1))
        (local.get $answer)"#;
    let names = r#"(data (i32.const 16) "wheretookchecked")"#;
    Guest::new(Hook::Step).contract(TRIAL).fields(names).body(body).provides(r#"{"where":"text","took":"integer"}"#)
}

#[test]
fn what_only_the_newer_one_knows_reaches_the_host_in_its_own_words() {
    let sandbox = bilingual();
    let newer = sandbox.load(&newer_step().component().unwrap()).unwrap();
    let question = step_request();
    let answered = sandbox.call(&newer.digest, Call::Step(&question)).unwrap();
    let reason = Reason {
        code: "checked".to_owned(),
        cites: None,
        used: Vec::new(),
        params: vec![text("contract.severity", "warning")],
    };
    let took = Attribute { key: "took".to_owned(), value: Value::Integer(90_000) };
    let provides = vec![text("where", &question.jurisdiction), took];
    assert_eq!(answered.answer, Answer::Step(StepAnswer { provides, reasons: vec![reason] }));
    assert_eq!(answered.log.len(), 1);
    assert_eq!(answered.log[0].text, "where");
}

#[test]
fn a_failure_that_only_the_newer_one_knows_ends_with_a_person() {
    let sandbox = bilingual();
    let body = r"(local $answer i32)
        (local.set $answer (call $alloc (i32.const 8) (i32.const 64)))
        (i32.store8 (local.get $answer) (i32.const 1))
        (i32.store8 offset=4 (local.get $answer) (i32.const 2))
        (i32.store offset=8 (local.get $answer) (i32.const 16))
        (i32.store offset=12 (local.get $answer) (i32.const 6))
        (local.get $answer)";
    let guest = Guest::new(Hook::Step).contract(TRIAL).fields(r#"(data (i32.const 16) "a loan")"#).body(body);
    let newer = sandbox.load(&guest.component().unwrap()).unwrap();
    let error = sandbox.call(&newer.digest, Call::Step(&step_request())).unwrap_err();
    let CallError::CannotDecide(reasons) = error else { panic!("{error}") };
    assert_eq!(reasons[0].code, "not_mine");
    assert_eq!(reasons[0].params, [text("why", "a loan")]);
}

#[test]
fn a_host_that_is_not_told_to_speak_it_refuses_the_newer_one_by_name() {
    let sandbox = Sandbox::new(Config { limits: patient(), ..usual() }).unwrap();
    let refusal = sandbox.load(&newer_step().component().unwrap()).unwrap_err();
    assert_eq!(refusal.code(), "upload_forbidden_import");
    assert!(refusal.to_string().contains("@2.0.0") && refusal.to_string().contains("@0.1.0"), "{refusal}");
}

#[test]
fn the_types_of_each_major_are_its_own() {
    let sandbox = bilingual();
    // The newer name over the older types.
    let renamed = crate::guests::CONTRACT.replace("@0.1.0", "@2.0.0");
    let refusal = sandbox.load(&deny_all().contract(&renamed).component().unwrap()).unwrap_err();
    assert_eq!(refusal.code(), "upload_wrong_type");
    assert!(refusal.to_string().contains("redress:plugin/eligibility@2.0.0"), "{refusal}");
}
