//! The fields that every step has, and what the loaders of the kinds work with.

use std::collections::BTreeSet;

use crate::case::Retry;
use crate::ids::Slug;
use crate::workflow::compile::Compiler;
use crate::workflow::definition::{OnError, Step, Within};
use crate::workflow::diagnostic::suggest;
use crate::workflow::load::document::{Head, plain_words};
use crate::workflow::load::outline::{Draft, Outline, Output, Way};
use crate::workflow::load::{Environment, compensate, errors, retry, steps};
use crate::workflow::migration;
use crate::workflow::reader::{At, Fields};
use crate::workflow::schema;

/// How many steps a help names.
const NAMED_MAX: usize = 12;

/// What a step is read with.
pub(super) struct Context<'c, 'd> {
    /// The names that its expressions may read.
    pub(super) compiler: Compiler,
    pub(super) head: &'c Head<'d>,
    pub(super) environment: &'c Environment,
    pub(super) outline: &'c Outline<'d>,
    /// Which step of the outline it is.
    pub(super) place: usize,
    /// Whether an inspection was done on every way to the step.
    pub(super) inspected: bool,
}

impl Context<'_, '_> {
    /// The step that is named here: one of the same list.
    pub(super) fn target(&self, at: &At<'_>) -> Option<Slug> {
        let name = at.text()?;
        let list = self.outline.drafts[self.place].list;
        let known = self.outline.drafts.iter().filter(|draft| draft.list == list);
        let known = known.filter_map(|draft| draft.id.as_deref());
        if known.clone().any(|id| id == name) {
            return at.slug();
        }
        if self.outline.drafts.iter().any(|draft| draft.id.as_deref() == Some(name)) {
            let help = "a way leads to a step of the same list; at the end of its list a branch or a body is done";
            return at.refuse_with("other_list", format!("`{name}` stands in another list of steps"), help);
        }
        let message = format!("there is no step `{name}`");
        let help = match suggest(name, known.clone()) {
            Some(near) => format!("did you mean `{near}`?"),
            None if schema::step_kind(name).is_some() => {
                format!("`{name}` is a kind of step: name the `id` of one, as `- {{ id: ended, {name}: … }}`")
            }
            None => format!("the steps of this list are {}", known.take(NAMED_MAX).collect::<Vec<_>>().join(", ")),
        };
        at.refuse_with("unknown_step", message, help)
    }
}

impl Context<'_, '_> {
    /// Whether a field of the kind stands beside it, where it is unknown.
    pub(super) fn has_beside(&self, field: &str) -> bool {
        self.outline.drafts[self.place].fields.as_ref().is_some_and(|fields| fields.has(field))
    }

    /// The ids of all steps.
    pub(super) fn step_ids(&self) -> Vec<&str> {
        self.outline.drafts.iter().filter_map(|draft| draft.id.as_deref()).collect()
    }

    /// The ids of those that say how they are undone.
    pub(super) fn undoable(&self) -> Vec<&str> {
        let says = |draft: &&Draft<'_>| draft.fields.as_ref().is_some_and(|fields| fields.has("compensate"));
        self.outline.drafts.iter().filter(says).filter_map(|draft| draft.id.as_deref()).collect()
    }

    /// The first step of a branch of the step that is read, or of its body; none where that has no name, which was reported.
    pub(super) fn first_step(&self, branch: Option<&Slug>) -> Option<Slug> {
        let (_, list) = self.outline.inside(self.place).find(|(of, _)| *of == branch)?;
        Slug::new(self.outline.drafts[*list.places.first()?].id.as_ref()?).ok()
    }
}

/// Read the step at this place of the outline.
pub(super) fn load(
    outline: &Outline<'_>,
    place: usize,
    compiler: Compiler,
    head: &Head<'_>,
    (environment, inspected): (&Environment, bool),
) -> Option<Step> {
    let draft = &outline.drafts[place];
    let fields = draft.fields.as_ref()?;
    // Each part reports for itself before the first lack ends the step.
    let title = optional(fields.get("title"), plain_words);
    let when = optional(fields.get("when"), |at| compiler.condition(at));
    let holds = when.as_ref().and_then(Option::as_ref);
    let context = Context { compiler: compiler.where_holds(holds), head, environment, outline, place, inspected };
    let then = optional(fields.get("then"), |at| context.target(at));
    let on_error = on_error(fields, draft.kind.as_ref().map(|(kind, _)| kind.name), &context);
    let retry = retry(fields, draft);
    let migration_point = optional(fields.get("migration_point"), At::bool);
    let kind = draft.kind.as_ref().map(|(kind, body)| steps::load(kind.name, body, &context));
    check_use(draft, fields);
    let compensate = optional(fields.get("compensate"), |at| {
        let compiler = compensate::after(&context.compiler, draft);
        compensate::load(at, draft, &Context { compiler, ..context })
    });
    check_seal(fields);
    let (migration_point, kind) = (migration_point?.unwrap_or(false), kind??);
    if migration_point && !migration::can_be_point(&kind) {
        fields.get("migration_point").and_then(|at| {
            let message = format!("cases do not wait at {} until they could be moved", schema::a(kind.name()));
            let help = "a `review`, an `inspect`, an `await`, a `wait` or a `run` that waits can be a migration point";
            at.refuse_with::<()>("never_waits", message, help)
        });
    }
    Some(Step {
        id: Slug::new(draft.id.as_ref()?).ok()?,
        within: within(outline, draft)?,
        title: title?,
        when: when?,
        alias: draft.alias.clone(),
        then: then?,
        on_error: on_error?,
        retry: retry?.or(head.retry.clone()?.filter(|_| sends(draft))),
        compensate: compensate?,
        migration_point,
        kind,
    })
}

/// The list that the step stands in: none where it is the document's own.
fn within(outline: &Outline<'_>, draft: &Draft<'_>) -> Option<Option<Within>> {
    let Some(owner) = &outline.lists[draft.list].owner else { return Some(None) };
    let step = Slug::new(outline.drafts[owner.place].id.as_ref()?).ok()?;
    Some(Some(Within { step, branch: owner.branch.clone() }))
}

/// What a field says: `Some(None)` where it is left out, `None` where it was refused.
pub(super) fn optional<'d, T>(at: Option<At<'d>>, read: impl FnOnce(&At<'d>) -> Option<T>) -> Option<Option<T>> {
    match at {
        None => Some(None),
        Some(at) => read(&at).map(Some),
    }
}

/// How what the step sends is sent again; a step that sends nothing has nothing to send again.
fn retry(fields: &Fields<'_>, draft: &Draft<'_>) -> Option<Option<Retry>> {
    let retry = optional(fields.get("retry"), retry::load)?;
    if retry.is_none() || draft.kind.is_none() || sends(draft) {
        return Some(retry);
    }
    let help = match draft.kind_name() {
        "call" => "a call is pure: asked again it says the same",
        "review" | "inspect" | "await" => "the end of waiting is its `timeout`",
        _ => "`retry` is for steps that send something: refund, restock, notify, http, exchange",
    };
    let message = format!("{} sends nothing that could be sent again", schema::a(draft.kind_name()));
    fields.get("retry")?.refuse_with("never_taken", message, help)
}

fn sends(draft: &Draft<'_>) -> bool {
    schema::SENDING.contains(&draft.kind_name())
}

fn on_error(fields: &Fields<'_>, kind: Option<&str>, context: &Context<'_, '_>) -> Option<Vec<OnError>> {
    let Some(at) = fields.get("on_error") else { return Some(Vec::new()) };
    let mut seen: BTreeSet<String> = BTreeSet::new();
    let all: Vec<_> = at.list()?.iter().map(|entry| on_error_entry(entry, kind, context, &mut seen)).collect();
    all.into_iter().collect()
}

fn on_error_entry(
    at: &At<'_>,
    kind: Option<&str>,
    context: &Context<'_, '_>,
    seen: &mut BTreeSet<String>,
) -> Option<OnError> {
    let fields = at.fields(&schema::ON_ERROR)?;
    let code = fields.require("match").and_then(|at| {
        let code = at.slug()?.as_str().to_owned();
        if let Some(kind) = kind
            && code != "any"
            && !schema::codes(kind).any(|known| known == code)
        {
            return unknown_code(&at, &code, kind);
        }
        errors::uncovered(&at, code, seen)
    });
    let then = fields.require("then").and_then(|at| context.target(&at));
    let code = code?;
    Some(OnError { code: (code != "any").then_some(code), then: then? })
}

/// A code that a step of this kind never fails with.
fn unknown_code<T>(at: &At<'_>, code: &str, kind: &str) -> Option<T> {
    let what = format!("is not a code that {} fails with", schema::a(kind));
    let own = schema::own_codes(kind);
    // A plugin fails in more ways than anybody reads.
    if kind != "call" && !own.is_empty() || suggest(code, own.iter().copied()).is_some() {
        return retry::unknown(at, code, &what, own.into_iter().chain(["any"]));
    }
    let help = match kind {
        "call" => {
            "as `plugin_cannot_decide`, `plugin_out_of_fuel` or `plugin_trap`; `any` takes every failure of a plugin"
        }
        "finish" | "fail" => "it ends the case: a step before it leads here by its own `on_error`",
        "notify" => "a message that does not arrive stops no case",
        _ => "it fails only where an expression cannot be computed: `any` takes that",
    };
    at.refuse_with("unknown_code", format!("`{code}` {what}"), help)
}

/// Fields that would never do anything.
fn check_use(draft: &Draft<'_>, fields: &Fields<'_>) {
    let Some((kind, _)) = draft.kind else { return };
    if let Some(then) = fields.get("then")
        && !draft.exits.iter().any(|exit| matches!(exit.to, Way::Onward))
    {
        let why = match kind.name {
            "finish" | "fail" => "ends the case",
            _ => "itself says where it leads",
        };
        let message = format!("`then` is never taken: the `{}` {why}", kind.name);
        then.refuse_with::<()>("never_taken", message, "remove it; with `when` it is where a skipped step goes on");
    }
    if let (Some(alias), Output::None) = (fields.get("as"), &draft.output) {
        let message = format!("{} has no output to name", schema::a(kind.name));
        alias.refuse_with::<()>("never_taken", message, "remove the `as`");
    }
}

/// What a base closes to its overlays; it means nothing to the step itself.
fn check_seal(fields: &Fields<'_>) {
    let sealed = fields.get("sealed").and_then(|at| at.bool());
    let Some(open) = fields.get("open") else { return };
    for at in open.list().unwrap_or_default() {
        at.slug();
    }
    if sealed != Some(true) {
        let help = "add `sealed: true`, or remove it";
        open.refuse_with::<()>("never_taken", "`open` without `sealed: true` opens nothing", help);
    }
}
