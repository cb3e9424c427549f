//! The hook `refund`: how much money, per take.

pub use crate::bag::Bag;
pub use crate::cx::Cx;
pub use crate::types::{
    Attribute, Decimal, Failure, Line, LineQuote, Money, Opinion, Part, Purchase, Quote, Reason, Remedy, Request, Take,
    Value,
};

/// How much money, per take.
pub trait Refund {
    /// Quote all lines of the case at once; the host sums.
    ///
    /// # Errors
    /// [`Failure`] when the plugin cannot decide or cannot read what it was given; both end with a person.
    fn quote(req: &Request, cx: &Cx) -> Result<Quote, Failure>;
}
