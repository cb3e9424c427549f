//! The interpreter: one turn of a case. Pure: `advance` answers with a question to a plugin or with the decision.
//!
//! ```text
//! begin(definition, case, input) ─► Run ─► advance ─► Ask ─► (the sandbox answers) ─► advance ─► ... ─► Decision
//! ```
//!
//! Nothing is stored between the questions of a turn: a crash is a turn that never happened.

mod age;
mod answer;
mod begin;
mod call;
mod choose;
mod claim;
mod contradicted;
mod defer;
mod effects;
mod events;
mod fail;
mod finish;
mod gather;
mod goods;
mod http;
mod lanes;
mod message;
mod migrate;
mod names;
pub mod needs;
pub mod offers;
mod pay;
mod resend;
mod reserve;
mod review;
pub mod route;
mod sense;
pub mod shapes;
mod sla;
pub mod start;
mod subcase;
mod swap;
mod table;
mod tasks;
mod unbook;
mod undelivered;
mod undo;
mod wait;

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Serialize;

use crate::ask::{Answered, Ask, Asked};
use crate::case::command::{Command, Rejection, Timer};
use crate::case::entry::Entry;
use crate::case::evolve::{self, Stamp};
use crate::case::lane::{LaneId, Place};
use crate::case::{About, Case, Effect, Retry, Task, What};
use crate::clock::Instant;
use crate::decision::{CONDITIONS_MAX, Condition, Decision, Taken, Turn, Work};
use crate::facts::{Facts, LedgerAt};
use crate::ids::{CaseId, Digest, OrderId, Slug, TaskId, TenantId};
use crate::value::Value;
use crate::verdict::Reason;
use crate::workflow::calendar::delay::Delay;
use crate::workflow::definition::{Definition, Kind, Step};
use crate::workflow::expr::{Context, EvalError, Expr};
use names::Names;

/// Most steps in one turn; beyond it the run is committed and goes on in another turn, so that no turn is unbounded.
pub const STEPS_MAX: u32 = 256;
/// Most questions in one turn.
pub const ASKS_MAX: usize = 32;
/// Steps that one expression may take in evaluation.
pub const EXPRESSION_STEPS_MAX: u32 = 10_000;

/// Everything that a turn needs beside the definition and the case.
#[derive(Debug, Clone)]
pub struct Input {
    /// The merchant.
    pub tenant: TenantId,
    /// What is to happen.
    pub command: Command,
    /// What was read beside the case.
    pub facts: Facts,
    /// The law that applies, as `CN`, `EU`, `UK`.
    pub jurisdiction: String,
    /// Id and number for a case that is opened; unused otherwise.
    pub opening: Option<(CaseId, String)>,
}

/// How far a turn got.
#[derive(Debug)]
pub enum Progress {
    /// A plugin must answer before the turn goes on.
    Ask(Box<Run>),
    /// The turn is decided.
    Decided(Box<Decision>),
}

/// A turn under way.
#[derive(Debug)]
pub struct Run {
    case: Option<Case>,
    stamp: Stamp,
    input: Input,
    /// The command by which one that was kept was taken up; the input is then the one that was kept.
    taken_up_by: Option<Command>,
    entries: Vec<Entry>,
    asks: Vec<Asked>,
    conditions: Vec<Condition>,
    ask: Option<Ask>,
    ledgers: BTreeMap<OrderId, Taken>,
    work: Vec<Work>,
    names: Names,
    /// The lane that the run is in.
    lane: LaneId,
    /// The lane that the last entry was of.
    marked: LaneId,
    /// How often the case had come back to the step that was entered last.
    round: u32,
    /// What is next in that lane.
    next: Option<Slug>,
    /// What is next in the other lanes that can go on.
    ready: BTreeMap<LaneId, Slug>,
    steps: u32,
    tasks_minted: u32,
    resume: bool,
    /// Whether the case had ended before this turn.
    was_closed: bool,
    path: Vec<Slug>,
}

/// Where a step leads.
enum Flow {
    /// To the step that follows.
    Next,
    /// To this step.
    To(Slug),
    /// Nowhere in this turn: the case waits or has ended.
    Stop,
    /// To a plugin first.
    Ask(Box<Ask>),
}

/// Why a step could not do what it does. It leads to `on_error`, or to a task.
#[derive(Debug, Clone, PartialEq)]
struct StepError {
    code: String,
    detail: String,
    /// What a plugin gave as reasons why it could not decide.
    reasons: Vec<Reason>,
}

impl StepError {
    fn new(code: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { code: code.into(), detail: detail.into(), reasons: Vec::new() }
    }
}

/// Begin a turn: take the command in. A rejection changes nothing.
///
/// # Errors
/// The rules refuse the command: a task that is not open, an event that is not declared, a closed case.
pub fn begin(definition: Option<&Definition>, case: Option<Case>, input: Input) -> Result<Run, Rejection> {
    begin::begin(definition, case, input)
}

/// Keep a command for later instead of doing what it says: the revision of the case is on hold.
///
/// # Errors
/// The rules refuse the command, as they would now.
pub fn defer(definition: Option<&Definition>, case: Case, input: Input) -> Result<Run, Rejection> {
    defer::defer(definition, case, input)
}

/// Begin the turn that moves a case from one revision to another, with which it goes on: `advance` is given the new one.
///
/// # Errors
/// The case cannot be moved; nothing was changed.
pub fn migrate(old: &Definition, new: &Definition, case: Case, input: Input) -> Result<Run, Rejection> {
    migrate::begin(old, new, case, input)
}

/// Go on with a turn until it needs a plugin or is decided. `answered` is the answer to the question that the run holds.
pub fn advance(definition: Option<&Definition>, mut run: Box<Run>, answered: Option<Answered>) -> Progress {
    if let Some(definition) = definition {
        if let (Some(ask), Some(answered)) = (run.ask.take(), answered) {
            let step = definition.step(ask.step.as_str());
            run.asks.push(Asked { ask: ask.clone(), answered: answered.clone() });
            if let Some(step) = step {
                let flow = call::answered(&mut run, definition, step, &ask, answered);
                run.follow(definition, step, flow);
            }
        }
        run.walk(definition);
    }
    if run.ask.is_some() { Progress::Ask(run) } else { Progress::Decided(Box::new(run.decide())) }
}

impl Run {
    /// The question that waits for an answer.
    pub fn question(&self) -> Option<&Ask> {
        self.ask.as_ref()
    }

    /// The case as it stands in the run.
    pub fn case(&self) -> &Case {
        // `begin` opens the case before anything else can read it.
        self.case.as_ref().expect("a run has a case")
    }

    /// What was read beside the case, as this turn has left it so far: units that a declined exchange or refund gave back a moment
    /// ago are the case's again.
    pub fn facts(&self) -> Cow<'_, Facts> {
        if self.ledgers.is_empty() {
            return Cow::Borrowed(&self.input.facts);
        }
        let mut facts = self.input.facts.clone();
        for (order, Taken { version, ledger }) in &self.ledgers {
            facts.ledgers.insert(order.clone(), LedgerAt { version: *version, ledger: Some(ledger.clone()) });
        }
        facts.own.clone_from(&self.case().reserved);
        Cow::Owned(facts)
    }

    fn walk(&mut self, definition: &Definition) {
        while self.ask.is_none() {
            let Some(id) = self.next.take().or_else(|| self.turn_to_next_lane()) else { return };
            if self.steps == STEPS_MAX || self.asks.len() == ASKS_MAX {
                self.emit(Entry::Paused { step: id });
                self.resume = true;
                return;
            }
            self.steps += 1;
            // A step that a revision names is in it: the checker saw to that.
            let Some(step) = definition.step(id.as_str()) else { return };
            let flow = self.enter(definition, step);
            self.follow(definition, step, flow);
        }
    }

    /// Each lane goes as far as it can before the next one does.
    fn turn_to_next_lane(&mut self) -> Option<Slug> {
        let (lane, step) = self.ready.pop_first()?;
        self.turn_to(&lane);
        Some(step)
    }

    /// Go on in this lane: what is asked, recorded and computed from here on is of it.
    fn turn_to(&mut self, lane: &LaneId) {
        self.lane = lane.clone();
        if let Some(case) = &self.case {
            self.names.turn_to(lane, case);
        }
    }

    fn enter(&mut self, definition: &Definition, step: &Step) -> Result<Flow, StepError> {
        self.round = self.rounds(definition, &step.id);
        if let Some(when) = &step.when
            && !self.holds(definition, step, when)?
        {
            self.emit(Entry::Skipped { step: step.id.clone() });
            return Ok(Flow::Next);
        }
        self.path.push(step.id.clone());
        let flow = match &step.kind {
            Kind::Call { plugin, with } => call::enter(self, definition, step, plugin, with),
            Kind::Decide { arms } => choose::decide(self, definition, step, arms),
            Kind::Table(table) => table::enter(self, definition, step, table),
            Kind::Set { assignments } => choose::set(self, definition, assignments),
            Kind::Approve { lines, until } => reserve::enter(self, definition, step, lines, *until),
            Kind::Review(review) | Kind::Inspect(review) => review::enter(self, definition, step, review),
            Kind::Await { remind, timeout, .. } => wait::enter_await(self, definition, step, remind, timeout),
            Kind::Wait(until) => wait::enter(self, definition, step, until),
            Kind::Refund { amount, method, reason } => {
                pay::enter(self, definition, step, amount, method, reason.as_ref())
            }
            Kind::Restock(restock) => goods::restock(self, definition, step, restock),
            Kind::Notify(notify) => goods::notify(self, definition, step, notify),
            Kind::Http(request) => http::enter(self, definition, step, request),
            Kind::Exchange(exchange) => swap::enter(self, definition, step, exchange),
            Kind::Run(sub) => subcase::enter(self, definition, step, sub),
            Kind::Undo(which) => undo::enter(self, step, which),
            Kind::Parallel(parallel) => Ok(lanes::parallel(self, step, parallel)),
            Kind::ForEach(each) => lanes::for_each(self, definition, step, each),
            Kind::Again { to, max_visits } => Ok(choose::again(self, step, to, *max_visits)),
            Kind::Finish { result } => Ok(finish::finish(self, result)),
            Kind::Fail { code } => Ok(finish::fail(self, code)),
        };
        undo::registered(self, definition, step, flow)
    }

    /// Go where a step leads, or where its failure leads.
    fn follow(&mut self, definition: &Definition, step: &Step, flow: Result<Flow, StepError>) {
        let flow = flow.unwrap_or_else(|error| fail::failed(self, step, error));
        match flow {
            Flow::Next => {
                self.next =
                    step.then.clone().or_else(|| definition.after(step.id.as_str()).map(|after| after.id.clone()));
                if self.next.is_none() {
                    lanes::ended(self, definition);
                }
            }
            Flow::To(id) => self.next = Some(id),
            Flow::Stop => self.next = None,
            Flow::Ask(ask) => self.ask = Some(*ask),
        }
    }

    /// Record a fact of the lane that the run is in; the case changes at once, so that later steps see it.
    fn emit(&mut self, entry: Entry) {
        if self.marked != self.lane {
            self.marked = self.lane.clone();
            self.record(Entry::LaneEntered { lane: self.lane.clone() });
        }
        self.record(entry);
    }

    fn record(&mut self, entry: Entry) {
        // The interpreter only makes entries that follow from the case it holds.
        evolve::apply(&mut self.case, &entry, self.stamp).expect("an entry follows from the case");
        self.names.changed(&entry, self.case.as_ref());
        self.entries.push(entry);
    }

    fn value(&self, definition: &Definition, expr: &Expr) -> Result<Value, StepError> {
        let missing = || StepError::new("expression_missing", format!("`{}` is missing", expr.source()));
        self.value_or_absent(definition, expr)?.ok_or_else(missing)
    }

    fn value_or_absent(&self, definition: &Definition, expr: &Expr) -> Result<Option<Value>, StepError> {
        let mut context =
            Context { zone: definition.zone, currency: definition.currency, steps_left: EXPRESSION_STEPS_MAX };
        expr.evaluate_optional(&self.names, &mut context).map_err(|error| failed(expr, &error))
    }

    /// Whether a condition of a step holds; what decided it is kept with the turn.
    fn holds(&mut self, definition: &Definition, step: &Step, expr: &Expr) -> Result<bool, StepError> {
        let mut context =
            Context { zone: definition.zone, currency: definition.currency, steps_left: EXPRESSION_STEPS_MAX };
        let explained = expr.explain(&self.names, &mut context);
        match explained.value.map_err(|error| failed(expr, &error))? {
            Some(Value::Bool(holds)) => {
                if self.conditions.len() < CONDITIONS_MAX {
                    self.conditions.push(Condition::new(&step.id, expr.source(), holds, explained.leaves));
                }
                Ok(holds)
            }
            other => {
                let kind = other.as_ref().map_or("absent", Value::kind);
                Err(StepError::new("expression_type", format!("`{}` is not yes or no but {kind}", expr.source())))
            }
        }
    }

    fn now(&self) -> Instant {
        self.stamp.at
    }

    /// When what the turn is about happened: now, or earlier where it was kept.
    fn came_at(&self) -> Instant {
        if self.taken_up_by.is_some() { self.input.command.occurred_at } else { self.now() }
    }

    fn history(&self) -> bool {
        self.case().history
    }

    /// The id of a task follows from case, turn and place, so that a replay mints the same.
    fn mint_task(&mut self) -> TaskId {
        self.tasks_minted += 1;
        let named = Digest::of(&crate::codec::encode(&(self.case().id, self.stamp.turn, self.tasks_minted)));
        let bits = named.bytes().first_chunk::<16>().copied().map_or(0, u128::from_be_bytes);
        TaskId::mint(self.input.command.recorded_at, bits)
    }

    /// Stop at a step until something from outside ends the wait.
    fn stay(&mut self, step: &Slug) -> Flow {
        self.stay_until(step, None)
    }

    /// The same, for as long as the document says: elapsed time, or business time by its calendar.
    fn stay_for(&mut self, definition: &Definition, step: &Slug, delay: Option<Delay>) -> Flow {
        let until = delay.map(|delay| self.due(definition, delay));
        self.wait(step, until, version(definition, delay))
    }

    /// When something is over that begins now.
    fn due(&self, definition: &Definition, delay: Delay) -> Instant {
        delay.after(self.now(), definition.calendar.as_deref())
    }

    fn stay_until(&mut self, step: &Slug, until: Option<Instant>) -> Flow {
        self.wait(step, until, None)
    }

    fn wait(&mut self, step: &Slug, until: Option<Instant>, holidays: Option<Digest>) -> Flow {
        self.emit(Entry::WaitBegan { step: step.clone(), until, holidays });
        if let Some(due) = until {
            let timer = Timer::Wait { step: step.clone(), since: self.stamp.turn, lane: self.lane.clone() };
            self.work.push(Work::Timer { due, timer });
        }
        Flow::Stop
    }

    /// How often ways back have led through this step, in the lane that the run is in.
    fn rounds(&self, definition: &Definition, step: &Slug) -> u32 {
        let around = std::iter::successors(Some(self.lane.clone()), |lane| Some(lane.parent()?.0));
        let keys: Vec<LaneId> = around.collect();
        let taken = |again: &Slug| {
            let visits = |lane: &LaneId| self.case().visits.get(&lane.key(again.as_str())).copied();
            keys.iter().find_map(visits).unwrap_or(0)
        };
        let through = definition.ways_back.iter().filter(|(_, passed)| passed.contains(step));
        through.map(|(again, _)| taken(again)).sum()
    }

    /// An effect of a step that is to leave, in the lane and the round that the run is in.
    fn intended(&self, step: &Slug, what: What, retry: Option<Retry>) -> Effect {
        Effect { lane: self.lane.clone(), round: self.round, ..Effect::intended(step.clone(), what, retry) }
    }

    /// The key of an effect: minted at its first intent, without attempt and without revision. An iteration and a round have keys
    /// of their own.
    fn effect_key(&self, step: &Slug, leg: impl Serialize, kind: &str) -> Digest {
        const OUTSIDE_LOOPS: u32 = 0;
        let (tenant, case, iteration) = (self.input.tenant, self.case().id, self.lane.iteration());
        Digest::of(&if self.round > 0 {
            crate::codec::encode(&(tenant, case, step, (iteration, self.round), leg, kind))
        } else if iteration.is_main() {
            crate::codec::encode(&(tenant, case, step, OUTSIDE_LOOPS, leg, kind))
        } else {
            crate::codec::encode(&(tenant, case, step, iteration, leg, kind))
        })
    }

    /// Whether the lane waits at this step, and has done so since this turn.
    fn waits_since(&self, step: &Slug, since: u64) -> bool {
        matches!(self.case().place(&self.lane), Some(Place::Waiting { step: at, since: began, .. }) if at == *step && began == since)
    }

    /// Whether the lane waits at this step for what the step waits for, and not for a person to say how its failure ends.
    fn awaits(&self, step: &Slug) -> bool {
        let failed = |task: &Task| {
            task.lane == self.lane && matches!(&task.about, About::Failure { step: at, .. } if at == step)
        };
        let waits = matches!(self.case().place(&self.lane), Some(Place::Waiting { step: at, .. }) if at == *step);
        waits && !self.case().tasks.values().any(failed)
    }

    fn decide(mut self: Box<Self>) -> Decision {
        if self.entries.is_empty() {
            self.emit(Entry::Ignored {
                what: self.input.command.body.name().to_owned(),
                why: "nothing to do".to_owned(),
            });
        }
        subcase::tell_parent(&mut self);
        let case = self.case.take().expect("a run has a case");
        let turn = Turn {
            number: self.stamp.turn,
            at: self.stamp.at,
            command: self.taken_up_by.unwrap_or(self.input.command),
            facts: self.input.facts,
            asks: self.asks,
            conditions: self.conditions,
            entries: self.entries,
        };
        Decision { case, turn, ledgers: self.ledgers, work: self.work, resume: self.resume, path: self.path }
    }
}

fn failed(expr: &Expr, error: &EvalError) -> StepError {
    StepError::new(format!("expression_{}", error.code), format!("`{}`: {}", expr.source(), error.message))
}

/// The version of the table of holidays that a delay is counted with.
fn version(definition: &Definition, delay: Option<Delay>) -> Option<Digest> {
    delay.filter(|delay| delay.is_business()).and_then(|_| definition.calendar.as_ref()?.version())
}
