//! Bases that workflows extend: those that are shipped, by number, and what the tenant published itself, by number or revision.

use std::collections::BTreeMap;

use redress_domain::ids::Slug;
use redress_domain::workflow::diagnostic::Diagnostic;
use redress_domain::workflow::load::Environment;
use redress_domain::workflow::overlay;
use redress_domain::workflow::yaml::Node;
use serde::{Deserialize, Serialize};

use super::workflows::{self, Revision};
use crate::engine::{self, Engine};

include!(concat!(env!("OUT_DIR"), "/bases.rs"));

/// A base as a revision keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Base {
    /// As the overlay names it.
    pub name: String,
    /// Its text.
    pub source: String,
}

/// The bases that are shipped.
pub fn shipped() -> BTreeMap<String, String> {
    BASES.iter().map(|(name, source)| ((*name).to_owned(), (*source).to_owned())).collect()
}

/// The bases that may be extended: those that are shipped, what is published `together` with the overlay, and the tenant's own one of
/// this name.
///
/// # Errors
/// The store cannot be read.
pub fn known(
    engine: &Engine,
    wanted: Option<&str>,
    together: &BTreeMap<Slug, String>,
) -> Result<BTreeMap<String, String>, engine::Error> {
    let mut bases = shipped();
    bases.extend(together.iter().map(|(name, text)| (format!("{name}@{}", overlay::BESIDE), text.clone())));
    let Some(wanted) = wanted.filter(|wanted| !bases.contains_key(*wanted)) else { return Ok(bases) };
    let Some((name, pin)) = overlay::pin(wanted) else { return Ok(bases) };
    let of_name = |revision: &Revision| revision.workflow.as_str() == name;
    let own: Vec<Revision> = workflows::list(engine)?.into_iter().filter(of_name).collect();
    let is_meant = |revision: &&Revision| is_pinned(revision, pin);
    match own.iter().filter(is_meant).collect::<Vec<_>>()[..] {
        [one] => _ = bases.insert(wanted.to_owned(), one.source.clone()),
        // Named in the message as what there is.
        _ => bases.extend(own.iter().map(|one| (format!("{name}@{}", one.number), one.source.clone()))),
    }
    Ok(bases)
}

/// Whether a pin means this revision: its number, or the beginning of its hash.
pub(super) fn is_pinned(revision: &Revision, pin: &str) -> bool {
    revision.number.to_string() == pin || (pin.len() > 9 && revision.revision.to_string().starts_with(pin))
}

/// The base that a text extends, to be kept with it.
pub(super) fn used(source: &str, bases: &BTreeMap<String, String>) -> Option<Base> {
    let name = overlay::base_of(source)?;
    let source = bases.get(&name)?.clone();
    Some(Base { name, source })
}

/// The whole document that a revision is: an overlay with the base that it was published with.
///
/// # Errors
/// What is wrong with it; a revision that was published has no such thing.
pub fn whole(revision: &Revision) -> Result<Node, Vec<Diagnostic>> {
    let base = revision.base.as_ref().map(|base| (base.name.clone(), base.source.clone()));
    let environment = Environment { bases: base.into_iter().collect(), ..Environment::default() };
    overlay::whole(&revision.source, &environment)
}
