//! What many comparisons come to: totals, flips by kind, money and reviews by day, examples to open.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::again::Unknown;
use super::side::Side;
use crate::case::Case;
use crate::clock::{Instant, Zone};
use crate::ids::CaseId;
use crate::money::{Currency, Money};

/// Examples that are kept of each kind of change, the newest cases.
pub const EXAMPLES_MAX: usize = 10;
/// Unknown cases that are kept by name; all are counted.
pub const UNKNOWN_MAX: usize = 100;

/// A case, as a report names it.
#[derive(Debug, Clone, PartialEq)]
pub struct Named {
    /// The id.
    pub id: CaseId,
    /// The number that people read.
    pub number: String,
    /// The name that another system gives it.
    pub external: Option<String>,
    /// Business time of its opening.
    pub opened_at: Instant,
}

impl Named {
    /// How a report names a case.
    pub fn of(case: &Case) -> Self {
        Self {
            id: case.id,
            number: case.number.clone(),
            external: case.external.as_ref().map(|external| external.id.clone()),
            opened_at: case.opened_at,
        }
    }
}

/// A case decided twice.
#[derive(Debug, Clone, PartialEq)]
pub struct Compared {
    /// The case.
    pub case: Named,
    /// As it was decided.
    pub before: Side,
    /// As it would be.
    pub after: Side,
}

impl Compared {
    /// Whether the customer would get something else.
    pub fn is_flipped(&self) -> bool {
        self.outcome_changed() || self.amount_changed()
    }

    /// Whether the outcome is another.
    pub fn outcome_changed(&self) -> bool {
        self.before.outcome != self.after.outcome
    }

    /// Whether the amount is another.
    pub fn amount_changed(&self) -> bool {
        self.before.refunded != self.after.refunded
    }

    /// Whether it would take another way, even if to the same end.
    pub fn path_changed(&self) -> bool {
        self.before.path != self.after.path || self.before.result != self.after.result
    }
}

/// A figure before and after.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pair<T> {
    /// As it was.
    pub before: T,
    /// As it would be.
    pub after: T,
}

impl Pair<u64> {
    fn count(&mut self, before: bool, after: bool) {
        self.before += u64::from(before);
        self.after += u64::from(after);
    }
}

/// Money added up, in minor units: no number of cases overflows it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sum(pub i128);

impl Sum {
    fn add(&mut self, money: Money) {
        self.0 += i128::from(money.minor());
    }

    /// The amount, with the decimals of a currency.
    pub fn amount(self, currency: Currency) -> Decimal {
        // 28 digits hold what 10^10 cases of 10^18 minor units come to.
        Decimal::try_from_i128_with_scale(self.0, currency.exponent()).unwrap_or(Decimal::MAX)
    }
}

impl Pair<Sum> {
    fn add(&mut self, compared: &Compared) {
        self.before.add(compared.before.refunded);
        self.after.add(compared.after.refunded);
    }
}

/// Cases that change in one way.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Flip {
    /// How many.
    pub cases: u64,
    /// Their refunds, in the report's currency.
    pub refunds: Pair<Sum>,
    /// Some of them, the newest.
    pub examples: Vec<Compared>,
}

/// One day of openings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Day {
    /// Cases opened.
    pub cases: u64,
    /// Those whose customers would get something else.
    pub flipped: u64,
    /// Refunds, in the report's currency.
    pub refunds: Pair<Sum>,
    /// Cases that wait for a person.
    pub reviews: Pair<u64>,
}

impl Day {
    /// Another day on top of it.
    pub fn add(&mut self, other: &Self) {
        self.cases += other.cases;
        self.flipped += other.flipped;
        self.refunds.before.0 += other.refunds.before.0;
        self.refunds.after.0 += other.refunds.after.0;
        self.reviews.before += other.reviews.before;
        self.reviews.after += other.reviews.after;
    }
}

/// What the comparisons come to.
#[derive(Debug, Clone, PartialEq)]
pub struct Tally {
    /// The zone of days.
    pub zone: Zone,
    /// The currency of totals.
    pub currency: Currency,
    /// Cases decided again, unknown ones among them.
    pub cases: u64,
    /// Cases that the rules on trial have nothing to do with.
    pub elsewhere: u64,
    /// Cases that are not closed, where only closed ones were asked for.
    pub still_open: u64,
    /// Cases in which a recorded outcome was taken although the effect has another content now.
    pub assumed: u64,
    /// Cases whose customers would get something else.
    pub flipped: u64,
    /// Cases with another outcome.
    pub outcome_changed: u64,
    /// Cases with another amount.
    pub amount_changed: u64,
    /// Cases that would take another way.
    pub path_changed: u64,
    /// Refunds by currency.
    pub refunds: BTreeMap<String, (Currency, Pair<Sum>)>,
    /// Cases that wait for a person, or did.
    pub reviews: Pair<u64>,
    /// Cases by outcome.
    pub outcomes: BTreeMap<String, Pair<u64>>,
    /// Cases by queue.
    pub queues: BTreeMap<String, Pair<u64>>,
    /// Cases by reason.
    pub reasons: BTreeMap<String, Pair<u64>>,
    /// Flipped cases by outcome before and after.
    pub flips: BTreeMap<(String, String), Flip>,
    /// Cases that take another way to the same end.
    pub other_path: Vec<Compared>,
    /// By day of opening.
    pub days: BTreeMap<NaiveDate, Day>,
    /// Why cases are unknown: code, and how many.
    pub unknown: BTreeMap<&'static str, u64>,
    /// Some of the unknown ones, the newest.
    pub unknown_cases: Vec<(Named, Unknown)>,
}

impl Tally {
    /// Of nothing yet.
    pub fn new(zone: Zone, currency: Currency) -> Self {
        Self {
            zone,
            currency,
            cases: 0,
            elsewhere: 0,
            still_open: 0,
            assumed: 0,
            flipped: 0,
            outcome_changed: 0,
            amount_changed: 0,
            path_changed: 0,
            refunds: BTreeMap::new(),
            reviews: Pair::default(),
            outcomes: BTreeMap::new(),
            queues: BTreeMap::new(),
            reasons: BTreeMap::new(),
            flips: BTreeMap::new(),
            other_path: Vec::new(),
            days: BTreeMap::new(),
            unknown: BTreeMap::new(),
            unknown_cases: Vec::new(),
        }
    }

    /// A case that the rules on trial have nothing to do with.
    pub fn elsewhere(&mut self) {
        self.elsewhere += 1;
    }

    /// A case of which nobody can say what would have come. It is no part of any total but the number of cases.
    pub fn unknown(&mut self, case: Named, unknown: Unknown) {
        self.cases += 1;
        *self.unknown.entry(unknown.code).or_default() += 1;
        keep(&mut self.unknown_cases, UNKNOWN_MAX, (case, unknown), |(case, _)| (case.opened_at, case.id));
    }

    /// A case decided twice.
    pub fn compared(&mut self, compared: Compared) {
        self.cases += 1;
        self.outcome_changed += u64::from(compared.outcome_changed());
        self.amount_changed += u64::from(compared.amount_changed());
        self.path_changed += u64::from(compared.path_changed());
        self.money(&compared);
        self.words(&compared);
        let (is_flipped, other_path) = (compared.is_flipped(), compared.path_changed());
        self.flipped += u64::from(is_flipped);
        self.day(&compared);
        if is_flipped {
            let kind = (compared.before.outcome.word().to_owned(), compared.after.outcome.word().to_owned());
            let flip = self.flips.entry(kind).or_default();
            flip.cases += 1;
            if compared.before.refunded.currency() == self.currency {
                flip.refunds.add(&compared);
            }
            keep(&mut flip.examples, EXAMPLES_MAX, compared, place);
        } else if other_path {
            keep(&mut self.other_path, EXAMPLES_MAX, compared, place);
        }
    }

    fn money(&mut self, compared: &Compared) {
        let currency = compared.before.refunded.currency();
        let (_, pair) = self.refunds.entry(currency.code().to_owned()).or_insert((currency, Pair::default()));
        pair.add(compared);
    }

    fn words(&mut self, compared: &Compared) {
        let (before, after) = (&compared.before, &compared.after);
        self.reviews.count(before.is_review(), after.is_review());
        self.outcomes.entry(before.outcome.word().to_owned()).or_default().before += 1;
        self.outcomes.entry(after.outcome.word().to_owned()).or_default().after += 1;
        for (words, figures) in [(both(before, after, |side| &side.queues), &mut self.queues)]
            .into_iter()
            .chain([(both(before, after, |side| &side.reasons), &mut self.reasons)])
        {
            for (word, was, is) in words {
                figures.entry(word).or_default().count(was, is);
            }
        }
    }

    fn day(&mut self, compared: &Compared) {
        let day = self.days.entry(compared.case.opened_at.date(self.zone)).or_default();
        day.cases += 1;
        day.flipped += u64::from(compared.is_flipped());
        day.reviews.count(compared.before.is_review(), compared.after.is_review());
        if compared.before.refunded.currency() == self.currency {
            day.refunds.add(compared);
        }
    }

    /// Refunds in the report's currency.
    pub fn refund_total(&self) -> Pair<Sum> {
        self.refunds.get(self.currency.code()).map(|(_, pair)| *pair).unwrap_or_default()
    }

    /// Cases of which nobody can say what would have come.
    pub fn unknown_total(&self) -> u64 {
        self.unknown.values().sum()
    }
}

fn place(compared: &Compared) -> (Instant, CaseId) {
    (compared.case.opened_at, compared.case.id)
}

/// The words of either side, and on which they stand.
fn both<'s>(before: &'s Side, after: &'s Side, of: fn(&'s Side) -> &'s Vec<String>) -> Vec<(String, bool, bool)> {
    let mut words: Vec<&String> = of(before).iter().chain(of(after)).collect();
    words.sort_unstable();
    words.dedup();
    words.into_iter().map(|word| (word.clone(), of(before).contains(word), of(after).contains(word))).collect()
}

/// Keep the newest, whatever the order in which they come: newest first.
fn keep<T>(kept: &mut Vec<T>, max: usize, one: T, place: impl Fn(&T) -> (Instant, CaseId)) {
    let at = kept.partition_point(|other| place(other) > place(&one));
    if at < max {
        kept.insert(at, one);
        kept.truncate(max);
    }
}
