//! A task for a person: `review: { queue, title, ask, next, reasons, timeout }`

use std::collections::{BTreeMap, BTreeSet};

use crate::ids::Slug;
use crate::workflow::builtin;
use crate::workflow::definition::{Kind, Review};
use crate::workflow::diagnostic::Diagnostic;
use crate::workflow::load::document::declared;
use crate::workflow::load::outline::{Exit, Output, Sketch};
use crate::workflow::load::step::Context;
use crate::workflow::load::timeout;
use crate::workflow::reader::{At, Fields};
use crate::workflow::schema;
use crate::workflow::yaml::Key;

/// Names that the output of a review has already.
const TAKEN: &[&str] = &["outcome", "by", "at"];

pub(super) fn sketch<'d>(body: &At<'d>) -> Sketch<'d> {
    let Some(fields) = body.fields(&schema::REVIEW) else {
        return Sketch::unreadable();
    };
    let next = fields.get("next").and_then(|at| at.names()).unwrap_or_default();
    let mut broken = BTreeSet::new();
    let ask = fields.get("ask").map(|at| declared(&at, TAKEN, "", &mut broken)).unwrap_or_default();
    let output = if broken.is_empty() {
        Output::Of(builtin::review_type(next.iter().map(|(key, _)| key.text.as_str()), &ask))
    } else {
        Output::Broken
    };
    let exits = next.into_iter().map(|(_, at)| Exit::to(at)).chain(timeout::exit(&fields)).collect();
    Sketch::leading(output, exits)
}

pub(super) fn load(body: &At<'_>, context: &Context<'_, '_>) -> Option<Kind> {
    let fields = body.fields(&schema::REVIEW)?;
    let queue = fields.require("queue").and_then(|at| at.slug());
    let title = fields.require("title").and_then(|at| at.words()?.try_map(|words| context.compiler.template(&words)));
    let mut broken = BTreeSet::new();
    let ask = fields.get("ask").map(|at| declared(&at, TAKEN, "a review has a built-in answer", &mut broken));
    let next = next(&fields, context);
    let reasons: Vec<_> =
        fields.get("reasons").and_then(|at| at.list()).unwrap_or_default().iter().map(At::slug).collect();
    let timeout = timeout::load(&fields, "review", context);
    Some(Kind::Review(Review {
        queue: queue?,
        title: title?,
        ask: ask.unwrap_or_default(),
        next: next?,
        reasons: reasons.into_iter().collect::<Option<_>>()?,
        timeout: timeout?,
    }))
}

fn next(fields: &Fields<'_>, context: &Context<'_, '_>) -> Option<BTreeMap<String, Slug>> {
    const HELP: &str = "as `next: { accept: <step>, refuse: <step> }`";
    if !fields.has("next") {
        return fields.at().refuse_with("missing_outcome", "`review` leads nowhere: `next` is missing", HELP);
    }
    let at = fields.get("next")?;
    let written = at.names()?;
    if written.is_empty() {
        return at.refuse_with("missing_outcome", "`review` leads nowhere: `next` has no outcomes", HELP);
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
