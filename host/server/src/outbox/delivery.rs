//! Deliveries: the record of each attempt to bring an effect to its receiver. It holds no body, no address and no secret.

use redress_domain::clock::Instant;
use redress_domain::codec;
use redress_domain::ids::Digest;
use redress_store::row::{Row, RowKey};
use redress_store::snapshot::Snapshot;
use serde::{Deserialize, Serialize};

use super::connectors::Kind;
use crate::engine::{Engine, Error};

/// Why an effect waits that has no connector.
pub const NO_CONNECTOR: &str = "no_connector";

/// One attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// Its number, from 1.
    pub attempt: u32,
    /// When the effect was to leave: a person who sends it again begins another round.
    pub round: Instant,
    /// When it began; written before anything leaves.
    pub started_at: Instant,
    /// When its outcome was recorded; none of one that is under way, or whose process died.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Instant>,
    /// The connector that it goes through.
    pub connector: Kind,
    /// `webhook`, `smtp`, `folder`, `simulated`; none where nothing was tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub how: Option<String>,
    /// What came of it.
    pub outcome: Outcome,
    /// What the receiver answered, of HTTP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// A code for what went wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// What came of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It may have left.
    Started,
    /// The effect happened.
    Confirmed,
    /// It did not and will not.
    Declined,
    /// The receiver settles it later.
    Accepted,
    /// It is tried again.
    Retry,
    /// Nobody knows: a person's.
    Unknown,
}

impl Delivery {
    /// Whether it may have reached the receiver.
    pub(super) fn was_tried(&self) -> bool {
        self.how.is_some()
    }

    pub(super) fn row(&self, effect: Digest) -> Row {
        Row::Put(RowKey::delivery(effect, self.attempt), codec::encode(self))
    }
}

/// The delivery log of an effect, in order.
///
/// # Errors
/// The store cannot be read.
pub fn of(engine: &Engine, effect: Digest) -> Result<Vec<Delivery>, Error> {
    read(&engine.store().read()?, effect)
}

pub(super) fn read(snapshot: &Snapshot, effect: Digest) -> Result<Vec<Delivery>, Error> {
    let rows = snapshot.deliveries(effect)?;
    rows.iter().map(|(_, record)| codec::decode(record).map_err(Error::damaged("delivery"))).collect()
}
