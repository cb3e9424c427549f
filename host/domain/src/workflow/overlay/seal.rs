//! What a base closes to its overlays.

use std::collections::{BTreeMap, BTreeSet};

use crate::workflow::diff;
use crate::workflow::reader::At;
use crate::workflow::schema;
use crate::workflow::yaml::{Kind, Node};

/// The sealed parts of a base.
pub(super) struct Sealed {
    /// The base, for messages.
    base: String,
    /// Fields of the document.
    fields: BTreeSet<String>,
    /// Steps, each with the fields of it that are open all the same.
    steps: BTreeMap<String, BTreeSet<String>>,
}

impl Sealed {
    pub(super) fn of(tree: &Node, base: &str) -> Self {
        let fields = diff::field(tree, "sealed").map(texts).unwrap_or_default();
        let is_sealed = |step: &Node| match diff::field(step, "sealed").map(|node| &node.kind) {
            Some(Kind::Scalar(scalar)) => scalar.is_bool() && scalar.text == "true",
            _ => false,
        };
        let steps = diff::steps(tree).into_iter().filter(|step| is_sealed(step.node));
        let steps =
            steps.map(|step| (step.id.to_owned(), diff::field(step.node, "open").map(texts).unwrap_or_default()));
        Self { base: base.to_owned(), fields, steps: steps.collect() }
    }

    /// Whether a field of the document may be changed; reports where it may not.
    pub(super) fn admits_field(&self, name: &str, at: &At<'_>) -> bool {
        if !self.fields.contains(name) {
            return true;
        }
        let message = format!("`{name}` is sealed by the base `{}`", self.base);
        at.refuse_with::<()>("sealed", message, "it is the same for everybody who extends this base");
        false
    }

    /// Whether a step as a whole may be changed.
    pub(super) fn admits_step(&self, id: &str, at: &At<'_>) -> bool {
        let Some(open) = self.steps.get(id) else { return true };
        let message = format!("the step `{id}` is sealed by the base `{}`", self.base);
        at.refuse_with::<()>("sealed", message, open_fields(open));
        false
    }

    /// Whether a field of a step may be changed: the path begins behind the step's name.
    pub(super) fn admits_part(&self, id: &str, path: &[&str], at: &At<'_>) -> bool {
        let Some(open) = self.steps.get(id) else { return true };
        // `open` names fields of the step, or of the body of its kind.
        let named = match path {
            [kind, field, ..] if schema::step_kind(kind).is_some() => *field,
            [field, ..] => *field,
            [] => "",
        };
        if open.contains(named) && !matches!(named, "sealed" | "open") {
            return true;
        }
        let message = format!("`{named}` of the step `{id}` is sealed by the base `{}`", self.base);
        at.refuse_with::<()>("sealed", message, open_fields(open));
        false
    }
}

fn open_fields(open: &BTreeSet<String>) -> String {
    if open.is_empty() {
        return "nothing of it can be changed by an overlay".to_owned();
    }
    let are = if open.len() == 1 { "is" } else { "are" };
    format!("open {are} {}", open.iter().map(|field| format!("`{field}`")).collect::<Vec<_>>().join(", "))
}

fn texts(node: &Node) -> BTreeSet<String> {
    let Kind::List(items) = &node.kind else { return BTreeSet::new() };
    let text = |item: &Node| if let Kind::Scalar(scalar) = &item.kind { Some(scalar.text.clone()) } else { None };
    items.iter().filter_map(text).collect()
}
