//! `restock: { to: quarantine, lot: =seen.lot }`. What can be sold again is only reached through an inspection.

use crate::value::Type;
use crate::workflow::builtin::{self, RESTOCK_INSPECTED, RESTOCK_TO};
use crate::workflow::definition::{Kind, Restock};
use crate::workflow::expr::Expr;
use crate::workflow::load::outline::{Output, Sketch};
use crate::workflow::load::step::{Context, optional};
use crate::workflow::problems::Problems;
use crate::workflow::reader::At;
use crate::workflow::schema;

pub(super) fn sketch<'d>() -> Sketch<'d> {
    Sketch::onward(Output::Of(builtin::restock_type()))
}

pub(super) fn load(body: &At<'_>, context: &Context<'_, '_>) -> Option<Kind> {
    let fields = body.fields(&schema::RESTOCK)?;
    let of_unit = |name: &str| optional(fields.get(name), |at| text(at, context));
    let (lot, serial) = (of_unit("lot"), of_unit("serial"));
    let at = fields.require("to")?;
    let places = Type::words(RESTOCK_TO.iter().chain(RESTOCK_INSPECTED).copied());
    let to = context.compiler.value(&at, &places)?;
    if context.inspected || is_uninspected(&at, context) {
        return Some(Kind::Restock(Restock { to, lot: lot?, serial: serial? }));
    }
    let sellable = RESTOCK_INSPECTED.join("` and `");
    let message = format!("goods go to `{sellable}` only after an `inspect` on every way to this step");
    at.refuse_with(
        "uninspected",
        message,
        "put an `inspect` before it; one that is skipped or times out does not count",
    )
}

/// A text that may be absent: not every unit tells its lot.
fn text(at: &At<'_>, context: &Context<'_, '_>) -> Option<Expr> {
    context.compiler.value(at, &Type::Optional(Box::new(Type::Text)))
}

/// Whether it can be nothing but a place for goods that nobody looked at.
fn is_uninspected(at: &At<'_>, context: &Context<'_, '_>) -> bool {
    let silent = Problems::new();
    let places = Type::words(RESTOCK_TO.iter().copied());
    context.compiler.value(&at.reporting_to(&silent), &places).is_some() && silent.is_empty()
}
