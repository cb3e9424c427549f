//! A canary: a revision that a share of the new cases takes, and when it does worse than the one that the others take.
//!
//! Which cases take it follows from their ids, so that it is the same however often it is asked. Rates are compared by whole
//! numbers: nothing is rounded.

use serde::{Deserialize, Serialize};

use crate::codec;
use crate::ids::{CaseId, Digest, Slug};

/// Parts of a whole: a share is so many hundredths of it.
const PARTS: u64 = 10_000;
/// Cases of each side before anything is compared, unless somebody says otherwise: fewer say little.
const MIN_CASES: u32 = 30;
/// Most cases that may be asked for before anything is compared: a canary that nobody judges is none.
pub const MIN_CASES_MAX: u32 = 10_000;
/// The largest bound that means something: more than every case cannot fail, and more than a hundredfold is not watched.
pub const OVER_MAX: u32 = 10_000;

/// A share of the new cases, in percent: at least one, and never all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "u8", try_from = "u8")]
pub struct Percent(u8);

impl Percent {
    /// A share of 1 to 99 percent.
    pub fn new(percent: u8) -> Option<Self> {
        (1..=99).contains(&percent).then_some(Self(percent))
    }

    /// The number.
    pub fn get(self) -> u8 {
        self.0
    }
}

impl From<Percent> for u8 {
    fn from(percent: Percent) -> Self {
        percent.0
    }
}

impl TryFrom<u8> for Percent {
    type Error = &'static str;

    fn try_from(percent: u8) -> Result<Self, Self::Error> {
        Self::new(percent).ok_or("a share is 1 to 99 percent")
    }
}

/// Whether a new case takes the canary of a workflow. A larger share takes the cases of a smaller one, and more.
pub fn takes(workflow: &Slug, case: CaseId, percent: Percent) -> bool {
    let named = Digest::of(&codec::encode(&("canary", workflow, case)));
    let place = named.bytes().first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes)) % PARTS;
    place < u64::from(percent.0) * (PARTS / 100)
}

/// What came of the cases of one side.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sums {
    /// How many began.
    pub cases: u64,
    /// In how many of them a step failed.
    pub failed: u64,
    /// In how many of them somebody or something came too late.
    pub late: u64,
    /// Money refunded or on its way, in minor units.
    pub refunded: i64,
}

/// How much worse a canary may do. A rate may be so many percentage points over the other side's; refunds a case so many percent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bounds {
    /// Cases before anything is compared.
    pub min_cases: u32,
    /// Points that the share of cases with a failure may be over.
    pub failed_over: u32,
    /// Points that the share of cases with a wait that timed out may be over.
    pub late_over: u32,
    /// Percent that the refunds of a case may be over.
    pub refunded_over: u32,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { min_cases: MIN_CASES, failed_over: 5, late_over: 10, refunded_over: 50 }
    }
}

/// In what a canary does worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Worse {
    /// More steps fail.
    Failures,
    /// More waits time out.
    Timeouts,
    /// More money is refunded for each case.
    Refunds,
}

impl Worse {
    /// The word in records.
    pub fn word(self) -> &'static str {
        match self {
            Self::Failures => "failures",
            Self::Timeouts => "timeouts",
            Self::Refunds => "refunds",
        }
    }
}

/// Whether a canary does worse than its bounds allow. Failures are held against it even where the other side has hardly begun;
/// what is usual of waits and refunds only the other side can tell.
pub fn judge(bounds: &Bounds, canary: &Sums, control: &Sums) -> Option<Worse> {
    let min = u64::from(bounds.min_cases.max(1));
    if canary.cases < min {
        return None;
    }
    if is_over(bounds.failed_over, (canary.failed, canary.cases), (control.failed, control.cases)) {
        return Some(Worse::Failures);
    }
    if control.cases < min {
        return None;
    }
    if is_over(bounds.late_over, (canary.late, canary.cases), (control.late, control.cases)) {
        return Some(Worse::Timeouts);
    }
    let each = |money: i64, others: u64| i128::from(money) * i128::from(others) * 100;
    let allowed = i128::from(control.refunded) * i128::from(canary.cases) * i128::from(100 + bounds.refunded_over);
    (each(canary.refunded, control.cases) > allowed).then_some(Worse::Refunds)
}

/// Whether one rate is more than so many percentage points over another: a/n > b/m + over/100, without a division.
fn is_over(over: u32, (a, n): (u64, u64), (b, m): (u64, u64)) -> bool {
    let (a, n, b, m) = (u128::from(a), u128::from(n), u128::from(b), u128::from(m.max(1)));
    100 * a * m > 100 * b * n + u128::from(over) * n * m
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Instant;

    fn cases(count: i64) -> impl Iterator<Item = CaseId> {
        // As the host mints them: some in one millisecond, with randomness that is none.
        (0..count).map(|n| CaseId::mint(Instant::from_unix_ms(1_772_442_000_000 + n / 3), n.unsigned_abs().into()))
    }

    fn name(text: &str) -> Slug {
        Slug::new(text).unwrap()
    }

    #[test]
    fn ten_percent_are_ten_percent_of_ten_thousand_cases_and_so_is_every_share() {
        for percent in [1, 10, 25, 50, 99] {
            let share = Percent::new(percent).unwrap();
            let taken = cases(10_000).filter(|case| takes(&name("returns"), *case, share)).count();
            let wanted = usize::from(percent) * 100;
            assert!(taken.abs_diff(wanted) <= 100, "{percent} % took {taken} of 10,000");
        }
        assert!([0, 100, 255].iter().all(|percent| Percent::new(*percent).is_none()));
    }

    #[test]
    fn a_case_is_chosen_by_its_id_and_workflow_and_stays_chosen_in_a_larger_share() {
        let chosen = |workflow: &str, percent| {
            let share = Percent::new(percent).unwrap();
            cases(1_000).filter(|case| takes(&name(workflow), *case, share)).collect::<Vec<_>>()
        };
        assert_eq!(chosen("returns", 10), chosen("returns", 10));
        let larger = chosen("returns", 30);
        assert!(chosen("returns", 10).iter().all(|case| larger.contains(case)));
        assert_ne!(chosen("returns", 10), chosen("complaints", 10), "not the same cases for every workflow");
        // Pinned: another choice would move cases between revisions when the host is updated.
        assert_eq!(cases(40).position(|case| takes(&name("returns"), case, Percent(10))), Some(11));
    }

    fn sums(cases: u64, failed: u64, late: u64, refunded: i64) -> Sums {
        Sums { cases, failed, late, refunded }
    }

    fn judged(canary: Sums, control: Sums) -> Option<Worse> {
        judge(&Bounds { min_cases: 20, failed_over: 5, late_over: 10, refunded_over: 50 }, &canary, &control)
    }

    #[test]
    fn nothing_is_said_of_a_canary_before_it_has_enough_cases() {
        assert_eq!(judged(sums(19, 19, 19, 9_999), sums(100, 0, 0, 0)), None);
        assert_eq!(judged(sums(20, 20, 20, 9_999), sums(100, 0, 0, 0)), Some(Worse::Failures));
        assert_eq!(judge(&Bounds { min_cases: 0, ..Bounds::default() }, &Sums::default(), &Sums::default()), None);
    }

    #[test]
    fn failures_are_over_by_points_and_count_without_the_other_side() {
        assert_eq!(judged(sums(100, 6, 0, 0), sums(100, 0, 0, 0)), Some(Worse::Failures));
        assert_eq!(judged(sums(100, 5, 0, 0), sums(100, 0, 0, 0)), None, "five points are allowed");
        assert_eq!(judged(sums(100, 25, 0, 0), sums(900, 180, 0, 0)), None, "a fifth fails on both sides");
        assert_eq!(judged(sums(100, 26, 0, 0), sums(900, 180, 0, 0)), Some(Worse::Failures));
        assert_eq!(judged(sums(20, 2, 0, 0), sums(0, 0, 0, 0)), Some(Worse::Failures));
    }

    #[test]
    fn timeouts_and_refunds_need_the_other_side() {
        assert_eq!(judged(sums(100, 0, 90, 90_000), sums(19, 0, 0, 10)), None);
        assert_eq!(judged(sums(100, 0, 31, 0), sums(100, 0, 20, 0)), Some(Worse::Timeouts));
        assert_eq!(judged(sums(100, 0, 30, 0), sums(100, 0, 20, 0)), None);
        assert_eq!(judged(sums(100, 0, 0, 1_501), sums(900, 0, 0, 9_000)), Some(Worse::Refunds));
        assert_eq!(judged(sums(100, 0, 0, 1_500), sums(900, 0, 0, 9_000)), None, "half as much again is allowed");
        assert_eq!(judged(sums(100, 0, 0, 1), sums(900, 0, 0, 0)), Some(Worse::Refunds), "nothing was usual");
    }
}
