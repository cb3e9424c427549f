//! The revision of a document: a hash of what it says, not of how it is written.
//!
//! Comments, order of keys, block or flow style, quotes and trailing zeros do not make a revision; every value does, and so do
//! the digests of the plugins, the version of the table of holidays, and the currency and zone that the tenant lends.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use crate::clock::Zone;
use crate::ids::Digest;
use crate::money::Currency;
use crate::workflow::definition::{Plugin, PluginRef};
use crate::workflow::yaml::{Entry, Kind, Node, Scalar};

/// Names the encoding below; another one gives other revisions.
const ENCODING: &str = "redress-workflow-1";

/// The revision of a checked document.
pub fn revision(
    document: &Node,
    plugins: &BTreeMap<PluginRef, Plugin>,
    currency: Currency,
    zone: Zone,
    holidays: Option<Digest>,
) -> Digest {
    let mut bytes = Vec::new();
    put_text(&mut bytes, ENCODING);
    put_document(&mut bytes, document);
    put_text(&mut bytes, currency.code());
    put_text(&mut bytes, zone.name());
    put_count(&mut bytes, b'p', plugins.len());
    for (name, plugin) in plugins {
        put_text(&mut bytes, &name.to_string());
        bytes.extend(plugin.digest.bytes());
    }
    // Only where there are any: a document without a calendar keeps the revision that it had before there were calendars.
    if let Some(version) = holidays {
        put_text(&mut bytes, "holidays");
        bytes.extend(version.bytes());
    }
    Digest::of(&bytes)
}

/// Tests say what a workflow does and change nothing of it.
const NO_PART: &str = "tests";

fn put_document(bytes: &mut Vec<u8>, document: &Node) {
    match &document.kind {
        Kind::Map(entries) => put_map(bytes, entries.iter().filter(|entry| entry.key.text != NO_PART)),
        _ => put_node(bytes, document),
    }
}

/// Each value is a letter, a length and its bytes, so that no two documents have the same form.
fn put_node(bytes: &mut Vec<u8>, node: &Node) {
    match &node.kind {
        Kind::Scalar(scalar) => put_scalar(bytes, scalar),
        Kind::List(items) => {
            put_count(bytes, b'l', items.len());
            items.iter().for_each(|item| put_node(bytes, item));
        }
        Kind::Map(entries) => put_map(bytes, entries.iter()),
        // A document with something unreadable in it never passes its checks.
        Kind::Broken => put_count(bytes, b'x', 0),
    }
}

fn put_map<'d>(bytes: &mut Vec<u8>, entries: impl Iterator<Item = &'d Entry>) {
    let sorted: BTreeMap<_, _> = entries.map(|entry| (&entry.key.text, &entry.value)).collect();
    put_count(bytes, b'm', sorted.len());
    for (name, value) in sorted {
        put_text(bytes, name);
        put_node(bytes, value);
    }
}

/// A plain number is a number; fields of text refuse it, so `1` and `1.0` never differ in meaning.
fn put_scalar(bytes: &mut Vec<u8>, scalar: &Scalar) {
    match Decimal::from_str_exact(&scalar.text) {
        Ok(number) if scalar.is_number() => {
            let text = number.normalize().to_string();
            put_count(bytes, b'n', text.len());
            bytes.extend(text.as_bytes());
        }
        _ => put_text(bytes, &scalar.text),
    }
}

fn put_text(bytes: &mut Vec<u8>, text: &str) {
    put_count(bytes, b't', text.len());
    bytes.extend(text.as_bytes());
}

fn put_count(bytes: &mut Vec<u8>, letter: u8, count: usize) {
    bytes.push(letter);
    bytes.extend((count as u64).to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workflow::definition::Hook;
    use crate::workflow::problems::Problems;
    use crate::workflow::yaml;

    const DOCUMENT: &str = "workflow: a\nlimits: { lines: 2, max: 500 }\nsteps: [{ id: x }, { id: y }]\n";

    fn plugins(seed: &str) -> BTreeMap<PluginRef, Plugin> {
        let plugin = Plugin {
            digest: Digest::of(seed.as_bytes()),
            hook: Hook::Step,
            params: BTreeMap::new(),
            whole: Default::default(),
            provides: BTreeMap::new(),
            facts: Vec::new(),
            attributes: BTreeMap::new(),
        };
        [(PluginRef { name: "own".to_owned(), major: 1 }, plugin)].into()
    }

    fn of(document: &str) -> Digest {
        with(document, "one", "GBP", Zone::Europe__London)
    }

    fn with(document: &str, seed: &str, currency: &str, zone: Zone) -> Digest {
        let node = yaml::parse(document, &Problems::new()).unwrap();
        revision(&node, &plugins(seed), currency.parse().unwrap(), zone, None)
    }

    #[test]
    fn the_way_of_writing_makes_no_revision() {
        for same in [
            "# note\nworkflow: 'a'   # why\n\nlimits: { lines: 2, max: 500 }\nsteps: [{ id: x }, { id: y }]\n",
            "limits:\n  max: 500.00\n  lines: 2\nsteps:\n  - id: x\n  - id: \"y\"\nworkflow: a\n",
        ] {
            assert_eq!(of(same), of(DOCUMENT), "{same}");
        }
    }

    #[test]
    fn tests_make_none_and_a_step_of_that_name_does() {
        let tested = format!("{DOCUMENT}tests: [{{ name: a }}]\n");
        assert_eq!(of(&tested), of(DOCUMENT));
        assert_ne!(of(&DOCUMENT.replace("lines: 2", "tests: 2")), of(&DOCUMENT.replace("lines: 2, ", "")));
    }

    #[test]
    fn every_value_makes_one() {
        for other in [
            DOCUMENT.replace("500", "501"),
            DOCUMENT.replace("500", "'500'"),
            DOCUMENT.replace("id: y", "id: ' y'"),
            DOCUMENT.replace("lines", "line"),
            DOCUMENT.replace("{ id: x }, { id: y }", "{ id: y }, { id: x }"),
            DOCUMENT.replace("{ id: x }, { id: y }", "{ id: x, y: id }"),
            DOCUMENT.replace("workflow: a", "workflow: b"),
        ] {
            assert_ne!(of(&other), of(DOCUMENT), "{other}");
        }
    }

    #[test]
    fn a_plugin_and_what_the_tenant_lends_make_one() {
        let base = of(DOCUMENT);
        assert_ne!(with(DOCUMENT, "two", "GBP", Zone::Europe__London), base);
        assert_ne!(with(DOCUMENT, "one", "EUR", Zone::Europe__London), base);
        assert_ne!(with(DOCUMENT, "one", "GBP", Zone::UTC), base);
        let node = yaml::parse(DOCUMENT, &Problems::new()).unwrap();
        let by = |table: &str| {
            let version = Some(Digest::of(table.as_bytes()));
            revision(&node, &plugins("one"), "GBP".parse().unwrap(), Zone::Europe__London, version)
        };
        assert!(by("cn 2026") != base && by("cn 2026") != by("cn 2027"));
    }
}
