//! One decision of a plugin against the one that was made again.

use redress_domain::ask::{Answer, Answered, Ask, Asked, Failure};
use redress_domain::codec;
use redress_sandbox::Sandbox;
use serde::Serialize;
use serde_json::Value as Json;

use super::{Differs, is_hosts};
use crate::engine::ask;
use crate::engine::question::Question;
use crate::engine::translate::{ENCODER, Untranslatable};

/// What a comparison came to.
pub(super) enum Compared {
    /// All is as recorded.
    Equal,
    /// The answer is, and another engine needed other fuel.
    FuelMoved,
    /// It cannot be made again; the code of the reason.
    Unknown(String),
    /// It differs.
    Differs(Differs),
}

/// A decision made again, and how it compares.
pub(super) struct Again {
    /// How it compares.
    pub(super) compared: Compared,
    /// The answer that the turn goes on with.
    pub(super) answered: Answered,
}

/// Ask again what is asked now, and compare it with what was recorded.
pub(super) fn again(
    sandbox: &Sandbox,
    recorded: &Asked,
    ask: &Ask,
    question: Result<Question, Untranslatable>,
) -> Again {
    let goes_on = |compared| Again { compared, answered: recorded.answered.clone() };
    if let Some(other) = another_question(&recorded.ask, ask) {
        return goes_on(Compared::Differs(other));
    }
    if recorded.answered.encoder != ENCODER {
        return goes_on(Compared::Unknown("encoder_unknown".to_owned()));
    }
    let question = match question {
        Ok(question) => question,
        Err(error) => {
            let answered = ask::untranslatable(sandbox, &error);
            return Again { compared: outcome(recorded, &answered), answered };
        }
    };
    let digest = question.digest();
    if recorded.answered.request != digest {
        let (recorded, found) = (recorded.answered.request.to_string(), digest.to_string());
        return goes_on(Compared::Differs(Differs::Question { recorded, found }));
    }
    let put = question.put(sandbox, ask.digest, ask.hook);
    let code_of = |failure: &Failure| failure.code.clone();
    if let Some(failure) = recorded.answered.outcome.as_ref().err().filter(|failure| is_hosts(failure)) {
        return goes_on(Compared::Unknown(code_of(failure)));
    }
    if let (true, Err(failure)) = (put.is_hosts, &put.outcome) {
        return goes_on(Compared::Unknown(code_of(failure)));
    }
    if recorded.answered.contract != put.contract {
        return goes_on(Compared::Unknown("encoder_unknown".to_owned()));
    }
    let answered = Answered {
        outcome: put.outcome,
        fuel: put.fuel,
        request: digest,
        engine: sandbox.fingerprint().to_owned(),
        ..recorded.answered
    };
    Again { compared: outcome(recorded, &answered), answered }
}

/// The answer, and on the same engine the fuel.
fn outcome(recorded: &Asked, found: &Answered) -> Compared {
    let recorded = &recorded.answered;
    if codec::encode(&recorded.outcome) != codec::encode(&found.outcome) {
        let (recorded, found) = (told(&recorded.outcome), told(&found.outcome));
        return Compared::Differs(Differs::Answer { recorded, found });
    }
    if recorded.fuel == found.fuel {
        return Compared::Equal;
    }
    if recorded.engine != found.engine {
        return Compared::FuelMoved;
    }
    Compared::Differs(Differs::Fuel { recorded: recorded.fuel, found: found.fuel })
}

/// Whether somebody else is asked, or by somebody else.
fn another_question(recorded: &Ask, found: &Ask) -> Option<Differs> {
    let who = |ask: &Ask| (ask.step.clone(), ask.lane.clone(), ask.digest, ask.hook);
    let text = |ask: &Ask| format!("step {} asks {} ({})", ask.step, ask.plugin, ask.digest);
    (who(recorded) != who(found)).then(|| Differs::Question { recorded: text(recorded), found: text(found) })
}

fn told(outcome: &Result<Answer, Failure>) -> Json {
    match outcome {
        Ok(answer) => json(answer),
        Err(failure) => serde_json::json!({ "failure": json(failure) }),
    }
}

/// For people: what cannot be told stays out.
pub(super) fn json(value: &impl Serialize) -> Json {
    serde_json::to_value(value).unwrap_or_default()
}
