//! The tests of a workflow: those inside it, and those in files beside it. A revision whose tests fail is not published.

use std::collections::BTreeMap;
use std::sync::Arc;

use redress_domain::codec;
use redress_domain::ids::{Digest, Slug};
use redress_domain::workflow::definition::{Definition, Plugin, PluginRef};
use redress_domain::workflow::diagnostic::Diagnostic;
use redress_domain::workflow::problems::Problems;
use redress_domain::workflow::trial::{self, Merchant, Trial};
use redress_domain::workflow::yaml::{self, Kind, Node};
use redress_store::row::{Row, RowKey};

use super::Error;
use super::workflows::Revision;
use crate::engine::{self, Engine};
use crate::trial::{House, Outcome};

/// Names of texts in the store's pointers begin with this.
const POINTER: &str = "text/";
/// How the names of files with tests end.
const ENDINGS: [&str; 2] = [".test.yaml", ".test.yml"];

/// A file with tests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestFile {
    /// Its name, for people.
    pub name: String,
    /// Its text.
    pub source: String,
}

/// Tests that did not pass, of one text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failed {
    /// The file beside the workflow; none for the tests inside it.
    pub file: Option<TestFile>,
    /// What is wrong, each at its place in the text.
    pub problems: Vec<Diagnostic>,
}

impl TestFile {
    /// Whether a file of this name holds tests.
    pub fn is_named(name: &str) -> bool {
        ENDINGS.iter().any(|ending| name.ends_with(ending))
    }

    /// The workflow that is tried; none where the text does not say.
    pub fn tests_for(&self) -> Option<Slug> {
        named(&self.source, "tests_for")
    }
}

/// The name behind a key of a document, also of one that is broken: its author is to be told.
pub fn named(source: &str, key: &str) -> Option<Slug> {
    let Some(Node { kind: Kind::Map(entries), .. }) = yaml::parse(source, &Problems::new()) else {
        let written = source.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'))?;
        return Slug::new(written.trim().trim_matches(['"', '\''])).ok();
    };
    match &entries.iter().find(|entry| entry.key.text == key)?.value.kind {
        Kind::Scalar(name) => Slug::new(&name.text).ok(),
        _ => None,
    }
}

/// Plugins that stand in for ones that are not there, as the heading of a file of tests names them.
pub fn stand_ins(plugins: &mut BTreeMap<PluginRef, Plugin>, files: &[TestFile]) {
    for heading in files.iter().filter_map(|file| trial::heading(&file.source)) {
        for (wanted, other) in heading.plugins {
            if let (false, Some(plugin)) = (plugins.contains_key(&wanted), plugins.get(&other).cloned()) {
                plugins.insert(wanted, plugin);
            }
        }
    }
}

/// What a workflow has from its merchant, as the heading of a file of tests says it.
pub fn merchant(files: &[TestFile]) -> Merchant {
    let mut merchant = Merchant::default();
    for heading in files.iter().filter_map(|file| trial::heading(&file.source)) {
        merchant.currency = merchant.currency.or(heading.merchant.currency);
        merchant.zone = merchant.zone.or(heading.merchant.zone);
    }
    merchant
}

/// What is kept where a revision that is stored already is handed in once more: its tests, which are no part of it, may be others.
pub(super) fn rewritten(revision: &Revision, source: &str) -> Row {
    Row::Put(RowKey::pointer(&pointer(revision)), codec::encode(&(revision.revision, source)))
}

/// The text of a revision as it was handed in last.
pub(super) fn text(engine: &Engine, revision: &Revision) -> Result<String, engine::Error> {
    let kept = engine.store().read()?.pointer(&pointer(revision))?;
    let kept: Option<(Digest, String)> =
        kept.map(|bytes| codec::decode(&bytes).map_err(engine::Error::damaged("text of a revision"))).transpose()?;
    let is_same = |(of, _): &(Digest, String)| *of == revision.revision;
    Ok(kept.filter(is_same).map_or_else(|| revision.source.clone(), |(_, text)| text))
}

fn pointer(revision: &Revision) -> String {
    format!("{POINTER}{}", revision.workflow)
}

/// Run the tests inside a workflow that has passed its checks, and those beside it.
///
/// # Errors
/// Those that are not as they must be or did not pass.
pub(super) fn check(
    engine: &Engine,
    definition: &Arc<Definition>,
    source: &str,
    beside: &[TestFile],
) -> Result<(), Error> {
    let mut suites: Vec<(Option<&TestFile>, Vec<Trial>)> = Vec::new();
    let mut failed: Vec<Failed> = Vec::new();
    let texts = std::iter::once(None).chain(beside.iter().map(Some));
    for file in texts {
        let read = match file {
            None => trial::inside(source, definition),
            Some(file) => trial::load(&file.source, definition),
        };
        match read {
            Ok(trials) => suites.push((file, trials)),
            Err(problems) => failed.push(Failed { file: file.cloned(), problems }),
        }
    }
    let (count, most) =
        (suites.iter().map(|(_, trials)| trials.len()).sum::<usize>(), engine.limits().trials.tests_max);
    if count > most {
        let message = format!("workflow {} has {count} tests, the most is {most}", definition.workflow);
        let problem = Diagnostic::new("too_large", yaml::START, message);
        failed.push(Failed { file: None, problems: vec![problem] });
    }
    if failed.is_empty() && count > 0 {
        let house = House::of(engine);
        for (file, trials) in suites {
            let outcomes = house.run(definition, &trials, |_| {});
            let problems: Vec<Diagnostic> = outcomes.iter().flat_map(Outcome::problems).collect();
            if !problems.is_empty() {
                failed.push(Failed { file: file.cloned(), problems });
            }
        }
    }
    if failed.is_empty() { Ok(()) } else { Err(Error::Tests(failed)) }
}
