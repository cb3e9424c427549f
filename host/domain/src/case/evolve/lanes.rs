//! What the entries of lanes make of a case.

use std::collections::BTreeMap;

use super::super::entry::Entry;
use super::super::lane::{Lane, LaneId, Place};
use super::super::migrated::MigratedLane;
use super::super::{Case, Output, Status};
use super::{Stamp, events};

/// The lane that the turn is in stands here now.
pub(super) fn stand(case: &mut Case, place: Place) -> Result<(), &'static str> {
    events::let_go(case);
    if case.lane.is_main() {
        case.status = match place {
            Place::Running { step } => Status::Running { step },
            Place::Waiting { step, since, until } => Status::Waiting { step, since, until },
            Place::Done { .. } => return Err("the main line has no end but the case's"),
        };
        return Ok(());
    }
    case.lanes.get_mut(&case.lane).ok_or("there is no such lane")?.place = place;
    Ok(())
}

/// The lanes go on at steps of another revision. Every lane that waits for something from outside has its place there.
pub(super) fn migrate(
    case: &mut Case,
    migrated: &BTreeMap<LaneId, MigratedLane>,
    turn: u64,
) -> Result<(), &'static str> {
    for (id, to) in migrated {
        let lane = case.lanes.get_mut(id).ok_or("there is no such lane")?;
        let Place::Waiting { since, .. } = lane.place else { return Err("the lane does not wait") };
        let since = if to.rearmed { turn } else { since };
        lane.place = Place::Waiting { step: to.step.clone(), since, until: to.until };
    }
    Ok(())
}

pub(super) fn change(case: &mut Case, entry: &Entry, stamp: Stamp) -> Result<(), &'static str> {
    match entry {
        // Also one that is over: what became of its effects may be told later.
        Entry::LaneEntered { lane } => case.lane = lane.clone(),
        Entry::LanesOpened { step, elements } => {
            stand(case, Place::Waiting { step: step.clone(), since: stamp.turn, until: None })?;
            if !elements.is_empty() {
                case.elements.insert(case.lane.key(step.as_str()), elements.clone());
            }
        }
        Entry::LaneBegan { lane, step } => {
            let begun = Lane { place: Place::Running { step: step.clone() }, vars: Default::default() };
            if case.lanes.insert(lane.clone(), begun).is_some() {
                return Err("the lane runs already");
            }
        }
        Entry::LaneSet { values } => {
            case.lanes.get_mut(&case.lane).ok_or("there is no such lane")?.vars.extend(values.clone());
        }
        Entry::LaneEnded { lane } => {
            end(case, lane)?;
            case.gathered.remove(lane);
        }
        Entry::LanesJoined { step } => {
            let outer = case.lane.clone();
            case.lanes.retain(|lane, _| !lane.is_of(&outer, step.as_str()));
            case.gathered.retain(|lane, _| !lane.is_of(&outer, step.as_str()));
            case.elements.remove(&outer.key(step.as_str()));
        }
        _ => return Err("the entry is of no lane"),
    }
    Ok(())
}

/// At its end. What the steps of an iteration gave is gone with it, but for verdicts: they settle what comes of the lines together.
fn end(case: &mut Case, lane: &LaneId) -> Result<(), &'static str> {
    let (outer, step, _) = lane.parent().ok_or("the main line has no end but the case's")?;
    let of_step = |other: &LaneId| other.part_of(&outer, step).is_some();
    let is_done = |(other, lane): &(&LaneId, &Lane)| matches!(lane.place, Place::Done { .. }) && of_step(other);
    let rank = u32::try_from(case.lanes.iter().filter(is_done).count()).unwrap_or(u32::MAX);
    case.lanes.get_mut(lane).ok_or("there is no such lane")?.place = Place::Done { rank };
    if lane.is_iteration() {
        let inside = lane.key("");
        case.outputs.retain(|key, output| !key.starts_with(&inside) || matches!(output, Output::Verdict(_)));
    }
    Ok(())
}
