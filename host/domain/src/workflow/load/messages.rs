//! `messages: { sorry: { subject: "About {{ case.number }}", text: { en: "...", zh-CN: "..." } } }`: texts of the document's own. What
//! one may read depends on the step that tells it, so that it is compiled there.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::ids::{Digest, Slug};
use crate::value::Type;
use crate::workflow::compile::Compiler;
use crate::workflow::definition::outward::{TASK_ESCALATED, TASK_REMINDER, WAIT_REMINDER};
use crate::workflow::definition::{Message, Words};
use crate::workflow::diagnostic::Diagnostic;
use crate::workflow::load::document::Head;
use crate::workflow::load::names;
use crate::workflow::reader::{At, Fields};
use crate::workflow::schema;

/// Texts of one document.
const MESSAGES_MAX: usize = 64;
/// Languages of one text.
const LOCALES_MAX: usize = 16;
/// Bytes of a subject as it is written: a line.
const SUBJECT_BYTES_MAX: usize = 500;
/// Bytes of a text as it is written: some pages.
const TEXT_BYTES_MAX: usize = 16 << 10;
/// The root that only messages read.
const RECIPIENT: &str = "recipient";

/// Texts as they are written, by name; none where that was reported.
pub(super) type Messages<'d> = BTreeMap<String, Option<Written<'d>>>;

/// A text as it is written.
pub(super) struct Written<'d> {
    subject: Words<At<'d>>,
    text: Words<At<'d>>,
    digest: Digest,
}

/// Read the texts of a document.
pub(super) fn read<'d>(fields: &Fields<'d>) -> Messages<'d> {
    let mut messages = Messages::new();
    let Some(at) = fields.get("messages") else { return messages };
    let written = at.names().unwrap_or_default();
    if written.len() > MESSAGES_MAX {
        at.refuse::<()>(
            "too_large",
            format!("a document has at most {MESSAGES_MAX} messages, found {}", written.len()),
        );
    }
    for (key, at) in written.into_iter().take(MESSAGES_MAX) {
        if let Err(error) = Slug::new(&key.text) {
            at.report::<()>(Diagnostic::new("bad_name", key.range, error.to_string()));
            continue;
        }
        messages.insert(key.text.clone(), message(&at));
    }
    messages
}

fn message<'d>(at: &At<'d>) -> Option<Written<'d>> {
    let fields = at.fields(&schema::MESSAGE)?;
    let subject = fields.require("subject").and_then(|at| words(&at, SUBJECT_BYTES_MAX));
    let text = fields.require("text").and_then(|at| words(&at, TEXT_BYTES_MAX));
    let (subject, text) = (subject?, text?);
    let digest = Digest::of(&crate::codec::encode(&(said(&subject), said(&text))));
    Some(Written { subject, text, digest })
}

/// The same for each language, none empty and none too long.
fn words<'d>(at: &At<'d>, bytes_max: usize) -> Option<Words<At<'d>>> {
    let words = at.words()?;
    if let Words::Many(many) = &words
        && !(1..=LOCALES_MAX).contains(&many.len())
    {
        return at.refuse("too_large", format!("a text has 1 to {LOCALES_MAX} languages, found {}", many.len()));
    }
    words.try_map(|at| match at.text()? {
        text if text.trim().is_empty() => at.refuse("missing_value", "the text is empty"),
        text if text.len() > bytes_max => {
            at.refuse("too_long", format!("the text has {} bytes, the most is {bytes_max}", text.len()))
        }
        _ => Some(at),
    })
}

/// What is said, by locale.
fn said<'a>(words: &'a Words<At<'_>>) -> BTreeMap<&'a str, Option<&'a str>> {
    match words {
        Words::One(at) => [("", at.text())].into(),
        Words::Many(many) => many.iter().map(|(locale, at)| (locale.as_str(), at.text())).collect(),
    }
}

/// The text that is told under this name, where the document has one: with the names that are known where it is told. The outer
/// `None` says that it is wrong, which was reported.
pub(super) fn told(messages: &Messages<'_>, name: &Slug, compiler: &Compiler) -> Option<Option<Arc<Message>>> {
    let Some(written) = messages.get(name.as_str()) else { return Some(None) };
    let written = written.as_ref()?;
    let mut compiler = compiler.clone();
    let recipient = || Type::Object([("name".to_owned(), Type::Text)].into());
    // A name of the document's own comes first.
    compiler.scope.roots.entry(RECIPIENT.to_owned()).or_insert_with(recipient);
    let subject = written.subject.clone().try_map(|at| compiler.template(&at));
    let text = written.text.clone().try_map(|at| compiler.template(&at));
    Some(Some(Arc::new(Message { digest: written.digest, subject: subject?, text: text? })))
}

/// The texts that remind somebody while a case waits: whichever step it waits at, they read the case and its variables.
pub(super) fn reminders(head: &Head<'_>) -> Option<BTreeMap<Slug, Arc<Message>>> {
    let compiler = names::at_limits(head);
    let names = [TASK_REMINDER, TASK_ESCALATED, WAIT_REMINDER].map(Slug::from_static);
    let told = names.map(|name| Some((told(&head.messages, &name, &compiler)?, name)));
    let told = told.into_iter().collect::<Option<Vec<_>>>()?;
    Some(told.into_iter().filter_map(|(message, name)| Some((name, message?))).collect())
}
