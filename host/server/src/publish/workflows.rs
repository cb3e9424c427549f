//! Workflows: a text becomes a revision, a revision becomes active, and an earlier one may become active again.

pub mod active;
mod callables;
pub mod history;
pub(super) mod kept;
pub mod names;
mod restore;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, MutexGuard};

use redress_domain::case::command::Actor;
use redress_domain::clock::Instant;
use redress_domain::codec;
use redress_domain::ids::{Digest, Slug};
use redress_domain::workflow::definition::{Definition, Plugin, PluginRef};
use redress_domain::workflow::diagnostic;
use redress_domain::workflow::load::{self, Environment};
use redress_domain::workflow::overlay;
use redress_sandbox::PluginInfo;
use redress_store::row::{Row, RowKey};
use redress_store::scan::Scan;
use serde::{Deserialize, Serialize};

use super::bases::{self, Base};
use super::suite::{self, TestFile};
use super::way::{Answer, Way};
use super::{Error, hold, past, plugins};
use crate::engine::log::{self, Ended, Next, Origin, Record, Since, What};
use crate::engine::{self, Engine};
use crate::outbox::connectors;
use active::Active;
use kept::Kept;
pub use restore::restore;

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
    /// What it extends, where it is an overlay: kept, so that it means the same for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<Base>,
    /// The component of each plugin that it calls.
    pub plugins: BTreeMap<String, Digest>,
    /// The table of holidays that its calendar names, as it was then: a newer program with newer tables still reads it alike.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub holidays: Vec<String>,
    /// When it was published.
    pub published_at: Instant,
    /// By whom.
    pub by: Actor,
    /// Why, in a few words.
    pub note: String,
    /// Where its text came from first.
    #[serde(default)]
    pub from: Origin,
}

/// A text that is to become the workflow that new cases take.
#[derive(Debug)]
pub struct Publication<'a> {
    /// The text.
    pub source: &'a str,
    /// Why, in a few words.
    pub note: &'a str,
    /// By whom.
    pub by: &'a Actor,
    /// The way in; what a door hands in is committed as handed in together with the publication.
    pub way: Way,
    /// The active revision that the publisher saw: when it is another one, nothing is published.
    pub expect: Option<Digest>,
    /// The request that this answers, where it may come again.
    pub answer: Option<Answer<'a, Revision>>,
    /// Files with tests of it. They must pass, like the tests inside it.
    pub beside: &'a [TestFile],
}

impl<'a> Publication<'a> {
    /// A text with nothing said about it.
    pub fn new(source: &'a str, by: &'a Actor, way: Way) -> Self {
        Self { source, note: "", by, way, expect: None, answer: None, beside: &[] }
    }
}

/// The way back to a revision that was active before.
#[derive(Debug)]
pub struct Rollback<'a> {
    /// The revision; without one it is that which was active before the present one.
    pub to: Option<Digest>,
    /// Why, in a few words.
    pub note: &'a str,
    /// By whom.
    pub by: &'a Actor,
    /// The way in.
    pub way: Way,
    /// The active revision that the caller saw: when it is another one, nothing is changed.
    pub expect: Option<Digest>,
    /// The request that this answers, where it may come again.
    pub answer: Option<Answer<'a, Revision>>,
}

/// A checked text, and its revision where that is stored already.
pub(super) struct Candidate {
    source: String,
    base: Option<Base>,
    pub(super) definition: Arc<Definition>,
    known: Option<Revision>,
}

/// Check a text against what the tenant has. Everything that is wrong comes at once.
///
/// # Errors
/// The problems, or the store could not be read.
pub fn check(engine: &Engine, source: &str) -> Result<Arc<Definition>, Error> {
    check_with(engine, source, plugins::available(engine)?)
}

/// Check a text against what the tenant has and these plugins.
///
/// # Errors
/// The problems, or the store could not be read.
pub fn check_with(
    engine: &Engine,
    source: &str,
    plugins: BTreeMap<PluginRef, Plugin>,
) -> Result<Arc<Definition>, Error> {
    candidate(engine, source, plugins, Kept::default()).map(|candidate| candidate.definition)
}

/// The same, and run its tests.
///
/// # Errors
/// The problems, tests that do not pass, or the store could not be read.
pub fn try_out(engine: &Engine, source: &str, beside: &[TestFile]) -> Result<Arc<Definition>, Error> {
    let definition = check(engine, source)?;
    suite::check(engine, &definition, source, beside)?;
    Ok(definition)
}

/// Publish a text: check it, store its revision, make it the one that new cases take. A revision that is stored already is only
/// made active, and one that is active is left alone.
///
/// # Errors
/// The problems, tests that do not pass, or another revision is active than the publisher saw; the active revision stays.
pub fn publish(engine: &Engine, publication: &Publication<'_>) -> Result<Revision, Error> {
    let alone = engine.publishing();
    publish_alone(engine, publication, &alone)
}

/// The same, by who has the right to publish already.
pub(super) fn publish_alone(
    engine: &Engine,
    publication: &Publication<'_>,
    _alone: &MutexGuard<'_, ()>,
) -> Result<Revision, Error> {
    let candidate = candidate(engine, publication.source, plugins::available(engine)?, Kept::default())?;
    suite::check(engine, &candidate.definition, publication.source, publication.beside)?;
    let (workflow, revision) = (candidate.definition.workflow.clone(), candidate.definition.revision);
    let before = active(engine, &workflow)?;
    check_seen(publication.expect, before)?;
    hold::check(engine, revision)?;
    let past = || past::of_workflow(engine, &workflow);
    if before != Some(revision) && publication.way.is_overtaken(past)? {
        return Err(Error::Overtaken);
    }
    check_age(engine, &candidate, &publication.way, before)?;
    let Publication { note, by, way, answer, .. } = publication;
    log::record(engine, by, |next| {
        let becoming = candidate.becoming(engine, next, note, &way.origin(), by);
        let idem = answer.as_ref().map(|answer| answer.record(next.at, &becoming.revision));
        let (mut facts, mut rows) = (Vec::new(), way.accepted());
        if before != Some(revision) {
            facts.extend(becoming.facts);
            rows.extend(becoming.rows);
        }
        rows.extend(candidate.rewritten());
        Record { facts, rows, idem, ..Record::default() }
    })?;
    tell_warnings(&candidate.definition, publication.source, &way.origin());
    candidate.activate(engine);
    // What is active already leaves its canary alone.
    if before != Some(revision) {
        engine.canary_is_over(&workflow);
    }
    plugins::hold(engine);
    stored(engine, revision)
}

/// A file that was never seen before and says what was active once does not go back behind what is active since.
pub(super) fn check_age(
    engine: &Engine,
    candidate: &Candidate,
    way: &Way,
    before: Option<Digest>,
) -> Result<(), Error> {
    let (workflow, revision) = (&candidate.definition.workflow, candidate.definition.revision);
    if !way.is_first() || before.is_none_or(|before| before == revision) || candidate.is_new() {
        return Ok(());
    }
    let was_active = |became: &history::Became| became.revision == revision && became.how.makes_active();
    if history::of(engine, workflow)?.iter().any(was_active) { Err(Error::OlderFile) } else { Ok(()) }
}

/// What is worth a second look in a text that was published, at its places. Nothing was refused for it.
pub(super) fn tell_warnings(definition: &Definition, source: &str, from: &Origin) {
    let name = if let Origin::File(path) = from { path.as_str() } else { definition.workflow.as_str() };
    for warning in &definition.warnings {
        let told = diagnostic::render(name, source, warning);
        tracing::warn!("workflow {} was published with a warning\n{}", definition.workflow, told.trim_end());
    }
}

/// Go back to a revision that was active before; cases that began with another one stay with it.
///
/// # Errors
/// There is no such revision, or another one is active than the caller saw; the active revision stays.
pub fn rollback(engine: &Engine, workflow: &Slug, rollback: &Rollback<'_>) -> Result<Revision, Error> {
    let _alone = engine.publishing();
    let before = active(engine, workflow)?.ok_or_else(|| Error::NoWorkflow(workflow.to_string()))?;
    check_seen(rollback.expect, Some(before))?;
    let past = history::of(engine, workflow)?;
    let kept: BTreeSet<Digest> = list(engine)?.into_iter().map(|one| one.revision).collect();
    let was_active = |to: Digest| past.iter().any(|became| became.revision == to && became.how.makes_active());
    let to = match rollback.to {
        Some(to) if kept.contains(&to) && was_active(to) => to,
        Some(to) => return Err(Error::NoRevision { workflow: workflow.to_string(), revision: to }),
        None => history::previous(&past, |revision| kept.contains(&revision))
            .ok_or_else(|| Error::NothingBefore(workflow.to_string()))?,
    };
    hold::check(engine, to)?;
    // One that cannot run must not become active.
    let definition = engine.registry().definition(to)?;
    let _needed = loaded(engine, &definition)?;
    let revision = stored(engine, to)?;
    let Rollback { note, by, way, answer, .. } = rollback;
    log::record(engine, by, |next| {
        let idem = answer.as_ref().map(|answer| answer.record(next.at, &revision));
        if to == before {
            return Record { idem, ..Record::default() };
        }
        let fact = What::WorkflowActivated {
            workflow: workflow.clone(),
            revision: to,
            number: revision.number,
            note: (*note).to_owned(),
            from: way.origin(),
        };
        let since = Since { at: next.at, by: (*by).clone(), note: (*note).to_owned(), from: way.origin() };
        let active = Active { workflow: workflow.clone(), revision: to, since: Some(since) };
        let ended = engine.canary_ends(workflow, replaced(engine, workflow, to), note, &way.origin());
        let (ended, gone): (Vec<_>, Vec<_>) = ended.into_iter().unzip();
        let facts = std::iter::once(fact).chain(ended).collect();
        let rows = std::iter::once(active.row()).chain(gone).collect();
        Record { facts, rows, idem, ..Record::default() }
    })?;
    engine.registry().activate(workflow, to);
    if to != before {
        engine.canary_is_over(workflow);
    }
    plugins::hold(engine);
    Ok(revision)
}

/// The plugins of a revision, loaded while this is held.
fn loaded(engine: &Engine, definition: &Definition) -> Result<Vec<Arc<PluginInfo>>, engine::Error> {
    let missing = |digest: Digest| {
        let detail = format!("its plugin {digest} cannot be loaded");
        engine::Error::Revision { revision: definition.revision, detail }
    };
    let require =
        |plugin: &Plugin| engine.sandbox().require(plugin.digest.bytes()).ok_or_else(|| missing(plugin.digest));
    definition.plugins.values().map(require).collect()
}

/// What a stored revision is: `active`, `canary`, or `retired` where no new case takes it.
pub fn state(revision: Digest, active: Option<Digest>, canary: Option<Digest>) -> &'static str {
    match revision {
        one if active == Some(one) => "active",
        one if canary == Some(one) => "canary",
        _ => "retired",
    }
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
    Ok(active::all(engine)?.into_iter().map(|active| (active.workflow, active.revision)).collect())
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
        let source = suite::text(engine, &revision)?;
        let new = candidate(engine, &source, plugins.clone(), Kept::with(&revision)?).map_err(|error| match error {
            Error::Invalid(problems) => Error::Breaks { workflow: revision.workflow.to_string(), problems },
            other => other,
        })?;
        if new.definition.revision != definition.revision {
            candidates.push(new);
        }
    }
    Ok(candidates)
}

/// Run the tests inside republished workflows; their plugins are loaded.
pub(super) fn try_again(engine: &Engine, candidates: &[Candidate]) -> Result<(), Error> {
    for one in candidates {
        let tried = suite::check(engine, &one.definition, &one.source, &[]);
        tried.map_err(|error| match error {
            Error::Tests(failed) => Error::Breaks {
                workflow: one.definition.workflow.to_string(),
                problems: failed.into_iter().flat_map(|failed| failed.problems).collect(),
            },
            other => other,
        })?;
    }
    Ok(())
}

/// What is stored when a candidate becomes active.
pub(super) struct Becoming {
    /// The revision.
    pub(super) revision: Revision,
    /// The facts: that it is active, and that a canary is over with what it was compared with.
    pub(super) facts: Vec<What>,
    /// The rows: the revision where it is new, and that it is active.
    pub(super) rows: Vec<Row>,
}

impl Candidate {
    /// A revision that is stored and loaded.
    pub(super) fn of(engine: &Engine, revision: Revision) -> Result<Self, Error> {
        let definition = engine.registry().definition(revision.revision)?;
        Ok(Self { source: revision.source.clone(), base: revision.base.clone(), definition, known: Some(revision) })
    }

    /// Its revision, and the row of it where it is new.
    pub(super) fn rows(&self, next: Next, note: &str, from: &Origin, by: &Actor) -> (Revision, Vec<Row>) {
        let revision = self.known.clone().unwrap_or_else(|| self.revision(next, note, from, by));
        let row = || Row::Put(RowKey::revision(revision.revision), codec::encode(&revision));
        let rows = self.known.is_none().then(row).into_iter().collect();
        (revision, rows)
    }

    /// What is stored when it becomes active.
    pub(super) fn becoming(&self, engine: &Engine, next: Next, note: &str, from: &Origin, by: &Actor) -> Becoming {
        let (revision, mut rows) = self.rows(next, note, from, by);
        let (workflow, digest) = (&revision.workflow, revision.revision);
        let since = Since { at: next.at, by: by.clone(), note: note.to_owned(), from: from.clone() };
        rows.push(Active { workflow: workflow.clone(), revision: digest, since: Some(since) }.row());
        let published = What::WorkflowPublished {
            workflow: workflow.clone(),
            revision: digest,
            number: revision.number,
            note: note.to_owned(),
            from: from.clone(),
        };
        let ended = engine.canary_ends(workflow, replaced(engine, workflow, digest), note, from);
        let (ended, gone): (Vec<_>, Vec<_>) = ended.into_iter().unzip();
        rows.extend(gone);
        Becoming { facts: std::iter::once(published).chain(ended).collect(), revision, rows }
    }

    fn revision(&self, next: Next, note: &str, from: &Origin, by: &Actor) -> Revision {
        let definition = &self.definition;
        Revision {
            workflow: definition.workflow.clone(),
            revision: definition.revision,
            number: next.number,
            source: self.source.clone(),
            base: self.base.clone(),
            plugins: definition.plugins.iter().map(|(name, plugin)| (name.to_string(), plugin.digest)).collect(),
            holidays: definition.calendar.as_ref().map(|calendar| calendar.texts()).unwrap_or_default(),
            published_at: next.at,
            by: by.clone(),
            note: note.to_owned(),
            from: from.clone(),
        }
    }

    /// What is kept where it was stored before, with the text that it has now.
    pub(super) fn rewritten(&self) -> Option<Row> {
        self.known.as_ref().map(|known| suite::rewritten(known, &self.source))
    }

    /// Whether its revision gets a number of its own.
    pub(super) fn is_new(&self) -> bool {
        self.known.is_none()
    }

    /// Make it the one that new cases take, once it is stored.
    pub(super) fn activate(self, engine: &Engine) {
        let (workflow, revision) = (self.definition.workflow.clone(), self.definition.revision);
        engine.registry().know(self.definition);
        engine.registry().activate(&workflow, revision);
    }
}

/// How a canary ends when a revision becomes active: with it, or without what it was compared with.
fn replaced(engine: &Engine, workflow: &Slug, active: Digest) -> Ended {
    match engine.canary(workflow) {
        Some(watched) if watched.canary.revision == active => Ended::Promoted,
        _ => Ended::Replaced,
    }
}

/// The active revision of a workflow.
///
/// # Errors
/// The store cannot be read.
pub fn active(engine: &Engine, workflow: &Slug) -> Result<Option<Digest>, engine::Error> {
    Ok(active::of(engine, workflow)?.map(|active| active.revision))
}

pub(super) fn check_seen(expected: Option<Digest>, active: Option<Digest>) -> Result<(), Error> {
    match expected {
        Some(expected) if active != Some(expected) => Err(Error::Moved { expected, active }),
        _ => Ok(()),
    }
}

pub(super) fn stored(engine: &Engine, revision: Digest) -> Result<Revision, Error> {
    let damaged = || engine::Error::Damaged { what: "revision", detail: "it is not there after its commit".to_owned() };
    let stored = find(engine, revision)?.ok_or_else(damaged)?;
    engine.registry().number_is(revision, stored.number);
    Ok(stored)
}

/// Check a text against these plugins.
pub(super) fn candidate(
    engine: &Engine,
    source: &str,
    plugins: BTreeMap<PluginRef, Plugin>,
    Kept { base, holidays, together, is_stored }: Kept,
) -> Result<Candidate, Error> {
    let record = engine.record();
    let bases = match &base {
        // A text that was handed in later may name the same base in another way.
        Some(base) => [(overlay::base_of(source).unwrap_or(base.name.clone()), base.source.clone())].into(),
        None => bases::known(engine, overlay::base_of(source).as_deref(), &together)?,
    };
    let (currency, zone) = (Some(record.currency), Some(record.zone));
    let texts = [Some(source), overlay::base_of(source).and_then(|name| bases.get(&name)).map(String::as_str)];
    let workflows = (!is_stored).then(|| callables::known(engine, texts.into_iter().flatten()));
    // What is stored was checked when it came in; systems come and go.
    let systems = if is_stored { Default::default() } else { connectors::systems(engine)? };
    // What is stored is not looked at a second time.
    let now = (!is_stored).then(|| engine.clock().now());
    let environment = Environment { plugins, currency, zone, bases, workflows, systems, holidays, now };
    let definition = load::load(source, &environment).map_err(Error::Invalid)?;
    let base = base.or_else(|| bases::used(source, &environment.bases));
    let known = find(engine, definition.revision)?;
    Ok(Candidate { source: source.to_owned(), base, definition: Arc::new(definition), known })
}
