//! The fields of an overlay beside its patches: laid over those of the base.

use crate::workflow::overlay::FROM_BASE;
use crate::workflow::overlay::seal::Sealed;
use crate::workflow::reader::At;
use crate::workflow::schema::{DOCUMENT, OVERLAY};
use crate::workflow::yaml::{Entry, Kind, Node};

/// Fields that say one thing: what the overlay says takes the place of all that the base says.
const WHOLE: [&str; 2] = ["title", "tests"];

/// Lay the fields of an overlay over the base: maps are merged name by name, everything else takes the place of what was there.
pub(super) fn merge(tree: &mut Node, root: &At<'_>, sealed: &Sealed) {
    let (Kind::Map(base), Some(written)) = (&mut tree.kind, root.names()) else { return };
    // What only a base needs is no part of what comes of it.
    base.retain(|entry| entry.key.text != "sealed");
    for (key, at) in written {
        let name = key.text.as_str();
        let is_ours = DOCUMENT.field(name).is_some() && OVERLAY.field(name).is_none() && !FROM_BASE.contains(&name);
        if !is_ours || !sealed.admits_field(name, &at) {
            continue;
        }
        let entry = Entry { key: key.clone(), value: at.node().clone() };
        match base.iter_mut().find(|known| known.key.text == name) {
            None => base.push(entry),
            Some(known) if WHOLE.contains(&name) => *known = entry,
            Some(known) => lay(known, entry),
        }
    }
}

fn lay(base: &mut Entry, over: Entry) {
    if !matches!((&base.value.kind, &over.value.kind), (Kind::Map(_), Kind::Map(_))) {
        *base = over;
        return;
    }
    if let (Kind::Map(known), Kind::Map(entries)) = (&mut base.value.kind, over.value.kind) {
        for entry in entries {
            match known.iter_mut().find(|one| one.key.text == entry.key.text) {
                None => known.push(entry),
                Some(one) => lay(one, entry),
            }
        }
    }
}
