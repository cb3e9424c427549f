//! Rows of law: where they hold, what they rest on, how far that was verified, and what they found.

use redress_plugin::compliance::{Citation, Reason};

use crate::facts::{Facts, Missing};

/// The law that a case stands under.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Jurisdiction {
    /// China.
    Cn,
    /// The European Union and its members.
    Eu,
    /// The United Kingdom.
    Uk,
    /// None that has rows here.
    Unknown,
}

/// The members of the European Union, as ISO 3166 names them.
const EU_MEMBERS: [&str; 27] = [
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IT", "LT", "LU", "LV",
    "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK",
];

/// How far a source was verified. The contract's `U`, unconfirmed, is used by no row yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    /// The primary text was read.
    V1,
    /// A secondary source that quotes it was read.
    V2,
    /// From memory.
    M,
}

/// A row of the table of law.
pub(crate) struct Rule {
    /// Block and number, such as `c-26`.
    pub(crate) row: &'static str,
    /// Where it holds.
    pub(crate) jurisdiction: Jurisdiction,
    /// What it rests on.
    pub(crate) article: &'static str,
    /// How far that was verified; of several sources the weakest.
    pub(crate) mark: Mark,
    /// What it finds.
    pub(crate) judge: fn(&Facts<'_>) -> Result<Finding, Missing>,
}

/// What a row finds, each with the code of its reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Finding {
    /// Its condition is not met.
    Silent,
    /// The customer has the right.
    Grant(&'static str),
    /// The customer does not have the right that the row is about.
    Refuse(&'static str),
    /// A person must weigh it.
    Person(&'static str),
}

/// What the rows of a block found together.
#[derive(Default)]
pub(crate) struct Findings {
    pub(crate) grants: Vec<Reason>,
    pub(crate) refusals: Vec<Reason>,
    pub(crate) for_a_person: Vec<Reason>,
    pub(crate) missing: Vec<Missing>,
}

impl Jurisdiction {
    /// The law of a code such as `CN`, `CN-GD`, `EU`, `DE`, `UK` or `GB`.
    pub(crate) fn parse(code: &str) -> Self {
        let country = code.split('-').next().unwrap_or_default();
        match country {
            "CN" => Self::Cn,
            "UK" | "GB" => Self::Uk,
            "EU" => Self::Eu,
            member if EU_MEMBERS.contains(&member) => Self::Eu,
            _ => Self::Unknown,
        }
    }
}

impl Findings {
    /// Ask every row of a block that holds in the jurisdiction.
    pub(crate) fn of(rules: &[Rule], facts: &Facts<'_>, jurisdiction: Jurisdiction) -> Self {
        let mut findings = Self::default();
        for rule in rules.iter().filter(|rule| rule.jurisdiction == jurisdiction) {
            let found = (rule.judge)(facts);
            let (used, params) = facts.take_notes();
            let because = |code: &str| {
                Reason { used, params, ..Reason::new(code) }.citing(citation(
                    rule.row,
                    rule.article,
                    rule.mark,
                    jurisdiction,
                ))
            };
            match found {
                Ok(Finding::Silent) => {}
                Ok(Finding::Grant(code)) if rule.mark.decides() => findings.grants.push(because(code)),
                Ok(Finding::Refuse(code)) if rule.mark.decides() => findings.refusals.push(because(code)),
                Ok(Finding::Grant(code) | Finding::Refuse(code) | Finding::Person(code)) => {
                    findings.for_a_person.push(because(code));
                }
                Err(missing) => findings.missing.push(missing),
            }
        }
        findings
    }

    /// Whether something is left for a person.
    pub(crate) fn is_open(&self) -> bool {
        !self.for_a_person.is_empty() || !self.missing.is_empty()
    }

    /// Why a person is asked, with the facts that these and other rows lack.
    pub(crate) fn open_reasons(&self, also_missing: &[Missing]) -> Vec<Reason> {
        let missing: Vec<Missing> = self.missing.iter().chain(also_missing).copied().collect();
        let mut reasons = self.for_a_person.clone();
        reasons.extend(missing_facts("facts_missing", &missing));
        reasons
    }
}

impl Mark {
    /// Whether a row may grant or refuse without a person.
    fn decides(self) -> bool {
        matches!(self, Self::V1 | Self::V2)
    }

    fn code(self) -> &'static str {
        match self {
            Self::V1 => "V1",
            Self::V2 => "V2",
            Self::M => "M",
        }
    }
}

/// The citation of a row, in the pack of the jurisdiction.
pub(crate) fn citation(row: &str, article: &str, mark: Mark, jurisdiction: Jurisdiction) -> Citation {
    let pack = match jurisdiction {
        Jurisdiction::Cn => "devices-cn",
        Jurisdiction::Eu => "devices-eu",
        Jurisdiction::Uk => "devices-uk",
        Jurisdiction::Unknown => "devices-any",
    };
    let [pack, rule, article, mark] = [pack, row, article, mark.code()].map(str::to_owned);
    Citation { pack, rule, article, mark }
}

/// One reason that names every missing fact once.
pub(crate) fn missing_facts(code: &str, missing: &[Missing]) -> Option<Reason> {
    let mut names: Vec<&str> = missing.iter().map(|missing| missing.0).collect();
    names.sort_unstable();
    names.dedup();
    let joined = names.join(", ");
    (!names.is_empty()).then(|| Reason::new(code).using(names).with("missing", joined))
}
