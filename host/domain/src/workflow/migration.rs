//! Whether and how a case can go on with another revision of its workflow. Pure: a dry run and the migration ask the same.

mod lanes;

use std::collections::BTreeMap;

use crate::case::command::{Carry, Migrate};
use crate::case::deadline::Proposal;
use crate::case::lane::LaneId;
use crate::case::{About, Case, Status};
use crate::ids::Slug;
use crate::value::{Fields, Type};
use crate::workflow::definition::review::Review;
use crate::workflow::definition::{Definition, Kind, Step, Variable};

/// Why a case stays where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// A stable code.
    pub code: &'static str,
    /// For a person.
    pub detail: String,
}

/// Where a case would go on.
#[derive(Debug, Clone, PartialEq)]
pub struct Way {
    /// The step at which its main line waits.
    pub step: Slug,
    /// The step of the other revision at which that goes on waiting.
    pub to: Slug,
    /// Its variables there.
    pub vars: Fields,
    /// The places at which it waits for something from outside: the main line alone, or its branches and iterations.
    pub places: Vec<Waits>,
}

/// One place at which a case waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waits {
    /// The lane.
    pub lane: LaneId,
    /// The step at which it waits.
    pub step: Slug,
    /// The step of the other revision at which it goes on waiting.
    pub to: Slug,
}

/// Every refusal, with what it means: what the guide lists.
pub const REFUSALS: &[(&str, &str)] = &[
    ("not_waiting", "the case is under way, held or closed: only one that waits can be moved"),
    (
        "other_branches",
        "the case stands in branches or iterations, and the other revision has others there, or the same under another name",
    ),
    ("failed_step", "the case waits for a person to mend a failure: that is answered first"),
    ("no_migration_point", "the step at which it waits is no `migration_point` of its revision"),
    ("step_missing", "the other revision has no step of this name: map it"),
    ("target_no_migration_point", "the step of the other revision is no `migration_point`"),
    ("other_kind", "the step of the other revision waits for something else"),
    ("answer_unfit", "what the first of two people answered does not fit the other form"),
    ("variable_type", "a variable holds what the other revision does not take"),
    ("variable_unset", "the other revision has a variable without a default that the case lacks: say what it holds"),
];

/// What is wrong with a migration as it is meant, whichever case it is about.
pub fn faults(old: &Definition, new: &Definition, plan: &Migrate) -> Vec<String> {
    let mut faults = Vec::new();
    if old.workflow != new.workflow {
        faults.push(format!("revision {} is of workflow {}", new.revision.short(), new.workflow));
    }
    if old.revision == new.revision {
        faults.push("both revisions are the same".to_owned());
    }
    if old.currency != new.currency {
        faults.push(format!("the one counts in {}, the other in {}", old.currency, new.currency));
    }
    for (from, to) in &plan.steps {
        if old.step(from.as_str()).is_none() {
            faults.push(format!("the revision to leave has no step {from}"));
        }
        if new.step(to.as_str()).is_none() {
            faults.push(format!("the revision to go to has no step {to}"));
        }
    }
    let targets: BTreeMap<&Slug, usize> = plan.steps.values().fold(BTreeMap::new(), |mut counts, to| {
        *counts.entry(to).or_default() += 1;
        counts
    });
    faults
        .extend(targets.iter().filter(|(_, count)| **count > 1).map(|(to, _)| format!("step {to} is mapped to twice")));
    for (name, carry) in &plan.vars {
        match (new.vars.get(name), carry) {
            (None, _) => faults.push(format!("the revision to go to has no variable {name}")),
            (Some(variable), Carry::Default) if variable.default.is_none() => {
                faults.push(format!("variable {name} has no default"));
            }
            (Some(variable), Carry::Value(value)) if !value.is_of(&variable.kind) => {
                faults.push(format!("variable {name} does not hold a value of kind {}", value.kind()));
            }
            _ => {}
        }
    }
    faults
}

/// Where a case would go on, or why it stays.
///
/// # Errors
/// One of `REFUSALS`.
pub fn way(old: &Definition, new: &Definition, case: &Case, plan: &Migrate) -> Result<Way, Refusal> {
    let refuse = |code, detail: String| Err(Refusal { code, detail });
    let Status::Waiting { step, .. } = &case.status else {
        return refuse("not_waiting", format!("the case is {}", case.status.word()));
    };
    let failed = |about: &About| matches!(about, About::Failure { .. });
    if case.tasks.values().any(|task| failed(&task.about)) {
        return refuse("failed_step", format!("step {step} failed"));
    }
    let mut places = Vec::new();
    if case.lanes.is_empty() {
        places.push(waits(old, new, case, plan, (&LaneId::main(), step))?);
    } else {
        lanes::owner(old, new, case, plan, (&LaneId::main(), step))?;
        for (id, lane) in &case.lanes {
            places.extend(lanes::place(old, new, case, plan, (id, lane))?);
        }
    }
    let vars = vars(old, new, case, plan)?;
    let to = plan.steps.get(step).unwrap_or(step).clone();
    Ok(Way { step: step.clone(), to, vars, places })
}

/// Where a lane that waits for something from outside goes on.
fn waits(
    old: &Definition,
    new: &Definition,
    case: &Case,
    plan: &Migrate,
    (lane, step): (&LaneId, &Slug),
) -> Result<Waits, Refusal> {
    let refuse = |code, detail: String| Err(Refusal { code, detail });
    if !old.step(step.as_str()).is_some_and(|step| step.migration_point) {
        return refuse("no_migration_point", format!("step {step} of the revision to leave is no migration point"));
    }
    let (to, target) = target(new, plan, step)?;
    if !target.migration_point {
        return refuse(
            "target_no_migration_point",
            format!("step {to} of the revision to go to is no migration point"),
        );
    }
    let waits = old.step(step.as_str()).map(|step| step.kind.name()).unwrap_or_default();
    if target.kind.name() != waits {
        return refuse("other_kind", format!("step {step} is a {waits}, step {to} a {}", target.kind.name()));
    }
    if let (Some(Kind::Run(before)), Kind::Run(after)) = (old.step(step.as_str()).map(|step| &step.kind), &target.kind)
        && before.workflow != after.workflow
    {
        let (before, after) = (&before.workflow, &after.workflow);
        return refuse("other_kind", format!("step {step} waits for a case of {before}, step {to} for one of {after}"));
    }
    let proposals = case.tasks.values().filter(|task| task.lane == *lane).filter_map(|task| task.proposal.as_ref());
    if let Kind::Review(review) | Kind::Inspect(review) = &target.kind
        && proposals.into_iter().any(|proposal| !fits(review, proposal))
    {
        return refuse("answer_unfit", format!("what the first of two people answered does not fit step {to}"));
    }
    Ok(Waits { lane: lane.clone(), step: step.clone(), to: to.clone() })
}

/// The step of the other revision that a step becomes.
fn target<'a>(new: &'a Definition, plan: &'a Migrate, step: &'a Slug) -> Result<(&'a Slug, &'a Step), Refusal> {
    let to = plan.steps.get(step).unwrap_or(step);
    let missing = || Refusal { code: "step_missing", detail: format!("the revision to go to has no step {to}") };
    Ok((to, new.step(to.as_str()).ok_or_else(missing)?))
}

/// Whether an answer that waits for a second person could be given there as well.
fn fits(review: &Review, proposal: &Proposal) -> bool {
    let asked = |(name, kind): (&String, &Type)| match proposal.form.get(name) {
        Some(value) => value.is_of(kind),
        None => matches!(kind, Type::Optional(_)),
    };
    let known = |name: &String| review.ask.contains_key(name) || review.files.contains_key(name);
    review.next.contains_key(&proposal.outcome) && review.ask.iter().all(asked) && proposal.form.keys().all(known)
}

fn vars(old: &Definition, new: &Definition, case: &Case, plan: &Migrate) -> Result<Fields, Refusal> {
    let mut vars = Fields::new();
    for (name, variable) in &new.vars {
        let value = match plan.vars.get(name) {
            Some(Carry::Value(value)) => Some(value.clone()),
            Some(Carry::Default) => variable.default.clone(),
            Some(Carry::Keep) => kept(case, name, variable)?,
            // What the revision to leave has not set yet either is set further on.
            None if old.vars.contains_key(name) => kept(case, name, variable)?,
            None => {
                let unset = || Refusal {
                    code: "variable_unset",
                    detail: format!("variable {name} has no value and no default"),
                };
                Some(kept(case, name, variable)?.or_else(|| variable.default.clone()).ok_or_else(unset)?)
            }
        };
        vars.extend(value.map(|value| (name.clone(), value)));
    }
    Ok(vars)
}

fn kept(case: &Case, name: &str, variable: &Variable) -> Result<Option<crate::value::Value>, Refusal> {
    match case.vars.get(name) {
        Some(value) if !value.is_of(&variable.kind) => {
            let detail = format!("variable {name} holds a value of kind {}", value.kind());
            Err(Refusal { code: "variable_type", detail })
        }
        value => Ok(value.cloned()),
    }
}

/// Whether cases may be moved while they wait at a step of this kind.
pub fn can_be_point(kind: &Kind) -> bool {
    match kind {
        Kind::Review(_) | Kind::Inspect(_) | Kind::Await { .. } | Kind::Wait(_) => true,
        Kind::Run(sub) => sub.wait.is_some(),
        _ => false,
    }
}
