//! What hostile plugins cost a neighbour, in one host and one run: a merchant's cases are measured alone, beside a merchant whose good
//! plugins are asked so many times a second, and beside one whose plugins are the whole corpus, asked as often. The second against the
//! third is what the harm costs; the first against the second is what any busy neighbour costs. The fourth is beside somebody who
//! sends components that are refused. All are measured in turns, so that a machine that is slower for a while is so for all of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use redress::engine::Target;
use redress_domain::case::command::{Body, Open};
use redress_domain::clock::Instant as Moment;
use redress_domain::ids::Slug;
use redress_sandbox::{Call, Config, Hook, Limits, Sandbox, Wall};
use serde_json::{Value as Json, json};

use super::{at, progress, ratio, resident_kib};
use crate::corpus::question::{request, step_request};
use crate::corpus::uploads::uploads;
use crate::corpus::{UploadKind, calls};
use crate::guests::{Guest, counting};
use crate::world::{Merchant, START, World, a_return, days_ago, order, submission};

const PLAIN: &str = include_str!("../../fixtures/workflows/plain-return.yaml");

/// Cases of the other merchant that are on their way at once; more would be a flood, which is another question.
const ON_THEIR_WAY: u64 = 64;

/// Turns in which they are measured.
const ROUNDS: usize = 3;

/// Wrong components that somebody sends in a second.
const UPLOADS_PER_SECOND: u64 = 20;

/// What is measured, and how long.
#[derive(Clone, Debug)]
pub struct Options {
    /// Cases of the neighbour in each measurement.
    pub cases: usize,
    /// Cases of the other merchant in a second.
    pub rate: u64,
    /// Where plugins run.
    pub wall: Wall,
}

/// Measures, attacks, measures, and tells it.
///
/// # Errors
///
/// The host cannot be made, or a case of the neighbour does not come to its end.
pub fn run(options: &Options) -> anyhow::Result<Json> {
    // Who pushes it would be told at once; here it is to be asked, as one that behaves only while it is tried.
    let limits = Limits { dry_run_ms_max: 0, ..Limits::default() };
    let sandbox = Sandbox::new(Config { limits, wall: options.wall.clone(), ..Config::default() })?;
    let overrun = overrun(&sandbox)?;
    let folder = tempfile::tempdir()?;
    let world = World::with_sandbox(folder.path(), sandbox.clone(), Moment::from_unix_ms(START))?;
    let good: Vec<Guest> = vec![counting(); calls().len()];
    let harmful: Vec<Guest> = calls().into_iter().map(|kind| kind.guest).collect();
    let (busy, hostile) = (other(&world, "busy", &good)?, other(&world, "hostile", &harmful)?);
    let each = options.cases.div_ceil(ROUNDS);
    let neighbour = shop(&world, each * (4 * ROUNDS + 1))?;
    let mut customers = 0..;
    let steps = progress(4 * ROUNDS + 1)?;
    let mut measure = |count: usize| {
        let measured = measure(&neighbour, customers.by_ref().take(count));
        steps.inc(1);
        measured
    };
    measure(each)?;
    let mut memory = None;
    let wrong: Arc<[UploadKind]> = uploads().into_iter().filter(|kind| kind.ends.is_some()).collect();
    let [mut alone, mut before, mut during, mut sent] = [const { Vec::new() }; 4];
    let [mut calm, mut met, mut refused] = [Met::default(), Met::default(), Met::default()];
    for _ in 0..ROUNDS {
        alone.extend(measure(each)?);
        let good = Attack::cases(&busy, options.rate, calm.count)?;
        before.extend(beside(good, &mut calm, || measure(each))?);
        // What is more than with a busy neighbour is the harm's.
        memory.get_or_insert(calm.resident_kib);
        let harmful = Attack::cases(&hostile, options.rate, met.count)?;
        during.extend(beside(harmful, &mut met, || measure(each))?);
        let uploads = Attack::uploads(&sandbox, wrong.clone(), refused.count)?;
        sent.extend(beside(uploads, &mut refused, || measure(each))?);
    }
    ensure!(met.count >= hostile.kinds as u64, "only {} hostile cases were decided", met.count);
    for times in [&mut alone, &mut before, &mut during, &mut sent] {
        times.sort_unstable();
    }
    let (p99_before, p99_during) = (at(&before, 990), at(&during, 990));
    Ok(json!({
        "processes": sandbox.processes().len(), "kinds": hostile.kinds, "rate_per_second": options.rate, "neighbour_cases": options.cases,
        "busy_cases": calm.count, "hostile_cases": met.count, "uploads_refused": refused.count,
        "p50_alone_us": micros(at(&alone, 500)), "p50_busy_us": micros(at(&before, 500)), "p50_hostile_us": micros(at(&during, 500)),
        "p99_alone_us": micros(at(&alone, 990)), "p99_busy_us": micros(p99_before), "p99_hostile_us": micros(p99_during),
        "p99_hostile_to_busy": ratio(p99_during.as_nanos(), p99_before.as_nanos()),
        "p99_hostile_to_alone": ratio(p99_during.as_nanos(), at(&alone, 990).as_nanos()),
        "p99_uploads_us": micros(at(&sent, 990)),
        "p99_uploads_to_alone": ratio(at(&sent, 990).as_nanos(), at(&alone, 990).as_nanos()),
        "memory_grown_mib": met.resident_kib.saturating_sub(memory.unwrap_or(0)) >> 10,
        "longest_overrun_ms": u64::try_from(overrun.1.as_millis())?, "longest_overrun_of": overrun.0,
    }))
}

/// Measures while something goes on, and adds what came of that.
fn beside(
    attack: Attack,
    met: &mut Met,
    measure: impl FnOnce() -> anyhow::Result<Vec<Duration>>,
) -> anyhow::Result<Vec<Duration>> {
    let measured = measure();
    let more = attack.stop()?;
    met.count += more.count;
    met.resident_kib = met.resident_kib.max(more.resident_kib);
    measured
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

/// The kind that runs longest beyond its budget, and by how much. The budget is what an endless loop takes to burn its fuel.
fn overrun(sandbox: &Sandbox) -> anyhow::Result<(&'static str, Duration)> {
    let endless = Guest::new(Hook::Step).body("(loop $for_ever (br $for_ever)) unreachable");
    let budget = (0..5).map(|_| asked(sandbox, &endless)).collect::<anyhow::Result<Vec<_>>>()?;
    let budget = budget.into_iter().max().unwrap_or_default();
    let mut longest = ("none", Duration::ZERO);
    for kind in calls() {
        for _ in 0..3 {
            let over = asked(sandbox, &kind.guest)?.saturating_sub(budget);
            if over > longest.1 {
                longest = (kind.name, over);
            }
        }
    }
    Ok(longest)
}

/// How long one call takes, however it ends.
fn asked(sandbox: &Sandbox, guest: &Guest) -> anyhow::Result<Duration> {
    let held = sandbox.load(&guest.component()?)?;
    let (question, step) = (request(), step_request());
    let call = match held.hooks.first().context("a hook")? {
        Hook::Eligibility => Call::Eligibility(&question),
        Hook::Compliance => Call::Compliance(&question),
        Hook::Refund => Call::Refund(&question),
        Hook::Step => Call::Step(&step),
    };
    let begun = Instant::now();
    drop(sandbox.attempt(&held.digest, call));
    Ok(begun.elapsed())
}

/// A merchant with a plugin behind each type of case.
struct Other {
    merchant: Merchant,
    kinds: usize,
}

fn other(world: &World, slug: &str, guests: &[Guest]) -> anyhow::Result<Other> {
    let merchant = world.merchant(slug)?;
    merchant.order(&order("1001", "c1", days_ago(10), &[("A1", 60_000, "2.50")])?)?;
    for (number, guest) in guests.iter().enumerate() {
        merchant.push(&format!("h{number}"), &guest.component()?)?;
        merchant.publish(&workflow(number))?;
    }
    Ok(Other { merchant, kinds: guests.len() })
}

/// Takes the lines from a purchase first, so that a quote has something to be about.
fn workflow(number: usize) -> String {
    format!(
        "format: 1
workflow: asks-{number}
currency: GBP
triggers: [{{ case_opened: {{ type: t{number} }} }}]
steps:
  - {{ id: match, call: {{ plugin: purchase-match@0, with: {{ window_days: 90 }} }}, as: match }}
  - {{ id: ask, call: {{ plugin: h{number}@0 }} }}
  - {{ id: done, finish: {{ result: done }} }}
"
    )
}

/// A merchant with the stock plugins, the plain workflow, and an order for each customer.
fn shop(world: &World, customers: usize) -> anyhow::Result<Merchant> {
    let merchant = world.merchant("neighbour")?;
    merchant.publish(PLAIN)?;
    for n in 0..customers {
        merchant.order(&order(&format!("2{n:06}"), &format!("w{n}"), days_ago(10), &[("A1", 3, "2.50")])?)?;
    }
    Ok(merchant)
}

/// How long each of the neighbour's cases takes from the submission to what is on disk.
fn measure(merchant: &Merchant, customers: impl Iterator<Item = usize>) -> anyhow::Result<Vec<Duration>> {
    let mut times = Vec::new();
    for customer in customers {
        let open = a_return(&format!("w{customer}"), &[("A1", 2)])?;
        let begun = Instant::now();
        merchant.open(open)?;
        times.push(begun.elapsed());
    }
    Ok(times)
}

/// What goes on beside the neighbour, so many times a second.
struct Attack {
    thread: std::thread::JoinHandle<anyhow::Result<Met>>,
    stop: Arc<AtomicBool>,
}

/// What came of it.
#[derive(Default)]
struct Met {
    /// Cases that were decided, or components that were refused.
    count: u64,
    /// The most memory that the host held meanwhile.
    resident_kib: u64,
}

impl Attack {
    /// Cases of another merchant. It begins with the kind after those that were asked before.
    fn cases(other: &Other, rate: u64, asked: u64) -> anyhow::Result<Self> {
        let (merchant, kinds) = (other.merchant.clone(), other.kinds);
        Self::start(move |stop| attack(&merchant, kinds, rate, asked, stop))
    }

    /// Components that are refused, from the one after those that were sent before.
    fn uploads(sandbox: &Sandbox, wrong: Arc<[UploadKind]>, sent: u64) -> anyhow::Result<Self> {
        let sandbox = sandbox.clone();
        Self::start(move |stop| send(&sandbox, &wrong, sent, stop))
    }

    fn start(work: impl FnOnce(&AtomicBool) -> anyhow::Result<Met> + Send + 'static) -> anyhow::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let stopping = stop.clone();
        let thread = std::thread::Builder::new().name("other".to_owned()).spawn(move || work(&stopping))?;
        Ok(Self { thread, stop })
    }

    fn stop(self) -> anyhow::Result<Met> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().map_err(|_| anyhow::anyhow!("the attack panicked"))?
    }
}

fn attack(merchant: &Merchant, kinds: usize, rate: u64, asked: u64, stop: &AtomicBool) -> anyhow::Result<Met> {
    let decided = Arc::new(AtomicU64::new(0));
    let (mut submitted, mut resident, begun) = (0_u64, 0, Instant::now());
    // Every kind at least once, however quick the neighbour was.
    let fewest = (kinds as u64).div_ceil(ROUNDS as u64);
    while !stop.load(Ordering::Relaxed) || submitted < fewest {
        let is_due = begun.elapsed() >= Duration::from_micros(submitted * 1_000_000 / rate.max(1));
        if !is_due || submitted - decided.load(Ordering::Acquire) >= ON_THEIR_WAY {
            std::thread::sleep(Duration::from_micros(200));
            continue;
        }
        resident = resident.max(resident_kib());
        let kind = Slug::new(&format!("t{}", (asked + submitted) % kinds as u64))?;
        let open = Open { kind, ..a_return("c1", &[("A1", 1)])? };
        let told = decided.clone();
        let then = move |_| {
            told.fetch_add(1, Ordering::Release);
        };
        merchant.engine.submit(submission(Target::New, Body::Open(Box::new(open))), then)?;
        submitted += 1;
    }
    while decided.load(Ordering::Acquire) < submitted {
        resident = resident.max(resident_kib());
        std::thread::sleep(Duration::from_millis(1));
    }
    Ok(Met { count: submitted, resident_kib: resident })
}

fn send(sandbox: &Sandbox, wrong: &[UploadKind], sent: u64, stop: &AtomicBool) -> anyhow::Result<Met> {
    let (mut met, begun) = (Met::default(), Instant::now());
    for kind in wrong.iter().cycle().skip(usize::try_from(sent)?) {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let is_refused = sandbox.upload(&kind.bytes).is_err_and(|refusal| Some(refusal.code()) == kind.ends);
        ensure!(is_refused, "{} is not refused as it should be", kind.name);
        met.count += 1;
        met.resident_kib = met.resident_kib.max(resident_kib());
        let due = Duration::from_micros(met.count * 1_000_000 / UPLOADS_PER_SECOND);
        std::thread::sleep(due.saturating_sub(begun.elapsed()));
    }
    Ok(met)
}
