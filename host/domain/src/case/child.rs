//! Sub-cases: cases that a case opened, and the case that opened it. They are two cases that move in turns of their own; what
//! one tells the other is later work of its commit, so that it arrives once, also after a crash.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::lane::LaneId;
use super::{Case, Status};
use crate::ids::{CaseId, Digest, NotAName, Slug};
use crate::value::Fields;

/// How many cases may stand above one: a workflow that runs itself by way of others comes to an end here.
pub const DEPTH_MAX: u32 = 4;
/// Fewest digits of a hash that name a revision.
pub const HASH_DIGITS_MIN: usize = 10;

/// Which revision of a workflow is meant.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Pin {
    /// The one that new cases take when the sub-case is opened.
    Active,
    /// The one of this number.
    Number(u64),
    /// The one whose hash begins so.
    Hash(String),
}

impl Pin {
    /// Whether a revision is the one that is meant; `Active` is for whoever knows what is active.
    pub fn names(&self, revision: Digest, number: u64) -> bool {
        match self {
            Self::Active => false,
            Self::Number(wanted) => *wanted == number,
            Self::Hash(digits) => revision.to_string().starts_with(digits),
        }
    }
}

impl fmt::Display for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Active => f.write_str("active"),
            Self::Number(number) => write!(f, "{number}"),
            Self::Hash(digits) => f.write_str(digits),
        }
    }
}

impl FromStr for Pin {
    type Err = NotAName;

    fn from_str(text: &str) -> Result<Self, NotAName> {
        let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if text == "active" {
            return Ok(Self::Active);
        }
        if (HASH_DIGITS_MIN..=64).contains(&text.len()) && text.bytes().all(is_hex) {
            return Ok(Self::Hash(text.to_owned()));
        }
        let number = text.parse().ok().filter(|number: &u64| *number > 0 && number.to_string() == text);
        let expected = "`active`, the number of a revision, or at least ten digits of its hash";
        number.map(Self::Number).ok_or_else(|| NotAName { text: text.to_owned(), expected })
    }
}

impl From<Pin> for String {
    fn from(pin: Pin) -> String {
        pin.to_string()
    }
}

impl TryFrom<String> for Pin {
    type Error = NotAName;

    fn try_from(text: String) -> Result<Self, NotAName> {
        text.parse()
    }
}

/// How a case is opened by another one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Called {
    /// The workflow that is to take it.
    pub workflow: Slug,
    /// Which revision.
    pub pin: Pin,
    /// What its inputs hold.
    #[serde(default, skip_serializing_if = "Fields::is_empty")]
    pub inputs: Fields,
    /// Who opens it.
    pub parent: Parent,
}

/// The case that opened this one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parent {
    /// The case.
    pub case: CaseId,
    /// Its number.
    pub number: String,
    /// The step.
    pub step: Slug,
    /// How many cases stand above this one.
    pub depth: u32,
    /// Whether the step waits for what comes of it.
    pub awaited: bool,
}

/// A case that this one opened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Child {
    /// The step that opened it.
    pub step: Slug,
    /// The lane that the step stood in.
    #[serde(default, skip_serializing_if = "LaneId::is_main")]
    pub lane: LaneId,
    /// How often the case had come back to the step before.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub round: u32,
    /// The workflow.
    pub workflow: Slug,
    /// Which revision.
    pub pin: Pin,
    /// What its inputs hold.
    #[serde(default, skip_serializing_if = "Fields::is_empty")]
    pub inputs: Fields,
    /// Its number, once it has told it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<String>,
    /// Where it stands, as far as this case knows.
    pub state: ChildState,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// Where a sub-case stands, as far as the case knows that opened it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChildState {
    /// Its end is waited for.
    Awaited,
    /// It goes on by itself; nobody waits for it, or nobody does any more.
    Alone,
    /// Nobody wants it any more: it is told to end.
    CalledOff,
    /// It ended.
    Ended(Ending),
}

impl ChildState {
    /// The word in records and on the wire.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Awaited => "awaited",
            Self::Alone => "alone",
            Self::CalledOff => "called_off",
            Self::Ended(ending) => ending.word(),
        }
    }

    /// The result, or the code, of one that has ended.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Ended(ending) => ending.code(),
            Self::Awaited | Self::Alone | Self::CalledOff => None,
        }
    }
}

/// How a sub-case ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// With this result.
    Finished(String),
    /// As failed, with this code.
    Failed(String),
    /// It was cancelled.
    Cancelled,
    /// It was never opened.
    Refused {
        /// Why, a stable code.
        code: String,
        /// For a person.
        detail: String,
    },
}

impl Ending {
    /// How a case ended; nothing as long as it has not.
    pub fn of(case: &Case, cancelled: bool) -> Option<Self> {
        let Status::Closed { failed } = case.status else { return None };
        let result = case.result.clone().unwrap_or_default();
        Some(match (cancelled, failed) {
            (true, _) => Self::Cancelled,
            (false, true) => Self::Failed(result),
            (false, false) => Self::Finished(result),
        })
    }

    /// The word in records and on the wire.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Finished(_) => "finished",
            Self::Failed(_) => "failed",
            Self::Cancelled => "cancelled",
            Self::Refused { .. } => "refused",
        }
    }

    /// The result, or the code.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Finished(code) | Self::Failed(code) | Self::Refused { code, .. } => Some(code),
            Self::Cancelled => None,
        }
    }
}

/// What a sub-case tells the case that opened it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// The sub-case.
    pub case: CaseId,
    /// Its number; none where it was never opened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<String>,
    /// How.
    pub ending: Ending,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pin_is_active_a_number_or_a_hash() {
        let read = |text: &str| text.parse::<Pin>().map(|pin| pin.to_string());
        for good in ["active", "17", "0123456789", "9f2c01ab34", &"a".repeat(64)] {
            assert_eq!(read(good), Ok(good.to_owned()));
        }
        for bad in ["", "latest", "0", "017", "-1", "9f2c", "9F2C01AB34", &"a".repeat(65)] {
            assert!(read(bad).is_err(), "{bad}");
        }
        let revision = Digest::of(b"one");
        assert!(Pin::Hash(revision.short()).names(revision, 3) && Pin::Number(3).names(revision, 3));
        assert!(!Pin::Number(4).names(revision, 3) && !Pin::Active.names(revision, 3));
    }
}
