//! Canaries: what a share of the new cases takes, watched after every turn and stopped by the engine itself.
//!
//! The figures are sums of rows that the turns write anyway (`stay`): after a restart they are counted again from those, and only
//! from those of cases that began since.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use redress_domain::case::command::Actor;
use redress_domain::codec;
use redress_domain::ids::{CaseId, Digest, Slug};
use redress_domain::workflow::canary::{Bounds, Percent, Sums, Worse, judge};
use redress_store::row::{Row, RowKey, Standing};
use redress_store::scan::{Direction, Scan};
use redress_store::snapshot::Snapshot;
use serde::{Deserialize, Serialize};

use super::log::{self, Ended, Origin, Record, Since, What};
use super::stay::{Change, Stay};
use super::{Engine, Error};

/// Names of canaries in the store's pointers begin with this.
const POINTER: &str = "canary/";
/// Rows that are read at once.
const PAGE: usize = 1_000;

/// A revision that a share of the new cases takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Canary {
    /// The workflow.
    pub workflow: Slug,
    /// The revision.
    pub revision: Digest,
    /// Its number.
    pub number: u64,
    /// What the other cases take: the active revision.
    pub control: Digest,
    /// The share.
    pub percent: Percent,
    /// How much worse it may do.
    pub bounds: Bounds,
    /// Since when, by whom and why.
    pub since: Since,
}

impl Canary {
    /// The row that makes it so.
    pub(crate) fn row(&self) -> Row {
        Row::Put(key(&self.workflow), codec::encode(self))
    }

    /// The id of a case that is older than every case that the canary is judged by.
    fn floor(&self) -> CaseId {
        CaseId::mint(self.since.at, 0)
    }
}

fn key(workflow: &Slug) -> RowKey {
    RowKey::pointer(&format!("{POINTER}{workflow}"))
}

/// What came of a canary so far, and of the cases beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watched {
    /// The canary.
    pub canary: Canary,
    /// Of the cases that took it.
    pub sums: Sums,
    /// Of those that did not.
    pub control: Sums,
}

/// The canaries of a tenant by workflow.
#[derive(Debug, Default)]
pub(super) struct Canaries(Mutex<BTreeMap<Slug, Watch>>);

#[derive(Debug)]
struct Watch {
    watched: Watched,
    /// It did worse, and is being stopped.
    ending: bool,
}

impl Canaries {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<Slug, Watch>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Engine {
    /// The canary of a workflow, with what came of it so far.
    pub fn canary(&self, workflow: &Slug) -> Option<Watched> {
        self.0.canaries.lock().get(workflow).map(|watch| watch.watched.clone())
    }

    /// The record of the canary of a workflow.
    ///
    /// # Errors
    /// The store cannot be read.
    pub(crate) fn stored_canary(&self, workflow: &Slug) -> Result<Option<Canary>, Error> {
        let bytes = self.store().read()?.row(&key(workflow))?;
        bytes.map(|bytes| codec::decode(&bytes).map_err(Error::damaged("canary"))).transpose()
    }

    /// From here on new cases may take a canary, whose record is stored and whose revision is loaded.
    pub(crate) fn canary_begins(&self, canary: &Canary) {
        let (sums, control) = Default::default();
        let watched = Watched { canary: canary.clone(), sums, control };
        self.0.canaries.lock().insert(canary.workflow.clone(), Watch { watched, ending: false });
        self.registry().try_canary(&canary.workflow, canary.revision, canary.percent);
    }

    /// No further case takes the canary of a workflow.
    pub(crate) fn canary_is_over(&self, workflow: &Slug) {
        self.registry().end_canary(workflow);
        self.0.canaries.lock().remove(workflow);
    }

    /// What is recorded when the canary of a workflow ends, if it has one.
    pub(crate) fn canary_ends(&self, workflow: &Slug, how: Ended, note: &str, from: &Origin) -> Option<(What, Row)> {
        let Watched { canary, sums, control } = self.canary(workflow)?;
        let fact = What::CanaryEnded {
            workflow: canary.workflow,
            revision: canary.revision,
            number: canary.number,
            how,
            canary: sums,
            control,
            note: note.to_owned(),
            from: from.clone(),
        };
        Some((fact, Row::Delete(key(workflow))))
    }

    /// Take the canaries up again after a start: their figures from the store, and their judgement at once.
    ///
    /// # Errors
    /// The store cannot be read.
    pub(crate) fn restore_canaries(&self) -> Result<(), Error> {
        let snapshot = self.store().read()?;
        let page = snapshot.scan(&Scan::Pointers(POINTER.to_owned()), Direction::Forward, None, PAGE)?;
        for row in page.rows {
            let canary: Canary = codec::decode(&row.value).map_err(Error::damaged("canary"))?;
            let (sums, control) =
                (counted(&snapshot, &canary, canary.revision)?, counted(&snapshot, &canary, canary.control)?);
            self.canary_begins(&canary);
            if let Some(watch) = self.0.canaries.lock().get_mut(&canary.workflow) {
                (watch.watched.sums, watch.watched.control) = (sums, control);
            }
            self.judge_canary(&canary.workflow);
        }
        Ok(())
    }

    /// A turn was stored. What came of its case counts on the side that it is of.
    pub(super) fn observe(&self, change: &Change) {
        let mut judged = Vec::new();
        for (workflow, watch) in self.0.canaries.lock().iter_mut() {
            let Watched { canary, sums, control } = &mut watch.watched;
            let side = match change.revision {
                revision if revision == canary.revision => sums,
                revision if revision == canary.control => control,
                _ => continue,
            };
            if change.after.began && change.case > canary.floor() {
                if let Some(before) = &change.before {
                    count(side, before, -1);
                }
                count(side, &change.after, 1);
                judged.push(workflow.clone());
            }
        }
        judged.iter().for_each(|workflow| self.judge_canary(workflow));
    }

    /// Stop a canary that does worse: no case takes it from this moment on, and the record follows from a worker.
    fn judge_canary(&self, workflow: &Slug) {
        let worse = {
            let mut canaries = self.0.canaries.lock();
            let Some(watch) = canaries.get_mut(workflow).filter(|watch| !watch.ending) else { return };
            let Watched { canary, sums, control } = &watch.watched;
            let Some(worse) = judge(&canary.bounds, sums, control) else { return };
            watch.ending = true;
            worse
        };
        self.registry().end_canary(workflow);
        self.stop_soon(workflow.clone(), worse);
    }

    fn stop_soon(&self, workflow: Slug, worse: Worse) {
        let engine = self.clone();
        self.0.workers.queue_again(self.0.record.id, Box::new(move || engine.stop_worse(&workflow, worse)));
    }

    fn stop_worse(&self, workflow: &Slug, worse: Worse) {
        // No case takes it meanwhile; behind the turns that wait it is tried again.
        let Some(_alone) = self.publishing_unless_busy() else { return self.stop_soon(workflow.clone(), worse) };
        let note = format!("it did worse: {}", worse.word());
        let Some((fact, row)) = self.canary_ends(workflow, Ended::Worse(worse), &note, &Origin::Host) else { return };
        let recorded = log::record(self, &Actor::host(), |_| Record {
            facts: vec![fact.clone()],
            rows: vec![row.clone()],
            ..Record::default()
        });
        match recorded {
            Ok(()) => {
                tracing::warn!(code = worse.word(), "canary of workflow {workflow} did worse and was stopped");
                self.canary_is_over(workflow);
            }
            // No case takes it meanwhile; after the next start it is judged again.
            Err(error) => {
                tracing::error!("canary of workflow {workflow} did worse, and that could not be recorded: {error}")
            }
        }
    }
}

/// What came of the cases that began on a revision since the canary was let out.
fn counted(snapshot: &Snapshot, canary: &Canary, revision: Digest) -> Result<Sums, Error> {
    let mut sums = Sums::default();
    for standing in [Standing::Open, Standing::Past] {
        let mut after = Some(canary.floor());
        loop {
            let page = snapshot.cases_of(revision, standing, after, PAGE)?;
            for row in &page {
                let stay = Stay::read(&row.value)?;
                if stay.began {
                    count(&mut sums, &stay, 1);
                }
            }
            after = page.last().map(|row| row.case);
            if page.len() < PAGE {
                break;
            }
        }
    }
    Ok(sums)
}

/// Add a case to the sums of its side, or take it away again before it is added as it is now.
fn count(sums: &mut Sums, stay: &Stay, times: i64) {
    let one = |yes: bool| i64::from(yes) * times;
    sums.cases = sums.cases.saturating_add_signed(times);
    sums.failed = sums.failed.saturating_add_signed(one(stay.failed));
    sums.late = sums.late.saturating_add_signed(one(stay.late));
    let refunded = stay.refunded.map_or(0, |money| money.minor());
    sums.refunded = sums.refunded.saturating_add(refunded.saturating_mul(times));
}
