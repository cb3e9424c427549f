//! What a decision came to by the first wait of its case.

use serde::{Deserialize, Serialize};

use crate::case::entry::Entry;
use crate::case::{About, Case};
use crate::money::{Currency, Money};
use crate::verdict::Remedy;

/// What a decision came to by the first wait of its case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Side {
    /// What the customer gets.
    pub outcome: Outcome,
    /// The result, where the case has ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<String>,
    /// Money refunded or on its way.
    pub refunded: Money,
    /// The steps that left a mark in the records, in their order.
    pub path: Vec<String>,
    /// The queues in which a task waits for a person.
    pub queues: Vec<String>,
    /// The codes that made the outcome what it is.
    pub reasons: Vec<String>,
    /// Of a case that was played to its end: a person was asked on the way.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub asked: bool,
}

/// What a customer gets, in one word.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// As asked, perhaps for less quantity.
    Allow,
    /// Nothing.
    Deny,
    /// A person decides.
    Review,
    /// The submission is not taken at all.
    Refused,
    /// A case about no goods: how it ended.
    Ended(String),
}

impl Outcome {
    /// The word in reports.
    pub fn word(&self) -> &str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
            Self::Review => "review",
            Self::Refused => "refused",
            Self::Ended(result) => result,
        }
    }

    fn of(case: &Case) -> Self {
        // Without lines no remedy is ever decided; how the case ended is all that tells.
        if case.lines.is_empty() && case.is_closed() {
            return Self::Ended(case.result.clone().unwrap_or_else(|| "failed".to_owned()));
        }
        match case.remedy() {
            Remedy::Allow => Self::Allow,
            Remedy::Deny => Self::Deny,
            Remedy::Review => Self::Review,
        }
    }
}

impl Side {
    /// Of a case as it stands, and the entries that led there.
    pub fn of<'e>(case: &Case, entries: impl IntoIterator<Item = &'e Entry>) -> Self {
        let people = case.tasks.values().filter(|task| !matches!(task.about, About::Effect { .. }));
        let mut queues: Vec<String> = people.map(|task| task.queue.clone()).collect();
        queues.sort_unstable();
        queues.dedup();
        Self {
            outcome: Outcome::of(case),
            result: case.result.clone(),
            refunded: case.refunded(),
            path: path(entries),
            queues,
            reasons: case.decisive_reasons().into_iter().map(str::to_owned).collect(),
            asked: false,
        }
    }

    /// Of a case that has come to its end, and all its entries.
    pub fn of_whole<'e>(case: &Case, entries: impl IntoIterator<Item = &'e Entry> + Clone) -> Self {
        let asks = |entry: &Entry| match entry {
            Entry::TaskOpened { task, .. } => !matches!(task.about, About::Effect { .. }),
            _ => false,
        };
        Self { asked: entries.clone().into_iter().any(asks), ..Self::of(case, entries) }
    }

    /// Of a submission that the rules do not take.
    pub fn refused(code: &str, currency: Currency) -> Self {
        Self {
            outcome: Outcome::Refused,
            result: None,
            refunded: Money::zero(currency),
            path: Vec::new(),
            queues: Vec::new(),
            reasons: vec![code.to_owned()],
            asked: false,
        }
    }

    /// Whether a person must look at it, or had to.
    pub fn is_review(&self) -> bool {
        self.asked || self.outcome == Outcome::Review
    }
}

/// The steps that the records name. A step that leaves no mark is not in it, on neither side of a comparison.
fn path<'e>(entries: impl IntoIterator<Item = &'e Entry>) -> Vec<String> {
    let mut path: Vec<String> = Vec::new();
    let mut visit = |step: &str| {
        if path.last().is_none_or(|last| last != step) {
            path.push(step.to_owned());
        }
    };
    for entry in entries {
        match entry {
            Entry::Held => visit("(held)"),
            Entry::Decided { step, then, .. } => {
                visit(step.as_str());
                visit(then.as_str());
            }
            Entry::Gave { step, .. }
            | Entry::Failed { step, .. }
            | Entry::TableMatched { step, .. }
            | Entry::WaitBegan { step, .. }
            | Entry::EventTaken { step, .. }
            | Entry::EventGathered { step, .. } => visit(step.as_str()),
            Entry::Intended { effect, .. } => visit(effect.step.as_str()),
            _ => {}
        }
    }
    path
}
