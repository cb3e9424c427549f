//! One question to a plugin and its answer: a fresh store and instance, bounded on every side, then checked.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use wasmtime::Store;

use crate::answer::{check_quote, check_step, check_verdict};
use crate::contract::{Failure, Hook, Major, Quote, Request, StepAnswer, StepRequest, Verdict};
use crate::failure::{CallError, Stopped};
use crate::guest::{Guest, stopped_by};
use crate::hooks::Hooks;
use crate::limits::Limits;
use crate::log::LogLine;
use crate::manifest::Manifest;
use crate::measure::{self, TooLarge};

/// A question to a plugin.
#[derive(Clone, Copy, Debug, Serialize)]
pub enum Call<'r> {
    /// May it be returned, how much, and from which purchases.
    Eligibility(&'r Request),
    /// What law and safety ask.
    Compliance(&'r Request),
    /// How much money, per take.
    Refund(&'r Request),
    /// A pure computation.
    Step(&'r StepRequest),
}

impl Call<'_> {
    /// The hook that the question is put to.
    #[must_use]
    pub fn hook(&self) -> Hook {
        match self {
            Self::Eligibility(_) => Hook::Eligibility,
            Self::Compliance(_) => Hook::Compliance,
            Self::Refund(_) => Hook::Refund,
            Self::Step(_) => Hook::Step,
        }
    }

    /// How many case lines the question is about.
    fn lines(&self) -> usize {
        match self {
            Self::Eligibility(request) | Self::Compliance(request) | Self::Refund(request) => request.lines.len(),
            Self::Step(_) => 0,
        }
    }
}

/// What a plugin answered, after it was checked against the question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Answer {
    /// Of the hooks eligibility and compliance.
    Verdict(Verdict),
    /// Of the hook refund.
    Quote(Quote),
    /// Of the hook step.
    Step(StepAnswer),
}

/// A call that ended with an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// The answer.
    pub answer: Answer,
    /// The fuel that was used.
    pub fuel: u64,
    /// What the plugin wrote for its merchant.
    pub log: Vec<LogLine>,
}

/// A call, however it ended, with what an author needs to see of a failed one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// The answer, or why there is none.
    pub result: Result<Answer, CallError>,
    /// The fuel that was used.
    pub fuel: u64,
    /// The fuel that was given.
    pub fuel_max: u64,
    /// What the plugin wrote for its merchant.
    pub log: Vec<LogLine>,
    /// Log lines beyond the limits.
    pub log_dropped: u64,
    /// The contract that the plugin speaks; none where it is not there.
    pub major: Option<Major>,
}

impl Attempt {
    /// A call that did not come as far as the plugin.
    pub(crate) fn failed(error: CallError) -> Self {
        Self { result: Err(error), fuel: 0, fuel_max: 0, log: Vec::new(), log_dropped: 0, major: None }
    }
}

/// What came of a call where it ran, before anybody judged it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Outcome {
    /// What the plugin said, or what stopped it.
    pub(crate) said: Result<Result<Answer, Failure>, Stopped>,
    /// The fuel that was used.
    pub(crate) fuel: u64,
    /// What the plugin wrote for its merchant.
    pub(crate) log: Vec<LogLine>,
    /// Log lines beyond the limits.
    pub(crate) log_dropped: u64,
}

impl Outcome {
    /// A call that did not come as far as the plugin.
    pub(crate) fn stopped(stopped: Stopped) -> Self {
        Self { said: Err(stopped), fuel: 0, log: Vec::new(), log_dropped: 0 }
    }
}

/// Asks once, by the given way with the given fuel, and judges what came of it: whether question and answer keep the limits, and
/// whether the answer fits the question.
pub(crate) fn attempt(
    call: Call<'_>,
    manifest: &Manifest,
    limits: &Limits,
    ask: impl FnOnce(u64) -> Outcome,
) -> Attempt {
    if let Err(TooLarge { what, got, max }) = measure_request(call, limits) {
        return Attempt::failed(CallError::RequestTooLarge { what, got, max });
    }
    let fuel_max = limits.fuel_for(call.lines());
    let Outcome { said, fuel, log, log_dropped } = ask(fuel_max);
    let result = said
        .map_err(|stopped| stopped.told(limits, fuel_max))
        .and_then(|said| said.map_err(|failure| of_plugin(failure, limits)))
        .and_then(|answer| check(answer, call, manifest, limits));
    Attempt { result, fuel: fuel.min(fuel_max), fuel_max, log, log_dropped, major: None }
}

fn measure_request(call: Call<'_>, limits: &Limits) -> Result<(), TooLarge> {
    match call {
        Call::Eligibility(request) | Call::Compliance(request) | Call::Refund(request) => {
            measure::request(request, limits)
        }
        Call::Step(request) => measure::step_request(request, limits),
    }
}

/// Runs a call in a new store and a new instance.
pub(crate) fn run(
    engine: &wasmtime::Engine,
    hooks: &Hooks,
    call: Call<'_>,
    limits: &Arc<Limits>,
    fuel: u64,
) -> Outcome {
    let mut store = match new_store(engine, limits, fuel) {
        Ok(store) => store,
        Err(error) => return Outcome::stopped(Stopped::Host(format!("{error:#}"))),
    };
    let said = ask(&mut store, hooks, call);
    // Without a reading the call counts as having used everything.
    let left = store.get_fuel().unwrap_or(0);
    let (log, log_dropped) = store.into_data().into_log();
    Outcome { said, fuel: fuel.saturating_sub(left), log, log_dropped }
}

fn new_store(engine: &wasmtime::Engine, limits: &Arc<Limits>, fuel: u64) -> wasmtime::Result<Store<Guest>> {
    let mut store = Store::try_new(engine, Guest::new(limits.clone()))?;
    store.limiter(|guest| guest);
    store.set_fuel(fuel)?;
    // A store without a deadline traps at once.
    store.set_epoch_deadline(limits.ticks());
    store.set_hostcall_fuel(limits.hostcall_fuel);
    Ok(store)
}

fn ask(store: &mut Store<Guest>, hooks: &Hooks, call: Call<'_>) -> Result<Result<Answer, Failure>, Stopped> {
    let stopped = |(phase, error)| stopped_by(&error, phase);
    Ok(match call {
        Call::Eligibility(request) => hooks.eligibility()?.ask(store, request).map_err(stopped)?.map(Answer::Verdict),
        Call::Compliance(request) => hooks.compliance()?.ask(store, request).map_err(stopped)?.map(Answer::Verdict),
        Call::Refund(request) => hooks.refund()?.ask(store, request).map_err(stopped)?.map(Answer::Quote),
        Call::Step(request) => hooks.step()?.ask(store, request).map_err(stopped)?.map(Answer::Step),
    })
}

/// What the plugin itself says went wrong, as long as it says it briefly.
fn of_plugin(failure: Failure, limits: &Limits) -> CallError {
    if let Err(too_large) = measure::failure(&failure, limits) {
        return answer_too_large(too_large);
    }
    match failure {
        Failure::CannotDecide(reasons) => CallError::CannotDecide(reasons),
        Failure::BadInput(text) => CallError::BadInput(text),
    }
}

fn check(answer: Answer, call: Call<'_>, manifest: &Manifest, limits: &Limits) -> Result<Answer, CallError> {
    match &answer {
        Answer::Verdict(verdict) => measure::verdict(verdict, call.lines(), limits),
        Answer::Quote(quote) => measure::quote(quote, call.lines(), limits),
        Answer::Step(step) => measure::step_answer(step, limits),
    }
    .map_err(answer_too_large)?;
    match (&answer, call) {
        (Answer::Verdict(verdict), Call::Eligibility(request) | Call::Compliance(request)) => {
            check_verdict(verdict, request, manifest)
        }
        (Answer::Quote(quote), Call::Refund(request)) => check_quote(quote, request, manifest),
        (Answer::Step(step), Call::Step(_)) => check_step(step, manifest),
        // Here each call is answered with its own kind; a process that was taken over may say anything.
        _ => return Err(CallError::Host { detail: "the answer is of another hook".to_owned() }),
    }
    .map_err(CallError::AnswerInvalid)?;
    Ok(answer)
}

fn answer_too_large(TooLarge { what, got, max }: TooLarge) -> CallError {
    CallError::AnswerTooLarge { what, got, max }
}

#[cfg(test)]
mod tests {
    use super::{Answer, Call, Outcome, attempt};
    use crate::contract::{Moment, StepAnswer, StepRequest, Verdict};
    use crate::failure::CallError;
    use crate::limits::Limits;
    use crate::log::LogLine;
    use crate::manifest::Manifest;

    /// What is told of a step when this came of it where it ran.
    fn told(said: Answer, fuel: u64) -> super::Attempt {
        let manifest = r#"{"name": "n", "version": "0.1.0", "sdk": "none", "hooks": ["step"]}"#;
        let manifest = Manifest::parse(manifest.as_bytes()).unwrap();
        let request = StepRequest {
            ask: String::new(),
            now: Moment { unix_ms: 0, local_day: 0, local_second: 0 },
            seed: 0,
            zone: String::new(),
            jurisdiction: String::new(),
            args: Vec::new(),
        };
        let log: Vec<LogLine> = Vec::new();
        let outcome = Outcome { said: Ok(Ok(said)), fuel, log, log_dropped: 0 };
        attempt(Call::Step(&request), &manifest, &Limits::default(), |_| outcome)
    }

    #[test]
    fn an_answer_of_another_hook_is_no_answer() {
        let verdict = Verdict { lines: Vec::new(), reasons: Vec::new(), duties: Vec::new(), provides: Vec::new() };
        let error = told(Answer::Verdict(verdict), 5).result.unwrap_err();
        assert!(matches!(&error, CallError::Host { detail } if detail.contains("another hook")), "{error}");
    }

    #[test]
    fn no_call_used_more_fuel_than_it_was_given_whoever_says_so() {
        let attempt = told(Answer::Step(StepAnswer { provides: Vec::new(), reasons: Vec::new() }), u64::MAX);
        assert_eq!((attempt.fuel, attempt.result.is_ok()), (attempt.fuel_max, true));
    }
}
