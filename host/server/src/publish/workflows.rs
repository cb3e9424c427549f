//! Workflows: a text becomes a revision, a revision becomes active.

use std::collections::BTreeMap;
use std::sync::Arc;

use redress_domain::case::command::Actor;
use redress_domain::clock::Instant;
use redress_domain::codec;
use redress_domain::ids::{Digest, Slug};
use redress_domain::workflow::definition::{Definition, Plugin, PluginRef};
use redress_domain::workflow::load::{self, Environment};
use redress_sandbox::Sandbox;
use redress_store::objects::Objects;
use redress_store::row::{Row, RowKey};
use redress_store::scan::Scan;
use serde::{Deserialize, Serialize};

use super::{Error, interface, plugins};
use crate::engine::log::{self, What};
use crate::engine::{self, Engine};

/// Names of active workflows in the store's pointers begin with this.
const POINTER: &str = "workflow/";

/// A revision, as the store keeps it: with its text, and the plugins that it is pinned to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revision {
    /// The workflow.
    pub workflow: Slug,
    /// The content hash.
    pub revision: Digest,
    /// The place among all revisions of the tenant, from 1.
    pub number: u64,
    /// The text as it was written.
    pub source: String,
    /// The component of each plugin that it calls.
    pub plugins: BTreeMap<String, Digest>,
    /// When it was published.
    pub published_at: Instant,
    /// By whom.
    pub by: Actor,
    /// Why, in a few words.
    pub note: String,
}

/// A checked text that is not yet stored.
pub(super) struct Candidate {
    source: String,
    definition: Arc<Definition>,
}

/// Check a text against what the tenant has. Everything that is wrong comes at once.
///
/// # Errors
/// The problems, or the store could not be read.
pub fn check(engine: &Engine, source: &str) -> Result<Arc<Definition>, Error> {
    candidate(engine, source, plugins::available(engine)?).map(|candidate| candidate.definition)
}

/// Publish a text: check it, store its revision, make it the one that new cases take.
///
/// # Errors
/// The problems; the active revision stays.
pub fn publish(engine: &Engine, source: &str, note: &str, by: &Actor) -> Result<Revision, Error> {
    let _alone = engine.publishing();
    let candidate = candidate(engine, source, plugins::available(engine)?)?;
    let revision = candidate.definition.revision;
    if active(engine, &candidate.definition.workflow)? == Some(revision) {
        // The same content is active already: nothing is published twice.
        return Ok(find(engine, revision)?.unwrap_or_else(|| candidate.revision(0, note, engine, by)));
    }
    log::record(engine, by, |number| {
        let (fact, rows) = candidate.stored(number, note, engine, by);
        (vec![fact], rows)
    })?;
    candidate.activate(engine);
    let damaged = || engine::Error::Damaged { what: "revision", detail: "it is not there after its commit".to_owned() };
    Ok(find(engine, revision)?.ok_or_else(damaged)?)
}

/// Load every stored revision of a tenant and make the active ones active: at the start.
///
/// # Errors
/// The store cannot be read. A revision that does not load any more is logged; its cases answer with an error.
pub fn restore(engine: &Engine, objects: &Objects) -> Result<(), engine::Error> {
    for active in plugins::list(engine)? {
        if let Err(error) = plugins::restore(engine.sandbox(), objects, active.digest) {
            tracing::error!(plugin.digest = %active.digest, "plugin {} could not be loaded: {error}", active.plugin);
        }
    }
    for revision in list(engine)? {
        match definition(engine, objects, &revision) {
            Ok(definition) => engine.registry().know(definition),
            Err(error) => {
                tracing::error!(workflow.revision = %revision.revision, "workflow {} could not be loaded: {error}", revision.workflow);
            }
        }
    }
    for (workflow, revision) in actives(engine)? {
        if !engine.registry().activate(&workflow, revision) {
            tracing::error!(workflow.revision = %revision, "workflow {workflow} is not active: its revision could not be loaded");
        }
    }
    Ok(())
}

/// All revisions, oldest first.
///
/// # Errors
/// The store cannot be read.
pub fn list(engine: &Engine) -> Result<Vec<Revision>, engine::Error> {
    let mut all: Vec<Revision> = super::rows(engine, &Scan::Revisions, "revision")?;
    all.sort_by_key(|revision| revision.number);
    Ok(all)
}

/// The revision of a hash.
///
/// # Errors
/// The store cannot be read.
pub fn find(engine: &Engine, revision: Digest) -> Result<Option<Revision>, engine::Error> {
    let bytes = engine.store().read()?.revision(revision)?;
    bytes.map(|bytes| codec::decode(&bytes).map_err(engine::Error::damaged("revision"))).transpose()
}

/// The active revision of each workflow.
///
/// # Errors
/// The store cannot be read.
pub fn actives(engine: &Engine) -> Result<Vec<(Slug, Digest)>, engine::Error> {
    super::rows(engine, &Scan::Pointers(POINTER.to_owned()), "active revision")
}

/// New revisions of the active workflows that call a plugin, with it in place of the one before.
pub(super) fn republish(
    engine: &Engine,
    changed: &PluginRef,
    plugins: &BTreeMap<PluginRef, Plugin>,
) -> Result<Vec<Candidate>, Error> {
    let mut candidates = Vec::new();
    for definition in engine.registry().active() {
        if !definition.plugins.contains_key(changed) {
            continue;
        }
        let Some(revision) = find(engine, definition.revision)? else { continue };
        let new = candidate(engine, &revision.source, plugins.clone()).map_err(|error| match error {
            Error::Invalid(problems) => Error::Breaks { workflow: revision.workflow.to_string(), problems },
            other => other,
        })?;
        if new.definition.revision != definition.revision {
            candidates.push(new);
        }
    }
    Ok(candidates)
}

impl Candidate {
    fn revision(&self, number: u64, note: &str, engine: &Engine, by: &Actor) -> Revision {
        let definition = &self.definition;
        Revision {
            workflow: definition.workflow.clone(),
            revision: definition.revision,
            number,
            source: self.source.clone(),
            plugins: definition.plugins.iter().map(|(name, plugin)| (name.to_string(), plugin.digest)).collect(),
            published_at: engine.clock().now(),
            by: by.clone(),
            note: note.to_owned(),
        }
    }

    /// The fact and the rows that publishing it stores.
    pub(super) fn stored(&self, number: u64, note: &str, engine: &Engine, by: &Actor) -> (What, Vec<Row>) {
        let revision = self.revision(number, note, engine, by);
        let (workflow, digest) = (revision.workflow.clone(), revision.revision);
        let pointer = RowKey::pointer(&format!("{POINTER}{workflow}"));
        let rows = vec![
            Row::Put(RowKey::revision(digest), codec::encode(&revision)),
            Row::Put(pointer, codec::encode(&(&workflow, digest))),
        ];
        (What::WorkflowPublished { workflow, revision: digest, number, note: note.to_owned() }, rows)
    }

    /// Make it the one that new cases take, once it is stored.
    pub(super) fn activate(self, engine: &Engine) {
        let (workflow, revision) = (self.definition.workflow.clone(), self.definition.revision);
        engine.registry().know(self.definition);
        engine.registry().activate(&workflow, revision);
    }
}

fn active(engine: &Engine, workflow: &Slug) -> Result<Option<Digest>, engine::Error> {
    Ok(actives(engine)?.into_iter().find(|(name, _)| name == workflow).map(|(_, revision)| revision))
}

fn candidate(engine: &Engine, source: &str, plugins: BTreeMap<PluginRef, Plugin>) -> Result<Candidate, Error> {
    let record = engine.record();
    let environment = Environment { plugins, currency: Some(record.currency), zone: Some(record.zone) };
    let definition = load::load(source, &environment).map_err(Error::Invalid)?;
    Ok(Candidate { source: source.to_owned(), definition: Arc::new(definition) })
}

/// The definition of a stored revision, with exactly the plugins that it is pinned to.
fn definition(engine: &Engine, objects: &Objects, revision: &Revision) -> Result<Arc<Definition>, Error> {
    let mut plugins = BTreeMap::new();
    for (name, digest) in &revision.plugins {
        plugins::restore(engine.sandbox(), objects, *digest)?;
        plugins.extend(pinned(engine.sandbox(), name, *digest));
    }
    let definition = candidate(engine, &revision.source, plugins)?.definition;
    if definition.revision == revision.revision {
        Ok(definition)
    } else {
        let detail = format!("this program reads its text as revision {}", definition.revision);
        Err(engine::Error::Revision { revision: revision.revision, detail }.into())
    }
}

fn pinned(sandbox: &Sandbox, name: &str, digest: Digest) -> Option<(PluginRef, Plugin)> {
    let (name, major) = name.split_once('@')?;
    let reference = PluginRef { name: name.to_owned(), major: major.parse().ok()? };
    Some((reference, interface::plugin(&*sandbox.info(digest.bytes())?)?))
}
