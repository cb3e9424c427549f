//! What happened to a case, on the wire: a projection of the journal in public words, never the stored form.

use redress_domain::ask::{Answer, Asked};
use redress_domain::case::Output;
use redress_domain::case::command::{Body, Command, Settled};
use redress_domain::case::entry::{Entry, Opened, TableInput, TableRow};
use redress_domain::case::lane::LaneId;
use redress_domain::case::migrated::Migrated;
use redress_domain::decision::Turn;
use redress_domain::ids::Slug;
use redress_domain::verdict::{LineVerdict, Quote};
use redress_domain::workflow::definition::Hook;
use serde::Serialize;
use utoipa::ToSchema;

use super::actor::ActorView;
use super::case::TaskView;
use super::condition::ConditionView;
use super::{WireMoney, WireReason, WireTake, all, subcase};

/// One turn: a command, and all that came of it.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Turn)]
pub struct TurnView {
    /// Its number, from 1.
    pub turn: u64,
    /// What was commanded: `case.open`, `task.complete`, `timer.fire` ...
    pub command: String,
    /// Business time.
    pub at: String,
    /// When the host took it.
    pub recorded_at: String,
    /// Who commanded it.
    pub by: ActorView,
    /// How it came in: `api`, `import`, `timer` ...
    pub channel: String,
    /// From which other system or file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Why, in a person's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<TextView>,
    /// The plugins that were asked.
    pub asks: Vec<AskView>,
    /// The conditions that were decided on the way.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<ConditionView>,
    /// What came of it, in order.
    pub entries: Vec<EntryView>,
}

/// What a person wrote, or why it is not shown.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = PersonText)]
pub struct TextView {
    /// The text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// `role`: not for this key; `erased`: it is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub withheld: Option<String>,
}

/// A question to a plugin.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Ask)]
pub struct AskView {
    /// The step that asked.
    pub step: String,
    /// The branch or iteration that it stood in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lane: Option<String>,
    /// The plugin, as the workflow names it.
    pub plugin: String,
    /// The component that answered: the SHA-256 of its bytes.
    pub digest: String,
    /// `eligibility`, `compliance`, `refund` or `step`.
    pub hook: String,
    /// What the answer cost.
    pub fuel: u64,
    /// `verdict`, `quote`, `values`, or the code of a failure.
    pub outcome: String,
    /// What a failure says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// One fact. Which fields it has goes by its type.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
#[schema(as = Entry)]
pub struct EntryView {
    /// `case.opened`, `step.decided`, `task.completed` ...
    #[serde(rename = "type")]
    pub kind: String,
    /// The branch or iteration that it is of; left out on the main line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lane: Option<String>,
    /// The step that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// The step that follows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub then: Option<String>,
    /// The condition that held, as the workflow has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub because: Option<String>,
    /// The rows of a table that matched.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rows: Vec<RowView>,
    /// What the rows of a table looked at.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub inputs: Vec<InputView>,
    /// A code: of a failure, a result, an outcome, a name of what was set.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub codes: Vec<String>,
    /// For a person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The component that answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plugin: Option<String>,
    /// What a plugin or a person decided, line by line.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub verdict: Vec<LineVerdictView>,
    /// The line of the case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// The purchases that it is about.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub takes: Vec<WireTake>,
    /// The money.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<WireMoney>,
    /// The key of the effect.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effect: Option<String>,
    /// The provider's reference.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// The id of the task.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task: Option<String>,
    /// The task, as it was opened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub opened: Option<TaskView>,
    /// Who did it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// When a wait ends by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// When it was to happen: a reminder, an answer, an escalation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// The event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
    /// The id of the other case: of a sub-case, or of the case that opened this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub case: Option<String>,
    /// Reasons, with what they rest on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<WireReason>,
}

/// A row of a table.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = TableRow)]
pub struct RowView {
    /// Its number, from 1.
    pub number: u32,
    /// Its tests, as the workflow has them.
    pub cells: Vec<String>,
}

/// What rows of a table looked at.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = TableInput)]
pub struct InputView {
    /// As the workflow has it.
    pub expression: String,
    /// What it was, as a template would write it; nothing for a text that no row names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

/// What was decided of one line.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = LineVerdict)]
pub struct LineVerdictView {
    /// The line of the case, from 0.
    pub line: u32,
    /// `allow`, `deny` or `review`.
    pub remedy: String,
    /// For how many units.
    pub quantity: u32,
    /// Out of which purchases.
    pub takes: Vec<WireTake>,
    /// The strength of the rule.
    pub tier: String,
    /// Why.
    pub reasons: Vec<WireReason>,
}

impl TextView {
    /// A text that may be read.
    pub(in crate::http) fn shown(text: String) -> Self {
        Self { text: Some(text), withheld: None }
    }

    /// One that is not shown.
    pub(in crate::http) fn withheld(why: &str) -> Self {
        Self { text: None, withheld: Some(why.to_owned()) }
    }
}

impl TurnView {
    /// A turn, with what the reader may know of its reason.
    pub(in crate::http) fn of(turn: &Turn, reason: Option<TextView>) -> Self {
        let command = &turn.command;
        Self {
            turn: turn.number,
            command: command.body.name().to_owned(),
            at: turn.at.to_string(),
            recorded_at: command.recorded_at.to_string(),
            by: (&command.actor).into(),
            channel: command.channel.clone(),
            source: command.source.clone(),
            reason,
            asks: all(&turn.asks),
            conditions: all(&turn.conditions),
            entries: entries(turn),
        }
    }
}

/// The facts of a turn, each with the lane that it is of.
fn entries(turn: &Turn) -> Vec<EntryView> {
    let mut lane = None;
    let mut views = Vec::new();
    for entry in &turn.entries {
        match entry {
            Entry::LaneEntered { lane: entered } => lane = named(entered),
            entry => {
                let view = EntryView::from(entry);
                views.push(EntryView { lane: view.lane.clone().or_else(|| lane.clone()), ..view });
            }
        }
    }
    views
}

/// The name of a lane; the main line has none.
pub(in crate::http) fn named(lane: &LaneId) -> Option<String> {
    (!lane.is_main()).then(|| lane.to_string())
}

impl From<&Asked> for AskView {
    fn from(Asked { ask, answered }: &Asked) -> Self {
        let hook = match ask.hook {
            Hook::Eligibility => "eligibility",
            Hook::Compliance => "compliance",
            Hook::Refund => "refund",
            Hook::Step => "step",
        };
        let (outcome, detail) = match &answered.outcome {
            Ok(Answer::Verdict(_)) => ("verdict", None),
            Ok(Answer::Quote(_)) => ("quote", None),
            Ok(Answer::Values(_)) => ("values", None),
            Err(failure) => (failure.code.as_str(), Some(failure.detail.clone())),
        };
        Self {
            step: ask.step.to_string(),
            lane: named(&ask.lane),
            plugin: ask.plugin.clone(),
            digest: ask.digest.to_string(),
            hook: hook.to_owned(),
            fuel: answered.fuel,
            outcome: outcome.to_owned(),
            detail,
        }
    }
}

impl From<&LineVerdict> for LineVerdictView {
    fn from(verdict: &LineVerdict) -> Self {
        Self {
            line: verdict.line,
            remedy: verdict.remedy.word().to_owned(),
            quantity: verdict.quantity,
            takes: all(&verdict.takes),
            tier: verdict.tier.word().to_owned(),
            reasons: all(&verdict.reasons),
        }
    }
}

impl From<&TableRow> for RowView {
    fn from(row: &TableRow) -> Self {
        Self { number: row.number, cells: row.cells.clone() }
    }
}

impl From<&TableInput> for InputView {
    fn from(input: &TableInput) -> Self {
        Self { expression: input.expression.clone(), value: input.value.as_ref().map(ToString::to_string) }
    }
}

/// What people filled in and what events carry stays in the case: it may be anybody's words.
impl From<&Entry> for EntryView {
    fn from(entry: &Entry) -> Self {
        // A stored name ends in its version, which is no matter of clients.
        let kind = entry.name().rsplit_once('.').map_or(entry.name(), |(kind, _)| kind).to_owned();
        let view = match entry {
            Entry::Held | Entry::TakenUp => Self::default(),
            Entry::Deferred { command } => Self::of_kept(command),
            Entry::Opened(opened) => Self::of_opening(opened),
            Entry::Skipped { step }
            | Entry::TimedOut { step }
            | Entry::Paused { step }
            | Entry::LanesOpened { step, .. }
            | Entry::LanesJoined { step } => Self::at(step),
            Entry::LaneBegan { lane, step } => Self { lane: named(lane), ..Self::at(step) },
            Entry::LaneEntered { lane } | Entry::LaneEnded { lane } => Self { lane: named(lane), ..Self::default() },
            Entry::Decided { step, then, because } => {
                Self { then: Some(then.to_string()), because: because.clone(), ..Self::at(step) }
            }
            Entry::TableMatched { step, rows, inputs } => {
                Self { rows: all(rows), inputs: all(inputs), ..Self::at(step) }
            }
            Entry::SubCaseIntended { .. } | Entry::SubCaseLeft { .. } | Entry::SubCaseEnded(_) => subcase::told(entry),
            Entry::WentBack { step, to } => Self { then: Some(to.to_string()), ..Self::at(step) },
            Entry::VarsSet { values } | Entry::LaneSet { values } => {
                Self { codes: values.keys().cloned().collect(), ..Self::default() }
            }
            Entry::Gave { step, plugin, output } => {
                Self { plugin: plugin.map(|digest| digest.to_string()), ..Self::gave(output) }.of_step(step)
            }
            Entry::Failed { step, code, detail } => {
                Self { codes: vec![code.clone()], detail: Some(detail.clone()), ..Self::at(step) }
            }
            Entry::Reserved { line, take, .. } | Entry::Released { line, take } => {
                Self { line: Some(*line), takes: vec![take.into()], ..Self::default() }
            }
            Entry::Registered { step, what, .. } => Self { codes: vec![what.word().to_owned()], ..Self::at(step) },
            Entry::Undone { place } => Self { detail: Some(format!("compensation {}", place + 1)), ..Self::default() },
            Entry::Migrated(migrated) => Self::of_migration(migrated),
            Entry::WaitBegan { step, until, .. } => Self { until: until.map(|at| at.to_string()), ..Self::at(step) },
            Entry::EventKept { event } => Self { event: Some(event.name.clone()), ..Self::default() },
            Entry::EventTaken { step, event, .. } | Entry::EventGathered { step, event, .. } => {
                Self { event: Some(event.name.clone()), ..Self::at(step) }
            }
            Entry::EventsLetGo { step } => Self::at(step),
            Entry::Ignored { what, why } => Self { detail: Some(format!("{what}: {why}")), ..Self::default() },
            Entry::Finished { result: code } | Entry::CaseFailed { code } => {
                Self { codes: vec![code.to_string()], ..Self::default() }
            }
            // The reason stands at the turn, for those who may read it.
            Entry::Cancelled { .. } => Self::default(),
            Entry::ReasonsAdded { reasons } => Self { reasons: all(reasons), ..Self::default() },
            Entry::Intended { .. }
            | Entry::Settled { .. }
            | Entry::Resent { .. }
            | Entry::Booked { .. }
            | Entry::Unbooked { .. } => Self::of_effect(entry),
            Entry::TaskOpened { .. }
            | Entry::TaskClaimed { .. }
            | Entry::TaskReleased { .. }
            | Entry::TaskCompleted { .. }
            | Entry::TaskMoved { .. }
            | Entry::TaskProposed { .. }
            | Entry::TaskReminded { .. }
            | Entry::TaskOverdue { .. }
            | Entry::TaskEscalated { .. }
            | Entry::TaskClosed { .. } => Self::of_task(entry),
            Entry::WaitReminded { step, at, .. } => Self { since: Some(at.to_string()), ..Self::at(step) },
        };
        Self { kind, ..view }
    }
}

impl EntryView {
    /// What came while the case was paused.
    fn of_kept(command: &Command) -> Self {
        let event = if let Body::Event(event) = &command.body { Some(event.name.clone()) } else { None };
        Self { event, since: Some(command.occurred_at.to_string()), ..Self::default() }
    }

    fn of_opening(opened: &Opened) -> Self {
        Self {
            codes: vec![opened.submission.kind.to_string()],
            detail: opened.revision.map(|revision| format!("revision {revision}")),
            case: opened.parent.as_ref().map(|parent| parent.case.to_string()),
            ..Self::default()
        }
    }

    fn of_migration(migrated: &Migrated) -> Self {
        Self {
            detail: Some(format!("from revision {} to {}", migrated.from, migrated.to)),
            until: migrated.until.map(|at| at.to_string()),
            ..Self::at(&migrated.step)
        }
    }

    fn at(step: &Slug) -> Self {
        Self::default().of_step(step)
    }

    fn of_step(self, step: &Slug) -> Self {
        Self { step: Some(step.to_string()), ..self }
    }

    fn gave(output: &Output) -> Self {
        match output {
            Output::Verdict(verdict) => {
                Self { verdict: all(&verdict.lines), reasons: all(&verdict.reasons), ..Self::default() }
            }
            Output::Quote(quote) => Self {
                takes: all(quote.lines.iter().map(|line| &line.take)),
                amount: total(quote),
                reasons: all(&quote.reasons),
                ..Self::default()
            },
            Output::Values(values) => Self { codes: values.keys().cloned().collect(), ..Self::default() },
            Output::Skipped => Self::default(),
        }
    }

    fn of_effect(entry: &Entry) -> Self {
        match entry {
            Entry::Intended { key, effect } => {
                let amount = effect.what.amount().map(Into::into);
                Self { effect: Some(key.to_string()), amount, ..Self::at(&effect.step) }
            }
            Entry::Settled { key, outcome, reference, via, .. } => {
                let outcome = match outcome {
                    Settled::Confirmed => "confirmed",
                    Settled::Declined => "declined",
                    Settled::Unknown => "unknown",
                };
                let codes = vec![outcome.to_owned()];
                let (effect, by) = (Some(key.to_string()), Some(via.clone()));
                Self { effect, codes, by, reference: reference.clone(), ..Self::default() }
            }
            Entry::Resent { key, by } => {
                Self { effect: Some(key.to_string()), by: Some(by.clone()), ..Self::default() }
            }
            Entry::Booked { items } | Entry::Unbooked { items } => {
                Self { takes: all(items.iter().map(|item| &item.take)), ..Self::default() }
            }
            _ => Self::default(),
        }
    }

    fn of_task(entry: &Entry) -> Self {
        match entry {
            Entry::TaskOpened { id, task } => {
                Self { task: Some(id.to_string()), opened: Some(TaskView::of(*id, task)), ..Self::default() }
            }
            Entry::TaskClaimed { id, by } => {
                Self { task: Some(id.to_string()), by: Some(by.clone()), ..Self::default() }
            }
            Entry::TaskCompleted { id, outcome, by, .. } => {
                let (task, codes) = (Some(id.to_string()), vec![outcome.clone()]);
                Self { task, codes, by: Some(by.clone()), ..Self::default() }
            }
            Entry::TaskProposed { id, proposal } => {
                let (task, codes) = (Some(id.to_string()), vec![proposal.outcome.clone()]);
                Self { task, codes, by: Some(proposal.by.clone()), ..Self::default() }
            }
            Entry::TaskReminded { id, at, .. } | Entry::TaskOverdue { id, at } => {
                Self { task: Some(id.to_string()), since: Some(at.to_string()), ..Self::default() }
            }
            Entry::TaskEscalated { id, to, at, .. } => {
                let (task, codes) = (Some(id.to_string()), vec![to.clone()]);
                Self { task, codes, since: Some(at.to_string()), ..Self::default() }
            }
            Entry::TaskReleased { id } | Entry::TaskClosed { id } | Entry::TaskMoved { id, .. } => {
                Self { task: Some(id.to_string()), ..Self::default() }
            }
            _ => Self::default(),
        }
    }
}

fn total(quote: &Quote) -> Option<WireMoney> {
    let currency = quote.lines.iter().flat_map(|line| &line.parts).next()?.amount.currency();
    quote.total(currency).ok().map(WireMoney::from)
}
