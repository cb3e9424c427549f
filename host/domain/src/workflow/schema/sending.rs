//! The fields of step kinds that ask a system of the merchant's own.

use crate::workflow::schema::{Field, Shape, Table};

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
    later: &[],
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
    later: &[],
    hints: &[
        ("lines", "the units that come back are those that an `approve` holds"),
        ("until", "how long the shop keeps them is `hold_stock`"),
    ],
};

/// What a shop may do with a difference in price.
pub const PRICE_DIFFERENCE: &[&str] = &["charge_or_refund", "none"];
