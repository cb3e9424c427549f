//! What was found out about a plugin: rule by rule, and each way in which one was broken.

use serde::Serialize;
use serde_json::Value as Json;

use super::form::Mistake;
use crate::contract::Hook;

/// A promise that a plugin keeps, whatever it decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// Asked twice in fresh instances it answers the same, for the same fuel, with the same log.
    Deterministic,
    /// It answers the same whatever it was asked before.
    Stateless,
    /// It answers or says that it cannot decide: it never traps, never runs out of what it may use.
    Total,
    /// It takes no more than is left, refunds no more than was paid, and speaks of what it was asked about.
    Conserving,
    /// It provides what its manifest promises, and nothing else.
    Providing,
    /// An attribute or fact that it does not know changes nothing.
    AttributeTolerant,
    /// It answers the author's own cases as they say.
    Expected,
    /// It decides at least a tenth of what it is asked: one that decides less is most often given a parameter that it does not read.
    Decides,
    /// It uses at most half of its fuel, so that larger cases are decided as well.
    WithinBudget,
}

/// What follows from a broken rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// No host takes the plugin.
    Error,
    /// It is worth a look.
    Warning,
}

impl Rule {
    /// Every rule, in the order in which they are told.
    pub const ALL: [Self; 9] = [
        Self::Deterministic,
        Self::Stateless,
        Self::Total,
        Self::Conserving,
        Self::Providing,
        Self::AttributeTolerant,
        Self::Expected,
        Self::Decides,
        Self::WithinBudget,
    ];

    /// The stable name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Deterministic => "deterministic",
            Self::Stateless => "stateless",
            Self::Total => "total",
            Self::Conserving => "conserving",
            Self::Providing => "providing",
            Self::AttributeTolerant => "attribute_tolerant",
            Self::Expected => "expected",
            Self::Decides => "decides",
            Self::WithinBudget => "within_budget",
        }
    }

    /// What it asks, in a sentence.
    #[must_use]
    pub fn about(self) -> &'static str {
        match self {
            Self::Deterministic => "asked twice it answers the same, for the same fuel",
            Self::Stateless => "what it was asked before changes nothing",
            Self::Total => "it answers or says that it cannot decide, and never fails",
            Self::Conserving => "it takes what is left and refunds what was paid, at most",
            Self::Providing => "it provides what its manifest promises",
            Self::AttributeTolerant => "attributes that it does not know change nothing",
            Self::Expected => "your own cases are answered as they say",
            Self::Decides => "it decides a tenth of what it is asked, at least",
            Self::WithinBudget => "it uses at most half of its fuel",
        }
    }

    /// What follows where it is broken.
    #[must_use]
    pub fn level(self) -> Level {
        if matches!(self, Self::Decides | Self::WithinBudget) { Level::Warning } else { Level::Error }
    }
}

/// One way in which a rule was broken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The rule.
    pub rule: Rule,
    /// What follows.
    pub level: Level,
    /// The hook that was asked.
    pub hook: Hook,
    /// The case that it was asked about.
    pub case: String,
    /// What happened.
    pub detail: String,
    /// The case as a file, where it is not one of the author's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub written: Option<Json>,
}

/// How often a rule was looked at and broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Count {
    /// The rule.
    pub rule: Rule,
    /// What follows where it is broken.
    pub level: Level,
    /// Cases that were looked at.
    pub checked: usize,
    /// Cases that broke it.
    pub broken: usize,
}

/// The most fuel that a call used.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct FuelMost {
    /// What it used.
    pub used: u64,
    /// What it was given.
    pub given: u64,
    /// The case.
    pub case: String,
}

/// Why a plugin did not decide some of the cases.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Undecided {
    /// What it said: `cannot_decide` with the codes of its reasons, or `bad_input` with its words.
    pub because: String,
    /// Of how many cases.
    pub cases: usize,
}

/// What was found out about a plugin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Its name.
    pub plugin: String,
    /// Its version.
    pub version: String,
    /// Its digest, in hexadecimal.
    pub digest: String,
    /// The hooks that were asked.
    pub hooks: Vec<Hook>,
    /// The seed of the generated cases.
    pub seed: u64,
    /// How many cases it was asked about.
    pub cases: usize,
    /// Of how many it said that it cannot decide or cannot use its input.
    pub undecided: usize,
    /// Why, the commonest first, the first few of them.
    pub undecided_because: Vec<Undecided>,
    /// How many could not be asked because of the host.
    pub skipped: usize,
    /// How many of the author's own cases were not asked twice: the time was over, the host failed, or the plugin does not have their hook.
    #[serde(skip)]
    pub own_left: usize,
    /// Whether every case was asked; else the time was over.
    pub complete: bool,
    /// The most fuel that a call used, as a part of what it was given.
    pub fuel: FuelMost,
    /// Rule by rule.
    pub rules: Vec<Count>,
    /// The first few ways in which each rule was broken.
    pub findings: Vec<Finding>,
}

impl Report {
    /// Whether no rule was broken that a host insists on.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.first_error().is_none()
    }

    /// The first finding because of which no host takes the plugin.
    #[must_use]
    pub fn first_error(&self) -> Option<&Finding> {
        self.findings.iter().find(|finding| finding.level == Level::Error)
    }
}

/// A case file that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("case {name} is not one, mistakes: {}", mistakes.len())]
pub struct BadCase {
    /// The case.
    pub name: String,
    /// What is wrong with it.
    pub mistakes: Vec<Mistake>,
}
