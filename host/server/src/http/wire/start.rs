//! What starts cases on the wire: the triggers of a workflow, and what started a case.

use redress_domain::case::start::Started;
use redress_domain::clock::Instant;
use redress_domain::value::Type;
use redress_domain::workflow::definition::start::{EventStart, Schedule};
use redress_domain::workflow::definition::{CallInput, Definition, Required};
use serde::Serialize;
use utoipa::ToSchema;

/// What starts a case.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
#[schema(as = Trigger)]
pub struct TriggerView {
    /// `case_opened`: a case of a type is opened; `event`: something happens that no case is named for, told by
    /// `POST /v1/events`; `schedule`: the time has come; `manual`: somebody names the workflow; `called`: another workflow runs it.
    pub by: String,
    /// The types of case; empty for all.
    pub types: Vec<String>,
    /// A further condition, as the workflow has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// The event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
    /// What fields of the event must equal.
    #[serde(rename = "match", skip_serializing_if = "Option::is_none")]
    pub matches: Option<String>,
    /// When: minute, hour, day, month, weekday.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cron: Option<String>,
    /// Where these times are local.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// When it opens a case next; nothing until a running host has seen it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// Whose keys may start a case by naming the workflow.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
    /// What a submission must name: `order`, `reason`, `customer`, `lines`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub requires: Vec<String>,
    /// What is filled in by whoever starts it; of an event what it carries.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub inputs: Vec<InputView>,
}

/// A value that whoever starts a case fills in.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = TriggerInput)]
pub struct InputView {
    /// Its name.
    pub name: String,
    /// Its type, as the workflow has it.
    #[serde(rename = "type")]
    pub kind: String,
    /// Whether it must be given.
    pub required: bool,
}

/// What started a case, where that was not its type.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
#[schema(as = Started)]
pub struct StartedView {
    /// The trigger: `manual`, `event`, `schedule`.
    pub by: String,
    /// The event; its source and id are the external name of the case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
    /// Which time of the schedule it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
}

/// Everything that starts a case on a workflow. `next` tells when a schedule is due.
pub fn triggers(definition: &Definition, next: &dyn Fn(&Schedule) -> Option<Instant>) -> Vec<TriggerView> {
    let opened = definition.triggers.iter().map(|trigger| TriggerView {
        types: trigger.kinds.iter().cloned().collect(),
        when: trigger.when.as_ref().map(|when| when.source().to_owned()),
        requires: required(&trigger.requires),
        ..TriggerView::by("case_opened")
    });
    let called = definition.called.iter().map(|called| TriggerView {
        requires: required(&called.requires),
        inputs: inputs(&called.inputs),
        ..TriggerView::by("called")
    });
    let manual = definition.starts.manual.iter().map(|manual| TriggerView {
        types: vec![manual.kind.to_string()],
        roles: manual.roles.iter().cloned().collect(),
        requires: required(&manual.requires),
        inputs: inputs(&manual.inputs),
        ..TriggerView::by("manual")
    });
    let events = definition.starts.events.iter().map(|start| of_event(definition, start));
    let schedules = definition.starts.schedules.iter().map(|schedule| TriggerView {
        types: vec![schedule.kind.to_string()],
        cron: Some(schedule.cron.text().to_owned()),
        zone: Some(schedule.zone.to_string()),
        next: next(schedule).map(|at| at.to_string()),
        ..TriggerView::by("schedule")
    });
    opened.chain(events).chain(schedules).chain(manual).chain(called).collect()
}

fn of_event(definition: &Definition, start: &EventStart) -> TriggerView {
    let matches: Vec<_> =
        start.matches.iter().map(|(field, value)| format!("event.{field} == {}", value.source().trim())).collect();
    let carried = definition.events.get(&start.event).into_iter().flatten();
    let carried = carried.map(|(name, kind)| InputView {
        name: name.clone(),
        kind: kind.to_string(),
        required: !matches!(kind, Type::Optional(_)),
    });
    TriggerView {
        types: vec![start.kind.to_string()],
        event: Some(start.event.clone()),
        matches: (!matches.is_empty()).then(|| matches.join(" && ")),
        inputs: carried.collect(),
        ..TriggerView::by("event")
    }
}

impl TriggerView {
    fn by(word: &str) -> Self {
        Self { by: word.to_owned(), ..Self::default() }
    }
}

fn required<'a>(parts: impl IntoIterator<Item = &'a Required>) -> Vec<String> {
    parts.into_iter().map(|part| part.word().to_owned()).collect()
}

fn inputs<'a>(declared: impl IntoIterator<Item = (&'a String, &'a CallInput)>) -> Vec<InputView> {
    let view = |(name, input): (&String, &CallInput)| InputView {
        name: name.clone(),
        kind: input.kind.to_string(),
        required: input.required,
    };
    declared.into_iter().map(view).collect()
}

impl From<&Started> for StartedView {
    fn from(started: &Started) -> Self {
        let view = Self { by: started.word().to_owned(), ..Self::default() };
        match started {
            Started::Manual => view,
            Started::Event { name } => Self { event: Some(name.clone()), ..view },
            Started::Schedule { at } => Self { at: Some(at.to_string()), ..view },
        }
    }
}
