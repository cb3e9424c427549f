//! One test, played: a store in memory, an engine on it, and a clock that stops wherever something is due.

use std::sync::Arc;

use redress_domain::case::child::{self, Child, ChildState, Ending};
use redress_domain::case::command::{Actor, ActorKind, Body, Complete, Event, Settle, Settled};
use redress_domain::case::{About, Case, EffectState, Reply, Task, What};
use redress_domain::clock::{Instant, Span};
use redress_domain::ids::{CaseId, Digest, Slug, TaskId};
use redress_domain::value::{Fields, Value};
use redress_domain::workflow::definition::Definition;
use redress_domain::workflow::expr::{Context, Expr, Roots, STEPS_MAX};
use redress_domain::workflow::run::shapes;
use redress_domain::workflow::trial::{Act, Call, Does, Given, Told, Trial};
use redress_store::error::OpenError;
use redress_store::tenant::TenantStore;
use redress_store::work::Kind;

use super::mocks::Mocks;
use super::receiver::Receiver;
use super::replay::Story;
use super::{Failure, Fault, House};
use crate::clock::{Clock, FixedClock};
use crate::engine::{self, Engine, Parts, Receipt, Submission, Target};
use crate::outbox;
use crate::outbox::bench::Bench;
use crate::outbox::connectors;

/// After the last that is played, what has left is waited for so long: as long as a receiver may take for what it accepted, and a
/// little more.
const WAITED_FOR: Span = Span::from_millis(73 * 3_600_000);

/// Why a test could not be run to its end.
#[derive(Debug, thiserror::Error)]
pub(super) enum Broken {
    /// The store in memory.
    #[error("the test's store could not be made: {0}")]
    Store(#[from] OpenError),
    /// The engine.
    #[error("the test could not be run: {0}")]
    Engine(#[from] engine::Error),
    /// The outbox.
    #[error("the test's outbox failed: {0}")]
    Outbox(#[from] outbox::Error),
    /// The receiver could not be connected.
    #[error("the test's outbox could not be connected: {0}")]
    Connect(#[from] connectors::Error),
    /// No case was opened.
    #[error("no case was opened")]
    NoCase,
    /// It goes on and on.
    #[error("the test does not come to rest: more than {0} things were due")]
    Restless(usize),
    /// All tests together take too long.
    #[error("the tests take longer than {0}: this one was not run to its end")]
    TooLong(Span),
    /// A turn computed again is another one: a fault of ours.
    #[error("turn {turn} comes out otherwise when it is computed again")]
    Replay {
        /// The turn.
        turn: u64,
    },
}

/// A test that was played to its end.
pub(super) struct Ended {
    pub(super) story: Story,
    pub(super) calls: Vec<Call>,
    /// What could not be played.
    pub(super) unplayed: Vec<Failure>,
}

/// A test under way.
pub(super) struct Stage<'t> {
    house: &'t House,
    definition: &'t Arc<Definition>,
    trial: &'t Trial,
    store: TenantStore,
    engine: Engine,
    clock: Arc<FixedClock>,
    bench: Bench,
    receiver: Receiver,
    deadline: Instant,
    /// Things that were due so far.
    rounds: usize,
}

impl<'t> Stage<'t> {
    /// Play a test to its end.
    pub(super) fn played(
        house: &'t House,
        definition: &'t Arc<Definition>,
        trial: &'t Trial,
        deadline: Instant,
    ) -> Result<Ended, Broken> {
        let mut stage = Self::set(house, definition, trial, deadline)?;
        let systems = house.beside.iter().chain([definition]).flat_map(|one| one.targets()).collect();
        stage.bench.connect(&stage.engine, &systems)?;
        for order in &trial.given.orders {
            stage.put(order)?;
        }
        let mut unplayed = Vec::new();
        let opened = stage.open(&trial.given);
        let case = match opened {
            Ok(receipt) => receipt.case,
            Err(engine::Error::Rejected(rejection)) => {
                return Err(engine::Error::Rejected(rejection).into());
            }
            Err(error) => return Err(error.into()),
        };
        stage.rest()?;
        for act in &trial.play {
            if let Some(after) = act.after {
                stage.pass(after.after(stage.clock.now(), definition.calendar.as_deref()))?;
            }
            if let Err(why) = stage.act(case, act)? {
                unplayed.push(Failure { at: act.at, what: Fault::Unplayed(why) });
                break;
            }
            stage.rest()?;
        }
        stage.wait_for_effects(case)?;
        let story = Story::read(&stage.engine, definition, case)?;
        Ok(Ended { story, calls: stage.receiver.calls, unplayed })
    }

    fn set(
        house: &'t House,
        definition: &'t Arc<Definition>,
        trial: &'t Trial,
        deadline: Instant,
    ) -> Result<Self, Broken> {
        let store = TenantStore::open_in_memory(house.record.id)?;
        let clock = Arc::new(FixedClock::at(trial.given.opened_at));
        let engine = start(house, definition, trial, &store, &clock)?;
        let bench = Bench::new(house.limits.outbox.clone());
        let receiver = Receiver::of(trial);
        Ok(Self { house, definition, trial, store, engine, clock, bench, receiver, deadline, rounds: 0 })
    }

    fn put(&self, order: &redress_domain::order::Order) -> Result<(), Broken> {
        let (sender, answer) = crossbeam_channel::bounded(1);
        self.engine.put_order(order, "test", order.id.as_str(), move |result| drop(sender.send(result)))?;
        answer.recv().unwrap_or(Err(engine::Error::Stopped))?;
        Ok(())
    }

    /// Open the case, in the role that its start is for.
    fn open(&self, given: &Given) -> Result<Receipt, engine::Error> {
        let role = given.role.clone().unwrap_or_else(|| "agent".to_owned());
        let actor = Actor { kind: ActorKind::Person, id: "test".to_owned(), role };
        let body = Body::Open(Box::new(given.open.clone()));
        self.engine.execute(Submission::new(Target::New, actor, "test", body))
    }

    fn command(&self, target: Target, body: Body, by: Option<&str>) -> Result<Receipt, engine::Error> {
        let id = by.unwrap_or("test").to_owned();
        let actor = Actor { kind: ActorKind::Person, id, role: "agent".to_owned() };
        self.engine.execute(Submission::new(target, actor, "test", body))
    }

    fn case(&self, id: CaseId) -> Result<Case, Broken> {
        self.engine.case(id)?.ok_or(Broken::NoCase)
    }

    /// Do one thing that is played, or say why it cannot be done.
    fn act(&self, id: CaseId, act: &Act) -> Result<Result<(), String>, Broken> {
        let case = self.case(id)?;
        let bodies = match &act.does {
            Does::Nothing => Ok(Vec::new()),
            Does::Cancel { .. } => Ok(vec![Body::Cancel]),
            Does::Event { name, with } => {
                let fields = self.values(&case, with);
                fields.map(|fields| vec![Body::Event(Event { name: name.clone(), fields })])
            }
            Does::Answer { step, outcome, with } => self.answer(&case, step, outcome, with).map(|body| vec![body]),
            Does::Ended { step, ending } => ended(&case, step, ending).map(|body| vec![body]),
            Does::Settle { step, outcome, told } => {
                let settle = |key: Digest| Body::Settle(settled(&case, key, *outcome, told));
                under_way(&case, step).map(|keys| keys.into_iter().map(settle).collect())
            }
        };
        let bodies = match bodies {
            Ok(bodies) => bodies,
            Err(why) => return Ok(Err(why)),
        };
        for body in bodies {
            match self.command(Target::Case(id), body, act.by.as_deref()) {
                Ok(_) => {}
                Err(engine::Error::Rejected(rejection)) => {
                    return Ok(Err(format!("it was refused: {} [{}]", rejection.message, rejection.code)));
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(Ok(()))
    }

    fn answer(
        &self,
        case: &Case,
        step: &Slug,
        outcome: &str,
        with: &std::collections::BTreeMap<String, Expr>,
    ) -> Result<Body, String> {
        let Some(task) = task_of(case, step) else {
            return Err(format!("no task of `{step}` is open, {}", stands(case)));
        };
        let form = self.values(case, with)?;
        Ok(Body::Complete(Complete { task, outcome: outcome.to_owned(), form, live: false, lines: Vec::new() }))
    }

    fn values(&self, case: &Case, with: &std::collections::BTreeMap<String, Expr>) -> Result<Fields, String> {
        let names = Names {
            case: shapes::case(case),
            vars: Value::Object(case.vars.clone()),
            now: Value::Instant(self.clock.now()),
        };
        let (zone, currency) = (self.definition.zone, self.definition.currency);
        let mut fields = Fields::new();
        for (name, expr) in with {
            let mut context = Context { zone, currency, steps_left: STEPS_MAX };
            let value = expr.evaluate(&names, &mut context).map_err(|error| format!("`{name}`: {error}"))?;
            fields.insert(name.clone(), value);
        }
        Ok(fields)
    }

    /// Let time pass; whatever is due on the way is done when it is due.
    fn pass(&mut self, until: Instant) -> Result<(), Broken> {
        loop {
            self.rest()?;
            match self.next_due()?.filter(|due| *due <= until) {
                Some(due) => self.clock.set(due.max(self.clock.now())),
                None => {
                    self.clock.set(until);
                    return self.rest();
                }
            }
        }
    }

    /// Do what is due now, until nothing is.
    fn rest(&mut self) -> Result<(), Broken> {
        loop {
            let now = self.clock.now();
            let done = self.engine.run_due(now)?;
            let (engine, receiver) = (&self.engine, &mut self.receiver);
            let pass = self.bench.pass(engine, &mut |sent| {
                // An effect without its case is one that nobody wants any more.
                let case = engine.case(sent.case).ok().flatten();
                receiver.receive(sent, case.as_ref())
            })?;
            if pass.died {
                self.engine = start(self.house, self.definition, self.trial, &self.store, &self.clock)?;
            }
            self.count(1)?;
            if done == 0 && pass.taken == 0 && self.next_due()?.is_none_or(|due| due > now) {
                return Ok(());
            }
        }
    }

    fn next_due(&self) -> Result<Option<Instant>, Broken> {
        let due = [Kind::Timer, Kind::Command, Kind::Effect, Kind::Message].map(|kind| self.engine.next_due(kind));
        let due: Vec<Option<Instant>> = due.into_iter().collect::<Result<_, _>>()?;
        Ok(due.into_iter().flatten().min())
    }

    /// Let time pass until everything that has left is settled; not for what the test settles itself, and not for ever.
    fn wait_for_effects(&mut self, case: CaseId) -> Result<(), Broken> {
        let until = self.clock.now().after(WAITED_FOR);
        loop {
            self.rest()?;
            let case = self.case(case)?;
            let waits = case
                .effects
                .values()
                .any(|effect| effect.state == EffectState::Intended && !self.receiver.tells_later(&effect.step));
            match self.next_due()?.filter(|due| waits && *due <= until) {
                Some(due) => self.clock.set(due.max(self.clock.now())),
                None => return Ok(()),
            }
        }
    }

    fn count(&mut self, rounds: usize) -> Result<(), Broken> {
        self.rounds += rounds;
        let limits = &self.house.limits.trials;
        if self.rounds > limits.rounds_max {
            return Err(Broken::Restless(limits.rounds_max));
        }
        if self.house.clock.now() > self.deadline {
            return Err(Broken::TooLong(limits.within));
        }
        Ok(())
    }
}

/// An engine on the test's store: the first one, and after a crash the next.
fn start(
    house: &House,
    definition: &Arc<Definition>,
    trial: &Trial,
    store: &TenantStore,
    clock: &Arc<FixedClock>,
) -> Result<Engine, engine::Error> {
    let mut record = house.record.clone();
    if let Some(jurisdiction) = &trial.given.jurisdiction {
        record.jurisdiction.clone_from(jurisdiction);
    }
    let engine = Engine::start(Parts {
        record,
        store: store.clone(),
        sandbox: house.sandbox.clone(),
        registry: Default::default(),
        clock: clock.clone(),
        limits: house.limits.clone(),
        workers: house.workers.clone(),
        stand_in: Some(Arc::new(Mocks::of(trial))),
    })?;
    for beside in house.beside.iter().filter(|beside| beside.workflow != definition.workflow) {
        engine.registry().know(beside.clone());
    }
    engine.registry().know(definition.clone());
    engine.registry().activate(&definition.workflow, definition.revision);
    Ok(engine)
}

/// The open task of a step: of its review, of its failure, or of one of its effects.
fn task_of(case: &Case, step: &Slug) -> Option<TaskId> {
    let is_of = |task: &Task| match &task.about {
        About::Review { step: of } | About::Inspection { step: of } | About::Failure { step: of, .. } => of == step,
        About::Effect { key } => case.effects.get(key).is_some_and(|effect| effect.step == *step),
        About::Unrouted | About::TooLong => false,
    };
    case.tasks.iter().find(|(_, task)| is_of(task)).map(|(id, _)| *id)
}

/// The end of the sub-case of a step.
fn ended(case: &Case, step: &Slug, ending: &Ending) -> Result<Body, String> {
    let is_open = |child: &Child| matches!(child.state, ChildState::Awaited | ChildState::Alone);
    let mut open = case.children.iter().filter(|(_, child)| child.step == *step && is_open(child));
    let Some((id, _)) = open.next() else {
        return Err(format!("`{step}` has no sub-case that has not ended, {}", stands(case)));
    };
    let number = Some(format!("{}-{step}", case.number));
    Ok(Body::SubCase(Box::new(child::Ended { case: *id, number, ending: ending.clone() })))
}

/// The effects of a step whose outcome nobody has told.
fn under_way(case: &Case, step: &Slug) -> Result<Vec<Digest>, String> {
    let is_open = |state: EffectState| matches!(state, EffectState::Intended | EffectState::Unknown);
    let of_step = case.effects.iter().filter(|(_, effect)| effect.step == *step && is_open(effect.state));
    let keys: Vec<Digest> = of_step.map(|(key, _)| *key).collect();
    if keys.is_empty() {
        return Err(format!("no effect of `{step}` waits for an outcome, {}", stands(case)));
    }
    Ok(keys)
}

/// What a receiver tells later of an effect; of a request to a system also what it was asked for.
fn settled(case: &Case, key: Digest, outcome: Settled, told: &Told) -> Settle {
    let is_asked = case.effects.get(&key).is_some_and(|effect| matches!(effect.what, What::Http(_)));
    let reply = is_asked.then(|| Reply { fields: told.answer.clone(), wrong: Vec::new() });
    Settle { reply, code: told.code.clone(), ..Settle::new(key, outcome) }
}

fn stands(case: &Case) -> String {
    match (case.status.step(), &case.result) {
        (Some(step), _) => format!("the case is {} at `{step}`", case.status.word()),
        (None, Some(result)) => format!("the case is {} as {result}", case.status.word()),
        (None, None) => format!("the case is {}", case.status.word()),
    }
}

/// What expressions of a test read.
struct Names {
    case: Value,
    vars: Value,
    now: Value,
}

impl Roots for Names {
    fn root(&self, name: &str) -> Option<std::borrow::Cow<'_, Value>> {
        let value = match name {
            "case" => &self.case,
            "vars" => &self.vars,
            "now" => &self.now,
            _ => return None,
        };
        Some(std::borrow::Cow::Borrowed(value))
    }
}
