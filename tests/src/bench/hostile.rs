//! What hostile plugins cost a neighbour: one merchant's cases call every kind of the corpus, another merchant's cases are measured
//! before and meanwhile, in one host.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use redress::engine::Target;
use redress_domain::case::command::{Body, Open};
use redress_domain::clock::Instant as Moment;
use redress_domain::ids::Slug;
use redress_sandbox::{Call, Config, Hook, Sandbox};
use serde_json::{Value as Json, json};

use super::{at, ratio, resident_kib};
use crate::corpus::question::{request, step_request};
use crate::corpus::{CallKind, calls};
use crate::guests::Guest;
use crate::world::{Merchant, START, World, a_return, days_ago, order, submission};

const PLAIN: &str = include_str!("../../fixtures/workflows/plain-return.yaml");

/// Hostile cases that are on their way at once: enough that the host always has one at hand.
const ON_THEIR_WAY: u64 = 8;

/// What is measured, and how long.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Cases of the neighbour in each of the two measurements.
    pub cases: usize,
}

/// Measures, attacks, measures, and tells it.
///
/// # Errors
///
/// The host cannot be made, or a case of the neighbour does not come to its end.
pub fn run(options: Options) -> anyhow::Result<Json> {
    let sandbox = Sandbox::new(Config::default())?;
    let overrun = overrun(&sandbox)?;
    let folder = tempfile::tempdir()?;
    let world = World::with_sandbox(folder.path(), sandbox, Moment::from_unix_ms(START))?;
    let hostile = attackers(&world)?;
    let neighbour = shop(&world, options.cases * 2 + options.cases / 4)?;
    let mut customers = 0..;
    let mut measure = |count: usize| measure(&neighbour, customers.by_ref().take(count));
    measure(options.cases / 4)?;
    let before = measure(options.cases)?;
    let memory = resident_kib();
    let attack = Attack::start(&hostile)?;
    let during = measure(options.cases);
    let met = attack.stop()?;
    let during = during?;
    ensure!(met.cases >= hostile.kinds as u64, "only {} hostile cases were decided", met.cases);
    let (p99_before, p99_during) = (at(&before, 990), at(&during, 990));
    Ok(json!({
        "kinds": hostile.kinds, "hostile_cases": met.cases, "neighbour_cases": options.cases,
        "p50_before_us": micros(at(&before, 500)), "p50_during_us": micros(at(&during, 500)),
        "p99_before_us": micros(p99_before), "p99_during_us": micros(p99_during),
        "p99_ratio": ratio(p99_during.as_nanos(), p99_before.as_nanos()),
        "memory_grown_mib": met.resident_kib.saturating_sub(memory) >> 10,
        "longest_overrun_ms": u64::try_from(overrun.1.as_millis())?, "longest_overrun_of": overrun.0,
    }))
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

/// A merchant with every hostile kind behind a type of case of its own.
struct Attackers {
    merchant: Merchant,
    kinds: usize,
}

fn attackers(world: &World) -> anyhow::Result<Attackers> {
    let merchant = world.merchant("hostile")?;
    merchant.order(&order("1001", "c1", days_ago(10), &[("A1", 60_000, "2.50")])?)?;
    let kinds = calls();
    for (number, CallKind { name, guest, .. }) in kinds.iter().enumerate() {
        merchant.push(&format!("h{number}"), &guest.component()?).with_context(|| (*name).to_owned())?;
        merchant.publish(&workflow(number)).with_context(|| (*name).to_owned())?;
    }
    Ok(Attackers { merchant, kinds: kinds.len() })
}

/// Takes the lines from a purchase first, so that a quote has something to be about.
fn workflow(number: usize) -> String {
    format!(
        "format: 1
workflow: hostile-{number}
currency: GBP
triggers: [{{ case_opened: {{ type: t{number} }} }}]
steps:
  - {{ id: match, call: {{ plugin: purchase-match@0, with: {{ window_days: 90 }} }}, as: match }}
  - {{ id: harm, call: {{ plugin: h{number}@0 }} }}
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

/// How long each of the neighbour's cases takes from the submission to what is on disk, sorted.
fn measure(merchant: &Merchant, customers: impl Iterator<Item = usize>) -> anyhow::Result<Vec<Duration>> {
    let mut times = Vec::new();
    for customer in customers {
        let open = a_return(&format!("w{customer}"), &[("A1", 2)])?;
        let begun = Instant::now();
        merchant.open(open)?;
        times.push(begun.elapsed());
    }
    times.sort_unstable();
    Ok(times)
}

/// Hostile cases without a pause.
struct Attack {
    thread: std::thread::JoinHandle<anyhow::Result<Met>>,
    stop: Arc<AtomicBool>,
}

/// What came of it.
struct Met {
    /// Hostile cases that were decided.
    cases: u64,
    /// The most memory that the host held meanwhile.
    resident_kib: u64,
}

impl Attack {
    fn start(hostile: &Attackers) -> anyhow::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let (stopping, merchant, kinds) = (stop.clone(), hostile.merchant.clone(), hostile.kinds);
        let thread = std::thread::Builder::new().name("hostile".to_owned());
        let thread = thread.spawn(move || attack(&merchant, kinds, &stopping))?;
        Ok(Self { thread, stop })
    }

    fn stop(self) -> anyhow::Result<Met> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().map_err(|_| anyhow::anyhow!("the attack panicked"))?
    }
}

fn attack(merchant: &Merchant, kinds: usize, stop: &AtomicBool) -> anyhow::Result<Met> {
    let decided = Arc::new(AtomicU64::new(0));
    let (mut submitted, mut resident) = (0_u64, 0);
    // Every kind at least once, however quick the neighbour was.
    while !stop.load(Ordering::Relaxed) || submitted < kinds as u64 {
        if submitted - decided.load(Ordering::Acquire) >= ON_THEIR_WAY {
            resident = resident.max(resident_kib());
            std::thread::sleep(Duration::from_micros(200));
            continue;
        }
        let kind = Slug::new(&format!("t{}", submitted % kinds as u64))?;
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
    Ok(Met { cases: submitted, resident_kib: resident })
}
