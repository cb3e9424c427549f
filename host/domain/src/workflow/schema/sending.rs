//! The fields of step kinds that ask a system of the merchant's own, or another workflow.

use crate::workflow::schema::{Field, REQUIRED, Shape, Table};

/// The fields of `http`.
pub const HTTP: Table = Table {
    fields: &[
        Field::required("target", Shape::Name, "Which system: the connector `http:<target>` says where it is."),
        Field::optional("body", Shape::Names(&Shape::Value("any type")), "What it is told."),
        Field::optional(
            "expect",
            Shape::Names(&Shape::Type),
            "What its answer must hold, which is the step's output; other answers are `answer_invalid`.",
        ),
    ],
    hints: &[
        ("url", "an address stands in the connector `http:<target>`, never in a document"),
        ("with", "what is sent is `body`"),
        ("args", "what is sent is `body`"),
        ("headers", "requests are signed by the connector; what is to be told stands in `body`"),
        ("method", "requests are always `POST`"),
        ("timeout", "the connector says how long its system may take"),
    ],
};

/// The fields of `exchange`.
pub const EXCHANGE: Table = Table {
    fields: &[
        Field::required("sku", Shape::Value("text"), "The stock code of what the customer gets."),
        Field::optional("quantity", Shape::Value("number"), "How many; as many as come back where it is left out."),
        Field::required(
            "hold_stock",
            Shape::Duration,
            "How long the shop keeps them for the customer; what is not confirmed by then is `hold_lapsed`.",
        ),
        Field::required(
            "price_difference",
            Shape::Choice(PRICE_DIFFERENCE),
            "What the shop does with a difference in price; `none`: it is nobody's.",
        ),
    ],
    hints: &[
        ("lines", "the units that come back are those that an `approve` holds"),
        ("until", "how long the shop keeps them is `hold_stock`"),
    ],
};

/// What a shop may do with a difference in price.
pub const PRICE_DIFFERENCE: &[&str] = &["charge_or_refund", "none"];

/// The fields of the trigger `called`.
pub const CALLED: Table = Table {
    fields: &[
        Field::optional(
            "inputs",
            Shape::List(&Shape::Name),
            "Variables that the other workflow gives in `with`; one without a default must be given.",
        ),
        Field::optional(
            "requires",
            Shape::List(&Shape::Choice(REQUIRED)),
            "What the other case must have; the sub-case is refused otherwise.",
        ),
    ],
    hints: &[
        ("with", "what is given stands in `with` of the step `run`; here `inputs` names the variables"),
        ("type", "a sub-case has the type of the case that opens it"),
        ("vars", "variables stand under `vars` of the document; `inputs` names those that are given"),
    ],
};

/// The fields of `run`.
pub const RUN: Table = Table {
    fields: &[
        Field::required(
            "workflow",
            Shape::Workflow,
            "Which workflow: `name@active`, or pinned as `name@17` or `name@9f2c01ab34`; it has a trigger `called`.",
        ),
        Field::optional("with", Shape::Names(&Shape::Value("the input's type")), "Its inputs."),
        Field::optional(
            "wait",
            Shape::Choice(RUN_WAIT),
            "`end`, also where it is left out: the step waits until the sub-case has ended; `no_wait`: it goes on at once.",
        ),
        Field::optional("timeout", Shape::Timeout, "The end of waiting; the sub-case then goes on by itself."),
    ],
    hints: &[
        ("inputs", "inputs stand under `with`"),
        ("args", "inputs stand under `with`"),
        ("vars", "inputs stand under `with`"),
        ("then", "where it leads stands beside `run`"),
    ],
};

/// What a `run` waits for.
pub const RUN_WAIT: &[&str] = &["end", "no_wait"];
