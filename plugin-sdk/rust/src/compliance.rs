//! The hook `compliance`: what law and safety ask: remedy, disposition and report duties.

pub use crate::bag::Bag;
pub use crate::cx::Cx;
pub use crate::types::{
    Attribute, Citation, Disposition, Duty, Failure, Line, LineVerdict, Moment, Purchase, Reason, Recipient, Remedy,
    Request, Tier, Value, Verdict,
};

/// What law and safety ask: remedy, disposition and report duties.
pub trait Compliance {
    /// Judge all lines of the case at once.
    ///
    /// # Errors
    /// [`Failure`] when the plugin cannot decide or cannot read what it was given; both end with a person.
    fn check(req: &Request, cx: &Cx) -> Result<Verdict, Failure>;
}
