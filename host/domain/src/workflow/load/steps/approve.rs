//! `approve: { lines: =match.lines, until: 21d }`

use crate::value::Type;
use crate::workflow::builtin;
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
        let help = "the `lines` of a call to an eligibility or compliance plugin, as `=match.lines`";
        at.refuse_with("wrong_type", format!("expected the lines of a verdict, found {}", describe(lines.kind())), help)
    });
    let until = fields.require("until").and_then(|at| delay(&at, &context.head.calendar));
    Some(Kind::Approve { lines: lines?, until: until? })
}

/// A type for a message; what may be absent is said to be.
pub(super) fn describe(kind: &Type) -> String {
    match kind {
        Type::Optional(inner) => format!("{inner} that may be absent here"),
        kind => kind.to_string(),
    }
}
