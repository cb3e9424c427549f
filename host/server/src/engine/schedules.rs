//! Cases that a schedule opens. Each schedule of an active workflow is one work item, due at its next time; the commit that opens the
//! case ends the item and puts the next one, so that a time opens one case, whatever dies in between.
//!
//! What was missed while nobody looked opens one case, for the newest of the missed times. A clock that was put back meets an item
//! that is due later: nothing is opened twice.

use std::collections::BTreeMap;
use std::sync::Arc;

use redress_domain::case::command::{Actor, Body, Open, Rejection};
use redress_domain::case::start::{By, Start};
use redress_domain::clock::Instant;
use redress_domain::codec;
use redress_domain::ids::{Digest, Slug};
use redress_domain::value::Fields;
use redress_domain::workflow::definition::Definition;
use redress_domain::workflow::definition::start::Schedule;
use redress_store::batch::{AppendError, Batch};
use redress_store::work::{Claim, Kind, WorkItem, WorkKey};

use super::error::Error;
use super::timers::Doing;
use super::{Engine, Submission, Target};

impl Engine {
    /// See to it that every schedule of an active workflow has its next time before it. A schedule that is new begins with the first time
    /// after this instant; one that is there already stays as it is.
    ///
    /// # Errors
    /// The store failed.
    pub fn plan_schedules(&self, now: Instant) -> Result<(), Error> {
        let active = self.registry().active();
        let of = |one: &'_ Arc<Definition>| -> Vec<(Slug, Schedule)> {
            one.starts.schedules.iter().map(|schedule| (one.workflow.clone(), schedule.clone())).collect()
        };
        let all: Vec<(Slug, Schedule)> = active.iter().flat_map(of).collect();
        if all.is_empty() {
            return Ok(());
        }
        let (mut batch, snapshot) = (Batch::default(), self.store().read()?);
        for (workflow, schedule) in &all {
            if snapshot.work(&key(workflow, schedule))?.is_none() {
                batch.work.put.extend(item(workflow, schedule, now));
            }
        }
        if batch.work.put.is_empty() {
            return Ok(());
        }
        match self.store().append(batch) {
            // Somebody else has planned it meanwhile: the next look finds what is left.
            Ok(_) | Err(AppendError::NotUnique { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// When the schedules of a workflow are due, by their names; one that no running host has seen is not among them.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn schedules_due(&self, definition: &Definition) -> Result<BTreeMap<String, Instant>, Error> {
        let mut due = BTreeMap::new();
        if definition.starts.schedules.is_empty() {
            return Ok(due);
        }
        let snapshot = self.store().read()?;
        for schedule in &definition.starts.schedules {
            if let Some(item) = snapshot.work(&key(&definition.workflow, schedule))? {
                due.insert(schedule.name(), item.due);
            }
        }
        Ok(due)
    }

    /// The case that a schedule opens now, and the next time of the schedule.
    pub(super) fn occurrence(&self, claim: &Claim, now: Instant) -> Result<(Submission, Doing), Error> {
        let (workflow, name): (Slug, String) = codec::decode(&claim.payload).map_err(Error::damaged("schedule"))?;
        let active = self.registry().active();
        let definition = active.iter().find(|one| one.workflow == workflow);
        let found = definition.and_then(|one| Some((one, one.starts.schedules.iter().find(|one| one.name() == name)?)));
        let ended = || Rejection::new("not_startable", format!("no active revision of {workflow} has it any more"));
        let (definition, schedule) = found.ok_or_else(ended)?;
        // The item is due at one of its times: there is none only where a table of zones has changed.
        let at = schedule.cron.last(claim.due, now, schedule.zone).unwrap_or(claim.due);
        let by = By::Schedule { at };
        let open = Open {
            kind: schedule.kind.clone(),
            external: None,
            history: false,
            customer: None,
            order: None,
            currency: definition.currency,
            reason: None,
            claim: None,
            attributes: Fields::new(),
            lines: Vec::new(),
            called: None,
            start: Some(Box::new(Start { workflow: workflow.clone(), by })),
        };
        let submission = Submission::new(Target::New, Actor::host(), "schedule", Body::Open(Box::new(open)));
        let next = item(&workflow, schedule, now.max(at));
        let doing = Doing { next, ..Doing::new(claim.claim.clone()) };
        Ok((Submission { occurred_at: Some(at), ..submission }, doing))
    }
}

/// The item of a schedule, due at the first time after an instant.
fn item(workflow: &Slug, schedule: &Schedule, after: Instant) -> Option<WorkItem> {
    let due = schedule.cron.next(after, schedule.zone)?;
    let payload = codec::encode(&(workflow, schedule.name()));
    Some(WorkItem { key: key(workflow, schedule), due, payload })
}

/// A schedule is one as long as its times, its zone and its type of case are the same.
fn key(workflow: &Slug, schedule: &Schedule) -> WorkKey {
    let name = Digest::of(&codec::encode(&(workflow, schedule.name())));
    WorkKey { kind: Kind::Schedule, key: name.bytes().to_vec() }
}
