//! The built-in names of the language: what `case`, `line`, `order` and the outputs of steps hold. One table.
//!
//! The checker of expressions knows these types; the interpreter builds values of exactly these shapes.

use std::collections::BTreeMap;

use crate::value::Type;
use crate::workflow::definition::{Attributes, Hook};
use crate::workflow::types;

/// A field of a built-in record.
#[derive(Debug, Clone, Copy)]
pub struct BuiltIn {
    /// The name.
    pub name: &'static str,
    /// The type as a document writes it; names of other records may stand in it.
    pub kind: &'static str,
    /// One sentence for people.
    pub doc: &'static str,
}

/// A built-in record.
#[derive(Debug, Clone, Copy)]
pub struct Record {
    /// The name.
    pub name: &'static str,
    /// What it is.
    pub doc: &'static str,
    /// Its fields.
    pub fields: &'static [BuiltIn],
}

/// Names that no variable and no `as` may take.
pub const ROOTS: &[(&str, &str)] = &[
    ("case", "The case."),
    ("order", "The order; only where every trigger requires it."),
    (
        "item",
        "The element in the body of a `for_each`; outside the one line of the case, only with `limits: { lines: 1 }`.",
    ),
    ("customer", "The customer; may be absent unless every trigger requires it."),
    ("vars", "The variables; each is also a name of its own."),
    ("steps", "The outputs of the steps that ran before, by id."),
    ("event", "The event; only on the left of `match`."),
    ("now", "When the case was given what it works on, the same for the whole turn."),
];

const fn field(name: &'static str, kind: &'static str, doc: &'static str) -> BuiltIn {
    BuiltIn { name, kind, doc }
}

/// Every built-in record. `out` of a call, the form of a review and what an event carries are added by the document.
pub const RECORDS: &[Record] = &[
    Record {
        name: "case",
        doc: "One customer matter.",
        fields: &[
            field("id", "text", "The id, as `case_01h...`."),
            field("number", "text", "The number that people use."),
            field("type", "text", "The type of case; one of the triggers' types where each names some."),
            field("reason", "text?", "Why it was opened, a code; present where every trigger requires it."),
            field("claim", "text?", "What the customer asks for, a code."),
            field("opened_at", "instant", "When it was opened; windows compare with this."),
            field("channel", "text", "How it came in."),
            field("source", "text?", "The system that it was imported from."),
            field("external_id", "text?", "Its id in that system."),
            field("currency", "text", "The currency of its amounts."),
            field("customer", "text?", "The customer's id; present where every trigger requires it."),
            field("order", "text?", "The order's number; present where every trigger requires it."),
            field("lines", "list(line)", "What it is about."),
        ],
    },
    Record {
        name: "line",
        doc: "A line of the case; the root `item` where there is only one.",
        fields: &[
            field("index", "number", "Its place, counted from 0."),
            field("sku", "text", "The stock code."),
            field("quantity", "number", "How many are returned."),
            field("reason", "text?", "Why, a code."),
            field("lot", "text?", "The lot of the unit."),
            field("serial", "text?", "The serial number of the unit."),
            field("expiry", "date?", "The day of expiry of the unit."),
            field("udi", "text?", "The device identifier of the unit."),
            field("order", "text?", "The order that it is from, where the customer named it."),
            field("order_line", "number?", "The line of that order."),
        ],
    },
    Record {
        name: "order",
        doc: "The order of the case.",
        fields: &[
            field("id", "text", "The merchant's order number."),
            field("currency", "text", "The currency of the order."),
            field("placed_at", "instant", "When it was placed."),
            field("delivered_at", "instant?", "When it was delivered, where that is known."),
            field("paid_total", "money", "What was paid."),
            field("refunded_total", "money", "What was refunded so far."),
            field("lines", "list(order_line)", "What was bought."),
        ],
    },
    Record {
        name: "order_line",
        doc: "A line of the order.",
        fields: &[
            field("line", "number", "Its number in the order."),
            field("sku", "text", "The stock code."),
            field("quantity", "number", "How many were bought."),
            field("left", "number", "How many may still be returned."),
            field("at", "instant", "When it was bought."),
            field("delivered_at", "instant?", "When it was delivered, where that is known."),
            field("unit_price", "price", "The exact price of one."),
            field("paid", "money", "What was paid for the line."),
        ],
    },
    Record {
        name: "customer",
        doc: "The customer; names and addresses are not here.",
        fields: &[field("id", "text", "The customer's id.")],
    },
    Record {
        name: "event",
        doc: "An event, with what it was declared to carry.",
        fields: &[field("name", "text", "The name."), field("at", "instant", "When it happened.")],
    },
    Record {
        name: "verdict",
        doc: "The output of a `call` to an eligibility or compliance plugin, with `out`.",
        fields: &[
            field("lines", "list(verdict_line)", "The verdict on each line of the case."),
            field("reasons", "list(reason)", "Reasons that concern the whole case."),
            field("duties", "list(duty)", "Duties to report."),
            field("remedy", "[allow, deny, review]", "Any review is review; else any allow is allow; else deny."),
        ],
    },
    Record {
        name: "verdict_line",
        doc: "The verdict on a line.",
        fields: &[
            field("line", "number", "The index of the line."),
            field("sku", "text", "The stock code."),
            field("asked", "number", "How many the customer returns."),
            field("remedy", "[allow, deny, review]", "The remedy."),
            field("quantity", "number", "How many are allowed."),
            field("takes", "list(take)", "From which purchases."),
            field(
                "disposition",
                "[quarantine, restock_after_inspection, scrap, return_to_maker]?",
                "Where the goods go.",
            ),
            field("tier", "[safety, recall, quality, statutory, goodwill, logistics]", "Which kind of rule decided."),
            field("reasons", "list(reason)", "Why."),
        ],
    },
    Record {
        name: "take",
        doc: "So many units of one order line.",
        fields: &[
            field("order", "text", "The order number."),
            field("line", "number", "The line of the order."),
            field("quantity", "number", "How many."),
        ],
    },
    Record {
        name: "reason",
        doc: "Why something was decided.",
        fields: &[
            field("code", "text", "A stable code."),
            field("cites", "citation?", "The law or policy that it rests on."),
            field("used", "list(text)", "What the rule looked at."),
        ],
    },
    Record {
        name: "citation",
        doc: "An article of law or policy.",
        fields: &[
            field("pack", "text", "The law pack."),
            field("rule", "text", "The rule in it."),
            field("article", "text", "The article."),
            field("mark", "text", "How far the source was verified."),
        ],
    },
    Record {
        name: "duty",
        doc: "A duty to report.",
        fields: &[
            field("to", "[manufacturer, authority, customer]", "Who must be told."),
            field("rule", "text", "The rule that says so."),
            field("due", "instant?", "By when."),
        ],
    },
    Record {
        name: "quote",
        doc: "The output of a `call` to a refund plugin, with `out`.",
        fields: &[
            field("lines", "list(quote_line)", "What is refunded, by line and purchase."),
            field("total", "money", "The sum."),
            field("reasons", "list(reason)", "Why."),
        ],
    },
    Record {
        name: "quote_line",
        doc: "What is refunded for one line from one purchase.",
        fields: &[
            field("line", "number", "The index of the line."),
            field("order", "text", "The order number."),
            field("order_line", "number", "The line of the order."),
            field("quantity", "number", "How many."),
            field("amount", "money", "How much."),
        ],
    },
    Record { name: "answer", doc: "The output of a `call` to a step plugin: `out` alone.", fields: &[] },
    Record {
        name: "approve",
        doc: "The output of an `approve`.",
        fields: &[
            field("lines", "number", "How many order lines were reserved."),
            field("quantity", "number", "How many units."),
        ],
    },
    Record {
        name: "review",
        doc: "The output of a `review` or an `inspect`, with the fields of its form; `outcome` is one of the names under `next`.",
        fields: &[
            field("outcome", "text", "What the person chose; `done` of an `inspect` without `next`."),
            field("by", "text", "Who it was."),
            field("at", "instant", "When."),
            field("first_by", "text", "Who said so first; only with `four_eyes`."),
        ],
    },
    Record {
        name: "await",
        doc: "The output of an `await`, with what the event carries where there is only one; `event` is one of their names.",
        fields: &[field("event", "text", "The event that came."), field("at", "instant", "When it happened.")],
    },
    Record {
        name: "refund",
        doc: "The output of a `refund`.",
        fields: &[
            field("status", "[confirmed, declined, partly_declined, unknown]", "How it ended."),
            field("amount", "money", "How much was confirmed."),
        ],
    },
    Record {
        name: "parallel",
        doc: "The output of a `parallel`; what its steps gave is read by their own names.",
        fields: &[
            field("first", "text", "The branch that came to its end first."),
            field("count", "number", "How many came to their end."),
        ],
    },
    Record {
        name: "for_each",
        doc: "The output of a `for_each`.",
        fields: &[field("count", "number", "How many elements it went through.")],
    },
    Record {
        name: "restock",
        doc: "The output of a `restock`.",
        fields: &[field("status", "[confirmed, declined, unknown]", "How it ended.")],
    },
    Record {
        name: "exchange",
        doc: "The output of an `exchange`.",
        fields: &[
            field("status", "[confirmed, declined, unknown]", "How it ended."),
            field("reference", "text?", "What the shop calls it: the number of the new order."),
        ],
    },
    Record {
        name: "http",
        doc: "The output of an `http`, with the fields that it expects.",
        fields: &[field("reference", "text?", "What the system calls what it did.")],
    },
    Record {
        name: "run",
        doc: "The output of a `run`; with `wait: no_wait` there is only `case`.",
        fields: &[
            field("case", "text", "The id of the sub-case."),
            field("number", "text", "Its number, as people read it."),
            field("result", "text", "The result that it finished with."),
        ],
    },
];

/// The fields of a built-in record as types.
pub fn fields(record: &str) -> BTreeMap<String, Type> {
    fields_with(record, &Attributes::default())
}

/// The same, with the merchant's own fields of this record and of those that it holds.
pub fn fields_with(record: &str, attributes: &Attributes) -> BTreeMap<String, Type> {
    let table = RECORDS.iter().find(|known| known.name == record).map_or(&[][..], |known| known.fields);
    let named = |name: &str| {
        RECORDS.iter().any(|known| known.name == name).then(|| Type::Object(fields_with(name, attributes)))
    };
    let built_in = table.iter().map(|field| {
        // The table is ours and a test reads all of it.
        (field.name.to_owned(), types::parse(field.kind, &named).unwrap_or(Type::Text))
    });
    let own = attributes_of(attributes, record).into_iter().flatten().map(|(name, kind)| (name.clone(), kind.clone()));
    built_in.chain(own).collect()
}

/// The merchant's own fields of a record, where it may have some.
pub fn attributes_of<'a>(attributes: &'a Attributes, record: &str) -> Option<&'a BTreeMap<String, Type>> {
    match record {
        "case" => Some(&attributes.case),
        "line" => Some(&attributes.line),
        "order" => Some(&attributes.order),
        "order_line" => Some(&attributes.order_line),
        "customer" => Some(&attributes.customer),
        _ => None,
    }
}

/// The output of a call to a plugin of this hook that provides these values.
pub fn call_type(hook: Hook, provides: &BTreeMap<String, Type>) -> Type {
    match hook {
        Hook::Eligibility | Hook::Compliance => verdict_type(provides),
        Hook::Refund => quote_type(provides),
        Hook::Step => with_out("answer", provides),
    }
}

/// The output of an eligibility or compliance plugin.
pub fn verdict_type(provides: &BTreeMap<String, Type>) -> Type {
    with_out("verdict", provides)
}

/// The output of a refund plugin.
pub fn quote_type(provides: &BTreeMap<String, Type>) -> Type {
    with_out("quote", provides)
}

/// The lines of a verdict: what `approve` reserves.
pub fn verdict_lines_type() -> Type {
    Type::Object(fields("verdict_line")).list()
}

/// Whether this is the output of a refund plugin, whatever it provides.
pub fn is_quote(kind: &Type) -> bool {
    let Type::Object(found) = kind else { return false };
    fields("quote").iter().all(|(name, kind)| found.get(name) == Some(kind))
}

/// The built-in record that this is, with whatever fields a document or a plugin added to it.
pub fn record_of(kind: &Type) -> Option<&'static str> {
    let Type::Object(found) = kind else { return None };
    // Of those whose fields are all there the one with the most: the smaller ones are part of others by chance.
    let is_this = |record: &&Record| {
        !record.fields.is_empty() && record.fields.iter().all(|field| found.contains_key(field.name))
    };
    RECORDS.iter().filter(is_this).max_by_key(|record| record.fields.len()).map(|record| record.name)
}

/// The output of an `approve`.
pub fn approve_type() -> Type {
    Type::Object(fields("approve"))
}

/// The output of a `review` or an `inspect` with these outcomes and this form; `twice` where two people must agree.
pub fn review_type<'a>(outcomes: impl IntoIterator<Item = &'a str>, ask: &BTreeMap<String, Type>, twice: bool) -> Type {
    let mut all = fields("review");
    if !twice {
        all.remove("first_by");
    }
    all.insert("outcome".to_owned(), Type::words(outcomes));
    all.extend(ask.iter().map(|(name, kind)| (name.clone(), kind.clone())));
    Type::Object(all)
}

/// The output of an `await` for these events; what a single one carries is there too.
pub fn await_type<'a>(events: impl IntoIterator<Item = (&'a str, &'a BTreeMap<String, Type>)>) -> Type {
    let events: BTreeMap<_, _> = events.into_iter().collect();
    let mut all = fields("await");
    all.insert("event".to_owned(), Type::words(events.keys().copied()));
    if let [payload] = events.values().collect::<Vec<_>>()[..] {
        all.extend(payload.iter().map(|(name, kind)| (name.clone(), kind.clone())));
    }
    Type::Object(all)
}

/// The output of an `await` that all of these events must come to: what each carries, by its name.
pub fn await_all_type<'a>(events: impl IntoIterator<Item = (&'a str, &'a BTreeMap<String, Type>)>) -> Type {
    let named = events.into_iter().map(|(name, carried)| (name.to_owned(), Type::Object(carried.clone())));
    Type::Object(named.chain([("at".to_owned(), Type::Instant)]).collect())
}

/// The output of a `refund`.
pub fn refund_type() -> Type {
    Type::Object(fields("refund"))
}

/// The output of a `parallel` with these branches.
pub fn parallel_type<'a>(branches: impl IntoIterator<Item = &'a str>) -> Type {
    let mut all = fields("parallel");
    all.insert("first".to_owned(), Type::words(branches));
    Type::Object(all)
}

/// The output of a `for_each`.
pub fn for_each_type() -> Type {
    Type::Object(fields("for_each"))
}

/// The output of a `restock`.
pub fn restock_type() -> Type {
    Type::Object(fields("restock"))
}

/// The output of an `exchange`.
pub fn exchange_type() -> Type {
    Type::Object(fields("exchange"))
}

/// The output of an `http` that expects this answer.
pub fn http_type(expect: &BTreeMap<String, Type>) -> Type {
    let mut all = fields("http");
    all.extend(expect.iter().map(|(name, kind)| (name.clone(), kind.clone())));
    Type::Object(all)
}

/// The output of a `run`; of one that waits for no end only which case it is.
pub fn run_type(waits: bool) -> Type {
    let mut all = fields("run");
    all.retain(|name, _| waits || name == "case");
    Type::Object(all)
}

/// Where goods may go that nobody has looked at.
pub const RESTOCK_TO: &[&str] = &["quarantine", "scrap", "return_to_maker"];
/// Where goods may go only after an inspection: from there they are sold.
pub const RESTOCK_INSPECTED: &[&str] = &["sellable", "outlet"];

fn with_out(record: &str, provides: &BTreeMap<String, Type>) -> Type {
    let mut all = fields(record);
    all.insert("out".to_owned(), Type::Object(provides.clone()));
    Type::Object(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_of_the_table_is_one() {
        let named = |name: &str| RECORDS.iter().any(|record| record.name == name).then_some(Type::Bool);
        for field in RECORDS.iter().flat_map(|record| record.fields) {
            assert!(types::parse(field.kind, &named).is_ok(), "{}: {}", field.name, field.kind);
        }
    }

    #[test]
    fn attributes_reach_the_lines_inside_the_case() {
        let attributes = Attributes { line: [("colour".to_owned(), Type::Text)].into(), ..Attributes::default() };
        let Some(Type::List(line)) = fields_with("case", &attributes).remove("lines") else { panic!() };
        let Type::Object(line) = *line else { panic!() };
        assert_eq!(line.get("colour"), Some(&Type::Text));
        assert_eq!(line.get("expiry"), Some(&Type::Date.optional()));
    }

    #[test]
    fn a_quote_is_known_by_its_shape() {
        assert!(is_quote(&quote_type(&[("fee".to_owned(), Type::Money)].into())));
        assert!(!is_quote(&verdict_type(&BTreeMap::new())));
    }

    #[test]
    fn only_a_single_event_lends_its_fields() {
        let payload = BTreeMap::from([("rma".to_owned(), Type::Text)]);
        let Type::Object(one) = await_type([("came", &payload)]) else { panic!() };
        let Type::Object(two) = await_type([("came", &payload), ("lost", &payload)]) else { panic!() };
        assert!(one.contains_key("rma") && !two.contains_key("rma"));
    }
}
