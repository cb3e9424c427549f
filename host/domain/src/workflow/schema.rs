//! The one table of the language: every field of a document and of every step kind, its shape and a sentence about it.
//!
//! The decoder's unknown-field check reads it, a test holds `workflows/README.md` to it, and JSON Schema is made from it. Names
//! that the language reserves for its second half stand in `later`, so that using one gets one clear answer.

mod codes;
mod hints;
mod overlays;
mod reference;
mod sending;
mod starts;
mod steps;
mod waiting;

use crate::workflow::trial;
pub use codes::{NOT_ANSWERED, SENDING, UNDOABLE, codes, own_codes};
pub use overlays::{INSERT, OVERLAY, PATCH, REMOVE, REPLACE, SEALABLE, SET};
pub use reference::reference;
pub use sending::{CALLED, EXCHANGE, HTTP, PRICE_DIFFERENCE, RUN, RUN_WAIT};
pub use starts::{EVENT_START, MANUAL, REQUIRED, SCHEDULE, SCHEDULES_MAX, STARTERS};
pub use steps::{
    AGAIN, APPROVE, ARM, CALL, FAIL, FINISH, FOR_EACH, HITS, INSPECT, NOTIFY, PARALLEL, REFUND, RESTOCK, REVIEW,
    STEP_KINDS, TABLE,
};
pub use waiting::{AWAIT, EVENT, EVENT_OF_ALL, WAIT};

/// A field of a map.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// The key.
    pub name: &'static str,
    /// What stands behind it.
    pub shape: Shape,
    /// Whether it must be there.
    pub required: bool,
    /// One sentence for people.
    pub doc: &'static str,
}

/// The fields of one kind of map.
#[derive(Debug, Clone, Copy)]
pub struct Table {
    /// What may stand in it.
    pub fields: &'static [Field],
    /// What people write instead, and what to tell them.
    pub hints: &'static [(&'static str, &'static str)],
}

/// What stands behind a key.
#[derive(Debug, Clone, Copy)]
pub enum Shape {
    /// A whole number.
    Whole,
    /// A text.
    Text,
    /// `true` or `false`.
    Flag,
    /// A text, or one per locale.
    Words,
    /// A short name.
    Name,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A currency of ISO 4217.
    Currency,
    /// An IANA time zone.
    Zone,
    /// A span of time, elapsed or counted by the calendar.
    Duration,
    /// Business hours of a week.
    Hours,
    /// A type.
    Type,
    /// A variable: a type, or a map of `type` and `default`.
    Variable,
    /// A condition, without `=`.
    Condition,
    /// An expression of a single value, without `=`.
    Input,
    /// A row of a table: a test for each input, then a map of the variables that it sets.
    Row,
    /// `event.x == expression`, joined by `&&`.
    Match,
    /// An expression after `=`, or a plain literal, of the type that the text names.
    Value(&'static str),
    /// A plugin as `name@major`.
    Plugin,
    /// A base as `name@number`.
    Base,
    /// A workflow as `name@active`, or pinned.
    Workflow,
    /// The id of a step.
    Step,
    /// `{ after, then }` or `{ never: reason }`.
    Timeout,
    /// A map with these fields.
    Map(&'static Table),
    /// A map from any name to this.
    Names(&'static Shape),
    /// A list of this.
    List(&'static Shape),
    /// One of this, or a list of it.
    OneOrMany(&'static Shape),
    /// `all`, `any`, or a whole number.
    Join,
    /// A step.
    StepMap,
    /// A step without its name.
    StepBody,
}

/// A kind of step.
#[derive(Debug, Clone, Copy)]
pub struct StepKind {
    /// The word in the document.
    pub name: &'static str,
    /// What stands behind it.
    pub shape: Shape,
    /// Whether it waits for somebody or something from outside.
    pub waits: bool,
    /// One sentence for people.
    pub doc: &'static str,
    /// A step of this kind.
    pub example: &'static str,
}

impl Table {
    /// A table without hints, as for another kind of document.
    pub const fn new(fields: &'static [Field]) -> Self {
        Self { fields, hints: &[] }
    }

    /// The same, with what people write instead.
    pub const fn hinting(self, hints: &'static [(&'static str, &'static str)]) -> Self {
        Self { hints, ..self }
    }

    /// The field of this name.
    pub fn field(&self, name: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.name == name)
    }
}

impl Field {
    /// A field that may be left out.
    pub const fn optional(name: &'static str, shape: Shape, doc: &'static str) -> Self {
        Self { name, shape, required: false, doc }
    }

    /// A field that must be there.
    pub const fn required(name: &'static str, shape: Shape, doc: &'static str) -> Self {
        Self { name, shape, required: true, doc }
    }
}

/// The name of a step kind with its article, as a sentence needs it.
pub fn a(kind: &str) -> String {
    let article = if kind.starts_with(['a', 'e', 'i', 'o', 'u', 'h']) { "an" } else { "a" };
    format!("{article} `{kind}`")
}

/// The step kind of this name.
pub fn step_kind(name: &str) -> Option<&'static StepKind> {
    STEP_KINDS.iter().find(|kind| kind.name == name)
}

/// The fields of a document.
pub const DOCUMENT: Table = Table {
    fields: &[
        Field::required("format", Shape::Whole, "The version of the language: 1."),
        Field::required("workflow", Shape::Name, "The name; revisions of one name replace each other for new cases."),
        Field::optional("title", Shape::Words, "What people see it called."),
        Field::optional(
            "currency",
            Shape::Currency,
            "The currency of every amount; the tenant's where it is left out.",
        ),
        Field::optional("zone", Shape::Zone, "The zone in which days are counted; the tenant's where it is left out."),
        Field::optional("calendar", Shape::Map(&CALENDAR), "When people work; `8bh` and `2bd` are counted by it."),
        Field::optional(
            "priority",
            Shape::Whole,
            "Among matching workflows the highest wins, then the name; 0 where it is left out.",
        ),
        Field::required("triggers", Shape::List(&Shape::Map(&TRIGGER)), "What starts a case on this workflow."),
        Field::optional("attributes", Shape::Map(&ATTRIBUTES), "The merchant's own fields of the built-in records."),
        Field::optional(
            "events",
            Shape::Names(&Shape::Names(&Shape::Type)),
            "Events that steps may await, with what they carry.",
        ),
        Field::optional("limits", Shape::Map(&LIMITS), "Bounds of one case."),
        Field::optional("defaults", Shape::Map(&DEFAULTS), "What holds for every step that does not say otherwise."),
        Field::optional("vars", Shape::Names(&Shape::Variable), "Variables: a type, or a type and a default."),
        Field::optional(
            "messages",
            Shape::Names(&Shape::Map(&MESSAGE)),
            "Texts of its own, which a `notify` names by `template`; they are part of the revision.",
        ),
        Field::required("steps", Shape::List(&Shape::StepMap), "The steps; a case begins at the first."),
        Field::optional(
            "on_error",
            Shape::List(&Shape::Map(&ON_ERROR)),
            "Where failures lead that a step does not answer itself: of each step of this list above the one that is named.",
        ),
        Field::optional(
            "tests",
            Shape::List(&Shape::Map(&trial::schema::TEST)),
            "Tests; a revision whose tests fail is not published. They are no part of the revision.",
        ),
        Field::optional(
            "sealed",
            Shape::List(&Shape::Choice(SEALABLE)),
            "For a base: fields of the document that its overlays cannot change.",
        ),
    ],
    hints: &[
        ("on", "what starts a case stands under `triggers`"),
        ("refund_max", "it stands under `limits`"),
        ("name", "the name of a document is its `workflow`"),
        ("patch", "a `patch` changes a base, which is named by `extends`"),
    ],
};

/// The fields of `calendar`.
pub const CALENDAR: Table = Table {
    fields: &[
        Field::optional("zone", Shape::Zone, "The zone of the hours; the document's where it is left out."),
        Field::required(
            "hours",
            Shape::Hours,
            "The business hours of a week, as `Mon-Fri 09:00-17:30`, several parts with commas between them.",
        ),
        Field::optional(
            "holidays",
            Shape::Name,
            "The table of days off and of days worked in exchange: `cn`, `de`, `gb` (England and Wales); without it only the week counts.",
        ),
    ],
    hints: &[("days", "days and times of a week stand together under `hours`")],
};

/// One entry of `triggers`.
pub const TRIGGER: Table = Table {
    fields: &[
        Field::optional("case_opened", Shape::Map(&CASE_OPENED), "A case of some type was opened."),
        Field::optional("called", Shape::Map(&CALLED), "A step `run` of another workflow opens a sub-case."),
        Field::optional("event", Shape::Map(&EVENT_START), "Something happened that no case is named for."),
        Field::optional("schedule", Shape::Map(&SCHEDULE), "The time has come, again and again."),
        Field::optional("manual", Shape::Map(&MANUAL), "Somebody opens a case by naming the workflow."),
    ],
    hints: &[("cron", "times stand under `schedule`, as `schedule: { cron: 0 9 * * *, type: … }`")],
};

/// The fields of `case_opened`.
pub const CASE_OPENED: Table = Table::new(&[
    Field::optional("type", Shape::OneOrMany(&Shape::Name), "The types of case; every type where it is left out."),
    Field::optional("when", Shape::Condition, "A further condition; it reads the case before any step."),
    Field::optional(
        "requires",
        Shape::List(&Shape::Choice(REQUIRED)),
        "What a submission must name; it is refused otherwise.",
    ),
]);

/// The fields of `attributes`.
pub const ATTRIBUTES: Table = Table {
    fields: &[
        Field::optional("case", Shape::Names(&Shape::Type), "Of the case."),
        Field::optional("line", Shape::Names(&Shape::Type), "Of a line of the case."),
        Field::optional("order", Shape::Names(&Shape::Type), "Of the order."),
        Field::optional("order_line", Shape::Names(&Shape::Type), "Of a line of an order."),
        Field::optional("customer", Shape::Names(&Shape::Type), "Of the customer."),
    ],
    hints: &[("item", "`item` is a line of the case: its attributes stand under `line`")],
};

/// The fields of `limits`.
pub const LIMITS: Table = Table {
    fields: &[
        Field::optional("refund_max", Shape::Value("money"), "The most that a case may refund."),
        Field::optional("lines", Shape::Whole, "How many lines a case may have; with 1 the root `item` exists."),
        Field::optional(
            "open_for",
            Shape::Duration,
            "How long a case may be open before a person is asked whether to go on with it.",
        ),
    ],
    hints: hints::LIMITS,
};

/// The fields of `defaults`.
pub const DEFAULTS: Table = Table {
    fields: &[Field::optional("retry", Shape::Map(&RETRY), "How what steps send is sent again.")],
    hints: &[("timeout", "where a wait leads when its time is over belongs to the step: each has its own `timeout`")],
};

/// The fields of `retry`.
pub const RETRY: Table = Table {
    fields: &[
        Field::optional(
            "attempts",
            Shape::Whole,
            "The most requests in all, from 1 to 100; then a person is asked what became of it.",
        ),
        Field::optional("first", Shape::Duration, "The pause after the first request."),
        Field::optional("factor", Shape::Value("number"), "By what each further pause is longer, from 1 to 10."),
        Field::optional("max", Shape::Duration, "The longest pause; at most the host's own, an hour."),
        Field::optional("jitter", Shape::Text, "How much shorter or longer a pause may be, drawn at random, as `20%`."),
        Field::optional(
            "unless",
            Shape::List(&Shape::Name),
            "Codes after which nothing is sent again: `timeout`, `connection_lost`, `not_connected`, `answer_unreadable`, `answer_too_large`, `status_503`.",
        ),
    ],
    hints: &[
        ("delay", "the pause after the first request is `first`"),
        ("backoff", "pauses grow by `factor` from `first` to `max`"),
        ("times", "the most requests in all are `attempts`"),
        ("on", "every failure that may pass is retried; `unless` names those after which nothing is sent again"),
    ],
};

/// The long form of a variable.
pub const VARIABLE: Table = Table::new(&[
    Field::required("type", Shape::Type, "What it holds."),
    Field::optional(
        "default",
        Shape::Value("type"),
        "What a case begins with, a literal; without it reads need a guard.",
    ),
]);

/// The fields of a message.
pub const MESSAGE: Table = Table {
    fields: &[
        Field::required("subject", Shape::Words, "What stands above it, in one line; `{{ expression }}` is filled in."),
        Field::required("text", Shape::Words, "What it says; `{{ expression }}` is filled in."),
    ],
    hints: &[("body", "what a message says is its `text`"), ("title", "what stands above a message is its `subject`")],
};

/// The fields that every step has beside its kind.
pub const STEP: Table = Table {
    fields: &[
        Field::required("id", Shape::Name, "The name that `then`, tasks and records use."),
        Field::optional("title", Shape::Words, "For people."),
        Field::optional(
            "when",
            Shape::Condition,
            "The step is skipped where this does not hold; its output is then absent.",
        ),
        Field::optional("as", Shape::Name, "A short name for the step's output, beside `steps.<id>`."),
        Field::optional("then", Shape::Step, "What follows; the next step of the list where it is left out."),
        Field::optional(
            "on_error",
            Shape::List(&Shape::Map(&ON_ERROR)),
            "Where failures go; a task for a person where nothing matches.",
        ),
        Field::optional(
            "retry",
            Shape::Map(&RETRY),
            "How what the step sends is sent again, within what the connector promises; `defaults.retry` where it is left out.",
        ),
        Field::optional(
            "compensate",
            Shape::Map(&COMPENSATE),
            "What undoes the step: kept once it has done its work, and sent by `undo`, when a person cancels the case, or when its branch is called off.",
        ),
        Field::optional(
            "migration_point",
            Shape::Flag,
            "Cases that wait here may be moved to another revision; of a `review`, an `inspect`, an `await`, a `wait` or a `run`.",
        ),
        Field::optional("sealed", Shape::Flag, "For a base: its overlays cannot change this step."),
        Field::optional(
            "open",
            Shape::List(&Shape::Name),
            "Of a sealed step: fields that overlays may change all the same.",
        ),
    ],
    hints: &[
        ("sla", "`sla` stands inside `review` and `inspect`"),
        (
            "timeout",
            "`timeout` stands inside `review`, `inspect`, `await` and `run`; a call has none, fuel is its limit",
        ),
        ("next", "`next` stands inside `review` and `inspect`; a single successor is `then`"),
        ("if", "a condition is `when`"),
        ("goto", "a successor is `then`"),
        ("name", "a step's name is its `id`"),
    ],
};

/// One entry of `on_error`.
pub const ON_ERROR: Table = Table::new(&[
    Field::required("match", Shape::Name, "The code of the failure, or `any`."),
    Field::required("then", Shape::Step, "The step that follows."),
]);

/// The fields of `compensate`: one of them.
pub const COMPENSATE: Table = Table {
    fields: &[
        Field::optional("http", Shape::Map(&HTTP), "A system is asked to undo it."),
        Field::optional("restock", Shape::Map(&RESTOCK), "The goods go elsewhere."),
        Field::optional("notify", Shape::Map(&NOTIFY), "Somebody is told."),
    ],
    hints: &[
        ("call", "a call is pure: there is nothing in the world that it could undo; ask a system with `http`"),
        ("refund", "money goes back by a step of its own, with its own caps"),
        ("undo", "what undoes the step is written here; the step `undo` says when"),
    ],
};

/// The fields of `sla`.
pub const SLA: Table = Table {
    fields: &[
        Field::required("due", Shape::Duration, "When an answer is due, counted from entering the step."),
        Field::optional(
            "remind",
            Shape::List(&Shape::Duration),
            "When the queue is reminded, counted from entering the step.",
        ),
        Field::optional("escalate", Shape::List(&Shape::Map(&ESCALATE)), "When the task goes to another queue."),
    ],
    hints: &[("timeout", "an `sla` never ends the wait: `timeout` stands beside it")],
};

/// One entry of `escalate`.
pub const ESCALATE: Table = Table::new(&[
    Field::required("after", Shape::Duration, "When, counted from entering the step."),
    Field::required("to", Shape::Name, "The queue that the task goes to."),
]);

/// The fields of `timeout`.
pub const TIMEOUT: Table = Table::new(&[
    Field::optional("after", Shape::Duration, "How long to wait, counted from entering the step."),
    Field::optional("then", Shape::Step, "The step that follows."),
    Field::optional("never", Shape::Text, "Instead of the two: why waiting for ever is right."),
]);
