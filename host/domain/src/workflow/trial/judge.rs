//! Whether what was expected came, and what came instead.

use std::collections::BTreeSet;

use crate::case::lane::Place;
use crate::case::{About, Case, Effect, EffectState, Message, Piece, Refund, Status, Task, What};
use crate::ids::{Digest, Slug};
use crate::workflow::trial::expect::{
    Calls, Expectation, Expected, ExpectedMessage, ExpectedRefund, ExpectedTask, OpenTasks,
};

/// What came of a test.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// The case in the end.
    pub case: &'a Case,
    /// The steps that were taken.
    pub path: &'a [Slug],
    /// The effects in the order in which they were wanted.
    pub effects: &'a [Digest],
    /// The steps that were undone, in the order in which they were.
    pub undone: &'a [Slug],
    /// The requests that reached a receiver.
    pub calls: &'a [Call],
    /// How often somebody was reminded.
    pub reminders: usize,
}

/// A request that reached a receiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Call {
    /// The key of its effect.
    pub key: Digest,
}

/// What was expected, and what came instead; both for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// What was expected.
    pub expected: String,
    /// What was found.
    pub found: String,
}

/// Compare one expectation with what came. `None` where it came.
pub fn judge(expectation: &Expectation, seen: &Seen<'_>) -> Option<Mismatch> {
    let case = seen.case;
    match &expectation.expected {
        Expected::Path(steps) => differ(listed(steps), listed(seen.path)),
        Expected::EndsWith(steps) => {
            let from = seen.path.len().saturating_sub(steps.len());
            differ(listed(steps), listed(&seen.path[from..]))
        }
        Expected::Status(word) => differ((*word).to_owned(), status(case).to_owned()),
        Expected::WaitsAt(step) => {
            let lanes =
                case.lanes.values().any(|lane| matches!(&lane.place, Place::Waiting { step: at, .. } if at == step));
            let is_there = lanes || matches!(&case.status, Status::Waiting { step: at, .. } if at == step);
            (!is_there).then(|| Mismatch { expected: step.to_string(), found: stands(case) })
        }
        Expected::Result(result) => differ(result.to_string(), case.result.clone().unwrap_or_else(|| stands(case))),
        Expected::SubCases(steps) => {
            // Those of one turn have no order.
            let sorted = |mut steps: Vec<Slug>| {
                steps.sort();
                steps
            };
            let opened = case.children.values().map(|child| child.step.clone()).collect();
            differ(listed(&sorted(steps.clone())), listed(&sorted(opened)))
        }
        Expected::Remedy(remedy) => differ(remedy.word().to_owned(), case.remedy().word().to_owned()),
        Expected::Reasons(codes) => {
            let found = case.decisive_reasons();
            let lacks = codes.iter().any(|code| !found.contains(&code.as_str()));
            lacks.then(|| Mismatch { expected: listed(codes), found: listed(&found) })
        }
        Expected::Refunds(refunds) => judge_refunds(refunds, seen),
        Expected::Restock(places) => {
            let went = |effect: &Effect| match &effect.what {
                What::Restock { to, .. } => Some(to.clone()),
                _ => None,
            };
            differ(listed(places), listed(&of_effects(seen, |_, effect| went(effect))))
        }
        Expected::Exchanges(skus) => {
            let given = |effect: &Effect| match &effect.what {
                What::Exchange(exchange) => Some(exchange.sku.to_string()),
                _ => None,
            };
            differ(listed(skus), listed(&of_effects(seen, |_, effect| given(effect))))
        }
        Expected::Undone(steps) => differ(listed(steps), listed(seen.undone)),
        Expected::Messages(messages) => judge_messages(messages, seen),
        Expected::OpenTasks(OpenTasks::Count(count)) => {
            let found = seen.case.tasks.len();
            (found != *count).then(|| Mismatch { expected: count.to_string(), found: tasks_told(case, found) })
        }
        Expected::OpenTasks(OpenTasks::Of(tasks)) => judge_tasks(tasks, case),
        Expected::Var(name, value) => {
            let found = case.vars.get(name);
            let told = found.map_or_else(|| "no value".to_owned(), ToString::to_string);
            (found != Some(value))
                .then(|| Mismatch { expected: format!("{name}: {value}"), found: format!("{name}: {told}") })
        }
        Expected::Reminders(count) => differ(count.to_string(), seen.reminders.to_string()),
        Expected::ProviderCalls(calls) => judge_calls(calls, seen),
    }
}

fn differ(expected: String, found: String) -> Option<Mismatch> {
    (expected != found).then_some(Mismatch { expected, found })
}

fn listed(items: &[impl ToString]) -> String {
    let items: Vec<String> = items.iter().map(ToString::to_string).collect();
    format!("[{}]", items.join(", "))
}

fn status(case: &Case) -> &'static str {
    match case.status {
        Status::Closed { failed: true } => "failed",
        _ => case.status.word(),
    }
}

/// Where the case stands, for people: in each of its lanes, where it is in several.
fn stands(case: &Case) -> String {
    let waiting =
        case.lanes.values().filter_map(|lane| Some(format!("{} at {}", lane.place.word(), lane.place.step()?)));
    let lanes: Vec<String> = waiting.collect();
    if !lanes.is_empty() {
        return lanes.join(", ");
    }
    match (case.status.step(), &case.result) {
        (Some(step), _) => format!("{} at {step}", case.status.word()),
        (None, Some(result)) => format!("{}, {result}", status(case)),
        (None, None) => status(case).to_owned(),
    }
}

/// What a step is told of each effect that was not declined, in the order in which they were wanted.
fn of_effects<T>(seen: &Seen<'_>, tell: impl Fn(Digest, &Effect) -> Option<T>) -> Vec<T> {
    let known = seen.effects.iter().filter_map(|key| Some((*key, seen.case.effects.get(key)?)));
    known
        .filter(|(_, effect)| effect.state != EffectState::Declined)
        .filter_map(|(key, effect)| tell(key, effect))
        .collect()
}

fn judge_messages(expected: &[ExpectedMessage], seen: &Seen<'_>) -> Option<Mismatch> {
    type Told = (Slug, Option<Box<Message>>);
    let told = |effect: &Effect| match &effect.what {
        What::Notice { template, message, .. } => Some((template.clone(), message.clone())),
        _ => None,
    };
    let found: Vec<Told> = of_effects(seen, |_, effect| told(effect));
    let fits = |(wanted, (template, message)): (&ExpectedMessage, &Told)| {
        let says = |words: &String| message.as_ref().is_some_and(|message| message.says(words));
        wanted.template == *template && wanted.says.as_ref().is_none_or(says)
    };
    if expected.len() == found.len() && expected.iter().zip(&found).all(fits) {
        return None;
    }
    // What a message says is told only where it is looked at.
    let speaks = expected.iter().any(|wanted| wanted.says.is_some());
    let wanted = |one: &ExpectedMessage| match &one.says {
        Some(words) => format!("{} that says {words:?}", one.template),
        None => one.template.to_string(),
    };
    let came = |(template, message): &Told| match message.as_ref().filter(|_| speaks) {
        Some(message) => {
            let text: String = message.at("en").1.iter().map(Piece::as_str).collect();
            format!("{template} that says {:?}", text.trim())
        }
        None => template.to_string(),
    };
    let (expected, found): (Vec<_>, Vec<_>) = (expected.iter().map(wanted).collect(), found.iter().map(came).collect());
    Some(Mismatch { expected: listed(&expected), found: listed(&found) })
}

fn judge_refunds(expected: &[ExpectedRefund], seen: &Seen<'_>) -> Option<Mismatch> {
    fn paid(effect: &Effect) -> Option<(&Slug, &Refund)> {
        match &effect.what {
            What::Refund(refund) if effect.state == EffectState::Confirmed => Some((&effect.step, refund)),
            _ => None,
        }
    }
    let found: Vec<(&Slug, &Refund)> =
        seen.effects.iter().filter_map(|key| seen.case.effects.get(key).and_then(paid)).collect();
    let fits = |(wanted, (step, refund)): (&ExpectedRefund, &(&Slug, &Refund))| {
        wanted.amount == refund.amount
            && wanted.step.as_ref().is_none_or(|wanted| wanted == *step)
            && wanted.order.as_ref().is_none_or(|wanted| Some(wanted) == refund.order.as_ref())
    };
    if expected.len() == found.len() && expected.iter().zip(&found).all(fits) {
        return None;
    }
    let wanted = |one: &ExpectedRefund| told(one.amount, one.step.as_ref(), one.order.as_ref());
    let came = |(step, refund): &(&Slug, &Refund)| told(refund.amount, Some(step), refund.order.as_ref());
    let (expected, found): (Vec<_>, Vec<_>) = (expected.iter().map(wanted).collect(), found.iter().map(came).collect());
    Some(Mismatch { expected: listed(&expected), found: listed(&found) })
}

fn told(amount: impl ToString, step: Option<&Slug>, order: Option<&impl ToString>) -> String {
    let step = step.map_or_else(String::new, |step| format!(" by {step}"));
    let order = order.map_or_else(String::new, |order| format!(" of order {}", order.to_string()));
    format!("{}{step}{order}", amount.to_string())
}

/// The step that a task belongs to.
fn step_of<'c>(case: &'c Case, task: &'c Task) -> Option<&'c Slug> {
    match &task.about {
        About::Review { step } | About::Inspection { step } | About::Failure { step, .. } => Some(step),
        About::Effect { key } => case.effects.get(key).map(|effect| &effect.step),
        About::Unrouted | About::TooLong => None,
    }
}

fn judge_tasks(expected: &[ExpectedTask], case: &Case) -> Option<Mismatch> {
    let mut left: Vec<&Task> = case.tasks.values().collect();
    let found = left.len();
    for wanted in expected {
        let fits = |task: &&Task| {
            step_of(case, task) == Some(&wanted.step)
                && wanted.queue.as_ref().is_none_or(|queue| queue.as_str() == task.queue)
        };
        if let Some(place) = left.iter().position(fits) {
            left.remove(place);
        }
    }
    if left.is_empty() && found == expected.len() {
        return None;
    }
    let wanted = |one: &ExpectedTask| match &one.queue {
        Some(queue) => format!("{} in {queue}", one.step),
        None => one.step.to_string(),
    };
    let wanted: Vec<String> = expected.iter().map(wanted).collect();
    Some(Mismatch { expected: listed(&wanted), found: tasks_told(case, found) })
}

fn tasks_told(case: &Case, count: usize) -> String {
    let told = |task: &Task| {
        let step = step_of(case, task).map_or("no step", Slug::as_str);
        match &task.about {
            About::Failure { code, .. } => format!("{step} in {} ({code})", task.queue),
            _ => format!("{step} in {}", task.queue),
        }
    };
    let tasks: Vec<String> = case.tasks.values().map(told).collect();
    if count == 0 { "0".to_owned() } else { format!("{count}: {}", tasks.join(", ")) }
}

fn judge_calls(expected: &Calls, seen: &Seen<'_>) -> Option<Mismatch> {
    let kind = |call: &Call| seen.case.effects.get(&call.key).map(|effect| effect.what.word());
    let of = |wanted: &str| seen.calls.iter().filter(|call| kind(call) == Some(wanted)).count();
    let named = [
        ("refund", expected.refund),
        ("restock", expected.restock),
        ("notice", expected.notice),
        ("http", expected.http),
        ("exchange", expected.exchange),
    ];
    let counted = |call: &&Call| match kind(call) {
        Some(kind) => {
            let is_named = named.iter().any(|(name, count)| *name == kind && count.is_some());
            is_named || named.iter().all(|(_, count)| count.is_none())
        }
        None => false,
    };
    let keys: BTreeSet<Digest> = seen.calls.iter().filter(counted).map(|call| call.key).collect();
    let counts = named.into_iter().map(|(name, count)| (name, count, of(name)));
    let counts = counts.chain([("distinct_keys", expected.distinct_keys, keys.len())]);
    let (mut wanted, mut found, mut differs) = (Vec::new(), Vec::new(), false);
    for (name, count, came) in counts.filter_map(|(name, count, came)| Some((name, count?, came))) {
        wanted.push(format!("{name}: {count}"));
        found.push(format!("{name}: {came}"));
        differs |= count != came;
    }
    differs.then(|| Mismatch { expected: wanted.join(", "), found: found.join(", ") })
}
