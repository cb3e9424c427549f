//! `wait` and `await`: for a time, and for something that happens outside. And the timers that end waits.

use super::{Flow, Run, StepError, events, gather, sla, subcase, swap, tasks};
use crate::case::entry::Entry;
use crate::case::lane::Place;
use crate::ids::Slug;
use crate::value::Value;
use crate::workflow::calendar::delay::Delay;
use crate::workflow::definition::{Definition, Kind, Step, Timeout, Until};

pub(super) fn enter(run: &mut Run, definition: &Definition, step: &Step, until: &Until) -> Result<Flow, StepError> {
    match until {
        Until::For(delay) => Ok(run.stay_for(definition, &step.id, Some(*delay))),
        Until::Instant(at) => match run.value(definition, at)? {
            Value::Instant(at) if at <= run.now() => Ok(Flow::Next),
            Value::Instant(at) => Ok(run.stay_until(&step.id, Some(at))),
            other => Err(super::reserve::shape(&format!("an instant, not {}", other.kind()))),
        },
    }
}

pub(super) fn enter_await(
    run: &mut Run,
    definition: &Definition,
    step: &Step,
    remind: &[Delay],
    timeout: &Timeout,
) -> Result<Flow, StepError> {
    gather::let_go(run, &step.id);
    if let Some(flow) = events::kept(run, definition, step)? {
        return Ok(flow);
    }
    let after = match timeout {
        Timeout::After { after, .. } => Some(*after),
        Timeout::Never { .. } => None,
    };
    sla::remind(run, definition, &step.id, remind);
    let flow = run.stay_for(definition, &step.id, after);
    gather::kept(run, definition, step)?;
    Ok(flow)
}

/// A timer is due. It ends the wait that set it, or finds nothing.
pub(super) fn timer(run: &mut Run, definition: Option<&Definition>, step: &Slug, since: u64) {
    let ends = |until: Option<_>| until.is_some_and(|until| until <= run.now());
    let waits = matches!(run.case().place(&run.lane),
        Some(Place::Waiting { step: at, since: began, until }) if at == *step && began == since && ends(until));
    let found = definition.and_then(|definition| Some((definition, definition.step(step.as_str())?)));
    let (Some((definition, step)), true) = (found, waits) else {
        let what = format!("timer of step {step}");
        run.emit(Entry::Ignored { what, why: "the case does not wait there any more".to_owned() });
        return;
    };
    run.emit(Entry::TimedOut { step: step.id.clone() });
    if matches!(step.kind, Kind::Exchange(_)) {
        return swap::lapsed(run, definition, step);
    }
    if let Some(id) = tasks::of_review(run, &step.id) {
        run.emit(Entry::TaskClosed { id });
    }
    subcase::let_go(run, &step.id);
    gather::let_go(run, &step.id);
    let flow = match &step.kind {
        Kind::Review(review) | Kind::Inspect(review) => after(&review.timeout),
        Kind::Await { timeout, .. } => after(timeout),
        Kind::Run(_) => subcase::timeout(&step.kind).map_or(Flow::Next, after),
        _ => Flow::Next,
    };
    run.follow(definition, step, Ok(flow));
}

fn after(timeout: &Timeout) -> Flow {
    match timeout {
        Timeout::After { then, .. } => Flow::To(then.clone()),
        Timeout::Never { .. } => Flow::Stop,
    }
}
