//! Questions to plugins: translated, put to the sandbox, and the answer in the core's words.

use redress_domain::ask::{Answer, Answered, Ask, Failure};
use redress_domain::ids::Digest;
use redress_domain::workflow::definition::Definition;
use redress_domain::workflow::run::Run;
use redress_sandbox::Sandbox;

use super::question::Question;
use super::translate::{self, Untranslatable};

/// Put a question to a plugin; every way of failing is an answer that leads to a person. `known` may have the answer to a request
/// of this digest already: then nobody is asked. The question comes with it, where there was one that could be put.
pub(crate) fn answer(
    sandbox: &Sandbox,
    definition: &Definition,
    ask: &Ask,
    run: &Run,
    known: impl FnOnce(Digest) -> Option<Answered>,
) -> (Answered, Option<Question>) {
    match Question::of(definition, ask, run) {
        Ok(question) => {
            let digest = question.digest();
            (known(digest).unwrap_or_else(|| put(sandbox, ask, &question, digest)), Some(question))
        }
        Err(error) => {
            let answered = untranslatable(sandbox, &error);
            tell(ask, &answered);
            (answered, None)
        }
    }
}

/// What is recorded of a question that could not be put.
pub(crate) fn untranslatable(sandbox: &Sandbox, error: &Untranslatable) -> Answered {
    let failure = Failure { code: "request_untranslatable".to_owned(), detail: error.to_string(), reasons: Vec::new() };
    answered_with(sandbox, Err(failure), 0, Digest::of(&[]))
}

/// What somebody says in place of the plugin.
pub(super) fn told(sandbox: &Sandbox, outcome: Result<Answer, Failure>) -> Answered {
    answered_with(sandbox, outcome, 0, Digest::of(&[]))
}

fn put(sandbox: &Sandbox, ask: &Ask, question: &Question, digest: Digest) -> Answered {
    let put = question.put(sandbox, ask.digest, ask.hook);
    // What a plugin says is for its merchant alone; the host's log tells that it spoke.
    tracing::debug!(step.name = %ask.step, plugin.digest = %ask.digest, lines = put.lines_logged, "plugin {} answered", ask.plugin);
    let answered = Answered { contract: put.contract, ..answered_with(sandbox, put.outcome, put.fuel, digest) };
    tell(ask, &answered);
    answered
}

fn answered_with(sandbox: &Sandbox, outcome: Result<Answer, Failure>, fuel: u64, request: Digest) -> Answered {
    Answered {
        outcome,
        fuel,
        request,
        encoder: translate::ENCODER,
        // Nobody was asked in any, where nothing was put.
        contract: super::CONTRACT_MAJOR,
        engine: sandbox.fingerprint().to_owned(),
    }
}

fn tell(ask: &Ask, answered: &Answered) {
    if let Err(failure) = &answered.outcome {
        tracing::warn!(step.name = %ask.step, plugin.digest = %ask.digest, code = %failure.code, "plugin {} failed", ask.plugin);
    }
}
