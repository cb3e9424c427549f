//! What the outcome of a condition tells about the paths that it asked for, and which paths an expression reads.

use std::collections::BTreeSet;

use crate::workflow::expr::ast::{Node, Part};
use crate::workflow::expr::functions::{self, Run};

/// The paths that have a value if the condition has this outcome.
pub(super) fn facts(node: &Node, holds: bool) -> BTreeSet<String> {
    match (&node.part, holds) {
        (Part::Call { name, args }, true) if name.text == "has" && args.len() == 1 => prefixes(&args[0]),
        (Part::Not(inner), _) => facts(inner, !holds),
        (Part::And(items), true) | (Part::Or(items), false) => {
            items.iter().flat_map(|item| facts(item, holds)).collect()
        }
        // Some item ended it, and those before it had the other outcome.
        (Part::And(items), false) | (Part::Or(items), true) => {
            let mut before = BTreeSet::new();
            let mut common: Option<BTreeSet<String>> = None;
            for item in items {
                let mut here = facts(item, holds);
                here.extend(before.iter().cloned());
                common = Some(match common {
                    Some(common) => common.intersection(&here).cloned().collect(),
                    None => here,
                });
                before.append(&mut facts(item, !holds));
            }
            common.unwrap_or_default()
        }
        (Part::Choice { test, yes, no }, _) => {
            let on = |way: &Node, test_holds| &facts(test, test_holds) | &facts(way, holds);
            &on(yes, true) & &on(no, false)
        }
        _ => BTreeSet::new(),
    }
}

/// A path and everything on the way to it.
fn prefixes(path: &Node) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    let mut at = Some(path);
    while let Some(node) = at {
        all.extend(node.path());
        at = match &node.part {
            Part::Field { base, .. } | Part::Index { base, .. } => Some(base),
            _ => None,
        };
    }
    all
}

/// The longest paths that an expression reads from the roots.
pub(super) fn reads(tree: &Node) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    read(tree, &mut Vec::new(), &mut found);
    found
}

fn read<'n>(node: &'n Node, elements: &mut Vec<&'n str>, found: &mut BTreeSet<String>) {
    if let Some(path) = node.path() {
        let root = path.split(['.', '[']).next().unwrap_or(&path);
        if !elements.contains(&root) {
            found.insert(path);
        }
        return;
    }
    match &node.part {
        Part::Call { name, args } if is_loop(&name.text) && args.len() == 3 => {
            read(&args[0], elements, found);
            if let Part::Name(element) = &args[1].part {
                elements.push(element);
                read(&args[2], elements, found);
                elements.pop();
            }
        }
        // The way of rounding is a bare word and no name.
        Part::Call { name, args } if name.text == "round" => {
            args.iter().take(1).for_each(|arg| read(arg, elements, found));
        }
        _ => node.children().into_iter().for_each(|child| read(child, elements, found)),
    }
}

fn is_loop(name: &str) -> bool {
    functions::find(name).is_some_and(|function| matches!(function.run, Run::Loop(_)))
}
