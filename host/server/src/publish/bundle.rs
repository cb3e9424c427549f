//! Bundles: files that change together are checked together and become active together, in one commit and as one fact, or not at
//! all.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use redress_domain::case::command::Actor;
use redress_domain::ids::Slug;
use redress_domain::workflow::definition::Definition;

use super::suite::{self, TestFile, named};
use super::way::{Answer, Way};
use super::workflows::kept::Kept;
use super::workflows::{self, Candidate, Revision};
use super::{Error, hold, past, plugins};
use crate::engine::Engine;
use crate::engine::log::{self, Record};

/// Workflows of one bundle.
pub const WORKFLOWS_MAX: usize = 64;

/// A workflow of a bundle.
#[derive(Debug, Clone)]
pub struct Part {
    /// The file.
    pub file: TestFile,
    /// The way in.
    pub way: Way,
    /// Whether it is to become active; else it is only there for those that extend it.
    pub activate: bool,
}

/// Files that are published together.
#[derive(Debug)]
pub struct Bundle<'a> {
    /// The workflows.
    pub parts: &'a [Part],
    /// Files with tests of them. They must pass, like the tests inside the workflows.
    pub tests: &'a [TestFile],
    /// Why, in a few words.
    pub note: &'a str,
    /// By whom.
    pub by: &'a Actor,
    /// The request that this answers, where it may come again.
    pub answer: Option<Answer<'a, Vec<Revision>>>,
}

/// A part that passed its checks.
struct Checked<'a> {
    part: &'a Part,
    candidate: Candidate,
    /// Whether it is another one than what is active.
    is_new: bool,
}

/// Files that were told apart by their names: workflows, and what tests them.
pub fn parts(files: Vec<TestFile>, way: &Way) -> (Vec<Part>, Vec<TestFile>) {
    let is_test = |file: &TestFile| TestFile::is_named(&file.name) || file.tests_for().is_some();
    let (tests, workflows): (Vec<_>, Vec<_>) = files.into_iter().partition(is_test);
    let part = |file| Part { file, way: way.clone(), activate: true };
    (workflows.into_iter().map(part).collect(), tests)
}

/// Publish a bundle: check every workflow with the others beside it, run the tests, and make all of them active at once. What is active
/// already is left alone. Answers the revisions in the order of the parts that were to become active.
///
/// # Errors
/// Everything that is wrong with any of the files; what was active stays.
pub fn publish(engine: &Engine, bundle: &Bundle<'_>) -> Result<Vec<Revision>, Error> {
    let _alone = engine.publishing();
    let checked = check(engine, bundle)?;
    let Bundle { note, by, answer, .. } = bundle;
    log::record(engine, by, |mut next| {
        let (mut facts, mut rows, mut revisions) = (Vec::new(), Vec::new(), Vec::new());
        for one in &checked {
            let way = &one.part.way;
            let becoming = one.candidate.becoming(engine, next, note, &way.origin(), by);
            rows.extend(way.accepted());
            revisions.push(becoming.revision);
            if one.is_new {
                next.number += u64::from(one.candidate.is_new());
                facts.extend(becoming.facts);
                rows.extend(becoming.rows);
            }
            rows.extend(one.candidate.rewritten());
        }
        let idem = answer.as_ref().map(|answer| answer.record(next.at, &revisions));
        Record { facts, rows, idem, ..Record::default() }
    })?;
    for one in checked.iter().filter(|one| one.is_new) {
        let Part { file, way, .. } = one.part;
        workflows::tell_warnings(&one.candidate.definition, &file.source, &way.origin());
    }
    let definitions: Vec<Arc<Definition>> = checked.iter().map(|one| one.candidate.definition.clone()).collect();
    engine.registry().activate_all(definitions.iter().cloned());
    for one in checked.iter().filter(|one| one.is_new) {
        engine.canary_is_over(&one.candidate.definition.workflow);
    }
    plugins::hold(engine);
    definitions.iter().map(|definition| workflows::stored(engine, definition.revision)).collect()
}

fn check<'a>(engine: &Engine, bundle: &Bundle<'a>) -> Result<Vec<Checked<'a>>, Error> {
    let names = names(bundle)?;
    let text = |(name, part): (&Slug, &&Part)| (name.clone(), part.file.source.clone());
    let together: BTreeMap<Slug, String> = names.iter().map(text).collect();
    let available = plugins::available(engine)?;
    let (mut checked, mut wrong) = (Vec::new(), Vec::new());
    for part in bundle.parts.iter().filter(|part| part.activate) {
        let kept = Kept { together: together.clone(), ..Kept::default() };
        let candidate = workflows::candidate(engine, &part.file.source, available.clone(), kept);
        match candidate.and_then(|candidate| tried(engine, bundle, part, candidate)) {
            Ok(one) => checked.push(one),
            Err(error @ Error::Engine(_)) => return Err(error),
            Err(error) => wrong.push((part.file.clone(), error)),
        }
    }
    if wrong.is_empty() { Ok(checked) } else { Err(Error::Bundle(wrong)) }
}

/// The workflows by their names, each once; every file with tests tests one of them.
fn names<'a>(bundle: &Bundle<'a>) -> Result<BTreeMap<Slug, &'a Part>, Error> {
    let mut wrong: Vec<(TestFile, Error)> = Vec::new();
    let mut refuse = |file: &TestFile, why: String| wrong.push((file.clone(), Error::NoPart(why)));
    let mut names: BTreeMap<Slug, &Part> = BTreeMap::new();
    for part in bundle.parts {
        match named(&part.file.source, "workflow") {
            None => refuse(&part.file, format!("{} does not say which workflow it is", part.file.name)),
            Some(name) => {
                if let Some(other) = names.insert(name.clone(), part) {
                    refuse(&part.file, format!("{} and {} are both workflow {name}", other.file.name, part.file.name));
                }
            }
        }
    }
    for test in bundle.tests {
        let tested = test.tests_for();
        if tested.as_ref().is_none_or(|tested| !names.contains_key(tested)) {
            let of = tested.map_or_else(|| "nothing that it names".to_owned(), |tested| format!("workflow {tested}"));
            refuse(test, format!("{} tests {of}, which is not in the bundle", test.name));
        }
    }
    let count = bundle.parts.len();
    if count > WORKFLOWS_MAX || count == 0 {
        return Err(Error::NoPart(format!("a bundle has 1 to {WORKFLOWS_MAX} workflows, this one has {count}")));
    }
    if wrong.is_empty() { Ok(names) } else { Err(Error::Bundle(wrong)) }
}

/// Everything that publishing one of them would look at.
fn tried<'a>(engine: &Engine, bundle: &Bundle<'_>, part: &'a Part, candidate: Candidate) -> Result<Checked<'a>, Error> {
    let (workflow, revision) = (candidate.definition.workflow.clone(), candidate.definition.revision);
    let is_of = |test: &&TestFile| test.tests_for().as_ref() == Some(&workflow);
    let beside: Vec<TestFile> = bundle.tests.iter().filter(is_of).cloned().collect();
    suite::check(engine, &candidate.definition, &part.file.source, &beside)?;
    hold::check(engine, revision)?;
    let is_new = workflows::active(engine, &workflow)? != Some(revision);
    if is_new && part.way.is_overtaken(|| past::of_workflow(engine, &workflow))? {
        return Err(Error::Overtaken);
    }
    workflows::check_age(engine, &candidate, &part.way, workflows::active(engine, &workflow)?)?;
    Ok(Checked { part, candidate, is_new })
}

/// The files, of those in a bundle, that change with any of these: themselves, and what extends them as it is published beside them.
pub fn follow(links: &BTreeMap<String, String>, changed: &BTreeSet<String>) -> BTreeSet<String> {
    let follows = |(overlay, base): (&String, &String)| changed.contains(base).then(|| overlay.clone());
    changed.iter().cloned().chain(links.iter().filter_map(follows)).collect()
}
