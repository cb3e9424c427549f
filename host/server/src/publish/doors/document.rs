//! What a YAML file of a watched folder is: its kind, and what it says.

use std::collections::BTreeMap;

use redress_domain::ids::{Digest, Slug};
use redress_domain::workflow::problems::Problems;
use redress_domain::workflow::revision;
use redress_domain::workflow::yaml::{self, Kind as Value, Node};

use crate::engine::tenant::TenantRecord;

/// What a file is: the key behind `format`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A workflow, which is published.
    Workflow,
    /// Something else that has its own ways in.
    Other,
    /// It does not say: an empty file, one that is half-written, or none of ours.
    Unknown,
}

/// A document's content without its way of writing and without the plugins that it is pinned to, so that a file can be compared
/// with what is active.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Says {
    /// The workflow's name.
    pub(super) workflow: Slug,
    /// The digest of what it says.
    pub(super) content: Digest,
}

/// Kinds of documents that are not published.
const OTHERS: &[&str] = &["import", "tests_for"];

/// The kind of a file.
pub(super) fn kind(text: &str) -> Kind {
    let keys = match yaml::parse(text, &Problems::new()) {
        Some(Node { kind: Value::Map(entries), .. }) => entries.into_iter().map(|entry| entry.key.text).collect(),
        _ => written_keys(text),
    };
    let behind = keys.iter().position(|key| key == "format").and_then(|at| keys.get(at + 1));
    match behind {
        Some(key) if OTHERS.contains(&key.as_str()) => Kind::Other,
        _ if keys.iter().any(|key| key == "workflow") => Kind::Workflow,
        Some(_) => Kind::Other,
        None => Kind::Unknown,
    }
}

/// The workflow that a document says it is.
pub(super) fn workflow(text: &str) -> Option<Slug> {
    named(&yaml::parse(text, &Problems::new())?)
}

fn named(node: &Node) -> Option<Slug> {
    let Value::Map(entries) = &node.kind else { return None };
    let name = entries.iter().find(|entry| entry.key.text == "workflow")?;
    let Value::Scalar(name) = &name.value.kind else { return None };
    Slug::new(&name.text).ok()
}

/// What a document says; `None` for one that cannot be read.
pub(super) fn says(text: &str, record: &TenantRecord) -> Option<Says> {
    let node = yaml::parse(text, &Problems::new())?;
    let workflow = named(&node)?;
    let content = revision::revision(&node, &BTreeMap::new(), record.currency, record.zone, None);
    Some(Says { workflow, content })
}

/// The keys of a text that is no YAML: what stands before a colon at the beginning of a line.
fn written_keys(text: &str) -> Vec<String> {
    let key = |line: &str| {
        let (key, _) = line.split_once(':')?;
        key.chars().all(|letter| letter.is_ascii_lowercase() || letter == '_').then(|| key.to_owned())
    };
    text.lines().filter_map(key).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_behind_the_format_is_the_kind_however_it_is_written() {
        for (text, expected) in [
            ("format: 1\nworkflow: a\n", Kind::Workflow),
            ("# A note.\n\n{ format: 1, workflow: a }\n", Kind::Workflow),
            // Broken and half-written ones too, so that their author is told.
            ("format: 1\nworkflow: a\nsteps: [\n", Kind::Workflow),
            ("workflow: a\nformat: 1\ntriggers: []\n", Kind::Workflow),
            ("workflow: a\n", Kind::Workflow),
            ("format: 1\nimport: a\n", Kind::Other),
            ("format: 1\nimport: [\n", Kind::Other),
            ("format: 1\ntests_for: a\nworkflow: a\n", Kind::Other),
            ("format: 1\nholidays: []\n", Kind::Other),
            ("format: 1\n", Kind::Unknown),
            ("services: {}\n", Kind::Unknown),
            ("", Kind::Unknown),
        ] {
            assert_eq!(kind(text), expected, "{text}");
        }
    }
}
