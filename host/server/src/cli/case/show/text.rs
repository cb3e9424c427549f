//! A case for people: what it is, why each line came out as it did, then turn by turn what was read, asked and decided.

use anstyle::Style;
use redress_domain::ask::{Answer, Asked};
use redress_domain::case::command::{Actor, ActorKind};
use redress_domain::case::lane::Place;
use redress_domain::case::{Line, Status};
use redress_domain::decision::Turn;
use redress_domain::facts::Facts;
use redress_domain::workflow::definition::Hook;

use super::entries;
use super::story::{LineStory, LineTake, Story, TakeState};
use crate::cli::output::Out;
use crate::cli::words::{self, clean};

/// The whole report. Lines of cases and orders count from 0, as in the records.
pub(super) fn report(story: &Story, out: &Out<'_>) -> String {
    let mut report = Report { text: String::new(), out };
    header(story, &mut report);
    report.heading("why each line came out as it did");
    for (number, (line, why)) in story.case.lines.iter().zip(&story.lines).enumerate() {
        explain(number, line, why, story, &mut report);
    }
    standing(story, &mut report);
    for one in &story.turns {
        turn(one, story, &mut report);
    }
    report.text
}

/// Lines of text, each at its depth.
struct Report<'a, 'b> {
    text: String,
    out: &'a Out<'b>,
}

impl Report<'_, '_> {
    fn heading(&mut self, text: &str) {
        let text = self.out.styled(true, Style::new().bold(), &clean(text));
        self.text += &format!("\n{text}\n");
    }

    fn line(&mut self, depth: usize, text: &str) {
        self.text += &format!("{:1$}{2}\n", "", 2 * depth, clean(text));
    }

    fn fact(&mut self, name: &str, value: impl AsRef<str>) {
        self.line(1, &format!("{name:<10} {}", value.as_ref()));
    }

    fn maybe(&mut self, name: &str, value: Option<impl ToString>) {
        if let Some(value) = value {
            self.fact(name, value.to_string());
        }
    }
}

fn header(story: &Story, report: &mut Report<'_, '_>) {
    let case = &story.case;
    let title = format!("{} {}", case.kind, case.number);
    let title = report.out.styled(true, Style::new().bold(), &title);
    report.text += &format!("{title}\n");
    report.fact("id", case.id.to_string());
    report.maybe("external", case.external.as_ref().map(|external| format!("{} of {}", external.id, external.source)));
    report.maybe("opened by", case.parent.as_ref().map(|parent| format!("{} at {}", parent.number, parent.step)));
    report.maybe("started by", case.started.as_ref().map(words::started));
    report.fact("status", standing_in_words(&case.status, story));
    for (id, lane) in &case.lanes {
        report.fact("lane", format!("{id}: {}", place_in_words(&lane.place, story)));
    }
    if let Some(since) = &story.paused {
        let why = if since.note.is_empty() { String::new() } else { format!(": {}", since.note) };
        report.fact("paused", format!("since {} by {}{why}", since.at.display(story.zone), since.by.id));
    }
    for kept in &case.deferred {
        report.fact("kept", format!("{} of {}", kept.body.name(), kept.occurred_at.display(story.zone)));
    }
    report.maybe("result", case.result.as_ref());
    let way = case.on_its_way();
    // Both are in one currency, and the whole is no less than its part.
    let there = case.refunded().minus(way).unwrap_or(case.refunded());
    let way = if way.is_zero() { String::new() } else { format!(", {way} on its way") };
    report.fact("remedy", format!("{}, {there} refunded{way}", case.remedy().word()));
    let because = case.decisive_reasons().join(", ");
    report.maybe("because", (!because.is_empty()).then_some(because));
    let history = if case.history { ", as history: nothing leaves the process" } else { "" };
    report.fact("opened", format!("{}{history}", case.opened_at.display(story.zone)));
    report.maybe("customer", case.customer.as_ref());
    report.maybe("order", case.order.as_ref());
    report.maybe("reason", case.reason.as_ref());
    report.maybe("claim", case.claim.as_ref());
    report.fact("channel", &case.channel);
    if !case.attributes.is_empty() {
        report.fact("attributes", words::fields(&case.attributes));
    }
    report.maybe("workflow", case.workflow.as_ref());
    report.maybe("revision", case.revision);
    if let Some(revision) = &story.revision {
        for (name, digest) in &revision.plugins {
            report.fact("plugin", format!("{name} {digest}"));
        }
    }
    if !case.vars.is_empty() {
        report.fact("vars", words::fields(&case.vars));
    }
}

fn standing_in_words(status: &Status, story: &Story) -> String {
    match status {
        Status::Running { step } => format!("running, next is {step}"),
        Status::Waiting { step, since, until } => {
            let until = until.map(|until| format!(", until {}", until.display(story.zone))).unwrap_or_default();
            format!("waiting at {step} since turn {since}{until}")
        }
        Status::Held => "held".to_owned(),
        Status::Closed { failed: true } => "closed, failed".to_owned(),
        Status::Closed { failed: false } => "closed".to_owned(),
    }
}

fn place_in_words(place: &Place, story: &Story) -> String {
    match place {
        Place::Running { step } => standing_in_words(&Status::Running { step: step.clone() }, story),
        Place::Waiting { step, since, until } => {
            standing_in_words(&Status::Waiting { step: step.clone(), since: *since, until: *until }, story)
        }
        Place::Done { .. } => "done".to_owned(),
    }
}

fn explain(number: usize, line: &Line, why: &LineStory, story: &Story, report: &mut Report<'_, '_>) {
    let came = match &line.outcome {
        Some(outcome) => {
            let amount = outcome.amount.map(|amount| format!(", {amount}")).unwrap_or_default();
            let goes = outcome.disposition.map(|goes| format!(", goes to {}", goes.word())).unwrap_or_default();
            format!("{} {} of {}{amount}{goes}", outcome.remedy.word(), outcome.quantity, line.quantity)
        }
        None => "nobody has decided".to_owned(),
    };
    report.line(1, &format!("{number}  {} x {}: {came}", line.quantity, line.sku));
    if let Some(bought) = &line.bought {
        report.line(3, &format!("names order {} line {}", bought.order, bought.line));
    }
    for taken in &why.takes {
        report.line(3, &take(taken, story));
    }
    for opinion in &why.opinions {
        let by = opinion.plugin.map_or_else(|| "a person".to_owned(), |digest| story.plugin(digest));
        let said = words::line_verdict(&opinion.verdict);
        report.line(3, &format!("{} in turn {}: {by} says {said}", opinion.step, opinion.turn));
        for reason in &opinion.verdict.reasons {
            report.line(4, &words::reason(reason));
        }
    }
}

fn take(taken: &LineTake, story: &Story) -> String {
    let bought = taken
        .purchase
        .as_ref()
        .map(|purchase| format!(", bought {} at {}", purchase.at.display(story.zone), purchase.unit_price));
    let amount = taken.amount.map(|amount| format!(", {amount}")).unwrap_or_default();
    let state = match taken.state {
        TakeState::Proposed => "would take",
        TakeState::Reserved => "holds",
        TakeState::Refunded => "takes",
    };
    format!("{state} {}{}{amount}", words::take(&taken.take), bought.unwrap_or_default())
}

/// What belongs to no line: tasks, effects, events.
fn standing(story: &Story, report: &mut Report<'_, '_>) {
    let case = &story.case;
    if !case.reasons.is_empty() {
        report.heading("reasons beside the lines");
        case.reasons.iter().for_each(|reason| report.line(1, &words::reason(reason)));
    }
    if !case.tasks.is_empty() {
        report.heading("open tasks");
    }
    for (id, task) in &case.tasks {
        report.line(1, &format!("{}: {} ({id}, since {})", task.queue, task.title, task.opened_at.display(story.zone)));
        task.reasons.iter().for_each(|reason| report.line(2, &words::reason(reason)));
    }
    if !case.effects.is_empty() {
        report.heading("effects");
    }
    for (key, effect) in &case.effects {
        let reference = effect.reference.as_ref().map(|reference| format!(", reference {reference}"));
        let (intent, state) = (entries::intent(effect), effect.state.word());
        report.line(1, &format!("{}: {intent}, {state}{}", effect.step, reference.unwrap_or_default()));
        report.line(2, &format!("key {key}"));
    }
    if !case.children.is_empty() {
        report.heading("sub-cases");
    }
    for (id, child) in &case.children {
        let number = child.number.as_ref().map(|number| format!("{number}, ")).unwrap_or_default();
        let state = words::child_state(&child.state);
        report.line(1, &format!("{}: {}@{}, {number}{state}", child.step, child.workflow, child.pin));
        report.line(2, &id.to_string());
    }
    if !case.events.is_empty() {
        report.heading("events kept for later");
    }
    for event in &case.events {
        report.line(1, &format!("{} of {} {}", event.name, event.at.display(story.zone), words::fields(&event.fields)));
    }
}

fn turn(turn: &Turn, story: &Story, report: &mut Report<'_, '_>) {
    let command = &turn.command;
    report.heading(&format!("turn {}: {}, {}", turn.number, command.body.name(), turn.at.display(story.zone)));
    let source = command.source.as_ref().map(|source| format!(", source {source}")).unwrap_or_default();
    let by = format!("by {}, channel {}{source}", actor(&command.actor), command.channel);
    report.line(1, &format!("{by}, recorded {}", command.recorded_at.display(story.zone)));
    if let Some(reason) = &command.reason {
        report.line(1, &format!("reason: {reason}"));
    }
    facts(&turn.facts, story, report);
    for one in &turn.asks {
        asked(one, story, report);
    }
    report.line(1, "decided");
    for entry in &turn.entries {
        report.line(2, &entries::sentence(entry, story.zone));
    }
}

fn actor(actor: &Actor) -> String {
    let kind = match actor.kind {
        ActorKind::Person => "person",
        ActorKind::Key => "key",
        ActorKind::Import => "import",
        ActorKind::Host => return "the host".to_owned(),
    };
    format!("{kind} {} ({})", actor.id, actor.role)
}

fn facts(facts: &Facts, story: &Story, report: &mut Report<'_, '_>) {
    let nothing = facts.purchases.is_empty() && facts.ledgers.is_empty() && facts.order.is_none() && !facts.too_large;
    report.line(1, if nothing { "read nothing beside the case" } else { "read" });
    if facts.too_large {
        report.line(2, "more purchases than one question may carry");
    }
    for purchase in &facts.purchases {
        let (left, refunded) = facts.left(purchase);
        let place = format!("order {} line {}", purchase.order, purchase.line);
        let bought = format!("{} x {} at {}", purchase.quantity, purchase.sku, purchase.unit_price);
        let at = purchase.at.display(story.zone);
        report.line(2, &format!("purchase {place}: {bought}, {at}; {left} left, {refunded} refunded"));
    }
    for (order, at) in &facts.ledgers {
        let lines = at.ledger.iter().flat_map(|ledger| ledger.lines()).map(|(number, line)| {
            let (reserved, returned, bought) = (line.reserved, line.returned, line.bought);
            format!("; line {number}: {reserved} reserved, {returned} returned of {bought}, {} refunded", line.refunded)
        });
        report.line(2, &format!("ledger of order {order}, version {}{}", at.version, lines.collect::<String>()));
    }
    for held in &facts.own {
        report.line(2, &format!("held for line {} already: {}", held.line, words::take(&held.take)));
    }
    if let Some(order) = &facts.order {
        let at = order.placed_at.display(story.zone);
        report.line(
            2,
            &format!("order {} of {at}, {} lines, {} payments", order.id, order.lines.len(), order.payments.len()),
        );
    }
}

fn asked(asked: &Asked, story: &Story, report: &mut Report<'_, '_>) {
    let (ask, answered) = (&asked.ask, &asked.answered);
    let with = if ask.args.is_empty() { String::new() } else { format!(" with {}", words::fields(&ask.args)) };
    report.line(1, &format!("asked {} {} in step {}{with}", hook(ask.hook), ask.plugin, ask.step));
    report.line(2, &format!("component {}", ask.digest));
    report.line(2, &format!("as of {}, seed {}", ask.now.display(story.zone), ask.seed));
    let (fuel, request) = (answered.fuel, answered.request);
    report.line(2, &format!("fuel {fuel}, contract {}, engine {}", answered.contract, answered.engine));
    report.line(2, &format!("request {request}"));
    let answer = match &answered.outcome {
        Ok(Answer::Verdict(verdict)) => words::verdict(verdict),
        Ok(Answer::Quote(quote)) => words::quote(quote),
        Ok(Answer::Values(values)) => format!("values {}", words::fields(values)),
        Err(failure) => format!("it failed, {}: {}", failure.code, failure.detail),
    };
    report.line(2, &format!("answer: {answer}"));
    if let Err(failure) = &answered.outcome {
        failure.reasons.iter().for_each(|reason| report.line(3, &words::reason(reason)));
    }
}

/// The name of a hook, as manifests write it.
pub(super) fn hook(hook: Hook) -> &'static str {
    match hook {
        Hook::Eligibility => "eligibility",
        Hook::Compliance => "compliance",
        Hook::Refund => "refund",
        Hook::Step => "step",
    }
}
