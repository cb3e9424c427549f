//! What plugins answer, in our words, and how the answers of several combine.
//!
//! Three verdicts, never one: the customer's remedy, the disposition of the unit, the duty to report.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::clock::Instant;
use crate::ids::OrderId;
use crate::money::{Currency, Money, MoneyError};
use crate::value::Fields;

/// What the customer gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Remedy {
    /// As asked, perhaps for less quantity.
    Allow,
    /// Nothing.
    Deny,
    /// A person decides.
    Review,
}

/// Where the unit goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Disposition {
    /// Labelled and set apart until inspected.
    Quarantine,
    /// Sellable once a named inspector releases it.
    RestockAfterInspection,
    /// Destroyed.
    Scrap,
    /// Back to the maker.
    ReturnToMaker,
}

/// Where a rule stands in the order of evaluation; an earlier one is stronger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tier {
    /// Somebody was or could be harmed.
    Safety,
    /// The lot is recalled.
    Recall,
    /// The goods are not what they should be.
    Quality,
    /// The law's right to withdraw.
    Statutory,
    /// What the merchant gives beyond the law.
    Goodwill,
    /// What can be carried and stored.
    Logistics,
}

/// Who must be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Recipient {
    /// The maker or its representative.
    Manufacturer,
    /// The authority in charge.
    Authority,
    /// The customer.
    Customer,
}

macro_rules! words {
    ($($name:ident { $($variant:ident => $word:literal),+ })+) => { $(
        impl $name {
            /// The word in records and expressions.
            pub fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            /// The member that a word names.
            pub fn from_word(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)+ _ => None }
            }

            /// All words.
            pub const WORDS: &'static [&'static str] = &[$($word),+];
        }
    )+ };
}
words! {
    Remedy { Allow => "allow", Deny => "deny", Review => "review" }
    Disposition {
        Quarantine => "quarantine", RestockAfterInspection => "restock_after_inspection", Scrap => "scrap", ReturnToMaker => "return_to_maker"
    }
    Tier {
        Safety => "safety", Recall => "recall", Quality => "quality", Statutory => "statutory", Goodwill => "goodwill", Logistics => "logistics"
    }
    Recipient { Manufacturer => "manufacturer", Authority => "authority", Customer => "customer" }
}

/// The law or policy that a reason rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Citation {
    /// The collection of rules.
    pub pack: String,
    /// The rule in it.
    pub rule: String,
    /// Law and article.
    pub article: String,
    /// How far the source was verified: V1 primary text, V2 quoted, M from memory, U unconfirmed.
    pub mark: String,
}

/// Why: a stable code with parameters; words come from catalogues.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reason {
    /// The code.
    pub code: String,
    /// What it rests on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cites: Option<Citation>,
    /// The inputs that it used.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub used: Vec<String>,
    /// What the words need: days, quantities, names.
    #[serde(default, skip_serializing_if = "Fields::is_empty")]
    pub params: Fields,
}

impl Reason {
    /// A code alone.
    pub fn code(code: impl Into<String>) -> Self {
        Self { code: code.into(), cites: None, used: Vec::new(), params: Fields::new() }
    }
}

/// So many units of one order line: the key that verdict, quote and ledger share.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Take {
    /// The order.
    pub order: OrderId,
    /// Its line, counted from 0.
    pub line: u32,
    /// How many units.
    pub quantity: u32,
}

/// What is decided of one line of the case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LineVerdict {
    /// The line of the case, counted from 0.
    pub line: u32,
    /// What the customer gets.
    pub remedy: Remedy,
    /// For how many units.
    pub quantity: u32,
    /// Out of which purchases.
    pub takes: Vec<Take>,
    /// Where the unit goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disposition: Option<Disposition>,
    /// The strength of the rule.
    pub tier: Tier,
    /// Why.
    pub reasons: Vec<Reason>,
}

/// A duty to report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Duty {
    /// Whom.
    pub to: Recipient,
    /// The rule that asks for it.
    pub rule: String,
    /// By when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Instant>,
    /// Why.
    pub reasons: Vec<Reason>,
}

/// An answer about the whole case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// Line by line.
    pub lines: Vec<LineVerdict>,
    /// Beside the lines.
    pub reasons: Vec<Reason>,
    /// Whom to tell.
    pub duties: Vec<Duty>,
    /// What the manifest promises.
    pub provides: Fields,
}

/// An amount of one kind: `goods`, `tax`, `shipping`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// The kind.
    pub kind: String,
    /// The amount, never below zero: what is kept back lowers another part.
    pub amount: Money,
}

/// What is refunded for one take of one line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineQuote {
    /// The line of the case, counted from 0.
    pub line: u32,
    /// The purchase it comes from.
    pub take: Take,
    /// The amounts.
    pub parts: Vec<Part>,
}

impl LineQuote {
    /// The sum of the parts.
    pub fn amount(&self, currency: Currency) -> Result<Money, MoneyError> {
        Money::sum(currency, self.parts.iter().map(|part| part.amount))
    }
}

/// How much money, take by take. The host sums.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Quote {
    /// Take by take.
    pub lines: Vec<LineQuote>,
    /// Beside the lines.
    pub reasons: Vec<Reason>,
    /// What the manifest promises.
    pub provides: Fields,
}

impl Quote {
    /// The sum of all lines.
    pub fn total(&self, currency: Currency) -> Result<Money, MoneyError> {
        let parts = self.lines.iter().flat_map(|line| &line.parts);
        Money::sum(currency, parts.map(|part| part.amount))
    }
}

/// What came of a line once all opinions are in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// What the customer gets.
    pub remedy: Remedy,
    /// For how many units.
    pub quantity: u32,
    /// What was refunded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Money>,
    /// Where the unit goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disposition: Option<Disposition>,
    /// Why.
    pub reasons: Vec<Reason>,
}

/// Combine what several plugins said of each line.
///
/// A review by anyone is a review. Otherwise the strongest tier decides, and at one tier a denial: so a later tier never withdraws
/// what an earlier one grants, and goodwill does not override an exclusion that rests on law. The quantity is the least that any
/// allowing opinion names. The strictest disposition wins.
pub fn combine<'a>(verdicts: impl IntoIterator<Item = &'a Verdict>) -> BTreeMap<u32, Outcome> {
    let mut by_line: BTreeMap<u32, Vec<&LineVerdict>> = BTreeMap::new();
    for line in verdicts.into_iter().flat_map(|verdict| &verdict.lines) {
        by_line.entry(line.line).or_default().push(line);
    }
    by_line.into_iter().map(|(line, opinions)| (line, combine_line(&opinions))).collect()
}

fn combine_line(opinions: &[&LineVerdict]) -> Outcome {
    let remedy = if opinions.iter().any(|opinion| opinion.remedy == Remedy::Review) {
        Remedy::Review
    } else {
        // At equal tiers `Deny` sorts after `Allow`, so it must come first here.
        let strongest = opinions.iter().min_by_key(|opinion| (opinion.tier, opinion.remedy != Remedy::Deny));
        strongest.map_or(Remedy::Review, |opinion| opinion.remedy)
    };
    let allowed = opinions.iter().filter(|opinion| opinion.remedy == Remedy::Allow).map(|opinion| opinion.quantity);
    Outcome {
        remedy,
        quantity: if remedy == Remedy::Allow { allowed.min().unwrap_or(0) } else { 0 },
        amount: None,
        disposition: opinions.iter().filter_map(|opinion| opinion.disposition).max_by_key(|one| strictness(*one)),
        reasons: opinions.iter().flat_map(|opinion| opinion.reasons.iter().cloned()).collect(),
    }
}

fn strictness(disposition: Disposition) -> u8 {
    match disposition {
        Disposition::RestockAfterInspection => 0,
        Disposition::Quarantine => 1,
        Disposition::ReturnToMaker => 2,
        Disposition::Scrap => 3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(remedy: Remedy, tier: Tier, quantity: u32) -> Verdict {
        let line =
            LineVerdict { line: 0, remedy, quantity, takes: Vec::new(), disposition: None, tier, reasons: Vec::new() };
        Verdict { lines: vec![line], reasons: Vec::new(), duties: Vec::new(), provides: Fields::new() }
    }

    fn combined(verdicts: &[Verdict]) -> (Remedy, u32) {
        let outcome = combine(verdicts).remove(&0).unwrap();
        (outcome.remedy, outcome.quantity)
    }

    #[test]
    fn goodwill_never_takes_away_what_quality_grants() {
        assert_eq!(
            combined(&[says(Remedy::Deny, Tier::Goodwill, 0), says(Remedy::Allow, Tier::Quality, 2)]),
            (Remedy::Allow, 2)
        );
    }

    #[test]
    fn a_review_by_anyone_is_a_review() {
        assert_eq!(
            combined(&[says(Remedy::Allow, Tier::Safety, 2), says(Remedy::Review, Tier::Logistics, 0)]),
            (Remedy::Review, 0)
        );
    }

    #[test]
    fn at_one_tier_a_denial_wins_and_allowances_meet_at_the_least() {
        assert_eq!(
            combined(&[says(Remedy::Allow, Tier::Goodwill, 2), says(Remedy::Deny, Tier::Goodwill, 0)]),
            (Remedy::Deny, 0)
        );
        assert_eq!(
            combined(&[says(Remedy::Allow, Tier::Goodwill, 2), says(Remedy::Allow, Tier::Goodwill, 1)]),
            (Remedy::Allow, 1)
        );
    }
}
