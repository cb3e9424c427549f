//! `decide: [{ when: 'match.remedy == "review"', then: look }, { else: pay }]`

use crate::workflow::definition::{Arm, Kind};
use crate::workflow::load::outline::{Exit, Output, Sketch};
use crate::workflow::load::step::Context;
use crate::workflow::problems::Problems;
use crate::workflow::reader::At;
use crate::workflow::schema;

pub(super) fn sketch<'d>(body: &At<'d>) -> Sketch<'d> {
    let Some(arms) = body.list() else { return Sketch::unreadable() };
    let targets = |arm: &At<'d>| {
        let fields = arm.fields(&schema::ARM);
        let target = move |name| fields.as_ref().and_then(|fields| fields.get_meant(name));
        ["else", "then"].into_iter().filter_map(target).collect::<Vec<_>>()
    };
    if arms.is_empty() {
        return Sketch::unreadable();
    }
    Sketch::leading(Output::None, arms.iter().flat_map(targets).map(Exit::to).collect())
}

pub(super) fn load(body: &At<'_>, context: &Context<'_, '_>) -> Option<Kind> {
    let arms = body.list()?;
    let last = arms.len().saturating_sub(1);
    let loaded: Vec<_> = arms.iter().enumerate().map(|(place, at)| arm(at, place == last, context)).collect();
    if arms.is_empty() {
        let help = "as `[{ when: 'order.paid_total > 100', then: <step> }, { else: <step> }]`";
        return body.refuse_with("missing_outcome", "`decide` has no arms", help);
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
    let silent = Problems::new();
    let fields = arm.reporting_to(&silent).fields(&schema::ARM);
    fields.is_some_and(|fields| fields.has("else") || fields.is_meant("else"))
}

fn arm(at: &At<'_>, last: bool, context: &Context<'_, '_>) -> Option<Arm> {
    let fields = at.fields(&schema::ARM)?;
    if fields.is_meant("else") {
        return None;
    }
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
