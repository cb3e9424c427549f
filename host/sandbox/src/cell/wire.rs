//! What a host and its cells say to each other.

use serde::{Deserialize, Serialize};

use crate::Digest;
use crate::call::Call;
use crate::contract::{Hook, Major, Request, StepRequest};
use crate::limits::Limits;

/// Bytes of any message to a cell beside code and questions.
pub(super) const ORDER_BYTES_MAX: usize = 64 << 10;

/// The first message to a cell: the limits that it sets for itself, and makes its engine by.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Start {
    pub(super) limits: Limits,
}

/// The first message of a cell: it is closed in, and ready.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Hello {
    /// The engine that it has.
    pub(super) compatibility: [u8; 32],
    /// Whether the system keeps it in, and why not.
    pub(super) caged: Result<(), String>,
}

/// A message to a cell.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Order {
    /// Take in a plugin, whose code is the next frame; it says whether it could, as `Result<(), Unready>`.
    Load { digest: Digest, major: Major, hooks: Vec<Hook> },
    /// Forget a plugin. It says nothing.
    Forget { digest: Digest },
    /// Put a question, which is the next frame; it gives an `Outcome`.
    Ask { digest: Digest, fuel: u64 },
}

/// A question as a cell receives it: [`Call`] with everything in it.
#[derive(Debug, Deserialize)]
pub(super) enum Question {
    Eligibility(Request),
    Compliance(Request),
    Refund(Request),
    Step(StepRequest),
}

impl Question {
    pub(super) fn call(&self) -> Call<'_> {
        match self {
            Self::Eligibility(request) => Call::Eligibility(request),
            Self::Compliance(request) => Call::Compliance(request),
            Self::Refund(request) => Call::Refund(request),
            Self::Step(request) => Call::Step(request),
        }
    }
}

/// Bytes of the largest question: as the host holds it, with room for numbers that take more when they are sent.
pub(super) fn question_bytes_max(limits: &Limits) -> usize {
    limits.request_bytes_max.saturating_mul(2).saturating_add(ORDER_BYTES_MAX)
}

/// Bytes of the largest message of a cell: an answer that the engine brings over, with the log.
pub(super) fn outcome_bytes_max(limits: &Limits) -> usize {
    limits.hostcall_fuel.saturating_mul(2).saturating_add(limits.log_bytes_max).saturating_add(ORDER_BYTES_MAX)
}

#[cfg(test)]
mod tests {
    use super::Question;
    use crate::call::Call;
    use crate::contract::{Attribute, Moment, StepRequest, Value};

    #[test]
    fn a_question_arrives_as_it_was_put() {
        let request = StepRequest {
            ask: "a".to_owned(),
            now: Moment { unix_ms: -1, local_day: -1, local_second: 86_399 },
            seed: u64::MAX,
            zone: "Asia/Shanghai".to_owned(),
            jurisdiction: "CN".to_owned(),
            args: vec![Attribute { key: "k".to_owned(), value: Value::Text("退货".to_owned()) }],
        };
        let bytes = postcard::to_allocvec(&Call::Step(&request)).unwrap();
        let question: Question = postcard::from_bytes(&bytes).unwrap();
        let Call::Step(arrived) = question.call() else { panic!("another hook: {question:?}") };
        assert_eq!(*arrived, request);
    }
}
