//! `parallel` and `for_each`: several lanes of one case, how they begin, end and join.

use std::collections::BTreeMap;

use super::{Flow, Run, StepError, finish, reserve, subcase, undo};
use crate::case::Output;
use crate::case::entry::Entry;
use crate::case::lane::{Lane, LaneId, Place};
use crate::ids::Slug;
use crate::money::Money;
use crate::value::{Fields, Value};
use crate::workflow::definition::{Definition, ForEach, Join, Kind, Merge, Parallel, Step};

/// The values that lanes set could not be put together.
pub(super) const MERGE_FAILED: &str = "merge_failed";

pub(super) fn parallel(run: &mut Run, step: &Step, parallel: &Parallel) -> Flow {
    run.emit(Entry::LanesOpened { step: step.id.clone(), elements: Vec::new() });
    for (branch, first) in &parallel.branches {
        let lane = run.lane.child(&step.id, branch);
        begin(run, lane, first);
    }
    Flow::Stop
}

pub(super) fn for_each(run: &mut Run, definition: &Definition, step: &Step, each: &ForEach) -> Result<Flow, StepError> {
    let elements = match run.value(definition, &each.over)? {
        Value::List(elements) => elements,
        other => return Err(reserve::shape(&format!("a list, not {}", other.kind()))),
    };
    if elements.len() > each.max as usize {
        let detail = format!("the list has {} elements, the most is {}", elements.len(), each.max);
        return Err(StepError::new("too_many_elements", detail));
    }
    let count = elements.len();
    if count == 0 {
        gave(run, step, Fields::from([("count".to_owned(), Value::whole(0))]));
        return Ok(Flow::Next);
    }
    run.emit(Entry::LanesOpened { step: step.id.clone(), elements });
    for number in 0..count.min(each.at_once as usize) {
        let lane = run.lane.child(&step.id, number);
        begin(run, lane, &each.first);
    }
    Ok(Flow::Stop)
}

fn begin(run: &mut Run, lane: LaneId, first: &Slug) {
    run.emit(Entry::LaneBegan { lane: lane.clone(), step: first.clone() });
    run.ready.insert(lane, first.clone());
}

/// The lane that the run is in came to its end. Its step goes on where that was the last one that it waits for.
pub(super) fn ended(run: &mut Run, definition: &Definition) {
    let lane = run.lane.clone();
    let Some((outer, owner, _)) = lane.parent() else { return };
    let Some(step) = definition.step(owner) else { return };
    run.emit(Entry::LaneEnded { lane: lane.clone() });
    run.turn_to(&outer);
    let count = lanes_of(run, step).count();
    let done = lanes_of(run, step).filter(|(_, lane)| matches!(lane.place, Place::Done { .. })).count();
    match &step.kind {
        Kind::Parallel(parallel) => {
            let wanted = match parallel.join {
                Join::All => count,
                Join::Count(count) => count as usize,
            };
            if done >= wanted {
                join(run, definition, step, &parallel.merge);
            }
        }
        Kind::ForEach(each) => {
            let elements = run.case().elements.get(&outer.key(step.id.as_str())).map_or(0, Vec::len);
            if count < elements {
                begin(run, outer.child(&step.id, count), &each.first);
            } else if done == elements {
                join(run, definition, step, &each.merge);
            }
        }
        _ => {}
    }
}

/// The lanes of a step of the lane that the run is in, in their order; not those inside them.
fn lanes_of<'a>(run: &'a Run, step: &'a Step) -> impl Iterator<Item = (&'a LaneId, &'a Lane)> {
    let is_of = move |lane: &LaneId| lane.part_of(&run.lane, step.id.as_str()).is_some();
    run.case().lanes.iter().filter(move |(id, _)| is_of(id))
}

/// What is not at its end is called off: nobody is asked there any more, what arrives for it finds nothing that waits, and what was done
/// there is undone.
fn join(run: &mut Run, definition: &Definition, step: &Step, merge: &BTreeMap<String, Merge>) {
    let (mut done, mut lost): (Vec<(u32, LaneId, Fields)>, Vec<LaneId>) = Default::default();
    for (id, lane) in lanes_of(run, step) {
        match lane.place {
            Place::Done { rank } => done.push((rank, id.clone(), lane.vars.clone())),
            Place::Running { .. } | Place::Waiting { .. } => lost.push(id.clone()),
        }
    }
    let merged = merged(run, merge, &done);
    let (outer, owner) = (run.lane.clone(), step.id.clone());
    finish::close_tasks(run, |task| task.lane.is_of(&outer, owner.as_str()));
    subcase::call_off(run, |lane| lane.is_of(&outer, owner.as_str()));
    run.ready.retain(|lane, _| !lane.is_of(&outer, owner.as_str()));
    run.emit(Entry::LanesJoined { step: step.id.clone() });
    undo::called_off(run, &lost);
    let flow = merged.map(|values| {
        if !values.is_empty() {
            assign(run, definition, values);
        }
        let mut fields = Fields::from([("count".to_owned(), Value::whole(done.len() as u64))]);
        if matches!(step.kind, Kind::Parallel(_)) {
            let first = done.iter().find(|(rank, ..)| *rank == 0).and_then(|(_, id, _)| id.parent());
            fields.extend(first.map(|(_, _, branch)| ("first".to_owned(), Value::text(branch))));
        }
        gave(run, step, fields);
        Flow::Next
    });
    run.follow(definition, step, flow);
}

fn gave(run: &mut Run, step: &Step, fields: Fields) {
    run.emit(Entry::Gave { step: step.id.clone(), plugin: None, output: Output::Values(fields) });
}

/// The values of the variables that several lanes may set. One that no lane set stays as it was.
fn merged(run: &Run, merge: &BTreeMap<String, Merge>, done: &[(u32, LaneId, Fields)]) -> Result<Fields, StepError> {
    let mut values = Fields::new();
    for (name, how) in merge {
        let set = || done.iter().filter_map(|(rank, _, vars)| Some((*rank, vars.get(name)?)));
        let value = match how {
            Merge::Last => set().max_by_key(|(rank, _)| *rank).map(|(_, value)| value.clone()),
            Merge::Sum => sum(run, set().map(|(_, value)| value))?,
            Merge::List => set().map(|(_, value)| value.clone()).reduce(|all, more| match (all, more) {
                (Value::List(all), Value::List(more)) => Value::List([all, more].concat()),
                (all, _) => all,
            }),
        };
        values.extend(value.map(|value| (name.clone(), value)));
    }
    Ok(values)
}

fn sum<'v>(run: &Run, values: impl Iterator<Item = &'v Value>) -> Result<Option<Value>, StepError> {
    let failed = |detail: String| StepError::new(MERGE_FAILED, detail);
    let mut total: Option<Value> = None;
    for value in values {
        total = Some(match (total, value) {
            (None, value) => value.clone(),
            (Some(Value::Number(total)), Value::Number(more)) => {
                let sum = total.checked_add(*more).ok_or_else(|| failed("the sum is too large".to_owned()))?;
                Value::Number(sum)
            }
            (Some(Value::Money(total)), Value::Money(more)) => {
                let sum = Money::sum(run.case().currency, [total, *more]);
                Value::Money(sum.map_err(|error| failed(error.to_string()))?)
            }
            (Some(total), _) => return Err(failed(format!("{} is no amount", total.kind()))),
        });
    }
    Ok(total)
}

/// Set variables. One that several lanes may set is its lane's own until they join.
pub(super) fn assign(run: &mut Run, definition: &Definition, values: Fields) {
    let mut by_owner: BTreeMap<Option<LaneId>, Fields> = BTreeMap::new();
    for (name, value) in values {
        by_owner.entry(owner(definition, &run.lane, &name)).or_default().insert(name, value);
    }
    let here = run.lane.clone();
    for (owner, values) in by_owner {
        match owner {
            None => run.emit(Entry::VarsSet { values }),
            Some(lane) => {
                run.lane = lane;
                run.emit(Entry::LaneSet { values });
                run.lane = here.clone();
            }
        }
    }
}

/// The lane around this one, or itself, whose own a variable is; none where it is the whole case's.
fn owner(definition: &Definition, lane: &LaneId, name: &str) -> Option<LaneId> {
    let (outer, step, _) = lane.parent()?;
    let merges = match &definition.step(step)?.kind {
        Kind::Parallel(parallel) => &parallel.merge,
        Kind::ForEach(each) => &each.merge,
        _ => return None,
    };
    if merges.contains_key(name) { Some(lane.clone()) } else { owner(definition, &outer, name) }
}
