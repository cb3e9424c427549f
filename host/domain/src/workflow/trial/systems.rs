//! What a system of the merchant answers in a test, in place of the system itself: `mock: { carrier-label: { number: L1 } }`.

use std::collections::BTreeMap;

use crate::case::{Reply, What};
use crate::ids::Slug;
use crate::value::{Fields as Values, Type};
use crate::workflow::definition::Definition;
use crate::workflow::literal::literal;
use crate::workflow::reader::At;
use crate::workflow::trial::given::optional;
use crate::workflow::trial::{names, schema};
use crate::workflow::yaml::Key;

/// What a system says to every request of a test.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct System {
    /// The fields of its answer.
    pub answer: Values,
    /// What it calls what it did.
    pub reference: Option<String>,
    /// It does not do what it is asked, and this is why, a code.
    pub declines: Option<Slug>,
}

impl System {
    /// Its answer to this request: what the request asks for, each of its type.
    pub fn reply(&self, what: &What) -> Option<Reply> {
        let What::Http(request) = what else { return None };
        let mut reply = Reply::default();
        for (name, kind) in &request.expect {
            match self.answer.get(name) {
                Some(value) if value.is_of(kind) => drop(reply.fields.insert(name.clone(), value.clone())),
                Some(_) => reply.wrong.push(name.clone()),
                None => {}
            }
        }
        Some(reply)
    }
}

/// Read what a system answers. A field that the steps expect may be left out: so is what a broken system leaves out.
pub(super) fn system(key: &Key, at: &At<'_>, definition: &Definition) -> Option<(Slug, System)> {
    let targets = definition.targets();
    let Some(target) = targets.iter().find(|target| target.as_str() == key.text) else {
        let message = format!("the workflow asks no system `{}`", key.text);
        return names::unlike(at, "unknown_target", message, &key.text, targets.iter().map(|target| target.as_str()));
    };
    let kinds = definition.answers_of(&key.text);
    let own: Vec<&str> = kinds.keys().copied().collect();
    let fields = at.fields_and(&schema::SYSTEM, &own)?;
    let declines = optional(fields.get("declines"), At::slug);
    let reference = optional(fields.get("reference"), |at| at.text().map(str::to_owned));
    let answer = answer(|name| fields.get(name), |name| fields.has(name), &kinds, definition);
    if let (Some(at), true) = (fields.get("declines"), own.iter().any(|name| fields.has(name))) {
        return at.refuse("clash", "a system that declines answers nothing: write one of them");
    }
    Some(((*target).clone(), System { answer: answer?, reference: reference?, declines: declines? }))
}

/// The fields of an answer, each of the type that is expected.
pub(super) fn answer<'d>(
    get: impl Fn(&str) -> Option<At<'d>>,
    has: impl Fn(&str) -> bool,
    kinds: &BTreeMap<&str, &Type>,
    definition: &Definition,
) -> Option<Values> {
    let written = kinds.iter().filter(|(name, _)| has(name));
    let read = written.map(|(name, kind)| Some(((*name).to_owned(), literal(&get(name)?, kind, definition.currency)?)));
    let all: Vec<_> = read.collect();
    all.into_iter().collect()
}
