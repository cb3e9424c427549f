//! Canaries: a share of the new cases takes a revision beside the active one, until it is made active, stopped, or does worse.

use std::sync::Arc;

use redress_domain::case::command::Actor;
use redress_domain::ids::{Digest, Slug};
use redress_domain::workflow::canary::{Bounds, Percent};
use redress_domain::workflow::definition::Definition;
use redress_store::row::Row;

use super::way::{Answer, Way};
use super::workflows::active::{self, Active};
use super::workflows::kept::Kept;
use super::workflows::{self, Candidate, Revision, names};
use super::{Error, hold, plugins, suite};
use crate::engine::Engine;
use crate::engine::canary::{Canary, Watched};
use crate::engine::log::{self, Ended, Next, Record, Since, What};

/// What is to be tried.
#[derive(Debug, Clone, Copy)]
pub enum Tried<'a> {
    /// A text: it is checked and stored as a revision first.
    Text(&'a str),
    /// A stored revision: its number, or its hash or the beginning of that.
    Named(&'a str),
}

/// A canary to be let out.
#[derive(Debug)]
pub struct Start<'a> {
    /// What is to be tried.
    pub tried: Tried<'a>,
    /// The share of the new cases.
    pub percent: Percent,
    /// How much worse it may do.
    pub bounds: Bounds,
    /// Why, in a few words.
    pub note: &'a str,
    /// By whom.
    pub by: &'a Actor,
    /// The way in.
    pub way: Way,
    /// The active revision that the caller saw: when it is another one, nothing is changed.
    pub expect: Option<Digest>,
    /// The request that this answers, where it may come again.
    pub answer: Option<Answer<'a, Watched>>,
}

/// The end of a canary by hand.
#[derive(Debug)]
pub struct End<'a, T> {
    /// Why, in a few words.
    pub note: &'a str,
    /// By whom.
    pub by: &'a Actor,
    /// The way in.
    pub way: Way,
    /// The request that this answers, where it may come again.
    pub answer: Option<Answer<'a, T>>,
}

/// Let a canary out. One of the workflow that is out already ends; the same one, tried in the same way, goes on.
///
/// # Errors
/// The text has problems, there is no such revision, or it cannot be compared with the active one. Nothing was changed.
pub fn start(engine: &Engine, workflow: &Slug, start: &Start<'_>) -> Result<Watched, Error> {
    let _alone = engine.publishing();
    let active = active::of(engine, workflow)?.ok_or_else(|| Error::NoWorkflow(workflow.to_string()))?;
    workflows::check_seen(start.expect, Some(active.revision))?;
    let candidate = candidate(engine, workflow, start.tried)?;
    fits(engine, &active, &candidate)?;
    hold::check(engine, candidate.definition.revision)?;
    let revision = candidate.definition.revision;
    let before = engine.canary(workflow);
    let as_before = before.as_ref().is_some_and(|before| {
        let canary = &before.canary;
        (canary.revision, canary.percent, canary.bounds) == (revision, start.percent, start.bounds)
    });
    let Start { note, by, way, answer, .. } = start;
    log::record(engine, by, |next| {
        let share = Share { percent: start.percent, bounds: start.bounds, note, by, way };
        let LettingOut { canary, facts, rows } = letting_out(engine, &candidate, active.revision, next, share);
        let fresh = Watched { canary, sums: Default::default(), control: Default::default() };
        let told = before.as_ref().filter(|_| as_before).unwrap_or(&fresh);
        let idem = answer.as_ref().map(|answer| answer.record(next.at, told));
        if as_before { Record { idem, ..Record::default() } } else { Record { facts, rows, idem, ..Record::default() } }
    })?;
    if !as_before {
        begin(engine, &candidate.definition)?;
        plugins::hold(engine);
    }
    watched(engine, workflow)
}

/// What is recorded when a canary is let out in place of the one before.
pub(super) struct LettingOut {
    /// The canary.
    pub(super) canary: Canary,
    /// That it is out, and that the one before is over.
    pub(super) facts: Vec<What>,
    /// The revision where it is new, and the canary.
    pub(super) rows: Vec<Row>,
}

/// How a canary is let out, and by whom.
#[derive(Debug, Clone, Copy)]
pub(super) struct Share<'a> {
    /// The share of the new cases.
    pub(super) percent: Percent,
    /// How much worse it may do.
    pub(super) bounds: Bounds,
    /// Why, in a few words.
    pub(super) note: &'a str,
    /// By whom.
    pub(super) by: &'a Actor,
    /// The way in.
    pub(super) way: &'a Way,
}

/// Let a candidate out as the canary of its workflow, beside the active revision.
pub(super) fn letting_out(
    engine: &Engine,
    candidate: &Candidate,
    control: Digest,
    next: Next,
    share: Share<'_>,
) -> LettingOut {
    let Share { percent, bounds, note, by, way } = share;
    let (stored, mut rows) = candidate.rows(next, note, &way.origin(), by);
    let workflow = stored.workflow.clone();
    let canary = Canary {
        workflow: workflow.clone(),
        revision: stored.revision,
        number: stored.number,
        control,
        percent,
        bounds,
        since: Since { at: next.at, by: by.clone(), note: note.to_owned(), from: way.origin() },
    };
    // The row of the one before is written over.
    let ended = engine.canary_ends(&workflow, Ended::Replaced, note, &way.origin());
    let mut facts: Vec<What> = ended.into_iter().map(|(fact, _)| fact).collect();
    facts.push(What::CanaryStarted {
        workflow,
        revision: canary.revision,
        number: canary.number,
        percent,
        bounds,
        note: note.to_owned(),
        from: way.origin(),
    });
    rows.push(canary.row());
    LettingOut { canary, facts, rows }
}

/// Begin with a canary whose record is stored.
pub(super) fn begin(engine: &Engine, definition: &Arc<Definition>) -> Result<(), Error> {
    let workflow = &definition.workflow;
    engine.registry().know(definition.clone());
    let stored = engine.stored_canary(workflow)?.ok_or_else(|| Error::NoCanary(workflow.to_string()))?;
    engine.canary_begins(&stored);
    Ok(())
}

/// Make a canary the revision that every new case takes.
///
/// # Errors
/// The workflow has no canary.
pub fn promote(engine: &Engine, workflow: &Slug, end: &End<'_, Revision>) -> Result<Revision, Error> {
    let _alone = engine.publishing();
    let canary = watched(engine, workflow)?.canary;
    let revision = workflows::stored(engine, canary.revision)?;
    let End { note, by, way, answer } = end;
    log::record(engine, by, |next| {
        let since = Since { at: next.at, by: (*by).clone(), note: (*note).to_owned(), from: way.origin() };
        let active = Active { workflow: workflow.clone(), revision: canary.revision, since: Some(since) };
        let published = What::WorkflowPublished {
            workflow: workflow.clone(),
            revision: canary.revision,
            number: canary.number,
            note: (*note).to_owned(),
            from: way.origin(),
        };
        let ended = engine.canary_ends(workflow, Ended::Promoted, note, &way.origin());
        let (ended, gone): (Vec<_>, Vec<_>) = ended.into_iter().unzip();
        let facts = std::iter::once(published).chain(ended).collect();
        let rows = std::iter::once(active.row()).chain(gone).collect();
        let idem = answer.as_ref().map(|answer| answer.record(next.at, &revision));
        Record { facts, rows, idem, ..Record::default() }
    })?;
    engine.registry().activate(workflow, canary.revision);
    engine.canary_is_over(workflow);
    plugins::hold(engine);
    Ok(revision)
}

/// Stop a canary: every new case takes the active revision again, and cases that took the canary stay with it.
///
/// # Errors
/// The workflow has no canary.
pub fn stop(engine: &Engine, workflow: &Slug, end: &End<'_, Watched>) -> Result<Watched, Error> {
    let _alone = engine.publishing();
    let last = watched(engine, workflow)?;
    let End { note, by, way, answer } = end;
    log::record(engine, by, |next| {
        let ended = engine.canary_ends(workflow, Ended::Stopped, note, &way.origin());
        let (facts, rows) = ended.into_iter().unzip();
        let idem = answer.as_ref().map(|answer| answer.record(next.at, &last));
        Record { facts, rows, idem, ..Record::default() }
    })?;
    engine.canary_is_over(workflow);
    plugins::hold(engine);
    Ok(last)
}

/// The canary of a workflow, with what came of it so far.
///
/// # Errors
/// The workflow has none.
pub fn watched(engine: &Engine, workflow: &Slug) -> Result<Watched, Error> {
    engine.canary(workflow).ok_or_else(|| Error::NoCanary(workflow.to_string()))
}

fn candidate(engine: &Engine, workflow: &Slug, tried: Tried<'_>) -> Result<Candidate, Error> {
    let candidate = match tried {
        Tried::Text(text) => {
            let candidate = workflows::candidate(engine, text, plugins::available(engine)?, Kept::default())?;
            suite::check(engine, &candidate.definition, text, &[])?;
            candidate
        }
        Tried::Named(name) => Candidate::of(engine, names::named(engine, workflow, name)?)?,
    };
    let found = &candidate.definition.workflow;
    if found == workflow {
        return Ok(candidate);
    }
    Err(Error::CanaryUnfit { workflow: workflow.to_string(), why: format!("the text is of workflow {found}") })
}

/// What is compared must be two revisions that count in one currency.
fn fits(engine: &Engine, active: &Active, candidate: &Candidate) -> Result<(), Error> {
    let unfit = |why: String| Err(Error::CanaryUnfit { workflow: active.workflow.to_string(), why });
    if candidate.definition.revision == active.revision {
        return unfit("the revision is the active one".to_owned());
    }
    let control = engine.registry().definition(active.revision)?;
    if control.currency == candidate.definition.currency {
        return Ok(());
    }
    unfit(format!("it refunds in {}, the active revision in {}", candidate.definition.currency, control.currency))
}
