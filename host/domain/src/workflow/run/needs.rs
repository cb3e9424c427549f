//! What a case that is opened now must come with. Of cases of the past and of sub-cases nothing is asked: what reads an attribute that they
//! lack fails, and a person sees it.

use crate::case::command::{Body, Command, Rejection};
use crate::value::Fields;
use crate::workflow::definition::Definition;

/// Refuse a submission that lacks attributes which the steps read, each by its name.
///
/// # Errors
/// It lacks some.
pub fn check(definition: &Definition, command: &Command) -> Result<(), Rejection> {
    let Body::Open(open) = &command.body else { return Ok(()) };
    if open.history || open.called.is_some() {
        return Ok(());
    }
    let needs = &definition.needs;
    let missing = |given: &Fields, name: &&String| !given.contains_key(*name);
    let of_case = needs.case.iter().filter(|name| missing(&open.attributes, name));
    let mut lacks: Vec<String> = of_case.map(|name| format!("attributes.{name}")).collect();
    for (index, line) in open.lines.iter().enumerate() {
        let of_line = needs.line.iter().filter(|name| missing(&line.attributes, name));
        lacks.extend(of_line.map(|name| format!("lines[{index}].attributes.{name}")));
    }
    if lacks.is_empty() {
        return Ok(());
    }
    let message = format!("workflow {} needs more: the submission lacks {}", definition.workflow, lacks.join(", "));
    Err(Rejection { code: "field_required", message, fields: lacks })
}
