//! What a running host tells of workflows, in the forms that the command line has for them.

use redress_domain::workflow::diagnostic::{Diagnostic, Range};
use serde_json::{Value as Json, json};

use crate::cli::door::{Door, part};
use crate::cli::error::Error;

/// The problems of a text as a host tells them, each at its place of the text.
pub(super) fn problems(source: &str, told: &Json) -> Vec<Diagnostic> {
    told.as_array().into_iter().flatten().map(|one| problem(source, one)).collect()
}

fn problem(source: &str, told: &Json) -> Diagnostic {
    let text = |name: &str| told[name].as_str().unwrap_or_default();
    let place = |end: &str| byte(source, &told["range"][end]);
    let found = Diagnostic::new(text("code"), Range::new(place("start"), place("end")), text("detail"));
    let found = Diagnostic { help: told["help"].as_str().map(str::to_owned), ..found.at(text("path")) };
    if text("severity") == "warning" { found.warning() } else { found }
}

/// The byte of a place that is told by its line and its UTF-16 unit.
fn byte(source: &str, place: &Json) -> usize {
    let number = |name: &str| usize::try_from(place[name].as_u64().unwrap_or_default()).unwrap_or(usize::MAX);
    let before: usize = source.split_inclusive('\n').take(number("line")).map(str::len).sum();
    let (mut left, mut at) = (number("character"), before);
    for letter in source[before..].chars().take_while(|letter| *letter != '\n') {
        if left == 0 {
            break;
        }
        left = left.saturating_sub(letter.len_utf16());
        at += letter.len_utf8();
    }
    at
}

/// Every revision that was ever active or tried, the newest first, with how it was published first.
pub(super) fn revisions(door: &Door) -> Result<Vec<Json>, Error> {
    let mut found = Vec::new();
    for workflow in door.all("/v1/workflows")? {
        let name = workflow["name"].as_str().unwrap_or_default().to_owned();
        let mut own: Vec<Json> = Vec::new();
        // The oldest stands last, and tells how a revision came in.
        for became in door.all(&format!("/v1/workflows/{}/revisions", part(&name)))?.into_iter().rev() {
            if own.iter().all(|one| one["revision"] != became["revision"]) {
                own.push(json!({
                    "number": became["number"], "workflow": name, "revision": became["revision"],
                    "active": became["state"] == "active", "state": became["state"], "published_at": became["at"],
                    "by": became["by"], "note": became["note"],
                }));
            }
        }
        found.extend(own);
    }
    found.sort_by_key(|one| std::cmp::Reverse(one["number"].as_u64()));
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::publish::diagnostics;

    #[test]
    fn a_place_comes_back_as_it_was_told() {
        let source = "one\n\u{9000}\u{8d27} \u{1f4e6}x\r\nlast";
        for (start, end) in [(0, 3), (4, 7), (10, 11), (15, 16), (18, 22), (source.len(), source.len())] {
            if !source.is_char_boundary(start) || !source.is_char_boundary(end) {
                continue;
            }
            let problem = Diagnostic::new("odd", Range::new(start, end), "it is odd").warning();
            let place = &diagnostics::ranges(source, std::slice::from_ref(&problem))[0];
            let at = |place: diagnostics::Place| json!({ "line": place.line, "character": place.character });
            let told = json!([{
                "code": "odd", "detail": "it is odd", "severity": "warning",
                "range": { "start": at(place.start), "end": at(place.end) },
            }]);
            assert_eq!(problems(source, &told), [problem], "{start}..{end}");
        }
    }
}
