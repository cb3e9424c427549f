//! `approve: { lines: =match.lines, until: 21d }`

use crate::value::Type;
use crate::workflow::builtin;
use crate::workflow::compile::{Compiler, Name};
use crate::workflow::definition::Kind;
use crate::workflow::load::calendar::delay;
use crate::workflow::load::outline::{Output, Sketch};
use crate::workflow::load::step::Context;
use crate::workflow::reader::At;
use crate::workflow::schema;

pub(super) fn sketch<'d>() -> Sketch<'d> {
    Sketch::onward(Output::Of(builtin::approve_type()))
}

pub(super) fn load(body: &At<'_>, context: &Context<'_, '_>) -> Option<Kind> {
    let fields = body.fields(&schema::APPROVE)?;
    let lines = fields.require("lines").and_then(|at| {
        let lines = context.compiler.expression(&at, None)?;
        if *lines.kind() == builtin::verdict_lines_type() {
            return Some(lines);
        }
        if let Type::Optional(inner) = lines.kind()
            && **inner == builtin::verdict_lines_type()
        {
            return may_be_absent(&at, &context.compiler);
        }
        let help = "the `lines` of a call to an eligibility or compliance plugin, as `=match.lines`";
        at.refuse_with("wrong_type", format!("expected the lines of a verdict, found {}", describe(lines.kind())), help)
    });
    let until = fields.require("until").and_then(|at| delay(&at, &context.head.calendar));
    Some(Kind::Approve { lines: lines?, until: until? })
}

/// A value that is right but may not be there; the step is to be skipped then.
pub(super) fn may_be_absent<T>(at: &At<'_>, compiler: &Compiler) -> Option<T> {
    let path = at.scalar("an expression")?.text.trim_start_matches('=').trim();
    let name = match path.strip_prefix("steps.") {
        Some(step) => Name::Field("steps", step.to_owned()),
        None => Name::Root(path.to_owned()),
    };
    let why = compiler.uncertain.get(&name).map_or_else(String::new, |why| format!(": {why}"));
    let help = format!("let the step ask first, `when: has({path})`, or lead every way past what gives it");
    at.refuse_with("not_guarded", format!("`{path}` may be absent{why}"), help)
}

/// A type for a message; what may be absent is said to be.
pub(super) fn describe(kind: &Type) -> String {
    match kind {
        Type::Optional(inner) => format!("{} that may be absent here", describe(inner)),
        Type::Object(_) => {
            builtin::record_of(kind).map_or_else(|| kind.to_string(), |name| format!("the record `{name}`"))
        }
        Type::List(inner) if matches!(**inner, Type::Object(_)) => match builtin::record_of(inner) {
            Some(name) => format!("a list of the record `{name}`"),
            None => kind.to_string(),
        },
        kind => kind.to_string(),
    }
}
