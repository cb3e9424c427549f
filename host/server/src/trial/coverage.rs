//! What of a workflow its tests reach: steps, arms of `decide`, rows of tables, answers of reviews, timeouts.

use std::collections::{BTreeMap, BTreeSet};

use redress_domain::case::About;
use redress_domain::case::entry::{Entry, TableRow};
use redress_domain::ids::{Slug, TaskId};
use redress_domain::workflow::definition::{Definition, Kind, Step, Timeout};
use redress_domain::workflow::run::offers::DONE;

use super::replay::Story;

/// A part of a workflow that a test may reach.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// A step.
    Step(Slug),
    /// An arm of a `decide`, by its place.
    Arm(Slug, usize),
    /// A row of a table, by its number.
    Row(Slug, usize),
    /// A choice of a review.
    Answer(Slug, String),
    /// The timeout of a step that waits.
    Timeout(Slug),
}

/// The kinds of parts, in the order in which they are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sort {
    /// Steps.
    Steps,
    /// Arms of `decide`.
    Arms,
    /// Rows of tables.
    Rows,
    /// Choices of reviews.
    Answers,
    /// Timeouts.
    Timeouts,
}

impl Sort {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Steps, Self::Arms, Self::Rows, Self::Answers, Self::Timeouts];

    /// The word for one.
    pub fn word(self) -> &'static str {
        match self {
            Self::Steps => "step",
            Self::Arms => "arm",
            Self::Rows => "row",
            Self::Answers => "answer",
            Self::Timeouts => "timeout",
        }
    }
}

impl Part {
    /// Which sort it is.
    pub fn sort(&self) -> Sort {
        match self {
            Self::Step(_) => Sort::Steps,
            Self::Arm(..) => Sort::Arms,
            Self::Row(..) => Sort::Rows,
            Self::Answer(..) => Sort::Answers,
            Self::Timeout(_) => Sort::Timeouts,
        }
    }

    /// How people find it in the document.
    pub fn told(&self, definition: &Definition) -> String {
        match self {
            Self::Step(step) | Self::Timeout(step) => step.to_string(),
            Self::Answer(step, outcome) => format!("{step}: {outcome}"),
            Self::Row(step, number) => {
                let table = definition.step(step.as_str()).map(|step| &step.kind);
                let Some(Kind::Table(table)) = table else { return step.to_string() };
                let row = number.checked_sub(1).and_then(|place| table.rows.get(place));
                let cells: Vec<&str> =
                    row.map(|row| row.cells.iter().map(|cell| cell.source.as_str()).collect()).unwrap_or_default();
                format!("{step}: row {number} [{}]", cells.join(", "))
            }
            Self::Arm(step, place) => {
                let arms = definition.step(step.as_str()).map(|step| &step.kind);
                let Some(Kind::Decide { arms }) = arms else { return step.to_string() };
                let Some(arm) = arms.get(*place) else { return step.to_string() };
                let when = arm.when.as_ref().map_or("else", |when| when.source());
                let line: Vec<&str> = when.split_whitespace().collect();
                format!("{step}: {} > {}", line.join(" "), arm.then)
            }
        }
    }
}

/// What a test reached.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reached(BTreeSet<Part>);

impl Reached {
    pub(super) fn of(definition: &Definition, story: &Story) -> Self {
        let mut reached: BTreeSet<Part> = story.path.iter().cloned().map(Part::Step).collect();
        let mut reviews: BTreeMap<TaskId, Slug> = BTreeMap::new();
        for entry in &story.entries {
            match entry {
                Entry::Decided { step, then, because } => {
                    reached.extend(arm(definition, step, then, because.as_deref()))
                }
                Entry::TableMatched { step, rows, .. } => {
                    let number = |row: &TableRow| usize::try_from(row.number).unwrap_or(usize::MAX);
                    reached.extend(rows.iter().map(|row| Part::Row(step.clone(), number(row))));
                }
                Entry::TimedOut { step } => {
                    reached.insert(Part::Timeout(step.clone()));
                }
                Entry::TaskOpened { id, task } => {
                    if let About::Review { step } | About::Inspection { step } = &task.about {
                        reviews.insert(*id, step.clone());
                    }
                }
                Entry::TaskCompleted { id, outcome, .. } => {
                    reached.extend(reviews.get(id).map(|step| Part::Answer(step.clone(), outcome.clone())));
                }
                _ => {}
            }
        }
        Self(reached)
    }

    /// Add what another test reached.
    pub fn join(&mut self, other: &Self) {
        self.0.extend(other.0.iter().cloned());
    }

    /// Whether a part was reached.
    pub fn has(&self, part: &Part) -> bool {
        self.0.contains(part)
    }
}

fn arm(definition: &Definition, step: &Slug, then: &Slug, because: Option<&str>) -> Option<Part> {
    let Kind::Decide { arms } = &definition.step(step.as_str())?.kind else { return None };
    let place = arms.iter().position(|arm| arm.then == *then && arm.when.as_ref().map(|when| when.source()) == because);
    Some(Part::Arm(step.clone(), place?))
}

/// Every part of a workflow, in the order of the document.
pub fn parts(definition: &Definition) -> Vec<Part> {
    definition.steps.iter().flat_map(parts_of).collect()
}

fn parts_of(step: &Step) -> Vec<Part> {
    let id = &step.id;
    let mut parts = vec![Part::Step(id.clone())];
    match &step.kind {
        Kind::Decide { arms } => parts.extend((0..arms.len()).map(|place| Part::Arm(id.clone(), place))),
        Kind::Table(table) => parts.extend((1..=table.rows.len()).map(|number| Part::Row(id.clone(), number))),
        Kind::Review(review) | Kind::Inspect(review) => {
            // An inspection without choices of its own has one.
            let only = matches!(step.kind, Kind::Inspect(_)) && review.next.is_empty();
            let outcomes = review.next.keys().map(String::as_str).chain(only.then_some(DONE));
            parts.extend(outcomes.map(|outcome| Part::Answer(id.clone(), outcome.to_owned())));
            parts.extend(timeout(id, &review.timeout));
        }
        Kind::Await { timeout: ends, .. } => parts.extend(timeout(id, ends)),
        _ => {}
    }
    parts
}

fn timeout(id: &Slug, timeout: &Timeout) -> Option<Part> {
    matches!(timeout, Timeout::After { .. }).then(|| Part::Timeout(id.clone()))
}
