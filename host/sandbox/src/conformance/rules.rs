//! What breaks which rule, of calls that have ended.

use super::case::{Case, Question};
use super::report::Rule;
use crate::answer::Rule as Kept;
use crate::call::Attempt;
use crate::contract::{Attribute, Fact, Value};
use crate::failure::CallError;

/// The key of an attribute that no plugin knows.
const UNKNOWN: &str = "redress.conformance-unknown";
/// The most entries of an open bag.
const BAG_MOST: usize = 64;

/// The rule that a call broke by the way it ended, and how.
pub(super) fn ending(ended: &Attempt) -> Option<(Rule, String)> {
    let error = match &ended.result {
        Ok(_) | Err(CallError::CannotDecide(_) | CallError::BadInput(_)) => return None,
        Err(error) => error,
    };
    let rule = match error {
        CallError::AnswerInvalid(invalid) => match invalid.rule {
            Kept::ProvidesMissing | Kept::ProvidesUndeclared | Kept::ProvidesType => Rule::Providing,
            _ => Rule::Conserving,
        },
        _ => Rule::Total,
    };
    Some((rule, format!("{error} [{}]{}", error.code(), last_words(ended))))
}

/// What a plugin said that did not decide.
pub(super) fn because(ended: &Attempt) -> Option<String> {
    match &ended.result {
        Err(CallError::BadInput(words)) => Some(format!("bad_input: {words}")),
        Err(CallError::CannotDecide(reasons)) => {
            let codes: Vec<&str> = reasons.iter().map(|reason| reason.code.as_str()).collect();
            Some(format!("cannot_decide: {}", codes.join(", ")))
        }
        _ => None,
    }
}

/// What the plugin logged last: a panic says there where it was.
fn last_words(ended: &Attempt) -> String {
    ended.log.last().map(|line| format!("; it logged: {}", line.text)).unwrap_or_default()
}

/// How two calls differ that must not.
pub(super) fn difference(first: &Attempt, second: &Attempt) -> Option<String> {
    if first.result != second.result {
        return Some("the answers differ".to_owned());
    }
    if first.fuel != second.fuel {
        return Some(format!("the answers are the same, for {} and {} units of fuel", first.fuel, second.fuel));
    }
    (first.log != second.log).then(|| "the answers are the same, the logs differ".to_owned())
}

/// Whether a call ended because of the host.
pub(super) fn is_hosts(ended: &Attempt) -> bool {
    matches!(&ended.result, Err(error) if error.is_infrastructure())
}

/// Whether a call used up its fuel.
pub(super) fn is_out_of_fuel(ended: &Attempt) -> bool {
    matches!(&ended.result, Err(CallError::OutOfFuel { .. }))
}

/// Whether a call used more than half of its fuel, and how much.
pub(super) fn over_half(ended: &Attempt) -> Option<String> {
    (ended.fuel > ended.fuel_max / 2).then(|| {
        let percent = ended.fuel.saturating_mul(100).checked_div(ended.fuel_max).unwrap_or(100);
        format!("it used {} of {} units of fuel, {percent} %", ended.fuel, ended.fuel_max)
    })
}

/// The same question with an attribute and a fact that no plugin knows, in every bag that has room. A step has no such bag.
pub(super) fn with_unknown(case: &Case) -> Option<Case> {
    let Question::Decision(hook, request) = &case.question else { return None };
    let mut request = request.clone();
    let add = |bag: &mut Vec<Attribute>| {
        if bag.len() < BAG_MOST {
            bag.push(Attribute { key: UNKNOWN.to_owned(), value: Value::Text("unknown".to_owned()) });
        }
    };
    add(&mut request.about.attributes);
    request.customer.iter_mut().for_each(|party| add(&mut party.attributes));
    request.lines.iter_mut().for_each(|line| add(&mut line.attributes));
    request.purchases.iter_mut().for_each(|purchase| add(&mut purchase.attributes));
    request.facts.push(Fact { key: UNKNOWN.to_owned(), value: Value::Boolean(true) });
    Some(Case { question: Question::Decision(*hook, request), ..case.clone() })
}

/// The smallest question, of those that have less in them, that still does it. Lines go from the end, so that they stay counted.
pub(super) fn smallest(case: &Case, mut still: impl FnMut(&Case) -> bool) -> Case {
    let mut best = case.clone();
    let mut tries = 0;
    'smaller: loop {
        for step in 0.. {
            let Some(smaller) = smaller(&best, step) else { return best };
            tries += 1;
            if tries > 200 {
                return best;
            }
            if smaller != best && still(&smaller) {
                best = smaller;
                continue 'smaller;
            }
        }
    }
}

/// One of the ways to make a question smaller.
fn smaller(case: &Case, step: usize) -> Option<Case> {
    let Question::Decision(hook, request) = &case.question else { return None };
    let mut request = request.clone();
    match step {
        0 => request.lines.truncate(request.lines.len() / 2),
        1 => drop(request.lines.pop()),
        2 => request.purchases.truncate(request.purchases.len() / 2),
        3 => request.facts.clear(),
        4 => request.about.attributes.clear(),
        5 => request.lines.iter_mut().for_each(|line| line.attributes.clear()),
        6 => request.purchases.iter_mut().for_each(|purchase| purchase.attributes.clear()),
        7 => request.lines.iter_mut().for_each(|line| (line.unit, line.reason) = (None, None)),
        8 => request.earlier.clear(),
        at if at - 9 < request.purchases.len() => drop(request.purchases.remove(at - 9)),
        _ => return None,
    }
    // What was agreed before is about what is there.
    let has = |order: &str, line: u32| request.purchases.iter().any(|one| one.order == order && one.line == line);
    let lines = request.lines.len();
    for opinion in &mut request.earlier {
        opinion.verdict.lines.retain(|one| (one.line as usize) < lines);
        for line in &mut opinion.verdict.lines {
            line.takes.retain(|take| has(&take.order, take.line));
        }
    }
    Some(Case { question: Question::Decision(*hook, request), ..case.clone() })
}
