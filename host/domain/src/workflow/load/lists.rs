//! The graphs of a document's lists: which steps follow which in each, and what one list lends to the other.

use std::collections::{BTreeMap, BTreeSet};

use crate::workflow::diagnostic::{Diagnostic, suggest};
use crate::workflow::flow::{Edge, Fact, Fall, FlowStep, Graph, Known};
use crate::workflow::load::outline::{Draft, List, Outline, Output, Way};
use crate::workflow::problems::Problems;
use crate::workflow::reader::{At, Fields};
use crate::workflow::schema::Shape;
use crate::workflow::yaml;

/// The graph of every list, in the order of the outline's.
pub(super) fn graphs(outline: &Outline<'_>) -> Vec<Graph> {
    let graphs = outline.lists.iter().map(|list| graph(outline, list));
    graphs.collect()
}

fn graph(outline: &Outline<'_>, list: &List) -> Graph {
    let draft = |place: &usize| &outline.drafts[*place];
    let places = || list.places.iter().enumerate();
    let ids: BTreeMap<&str, usize> =
        places().filter_map(|(place, global)| Some((draft(global).id.as_deref()?, place))).collect();
    let incomplete = list.places.iter().map(draft).any(|draft| draft.kind.is_none() || draft.id.is_none());
    let mut graph = Graph { steps: Vec::new(), named: named_in_vain(list, outline, &ids), incomplete };
    for (place, global) in places() {
        let draft = draft(global);
        let mut step = FlowStep {
            id: draft.id.clone().unwrap_or_else(|| "?".to_owned()),
            range: draft.place(),
            path: draft.at.path().to_owned(),
            gives: gives(*global, draft),
            may_give: BTreeSet::new(),
            edges: Vec::new(),
            falls_off: None,
        };
        let then = draft.fields.as_ref().and_then(|fields| fields.get("then"));
        let is_last = place + 1 == list.places.len();
        for exit in &draft.exits {
            let is_back = matches!(exit.to, Way::Back(_));
            let named = match &exit.to {
                Way::Named(at) | Way::Back(at) => Some(at),
                Way::Onward => then.as_ref(),
                Way::Unknown => {
                    graph.incomplete = true;
                    continue;
                }
            };
            match named {
                Some(at) => {
                    // A name that is no step's is reported where the step is read, and so is one of another list.
                    let known = target_of(at, &ids).map(|to| Edge { to, done: exit.done, is_back, range: at.place() });
                    graph.incomplete |= known.is_none();
                    step.edges.extend(known);
                }
                // Behind the last step of a branch or a body is its end.
                None if !is_last || list.owner.is_some() => {
                    step.edges.push(Edge { to: place + 1, done: exit.done, is_back, range: step.range });
                }
                None if draft.kind.is_none() => {}
                // The only way on of a step that ends the case is that it may be skipped.
                None if matches!(draft.kind_name(), "finish" | "fail") => step.falls_off = Some(Fall::Skipped),
                None => step.falls_off = Some(Fall::Done),
            }
        }
        graph.steps.push(step);
    }
    graph
}

/// The steps that are named where nothing comes of it, because of a mistake that is reported: by a field that there is not, or by a
/// `then` behind an end. None of them is called unreachable as well.
fn named_in_vain(list: &List, outline: &Outline<'_>, ids: &BTreeMap<&str, usize>) -> BTreeSet<usize> {
    let silent = Problems::new();
    let mut named = BTreeSet::new();
    for draft in list.places.iter().map(|place| &outline.drafts[*place]) {
        let Some(fields) = &draft.fields else { continue };
        let body = draft.kind.as_ref().and_then(|(kind, body)| match kind.shape {
            Shape::Map(table) => body.reporting_to(&silent).fields(table),
            _ => None,
        });
        let ended = fields.get("then").filter(|_| matches!(draft.kind_name(), "finish" | "fail"));
        let unknown = fields.unknown().chain(body.iter().flat_map(Fields::unknown)).chain(ended);
        unknown.for_each(|at| names_in(at.node(), ids, &mut named));
    }
    named
}

/// Recursive: a document is nested to a bounded depth (`yaml::DEPTH_MAX`).
fn names_in(node: &yaml::Node, ids: &BTreeMap<&str, usize>, named: &mut BTreeSet<usize>) {
    match &node.kind {
        yaml::Kind::Scalar(scalar) => named.extend(ids.get(scalar.text.as_str())),
        yaml::Kind::List(items) => items.iter().for_each(|item| names_in(item, ids, named)),
        yaml::Kind::Map(entries) => entries.iter().for_each(|entry| names_in(&entry.value, ids, named)),
        yaml::Kind::Broken => {}
    }
}

fn gives(place: usize, draft: &Draft<'_>) -> BTreeSet<Fact> {
    let output = matches!(draft.output, Output::Of(_)).then_some(Fact::Output(place));
    output.into_iter().chain(draft.sets.iter().cloned().map(Fact::Variable)).collect()
}

/// The place of the step that is named; a misspelt name stands for the one that was meant, so that nothing else is reported.
fn target_of(at: &At<'_>, ids: &BTreeMap<&str, usize>) -> Option<usize> {
    let name = name(at)?;
    ids.get(name).or_else(|| ids.get(suggest(name, ids.keys().copied())?)).copied()
}

fn name<'d>(at: &At<'d>) -> Option<&'d str> {
    match &at.node().kind {
        yaml::Kind::Scalar(scalar) => Some(&scalar.text),
        _ => None,
    }
}

/// What moves goods or money, which a way back would move once more.
const ONCE: &[&str] = &["approve", "refund", "restock", "exchange"];

/// By the place of an `again` in the outline, the steps that its way back leads through, those inside them included. What moves
/// goods or money among them is reported.
pub(super) fn ways_back(outline: &Outline<'_>, graphs: &[Graph]) -> BTreeMap<usize, BTreeSet<usize>> {
    let mut ways = BTreeMap::new();
    for (list, graph) in outline.lists.iter().zip(graphs) {
        for (from, to) in graph.ways_back() {
            let again = &outline.drafts[list.places[from]];
            let passed: BTreeSet<usize> = graph.between(to, from).into_iter().map(|place| list.places[place]).collect();
            let is_passed = |place: usize| {
                passed.contains(&place) || outline.around(place).iter().any(|outer| passed.contains(outer))
            };
            let all: BTreeSet<usize> = (0..outline.drafts.len()).filter(|place| is_passed(*place)).collect();
            for draft in
                all.iter().map(|place| &outline.drafts[*place]).filter(|draft| ONCE.contains(&draft.kind_name()))
            {
                let name = again.id.as_deref().unwrap_or("again");
                let message =
                    format!("the way back of `{name}` passes this `{}`, which would be done twice", draft.kind_name());
                let help =
                    "what moves goods or money stands after the `again`, or before the step that it leads back to";
                draft.at.report::<()>(Diagnostic::new("moved_again", draft.place(), message).help(help));
            }
            ways.insert(list.places[from], all);
        }
    }
    ways
}

/// What is there at each step of the outline. What a branch gives is there after its `parallel`; what is there before a step is
/// there in its branches and in its body.
pub(super) fn known(outline: &Outline<'_>, mut graphs: Vec<Graph>) -> Vec<Known> {
    // From the inside out: a list stands after the one that it is inside of.
    for (list, content) in outline.lists.iter().enumerate().rev() {
        let Some(owner) = &content.owner else { continue };
        let (_, end) = graphs[list].known(&Known::default());
        let end = end.unwrap_or_default();
        let owning = &outline.drafts[owner.place];
        let inside = outline.lists[owning.list].places.iter().position(|place| *place == owner.place);
        let Some(step) = inside.and_then(|place| graphs[owning.list].steps.get_mut(place)) else { continue };
        // What a body gave is gone with its iteration, but for variables.
        let stays = |fact: &Fact| !owning.is_loop() || matches!(fact, Fact::Variable(_));
        step.may_give.extend(end.sometimes.into_iter().filter(stays));
        if owning.fork.as_ref().is_some_and(|fork| fork.is_whole) {
            step.gives.extend(end.always.into_iter().filter(stays));
        }
    }
    let mut known = vec![Known::default(); outline.drafts.len()];
    for (content, graph) in outline.lists.iter().zip(&graphs) {
        let begin = content.owner.as_ref().map_or_else(Known::default, |owner| known[owner.place].clone());
        for (place, here) in content.places.iter().zip(graph.known(&begin).0) {
            known[*place] = here;
        }
    }
    known
}
