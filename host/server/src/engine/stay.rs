//! A case's stay on a revision: which cases run on it, and what came of each. Kept in the index by revision.

use redress_domain::case::Case;
use redress_domain::case::entry::Entry;
use redress_domain::codec;
use redress_domain::decision::Decision;
use redress_domain::ids::{CaseId, Digest};
use redress_domain::money::Money;
use redress_domain::workflow::definition::{Definition, Kind};
use redress_store::row::{Row, RowKey, Standing};
use redress_store::snapshot::Snapshot;
use serde::{Deserialize, Serialize};

use super::Error;

/// What came of a case on a revision.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Stay {
    /// The case began on the revision, and not in the past: what the revision does shows in it.
    #[serde(default)]
    pub began: bool,
    /// A step failed: a plugin, the ledger, an expression.
    #[serde(default)]
    pub failed: bool,
    /// A wait for somebody or something outside ended because its time was over.
    #[serde(default)]
    pub late: bool,
    /// Money refunded or on its way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refunded: Option<Money>,
}

impl Stay {
    /// As it is kept; a case that is older than the index has an empty row.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, Error> {
        if bytes.is_empty() { Ok(Self::default()) } else { codec::decode(bytes).map_err(Error::damaged("stay")) }
    }
}

/// What a turn changed of a stay.
#[derive(Debug, Clone)]
pub(super) struct Change {
    /// The case.
    pub(super) case: CaseId,
    /// The revision.
    pub(super) revision: Digest,
    /// What had come of it before; nothing where it is new there.
    pub(super) before: Option<Stay>,
    /// What has come of it now.
    pub(super) after: Stay,
}

/// How a case stood before its turn.
#[derive(Debug, Default)]
pub(super) struct Before {
    place: Option<(Digest, Standing)>,
    refunded: Option<Money>,
}

impl Before {
    /// Of the case before its turn.
    pub(super) fn of(case: Option<&Case>) -> Self {
        Self { place: case.and_then(place), refunded: case.and_then(refunded) }
    }

    /// The rows of what the turn changed; none where the case stands on its revision as it did.
    pub(super) fn rows(
        &self,
        snapshot: &Snapshot,
        definition: Option<&Definition>,
        decision: &Decision,
    ) -> Result<(Vec<Row>, Option<Change>), Error> {
        let (case, entries) = (&decision.case, &decision.turn.entries);
        let Some((revision, standing)) = place(case) else { return Ok((Vec::new(), None)) };
        let failed = entries.iter().any(|entry| matches!(entry, Entry::Failed { .. }));
        let late = entries.iter().any(|entry| is_late(definition, entry));
        let as_before = self.place == Some((revision, standing)) && self.refunded == refunded(case);
        if as_before && !failed && !late {
            return Ok((Vec::new(), None));
        }
        let key = |(revision, standing)| RowKey::case_of_revision(revision, standing, case.id);
        let (mut rows, mut stayed) = (Vec::new(), None);
        let stay = match self.place {
            Some(before) if before.0 == revision => {
                let stay = Stay::read(&snapshot.row(&key(before))?.unwrap_or_default())?;
                rows.extend((before.1 != standing).then(|| Row::Delete(key(before))));
                stayed = Some(stay.clone());
                stay
            }
            Some(before) => {
                // What came of it there stays with the revision that it leaves.
                let left = snapshot.row(&key(before))?.unwrap_or_default();
                rows.extend([Row::Delete(key(before)), Row::Put(key((before.0, Standing::Past)), left)]);
                Stay::default()
            }
            None => Stay { began: !case.history, ..Stay::default() },
        };
        let after = Stay { failed: stay.failed || failed, late: stay.late || late, refunded: refunded(case), ..stay };
        if standing == Standing::Open && self.place.is_some_and(|before| before.0 != revision) {
            // Should it have been there before, it is there once.
            rows.push(Row::Delete(key((revision, Standing::Past))));
        }
        rows.push(Row::Put(key((revision, standing)), codec::encode(&after)));
        Ok((rows, Some(Change { case: case.id, revision, before: stayed, after })))
    }
}

fn place(case: &Case) -> Option<(Digest, Standing)> {
    let standing = if case.is_closed() { Standing::Past } else { Standing::Open };
    Some((case.revision?, standing))
}

fn refunded(case: &Case) -> Option<Money> {
    Some(case.refunded()).filter(|money| !money.is_zero())
}

/// Whether somebody or something came too late. The end of a `wait` is what was meant.
fn is_late(definition: Option<&Definition>, entry: &Entry) -> bool {
    let Entry::TimedOut { step } = entry else { return false };
    let step = definition.and_then(|definition| definition.step(step.as_str()));
    step.is_some_and(|step| !matches!(step.kind, Kind::Wait(_)))
}
