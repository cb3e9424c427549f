//! The entries of a journal: in a sentence for people, in fields for programs. A new kind of entry does not compile until it has both.

use redress_domain::case::entry::Entry;
use redress_domain::case::{Arrived, Effect, Item, Output, What};
use redress_domain::clock::Zone;
use serde_json::{Value as Json, json};

use crate::cli::json::{
    child as json_child, each, effect, fields, instant, item, lane_name, output, reason, reply, take, task, value, what,
};
use crate::cli::words;

/// A sentence.
pub(in crate::cli) fn sentence(entry: &Entry, zone: Zone) -> String {
    match entry {
        Entry::Opened(opened) => match (&opened.workflow, &opened.revision) {
            (Some(workflow), Some(revision)) => {
                format!("opened as number {} on workflow {workflow}, revision {}", opened.number, revision.short())
            }
            _ => format!("opened as number {}", opened.number),
        },
        Entry::Held => "held: no workflow took the case".to_owned(),
        Entry::Skipped { step } => format!("{step}: skipped, its `when` does not hold"),
        Entry::Decided { step, then, because: Some(because) } => format!("{step}: to {then}, because {because}"),
        Entry::Decided { step, then, because: None } => format!("{step}: to {then}, because nothing else holds"),
        Entry::TableMatched { step, rows, inputs } => format!("{step}: {}", words::table(rows, inputs)),
        Entry::VarsSet { values } => format!("set {}", words::fields(values)),
        Entry::Gave { step, output, .. } => format!("{step}: {}", gave(output)),
        Entry::Failed { step, code, detail } => format!("{step}: failed, {code}: {detail}"),
        Entry::Reserved { line, take, until } => {
            let until = until.map(|until| format!(" until {}", until.display(zone))).unwrap_or_default();
            format!("line {line}: reserved {}{until}", words::take(take))
        }
        Entry::Released { line, take } => format!("line {line}: released {}", words::take(take)),
        Entry::Intended { key, effect } => format!("{}: {}, effect {key}", effect.step, intent(effect)),
        Entry::Settled { key, outcome, reference, via, reply, code } => {
            let code = code.as_ref().map(|code| format!(", {code}")).unwrap_or_default();
            let reference = reference.as_ref().map(|reference| format!(", reference {reference}")).unwrap_or_default();
            let reply = reply.as_ref().map(|reply| format!(", answered {}", words::fields(&reply.fields)));
            let reply = reply.unwrap_or_default();
            format!("effect {} {} by {via}{code}{reference}{reply}", key.short(), settled(*outcome))
        }
        Entry::Resent { key, by } => format!("effect {} sent again by {by}", key.short()),
        Entry::Registered { step, what, .. } => format!("{step}: would be undone by {}", asks(what)),
        Entry::Undone { place } => format!("undone: compensation {}", place + 1),
        Entry::Booked { items } => format!("booked {}", items_in_words(items)),
        Entry::Unbooked { items } => format!("took out of the books {}", items_in_words(items)),
        Entry::TaskOpened { id, task } => {
            let codes: Vec<_> = task.reasons.iter().map(words::reason).collect();
            let why = if codes.is_empty() { String::new() } else { format!(", because {}", codes.join("; ")) };
            format!("task {id} for {}: {}{why}", task.queue, task.title)
        }
        Entry::TaskClaimed { id, by } => format!("task {id} taken by {by}"),
        Entry::TaskReleased { id } => format!("task {id} given back"),
        Entry::TaskCompleted { id, outcome, by, live } => {
            let live = if *live { ", effects are real from here on" } else { "" };
            format!("task {id} answered {outcome} by {by}{live}")
        }
        Entry::TaskProposed { id, proposal } => {
            format!("task {id} answered {} by {}, a second person must agree", proposal.outcome, proposal.by)
        }
        Entry::TaskReminded { id, at, passed_over } => {
            format!("task {id}: reminder of {}{}", at.display(zone), missed(*passed_over))
        }
        Entry::TaskOverdue { id, at } => format!("task {id} was due at {}", at.display(zone)),
        Entry::TaskEscalated { id, to, at, passed_over } => {
            format!("task {id} goes to {to}, as of {}{}", at.display(zone), missed(*passed_over))
        }
        Entry::WaitReminded { step, at, passed_over } => {
            format!("{step}: reminder of {}{}", at.display(zone), missed(*passed_over))
        }
        Entry::TaskClosed { id } => format!("task {id} is no longer needed"),
        Entry::WaitBegan { step, until: Some(until), .. } => format!("{step}: waits until {}", until.display(zone)),
        Entry::WaitBegan { step, until: None, .. } => format!("{step}: waits"),
        Entry::TimedOut { step } => format!("{step}: its time is over"),
        Entry::EventKept { event } => format!("{} is kept, nothing waits for it yet", happened(event, zone)),
        Entry::EventTaken { step, event, .. } => format!("{step}: {}", happened(event, zone)),
        Entry::EventGathered { step, event, .. } => {
            format!("{step}: {}, and waits for the rest", happened(event, zone))
        }
        Entry::EventsLetGo { step } => format!("{step}: the events that had come are kept for later waits"),
        Entry::Ignored { what, why } => format!("{what} is ignored: {why}"),
        Entry::Paused { step } => format!("the run was cut after many steps and goes on at {step}"),
        Entry::Deferred { command } => {
            let (what, at) = (command.body.name(), command.occurred_at.display(zone));
            format!("{what} of {at} is kept: the revision is on hold")
        }
        Entry::TakenUp => "goes on with what was kept first:".to_owned(),
        Entry::Migrated(migrated) => {
            let until = migrated.until.map(|at| format!(" until {}", at.display(zone))).unwrap_or_default();
            format!("{}: goes on with revision {}, waits{until}", migrated.step, migrated.to.short())
        }
        Entry::TaskMoved { id, queue, title, .. } => format!("task {id} is for {queue} now: {title}"),
        Entry::LaneEntered { lane } if lane.is_main() => "on the main line:".to_owned(),
        Entry::LaneEntered { lane } => format!("in {lane}:"),
        Entry::LanesOpened { step, elements } if elements.is_empty() => format!("{step}: several things begin at once"),
        Entry::LanesOpened { step, elements } => format!("{step}: goes through {} elements", elements.len()),
        Entry::LaneBegan { lane, step } => format!("{lane} begins at {step}"),
        Entry::LaneSet { values } => format!("set {} until the others are done", words::fields(values)),
        Entry::LaneEnded { lane } => format!("{lane} came to its end"),
        Entry::LanesJoined { step } => format!("{step}: goes on"),
        Entry::SubCaseIntended { id, child } => {
            let inputs =
                if child.inputs.is_empty() { String::new() } else { format!(" with {}", words::fields(&child.inputs)) };
            format!("{}: opens {id} on workflow {}@{}{inputs}", child.step, child.workflow, child.pin)
        }
        Entry::SubCaseLeft { id, called_off: true } => format!("sub-case {id} is called off"),
        Entry::SubCaseLeft { id, called_off: false } => format!("sub-case {id} goes on by itself"),
        Entry::SubCaseEnded(ended) => {
            let name = ended.number.clone().unwrap_or_else(|| ended.case.to_string());
            format!("sub-case {name} {}", words::ending(&ended.ending))
        }
        Entry::WentBack { step, to } => format!("{step}: back to {to}"),
        Entry::Finished { result } => format!("finished: {result}"),
        Entry::CaseFailed { code } => format!("failed: {code}"),
        Entry::Cancelled { reason } => format!("cancelled: {}", reason.as_deref().unwrap_or("no reason given")),
        Entry::ReasonsAdded { reasons } => {
            format!("reasons {}", reasons.iter().map(words::reason).collect::<Vec<_>>().join("; "))
        }
    }
}

/// The fields.
pub(in crate::cli) fn json(entry: &Entry) -> Json {
    match entry {
        Entry::Opened(opened) => json!({
            "number": opened.number, "kind": opened.submission.kind, "workflow": opened.workflow, "revision": opened.revision,
            "vars": fields(&opened.vars), "parent": opened.parent.as_ref().map(|parent| parent.case),
        }),
        Entry::Held | Entry::TakenUp => json!({}),
        Entry::Deferred { command } => json!({ "what": command.body.name(), "at": instant(command.occurred_at) }),
        Entry::Skipped { step } | Entry::TimedOut { step } | Entry::Paused { step } | Entry::LanesJoined { step } => {
            json!({ "step": step })
        }
        Entry::LaneEntered { lane } | Entry::LaneEnded { lane } => json!({ "lane": lane_name(lane) }),
        Entry::SubCaseIntended { id, child } => json!({ "id": id, "child": json_child(child) }),
        Entry::SubCaseLeft { id, called_off } => json!({ "id": id, "called_off": called_off }),
        Entry::SubCaseEnded(ended) => {
            json!({ "id": ended.case, "number": ended.number, "how": ended.ending.word(), "code": ended.ending.code() })
        }
        Entry::WentBack { step, to } => json!({ "step": step, "then": to }),
        Entry::LaneBegan { lane, step } => json!({ "lane": lane, "step": step }),
        Entry::LanesOpened { step, elements } => json!({ "step": step, "elements": elements.len() }),
        Entry::Decided { step, then, because } => json!({ "step": step, "then": then, "because": because }),
        Entry::TableMatched { step, rows, inputs } => json!({
            "step": step,
            "rows": each(rows, |row| json!({ "row": row.number, "cells": row.cells })),
            "inputs": each(inputs, |input| json!({ "expression": input.expression, "value": input.value.as_ref().map(value) })),
        }),
        Entry::VarsSet { values } | Entry::LaneSet { values } => json!({ "values": fields(values) }),
        Entry::Gave { step, plugin, output: given } => {
            json!({ "step": step, "plugin": plugin, "output": output(given) })
        }
        Entry::Failed { step, code, detail } => json!({ "step": step, "code": code, "detail": detail }),
        Entry::Reserved { line, take: taken, until } => {
            json!({ "line": line, "take": take(taken), "until": until.map(instant) })
        }
        Entry::Released { line, take: taken } => json!({ "line": line, "take": take(taken) }),
        Entry::Intended { key, effect: intended } => json!({ "key": key, "effect": effect(intended) }),
        Entry::Settled { key, outcome, reference, via, reply: answered, code } => {
            let answered = answered.as_ref().map(reply);
            json!({ "key": key, "outcome": outcome, "reference": reference, "via": via, "reply": answered, "code": code })
        }
        Entry::Resent { key, by } => json!({ "key": key, "by": by }),
        Entry::Registered { step, what: asked, .. } => json!({ "step": step, "what": what(asked) }),
        Entry::Undone { place } => json!({ "place": place }),
        Entry::Booked { items } | Entry::Unbooked { items } => json!({ "items": each(items, item) }),
        Entry::TaskOpened { id, task: opened } => json!({ "id": id, "task": task(opened) }),
        Entry::TaskClaimed { id, by } => json!({ "id": id, "by": by }),
        Entry::TaskCompleted { id, outcome, by, live } => {
            json!({ "id": id, "outcome": outcome, "by": by, "live": live })
        }
        Entry::TaskProposed { id, proposal } => json!({
            "id": id, "outcome": proposal.outcome, "form": fields(&proposal.form), "by": proposal.by,
        }),
        Entry::TaskOverdue { id, at } => json!({ "id": id, "at": instant(*at) }),
        Entry::TaskReminded { id, at, passed_over } => {
            json!({ "id": id, "at": instant(*at), "passed_over": passed_over })
        }
        Entry::TaskEscalated { id, to, at, passed_over } => {
            json!({ "id": id, "to": to, "at": instant(*at), "passed_over": passed_over })
        }
        Entry::WaitReminded { step, at, passed_over } => {
            json!({ "step": step, "at": instant(*at), "passed_over": passed_over })
        }
        Entry::TaskReleased { id } | Entry::TaskClosed { id } => json!({ "id": id }),
        Entry::WaitBegan { step, until, holidays } => {
            json!({ "step": step, "until": until.map(instant), "holidays": holidays })
        }
        Entry::EventKept { event } => json!({ "event": arrived(event) }),
        Entry::EventTaken { step, event, kept } => json!({ "step": step, "event": arrived(event), "kept": kept }),
        Entry::EventGathered { step, arm, event, kept } => {
            json!({ "step": step, "arm": arm, "event": arrived(event), "kept": kept })
        }
        Entry::EventsLetGo { step } => json!({ "step": step }),
        Entry::Ignored { what, why } => json!({ "what": what, "why": why }),
        Entry::Migrated(migrated) => json!({
            "from": migrated.from, "to": migrated.to, "step": migrated.step, "steps": migrated.steps,
            "vars": fields(&migrated.vars), "until": migrated.until.map(instant),
        }),
        Entry::TaskMoved { id, queue, title, reasons } => {
            json!({ "id": id, "queue": queue, "title": title, "reasons": each(reasons, reason) })
        }
        Entry::Finished { result } => json!({ "result": result }),
        Entry::CaseFailed { code } => json!({ "code": code }),
        Entry::Cancelled { reason } => json!({ "reason": reason }),
        Entry::ReasonsAdded { reasons } => json!({ "reasons": each(reasons, reason) }),
    }
}

fn arrived(event: &Arrived) -> Json {
    json!({ "name": event.name, "at": instant(event.at), "fields": fields(&event.fields) })
}

fn happened(event: &Arrived, zone: Zone) -> String {
    let carried =
        if event.fields.is_empty() { String::new() } else { format!(" with {}", words::fields(&event.fields)) };
    format!("event {} of {}{carried}", event.name, event.at.display(zone))
}

/// What came due while nobody was there to do it.
fn missed(passed_over: u32) -> String {
    if passed_over == 0 { String::new() } else { format!(", {passed_over} earlier ones passed over") }
}

fn gave(output: &Output) -> String {
    match output {
        Output::Verdict(verdict) => words::verdict(verdict),
        Output::Quote(quote) => words::quote(quote),
        Output::Values(values) if values.is_empty() => "gave nothing".to_owned(),
        Output::Values(values) => format!("gave {}", words::fields(values)),
        Output::Skipped => "skipped".to_owned(),
    }
}

/// What an effect does.
pub(super) fn intent(effect: &Effect) -> String {
    let undoes = if effect.undoes.is_some() { "undo: " } else { "" };
    format!("{undoes}{}", asks(&effect.what))
}

fn asks(what: &What) -> String {
    match what {
        What::Refund(refund) => {
            let order = refund.order.as_ref().map(|order| format!(" of order {order}")).unwrap_or_default();
            let payment = refund.payment.as_ref().map(|payment| format!(", payment {payment}")).unwrap_or_default();
            format!("refund {}{order}{payment} by {}", refund.amount, refund.method)
        }
        What::Restock { to, goods, lot, serial } => {
            let goods: Vec<_> = goods.iter().map(|(sku, quantity)| format!("{quantity} x {sku}")).collect();
            let lot = lot.as_ref().map(|lot| format!(", lot {lot}")).unwrap_or_default();
            let serial = serial.as_ref().map(|serial| format!(", serial number {serial}")).unwrap_or_default();
            format!("restock {}{lot}{serial} to {to}", goods.join(", "))
        }
        What::Notice { template, to, channel, message } => {
            let own = message.as_ref().map(|one| format!(", text {}", one.digest.short())).unwrap_or_default();
            format!("notify {to} by {channel} with {template}{own}")
        }
        What::Exchange(exchange) => {
            let back: Vec<_> = exchange.items.iter().map(|item| words::take(&item.take)).collect();
            format!("exchange {} for {} x {}", back.join(", "), exchange.quantity, exchange.sku)
        }
        What::Http(request) if request.body.is_empty() => format!("ask {}", request.target),
        What::Http(request) => format!("ask {} with {}", request.target, words::fields(&request.body)),
    }
}

fn settled(outcome: redress_domain::case::command::Settled) -> &'static str {
    use redress_domain::case::command::Settled;
    match outcome {
        Settled::Confirmed => "is confirmed",
        Settled::Declined => "is declined",
        Settled::Unknown => "may have happened",
    }
}

fn items_in_words(items: &[Item]) -> String {
    let item = |item: &Item| format!("{} for {} (line {})", item.amount, words::take(&item.take), item.line);
    items.iter().map(item).collect::<Vec<_>>().join("; ")
}
