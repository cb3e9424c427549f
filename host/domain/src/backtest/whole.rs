//! Playing a case to its end again: what happened to it outside happens again where the rules on trial still wait for it.
//!
//! An event, a person's answer and a provider's outcome come in at the time at which they came in. An answer goes to the task of the
//! same step in the same lane, an outcome to the effect of the same key; where the rules have no such task or effect, it is left
//! out. Timers are those of the rules on trial; one that the record fired as well goes off in the same turn. What they wait for and
//! nobody ever recorded makes a case unknown.

use std::collections::BTreeMap;

use super::again::{Again, Answers, Chosen, Played, Rules, Stretch, Unknown};
use super::clockwork::Clockwork;
use super::side::Side;
use crate::case::child::{self, Child};
use crate::case::command::{Actor, Body, Command, Complete, Rejection, Settle, Timer};
use crate::case::entry::Entry;
use crate::case::evolve::{self, Stamp};
use crate::case::lane::{LaneId, Place};
use crate::case::{About, Case, Task, What};
use crate::clock::Instant;
use crate::decision::{Turn, Work};
use crate::ids::{CaseId, Digest, TaskId};
use crate::workflow::definition::Kind;

/// Timers that one case is given: more than any workflow of the language's size can need.
const TIMERS_MAX: u32 = 10_000;

/// What became of a case that was played to its end.
#[derive(Debug, Clone, PartialEq)]
pub struct Ended {
    /// What came of it.
    pub again: Again,
    /// A provider confirmed or declined an effect of other content than it had been asked for; its answer was taken all the same.
    pub assumed: bool,
}

impl From<Again> for Ended {
    fn from(again: Again) -> Self {
        Self { again, assumed: false }
    }
}

impl Rules<'_> {
    /// Decide a closed case again from its opening to its end. `answer` speaks for the plugins.
    pub fn to_the_end(&self, whole: &Stretch, answer: &mut Answers<'_>) -> Ended {
        let (routed, input) = match self.choose(whole) {
            Chosen::Elsewhere => return Again::Elsewhere.into(),
            Chosen::Unknown(unknown) => return Again::Unknown(unknown).into(),
            Chosen::By(routed, input) => (routed, *input),
        };
        let at = input.command.occurred_at;
        let played = match routed.and_then(|chosen| Played::begin(chosen, input, answer)) {
            Err(rejection) => return Again::Decided(Side::refused(rejection.code, whole.case.currency)).into(),
            Ok(played) => played,
        };
        let mut replay = Replay {
            played,
            recorded: Recorded::of(whole),
            clockwork: Clockwork::default(),
            fired: 0,
            now: at,
            stays_cut: false,
            assumed: false,
            answer,
        };
        let again = match replay.run(whole) {
            Ok(()) => replay.played.told_in_the_end(whole),
            Err(unknown) => Again::Unknown(unknown),
        };
        Ended { again, assumed: replay.assumed }
    }
}

/// What the records say of tasks, effects and sub-cases.
struct Recorded<'s> {
    tasks: BTreeMap<TaskId, &'s Task>,
    effects: BTreeMap<Digest, &'s What>,
    children: BTreeMap<CaseId, &'s Child>,
}

impl<'s> Recorded<'s> {
    fn of(whole: &'s Stretch) -> Self {
        let (mut tasks, mut effects, mut children) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        for entry in whole.entries() {
            match entry {
                Entry::TaskOpened { id, task } => drop(tasks.insert(*id, &**task)),
                Entry::Intended { key, effect } => drop(effects.insert(*key, &effect.what)),
                Entry::SubCaseIntended { id, child } => drop(children.insert(*id, &**child)),
                _ => {}
            }
        }
        Self { tasks, effects, children }
    }

    fn place(&self, task: TaskId) -> Option<(&'s About, &'s LaneId)> {
        self.tasks.get(&task).map(|task| (&task.about, &task.lane))
    }
}

/// A record that is read turn by turn.
#[derive(Default)]
struct Reading {
    /// The case as its turns so far leave it.
    stands: Option<Case>,
}

/// What moved a case.
struct Happening {
    command: Command,
    /// The revision was on hold when it came, and the case took it up afterwards.
    is_late: bool,
}

impl Reading {
    /// What moved the case in this turn; nothing in the first, and none where it only kept what came while its revision was on hold.
    fn next(&mut self, turn: &Turn) -> Option<Happening> {
        let is_opening = self.stands.is_none();
        let kept = self.stands.as_ref().and_then(|case| case.deferred.first()).cloned();
        let stamp = Stamp { at: turn.at, turn: turn.number };
        // That all of it folds was seen when it was read.
        let folds = turn.entries.iter().try_for_each(|entry| evolve::apply(&mut self.stands, entry, stamp));
        let is = |wanted: fn(&Entry) -> bool| turn.entries.iter().any(wanted);
        if folds.is_err() || is_opening || is(|entry| matches!(entry, Entry::Deferred { .. })) {
            return None;
        }
        let late = kept.filter(|_| is(|entry| matches!(entry, Entry::TakenUp)));
        Some(Happening { is_late: late.is_some(), command: late.unwrap_or_else(|| turn.command.clone()) })
    }
}

struct Replay<'a, 'd, 's, 'f> {
    played: Played<'d>,
    recorded: Recorded<'s>,
    clockwork: Clockwork,
    fired: u32,
    now: Instant,
    /// The record's run is cut here: what is to come of it comes when it did.
    stays_cut: bool,
    assumed: bool,
    answer: &'a mut Answers<'f>,
}

impl Replay<'_, '_, '_, '_> {
    fn run(&mut self, whole: &Stretch) -> Result<(), Unknown> {
        let mut ahead = Reading::default();
        for happening in whole.turns().iter().filter_map(|turn| ahead.next(turn)) {
            self.clockwork.expect(&happening.command, |task| self.recorded.place(*task));
        }
        self.set_timers();
        let mut reading = Reading::default();
        for turn in whole.turns() {
            let before = reading.stands.clone();
            let Some(happening) = reading.next(turn) else { continue };
            match &before {
                Some(case) if holds_the_same(&self.played.case, case) => self.played.adopt(&turn.facts),
                _ => self.played.learn(&turn.facts),
            }
            // What comes before the rest of a run that was cut comes before it here too.
            let is_cut = before.as_ref().is_some_and(Case::is_cut);
            self.stays_cut = is_cut || matches!(happening.command.body, Body::Continue);
            if happening.is_late {
                self.now = self.now.max(turn.at);
                self.pass(happening.command.occurred_at)?;
            } else {
                self.pass(turn.at)?;
            }
            self.happen(&happening.command)?;
        }
        self.stays_cut = false;
        loop {
            self.settle_down()?;
            if self.played.case.is_closed() {
                return Ok(());
            }
            if let Some(unknown) = self.waits_for() {
                return Err(unknown);
            }
            let Some(due) = self.clockwork.next() else { return Err(stuck(&self.played.case)) };
            self.pass(due)?;
        }
    }

    /// Everything that is due by then, and that does not go off later on.
    fn pass(&mut self, to: Instant) -> Result<(), Unknown> {
        while let Some((due, timer)) = self.clockwork.due_by(to) {
            self.now = self.now.max(due);
            self.fire(&self.of_host(), timer)?;
        }
        self.now = self.now.max(to);
        Ok(())
    }

    fn fire(&mut self, by: &Command, timer: Timer) -> Result<(), Unknown> {
        self.fired += 1;
        if self.fired > TIMERS_MAX {
            return Err(too_long());
        }
        // A closed case has no use for it.
        self.give(by, Body::Timer(timer)).map(drop)
    }

    /// What happened, as far as it came from outside.
    fn happen(&mut self, command: &Command) -> Result<(), Unknown> {
        match &command.body {
            Body::Complete(complete) => self.complete(command, complete),
            Body::Settle(settle) => self.settle(command, settle),
            Body::SubCase(ended) => self.sub_case(command, ended),
            // An event that the rules do not know, or a case that has ended meanwhile: nothing that they would look at.
            body @ (Body::Event(_) | Body::Cancel) => self.give(command, body.clone()).map(drop),
            Body::Timer(_) => {
                let fired = self.clockwork.fired(command, |task| self.recorded.place(*task));
                fired.map_or(Ok(()), |timer| self.fire(command, timer))
            }
            // What is sent once more can have another outcome; what the rules never sent is nothing to them.
            body @ Body::Resend(_) => self.give(command, body.clone()).map(drop),
            // A run that was cut goes on when it did: late, where the revision was on hold meanwhile.
            Body::Continue => self.go_on(),
            // Who holds a task decides nothing.
            Body::Open(_) | Body::Claim(_) | Body::Release(_) | Body::Migrate(_) => Ok(()),
        }
    }

    fn complete(&mut self, as_recorded: &Command, complete: &Complete) -> Result<(), Unknown> {
        let Some(was) = self.recorded.tasks.get(&complete.task).copied() else { return Ok(()) };
        let is_same = |(_, task): &(&TaskId, &Task)| task.about == was.about && task.lane == was.lane;
        // An effect can be asked about more than once at a time: because nobody knows, and because it was declined and then confirmed.
        let likeness = |(_, task): &(&TaskId, &Task)| (task.title == was.title, task.opened_at == was.opened_at);
        let alike = self.played.case.tasks.iter().filter(is_same).max_by_key(likeness);
        let Some(task) = alike.map(|(id, _)| *id) else { return Ok(()) };
        match self.give(as_recorded, Body::Complete(Complete { task, ..complete.clone() }))? {
            Ok(()) => Ok(()),
            Err(refused) => Err(Unknown {
                code: "answer_does_not_fit",
                step: step_of(&was.about),
                why: format!("a person answered {:?}, which is refused now: {}", complete.outcome, refused.code),
            }),
        }
    }

    fn settle(&mut self, as_recorded: &Command, settle: &Settle) -> Result<(), Unknown> {
        let Some(effect) = self.played.case.effects.get(&settle.key) else { return Ok(()) };
        if self.recorded.effects.get(&settle.key).is_some_and(|was| **was != effect.what) {
            // Whether goods are there, and what a system would have said, depends on what it is asked.
            if matches!(effect.what, What::Http(_) | What::Exchange(_)) {
                let why = "it would be asked something else than was ever asked";
                return Err(missing("outcome_missing", Some(effect.step.to_string()), why));
            }
            self.assumed = true;
        }
        self.give(as_recorded, Body::Settle(settle.clone())).map(drop)
    }

    /// What came of a sub-case, where the rules open the same one: its id follows from the step that does.
    fn sub_case(&mut self, as_recorded: &Command, ended: &child::Ended) -> Result<(), Unknown> {
        let Some(child) = self.played.case.children.get(&ended.case) else { return Ok(()) };
        let was = self.recorded.children.get(&ended.case);
        if was.is_some_and(|was| (&was.workflow, &was.inputs) != (&child.workflow, &child.inputs)) {
            let why = "a sub-case would be given something else than it ever was";
            return Err(missing("outcome_missing", Some(child.step.to_string()), why));
        }
        self.give(as_recorded, Body::SubCase(Box::new(ended.clone()))).map(drop)
    }

    /// Give it a command; what the rules refuse changes nothing.
    fn give(&mut self, as_recorded: &Command, body: Body) -> Result<Result<(), Rejection>, Unknown> {
        self.settle_down()?;
        let command = Command { body, occurred_at: self.now, ..as_recorded.clone() };
        let given = self.played.give(command, self.answer);
        self.set_timers();
        Ok(given)
    }

    fn go_on(&mut self) -> Result<(), Unknown> {
        let gone_on = self.played.go_on(Some(self.now), self.answer);
        self.set_timers();
        gone_on.map_err(|_| too_long())
    }

    /// Rules whose runs are cut where the record was not go on at once.
    fn settle_down(&mut self) -> Result<(), Unknown> {
        if self.stays_cut {
            return Ok(());
        }
        let is_done = self.played.settle_down(self.answer).unwrap_or(false);
        self.set_timers();
        if is_done { Ok(()) } else { Err(too_long()) }
    }

    fn of_host(&self) -> Command {
        Command {
            occurred_at: self.now,
            recorded_at: self.now,
            actor: Actor::host(),
            channel: "timer".to_owned(),
            source: None,
            reason: None,
            body: Body::Continue,
        }
    }

    fn set_timers(&mut self) {
        for work in std::mem::take(&mut self.played.later) {
            if let Work::Timer { due, timer } = work {
                let tasks = &self.played.case.tasks;
                self.clockwork.set(due, timer, |id| tasks.get(id).map(|task| (&task.about, &task.lane)));
            }
        }
    }

    /// What only somebody outside could give it, and nobody did.
    fn waits_for(&self) -> Option<Unknown> {
        let case = &self.played.case;
        let is_asking = |task: &&Task| !matches!(task.about, About::Effect { .. } | About::TooLong);
        if let Some(task) = case.tasks.values().find(is_asking) {
            return Some(missing("answer_missing", step_of(&task.about), "a person would be asked who never was"));
        }
        let lanes = std::iter::once(LaneId::main()).chain(case.lanes.keys().cloned());
        lanes.filter_map(|lane| case.place(&lane)).find_map(|place| match place {
            Place::Waiting { step, .. } => self.of_step(step.as_str()),
            Place::Running { .. } | Place::Done { .. } => None,
        })
    }

    /// What a step waits for; nothing where it waits for a time, or for the lanes inside it.
    fn of_step(&self, step: &str) -> Option<Unknown> {
        let kind = &self.played.definition()?.step(step)?.kind;
        let step = Some(step.to_owned());
        match kind {
            Kind::Await { .. } => {
                Some(missing("event_missing", step, "an event would be awaited that nobody recorded"))
            }
            Kind::Run(_) => {
                let why = "a sub-case would be waited for that never was, or that has not ended";
                Some(missing("outcome_missing", step, why))
            }
            Kind::Refund { .. }
            | Kind::Restock { .. }
            | Kind::Http { .. }
            | Kind::Exchange { .. }
            | Kind::Undo { .. } => {
                let why = "something would be sent that never was, or nobody knows what became of it";
                Some(missing("outcome_missing", step, why))
            }
            _ => None,
        }
    }
}

/// Whether two cases took the same goods and sent the same of goods and money: then the ledgers are as the record of one has them
/// for the other too.
fn holds_the_same(one: &Case, other: &Case) -> bool {
    let held = |case: &Case| case.reserved.iter().map(|held| (held.line, held.take.clone())).collect::<Vec<_>>();
    let sent = |case: &Case| {
        let moves = |what: &What| !matches!(what, What::Notice { .. } | What::Http(_));
        let moving = case.effects.iter().filter(|(_, effect)| moves(&effect.what));
        moving.map(|(key, effect)| (*key, effect.what.clone(), effect.state)).collect::<Vec<_>>()
    };
    held(one) == held(other) && sent(one) == sent(other)
}

fn step_of(about: &About) -> Option<String> {
    match about {
        About::Review { step } | About::Inspection { step } | About::Failure { step, .. } => Some(step.to_string()),
        About::Effect { .. } | About::Unrouted | About::TooLong => None,
    }
}

fn missing(code: &'static str, step: Option<String>, why: &str) -> Unknown {
    Unknown { code, step, why: why.to_owned() }
}

fn too_long() -> Unknown {
    missing("too_long", None, "it does not come to an end")
}

fn stuck(case: &Case) -> Unknown {
    let step = case.status.step().map(ToString::to_string);
    missing("event_missing", step, "it would wait for what nobody recorded")
}
