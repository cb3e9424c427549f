//! `again: { to: look, max_visits: 3 }`

use crate::workflow::definition::Kind;
use crate::workflow::load::outline::{Exit, Output, Sketch};
use crate::workflow::load::step::Context;
use crate::workflow::reader::At;
use crate::workflow::schema;

/// How often a way back may be taken: more than people would bear.
const VISITS_MAX: i64 = 100;

pub(super) fn sketch<'d>(body: &At<'d>) -> Sketch<'d> {
    let Some(fields) = body.fields(&schema::AGAIN) else { return Sketch::unreadable() };
    let back = fields.get("to").map(Exit::back);
    Sketch::leading(Output::None, back.into_iter().chain([Exit::onward()]).collect())
}

pub(super) fn load(body: &At<'_>, context: &Context<'_, '_>) -> Option<Kind> {
    let fields = body.fields(&schema::AGAIN)?;
    let to = fields.require("to").and_then(|at| context.target(&at));
    let max_visits = fields.require("max_visits").and_then(|at| at.whole(1, VISITS_MAX));
    Some(Kind::Again { to: to?, max_visits: u32::try_from(max_visits?).ok()? })
}
