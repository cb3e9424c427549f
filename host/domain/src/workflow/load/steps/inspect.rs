//! A look at the goods: `inspect: { queue, title, ask, next, sla, timeout }`. What it finds may make goods sellable again.

use std::collections::BTreeMap;

use crate::ids::Slug;
use crate::workflow::builtin;
use crate::workflow::definition::{Kind, Words};
use crate::workflow::expr::Template;
use crate::workflow::load::form::form;
use crate::workflow::load::outline::{Exit, Output, Sketch};
use crate::workflow::load::step::Context;
use crate::workflow::load::steps::review;
use crate::workflow::load::timeout;
use crate::workflow::reader::{At, Fields};
use crate::workflow::schema;

/// The one outcome of an inspection that names none.
pub(super) const DONE: &str = "done";
/// What the task of an inspection is called that has no title.
const TITLE: &str = "Inspect the goods of {{ case.number }}";

pub(super) fn sketch<'d>(body: &At<'d>) -> Sketch<'d> {
    let Some(fields) = body.fields(&schema::INSPECT) else { return Sketch::unreadable() };
    let next = fields.get("next").and_then(|at| at.names()).unwrap_or_default();
    let form = form(fields.get("ask").as_ref());
    let outcomes: Vec<&str> = next.iter().map(|(key, _)| key.text.as_str()).collect();
    let outcomes = if outcomes.is_empty() { vec![DONE] } else { outcomes };
    let output = if form.broken.is_empty() {
        Output::Of(builtin::review_type(outcomes, &form.types, false))
    } else {
        Output::Broken
    };
    let exits =
        if fields.has("next") { next.into_iter().map(|(_, at)| Exit::to(at)).collect() } else { vec![Exit::onward()] };
    Sketch::leading(output, exits.into_iter().chain(timeout::exit(&fields)).collect())
}

pub(super) fn load(body: &At<'_>, context: &Context<'_, '_>) -> Option<Kind> {
    let fields = body.fields(&schema::INSPECT)?;
    let title = match fields.get("title") {
        Some(at) => review::title(&at, context),
        None => Template::compile(TITLE, &context.compiler.scope).ok().map(Words::One),
    };
    let next = next(&fields, context);
    review::common(&fields, "inspect", title, next, context).map(Kind::Inspect)
}

/// Where the outcomes lead; without any the one outcome leads on.
fn next(fields: &Fields<'_>, context: &Context<'_, '_>) -> Option<BTreeMap<String, Slug>> {
    if fields.has("next") { review::next(fields, "inspect", context) } else { Some(BTreeMap::new()) }
}
