//! A task for a person: `review: { queue, title, ask, next, reasons, sla, four_eyes, timeout }`

use std::collections::BTreeMap;

use crate::ids::Slug;
use crate::workflow::builtin;
use crate::workflow::definition::review::Review;
use crate::workflow::definition::{Kind, Words};
use crate::workflow::diagnostic::Diagnostic;
use crate::workflow::expr::Template;
use crate::workflow::load::form::form;
use crate::workflow::load::outline::{Exit, Output, Sketch};
use crate::workflow::load::sla::sla;
use crate::workflow::load::step::{Context, optional};
use crate::workflow::load::timeout;
use crate::workflow::reader::{At, Fields};
use crate::workflow::schema;
use crate::workflow::yaml::Key;

pub(super) fn sketch<'d>(body: &At<'d>) -> Sketch<'d> {
    let Some(fields) = body.fields(&schema::REVIEW) else {
        return Sketch::unreadable();
    };
    let next = fields.get("next").and_then(|at| at.names()).unwrap_or_default();
    let form = form(fields.get("ask").as_ref());
    let twice = fields.get("four_eyes").and_then(|at| at.bool()) == Some(true);
    let output = if form.broken.is_empty() {
        Output::Of(builtin::review_type(next.iter().map(|(key, _)| key.text.as_str()), &form.types, twice))
    } else {
        Output::Broken
    };
    let exits = next.into_iter().map(|(_, at)| Exit::to(at)).chain(timeout::exit(&fields)).collect();
    Sketch::leading(output, exits)
}

pub(super) fn load(body: &At<'_>, context: &Context<'_, '_>) -> Option<Kind> {
    let fields = body.fields(&schema::REVIEW)?;
    let title = fields.require("title").and_then(|at| title(&at, context));
    let next = next(&fields, "review", context);
    let four_eyes = optional(fields.get("four_eyes"), |at| at.bool());
    let review = common(&fields, "review", title, next, context);
    Some(Kind::Review(Review { four_eyes: four_eyes?.unwrap_or(false), ..review? }))
}

pub(super) fn title(at: &At<'_>, context: &Context<'_, '_>) -> Option<Words<Template>> {
    at.words()?.try_map(|words| context.compiler.template(&words))
}

/// What reviews and inspections have in common.
pub(super) fn common(
    fields: &Fields<'_>,
    kind: &str,
    title: Option<Words<Template>>,
    next: Option<BTreeMap<String, Slug>>,
    context: &Context<'_, '_>,
) -> Option<Review> {
    let queue = fields.require("queue").and_then(|at| at.slug());
    let form = form(fields.get("ask").as_ref());
    let reasons: Vec<_> =
        fields.get("reasons").and_then(|at| at.list()).unwrap_or_default().iter().map(At::slug).collect();
    let sla = sla(fields, &context.head.calendar);
    let timeout = timeout::load(fields, kind, context);
    Some(Review {
        queue: queue?,
        title: title?,
        ask: form.types,
        files: form.files,
        next: next?,
        reasons: reasons.into_iter().collect::<Option<_>>()?,
        sla: sla?,
        four_eyes: false,
        timeout: timeout?,
    })
}

/// What a person may choose, and where each choice leads.
pub(super) fn next(fields: &Fields<'_>, kind: &str, context: &Context<'_, '_>) -> Option<BTreeMap<String, Slug>> {
    const HELP: &str = "as `next: { accept: <step>, refuse: <step> }`";
    if !fields.has("next") && (fields.is_meant("next") || context.has_beside("next")) {
        return None;
    }
    if !fields.has("next") {
        let message = format!("`{kind}` leads nowhere: `next` is missing");
        return fields.at().refuse_with("missing_outcome", message, HELP);
    }
    let at = fields.get("next")?;
    let written = at.names()?;
    if written.is_empty() {
        let message = format!("`{kind}` leads nowhere: `next` has no outcomes");
        return at.refuse_with("missing_outcome", message, HELP);
    }
    let outcome = |(key, at): &(&Key, At<'_>)| {
        let target = context.target(at);
        if let Err(error) = Slug::new(&key.text) {
            return at.report(Diagnostic::new("bad_name", key.range, error.to_string()));
        }
        Some((key.text.clone(), target?))
    };
    let all: Vec<_> = written.iter().map(outcome).collect();
    all.into_iter().collect()
}
