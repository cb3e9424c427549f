//! `undo: [label, parcel]`, or `undo: all`

use crate::ids::Slug;
use crate::workflow::definition::{Kind, Undo};
use crate::workflow::diagnostic::suggest;
use crate::workflow::load::step::Context;
use crate::workflow::reader::At;
use crate::workflow::yaml;

pub(super) fn load(body: &At<'_>, context: &Context<'_, '_>) -> Option<Kind> {
    let is_all = matches!(&body.node().kind, yaml::Kind::Scalar(scalar) if scalar.text == "all");
    if is_all {
        if context.undoable().is_empty() {
            let help = "say of a step how it is undone: `compensate: { http: { target: <system> } }`";
            return body.refuse_with("nothing_to_undo", "no step has a `compensate`", help);
        }
        return Some(Kind::Undo(Undo::All));
    }
    let steps = body.one_or_many();
    if steps.is_empty() {
        return body.refuse_with("missing_value", "`undo` names no step", "name some, or write `undo: all`");
    }
    let mut seen: Vec<Slug> = Vec::new();
    let mut complete = true;
    for at in &steps {
        match step(at, context) {
            Some(step) if seen.contains(&step) => {
                at.refuse::<()>("duplicate_word", format!("`{step}` is given twice"));
            }
            Some(step) => seen.push(step),
            None => complete = false,
        }
    }
    complete.then_some(Kind::Undo(Undo::Steps(seen)))
}

/// A step that can be undone.
fn step(at: &At<'_>, context: &Context<'_, '_>) -> Option<Slug> {
    let name = at.text()?;
    if context.undoable().contains(&name) {
        return at.slug();
    }
    if context.step_ids().contains(&name) {
        let help = "say how: `compensate: { http: { target: <system> } }`";
        return at.refuse_with("nothing_to_undo", format!("`{name}` has no `compensate`"), help);
    }
    let message = format!("there is no step `{name}`");
    match suggest(name, context.undoable()) {
        Some(near) => at.refuse_with("unknown_step", message, format!("did you mean `{near}`?")),
        None => at.refuse("unknown_step", message),
    }
}
