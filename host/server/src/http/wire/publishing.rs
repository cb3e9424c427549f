//! Workflows, revisions, plugins and watched files on the wire.

use std::collections::BTreeMap;

use redress_domain::ids::Digest;
use redress_domain::workflow::definition::Hook;
use serde::Serialize;
use utoipa::ToSchema;

use super::actor::ActorView;
use super::canary::CanaryView;
use super::staged::StagedView;
use super::start::TriggerView;
use crate::engine::log::{Origin, Since};
use crate::http::problem::{FieldProblem, Position, TextRange};
use crate::publish::bases;
use crate::publish::diagnostics::{Located, Place};
use crate::publish::doors::{DoorState, DoorStatus};
use crate::publish::live::InUse;
use crate::publish::plugins;
use crate::publish::workflows::Revision;
use crate::publish::workflows::history::{Became, How};

/// Where something came in.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Origin)]
pub struct OriginView {
    /// `api`, `cli`, `file`, `draft` for a draft that was kept before, `host` for the host itself, or `unknown` for what is older than the question.
    pub kind: &'static str,
    /// Of a file of a watched folder, its path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
}

impl From<&Origin> for OriginView {
    fn from(origin: &Origin) -> Self {
        let (kind, path) = match origin {
            Origin::Unknown => ("unknown", None),
            Origin::Api => ("api", None),
            Origin::Cli => ("cli", None),
            Origin::File(path) => ("file", Some(path.clone())),
            Origin::Host => ("host", None),
            Origin::Draft => ("draft", None),
        };
        Self { kind, path }
    }
}

/// A revision of a workflow: its text, and the plugins that it is pinned to.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Revision)]
pub struct RevisionView {
    /// The workflow.
    pub workflow: String,
    /// The content hash.
    pub revision: String,
    /// The place among all revisions of the merchant, from 1.
    pub number: u64,
    /// Where its text came from first.
    pub from: OriginView,
    /// When it was published first.
    pub published_at: String,
    /// By whom.
    pub by: ActorView,
    /// Why, in a few words.
    pub note: String,
    /// The component of each plugin that it calls, by name and major version.
    pub plugins: BTreeMap<String, String>,
    /// The base that it extends, where it is an overlay.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extends: Option<String>,
    /// The text as it was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Of an overlay the whole document that it is with its base.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resolved: Option<String>,
}

impl From<&Revision> for RevisionView {
    fn from(one: &Revision) -> Self {
        Self {
            workflow: one.workflow.to_string(),
            revision: one.revision.to_string(),
            number: one.number,
            from: (&one.from).into(),
            published_at: one.published_at.to_string(),
            by: (&one.by).into(),
            note: one.note.clone(),
            plugins: one.plugins.iter().map(|(name, digest)| (name.clone(), digest.to_string())).collect(),
            extends: one.base.as_ref().map(|base| base.name.clone()),
            source: None,
            resolved: None,
        }
    }
}

impl RevisionView {
    /// With its text.
    pub fn with_source(one: &Revision) -> Self {
        let resolved = one.base.as_ref().and_then(|_| Some(bases::whole(one).ok()?.write()));
        Self { source: Some(one.source.clone()), resolved, ..Self::from(one) }
    }
}

/// A workflow, and what is live of it.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Workflow)]
pub struct WorkflowView {
    /// The name.
    pub name: String,
    /// The revision that new cases take.
    pub active: RevisionView,
    /// How it became so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<SinceView>,
    /// Among workflows whose triggers match the highest wins, then the name.
    pub priority: i64,
    /// What starts a case on it.
    pub triggers: Vec<TriggerView>,
    /// What a share of the new cases takes instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub canary: Option<CanaryView>,
    /// Since when a draft of it is kept, by whom and why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub draft: Option<SinceView>,
    /// The active revision, then the canary and the others on which cases run, the newest first.
    pub revisions: Vec<InUseView>,
    /// The files of watched folders that are this workflow.
    pub files: Vec<FileView>,
}

/// How a revision became what it is.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Since)]
pub struct SinceView {
    /// When.
    pub at: String,
    /// By whom.
    pub by: ActorView,
    /// Why, in a few words.
    pub note: String,
    /// Where it came from.
    pub from: OriginView,
}

/// A revision that is active, or on which cases run.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = RevisionInUse)]
pub struct InUseView {
    /// The revision.
    pub revision: String,
    /// Its number.
    pub number: u64,
    /// `active`: new cases take it; `canary`: a share of them does; `earlier`: cases that began with it go on.
    pub state: &'static str,
    /// The share of new cases that takes a canary.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub percent: Option<u8>,
    /// Since when it is on hold, by whom and why: its cases are paused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_hold: Option<SinceView>,
    /// Cases that run on it.
    pub open_cases: usize,
    /// Whether there are more than were counted.
    pub more: bool,
}

impl From<&Since> for SinceView {
    fn from(one: &Since) -> Self {
        Self { at: one.at.to_string(), by: (&one.by).into(), note: one.note.clone(), from: (&one.from).into() }
    }
}

impl From<&InUse> for InUseView {
    fn from(one: &InUse) -> Self {
        Self {
            revision: one.revision.to_string(),
            number: one.number,
            state: match (one.active, one.percent) {
                (true, _) => "active",
                (false, Some(_)) => "canary",
                (false, None) => "earlier",
            },
            percent: one.percent,
            on_hold: one.held.as_ref().map(SinceView::from),
            open_cases: one.open_cases,
            more: one.more,
        }
    }
}

/// A time when a revision became active, or was tried on a share of the new cases.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = BecameActive)]
pub struct BecameView {
    /// The revision.
    pub revision: String,
    /// Its number.
    pub number: u64,
    /// `published`, `rolled_back` when somebody went back to it, `canary_started` or `canary_ended`, `held` when its cases were
    /// paused and `resumed` when they went on, `migrated` when cases of another revision came to it.
    pub how: &'static str,
    /// How many cases came to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cases: Option<u64>,
    /// The share of new cases that a canary took.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub percent: Option<u8>,
    /// How a canary ended: `promoted`, `stopped` by somebody, `replaced` when another revision became active, or in what it did
    /// worse: `failures`, `timeouts`, `refunds`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended: Option<&'static str>,
    /// When.
    pub at: String,
    /// By whom.
    pub by: ActorView,
    /// Why, in a few words.
    pub note: String,
    /// Where it came from.
    pub from: OriginView,
    /// Whether it is active still, since then.
    pub active: bool,
    /// What the revision is by now: `active`, `canary`, or `retired` where no new case takes it.
    pub state: &'static str,
}

impl BecameView {
    /// A time in the past of a revision, which by now is this.
    pub fn of(one: &Became, state: &'static str) -> Self {
        let (how, percent, ended) = match one.how {
            How::Published => ("published", None, None),
            How::RolledBack => ("rolled_back", None, None),
            How::Tried(percent) => ("canary_started", Some(percent.get()), None),
            How::TrialEnded(ended) => ("canary_ended", None, Some(ended.word())),
            How::Held => ("held", None, None),
            How::Resumed => ("resumed", None, None),
            How::MigratedTo(_) => ("migrated", None, None),
        };
        let cases = if let How::MigratedTo(cases) = one.how { Some(cases) } else { None };
        Self {
            revision: one.revision.to_string(),
            number: one.number,
            how,
            cases,
            percent,
            ended,
            at: one.at.to_string(),
            by: (&one.by).into(),
            note: one.note.clone(),
            from: (&one.from).into(),
            active: one.active,
            state,
        }
    }
}

/// A plugin that workflows may call.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Plugin)]
pub struct PluginView {
    /// Name and major version, as workflows call it.
    pub plugin: String,
    /// Its version.
    pub version: String,
    /// The SHA-256 of the component.
    pub digest: String,
    /// `eligibility`, `compliance`, `refund` or `step`: what it answers. Absent where the component could not be loaded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hook: Option<&'static str>,
    /// Whether it was shipped with the host.
    pub stock: bool,
    /// Until when it is not asked, because it failed again and again: cases that would ask it go to a person at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rests_until: Option<String>,
    /// The component beside the active one, where there is one. Only where one plugin is read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub staged: Option<StagedView>,
    /// The workflows that new cases take and that call it, each with what it is: `NAME (active)`, `NAME (canary)`. Only where one
    /// plugin is read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub used_by: Option<Vec<String>>,
    /// When it became active, the newest first. Only where one plugin is read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub history: Option<Vec<PluginBecameView>>,
}

/// The word of a hook.
pub fn hook(hook: Hook) -> &'static str {
    match hook {
        Hook::Eligibility => "eligibility",
        Hook::Compliance => "compliance",
        Hook::Refund => "refund",
        Hook::Step => "step",
    }
}

/// A time when a component became active under a name.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = PluginBecameActive)]
pub struct PluginBecameView {
    /// The component.
    pub digest: String,
    /// Its version.
    pub version: String,
    /// When.
    pub at: String,
    /// By whom.
    pub by: ActorView,
    /// Where it came from.
    pub from: OriginView,
    /// Whose signature it came with, by the name of the key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signed_by: Option<String>,
    /// Whether it is active still, since then.
    pub active: bool,
}

impl From<&plugins::Became> for PluginBecameView {
    fn from(one: &plugins::Became) -> Self {
        Self {
            digest: one.plugin.digest.to_string(),
            version: one.plugin.version.clone(),
            at: one.at.to_string(),
            by: (&one.by).into(),
            from: (&one.from).into(),
            signed_by: one.signed_by.clone(),
            active: one.active,
        }
    }
}

/// A file of a watched folder, as it was found last.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = File)]
pub struct FileView {
    /// The merchant's folder and the path in it.
    pub path: String,
    /// The SHA-256 of its bytes; absent where they could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// `published`, `same` (handed in before the start and unchanged), `changing`, `refused` or `unreadable`.
    pub state: &'static str,
    /// The revision or the component that it was published as.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub became: Option<String>,
    /// Why it was refused: a stable code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<&'static str>,
    /// What is wrong with it, for a person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// What is wrong with it, each at its place.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<FieldProblem>,
    /// Whether what is active under its name is something else.
    pub differs_from_active: bool,
}

impl From<&DoorStatus> for FileView {
    fn from(one: &DoorStatus) -> Self {
        let mut view = Self {
            path: one.path.clone(),
            digest: one.digest.as_ref().map(Digest::to_string),
            state: "same",
            became: None,
            code: None,
            detail: None,
            problems: Vec::new(),
            differs_from_active: one.differs_from_active,
        };
        match &one.state {
            DoorState::Published(became) => (view.state, view.became) = ("published", Some(became.to_string())),
            DoorState::Same => {}
            DoorState::Changing => view.state = "changing",
            DoorState::Refused(refused) => {
                (view.state, view.code, view.detail) = ("refused", Some(refused.code), Some(refused.text.clone()));
                view.problems = refused.problems.iter().map(problem).collect();
            }
            DoorState::Unreadable(why) => (view.state, view.detail) = ("unreadable", Some(why.clone())),
        }
        view
    }
}

/// A problem of a document.
pub fn problem(one: &Located) -> FieldProblem {
    let place = |place: Place| Position { line: place.line, character: place.character };
    FieldProblem {
        pointer: None,
        code: one.code.clone(),
        severity: Some(one.severity.word()),
        detail: one.message.clone(),
        path: Some(one.path.clone()).filter(|path| !path.is_empty()),
        help: one.help.clone(),
        range: Some(TextRange { start: place(one.start), end: place(one.end) }),
        file: None,
    }
}
