//! What a list of cases, tasks or effects shows, kept beside the index so that a page reads no snapshot.

use std::collections::{BTreeMap, BTreeSet};

use redress_domain::case::{Case, Effect, EffectState, External, Task};
use redress_domain::clock::Instant;
use redress_domain::codec;
use redress_domain::decision::Decision;
use redress_domain::ids::{CaseId, CustomerId, Digest, Slug, TaskId};
use redress_domain::money::Money;
use redress_domain::verdict::Remedy;
use redress_store::row::{Row, RowKey};
use redress_store::snapshot::Snapshot;
use serde::{Deserialize, Serialize};

use super::{Engine, Error, hold};

/// The status of a case that is over.
const CLOSED: &str = "closed";

/// A case in a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CaseListing {
    /// The id.
    pub id: CaseId,
    /// The number that people read.
    pub number: String,
    /// `return`, `exchange` ...
    pub kind: Slug,
    /// Business time of its opening.
    pub opened_at: Instant,
    /// The name that another system gives it.
    pub external: Option<External>,
    /// Whose case.
    pub customer: Option<CustomerId>,
    /// `running`, `waiting`, `held`, `closed`.
    pub status: String,
    /// The revision that it is pinned to; of a case that no turn has touched since this is kept, nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<Digest>,
    /// The step that it stands at.
    pub step: Option<String>,
    /// What came of it.
    pub result: Option<String>,
    /// The derived remedy.
    pub remedy: Remedy,
    /// Money refunded or on its way.
    pub refunded: Money,
    /// Of it what nobody has confirmed; nothing where that is all, or where no turn has touched the case since this is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_its_way: Option<Money>,
}

impl CaseListing {
    /// How a case is listed.
    pub fn of(case: &Case) -> Self {
        Self {
            id: case.id,
            number: case.number.clone(),
            kind: case.kind.clone(),
            opened_at: case.opened_at,
            external: case.external.clone(),
            customer: case.customer.clone(),
            status: case.status.word().to_owned(),
            revision: case.revision,
            step: case.status.step().map(ToString::to_string),
            result: case.result.clone(),
            remedy: case.remedy(),
            refunded: case.refunded(),
            on_its_way: Some(case.on_its_way()).filter(|money| !money.is_zero()),
        }
    }
}

/// A task in a queue.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TaskListing {
    /// The id.
    pub id: TaskId,
    /// The case.
    pub case: CaseId,
    /// The number of the case.
    pub number: String,
    /// The task.
    pub task: Task,
}

/// An effect, whichever case wanted it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EffectListing {
    /// Its key.
    pub key: Digest,
    /// The case.
    pub case: CaseId,
    /// The number of the case.
    pub number: String,
    /// The step that wanted it.
    pub step: Slug,
    /// `refund`, `restock`, `notice`.
    pub what: String,
    /// How much, where it is money.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Money>,
    /// What is known of it.
    pub state: EffectState,
    /// The provider's reference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// The server's time when it was first wanted; the listing goes by it.
    pub intended_at: Instant,
}

impl EffectListing {
    fn of(key: Digest, case: &Case, effect: &Effect, intended_at: Instant) -> Self {
        let (what, amount) = (effect.what.word(), effect.what.amount());
        Self {
            key,
            case: case.id,
            number: case.number.clone(),
            step: effect.step.clone(),
            what: what.to_owned(),
            amount,
            state: effect.state,
            reference: effect.reference.clone(),
            intended_at,
        }
    }
}

/// Which of the cases in lists are paused.
#[derive(Debug, Clone)]
pub struct Paused(BTreeSet<Digest>);

impl Paused {
    /// As of a snapshot.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn of(snapshot: &Snapshot) -> Result<Self, Error> {
        Ok(Self(hold::all(snapshot)?.into_iter().map(|hold| hold.revision).collect()))
    }

    /// Whether nothing is on hold.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a case of a list is paused. One whose row does not tell its revision is read itself, while anything is on hold.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn holds(&self, snapshot: &Snapshot, listed: &CaseListing) -> Result<bool, Error> {
        if self.0.is_empty() || listed.status == CLOSED {
            return Ok(false);
        }
        if let Some(revision) = listed.revision {
            return Ok(self.0.contains(&revision));
        }
        let Some(head) = snapshot.load_case(listed.id)? else { return Ok(false) };
        let case: Case = codec::decode(&head.bytes).map_err(Error::damaged("case"))?;
        Ok(case.revision.is_some_and(|revision| self.0.contains(&revision)))
    }
}

impl Engine {
    /// An effect by its key, whichever case wanted it.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn effect(&self, key: Digest) -> Result<Option<EffectListing>, Error> {
        effect(&self.store().read()?, key)
    }

    /// The same, as of a snapshot.
    pub(crate) fn effect_in(&self, snapshot: &Snapshot, key: Digest) -> Result<Option<EffectListing>, Error> {
        effect(snapshot, key)
    }
}

fn effect(snapshot: &Snapshot, key: Digest) -> Result<Option<EffectListing>, Error> {
    let bytes = snapshot.effect(key)?;
    bytes.map(|bytes| codec::decode(&bytes).map_err(Error::damaged("effect listing"))).transpose()
}

/// What a case had that is listed apart from it, as its turn found it.
#[derive(Debug, Default)]
pub(super) struct Before {
    tasks: BTreeMap<TaskId, Task>,
    effects: BTreeMap<Digest, Effect>,
}

impl Before {
    /// Of the case before its turn.
    pub(super) fn of(case: Option<&Case>) -> Self {
        case.map_or_else(Self::default, |case| Self { tasks: case.tasks.clone(), effects: case.effects.clone() })
    }

    /// The rows of what the turn changed. They follow the states before and after, not the entries between them: what came and
    /// went within the turn leaves no row, and each row is written once.
    pub(super) fn rows(&self, snapshot: &Snapshot, decision: &Decision) -> Result<Vec<Row>, Error> {
        let mut rows = self.task_rows(&decision.case);
        rows.extend(self.effect_rows(snapshot, decision)?);
        Ok(rows)
    }

    fn task_rows(&self, case: &Case) -> Vec<Row> {
        let mut rows = Vec::new();
        for (id, task) in case.tasks.iter().filter(|(id, task)| self.tasks.get(id) != Some(task)) {
            let (id, task) = (*id, task.clone());
            if let Some(before) = self.tasks.get(&id)
                && in_queue(id, before) != in_queue(id, &task)
            {
                rows.push(Row::Delete(in_queue(id, before)));
            }
            let place = in_queue(id, &task);
            let listing = codec::encode(&TaskListing { id, case: case.id, number: case.number.clone(), task });
            rows.push(Row::Put(RowKey::task(id), listing.clone()));
            rows.push(Row::Put(place, listing));
        }
        for (id, task) in self.tasks.iter().filter(|(id, _)| !case.tasks.contains_key(id)) {
            rows.push(Row::Delete(RowKey::task(*id)));
            rows.push(Row::Delete(in_queue(*id, task)));
        }
        rows
    }

    fn effect_rows(&self, snapshot: &Snapshot, decision: &Decision) -> Result<Vec<Row>, Error> {
        let (case, mut rows) = (&decision.case, Vec::new());
        for (key, changed) in case.effects.iter().filter(|(key, effect)| self.effects.get(key) != Some(effect)) {
            let before = if self.effects.contains_key(key) { effect(snapshot, *key)? } else { None };
            // An effect of a file that is older than its table is listed from now on.
            let intended_at = before.as_ref().map_or(decision.turn.command.recorded_at, |before| before.intended_at);
            if let Some(before) = before
                && before.state != changed.state
            {
                rows.push(Row::Delete(RowKey::effect_in_state(before.state.word(), intended_at, *key)));
            }
            let listing = EffectListing::of(*key, case, changed, intended_at);
            rows.push(Row::Put(RowKey::effect(*key), codec::encode(&listing)));
            rows.push(Row::Put(RowKey::effect_in_state(changed.state.word(), intended_at, *key), Vec::new()));
        }
        Ok(rows)
    }
}

/// The place of a task in its queue: the longest open first.
fn in_queue(id: TaskId, task: &Task) -> RowKey {
    RowKey::task_in_queue(&task.queue, task.opened_at, id)
}
