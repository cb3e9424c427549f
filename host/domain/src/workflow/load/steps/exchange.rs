//! `exchange: { sku: =case.wanted_sku, hold_stock: 2d, price_difference: none }`

use crate::value::Type;
use crate::workflow::builtin;
use crate::workflow::definition::{Exchange, Kind};
use crate::workflow::literal::span;
use crate::workflow::load::outline::{Output, Sketch};
use crate::workflow::load::step::{Context, optional};
use crate::workflow::reader::At;
use crate::workflow::schema;

pub(super) fn sketch<'d>() -> Sketch<'d> {
    Sketch::onward(Output::Of(builtin::exchange_type()))
}

pub(super) fn load(body: &At<'_>, context: &Context<'_, '_>) -> Option<Kind> {
    let fields = body.fields(&schema::EXCHANGE)?;
    let sku = fields.require("sku").and_then(|at| context.compiler.value(&at, &Type::Text));
    let quantity = optional(fields.get("quantity"), |at| context.compiler.value(at, &Type::Number));
    let hold_stock = fields.require("hold_stock").and_then(|at| span(&at));
    let price_difference = fields.require("price_difference").and_then(|at| at.choice(schema::PRICE_DIFFERENCE));
    Some(Kind::Exchange(Exchange {
        sku: sku?,
        quantity: quantity?,
        hold_stock: hold_stock?,
        price_difference: price_difference?.to_owned(),
    }))
}
