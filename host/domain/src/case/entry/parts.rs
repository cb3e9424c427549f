//! What some entries are made of.

use serde::{Deserialize, Serialize};

use crate::case::child::Parent;
use crate::case::command::Open;
use crate::case::start::Started;
use crate::ids::{CaseId, Digest, Slug};
use crate::value::{Fields, Value};

/// What a case begins with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Opened {
    /// The id.
    pub id: CaseId,
    /// The number that people read.
    pub number: String,
    /// How it came in.
    pub channel: String,
    /// The workflow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workflow: Option<Slug>,
    /// The revision it is pinned to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<Digest>,
    /// The variables that begin with a value.
    #[serde(default, skip_serializing_if = "Fields::is_empty")]
    pub vars: Fields,
    /// What was submitted.
    pub submission: Open,
    /// The case that opened it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<Parent>,
    /// What started it, where that was no `case_opened`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started: Option<Started>,
}

/// A row of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableRow {
    /// Its number, from 1.
    pub number: u32,
    /// Its tests, as they are written.
    pub cells: Vec<String>,
}

/// What rows of a table looked at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TableInput {
    /// As it is written.
    pub expression: String,
    /// What it was; none of a text that no row names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
}
