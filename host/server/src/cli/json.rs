//! Records as JSON for programs: exact numbers as text, instants in UTC, never the form in which they are stored.

use redress_domain::case::child::Child;
use redress_domain::case::lane::{Lane, LaneId};
use redress_domain::case::{Effect, Held, Item, Line, Output, Piece, Reply, Status, Task, Texts, What};
use redress_domain::clock::Instant;
use redress_domain::money::{Money, Price};
use redress_domain::value::{Fields, Value};
use redress_domain::verdict::{Duty, LineQuote, LineVerdict, Outcome, Quote, Reason, Take, Verdict};
use serde_json::{Map, Value as Json, json};

pub(super) fn value(value: &Value) -> Json {
    match value {
        Value::Bool(yes) => Json::from(*yes),
        Value::Text(text) => Json::from(text.as_str()),
        Value::Number(number) => Json::from(number.normalize().to_string()),
        Value::Money(amount) => money(*amount),
        Value::Price(amount) => price(*amount),
        Value::Date(date) => Json::from(date.to_string()),
        Value::Instant(at) => instant(*at),
        Value::Duration(span) => Json::from(span.to_string()),
        Value::List(items) => items.iter().map(self::value).collect(),
        Value::Object(object) => fields(object),
    }
}

pub(super) fn fields(fields: &Fields) -> Json {
    Json::Object(fields.iter().map(|(name, one)| (name.clone(), value(one))).collect())
}

pub(super) fn money(money: Money) -> Json {
    json!({ "amount": money.amount().to_string(), "currency": money.currency() })
}

pub(super) fn price(price: Price) -> Json {
    json!({ "amount": price.amount().to_string(), "currency": price.currency() })
}

pub(super) fn instant(at: Instant) -> Json {
    Json::from(at.to_string())
}

pub(super) fn each<T>(items: impl IntoIterator<Item = T>, one: impl Fn(T) -> Json) -> Json {
    items.into_iter().map(one).collect()
}

pub(super) fn reason(reason: &Reason) -> Json {
    let cites = reason.cites.as_ref();
    json!({
        "code": reason.code,
        "params": fields(&reason.params),
        "used": reason.used,
        "cites": cites.map(|cites| json!({
            "pack": cites.pack, "rule": cites.rule, "article": cites.article, "mark": cites.mark,
        })),
    })
}

pub(super) fn take(take: &Take) -> Json {
    json!({ "order": take.order, "line": take.line, "quantity": take.quantity })
}

pub(super) fn line(line: &Line) -> Json {
    let unit = line.unit.as_ref();
    json!({
        "sku": line.sku,
        "quantity": line.quantity,
        "reason": line.reason,
        "bought": line.bought.as_ref().map(|bought| json!({ "order": bought.order, "line": bought.line })),
        "unit": unit.map(|unit| json!({
            "lot": unit.lot, "serial": unit.serial, "udi": unit.udi,
            "expiry": unit.expiry.map(|date| date.to_string()),
        })),
        "attributes": fields(&line.attributes),
        "outcome": line.outcome.as_ref().map(outcome),
    })
}

pub(super) fn outcome(outcome: &Outcome) -> Json {
    json!({
        "remedy": outcome.remedy.word(),
        "quantity": outcome.quantity,
        "amount": outcome.amount.map(money),
        "disposition": outcome.disposition.map(|disposition| disposition.word()),
        "reasons": each(&outcome.reasons, reason),
    })
}

pub(super) fn line_verdict(verdict: &LineVerdict) -> Json {
    json!({
        "line": verdict.line,
        "remedy": verdict.remedy.word(),
        "quantity": verdict.quantity,
        "takes": each(&verdict.takes, take),
        "disposition": verdict.disposition.map(|disposition| disposition.word()),
        "tier": verdict.tier.word(),
        "reasons": each(&verdict.reasons, reason),
    })
}

pub(super) fn verdict(verdict: &Verdict) -> Json {
    let duty = |duty: &Duty| {
        json!({
            "to": duty.to.word(), "rule": duty.rule, "due": duty.due.map(instant),
            "reasons": each(&duty.reasons, reason),
        })
    };
    json!({
        "lines": each(&verdict.lines, line_verdict),
        "reasons": each(&verdict.reasons, reason),
        "duties": each(&verdict.duties, duty),
        "provides": fields(&verdict.provides),
    })
}

pub(super) fn quote(quote: &Quote) -> Json {
    let line = |line: &LineQuote| {
        let part = |(kind, amount): (&String, Money)| json!({ "kind": kind, "amount": money(amount) });
        let parts = each(line.parts.iter().map(|part| (&part.kind, part.amount)), part);
        json!({ "line": line.line, "take": take(&line.take), "parts": parts })
    };
    json!({
        "lines": each(&quote.lines, line),
        "reasons": each(&quote.reasons, reason),
        "provides": fields(&quote.provides),
    })
}

pub(super) fn output(output: &Output) -> Json {
    match output {
        Output::Verdict(one) => json!({ "verdict": verdict(one) }),
        Output::Quote(one) => json!({ "quote": quote(one) }),
        Output::Values(values) => json!({ "values": fields(values) }),
        Output::Skipped => json!({ "skipped": true }),
    }
}

pub(super) fn status(status: &Status) -> Json {
    let mut object = Map::from_iter([("word".to_owned(), Json::from(status.word()))]);
    object.extend(status.step().map(|step| ("step".to_owned(), Json::from(step.as_str()))));
    match status {
        Status::Waiting { since, until, .. } => {
            object.insert("since_turn".to_owned(), Json::from(*since));
            object.insert("until".to_owned(), until.map_or(Json::Null, instant));
        }
        Status::Closed { failed } => drop(object.insert("failed".to_owned(), Json::from(*failed))),
        Status::Running { .. } | Status::Held => {}
    }
    Json::Object(object)
}

/// Where a branch or an iteration stands.
pub(super) fn lane(lane: &Lane) -> Json {
    json!({
        "word": lane.place.word(),
        "step": lane.place.step(),
        "until": lane.place.until().map(instant),
        "vars": fields(&lane.vars),
    })
}

/// The name of a lane; nothing for the main line.
pub(super) fn lane_name(lane: &LaneId) -> Json {
    if lane.is_main() { Json::Null } else { Json::from(lane.to_string()) }
}

pub(super) fn held(held: &Held) -> Json {
    json!({ "line": held.line, "take": take(&held.take) })
}

pub(super) fn item(item: &Item) -> Json {
    json!({ "line": item.line, "take": take(&item.take), "amount": money(item.amount) })
}

pub(super) fn task(task: &Task) -> Json {
    use redress_domain::case::About;
    let about = match &task.about {
        About::Review { step } => json!({ "review": { "step": step } }),
        About::Inspection { step } => json!({ "inspection": { "step": step } }),
        About::Failure { step, code } => json!({ "failure": { "step": step, "code": code } }),
        About::Effect { key } => json!({ "effect": { "key": key } }),
        About::Unrouted => json!({ "unrouted": {} }),
        About::TooLong => json!({ "too_long": {} }),
    };
    json!({
        "about": about,
        "lane": lane_name(&task.lane),
        "queue": task.queue,
        "title": task.title,
        "opened_at": instant(task.opened_at),
        "reasons": each(&task.reasons, reason),
        "imported": task.imported,
        "due": task.deadline.as_ref().map(|deadline| instant(deadline.due)),
        "overdue": task.deadline.as_ref().is_some_and(|deadline| deadline.overdue),
        "answered_first_by": task.proposal.as_ref().map(|proposal| &proposal.by),
    })
}

pub(super) fn what(what: &What) -> Json {
    match what {
        What::Refund(refund) => json!({ "refund": {
            "order": refund.order,
            "payment": refund.payment,
            "method": refund.method,
            "amount": money(refund.amount),
            "items": each(&refund.items, item),
        }}),
        What::Restock { to, goods, lot, serial } => json!({ "restock": {
            "to": to,
            "lot": lot,
            "serial": serial,
            "goods": each(goods, |(sku, quantity)| json!({ "sku": sku, "quantity": quantity })),
        }}),
        What::Notice { template, to, channel, message } => {
            let texts = |texts: &Texts| -> Json {
                let one = |(locale, pieces): (&String, &Vec<Piece>)| {
                    (locale.clone(), pieces.iter().map(Piece::as_str).collect::<String>().into())
                };
                Json::Object(texts.iter().map(one).collect())
            };
            let message = message
                .as_ref()
                .map(|one| json!({ "digest": one.digest, "subject": texts(&one.subject), "text": texts(&one.text) }));
            json!({ "notice": { "template": template, "to": to, "channel": channel, "message": message } })
        }
        What::Exchange(exchange) => json!({ "exchange": {
            "sku": exchange.sku,
            "quantity": exchange.quantity,
            "hold_until": instant(exchange.hold_until),
            "price_difference": exchange.price_difference,
            "items": each(&exchange.items, |item| json!({ "line": item.line, "take": take(&item.take) })),
        }}),
        What::Http(request) => json!({ "http": { "target": request.target, "body": fields(&request.body) } }),
    }
}

pub(super) fn effect(effect: &Effect) -> Json {
    json!({
        "step": effect.step, "lane": lane_name(&effect.lane), "what": what(&effect.what), "undoes": effect.undoes,
        "state": effect.state.word(), "reference": effect.reference, "code": effect.code,
        "reply": effect.reply.as_ref().map(reply),
    })
}

pub(super) fn child(child: &Child) -> Json {
    json!({
        "step": child.step, "lane": lane_name(&child.lane), "workflow": child.workflow, "revision": child.pin,
        "inputs": fields(&child.inputs), "number": child.number, "state": child.state.word(), "code": child.state.code(),
    })
}

pub(super) fn reply(reply: &Reply) -> Json {
    json!({ "fields": fields(&reply.fields), "wrong": reply.wrong })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exact_numbers_and_amounts_are_text_with_all_their_digits() {
        let gbp = "GBP".parse().unwrap();
        assert_eq!(value(&Value::Number("0.10".parse().unwrap())), "0.1");
        assert_eq!(money(Money::from_minor(1250, gbp)), json!({ "amount": "12.50", "currency": "GBP" }));
        assert_eq!(price(Price::new("0.001".parse().unwrap(), gbp)), json!({ "amount": "0.001", "currency": "GBP" }));
        assert_eq!(value(&Value::Instant(Instant::from_unix_ms(0))), "1970-01-01T00:00:00.000Z");
    }
}
