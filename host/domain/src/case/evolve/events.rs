//! What the entries of events make of a case.

use super::super::entry::Entry;
use super::super::{Case, Gathered};
use super::Stamp;

pub(super) fn change(case: &mut Case, entry: &Entry, stamp: Stamp) -> Result<(), &'static str> {
    match entry {
        Entry::EventKept { event } => {
            // What is too old to end a wait leaves its place to what is not.
            case.events.retain(|kept| kept.is_kept(stamp.at));
            case.events.push(event.clone());
        }
        Entry::EventTaken { kept, .. } => {
            take(case, *kept)?;
            case.gathered.remove(&case.lane);
        }
        Entry::EventGathered { arm, event, kept, .. } => {
            take(case, *kept)?;
            case.gathered.entry(case.lane.clone()).or_default().push(Gathered { arm: *arm, event: event.clone() });
        }
        Entry::EventsLetGo { .. } => let_go(case),
        _ => return Err("the entry is of no event"),
    }
    Ok(())
}

fn take(case: &mut Case, kept: Option<u32>) -> Result<(), &'static str> {
    let Some(kept) = kept else { return Ok(()) };
    if kept as usize >= case.events.len() {
        return Err("the event was not kept");
    }
    case.events.remove(kept as usize);
    Ok(())
}

/// What a lane had gathered is kept among the others, by when it happened.
pub(super) fn let_go(case: &mut Case) {
    for gathered in case.gathered.remove(&case.lane).unwrap_or_default() {
        let place = case.events.partition_point(|kept| kept.at <= gathered.event.at);
        case.events.insert(place, gathered.event);
    }
}
