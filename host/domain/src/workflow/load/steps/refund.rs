//! `refund: { quote: =quote, reason: =case.reason }`, or `{ amount: 12.50 }` for a case without an order.

use crate::value::Type;
use crate::workflow::builtin;
use crate::workflow::definition::{Kind, RefundOf};
use crate::workflow::load::outline::{Output, Sketch};
use crate::workflow::load::step::{Context, optional};
use crate::workflow::load::steps::approve::{describe, may_be_absent};
use crate::workflow::reader::{At, Fields};
use crate::workflow::schema;
use crate::workflow::yaml;

pub(super) fn sketch<'d>() -> Sketch<'d> {
    Sketch::onward(Output::Of(builtin::refund_type()))
}

pub(super) fn load(body: &At<'_>, context: &Context<'_, '_>) -> Option<Kind> {
    let fields = body.fields(&schema::REFUND)?;
    let amount = amount(&fields, context);
    let method = match fields.get("method") {
        Some(at) => at.slug().map(|method| method.as_str().to_owned()),
        None => Some("original".to_owned()),
    };
    let reason = optional(fields.get("reason"), |at| context.compiler.value(at, &Type::Text));
    Some(Kind::Refund { amount: amount?, method: method?, reason: reason? })
}

fn amount(fields: &Fields<'_>, context: &Context<'_, '_>) -> Option<RefundOf> {
    match (fields.get("quote"), fields.get("amount")) {
        (Some(_), Some(amount)) => {
            let help = "a plugin says how much by `quote`; `amount` is for a case without an order";
            amount.refuse_with("two_ways", "`quote` and `amount` exclude each other", help)
        }
        (Some(at), None) => quote(&at, context),
        (None, Some(at)) => bare(&at, context),
        (None, None) if ["quote", "amount"].iter().any(|name| fields.has(name) || fields.is_meant(name)) => None,
        (None, None) => {
            let help = "`quote: =<a call to a refund plugin>`, or `amount` for a case without an order";
            fields.at().refuse_with("missing_field", "`refund` does not say how much", help)
        }
    }
}

fn quote(at: &At<'_>, context: &Context<'_, '_>) -> Option<RefundOf> {
    if matches!(&at.node().kind, yaml::Kind::Scalar(scalar) if scalar.is_number()) {
        let help = "a fixed sum is an `amount`, which needs `limits.refund_max`";
        return at.refuse_with("wrong_type", "expected a quote, found a number", help);
    }
    let quote = context.compiler.expression(at, None)?;
    if builtin::is_quote(quote.kind()) {
        return Some(RefundOf::Quote(quote));
    }
    if let Type::Optional(inner) = quote.kind()
        && builtin::is_quote(inner)
    {
        return may_be_absent(at, &context.compiler);
    }
    let help = "the output of a call to a refund plugin, as `=quote`";
    at.refuse_with("wrong_type", format!("expected a quote, found {}", describe(quote.kind())), help)
}

/// A quote is capped by the ledger; a bare amount by nothing but the document itself.
fn bare(at: &At<'_>, context: &Context<'_, '_>) -> Option<RefundOf> {
    let amount = context.compiler.amount(at);
    if context.head.refund_max.is_none() && context.head.is_limit_meant {
        return None;
    }
    if context.head.refund_max.is_none() {
        let help = "say how much a case may refund: `limits: { refund_max: 200.00 }`";
        return at.refuse_with("missing_cap", "a bare `amount` needs `limits.refund_max`", help);
    }
    amount.map(RefundOf::Amount)
}
