//! What a step waits for, and until when.

use crate::ids::Slug;
use crate::workflow::calendar::delay::Delay;
use crate::workflow::expr::Expr;

/// One event that an `await` waits for.
#[derive(Debug, Clone)]
pub struct EventArm {
    /// The event's name.
    pub event: String,
    /// Fields of the event that must equal a value: a conjunction, so that it can be indexed.
    pub matches: Vec<(String, Expr)>,
    /// The step that follows; the step's own `then` where it is not said.
    pub then: Option<Slug>,
}

/// The end of waiting.
#[derive(Debug, Clone)]
pub enum Timeout {
    /// Go on there after this span.
    After {
        /// Counted from entering the step.
        after: Delay,
        /// The step that follows.
        then: Slug,
    },
    /// Never, and why that is right.
    Never {
        /// For whoever reads the document.
        because: String,
    },
}

/// When a `wait` ends.
#[derive(Debug, Clone)]
pub enum Until {
    /// After this span.
    For(Delay),
    /// At this instant.
    Instant(Expr),
}
