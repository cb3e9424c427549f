//! What a message says: written when it is wanted, with the text of the case's revision and the values of that moment.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::{Run, StepError};
use crate::case::{self, RECIPIENT_NAME, Texts};
use crate::value::Value;
use crate::workflow::definition::{Definition, Message, Words};
use crate::workflow::expr::{Context, Roots, Template};

/// Bytes of one message in all its languages: it is kept with the case.
const WRITTEN_BYTES_MAX: usize = 64 << 10;

/// The message with its values, where the document has one.
pub(super) fn written(
    run: &Run,
    definition: &Definition,
    message: Option<&Message>,
) -> Result<Option<Box<case::Message>>, StepError> {
    let Some(message) = message else { return Ok(None) };
    let names = Names { run, recipient: Value::object([("name", Some(Value::text(RECIPIENT_NAME)))]) };
    let mut left = WRITTEN_BYTES_MAX;
    let subject = texts(&message.subject, definition, &names, &mut left)?;
    let text = texts(&message.text, definition, &names, &mut left)?;
    Ok(Some(Box::new(case::Message { digest: message.digest, subject, text })))
}

fn texts(
    words: &Words<Template>,
    definition: &Definition,
    names: &Names<'_>,
    left: &mut usize,
) -> Result<Texts, StepError> {
    let mut texts = BTreeMap::new();
    let by_locale: Vec<(&str, &Template)> = match words {
        Words::One(template) => vec![("", template)],
        Words::Many(many) => many.iter().map(|(locale, template)| (locale.as_str(), template)).collect(),
    };
    for (locale, template) in by_locale {
        let steps_left = super::EXPRESSION_STEPS_MAX;
        let mut context = Context { zone: definition.zone, currency: definition.currency, steps_left };
        let pieces = template.pieces(names, &mut context);
        let pieces = pieces.map_err(|error| StepError::new(format!("expression_{}", error.code), error.message))?;
        let bytes: usize = pieces.iter().map(|piece| piece.as_str().len()).sum();
        *left = left.checked_sub(bytes).ok_or_else(|| {
            StepError::new("expression_too_long", format!("a message has at most {WRITTEN_BYTES_MAX} bytes"))
        })?;
        texts.insert(locale.to_owned(), pieces);
    }
    Ok(texts)
}

/// The names of the run, and the reader's: a name of the document's own comes first.
struct Names<'a> {
    run: &'a Run,
    recipient: Value,
}

impl Roots for Names<'_> {
    fn root(&self, name: &str) -> Option<Cow<'_, Value>> {
        let own = self.run.names.root(name);
        own.or_else(|| (name == "recipient").then_some(Cow::Borrowed(&self.recipient)))
    }
}
