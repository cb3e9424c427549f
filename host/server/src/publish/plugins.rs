//! Plugins: pushed by a merchant under a name, or shipped with the binary. A push republishes what calls the plugin.

use std::collections::BTreeMap;

use redress_domain::case::command::Actor;
use redress_domain::codec;
use redress_domain::ids::{Digest, Slug};
use redress_domain::workflow::definition::{Plugin, PluginRef};
use redress_sandbox::{PluginInfo, Sandbox};
use redress_store::objects::Objects;
use redress_store::row::{Row, RowKey};
use redress_store::scan::Scan;
use serde::{Deserialize, Serialize};

use super::{Error, interface, stock, workflows};
use crate::engine::log::{self, What};
use crate::engine::{self, Engine};

/// Names of active plugins in the store's pointers begin with this.
const POINTER: &str = "plugin/";

/// An active plugin, as the store keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Active {
    /// Name and major version.
    pub plugin: String,
    /// Its version.
    pub version: String,
    /// The component.
    pub digest: Digest,
}

/// Check, compile and activate a plugin under a name; workflows that call it get a new revision in the same commit.
///
/// # Errors
/// It is refused, or a workflow would not pass with it. Nothing was changed.
pub fn push(engine: &Engine, objects: &Objects, name: &str, bytes: &[u8], by: &Actor) -> Result<Active, Error> {
    Slug::new(name).map_err(|_| Error::Name(name.to_owned()))?;
    let info = engine.sandbox().load(bytes).map_err(Error::Refused)?;
    let (reference, plugin) = known(name, &info).ok_or_else(|| Error::Name(info.manifest.version.clone()))?;
    let digest = objects.put(bytes).map_err(Error::Object)?;
    // Compiled before and outside: only what becomes active is decided one at a time.
    let _alone = engine.publishing();
    let active = Active { plugin: reference.to_string(), version: info.manifest.version.clone(), digest };
    if list(engine)?.contains(&active) {
        // The same component is active under this name already: nothing is pushed twice.
        return Ok(active);
    }
    let mut plugins = available(engine)?;
    plugins.insert(reference.clone(), plugin);
    let republished = workflows::republish(engine, &reference, &plugins)?;
    log::record(engine, by, |number| {
        let pushed = What::PluginActivated {
            plugin: active.plugin.clone(),
            version: active.version.clone(),
            digest: active.digest,
        };
        let pointer = Row::Put(RowKey::pointer(&format!("{POINTER}{reference}")), codec::encode(&active));
        let (mut facts, mut rows) = (vec![pushed], vec![pointer]);
        for (place, one) in (0..).zip(&republished) {
            let (fact, more) = one.stored(number + place, "plugin activated", engine, by);
            facts.push(fact);
            rows.extend(more);
        }
        (facts, rows)
    })?;
    republished.into_iter().for_each(|one| one.activate(engine));
    Ok(active)
}

/// The merchant's active plugins.
///
/// # Errors
/// The store cannot be read.
pub fn list(engine: &Engine) -> Result<Vec<Active>, engine::Error> {
    super::rows(engine, &Scan::Pointers(POINTER.to_owned()), "plugin")
}

/// Every plugin that a workflow of this tenant may call: its own, and the stock ones.
///
/// # Errors
/// The store cannot be read.
pub fn available(engine: &Engine) -> Result<BTreeMap<PluginRef, Plugin>, engine::Error> {
    let mut plugins = BTreeMap::new();
    for active in list(engine)? {
        let loaded = engine.sandbox().info(active.digest.bytes());
        let name = active.plugin.split('@').next().unwrap_or_default();
        plugins.extend(loaded.and_then(|info| known(name, &info)));
    }
    plugins.extend(stock(engine.sandbox()));
    Ok(plugins)
}

/// The stock plugins, once they are loaded.
pub fn stock(sandbox: &Sandbox) -> BTreeMap<PluginRef, Plugin> {
    let known = |stock: &stock::Stock| {
        let loaded = sandbox.info(Digest::of(stock.bytes).bytes());
        loaded.and_then(|info| known(&format!("std/{}", stock.name), &info))
    };
    stock::STOCK.iter().filter_map(known).collect()
}

/// Load the component of a digest into the sandbox, from the object folder.
///
/// # Errors
/// It is nowhere, or refused.
pub fn restore(sandbox: &Sandbox, objects: &Objects, digest: Digest) -> Result<(), Error> {
    if sandbox.is_loaded(digest.bytes()) {
        return Ok(());
    }
    let bytes = objects.get(digest).map_err(Error::Object)?;
    sandbox.load(&bytes).map(drop).map_err(Error::Refused)
}

/// Load the stock plugins into the sandbox.
///
/// # Errors
/// One is refused: the binary was built with a contract that it does not speak.
pub fn load_stock(sandbox: &Sandbox) -> Result<(), Error> {
    stock::STOCK.iter().try_for_each(|stock| sandbox.load(stock.bytes).map(drop).map_err(Error::Refused))
}

/// Keep the stock plugins: a case that is pinned to one goes on with it when a later binary ships another under its name.
///
/// # Errors
/// The object folder failed.
pub fn keep_stock(objects: &Objects) -> Result<(), Error> {
    stock::STOCK.iter().try_for_each(|stock| objects.put(stock.bytes).map(drop).map_err(Error::Object))
}

fn known(name: &str, info: &PluginInfo) -> Option<(PluginRef, Plugin)> {
    Some((interface::reference(name, &info.manifest)?, interface::plugin(info)?))
}
