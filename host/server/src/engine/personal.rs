//! Free text of people, kept apart: a command that is recorded holds a reference, the text itself lives in the `people` rows of
//! the customer, where it can be erased without touching the journal.

use std::collections::BTreeMap;

use redress_domain::case::command::{Body, Command};
use redress_domain::case::{About, Case, What};
use redress_domain::ids::{CaseId, CustomerId, TaskId};
use redress_domain::value::{Type, Value};
use redress_domain::workflow::definition::Definition;
use redress_store::row::{Row, RowKey};
use redress_store::snapshot::Snapshot;

/// How a person is reached: `email`, `name`, `phone`, each as it was given.
pub type Contact = BTreeMap<String, String>;

/// How a reference begins.
const PREFIX: &str = "person:";

/// How the fields of a contact begin.
const CONTACT: &str = "contact.";

/// Replace what people wrote in a command by references, and answer the rows that hold the texts. The references are the same
/// on a rerun of the same turn.
pub(super) fn lift(
    command: &mut Command,
    id: CaseId,
    case: Option<&Case>,
    definition: Option<&Definition>,
) -> Vec<Row> {
    let customer = match (case, &command.body) {
        (None, Body::Open(open)) => open.customer.as_ref(),
        (case, _) => case.and_then(|case| case.customer.as_ref()),
    };
    let subject = subject(id, customer);
    let turn = case.map_or(1, |case| case.turn + 1);
    let mut rows = Vec::new();
    let mut keep = |text: &mut String, name: &str| {
        let field = format!("{id}/{turn}/{name}");
        rows.push(Row::Put(RowKey::person(&subject, &field), text.as_bytes().to_vec()));
        *text = format!("{PREFIX}{subject}#{field}");
    };
    if let Some(reason) = &mut command.reason {
        keep(reason, "reason");
    }
    if let (Body::Complete(complete), Some(case)) = (&mut command.body, case) {
        let written = |name: &str| is_free_text(case, definition, complete.task, name);
        for (name, value) in &mut complete.form {
            if let Value::Text(text) = value
                && written(name)
            {
                keep(text, &format!("form.{name}"));
            }
        }
    }
    rows
}

/// The rows that keep how the customer of a new case is reached.
pub(super) fn contact(body: &Body, id: CaseId, contact: &Contact) -> Vec<Row> {
    let Body::Open(open) = body else { return Vec::new() };
    let subject = subject(id, open.customer.as_ref());
    let row = |(name, text): (&String, &String)| {
        Row::Put(RowKey::person(&subject, &format!("{CONTACT}{name}")), text.as_bytes().to_vec())
    };
    contact.iter().map(row).collect()
}

/// How the customer of a case is reached; empty where nobody told, or where it was erased.
///
/// # Errors
/// The store cannot be read.
pub fn reached(snapshot: &Snapshot, case: &Case) -> Result<Contact, super::Error> {
    let rows = snapshot.person(&subject(case.id, case.customer.as_ref()))?;
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    let named =
        rows.into_iter().filter_map(|(field, bytes)| Some((field.strip_prefix(CONTACT)?.to_owned(), text(bytes))));
    Ok(named.collect())
}

/// The text that a reference in the records of a case stands for; none where it was erased. A text that is no reference of this
/// case is itself, whatever it looks like.
///
/// # Errors
/// The store cannot be read.
pub fn resolve(snapshot: &Snapshot, case: &Case, text: &str) -> Result<Option<String>, super::Error> {
    let subject = subject(case.id, case.customer.as_ref());
    let own = text.strip_prefix(PREFIX).and_then(|rest| rest.split_once('#'));
    let own = own.filter(|(named, field)| *named == subject && field.starts_with(&format!("{}/", case.id)));
    let Some((_, field)) = own else { return Ok(Some(text.to_owned())) };
    let bytes = snapshot.row(&RowKey::person(&subject, field))?;
    Ok(bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
}

/// A text with every reference in it to something that a person wrote for this case replaced by that; by nothing where it was erased.
///
/// # Errors
/// The store cannot be read.
pub fn filled(snapshot: &Snapshot, case: &Case, text: &str) -> Result<String, super::Error> {
    let start = format!("{PREFIX}{}#{}/", subject(case.id, case.customer.as_ref()), case.id);
    let (mut filled, mut rest) = (String::new(), text);
    while let Some(at) = rest.find(&start) {
        filled.push_str(&rest[..at]);
        let behind = &rest[at + start.len()..];
        let is_part = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '/' | '.' | '_' | '-');
        let name = behind.split(|letter| !is_part(letter)).next().unwrap_or_default().trim_end_matches(['.', '-', '/']);
        let end = at + start.len() + name.len();
        filled.push_str(&resolve(snapshot, case, &rest[at..end])?.unwrap_or_default());
        rest = &rest[end..];
    }
    Ok(filled + rest)
}

/// Under whom the texts of a case are kept: its customer, else the case itself.
fn subject(id: CaseId, customer: Option<&CustomerId>) -> String {
    customer.map_or_else(|| id.to_string(), ToString::to_string)
}

/// A form field of type text. A choice among words is no free text, and what the form does not ask for is refused anyway.
fn is_free_text(case: &Case, definition: Option<&Definition>, task: TaskId, field: &str) -> bool {
    let about = case.tasks.get(&task).map(|task| &task.about);
    if let Some(About::Effect { key }) = about
        && matches!(case.effects.get(key).map(|one| &one.what), Some(What::Http(_)))
    {
        // What a system answered, as somebody found out: no words of theirs.
        return false;
    }
    let Some(step) = about.and_then(About::asking) else { return true };
    let step = definition.and_then(|definition| definition.step(step.as_str()));
    match step.and_then(|step| step.kind.asked()) {
        Some(review) => match review.ask.get(field) {
            Some(Type::Optional(inner)) => **inner == Type::Text,
            Some(kind) => *kind == Type::Text,
            None => true,
        },
        _ => true,
    }
}
