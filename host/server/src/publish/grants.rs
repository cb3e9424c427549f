//! What the plugins of a merchant may be told beside the case: the platform offers it, the manifest asks for it, the merchant grants it.

use std::collections::BTreeSet;

use redress_domain::case::command::Actor;
use redress_domain::ids::Slug;
use redress_sandbox::Manifest;

use super::Error;
use super::way::{Answer, Way};
use crate::engine::log::{self, Record, What};
use crate::engine::told::{self, FACTS};
use crate::engine::{self, Engine};

/// What a plugin is to be granted.
#[derive(Debug)]
pub struct Granting<'a> {
    /// Its name, without a version.
    pub plugin: &'a str,
    /// The facts; none takes them all back.
    pub facts: &'a BTreeSet<String>,
    /// Why, in a few words.
    pub note: &'a str,
    /// By whom.
    pub by: &'a Actor,
    /// The way in.
    pub way: Way,
    /// The request that this answers, where it may come again.
    pub answer: Option<Answer<'a, BTreeSet<String>>>,
}

/// Grant a plugin these facts and no others, whether there is one of this name yet or not. Turns that begin from now on tell it what it
/// is granted then.
///
/// # Errors
/// There is no such fact, or the name is none.
pub fn grant(engine: &Engine, granting: &Granting<'_>) -> Result<BTreeSet<String>, Error> {
    let Granting { plugin, facts, note, by, way, answer } = granting;
    Slug::new(plugin).map_err(|_| Error::Name((*plugin).to_owned()))?;
    offered(facts.iter())?;
    let before = of(engine, plugin)?;
    log::record(engine, by, |next| {
        let idem = answer.as_ref().map(|answer| answer.record(next.at, facts));
        if before == **facts {
            return Record { idem, ..Record::default() };
        }
        let granted = What::PluginGranted {
            plugin: (*plugin).to_owned(),
            facts: facts.iter().cloned().collect(),
            note: (*note).to_owned(),
            from: way.origin(),
        };
        Record { facts: vec![granted], rows: vec![told::granting(plugin, facts)], idem, ..Record::default() }
    })?;
    Ok((*facts).clone())
}

/// What a plugin is granted.
///
/// # Errors
/// The store cannot be read.
pub fn of(engine: &Engine, plugin: &str) -> Result<BTreeSet<String>, engine::Error> {
    told::granted(&engine.store().read()?, plugin)
}

/// Whether a plugin is granted all that it asks for.
pub(super) fn check(engine: &Engine, plugin: &str, manifest: &Manifest) -> Result<(), Error> {
    offered(manifest.facts.iter())?;
    let granted = of(engine, plugin)?;
    let missing: Vec<String> = manifest.facts.iter().filter(|fact| !granted.contains(*fact)).cloned().collect();
    if missing.is_empty() { Ok(()) } else { Err(Error::NotGranted { plugin: plugin.to_owned(), facts: missing }) }
}

fn offered<'a>(facts: impl Iterator<Item = &'a String>) -> Result<(), Error> {
    let is_known = |fact: &&String| FACTS.iter().any(|(known, _)| known == fact);
    let unknown: Vec<String> = facts.filter(|fact| !is_known(fact)).cloned().collect();
    if unknown.is_empty() { Ok(()) } else { Err(Error::UnknownFacts(unknown)) }
}

/// Every fact that there is, by name.
pub(super) fn known() -> String {
    FACTS.map(|(name, _)| name).join(", ")
}
