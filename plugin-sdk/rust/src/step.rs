//! The hook `step`: a pure computation for a workflow: parameters in, provided values out.

pub use crate::bag::Bag;
pub use crate::cx::Cx;
pub use crate::types::{Attribute, Decimal, Failure, Moment, Money, Reason, StepAnswer, StepRequest, Value};

/// A pure computation for a workflow: parameters in, provided values out.
pub trait Step {
    /// Compute the provided values from the parameters.
    ///
    /// # Errors
    /// [`Failure`] when the plugin cannot decide or cannot read what it was given; both end with a person.
    fn run(req: &StepRequest, cx: &Cx) -> Result<StepAnswer, Failure>;
}
