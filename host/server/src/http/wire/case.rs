//! A case on the wire.

use std::collections::BTreeMap;

use redress_domain::case::command::{Body, Command};
use redress_domain::case::lane::{Lane, LaneId};
use redress_domain::case::{About, Case, Effect, Line, Task, What};
use redress_domain::ids::{Digest, TaskId};
use redress_domain::verdict::Outcome;
use serde::Serialize;
use serde_json::Value as Json;
use utoipa::ToSchema;

use super::publishing::SinceView;
use super::start::StartedView;
use super::subcase::{ChildView, ParentView};
use super::timeline::named;
use super::{WireMoney, WireReason, all, fields};

/// A case as it stands after a turn.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Case)]
pub struct CaseView {
    /// The id.
    pub id: String,
    /// The number that people read and type, with a check digit.
    pub number: String,
    /// `return`, `exchange`, `complaint` ...
    pub kind: String,
    /// How many turns it took; the ETag.
    pub turn: u64,
    /// `running`, `waiting`, `held` or `closed`.
    pub status: String,
    /// The step that it stands at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// When the wait ends by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// Where its branches and iterations stand, while there are any: the step above waits for them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lanes: Vec<LaneView>,
    /// What came of it, once it is closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result: Option<String>,
    /// `allow`, `deny` or `review`.
    pub remedy: String,
    /// The reason codes that made it so.
    pub reasons: Vec<String>,
    /// Money refunded or on its way.
    pub refunded: WireMoney,
    /// Of it what nobody has confirmed yet; left out where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_its_way: Option<WireMoney>,
    /// The name that another system gives it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external: Option<ExternalName>,
    /// Whose case it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer: Option<String>,
    /// The order that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order: Option<String>,
    /// The workflow that it runs on, and the revision that it is pinned to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workflow: Option<PinnedWorkflow>,
    /// Why it does not move: its revision is on hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paused: Option<SinceView>,
    /// What came while it was paused and is not taken up yet.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub kept: Vec<KeptView>,
    /// Business time of its opening.
    pub opened_at: String,
    /// Business time of its last change.
    pub changed_at: String,
    /// The merchant's own fields.
    #[schema(value_type = Object)]
    pub attributes: Json,
    /// The items.
    pub lines: Vec<LineView>,
    /// What waits for a person.
    pub tasks: Vec<TaskView>,
    /// What left or is to leave.
    pub effects: Vec<EffectView>,
    /// The case that opened it, where it is a sub-case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent: Option<ParentView>,
    /// What started it, where that was not its type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started: Option<StartedView>,
    /// The cases that it opened.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sub_cases: Vec<ChildView>,
}

/// Something that came while a case was paused.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = KeptCommand)]
pub struct KeptView {
    /// `case.event`, `timer.fire` or `effect.settle`.
    pub command: String,
    /// When it happened.
    pub at: String,
    /// The event, where it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
}

/// A branch of a `parallel` or an iteration of a `for_each`.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = CaseLane)]
pub struct LaneView {
    /// Its name: `settle.money` is the branch `money` of the step `settle`, `each.0` the first iteration of the step `each`.
    pub lane: String,
    /// `running`, `waiting` or `done`.
    pub status: String,
    /// The step that it stands at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// When the wait ends by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
}

/// A name in another system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, serde::Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExternalName {
    /// Which system.
    pub source: String,
    /// Its name there; unique in the source.
    pub id: String,
}

/// A workflow at a revision.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PinnedWorkflow {
    /// Its name.
    pub name: String,
    /// The content hash.
    pub revision: String,
    /// Its number among the merchant's revisions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number: Option<u64>,
    /// The component of each plugin that the case calls, by name and major version.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub plugins: BTreeMap<String, String>,
}

/// An item of a case.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = CaseLine)]
pub struct LineView {
    /// The stock code.
    pub sku: String,
    /// Units asked for.
    pub quantity: u32,
    /// Why this line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The merchant's own fields.
    #[schema(value_type = Object)]
    pub attributes: Json,
    /// What came of it so far.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<OutcomeView>,
}

/// What came of an item.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = LineOutcome)]
pub struct OutcomeView {
    /// `allow`, `deny` or `review`.
    pub remedy: String,
    /// For how many units.
    pub quantity: u32,
    /// The money.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<WireMoney>,
    /// Where the goods go.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disposition: Option<String>,
    /// Why.
    pub reasons: Vec<WireReason>,
}

/// Work for a person.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Task)]
pub struct TaskView {
    /// The id.
    pub id: String,
    /// `review`, `inspection`, `failure`, `effect`, `unrouted` or `too_long`.
    pub about: String,
    /// The step that waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// The branch or iteration that it stands in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lane: Option<String>,
    /// The effect that a person must settle.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effect: Option<String>,
    /// Who works on it.
    pub queue: String,
    /// What it is called.
    pub title: String,
    /// Who has taken it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assignee: Option<String>,
    /// When it was opened.
    pub opened_at: String,
    /// When an answer is due.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due: Option<String>,
    /// Whether the answer is late.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub overdue: bool,
    /// Who answered first, where a second person must agree.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answered_first_by: Option<String>,
    /// Why.
    pub reasons: Vec<WireReason>,
    /// Opened for a case of the past.
    pub imported: bool,
}

/// Something that leaves, or left.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = CaseEffect)]
pub struct EffectView {
    /// The key: what the provider knows it by.
    pub key: String,
    /// `refund`, `restock` or `notice`.
    pub kind: String,
    /// The step that wanted it.
    pub step: String,
    /// The branch or iteration that it stood in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lane: Option<String>,
    /// `intended`, `confirmed`, `declined` or `unknown`.
    pub state: String,
    /// The money of a refund.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<WireMoney>,
    /// The provider's reference.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// Of a message the name of its text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
    /// Of a message in the workflow's own words the digest of what the workflow said under that name when it was wanted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text_digest: Option<String>,
    /// Why it was declined, a code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

impl From<&Case> for CaseView {
    fn from(case: &Case) -> Self {
        let workflow = case.workflow.as_ref().zip(case.revision);
        Self {
            id: case.id.to_string(),
            number: case.number.clone(),
            kind: case.kind.to_string(),
            turn: case.turn,
            status: case.status.word().to_owned(),
            step: case.status.step().map(ToString::to_string),
            until: case.status.until().map(|at| at.to_string()),
            lanes: case.lanes.iter().map(|(id, lane)| LaneView::of(id, lane)).collect(),
            result: case.result.clone(),
            remedy: case.remedy().word().to_owned(),
            reasons: case.decisive_reasons().into_iter().map(str::to_owned).collect(),
            refunded: case.refunded().into(),
            on_its_way: Some(case.on_its_way()).filter(|money| !money.is_zero()).map(WireMoney::from),
            external: case.external.as_ref().map(|one| ExternalName { source: one.source.clone(), id: one.id.clone() }),
            customer: case.customer.as_ref().map(ToString::to_string),
            order: case.order.as_ref().map(ToString::to_string),
            workflow: workflow.map(|(name, revision)| PinnedWorkflow {
                name: name.to_string(),
                revision: revision.to_string(),
                number: None,
                plugins: BTreeMap::new(),
            }),
            paused: None,
            kept: all(&case.deferred),
            opened_at: case.opened_at.to_string(),
            changed_at: case.changed_at.to_string(),
            attributes: fields::shown(&case.attributes),
            lines: all(&case.lines),
            tasks: case.tasks.iter().map(|(id, task)| TaskView::of(*id, task)).collect(),
            effects: case.effects.iter().map(|(key, effect)| EffectView::of(*key, effect)).collect(),
            parent: case.parent.as_ref().map(Into::into),
            started: case.started.as_ref().map(Into::into),
            sub_cases: case.children.iter().map(|(id, child)| ChildView::of(*id, child)).collect(),
        }
    }
}

impl From<&Command> for KeptView {
    fn from(command: &Command) -> Self {
        let event = if let Body::Event(event) = &command.body { Some(event.name.clone()) } else { None };
        Self { command: command.body.name().to_owned(), at: command.occurred_at.to_string(), event }
    }
}

impl From<&Line> for LineView {
    fn from(line: &Line) -> Self {
        Self {
            sku: line.sku.to_string(),
            quantity: line.quantity,
            reason: line.reason.clone(),
            attributes: fields::shown(&line.attributes),
            outcome: line.outcome.as_ref().map(OutcomeView::from),
        }
    }
}

impl From<&Outcome> for OutcomeView {
    fn from(outcome: &Outcome) -> Self {
        Self {
            remedy: outcome.remedy.word().to_owned(),
            quantity: outcome.quantity,
            amount: outcome.amount.map(WireMoney::from),
            disposition: outcome.disposition.map(|disposition| disposition.word().to_owned()),
            reasons: all(&outcome.reasons),
        }
    }
}

impl LaneView {
    fn of(id: &LaneId, lane: &Lane) -> Self {
        Self {
            lane: id.to_string(),
            status: lane.place.word().to_owned(),
            step: lane.place.step().map(ToString::to_string),
            until: lane.place.until().map(|at| at.to_string()),
        }
    }
}

impl TaskView {
    /// A task with its id.
    pub fn of(id: TaskId, task: &Task) -> Self {
        let (about, step, effect) = match &task.about {
            About::Review { step } => ("review", Some(step.to_string()), None),
            About::Inspection { step } => ("inspection", Some(step.to_string()), None),
            About::Failure { step, .. } => ("failure", Some(step.to_string()), None),
            About::Effect { key } => ("effect", None, Some(key.to_string())),
            About::Unrouted => ("unrouted", None, None),
            About::TooLong => ("too_long", None, None),
        };
        Self {
            id: id.to_string(),
            about: about.to_owned(),
            step,
            lane: named(&task.lane),
            effect,
            queue: task.queue.clone(),
            title: task.title.clone(),
            assignee: task.assignee.clone(),
            opened_at: task.opened_at.to_string(),
            due: task.deadline.as_ref().map(|deadline| deadline.due.to_string()),
            overdue: task.deadline.as_ref().is_some_and(|deadline| deadline.overdue),
            answered_first_by: task.proposal.as_ref().map(|proposal| proposal.by.clone()),
            reasons: all(&task.reasons),
            imported: task.imported,
        }
    }
}

impl EffectView {
    /// An effect with its key.
    pub fn of(key: Digest, effect: &Effect) -> Self {
        let (kind, amount) = (effect.what.word(), effect.what.amount());
        let notice = match &effect.what {
            What::Notice { template, message, .. } => Some((template, message)),
            _ => None,
        };
        Self {
            key: key.to_string(),
            kind: kind.to_owned(),
            step: effect.step.to_string(),
            lane: named(&effect.lane),
            state: effect.state.word().to_owned(),
            amount: amount.map(WireMoney::from),
            reference: effect.reference.clone(),
            template: notice.map(|(template, _)| template.to_string()),
            text_digest: notice.and_then(|(_, message)| Some(message.as_ref()?.digest.to_string())),
            code: effect.code.clone(),
        }
    }
}
