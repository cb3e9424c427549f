//! The hook `eligibility`: may it be returned, how much, and from which purchases.

pub use crate::bag::Bag;
pub use crate::cx::Cx;
pub use crate::types::{
    Attribute, Decimal, Disposition, Failure, Line, LineVerdict, Moment, Money, Purchase, Reason, Remedy, Request,
    Take, Tier, Value, Verdict,
};

/// May it be returned, how much, and from which purchases.
pub trait Eligibility {
    /// Judge all lines of the case at once.
    ///
    /// # Errors
    /// [`Failure`] when the plugin cannot decide or cannot read what it was given; both end with a person.
    fn evaluate(req: &Request, cx: &Cx) -> Result<Verdict, Failure>;
}
