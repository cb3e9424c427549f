//! Cases that stand in several places: each branch and iteration goes on where it waits, if the other revision has it there.

use super::{Refusal, Waits, target, waits};
use crate::case::Case;
use crate::case::command::Migrate;
use crate::case::lane::{Lane, LaneId, Place};
use crate::ids::Slug;
use crate::workflow::definition::{Definition, Kind};

/// Where a lane goes on, if it waits for something from outside: one that is at its end, or waits for lanes inside it, only has to be there.
pub(super) fn place(
    old: &Definition,
    new: &Definition,
    case: &Case,
    plan: &Migrate,
    (id, lane): (&LaneId, &Lane),
) -> Result<Option<Waits>, Refusal> {
    fits_vars(new, id, lane)?;
    let step = match &lane.place {
        Place::Done { .. } => return Ok(None),
        Place::Running { step } => {
            let detail = format!("{id} is about to enter step {step}");
            return Err(Refusal { code: "not_waiting", detail });
        }
        Place::Waiting { step, .. } => step,
    };
    let is_owner = case.lanes.keys().any(|other| other.part_of(id, step.as_str()).is_some());
    if is_owner {
        owner(old, new, case, plan, (id, step))?;
    }
    stands_in(new, plan, id, step)?;
    if is_owner { Ok(None) } else { waits(old, new, case, plan, (id, step)).map(Some) }
}

/// A step whose branches or iterations run goes on under its own name, with the same branches.
pub(super) fn owner(
    old: &Definition,
    new: &Definition,
    case: &Case,
    plan: &Migrate,
    (lane, step): (&LaneId, &Slug),
) -> Result<(), Refusal> {
    let refuse = |detail: String| Err(Refusal { code: "other_branches", detail });
    let (to, target) = target(new, plan, step)?;
    if to != step {
        return refuse(format!("branches or iterations of step {step} run: it cannot become {to} meanwhile"));
    }
    match (old.step(step.as_str()).map(|step| &step.kind), &target.kind) {
        (Some(Kind::ForEach(_)), Kind::ForEach(_)) => Ok(()),
        (Some(Kind::Parallel(_)), Kind::Parallel(there)) => {
            let parts = case.lanes.keys().filter_map(|id| id.part_of(lane, step.as_str()));
            let mut here: Vec<&str> = parts.collect();
            here.sort_unstable();
            let there: Vec<&str> = there.branches.keys().map(Slug::as_str).collect();
            if here == there { Ok(()) } else { refuse(format!("step {step} has other branches there")) }
        }
        _ => refuse(format!("step {step} is no {} there", old_kind(old, step))),
    }
}

fn old_kind(old: &Definition, step: &Slug) -> &'static str {
    old.step(step.as_str()).map(|step| step.kind.name()).unwrap_or_default()
}

/// The step that a lane goes on at belongs to the same branch, or to the body of the same step.
fn stands_in(new: &Definition, plan: &Migrate, lane: &LaneId, step: &Slug) -> Result<(), Refusal> {
    let (to, target) = target(new, plan, step)?;
    let Some((_, owner, part)) = lane.parent() else { return Ok(()) };
    let within = target.within.as_ref();
    let is_there = within.is_some_and(|within| {
        within.step.as_str() == owner && within.branch.as_ref().is_none_or(|branch| branch.as_str() == part)
    });
    if is_there {
        return Ok(());
    }
    Err(Refusal { code: "other_branches", detail: format!("step {to} is not in {lane} there") })
}

/// Variables of the lane's own are of the types that the other revision declares.
fn fits_vars(new: &Definition, id: &LaneId, lane: &Lane) -> Result<(), Refusal> {
    let fits =
        |name: &String, value: &crate::value::Value| new.vars.get(name).is_some_and(|one| value.is_of(&one.kind));
    match lane.vars.iter().find(|(name, value)| !fits(name, value)) {
        None => Ok(()),
        Some((name, value)) => {
            let detail = format!("variable {name} of {id} holds a value of kind {}", value.kind());
            Err(Refusal { code: "variable_type", detail })
        }
    }
}
