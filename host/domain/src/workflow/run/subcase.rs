//! `run`: a case of another workflow. It is opened after the commit, under an id that follows from this case and its step, and
//! tells its end in the same way; what happens in between concerns this case no more than any other.

use super::{Flow, Rejection, Run, StepError};
use crate::case::child::{Called, Child, ChildState, DEPTH_MAX, Ended, Ending, Parent};
use crate::case::command::{Body, Open};
use crate::case::entry::Entry;
use crate::case::lane::LaneId;
use crate::case::{Case, Line, Output};
use crate::decision::Work;
use crate::ids::{CaseId, Digest, Slug};
use crate::value::{Fields, Value};
use crate::workflow::definition::{self, Definition, Kind, Step, Timeout, misfits};

/// Most sub-cases of one case: a step in a loop opens one each time.
const CHILDREN_MAX: usize = 1_000;

/// Codes of a refusal that `on_error` may name; every other one is `sub_case_refused`.
const REFUSALS: &[&str] = &["field_required", "not_callable", "too_many_lines", "unknown_workflow", "wrong_inputs"];

pub(super) fn enter(
    run: &mut Run,
    definition: &Definition,
    step: &Step,
    sub: &definition::Run,
) -> Result<Flow, StepError> {
    let depth = run.case().parent.as_ref().map_or(0, |parent| parent.depth) + 1;
    if depth > DEPTH_MAX {
        let detail = format!("{DEPTH_MAX} cases stand above this one, and there are no more in one another");
        return Err(StepError::new("too_deep", detail));
    }
    if run.case().children.len() >= CHILDREN_MAX {
        let detail = format!("the case has opened {CHILDREN_MAX} sub-cases, which is the most");
        return Err(StepError::new("too_many_sub_cases", detail));
    }
    let mut inputs = Fields::new();
    for (name, expr) in &sub.with {
        if let Some(value) = run.value_or_absent(definition, expr)? {
            inputs.insert(name.clone(), value);
        }
    }
    let awaited = sub.wait.is_some();
    let id = child_id(run, &step.id);
    let child = Child {
        step: step.id.clone(),
        lane: run.lane.clone(),
        round: run.round,
        workflow: sub.workflow.clone(),
        pin: sub.pin.clone(),
        inputs,
        number: None,
        state: if awaited { ChildState::Awaited } else { ChildState::Alone },
    };
    let body = Box::new(Body::Open(Box::new(open(run.case(), &child, depth))));
    run.emit(Entry::SubCaseIntended { id, child: Box::new(child) });
    run.work.push(Work::Message { to: id, body });
    match &sub.wait {
        None => {
            gave(run, step, Fields::from([("case".to_owned(), Value::text(id.to_string()))]));
            Ok(Flow::Next)
        }
        // The past is not hurried.
        Some(Timeout::After { after, .. }) if !run.history() => Ok(run.stay_for(definition, &step.id, Some(*after))),
        Some(_) => Ok(run.stay(&step.id)),
    }
}

/// What the sub-case is opened with: the matter of this case, and the inputs.
fn open(case: &Case, child: &Child, depth: u32) -> Open {
    // What came of a line here is nothing that the other workflow decided.
    let lines = case.lines.iter().map(|line| Line { outcome: None, ..line.clone() });
    Open {
        kind: case.kind.clone(),
        external: None,
        history: case.history,
        customer: case.customer.clone(),
        order: case.order.clone(),
        currency: case.currency,
        reason: case.reason.clone(),
        claim: case.claim.clone(),
        attributes: case.attributes.clone(),
        lines: lines.collect(),
        called: Some(Box::new(Called {
            workflow: child.workflow.clone(),
            pin: child.pin.clone(),
            inputs: child.inputs.clone(),
            parent: Parent {
                case: case.id,
                number: case.number.clone(),
                step: child.step.clone(),
                depth,
                awaited: child.state == ChildState::Awaited,
            },
        })),
        start: None,
    }
}

/// The id follows from case, step, iteration and round, and from how many the step has opened there before: a turn that is run
/// again mints the same, and a step that is tried again another one. It sorts beside the id of the case.
fn child_id(run: &Run, step: &Slug) -> CaseId {
    let (case, iteration) = (run.case(), run.lane.iteration());
    let is_of_step =
        |child: &&Child| child.step == *step && child.round == run.round && child.lane.iteration() == iteration;
    let before = case.children.values().filter(is_of_step).count();
    let named = (run.input.tenant, case.id, step, (&iteration, run.round), before, "sub_case");
    let bits = Digest::of(&crate::codec::encode(&named));
    let bits = bits.bytes().first_chunk::<16>().copied().map_or(0, u128::from_be_bytes);
    CaseId::mint(case.id.minted_at(), bits)
}

fn gave(run: &mut Run, step: &Step, fields: Fields) {
    run.emit(Entry::Gave { step: step.id.clone(), plugin: None, output: Output::Values(fields) });
}

/// A sub-case told its end. The step that waits for it goes on; where none does, it is kept for people.
pub(super) fn ended(run: &mut Run, definition: Option<&Definition>, ended: &Ended) {
    let ignored = |run: &mut Run, why: &str| {
        run.emit(Entry::Ignored { what: format!("end of sub-case {}", ended.case), why: why.to_owned() });
    };
    let Some(child) = run.case().children.get(&ended.case).cloned() else {
        return ignored(run, "the case has opened none of this id");
    };
    if matches!(child.state, ChildState::Ended(_)) {
        return ignored(run, "it has ended already");
    }
    run.turn_to(&child.lane);
    run.emit(Entry::SubCaseEnded(Box::new(ended.clone())));
    let step = definition.and_then(|definition| Some((definition, definition.step(child.step.as_str())?)));
    if let (Some((definition, step)), ChildState::Awaited) = (step, &child.state)
        && run.awaits(&step.id)
    {
        let flow = outcome(ended).map(|fields| {
            gave(run, step, fields);
            Flow::Next
        });
        run.follow(definition, step, flow);
    }
}

/// What the step gives, or why it failed.
fn outcome(ended: &Ended) -> Result<Fields, StepError> {
    let name = ended.number.clone().unwrap_or_else(|| ended.case.to_string());
    match &ended.ending {
        Ending::Finished(result) => {
            let number = ended.number.as_ref().map(|number| ("number".to_owned(), Value::text(number)));
            let case = ("case".to_owned(), Value::text(ended.case.to_string()));
            Ok([case, ("result".to_owned(), Value::text(result))].into_iter().chain(number).collect())
        }
        Ending::Failed(code) => {
            Err(StepError::new("sub_case_failed", format!("sub-case {name} ended as failed: {code}")))
        }
        Ending::Cancelled => Err(StepError::new("sub_case_cancelled", format!("sub-case {name} was cancelled"))),
        Ending::Refused { code, detail } if REFUSALS.contains(&code.as_str()) => {
            Err(StepError::new(code.clone(), detail.clone()))
        }
        Ending::Refused { code, detail } => {
            Err(StepError::new("sub_case_refused", format!("it was refused as {code}: {detail}")))
        }
    }
}

/// The time that a step waits for its sub-case is over: it goes on by itself.
pub(super) fn let_go(run: &mut Run, step: &Slug) {
    let here = run.lane.clone();
    for id in awaited(run, |child| child.step == *step && child.lane == here) {
        run.emit(Entry::SubCaseLeft { id, called_off: false });
    }
}

/// Nobody wants these sub-cases any more: each is told to end, as if a person cancelled it.
pub(super) fn call_off(run: &mut Run, which: impl Fn(&LaneId) -> bool) {
    for id in awaited(run, |child| which(&child.lane)) {
        run.emit(Entry::SubCaseLeft { id, called_off: true });
        run.work.push(Work::Message { to: id, body: Box::new(Body::Cancel) });
    }
}

fn awaited(run: &Run, which: impl Fn(&Child) -> bool) -> Vec<CaseId> {
    let is_meant = |child: &Child| child.state == ChildState::Awaited && which(child);
    run.case().children.iter().filter(|(_, child)| is_meant(child)).map(|(id, _)| *id).collect()
}

/// A sub-case that has ended in this turn tells so where somebody waits for it.
pub(super) fn tell_parent(run: &mut Run) {
    let case = run.case();
    let Some(parent) = case.parent.clone().filter(|parent| parent.awaited && !run.was_closed) else { return };
    let cancelled = run.entries.iter().any(|entry| matches!(entry, Entry::Cancelled { .. }));
    let Some(ending) = Ending::of(case, cancelled) else { return };
    let ended = Ended { case: case.id, number: Some(case.number.clone()), ending };
    run.work.push(Work::Message { to: parent.case, body: Box::new(Body::SubCase(Box::new(ended))) });
}

/// Where the time of a step leads that waits for its sub-case.
pub(super) fn timeout(kind: &Kind) -> Option<&Timeout> {
    match kind {
        Kind::Run(sub) => sub.wait.as_ref(),
        _ => None,
    }
}

/// A workflow as it takes a sub-case.
pub(super) fn callable<'d>(definition: Option<&'d Definition>, called: &Called) -> Result<&'d Definition, Rejection> {
    let refuse = |code, message: String| Rejection { code, message, fields: Vec::new() };
    let name = format!("{}@{}", called.workflow, called.pin);
    let Some(definition) = definition else {
        return Err(refuse("unknown_workflow", format!("there is no workflow {name}")));
    };
    let Some(start) = &definition.called else {
        let message = format!("workflow {name} has no trigger `called`: it does not run as a sub-case");
        return Err(refuse("not_callable", message));
    };
    let fields = misfits(&start.inputs, &called.inputs);
    if fields.is_empty() {
        return Ok(definition);
    }
    let message = format!("the inputs of workflow {name} are not as it declares them: {}", fields.join(", "));
    Err(Rejection { code: "wrong_inputs", message, fields })
}

#[cfg(test)]
mod tests {
    use super::REFUSALS;
    use crate::workflow::schema;

    #[test]
    fn every_refusal_is_a_code_that_a_document_may_name() {
        for code in REFUSALS {
            assert!(schema::own_codes("run").contains(code), "{code}");
        }
    }
}
