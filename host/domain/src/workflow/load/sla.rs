//! What is to happen while nobody answers: `sla: { due: 8bh, remind: [4bh], escalate: [{ after: 8bh, to: leads }] }`. It never ends
//! the wait: that is what `timeout` does.

use crate::workflow::calendar::delay::Delay;
use crate::workflow::definition::review::{Escalation, Sla};
use crate::workflow::load::calendar::{Written, delay};
use crate::workflow::reader::{At, Fields};
use crate::workflow::schema;

/// The most reminders, and the most escalations, of one wait.
const ALARMS_MAX: usize = 8;

/// The `sla` of a step, where it has one.
pub(super) fn sla(fields: &Fields<'_>, calendar: &Written) -> Option<Option<Sla>> {
    if !fields.has("sla") {
        return Some(None);
    }
    let fields = fields.get("sla")?.fields(&schema::SLA)?;
    let due = fields.require("due").and_then(|at| delay(&at, calendar));
    let remind = remind(&fields, calendar);
    let escalate = match fields.get("escalate") {
        Some(at) => escalations(&at, calendar),
        None => Some(Vec::new()),
    };
    Some(Some(Sla { due: due?, remind: remind?, escalate: escalate? }))
}

/// When somebody is reminded, counted from entering the step; each later than the one before, as far as that can be compared.
pub(super) fn remind(fields: &Fields<'_>, calendar: &Written) -> Option<Vec<Delay>> {
    let Some(at) = fields.get("remind") else { return Some(Vec::new()) };
    let items = few(&at)?;
    let read: Vec<_> = items.iter().map(|item| Some((item.clone(), delay(item, calendar)?))).collect();
    let read = read.into_iter().collect::<Option<Vec<_>>>()?;
    in_order(&read)?;
    Some(read.into_iter().map(|(_, delay)| delay).collect())
}

fn escalations(at: &At<'_>, calendar: &Written) -> Option<Vec<Escalation>> {
    let read: Vec<_> = few(at)?.iter().map(|item| escalation(item, calendar)).collect();
    let read = read.into_iter().collect::<Option<Vec<_>>>()?;
    in_order(&read.iter().map(|(at, step)| (at.clone(), step.after)).collect::<Vec<_>>())?;
    Some(read.into_iter().map(|(_, step)| step).collect())
}

fn escalation<'d>(at: &At<'d>, calendar: &Written) -> Option<(At<'d>, Escalation)> {
    let fields = at.fields(&schema::ESCALATE)?;
    let after = fields.require("after").and_then(|at| Some((delay(&at, calendar)?, at)));
    let to = fields.require("to").and_then(|at| at.slug());
    let (after, at) = after?;
    Some((at, Escalation { after, to: to? }))
}

fn few<'d>(at: &At<'d>) -> Option<Vec<At<'d>>> {
    let items = at.list()?;
    if items.len() > ALARMS_MAX {
        return at.refuse("too_large", format!("at most {ALARMS_MAX} of them, found {}", items.len()));
    }
    Some(items)
}

/// Delays of one kind are written in the order in which they come.
fn in_order(read: &[(At<'_>, Delay)]) -> Option<()> {
    let mut good = true;
    for pair in read.windows(2) {
        let [(_, before), (at, after)] = pair else { continue };
        let late = match (before, after) {
            (Delay::Span(before), Delay::Span(after)) => before >= after,
            (Delay::BusinessHours(before), Delay::BusinessHours(after)) => before >= after,
            (Delay::BusinessDays(before), Delay::BusinessDays(after)) => before >= after,
            _ => false,
        };
        if late {
            good = false;
            at.refuse_with::<()>(
                "never_taken",
                format!("`{after}` does not come after `{before}`"),
                "put the earlier one first",
            );
        }
    }
    good.then_some(())
}
