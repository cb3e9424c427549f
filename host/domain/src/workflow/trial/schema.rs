//! The fields of tests of workflows: one table for every map in them.

use crate::workflow::schema::{Field, Shape, Table};

/// The remedies that a mock or an expectation may name.
pub const REMEDIES: &[&str] = &["allow", "deny", "review"];
/// What may go wrong on the way out.
pub const FAULTS: &[&str] = &["crash_before_send", "crash_after_send", "lost_answer", "declined", "timeout"];
/// What an effect may be settled as.
pub const OUTCOMES: &[&str] = &["confirmed", "declined", "unknown"];
/// Where a case may stand.
pub const STATUSES: &[&str] = &["waiting", "closed", "failed", "held"];
/// Where the units of a line may go.
const DISPOSITIONS: &[&str] = crate::verdict::Disposition::WORDS;

/// The fields of a `*.test.yaml`.
pub const DOCUMENT: Table = Table {
    fields: &[
        Field::required("format", Shape::Whole, "The version of the language: 1."),
        Field::required("tests_for", Shape::Name, "The workflow that is tried."),
        Field::optional(
            "plugins",
            Shape::Names(&Shape::Plugin),
            "By plugin, another one that stands in where the first is not there, as on an author's machine.",
        ),
        Field::optional(
            "merchant",
            Shape::Map(&MERCHANT),
            "Whose workflow it is, where it leaves that to its merchant and the tests run without one.",
        ),
        Field::optional(
            "given",
            Shape::Map(&GIVEN),
            "What every test begins with; what a test gives itself counts more.",
        ),
        Field::optional("mock", Shape::Names(&Shape::Map(&MOCK)), "Answers of plugins and systems, for every test."),
        Field::required("tests", Shape::List(&Shape::Map(&TEST)), "The tests."),
    ],
    hints: &[("workflow", "the workflow that is tried is `tests_for`"), ("test", "the list is `tests`")],
};

/// The fields of `merchant`.
pub const MERCHANT: Table = Table::new(&[
    Field::optional("currency", Shape::Currency, "The currency of a workflow that names none."),
    Field::optional("zone", Shape::Zone, "The zone of a workflow that names none."),
]);

/// The fields of a test.
pub const TEST: Table = Table {
    fields: &[
        Field::required("name", Shape::Text, "What it says, in words."),
        Field::optional("given", Shape::Map(&GIVEN), "What there is before anything happens."),
        Field::optional(
            "mock",
            Shape::Names(&Shape::Map(&MOCK)),
            "Answers, of plugins by `name@major` and of systems by the `target` of an `http`. A plugin that is not named is asked itself, a system does what it is asked and tells nothing.",
        ),
        Field::optional("play", Shape::List(&Shape::Map(&PLAY)), "What happens after the case was opened, in order."),
        Field::optional("inject", Shape::OneOrMany(&Shape::Map(&INJECT)), "What goes wrong on the way out."),
        Field::required("expect", Shape::Map(&EXPECT), "What must have come of it."),
    ],
    hints: &[
        ("when", "what happens stands under `play`"),
        ("then", "what must come of it stands under `expect`"),
        ("mocks", "answers of plugins stand under `mock`"),
        ("use", "another test is used by `given: { use: its name }`"),
    ],
};

/// The fields of `given`.
pub const GIVEN: Table = Table {
    fields: &[
        Field::optional(
            "use",
            Shape::Text,
            "Another test: what is given, mocked and played there is so here, unless this test says otherwise.",
        ),
        Field::optional("case", Shape::Map(&CASE), "The case, with its attributes beside these fields."),
        Field::optional("order", Shape::Map(&ORDER), "The only order."),
        Field::optional(
            "jurisdiction",
            Shape::Text,
            "The law that applies, as `CN`, `EU`, `UK`; the merchant's where it is left out.",
        ),
        Field::optional("orders", Shape::List(&Shape::Map(&ORDER)), "Instead: several."),
        Field::optional(
            "called",
            Shape::Names(&Shape::Value("the input's type")),
            "The case is opened by a `run` of another workflow, with these inputs; `{}` where there are none.",
        ),
        Field::optional(
            "schedule",
            Shape::Map(&SCHEDULE),
            "A schedule starts the case, when `case` is opened; `{}` says it.",
        ),
        Field::optional("event", Shape::Map(&EVENT), "An event starts the case, and says what it is about."),
        Field::optional("manual", Shape::Map(&MANUAL), "Somebody starts the case by the workflow's name."),
    ],
    hints: &[("customer", "whose case it is says `case: { customer: c1 }`"), ("lines", "lines stand in `case`")],
};

/// The fields of `schedule`.
pub const SCHEDULE: Table = Table {
    fields: &[Field::optional("type", Shape::Name, "The type of case, where schedules of several start one.")],
    hints: &[("at", "when the case is opened says `case: { opened_at: … }`")],
};

/// The fields of `event`.
pub const EVENT: Table = Table {
    fields: &[
        Field::optional("name", Shape::Name, "The event; the only one that starts a case where it is left out."),
        Field::optional("with", Shape::Names(&Shape::Value("the field's type")), "What it carries."),
    ],
    hints: &[("fields", "what it carries is `with`"), ("event", "the event is its `name`")],
};

/// The fields of `manual`.
pub const MANUAL: Table = Table {
    fields: &[
        Field::optional("role", Shape::Name, "In which role; one of the trigger's where it is left out."),
        Field::optional(
            "inputs",
            Shape::Names(&Shape::Value("the input's type")),
            "What the inputs of the trigger hold.",
        ),
    ],
    hints: &[("roles", "who starts this one is its `role`")],
};

/// The fields of `case`.
pub const CASE: Table = Table {
    fields: &[
        Field::optional("type", Shape::Name, "The type of case; the first of the triggers where it is left out."),
        Field::optional("customer", Shape::Text, "Whose case it is; nobody's where it is left out."),
        Field::optional("order", Shape::Text, "The number of the order that it is about."),
        Field::optional("reason", Shape::Text, "Why, a code."),
        Field::optional("claim", Shape::Text, "What the customer asks for, a code."),
        Field::optional("currency", Shape::Currency, "The currency; the workflow's where it is left out."),
        Field::optional(
            "opened_at",
            Shape::Value("time"),
            "When it is opened; 2 March 2026, a Monday, where it is left out.",
        ),
        Field::optional("lines", Shape::List(&Shape::Map(&LINE)), "What it is about."),
    ],
    hints: &[("kind", "the type of case is `type`"), ("attributes", "attributes stand beside the other fields")],
};

/// The fields of a line of the case.
pub const LINE: Table = Table {
    fields: &[
        Field::required("sku", Shape::Text, "The stock code."),
        Field::optional("quantity", Shape::Whole, "How many are returned; 1 where it is left out."),
        Field::optional("reason", Shape::Text, "Why, a code."),
        Field::optional("order", Shape::Text, "The order that it was bought with, where the customer names it."),
        Field::optional("order_line", Shape::Whole, "The line of that order, counted from 0."),
        Field::optional("lot", Shape::Text, "The lot of the unit."),
        Field::optional("serial", Shape::Text, "The serial number of the unit."),
        Field::optional("expiry", Shape::Value("date"), "The day of expiry of the unit."),
        Field::optional("udi", Shape::Text, "The device identifier of the unit."),
    ],
    hints: &[("attributes", "attributes stand beside the other fields")],
};

/// The fields of an order.
pub const ORDER: Table = Table {
    fields: &[
        Field::optional("id", Shape::Text, "Its number; `1001` where it is left out."),
        Field::optional("customer", Shape::Text, "Who bought; the case's customer where it is left out."),
        Field::optional("currency", Shape::Currency, "The currency; the case's where it is left out."),
        Field::optional("placed_at", Shape::Value("time"), "When it was placed; `10d ago` where it is left out."),
        Field::optional("delivered_at", Shape::Value("time"), "When it reached the customer."),
        Field::required("lines", Shape::List(&Shape::Map(&ORDER_LINE)), "What was bought."),
        Field::optional("payments", Shape::List(&Shape::Map(&PAYMENT)), "How it was paid."),
    ],
    hints: &[("number", "an order's number is its `id`"), ("attributes", "attributes stand beside the other fields")],
};

/// The fields of a line of an order.
pub const ORDER_LINE: Table = Table {
    fields: &[
        Field::required("sku", Shape::Text, "The stock code."),
        Field::optional("quantity", Shape::Whole, "How many were bought; 1 where it is left out."),
        Field::required("unit_price", Shape::Value("number"), "The price of one."),
        Field::optional("paid", Shape::Value("money"), "What was paid; price times quantity where it is left out."),
        Field::optional("at", Shape::Value("time"), "When; the order's `placed_at` where it is left out."),
        Field::optional("delivered_at", Shape::Value("time"), "When; the order's where it is left out."),
        Field::optional("lot", Shape::Text, "The lot of the unit."),
        Field::optional("serial", Shape::Text, "The serial number of the unit."),
        Field::optional("expiry", Shape::Value("date"), "The day of expiry of the unit."),
        Field::optional("udi", Shape::Text, "The device identifier of the unit."),
    ],
    hints: &[("price", "the price of one is `unit_price`"), ("attributes", "attributes stand beside the other fields")],
};

/// The fields of a payment.
pub const PAYMENT: Table = Table::new(&[
    Field::required("id", Shape::Text, "The shop's name for it."),
    Field::required("captured", Shape::Value("money"), "How much was taken."),
]);

/// The fields of a plugin's answer.
pub const MOCK: Table = Table {
    fields: &[
        Field::optional(
            "verdict",
            Shape::Choice(REMEDIES),
            "Of an eligibility or compliance plugin: for every line alike.",
        ),
        Field::optional("lines", Shape::List(&Shape::Map(&MOCK_LINE)), "Instead: for each line of the case, in order."),
        Field::optional("reasons", Shape::List(&Shape::Name), "Reason codes beside the lines."),
        Field::optional(
            "quote",
            Shape::Value("money"),
            "Of a refund plugin: the sum, spread over what the verdict takes.",
        ),
        Field::optional("fails", Shape::Name, "Instead of an answer: the code that the plugin fails with."),
    ],
    hints: &[("provides", "what a plugin provides stands beside the other fields, by name")],
};

/// The fields of a system's answer.
pub const SYSTEM: Table = Table {
    fields: &[
        Field::optional("reference", Shape::Text, "What it calls what it did."),
        Field::optional("declines", Shape::Name, "Instead of an answer: the code with which it declines."),
    ],
    hints: &[("fails", "a system that does not do it `declines` with a code")],
};

/// The fields of a line of a verdict.
pub const MOCK_LINE: Table = Table::new(&[
    Field::required("verdict", Shape::Choice(REMEDIES), "What the customer gets."),
    Field::optional("quantity", Shape::Whole, "For how many units; for all where it is left out."),
    Field::optional("reasons", Shape::List(&Shape::Name), "Why, codes."),
    Field::optional("disposition", Shape::Choice(DISPOSITIONS), "Where the units go."),
]);

/// The fields of what happens.
pub const PLAY: Table = Table {
    fields: &[
        Field::optional(
            "after",
            Shape::Duration,
            "How much later than what came before; at once where it is left out. By the workflow's calendar also `2bh`, `1bd`.",
        ),
        Field::optional("event", Shape::Name, "Something happens outside; `with` is what the event carries."),
        Field::optional("answer", Shape::Step, "A person answers the task of this step; `with` is what they fill in."),
        Field::optional(
            "outcome",
            Shape::Name,
            "What they choose; may be left out where there is one choice. Of `settle`: `confirmed`, `declined` or `unknown`.",
        ),
        Field::optional("settle", Shape::Step, "The receiver tells what became of the effects of this step."),
        Field::optional(
            "code",
            Shape::Name,
            "Of a `settle` that is `declined`: the receiver's code, as `out_of_stock` of an exchange. Of a sub-case that failed: its code.",
        ),
        Field::optional(
            "ended",
            Shape::Step,
            "The sub-case of this step ends: with a `result`, as failed with a `code`, and as cancelled with neither.",
        ),
        Field::optional("result", Shape::Name, "What a sub-case finishes with."),
        Field::optional("by", Shape::Text, "Who answers or cancels; `test` where it is left out."),
        Field::optional("cancel", Shape::Text, "A person ends the case, and why."),
        Field::optional(
            "with",
            Shape::Names(&Shape::Value("the field's type")),
            "Fields of the event, of the form, or of what a system answers.",
        ),
    ],
    hints: &[("form", "what a person fills in stands under `with`"), ("wait", "time passes by `after`")],
};

/// The fields of a fault.
pub const INJECT: Table = Table::new(&[
    Field::required("at", Shape::Step, "The step whose effects it meets."),
    Field::required("fault", Shape::Choice(FAULTS), "What goes wrong."),
    Field::optional(
        "times",
        Shape::Whole,
        "How often; once where it is left out. A decline and a timeout are for good.",
    ),
    Field::optional("code", Shape::Name, "Of a decline: the receiver's code, as `out_of_stock` of an exchange."),
]);

/// The fields of `expect`.
pub const EXPECT: Table = Table {
    fields: &[
        Field::optional("path", Shape::List(&Shape::Step), "The steps that were taken, all of them, in order."),
        Field::optional("ends_with", Shape::List(&Shape::Step), "The last of them."),
        Field::optional("status", Shape::Choice(STATUSES), "Where the case stands."),
        Field::optional("waits_at", Shape::Step, "The step that it waits at."),
        Field::optional("result", Shape::Name, "What it ended with: the result of a `finish`, the code of a `fail`."),
        Field::optional("sub_cases", Shape::List(&Shape::Step), "The steps that opened a sub-case, once for each."),
        Field::optional("remedy", Shape::Choice(REMEDIES), "What the customer gets, over all lines."),
        Field::optional("reasons", Shape::List(&Shape::Name), "Codes that are among the reasons that decided."),
        Field::optional("refunds", Shape::List(&Shape::Map(&REFUND)), "The refunds that were paid, in order."),
        Field::optional("restock", Shape::List(&Shape::Name), "Where goods went, in order."),
        Field::optional("exchanges", Shape::List(&Shape::Text), "Stock codes of what was given in exchange, in order."),
        Field::optional(
            "undone",
            Shape::List(&Shape::Step),
            "Steps that were undone, in the order in which they were.",
        ),
        Field::optional(
            "messages",
            Shape::Value("list of names, or of maps"),
            "The templates of what was told, in order.",
        ),
        Field::optional("open_tasks", Shape::Value("whole number, or list of steps"), "What waits for a person."),
        Field::optional(
            "reminders",
            Shape::Whole,
            "How often a person or a customer was reminded while the case waited.",
        ),
        Field::optional("vars", Shape::Names(&Shape::Value("the variable's type")), "Variables at the end."),
        Field::optional("provider_calls", Shape::Map(&CALLS), "What reached the receivers, each attempt counted."),
    ],
    hints: &[
        ("steps", "the steps that were taken are the `path`"),
        ("tasks", "what waits for a person is `open_tasks`"),
        ("refund", "the list is `refunds`"),
    ],
};

/// The fields of an expected refund.
pub const REFUND: Table = Table::new(&[
    Field::required("amount", Shape::Value("money"), "How much."),
    Field::optional("step", Shape::Step, "The step that paid it."),
    Field::optional("order", Shape::Text, "The order that it is from."),
]);

/// The fields of an expected task.
pub const TASK: Table = Table::new(&[
    Field::required("at", Shape::Step, "The step whose task it is."),
    Field::optional("queue", Shape::Name, "The queue that it is in."),
]);

/// The fields of an expected message.
pub const MESSAGE: Table = Table::new(&[
    Field::required("template", Shape::Name, "The name of its text."),
    Field::optional("says", Shape::Text, "What it says, in its subject or below, in one of its languages."),
]);

/// The fields of `provider_calls`.
pub const CALLS: Table = Table::new(&[
    Field::optional("refund", Shape::Whole, "Requests for a refund."),
    Field::optional("restock", Shape::Whole, "Requests to put goods somewhere."),
    Field::optional("notice", Shape::Whole, "Requests to tell somebody."),
    Field::optional("http", Shape::Whole, "Requests to systems."),
    Field::optional("exchange", Shape::Whole, "Requests for an exchange."),
    Field::optional("distinct_keys", Shape::Whole, "Different keys among the requests of the kinds that are named."),
]);

#[cfg(test)]
mod tests {
    use super::*;

    const BEGIN: &str = "<!-- made from the tables of tests, do not edit -->\n\n";
    const END: &str = "<!-- end of what is made from the tables of tests -->\n";

    fn reference() -> String {
        let tables = [
            ("A `*.test.yaml`", &DOCUMENT),
            ("`merchant`", &MERCHANT),
            ("A test", &TEST),
            ("`given`", &GIVEN),
            ("`schedule` of a test", &SCHEDULE),
            ("`event` of a test", &EVENT),
            ("`manual` of a test", &MANUAL),
            ("`case`", &CASE),
            ("A line of the case", &LINE),
            ("`order`", &ORDER),
            ("A line of an order", &ORDER_LINE),
            ("A payment", &PAYMENT),
            ("`mock`, by plugin", &MOCK),
            ("A line of a mocked verdict", &MOCK_LINE),
            ("`mock`, by the target of an `http`, with the fields of its `expect`", &SYSTEM),
            ("An entry of `play`", &PLAY),
            ("`inject`", &INJECT),
            ("`expect`", &EXPECT),
            ("An expected refund", &REFUND),
            ("An expected task, where its step alone does not say it", &TASK),
            ("An expected message, where its name alone does not say it", &MESSAGE),
            ("`provider_calls`", &CALLS),
        ];
        let table = |(title, table): (&str, &Table)| {
            let row = |field: &Field| {
                let required = if field.required { ", required" } else { "" };
                format!("| `{}` | {}{required} | {} |\n", field.name, field.shape, field.doc)
            };
            let rows: String = table.fields.iter().map(row).collect();
            format!("#### {title}\n\n| field | | |\n| --- | --- | --- |\n{rows}\n")
        };
        tables.into_iter().map(table).collect()
    }

    #[test]
    fn the_readme_holds_the_reference() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../workflows/README.md");
        let readme = std::fs::read_to_string(path).unwrap();
        let (before, rest) = readme.split_once(BEGIN).unwrap();
        let (written, after) = rest.split_once(END).unwrap();
        if std::env::var_os("REDRESS_BLESS").is_some() {
            std::fs::write(path, format!("{before}{BEGIN}{}{END}{after}", reference())).unwrap();
        } else {
            assert_eq!(written, reference(), "run it again with REDRESS_BLESS=1");
        }
    }
}
