//! The end of waiting: `{ after: 5d, then: step }`, or `{ never: "why" }`.

use crate::workflow::definition::Timeout;
use crate::workflow::diagnostic::Diagnostic;
use crate::workflow::load::calendar::delay;
use crate::workflow::load::outline::Exit;
use crate::workflow::load::step::Context;
use crate::workflow::reader::Fields;
use crate::workflow::schema;
use crate::workflow::yaml::Kind;

/// Where a timeout leads; nowhere where there is to be none.
pub(super) fn exit<'d>(fields: &Fields<'d>) -> Option<Exit<'d>> {
    fields.get("timeout")?.fields(&schema::TIMEOUT)?.get("then").map(Exit::undone)
}

/// Read the timeout of a waiting step; that there is none is a mistake of its own kind.
pub(super) fn load(fields: &Fields<'_>, kind: &str, context: &Context<'_, '_>) -> Option<Timeout> {
    const SHAPES: &str = "`timeout: { after: 5d, then: <step> }`, or `timeout: { never: \"why\" }`";
    // Beside the kind instead of in it: that was reported there.
    if !fields.has("timeout") && context.has_beside("timeout") {
        return None;
    }
    if !fields.has("timeout") {
        return fields.at().refuse_with(
            "missing_timeout",
            format!("`{kind}` would wait for ever: `timeout` is missing"),
            SHAPES,
        );
    }
    let at = fields.get("timeout")?;
    if let Kind::Scalar(scalar) = &at.node().kind {
        let message = format!("`timeout: {}` lacks a part", scalar.text);
        return at.refuse_with("missing_timeout", message, SHAPES);
    }
    let timeout = at.fields(&schema::TIMEOUT)?;
    if let Some(never) = timeout.get("never") {
        for key in timeout.names().filter(|key| matches!(key.text.as_str(), "after" | "then")) {
            let found =
                Diagnostic::new("two_ways", key.range, format!("`{}` and `never` exclude each other", key.text));
            at.report::<()>(found.help(SHAPES));
        }
        if matches!(&never.node().kind, Kind::Scalar(scalar) if scalar.is_bool()) {
            let message = "`never` says why waiting for ever is right, not whether";
            return never.refuse_with("wrong_type", message, SHAPES);
        }
        return Some(Timeout::Never { because: never.text()?.to_owned() });
    }
    let after = timeout.require("after").and_then(|at| delay(&at, &context.head.calendar));
    let then = timeout.require("then").and_then(|at| context.target(&at));
    Some(Timeout::After { after: after?, then: then? })
}
