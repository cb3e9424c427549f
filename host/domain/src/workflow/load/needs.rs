//! Attributes that a case cannot do without: declared without `?`, and read by an expression of the steps or the limits. What only
//! plugins look at may be missing: it is theirs to say what follows.

use std::collections::{BTreeMap, BTreeSet};

use crate::value::Type;
use crate::workflow::definition::{Kind, Needs, Step};
use crate::workflow::load::document::Head;

/// The attributes that the steps need.
pub(super) fn of(head: &Head<'_>, steps: &[Step]) -> Needs {
    let read = head.read.borrow();
    // An element of a loop over the lines is a line, and so is `item` of a case that has one.
    let elements = steps.iter().filter_map(|step| match &step.kind {
        Kind::ForEach(each) if each.over.source().trim() == "case.lines" => Some(each.element.as_str()),
        _ => None,
    });
    let single = (head.lines == Some(1)).then_some("item");
    let lines: BTreeSet<&str> = elements.chain(single).collect();
    let needed = |roots: &BTreeSet<&str>, declared: &BTreeMap<String, Type>| {
        let is_read = |name: &String| roots.iter().any(|root| read.contains(&format!("{root}.{name}")));
        let must = declared.iter().filter(|(_, kind)| !matches!(kind, Type::Optional(_)));
        must.map(|(name, _)| name).filter(|name| is_read(name)).cloned().collect::<BTreeSet<String>>()
    };
    let case = needed(&BTreeSet::from(["case"]), &head.attributes.case);
    Needs { case, line: needed(&lines, &head.attributes.line) }
}
