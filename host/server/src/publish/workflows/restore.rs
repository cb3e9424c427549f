//! A tenant's workflows at the start of its engine: every stored revision is loaded, and what was active is active again.

use std::collections::BTreeMap;
use std::sync::Arc;

use redress_domain::ids::Digest;
use redress_domain::workflow::definition::{Definition, Plugin, PluginRef};
use redress_sandbox::PluginInfo;
use redress_store::objects::Objects;

use super::kept::Kept;
use super::{Revision, actives, candidate, list};
use crate::engine::{self, Engine};
use crate::publish::{Error, interface, plugins};

/// Load every stored revision of a tenant and make the active ones active: at the start.
///
/// # Errors
/// The store cannot be read. A revision that does not load any more is logged; its cases answer with an error.
pub fn restore(engine: &Engine, objects: &Objects) -> Result<(), engine::Error> {
    for active in plugins::list(engine)? {
        match plugins::restore(engine.sandbox(), objects, active.digest) {
            // Held by the engine from here on, with what the active workflows need below.
            Ok(info) => engine.held().push(info),
            Err(error) => {
                tracing::error!(plugin.digest = %active.digest, "plugin {} could not be loaded: {error}", active.plugin);
            }
        }
    }
    let mut described = BTreeMap::new();
    for revision in list(engine)? {
        match definition(engine, objects, &revision, &mut described) {
            Ok(definition) => {
                engine.registry().know(definition);
                engine.registry().number_is(revision.revision, revision.number);
            }
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
    engine.restore_canaries()?;
    engine.restore_staged()?;
    engine.wake_resumed()?;
    plugins::hold(engine);
    Ok(())
}

/// The definition of a stored revision, with exactly the plugins that it is pinned to. They are not loaded for it: most are asked
/// no more, and a case that does ask loads its own.
fn definition(
    engine: &Engine,
    objects: &Objects,
    revision: &Revision,
    described: &mut BTreeMap<Digest, Arc<PluginInfo>>,
) -> Result<Arc<Definition>, Error> {
    let mut plugins = BTreeMap::new();
    for (name, digest) in &revision.plugins {
        let info = match described.get(digest) {
            Some(info) => info.clone(),
            None => plugins::describe(engine.sandbox(), objects, *digest)?,
        };
        plugins.extend(pinned(name, &info));
        described.insert(*digest, info);
    }
    let definition = candidate(engine, &revision.source, plugins, Kept::with(revision)?)?.definition;
    if definition.revision == revision.revision {
        Ok(definition)
    } else {
        let detail = format!("this program reads its text as revision {}", definition.revision);
        Err(engine::Error::Revision { revision: revision.revision, detail }.into())
    }
}

fn pinned(name: &str, info: &PluginInfo) -> Option<(PluginRef, Plugin)> {
    let (name, major) = name.split_once('@')?;
    let reference = PluginRef { name: name.to_owned(), major: major.parse().ok()? };
    Some((reference, interface::plugin(info)?))
}
