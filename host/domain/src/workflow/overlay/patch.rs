//! Patches, one after the other: each finds its step by name in whatever list it stands.

use std::collections::BTreeMap;

use crate::workflow::diagnostic::{Diagnostic, Range, line_column, suggest};
use crate::workflow::diff;
use crate::workflow::overlay::path::{self, Act, Path};
use crate::workflow::overlay::seal::Sealed;
use crate::workflow::reader::{At, Fields};
use crate::workflow::schema::{INSERT, PATCH, REMOVE, REPLACE, SET};
use crate::workflow::yaml::{Entry, Key, Kind, Node};

/// A document that is being patched.
pub(super) struct Patching<'t> {
    tree: &'t mut Node,
    sealed: &'t Sealed,
    /// Steps that were taken out, and by which patch.
    gone: BTreeMap<String, Range>,
}

impl<'t> Patching<'t> {
    pub(super) fn new(tree: &'t mut Node, sealed: &'t Sealed) -> Self {
        Self { tree, sealed, gone: BTreeMap::new() }
    }

    /// Apply one; reports what is wrong with it and leaves the document as it was.
    pub(super) fn apply(&mut self, at: &At<'_>) -> Option<()> {
        let fields = at.fields(&PATCH)?;
        let written: Vec<&Key> = fields.names().filter(|key| PATCH.field(&key.text).is_some()).collect();
        match written[..] {
            [one] => {
                let body = fields.get(&one.text)?;
                match one.text.as_str() {
                    "set" => self.set(&body),
                    "replace" => self.replace(&body),
                    "insert" => self.insert(&body),
                    _ => self.remove(&body),
                }
            }
            [first, second, ..] => {
                let message = format!("a patch does one thing, this has both `{}` and `{}`", first.text, second.text);
                at.report(Diagnostic::new("two_kinds", second.range, message).help("make it two patches"))
            }
            [] if fields.names().next().is_some() => None,
            [] => at.refuse_with("missing_kind", "the patch does nothing", "one of set, replace, insert, remove"),
        }
    }

    fn set(&mut self, body: &At<'_>) -> Option<()> {
        let fields = body.fields(&SET)?;
        let (at, value) = (fields.require("at"), fields.require("to"));
        let (at, value) = (at?, value?);
        self.act(&at, Act::Set(value.node()))
    }

    /// Do something at a path.
    fn act(&mut self, at: &At<'_>, act: Act<'_>) -> Option<()> {
        let path = Path::read(at)?;
        let Some(step) = path.step else {
            let names = path.names();
            let first = names.first().copied().unwrap_or_default();
            let admitted = self.sealed.admits_field(first, at);
            return admitted.then(|| path::act(self.tree, &path.parts, act, at)).flatten();
        };
        let names = path.names();
        if names[..] == ["id"] {
            return at.refuse_with("bad_path", "a step keeps its name", "insert another step, and remove this one");
        }
        if !self.sealed.admits_part(step, &names, at) {
            return None;
        }
        let changed = self.in_list(step, &mut |list, place| path::act(&mut list[place], &path.parts, act, at));
        changed.unwrap_or_else(|| self.no_step(step, at))
    }

    fn replace(&mut self, body: &At<'_>) -> Option<()> {
        let fields = body.fields(&REPLACE)?;
        let (step, with) = (fields.require("step"), fields.require("with"));
        let (step, with) = (step?, with?);
        let id = step.text()?;
        if !self.sealed.admits_step(id, &step) {
            return None;
        }
        let Kind::Map(written) = &with.node().kind else { return with.wrong_type("a step without its `id`") };
        if let Some(own) = written.iter().find(|entry| entry.key.text == "id") {
            let found =
                Diagnostic::new("never_taken", own.key.range, "a step keeps the name of the one that it replaces");
            return with.report(found.help("remove the `id`"));
        }
        let name = Entry { key: Key { text: "id".to_owned(), range: step.place() }, value: step.node().clone() };
        let entries = std::iter::once(name).chain(written.iter().cloned()).collect();
        let new = Node { range: with.node().range, kind: Kind::Map(entries) };
        let replaced = self.in_list(id, &mut |list, place| list[place] = new.clone());
        replaced.or_else(|| self.no_step(id, &step))
    }

    fn insert(&mut self, body: &At<'_>) -> Option<()> {
        let fields = body.fields(&INSERT)?;
        let step = fields.require("step");
        let beside = beside(&fields);
        let (step, (beside, behind)) = (step?, beside?);
        if let Some(id) = diff::id(step.node()) {
            self.is_free(id, &step)?;
        }
        let id = beside.text()?;
        let new = step.node().clone();
        let inserted =
            self.in_list(id, &mut |list, place| list.insert(if behind { place + 1 } else { place }, new.clone()));
        inserted.or_else(|| self.no_step(id, &beside))
    }

    fn remove(&mut self, body: &At<'_>) -> Option<()> {
        let fields = body.fields(&REMOVE)?;
        match (fields.get("step"), fields.get("at")) {
            (Some(_), Some(at)) => at.refuse("two_ways", "`step` and `at` exclude each other"),
            (None, Some(at)) => self.act(&at, Act::Remove),
            (Some(step), None) => {
                let id = step.text()?;
                if !self.sealed.admits_step(id, &step) {
                    return None;
                }
                let removed = self.in_list(id, &mut |list, place| drop(list.remove(place)));
                if removed.is_none() {
                    return self.no_step(id, &step);
                }
                self.gone.insert(id.to_owned(), step.place());
                Some(())
            }
            (None, None) if fields.names().next().is_some() => None,
            (None, None) => body.refuse("missing_field", "`step` or `at` is missing"),
        }
    }

    /// Do something to the list in which a step stands.
    fn in_list<T>(&mut self, id: &str, act: &mut dyn FnMut(&mut Vec<Node>, usize) -> T) -> Option<T> {
        let Kind::Map(entries) = &mut self.tree.kind else { return None };
        let steps = entries.iter_mut().find(|entry| entry.key.text == "steps")?;
        in_list(&mut steps.value, id, act)
    }

    /// Whether no other step has this name; reports where one has.
    fn is_free(&mut self, id: &str, step: &At<'_>) -> Option<()> {
        let start = step.source().len() + 1;
        let there = diff::steps(self.tree).iter().find(|other| other.id == id).map(|other| other.node.range.start);
        let Some(there) = there else { return Some(()) };
        let place = diff::field(step.node(), "id").map_or(step.place(), |id| id.range);
        let help = if there < start {
            format!("it stands already in line {}", line_column(step.source(), there).0)
        } else {
            "it stands already in the base: change that one with `replace`".to_owned()
        };
        step.report(Diagnostic::new("duplicate_id", place, format!("`{id}` is the `id` of another step")).help(help))
    }

    fn no_step<T>(&mut self, id: &str, at: &At<'_>) -> Option<T> {
        if let Some(gone) = self.gone.get(id) {
            let (line, _) = line_column(at.source(), gone.start);
            return at.refuse("unknown_step", format!("the step `{id}` was taken out in line {line}"));
        }
        let known = diff::steps(self.tree);
        let message = format!("the base has no step `{id}`");
        match suggest(id, known.iter().map(|step| step.id)) {
            Some(near) => at.refuse_with("unknown_step", message, format!("did you mean `{near}`?")),
            None => {
                let names: Vec<&str> = known.iter().map(|step| step.id).collect();
                at.refuse_with("unknown_step", message, format!("it has {}", names.join(", ")))
            }
        }
    }
}

/// The step beside which one is put, and whether it comes behind it.
fn beside<'d>(fields: &Fields<'d>) -> Option<(At<'d>, bool)> {
    match (fields.get("after"), fields.get("before")) {
        (Some(_), Some(before)) => before.refuse("two_ways", "`after` and `before` exclude each other"),
        (Some(after), None) => Some((after, true)),
        (None, Some(before)) => Some((before, false)),
        (None, None) => fields.at().refuse("missing_field", "`after` or `before` is missing"),
    }
}

/// Do something to the list in which a step stands, be it inside of another step.
fn in_list<T>(node: &mut Node, id: &str, act: &mut dyn FnMut(&mut Vec<Node>, usize) -> T) -> Option<T> {
    match &mut node.kind {
        Kind::List(items) => match items.iter().position(|item| diff::id(item) == Some(id)) {
            Some(place) => Some(act(items, place)),
            None => items.iter_mut().find_map(|item| in_list(item, id, act)),
        },
        Kind::Map(entries) => entries.iter_mut().find_map(|entry| in_list(&mut entry.value, id, act)),
        Kind::Scalar(_) | Kind::Broken => None,
    }
}
