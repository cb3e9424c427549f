//! From an upload to an active plugin in steps that harm nobody: as a shadow a component is asked beside the active one and its answers
//! are compared, as a canary it decides a share of the new cases, then it becomes active; or it is stopped on the way.

use std::borrow::Cow;
use std::sync::Arc;

use redress_domain::case::command::Actor;
use redress_domain::ids::{Digest, Slug};
use redress_domain::workflow::canary::{Bounds, Percent};
use redress_domain::workflow::definition::{Definition, Plugin, PluginRef};
use redress_sandbox::PluginInfo;
use redress_store::objects::Objects;
use redress_store::row::{Row, RowKey};

use super::canary::{self, LettingOut, Share};
use super::plugins::{self, Active, POINTER};
use super::way::{Answer, Way};
use super::{Error, cases, grants, signers, workflows};
use crate::engine::Engine;
use crate::engine::log::{self, Ended, Next, Origin, Record, Since, What};
use crate::engine::staged::{self, Compared, Stage, Staged};

/// A component that is to stand beside the active one.
#[derive(Debug)]
pub struct Staging<'a> {
    /// What is staged.
    pub what: Component<'a>,
    /// How far.
    pub stage: Stage,
    /// How much worse a canary may do.
    pub bounds: Bounds,
    /// Why, in a few words.
    pub note: &'a str,
    /// By whom.
    pub by: &'a Actor,
    /// The way in.
    pub way: Way,
    /// The request that this answers, where it may come again.
    pub answer: Option<Answer<'a, Staged>>,
}

/// Which component.
#[derive(Debug, Clone, Copy)]
pub enum Component<'a> {
    /// One that is handed in, and the name without a version; with its signature, where it has one.
    Upload(&'a str, &'a [u8], Option<&'a str>),
    /// The one that is staged under this name and major version.
    Staged(&'a str),
}

/// The end of something by hand.
#[derive(Debug)]
pub struct End<'a, T> {
    /// Name and major version.
    pub plugin: &'a str,
    /// Why, in a few words.
    pub note: &'a str,
    /// By whom.
    pub by: &'a Actor,
    /// The way in.
    pub way: Way,
    /// The request that this answers, where it may come again.
    pub answer: Option<Answer<'a, T>>,
}

/// Put a component beside the active one of its name, in place of what is staged there; or let what is staged go further or back.
///
/// # Errors
/// It is refused, nothing is active under its name, or as a canary a workflow would not pass with it. Nothing was changed.
pub fn stage(engine: &Engine, objects: &Objects, staging: &Staging<'_>) -> Result<Staged, Error> {
    // Checked and compiled before and outside: only what is staged is decided one at a time.
    let Found { component, reference, plugin, bytes, signed_by, tried, _held } = find(engine, objects, &staging.what)?;
    let staged = {
        let _alone = engine.publishing();
        let name = component.plugin.clone();
        if let Some(tried) = tried {
            cases::still(engine, &reference.name, tried)?;
        }
        let beside = plugins::list(engine)?.into_iter().find(|one| one.plugin == name);
        let beside = beside.ok_or_else(|| Error::NoPlugin(name.clone()))?.digest;
        if beside == component.digest {
            let why = "the component is the active one".to_owned();
            return Err(Error::StageUnfit { plugin: name, why });
        }
        let canaries = match staging.stage {
            Stage::Shadow => Vec::new(),
            Stage::Canary(_) => canaries(engine, &name, &reference, plugin)?,
        };
        if let Some(bytes) = &bytes {
            objects.put(bytes).map_err(Error::Object)?;
        }
        commit(engine, staging, New { component, signed_by, beside, canaries })?
    };
    plugins::hold(engine);
    Ok(staged)
}

/// What is to be staged, loaded while this is held.
struct Found<'a> {
    component: Active,
    reference: PluginRef,
    plugin: Plugin,
    /// Of what is not kept yet.
    bytes: Option<Cow<'a, [u8]>>,
    /// Whose signature it came with.
    signed_by: Option<String>,
    /// By which cases; what is kept already was tried when it came.
    tried: Option<cases::Tried>,
    _held: Arc<PluginInfo>,
}

fn find<'a>(engine: &Engine, objects: &Objects, what: &Component<'a>) -> Result<Found<'a>, Error> {
    let signed_by;
    let (name, info, bytes, tried) = match *what {
        Component::Upload(name, bytes, signature) => {
            Slug::new(name).map_err(|_| Error::Name(name.to_owned()))?;
            signed_by = signers::verify(engine, bytes, signature)?;
            let plugins::Compiled { info, bytes, tried } = plugins::compiled(engine, name, bytes)?;
            (name, info, Some(bytes), Some(tried))
        }
        Component::Staged(plugin) => {
            let staged = engine.staged_of(plugin)?.ok_or_else(|| Error::NotStaged(plugin.to_owned()))?;
            let name = plugin.split('@').next().unwrap_or_default();
            signed_by = staged.signed_by;
            (name, plugins::restore(engine.sandbox(), objects, staged.digest)?, None, None)
        }
    };
    grants::check(engine, name, &info.manifest)?;
    let known = plugins::known(name, &info);
    let (reference, plugin) = known.ok_or_else(|| Error::Name(info.manifest.version.clone()))?;
    let digest = Digest::from_bytes(info.digest);
    let component = Active { plugin: reference.to_string(), version: info.manifest.version.clone(), digest };
    Ok(Found { component, reference, plugin, bytes, signed_by, tried, _held: info })
}

/// The revisions that would be canaries: of every active workflow that calls the plugin, with the component in place of the active one.
fn canaries(engine: &Engine, name: &str, reference: &PluginRef, plugin: Plugin) -> Result<Vec<Canary>, Error> {
    let mut available = plugins::available(engine)?;
    available.insert(reference.clone(), plugin);
    let candidates = workflows::republish(engine, reference, &available)?;
    if candidates.is_empty() {
        let why = "no active workflow calls it, so that no case would take it".to_owned();
        return Err(Error::StageUnfit { plugin: name.to_owned(), why });
    }
    workflows::try_again(engine, &candidates)?;
    let beside = |candidate: workflows::Candidate| {
        let control = engine.registry().active_of(&candidate.definition.workflow)?;
        Some(Canary { candidate, control })
    };
    Ok(candidates.into_iter().filter_map(beside).collect())
}

/// A workflow with the component in place of the active one, and the revision beside which it is let out.
struct Canary {
    candidate: workflows::Candidate,
    control: Digest,
}

/// What is staged with what it comes to.
struct New {
    component: Active,
    signed_by: Option<String>,
    beside: Digest,
    canaries: Vec<Canary>,
}

fn commit(engine: &Engine, staging: &Staging<'_>, new: New) -> Result<Staged, Error> {
    let New { component, signed_by, beside, canaries } = new;
    let Staging { stage, bounds, note, by, way, answer, .. } = staging;
    let before = engine.staged_of(&component.plugin)?;
    // What it came to as a shadow is still known when it is a canary.
    let same = before.as_ref().filter(|before| before.digest == component.digest && before.beside == beside);
    let compared = same.map(|before| before.compared.clone()).unwrap_or_default();
    let staged = |next: Next| Staged {
        plugin: component.plugin.clone(),
        version: component.version.clone(),
        digest: component.digest,
        beside,
        signed_by: signed_by.clone(),
        stage: *stage,
        since: Since { at: next.at, by: (*by).clone(), note: (*note).to_owned(), from: way.origin() },
        compared: compared.clone(),
    };
    let over = canaries_of(engine, before.as_ref());
    let over: Vec<Slug> =
        over.into_iter().filter(|one| !canaries.iter().any(|new| new.candidate.definition.workflow == *one)).collect();
    log::record(engine, by, |mut next| {
        let staged = staged(next);
        let (mut facts, mut rows) = (Vec::new(), vec![staged.row()]);
        if let Some(before) = before.as_ref().filter(|before| before.digest != component.digest) {
            facts.push(ended(before, Ended::Replaced, note, &way.origin()));
        }
        facts.push(What::PluginStaged {
            plugin: staged.plugin.clone(),
            version: staged.version.clone(),
            digest: staged.digest,
            stage: *stage,
            signed_by: staged.signed_by.clone(),
            note: (*note).to_owned(),
            from: way.origin(),
        });
        for (fact, row) in over.iter().filter_map(|one| engine.canary_ends(one, Ended::Replaced, note, &way.origin())) {
            facts.push(fact);
            rows.push(row);
        }
        // As a shadow it has none.
        let shares = stage.percent().into_iter().flat_map(|percent| canaries.iter().map(move |one| (percent, one)));
        for (percent, Canary { candidate, control }) in shares {
            let share = Share { percent, bounds: *bounds, note, by, way };
            let letting = canary::letting_out(engine, candidate, *control, next, share);
            next.number += u64::from(candidate.is_new());
            let LettingOut { facts: more, rows: more_rows, .. } = letting;
            facts.extend(more);
            rows.extend(more_rows);
        }
        let idem = answer.as_ref().map(|answer| answer.record(next.at, &staged));
        Record { facts, rows, idem, ..Record::default() }
    })?;
    over.iter().for_each(|one| engine.canary_is_over(one));
    for Canary { candidate, .. } in &canaries {
        canary::begin(engine, &candidate.definition)?;
    }
    let stored = engine.staged_of(&component.plugin)?.ok_or_else(|| Error::NotStaged(component.plugin.clone()))?;
    engine.stage_is(&component.plugin, Some(&stored));
    Ok(stored)
}

/// The workflows whose canary calls a staged component.
fn canaries_of(engine: &Engine, staged: Option<&Staged>) -> Vec<Slug> {
    let Some(staged) = staged else { return Vec::new() };
    let calls = |plugin: &Plugin| plugin.digest == staged.digest;
    let canaries = engine.registry().canaries();
    canaries.iter().filter(|one| one.plugins.values().any(calls)).map(|one| one.workflow.clone()).collect()
}

/// Take away what is staged: it is asked no more, and no further case takes it. Cases that took it stay with it.
///
/// # Errors
/// Nothing is staged under the name.
pub fn stop(engine: &Engine, end: &End<'_, Staged>) -> Result<Staged, Error> {
    let _alone = engine.publishing();
    let End { plugin, note, by, way, answer } = end;
    let last = engine.staged_of(plugin)?.ok_or_else(|| Error::NotStaged((*plugin).to_owned()))?;
    let over = canaries_of(engine, Some(&last));
    log::record(engine, by, |next| {
        let (mut facts, mut rows) =
            (vec![ended(&last, Ended::Stopped, note, &way.origin())], vec![Row::Delete(staged::key(plugin))]);
        for (fact, row) in over.iter().filter_map(|one| engine.canary_ends(one, Ended::Stopped, note, &way.origin())) {
            facts.push(fact);
            rows.push(row);
        }
        let idem = answer.as_ref().map(|answer| answer.record(next.at, &last));
        Record { facts, rows, idem, ..Record::default() }
    })?;
    engine.stage_is(plugin, None);
    over.iter().for_each(|one| engine.canary_is_over(one));
    plugins::hold(engine);
    Ok(last)
}

/// Remove a plugin: no workflow can call it any more. Cases that are pinned to its components keep them.
///
/// # Errors
/// There is none of this name, or a workflow that new cases take calls it.
pub fn remove(engine: &Engine, end: &End<'_, Active>) -> Result<Active, Error> {
    let _alone = engine.publishing();
    let End { plugin, note, by, way, answer } = end;
    let active = plugins::list(engine)?.into_iter().find(|one| one.plugin == *plugin);
    let active = active.ok_or_else(|| Error::NoPlugin((*plugin).to_owned()))?;
    let used = used_by(engine, plugin);
    if !used.is_empty() {
        return Err(Error::InUse { plugin: (*plugin).to_owned(), by: used });
    }
    let staged = engine.staged_of(plugin)?;
    log::record(engine, by, |next| {
        let removed = What::PluginRemoved {
            plugin: (*plugin).to_owned(),
            digest: active.digest,
            note: (*note).to_owned(),
            from: way.origin(),
        };
        let unstaged = staged.as_ref().map(|one| ended(one, Ended::Replaced, note, &way.origin()));
        let facts = unstaged.into_iter().chain([removed]).collect();
        let rows = vec![Row::Delete(RowKey::pointer(&format!("{POINTER}{plugin}"))), Row::Delete(staged::key(plugin))];
        let idem = answer.as_ref().map(|answer| answer.record(next.at, &active));
        Record { facts, rows, idem, ..Record::default() }
    })?;
    engine.stage_is(plugin, None);
    plugins::hold(engine);
    Ok(active)
}

/// The workflows that new cases take and that call a plugin, each with what it is.
pub fn used_by(engine: &Engine, plugin: &str) -> Vec<String> {
    let calls = |name: &PluginRef| name.to_string() == plugin;
    let of = |all: Vec<Arc<Definition>>, what: &str| {
        let called = all.into_iter().filter(|one| one.plugins.keys().any(calls));
        called.map(|one| format!("{} ({what})", one.workflow)).collect::<Vec<_>>()
    };
    let registry = engine.registry();
    let mut used = of(registry.active(), "active");
    used.extend(of(registry.canaries(), "canary"));
    used
}

/// A staged component, as it would be active.
pub(super) fn component(staged: &Staged) -> Active {
    Active { plugin: staged.plugin.clone(), version: staged.version.clone(), digest: staged.digest }
}

/// That a component is not staged any more.
pub(super) fn ended(staged: &Staged, how: Ended, note: &str, from: &Origin) -> What {
    What::PluginUnstaged {
        plugin: staged.plugin.clone(),
        digest: staged.digest,
        how,
        // Both sides of an answer are for who looks at it now; the record says how many there were.
        compared: Compared { examples: Vec::new(), ..staged.compared.clone() },
        note: note.to_owned(),
        from: from.clone(),
    }
}

/// A share of the new cases, as people give it.
pub fn canary_of(percent: u8) -> Option<Stage> {
    Percent::new(percent).map(Stage::Canary)
}
