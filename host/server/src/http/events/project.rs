//! What of a turn the outside is told. A new kind of entry does not compile until it is decided here.

use redress_domain::case::command::Settled;
use redress_domain::case::entry::{Entry, Opened};
use redress_domain::case::{About, Effect, Task};
use redress_domain::clock::Instant;
use redress_domain::codec;
use redress_domain::decision::Turn;
use redress_domain::ids::{CaseId, Digest, Slug, TaskId};
use redress_store::batch::Stream;
use redress_store::feed::Fed;

use super::{Event, EventData, TYPES};
use crate::engine::log::{Logged, What as Fact};
use crate::engine::{Engine, Error};
use crate::http::wire::timeline::named;

/// What happened, and to what.
type Told = (&'static str, EventData);

/// The events of a turn, in order; their ids are given by who reads them.
pub(super) fn events(engine: &Engine, fed: &Fed) -> Result<Vec<Event>, Error> {
    match &fed.stream {
        Stream::Case(case) => {
            let turn: Turn = codec::decode(&fed.record).map_err(Error::damaged("turn"))?;
            of_case(engine, *case, &turn)
        }
        Stream::Tenant => {
            let logged: Vec<Logged> = codec::decode(&fed.record).map_err(Error::damaged("tenant entry"))?;
            Ok(logged.iter().filter_map(|one| of_tenant(engine, one)).collect())
        }
        // Ledgers have no journal.
        Stream::Ledger(_) => Ok(Vec::new()),
    }
}

fn of_case(engine: &Engine, case: CaseId, turn: &Turn) -> Result<Vec<Event>, Error> {
    let mut events = Vec::new();
    let mut lane = None;
    for entry in &turn.entries {
        if let Entry::LaneEntered { lane: entered } = entry {
            lane = named(entered);
        }
        for (kind, data) in told(engine, entry)? {
            let (occurred_at, about, lane) = (turn.at.to_string(), Some(case.to_string()), lane.clone());
            let data = EventData { occurred_at, case: about, lane, ..data };
            events.push(event(engine, kind, case.to_string(), turn.command.recorded_at.to_string(), data));
        }
    }
    Ok(events)
}

fn event(engine: &Engine, kind: &'static str, subject: String, time: String, data: EventData) -> Event {
    debug_assert!(TYPES.iter().any(|(name, _)| *name == kind), "{kind} is not in the table");
    Event {
        specversion: "1.0",
        id: String::new(),
        source: format!("/tenants/{}", engine.record().slug),
        kind,
        subject,
        time,
        datacontenttype: "application/json",
        data,
    }
}

fn told(engine: &Engine, entry: &Entry) -> Result<Vec<Told>, Error> {
    let none = EventData::default;
    let told = match entry {
        Entry::Opened(opened) => ("case.opened", of_opened(opened)),
        Entry::Held => ("case.held", none()),
        Entry::WaitBegan { step, until, .. } => ("case.waiting", waiting(step.as_str(), *until)),
        Entry::Migrated(migrated) => {
            let (revision, step) = (Some(migrated.to.to_string()), Some(migrated.step.to_string()));
            let until = migrated.until.map(|at| at.to_string());
            ("case.migrated", EventData { revision, step, until, ..none() })
        }
        Entry::Finished { result } => ("case.closed", ended("finished", Some(result.to_string()))),
        Entry::CaseFailed { code } => ("case.closed", ended("failed", Some(code.to_string()))),
        Entry::Cancelled { .. } => ("case.closed", ended("cancelled", None)),
        Entry::TaskOpened { id, task } => ("task.opened", of_task(*id, task)),
        Entry::TaskClaimed { id, by } => ("task.claimed", EventData { by: Some(by.clone()), ..task(*id) }),
        Entry::TaskReleased { id } => ("task.released", task(*id)),
        Entry::TaskCompleted { id, outcome, by, .. } => {
            let (outcome, by) = (Some(outcome.clone()), Some(by.clone()));
            ("task.completed", EventData { outcome, by, ..task(*id) })
        }
        Entry::TaskClosed { id } => ("task.closed", task(*id)),
        Entry::TaskOverdue { id, .. } => ("task.overdue", task(*id)),
        Entry::TaskEscalated { id, to, .. } => ("task.escalated", EventData { queue: Some(to.clone()), ..task(*id) }),
        Entry::Intended { key, effect } => ("effect.intended", of_effect(*key, effect)),
        Entry::Resent { key, by } => ("effect.resent", resent(&key.to_string(), by)),
        Entry::Settled { key, outcome, reference, .. } => {
            return of_settled(engine, *key, *outcome, reference.clone());
        }
        Entry::Skipped { .. }
        | Entry::Decided { .. }
        | Entry::TableMatched { .. }
        | Entry::TaskProposed { .. }
        | Entry::TaskReminded { .. }
        | Entry::WaitReminded { .. }
        | Entry::VarsSet { .. }
        | Entry::Gave { .. }
        | Entry::Failed { .. }
        | Entry::Reserved { .. }
        | Entry::Released { .. }
        | Entry::Booked { .. }
        | Entry::Unbooked { .. }
        | Entry::Registered { .. }
        | Entry::Undone { .. }
        | Entry::TimedOut { .. }
        | Entry::EventKept { .. }
        | Entry::EventTaken { .. }
        | Entry::EventGathered { .. }
        | Entry::EventsLetGo { .. }
        | Entry::Ignored { .. }
        | Entry::Paused { .. }
        | Entry::Deferred { .. }
        | Entry::TakenUp
        | Entry::TaskMoved { .. }
        | Entry::WentBack { .. }
        // A sub-case tells of itself.
        | Entry::SubCaseIntended { .. }
        | Entry::SubCaseLeft { .. }
        | Entry::SubCaseEnded(_)
        | Entry::LaneEntered { .. }
        | Entry::LanesOpened { .. }
        | Entry::LaneBegan { .. }
        | Entry::LaneSet { .. }
        | Entry::LaneEnded { .. }
        | Entry::LanesJoined { .. }
        | Entry::ReasonsAdded { .. } => return Ok(Vec::new()),
    };
    Ok(vec![told])
}

fn waiting(step: &str, until: Option<Instant>) -> EventData {
    EventData { step: Some(step.to_owned()), until: until.map(|at| at.to_string()), ..EventData::default() }
}

fn resent(effect: &str, by: &str) -> EventData {
    EventData { effect: Some(effect.to_owned()), by: Some(by.to_owned()), ..EventData::default() }
}

fn of_opened(opened: &Opened) -> EventData {
    EventData {
        number: Some(opened.number.clone()),
        kind: Some(opened.submission.kind.to_string()),
        workflow: opened.workflow.as_ref().map(ToString::to_string),
        revision: opened.revision.map(|revision| revision.to_string()),
        parent: opened.parent.as_ref().map(|parent| parent.case.to_string()),
        ..EventData::default()
    }
}

fn ended(outcome: &str, result: Option<String>) -> EventData {
    EventData { outcome: Some(outcome.to_owned()), result, ..EventData::default() }
}

fn task(id: TaskId) -> EventData {
    EventData { task: Some(id.to_string()), ..EventData::default() }
}

/// What a task is called may quote the customer; it stays inside.
fn of_task(id: TaskId, opened: &Task) -> EventData {
    let (kind, step, effect) = match &opened.about {
        About::Review { step } => ("review", Some(step), None),
        About::Inspection { step } => ("inspection", Some(step), None),
        About::Failure { step, .. } => ("failure", Some(step), None),
        About::Effect { key } => ("effect", None, Some(key)),
        About::Unrouted => ("unrouted", None, None),
        About::TooLong => ("too_long", None, None),
    };
    EventData {
        kind: Some(kind.to_owned()),
        step: step.map(ToString::to_string),
        effect: effect.map(ToString::to_string),
        queue: Some(opened.queue.clone()),
        ..task(id)
    }
}

fn of_effect(key: Digest, effect: &Effect) -> EventData {
    let (kind, amount) = (effect.what.word(), effect.what.amount());
    EventData {
        effect: Some(key.to_string()),
        kind: Some(kind.to_owned()),
        step: Some(effect.step.to_string()),
        amount: amount.map(Into::into),
        ..EventData::default()
    }
}

/// The entry names the effect alone. What it is stands in its listing, which was written at the latest with this entry and says
/// the same ever after.
fn of_settled(engine: &Engine, key: Digest, outcome: Settled, reference: Option<String>) -> Result<Vec<Told>, Error> {
    let listing = engine.effect(key)?;
    let data = EventData {
        effect: Some(key.to_string()),
        kind: listing.as_ref().map(|one| one.what.clone()),
        step: listing.as_ref().map(|one| one.step.to_string()),
        amount: listing.as_ref().and_then(|one| one.amount).map(Into::into),
        reference,
        ..EventData::default()
    };
    let is_refund = listing.is_some_and(|one| one.what == "refund");
    Ok(match outcome {
        Settled::Confirmed if is_refund => vec![("effect.confirmed", data.clone()), ("refund.confirmed", data)],
        Settled::Confirmed => vec![("effect.confirmed", data)],
        Settled::Declined => vec![("effect.declined", data)],
        Settled::Unknown => vec![("effect.unknown", data)],
    })
}

fn of_tenant(engine: &Engine, logged: &Logged) -> Option<Event> {
    let (kind, subject, data) = match &logged.what {
        Fact::WorkflowPublished { workflow, revision, number, .. } => {
            ("workflow.published", workflow.to_string(), of_revision(workflow, *revision, *number))
        }
        Fact::WorkflowActivated { workflow, revision, number, .. } => {
            ("workflow.activated", workflow.to_string(), of_revision(workflow, *revision, *number))
        }
        Fact::CanaryStarted { workflow, revision, number, .. } => {
            ("canary.started", workflow.to_string(), of_revision(workflow, *revision, *number))
        }
        Fact::CanaryEnded { workflow, revision, number, how, .. } => {
            let outcome = Some(how.word().to_owned());
            let data = EventData { outcome, ..of_revision(workflow, *revision, *number) };
            ("canary.ended", workflow.to_string(), data)
        }
        Fact::RevisionHeld { workflow, revision, number, .. } => {
            ("revision.held", workflow.to_string(), of_revision(workflow, *revision, *number))
        }
        Fact::RevisionResumed { workflow, revision, number, .. } => {
            ("revision.resumed", workflow.to_string(), of_revision(workflow, *revision, *number))
        }
        Fact::CasesMigrated { workflow, revision, number, .. } => {
            ("cases.migrated", workflow.to_string(), of_revision(workflow, *revision, *number))
        }
        Fact::PluginActivated { plugin, version, digest, .. } => {
            let version = Some(version.clone());
            ("plugin.activated", plugin.clone(), EventData { version, ..of_component(plugin, *digest) })
        }
        Fact::PluginStaged { plugin, version, digest, stage, .. } => {
            let (version, kind) = (Some(version.clone()), Some(stage.word().to_owned()));
            ("plugin.staged", plugin.clone(), EventData { version, kind, ..of_component(plugin, *digest) })
        }
        Fact::PluginUnstaged { plugin, digest, how, .. } => {
            let outcome = Some(how.word().to_owned());
            ("plugin.unstaged", plugin.clone(), EventData { outcome, ..of_component(plugin, *digest) })
        }
        Fact::PluginGranted { plugin, .. } => {
            let data = EventData { plugin: Some(plugin.clone()), ..EventData::default() };
            ("plugin.granted", plugin.clone(), data)
        }
        Fact::PluginCaseKept { plugin, case, content, .. } => {
            let data = EventData { plugin_case: Some(case.to_string()), ..of_component(plugin, *content) };
            ("plugin.case_kept", plugin.clone(), data)
        }
        Fact::PluginCaseRemoved { plugin, case, .. } => {
            let (plugin_case, named) = (Some(case.to_string()), Some(plugin.clone()));
            ("plugin.case_removed", plugin.clone(), EventData { plugin_case, plugin: named, ..EventData::default() })
        }
        Fact::PluginRemoved { plugin, digest, .. } => ("plugin.removed", plugin.clone(), of_component(plugin, *digest)),
        // How the merchant is connected, who has keys, what an import came to, and what is only a draft or deleted, is for those who did it.
        Fact::DraftSaved { .. }
        | Fact::SignersSet { .. }
        | Fact::RevisionsDeleted { .. }
        | Fact::DraftDiscarded { .. }
        | Fact::ConnectorSet { .. }
        | Fact::ConnectorRemoved { .. }
        | Fact::KeyCreated { .. }
        | Fact::KeyRevoked { .. }
        | Fact::ImportFinished { .. } => return None,
    };
    let (at, by) = (logged.at.to_string(), Some(logged.by.id.clone()));
    Some(event(engine, kind, subject, at.clone(), EventData { occurred_at: at, by, ..data }))
}

fn of_component(plugin: &str, digest: Digest) -> EventData {
    EventData { plugin: Some(plugin.to_owned()), digest: Some(digest.to_string()), ..EventData::default() }
}

fn of_revision(workflow: &Slug, revision: Digest, number: u64) -> EventData {
    EventData {
        workflow: Some(workflow.to_string()),
        revision: Some(revision.to_string()),
        version: Some(number.to_string()),
        ..EventData::default()
    }
}
