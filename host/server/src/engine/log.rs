//! The tenant's own stream: what was published, pushed and imported, by whom and when.

use redress_domain::case::command::Actor;
use redress_domain::clock::Instant;
use redress_domain::codec;
use redress_domain::ids::{Digest, Slug};
use redress_store::batch::{AppendError, Batch, Stream, Version};
use redress_store::row::Row;
use redress_store::snapshot::Snapshot;
use redress_store::work::WorkChanges;
use serde::{Deserialize, Serialize};

use super::report::Report;
use super::{Engine, Error};

/// One fact of the tenant's stream.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Logged {
    /// When.
    pub at: Instant,
    /// Who.
    pub by: Actor,
    /// What.
    pub what: What,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum What {
    /// A revision of a workflow became active.
    #[serde(rename = "workflow.published.1")]
    WorkflowPublished {
        /// The workflow.
        workflow: Slug,
        /// The revision.
        revision: Digest,
        /// Its number, from 1.
        number: u64,
        /// Why, in a few words.
        note: String,
    },
    /// A plugin became active.
    #[serde(rename = "plugin.activated.1")]
    PluginActivated {
        /// Name and major version.
        plugin: String,
        /// Its version.
        version: String,
        /// The component.
        digest: Digest,
    },
    /// A connector was set; its secrets are no part of the record.
    #[serde(rename = "connector.set.1")]
    ConnectorSet {
        /// What it carries: `payment`, `stock`, `notification`, `mail`.
        kind: String,
        /// How: `webhook`, `smtp`, `folder`, `simulated`.
        how: String,
        /// The host that it goes to.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        to: Option<String>,
    },
    /// A connector was removed.
    #[serde(rename = "connector.removed.1")]
    ConnectorRemoved {
        /// What it carried.
        kind: String,
    },
    /// An import came to its end.
    #[serde(rename = "import.finished.1")]
    ImportFinished {
        /// What it did.
        report: Box<Report>,
    },
}

/// What the tenant's stream comes to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Head {
    /// How many revisions were published.
    revisions: u64,
}

/// How often a fact is written again when another one came first.
const ATTEMPTS: u32 = 16;

/// Facts, with what is stored together with them.
#[derive(Debug, Default)]
pub(crate) struct Recorded {
    /// What happened.
    pub(crate) facts: Vec<What>,
    /// The rows that it is about.
    pub(crate) rows: Vec<Row>,
    /// The work that it changes.
    pub(crate) work: WorkChanges,
}

/// Record a fact, together with the rows that it is about. `rows` gets the number that a new revision has.
pub(crate) fn record(engine: &Engine, by: &Actor, what: impl Fn(u64) -> (Vec<What>, Vec<Row>)) -> Result<(), Error> {
    append(engine, by, |_, revision| {
        let (facts, rows) = what(revision);
        Ok(Recorded { facts, rows, work: WorkChanges::default() })
    })
}

/// Record what is computed from the tenant as it stands; computed again where another fact came first.
pub(crate) fn record_beside(
    engine: &Engine,
    by: &Actor,
    what: impl Fn(&Snapshot) -> Result<Recorded, Error>,
) -> Result<(), Error> {
    append(engine, by, |snapshot, _| what(snapshot))
}

fn append(engine: &Engine, by: &Actor, what: impl Fn(&Snapshot, u64) -> Result<Recorded, Error>) -> Result<(), Error> {
    let mut tries = 0;
    loop {
        let snapshot = engine.store().read()?;
        let (version, mut head) = head(&snapshot)?;
        let Recorded { facts, rows, work } = what(&snapshot, head.revisions + 1)?;
        drop(snapshot);
        head.revisions += facts.iter().filter(|what| matches!(what, What::WorkflowPublished { .. })).count() as u64;
        let at = engine.clock().now();
        let logged: Vec<Logged> = facts.into_iter().map(|what| Logged { at, by: by.clone(), what }).collect();
        let mut batch = Batch { rows, work, ..Batch::default() };
        batch.turn(Stream::Tenant, version, codec::encode(&logged), codec::encode(&head));
        tries += 1;
        match engine.store().append(batch) {
            Ok(appended) => {
                engine.changed(appended.audit);
                return Ok(());
            }
            Err(AppendError::Conflict { .. }) if tries < ATTEMPTS => {}
            Err(error) => return Err(error.into()),
        }
    }
}

fn head(snapshot: &Snapshot) -> Result<(Version, Head), Error> {
    match snapshot.load_tenant()? {
        Some(head) => Ok((head.version, codec::decode(&head.bytes).map_err(Error::damaged("tenant"))?)),
        None => Ok((Version::NONE, Head::default())),
    }
}

/// Every fact of the tenant's stream, oldest first.
pub fn read(engine: &Engine) -> Result<Vec<Logged>, Error> {
    const PAGE: usize = 1_000;
    let snapshot = engine.store().read()?;
    let (mut from, mut all) = (Version(1), Vec::new());
    loop {
        let rows = snapshot.tenant_journal(from, PAGE)?;
        for row in &rows {
            let logged: Vec<Logged> = codec::decode(&row.record).map_err(Error::damaged("tenant entry"))?;
            all.extend(logged);
            from = row.turn.next();
        }
        if rows.len() < PAGE {
            return Ok(all);
        }
    }
}
