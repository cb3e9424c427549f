//! Failures as HTTP answers: problem details (RFC 9457) with a stable code. The cause goes to the log, never to the client.

use std::error::Error as StdError;

use axum::Json;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::codes::{self, Code};
use super::respond;
use crate::engine;

/// A failure on its way to the client.
#[derive(Debug)]
pub struct Problem {
    code: &'static Code,
    detail: String,
    errors: Vec<FieldProblem>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

/// What is wrong with one field, or at one place of a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldProblem {
    /// Where in the body, as a JSON pointer (RFC 6901).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pointer: Option<String>,
    /// A stable code.
    pub code: String,
    /// Of a place in a document of text: `error`, or `warning` for what refuses nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity: Option<&'static str>,
    /// For a person.
    pub detail: String,
    /// Where in a document of text, as a path: `steps[3].call`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// What to do about it, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// Where in a document of text, as lines and columns.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub range: Option<TextRange>,
    /// The file, where several came in together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
}

/// A stretch of a text, as the Language Server Protocol counts: lines and UTF-16 units from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct TextRange {
    /// The first character.
    pub start: Position,
    /// Behind the last one.
    pub end: Position,
}

/// A place in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct Position {
    /// The line, from 0.
    pub line: u32,
    /// The UTF-16 unit in the line, from 0.
    pub character: u32,
}

/// The body of a failure.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProblemBody {
    /// The page about the code.
    #[serde(rename = "type")]
    kind: String,
    /// In a few words.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// What happened this time.
    detail: String,
    /// The stable code.
    code: &'static str,
    /// The request, as the log names it.
    request_id: String,
    /// Every place that is wrong.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldProblem>,
}

impl Problem {
    /// A failure of a kind.
    pub fn new(code: &'static Code, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), errors: Vec::new(), headers: Vec::new() }
    }

    /// With every place that is wrong.
    #[must_use]
    pub fn at(mut self, errors: Vec<FieldProblem>) -> Self {
        self.errors = errors;
        self
    }

    /// With a header.
    #[must_use]
    pub fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Worth trying again after some seconds.
    #[must_use]
    pub fn retry_after(self, seconds: u32) -> Self {
        self.with(header::RETRY_AFTER, HeaderValue::from(seconds))
    }

    /// The stable code.
    pub fn code(&self) -> &'static str {
        self.code.name
    }

    /// A failure of ours: what is known goes to the log, the client learns that it is there.
    pub fn internal(error: &dyn StdError) -> Self {
        tracing::error!("request failed inside: {}", chain(error));
        Self::new(codes::INTERNAL, "it is in the host's log under this request's id")
    }
}

impl FieldProblem {
    /// A field that is wrong.
    pub fn field(pointer: impl Into<String>, code: &str, detail: impl Into<String>) -> Self {
        let (code, detail) = (code.to_owned(), detail.into());
        Self { pointer: Some(pointer.into()), ..Self::of(code, detail) }
    }

    /// A failure that is of no field.
    pub fn of(code: String, detail: String) -> Self {
        Self { pointer: None, code, severity: None, detail, path: None, help: None, range: None, file: None }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.code.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = ProblemBody {
            kind: format!("/errors/{}", self.code.name),
            title: self.code.title,
            status: status.as_u16(),
            detail: self.detail,
            code: self.code.name,
            request_id: respond::request_id(),
            errors: self.errors,
        };
        let mut response = (status, Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.extend(self.headers);
        response
    }
}

impl From<engine::Error> for Problem {
    fn from(error: engine::Error) -> Self {
        use engine::Error as E;
        match &error {
            E::Rejected(rejection) => {
                let errors = rejection
                    .fields
                    .iter()
                    .map(|field| FieldProblem::field(pointer(field), rejection.code, rejection.message.clone()));
                known(&error, rejection.message.clone()).at(errors.collect())
            }
            E::Order(why) => known(&error, why.to_string()),
            E::Amount(why) => known(&error, why.to_string()),
            E::Stale { .. } | E::OrderMoved | E::OrderBelowReturned { .. } => known(&error, error.to_string()),
            E::Paused { hold: Some(_), .. } => known(&error, error.to_string()),
            E::Paused { hold: None, .. } => known(&error, error.to_string()).retry_after(1),
            E::OnHold { .. } => known(&error, error.to_string()).retry_after(60),
            E::Full | E::Conflict(_) | E::Stopped => known(&error, error.to_string()).retry_after(1),
            E::Read(_) | E::Append(_) => {
                tracing::error!("store failed: {}", chain(&error));
                known(&error, "the store could not be read or written; it is in the host's log").retry_after(5)
            }
            E::Damaged { .. } | E::Revision { .. } | E::Internal => {
                tracing::error!("request failed inside: {}", chain(&error));
                known(&error, "it is in the host's log under this request's id")
            }
        }
    }
}

/// The JSON pointer of a path as the rules write it: `lines[0].quantity`.
fn pointer(path: &str) -> String {
    format!("/{}", path.replace('[', "/").replace(']', "").replace('.', "/"))
}

fn known(error: &engine::Error, detail: impl Into<String>) -> Problem {
    Problem::new(codes::named(error.code()).unwrap_or(codes::INTERNAL), detail)
}

/// An error with its causes.
pub(super) fn chain(error: &dyn StdError) -> String {
    let (mut told, mut cause) = (error.to_string(), error.source());
    while let Some(next) = cause {
        told = format!("{told}: {next}");
        cause = next.source();
    }
    told
}

#[cfg(test)]
mod tests {
    use redress_store::batch::{AppendError, Stream, Version};

    use super::*;

    #[test]
    fn what_moved_while_it_was_decided_is_a_conflict_and_no_fault_of_the_store() {
        let moved = AppendError::Conflict { stream: Stream::Tenant, expected: Version(1), found: Version(2) };
        let problem = Problem::from(engine::Error::from(moved));
        assert_eq!((problem.code.name, problem.code.status), ("conflict", 409));
    }

    #[test]
    fn a_path_of_the_rules_becomes_a_json_pointer() {
        assert_eq!(pointer("lines[12].attributes.size"), "/lines/12/attributes/size");
        assert_eq!(pointer("outcome"), "/outcome");
    }
}
