//! The records that host and plugin exchange, as the contract (`plugin-sdk/wit`) writes them.
//!
//! Their fields are public. What makes them pleasant to build and to read stands in [`crate::number`],
//! [`crate::money`], [`crate::bag`] and in the methods of [`Reason`], [`LineVerdict`] and [`Failure`].

pub use crate::contract::shared::redress::plugin::log::Level;
pub use crate::contract::shared::redress::plugin::types::{
    Attribute, CaseInfo, Citation, Decimal, Disposition, Duty, Fact, Failure, Line, LineQuote, LineVerdict, Moment,
    Money, Opinion, OrderLineRef, Part, Party, Purchase, Quote, Reason, Recipient, Remedy, Request, StepAnswer,
    StepRequest, Take, Tier, Unit, Value, Verdict,
};

/// The most takes that a host accepts for one line.
pub const TAKES_MAX: usize = 1_024;

/// The most reasons that a host accepts for one line.
pub const REASONS_MAX: usize = 16;
