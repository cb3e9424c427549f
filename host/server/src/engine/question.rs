//! A question to a plugin in the contract's words: what is put to the sandbox, and what its digest is taken of.

use redress_domain::ask::{Answer, Ask, Failure};
use redress_domain::ids::Digest;
use redress_domain::workflow::definition::{Definition, Hook};
use redress_domain::workflow::run::Run;
use redress_sandbox::contract::{Major, Request, StepRequest};
use redress_sandbox::{Call, CallError, Sandbox};
use serde::{Deserialize, Serialize};

use super::CONTRACT_MAJOR;
use super::translate::{self, Place, Untranslatable};

/// A question with all that the plugin sees.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Question {
    /// About a case.
    Case(Box<Request>),
    /// About parameters only.
    Step(Box<StepRequest>),
}

impl Question {
    /// What a step asks, as the case stands in its run.
    ///
    /// # Errors
    /// Something that the contract cannot carry.
    pub fn of(definition: &Definition, ask: &Ask, run: &Run) -> Result<Self, Untranslatable> {
        let place = Place { zone: definition.zone, jurisdiction: ask.jurisdiction.clone() };
        match ask.hook {
            Hook::Step => translate::step_request(ask, &place).map(Box::new).map(Self::Step),
            _ => translate::request(definition, ask, run.case(), &run.facts(), &place).map(Box::new).map(Self::Case),
        }
    }

    /// The digest of its canonical bytes.
    pub fn digest(&self) -> Digest {
        Digest::of(&match self {
            Self::Case(request) => translate::canonical(request),
            Self::Step(request) => translate::canonical(request),
        })
    }

    /// As the sandbox takes it; none where the hook is asked something else.
    fn call(&self, hook: Hook) -> Option<Call<'_>> {
        match (hook, self) {
            (Hook::Eligibility, Self::Case(request)) => Some(Call::Eligibility(request)),
            (Hook::Compliance, Self::Case(request)) => Some(Call::Compliance(request)),
            (Hook::Refund, Self::Case(request)) => Some(Call::Refund(request)),
            (Hook::Step, Self::Step(request)) => Some(Call::Step(request)),
            _ => None,
        }
    }

    /// Put it to a plugin; every way of failing is an answer too.
    pub fn put(&self, sandbox: &Sandbox, plugin: Digest, hook: Hook) -> Put {
        let Some(call) = self.call(hook) else {
            let detail = "the hook is asked something else".to_owned();
            return Put::failed(Failure { code: "request_untranslatable".to_owned(), detail, reasons: Vec::new() });
        };
        let attempt = sandbox.attempt(plugin.bytes(), call);
        let mut is_hosts = false;
        let outcome = match attempt.result {
            Ok(answer) => translate::answer(answer).map_err(|error| Failure {
                code: "answer_untranslatable".to_owned(),
                detail: error.to_string(),
                reasons: Vec::new(),
            }),
            Err(error) => {
                is_hosts = error.is_infrastructure();
                Err(failure(error))
            }
        };
        let contract = attempt.major.map_or(CONTRACT_MAJOR, Major::number);
        Put { outcome, fuel: attempt.fuel, contract, lines_logged: attempt.log.len(), is_hosts }
    }
}

/// What came of a question.
#[derive(Debug, Clone, PartialEq)]
pub struct Put {
    /// The answer, or how the plugin failed.
    pub outcome: Result<Answer, Failure>,
    /// Fuel used.
    pub fuel: u64,
    /// The major of the contract that it was asked in.
    pub contract: u32,
    /// Lines that the plugin wrote for its merchant.
    pub lines_logged: usize,
    /// The failure is the host's and not the plugin's: another time it may go away.
    pub is_hosts: bool,
}

impl Put {
    fn failed(failure: Failure) -> Self {
        Self { outcome: Err(failure), fuel: 0, contract: CONTRACT_MAJOR, lines_logged: 0, is_hosts: false }
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
