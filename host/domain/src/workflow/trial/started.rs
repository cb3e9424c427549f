//! What starts the case of a test, where that is not its type: another case, or somebody who names the workflow.

use std::collections::{BTreeMap, BTreeSet};

use crate::case::child::{Called, Parent, Pin};
use crate::case::command::Open;
use crate::case::start::{By, EVENT_SOURCE, Start};
use crate::case::{Arrived, External};
use crate::clock::Instant;
use crate::ids::{CaseId, Digest, Slug};
use crate::value::{Fields as Values, Type};
use crate::workflow::definition::start::Manual;
use crate::workflow::definition::{CallInput, Definition};
use crate::workflow::literal::literal;
use crate::workflow::reader::At;
use crate::workflow::run::start::opens;
use crate::workflow::trial::layers::Layers;
use crate::workflow::trial::{names, schema};

/// What a test says of how its case is started.
#[derive(Debug, Default)]
pub(super) struct Begun {
    /// Another case runs the workflow. Nobody waits for its end.
    pub(super) called: Option<Box<Called>>,
    /// What names the workflow.
    pub(super) start: Option<Box<Start>>,
    /// In which role the case is opened.
    pub(super) role: Option<String>,
    /// The type of case, where the trigger says it.
    pub(super) kind: Option<Slug>,
    /// The whole case, where an event says what it is about.
    pub(super) open: Option<Box<Open>>,
}

/// The ways that a test may name.
const WAYS: &[&str] = &["called", "manual", "event", "schedule"];

/// Read how the case is started. `at` is where a lack is reported that has no other place.
pub(super) fn started(at: &At<'_>, given: &Layers<'_>, definition: &Definition, opened_at: Instant) -> Option<Begun> {
    let written: Vec<&str> = WAYS.iter().copied().filter(|way| given.has(way)).collect();
    match written[..] {
        [] if definition.triggers.is_empty() => lacking(at, definition),
        [] => Some(Begun::default()),
        ["called"] => called(&given.get("called")?, definition),
        ["manual"] => manual(&given.get("manual")?, definition),
        ["schedule"] => schedule(&given.get("schedule")?, definition, opened_at),
        ["event"] => event(&given.get("event")?, definition, opened_at),
        [first, second, ..] => {
            given.get(second)?.refuse("clash", format!("`{first}` and `{second}`: a case is started in one way"))
        }
        [_] => None,
    }
}

fn lacking<T>(at: &At<'_>, definition: &Definition) -> Option<T> {
    if !definition.starts.schedules.is_empty()
        && definition.starts.manual.is_none()
        && definition.starts.events.is_empty()
    {
        let help = "say that its time has come, `given: { schedule: {} }`";
        return at.refuse_with("missing_field", "a case of the workflow is started by a schedule", help);
    }
    if !definition.starts.events.is_empty() && definition.starts.manual.is_none() {
        let help = "say what happened, `given: { event: { name: …, with: { … } } }`";
        return at.refuse_with("missing_field", "a case of the workflow is started by an event", help);
    }
    if definition.starts.manual.is_some() {
        let help = "say who starts it and with what, `given: { manual: { inputs: { … } } }`, or `manual: {}`";
        return at.refuse_with("missing_field", "a case of the workflow is started by its name", help);
    }
    let help = "say what it is given, `given: { called: { … } }`, or `called: {}`";
    at.refuse_with("missing_field", "the workflow only runs as a sub-case", help)
}

fn called(written: &At<'_>, definition: &Definition) -> Option<Begun> {
    let Some(start) = &definition.called else {
        let help = "give it `triggers: [{ called: {} }]`, or leave this out";
        return written.refuse_with("not_callable", "the workflow does not run as a sub-case", help);
    };
    let inputs = inputs(written, &start.inputs, definition)?;
    let (number, step) = ("TEST".to_owned(), Slug::from_static("test"));
    let parent = Parent { case: CaseId::from_bytes([0; 16]), number, step, depth: 1, awaited: false };
    let called = Called { workflow: definition.workflow.clone(), pin: Pin::Active, inputs, parent };
    Some(Begun { called: Some(Box::new(called)), ..Begun::default() })
}

fn manual(written: &At<'_>, definition: &Definition) -> Option<Begun> {
    let Some(manual) = &definition.starts.manual else {
        let help = "give it `triggers: [{ manual: { roles: agent, type: … } }]`, or leave this out";
        return written.refuse_with("not_startable", "no case of the workflow is started by its name", help);
    };
    let fields = written.fields(&schema::MANUAL)?;
    let role = match fields.get("role") {
        Some(at) => Some(allowed(&at, manual)?),
        None => manual.roles.first().cloned(),
    };
    let inputs = match fields.get("inputs") {
        Some(at) => inputs(&at, &manual.inputs, definition)?,
        None if fields.has("inputs") => return None,
        None => none(written, &manual.inputs)?,
    };
    let start = Start { workflow: definition.workflow.clone(), by: By::Manual { inputs } };
    Some(Begun { start: Some(Box::new(start)), role, kind: Some(manual.kind.clone()), ..Begun::default() })
}

fn schedule(written: &At<'_>, definition: &Definition, at: Instant) -> Option<Begun> {
    let fields = written.fields(&schema::SCHEDULE)?;
    let kinds: BTreeSet<&Slug> = definition.starts.schedules.iter().map(|schedule| &schedule.kind).collect();
    let kind = match (fields.get("type"), kinds.first()) {
        (Some(at), _) => {
            let name = at.text()?;
            let found = kinds.iter().find(|kind| kind.as_str() == name);
            let known = kinds.iter().map(|kind| kind.as_str());
            found.copied().or_else(|| names::unknown(&at, "not_startable", "schedule of the type", name, known))?
        }
        (None, Some(kind)) if kinds.len() == 1 && !fields.has("type") => kind,
        (None, Some(_)) => return fields.require("type").and(None),
        (None, None) => {
            let help = "give it `triggers: [{ schedule: { cron: 0 9 * * *, type: … } }]`, or leave this out";
            return written.refuse_with("not_startable", "no schedule starts a case of the workflow", help);
        }
    };
    let start = Start { workflow: definition.workflow.clone(), by: By::Schedule { at } };
    Some(Begun { start: Some(Box::new(start)), kind: Some(kind.clone()), ..Begun::default() })
}

fn event(written: &At<'_>, definition: &Definition, at: Instant) -> Option<Begun> {
    let fields = written.fields(&schema::EVENT)?;
    let known: BTreeSet<&str> = definition.starts.events.iter().map(|start| start.event.as_str()).collect();
    let name = match (fields.get("name"), known.first()) {
        (Some(at), _) => {
            let name = at.text()?;
            if !known.contains(name) {
                return names::unknown(&at, "unknown_event", "trigger of an event", name, known);
            }
            name
        }
        (None, Some(name)) if known.len() == 1 && !fields.has("name") => name,
        (None, Some(_)) => return fields.require("name").and(None),
        (None, None) => {
            let help = "give it `triggers: [{ event: { name: …, type: … } }]`, or leave this out";
            return written.refuse_with("not_startable", "no event starts a case of the workflow", help);
        }
    };
    let declared = definition.events.get(name)?;
    let mut carried = Values::new();
    for (key, at) in fields.get("with").and_then(|at| at.names()).unwrap_or_default() {
        let Some(kind) = declared.get(&key.text) else {
            names::unknown_key(key, &at, "field of the event", declared.keys().map(String::as_str));
            return None;
        };
        let inner = if let Type::Optional(inner) = kind { inner } else { kind };
        carried.insert(key.text.clone(), literal(&at, inner, definition.currency)?);
    }
    let lacks = |(name, kind): &(&String, &Type)| !matches!(kind, Type::Optional(_)) && !carried.contains_key(*name);
    if let Some((name, kind)) = declared.iter().find(lacks) {
        return written.refuse("missing_input", format!("the event does not carry `{name}` ({kind})"));
    }
    let event = Arrived { name: name.to_owned(), at, fields: carried };
    let external = External { source: format!("{EVENT_SOURCE}test"), id: "1".to_owned() };
    match opens(definition, &event, &external, Digest::of(b"test")) {
        Ok(Some(open)) => {
            let (kind, start) = (Some(open.kind.clone()), open.start.clone());
            Some(Begun { kind, start, open: Some(Box::new(open)), ..Begun::default() })
        }
        Ok(None) => {
            let help = "no trigger `event` of the workflow matches what it carries";
            written.refuse_with("event_not_wanted", "the event opens no case", help)
        }
        Err(rejection) => written.refuse(rejection.code, rejection.message),
    }
}

fn allowed(at: &At<'_>, manual: &Manual) -> Option<String> {
    let role = at.text()?;
    if manual.roles.contains(role) {
        return Some(role.to_owned());
    }
    let message = format!("a key of role `{role}` may not start the workflow");
    names::unlike(at, "not_allowed", message, role, manual.roles.iter().map(String::as_str))
}

fn inputs(written: &At<'_>, declared: &BTreeMap<String, CallInput>, definition: &Definition) -> Option<Values> {
    let mut inputs = Values::new();
    for (key, at) in written.names()? {
        let Some(input) = declared.get(&key.text) else {
            names::unknown_key(key, &at, "input", declared.keys().map(String::as_str));
            return None;
        };
        inputs.insert(key.text.clone(), literal(&at, &input.kind, definition.currency)?);
    }
    complete(written, declared, inputs)
}

fn none(at: &At<'_>, declared: &BTreeMap<String, CallInput>) -> Option<Values> {
    complete(at, declared, Values::new())
}

fn complete(at: &At<'_>, declared: &BTreeMap<String, CallInput>, inputs: Values) -> Option<Values> {
    let lacks = |(name, input): &(&String, &CallInput)| input.required && !inputs.contains_key(*name);
    match declared.iter().find(lacks) {
        Some((name, input)) => at.refuse("missing_input", format!("the input `{name}` is missing ({})", input.kind)),
        None => Some(inputs),
    }
}
