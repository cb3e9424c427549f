//! Migration: cases of one revision go on with another, each in a turn of its own. Run again, it does what is left.

use std::collections::{BTreeMap, BTreeSet};

use redress_domain::case::Case;
use redress_domain::case::command::{Actor, Body, Carry, Migrate, Timers};
use redress_domain::codec;
use redress_domain::ids::{CaseId, Slug};
use redress_domain::workflow::definition::Definition;
use redress_domain::workflow::migration::{self, Refusal, Way};
use redress_domain::workflow::problems::Problems;
use redress_domain::workflow::reader::At;
use redress_domain::workflow::{literal, yaml};
use redress_store::row::Standing;
use redress_store::snapshot::Snapshot;

use super::workflows::{self, Revision};
use super::{Error, hold};
use crate::engine::log::{self, Origin, Record, What};
use crate::engine::{self, Engine, Submission, Target};

/// Most cases of one call: what a request waits for.
pub const CASES_MAX: usize = 1_000;
/// Cases that are moved side by side.
const AT_ONCE: usize = 64;
/// Numbers of refused cases that a report names for each reason.
const EXAMPLES_MAX: usize = 5;

/// Which cases are to go where, as somebody says it.
#[derive(Debug, Clone, Default)]
pub struct Wish {
    /// The revision to leave: its number, its hash or the beginning of that.
    pub from: String,
    /// The revision to go to.
    pub to: String,
    /// Only cases that wait at one of these steps; all where it is empty.
    pub at: BTreeSet<Slug>,
    /// Steps that are called otherwise there, by their names of before.
    pub steps: BTreeMap<Slug, Slug>,
    /// What variables hold there: `keep`, `default`, or `=` and a literal.
    pub vars: BTreeMap<String, String>,
    /// Whether waits end as if they had begun there, or when they would have ended.
    pub recompute: bool,
}

/// A wish that fits both revisions.
#[derive(Debug)]
pub struct Migration {
    /// The revision to leave.
    pub from: Revision,
    /// The revision to go to.
    pub to: Revision,
    at: BTreeSet<Slug>,
    plan: Migrate,
}

/// What became of some of the cases.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Cases that were looked at.
    pub examined: u64,
    /// Cases that went on, or would, by the step that they waited at and the one that they wait at then.
    pub moved: BTreeMap<(Slug, Slug), u64>,
    /// Cases that wait at other steps than those that were asked for.
    pub left_out: u64,
    /// Cases that stay, by the reason and the step that they stand at.
    pub refused: BTreeMap<(String, String), Refused>,
    /// The case behind which the next call goes on; none where all were looked at.
    pub next: Option<CaseId>,
}

/// Cases that stay for one reason.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Refused {
    /// How many.
    pub cases: u64,
    /// For a person; of the first of them.
    pub detail: String,
    /// The numbers of the first of them.
    pub examples: Vec<String>,
}

impl Report {
    /// All cases that went on.
    pub fn all_moved(&self) -> u64 {
        self.moved.values().sum()
    }

    /// All cases that stay where they are.
    pub fn all_refused(&self) -> u64 {
        self.refused.values().map(|refused| refused.cases).sum()
    }

    fn refuse(&mut self, case: &Case, code: &str, detail: &str) {
        let step = case.status.step().map(ToString::to_string).unwrap_or_default();
        let refused = self.refused.entry((code.to_owned(), step)).or_default();
        if refused.cases == 0 {
            detail.clone_into(&mut refused.detail);
        }
        refused.cases += 1;
        if refused.examples.len() < EXAMPLES_MAX {
            refused.examples.push(case.number.clone());
        }
    }
}

/// A wish, held against both revisions.
///
/// # Errors
/// There are no such revisions, or the wish does not fit them; each reason is told.
pub fn plan(engine: &Engine, workflow: &Slug, wish: &Wish) -> Result<Migration, Error> {
    let (from, to) =
        (workflows::names::named(engine, workflow, &wish.from)?, workflows::names::named(engine, workflow, &wish.to)?);
    hold::check(engine, to.revision)?;
    let (old, new) = (engine.registry().definition(from.revision)?, engine.registry().definition(to.revision)?);
    let mut faults = Vec::new();
    let mut vars = BTreeMap::new();
    for (name, written) in &wish.vars {
        match carry(&new, name, written) {
            Ok(carry) => drop(vars.insert(name.clone(), carry)),
            Err(fault) => faults.push(fault),
        }
    }
    let timers = if wish.recompute { Timers::Recompute } else { Timers::Keep };
    let plan = Migrate { from: from.revision, to: to.revision, steps: wish.steps.clone(), vars, timers };
    faults.extend(migration::faults(&old, &new, &plan));
    let unknown = wish.at.iter().filter(|step| old.step(step.as_str()).is_none());
    faults.extend(unknown.map(|step| format!("the revision to leave has no step {step}")));
    if faults.is_empty() {
        return Ok(Migration { from, to, at: wish.at.clone(), plan });
    }
    Err(Error::MigrationUnfit { workflow: workflow.to_string(), faults })
}

/// What a variable is to hold, as it was written.
fn carry(new: &Definition, name: &str, written: &str) -> Result<Carry, String> {
    match written {
        "keep" => return Ok(Carry::Keep),
        "default" => return Ok(Carry::Default),
        _ => {}
    }
    let variable = new.vars.get(name).ok_or_else(|| format!("the revision to go to has no variable {name}"))?;
    let text =
        written.strip_prefix('=').ok_or_else(|| format!("variable {name}: `keep`, `default`, or `=` and a value"))?;
    let problems = Problems::new();
    let tree = yaml::parse(text, &problems);
    let value = tree.and_then(|tree| literal::literal(&At::root(&tree, text, &problems), &variable.kind, new.currency));
    let told = || problems.into_sorted().first().map_or_else(String::new, |problem| format!(": {}", problem.message));
    value.map(Carry::Value).ok_or_else(|| format!("variable {name}: {text:?} is not of its type{}", told()))
}

/// Say what would become of up to so many cases behind one. Nothing is changed.
///
/// # Errors
/// The store cannot be read.
pub fn look(engine: &Engine, migration: &Migration, after: Option<CaseId>, max: usize) -> Result<Report, Error> {
    let (report, _) = examine(engine, migration, after, max)?;
    Ok(report)
}

/// Move up to so many cases behind one, each in a turn of its own. `told` is why, and where the command came from.
///
/// # Errors
/// The store failed. What was moved before stays moved; called again, it goes on.
pub fn migrate(
    engine: &Engine,
    migration: &Migration,
    by: &Actor,
    told: (&str, &Origin),
    after: Option<CaseId>,
    max: usize,
) -> Result<Report, Error> {
    let (mut report, cases) = examine(engine, migration, after, max)?;
    report.moved.clear();
    let mut moved = Ok(());
    for slice in cases.chunks(AT_ONCE) {
        // The revision that they go to is not deleted meanwhile.
        let _alone = engine.moving();
        if workflows::find(engine, migration.to.revision)?.is_none() {
            let (workflow, named) = (migration.to.workflow.to_string(), migration.to.number.to_string());
            moved = Err(Error::NoSuchRevision { workflow, named });
            break;
        }
        moved = move_slice(engine, migration, by, slice, &mut report);
        if moved.is_err() {
            break;
        }
    }
    // Also where not all could be moved: what was done is told.
    record(engine, migration, by, told, &report)?;
    moved.map(|()| report)
}

/// What a call did, in the tenant's own stream; each case has it in its own as well. A call that found nobody tells nothing.
fn record(
    engine: &Engine,
    migration: &Migration,
    by: &Actor,
    (note, from): (&str, &Origin),
    report: &Report,
) -> Result<(), Error> {
    if report.examined == 0 {
        return Ok(());
    }
    let fact = What::CasesMigrated {
        workflow: migration.to.workflow.clone(),
        left: migration.from.revision,
        revision: migration.to.revision,
        number: migration.to.number,
        examined: report.examined,
        moved: report.all_moved(),
        refused: report.all_refused(),
        note: note.to_owned(),
        from: from.clone(),
    };
    Ok(log::record(engine, by, |_| Record { facts: vec![fact.clone()], ..Record::default() })?)
}

/// Cases side by side, so that they share commits; so few that requests come in between.
fn move_slice(
    engine: &Engine,
    migration: &Migration,
    by: &Actor,
    cases: &[(Case, Way)],
    report: &mut Report,
) -> Result<(), Error> {
    let (sender, answers) = crossbeam_channel::bounded(cases.len());
    for (place, (case, _)) in cases.iter().enumerate() {
        let body = Body::Migrate(Box::new(migration.plan.clone()));
        let mut submission = Submission::new(Target::Case(case.id), by.clone(), "migration", body);
        // One that moved on since it was looked at is looked at again by a later call.
        submission.expect = Some(case.turn);
        let told = sender.clone();
        let handed = engine.submit(submission, move |result| drop(told.send((place, result))));
        if let Err(error) = handed {
            drop(sender.send((place, Err(error))));
        }
    }
    drop(sender);
    for (place, result) in answers {
        let (case, way) = &cases[place];
        match result {
            Ok(_) => *report.moved.entry((way.step.clone(), way.to.clone())).or_default() += 1,
            Err(error @ (engine::Error::Stale { .. } | engine::Error::Rejected(_) | engine::Error::Full)) => {
                report.refuse(case, "moved_meanwhile", &error.to_string());
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Cases behind one, each with its way; what cannot go is in the report.
fn examine(
    engine: &Engine,
    migration: &Migration,
    after: Option<CaseId>,
    max: usize,
) -> Result<(Report, Vec<(Case, Way)>), Error> {
    let (old, new) =
        (engine.registry().definition(migration.plan.from)?, engine.registry().definition(migration.plan.to)?);
    let snapshot = engine.store().read().map_err(engine::Error::from)?;
    let max = max.clamp(1, CASES_MAX);
    let page = snapshot.cases_of(migration.plan.from, Standing::Open, after, max).map_err(engine::Error::from)?;
    let (mut report, mut cases) = (Report::default(), Vec::new());
    report.next = page.last().filter(|_| page.len() == max).map(|row| row.case);
    for row in page {
        let case = load(&snapshot, row.case)?;
        report.examined += 1;
        let lanes = case.lanes.values().filter_map(|lane| lane.place.step());
        let is_asked_for = case.status.step().into_iter().chain(lanes).any(|step| migration.at.contains(step));
        if !migration.at.is_empty() && !is_asked_for {
            report.left_out += 1;
            continue;
        }
        match migration::way(&old, &new, &case, &migration.plan) {
            Ok(way) => {
                *report.moved.entry((way.step.clone(), way.to.clone())).or_default() += 1;
                cases.push((case, way));
            }
            Err(Refusal { code, detail }) => report.refuse(&case, code, &detail),
        }
    }
    Ok((report, cases))
}

fn load(snapshot: &Snapshot, id: CaseId) -> Result<Case, engine::Error> {
    let gone = || engine::Error::Damaged { what: "case", detail: format!("{id} is in the index alone") };
    let head = snapshot.load_case(id)?.ok_or_else(gone)?;
    codec::decode(&head.bytes).map_err(engine::Error::damaged("case"))
}
