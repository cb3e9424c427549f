//! Which workflows of a folder depend on each other: an overlay and the file that it extends as it is published beside it.

use std::collections::{BTreeMap, BTreeSet};

use redress_domain::ids::{Digest, Slug};
use redress_domain::workflow::overlay;

use super::document;
use crate::publish::bundle;
use crate::publish::way::Tried;

/// A file whose bytes were read.
pub(super) struct Read {
    pub(super) path: String,
    pub(super) bytes: Vec<u8>,
    pub(super) content: Digest,
}

/// A workflow that is to be handed in.
pub(super) struct Ready {
    pub(super) file: Read,
    pub(super) tried: Tried,
    pub(super) past: Option<Digest>,
}

/// A workflow that a look found, whatever is to become of it.
#[derive(Clone)]
pub(super) struct Text {
    pub(super) path: String,
    pub(super) bytes: Vec<u8>,
    pub(super) content: Digest,
    /// Its author may be writing it.
    pub(super) changing: bool,
    /// It was refused when it was handed in last.
    refused: bool,
    past: Option<Digest>,
}

/// The workflows that one look found.
#[derive(Default)]
pub(super) struct Texts {
    found: BTreeMap<String, Text>,
    ready: BTreeMap<String, Ready>,
}

/// What is handed in at once.
pub(super) enum Group {
    /// A file by itself.
    One(Box<Ready>),
    /// Files that depend on each other.
    Several(Vec<Member>),
}

/// A file of several that depend on each other.
pub(super) struct Member {
    pub(super) text: Text,
    /// Where it is to be handed in for itself.
    pub(super) ready: Option<ReadyBy>,
    /// Whether it becomes active: for itself, or because what it extends does. Else it is only extended.
    pub(super) activate: bool,
}

/// By what a file is to be handed in.
pub(super) struct ReadyBy {
    pub(super) tried: Tried,
    pub(super) past: Option<Digest>,
}

impl Text {
    /// The file again.
    pub(super) fn into_read(self) -> Read {
        Read { path: self.path, bytes: self.bytes, content: self.content }
    }

    fn source(&self) -> &str {
        str::from_utf8(&self.bytes).unwrap_or_default()
    }
}

impl Texts {
    /// A workflow was found. Only what may be linked is kept: an overlay that extends a file beside it, and whatever has a name.
    pub(super) fn found(&mut self, file: &Read, changing: bool, refused: bool, past: Option<Digest>) {
        let (path, bytes, content) = (file.path.clone(), file.bytes.clone(), file.content);
        self.found.insert(path.clone(), Text { path, bytes, content, changing, refused, past });
    }

    /// A workflow is to be handed in.
    pub(super) fn ready(&mut self, ready: Ready) {
        self.ready.insert(ready.file.path.clone(), ready);
    }

    /// What is to be handed in, group by group.
    pub(super) fn groups(&mut self) -> Vec<Group> {
        let links = self.links();
        let mut groups = Vec::new();
        while let Some((path, ready)) = self.ready.pop_first() {
            let together = connected(&links, &path);
            if together.len() == 1 {
                groups.push(Group::One(Box::new(ready)));
                continue;
            }
            self.ready.insert(path, ready);
            groups.push(Group::Several(self.members(&links, &together)));
        }
        groups
    }

    /// By the path of each overlay that extends a file beside it, the path of that.
    fn links(&self) -> BTreeMap<String, String> {
        let mut overlays: Vec<(String, Slug)> = Vec::new();
        for text in self.found.values() {
            overlays.extend(overlay::base_beside(text.source()).map(|base| (text.path.clone(), base)));
        }
        if overlays.is_empty() {
            return BTreeMap::new();
        }
        let mut names: BTreeMap<Slug, String> = BTreeMap::new();
        for text in self.found.values() {
            if let Some(name) = document::workflow(text.source()) {
                names.entry(name).or_insert_with(|| text.path.clone());
            }
        }
        overlays.into_iter().filter_map(|(path, base)| Some((path, names.get(&base)?.clone()))).collect()
    }

    fn members(&mut self, links: &BTreeMap<String, String>, together: &BTreeSet<String>) -> Vec<Member> {
        let mut changed: BTreeSet<String> = BTreeSet::new();
        for path in together {
            let refused = self.found.get(path).is_some_and(|text| text.refused);
            if refused || self.ready.contains_key(path) {
                changed.insert(path.clone());
            }
        }
        let activate = bundle::follow(links, &changed);
        let mut members = Vec::new();
        for path in together {
            let Some(text) = self.found.get(path).cloned() else { continue };
            let by = |ready: Ready| ReadyBy { tried: ready.tried, past: ready.past };
            let again = text.refused.then_some(ReadyBy { tried: Tried::Before(text.past), past: None });
            let ready = self.ready.remove(path).map(by).or(again);
            members.push(Member { activate: activate.contains(path), text, ready });
        }
        members
    }
}

/// The files that depend on this one, or on which it depends, over however many.
fn connected(links: &BTreeMap<String, String>, path: &str) -> BTreeSet<String> {
    let mut together = BTreeSet::from([path.to_owned()]);
    loop {
        let touches = |(overlay, base): &(&String, &String)| together.contains(*overlay) || together.contains(*base);
        let more: BTreeSet<String> =
            links.iter().filter(touches).flat_map(|(overlay, base)| [overlay.clone(), base.clone()]).collect();
        let before = together.len();
        together.extend(more);
        if together.len() == before {
            return together;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_depends_on_each_other_is_found_over_however_many_files() {
        let link = |(overlay, base): (&str, &str)| (overlay.to_owned(), base.to_owned());
        let links = [("a", "base"), ("b", "base"), ("c", "other")].map(link).into();
        let names = |path: &str| connected(&links, path).into_iter().collect::<Vec<_>>().join(" ");
        assert_eq!(
            (names("a"), names("base"), names("c"), names("d")),
            ("a b base".into(), "a b base".into(), "c other".into(), "d".into())
        );
    }
}
