//! `decide: [{ when: 'match.remedy == "review"', then: look }, { else: pay }]`

use crate::workflow::definition::{Arm, Kind};
use crate::workflow::load::outline::{Exit, Output, Sketch};
use crate::workflow::load::step::Context;
use crate::workflow::reader::At;
use crate::workflow::schema;
use crate::workflow::yaml;

pub(super) fn sketch<'d>(body: &At<'d>) -> Sketch<'d> {
    let Some(arms) = body.list() else { return Sketch::unreadable() };
    let target = |arm: &At<'d>| {
        let fields = arm.fields(&schema::ARM)?;
        fields.get("else").or_else(|| fields.get("then"))
    };
    Sketch::leading(Output::None, arms.iter().filter_map(target).map(Exit::to).collect())
}

pub(super) fn load(body: &At<'_>, context: &Context<'_, '_>) -> Option<Kind> {
    let arms = body.list()?;
    let last = arms.len().saturating_sub(1);
    let loaded: Vec<_> = arms.iter().enumerate().map(|(place, at)| arm(at, place == last, context)).collect();
    if arms.is_empty() {
        return body.refuse("missing_outcome", "`decide` has no arms");
    }
    if !arms.iter().any(has_else) {
        return body.refuse_with(
            "missing_outcome",
            "`decide` says nothing about all other cases",
            "end it with `- { else: <step> }`",
        );
    }
    loaded.into_iter().collect::<Option<_>>().map(|arms| Kind::Decide { arms })
}

fn has_else(arm: &At<'_>) -> bool {
    matches!(&arm.node().kind, yaml::Kind::Map(entries) if entries.iter().any(|entry| entry.key.text == "else"))
}

fn arm(at: &At<'_>, last: bool, context: &Context<'_, '_>) -> Option<Arm> {
    let fields = at.fields(&schema::ARM)?;
    let Some(other) = fields.get("else") else {
        let when = fields.require("when").and_then(|at| context.compiler.condition(&at));
        let then = fields.require("then").and_then(|at| context.target(&at));
        return Some(Arm { when: Some(when?), then: then? });
    };
    let then = context.target(&other);
    if !last {
        return at.refuse_with(
            "never_taken",
            "`else` takes everything: the arms below it are never taken",
            "put it last",
        );
    }
    if fields.has("when") || fields.has("then") {
        return at.refuse_with("two_ways", "an arm has either `else`, or `when` and `then`", "make it two arms");
    }
    Some(Arm { when: None, then: then? })
}
