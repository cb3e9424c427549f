//! Drafts: a text that is kept before it is published, also one that fails to check. What is active does not move by it.

use std::sync::Arc;

use redress_domain::case::command::Actor;
use redress_domain::codec;
use redress_domain::ids::{Digest, Slug};
use redress_domain::workflow::definition::Definition;
use redress_store::row::{Row, RowKey};
use redress_store::scan::Scan;
use serde::{Deserialize, Serialize};

use super::suite::{self, Failed, named};
use super::way::{Answer, Way};
use super::workflows::{self, Publication, Revision};
use super::{Error, rows};
use crate::engine::log::{self, Record, Since, What};
use crate::engine::{self, Engine};

/// Names of drafts in the store's pointers begin with this.
const POINTER: &str = "draft/";
/// Drafts of one merchant: one for each workflow, also for those that are not published yet.
const DRAFTS_MAX: usize = 500;
/// Bytes of a text: as many as a workflow may have.
const TEXT_BYTES_MAX: usize = 256 << 10;

/// A text that is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draft {
    /// The workflow that it is to become.
    pub workflow: Slug,
    /// The text as it was written.
    pub source: String,
    /// The revision that it would be, where it passed its checks and tests when it was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passed: Option<Digest>,
    /// Since when, by whom and why.
    pub since: Since,
}

/// A draft, and what is wrong with it by now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Looked {
    /// The draft.
    pub draft: Draft,
    /// The revision that it would be, or what is wrong with it.
    pub outcome: Result<Digest, Vec<Failed>>,
}

/// A text to be kept.
#[derive(Debug)]
pub struct Save<'a> {
    /// The text.
    pub source: &'a str,
    /// Why, in a few words.
    pub note: &'a str,
    /// By whom.
    pub by: &'a Actor,
    /// The way in.
    pub way: Way,
    /// The request that this answers, where it may come again.
    pub answer: Option<Answer<'a, Looked>>,
}

/// A draft to be published.
#[derive(Debug)]
pub struct Publish<'a> {
    /// Why, in a few words; the draft's own note where it is empty.
    pub note: &'a str,
    /// By whom.
    pub by: &'a Actor,
    /// The active revision that the publisher saw: when it is another one, nothing is published.
    pub expect: Option<Digest>,
    /// The request that this answers, where it may come again.
    pub answer: Option<Answer<'a, Revision>>,
}

fn key(workflow: &Slug) -> RowKey {
    RowKey::pointer(&format!("{POINTER}{workflow}"))
}

/// What is committed when a draft is no longer one.
pub(super) fn gone(workflow: &Slug) -> Row {
    Row::Delete(key(workflow))
}

/// Keep a text as the draft of a workflow, in place of the one before; it is checked and tried, and kept whatever comes of it.
///
/// # Errors
/// The text is of another workflow or too long, too many drafts are kept, or the store failed.
pub fn save(engine: &Engine, workflow: &Slug, save: &Save<'_>) -> Result<Looked, Error> {
    let _alone = engine.publishing();
    let Save { source, note, by, way, answer } = save;
    let unfit = |why: String| Error::DraftUnfit { workflow: workflow.to_string(), why };
    if source.len() > TEXT_BYTES_MAX {
        return Err(unfit(format!("a text has at most {TEXT_BYTES_MAX} bytes, this one has {}", source.len())));
    }
    if let Some(other) = named(source, "workflow").filter(|other| other != workflow) {
        return Err(unfit(format!("the text is of workflow {other}")));
    }
    let before = find(engine, workflow)?;
    if before.is_none() && list(engine)?.len() >= DRAFTS_MAX {
        return Err(Error::DraftsFull(DRAFTS_MAX));
    }
    let outcome = look(engine, source)?;
    let passed = outcome.as_ref().ok().copied();
    let kept = |since: Since| {
        let draft = Draft { workflow: workflow.clone(), source: (*source).to_owned(), passed, since };
        Looked { draft, outcome: outcome.clone() }
    };
    let is_same = before.as_ref().is_some_and(|before| (before.source.as_str(), before.passed) == (*source, passed));
    log::record(engine, by, |next| {
        let since = Since { at: next.at, by: (*by).clone(), note: (*note).to_owned(), from: way.origin() };
        let looked = kept(before.as_ref().filter(|_| is_same).map_or(since, |before| before.since.clone()));
        let idem = answer.as_ref().map(|answer| answer.record(next.at, &looked));
        if is_same {
            return Record { idem, ..Record::default() };
        }
        let fact =
            What::DraftSaved { workflow: workflow.clone(), passed, note: (*note).to_owned(), from: way.origin() };
        let rows = vec![Row::Put(key(workflow), codec::encode(&looked.draft))];
        Record { facts: vec![fact], rows, idem, ..Record::default() }
    })?;
    let draft = find(engine, workflow)?.ok_or_else(|| Error::NoDraft(workflow.to_string()))?;
    Ok(Looked { draft, outcome })
}

/// The draft of a workflow, checked and tried against what there is by now.
///
/// # Errors
/// There is none, or the store cannot be read.
pub fn show(engine: &Engine, workflow: &Slug) -> Result<Looked, Error> {
    let draft = find(engine, workflow)?.ok_or_else(|| Error::NoDraft(workflow.to_string()))?;
    let outcome = look(engine, &draft.source)?;
    Ok(Looked { draft, outcome })
}

/// Every draft, by workflow.
///
/// # Errors
/// The store cannot be read.
pub fn list(engine: &Engine) -> Result<Vec<Draft>, engine::Error> {
    rows(engine, &Scan::Pointers(POINTER.to_owned()), "draft")
}

/// The draft of a workflow, if it has one.
///
/// # Errors
/// The store cannot be read.
pub fn find(engine: &Engine, workflow: &Slug) -> Result<Option<Draft>, engine::Error> {
    let bytes = engine.store().read()?.row(&key(workflow))?;
    bytes.map(|bytes| codec::decode(&bytes).map_err(engine::Error::damaged("draft"))).transpose()
}

/// Throw a draft away.
///
/// # Errors
/// There is none, or the store failed.
pub fn discard(engine: &Engine, workflow: &Slug, by: &Actor, way: &Way) -> Result<Draft, Error> {
    let _alone = engine.publishing();
    let draft = find(engine, workflow)?.ok_or_else(|| Error::NoDraft(workflow.to_string()))?;
    log::record(engine, by, |_| {
        let fact = What::DraftDiscarded { workflow: workflow.clone(), from: way.origin() };
        Record { facts: vec![fact], rows: vec![gone(workflow)], ..Record::default() }
    })?;
    Ok(draft)
}

/// Publish a draft, which is none from then on.
///
/// # Errors
/// There is none, or as for publishing; the draft stays.
pub fn publish(engine: &Engine, workflow: &Slug, publish: Publish<'_>) -> Result<Revision, Error> {
    let alone = engine.publishing();
    let draft = find(engine, workflow)?.ok_or_else(|| Error::NoDraft(workflow.to_string()))?;
    let Publish { note, by, expect, answer } = publish;
    let note = if note.is_empty() { draft.since.note.as_str() } else { note };
    let way = Way::Draft(workflow.clone());
    let publication = Publication { note, expect, answer, ..Publication::new(&draft.source, by, way) };
    workflows::publish_alone(engine, &publication, &alone)
}

/// What a text comes to: the revision that it would be, or all that is wrong with it.
fn look(engine: &Engine, source: &str) -> Result<Result<Digest, Vec<Failed>>, Error> {
    let tried = workflows::check(engine, source).and_then(|definition: Arc<Definition>| {
        suite::check(engine, &definition, source, &[])?;
        Ok(definition.revision)
    });
    match tried {
        Ok(revision) => Ok(Ok(revision)),
        Err(Error::Invalid(problems)) => Ok(Err(vec![Failed { file: None, problems }])),
        Err(Error::Tests(failed)) => Ok(Err(failed)),
        Err(error) => Err(error),
    }
}
