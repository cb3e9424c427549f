//! `wait: { for: 2d }`, or `wait: { until: =order.delivered_at }`

use crate::value::Type;
use crate::workflow::calendar::delay::Delay;
use crate::workflow::definition::{Kind, Until};
use crate::workflow::load::calendar::delay;
use crate::workflow::load::step::Context;
use crate::workflow::reader::At;
use crate::workflow::schema;
use crate::workflow::yaml;

pub(super) fn load(body: &At<'_>, context: &Context<'_, '_>) -> Option<Kind> {
    let fields = body.fields(&schema::WAIT)?;
    let until = match (fields.get("for"), fields.get("until")) {
        (Some(_), Some(until)) => {
            let help = "`for` is a span of time, `until` an instant: remove one of them";
            until.refuse_with("two_ways", "`for` and `until` exclude each other", help)?
        }
        (Some(at), None) if at.is_expression() => {
            let message = "how long a `wait` lasts is written out, not computed";
            at.refuse_with("bad_literal", message, "as `for: 2d`; a computed end is `until`, as `until: =now + pause`")?
        }
        (Some(at), None) => Until::For(delay(&at, &context.head.calendar)?),
        (None, Some(at)) if is_span(&at) => {
            let message = "expected an instant, found a duration";
            at.refuse_with("wrong_type", message, "how long is `for`, until when is `until`")?
        }
        (None, Some(at)) => Until::Instant(context.compiler.value(&at, &Type::Instant)?),
        (None, None) if ["for", "until"].iter().any(|name| fields.has(name) || fields.is_meant(name)) => return None,
        (None, None) => {
            body.refuse_with("missing_field", "`wait` has no end", "`for: 2d`, or `until: =<an instant>`")?
        }
    };
    Some(Kind::Wait(until))
}

fn is_span(at: &At<'_>) -> bool {
    matches!(&at.node().kind, yaml::Kind::Scalar(scalar) if Delay::parse(&scalar.text).is_ok())
}
