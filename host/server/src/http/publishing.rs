//! What workflows and plugins share: texts that come in, and why they are not taken.

use axum::http::HeaderMap;
use redress_domain::ids::Digest;
use redress_domain::workflow::diagnostic::Diagnostic;
use redress_sandbox::conformance::Mistake;
use serde::Deserialize;
use utoipa::ToSchema;

use super::problem::{FieldProblem, Problem, chain};
use super::repeat::Raw;
use super::wire::invalid;
use super::wire::publishing::problem;
use super::{body, codes, respond};
use crate::publish::cases::Differing;
use crate::publish::suite::TestFile;
use crate::publish::{self, diagnostics};

/// Bytes of a body with a document: a text of the largest size, every letter of it escaped.
pub(super) const DOCUMENT_BYTES_MAX: usize = 2 << 20;
/// Letters of a note.
const NOTE_LETTERS_MAX: usize = 500;

/// A text of a workflow.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// The text, in YAML.
    pub(super) source: String,
    /// Why it is published, in a few words.
    #[serde(default)]
    #[schema(max_length = 500)]
    pub(super) note: String,
}

/// A document that came as JSON, or as it is with its note in the address.
pub(super) fn document(raw: &Raw, note: Option<String>) -> Result<Document, Problem> {
    let mut document = if is_yaml(&raw.headers) {
        let source = str::from_utf8(&raw.bytes)
            .map_err(|error| invalid("", format!("the text is not UTF-8 from byte {} on", error.valid_up_to())))?;
        Document { source: source.to_owned(), note: String::new() }
    } else {
        body::parse(&raw.headers, &raw.bytes)?
    };
    if let Some(note) = note {
        document.note = note;
    }
    document.note = self::note(document.note)?;
    Ok(document)
}

/// What people note about a change.
pub(super) fn note(note: String) -> Result<String, Problem> {
    if note.chars().count() <= NOTE_LETTERS_MAX {
        return Ok(note);
    }
    Err(invalid("/note", format!("a note has at most {NOTE_LETTERS_MAX} letters")))
}

fn is_yaml(headers: &HeaderMap) -> bool {
    ["text/yaml", "application/yaml", "application/x-yaml"].contains(&body::essence(headers).as_str())
}

/// The active revision that the client saw.
pub(super) fn expected(headers: &HeaderMap) -> Result<Option<Digest>, Problem> {
    let Some(tag) = respond::if_match(headers)? else { return Ok(None) };
    let wrong = || Problem::new(codes::STALE, format!("{tag:?} is no ETag of a workflow"));
    tag.parse().map(Some).map_err(|_| wrong())
}

/// Every problem of a text, each at its place.
pub(super) fn problems(source: &str, found: &[Diagnostic]) -> Vec<FieldProblem> {
    diagnostics::ranges(source, found).iter().map(problem).collect()
}

/// What is wrong with a file of several: of its tests, in whatever file those stand.
fn of_file(file: &TestFile, error: &publish::Error) -> Vec<FieldProblem> {
    let at = |name: &str, found: Vec<FieldProblem>| {
        found.into_iter().map(|one| FieldProblem { file: Some(name.to_owned()), ..one }).collect::<Vec<_>>()
    };
    match error {
        publish::Error::Invalid(found) => at(&file.name, problems(&file.source, found)),
        publish::Error::Tests(failed) => failed
            .iter()
            .flat_map(|one| {
                let of = one.file.as_ref().unwrap_or(file);
                at(&of.name, problems(&of.source, &one.problems))
            })
            .collect(),
        other => {
            let (code, detail) = (other.code().to_owned(), other.to_string());
            at(&file.name, vec![FieldProblem::of(code, detail)])
        }
    }
}

/// Why something was not published. `source` is the text that was handed in.
pub(super) fn refused(error: publish::Error, source: &str) -> Problem {
    use publish::Error as E;
    let (code, detail) = (error.code(), error.to_string());
    let known = |name: &str| Problem::new(codes::named(name).unwrap_or(codes::INTERNAL), &*detail);
    match error {
        E::Invalid(found) => known("workflow_invalid").at(problems(source, &found)),
        E::Bundle(files) => {
            let errors = files.into_iter().flat_map(|(file, error)| of_file(&file, &error));
            known(code).at(errors.collect())
        }
        E::Tests(failed) => {
            known("tests_failed").at(failed.iter().flat_map(|one| problems(source, &one.problems)).collect())
        }
        E::Refused(refusal) => Problem::new(codes::named(refusal.code()).unwrap_or(codes::INTERNAL), chain(&refusal)),
        // The places are those of a text that this client did not send; paths and words say where.
        E::Breaks { problems: found, .. } => known("plugin_breaks_workflow")
            .at(problems("", &found).into_iter().map(|one| FieldProblem { range: None, ..one }).collect()),
        E::CaseInvalid { mistakes, .. } => {
            let at = |one: &Mistake| FieldProblem::field(one.at.clone(), "field_invalid", one.what.clone());
            known(code).at(mistakes.iter().map(at).collect())
        }
        E::CasesDiffer { differing, .. } => {
            let of =
                |one: Differing| FieldProblem { file: Some(one.case), ..FieldProblem::of(code.to_owned(), one.detail) };
            known(code).at(differing.into_iter().map(of).collect())
        }
        E::CasesUnasked { .. } => known(code).retry_after(5),
        E::Object(cause) => {
            tracing::error!("plugin could not be stored: {}", chain(&cause));
            Problem::new(codes::STORE_FAILED, "the plugin could not be stored; it is in the host's log").retry_after(5)
        }
        E::Engine(error) => error.into(),
        E::NoPart(_)
        | E::Name(_)
        | E::Moved { .. }
        | E::Overtaken
        | E::OlderFile
        | E::NoWorkflow(_)
        | E::NoRevision { .. }
        | E::NoSuchRevision { .. }
        | E::NoCanary(_)
        | E::NoDraft(_)
        | E::DraftUnfit { .. }
        | E::DraftsFull(_)
        | E::NoHold { .. }
        | E::OnHold { .. }
        | E::CanaryUnfit { .. }
        | E::MigrationUnfit { .. }
        | E::NothingBefore(_)
        | E::NoPlugin(_)
        | E::NotStaged(_)
        | E::StageUnfit { .. }
        | E::InUse { .. }
        | E::UnknownFacts(_)
        | E::SignerUnfit(_)
        | E::SignatureMissing
        | E::SignatureInvalid(_)
        | E::NotGranted { .. }
        | E::NoCase { .. }
        | E::CasesFull(_)
        | E::NeverPushed { .. } => known(error.code()),
    }
}
