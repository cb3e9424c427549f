//! Effects that wait for a connector: they become due in the commit that sets one.

use redress_domain::codec;
use redress_domain::ids::Digest;
use redress_store::scan::{Direction, Scan};
use redress_store::snapshot::Snapshot;
use redress_store::work::{Kind, WorkChanges, WorkItem, WorkKey};

use super::delivery;
use crate::engine::Error;

/// Effects that one commit makes due. The rest find the connector at their next try.
const MADE_DUE_MAX: usize = 2_000;
/// Rows of one page.
const PAGE: usize = 500;

/// Make due what could not even be tried last. Nothing of it is on its way, so that a claim on it that is lost by this loses
/// nothing.
pub(super) fn made_due(snapshot: &Snapshot) -> Result<WorkChanges, Error> {
    let (scan, mut after, mut work) = (Scan::EffectsByState("intended".to_owned()), None, WorkChanges::default());
    loop {
        let page = snapshot.scan(&scan, Direction::Forward, after.as_ref(), PAGE)?;
        for effect in page.rows.iter().filter_map(redress_store::scan::Listed::digest) {
            if let Some(item) = waiting(snapshot, effect)? {
                work.cancel.push(item.key.clone());
                work.put.push(item);
            }
        }
        after = page.next;
        if after.is_none() || work.put.len() >= MADE_DUE_MAX {
            return Ok(work);
        }
    }
}

/// The work item of an effect that waits for a connector, as it was first put.
fn waiting(snapshot: &Snapshot, effect: Digest) -> Result<Option<WorkItem>, Error> {
    let key = WorkKey { kind: Kind::Effect, key: effect.bytes().to_vec() };
    let Some(state) = snapshot.work(&key)? else { return Ok(None) };
    let last = delivery::read(snapshot, effect)?.pop();
    let waits = last.is_some_and(|last| last.round == state.due && !last.was_tried());
    Ok(waits.then_some(WorkItem { key, due: state.due, payload: state.payload }))
}

/// What a work item of an effect holds.
pub(super) fn payload(bytes: &[u8]) -> Result<(redress_domain::ids::CaseId, Digest), Error> {
    codec::decode(bytes).map_err(Error::damaged("effect to send"))
}
