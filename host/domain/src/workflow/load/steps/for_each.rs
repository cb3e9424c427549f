//! `for_each: { in: =case.lines, max: 20, steps: [ ... ] }`

use crate::ids::Slug;
use crate::value::Type;
use crate::workflow::builtin;
use crate::workflow::definition::{ForEach, Kind};
use crate::workflow::expr::Expr;
use crate::workflow::load::forks::Fork;
use crate::workflow::load::names;
use crate::workflow::load::outline::{Output, Sketch};
use crate::workflow::load::step::Context;
use crate::workflow::load::steps::approve::describe;
use crate::workflow::load::steps::parallel::{merge, merged};
use crate::workflow::reader::{At, Fields};
use crate::workflow::schema;

/// The most elements that a document may allow; a list of an expression has no more either.
const ELEMENTS_MAX: i64 = 1_000;
/// The most iterations at once.
const AT_ONCE_MAX: i64 = 100;
/// What an element is called unless the document says otherwise.
const ITEM: &str = "item";

pub(super) fn sketch<'d>() -> Sketch<'d> {
    Sketch::onward(Output::Of(builtin::for_each_type()))
}

pub(super) fn lists<'d>(body: &At<'d>) -> Vec<(Option<Slug>, Vec<At<'d>>)> {
    let steps = body.fields(&schema::FOR_EACH).and_then(|fields| fields.get("steps")?.list());
    steps.map(|steps| (None, steps)).into_iter().collect()
}

pub(super) fn fork(body: &At<'_>) -> Fork {
    let fields = body.fields(&schema::FOR_EACH);
    let field = |name: &str| fields.as_ref().and_then(|fields| fields.get(name));
    let at_once = field("parallel").and_then(|at| at.whole(1, AT_ONCE_MAX)).unwrap_or(1);
    let max = field("max").and_then(|at| at.whole(1, ELEMENTS_MAX)).unwrap_or(1);
    let element = field("as").and_then(|at| at.text()).unwrap_or(ITEM);
    Fork {
        is_whole: false,
        calls_off: false,
        is_at_once: at_once > 1,
        element: Some(element.to_owned()),
        lanes_max: u64::try_from(max).unwrap_or(1),
        merge: fields.as_ref().map(merged).unwrap_or_default(),
    }
}

pub(super) fn load(body: &At<'_>, context: &Context<'_, '_>) -> Option<Kind> {
    let fields = body.fields(&schema::FOR_EACH)?;
    let over = fields.require("in").and_then(|at| list(&at, context));
    let max = fields.require("max").and_then(|at| at.whole(1, ELEMENTS_MAX));
    let element = element(&fields, context);
    let at_once = match fields.get("parallel") {
        Some(at) => at.whole(1, AT_ONCE_MAX),
        None if fields.has("parallel") => None,
        None => Some(1),
    };
    let first = fields.require("steps").and_then(|at| {
        if at.list()?.is_empty() {
            return at.refuse("missing_value", "the body of `for_each` has no steps");
        }
        context.first_step(None)
    });
    let merge = merge(&fields, context);
    Some(Kind::ForEach(ForEach {
        over: over?,
        max: u32::try_from(max?).ok()?,
        element: element?,
        at_once: u32::try_from(at_once?).ok()?,
        first: first?,
        merge: merge?,
    }))
}

fn list(at: &At<'_>, context: &Context<'_, '_>) -> Option<Expr> {
    let list = context.compiler.expression(at, None)?;
    if matches!(list.kind(), Type::List(_)) {
        return Some(list);
    }
    at.refuse_with("wrong_type", format!("expected a list, found {}", describe(list.kind())), "as `in: =case.lines`")
}

/// The name of an element: one that nothing else has.
fn element(fields: &Fields<'_>, context: &Context<'_, '_>) -> Option<String> {
    let at = match fields.get("as") {
        Some(at) => at,
        None if fields.has("as") => return None,
        None => fields.at().clone(),
    };
    let name = if fields.has("as") { at.identifier()?.as_str().to_owned() } else { ITEM.to_owned() };
    let outline = context.outline;
    let is_outer =
        |place: &usize| outline.drafts[*place].fork.as_ref().is_some_and(|fork| fork.element.as_ref() == Some(&name));
    let what = match () {
        () if outline.around(context.place).iter().any(is_outer) => "the element of the loop around it",
        () if name != ITEM && names::reserved(&name) => "a name of the language",
        () if context.head.vars.contains_key(&name) => "a variable",
        () if outline.drafts.iter().any(|draft| draft.alias.as_ref() == Some(&name)) => "the `as` of a step",
        () => return Some(name),
    };
    at.refuse_with("clash", format!("`{name}` is {what}"), "give the element another name: `as: line`")
}
