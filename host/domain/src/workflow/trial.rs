//! Trials: tests of a workflow as an admin writes them, beside it in a `*.test.yaml` or inside it under `tests`.
//!
//! What is given, what is played and what is expected is read like a workflow: a tree with positions, one table of fields, every
//! problem at once. Steps, events, forms and attributes are checked against the workflow that is tried. Nothing is run here.

mod expect;
mod given;
mod judge;
mod layers;
mod mock;
mod moment;
mod names;
mod play;
pub mod schema;
mod started;
mod systems;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

pub use expect::{Calls, Expectation, Expected, ExpectedMessage, ExpectedRefund, ExpectedTask, OpenTasks};
pub use given::Given;
pub use judge::{Call, Mismatch, Seen, judge};
pub use mock::{Mock, MockLine, MockLines};
pub use play::{Act, Does, Fault, FaultKind, Told};
pub use systems::System;

use crate::clock::Zone;
use crate::ids::Slug;
use crate::money::Currency;
use crate::workflow::definition::{Definition, PluginRef};
use crate::workflow::diagnostic::{Diagnostic, Range};
use crate::workflow::load::zone_of;
use crate::workflow::problems::Problems;
use crate::workflow::reader::{At, Fields};
use crate::workflow::yaml;
use layers::Layers;

/// The most tests of one document: each takes a millisecond or two, and nobody reads more.
pub const TESTS_MAX: usize = 200;
/// The longest name of a test.
const NAME_LETTERS_MAX: usize = 200;

/// One test.
#[derive(Debug, Clone)]
pub struct Trial {
    /// What it says, in words.
    pub name: String,
    /// Where its name stands.
    pub at: Range,
    /// What there is before anything happens.
    pub given: Given,
    /// What plugins answer; one that is not here is asked itself.
    pub mocks: BTreeMap<PluginRef, Mock>,
    /// What systems of the merchant answer; one that is not here does what it is asked and tells nothing.
    pub systems: BTreeMap<Slug, System>,
    /// What happens, one after the other.
    pub play: Vec<Act>,
    /// What goes wrong on the way out.
    pub faults: Vec<Fault>,
    /// What must have come of it.
    pub expect: Vec<Expectation>,
}

/// What a document of tests says of itself, known before its workflow is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heading {
    /// The workflow that is tried.
    pub tests_for: Slug,
    /// Plugins that stand in for ones that are not there where the tests run.
    pub plugins: BTreeMap<PluginRef, PluginRef>,
    /// Whose workflow it is, where the tests run without a merchant.
    pub merchant: Merchant,
}

/// What a workflow has from its merchant where it does not say so itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Merchant {
    /// The currency.
    pub currency: Option<Currency>,
    /// The zone.
    pub zone: Option<Zone>,
}

/// The heading of a document of tests; none where the text is none or cannot be read.
pub fn heading(source: &str) -> Option<Heading> {
    let problems = Problems::new();
    let tree = yaml::parse(source, &problems)?;
    let fields = At::root(&tree, source, &problems).fields(&schema::DOCUMENT)?;
    let tests_for = fields.get("tests_for").and_then(|at| at.slug())?;
    let (plugins, merchant) = (stand_ins(&fields).unwrap_or_default(), merchant(&fields).unwrap_or_default());
    Some(Heading { tests_for, plugins, merchant })
}

/// Read a document of tests for a workflow.
///
/// # Errors
/// Everything that is wrong, in the order of the text.
pub fn load(source: &str, definition: &Definition) -> Result<Vec<Trial>, Vec<Diagnostic>> {
    read(source, |root| {
        let fields = root.fields(&schema::DOCUMENT)?;
        if let Some(format) = fields.require("format")
            && format.number().is_some_and(|number| number != 1.into())
        {
            format.refuse_with::<()>("unknown_format", "this format is not known", "the format of this version is 1");
        }
        let named = fields.require("tests_for").and_then(|at| tried(&at, definition));
        let (plugins, merchant) = (stand_ins(&fields), merchant(&fields));
        let tests = fields.require("tests").and_then(|at| tests(&at, Some(&fields), definition));
        named.and(plugins).and(merchant)?;
        tests
    })
}

/// Read the tests that stand inside a workflow; none where it has none.
///
/// # Errors
/// Everything that is wrong with them, in the order of the text.
pub fn inside(source: &str, definition: &Definition) -> Result<Vec<Trial>, Vec<Diagnostic>> {
    read(source, |root| {
        let written = root.names()?.into_iter().find(|(key, _)| key.text == "tests");
        written.map_or(Some(Vec::new()), |(_, at)| tests(&at, None, definition))
    })
}

/// Check the tests inside a workflow that has passed every other check.
pub(super) fn check(at: &At<'_>, definition: &Definition) {
    // What is wrong is reported; the tests themselves are read again by whoever runs them.
    drop(tests(at, None, definition));
}

fn read(source: &str, tests: impl FnOnce(&At<'_>) -> Option<Vec<Trial>>) -> Result<Vec<Trial>, Vec<Diagnostic>> {
    let problems = Problems::new();
    let tests = yaml::parse(source, &problems).and_then(|tree| tests(&At::root(&tree, source, &problems)));
    let found = problems.into_sorted();
    match tests {
        Some(tests) if found.is_empty() => Ok(tests),
        // Every way to no tests reports why; should one forget it, the document still does not pass.
        _ if found.is_empty() => {
            Err(vec![Diagnostic::new("internal", yaml::START, "the tests were refused without a reason")])
        }
        _ => Err(found),
    }
}

fn tried(at: &At<'_>, definition: &Definition) -> Option<Slug> {
    let name = at.slug()?;
    if name == definition.workflow {
        return Some(name);
    }
    at.refuse("unknown_workflow", format!("these are no tests for `{}`", definition.workflow))
}

fn stand_ins(fields: &Fields<'_>) -> Option<BTreeMap<PluginRef, PluginRef>> {
    let Some(at) = fields.get("plugins") else { return Some(BTreeMap::new()) };
    let pair = |(key, at): (&yaml::Key, At<'_>)| {
        let wanted = names::plugin(&key.text);
        if wanted.is_none() {
            names::no_plugin(&at, &key.text, key.range);
        }
        let text = at.text()?;
        let other = names::plugin(text);
        if other.is_none() {
            names::no_plugin(&at, text, at.place());
        }
        Some((wanted?, other?))
    };
    let all: Vec<_> = at.names()?.into_iter().map(pair).collect();
    all.into_iter().collect()
}

fn merchant(fields: &Fields<'_>) -> Option<Merchant> {
    let Some(at) = fields.get("merchant") else { return (!fields.has("merchant")).then_some(Merchant::default()) };
    let fields = at.fields(&schema::MERCHANT)?;
    let currency = given::optional(fields.get("currency"), given::currency);
    let zone = given::optional(fields.get("zone"), zone_of);
    Some(Merchant { currency: currency?, zone: zone? })
}

/// One test as it is written, with those whose `given` it uses.
struct Written<'d> {
    name: String,
    at: At<'d>,
    fields: Fields<'d>,
}

fn tests(at: &At<'_>, shared: Option<&Fields<'_>>, definition: &Definition) -> Option<Vec<Trial>> {
    let list = at.list()?;
    if list.is_empty() {
        return at.refuse("missing_value", "`tests` is empty: leave it out, or write one");
    }
    if list.len() > TESTS_MAX {
        return at.refuse("too_large", format!("the document has {} tests, the most is {TESTS_MAX}", list.len()));
    }
    let written: Vec<Option<Written<'_>>> = list.iter().map(written).collect();
    let known: Vec<&Written<'_>> = written.iter().flatten().collect();
    twice(&known);
    let all: Vec<_> = known.iter().map(|one| trial(one, &known, shared, definition)).collect();
    if known.len() < list.len() {
        return None;
    }
    all.into_iter().collect()
}

fn written<'d>(at: &At<'d>) -> Option<Written<'d>> {
    let fields = at.fields(&schema::TEST)?;
    let named = fields.require("name")?;
    let name = named.text()?;
    if name.trim().is_empty() || name.chars().count() > NAME_LETTERS_MAX {
        return named.refuse("bad_name", format!("a test has a name of 1 to {NAME_LETTERS_MAX} letters"));
    }
    Some(Written { name: name.to_owned(), at: named, fields })
}

fn twice(known: &[&Written<'_>]) {
    for (place, one) in known.iter().enumerate() {
        if known[..place].iter().any(|other| other.name == one.name) {
            one.at.refuse::<()>("duplicate_id", format!("there is another test {:?}", one.name));
        }
    }
}

fn trial(
    one: &Written<'_>,
    known: &[&Written<'_>],
    shared: Option<&Fields<'_>>,
    definition: &Definition,
) -> Option<Trial> {
    let layers = layers(one, known, shared)?;
    let given = given::given(&one.at, &layers, definition);
    let mocks = mock::mocks(&layers, definition);
    let play = play::play(&layers, definition);
    let faults = play::faults(&one.fields, definition);
    let expect = expect::expect(&one.fields, definition);
    let (mocks, systems) = mocks?;
    Some(Trial {
        name: one.name.clone(),
        at: one.at.place(),
        given: given?,
        mocks,
        systems,
        play: play?,
        faults: faults?,
        expect: expect?,
    })
}

/// The test itself, the tests that it uses, and what the whole document gives: what is nearer counts.
fn layers<'d>(one: &Written<'d>, known: &[&Written<'d>], shared: Option<&Fields<'d>>) -> Option<Layers<'d>> {
    let (mut layers, mut names) = (vec![one.fields.clone()], vec![one.name.as_str()]);
    while let Some(used) = layers.last().and_then(used) {
        let name = used.text()?;
        if names.contains(&name) {
            return used.refuse("cycle", format!("{name:?} uses itself on the way"));
        }
        let Some(other) = known.iter().find(|other| other.name == name) else {
            let others = known.iter().map(|other| other.name.as_str());
            return names::unknown(&used, "unknown_test", "test", name, others);
        };
        names.push(&other.name);
        layers.push(other.fields.clone());
    }
    layers.extend(shared.cloned());
    Some(Layers::new(layers))
}

/// The test that another one uses.
fn used<'d>(fields: &Fields<'d>) -> Option<At<'d>> {
    fields.get("given")?.fields(&schema::GIVEN)?.get("use")
}
