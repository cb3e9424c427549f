//! The fields of triggers that start a case by the workflow's name.

use crate::workflow::schema::{Field, Shape, Table};

/// Who may open a case: the roles of keys that bring matters in.
pub const STARTERS: &[&str] = &["admin", "agent", "integrator"];

/// Parts of a submission that a trigger may require.
pub const REQUIRED: &[&str] = &["order", "reason", "customer", "lines"];

/// The fields of the trigger `manual`.
pub const MANUAL: Table = Table {
    fields: &[
        Field::required(
            "roles",
            Shape::OneOrMany(&Shape::Choice(STARTERS)),
            "Whose keys may open a case under this workflow by naming it.",
        ),
        Field::required("type", Shape::Name, "The type of case that it opens."),
        Field::optional(
            "requires",
            Shape::List(&Shape::Choice(REQUIRED)),
            "What a submission must name; it is refused otherwise.",
        ),
        Field::optional(
            "inputs",
            Shape::List(&Shape::Name),
            "Variables that whoever opens it fills in; one without a default must be given.",
        ),
    ],
    later: &[],
    hints: &[
        ("role", "who may start it stands under `roles`"),
        ("when", "who names a workflow wants it: what it looks at first is its first step"),
        ("vars", "variables stand under `vars` of the document; `inputs` names those that are filled in"),
    ],
};
