//! Names of the workflow that a test uses, each with what was probably meant where there is none.

use std::collections::BTreeMap;

use crate::ids::Slug;
use crate::value::Type;
use crate::workflow::builtin::{self, fields_with};
use crate::workflow::compile::Compiler;
use crate::workflow::definition::{Definition, Kind, PluginRef, Step};
use crate::workflow::diagnostic::{Diagnostic, Range, suggest};
use crate::workflow::expr::Scope;
use crate::workflow::reader::At;
use crate::workflow::yaml::Key;

/// Names that are listed where none is like the one that was written.
const LISTED_MAX: usize = 12;

/// There is no such thing; perhaps another one was meant.
pub(super) fn unknown<'a, T>(
    at: &At<'_>,
    code: &str,
    what: &str,
    name: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<T> {
    unlike(at, code, format!("there is no {what} `{name}`"), name, known)
}

/// The same in other words.
pub(super) fn unlike<'a, T>(
    at: &At<'_>,
    code: &str,
    message: String,
    name: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<T> {
    match help(name, known) {
        Some(help) => at.refuse_with(code, message, help),
        None => at.refuse(code, message),
    }
}

/// There is no field of this name.
pub(super) fn unknown_key<'a>(key: &Key, at: &At<'_>, what: &str, known: impl IntoIterator<Item = &'a str>) {
    let found = Diagnostic::new("unknown_field", key.range, format!("there is no {what} `{}`", key.text));
    at.report::<()>(Diagnostic { help: help(&key.text, known), ..found });
}

fn help<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let known: Vec<&str> = known.into_iter().collect();
    match suggest(name, known.iter().copied()) {
        Some(near) => Some(format!("did you mean `{near}`?")),
        None if known.is_empty() || known.len() > LISTED_MAX => None,
        None => Some(format!("known here: {}", known.join(", "))),
    }
}

/// A step of the workflow.
pub(super) fn step<'s>(at: &At<'_>, definition: &'s Definition) -> Option<&'s Step> {
    let name = at.text()?;
    match definition.step(name) {
        Some(step) => Some(step),
        None => unknown(at, "unknown_step", "step", name, definition.steps.iter().map(|step| step.id.as_str())),
    }
}

/// The ids of steps, in a list.
pub(super) fn steps(at: &At<'_>, definition: &Definition) -> Option<Vec<Slug>> {
    let all: Vec<_> = at.list()?.iter().map(|at| Some(step(at, definition)?.id.clone())).collect();
    all.into_iter().collect()
}

/// One of the words that the workflow uses somewhere.
pub(super) fn word(at: &At<'_>, code: &str, what: &str, known: &[&str]) -> Option<Slug> {
    let name = at.slug()?;
    if known.contains(&name.as_str()) {
        return Some(name);
    }
    unknown(at, code, what, name.as_str(), known.iter().copied())
}

/// Whether a step sends something.
pub(super) fn sends(step: &Step) -> bool {
    let moves = matches!(step.kind, Kind::Refund { .. } | Kind::Restock { .. } | Kind::Exchange(_));
    moves || matches!(step.kind, Kind::Notify(_) | Kind::Http(_) | Kind::Undo(_))
}

/// A plugin as `name@major`.
pub(super) fn plugin(text: &str) -> Option<PluginRef> {
    let (name, major) = text.split_once('@')?;
    let good = Slug::new(name.strip_prefix("std/").unwrap_or(name)).is_ok();
    let major = major.parse().ok().filter(|_| major.bytes().all(|byte| byte.is_ascii_digit()))?;
    good.then(|| PluginRef { name: name.to_owned(), major })
}

/// Report what is no plugin.
pub(super) fn no_plugin(at: &At<'_>, text: &str, range: Range) {
    let found = Diagnostic::new("bad_name", range, format!("{text:?} does not name a plugin"));
    at.report::<()>(found.help("as `std/purchase-match@0` or `own-rules@2`"));
}

/// What an expression of a test may read: the case, its variables, the time.
pub(super) fn compiler(definition: &Definition) -> Compiler {
    let vars = definition.vars.iter().map(|(name, variable)| (name.clone(), variable.kind.clone().optional()));
    let roots = BTreeMap::from([
        ("case".to_owned(), Type::Object(fields_with("case", &definition.attributes))),
        ("vars".to_owned(), Type::Object(vars.collect())),
        ("now".to_owned(), Type::Instant),
    ]);
    debug_assert!(roots.keys().all(|root| builtin::ROOTS.iter().any(|(name, _)| name == root)));
    Compiler::new(Scope { roots, currency: definition.currency, calendar: definition.calendar.clone() })
}
