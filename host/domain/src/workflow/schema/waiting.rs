//! The fields of the steps that wait for something outside, or for a time.

use crate::workflow::schema::{Field, Shape, Table, hints};

/// The fields of `await`.
pub const AWAIT: Table = Table {
    fields: &[
        Field::optional("event", Shape::Name, "The event."),
        Field::optional("match", Shape::Match, "Which of them: `event.x == expression`, joined by `&&`."),
        Field::optional("then", Shape::Step, "Where it leads; the step's own `then` where it is left out."),
        Field::optional(
            "any",
            Shape::List(&Shape::Map(&EVENT)),
            "Instead of the three: several, of which the first wins.",
        ),
        Field::optional(
            "all",
            Shape::List(&Shape::Map(&EVENT_OF_ALL)),
            "Instead: several, each of which must come, in any order; the output tells each by its name, as `steps.<id>.<event>.<field>`.",
        ),
        Field::optional(
            "remind",
            Shape::List(&Shape::Duration),
            "When the customer is reminded, counted from entering the step.",
        ),
        Field::required("timeout", Shape::Timeout, "The end of waiting."),
    ],
    hints: &[("when", "which event is meant is `match`")],
};

/// The fields of an entry of `all`.
pub const EVENT_OF_ALL: Table = Table {
    fields: &[
        Field::required("event", Shape::Name, "The event."),
        Field::optional("match", Shape::Match, "Which of them: `event.x == expression`, joined by `&&`."),
    ],
    hints: &[
        ("then", "where it goes on once all have come is the step's own `then`"),
        ("timeout", "`timeout` stands beside `all`"),
        ("when", "which event is meant is `match`"),
    ],
};

/// The fields of an entry of `any`.
pub const EVENT: Table = Table {
    fields: &[
        Field::required("event", Shape::Name, "The event."),
        Field::optional("match", Shape::Match, "Which of them: `event.x == expression`, joined by `&&`."),
        Field::optional("then", Shape::Step, "Where it leads; the step's own `then` where it is left out."),
    ],
    hints: &[("timeout", "`timeout` stands beside `any`"), ("when", "which event is meant is `match`")],
};

/// The fields of `wait`.
pub const WAIT: Table = Table::new(&[
    Field::optional("for", Shape::Duration, "How long."),
    Field::optional("until", Shape::Value("instant"), "Instead: until when."),
])
.hinting(hints::WAIT);
