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
    let arms = match fields.get("any") {
        Some(any) => any.list().unwrap_or_default().iter().filter_map(|arm| arm.fields(&schema::EVENT)).collect(),
        None => vec![fields.clone()],
    };
    let exits =
        arms.iter().map(|arm| arm.get("then").map_or_else(Exit::onward, Exit::to)).chain(timeout::exit(&fields));
    let exits = exits.collect();
    let known = |arm: &Fields<'_>| head.events.get_key_value(arm.get("event")?.text()?);
    let events: Option<Vec<_>> = arms.iter().map(known).collect();
    let output = match events {
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
    let arms = match fields.get("any") {
        None if !fields.has("event") => fields.at().refuse_with(
            "missing_field",
            "`await` waits for nothing",
            "name an `event`, or several under `any`",
        ),
        None => arm(&fields, context).map(|arm| vec![arm]),
        Some(any) => several(&fields, &any, context),
    };
    let remind = remind(&fields, &context.head.calendar);
    Some(Kind::Await { arms: arms?, remind: remind?, timeout: timeout? })
}

fn several(fields: &Fields<'_>, any: &At<'_>, context: &Context<'_, '_>) -> Option<Vec<EventArm>> {
    for key in fields.names().filter(|key| matches!(key.text.as_str(), "event" | "match" | "then")) {
        let found = Diagnostic::new("two_ways", key.range, format!("`{}` and `any` exclude each other", key.text));
        fields.at().report::<()>(found.help("move it into an entry of `any`"));
    }
    let entries = any.list()?;
    if entries.is_empty() {
        return any.refuse("missing_value", "`any` is empty: nothing would ever come");
    }
    let arms: Vec<_> = entries.iter().map(|entry| arm(&entry.fields(&schema::EVENT)?, context)).collect();
    arms.into_iter().collect()
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
        let sides = split(written, "==");
        let [left, right] = sides[..] else {
            return at.report_inside(Diagnostic::new("bad_match", part, "expected one `==`").help(SHAPE));
        };
        if ["||", "?", "<", ">", "!="].iter().any(|operator| split(written, operator).len() > 1) {
            return at.report_inside(Diagnostic::new("bad_match", part, "only `==` can be matched").help(SHAPE));
        }
        let left = left.shifted(part.start);
        let Some(field) = text[left.start..left.end].strip_prefix("event.").filter(|name| !name.contains('.')) else {
            return at.report_inside(
                Diagnostic::new("bad_match", left, "the left side is a field of the event").help(SHAPE),
            );
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
