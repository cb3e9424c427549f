//! What a merchant has that its schema offers.

use redress_domain::workflow::yaml::{Kind, Node};

use super::Known;
use crate::engine::{self, Engine};
use crate::publish::{bases, plugins, workflows};

/// What a merchant has, read from its plugins and its active workflows.
///
/// # Errors
/// The store cannot be read.
pub fn merchant(engine: &Engine, shipped: impl IntoIterator<Item = &'static str>) -> Result<Known, engine::Error> {
    let templates = shipped.into_iter().map(str::to_owned).collect();
    let mut known = Known { templates, plugins: plugins::available(engine)?, ..Known::default() };
    for (_, active) in workflows::actives(engine)? {
        let Some(revision) = workflows::find(engine, active)? else { continue };
        if let Ok(tree) = bases::whole(&revision) {
            gather(&tree, &mut known);
        }
    }
    Ok(known)
}

/// Queues and texts by the keys that they stand behind, in whatever step.
fn gather(node: &Node, known: &mut Known) {
    match &node.kind {
        Kind::Map(entries) => {
            for entry in entries {
                let names = match entry.key.text.as_str() {
                    "queue" => &mut known.queues,
                    "template" => &mut known.templates,
                    _ => {
                        gather(&entry.value, known);
                        continue;
                    }
                };
                if let Kind::Scalar(scalar) = &entry.value.kind {
                    names.insert(scalar.text.clone());
                }
            }
        }
        Kind::List(items) => items.iter().for_each(|item| gather(item, known)),
        Kind::Scalar(_) | Kind::Broken => {}
    }
}
