//! Taking a command in: what it changes at once, and at which step the run goes on.

use std::collections::BTreeMap;

use super::names::Names;
use super::{
    Input, Run, StepError, age, claim, defer, events, fail, finish, resend, reserve, route, sla, start, subcase, tasks,
    wait,
};
use crate::case::command::{Body, Complete, Open, Rejection, Timer};
use crate::case::entry::{Entry, Opened};
use crate::case::evolve::{self, Stamp};
use crate::case::lane::{LaneId, Place};
use crate::case::{About, Case, LINES_MAX, Task};
use crate::clock::Instant;
use crate::value::{Fields, Type, Value};
use crate::verdict::Reason;
use crate::workflow::definition::{Definition, Variable};

pub(super) fn begin(definition: Option<&Definition>, case: Option<Case>, input: Input) -> Result<Run, Rejection> {
    let body = input.command.body.clone();
    let mut run = run_of(definition, case, input);
    match (&body, run.case.is_some()) {
        (Body::Open(_), true) => return Err(Rejection::new("case_open", "the case is open already")),
        (Body::Open(open), false) => opened(&mut run, definition, open)?,
        (_, false) => return Err(Rejection::new("case_not_found", "there is no such case")),
        (Body::Continue, true) if defer::is_next(&run) => return Ok(defer::take_up(definition, run)),
        (body, true) => {
            load(&mut run);
            command(&mut run, definition, body)?;
        }
    }
    Ok(run)
}

/// A turn in which nothing has happened yet.
pub(super) fn run_of(definition: Option<&Definition>, case: Option<Case>, input: Input) -> Run {
    let turn = case.as_ref().map_or(1, |case| case.turn + 1);
    let at = business_time(case.as_ref(), &input);
    let was_closed = case.as_ref().is_some_and(Case::is_closed);
    Run {
        stamp: Stamp { at, turn },
        names: Names::new(definition, at),
        case,
        input,
        taken_up_by: None,
        entries: Vec::new(),
        asks: Vec::new(),
        conditions: Vec::new(),
        ask: None,
        ledgers: Default::default(),
        work: Vec::new(),
        lane: LaneId::main(),
        marked: LaneId::main(),
        round: 0,
        next: None,
        ready: Default::default(),
        steps: 0,
        tasks_minted: 0,
        resume: false,
        path: Vec::new(),
        was_closed,
    }
}

/// Business time never lies before the case's last entry. A run that was cut goes on in the time that it was cut in: whether
/// it went on at once or after a crash must not show in what it decides.
fn business_time(case: Option<&Case>, input: &Input) -> Instant {
    match case {
        Some(case) if input.command.body == Body::Continue && case.is_cut() => case.changed_at,
        Some(case) => case.changed_at.max(input.command.occurred_at),
        None => input.command.occurred_at,
    }
}

pub(super) fn load(run: &mut Run) {
    if let Some(case) = &run.case {
        run.names.load(case, &run.input.facts);
    }
}

pub(super) fn command(run: &mut Run, definition: Option<&Definition>, body: &Body) -> Result<(), Rejection> {
    let ended = match body {
        // What became of money is asked and answered beyond the end of the case.
        Body::Complete(Complete { task, .. }) | Body::Claim(task) | Body::Release(task) => {
            !tasks::is_of_effect(run, *task)
        }
        body => *body == Body::Cancel,
    };
    if run.case().is_closed() && ended {
        return Err(Rejection::new("case_closed", format!("case {} is closed", run.case().number)));
    }
    match body {
        Body::Open(_) => Err(Rejection::new("case_open", "the case is open already")),
        Body::Complete(complete) => tasks::complete(run, definition, complete),
        Body::Claim(task) => claim::claim(run, *task),
        Body::Release(task) => claim::release(run, *task),
        Body::Event(event) => events::arrived(run, definition, event),
        Body::Timer(Timer::Wait { step, since, lane }) => {
            run.turn_to(lane);
            wait::timer(run, definition, step, *since);
            Ok(())
        }
        Body::Timer(Timer::Task { task }) => {
            sla::of_task(run, definition, *task);
            Ok(())
        }
        Body::Timer(Timer::Remind { step, since, lane, rest }) => {
            run.turn_to(lane);
            sla::of_wait(run, definition, step, *since, rest);
            Ok(())
        }
        Body::Timer(Timer::OpenFor) => {
            age::over(run);
            Ok(())
        }
        Body::Timer(Timer::Reservation { since }) => {
            reserve::lapsed(run, *since);
            Ok(())
        }
        Body::Settle(settle) => super::effects::settled(run, definition, settle),
        Body::SubCase(ended) => {
            subcase::ended(run, definition, ended);
            Ok(())
        }
        Body::Resend(key) => resend::asked(run, *key),
        Body::Cancel => {
            finish::cancel(run);
            Ok(())
        }
        // It needs both revisions, and begins by `migrate`.
        Body::Migrate(_) => Err(Rejection::new("internal", "a case is moved between two revisions")),
        Body::Continue => {
            go_on(run);
            Ok(())
        }
    }
}

/// Every lane that the cut left before a step is ready to enter it.
fn go_on(run: &mut Run) {
    let case = run.case();
    let lanes = std::iter::once(LaneId::main()).chain(case.lanes.keys().cloned());
    let is_running = |lane: LaneId| match case.place(&lane) {
        Some(Place::Running { step }) => Some((lane, step)),
        _ => None,
    };
    run.ready = lanes.filter_map(is_running).collect();
}

fn opened(run: &mut Run, definition: Option<&Definition>, open: &Open) -> Result<(), Rejection> {
    check(open)?;
    let (definition, refusal) = taken_by(definition, open, &run.input)?;
    let opened = first_entry(open, &run.input, definition)?;
    run.emit(Entry::Opened(Box::new(opened)));
    load(run);
    let Some(definition) = definition else {
        hold(run, refusal);
        return Ok(());
    };
    let Some(first) = definition.steps.first() else { return Ok(()) };
    age::begin(run, definition);
    if open.currency == definition.currency {
        run.next = Some(first.id.clone());
    } else {
        let detail = format!("the case is in {}, the workflow decides in {}", open.currency, definition.currency);
        let flow = fail::to_person(run, &first.id, StepError::new(fail::CURRENCY_DIFFERS, detail));
        run.follow(definition, first, Ok(flow));
    }
    Ok(())
}

/// The workflow that the case runs on. A sub-case that it cannot take is refused where somebody waits for it; where nobody does it
/// is held, so that a person sees it.
fn taken_by<'d>(
    definition: Option<&'d Definition>,
    open: &Open,
    input: &Input,
) -> Result<(Option<&'d Definition>, Option<Rejection>), Rejection> {
    if let Some(start) = &open.start {
        let definition = start::taken(definition, open, start, input)?;
        fits(open, definition)?;
        return Ok((Some(definition), None));
    }
    let Some(called) = &open.called else {
        definition.map_or(Ok(()), |definition| fits(open, definition))?;
        return Ok((definition, None));
    };
    let taken = subcase::callable(definition, called).and_then(|definition| {
        let requires = definition.called.iter().flat_map(|start| &start.requires);
        route::required(requires, open)?;
        fits(&submitted(open, Some(definition)), definition)?;
        Ok(definition)
    });
    match taken {
        Err(refusal) if called.parent.awaited => Err(refusal),
        Err(refusal) => Ok((None, Some(refusal))),
        Ok(definition) => Ok((Some(definition), None)),
    }
}

/// What a case is opened with. Of another case it takes those attributes that its own workflow knows.
fn submitted(open: &Open, definition: Option<&Definition>) -> Open {
    let mut submission = open.clone();
    // How it began is told beside it.
    submission.start = None;
    if submission.called.take().is_some()
        && let Some(definition) = definition
    {
        let (of_case, of_line) = (&definition.attributes.case, &definition.attributes.line);
        let is_known = |declared: &BTreeMap<String, Type>, name: &String, value: &Value| {
            declared.get(name).is_some_and(|kind| value.is_of(kind))
        };
        submission.attributes.retain(|name, value| is_known(of_case, name, value));
        for line in &mut submission.lines {
            line.attributes.retain(|name, value| is_known(of_line, name, value));
        }
    }
    submission
}

/// The case as it would be opened, before any workflow takes it: what triggers look at.
pub(super) fn preview(open: &Open, input: &Input) -> Result<Case, Rejection> {
    check(open)?;
    let opened = first_entry(open, input, None)?;
    let stamp = Stamp { at: input.command.occurred_at, turn: 1 };
    Ok(evolve::open(&opened, stamp))
}

fn first_entry(open: &Open, input: &Input, definition: Option<&Definition>) -> Result<Opened, Rejection> {
    let opening = input.opening.clone();
    let (id, number) = opening.ok_or_else(|| Rejection::new("internal", "the engine minted no case id"))?;
    let given = definition.map_or(Ok(Fields::new()), |definition| start::gives(definition, open))?;
    let vars = definition.map(|definition| {
        let with_default = |(name, variable): (&String, &Variable)| Some((name.clone(), variable.default.clone()?));
        let inputs = open.called.iter().flat_map(|called| called.inputs.clone());
        definition.vars.iter().filter_map(with_default).chain(inputs).chain(given).collect()
    });
    Ok(Opened {
        id,
        number,
        channel: input.command.channel.clone(),
        workflow: definition.map(|definition| definition.workflow.clone()),
        revision: definition.map(|definition| definition.revision),
        vars: vars.unwrap_or_default(),
        submission: submitted(open, definition),
        parent: open.called.as_ref().map(|called| called.parent.clone()),
        started: open.start.as_ref().map(|start| start.by.kept()),
    })
}

/// No workflow took the case: a person must see it.
fn hold(run: &mut Run, refusal: Option<Rejection>) {
    run.emit(Entry::Held);
    let (opened_at, imported, id) = (run.now(), run.history(), run.mint_task());
    let title = format!("No workflow takes case {}", run.case().number);
    let task = Task {
        about: About::Unrouted,
        queue: "unrouted".to_owned(),
        title: refusal.as_ref().map_or(title.clone(), |refusal| format!("{title}: {}", refusal.message)),
        opened_at,
        reasons: vec![Reason::code(refusal.map_or("unrouted", |refusal| refusal.code))],
        imported,
        assignee: None,
        lane: run.lane.clone(),
        deadline: None,
        proposal: None,
    };
    run.emit(Entry::TaskOpened { id, task: Box::new(task) });
}

fn check(open: &Open) -> Result<(), Rejection> {
    if open.lines.len() > LINES_MAX {
        let message = format!("a case has at most {LINES_MAX} lines, found {}", open.lines.len());
        return Err(Rejection { code: "too_many_lines", message, fields: vec!["lines".to_owned()] });
    }
    match open.lines.iter().position(|line| line.quantity == 0) {
        Some(line) => Err(Rejection {
            code: "quantity_zero",
            message: format!("line {line} asks for no units"),
            fields: vec![format!("lines[{line}].quantity")],
        }),
        None => Ok(()),
    }
}

/// What the checker relied on when it read the workflow: few enough lines, and no attribute that is not declared or not of its
/// type. One that is declared may be missing, in a case of the past: an expression that reads it then fails, and a person sees the
/// case. Whoever opens a case now is told by `needs`.
fn fits(open: &Open, definition: &Definition) -> Result<(), Rejection> {
    let max = definition.limits.lines.map_or(LINES_MAX, |lines| lines as usize);
    if open.lines.len() > max {
        let message = format!("workflow {} takes cases of at most {max} lines", definition.workflow);
        return Err(Rejection { code: "too_many_lines", message, fields: vec!["lines".to_owned()] });
    }
    let (of_case, of_line) = (&definition.attributes.case, &definition.attributes.line);
    let mut wrong: Vec<String> =
        undeclared(&open.attributes, of_case).map(|name| format!("attributes.{name}")).collect();
    for (index, line) in open.lines.iter().enumerate() {
        wrong.extend(undeclared(&line.attributes, of_line).map(|name| format!("lines[{index}].attributes.{name}")));
    }
    if !wrong.is_empty() {
        let message = format!("workflow {} declares otherwise: {}", definition.workflow, wrong.join(", "));
        return Err(Rejection { code: "wrong_attributes", message, fields: wrong });
    }
    Ok(())
}

fn undeclared<'a>(given: &'a Fields, declared: &'a BTreeMap<String, Type>) -> impl Iterator<Item = &'a String> {
    let is_wrong = |(name, value): &(&String, &Value)| !declared.get(*name).is_some_and(|kind| value.is_of(kind));
    given.iter().filter(is_wrong).map(|(name, _)| name)
}
