//! The turn that moves a case to another revision: it goes on waiting there, with its tasks, effects and timers.

use super::begin::{self, load};
use super::{Input, Run, events, review, sla, subcase, tasks};
use crate::case::command::{Body, Migrate, Rejection, Timer, Timers};
use crate::case::entry::Entry;
use crate::case::lane::LaneId;
use crate::case::migrated::Migrated;
use crate::case::{Case, Task};
use crate::clock::Instant;
use crate::decision::Work;
use crate::value::Value;
use crate::verdict::Reason;
use crate::workflow::calendar::delay::Delay;
use crate::workflow::definition::review::Review;
use crate::workflow::definition::{self, Definition, Kind, Step, Timeout, Until};
use crate::workflow::migration;

pub(super) fn begin(old: &Definition, new: &Definition, case: Case, input: Input) -> Result<Run, Rejection> {
    let Body::Migrate(plan) = input.command.body.clone() else {
        return Err(Rejection::new("internal", "the command moves no case"));
    };
    let refused = |refusal: migration::Refusal| {
        Rejection::new("migration_refused", format!("{}: {}", refusal.code, refusal.detail))
    };
    let way = migration::way(old, new, &case, &plan).map_err(refused)?;
    let (Some(before), Some(step)) = (old.step(way.step.as_str()), new.step(way.to.as_str())) else {
        return Err(Rejection::new("step_missing", format!("the revision has no step {}", way.to)));
    };
    let mut run = begin::run_of(Some(new), Some(case), input);
    load(&mut run);
    let until = until(&run, new, before, step, &plan);
    let begun = began(&run, before, run.case().status.until());
    let rearmed = until != run.case().status.until() || way.step != way.to;
    let migrated = Migrated {
        from: plan.from,
        to: plan.to,
        step: way.to.clone(),
        steps: plan.steps.clone(),
        vars: way.vars,
        until,
        rearmed,
    };
    run.emit(Entry::Migrated(Box::new(migrated)));
    // What steps gave and what variables hold is called as the new revision calls it.
    load(&mut run);
    if rearmed && let Some(due) = until {
        // The timer of before finds a wait that began in another turn, and is ignored.
        let timer = Timer::Wait { step: way.to.clone(), since: run.stamp.turn, lane: LaneId::main() };
        run.work.push(Work::Timer { due, timer });
    }
    if rearmed && let Kind::Await { remind, .. } = &step.kind {
        let all = remind.iter().map(|after| after.after(begun, new.calendar.as_deref()));
        let mut rest: Vec<Instant> = all.filter(|at| *at > run.now()).collect();
        rest.sort();
        let since = run.stamp.turn;
        sla::arm_wait(&mut run, &step.id, since, rest);
    }
    match &step.kind {
        Kind::Review(review) | Kind::Inspect(review) => retask(&mut run, new, (before, step), review),
        Kind::Await { arms, .. } => match events::kept(&mut run, new, step, arms) {
            // What came before counts for what is waited for now.
            Ok(Some(flow)) => run.follow(new, step, Ok(flow)),
            Ok(None) => {}
            Err(error) => run.follow(new, step, Err(error)),
        },
        _ => {}
    }
    Ok(run)
}

/// When the wait ends on the new revision. The past is not hurried there either.
fn until(run: &Run, new: &Definition, old: &Step, step: &Step, plan: &Migrate) -> Option<Instant> {
    let now_ends = run.case().status.until();
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
    let of_step = |task: &&Task| task.about.asking() == Some(&old.id);
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
