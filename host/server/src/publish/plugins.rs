//! Plugins: pushed by a merchant under a name, or shipped with the binary. What becomes active republishes what calls it.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use redress_domain::case::command::Actor;
use redress_domain::clock::Instant;
use redress_domain::codec;
use redress_domain::ids::{Digest, Slug};
use redress_domain::workflow::definition::{Plugin, PluginRef};
use redress_sandbox::{PluginInfo, Refusal, Sandbox};
use redress_store::objects::Objects;
use redress_store::row::{Row, RowKey};
use redress_store::scan::Scan;
use serde::{Deserialize, Serialize};

use super::way::{Answer, Way};
use super::{Error, cases, grants, interface, past, signers, staging, stock, workflows};
use crate::engine::log::{self, Ended, Next, Origin, Record, What};
use crate::engine::staged::{self, Staged};
use crate::engine::{self, Engine};

/// Names of active plugins in the store's pointers begin with this.
pub(super) const POINTER: &str = "plugin/";

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

/// A plugin that became active.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Became {
    /// What became active.
    pub plugin: Active,
    /// When.
    pub at: Instant,
    /// By whom.
    pub by: Actor,
    /// Where it came from.
    pub from: Origin,
    /// Whose signature it came with, by the name of the key.
    pub signed_by: Option<String>,
    /// Whether it still is, since then.
    pub active: bool,
}

/// A component that is to become active under a name.
#[derive(Debug)]
pub struct Upload<'a> {
    /// The name, without a version.
    pub name: &'a str,
    /// The component, or a core module with its types.
    pub bytes: &'a [u8],
    /// Its signature, the text that minisign writes, where it has one.
    pub signature: Option<&'a str>,
    /// By whom.
    pub by: &'a Actor,
    /// The way in; what a door hands in is committed as handed in together with the activation.
    pub way: Way,
    /// The request that this answers, where it may come again.
    pub answer: Option<Answer<'a, Active>>,
}

/// A component that is to become active again.
#[derive(Debug)]
pub struct Activation<'a> {
    /// The name and major version under which it was active.
    pub plugin: &'a str,
    /// The component.
    pub digest: Digest,
    /// By whom.
    pub by: &'a Actor,
    /// The way in.
    pub way: Way,
    /// The request that this answers, where it may come again.
    pub answer: Option<Answer<'a, Active>>,
}

/// Check, compile, try out and activate a plugin under a name; workflows that call it get a new revision in the same commit.
///
/// # Errors
/// It is refused, or a workflow would not pass with it. Nothing was changed, and nothing of it is kept.
pub fn push(engine: &Engine, objects: &Objects, upload: &Upload<'_>) -> Result<Active, Error> {
    Slug::new(upload.name).map_err(|_| Error::Name(upload.name.to_owned()))?;
    let signed_by = signers::verify(engine, upload.bytes, upload.signature)?;
    let component = component(engine.sandbox(), upload.bytes)?;
    let said = engine.sandbox().describe(&component).map_err(refused)?;
    let (reference, plugin) = known(upload.name, &said).ok_or_else(|| Error::Name(said.manifest.version.clone()))?;
    let digest = Digest::from_bytes(said.digest);
    let active = Active { plugin: reference.to_string(), version: said.manifest.version.clone(), digest };
    grants::check(engine, upload.name, &said.manifest)?;
    // What a workflow would not pass with is not even compiled.
    candidate(engine, active.clone(), &reference, plugin.clone())?;
    // Compiled before and outside: only what becomes active is decided one at a time.
    let compiled = engine.sandbox().upload(&component).map_err(refused)?;
    let pushed = cases::try_out(engine, upload.name, &compiled).and_then(|tried| {
        let becoming = Becoming { component: &component, active, reference: &reference, plugin, signed_by, tried };
        become_active(engine, objects, upload, becoming)
    });
    hold(engine);
    drop(compiled);
    engine.sandbox().sweep();
    pushed
}

/// What is to become active, checked and compiled.
struct Becoming<'a> {
    component: &'a [u8],
    active: Active,
    reference: &'a PluginRef,
    plugin: Plugin,
    signed_by: Option<String>,
    tried: cases::Tried,
}

fn become_active(
    engine: &Engine,
    objects: &Objects,
    upload: &Upload<'_>,
    becoming: Becoming<'_>,
) -> Result<Active, Error> {
    let Becoming { component, active, reference, plugin, signed_by, tried } = becoming;
    let _alone = engine.publishing();
    cases::still(engine, upload.name, tried)?;
    let candidate = Candidate { signed_by, ..candidate(engine, active, reference, plugin)? };
    if !candidate.is_active && upload.way.is_overtaken(|| past::of_plugin(engine, upload.name))? {
        return Err(Error::Overtaken);
    }
    workflows::try_again(engine, &candidate.republished)?;
    // Kept only where nothing but the commit can fail, so that what is refused leaves no file.
    objects.put(component).map_err(Error::Object)?;
    candidate.commit(engine, upload.by, &upload.way, upload.answer.as_ref())
}

/// The component that bytes are, or that is made of a core module: what is known by its digest, and kept.
///
/// # Errors
/// It is a core module of which none can be made.
pub fn component<'b>(sandbox: &Sandbox, bytes: &'b [u8]) -> Result<Cow<'b, [u8]>, Error> {
    redress_sandbox::componentise(bytes, sandbox.limits()).map_err(Error::Refused)
}

/// The component of bytes that somebody hands in under a name, checked, compiled and tried, loaded while its info is held. Nothing is kept.
pub(super) fn compiled<'b>(engine: &Engine, name: &str, bytes: &'b [u8]) -> Result<Compiled<'b>, Error> {
    let bytes = component(engine.sandbox(), bytes)?;
    let info = engine.sandbox().upload(&bytes).map_err(refused)?;
    let tried = cases::try_out(engine, name, &info)?;
    Ok(Compiled { info, bytes, tried })
}

/// A component that was checked, compiled and tried.
pub(super) struct Compiled<'b> {
    /// What it says about itself. It is loaded while this is held.
    pub(super) info: Arc<PluginInfo>,
    /// Its bytes.
    pub(super) bytes: Cow<'b, [u8]>,
    /// By which cases.
    pub(super) tried: cases::Tried,
}

/// What bytes say about themselves as a component. Nothing is kept.
///
/// # Errors
/// They are refused.
pub fn read(sandbox: &Sandbox, bytes: &[u8]) -> Result<Arc<PluginInfo>, Error> {
    sandbox.describe(&component(sandbox, bytes)?).map_err(Error::Refused)
}

/// Keep loaded what new cases of a tenant call, and forget what no tenant needs. A case that is pinned to an earlier component
/// loads it when it asks.
pub(super) fn hold(engine: &Engine) {
    // Read under the lock: of several at once the last one sees what all of them made active.
    let mut held = engine.held();
    let active = match list(engine) {
        Ok(active) => active,
        Err(error) => {
            tracing::warn!(code = error.code(), "plugins that nobody needs stay loaded: {error}");
            return;
        }
    };
    let mut needed: BTreeSet<Digest> = active.into_iter().map(|active| active.digest).collect();
    needed.extend(engine.staged().unwrap_or_default().into_iter().map(|staged| staged.digest));
    for definition in engine.registry().active().iter().chain(&engine.registry().canaries()) {
        needed.extend(definition.plugins.values().map(|plugin| plugin.digest));
    }
    *held = needed.iter().filter_map(|digest| engine.sandbox().require(digest.bytes())).collect();
    drop(held);
    engine.sandbox().sweep();
}

/// Why bytes are not taken: because of what they are, or only for now.
pub(super) fn refused(refusal: Refusal) -> Error {
    match refusal {
        Refusal::Busy => Error::Engine(engine::Error::Full),
        other => Error::Refused(other),
    }
}

/// Activate a component that was active under this name before, in place of the one that is; workflows that call it get another
/// revision in the same commit.
///
/// # Errors
/// It never was, it cannot be loaded any more, or a workflow would not pass with it. Nothing was changed.
pub fn activate(engine: &Engine, objects: &Objects, activation: &Activation<'_>) -> Result<Active, Error> {
    let Activation { plugin, digest, by, way, answer } = activation;
    let never = || Error::NeverPushed { plugin: (*plugin).to_owned(), digest: *digest };
    let was = |became: &Became| became.plugin.plugin == *plugin && became.plugin.digest == *digest;
    let (active, signed_by) = match history(engine)?.into_iter().find(was) {
        Some(became) => (became.plugin, became.signed_by),
        // What is staged was checked and compiled like what was active.
        None => {
            let staged = engine.staged_of(plugin)?.filter(|one| one.digest == *digest).ok_or_else(never)?;
            (staging::component(&staged), staged.signed_by)
        }
    };
    let info = restore(engine.sandbox(), objects, *digest)?;
    let (name, _) = plugin.split_once('@').ok_or_else(never)?;
    grants::check(engine, name, &info.manifest)?;
    let (reference, plugin) = known(name, &info).ok_or_else(never)?;
    let activated = {
        let _alone = engine.publishing();
        let candidate = Candidate { signed_by, ..candidate(engine, active, &reference, plugin)? };
        workflows::try_again(engine, &candidate.republished)?;
        candidate.commit(engine, by, way, answer.as_ref())
    };
    hold(engine);
    activated
}

/// Every time that a plugin of the merchant became active, oldest first.
///
/// # Errors
/// The store cannot be read.
pub fn history(engine: &Engine) -> Result<Vec<Became>, engine::Error> {
    let mut all = Vec::new();
    for logged in log::read(engine)? {
        if let What::PluginActivated { plugin, version, digest, signed_by, from } = logged.what {
            let plugin = Active { plugin, version, digest };
            all.push(Became { plugin, at: logged.at, by: logged.by, from, signed_by, active: false });
        }
    }
    for now in list(engine)? {
        // Of several times, the last is the one that still holds.
        if let Some(became) = all.iter_mut().rev().find(|became| became.plugin == now) {
            became.active = true;
        }
    }
    Ok(all)
}

/// A plugin that may become active, and the workflows that change with it.
struct Candidate {
    active: Active,
    republished: Vec<workflows::Candidate>,
    /// Whether it is active already, so that there is nothing to do.
    is_active: bool,
    /// Whose signature it came with.
    signed_by: Option<String>,
    /// What is staged under the name: it is over when another component, or this one, becomes active.
    staged: Option<Staged>,
}

fn candidate(engine: &Engine, active: Active, reference: &PluginRef, plugin: Plugin) -> Result<Candidate, Error> {
    if list(engine)?.contains(&active) {
        return Ok(Candidate { active, republished: Vec::new(), is_active: true, signed_by: None, staged: None });
    }
    let mut plugins = available(engine)?;
    plugins.insert(reference.clone(), plugin);
    let republished = workflows::republish(engine, reference, &plugins)?;
    let staged = engine.staged_of(&active.plugin)?;
    Ok(Candidate { active, republished, is_active: false, signed_by: None, staged })
}

impl Candidate {
    fn commit(
        self,
        engine: &Engine,
        by: &Actor,
        way: &Way,
        answer: Option<&Answer<'_, Active>>,
    ) -> Result<Active, Error> {
        log::record(engine, by, |next| {
            let (facts, mut rows) =
                if self.is_active { Default::default() } else { self.becoming(engine, next, way, by) };
            rows.extend(way.accepted());
            Record { facts, rows, idem: answer.map(|answer| answer.record(next.at, &self.active)), ..Record::default() }
        })?;
        if self.staged.is_some() {
            engine.stage_is(&self.active.plugin, None);
        }
        for one in self.republished {
            let workflow = one.definition.workflow.clone();
            one.activate(engine);
            engine.canary_is_over(&workflow);
        }
        Ok(self.active)
    }

    fn becoming(&self, engine: &Engine, mut next: Next, way: &Way, by: &Actor) -> (Vec<What>, Vec<Row>) {
        let active = &self.active;
        let activated = What::PluginActivated {
            plugin: active.plugin.clone(),
            version: active.version.clone(),
            digest: active.digest,
            signed_by: self.signed_by.clone(),
            from: way.origin(),
        };
        let pointer = Row::Put(RowKey::pointer(&format!("{POINTER}{}", active.plugin)), codec::encode(active));
        let (mut facts, mut rows) = (vec![activated], vec![pointer]);
        if let Some(staged) = &self.staged {
            let how = if staged.digest == active.digest { Ended::Promoted } else { Ended::Replaced };
            facts.push(staging::ended(staged, how, "", &way.origin()));
            rows.push(Row::Delete(staged::key(&active.plugin)));
        }
        for one in &self.republished {
            let becoming = one.becoming(engine, next, "plugin activated", &way.origin(), by);
            next.number += u64::from(one.is_new());
            facts.extend(becoming.facts);
            rows.extend(becoming.rows);
        }
        (facts, rows)
    }
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
        let loaded = engine.sandbox().require(active.digest.bytes());
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
pub fn restore(sandbox: &Sandbox, objects: &Objects, digest: Digest) -> Result<Arc<PluginInfo>, Error> {
    if let Some(info) = sandbox.info(digest.bytes()) {
        return Ok(info);
    }
    let bytes = objects.get(digest).map_err(Error::Object)?;
    sandbox.load(&bytes).map_err(Error::Refused)
}

/// What the component of a digest says about itself, without loading it.
///
/// # Errors
/// It is nowhere, or refused.
pub(super) fn describe(sandbox: &Sandbox, objects: &Objects, digest: Digest) -> Result<Arc<PluginInfo>, Error> {
    if let Some(info) = sandbox.info(digest.bytes()) {
        return Ok(info);
    }
    let bytes = objects.get(digest).map_err(Error::Object)?;
    sandbox.describe(&bytes).map_err(Error::Refused)
}

/// Load the stock plugins into the sandbox.
///
/// # Errors
/// One is refused: the binary was built with a contract that it does not speak.
pub fn load_stock(sandbox: &Sandbox) -> Result<(), Error> {
    stock::STOCK.iter().try_for_each(|stock| sandbox.load_own(stock.bytes).map(drop).map_err(Error::Refused))
}

/// Those of the stock plugins that are named in a text, loaded while this is held: for who needs no others, since loading compiles.
///
/// # Errors
/// As `load_stock`.
pub fn hold_named(sandbox: &Sandbox, text: &str) -> Result<Vec<Arc<PluginInfo>>, Error> {
    let named = stock::STOCK.iter().filter(|stock| text.contains(&format!("std/{}@", stock.name)));
    named.map(|stock| sandbox.load_own(stock.bytes).map_err(Error::Refused)).collect()
}

/// The stock plugins, loaded while this is held.
///
/// # Errors
/// As `load_stock`.
pub fn hold_stock(sandbox: &Sandbox) -> Result<Vec<Arc<PluginInfo>>, Error> {
    stock::STOCK.iter().map(|stock| sandbox.load_own(stock.bytes).map_err(Error::Refused)).collect()
}

/// Keep the stock plugins: a case that is pinned to one goes on with it when a later binary ships another under its name.
///
/// # Errors
/// The object folder failed.
pub fn keep_stock(objects: &Objects) -> Result<(), Error> {
    stock::STOCK.iter().try_for_each(|stock| objects.put(stock.bytes).map(drop).map_err(Error::Object))
}

/// A component under a name, as a workflow may call it; none where its version is none.
pub fn known(name: &str, info: &PluginInfo) -> Option<(PluginRef, Plugin)> {
    Some((interface::reference(name, &info.manifest)?, interface::plugin(info)?))
}
