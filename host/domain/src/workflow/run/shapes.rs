//! What records look like in expressions. The types of the same shapes stand in `workflow::builtin`; a test holds them together.

use crate::case::{Case, Line, Output};
use crate::facts::Facts;
use crate::ids::CustomerId;
use crate::money::Money;
use crate::order::Order;
use crate::value::{Fields, Value};
use crate::verdict::{Quote, Reason, Remedy, Take, Verdict};

fn text(text: impl ToString) -> Option<Value> {
    Some(Value::Text(text.to_string()))
}

fn number(number: impl Into<u64>) -> Option<Value> {
    Some(Value::whole(number.into()))
}

fn place(index: usize) -> Option<Value> {
    number(index as u64)
}

fn merged(own: Value, attributes: &Fields) -> Value {
    match own {
        Value::Object(mut fields) => {
            for (name, value) in attributes {
                // What a shop or a submission calls an attribute never stands in for a built-in field.
                fields.entry(name.clone()).or_insert_with(|| value.clone());
            }
            Value::Object(fields)
        }
        other => other,
    }
}

/// The root `case`.
pub fn case(case: &Case) -> Value {
    let lines = case.lines.iter().enumerate().map(|(index, one)| line(index, one)).collect();
    let own = Value::object([
        ("id", text(case.id)),
        ("number", text(&case.number)),
        ("type", text(&case.kind)),
        ("reason", case.reason.as_ref().and_then(text)),
        ("claim", case.claim.as_ref().and_then(text)),
        ("opened_at", Some(Value::Instant(case.opened_at))),
        ("channel", text(&case.channel)),
        ("source", case.external.as_ref().and_then(|external| text(&external.source))),
        ("external_id", case.external.as_ref().and_then(|external| text(&external.id))),
        ("currency", text(case.currency)),
        ("customer", case.customer.as_ref().and_then(text)),
        ("order", case.order.as_ref().and_then(text)),
        ("lines", Some(Value::List(lines))),
    ]);
    merged(own, &case.attributes)
}

/// An element of `case.lines`, and the root `item`.
pub fn line(index: usize, line: &Line) -> Value {
    let unit = line.unit.as_ref();
    let own = Value::object([
        ("index", place(index)),
        ("sku", text(line.sku.as_str())),
        ("quantity", number(line.quantity)),
        ("reason", line.reason.as_ref().and_then(text)),
        ("lot", unit.and_then(|unit| text(unit.lot.as_ref()?))),
        ("serial", unit.and_then(|unit| text(unit.serial.as_ref()?))),
        ("expiry", unit.and_then(|unit| Some(Value::Date(unit.expiry?)))),
        ("udi", unit.and_then(|unit| text(unit.udi.as_ref()?))),
        ("order", line.bought.as_ref().and_then(|bought| text(&bought.order))),
        ("order_line", line.bought.as_ref().and_then(|bought| number(bought.line))),
    ]);
    merged(own, &line.attributes)
}

/// The root `customer`.
pub fn customer(id: &CustomerId) -> Value {
    Value::object([("id", text(id))])
}

/// The root `order`.
pub fn order(order: &Order, facts: &Facts) -> Value {
    let ledger = facts.ledgers.get(&order.id).and_then(|at| at.ledger.as_ref());
    let zero = Money::zero(order.currency);
    let lines = order.lines.iter().enumerate().map(|(index, line)| {
        let held = u32::try_from(index).ok().and_then(|index| ledger?.line(index));
        let own = Value::object([
            ("line", place(index)),
            ("sku", text(line.sku.as_str())),
            ("quantity", number(line.quantity)),
            ("left", number(held.map_or(line.quantity, |held| held.left()))),
            ("at", Some(Value::Instant(line.at))),
            ("delivered_at", line.delivered_at.map(Value::Instant)),
            ("unit_price", Some(Value::Price(line.unit_price))),
            ("paid", Some(Value::Money(line.paid.total))),
        ]);
        merged(own, &line.attributes)
    });
    let own = Value::object([
        ("id", text(&order.id)),
        ("currency", text(order.currency)),
        ("placed_at", Some(Value::Instant(order.placed_at))),
        ("delivered_at", order.lines.iter().map(|line| line.delivered_at).max().flatten().map(Value::Instant)),
        ("paid_total", Some(Value::Money(order.paid_total().unwrap_or(zero)))),
        ("refunded_total", Some(Value::Money(ledger.map_or(zero, |ledger| ledger.refunded())))),
        ("lines", Some(Value::List(lines.collect()))),
    ]);
    merged(own, &order.attributes)
}

/// What a step gave; none where it was skipped.
pub fn output(case: &Case, output: &Output) -> Option<Value> {
    match output {
        Output::Verdict(given) => Some(verdict(case, given)),
        Output::Quote(given) => Some(quote(case, given)),
        Output::Values(fields) => Some(Value::Object(fields.clone())),
        Output::Skipped => None,
    }
}

fn verdict(case: &Case, verdict: &Verdict) -> Value {
    let lines = verdict.lines.iter().map(|line| {
        let asked = case.lines.get(line.line as usize);
        Value::object([
            ("line", number(line.line)),
            ("sku", asked.and_then(|asked| text(asked.sku.as_str()))),
            ("asked", asked.and_then(|asked| number(asked.quantity))),
            ("remedy", text(line.remedy.word())),
            ("quantity", number(line.quantity)),
            ("takes", Some(Value::List(line.takes.iter().map(take).collect()))),
            ("disposition", line.disposition.and_then(|disposition| text(disposition.word()))),
            ("tier", text(line.tier.word())),
            ("reasons", Some(reasons(&line.reasons))),
        ])
    });
    let duties = verdict.duties.iter().map(|duty| {
        Value::object([("to", text(duty.to.word())), ("rule", text(&duty.rule)), ("due", duty.due.map(Value::Instant))])
    });
    let remedies = || verdict.lines.iter().map(|line| line.remedy);
    let remedy = match () {
        () if remedies().any(|remedy| remedy == Remedy::Review) => Remedy::Review,
        () if remedies().any(|remedy| remedy == Remedy::Allow) => Remedy::Allow,
        () => Remedy::Deny,
    };
    Value::object([
        ("lines", Some(Value::List(lines.collect()))),
        ("reasons", Some(reasons(&verdict.reasons))),
        ("duties", Some(Value::List(duties.collect()))),
        ("remedy", text(remedy.word())),
        ("out", Some(Value::Object(verdict.provides.clone()))),
    ])
}

fn quote(case: &Case, quote: &Quote) -> Value {
    let zero = Money::zero(case.currency);
    let lines = quote.lines.iter().map(|line| {
        Value::object([
            ("line", number(line.line)),
            ("order", text(&line.take.order)),
            ("order_line", number(line.take.line)),
            ("quantity", number(line.take.quantity)),
            ("amount", Some(Value::Money(line.amount(case.currency).unwrap_or(zero)))),
        ])
    });
    Value::object([
        ("lines", Some(Value::List(lines.collect()))),
        // `call` refuses a quote in another currency, so the sum exists.
        ("total", Some(Value::Money(quote.total(case.currency).unwrap_or(zero)))),
        ("reasons", Some(reasons(&quote.reasons))),
        ("out", Some(Value::Object(quote.provides.clone()))),
    ])
}

fn take(take: &Take) -> Value {
    Value::object([("order", text(&take.order)), ("line", number(take.line)), ("quantity", number(take.quantity))])
}

fn reasons(reasons: &[Reason]) -> Value {
    let reason = |reason: &Reason| {
        let cites = reason.cites.as_ref().map(|cites| {
            Value::object([
                ("pack", text(&cites.pack)),
                ("rule", text(&cites.rule)),
                ("article", text(&cites.article)),
                ("mark", text(&cites.mark)),
            ])
        });
        let used = Value::List(reason.used.iter().map(Value::text).collect());
        Value::object([("code", text(&reason.code)), ("cites", cites), ("used", Some(used))])
    };
    Value::List(reasons.iter().map(reason).collect())
}
