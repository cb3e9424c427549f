//! Questions to plugins: translated, put to the sandbox, and the answer in the core's words.

use redress_domain::ask::{Answer, Answered, Ask, Failure};
use redress_domain::ids::Digest;
use redress_domain::workflow::definition::{Definition, Hook};
use redress_domain::workflow::run::Run;
use redress_sandbox::{Call, CallError, Sandbox};

use super::translate::{self, Place};

/// Put a question to a plugin; every way of failing is an answer that leads to a person. `known` may have the answer to a request
/// of this digest already: then nobody is asked.
pub(crate) fn answer(
    sandbox: &Sandbox,
    definition: &Definition,
    ask: &Ask,
    run: &Run,
    known: impl FnOnce(Digest) -> Option<Answered>,
) -> Answered {
    let place = Place { zone: definition.zone, jurisdiction: ask.jurisdiction.clone() };
    let put = |question: Call<'_>, canonical: &[u8]| {
        let request = Digest::of(canonical);
        known(request).unwrap_or_else(|| call(sandbox, ask, question, request))
    };
    let answered = match ask.hook {
        Hook::Step => translate::step_request(ask, &place)
            .map(|request| put(Call::Step(&request), &translate::canonical(&request))),
        hook => translate::request(definition, ask, run.case(), &run.facts(), &place).map(|request| {
            let question = match hook {
                Hook::Eligibility => Call::Eligibility(&request),
                Hook::Compliance => Call::Compliance(&request),
                Hook::Refund | Hook::Step => Call::Refund(&request),
            };
            put(question, &translate::canonical(&request))
        }),
    };
    answered.unwrap_or_else(|error| {
        let failure =
            Failure { code: "request_untranslatable".to_owned(), detail: error.to_string(), reasons: Vec::new() };
        let answered = answered_with(sandbox, Err(failure), 0, Digest::of(&[]));
        tell(ask, &answered);
        answered
    })
}

/// What somebody says in place of the plugin.
pub(super) fn told(sandbox: &Sandbox, outcome: Result<Answer, Failure>) -> Answered {
    answered_with(sandbox, outcome, 0, Digest::of(&[]))
}

fn call(sandbox: &Sandbox, ask: &Ask, question: Call<'_>, request: Digest) -> Answered {
    let attempt = sandbox.attempt(ask.digest.bytes(), question);
    // What a plugin says is for its merchant alone; the host's log tells that it spoke.
    tracing::debug!(step.name = %ask.step, plugin.digest = %ask.digest, lines = attempt.log.len(), "plugin {} answered", ask.plugin);
    let outcome = match attempt.result {
        Ok(answer) => translate::answer(answer).map_err(|error| Failure {
            code: "answer_untranslatable".to_owned(),
            detail: error.to_string(),
            reasons: Vec::new(),
        }),
        Err(error) => Err(failure(error)),
    };
    let answered = answered_with(sandbox, outcome, attempt.fuel, request);
    tell(ask, &answered);
    answered
}

fn answered_with(sandbox: &Sandbox, outcome: Result<Answer, Failure>, fuel: u64, request: Digest) -> Answered {
    Answered {
        outcome,
        fuel,
        request,
        encoder: translate::ENCODER,
        contract: super::CONTRACT_MAJOR,
        engine: sandbox.fingerprint().to_owned(),
    }
}

fn tell(ask: &Ask, answered: &Answered) {
    if let Err(failure) = &answered.outcome {
        tracing::warn!(step.name = %ask.step, plugin.digest = %ask.digest, code = %failure.code, "plugin {} failed", ask.plugin);
    }
}

fn failure(error: CallError) -> Failure {
    let (code, detail) = (error.code().to_owned(), error.to_string());
    let reasons = match error {
        CallError::CannotDecide(reasons) => translate::reasons_in(reasons).unwrap_or_default(),
        _ => Vec::new(),
    };
    Failure { code, detail, reasons }
}
