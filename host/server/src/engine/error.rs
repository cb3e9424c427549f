//! Why the engine did not do what it was asked.

use redress_domain::case::command::Rejection;
use redress_domain::codec::DecodeError;
use redress_domain::ids::{Digest, Slug};
use redress_domain::money::MoneyError;
use redress_domain::order::OrderError;
use redress_store::batch::AppendError;
use redress_store::error::ReadError;

/// Why the engine did not do what it was asked. Except after `Unknown` nothing was changed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// The rules refuse the command.
    #[error("command was refused")]
    Rejected(#[source] Rejection),
    /// Too much is waiting already; a retry may succeed.
    #[error("too many turns are waiting, a retry may succeed")]
    Full,
    /// Another turn moved what this one read, again and again.
    #[error("what was read moved {0} times while the command was decided, a retry may succeed")]
    Conflict(u32),
    /// The case has moved since the sender saw it.
    #[error("case stands at turn {found}, the command was meant for turn {expected}")]
    Stale {
        /// The turn that was seen.
        expected: u64,
        /// Where the case is.
        found: u64,
    },
    /// The order cannot be taken.
    #[error("order was refused")]
    Order(#[source] OrderError),
    /// The order is not what the sender saw.
    #[error("order has changed since it was read")]
    OrderMoved,
    /// An order would fall below what is already reserved or returned of it.
    #[error("order line {line} has {held} units reserved or returned, the new order has {bought}")]
    OrderBelowReturned {
        /// The order line, from 0.
        line: u32,
        /// Units reserved or returned.
        held: u32,
        /// Units of the new order.
        bought: u32,
    },
    /// The case is paused: its revision is on hold, or was until now.
    #[error("case {number} is paused: {}", paused(*hold))]
    Paused {
        /// The number of the case.
        number: String,
        /// The number of the revision that is on hold; none where the case has yet to take up what came meanwhile.
        hold: Option<u64>,
    },
    /// The revision that would take a new case is on hold.
    #[error("workflow {workflow} takes no new cases: its revision {number} is on hold; another one can be made active")]
    OnHold {
        /// The workflow.
        workflow: Slug,
        /// The number of the revision.
        number: u64,
    },
    /// Amounts that do not add up.
    #[error("amounts could not be computed")]
    Amount(#[source] MoneyError),
    /// The store could not be read.
    #[error("store could not be read")]
    Read(#[source] ReadError),
    /// The store did not take the batch.
    #[error("store did not take the batch")]
    Append(#[source] AppendError),
    /// What the store gave back could not be read: a newer writer or a damaged file.
    #[error("a {what} could not be read back")]
    Damaged {
        /// What it was.
        what: &'static str,
        /// Why, for the log.
        detail: String,
    },
    /// A case is pinned to a revision that cannot be loaded.
    #[error("revision {revision} could not be loaded: {detail}")]
    Revision {
        /// The revision.
        revision: Digest,
        /// Why.
        detail: String,
    },
    /// The engine stopped before the command was decided.
    #[error("engine stopped before the command was decided")]
    Stopped,
    /// A fault of ours; it is in the log.
    #[error("turn failed inside")]
    Internal,
}

impl Error {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Rejected(rejection) => rejection.code,
            Self::Full => "overloaded",
            Self::Conflict(_) => "conflict",
            Self::Stale { .. } | Self::OrderMoved => "stale",
            Self::Order(_) => "order_invalid",
            Self::OrderBelowReturned { .. } => "order_below_returned",
            Self::Paused { .. } => "case_paused",
            Self::OnHold { .. } => "revision_on_hold",
            Self::Amount(_) => "amount_invalid",
            Self::Read(_) | Self::Append(_) => "store_failed",
            Self::Damaged { .. } => "record_damaged",
            Self::Revision { .. } => "revision_not_loaded",
            Self::Stopped => "stopped",
            Self::Internal => "internal",
        }
    }

    pub(crate) fn damaged(what: &'static str) -> impl FnOnce(DecodeError) -> Self {
        move |error| Self::Damaged { what, detail: error.to_string() }
    }
}

fn paused(hold: Option<u64>) -> String {
    match hold {
        Some(number) => format!("revision {number} of its workflow is on hold"),
        None => "it takes up what came while its revision was on hold; a retry may succeed".to_owned(),
    }
}

impl From<Rejection> for Error {
    fn from(rejection: Rejection) -> Self {
        Self::Rejected(rejection)
    }
}

impl From<ReadError> for Error {
    fn from(error: ReadError) -> Self {
        Self::Read(error)
    }
}

impl From<AppendError> for Error {
    fn from(error: AppendError) -> Self {
        match error {
            AppendError::Full => Self::Full,
            // Who read again and again says how often.
            AppendError::Conflict { .. } => Self::Conflict(1),
            other => Self::Append(other),
        }
    }
}

impl From<MoneyError> for Error {
    fn from(error: MoneyError) -> Self {
        Self::Amount(error)
    }
}
