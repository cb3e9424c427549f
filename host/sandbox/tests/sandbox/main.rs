//! The sandbox against real WebAssembly: plugins that work, plugins that are broken, plugins that mean harm.
#![expect(clippy::unwrap_used, reason = "a helper that fails ends its test")]
#![expect(clippy::print_stdout, reason = "a test tells its seed, its counts and its times")]

#[expect(unreachable_pub, reason = "shared with the product's tests, where it is a public module")]
#[path = "../../../../tests/src/guests/mod.rs"]
mod guests;

#[expect(unreachable_pub, reason = "shared with the product's tests, where it is a public module")]
#[path = "../../../../tests/src/corpus/mod.rs"]
mod corpus;

mod answers;
mod cache;
mod calls;
mod classes;
mod compiling;
mod corpus_runs;
mod hostile;
#[cfg(feature = "trial")]
mod majors;
mod mutations;
mod second_wall;
mod uploads;

use std::sync::OnceLock;

use redress_sandbox::cell::Program;
use redress_sandbox::contract::{StepAnswer, Value};
use redress_sandbox::{Answer, Attempt, Call, CallError, Config, Digest, Hook, Limits, Sandbox, Wall};

use crate::corpus::question::{allow, gbp, moment, quote, quoted, request, step_request, take, verdict};
use crate::guests::Guest;

/// The sandbox that most tests share. Its clock is far away, so that a busy machine changes no outcome.
fn sandbox() -> &'static Sandbox {
    static SHARED: OnceLock<Sandbox> = OnceLock::new();
    SHARED.get_or_init(|| with(patient()))
}

/// A sandbox with its own limits.
fn with(limits: Limits) -> Sandbox {
    let interpreter_limits = Limits { wall_clock_ms: 60_000, ..Limits::interpreter() };
    Sandbox::new(Config { limits, interpreter_limits, ..usual() }).unwrap()
}

/// Where plugins run: these tests are two programs, since `cells` is this folder by another name,
/// and in that one every plugin runs in a process of its own.
fn usual() -> Config {
    let wall = match env!("CARGO_CRATE_NAME") {
        "cells" => Wall::Cells(program()),
        _ => Wall::Sandbox,
    };
    Config { wall, ..Config::default() }
}

/// The process that runs plugins for this package's tests.
fn program() -> Program {
    Program { path: env!("CARGO_BIN_EXE_redress-sandbox-child").into(), args: vec!["run".into()] }
}

/// The default limits but for the clock.
fn patient() -> Limits {
    Limits { wall_clock_ms: 60_000, ..Limits::default() }
}

/// Loads a guest; a guest that is refused is a mistake in the test.
fn load(sandbox: &Sandbox, guest: &Guest) -> Digest {
    sandbox.load(&guest.component().unwrap()).unwrap().digest
}

/// Puts the usual question of the guest's hook to it.
fn ask(sandbox: &Sandbox, guest: &Guest) -> Attempt {
    let digest = load(sandbox, guest);
    let (request, step) = (request(), step_request());
    let call = match sandbox.info(&digest).unwrap().hooks[0] {
        Hook::Eligibility => Call::Eligibility(&request),
        Hook::Compliance => Call::Compliance(&request),
        Hook::Refund => Call::Refund(&request),
        Hook::Step => Call::Step(&step),
    };
    sandbox.attempt(&digest, call)
}

/// The failure of a guest that must fail.
fn failure(guest: &Guest) -> CallError {
    ask(sandbox(), guest).result.unwrap_err()
}

/// The integer that a step provides.
fn integer(attempt: Attempt) -> i64 {
    match attempt.result.unwrap() {
        Answer::Step(StepAnswer { provides, .. }) => match provides[0].value {
            Value::Integer(number) => number,
            ref other => panic!("not an integer: {other:?}"),
        },
        other => panic!("not a step's answer: {other:?}"),
    }
}
