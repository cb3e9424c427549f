//! What people wrote, in place of the references that the records hold; what was erased says so. For people only: programs get the
//! references, so that what they keep can be erased too.

use redress_domain::case::entry::Entry;
use redress_domain::case::{Case, Output};
use redress_domain::value::{Fields, Value};
use redress_store::snapshot::Snapshot;

use super::story::Story;
use crate::cli::error::Error;
use crate::engine::personal;

/// In place of what was erased.
const ERASED: &str = "(erased)";

/// Put what people wrote into the story.
pub(super) fn reveal(story: &mut Story, snapshot: &Snapshot) -> Result<(), Error> {
    let case = story.case.clone();
    let texts = &Texts { snapshot, case: &case };
    for turn in &mut story.turns {
        if let Some(reason) = &mut turn.command.reason {
            text(reason, texts)?;
        }
        for entry in &mut turn.entries {
            match entry {
                Entry::Gave { output: Output::Values(values), .. }
                | Entry::VarsSet { values }
                | Entry::LaneSet { values } => fields(values, texts)?,
                Entry::Cancelled { reason: Some(reason) } => text(reason, texts)?,
                _ => {}
            }
        }
    }
    fields(&mut story.case.vars, texts)
}

/// Where the texts of one case are found.
struct Texts<'a> {
    snapshot: &'a Snapshot,
    case: &'a Case,
}

fn fields(fields: &mut Fields, texts: &Texts<'_>) -> Result<(), Error> {
    fields.values_mut().try_for_each(|one| value(one, texts))
}

fn value(value: &mut Value, texts: &Texts<'_>) -> Result<(), Error> {
    match value {
        Value::Text(written) => text(written, texts),
        Value::List(items) => items.iter_mut().try_for_each(|one| self::value(one, texts)),
        Value::Object(object) => fields(object, texts),
        _ => Ok(()),
    }
}

fn text(text: &mut String, texts: &Texts<'_>) -> Result<(), Error> {
    *text = personal::resolve(texts.snapshot, texts.case, text)?.unwrap_or_else(|| ERASED.to_owned());
    Ok(())
}
