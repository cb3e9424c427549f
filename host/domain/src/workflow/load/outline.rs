//! An outline of the steps: what follows what, and what each one gives. Read before the steps themselves, because the names that
//! an expression may use depend on the steps that lead to it. It reports only what concerns the outline.

use std::collections::{BTreeMap, BTreeSet};

use crate::ids::Slug;
use crate::value::Type;
use crate::workflow::diagnostic::{Diagnostic, Range, line_column, suggest};
use crate::workflow::flow::{Fact, Known};
use crate::workflow::load::document::Head;
use crate::workflow::load::forks::Fork;
use crate::workflow::load::{Environment, STEPS_MAX, names, steps};
use crate::workflow::problems::Problems;
use crate::workflow::reader::{At, Fields};
use crate::workflow::schema::{self, StepKind};

/// Every step, those of branches and bodies right after the step that they belong to, and the lists that they stand in.
#[derive(Default)]
pub(super) struct Outline<'d> {
    pub(super) drafts: Vec<Draft<'d>>,
    /// The document's own list first; each after the one that it is inside of.
    pub(super) lists: Vec<List>,
}

/// A list of steps.
pub(super) struct List {
    /// The step that it belongs to; none of the document's own.
    pub(super) owner: Option<Owner>,
    /// The places of its steps in the outline.
    pub(super) places: Vec<usize>,
}

/// The step that a list belongs to.
pub(super) struct Owner {
    /// Its place in the outline.
    pub(super) place: usize,
    /// Which of its branches; none for the body of a loop.
    pub(super) branch: Option<Slug>,
}

/// A step whose fields are not read yet.
pub(super) struct Draft<'d> {
    pub(super) at: At<'d>,
    /// The list that it stands in.
    pub(super) list: usize,
    pub(super) fields: Option<Fields<'d>>,
    /// None where the name is missing or wrong, which was reported.
    pub(super) id: Option<String>,
    pub(super) kind: Option<(&'static StepKind, At<'d>)>,
    pub(super) alias: Option<String>,
    pub(super) output: Output,
    /// The variables that it sets.
    pub(super) sets: BTreeSet<String>,
    /// What may follow when it is entered.
    pub(super) exits: Vec<Exit<'d>>,
    /// What is said of the lists in it, where it has some.
    pub(super) fork: Option<Fork>,
}

/// What a step gives to those that come after it.
pub(super) enum Output {
    /// Nothing.
    None,
    /// A value of this type.
    Of(Type),
    /// Unknown, for a reason that is reported.
    Broken,
}

/// A way out of a step.
pub(super) struct Exit<'d> {
    /// Where it leads.
    pub(super) to: Way<'d>,
    /// Whether the step has done its work on this way.
    pub(super) done: bool,
}

/// Where a way out of a step leads.
pub(super) enum Way<'d> {
    /// To the step that is named here.
    Named(At<'d>),
    /// Back to the step that is named here.
    Back(At<'d>),
    /// To the step's own `then`, else to the next one of the list.
    Onward,
    /// Nobody knows, because the step could not be read: no other step is then called unreachable.
    Unknown,
}

/// What a step kind says about the outline.
pub(super) struct Sketch<'d> {
    pub(super) output: Output,
    pub(super) sets: BTreeSet<String>,
    pub(super) exits: Vec<Exit<'d>>,
}

impl<'d> Exit<'d> {
    /// To the step that is named here.
    pub(super) fn to(at: At<'d>) -> Self {
        Self { to: Way::Named(at), done: true }
    }

    /// Back to the step that is named here.
    pub(super) fn back(at: At<'d>) -> Self {
        Self { to: Way::Back(at), done: true }
    }

    /// To the step that is named here, without having done its work.
    pub(super) fn undone(at: At<'d>) -> Self {
        Self { done: false, ..Self::to(at) }
    }

    /// To what follows the step.
    pub(super) fn onward() -> Self {
        Self { to: Way::Onward, done: true }
    }
}

impl<'d> Sketch<'d> {
    /// A step that gives this and goes on.
    pub(super) fn onward(output: Output) -> Self {
        Self { output, sets: BTreeSet::new(), exits: vec![Exit::onward()] }
    }

    /// A step of which nothing is known, because it could not be read.
    pub(super) fn unreadable() -> Self {
        Self::leading(Output::Broken, vec![Exit { to: Way::Unknown, done: true }])
    }

    /// A step that gives this and goes where these lead.
    pub(super) fn leading(output: Output, exits: Vec<Exit<'d>>) -> Self {
        Self { output, sets: BTreeSet::new(), exits }
    }
}

impl Draft<'_> {
    /// The word of its kind.
    pub(super) fn kind_name(&self) -> &'static str {
        self.kind.as_ref().map_or("step", |(kind, _)| kind.name)
    }

    /// Whether the list in it is the body of a loop.
    pub(super) fn is_loop(&self) -> bool {
        self.fork.as_ref().is_some_and(|fork| fork.element.is_some())
    }

    /// What to point at: its name.
    pub(super) fn place(&self) -> Range {
        self.fields.as_ref().and_then(|fields| fields.get("id")).map_or(self.at.place(), |at| at.place())
    }
}

impl<'d> Outline<'d> {
    /// Whether an inspection was done on every way to a step of which this is known.
    pub(super) fn inspected(&self, known: &Known) -> bool {
        let is_inspection = |draft: &Draft<'_>| draft.kind_name() == "inspect";
        let done = |place: usize| known.always.contains(&Fact::Output(place));
        self.drafts.iter().enumerate().any(|(place, draft)| is_inspection(draft) && done(place))
    }

    /// The steps that a step is inside of, the innermost first.
    pub(super) fn around(&self, place: usize) -> Vec<usize> {
        let owner = |place: usize| Some(self.lists[self.drafts.get(place)?.list].owner.as_ref()?.place);
        std::iter::successors(owner(place), |place| owner(*place)).collect()
    }

    /// The lists of a step, with their branches.
    pub(super) fn inside(&self, place: usize) -> impl Iterator<Item = (Option<&Slug>, &List)> {
        self.lists.iter().filter_map(move |list| {
            let owner = list.owner.as_ref().filter(|owner| owner.place == place)?;
            Some((owner.branch.as_ref(), list))
        })
    }

    /// Every step inside a list, those of the lists in it included.
    pub(super) fn all_of<'o>(&'o self, list: &'o List) -> impl Iterator<Item = (usize, &'o Draft<'d>)> {
        let is_inside = move |place: usize| {
            list.places.contains(&place) || self.around(place).iter().any(|outer| list.places.contains(outer))
        };
        self.drafts.iter().enumerate().filter(move |(place, _)| is_inside(*place))
    }
}

/// The outline of every step.
pub(super) fn read<'d>(
    written: &[At<'d>],
    silent: &'d Problems,
    head: &Head<'_>,
    environment: &Environment,
) -> Outline<'d> {
    let mut outline = Outline::default();
    let mut reading = Reading { silent, head, environment, ids: BTreeMap::new(), aliases: BTreeMap::new() };
    reading.list(written, None, &mut outline);
    outline
}

/// What is needed to read the outline, and the names that are taken already.
struct Reading<'r, 'd> {
    silent: &'d Problems,
    head: &'r Head<'r>,
    environment: &'r Environment,
    ids: BTreeMap<String, Range>,
    aliases: BTreeMap<String, Range>,
}

impl<'d> Reading<'_, 'd> {
    /// Recursive: a document is nested to a bounded depth (`yaml::DEPTH_MAX`).
    fn list(&mut self, written: &[At<'d>], owner: Option<Owner>, outline: &mut Outline<'d>) {
        let list = outline.lists.len();
        outline.lists.push(List { owner, places: Vec::new() });
        for at in written {
            let place = outline.drafts.len();
            if place == STEPS_MAX {
                at.refuse::<()>("too_large", format!("the document has more than {STEPS_MAX} steps"));
                return;
            }
            let mut draft = draft(at, self.silent, self.head, self.environment);
            draft.list = list;
            if draft.id.as_ref().is_some_and(|id| is_taken(&draft, "id", id, &mut self.ids)) {
                draft.id = None;
            }
            if draft.alias.as_ref().is_some_and(|alias| !is_free_alias(&draft, alias, self.head, &mut self.aliases)) {
                draft.alias = None;
            }
            let inside = draft.kind.as_ref().map(|(kind, body)| steps::lists(kind.name, body)).unwrap_or_default();
            outline.lists[list].places.push(place);
            outline.drafts.push(draft);
            for (branch, written) in inside {
                self.list(&written, Some(Owner { place, branch }), outline);
            }
        }
    }
}

fn draft<'d>(at: &At<'d>, silent: &'d Problems, head: &Head<'_>, environment: &Environment) -> Draft<'d> {
    let broken = |fields| Draft {
        at: at.clone(),
        fields,
        id: None,
        kind: None,
        alias: None,
        output: Output::Broken,
        sets: BTreeSet::new(),
        exits: vec![Exit::onward()],
        list: 0,
        fork: None,
    };
    let Some(fields) = step_fields(at) else { return broken(None) };
    let id = fields.require("id").and_then(|at| at.identifier()).map(|id| id.as_str().to_owned());
    let alias = fields.get("as").and_then(|at| at.identifier()).map(|alias| alias.as_str().to_owned());
    let Some((kind, body)) = kind_of(&fields) else { return Draft { id, alias, ..broken(Some(fields)) } };
    let sketch = steps::sketch(kind.name, &body.reporting_to(silent), head, environment);
    let mut exits = sketch.exits;
    if fields.has("when") {
        exits.push(Exit { done: false, ..Exit::onward() });
    }
    exits.extend(failures(&fields, silent));
    let fork = steps::fork(kind.name, &body.reporting_to(silent));
    let draft = Draft { fork, ..broken(Some(fields)) };
    Draft { id, alias, kind: Some((kind, body)), output: sketch.output, sets: sketch.sets, exits, ..draft }
}

/// The fields of a step, kinds included.
fn step_fields<'d>(at: &At<'d>) -> Option<Fields<'d>> {
    let kinds: Vec<_> = schema::STEP_KINDS.iter().map(|kind| kind.name).collect();
    at.fields_and(&schema::STEP, &kinds)
}

/// The one kind of a step. A misspelt one, reported as an unknown field, stands for the one that was meant.
fn kind_of<'d>(fields: &Fields<'d>) -> Option<(&'static StepKind, At<'d>)> {
    let kinds = || schema::STEP_KINDS.iter().map(|kind| kind.name);
    let written: Vec<_> = fields.names().filter(|key| schema::step_kind(&key.text).is_some()).collect();
    match written[..] {
        [key] => Some((schema::step_kind(&key.text)?, fields.get(&key.text)?)),
        [first, second, ..] => {
            let message = format!("a step does one thing, this has both `{}` and `{}`", first.text, second.text);
            fields.at().report(Diagnostic::new("two_kinds", second.range, message).help("make it two steps"))
        }
        [] => {
            let unknown = fields.names().filter(|key| schema::STEP.field(&key.text).is_none());
            let meant = unknown.filter_map(|key| Some((suggest(&key.text, kinds())?, key))).next();
            if let Some((kind, key)) = meant {
                return Some((schema::step_kind(kind)?, fields.get(&key.text)?));
            }
            let help = format!("one of {}", kinds().collect::<Vec<_>>().join(", "));
            fields.at().refuse_with("missing_kind", "the step does nothing: it has no kind", help)
        }
    }
}

/// Where the failures of a step go.
fn failures<'d>(fields: &Fields<'d>, silent: &'d Problems) -> Vec<Exit<'d>> {
    let entries = fields.get("on_error").and_then(|at| at.reporting_to(silent).list()).unwrap_or_default();
    entries.iter().filter_map(|entry| entry.fields(&schema::ON_ERROR)?.get("then")).map(Exit::undone).collect()
}

/// Whether another step has this name already; reports it.
fn is_taken(draft: &Draft<'_>, field: &str, name: &str, seen: &mut BTreeMap<String, Range>) -> bool {
    let Some(at) = draft.fields.as_ref().and_then(|fields| fields.get(field)) else { return false };
    if let Some(first) = seen.get(name) {
        let (line, _) = line_column(at.source(), first.start);
        at.refuse_with::<()>(
            "duplicate_id",
            format!("`{name}` is the `{field}` of another step"),
            format!("it stands already in line {line}"),
        );
        return true;
    }
    seen.insert(name.to_owned(), at.place());
    false
}

fn is_free_alias(draft: &Draft<'_>, alias: &str, head: &Head<'_>, seen: &mut BTreeMap<String, Range>) -> bool {
    let Some(at) = draft.fields.as_ref().and_then(|fields| fields.get("as")) else { return false };
    let clash =
        |what: &str| at.refuse_with::<()>("clash", format!("`{alias}` is {what}"), "choose another name").is_some();
    if names::reserved(alias) {
        return clash("a name of the language");
    }
    if head.vars.contains_key(alias) {
        return clash("a variable");
    }
    !is_taken(draft, "as", alias, seen)
}
