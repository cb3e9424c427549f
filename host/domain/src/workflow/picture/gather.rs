//! From a document to boxes and arrows. What leads where is read off the tables: a field whose shape is a step is a way.

use std::collections::BTreeMap;

use crate::workflow::picture::{Picture, Sort, Step, Way};
use crate::workflow::schema::{self, STEP, Shape, StepKind, TIMEOUT};
use crate::workflow::yaml::{Entry, Kind, Node};

/// A way whose end is still a name.
struct Loose<'d> {
    from: usize,
    to: End<'d>,
    label: Option<String>,
    sort: Sort,
}

/// Where a way ends.
#[derive(Clone, Copy)]
enum End<'d> {
    /// At the step of this name.
    Named(&'d str),
    /// At this box.
    Box(usize),
    /// Nowhere: nothing follows.
    Nothing,
}

#[derive(Default)]
struct Gathering<'d> {
    boxes: Vec<Step>,
    ways: Vec<Loose<'d>>,
    inside: Vec<String>,
}

pub(super) fn gather(document: &Node) -> Option<Picture> {
    let steps = list(entry(entries(document)?, "steps")?)?;
    let mut gathering = Gathering::default();
    gathering.boxes.push(start(document));
    gathering.steps(steps, End::Nothing, 0, None);
    // Of the whole list, and therefore from its beginning: a way from every step would hide the others.
    if let Some((failures, field)) = entry(entries(document)?, "on_error").zip(schema::DOCUMENT.field("on_error")) {
        gathering.targets(0, &field.shape, failures, None, Sort::Failed);
    }
    if gathering.boxes.len() == 1 {
        return None;
    }
    let title = entry(entries(document)?, "title").and_then(words);
    let name = entry(entries(document)?, "workflow").and_then(scalar).unwrap_or("workflow").to_owned();
    let places: BTreeMap<String, usize> =
        gathering.boxes.iter().enumerate().map(|(place, step)| (step.id.clone(), place)).rev().collect();
    let tied = |way: Loose<'_>| {
        let to = match way.to {
            End::Named(name) => *places.get(name)?,
            End::Box(place) => place,
            End::Nothing => return None,
        };
        Some(Way { from: way.from, to, label: way.label, sort: way.sort })
    };
    let ways = gathering.ways.into_iter().filter_map(tied).collect();
    Some(Picture { title: title.unwrap_or(name), boxes: gathering.boxes, ways })
}

/// What starts a case.
fn start(document: &Node) -> Step {
    let triggers = entries(document).and_then(|entries| list(entry(entries, "triggers")?)).unwrap_or_default();
    let mut all = Vec::new();
    for trigger in triggers.iter().filter_map(entries).flatten() {
        let name = trigger.key.text.replace('_', " ");
        let kinds = words_of(&trigger.value, "type");
        let how = words_of(&trigger.value, "roles").join(", ");
        let name = if how.is_empty() { name } else { format!("{name} by {how}") };
        let named = ["name", "cron"].into_iter().flat_map(|field| words_of(&trigger.value, field)).collect::<Vec<_>>();
        let name = if named.is_empty() { name } else { format!("{name} {}", named.join(", ")) };
        all.push(if kinds.is_empty() { name } else { format!("{name}: {}", kinds.join(", ")) });
    }
    let title = if all.is_empty() { "start".to_owned() } else { all.join("; ") };
    Step {
        id: String::new(),
        kind: "start".to_owned(),
        title: Some(title),
        about: None,
        when: None,
        inside: Vec::new(),
    }
}

/// The words of a field that holds one or several.
fn words_of<'d>(body: &'d Node, field: &str) -> Vec<&'d str> {
    let words = entries(body).and_then(|fields| entry(fields, field));
    let words = words.map(|words| list(words).unwrap_or(std::slice::from_ref(words))).unwrap_or_default();
    words.iter().filter_map(scalar).collect()
}

impl<'d> Gathering<'d> {
    /// The steps of a list: entered from a box, and what falls off its end goes on to `after`.
    fn steps(&mut self, steps: &'d [Node], after: End<'d>, from: usize, label: Option<String>) {
        let known: Vec<_> = steps.iter().filter_map(|step| Some((entries(step)?, step_kind(step)?))).collect();
        // Boxes are counted on: where the next one of the list will stand is known once the steps inside this one were gathered.
        let mut enter = Some((from, label));
        let mut last: Option<(usize, &'d [Entry], &'static StepKind)> = None;
        for (fields, (kind, body)) in known {
            let place = self.boxes.len();
            if let Some((from, label)) = enter.take() {
                self.way(from, End::Box(place), label, Sort::Done);
            }
            if let Some((before, fields, kind)) = last.take() {
                self.onward(before, fields, kind, End::Box(place));
            }
            self.step(place, fields, kind, body);
            last = Some((place, fields, kind));
        }
        if let Some((before, fields, kind)) = last {
            self.onward(before, fields, kind, after);
        }
    }

    fn step(&mut self, place: usize, fields: &'d [Entry], kind: &'static StepKind, body: &'d Node) {
        let text = |name: &str| entry(fields, name).and_then(scalar).map(str::to_owned);
        let id = text("id").unwrap_or_else(|| "?".to_owned());
        let title = entry(fields, "title").and_then(words);
        let about = about(&kind.shape, body);
        let inside = self.inside.clone();
        self.boxes.push(Step { id: id.clone(), kind: kind.name.to_owned(), title, about, when: text("when"), inside });
        if let Some(failures) = entry(fields, "on_error")
            && let Some(field) = STEP.field("on_error")
        {
            self.targets(place, &field.shape, failures, None, Sort::Failed);
        }
        self.inside.push(id);
        self.targets(place, &kind.shape, body, None, Sort::Done);
        self.inside.pop();
    }

    /// What follows a step that does not say itself where it leads; also where one that does is skipped.
    fn onward(&mut self, place: usize, fields: &'d [Entry], kind: &StepKind, next: End<'d>) {
        let to = entry(fields, "then").and_then(scalar).map_or(next, End::Named);
        let body = entry(fields, kind.name);
        // What stands inside a step goes on from its own end.
        let ends: Vec<usize> = self.open_ends(place);
        if !ends.is_empty() {
            ends.into_iter().for_each(|end| self.way(end, to, None, Sort::Done));
        } else if goes_on(kind, body) {
            return self.way(place, to, None, Sort::Done);
        }
        if entry(fields, "when").is_some() {
            self.way(place, to, None, Sort::Skipped);
        }
    }

    /// Every way that a value of this shape holds.
    fn targets(&mut self, from: usize, shape: &Shape, node: &'d Node, label: Option<String>, sort: Sort) {
        match (shape, &node.kind) {
            (Shape::Step, Kind::Scalar(scalar)) => self.way(from, End::Named(&scalar.text), label, sort),
            (Shape::Timeout, Kind::Map(_)) => self.targets(from, &Shape::Map(&TIMEOUT), node, label, Sort::Late),
            (Shape::List(Shape::StepMap), Kind::List(steps)) => self.steps(steps, End::Nothing, from, label),
            (Shape::Map(table), Kind::Map(entries)) => {
                let on = taken_on(entries).or(label);
                for one in entries {
                    let Some(field) = table.field(&one.key.text) else { continue };
                    let otherwise = (field.name == "else").then(|| "else".to_owned());
                    self.targets(from, &field.shape, &one.value, otherwise.or_else(|| on.clone()), sort);
                }
            }
            (Shape::Names(inner), Kind::Map(entries)) => {
                for one in entries {
                    self.targets(from, inner, &one.value, Some(one.key.text.clone()), sort);
                }
            }
            (Shape::List(inner) | Shape::OneOrMany(inner), Kind::List(items)) => {
                items.iter().for_each(|item| self.targets(from, inner, item, label.clone(), sort));
            }
            (Shape::OneOrMany(inner), _) => self.targets(from, inner, node, label, sort),
            _ => {}
        }
    }

    fn way(&mut self, from: usize, to: End<'d>, label: Option<String>, sort: Sort) {
        self.ways.push(Loose { from, to, label, sort });
    }

    /// The ways inside a step that lead nowhere yet: they are taken out, and the boxes that they come from are told.
    fn open_ends(&mut self, place: usize) -> Vec<usize> {
        let is_open = |way: &Loose<'_>| way.from > place && matches!(way.to, End::Nothing);
        let ends = self.ways.iter().filter(|way| is_open(way)).map(|way| way.from).collect();
        self.ways.retain(|way| !is_open(way));
        ends
    }
}

/// Whether a step of this kind goes on to what follows it.
fn goes_on(kind: &StepKind, body: Option<&Node>) -> bool {
    let has = |node: &Node, name: &str| entries(node).is_some_and(|fields| entry(fields, name).is_some());
    match (kind.name, body) {
        ("finish" | "fail" | "decide", _) => false,
        (_, Some(body)) if has(body, "next") => false,
        ("await", Some(body)) => {
            let any = entries(body).and_then(|fields| list(entry(fields, "any")?));
            any.map_or(!has(body, "then"), |arms| arms.iter().any(|arm| !has(arm, "then")))
        }
        _ => true,
    }
}

/// What the ways of a map are taken on: its condition, code, event or time.
fn taken_on(fields: &[Entry]) -> Option<String> {
    let text = |name: &str| entry(fields, name).and_then(scalar).map(str::to_owned);
    let after = || text("after").map(|after| format!("after {after}"));
    text("when").or_else(|| text("event")).or_else(|| text("match")).or_else(after)
}

/// What a step is about: the first plain value of its body, or the names that it sets.
fn about(shape: &Shape, body: &Node) -> Option<String> {
    match (shape, &body.kind) {
        (Shape::Map(table), Kind::Map(fields)) => {
            let plain = table.fields.iter().filter(|field| !matches!(field.shape, Shape::Step | Shape::Match));
            let first = plain.filter_map(|field| scalar(entry(fields, field.name)?)).next();
            first.map(str::to_owned)
        }
        (Shape::Names(Shape::Value(_)), Kind::Map(fields)) => {
            Some(fields.iter().map(|one| one.key.text.as_str()).collect::<Vec<_>>().join(", "))
        }
        (_, Kind::Scalar(scalar)) if !matches!(shape, Shape::Step) => Some(scalar.text.clone()),
        _ => None,
    }
}

fn step_kind(step: &Node) -> Option<(&'static StepKind, &Node)> {
    entries(step)?.iter().find_map(|one| Some((schema::step_kind(&one.key.text)?, &one.value)))
}

/// A text, or the English one of several, else the first.
fn words(node: &Node) -> Option<String> {
    let one = match &node.kind {
        Kind::Map(fields) => scalar(entry(fields, "en").or_else(|| fields.first().map(|one| &one.value))?),
        _ => scalar(node),
    };
    one.map(str::to_owned)
}

fn entries(node: &Node) -> Option<&[Entry]> {
    if let Kind::Map(entries) = &node.kind { Some(entries) } else { None }
}

fn entry<'d>(entries: &'d [Entry], name: &str) -> Option<&'d Node> {
    entries.iter().find(|entry| entry.key.text == name).map(|entry| &entry.value)
}

fn list(node: &Node) -> Option<&[Node]> {
    if let Kind::List(items) = &node.kind { Some(items) } else { None }
}

fn scalar(node: &Node) -> Option<&str> {
    if let Kind::Scalar(scalar) = &node.kind { Some(&scalar.text) } else { None }
}
