//! Publishing: the one function behind every door by which workflows and plugins become active.
//!
//! An invalid document never replaces the active one. What was published is an entry of the tenant's own stream.

pub mod bases;
pub mod bundle;
pub mod canary;
pub mod cases;
pub mod diagnostics;
pub mod doors;
pub mod draft;
pub mod gc;
pub mod grants;
pub mod hold;
pub mod interface;
pub mod live;
pub mod migrate;
mod past;
pub mod plugins;
pub mod schema;
pub mod signers;
pub mod staging;
pub mod stock;
pub mod suite;
pub mod watch;
pub mod way;
pub mod workflows;

use redress_domain::codec;
use redress_domain::ids::Digest;
use redress_domain::workflow::diagnostic::Diagnostic;
use redress_sandbox::Refusal;
use redress_sandbox::conformance::Mistake;
use redress_store::objects::ObjectError;
use redress_store::scan::{Direction, Scan};
use redress_store::snapshot::Snapshot;
use serde::de::DeserializeOwned;

use crate::engine::{self, Engine};

/// Why something was not published. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The document has problems.
    #[error("workflow is not valid, problems found: {}", .0.len())]
    Invalid(Vec<Diagnostic>),
    /// Files that were to be published together cannot be: each with what is wrong with it.
    #[error("files are not published together, files with problems: {}", .0.len())]
    Bundle(Vec<(suite::TestFile, Self)>),
    /// A file cannot be part of what is published together.
    #[error("{0}")]
    NoPart(String),
    /// Tests did not pass.
    #[error("tests of the workflow did not pass, problems found: {}", .0.iter().map(|failed| failed.problems.len()).sum::<usize>())]
    Tests(Vec<suite::Failed>),
    /// The plugin is none, or not one that this host runs.
    #[error("plugin was refused")]
    Refused(#[source] Refusal),
    /// The name of a plugin, or its version.
    #[error("plugin name or version {0:?} is not as it must be")]
    Name(String),
    /// The object folder failed.
    #[error("plugin could not be stored")]
    Object(#[source] ObjectError),
    /// A workflow that calls the plugin would not pass with it.
    #[error("workflow {workflow} does not pass with this plugin")]
    Breaks {
        /// The workflow.
        workflow: String,
        /// What would be wrong with it.
        problems: Vec<Diagnostic>,
    },
    /// Another revision is active than the one that was seen.
    #[error("active revision is {}, the command was meant for {expected}", written(*active))]
    Moved {
        /// The revision that was seen.
        expected: Digest,
        /// The one that is active.
        active: Option<Digest>,
    },
    /// A file was refused, something else became active under its name, and now the file would pass.
    #[error(
        "file differs from active, which came in another way after the file was refused; save it again, with a change, to publish it"
    )]
    Overtaken,
    /// A file that lies in a watched folder for the first time says what was active before.
    #[error(
        "file is older than what is active: it says what was active before, and was never seen in this folder; save it with a change to publish it, or roll back"
    )]
    OlderFile,
    /// No workflow was published under this name.
    #[error("workflow {0:?} does not exist")]
    NoWorkflow(String),
    /// The workflow never had this revision.
    #[error("workflow {workflow:?} was never active as revision {revision}")]
    NoRevision {
        /// The workflow.
        workflow: String,
        /// The revision.
        revision: Digest,
    },
    /// The workflow has no revision of this name, or several.
    #[error("workflow {workflow:?} has no one revision {named:?}")]
    NoSuchRevision {
        /// The workflow.
        workflow: String,
        /// A number, or the beginning of a hash.
        named: String,
    },
    /// The workflow has no canary.
    #[error("workflow {0:?} has no canary")]
    NoCanary(String),
    /// The workflow has no draft.
    #[error("workflow {0:?} has no draft")]
    NoDraft(String),
    /// The text cannot be the draft of the workflow.
    #[error("workflow {workflow:?} cannot have this draft: {why}")]
    DraftUnfit {
        /// The workflow.
        workflow: String,
        /// Why.
        why: String,
    },
    /// No more drafts are kept.
    #[error("at most {0} drafts are kept: publish or discard one")]
    DraftsFull(usize),
    /// The revision is not on hold.
    #[error("revision {number} of workflow {workflow:?} is not on hold")]
    NoHold {
        /// The workflow.
        workflow: String,
        /// The number of the revision.
        number: u64,
    },
    /// The revision is on hold: no new case may take it.
    #[error("revision {number} of workflow {workflow:?} is on hold; resume it first")]
    OnHold {
        /// The workflow.
        workflow: String,
        /// The number of the revision.
        number: u64,
    },
    /// The canary cannot be compared with the active revision.
    #[error("workflow {workflow:?} cannot have this canary: {why}")]
    CanaryUnfit {
        /// The workflow.
        workflow: String,
        /// Why.
        why: String,
    },
    /// A migration does not fit the revisions that it is between.
    #[error("workflow {workflow:?} cannot migrate so: {}", faults.join("; "))]
    MigrationUnfit {
        /// The workflow.
        workflow: String,
        /// Everything that does not fit.
        faults: Vec<String>,
    },
    /// There is nothing to go back to.
    #[error("workflow {0:?} has no earlier revision")]
    NothingBefore(String),
    /// The component was never active under this name.
    #[error("plugin {plugin:?} was never active as {digest}")]
    NeverPushed {
        /// The plugin.
        plugin: String,
        /// The component.
        digest: Digest,
    },
    /// No component is active under the name, so that nothing can be beside it.
    #[error("plugin {0:?} does not exist: push it first, what is staged stands beside an active component")]
    NoPlugin(String),
    /// Nothing is staged under the name.
    #[error("plugin {0:?} has no staged component")]
    NotStaged(String),
    /// The component cannot be staged so.
    #[error("plugin {plugin:?} cannot be staged so: {why}")]
    StageUnfit {
        /// The plugin.
        plugin: String,
        /// Why.
        why: String,
    },
    /// Workflows call the plugin.
    #[error("plugin {plugin:?} is called by {}", by.join(", "))]
    InUse {
        /// The plugin.
        plugin: String,
        /// The workflows, each with what it is: `active`, `canary`.
        by: Vec<String>,
    },
    /// A plugin asks for facts that there are none of.
    #[error("plugin asks for facts that no plugin is told: {}; there are {}", .0.join(", "), grants::known())]
    UnknownFacts(Vec<String>),
    /// A plugin asks for facts that it is not granted.
    #[error("plugin {plugin:?} asks for facts that it is not granted: {}", facts.join(", "))]
    NotGranted {
        /// Its name, without a version.
        plugin: String,
        /// What is missing.
        facts: Vec<String>,
    },
    /// A case of the merchant's own is none.
    #[error("case {case:?} is not one: {}", mistakes.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    CaseInvalid {
        /// The case.
        case: String,
        /// What is wrong with it.
        mistakes: Vec<Mistake>,
    },
    /// The plugin has no case of this name.
    #[error("plugin {plugin:?} has no case {case:?}")]
    NoCase {
        /// The plugin.
        plugin: String,
        /// The case.
        case: String,
    },
    /// No more cases are kept.
    #[error("no more cases are kept: {0}")]
    CasesFull(String),
    /// A component answers cases of the merchant's own otherwise than they say.
    #[error("plugin {plugin:?} does not answer {count} of your own cases as they say; {}", cases::first(differing))]
    CasesDiffer {
        /// The plugin.
        plugin: String,
        /// How many.
        count: usize,
        /// The first of them.
        differing: Vec<cases::Differing>,
    },
    /// A component was not asked all cases of the merchant's own.
    #[error(
        "plugin {plugin:?} was not asked {left} of your {of} own cases: the time of the trial was over, or the host had no room"
    )]
    CasesUnasked {
        /// The plugin.
        plugin: String,
        /// How many are left.
        left: usize,
        /// Of how many.
        of: usize,
    },
    /// The signers cannot be these.
    #[error("signers cannot be these: {0}")]
    SignerUnfit(String),
    /// A component comes without a signature, and the merchant wants one.
    #[error("plugin is not signed, and only signed ones are taken here")]
    SignatureMissing,
    /// A signature that does not count.
    #[error("signature of the plugin does not count: {0}")]
    SignatureInvalid(String),
    /// The engine or its store.
    #[error(transparent)]
    Engine(#[from] engine::Error),
}

impl Error {
    /// Whether the host could not look at what was handed in, so that it says nothing about that, and a retry may succeed.
    pub fn is_infrastructure(&self) -> bool {
        match self {
            Self::Refused(refusal) => refusal.is_infrastructure(),
            Self::CasesUnasked { .. } => true,
            _ => false,
        }
    }

    /// Whether the same file of a plugin would be refused again while the merchant has what it has now.
    pub(crate) fn is_about_the_file(&self) -> bool {
        use Error as E;
        matches!(self, E::Refused(_) | E::Name(_) | E::Breaks { .. } | E::CasesDiffer { .. } | E::Overtaken)
    }

    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "workflow_invalid",
            // What is wrong with the text counts more than what its tests say.
            Self::Bundle(files) => {
                let codes = || files.iter().map(|(_, error)| error.code());
                codes().find(|code| *code != "tests_failed").or_else(|| codes().next()).unwrap_or("workflow_invalid")
            }
            Self::NoPart(_) => "bundle_unfit",
            Self::Tests(_) => "tests_failed",
            Self::Refused(refusal) => refusal.code(),
            Self::Name(_) => "plugin_name_invalid",
            Self::Object(_) => "store_failed",
            Self::Breaks { .. } => "plugin_breaks_workflow",
            Self::Moved { .. } => "stale",
            Self::Overtaken | Self::OlderFile => "file_differs",
            Self::NoWorkflow(_) => "workflow_not_found",
            Self::NoRevision { .. } | Self::NoSuchRevision { .. } => "revision_not_found",
            Self::NoCanary(_) => "canary_not_found",
            Self::NoDraft(_) => "draft_not_found",
            Self::DraftUnfit { .. } => "draft_unfit",
            Self::DraftsFull(_) => "drafts_full",
            Self::NoHold { .. } => "hold_not_found",
            Self::OnHold { .. } => "revision_on_hold",
            Self::CanaryUnfit { .. } => "canary_unfit",
            Self::MigrationUnfit { .. } => "migration_unfit",
            Self::NothingBefore(_) => "rollback_impossible",
            Self::NeverPushed { .. } | Self::NoPlugin(_) => "plugin_not_found",
            Self::NotStaged(_) => "stage_not_found",
            Self::StageUnfit { .. } => "stage_unfit",
            Self::InUse { .. } => "plugin_in_use",
            Self::CaseInvalid { .. } => "plugin_case_invalid",
            Self::NoCase { .. } => "plugin_case_not_found",
            Self::CasesFull(_) => "plugin_cases_full",
            Self::CasesDiffer { .. } => "plugin_case_differs",
            Self::CasesUnasked { .. } => "plugin_cases_not_asked",
            Self::SignerUnfit(_) => "signer_unfit",
            Self::SignatureMissing => "signature_missing",
            Self::SignatureInvalid(_) => "signature_invalid",
            Self::UnknownFacts(_) => "fact_unknown",
            Self::NotGranted { .. } => "plugin_not_granted",
            Self::Engine(error) => error.code(),
        }
    }
}

fn written(revision: Option<Digest>) -> String {
    revision.map_or_else(|| "none".to_owned(), |revision| revision.to_string())
}

/// An error with its causes, for the log and for whoever wrote what was refused.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |told, cause| format!("{told}: {cause}"))
}

/// Every row of a listing, to its end.
fn rows<T: DeserializeOwned>(engine: &Engine, scan: &Scan, what: &'static str) -> Result<Vec<T>, engine::Error> {
    rows_of(&engine.store().read()?, scan, what)
}

/// Every row of a listing, to its end, as of one moment.
fn rows_of<T: DeserializeOwned>(snapshot: &Snapshot, scan: &Scan, what: &'static str) -> Result<Vec<T>, engine::Error> {
    const PAGE: usize = 1_000;
    let (mut cursor, mut all) = (None, Vec::new());
    loop {
        let page = snapshot.scan(scan, Direction::Forward, cursor.as_ref(), PAGE)?;
        for row in page.rows {
            all.push(codec::decode(&row.value).map_err(engine::Error::damaged(what))?);
        }
        match page.next {
            Some(next) => cursor = Some(next),
            None => return Ok(all),
        }
    }
}
