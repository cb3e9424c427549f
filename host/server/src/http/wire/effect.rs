//! An effect on the wire, whichever case wanted it.

use serde::Serialize;
use utoipa::ToSchema;

use super::WireMoney;
use crate::engine::listing::EffectListing;
use crate::outbox::delivery::{Delivery, Outcome};

/// An effect.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Effect)]
pub struct EffectRow {
    /// The key: what the provider knows it by.
    pub key: String,
    /// `refund`, `restock`, `notice`, `http` or `exchange`.
    pub kind: String,
    /// `intended`, `confirmed`, `declined` or `unknown`.
    pub state: String,
    /// The case that wanted it.
    pub case: String,
    /// The number of the case.
    pub number: String,
    /// The step that wanted it.
    pub step: String,
    /// The money of a refund.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<WireMoney>,
    /// The provider's reference.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// When it was first wanted.
    pub intended_at: String,
}

/// An effect with what was tried to deliver it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct EffectDetail {
    /// The effect.
    #[serde(flatten)]
    pub effect: EffectRow,
    /// Every attempt, the first one first.
    pub deliveries: Vec<DeliveryView>,
}

/// One attempt to bring an effect to its receiver.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Delivery)]
pub struct DeliveryView {
    /// Its number, from 1.
    pub attempt: u32,
    /// When it began.
    pub started_at: String,
    /// When its outcome was recorded; absent while it is under way, or where the host died.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<String>,
    /// The connector: `payment`, `stock`, `notification`, `mail` or `http:<name>`.
    pub connector: String,
    /// `webhook`, `smtp`, `folder`, `simulated`; absent where nothing was tried.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub how: Option<String>,
    /// `started`, `confirmed`, `declined`, `accepted`, `retry` or `unknown`.
    pub outcome: String,
    /// What the receiver answered, of HTTP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// A code for what went wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl From<&EffectListing> for EffectRow {
    fn from(one: &EffectListing) -> Self {
        Self {
            key: one.key.to_string(),
            kind: one.what.clone(),
            state: one.state.word().to_owned(),
            case: one.case.to_string(),
            number: one.number.clone(),
            step: one.step.to_string(),
            amount: one.amount.map(WireMoney::from),
            reference: one.reference.clone(),
            intended_at: one.intended_at.to_string(),
        }
    }
}

impl From<&Delivery> for DeliveryView {
    fn from(one: &Delivery) -> Self {
        let outcome = match one.outcome {
            Outcome::Started => "started",
            Outcome::Confirmed => "confirmed",
            Outcome::Declined => "declined",
            Outcome::Accepted => "accepted",
            Outcome::Retry => "retry",
            Outcome::Unknown => "unknown",
        };
        Self {
            attempt: one.attempt,
            started_at: one.started_at.to_string(),
            ended_at: one.ended_at.map(|at| at.to_string()),
            connector: one.connector.to_string(),
            how: one.how.clone(),
            outcome: outcome.to_owned(),
            status: one.status,
            reason: one.reason.clone(),
        }
    }
}
