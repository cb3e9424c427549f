//! What people wrote, in place of the references that the records hold; what was erased says so. For people only: programs get the
//! references, so that what they keep can be erased too.

use redress_domain::case::Output;
use redress_domain::case::entry::Entry;
use redress_domain::value::{Fields, Value};
use redress_store::snapshot::Snapshot;

use super::story::Story;
use crate::cli::error::Error;
use crate::engine::personal;

/// In place of what was erased.
const ERASED: &str = "(erased)";

/// Put what people wrote into the story.
pub(super) fn reveal(story: &mut Story, snapshot: &Snapshot) -> Result<(), Error> {
    for turn in &mut story.turns {
        if let Some(reason) = &mut turn.command.reason {
            text(reason, snapshot)?;
        }
        for entry in &mut turn.entries {
            match entry {
                Entry::Gave { output: Output::Values(values), .. } | Entry::VarsSet { values } => {
                    fields(values, snapshot)?
                }
                Entry::Cancelled { reason: Some(reason) } => text(reason, snapshot)?,
                _ => {}
            }
        }
    }
    fields(&mut story.case.vars, snapshot)
}

fn fields(fields: &mut Fields, snapshot: &Snapshot) -> Result<(), Error> {
    fields.values_mut().try_for_each(|one| value(one, snapshot))
}

fn value(value: &mut Value, snapshot: &Snapshot) -> Result<(), Error> {
    match value {
        Value::Text(written) => text(written, snapshot),
        Value::List(items) => items.iter_mut().try_for_each(|one| self::value(one, snapshot)),
        Value::Object(object) => fields(object, snapshot),
        _ => Ok(()),
    }
}

fn text(text: &mut String, snapshot: &Snapshot) -> Result<(), Error> {
    *text = personal::resolve(snapshot, text)?.unwrap_or_else(|| ERASED.to_owned());
    Ok(())
}
