//! What a stored revision was checked with besides its plugins: it means the same for ever.

use std::collections::BTreeMap;
use std::sync::Arc;

use redress_domain::ids::Slug;
use redress_domain::workflow::calendar::holidays::Holidays;

use super::Revision;
use crate::engine;
use crate::publish::bases::Base;

/// What a stored revision was checked with besides its plugins; a new one takes what there is now.
#[derive(Default)]
pub(in crate::publish) struct Kept {
    pub(in crate::publish) base: Option<Base>,
    pub(in crate::publish) holidays: Option<Arc<Holidays>>,
    /// Texts that are published together with it, by workflow.
    pub(in crate::publish) together: BTreeMap<Slug, String>,
    /// Whether it is a stored revision: what other workflows and systems look like by now does not matter to it.
    pub(in crate::publish) is_stored: bool,
}

impl Kept {
    pub(in crate::publish) fn with(revision: &Revision) -> Result<Self, engine::Error> {
        let together = BTreeMap::new();
        Ok(Self { base: revision.base.clone(), holidays: holidays(revision)?, together, is_stored: true })
    }
}

/// The table of holidays that a stored revision was checked with.
fn holidays(revision: &Revision) -> Result<Option<Arc<Holidays>>, engine::Error> {
    if revision.holidays.is_empty() {
        return Ok(None);
    }
    let damaged = |_| engine::Error::Damaged { what: "revision", detail: "its holidays cannot be read".to_owned() };
    let table = Holidays::read(revision.holidays.iter().map(String::as_str)).map_err(damaged)?;
    Ok(Some(Arc::new(table)))
}
