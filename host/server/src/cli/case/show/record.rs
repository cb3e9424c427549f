//! A case for programs: everything that is known of it, turn by turn.

use redress_domain::ask::{Answer, Answered, Asked};
use redress_domain::case::Case;
use redress_domain::case::command::{Actor, Body, Command, Timer};
use redress_domain::decision::{Condition, Part, Turn};
use redress_domain::facts::{Facts, LedgerAt, Purchase};
use redress_domain::order::Order;
use serde_json::{Map, Value as Json, json};

use super::entries;
use super::story::{LineStory, LineTake, Opinion, Story};
use crate::cli::json::{
    child, each, effect, fields, held, instant, lane, lane_name, line, line_verdict, money, output, price, quote,
    reason, status, take, task, verdict,
};
use crate::http::wire::start::StartedView;

pub(super) fn story(story: &Story) -> Json {
    let Json::Object(mut object) = case(&story.case) else { return Json::Null };
    let revision = story.revision.as_ref();
    object.insert("revision_number".to_owned(), revision.map(|revision| revision.number).into());
    let paused = story.paused.as_ref();
    object.insert(
        "paused".to_owned(),
        paused.map_or(Json::Null, |since| json!({ "at": instant(since.at), "by": since.by.id, "note": since.note })),
    );
    object.insert("plugins".to_owned(), json!(revision.map(|revision| &revision.plugins)));
    let lines = story.case.lines.iter().zip(&story.lines);
    object.insert("lines".to_owned(), each(lines, |(one, why)| explained(line(one), why)));
    object.insert("turns".to_owned(), each(&story.turns, turn));
    Json::Object(object)
}

fn case(case: &Case) -> Json {
    let tasks = each(&case.tasks, |(id, one)| with_key(json!({ "id": id }), task(one)));
    json!({
        "id": case.id,
        "number": case.number,
        "kind": case.kind,
        "external_id": case.external.as_ref().map(|external| &external.id),
        "source": case.external.as_ref().map(|external| &external.source),
        "history": case.history,
        "workflow": case.workflow,
        "revision": case.revision,
        "opened_at": instant(case.opened_at),
        "changed_at": instant(case.changed_at),
        "turn": case.turn,
        "customer": case.customer,
        "order": case.order,
        "currency": case.currency,
        "reason": case.reason,
        "claim": case.claim,
        "channel": case.channel,
        "attributes": fields(&case.attributes),
        "status": status(&case.status),
        "lanes": each(&case.lanes, |(id, one)| with_key(json!({ "lane": id }), lane(one))),
        "result": case.result,
        "remedy": case.remedy().word(),
        "refunded": case.refunded().amount().to_string(),
        "on_its_way": case.on_its_way().amount().to_string(),
        "decisive_reasons": case.decisive_reasons(),
        "reasons": each(&case.reasons, reason),
        "vars": fields(&case.vars),
        "outputs": Json::Object(case.outputs.iter().map(|(step, one)| (step.clone(), output(one))).collect()),
        "reserved": each(&case.reserved, held),
        "tasks": tasks,
        "effects": each(&case.effects, |(key, one)| with_key(json!({ "key": key }), effect(one))),
        "events": each(&case.events, |event| json!({
            "name": event.name, "at": instant(event.at), "fields": fields(&event.fields),
        })),
        "kept": each(&case.deferred, |kept| json!({ "what": kept.body.name(), "at": instant(kept.occurred_at) })),
        "started": case.started.as_ref().map(StartedView::from),
        "parent": case.parent.as_ref().map(|parent| json!({
            "id": parent.case, "number": parent.number, "step": parent.step, "awaited": parent.awaited,
            "depth": parent.depth,
        })),
        "sub_cases": each(&case.children, |(id, one)| with_key(json!({ "id": id }), child(one))),
    })
}

/// An object, with what names it in front.
fn with_key(key: Json, object: Json) -> Json {
    let of = |json: Json| if let Json::Object(object) = json { object } else { Map::new() };
    let mut all = of(key);
    all.extend(of(object));
    Json::Object(all)
}

fn explained(line: Json, why: &LineStory) -> Json {
    let taken = |one: &LineTake| {
        let about = json!({
            "state": one.state.word(),
            "amount": one.amount.map(money),
            "bought_at": one.purchase.as_ref().map(|purchase| instant(purchase.at)),
            "unit_price": one.purchase.as_ref().map(|purchase| price(purchase.unit_price)),
        });
        with_key(take(&one.take), about)
    };
    let opinion = |one: &Opinion| {
        let by = json!({ "turn": one.turn, "step": one.step, "plugin": one.plugin });
        with_key(by, line_verdict(&one.verdict))
    };
    let why = json!({ "takes": each(&why.takes, taken), "opinions": each(&why.opinions, opinion) });
    with_key(line, why)
}

fn turn(turn: &Turn) -> Json {
    json!({
        "number": turn.number,
        "at": instant(turn.at),
        "command": command(&turn.command),
        "facts": facts(&turn.facts),
        "asks": each(&turn.asks, asked),
        "conditions": each(&turn.conditions, condition),
        "entries": each(&turn.entries, |entry| {
            with_key(json!({ "entry": entry.name() }), entries::json(entry))
        }),
    })
}

pub(in crate::cli) fn condition(condition: &Condition) -> Json {
    let part = |part: &Part| {
        let values = each(&part.values, |(expression, value)| json!({ "expression": expression, "value": value }));
        json!({ "part": part.source, "holds": part.holds, "values": values })
    };
    json!({
        "step": condition.step,
        "condition": condition.source,
        "holds": condition.holds,
        "parts": each(&condition.parts, part),
    })
}

fn command(command: &Command) -> Json {
    json!({
        "name": command.body.name(),
        "occurred_at": instant(command.occurred_at),
        "recorded_at": instant(command.recorded_at),
        "actor": actor(&command.actor),
        "channel": command.channel,
        "source": command.source,
        "reason": command.reason,
        "body": body(&command.body),
    })
}

fn actor(actor: &Actor) -> Json {
    json!({ "kind": actor.kind, "id": actor.id, "role": actor.role })
}

fn body(body: &Body) -> Json {
    match body {
        Body::Open(open) => json!({
            "kind": open.kind,
            "external_id": open.external.as_ref().map(|external| &external.id),
            "source": open.external.as_ref().map(|external| &external.source),
            "history": open.history,
            "customer": open.customer,
            "order": open.order,
            "currency": open.currency,
            "reason": open.reason,
            "claim": open.claim,
            "attributes": fields(&open.attributes),
            "lines": each(&open.lines, line),
        }),
        Body::Complete(complete) => json!({
            "task": complete.task,
            "outcome": complete.outcome,
            "form": fields(&complete.form),
            "live": complete.live,
            "lines": each(&complete.lines, |line| json!({
                "line": line.line, "remedy": line.remedy.word(), "quantity": line.quantity, "reason": line.reason,
            })),
        }),
        Body::Claim(task) | Body::Release(task) => json!({ "task": task }),
        Body::Event(event) => json!({ "event": event.name, "fields": fields(&event.fields) }),
        Body::Timer(Timer::Wait { step, since, lane }) => {
            json!({ "wait": { "step": step, "since_turn": since, "lane": lane_name(lane) } })
        }
        Body::Timer(Timer::Reservation { since }) => json!({ "reservation": { "since": since } }),
        Body::Timer(Timer::Task { task }) => json!({ "task": task }),
        Body::Timer(Timer::Remind { step, since, lane, .. }) => {
            json!({ "remind": { "step": step, "since_turn": since, "lane": lane_name(lane) } })
        }
        Body::Timer(Timer::OpenFor) => json!({ "open_for": true }),
        Body::Settle(settle) => {
            json!({ "key": settle.key, "outcome": settle.outcome, "reference": settle.reference })
        }
        Body::Resend(key) => json!({ "key": key }),
        Body::SubCase(ended) => json!({
            "id": ended.case, "number": ended.number, "how": ended.ending.word(), "code": ended.ending.code(),
        }),
        Body::Migrate(plan) => json!({
            "from": plan.from, "to": plan.to, "steps": plan.steps, "timers": plan.timers,
            "vars": plan.vars.keys().collect::<Vec<_>>(),
        }),
        Body::Cancel | Body::Continue => json!({}),
    }
}

fn facts(facts: &Facts) -> Json {
    let bought = |purchase: &Purchase| {
        let (left, refunded) = facts.left(purchase);
        with_key(self::purchase(purchase), json!({ "left": left, "refunded": money(refunded) }))
    };
    json!({
        "purchases": each(&facts.purchases, bought),
        "too_large": facts.too_large,
        "ledgers": each(&facts.ledgers, |(order, at)| with_key(json!({ "order": order }), ledger(at))),
        "own": each(&facts.own, held),
        "order": facts.order.as_ref().map(order),
    })
}

fn purchase(purchase: &Purchase) -> Json {
    json!({
        "order": purchase.order,
        "line": purchase.line,
        "sku": purchase.sku,
        "at": instant(purchase.at),
        "delivered_at": purchase.delivered_at.map(instant),
        "quantity": purchase.quantity,
        "unit_price": price(purchase.unit_price),
        "paid": money(purchase.paid),
        "order_paid": money(purchase.order_paid),
        "attributes": fields(&purchase.attributes),
    })
}

fn ledger(at: &LedgerAt) -> Json {
    let lines = at.ledger.iter().flat_map(|ledger| ledger.lines());
    json!({
        "version": at.version,
        "refunded": at.ledger.as_ref().map(|ledger| money(ledger.refunded())),
        "lines": each(lines, |(number, line)| json!({
            "line": number,
            "bought": line.bought,
            "paid": money(line.paid),
            "reserved": line.reserved,
            "returned": line.returned,
            "refunded": money(line.refunded),
        })),
    })
}

fn order(order: &Order) -> Json {
    json!({
        "id": order.id,
        "customer": order.customer,
        "currency": order.currency,
        "placed_at": instant(order.placed_at),
        "lines": each(&order.lines, |line| json!({
            "sku": line.sku,
            "quantity": line.quantity,
            "at": instant(line.at),
            "delivered_at": line.delivered_at.map(instant),
            "unit_price": price(line.unit_price),
            "paid": money(line.paid.total),
            "attributes": fields(&line.attributes),
        })),
        "payments": each(&order.payments, |payment| json!({
            "id": payment.id, "provider": payment.provider, "reference": payment.reference,
            "captured": money(payment.captured),
        })),
        "attributes": fields(&order.attributes),
    })
}

fn asked(asked: &Asked) -> Json {
    let (ask, Answered { outcome, fuel, request, encoder, contract, engine }) = (&asked.ask, &asked.answered);
    let answer = match outcome {
        Ok(Answer::Verdict(one)) => json!({ "verdict": verdict(one) }),
        Ok(Answer::Quote(one)) => json!({ "quote": quote(one) }),
        Ok(Answer::Values(values)) => json!({ "values": fields(values) }),
        Err(failure) => json!({ "failure": {
            "code": failure.code, "detail": failure.detail, "reasons": each(&failure.reasons, reason),
        }}),
    };
    json!({
        "step": ask.step,
        "plugin": ask.plugin,
        "digest": ask.digest,
        "hook": super::text::hook(ask.hook),
        "now": instant(ask.now),
        "seed": ask.seed.to_string(),
        "jurisdiction": ask.jurisdiction,
        "args": fields(&ask.args),
        "fuel": fuel,
        "request": request,
        "encoder": encoder,
        "contract": contract,
        "engine": engine,
        "answer": answer,
    })
}
