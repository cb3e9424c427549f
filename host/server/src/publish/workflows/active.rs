//! Which revision of a workflow new cases take, since when and by whom: one row each.

use redress_domain::codec;
use redress_domain::ids::{Digest, Slug};
use redress_store::row::{Row, RowKey};
use redress_store::scan::{Direction, Scan};
use serde::{Deserialize, Serialize};

use crate::engine::log::Since;
use crate::engine::{Engine, Error};

/// Names of active workflows in the store's pointers begin with this.
const POINTER: &str = "workflow/";
/// Rows of one page.
const PAGE: usize = 1_000;

/// The revision that new cases of a workflow take.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Active {
    /// The workflow.
    pub workflow: Slug,
    /// The revision.
    pub revision: Digest,
    /// How it became so; unknown for what is older than the question, which the history tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Since>,
}

impl Active {
    /// The row that makes it so.
    pub(in crate::publish) fn row(&self) -> Row {
        Row::Put(RowKey::pointer(&name(&self.workflow)), codec::encode(self))
    }

    /// Rows of before hold the two names alone.
    fn read(bytes: &[u8]) -> Result<Self, Error> {
        let old = |_| codec::decode(bytes).map(|(workflow, revision)| Self { workflow, revision, since: None });
        codec::decode(bytes).or_else(old).map_err(Error::damaged("active revision"))
    }
}

/// The active revision of a workflow.
///
/// # Errors
/// The store cannot be read.
pub fn of(engine: &Engine, workflow: &Slug) -> Result<Option<Active>, Error> {
    let bytes = engine.store().read()?.pointer(&name(workflow))?;
    bytes.map(|bytes| Active::read(&bytes)).transpose()
}

/// The active revision of each workflow, by name.
///
/// # Errors
/// The store cannot be read.
pub fn all(engine: &Engine) -> Result<Vec<Active>, Error> {
    let snapshot = engine.store().read()?;
    let (scan, mut cursor, mut all) = (Scan::Pointers(POINTER.to_owned()), None, Vec::new());
    loop {
        let page = snapshot.scan(&scan, Direction::Forward, cursor.as_ref(), PAGE)?;
        for row in page.rows {
            all.push(Active::read(&row.value)?);
        }
        match page.next {
            Some(next) => cursor = Some(next),
            None => return Ok(all),
        }
    }
}

fn name(workflow: &Slug) -> String {
    format!("{POINTER}{workflow}")
}

#[cfg(test)]
mod tests {
    use redress_domain::case::command::Actor;
    use redress_domain::clock::Instant;

    use super::*;
    use crate::engine::log::Origin;

    #[test]
    fn a_row_of_before_tells_what_is_active_and_not_since_when() {
        let (workflow, revision) = (Slug::new("returns").unwrap(), Digest::of(b"one"));
        let old = codec::encode(&(workflow.clone(), revision));
        assert_eq!(Active::read(&old).unwrap(), Active { workflow: workflow.clone(), revision, since: None });
        let since = Since { at: Instant::from_unix_ms(1), by: Actor::host(), note: "n".into(), from: Origin::Cli };
        let new = Active { workflow, revision, since: Some(since) };
        assert_eq!(Active::read(&codec::encode(&new)).unwrap(), new);
        assert!(Active::read(&codec::encode(&7)).is_err());
    }
}
