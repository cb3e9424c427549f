//! The tenant's own stream: what was published, pushed and imported, by whom and when.

use std::collections::BTreeMap;

use redress_domain::case::command::Actor;
use redress_domain::clock::Instant;
use redress_domain::codec;
use redress_domain::ids::{Digest, Slug};
use redress_domain::workflow::canary::{Bounds, Percent, Sums, Worse};
use redress_store::batch::{AppendError, Batch, Idem, Stream, Version};
use redress_store::row::Row;
use redress_store::snapshot::Snapshot;
use redress_store::work::WorkChanges;
use serde::{Deserialize, Serialize};

use super::report::Report;
use super::staged::{Compared, Stage};
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
    /// A text was kept as a draft.
    #[serde(rename = "draft.saved.1")]
    DraftSaved {
        /// The workflow.
        workflow: Slug,
        /// The revision that it would be, where it passed its checks and tests.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        passed: Option<Digest>,
        /// Why, in a few words.
        note: String,
        /// Where the text came from.
        from: Origin,
    },
    /// A draft was thrown away.
    #[serde(rename = "draft.discarded.1")]
    DraftDiscarded {
        /// The workflow.
        workflow: Slug,
        /// Where the command came from.
        from: Origin,
    },
    /// Revisions that nobody needed were deleted.
    #[serde(rename = "revisions.deleted.1")]
    RevisionsDeleted {
        /// The workflow, the revision and the number of each.
        revisions: Vec<(Slug, Digest, u64)>,
        /// Why, in a few words.
        note: String,
        /// Where the command came from.
        from: Origin,
    },
    /// The cases of a revision were paused.
    #[serde(rename = "revision.held.1")]
    RevisionHeld {
        /// The workflow.
        workflow: Slug,
        /// The revision.
        revision: Digest,
        /// Its number.
        number: u64,
        /// Why, in a few words.
        note: String,
        /// Where the command came from.
        from: Origin,
    },
    /// The cases of a revision go on.
    #[serde(rename = "revision.resumed.1")]
    RevisionResumed {
        /// The workflow.
        workflow: Slug,
        /// The revision.
        revision: Digest,
        /// Its number.
        number: u64,
        /// Why, in a few words.
        note: String,
        /// Where the command came from.
        from: Origin,
    },
    /// Cases of one revision went on with another, some at each call.
    #[serde(rename = "cases.migrated.1")]
    CasesMigrated {
        /// The workflow.
        workflow: Slug,
        /// The revision that they left.
        left: Digest,
        /// The revision that they went to.
        revision: Digest,
        /// Its number.
        number: u64,
        /// How many were looked at.
        examined: u64,
        /// How many went on.
        moved: u64,
        /// How many stay.
        refused: u64,
        /// Why, in a few words.
        note: String,
        /// Where the command came from.
        from: Origin,
    },
    /// A text was published: its revision became active.
    #[serde(rename = "workflow.published.1")]
    WorkflowPublished {
        /// The workflow.
        workflow: Slug,
        /// The revision.
        revision: Digest,
        /// Its number, from 1; of a revision that was published before, the one it has.
        number: u64,
        /// Why, in a few words.
        note: String,
        /// Where the text came from.
        #[serde(default)]
        from: Origin,
    },
    /// Somebody went back to a revision that was active before.
    #[serde(rename = "workflow.activated.1")]
    WorkflowActivated {
        /// The workflow.
        workflow: Slug,
        /// The revision.
        revision: Digest,
        /// Its number.
        number: u64,
        /// Why, in a few words.
        note: String,
        /// Where the command came from.
        from: Origin,
    },
    /// A share of the new cases takes a revision beside the active one.
    #[serde(rename = "canary.started.1")]
    CanaryStarted {
        /// The workflow.
        workflow: Slug,
        /// The revision.
        revision: Digest,
        /// Its number.
        number: u64,
        /// The share.
        percent: Percent,
        /// How much worse it may do.
        bounds: Bounds,
        /// Why, in a few words.
        note: String,
        /// Where the command came from.
        from: Origin,
    },
    /// No further case takes a canary.
    #[serde(rename = "canary.ended.1")]
    CanaryEnded {
        /// The workflow.
        workflow: Slug,
        /// The revision.
        revision: Digest,
        /// Its number.
        number: u64,
        /// By what.
        how: Ended,
        /// What came of the cases that took it.
        canary: Sums,
        /// What came of the others.
        control: Sums,
        /// Why, in a few words.
        note: String,
        /// Where it came from.
        from: Origin,
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
        /// Whose signature it came with, by the name of the key.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        signed_by: Option<String>,
        /// Where it came from.
        #[serde(default)]
        from: Origin,
    },
    /// A component was put beside the active one of its name, as a shadow or a canary.
    #[serde(rename = "plugin.staged.1")]
    PluginStaged {
        /// Name and major version.
        plugin: String,
        /// Its version.
        version: String,
        /// The component.
        digest: Digest,
        /// How far it is.
        stage: Stage,
        /// Whose signature it came with, by the name of the key.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        signed_by: Option<String>,
        /// Why, in a few words.
        note: String,
        /// Where the command came from.
        from: Origin,
    },
    /// A component is not beside the active one any more.
    #[serde(rename = "plugin.unstaged.1")]
    PluginUnstaged {
        /// Name and major version.
        plugin: String,
        /// The component.
        digest: Digest,
        /// By what.
        how: Ended,
        /// What its answers as a shadow came to.
        compared: Compared,
        /// Why, in a few words.
        note: String,
        /// Where the command came from.
        from: Origin,
    },
    /// These signatures of plugins count, and no others.
    #[serde(rename = "signers.set.1")]
    SignersSet {
        /// Public keys by their names.
        keys: BTreeMap<String, String>,
        /// Whether a component without a signature is refused.
        required: bool,
        /// Why, in a few words.
        note: String,
        /// Where the command came from.
        from: Origin,
    },
    /// A plugin may be told these facts, and no others.
    #[serde(rename = "plugin.granted.1")]
    PluginGranted {
        /// Its name, without a version.
        plugin: String,
        /// The facts; none takes them all back.
        facts: Vec<String>,
        /// Why, in a few words.
        note: String,
        /// Where the command came from.
        from: Origin,
    },
    /// A case is kept under a plugin's name: what is handed in under it is asked it.
    #[serde(rename = "plugin.case_kept.1")]
    PluginCaseKept {
        /// The plugin, without a version.
        plugin: String,
        /// The case.
        case: Slug,
        /// The digest of its file.
        content: Digest,
        /// Why, in a few words.
        note: String,
        /// Where it came from.
        from: Origin,
    },
    /// A case is not kept any more.
    #[serde(rename = "plugin.case_removed.1")]
    PluginCaseRemoved {
        /// The plugin, without a version.
        plugin: String,
        /// The case.
        case: Slug,
        /// Where the command came from.
        from: Origin,
    },
    /// A plugin was removed: no workflow can call it.
    #[serde(rename = "plugin.removed.1")]
    PluginRemoved {
        /// Name and major version.
        plugin: String,
        /// The component that was active.
        digest: Digest,
        /// Why, in a few words.
        note: String,
        /// Where the command came from.
        from: Origin,
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
    /// A key of the tenant was made.
    #[serde(rename = "key.created.1")]
    KeyCreated {
        /// Its id.
        key: String,
        /// What it may do.
        role: String,
        /// Whether it may say when something happened.
        backdate: bool,
    },
    /// A key of the tenant was taken back.
    #[serde(rename = "key.revoked.1")]
    KeyRevoked {
        /// Its id.
        key: String,
    },
    /// An import came to its end.
    #[serde(rename = "import.finished.1")]
    ImportFinished {
        /// What it did.
        report: Box<Report>,
    },
}

/// By what a canary ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// It became active.
    Promoted,
    /// Somebody stopped it.
    Stopped,
    /// Another revision became active, or another canary was let out: what it was compared with is gone.
    Replaced,
    /// It did worse than it may.
    Worse(Worse),
}

impl Ended {
    /// The word in records.
    pub fn word(self) -> &'static str {
        match self {
            Self::Promoted => "promoted",
            Self::Stopped => "stopped",
            Self::Replaced => "replaced",
            Self::Worse(worse) => worse.word(),
        }
    }
}

/// How something became what it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Since {
    /// When.
    pub at: Instant,
    /// By whom.
    pub by: Actor,
    /// Why, in a few words.
    pub note: String,
    /// Where it came from.
    pub from: Origin,
}

/// Where something came in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// Its record is older than the question.
    #[default]
    Unknown,
    /// The API.
    Api,
    /// The command line, on the data folder itself.
    Cli,
    /// A file of a watched folder: the tenant's folder and the path in it.
    File(String),
    /// The host itself.
    Host,
    /// A draft that was kept before.
    Draft,
}

/// What the tenant's stream comes to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Head {
    /// How many revisions were published.
    revisions: u64,
}

/// How often a fact is written again when another one came first.
const ATTEMPTS: u32 = 16;

/// What is recorded together.
#[derive(Debug, Default)]
pub(crate) struct Record {
    /// The facts; without one the tenant's stream does not move.
    pub(crate) facts: Vec<What>,
    /// The rows that they are about.
    pub(crate) rows: Vec<Row>,
    /// The work that they change.
    pub(crate) work: WorkChanges,
    /// The request that this answers, where it may come again.
    pub(crate) idem: Option<Idem>,
}

/// What a record is made with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Next {
    /// The instant of its facts.
    pub(crate) at: Instant,
    /// The number of the next new revision.
    pub(crate) number: u64,
}

/// Record facts, together with the rows that they are about.
pub(crate) fn record(engine: &Engine, by: &Actor, what: impl Fn(Next) -> Record) -> Result<(), Error> {
    record_beside(engine, by, |_, next| Ok(what(next)))
}

/// Record what is computed from the tenant as it stands; computed again where another fact came first.
pub(crate) fn record_beside(
    engine: &Engine,
    by: &Actor,
    what: impl Fn(&Snapshot, Next) -> Result<Record, Error>,
) -> Result<(), Error> {
    let _alone = engine.recording();
    let mut tries = 0;
    loop {
        let snapshot = engine.store().read()?;
        let (version, mut head) = head(&snapshot)?;
        let at = engine.clock().now();
        let Record { facts, rows, work, idem } = what(&snapshot, Next { at, number: head.revisions + 1 })?;
        drop(snapshot);
        let mut batch = Batch { rows, work, idem, ..Batch::default() };
        if !facts.is_empty() {
            head.revisions = facts.iter().filter_map(numbered).fold(head.revisions, u64::max);
            let logged: Vec<Logged> = facts.into_iter().map(|what| Logged { at, by: by.clone(), what }).collect();
            batch.turn(Stream::Tenant, version, codec::encode(&logged), codec::encode(&head));
        }
        tries += 1;
        match engine.store().append(batch) {
            Ok(appended) => {
                engine.changed(appended.audit);
                return Ok(());
            }
            Err(AppendError::Conflict { .. }) if tries < ATTEMPTS => {}
            Err(AppendError::Conflict { .. }) => return Err(Error::Conflict(tries)),
            Err(error) => return Err(error.into()),
        }
    }
}

/// The number of the revision that a fact published; one that was published before has a number already.
fn numbered(what: &What) -> Option<u64> {
    match what {
        What::WorkflowPublished { number, .. } | What::CanaryStarted { number, .. } => Some(*number),
        _ => None,
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
    Ok(turns(engine)?.into_iter().flatten().collect())
}

/// Every fact of the tenant's stream, oldest first; those that were recorded together are together.
pub fn turns(engine: &Engine) -> Result<Vec<Vec<Logged>>, Error> {
    const PAGE: usize = 1_000;
    let snapshot = engine.store().read()?;
    let (mut from, mut all) = (Version(1), Vec::new());
    loop {
        let rows = snapshot.tenant_journal(from, PAGE)?;
        for row in &rows {
            let logged: Vec<Logged> = codec::decode(&row.record).map_err(Error::damaged("tenant entry"))?;
            all.push(logged);
            from = row.turn.next();
        }
        if rows.len() < PAGE {
            return Ok(all);
        }
    }
}
