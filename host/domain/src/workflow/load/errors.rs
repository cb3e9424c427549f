//! `on_error` of the document: where failures lead that a step does not answer itself, as of every step above the one that is named.
//!
//! Only of steps above it: what handles a failure does not come to itself, and no way leads in a circle.

use std::collections::BTreeSet;

use crate::ids::Slug;
use crate::workflow::definition::OnError;
use crate::workflow::diagnostic::suggest;
use crate::workflow::load::outline::{Draft, Exit, Outline};
use crate::workflow::reader::{At, Fields};
use crate::workflow::schema;

/// An arm of the document's `on_error`.
pub(super) struct Arm<'d> {
    code: Option<String>,
    then: At<'d>,
    target: Slug,
    /// Where the target stands.
    place: usize,
}

impl Arm<'_> {
    /// Whether it answers failures of the step that stands here.
    fn is_of(&self, place: usize, draft: &Draft<'_>) -> bool {
        let ends = matches!(draft.kind_name(), "finish" | "fail" | "step");
        draft.list == 0 && place < self.place && !ends && self.can_come_of(draft.kind_name())
    }

    fn can_come_of(&self, kind: &str) -> bool {
        self.code.as_deref().is_none_or(|code| schema::codes(kind).any(|known| known == code))
    }
}

/// The arms as written; `None` where one was refused. Their ways are added to those of the steps.
pub(super) fn read<'d>(fields: &Fields<'d>, outline: &mut Outline<'d>) -> Option<Vec<Arm<'d>>> {
    let Some(at) = fields.get("on_error") else { return Some(Vec::new()) };
    let mut seen = BTreeSet::new();
    let arms: Vec<_> = at.list()?.iter().map(|entry| arm(entry, outline, &mut seen)).collect();
    let arms = arms.into_iter().collect::<Option<Vec<_>>>()?;
    for (place, draft) in outline.drafts.iter_mut().enumerate() {
        let of_step = arms.iter().filter(|arm| arm.is_of(place, draft));
        let exits: Vec<_> = of_step.map(|arm| Exit::undone(arm.then.clone())).collect();
        draft.exits.extend(exits);
    }
    Some(arms)
}

/// What the document says of the failures of a step, after what the step says itself.
pub(super) fn of_step(arms: &[Arm<'_>], outline: &Outline<'_>, place: usize) -> Vec<OnError> {
    let of_step = arms.iter().filter(|arm| arm.is_of(place, &outline.drafts[place]));
    of_step.map(|arm| OnError { code: arm.code.clone(), then: arm.target.clone() }).collect()
}

fn arm<'d>(at: &At<'d>, outline: &Outline<'_>, seen: &mut BTreeSet<String>) -> Option<Arm<'d>> {
    let fields = at.fields(&schema::ON_ERROR)?;
    let code = fields.require("match").and_then(|at| code(&at, seen));
    let then = fields.require("then")?;
    let (target, place) = target(&then, outline)?;
    let code = code?;
    let arm = Arm { code: (code != "any").then_some(code), then, target, place };
    if outline.drafts.iter().enumerate().any(|(place, draft)| arm.is_of(place, draft)) {
        return Some(arm);
    }
    let message = match &arm.code {
        Some(code) => format!("no step above `{}` fails with `{code}`", arm.target),
        None => format!("no step stands above `{}`", arm.target),
    };
    at.refuse_with("never_taken", message, "`on_error` of the document is for the steps above the one that it names")
}

fn code(at: &At<'_>, seen: &mut BTreeSet<String>) -> Option<String> {
    let code = at.slug()?.as_str().to_owned();
    let kinds = || schema::STEP_KINDS.iter().map(|kind| kind.name);
    if code != "any" && !kinds().any(|kind| schema::codes(kind).any(|known| known == code)) {
        let known: BTreeSet<_> = kinds().flat_map(schema::own_codes).chain(["any"]).collect();
        let help = match suggest(&code, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "the codes of each kind of step stand in the reference; `any` takes all of them".to_owned(),
        };
        return at.refuse_with("unknown_code", format!("`{code}` is not a code that a step fails with"), help);
    }
    uncovered(at, code, seen)
}

/// A code that no entry before takes already.
pub(super) fn uncovered(at: &At<'_>, code: String, seen: &mut BTreeSet<String>) -> Option<String> {
    let covered = [code.as_str(), "any"].into_iter().find(|word| seen.contains(*word)).map(str::to_owned);
    seen.insert(code.clone());
    match covered {
        Some(word) => at.refuse_with(
            "never_taken",
            format!("`{word}` comes before and takes this"),
            "remove this entry, or put it first",
        ),
        None => Some(code),
    }
}

/// A step of the document's own list.
fn target(at: &At<'_>, outline: &Outline<'_>) -> Option<(Slug, usize)> {
    let name = at.text()?;
    let is_named = |draft: &Draft<'_>| draft.id.as_deref() == Some(name);
    let found = outline.drafts.iter().position(is_named);
    match found {
        Some(place) if outline.drafts[place].list == 0 => Some((at.slug()?, place)),
        Some(_) => {
            let help = "name a step of the document's own list";
            at.refuse_with("other_list", format!("`{name}` stands inside another step"), help)
        }
        None => {
            let own = outline.drafts.iter().filter(|draft| draft.list == 0).filter_map(|draft| draft.id.as_deref());
            let message = format!("there is no step `{name}`");
            match suggest(name, own) {
                Some(near) => at.refuse_with("unknown_step", message, format!("did you mean `{near}`?")),
                None => at.refuse("unknown_step", message),
            }
        }
    }
}
