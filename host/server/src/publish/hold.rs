//! Holds by hand: all cases of one revision are paused, shown, and go on again.

use redress_domain::case::command::Actor;
use redress_domain::ids::Slug;
use redress_store::snapshot::Snapshot;

use super::way::{Answer, Way};
use super::workflows::{active, names};
use super::{Error, plugins};
use crate::engine::hold::{self, Hold};
use crate::engine::log::{self, Ended, Record, Since, What};
use crate::engine::{self, Engine};

/// Cases of one revision are counted so far.
const CASES_COUNTED_MAX: usize = 10_000;

/// Whose cases are to be paused, or to go on.
#[derive(Debug)]
pub struct Wish<'a> {
    /// The revision: its number, its hash or the beginning of that.
    pub revision: &'a str,
    /// Why, in a few words.
    pub note: &'a str,
    /// By whom.
    pub by: &'a Actor,
    /// The way in.
    pub way: Way,
    /// The request that this answers, where it may come again.
    pub answer: Option<Answer<'a, Held>>,
}

/// A revision on hold, and the cases that it pauses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// The hold.
    pub hold: Hold,
    /// Whether the revision is the active one: no new case is opened on its workflow meanwhile.
    pub active: bool,
    /// Cases that are paused.
    pub open_cases: usize,
    /// Whether there are more than were counted.
    pub more: bool,
}

/// Pause all cases of a revision. One that is on hold already is left as it is. Where the revision is a canary, that ends: nobody
/// wants to try what is on hold.
///
/// # Errors
/// The workflow has no such revision, or the store failed. Nothing was changed.
pub fn begin(engine: &Engine, workflow: &Slug, wish: &Wish<'_>) -> Result<Held, Error> {
    let _alone = engine.publishing();
    let revision = names::named(engine, workflow, wish.revision)?;
    let snapshot = engine.store().read().map_err(engine::Error::from)?;
    let before = hold::of(&snapshot, revision.revision)?;
    let tried = engine.canary(workflow).is_some_and(|watched| watched.canary.revision == revision.revision);
    let fresh =
        |since: Since| Hold { workflow: workflow.clone(), revision: revision.revision, number: revision.number, since };
    let told = |hold: Hold| held(engine, &snapshot, hold);
    let Wish { note, by, way, answer, .. } = wish;
    log::record_beside(engine, by, |_, next| {
        let since = Since { at: next.at, by: (*by).clone(), note: (*note).to_owned(), from: way.origin() };
        let hold = before.clone().unwrap_or_else(|| fresh(since));
        let document = told(hold.clone())?;
        let idem = answer.as_ref().map(|answer| answer.record(next.at, &document));
        if before.is_some() {
            return Ok(Record { idem, ..Record::default() });
        }
        let fact = What::RevisionHeld {
            workflow: workflow.clone(),
            revision: hold.revision,
            number: hold.number,
            note: (*note).to_owned(),
            from: way.origin(),
        };
        let ended = tried.then(|| engine.canary_ends(workflow, Ended::Stopped, note, &way.origin())).flatten();
        let (ended, gone): (Vec<_>, Vec<_>) = ended.into_iter().unzip();
        let rows = hold.rows().into_iter().chain(gone).collect();
        Ok(Record { facts: std::iter::once(fact).chain(ended).collect(), rows, idem, ..Record::default() })
    })?;
    if tried {
        engine.canary_is_over(workflow);
        plugins::hold(engine);
    }
    of(engine, workflow, wish)
}

/// Let the cases of a revision go on: each takes up what came meanwhile, in the order in which it happened.
///
/// # Errors
/// The revision is not on hold, or the store failed.
pub fn end(engine: &Engine, workflow: &Slug, wish: &Wish<'_>) -> Result<Held, Error> {
    let _alone = engine.publishing();
    let last = of(engine, workflow, wish)?;
    let Wish { note, by, way, answer, .. } = wish;
    log::record(engine, by, |next| {
        let fact = What::RevisionResumed {
            workflow: workflow.clone(),
            revision: last.hold.revision,
            number: last.hold.number,
            note: (*note).to_owned(),
            from: way.origin(),
        };
        let idem = answer.as_ref().map(|answer| answer.record(next.at, &last));
        Record { facts: vec![fact], rows: last.hold.end(), idem, ..Record::default() }
    })?;
    if let Err(error) = engine.wake_resumed() {
        // It is written down that they are to be woken, and the next start does it.
        tracing::error!(code = error.code(), "paused cases of workflow {workflow} are not all woken: {error}");
    }
    Ok(last)
}

/// Every revision that is on hold, by workflow and number.
///
/// # Errors
/// The store cannot be read.
pub fn list(engine: &Engine) -> Result<Vec<Held>, engine::Error> {
    let snapshot = engine.store().read()?;
    let mut all = hold::all(&snapshot)?;
    all.sort_by_key(|hold| (hold.workflow.clone(), hold.number));
    all.into_iter().map(|hold| held(engine, &snapshot, hold)).collect()
}

/// A revision that is to be made active, or tried, must not be on hold.
///
/// # Errors
/// It is.
pub(super) fn check(engine: &Engine, revision: redress_domain::ids::Digest) -> Result<(), Error> {
    let snapshot = engine.store().read().map_err(engine::Error::from)?;
    match hold::of(&snapshot, revision)? {
        Some(hold) => Err(Error::OnHold { workflow: hold.workflow.to_string(), number: hold.number }),
        None => Ok(()),
    }
}

fn of(engine: &Engine, workflow: &Slug, wish: &Wish<'_>) -> Result<Held, Error> {
    let revision = names::named(engine, workflow, wish.revision)?;
    let snapshot = engine.store().read().map_err(engine::Error::from)?;
    let missing = || Error::NoHold { workflow: workflow.to_string(), number: revision.number };
    let hold = hold::of(&snapshot, revision.revision)?.ok_or_else(missing)?;
    Ok(held(engine, &snapshot, hold)?)
}

fn held(engine: &Engine, snapshot: &Snapshot, hold: Hold) -> Result<Held, engine::Error> {
    let active = active::of(engine, &hold.workflow)?.is_some_and(|active| active.revision == hold.revision);
    let counted = snapshot.count_open(hold.revision, CASES_COUNTED_MAX)?;
    Ok(Held { hold, active, open_cases: counted.cases, more: counted.more })
}
