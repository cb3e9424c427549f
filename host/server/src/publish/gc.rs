//! Garbage: revisions that no case ever ran on and that are not in use for long are deleted. What a case runs or ran on stays as long as
//! the case's record does.

use std::collections::{BTreeMap, BTreeSet};

use redress_domain::case::command::Actor;
use redress_domain::clock::{Instant, Span};
use redress_domain::ids::{Digest, Slug};
use redress_domain::workflow::overlay;
use redress_store::row::{Row, RowKey};
use redress_store::snapshot::Snapshot;

use super::way::{Answer, Way};
use super::workflows::{self, Revision, active, history};
use super::{Error, bases};
use crate::engine::hold;
use crate::engine::log::{self, Logged, Record, What};
use crate::engine::{self, Engine};

/// A revision is kept for so many days after its last use, whatever is asked for: as long as somebody may want to go back to it.
pub const DAYS_MIN: u32 = 30;
/// How long it is kept where nothing is said.
pub const DAYS_USUAL: u32 = 90;
/// Revisions that are deleted at once; the rest at the next call.
const DELETED_MAX: usize = 500;

/// What is to be deleted.
#[derive(Debug)]
pub struct Wish<'a> {
    /// Only revisions of this workflow.
    pub workflow: Option<Slug>,
    /// Only revisions that are out of use for so many days.
    pub days: u32,
    /// Only say what would be deleted.
    pub dry_run: bool,
    /// Why, in a few words.
    pub note: &'a str,
    /// By whom.
    pub by: &'a Actor,
    /// The way in.
    pub way: Way,
    /// The request that this answers, where it may come again.
    pub answer: Option<Answer<'a, Report>>,
}

/// What became of the revisions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Nothing was deleted: it tells what would be.
    pub dry_run: bool,
    /// What was deleted, the oldest first.
    pub deleted: Vec<Looked>,
    /// What is kept, with the reason.
    pub kept: Vec<(Looked, Kept)>,
    /// Whether there is more to be deleted by another call.
    pub more: bool,
}

/// A revision that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Looked {
    /// The workflow.
    pub workflow: Slug,
    /// The revision.
    pub revision: Digest,
    /// Its number.
    pub number: u64,
    /// When it was last in use: made active, tried, replaced, paused, or met by a migration.
    pub used_at: Instant,
}

/// Why a revision is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kept {
    /// New cases take it.
    Active,
    /// A share of the new cases takes it.
    Canary,
    /// Who goes back comes to it.
    Previous,
    /// It is on hold.
    OnHold,
    /// A case runs on it or ever did: it is kept with the record of the case.
    HasCases,
    /// An active overlay extends it.
    IsBase,
    /// It was in use not long ago.
    TooYoung,
}

impl Kept {
    /// The word in answers.
    pub fn word(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Canary => "canary",
            Self::Previous => "previous",
            Self::OnHold => "on_hold",
            Self::HasCases => "has_cases",
            Self::IsBase => "is_base",
            Self::TooYoung => "too_young",
        }
    }
}

/// Delete the revisions that nobody needs, or say which those are. One that is named and needed is told with the reason.
///
/// # Errors
/// The workflow does not exist, or the store failed. Nothing was deleted.
pub fn collect(engine: &Engine, wish: &Wish<'_>) -> Result<Report, Error> {
    // Who publishes, goes back or migrates waits: what is found unused stays so until it is gone.
    let (_alone, _still) = (engine.publishing(), engine.moving());
    let report = look(engine, wish)?;
    let Wish { note, by, way, answer, .. } = wish;
    log::record(engine, by, |next| {
        let idem = answer.as_ref().map(|answer| answer.record(next.at, &report));
        if report.dry_run || report.deleted.is_empty() {
            return Record { idem, ..Record::default() };
        }
        let revisions = report.deleted.iter().map(|one| (one.workflow.clone(), one.revision, one.number)).collect();
        let fact = What::RevisionsDeleted { revisions, note: (*note).to_owned(), from: way.origin() };
        let rows = report.deleted.iter().map(|one| Row::Delete(RowKey::revision(one.revision))).collect();
        Record { facts: vec![fact], rows, idem, ..Record::default() }
    })?;
    if !report.dry_run {
        report.deleted.iter().for_each(|one| engine.registry().forget(one.revision));
    }
    Ok(report)
}

fn look(engine: &Engine, wish: &Wish<'_>) -> Result<Report, Error> {
    let all = workflows::list(engine)?;
    if let Some(wanted) = &wish.workflow
        && !all.iter().any(|one| one.workflow == *wanted)
    {
        return Err(Error::NoWorkflow(wanted.to_string()));
    }
    let in_use = InUse::of(engine, &all)?;
    let snapshot = engine.store().read().map_err(engine::Error::from)?;
    let long_ago = engine.clock().now().after(Span::from_millis(-Span::from_days(wish.days.into()).millis()));
    let mut report = Report { dry_run: wish.dry_run, ..Report::default() };
    for one in all.iter().filter(|one| wish.workflow.as_ref().is_none_or(|wanted| one.workflow == *wanted)) {
        let used_at = in_use.used_at.get(&one.revision).copied().unwrap_or(one.published_at);
        let looked = Looked { workflow: one.workflow.clone(), revision: one.revision, number: one.number, used_at };
        match in_use.keeps(&snapshot, one.revision)? {
            Some(kept) => report.kept.push((looked, kept)),
            None if used_at > long_ago => report.kept.push((looked, Kept::TooYoung)),
            None if report.deleted.len() < DELETED_MAX => report.deleted.push(looked),
            None => report.more = true,
        }
    }
    Ok(report)
}

/// Who needs which revision.
struct InUse {
    kept: BTreeMap<Digest, Kept>,
    /// When each was last in use.
    used_at: BTreeMap<Digest, Instant>,
}

impl InUse {
    fn of(engine: &Engine, all: &[Revision]) -> Result<Self, Error> {
        let mut kept = BTreeMap::new();
        let mut keep = |revision: Digest, why: Kept| {
            let known = kept.entry(revision).or_insert(why);
            *known = why.min(*known);
        };
        let stored: BTreeSet<Digest> = all.iter().map(|one| one.revision).collect();
        for active in active::all(engine)? {
            keep(active.revision, Kept::Active);
            if let Some(watched) = engine.canary(&active.workflow) {
                keep(watched.canary.revision, Kept::Canary);
            }
            let past = history::of(engine, &active.workflow)?;
            if let Some(previous) = history::previous(&past, |revision| stored.contains(&revision)) {
                keep(previous, Kept::Previous);
            }
            let overlay = all.iter().find(|one| one.revision == active.revision);
            for base in overlay.and_then(|one| one.base.as_ref()).into_iter().flat_map(|base| own_base(all, &base.name))
            {
                keep(base, Kept::IsBase);
            }
        }
        Ok(Self { kept, used_at: used(&log::read(engine)?) })
    }

    fn keeps(&self, snapshot: &Snapshot, revision: Digest) -> Result<Option<Kept>, engine::Error> {
        if let Some(kept) = self.kept.get(&revision) {
            return Ok(Some(*kept));
        }
        if hold::of(snapshot, revision)?.is_some() {
            return Ok(Some(Kept::OnHold));
        }
        Ok(snapshot.was_taken(revision)?.then_some(Kept::HasCases))
    }
}

/// The merchant's own revision that a base is pinned to.
fn own_base(all: &[Revision], named: &str) -> Option<Digest> {
    let (name, pin) = overlay::pin(named)?;
    all.iter().find(|one| one.workflow.as_str() == name && bases::is_pinned(one, pin)).map(|one| one.revision)
}

/// When each revision was last in use, by the tenant's own stream.
fn used(facts: &[Logged]) -> BTreeMap<Digest, Instant> {
    let (mut used, mut active) = (BTreeMap::new(), BTreeMap::new());
    for Logged { at, what, .. } in facts {
        match what {
            What::WorkflowPublished { workflow, revision, .. } | What::WorkflowActivated { workflow, revision, .. } => {
                if let Some(before) = active.insert(workflow, *revision) {
                    used.insert(before, *at);
                }
                used.insert(*revision, *at);
            }
            What::CanaryStarted { revision, .. }
            | What::CanaryEnded { revision, .. }
            | What::RevisionHeld { revision, .. }
            | What::RevisionResumed { revision, .. } => drop(used.insert(*revision, *at)),
            What::CasesMigrated { left, revision, .. } => used.extend([(*left, *at), (*revision, *at)]),
            _ => {}
        }
    }
    used
}

/// The time that is asked for, in days.
///
/// # Errors
/// Nothing is deleted so soon.
pub fn days(asked: Option<u32>) -> Result<u32, String> {
    let days = asked.unwrap_or(DAYS_USUAL);
    if days < DAYS_MIN { Err(format!("a revision is kept for at least {DAYS_MIN} days")) } else { Ok(days) }
}
