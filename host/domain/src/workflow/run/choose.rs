//! `decide`, `again` and `set`: where to go, and what to remember.

use super::{Flow, Run, StepError, lanes};
use crate::case::entry::Entry;
use crate::ids::Slug;
use crate::value::Fields;
use crate::workflow::definition::{Arm, Definition, Step};
use crate::workflow::expr::Expr;

pub(super) fn decide(run: &mut Run, definition: &Definition, step: &Step, arms: &[Arm]) -> Result<Flow, StepError> {
    for arm in arms {
        let holds = match &arm.when {
            Some(when) => run.holds(definition, step, when)?,
            None => true,
        };
        if holds {
            let because = arm.when.as_ref().map(|when| when.source().to_owned());
            run.emit(Entry::Decided { step: step.id.clone(), then: arm.then.clone(), because });
            return Ok(Flow::To(arm.then.clone()));
        }
    }
    // The checker demands an `else`.
    Err(StepError::new("no_arm", "no arm of the decision holds"))
}

/// Back to a step, or on where it led back often enough.
pub(super) fn again(run: &mut Run, step: &Step, to: &Slug, max_visits: u32) -> Flow {
    let visits = run.case().visits.get(&run.lane.key(step.id.as_str())).copied().unwrap_or(0);
    if visits >= max_visits {
        let (what, why) = (format!("way back of {}", step.id), format!("it was taken {visits} times already"));
        run.emit(Entry::Ignored { what, why });
        return Flow::Next;
    }
    run.emit(Entry::WentBack { step: step.id.clone(), to: to.clone() });
    Flow::To(to.clone())
}

/// All values are computed before the first is assigned: the order of the keys means nothing.
pub(super) fn set(run: &mut Run, definition: &Definition, assignments: &[(String, Expr)]) -> Result<Flow, StepError> {
    let mut values = Fields::new();
    for (name, expr) in assignments {
        values.insert(name.clone(), run.value(definition, expr)?);
    }
    lanes::assign(run, definition, values);
    Ok(Flow::Next)
}
