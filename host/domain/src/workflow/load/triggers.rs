//! `triggers`: what starts a case on the workflow. Read with the head, because what every trigger gives is known everywhere;
//! compiled once all names have their types.

use std::collections::{BTreeMap, BTreeSet};

use crate::ids::Slug;
use crate::value::Type;
use crate::workflow::compile::Compiler;
use crate::workflow::cron::Cron;
use crate::workflow::definition::start::{EventStart, Manual, Schedule, Starts};
use crate::workflow::definition::{CallInput, CalledBy, Required, Trigger};
use crate::workflow::diagnostic::{Diagnostic, Range, suggest};
use crate::workflow::expr::Expr;
use crate::workflow::load::document::{Head, zone_of};
use crate::workflow::load::names;
use crate::workflow::load::step::optional;
use crate::workflow::load::steps::await_event;
use crate::workflow::reader::{At, Fields};
use crate::workflow::schema;
use crate::workflow::yaml::Kind;

/// A trigger that is not compiled yet.
pub(super) struct Start<'d> {
    /// The types of case; empty for all.
    pub(super) kinds: BTreeSet<String>,
    /// What every case of it has.
    pub(super) requires: BTreeSet<Required>,
    /// Variables that have a value from the beginning.
    gives: BTreeSet<String>,
    how: How<'d>,
    at: At<'d>,
}

/// What starts the case.
enum How<'d> {
    /// It was opened, and this holds.
    Opened { when: Option<At<'d>> },
    /// Another case runs the workflow, with these inputs.
    Called { inputs: Vec<At<'d>> },
    /// Somebody in one of these roles names the workflow.
    Manual { roles: Option<BTreeSet<String>>, inputs: Vec<At<'d>> },
    /// Something happens that no case is named for.
    Event { fields: Fields<'d> },
    /// The time has come.
    Schedule { fields: Fields<'d> },
}

impl How<'_> {
    fn word(&self) -> &'static str {
        match self {
            Self::Opened { .. } => "case_opened",
            Self::Called { .. } => "called",
            Self::Manual { .. } => "manual",
            Self::Event { .. } => "event",
            Self::Schedule { .. } => "schedule",
        }
    }
}

impl Start<'_> {
    /// Whether every case of this trigger begins with a value of the variable.
    pub(super) fn gives(&self, name: &str) -> bool {
        self.gives.contains(name)
    }
}

/// The triggers as written.
pub(super) fn read<'d>(fields: &Fields<'d>) -> Vec<Start<'d>> {
    let list = fields.require("triggers").and_then(|at| {
        let list = at.list()?;
        if list.is_empty() {
            at.refuse("missing_value", "`triggers` is empty: no case would start here")
        } else {
            Some(list)
        }
    });
    let starts: Vec<Start<'_>> = list.unwrap_or_default().iter().filter_map(start).collect();
    for (word, help) in [
        ("called", "a workflow has one set of inputs"),
        ("manual", "a workflow is started by its name in one way; list all `roles` there"),
    ] {
        for second in starts.iter().filter(|start| start.how.word() == word).skip(1) {
            second.at.refuse_with::<()>("duplicate_trigger", format!("`{word}` is there twice"), help);
        }
    }
    starts
}

fn start<'d>(at: &At<'d>) -> Option<Start<'d>> {
    let trigger = at.fields(&schema::TRIGGER)?;
    let known: Vec<_> = trigger.names().filter(|key| schema::TRIGGER.field(&key.text).is_some()).collect();
    match known[..] {
        [] => trigger.require("case_opened").and(None),
        [key] => {
            let body = trigger.get(&key.text)?;
            match key.text.as_str() {
                "called" => called_start(&body, at),
                "manual" => manual_start(&body, at),
                "event" => event_start(&body, at),
                "schedule" => schedule_start(&body, at),
                _ => opened_start(&body, at),
            }
        }
        [first, second, ..] => {
            let message = format!("a trigger is one thing, this has both `{}` and `{}`", first.text, second.text);
            let found = Diagnostic::new("two_kinds", second.range, message).help("make it two triggers");
            trigger.at().report(found)
        }
    }
}

fn opened_start<'d>(body: &At<'d>, at: &At<'d>) -> Option<Start<'d>> {
    let fields = body.fields(&schema::CASE_OPENED)?;
    let kinds = fields.get("type").map(|at| at.one_or_many()).unwrap_or_default();
    Some(Start {
        kinds: kinds.iter().filter_map(At::slug).map(|kind| kind.as_str().to_owned()).collect(),
        requires: required(&fields),
        gives: BTreeSet::new(),
        how: How::Opened { when: fields.get("when") },
        at: at.clone(),
    })
}

fn called_start<'d>(body: &At<'d>, at: &At<'d>) -> Option<Start<'d>> {
    let fields = body.fields(&schema::CALLED)?;
    let (inputs, gives) = inputs_of(&fields);
    let (kinds, requires, how) = (BTreeSet::new(), required(&fields), How::Called { inputs });
    Some(Start { kinds, requires, gives, how, at: at.clone() })
}

fn manual_start<'d>(body: &At<'d>, at: &At<'d>) -> Option<Start<'d>> {
    let fields = body.fields(&schema::MANUAL)?;
    let roles = fields.require("roles").and_then(|at| roles(&at));
    let (inputs, gives) = inputs_of(&fields);
    let (kinds, requires, how) = (one_kind(&fields), required(&fields), How::Manual { roles, inputs });
    Some(Start { kinds, requires, gives, how, at: at.clone() })
}

fn event_start<'d>(body: &At<'d>, at: &At<'d>) -> Option<Start<'d>> {
    let fields = body.fields(&schema::EVENT_START)?;
    let parts = [("order", Required::Order), ("customer", Required::Customer), ("reason", Required::Reason)];
    let requires = parts.into_iter().filter(|(name, _)| fields.has(name)).map(|(_, part)| part).collect();
    let set = fields.get("set").and_then(|at| at.names()).unwrap_or_default();
    let gives = set.iter().map(|(key, _)| key.text.clone()).collect();
    Some(Start { kinds: one_kind(&fields), requires, gives, how: How::Event { fields }, at: at.clone() })
}

fn schedule_start<'d>(body: &At<'d>, at: &At<'d>) -> Option<Start<'d>> {
    let fields = body.fields(&schema::SCHEDULE)?;
    let (requires, gives) = (BTreeSet::new(), BTreeSet::new());
    Some(Start { kinds: one_kind(&fields), requires, gives, how: How::Schedule { fields }, at: at.clone() })
}

/// The one type of case that a trigger opens.
fn one_kind(fields: &Fields<'_>) -> BTreeSet<String> {
    let kind = fields.require("type").and_then(|at| at.slug());
    kind.into_iter().map(|kind| kind.as_str().to_owned()).collect()
}

fn roles(at: &At<'_>) -> Option<BTreeSet<String>> {
    let (mut roles, mut complete) = (BTreeSet::new(), true);
    let written = at.one_or_many();
    if written.is_empty() && matches!(at.node().kind, Kind::List(_)) {
        return at.refuse("missing_value", "`roles` is empty: nobody could start a case");
    }
    for at in written {
        match at.choice(schema::STARTERS) {
            Some(role) if !roles.insert(role.to_owned()) => {
                at.refuse::<()>("duplicate_word", format!("`{role}` is there twice"));
            }
            Some(_) => {}
            None => complete = false,
        }
    }
    complete.then_some(roles)
}

/// The names of variables that are given, as written, and those of them that are names.
fn inputs_of<'d>(fields: &Fields<'d>) -> (Vec<At<'d>>, BTreeSet<String>) {
    let written = fields.get("inputs").and_then(|at| at.list()).unwrap_or_default();
    let name = |at: &At<'_>| if let Kind::Scalar(scalar) = &at.node().kind { Some(scalar.text.clone()) } else { None };
    let names = written.iter().filter_map(name).collect();
    (written, names)
}

fn required(fields: &Fields<'_>) -> BTreeSet<Required> {
    let written = fields.get("requires").and_then(|at| at.list()).unwrap_or_default();
    let part = |at: &At<'_>| {
        at.choice(schema::REQUIRED).map(|word| match word {
            "order" => Required::Order,
            "reason" => Required::Reason,
            "customer" => Required::Customer,
            _ => Required::Lines,
        })
    };
    written.iter().filter_map(part).collect()
}

/// Compile the triggers that look at what is opened.
pub(super) fn opened(head: &Head<'_>) -> Option<Vec<Trigger>> {
    let compiled = |start: &Start<'_>| {
        let How::Opened { when } = &start.how else { return None };
        let when = match when {
            Some(at) => names::at_trigger(head, start).condition(at).map(Some),
            None => Some(None),
        };
        Some(when.map(|when| Trigger { kinds: start.kinds.clone(), when, requires: start.requires.clone() }))
    };
    let all: Vec<_> = head.triggers.iter().filter_map(compiled).collect();
    all.into_iter().collect()
}

/// How the workflow runs as a sub-case, where it does.
pub(super) fn called(head: &Head<'_>) -> Option<Option<CalledBy>> {
    let mut called = Some(None);
    for start in &head.triggers {
        let How::Called { inputs } = &start.how else { continue };
        let inputs = given(inputs, head);
        called = called.and(inputs).map(|inputs| Some(CalledBy { inputs, requires: start.requires.clone() }));
    }
    called
}

/// The triggers that start a case by the workflow's name.
pub(super) fn by_name(head: &Head<'_>) -> Option<Starts> {
    let (mut starts, mut complete) = (Starts::default(), true);
    for start in &head.triggers {
        let done = match &start.how {
            How::Opened { .. } | How::Called { .. } => Some(()),
            How::Manual { roles, inputs } => {
                manual(start, roles.as_ref(), inputs, head).map(|manual| starts.manual = Some(manual))
            }
            How::Schedule { fields } => schedule(start, fields, head, &mut starts.schedules),
            How::Event { fields } => event(start, fields, head).map(|event| starts.events.push(event)),
        };
        complete &= done.is_some();
    }
    complete.then_some(starts)
}

fn manual(start: &Start<'_>, roles: Option<&BTreeSet<String>>, inputs: &[At<'_>], head: &Head<'_>) -> Option<Manual> {
    let inputs = given(inputs, head);
    let kind = start.kinds.first().and_then(|kind| Slug::new(kind).ok());
    Some(Manual { roles: roles?.clone(), kind: kind?, requires: start.requires.clone(), inputs: inputs? })
}

fn event(start: &Start<'_>, fields: &Fields<'_>, head: &Head<'_>) -> Option<EventStart> {
    let (name, carried) = fields.require("name").and_then(|at| await_event::event(&at, head))?;
    let compiler = names::at_event(head, carried);
    let text = |field: &str| optional(fields.get(field), |at| compiler.value(at, &Type::Text));
    let matches = optional(fields.get("match"), |at| await_event::matches(at, name, carried, &names::at_start(head)));
    let (order, customer, reason) = (text("order"), text("customer"), text("reason"));
    let set = set(fields, head, &compiler);
    let kind = start.kinds.first().and_then(|kind| Slug::new(kind).ok());
    Some(EventStart {
        event: name.to_owned(),
        matches: matches?.unwrap_or_default(),
        kind: kind?,
        order: order?,
        customer: customer?,
        reason: reason?,
        set: set?,
    })
}

/// A schedule, put beside those before it.
fn schedule(start: &Start<'_>, fields: &Fields<'_>, head: &Head<'_>, others: &mut Vec<Schedule>) -> Option<()> {
    let cron = fields.require("cron").and_then(|at| match Cron::parse(at.text()?) {
        Ok(cron) => Some(cron),
        Err(fault) => at.report_inside(Diagnostic::new("bad_schedule", fault.range, fault.message).help(fault.help)),
    });
    let zone = match fields.get("zone") {
        Some(at) => zone_of(&at),
        None if fields.has("zone") => None,
        None => head.calendar.get().map(|calendar| calendar.zone).or(head.zone),
    };
    let kind = start.kinds.first().and_then(|kind| Slug::new(kind).ok());
    let schedule = Schedule { cron: cron?, zone: zone?, kind: kind? };
    if others.contains(&schedule) {
        let help = "one of them is enough: each time opens one case";
        return start.at.refuse_with("duplicate_trigger", "this `schedule` is there twice", help);
    }
    if others.len() >= schema::SCHEDULES_MAX {
        let message = format!("a workflow has at most {} schedules", schema::SCHEDULES_MAX);
        return start.at.refuse_with("too_large", message, "several times of a day fit in one, as `0 9,17 * * *`");
    }
    others.push(schedule);
    Some(())
}

/// What variables begin with, each of its type.
fn set(fields: &Fields<'_>, head: &Head<'_>, compiler: &Compiler) -> Option<BTreeMap<String, Expr>> {
    let (mut set, mut complete) = (BTreeMap::new(), true);
    for (key, at) in fields.get("set").and_then(|at| at.names()).unwrap_or_default() {
        let value = variable(&key.text, key.range, &at, head).and_then(|kind| compiler.value(&at, &kind));
        complete &= value.is_some();
        set.extend(value.map(|value| (key.text.clone(), value)));
    }
    complete.then_some(set)
}

/// Variables that are given from outside.
fn given(written: &[At<'_>], head: &Head<'_>) -> Option<BTreeMap<String, CallInput>> {
    let (mut by_name, mut complete) = (BTreeMap::new(), true);
    for at in written {
        match input(at, head) {
            Some((name, _)) if by_name.contains_key(&name) => {
                at.refuse::<()>("duplicate_word", format!("`{name}` is given twice"));
            }
            Some((name, input)) => drop(by_name.insert(name, input)),
            None => complete = false,
        }
    }
    complete.then_some(by_name)
}

fn input(at: &At<'_>, head: &Head<'_>) -> Option<(String, CallInput)> {
    let name = at.text()?;
    let kind = variable(name, at.place(), at, head)?;
    let required = head.vars.get(name)?.default.is_none() && !matches!(kind, Type::Optional(_));
    Some((name.to_owned(), CallInput { kind, required }))
}

/// The type of the variable that is named here.
fn variable(name: &str, range: Range, at: &At<'_>, head: &Head<'_>) -> Option<Type> {
    if let Some(declared) = head.vars.get(name) {
        return declared.kind.clone();
    }
    let help = match suggest(name, head.vars.keys().map(String::as_str)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("declare it, as `vars: {{ {name}: text }}`"),
    };
    at.report(Diagnostic::new("unknown_variable", range, format!("there is no variable `{name}`")).help(help))
}
