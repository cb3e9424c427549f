//! `wait: { for: 2d }`, or `wait: { until: =order.delivered_at }`

use crate::value::Type;
use crate::workflow::definition::{Kind, Until};
use crate::workflow::load::calendar::delay;
use crate::workflow::load::step::Context;
use crate::workflow::reader::At;
use crate::workflow::schema;

pub(super) fn load(body: &At<'_>, context: &Context<'_, '_>) -> Option<Kind> {
    let fields = body.fields(&schema::WAIT)?;
    let until = match (fields.get("for"), fields.get("until")) {
        (Some(_), Some(until)) => until.refuse("two_ways", "`for` and `until` exclude each other")?,
        (Some(at), None) => Until::For(delay(&at, &context.head.calendar)?),
        (None, Some(at)) => Until::Instant(context.compiler.value(&at, &Type::Instant)?),
        (None, None) if fields.has("for") || fields.has("until") => return None,
        (None, None) => {
            body.refuse_with("missing_field", "`wait` has no end", "`for: 2d`, or `until: =<an instant>`")?
        }
    };
    Some(Kind::Wait(until))
}
