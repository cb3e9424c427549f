//! What differs between two documents by meaning: steps by their names, fields by their paths. The way of writing, comments and the
//! order of fields are no difference.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;

use crate::workflow::yaml::{Entry, Kind, Node, Scalar};

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Change {
    /// What part of the document it is in.
    pub part: Part,
    /// The name of the step, variable, event ...; of the document itself the field.
    pub name: String,
    /// What became of it.
    pub how: How,
    /// Of something that is there before and after, the field that changed, as `review.timeout.after`; empty for the whole.
    pub field: String,
    /// What it said before; nothing where it is new.
    pub before: Option<String>,
    /// What it says now; nothing where it is gone.
    pub after: Option<String>,
}

/// A part of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// A field of the document.
    Document,
    /// A trigger, by its place.
    Trigger,
    /// An attribute of a record.
    Attribute,
    /// An event.
    Event,
    /// A limit.
    Limit,
    /// A variable.
    Variable,
    /// A step.
    Step,
}

/// What became of a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum How {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// It says something else.
    Changed,
    /// It stands at another place among the others.
    Moved,
}

impl Part {
    /// The word for people and programs.
    pub fn word(self) -> &'static str {
        match self {
            Self::Document => "document",
            Self::Trigger => "trigger",
            Self::Attribute => "attribute",
            Self::Event => "event",
            Self::Limit => "limit",
            Self::Variable => "variable",
            Self::Step => "step",
        }
    }

    /// The field of the document that a part is an entry of; none of the document's own fields and of steps inside others.
    pub fn field(self) -> Option<&'static str> {
        match self {
            Self::Document => None,
            Self::Trigger => Some("triggers"),
            Self::Attribute => Some("attributes"),
            Self::Event => Some("events"),
            Self::Limit => Some("limits"),
            Self::Variable => Some("vars"),
            Self::Step => Some("steps"),
        }
    }

    /// The part that the entries of a field of the document are.
    fn of(field: &str) -> Option<Self> {
        Some(match field {
            "attributes" => Self::Attribute,
            "events" => Self::Event,
            "limits" => Self::Limit,
            "vars" => Self::Variable,
            _ => return None,
        })
    }
}

impl How {
    /// The word for people and programs.
    pub fn word(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Changed => "changed",
            Self::Moved => "moved",
        }
    }
}

/// Every difference, the document's own fields first, then the steps in the order of the second document, those that are gone at
/// the end.
pub fn diff(before: &Node, after: &Node) -> Vec<Change> {
    let mut changes = Vec::new();
    let names: BTreeSet<&str> = [before, after].into_iter().flat_map(keys).collect();
    for name in names.into_iter().filter(|name| *name != "steps") {
        head(name, field(before, name), field(after, name), &mut changes);
    }
    changes.sort();
    let (old, new) = (steps(before), steps(after));
    let moved = moved(&old, &new);
    for step in &new {
        let name = step.id;
        match old.iter().find(|other| other.id == name) {
            None => changes.push(Change::whole(Part::Step, name, None, Some(step.node))),
            Some(other) => {
                if moved.contains(name) || other.inside != step.inside {
                    changes.push(Change::moved(name, other, step));
                }
                leaves(Part::Step, name, "", Some(other.node), Some(step.node), &mut changes);
            }
        }
    }
    for step in old.iter().filter(|step| !new.iter().any(|other| other.id == step.id)) {
        changes.push(Change::whole(Part::Step, step.id, Some(step.node), None));
    }
    changes
}

impl Change {
    fn whole(part: Part, name: &str, before: Option<&Node>, after: Option<&Node>) -> Self {
        let how = match (before, after) {
            (None, _) => How::Added,
            (_, None) => How::Removed,
            _ => How::Changed,
        };
        let (before, after) = (before.map(Node::inline), after.map(Node::inline));
        Self { part, name: name.to_owned(), how, field: String::new(), before, after }
    }

    fn moved(name: &str, before: &Placed<'_>, after: &Placed<'_>) -> Self {
        let place = |step: &Placed<'_>| {
            let after = step.behind.map_or_else(|| "at the beginning".to_owned(), |behind| format!("after {behind}"));
            Some(step.inside.map_or_else(|| after.clone(), |inside| format!("{after} in {inside}")))
        };
        let (before, after) = (place(before), place(after));
        Self { part: Part::Step, name: name.to_owned(), how: How::Moved, field: String::new(), before, after }
    }
}

/// A field of the document.
fn head(name: &str, before: Option<&Node>, after: Option<&Node>, changes: &mut Vec<Change>) {
    if let (Some(part), true) = (Part::of(name), [before, after].into_iter().flatten().all(is_map)) {
        let names: BTreeSet<&str> = [before, after].into_iter().flatten().flat_map(keys).collect();
        for name in names {
            let one = |map: Option<&'_ Node>| map.and_then(|map| field(map, name)).cloned();
            let (before, after) = (one(before), one(after));
            leaves(part, name, "", before.as_ref(), after.as_ref(), changes);
        }
        return;
    }
    if let ("triggers", Some(Kind::List(old)), Some(Kind::List(new))) =
        (name, before.map(|node| &node.kind), after.map(|node| &node.kind))
    {
        for place in 0..old.len().max(new.len()) {
            leaves(Part::Trigger, &(place + 1).to_string(), "", old.get(place), new.get(place), changes);
        }
        return;
    }
    leaves(Part::Document, name, "", before, after, changes);
}

/// The smallest values that differ. Steps inside a step are compared for themselves: here only their names in order.
fn leaves(part: Part, name: &str, path: &str, before: Option<&Node>, after: Option<&Node>, changes: &mut Vec<Change>) {
    let both = before.zip(after);
    match both.map(|(before, after)| (&before.kind, &after.kind)) {
        Some((Kind::Map(_), Kind::Map(_))) => {
            let names: Vec<&str> = both.map(|(before, after)| union(before, after)).unwrap_or_default();
            for key in names {
                let dot = if path.is_empty() { "" } else { "." };
                let (before, after) = (before.and_then(|map| field(map, key)), after.and_then(|map| field(map, key)));
                leaves(part, name, &format!("{path}{dot}{key}"), before, after, changes);
            }
        }
        Some((Kind::List(old), Kind::List(new))) if is_steps(old) && is_steps(new) => {
            let ids = |items: &[Node]| items.iter().filter_map(id).collect::<Vec<_>>().join(", ");
            let (old, new) = (ids(old), ids(new));
            if old != new {
                push(part, name, path, Some(format!("[{old}]")), Some(format!("[{new}]")), changes);
            }
        }
        Some((Kind::List(old), Kind::List(new))) if old.len() == new.len() && old.iter().chain(new).all(is_map) => {
            for (place, (old, new)) in old.iter().zip(new).enumerate() {
                leaves(part, name, &format!("{path}[{place}]"), Some(old), Some(new), changes);
            }
        }
        Some(_) if both.is_some_and(|(before, after)| same(before, after)) => {}
        None if before.is_none() && after.is_none() => {}
        _ => push(part, name, path, before.map(Node::inline), after.map(Node::inline), changes),
    }
}

fn push(part: Part, name: &str, path: &str, before: Option<String>, after: Option<String>, changes: &mut Vec<Change>) {
    let how = match (&before, &after, path) {
        (None, _, "") => How::Added,
        (_, None, "") => How::Removed,
        _ => How::Changed,
    };
    changes.push(Change { part, name: name.to_owned(), how, field: path.to_owned(), before, after });
}

/// Whether two values say the same.
pub fn same(a: &Node, b: &Node) -> bool {
    match (&a.kind, &b.kind) {
        (Kind::Scalar(a), Kind::Scalar(b)) => same_scalar(a, b),
        (Kind::List(a), Kind::List(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Kind::Map(entries), Kind::Map(others)) => {
            let is_there = |entry: &Entry| field(b, &entry.key.text).is_some_and(|other| same(&entry.value, other));
            entries.len() == others.len() && entries.iter().all(is_there)
        }
        _ => false,
    }
}

/// A plain number is its value, a plain yes-or-no and a text of the same letters are two things.
fn same_scalar(a: &Scalar, b: &Scalar) -> bool {
    let number = |scalar: &Scalar| scalar.is_number().then(|| Decimal::from_str_exact(&scalar.text).ok()).flatten();
    match (number(a), number(b)) {
        (Some(a), Some(b)) => a == b,
        (None, None) => a.text == b.text && a.is_bool() == b.is_bool(),
        _ => false,
    }
}

/// A step with where it stands.
pub(super) struct Placed<'d> {
    /// Its name.
    pub(super) id: &'d str,
    /// The step itself.
    pub(super) node: &'d Node,
    /// The step that it stands in.
    pub(super) inside: Option<&'d str>,
    /// The step before it in the same list.
    pub(super) behind: Option<&'d str>,
}

/// Every step of a document, those of branches and bodies right after the one that they stand in.
pub(super) fn steps(document: &Node) -> Vec<Placed<'_>> {
    let mut all = Vec::new();
    if let Some(list) = field(document, "steps") {
        gather(list, None, &mut all);
    }
    all
}

fn gather<'d>(node: &'d Node, inside: Option<&'d str>, all: &mut Vec<Placed<'d>>) {
    match &node.kind {
        Kind::List(items) => {
            let mut behind = None;
            for item in items {
                let name = id(item).filter(|_| is_steps(items));
                if let Some(id) = name {
                    all.push(Placed { id, node: item, inside, behind });
                    behind = Some(id);
                }
                gather(item, name.or(inside), all);
            }
        }
        Kind::Map(entries) => entries.iter().for_each(|entry| gather(&entry.value, inside, all)),
        Kind::Scalar(_) | Kind::Broken => {}
    }
}

/// The steps that stand at another place among those that both documents have: all but the longest row that kept its order.
fn moved<'d>(old: &[Placed<'d>], new: &[Placed<'d>]) -> BTreeSet<&'d str> {
    let places: BTreeMap<&str, usize> = old.iter().enumerate().map(|(place, step)| (step.id, place)).collect();
    let common: Vec<(&str, usize)> = new.iter().filter_map(|step| Some((step.id, *places.get(step.id)?))).collect();
    // The best row that ends with each step: its length, and the step before.
    let mut best: Vec<(usize, Option<usize>)> = Vec::new();
    for (at, (_, place)) in common.iter().enumerate() {
        let before =
            (0..at).filter(|one| common[*one].1 < *place).max_by_key(|one| (best[*one].0, std::cmp::Reverse(*one)));
        best.push((before.map_or(1, |one| best[one].0 + 1), before));
    }
    let mut kept = BTreeSet::new();
    let mut at = (0..best.len()).max_by_key(|one| best[*one].0);
    while let Some(one) = at {
        kept.insert(common[one].0);
        at = best[one].1;
    }
    common.into_iter().map(|(id, _)| id).filter(|id| !kept.contains(id)).collect()
}

/// Whether a list is one of steps.
pub(super) fn is_steps(items: &[Node]) -> bool {
    !items.is_empty() && items.iter().all(|item| id(item).is_some())
}

/// The name of a step.
pub(super) fn id(node: &Node) -> Option<&str> {
    match &field(node, "id")?.kind {
        Kind::Scalar(scalar) => Some(&scalar.text),
        _ => None,
    }
}

fn is_map(node: &Node) -> bool {
    matches!(node.kind, Kind::Map(_))
}

/// The value of a key of a map.
pub(super) fn field<'d>(node: &'d Node, name: &str) -> Option<&'d Node> {
    let Kind::Map(entries) = &node.kind else { return None };
    entries.iter().find(|entry| entry.key.text == name).map(|entry| &entry.value)
}

fn keys(node: &Node) -> Vec<&str> {
    match &node.kind {
        Kind::Map(entries) => entries.iter().map(|entry| entry.key.text.as_str()).collect(),
        _ => Vec::new(),
    }
}

/// The keys of both, those of the second first.
fn union<'d>(before: &'d Node, after: &'d Node) -> Vec<&'d str> {
    let mut names = keys(after);
    let gone: Vec<&str> = keys(before).into_iter().filter(|name| !names.contains(name)).collect();
    names.extend(gone);
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workflow::problems::Problems;
    use crate::workflow::yaml;

    const DOCUMENT: &str = "
format: 1
workflow: a
triggers: [{ case_opened: { type: return } }]
vars: { days: { type: number, default: 90 }, route: text }
steps:
  - { id: look, review: { queue: desk, title: Look, next: { go: pay, stop: no }, timeout: { after: 5d, then: no } } }
  - { id: rest, wait: { for: 2d } }
  - { id: pay, refund: { amount: 5.00 } }
  - { id: done, finish: { result: done } }
  - { id: no, fail: { code: no } }
";

    fn read(source: &str) -> Node {
        yaml::parse(source, &Problems::new()).unwrap()
    }

    fn told(after: &str) -> Vec<String> {
        let one = |change: Change| {
            let text = |side: Option<String>| side.unwrap_or_else(|| "-".to_owned());
            let (part, how) = (change.part.word(), change.how.word());
            format!("{how} {part} {} {}: {} > {}", change.name, change.field, text(change.before), text(change.after))
        };
        diff(&read(DOCUMENT), &read(after)).into_iter().map(one).collect()
    }

    #[test]
    fn the_way_of_writing_is_no_difference() {
        assert_eq!(told(DOCUMENT), [""; 0]);
        let other = DOCUMENT.replace("5.00", "5").replace("title: Look", "title: 'Look'");
        assert_eq!(told(&other.replace("queue: desk, title: 'Look'", "title: \"Look\", queue: desk")), [""; 0]);
    }

    #[test]
    fn a_change_is_told_field_by_field() {
        let other = DOCUMENT
            .replace("default: 90", "default: 30")
            .replace("after: 5d", "after: 4d")
            .replace("type: return", "type: [return, exchange]");
        assert_eq!(
            told(&other.replace("go: pay, ", "")),
            [
                "changed trigger 1 case_opened.type: return > [return, exchange]",
                "changed variable days default: 90 > 30",
                "changed step look review.next.go: pay > -",
                "changed step look review.timeout.after: 5d > 4d",
            ]
        );
    }

    #[test]
    fn steps_that_are_new_gone_or_elsewhere_are_told_once() {
        let rest = "  - { id: rest, wait: { for: 2d } }\n";
        let other = DOCUMENT.replace(rest, "") + "  - { id: more, fail: { code: more } }\n";
        assert_eq!(
            told(&other),
            [
                "added step more : - > { id: more, fail: { code: more } }",
                "removed step rest : { id: rest, wait: { for: 2d } } > -"
            ]
        );
        let other = DOCUMENT.replace(rest, "") + rest;
        assert_eq!(told(&other), ["moved step rest : after look > after no"]);
    }

    #[test]
    fn steps_inside_others_are_compared_for_themselves() {
        let inside = |days: &str| {
            format!(
                "steps:\n  - id: p\n    parallel: {{ branches: {{ a: [{{ id: rest, wait: {{ for: {days} }} }}] }} }}\n"
            )
        };
        let changes = diff(&read(&inside("2d")), &read(&inside("3d")));
        let told: Vec<_> = changes.iter().map(|one| (one.name.as_str(), one.field.as_str())).collect();
        assert_eq!(told, [("rest", "wait.for")]);
    }
}
