//! The fields of triggers that start a case by the workflow's name.

use crate::workflow::schema::{Field, Shape, Table};

/// Who may open a case: the roles of keys that bring matters in.
pub const STARTERS: &[&str] = &["admin", "agent", "integrator"];

/// Parts of a submission that a trigger may require.
pub const REQUIRED: &[&str] = &["order", "reason", "customer", "lines"];

/// The fields of the trigger `schedule`.
pub const SCHEDULE: Table = Table {
    fields: &[
        Field::required(
            "cron",
            Shape::Text,
            "When: minute, hour, day, month, weekday, as `0 9 * * Mon-Fri`; each with lists `1,15`, ranges `1-5`, steps `*/15` and names `Jan`, `Mon`.",
        ),
        Field::optional(
            "zone",
            Shape::Zone,
            "Where these times are local; the zone of the calendar where it is left out, else of the document.",
        ),
        Field::required("type", Shape::Name, "The type of case that it opens."),
    ],
    hints: &[
        ("every", "when is `cron`: five fields, as `*/30 * * * *` for every half hour"),
        ("at", "when is `cron`: five fields, as `0 9 * * *` for nine o'clock"),
        ("when", "when is `cron`; what is asked before anything is done stands in the first step"),
        ("timezone", "the time zone is `zone`"),
        ("order", "a case that a schedule opens has no order: it is looked for by steps"),
        ("customer", "a case that a schedule opens is nobody's"),
    ],
};

/// Schedules of one workflow.
pub const SCHEDULES_MAX: usize = 16;

/// The fields of the trigger `event`.
pub const EVENT_START: Table = Table {
    fields: &[
        Field::required("name", Shape::Name, "The event, declared under `events`."),
        Field::optional("match", Shape::Match, "What its fields must equal, as `event.kind == \"lost\"`."),
        Field::required("type", Shape::Name, "The type of case that it opens."),
        Field::optional(
            "order",
            Shape::Value("text"),
            "The number of the order that the case is about, `=event.order`.",
        ),
        Field::optional("customer", Shape::Value("text"), "Whose case it is, `=event.customer`."),
        Field::optional("reason", Shape::Value("text"), "Why it is opened, a code."),
        Field::optional(
            "set",
            Shape::Names(&Shape::Value("the variable's type")),
            "What variables begin with: the only place where steps find what the event carried.",
        ),
    ],
    hints: &[
        ("event", "the event is its `name`"),
        ("when", "an event is chosen by `match`; what is more than equal is asked in the first step"),
        ("vars", "what the event carries goes into variables by `set`"),
        ("inputs", "what the event carries goes into variables by `set`"),
        ("with", "what the event carries goes into variables by `set`"),
        ("requires", "every case of the event has what is written here: `order`, `customer`, `reason`"),
    ],
};

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
    hints: &[
        ("role", "who may start it stands under `roles`"),
        ("when", "who names a workflow wants it: what it looks at first is its first step"),
        ("vars", "variables stand under `vars` of the document; `inputs` names those that are filled in"),
    ],
};
