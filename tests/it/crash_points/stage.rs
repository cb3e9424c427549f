//! A host that plays a plan, from its beginning or from where another one died.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};

use anyhow::{Context as _, bail, ensure};
use redress::clock::{Clock as _, FixedClock};
use redress::config;
use redress::engine::repeat::{Before, Repeat};
use redress::engine::{Submission, Target};
use redress::outbox::bench::Bench;
use redress_domain::case::command::{Actor, ActorKind, Body, Complete, Event};
use redress_domain::case::{About, Case};
use redress_domain::clock::{Instant, Span};
use redress_domain::ids::{Digest, TaskId};
use redress_domain::value::{Fields, Value};
use redress_store::commit::Moment;
use redress_store::work::Kind;
use redress_tests::world::{Merchant, START, World, quick_folder};

use super::Tried;
use super::book::Book;
use super::end::End;
use super::plans::{Act, Does, ORDERS, Plan};

/// How often a host looks at what is due before the test gives it up.
const ROUNDS_MAX: usize = 2_000;

/// What is outside of the host and outlives it.
#[derive(Clone)]
struct Outside {
    book: Arc<Mutex<Book>>,
    /// How many acts were acknowledged.
    acknowledged: Arc<AtomicUsize>,
}

/// Cuts a run wherever something is about to be kept or sent, and plays each piece to its end.
struct Knife {
    plan: Plan,
    folder: PathBuf,
    clock: Arc<FixedClock>,
    outside: Outside,
    expected: End,
    tally: Mutex<(usize, usize, Vec<String>)>,
}

/// Play a plan, whole and from everywhere.
pub(super) fn tried(plan: &Plan) -> anyhow::Result<Tried> {
    let whole = quick_folder()?;
    let (world, outside) = (prepared(plan, whole.path())?, Outside::new());
    let expected = Stage::on(&world, plan, outside.clone(), None)?.played(0)?;
    ensure!(expected.stands() == plan.ends, "it ended as {expected:#?}");

    let cut = quick_folder()?;
    let (world, outside) = (prepared(plan, cut.path())?, Outside::new());
    let merchant = world.reopen("shop")?;
    let before = merchant.engine.store().stats().commits;
    let knife = Arc::new(Knife {
        plan: plan.clone(),
        folder: cut.path().to_owned(),
        clock: world.clock.clone(),
        outside: outside.clone(),
        expected: expected.clone(),
        tally: Mutex::default(),
    });
    let at_commits = knife.clone();
    merchant.engine.store().watch_commits(move |moment| {
        at_commits.cut(match moment {
            Moment::BeforeCommit => "before a commit",
            Moment::AfterCommit => "after a commit",
        })
    });
    let again = Stage::on(&world, plan, outside.clone(), Some(knife.clone()))?.played(0)?;
    ensure!(again == expected, "it does not even come to the same end when nothing dies: {again:#?}");
    let commits = usize::try_from(merchant.engine.store().stats().commits - before)?;
    let sends = outside.book.lock().unwrap().calls;
    let mut tally = knife.tally.lock().unwrap();
    Ok(Tried { commits, sends, points: tally.0, failures: std::mem::take(&mut tally.2) })
}

/// A merchant with the workflow, its orders and its connectors, before anything happens.
fn prepared(plan: &Plan, folder: &Path) -> anyhow::Result<World> {
    let world = World::on(folder)?;
    let merchant = world.merchant_of(plan.merchant(&world)?)?;
    let definition = merchant.publish(&plan.text()?)?;
    for order in plan.orders()? {
        merchant.order(&order)?;
    }
    let definition = merchant.engine.registry().definition(definition.revision)?;
    bench().connect(&merchant.engine, &definition.targets())?;
    Ok(world)
}

/// A bench has nothing of its own: that of the next host opens what the last one sealed.
fn bench() -> Bench {
    Bench::new(config::Outbox::default())
}

impl Outside {
    fn new() -> Self {
        Self { book: Arc::default(), acknowledged: Arc::default() }
    }

    /// As it is at this moment, for another host.
    fn as_it_is(&self) -> Self {
        let acknowledged = AtomicUsize::new(self.acknowledged.load(Ordering::SeqCst));
        let book = Mutex::new(self.book.lock().unwrap().clone());
        Self { book: Arc::new(book), acknowledged: Arc::new(acknowledged) }
    }
}

impl Knife {
    /// The host dies here: another one starts on what lies in the folder, and goes on.
    fn cut(&self, moment: &str) {
        let (point, acts) = {
            let mut tally = self.tally.lock().unwrap();
            tally.0 += 1;
            (tally.0, self.outside.acknowledged.load(Ordering::SeqCst))
        };
        let outside = self.outside.as_it_is();
        // On a thread of its own: the writer's is small, and must not panic.
        let went = std::thread::scope(|scope| {
            let goes_on = || -> anyhow::Result<End> {
                let world = World::after_a_power_cut(&self.folder, self.clock.now())?;
                Stage::on(&world, &self.plan, outside, None)?.played(acts)
            };
            scope.spawn(goes_on).join()
        });
        let failure = match went {
            Ok(Ok(end)) if end == self.expected => return,
            Ok(Ok(end)) => format!("another end: {end:#?}\nexpected {:#?}", self.expected),
            Ok(Err(error)) => format!("{error:?}"),
            Err(_) => "a panic, which is above".to_owned(),
        };
        self.tally.lock().unwrap().2.push(format!("point {point}, {moment}, after {acts} acts: {failure}"));
    }
}

/// A host that plays.
struct Stage<'p> {
    merchant: Merchant,
    clock: Arc<FixedClock>,
    plan: &'p Plan,
    bench: Bench,
    outside: Outside,
    knife: Option<Arc<Knife>>,
}

impl<'p> Stage<'p> {
    fn on(world: &World, plan: &'p Plan, outside: Outside, knife: Option<Arc<Knife>>) -> anyhow::Result<Self> {
        let (merchant, clock) = (world.reopen("shop")?, world.clock.clone());
        Ok(Self { merchant, clock, plan, bench: bench(), outside, knife })
    }

    /// Play from this act on, until nothing is left to do.
    fn played(&self, from: usize) -> anyhow::Result<End> {
        self.rest()?;
        for (number, act) in self.plan.acts.iter().enumerate().skip(from) {
            self.pass(Instant::from_unix_ms(START).after(act.at))?;
            self.act(number, act).with_context(|| format!("act {number}, {:?}", act.does))?;
            self.rest()?;
        }
        // What has left is waited for; nothing that the plan does not play may be needed for that.
        while let Some(due) = self.due(&[Kind::Effect, Kind::Command])? {
            self.pass(due)?;
        }
        End::read(&self.merchant, &ORDERS, &self.outside.book.lock().unwrap())
    }

    fn act(&self, number: usize, act: &Act) -> anyhow::Result<()> {
        if matches!(act.does, Does::Nothing) {
            self.outside.acknowledged.store(number + 1, Ordering::SeqCst);
            return Ok(());
        }
        let (scope, key) = ("client".to_owned(), format!("act-{number}"));
        let repeat = Repeat { scope, body: Digest::of(key.as_bytes()), key };
        if !matches!(self.merchant.engine.answered(&repeat)?, Before::Never) {
            return Ok(());
        }
        let (target, body) = self.body(&act.does)?;
        let actor = Actor { kind: ActorKind::Person, id: act.by.to_owned(), role: "agent".to_owned() };
        let submission = Submission { repeat: Some(repeat), ..Submission::new(target, actor, "api", body) };
        let (sender, answer) = mpsc::channel();
        let acknowledged = self.outside.acknowledged.clone();
        self.merchant.engine.submit(submission, move |result| {
            if result.is_ok() {
                acknowledged.store(number + 1, Ordering::SeqCst);
            }
            drop(sender.send(result));
        })?;
        answer.recv()??;
        Ok(())
    }

    fn body(&self, does: &Does) -> anyhow::Result<(Target, Body)> {
        if let Does::Open(open) = does {
            return Ok((Target::New, Body::Open(open.clone())));
        }
        let case = self.case()?;
        let body = match does {
            Does::Event(name) => {
                let fields = Fields::from([("rma".to_owned(), Value::text(&case.number))]);
                Body::Event(Event { name: (*name).to_owned(), fields })
            }
            Does::Answer { step, outcome, form } => {
                let (task, outcome) = (task(&case, step)?, (*outcome).to_owned());
                let form = form.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
                Body::Complete(Complete { task, outcome, form, live: false, lines: Vec::new() })
            }
            Does::Open(_) | Does::Nothing => bail!("no command for a case"),
        };
        Ok((Target::Case(case.id), body))
    }

    fn case(&self) -> anyhow::Result<Case> {
        self.merchant.case(*self.merchant.cases()?.first().context("a case was opened")?)
    }

    /// Let time pass; whatever becomes due on the way is done when it is due.
    fn pass(&self, until: Instant) -> anyhow::Result<()> {
        for _ in 0..ROUNDS_MAX {
            self.rest()?;
            match self.due(&[Kind::Timer, Kind::Command, Kind::Effect])?.filter(|due| *due <= until) {
                Some(due) => self.clock.set(due.max(self.clock.now())),
                None => {
                    self.clock.set(until.max(self.clock.now()));
                    return self.rest();
                }
            }
        }
        bail!("time does not pass")
    }

    /// Do what is due now.
    fn rest(&self) -> anyhow::Result<()> {
        for _ in 0..ROUNDS_MAX {
            let now = self.clock.now();
            let done = self.merchant.engine.run_due(now)?;
            let pass = self.bench.pass(&self.merchant.engine, &mut |sent| {
                let cut = |moment: &str| self.knife.iter().for_each(|knife| knife.cut(moment));
                cut("before a request");
                let received = self.outside.book.lock().unwrap().take(sent, self.plan.declines);
                cut("after a request");
                received
            })?;
            let due = self.due(&[Kind::Timer, Kind::Command, Kind::Effect])?;
            if done == 0 && pass.taken == 0 && due.is_none_or(|due| due > now) {
                return Ok(());
            }
        }
        bail!("it does not come to rest")
    }

    fn due(&self, kinds: &[Kind]) -> anyhow::Result<Option<Instant>> {
        let due: Vec<_> = kinds.iter().map(|kind| self.merchant.engine.next_due(*kind)).collect::<Result<_, _>>()?;
        Ok(due.into_iter().flatten().min())
    }
}

/// The open task of a step.
fn task(case: &Case, step: &str) -> anyhow::Result<TaskId> {
    let of = case.tasks.iter().find(|(_, task)| match &task.about {
        About::Review { step: of } | About::Inspection { step: of } => of.as_str() == step,
        _ => false,
    });
    Ok(*of.with_context(|| format!("no task of {step} is open: {:?}", case.status))?.0)
}

/// So many hours after the beginning.
pub(super) fn hours(hours: i64) -> Span {
    Span::from_millis(hours * 3_600_000)
}
