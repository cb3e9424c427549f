//! What an answer must be before it counts. The sandbox has checked it against the question; this checks it against the case.

use std::collections::{BTreeMap, BTreeSet};

use super::{Run, StepError};
use crate::case::Output;
use crate::ids::OrderId;
use crate::verdict::{Quote, Remedy, Take, Verdict};
use crate::workflow::definition::Hook;

/// An eligibility verdict names every line once: silence would decide without saying so. A compliance verdict may be silent. Takes
/// are of the goods of their line.
pub(super) fn verdict(run: &Run, hook: Hook, verdict: &Verdict) -> Result<(), StepError> {
    let named: BTreeSet<u32> = verdict.lines.iter().map(|line| line.line).collect();
    let lines = run.case().lines.len();
    let complete = named.len() == lines && verdict.lines.len() == lines;
    if hook == Hook::Eligibility && !complete {
        let detail = format!("the verdict names {} of the {lines} lines", named.len());
        return Err(StepError::new("verdict_incomplete", detail));
    }
    let takes = verdict.lines.iter().flat_map(|line| line.takes.iter().map(|take| (line.line, take)));
    takes.into_iter().try_for_each(|(line, take)| goods(run, line, take))
}

/// A quote pays only for units that were allowed, out of purchases of the same goods.
pub(super) fn quote(run: &Run, quote: &Quote) -> Result<(), StepError> {
    let mut units: BTreeMap<u32, u32> = BTreeMap::new();
    for line in &quote.lines {
        goods(run, line.line, &line.take)?;
        if line.take.quantity == 0 {
            return Err(StepError::new("quote_without_units", format!("line {} is paid for no units", line.line)));
        }
        let quoted = units.entry(line.line).or_default();
        *quoted = quoted.saturating_add(line.take.quantity);
        let outcome = run.case().lines.get(line.line as usize).and_then(|line| line.outcome.as_ref());
        // Where no plugin was asked for a verdict, the workflow's own steps have decided.
        if let Some(outcome) = outcome
            && (outcome.remedy != Remedy::Allow || *quoted > outcome.quantity)
        {
            let allowed = if outcome.remedy == Remedy::Allow { outcome.quantity } else { 0 };
            let detail = format!("line {} is paid for {quoted} units, {allowed} are allowed", line.line);
            return Err(StepError::new("quote_not_allowed", detail));
        }
    }
    within_takes(run, quote)
}

/// Where a verdict says which purchases a line is taken from, the quote pays for those and no others.
fn within_takes(run: &Run, quote: &Quote) -> Result<(), StepError> {
    let mut allowed: BTreeMap<(u32, &OrderId, u32), u32> = BTreeMap::new();
    let mut named = BTreeSet::new();
    for output in run.case().outputs.values() {
        let Output::Verdict(verdict) = output else { continue };
        for line in verdict.lines.iter().filter(|line| !line.takes.is_empty()) {
            named.insert(line.line);
            for take in &line.takes {
                let most = allowed.entry((line.line, &take.order, take.line)).or_default();
                *most = take.quantity.max(*most);
            }
        }
    }
    for line in quote.lines.iter().filter(|line| named.contains(&line.line)) {
        let left = allowed.get_mut(&(line.line, &line.take.order, line.take.line));
        match left {
            Some(left) if *left >= line.take.quantity => *left -= line.take.quantity,
            _ => {
                let Take { order, line: place, quantity } = &line.take;
                let detail = format!("line {} was not allowed {quantity} of order {order} line {place}", line.line);
                return Err(StepError::new("quote_not_allowed", detail));
            }
        }
    }
    Ok(())
}

fn goods(run: &Run, line: u32, take: &Take) -> Result<(), StepError> {
    let asked = run.case().lines.get(line as usize);
    let purchase = run.input.facts.purchase(&take.order, take.line);
    match (asked, purchase) {
        (Some(asked), Some(purchase)) if asked.sku == purchase.sku => Ok(()),
        (Some(asked), Some(purchase)) => {
            let detail =
                format!("line {line} is {}, order {} line {} is {}", asked.sku, take.order, take.line, purchase.sku);
            Err(StepError::new("wrong_goods", detail))
        }
        (_, None) => Err(StepError::new("unknown_purchase", format!("no purchase {} line {}", take.order, take.line))),
        (None, _) => Err(StepError::new("unknown_line", format!("the case has no line {line}"))),
    }
}
