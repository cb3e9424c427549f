//! What people call revisions: numbers, and the beginnings of hashes.

use redress_domain::ids::{Digest, Slug};

use super::{Revision, find, list};
use crate::engine::{self, Engine};
use crate::publish::Error;

/// The beginning of a hash has so many letters at least; what is shorter is a number.
const HASH_LETTERS_MIN: usize = 8;

/// A revision of a workflow by its number, its hash, or the beginning of that.
///
/// # Errors
/// There is none, or several begin so.
pub fn named(engine: &Engine, workflow: &Slug, name: &str) -> Result<Revision, Error> {
    let is_meant = |one: &Revision| match name.parse::<u64>() {
        Ok(number) if name.len() < HASH_LETTERS_MIN => one.number == number,
        _ => name.len() >= HASH_LETTERS_MIN && one.revision.to_string().starts_with(&name.to_ascii_lowercase()),
    };
    let own = list(engine)?.into_iter().filter(|one| one.workflow == *workflow);
    let mut found: Vec<Revision> = own.filter(is_meant).collect();
    match (found.pop(), found.is_empty()) {
        (Some(revision), true) => Ok(revision),
        _ => Err(Error::NoSuchRevision { workflow: workflow.to_string(), named: name.to_owned() }),
    }
}

/// The number of a revision.
///
/// # Errors
/// The store cannot be read, or has no such revision.
pub fn number(engine: &Engine, revision: Digest) -> Result<u64, engine::Error> {
    if let Some(number) = engine.registry().number(revision) {
        return Ok(number);
    }
    let gone = || engine::Error::Revision { revision, detail: "it is not stored".to_owned() };
    let number = find(engine, revision)?.ok_or_else(gone)?.number;
    engine.registry().number_is(revision, number);
    Ok(number)
}
