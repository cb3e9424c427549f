//! From the text of a document to a definition that can run, or to everything that is wrong with it.
//!
//! In three passes over one tree: the head (types of everything that has a name), an outline of the steps (what follows what, and
//! what each one gives), then the steps themselves, each with the names that are known where it stands.

mod calendar;
mod compensate;
mod document;
mod errors;
mod forks;
mod form;
mod lists;
mod messages;
mod names;
mod needs;
mod outline;
mod retry;
mod sla;
mod step;
mod steps;
mod timeout;
mod triggers;
mod warnings;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::clock::{Instant, Zone};
use crate::ids::Slug;
use crate::money::Currency;
use crate::value::Type;
use crate::workflow::calendar::holidays::Holidays;
use crate::workflow::definition::{Callable, Definition, Kind, Plugin, PluginRef, Step};
use crate::workflow::diagnostic::{Diagnostic, Severity};
use crate::workflow::flow::{Graph, Known};
use crate::workflow::problems::Problems;
use crate::workflow::reader::At;
use crate::workflow::yaml::Node;
use crate::workflow::{overlay, revision, schema, trial, yaml};
pub(super) use calendar::delay_by;
use document::Head;
pub(super) use document::zone_of;
use outline::Outline;

/// The most steps of a document: what a turn may pass, and more than one page.
pub const STEPS_MAX: usize = 256;

/// What a document is checked against.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    /// The plugins that calls may name.
    pub plugins: BTreeMap<PluginRef, Plugin>,
    /// The tenant's currency, for a document that names none.
    pub currency: Option<Currency>,
    /// The tenant's zone, for a document that names none.
    pub zone: Option<Zone>,
    /// The texts of the bases that an overlay may extend, by the name with its pin.
    pub bases: BTreeMap<String, String>,
    /// The workflows that a step `run` may name, as it names them, where they are known.
    pub workflows: Option<BTreeMap<String, Callable>>,
    /// The systems that the tenant has connected, by the names under which steps ask them; empty where nobody knows.
    pub systems: BTreeSet<Slug>,
    /// The table of holidays that a stored revision was checked with; those of the program for a new document.
    pub holidays: Option<Arc<Holidays>>,
    /// When it is checked, where that is known: what is worth a second look may depend on it, what is wrong never does.
    pub now: Option<Instant>,
}

/// Check a document, or an overlay on its base. Everything that is wrong comes at once, in the order of the text; what is only worth a
/// second look stands in the definition.
pub fn load(source: &str, environment: &Environment) -> Result<Definition, Vec<Diagnostic>> {
    let problems = Problems::new();
    match yaml::parse(source, &problems) {
        Some(tree) if overlay::is_overlay(&tree) => overlay::load(source, &tree, problems, environment),
        Some(tree) => check(source, &tree, problems, environment),
        None => Err(refused(problems)),
    }
}

/// Check a tree whose places are counted in this text.
pub(super) fn check(
    source: &str,
    tree: &Node,
    problems: Problems,
    environment: &Environment,
) -> Result<Definition, Vec<Diagnostic>> {
    let silent = Problems::new();
    let definition = definition(&At::root(tree, source, &problems), &silent, environment);
    match definition {
        Some(definition) if problems.is_empty() => Ok(Definition { warnings: problems.into_sorted(), ..definition }),
        _ => Err(refused(problems)),
    }
}

/// Why a document does not pass: what refuses nothing is said once it does. Every way to no definition reports why; should one
/// forget it, the document still does not pass.
pub(super) fn refused(problems: Problems) -> Vec<Diagnostic> {
    let mut found = problems.into_sorted();
    found.retain(|one| one.severity == Severity::Error);
    if found.is_empty() {
        return vec![Diagnostic::new("internal", yaml::START, "the document was refused without a reason")];
    }
    found
}

fn definition<'d>(root: &At<'d>, silent: &'d Problems, environment: &Environment) -> Option<Definition> {
    let fields = root.fields(&schema::DOCUMENT)?;
    let head = document::head(&fields, environment);
    let written = document::steps(&fields);
    let mut outline = outline::read(&written, silent, &head, environment);
    let errors = errors::read(&fields, &mut outline);
    let graphs = lists::graphs(&outline);
    for found in graphs.iter().flat_map(Graph::check) {
        root.report::<()>(found);
    }
    forks::check(&outline);
    let triggers = triggers::opened(&head);
    let called = triggers::called(&head);
    let starts = triggers::by_name(&head);
    let limits = document::limits(&head);
    let messages = messages::reminders(&head);
    let ways_back = lists::ways_back(&outline, &graphs);
    let known = lists::known(&outline, graphs);
    let mut steps = all_steps(&head, &outline, &known, environment)?;
    let errors = errors?;
    for (place, step) in steps.iter_mut().enumerate() {
        step.on_error.extend(errors::of_step(&errors, &outline, place));
    }
    let plugins = used_plugins(&steps, environment);
    let calendar = match &head.calendar {
        calendar::Written::Broken => return None,
        written => written.get().cloned(),
    };
    let needs = needs::of(&head, &steps);
    let version = calendar.as_ref().and_then(|calendar| calendar.version());
    let definition = Definition {
        revision: revision::revision(root.node(), &plugins, head.currency?, head.zone?, version),
        workflow: head.workflow.clone()?,
        title: head.title.clone(),
        currency: head.currency?,
        zone: head.zone?,
        calendar,
        priority: head.priority,
        triggers: triggers?,
        called: called?,
        starts: starts?,
        limits: limits?,
        vars: head.variables()?,
        attributes: head.attributes,
        events: head.events,
        messages: messages?,
        needs,
        ways_back: named(&ways_back, &steps),
        steps,
        plugins,
        warnings: Vec::new(),
    };
    warnings::look(&fields, &outline, &definition, environment.now);
    if let Some(tests) = fields.get("tests") {
        trial::check(&tests, &definition);
    }
    Some(definition)
}

/// The ways back by the steps' names. A step of the outline stands at the same place in the definition.
fn named(ways_back: &BTreeMap<usize, BTreeSet<usize>>, steps: &[Step]) -> BTreeMap<Slug, BTreeSet<Slug>> {
    let name = |place: &usize| steps[*place].id.clone();
    ways_back.iter().map(|(again, passed)| (name(again), passed.iter().map(name).collect())).collect()
}

/// The steps, each after the one that it stands in: the body of a `for_each` reads elements of a type that its list says.
fn all_steps(head: &Head<'_>, outline: &Outline<'_>, known: &[Known], environment: &Environment) -> Option<Vec<Step>> {
    let mut elements = BTreeMap::new();
    let mut steps = Vec::new();
    for (place, known) in known.iter().enumerate() {
        let compiler = names::at_step(head, outline, place, known, &elements);
        let step = step::load(outline, place, compiler, head, (environment, outline.inspected(known)));
        if let Some(Kind::ForEach(each)) = step.as_ref().map(|step| &step.kind)
            && let Type::List(element) = each.over.kind()
        {
            elements.insert(place, element.as_ref().clone());
        }
        steps.push(step);
    }
    steps.into_iter().collect()
}

fn used_plugins(steps: &[Step], environment: &Environment) -> BTreeMap<PluginRef, Plugin> {
    let named =
        steps.iter().filter_map(|step| if let Kind::Call { plugin, .. } = &step.kind { Some(plugin) } else { None });
    named.filter_map(|name| Some((name.clone(), environment.plugins.get(name)?.clone()))).collect()
}
