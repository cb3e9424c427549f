//! A canary on the wire, with what came of it so far.

use redress_domain::money::{Currency, Money};
use redress_domain::workflow::canary::{Bounds, Sums};
use serde::Serialize;
use utoipa::ToSchema;

use super::WireMoney;
use super::publishing::SinceView;
use crate::engine::Engine;
use crate::engine::canary::Watched;

/// A revision that a share of the new cases takes, beside the active one.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Canary)]
pub struct CanaryView {
    /// The workflow.
    pub workflow: String,
    /// The revision.
    pub revision: String,
    /// Its number.
    pub number: u64,
    /// The share of the new cases, in percent.
    pub percent: u8,
    /// Since when, by whom and why.
    pub since: SinceView,
    /// When it stops by itself.
    pub stop: BoundsView,
    /// What came of the cases that took it.
    pub cases: SumsView,
    /// What came of those that began on the active revision since then.
    pub control: SumsView,
}

/// How much worse a canary may do.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = CanaryBounds)]
pub struct BoundsView {
    /// Cases of each side before anything is compared.
    pub min_cases: u32,
    /// Percentage points that the share of cases in which a step failed may be over.
    pub failures_over: u32,
    /// Percentage points that the share of cases in which a wait timed out may be over.
    pub timeouts_over: u32,
    /// Percent that the refunds of a case may be over.
    pub refunds_over: u32,
}

/// What came of cases.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = CanarySums)]
pub struct SumsView {
    /// How many began.
    pub count: u64,
    /// In how many of them a step failed.
    pub failures: u64,
    /// In how many of them a wait timed out.
    pub timeouts: u64,
    /// Money refunded or on its way.
    pub refunded: WireMoney,
}

impl CanaryView {
    /// A canary as it stands.
    pub fn of(engine: &Engine, watched: &Watched) -> Self {
        let Watched { canary, sums, control } = watched;
        // Of one that is not loaded nothing was counted.
        let definition = engine.registry().definition(canary.revision);
        let currency = definition.map_or(engine.record().currency, |definition| definition.currency);
        Self {
            workflow: canary.workflow.to_string(),
            revision: canary.revision.to_string(),
            number: canary.number,
            percent: canary.percent.get(),
            since: (&canary.since).into(),
            stop: canary.bounds.into(),
            cases: SumsView::of(sums, currency),
            control: SumsView::of(control, currency),
        }
    }
}

impl From<Bounds> for BoundsView {
    fn from(bounds: Bounds) -> Self {
        Self {
            min_cases: bounds.min_cases,
            failures_over: bounds.failed_over,
            timeouts_over: bounds.late_over,
            refunds_over: bounds.refunded_over,
        }
    }
}

impl SumsView {
    fn of(sums: &Sums, currency: Currency) -> Self {
        let refunded = Money::from_minor(sums.refunded, currency).into();
        Self { count: sums.cases, failures: sums.failed, timeouts: sums.late, refunded }
    }
}
