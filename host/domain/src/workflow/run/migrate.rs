//! The turn that moves a case to another revision: it goes on waiting there, with its tasks, effects and timers.

use super::begin::{self, load};
use super::{Input, Run, events, gather, review, sla, subcase, tasks};
use crate::case::command::{Body, Migrate, Rejection, Timer, Timers};
use crate::case::entry::Entry;
use crate::case::lane::LaneId;
use crate::case::migrated::{Migrated, MigratedLane};
use crate::case::{Case, Task};
use crate::clock::Instant;
use crate::decision::Work;
use crate::value::Value;
use crate::verdict::Reason;
use crate::workflow::calendar::delay::Delay;
use crate::workflow::definition::review::Review;
use crate::workflow::definition::{self, Definition, Kind, Step, Timeout, Until};
use crate::workflow::migration::{self, Waits};

pub(super) fn begin(old: &Definition, new: &Definition, case: Case, input: Input) -> Result<Run, Rejection> {
    let Body::Migrate(plan) = input.command.body.clone() else {
        return Err(Rejection::new("internal", "the command moves no case"));
    };
    let refused = |refusal: migration::Refusal| {
        Rejection::new("migration_refused", format!("{}: {}", refusal.code, refusal.detail))
    };
    let way = migration::way(old, new, &case, &plan).map_err(refused)?;
    let mut run = begin::run_of(Some(new), Some(case), input);
    load(&mut run);
    let mut moves = Vec::new();
    for place in way.places {
        let missing = || Rejection::new("step_missing", format!("the revision has no step {}", place.to));
        let before = old.step(place.step.as_str()).ok_or_else(missing)?;
        let step = new.step(place.to.as_str()).ok_or_else(missing)?;
        moves.push(Move::of(&mut run, new, (before, step), place, &plan));
    }
    let main = moves.iter().find(|one| one.place.lane.is_main());
    let lanes = moves.iter().filter(|one| !one.place.lane.is_main());
    let migrated = Migrated {
        from: plan.from,
        to: plan.to,
        step: way.to,
        steps: plan.steps.clone(),
        vars: way.vars,
        until: main.and_then(|one| one.until),
        rearmed: main.is_some_and(|one| one.rearmed),
        lanes: lanes.map(|one| (one.place.lane.clone(), one.entry())).collect(),
    };
    run.turn_to(&LaneId::main());
    run.emit(Entry::Migrated(Box::new(migrated)));
    // What steps gave and what variables hold is called as the new revision calls it.
    load(&mut run);
    for one in &moves {
        one.go_on(&mut run, new);
    }
    Ok(run)
}

/// How one place of the case goes on.
struct Move<'a> {
    place: Waits,
    before: &'a Step,
    step: &'a Step,
    /// When the wait began.
    begun: Instant,
    /// When it ends there.
    until: Option<Instant>,
    /// Whether it needs a new timer.
    rearmed: bool,
}

impl<'a> Move<'a> {
    fn of(run: &mut Run, new: &Definition, (before, step): (&'a Step, &'a Step), place: Waits, plan: &Migrate) -> Self {
        run.turn_to(&place.lane);
        let ends = run.case().place(&place.lane).and_then(|place| place.until());
        let until = until(run, new, (before, step), ends, plan);
        let begun = began(run, before, ends);
        let rearmed = until != ends || place.step != place.to;
        Self { place, before, step, begun, until, rearmed }
    }

    fn entry(&self) -> MigratedLane {
        MigratedLane { step: self.place.to.clone(), until: self.until, rearmed: self.rearmed }
    }

    /// Timers, task and events of the wait there. One that another place has called off meanwhile has none.
    fn go_on(&self, run: &mut Run, new: &Definition) {
        let lane = &self.place.lane;
        if !run.case().stands_at(lane, &self.step.id) {
            return;
        }
        run.turn_to(lane);
        if self.rearmed {
            self.rearm(run, new);
        }
        let flow = match &self.step.kind {
            Kind::Review(review) | Kind::Inspect(review) => {
                retask(run, new, (self.before, self.step), review);
                None
            }
            // What came before counts for what is waited for now.
            Kind::Await { .. } => {
                gather::let_go(run, &self.step.id);
                let flow = events::kept(run, new, self.step).transpose();
                flow.or_else(|| gather::kept(run, new, self.step).err().map(Err))
            }
            _ => None,
        };
        if let Some(flow) = flow {
            run.follow(new, self.step, flow);
            // It goes on when all of them are there: as after a cut, lane by lane.
            if let Some(next) = run.next.take() {
                run.ready.insert(run.lane.clone(), next);
            }
        }
    }

    fn rearm(&self, run: &mut Run, new: &Definition) {
        let since = run.stamp.turn;
        if let Some(due) = self.until {
            // The timer of before finds a wait that began in another turn, and is ignored.
            let timer = Timer::Wait { step: self.place.to.clone(), since, lane: self.place.lane.clone() };
            run.work.push(Work::Timer { due, timer });
        }
        if let Kind::Await { remind, .. } = &self.step.kind {
            let all = remind.iter().map(|after| after.after(self.begun, new.calendar.as_deref()));
            let mut rest: Vec<Instant> = all.filter(|at| *at > run.now()).collect();
            rest.sort();
            sla::arm_wait(run, &self.step.id, since, rest);
        }
    }
}

/// When the wait ends on the new revision. The past is not hurried there either.
fn until(
    run: &Run,
    new: &Definition,
    (old, step): (&Step, &Step),
    now_ends: Option<Instant>,
    plan: &Migrate,
) -> Option<Instant> {
    if run.history() || ends_never(&step.kind) {
        return None;
    }
    if plan.timers == Timers::Keep {
        return now_ends;
    }
    match (&step.kind, delay(&step.kind)) {
        (Kind::Wait(Until::Instant(at)), _) => match run.value(new, at) {
            Ok(Value::Instant(at)) => Some(at),
            // What cannot be computed stays as it is.
            _ => now_ends,
        },
        (_, Some(delay)) => Some(delay.after(began(run, old, now_ends), new.calendar.as_deref())),
        _ => now_ends,
    }
}

/// When the wait began: with its task, or as long before its end as the old revision says; else it begins now.
fn began(run: &Run, old: &Step, ends: Option<Instant>) -> Instant {
    let of_step = |task: &&Task| task.lane == run.lane && task.about.asking() == Some(&old.id);
    if let Some(task) = run.case().tasks.values().find(of_step) {
        return task.opened_at;
    }
    match (ends, delay(&old.kind)) {
        (Some(ends), Some(Delay::Span(span))) => Instant::from_unix_ms(ends.unix_ms() - span.millis()),
        _ => run.now(),
    }
}

fn delay(kind: &Kind) -> Option<Delay> {
    match kind {
        Kind::Review(Review { timeout: Timeout::After { after, .. }, .. })
        | Kind::Inspect(Review { timeout: Timeout::After { after, .. }, .. })
        | Kind::Await { timeout: Timeout::After { after, .. }, .. }
        | Kind::Run(definition::Run { wait: Some(Timeout::After { after, .. }), .. })
        | Kind::Wait(Until::For(after)) => Some(*after),
        _ => None,
    }
}

fn ends_never(kind: &Kind) -> bool {
    match kind {
        Kind::Review(review) | Kind::Inspect(review) => matches!(review.timeout, Timeout::Never { .. }),
        Kind::Await { timeout, .. } => matches!(timeout, Timeout::Never { .. }),
        kind => matches!(subcase::timeout(kind), Some(Timeout::Never { .. })),
    }
}

/// The open task becomes what the new revision asks for: its id and who took it stay.
fn retask(run: &mut Run, new: &Definition, (before, step): (&Step, &Step), review: &Review) {
    let Some(id) = tasks::of_review(run, &step.id) else { return };
    let Some(task) = run.case().tasks.get(&id).cloned() else { return };
    // A title that cannot be filled in any more stays as it was.
    let title = review::title(run, new, step, review).unwrap_or_else(|_| task.title.clone());
    let reasons: Vec<Reason> = review.reasons.iter().map(|code| Reason::code(code.as_str())).collect();
    // One that has gone to another queue because nobody answered stays there.
    let queue = match &before.kind {
        Kind::Review(old) | Kind::Inspect(old) if task.queue != old.queue.as_str() => task.queue.clone(),
        _ => review.queue.to_string(),
    };
    if (&queue, &title, &reasons) != (&task.queue, &task.title, &task.reasons) {
        run.emit(Entry::TaskMoved { id, queue, title, reasons });
    }
}
