//! `await: { event: goods_received, match: 'event.rma == case.number', timeout: { after: 21d, then: expired } }`

use std::collections::BTreeMap;

use crate::value::Type;
use crate::workflow::builtin;
use crate::workflow::compile::Compiler;
use crate::workflow::definition::{EventArm, Kind};
use crate::workflow::diagnostic::{Diagnostic, Range, suggest};
use crate::workflow::expr::Expr;
use crate::workflow::load::document::Head;
use crate::workflow::load::outline::{Exit, Output, Sketch};
use crate::workflow::load::sla::remind;
use crate::workflow::load::step::{Context, optional};
use crate::workflow::load::timeout;
use crate::workflow::reader::{At, Fields};
use crate::workflow::schema;

pub(super) fn sketch<'d>(body: &At<'d>, head: &Head<'_>) -> Sketch<'d> {
    let Some(fields) = body.fields(&schema::AWAIT) else {
        return Sketch::unreadable();
    };
    let all = fields.has("all");
    let arms = match fields.get("any").or_else(|| fields.get("all")) {
        Some(several) => {
            let table = if all { &schema::EVENT_OF_ALL } else { &schema::EVENT };
            several.list().unwrap_or_default().iter().filter_map(|arm| arm.fields(table)).collect()
        }
        None => vec![fields.clone()],
    };
    let each = arms.iter().take(if all { 1 } else { arms.len() });
    let exits = each.map(|arm| arm.get("then").map_or_else(Exit::onward, Exit::to)).chain(timeout::exit(&fields));
    let mut exits: Vec<_> = exits.collect();
    if arms.is_empty() {
        exits.extend(Sketch::unreadable().exits);
    } else if (fields.has("any") || all) && fields.has("event") {
        // Which of the two is meant is asked; the one that goes on is not called off.
        exits.push(Exit::onward());
    }
    let known = |arm: &Fields<'_>| head.events.get_key_value(arm.get("event")?.text()?);
    let events: Option<Vec<_>> = arms.iter().map(known).collect();
    let output = match events {
        Some(events) if !events.is_empty() && all => {
            Output::Of(builtin::await_all_type(events.iter().map(|(name, carried)| (name.as_str(), *carried))))
        }
        Some(events) if !events.is_empty() => {
            Output::Of(builtin::await_type(events.iter().map(|(name, carried)| (name.as_str(), *carried))))
        }
        _ => Output::Broken,
    };
    Sketch::leading(output, exits)
}

pub(super) fn load(body: &At<'_>, context: &Context<'_, '_>) -> Option<Kind> {
    let fields = body.fields(&schema::AWAIT)?;
    let timeout = timeout::load(&fields, "await", context);
    let (any, all) = (fields.get("any"), fields.get("all"));
    let arms = match (&any, &all) {
        (None, None) if !fields.has("event") => fields.at().refuse_with(
            "missing_field",
            "`await` waits for nothing",
            "name an `event`, or several under `any` or `all`",
        ),
        (None, None) => arm(&fields, context).map(|arm| vec![arm]),
        (Some(any), _) => several(&fields, (any, "any"), &schema::EVENT, context),
        (None, Some(all)) => {
            several(&fields, (all, "all"), &schema::EVENT_OF_ALL, context).and_then(|arms| each_once(all, arms))
        }
    };
    let remind = remind(&fields, &context.head.calendar);
    Some(Kind::Await { arms: arms?, all: any.is_none() && all.is_some(), remind: remind?, timeout: timeout? })
}

/// Most events that one step waits for.
const EVENTS_MAX: usize = 32;

fn several(
    fields: &Fields<'_>,
    (at, word): (&At<'_>, &str),
    table: &'static schema::Table,
    context: &Context<'_, '_>,
) -> Option<Vec<EventArm>> {
    // Where each leads is said in it; of `all` the step itself leads on.
    let beside: &[&str] = if word == "any" { &["event", "match", "then", "all"] } else { &["event", "match", "then"] };
    for key in fields.names().filter(|key| beside.contains(&key.text.as_str())) {
        let found = Diagnostic::new("two_ways", key.range, format!("`{}` and `{word}` exclude each other", key.text));
        let help = match (key.text.as_str(), word) {
            ("all", _) => "the first of them ends the wait (`any`), or each must come (`all`)".to_owned(),
            ("then", "all") => "where it goes on once all have come is the step's own `then`".to_owned(),
            _ => format!("move it into an entry of `{word}`"),
        };
        fields.at().report::<()>(found.help(help));
    }
    let entries = at.list()?;
    if entries.is_empty() {
        return at.refuse("missing_value", format!("`{word}` is empty: nothing would ever come"));
    }
    if entries.len() > EVENTS_MAX {
        let message = format!("a step waits for at most {EVENTS_MAX} events, found {}", entries.len());
        return at.refuse("too_large", message);
    }
    let arms: Vec<_> = entries.iter().map(|entry| arm(&entry.fields(table)?, context)).collect();
    arms.into_iter().collect()
}

/// The output names each event, so that each is there once.
fn each_once(all: &At<'_>, arms: Vec<EventArm>) -> Option<Vec<EventArm>> {
    let mut complete = true;
    for (place, arm) in arms.iter().enumerate() {
        let entry = all.list()?.get(place)?.fields(&schema::EVENT_OF_ALL)?.get("event")?;
        if arm.event == "at" {
            let message = "`at` is when the last of them came";
            entry.refuse_with::<()>("reserved_name", message, "give the event another name");
            complete = false;
        }
        if arms[..place].iter().any(|before| before.event == arm.event) {
            let message = format!("`{}` is there twice", arm.event);
            let help = "the same event twice is two steps: the first that comes, and then the next";
            entry.refuse_with::<()>("duplicate_word", message, help);
            complete = false;
        }
    }
    complete.then_some(arms)
}

fn arm(fields: &Fields<'_>, context: &Context<'_, '_>) -> Option<EventArm> {
    let then = optional(fields.get("then"), |at| context.target(at));
    let name = fields.require("event").and_then(|at| event(&at, context.head));
    let (name, carried) = name?;
    let matches = match fields.get("match") {
        Some(at) => matches(&at, name, carried, &context.compiler)?,
        None => Vec::new(),
    };
    Some(EventArm { event: name.to_owned(), matches, then: then? })
}

/// The declared event that is named here.
pub(in crate::workflow::load) fn event<'h>(
    at: &At<'_>,
    head: &'h Head<'_>,
) -> Option<(&'h str, &'h BTreeMap<String, Type>)> {
    let name = at.text()?;
    if let Some((name, carried)) = head.events.get_key_value(name) {
        return Some((name, carried));
    }
    let help = match suggest(name, head.events.keys().map(String::as_str)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("declare it, with what it carries: `events: {{ {name}: {{ field: text }} }}`"),
    };
    at.refuse_with("unknown_event", format!("the event `{name}` is not declared"), help)
}

const SHAPE: &str =
    "`match` is `event.<field> == <expression>`, joined by `&&`, so that waiting cases can be looked up";

/// The conjunction, as fields and what they must equal.
pub(in crate::workflow::load) fn matches(
    at: &At<'_>,
    event: &str,
    carried: &BTreeMap<String, Type>,
    compiler: &Compiler,
) -> Option<Vec<(String, Expr)>> {
    let text = compiler.bare_text(at)?;
    let mut all = Vec::new();
    for part in split(text, "&&") {
        let written = &text[part.start..part.end];
        if let Some(found) = no_comparison(written, part) {
            return at.report_inside(found);
        }
        let sides = split(written, "==");
        let [left, right] = sides[..] else {
            return at.report_inside(Diagnostic::new("bad_match", part, "expected one `==`").help(SHAPE));
        };
        let left = left.shifted(part.start);
        let Some(field) = text[left.start..left.end].strip_prefix("event.").filter(|name| !name.contains('.')) else {
            let (name, other) = (&text[left.start..left.end], &text[part.start..part.end][right.start..right.end]);
            let bare = name.rsplit('.').next().filter(|name| carried.contains_key(*name));
            let help = match bare {
                _ if other.starts_with("event.") => format!("turn it round: `{other} == {name}`"),
                Some(field) => format!("did you mean `event.{field}`?"),
                None => SHAPE.to_owned(),
            };
            let found = Diagnostic::new("bad_match", left, "the left side is a field of the event");
            return at.report_inside(found.help(help));
        };
        all.push((field.to_owned(), left, right.shifted(part.start)));
    }
    let compiled: Vec<_> = all
        .into_iter()
        .map(|(field, left, right)| {
            let kind = field_type(at, &field, left, event, carried)?;
            let expr = compiler.compile(at, &text[right.start..right.end], right.start, Some(kind))?;
            Some((field, expr))
        })
        .collect();
    compiled.into_iter().collect()
}

/// What compares otherwise than a look-up can.
fn no_comparison(written: &str, part: Range) -> Option<Diagnostic> {
    let has = |operator: &&&str| split(written, operator).len() > 1;
    let found = ["||", "!=", "<=", ">=", "<", ">", "?"].iter().find(has);
    let problem = |message: String| Diagnostic::new("bad_match", part, message);
    match found {
        Some(&"||") => Some(
            problem("only what is joined by `&&` can be matched, found `||`".to_owned())
                .help("to wait for one or the other, name both events under `any`"),
        ),
        Some(operator) => Some(problem(format!("only `==` can be matched, found `{operator}`")).help(SHAPE)),
        None if written.starts_with('!') => Some(problem("only `==` can be matched, found `!`".to_owned()).help(SHAPE)),
        None if !has(&&"==") && has(&&"=") => Some(problem("`=` does not compare".to_owned()).help("write `==`")),
        None => None,
    }
}

/// The type of a field of the event, without its `?`: an absent field equals nothing.
fn field_type<'h>(
    at: &At<'_>,
    field: &str,
    left: Range,
    event: &str,
    carried: &'h BTreeMap<String, Type>,
) -> Option<&'h Type> {
    match carried.get(field) {
        Some(Type::Optional(inner)) => Some(inner),
        Some(kind) => Some(kind),
        None => {
            let names: Vec<_> = carried.keys().map(String::as_str).collect();
            let help = match suggest(field, names.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("declare it under `events.{event}`"),
            };
            let range = Range::new(left.end - field.len(), left.end);
            at.report_inside(
                Diagnostic::new("unknown_field", range, format!("`{event}` carries no `{field}`")).help(help),
            )
        }
    }
}

/// The parts between an operator that stands outside quotes and brackets, without blanks around them.
fn split(text: &str, operator: &str) -> Vec<Range> {
    let (mut parts, mut start, mut depth, mut quote) = (Vec::new(), 0, 0_usize, None);
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        match (quote, c) {
            (Some(_), '\\') => _ = chars.next(),
            (Some(open), c) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, '(' | '[' | '{') => depth += 1,
            (None, ')' | ']' | '}') => depth = depth.saturating_sub(1),
            (None, _) if depth == 0 && at >= start && text[at..].starts_with(operator) => {
                parts.push(trimmed(text, start, at));
                start = at + operator.len();
            }
            (None, _) => {}
        }
    }
    parts.push(trimmed(text, start, text.len()));
    parts
}

fn trimmed(text: &str, start: usize, end: usize) -> Range {
    let part = &text[start..end];
    let lead = part.len() - part.trim_start().len();
    Range::new(start + lead, start + lead + part.trim().len())
}
