//! `redress workflow diff`: what differs between two workflows by meaning.

use redress_domain::clock::Zone;
use redress_domain::workflow::diff::{self, Change};
use serde_json::json;

use super::text::{Reader, Text};
use crate::cli::Global;
use crate::cli::error::Error;
use crate::cli::listing::{Cell, Listing};
use crate::cli::output::{Format, Out};

pub(super) const EXAMPLES: &str = "\
Examples:
  redress workflow diff return.yaml return.new.yaml
  redress workflow diff online-retail-return return.yaml --tenant shop --data data
  redress workflow diff online-retail-return@12 online-retail-return@14 --tenant shop --data data
  redress workflow diff return@12 return.yaml --server https://redress.example --key-file viewer.key
  redress workflow diff a.yaml b.yaml --output json

A revision is its workflow's name, for the active one, or NAME@ with its number or the beginning of its hash. Overlays are compared
with their bases as whole documents. The command ends with 0 whether something differs or not.
";

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// A file or a revision.
    before: String,
    /// What it is compared with: a file or a revision.
    after: String,
}

pub(super) fn run(args: &Args, at: &Global, out: &mut Out<'_>) -> Result<(), Error> {
    let reader = Reader::new(at);
    let (before, after) = (reader.read(&args.before)?, reader.read(&args.after)?);
    let mut changes = diff::diff(&reader.whole(&before)?, &reader.whole(&after)?);
    changes.retain(|change| change.name != "format");
    let plugins = plugins(&before, &after);
    match at.format() {
        Format::Table => {
            out.data(&format!("{} → {}\n", before.name, after.name))?;
            if changes.is_empty() && plugins.is_empty() {
                return out.data("nothing differs in meaning\n");
            }
            changes.iter().try_for_each(|change| out.data(&line(change)))?;
            plugins.iter().try_for_each(|(name, _, after)| {
                let to = after.as_deref().map_or("no longer called", |after| &after[..12]);
                out.data(&format!("~ plugin {name}: {to}\n"))
            })
        }
        Format::Json => {
            let plugins: Vec<_> = plugins
                .iter()
                .map(|(name, before, after)| json!({ "plugin": name, "before": before, "after": after }))
                .collect();
            let changes = listing(&changes).objects();
            out.json(&json!({ "before": before.name, "after": after.name, "changes": changes, "plugins": plugins }))
        }
        Format::Csv => listing(&changes).print(Format::Csv, out),
    }
}

/// A change as a person reads it.
pub(super) fn line(change: &Change) -> String {
    let name = format!("{} {}", change.part.word(), change.name);
    let field = if change.field.is_empty() { String::new() } else { format!(" {}", change.field) };
    match (&change.before, &change.after) {
        (None, Some(after)) if change.field.is_empty() => format!("+ {name}: {after}\n"),
        (Some(before), None) if change.field.is_empty() => format!("- {name}: {before}\n"),
        (None, Some(after)) => format!("~ {name}{field}: now {after}\n"),
        (Some(before), None) => format!("~ {name}{field}: no longer {before}\n"),
        (Some(before), Some(after)) => format!("~ {name}{field}: {before} → {after}\n"),
        (None, None) => String::new(),
    }
}

/// Plugins whose component differs, where both are revisions.
fn plugins(before: &Text, after: &Text) -> Vec<(String, Option<String>, Option<String>)> {
    let (Some(old), Some(new)) = (&before.plugins, &after.plugins) else { return Vec::new() };
    let mut names: Vec<&String> = old.keys().chain(new.keys()).collect();
    names.sort();
    names.dedup();
    let digest = |digest: &redress_domain::ids::Digest| digest.to_string();
    names
        .into_iter()
        .filter(|name| old.get(*name) != new.get(*name))
        .map(|name| (name.clone(), old.get(name).map(digest), new.get(name).map(digest)))
        .collect()
}

/// Changes as rows.
pub(super) fn listing(changes: &[Change]) -> Listing {
    let row = |change: &Change| {
        vec![
            Cell::text(change.how.word()),
            Cell::text(change.part.word()),
            Cell::text(&change.name),
            Cell::maybe(Some(&change.field).filter(|field| !field.is_empty())),
            Cell::maybe(change.before.as_ref()),
            Cell::maybe(change.after.as_ref()),
        ]
    };
    Listing {
        columns: vec!["how", "part", "name", "field", "before", "after"],
        hidden: &[],
        zone: Zone::UTC,
        rows: changes.iter().map(row).collect(),
    }
}
