//! `restock: { to: quarantine }`

use crate::value::Type;
use crate::workflow::builtin::{self, RESTOCK_TO};
use crate::workflow::definition::Kind;
use crate::workflow::load::outline::{Output, Sketch};
use crate::workflow::load::step::Context;
use crate::workflow::reader::At;
use crate::workflow::schema;

pub(super) fn sketch<'d>() -> Sketch<'d> {
    Sketch::onward(Output::Of(builtin::restock_type()))
}

pub(super) fn load(body: &At<'_>, context: &Context<'_, '_>) -> Option<Kind> {
    let fields = body.fields(&schema::RESTOCK)?;
    let to = context.compiler.value(&fields.require("to")?, &Type::words(RESTOCK_TO.iter().copied()))?;
    Some(Kind::Restock { to })
}
