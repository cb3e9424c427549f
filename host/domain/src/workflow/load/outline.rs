//! An outline of the steps: what follows what, and what each one gives. Read before the steps themselves, because the names that
//! an expression may use depend on the steps that lead to it. It reports only what concerns the outline.

use std::collections::{BTreeMap, BTreeSet};

use crate::value::Type;
use crate::workflow::diagnostic::{Diagnostic, Range, line_column, suggest};
use crate::workflow::flow::{Edge, Fact, FlowStep, Graph, Known};
use crate::workflow::load::document::Head;
use crate::workflow::load::{Environment, names, steps};
use crate::workflow::problems::Problems;
use crate::workflow::reader::{At, Fields};
use crate::workflow::schema::{self, StepKind};
use crate::workflow::yaml;

/// A step whose fields are not read yet.
pub(super) struct Draft<'d> {
    pub(super) at: At<'d>,
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

    /// The same, without having done its work.
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

    /// What to point at: its name.
    fn place(&self) -> Range {
        self.fields.as_ref().and_then(|fields| fields.get("id")).map_or(self.at.place(), |at| at.place())
    }
}

/// The outline of every step.
pub(super) fn drafts<'d>(
    written: &[At<'d>],
    silent: &'d Problems,
    head: &Head<'_>,
    environment: &Environment,
) -> Vec<Draft<'d>> {
    let mut ids = BTreeMap::new();
    let mut aliases = BTreeMap::new();
    written
        .iter()
        .map(|at| {
            let mut draft = draft(at, silent, head, environment);
            if draft.id.as_ref().is_some_and(|id| is_taken(&draft, "id", id, &mut ids)) {
                draft.id = None;
            }
            if draft.alias.as_ref().is_some_and(|alias| !is_free_alias(&draft, alias, head, &mut aliases)) {
                draft.alias = None;
            }
            draft
        })
        .collect()
}

/// The graph of the outline.
pub(super) fn graph(drafts: &[Draft<'_>]) -> Graph {
    let ids: BTreeMap<&str, usize> =
        drafts.iter().enumerate().filter_map(|(place, draft)| Some((draft.id.as_deref()?, place))).collect();
    let mut graph = Graph { steps: Vec::new(), incomplete: drafts.iter().any(|d| d.kind.is_none() || d.id.is_none()) };
    for (place, draft) in drafts.iter().enumerate() {
        let mut step = FlowStep {
            id: draft.id.clone().unwrap_or_else(|| "?".to_owned()),
            range: draft.place(),
            path: draft.at.path().to_owned(),
            gives: gives(place, draft),
            edges: Vec::new(),
            falls_off: false,
        };
        let then = draft.fields.as_ref().and_then(|fields| fields.get("then"));
        for exit in &draft.exits {
            let named = match &exit.to {
                Way::Named(at) => Some(at),
                Way::Onward => then.as_ref(),
                Way::Unknown => {
                    graph.incomplete = true;
                    continue;
                }
            };
            match named {
                Some(at) => {
                    // A name that is no step's is reported where the step is read.
                    let known = target_of(at, &ids).map(|to| Edge { to, done: exit.done, range: at.place() });
                    step.edges.extend(known);
                }
                None if place + 1 < drafts.len() => {
                    step.edges.push(Edge { to: place + 1, done: exit.done, range: step.range });
                }
                None => step.falls_off = draft.kind.is_some(),
            }
        }
        graph.steps.push(step);
    }
    graph
}

/// Whether an inspection was done on every way to a step of which this is known.
pub(super) fn inspected(drafts: &[Draft<'_>], known: &Known) -> bool {
    let is_inspection = |draft: &Draft<'_>| draft.kind_name() == "inspect";
    let done = |place: usize| known.always.contains(&Fact::Output(place));
    drafts.iter().enumerate().any(|(place, draft)| is_inspection(draft) && done(place))
}

fn gives(place: usize, draft: &Draft<'_>) -> BTreeSet<Fact> {
    let output = matches!(draft.output, Output::Of(_)).then_some(Fact::Output(place));
    output.into_iter().chain(draft.sets.iter().cloned().map(Fact::Variable)).collect()
}

/// The place of the step that is named; a misspelt name stands for the one that was meant, so that nothing else is reported.
fn target_of(at: &At<'_>, ids: &BTreeMap<&str, usize>) -> Option<usize> {
    let name = match &at.node().kind {
        yaml::Kind::Scalar(scalar) => scalar.text.as_str(),
        _ => return None,
    };
    ids.get(name).or_else(|| ids.get(suggest(name, ids.keys().copied())?)).copied()
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
    let draft = broken(Some(fields));
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
        [] if fields.names().any(|key| schema::STEP_KINDS_LATER.contains(&key.text.as_str())) => None,
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
