//! What is live: of each workflow the revision that new cases take, since when and by whom, and the revisions on which cases run.

use std::collections::BTreeMap;

use redress_domain::ids::{Digest, Slug};
use redress_store::snapshot::Snapshot;

use super::workflows::active::Active;
use super::workflows::history;
use super::workflows::{self, Revision};
use crate::engine::canary::Watched;
use crate::engine::log::Since;
use crate::engine::{Engine, Error, hold};

/// Cases of one revision are counted so far.
const CASES_COUNTED_MAX: usize = 10_000;
/// So many revisions with open cases are looked at; one for each edit of a busy year.
const REVISIONS_MAX: usize = 10_000;

/// What is live of a workflow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Live {
    /// The revision that new cases take.
    pub active: Revision,
    /// How it became so.
    pub since: Option<Since>,
    /// What a share of the new cases takes, with what came of it so far.
    pub canary: Option<Watched>,
    /// The active revision, then the canary and the others on which cases run, the newest first.
    pub revisions: Vec<InUse>,
}

/// A revision that is active, or on which cases run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InUse {
    /// The revision.
    pub revision: Digest,
    /// Its number.
    pub number: u64,
    /// Whether new cases take it.
    pub active: bool,
    /// The share of new cases that takes it as a canary.
    pub percent: Option<u8>,
    /// Since when its cases are paused, by whom and why.
    pub held: Option<Since>,
    /// Cases that run on it.
    pub open_cases: usize,
    /// Whether there are more than were counted.
    pub more: bool,
}

/// What is live of these workflows.
///
/// # Errors
/// The store cannot be read.
pub fn of(engine: &Engine, actives: &[Active]) -> Result<Vec<Live>, Error> {
    let snapshot = engine.store().read()?;
    let mut used: BTreeMap<Slug, Vec<Digest>> = BTreeMap::new();
    for revision in snapshot.revisions_in_use(REVISIONS_MAX)? {
        if let Some(workflow) = workflow_of(engine, revision)? {
            used.entry(workflow).or_default().push(revision);
        }
    }
    actives.iter().map(|active| live(engine, &snapshot, active, used.remove(&active.workflow))).collect()
}

/// The workflow of a revision: one that is loaded need not be read.
fn workflow_of(engine: &Engine, revision: Digest) -> Result<Option<Slug>, Error> {
    if let Ok(definition) = engine.registry().definition(revision) {
        return Ok(Some(definition.workflow.clone()));
    }
    Ok(workflows::find(engine, revision)?.map(|revision| revision.workflow))
}

fn live(engine: &Engine, snapshot: &Snapshot, active: &Active, used: Option<Vec<Digest>>) -> Result<Live, Error> {
    let canary = engine.canary(&active.workflow);
    let mut revisions = vec![active.revision];
    let others = canary.iter().map(|watched| watched.canary.revision).chain(used.into_iter().flatten());
    for other in others {
        if !revisions.contains(&other) {
            revisions.push(other);
        }
    }
    let mut in_use = Vec::new();
    for revision in revisions {
        let counted = snapshot.count_open(revision, CASES_COUNTED_MAX)?;
        let number = workflows::names::number(engine, revision)?;
        let (open_cases, more) = (counted.cases, counted.more);
        let of_canary = canary.iter().find(|watched| watched.canary.revision == revision);
        let percent = of_canary.map(|watched| watched.canary.percent.get());
        let held = hold::of(snapshot, revision)?.map(|hold| hold.since);
        in_use.push(InUse { revision, number, active: revision == active.revision, percent, held, open_cases, more });
    }
    in_use.sort_by_key(|one| (!one.active, std::cmp::Reverse(one.number)));
    let since = match &active.since {
        Some(since) => Some(since.clone()),
        None => since_by_history(engine, active)?,
    };
    let gone = || Error::Damaged { what: "revision", detail: format!("{} is not there", active.revision) };
    let revision = workflows::find(engine, active.revision)?.ok_or_else(gone)?;
    Ok(Live { active: revision, since, canary, revisions: in_use })
}

/// What is older than its row is told by the history.
fn since_by_history(engine: &Engine, active: &Active) -> Result<Option<Since>, Error> {
    let last = history::of(engine, &active.workflow)?
        .into_iter()
        .rev()
        .find(|became| became.active && became.how.makes_active());
    Ok(last.map(|became| Since { at: became.at, by: became.by, note: became.note, from: became.from }))
}
