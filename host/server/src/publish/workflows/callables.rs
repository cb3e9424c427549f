//! The workflows that a text may run, as far as they are known when it is checked.

use std::collections::BTreeMap;

use redress_domain::case::child::Pin;
use redress_domain::ids::Slug;
use redress_domain::workflow::definition::Callable;

use crate::engine::Engine;

/// The active ones, and those revisions that one of these texts pins, each under the name that a document has for it.
pub(super) fn known<'t>(engine: &Engine, texts: impl IntoIterator<Item = &'t str>) -> BTreeMap<String, Callable> {
    let registry = engine.registry();
    let active = registry.active().into_iter();
    let mut known: BTreeMap<String, Callable> =
        active.map(|one| (format!("{}@{}", one.workflow, Pin::Active), one.callable())).collect();
    for name in texts.into_iter().flat_map(names) {
        let named = name.split_once('@').and_then(|(name, pin)| Some((Slug::new(name).ok()?, pin.parse().ok()?)));
        if let Some(one) = named.and_then(|(workflow, pin): (Slug, Pin)| registry.pinned(&workflow, &pin)) {
            known.insert(name.to_owned(), one.callable());
        }
    }
    known
}

/// Whatever looks like a name with a pin; what is none finds no workflow.
fn names(text: &str) -> impl Iterator<Item = &str> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '@' | '-' | '_' | '/');
    text.split(move |c: char| !is_part(c)).filter(|word| word.contains('@'))
}
