//! The fields of an overlay: a document that says what is other than in its base.

use crate::workflow::schema::{Field, Shape, Table};

/// The fields that an overlay has beside those of a document.
pub const OVERLAY: Table = Table {
    fields: &[
        Field::required(
            "extends",
            Shape::Base,
            "The base with its number or the beginning of its revision, never the latest.",
        ),
        Field::optional("patch", Shape::List(&Shape::Map(&PATCH)), "What is other than in the base, in order."),
    ],
    hints: &[
        ("steps", "an overlay has the steps of its base: change them with `patch`"),
        ("triggers", "an overlay has the triggers of its base: `- set: { at: triggers, to: [...] }` changes them"),
        ("on", "what starts a case stands under `triggers` of the base"),
        ("name", "the name of a document is its `workflow`"),
        ("base", "the base is `extends`"),
        ("patches", "the changes are `patch`"),
    ],
};

/// The fields of an entry of `patch`: exactly one is there.
pub const PATCH: Table = Table {
    fields: &[
        Field::optional("set", Shape::Map(&SET), "Give a field another value, or a new field a value."),
        Field::optional("replace", Shape::Map(&REPLACE), "Put another step in the place of one; it keeps the name."),
        Field::optional("insert", Shape::Map(&INSERT), "Put a new step beside one."),
        Field::optional("remove", Shape::Map(&REMOVE), "Take a step or a field out."),
    ],
    hints: &[("add", "a new step is `insert`, a new field is `set`"), ("delete", "a step is taken out with `remove`")],
};

/// The fields of `set`.
pub const SET: Table = Table {
    fields: &[
        Field::required("at", Shape::Text, "Which field: `steps.<id>.<field>...`, or a field of the document."),
        Field::required("to", Shape::Value("anything"), "Its value."),
    ],
    hints: &[("value", "the value is `to`"), ("step", "which field is meant is `at`, as `steps.<id>.<field>`")],
};

/// The fields of `replace`.
pub const REPLACE: Table = Table {
    fields: &[
        Field::required("step", Shape::Step, "Which step."),
        Field::required("with", Shape::StepBody, "The new one, without its `id`."),
    ],
    hints: &[],
};

/// The fields of `insert`.
pub const INSERT: Table = Table {
    fields: &[
        Field::optional("after", Shape::Step, "The step that it follows."),
        Field::optional("before", Shape::Step, "Instead: the step that it precedes."),
        Field::required("step", Shape::StepMap, "The new step."),
    ],
    hints: &[("with", "the new step is `step`")],
};

/// The fields of `remove`.
pub const REMOVE: Table = Table {
    fields: &[
        Field::optional("step", Shape::Step, "Which step."),
        Field::optional("at", Shape::Text, "Instead: which field, as in `set`."),
    ],
    hints: &[],
};

/// Fields of a document that a base may close to its overlays.
pub const SEALABLE: &[&str] = &["attributes", "currency", "events", "limits", "messages", "triggers", "vars", "zone"];
