//! An overlay on a newer base: what the base changed, what the overlay changes, and where both changed the same.

use crate::workflow::diagnostic::line_column;
use crate::workflow::diff::{self, Change, How, Part};
use crate::workflow::overlay::path::Path;
use crate::workflow::problems::Problems;
use crate::workflow::reader::At;
use crate::workflow::schema::{DOCUMENT, OVERLAY, PATCH};
use crate::workflow::yaml::{self, Kind, Node};

/// What a base update means to an overlay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rebase {
    /// What the new base says that the old one did not.
    pub base: Vec<Change>,
    /// What the overlay says that its base does not, with what the update means to it.
    pub own: Vec<Own>,
    /// The overlay with the new base named in the place of the old one; the rest as it was written.
    pub source: String,
}

/// Something that an overlay says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Own {
    /// The line of the overlay, from 1.
    pub line: usize,
    /// What is said, as `set` or `vars`.
    pub what: String,
    /// The step, or the field of the document.
    pub name: String,
    /// The field of the step; empty for the whole.
    pub field: String,
    /// What the update means to it.
    pub meets: Meets,
    /// What the base changed there.
    pub changes: Vec<Change>,
}

/// How something of an overlay meets a new base.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Meets {
    /// The base did not touch it: it stays.
    Nothing,
    /// The base now says the same: it can be left out.
    Same,
    /// The base changed the same: a person decides.
    Conflict,
}

impl Meets {
    /// The word for people and programs.
    pub fn word(self) -> &'static str {
        match self {
            Self::Nothing => "stays",
            Self::Same => "superfluous",
            Self::Conflict => "conflict",
        }
    }
}

/// Compare an overlay with a newer base. None where one of the three is no document that can be read, or `source` is no overlay.
pub fn rebase(source: &str, old: &str, new: &str, name: &str) -> Option<Rebase> {
    let (silent, none) = (Problems::new(), Problems::new());
    let tree = yaml::parse(source, &silent)?;
    let root = At::root(&tree, source, &silent);
    let more: Vec<_> = DOCUMENT.fields.iter().map(|field| field.name).collect();
    let fields = root.fields_and(&OVERLAY, &more)?;
    let extends = fields.get("extends")?;
    let base = diff::diff(&yaml::parse(old, &none)?, &yaml::parse(new, &none)?);
    let compared = Compared { base: &base, source };
    let mut own = Vec::new();
    for (key, at) in root.names()? {
        let is_head = DOCUMENT.field(&key.text).is_some() && !matches!(key.text.as_str(), "format" | "workflow");
        if is_head {
            compared.head(&key.text, &at, &mut own);
        }
    }
    for patch in fields.get("patch").and_then(|at| at.list()).unwrap_or_default() {
        own.extend(compared.patch(&patch));
    }
    let place = extends.node().range;
    let source = format!("{}{name}{}", &source[..place.start], &source[place.end..]);
    Some(Rebase { base, own, source })
}

/// What the base changed, and the overlay that meets it.
struct Compared<'a> {
    base: &'a [Change],
    source: &'a str,
}

impl Compared<'_> {
    /// Fields of the document: maps name by name.
    fn head(&self, name: &str, at: &At<'_>, own: &mut Vec<Own>) {
        let names: Vec<_> = match at.node().kind {
            Kind::Map(_) if name != "title" => at.names().unwrap_or_default(),
            _ => Vec::new(),
        };
        if names.is_empty() {
            return own.push(self.met(at, name, name, "", |change| is_field(change, &[name]), Some(at.node())));
        }
        for (key, at) in names {
            let is_entry = |change: &Change| is_field(change, &[name, &key.text]);
            match at.node().kind {
                Kind::Map(_) => {
                    for (inner, at) in at.names().unwrap_or_default() {
                        let is_here = |change: &Change| is_entry(change) && overlaps(&change.field, &inner.text);
                        own.push(self.met(&at, name, &key.text, &inner.text, is_here, Some(at.node())));
                    }
                }
                _ => own.push(self.met(&at, name, &key.text, "", is_entry, Some(at.node()))),
            }
        }
    }

    fn patch(&self, at: &At<'_>) -> Option<Own> {
        let fields = at.fields(&PATCH)?;
        let what = fields.names().find(|key| PATCH.field(&key.text).is_some())?.text.as_str();
        let body = fields.get(what)?;
        let of = |name: &str| {
            body.names().and_then(|all| all.into_iter().find(|(key, _)| key.text == name)).map(|(_, at)| at)
        };
        if let Some(path) = of("at") {
            let read = Path::read(&path)?;
            let value = of("to");
            let (name, field) = match read.step {
                Some(step) => {
                    let behind = path.text()?.strip_prefix("steps.")?.strip_prefix(step)?;
                    (step.to_owned(), behind.trim_start_matches('.').to_owned())
                }
                None => (read.names().first().copied()?.to_owned(), String::new()),
            };
            let is_here = |change: &Change| match read.step {
                Some(step) => change.part == Part::Step && change.name == step && overlaps(&change.field, &field),
                None => change.part != Part::Step && is_field(change, &read.names()),
            };
            return Some(self.met(&path, what, &name, &field, is_here, value.as_ref().map(At::node)));
        }
        let step = of("step").filter(|at| diff::id(at.node()).is_none());
        let beside = of("after").or_else(|| of("before"));
        let named = if what == "insert" { beside? } else { step? };
        let id = named.text()?;
        let is_here = |change: &Change| {
            change.part == Part::Step && change.name == id && (what != "insert" || change.how == How::Removed)
        };
        let mut met = self.met(&named, what, id, "", is_here, None);
        let is_gone = |change: &Change| change.how == How::Removed;
        if what == "remove" && met.changes.iter().any(is_gone) {
            met.meets = Meets::Same;
        }
        Some(met)
    }

    /// What the update means to something of the overlay.
    fn met(
        &self,
        at: &At<'_>,
        what: &str,
        name: &str,
        field: &str,
        is_here: impl Fn(&Change) -> bool,
        value: Option<&Node>,
    ) -> Own {
        let changes: Vec<Change> = self.base.iter().filter(|change| is_here(change)).cloned().collect();
        let says = value.map(Node::inline);
        let agrees = |change: &Change| change.field == field && change.after == says && says.is_some();
        let meets = match &changes[..] {
            [] => Meets::Nothing,
            all if all.iter().all(agrees) => Meets::Same,
            _ => Meets::Conflict,
        };
        let (line, _) = line_column(self.source, at.place().start);
        Own { line, what: what.to_owned(), name: name.to_owned(), field: field.to_owned(), meets, changes }
    }
}

/// Whether one of two paths leads to, or into, what the other one leads to; the whole of a step holds all of it.
fn overlaps(one: &str, other: &str) -> bool {
    let inside = |long: &str, short: &str| {
        short.is_empty() || long == short || long.strip_prefix(short).is_some_and(|rest| rest.starts_with(['.', '[']))
    };
    inside(one, other) || inside(other, one)
}

/// Whether a change of the document's own fields is where a path leads.
fn is_field(change: &Change, path: &[&str]) -> bool {
    let root = change.part.field().unwrap_or(&change.name);
    match path {
        [] => false,
        [first] => root == *first,
        // Entries have names; triggers only places, and what is no map of names is compared as a whole.
        [first, second, ..] => {
            let has_names = !matches!(change.part, Part::Document | Part::Trigger);
            root == *first && (!has_names || change.name == *second)
        }
    }
}
