//! What a person fills in: types by name, and evidence as `photos: files(min=2)`.

use std::collections::{BTreeMap, BTreeSet};

use crate::value::Type;
use crate::workflow::definition::review::Files;
use crate::workflow::diagnostic::{Diagnostic, Range};
use crate::workflow::load::document::free_name;
use crate::workflow::reader::At;
use crate::workflow::types::type_of;
use crate::workflow::yaml::Kind;

/// The most pieces of evidence that one field takes.
const FILES_MAX: u32 = 50;
/// Names that an answer has already.
const TAKEN: &[&str] = &["outcome", "by", "at", "first_by"];

/// The fields of a form.
#[derive(Debug, Default)]
pub(super) struct Form {
    pub(super) types: BTreeMap<String, Type>,
    /// Those that take evidence; their type is a list of text, which may be left out where there is a `?`.
    pub(super) files: BTreeMap<String, Files>,
    /// Fields whose type was reported.
    pub(super) broken: BTreeSet<String>,
}

/// Read a form; what is wrong with it is reported.
pub(super) fn form(at: Option<&At<'_>>) -> Form {
    let mut form = Form::default();
    for (key, at) in at.and_then(|at| at.names()).unwrap_or_default() {
        let Some(name) = free_name(key, &at, TAKEN, "an answer has a built-in field") else { continue };
        match (files_text(&at), &at) {
            (Some(text), at) => match files(text, at) {
                Some((files, optional)) => {
                    let kind = Type::Text.list();
                    form.types.insert(name.clone(), if optional { kind.optional() } else { kind });
                    form.files.insert(name, files);
                }
                None => _ = form.broken.insert(name),
            },
            (None, at) => match type_of(at) {
                Some(kind) => _ = form.types.insert(name, kind),
                None => _ = form.broken.insert(name),
            },
        }
    }
    form
}

/// The text of a field that takes evidence.
fn files_text<'d>(at: &At<'d>) -> Option<&'d str> {
    match &at.node().kind {
        Kind::Scalar(scalar) if matches!(&*scalar.text, "files" | "files?") || scalar.text.starts_with("files(") => {
            Some(&scalar.text)
        }
        _ => None,
    }
}

/// `files`, `files(min=2)` or `files(min=1, max=4)`; with `?` behind it the whole field may be left out.
fn files(text: &str, at: &At<'_>) -> Option<(Files, bool)> {
    const HELP: &str = "as `files`, `files(min=2)` or `files(min=1, max=4)`, with `?` where it may be left out";
    let mut files = Files { min: 0, max: FILES_MAX };
    let wrong = |message: String| -> Option<(Files, bool)> {
        at.report_inside(Diagnostic::new("bad_literal", Range::new(0, text.len()), message).help(HELP))
    };
    let (written, optional) = text.strip_suffix('?').map_or((text, false), |written| (written, true));
    let inner = written.strip_prefix("files").unwrap_or_default();
    let bounds = match inner.strip_prefix('(').and_then(|inner| inner.strip_suffix(')')) {
        Some(bounds) => bounds,
        None if inner.is_empty() => "",
        None => return wrong(format!("{text:?} is no kind of evidence")),
    };
    for bound in bounds.split(',').map(str::trim).filter(|bound| !bound.is_empty()) {
        let number = |name: &str| bound.strip_prefix(name)?.trim_start().strip_prefix('=')?.trim().parse::<u32>().ok();
        match (number("min"), number("max")) {
            (Some(min), _) => files.min = min,
            (_, Some(max)) => files.max = max,
            (None, None) => return wrong(format!("{bound:?} is no bound")),
        }
    }
    if files.max > FILES_MAX || files.min > files.max || files.max == 0 {
        return wrong(format!("a field takes 1 to {FILES_MAX} files, and not fewer at most than at least"));
    }
    Some((files, optional))
}
