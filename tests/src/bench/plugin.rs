//! What a call of a plugin costs: on one core, on two, with a thousand different plugins, and for guests of other languages.

use std::path::{Path, PathBuf};
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use redress::publish::stock;
use redress_sandbox::contract::{Opinion, Request};
use redress_sandbox::{Call, Config, Digest, Hook, Sandbox, Wall};
use serde_json::{Value as Json, json};

use super::{at, ratio};
use crate::corpus::question::{allow, request, step_request, take, verdict};
use crate::corpus::uploads::custom_section;

/// What is measured, and for how long.
#[derive(Clone, Debug)]
pub struct Options {
    /// How long each figure is measured.
    pub lasting: Duration,
    /// How many different plugins.
    pub plugins: usize,
    /// Where components of other languages lie.
    pub guests: PathBuf,
    /// The processes that run plugins behind the second wall.
    pub cells: Wall,
}

/// Measures everything and tells it.
///
/// # Errors
///
/// A plugin that must be taken is refused, or a call fails.
pub fn run(options: &Options) -> anyhow::Result<Json> {
    let sandbox = Sandbox::new(Config::default())?;
    let quote = stock::find("refund-quote").context("the stock plugin")?;
    let held = sandbox.load_own(quote.bytes)?;
    let digest = held.digest;
    let question = question();
    let fuel = sandbox.call(&digest, Call::Refund(&question))?.fuel;
    let one = timed(&sandbox, &digest, Call::Refund(&question), options.lasting)?;
    let picks = |_: usize, _: u64| digest;
    // One and two in turns, so that both meet the same machine.
    let (mut alone, mut together) = (0, 0);
    for _ in 0..3 {
        alone += rate(&sandbox, &question, 1, options.lasting / 3, &picks)?;
        together += rate(&sandbox, &question, 2, options.lasting / 3, &picks)?;
    }
    let many = many(&sandbox, quote.bytes, &question, options)?;
    let cells = in_cells(quote.bytes, &question, options)?;
    Ok(json!({
        "plugin": "refund-quote", "fuel": fuel, "calls_timed": one.len(),
        "median_ns": nanos(at(&one, 500)), "p99_ns": nanos(at(&one, 990)),
        "one_thread_calls_per_second": alone / 3, "two_threads_calls_per_second": together / 3,
        "two_threads_to_one": ratio(u128::from(together), u128::from(alone)),
        "different_plugins": options.plugins, "different_plugins_calls_per_second": many,
        "in_processes": cells, "guests": guests(&sandbox, options)?,
    }))
}

/// The same call where plugins run in processes of their own.
fn in_cells(bytes: &[u8], question: &Request, options: &Options) -> anyhow::Result<Json> {
    let sandbox = Sandbox::new(Config { wall: options.cells.clone(), ..Config::default() })?;
    let held = sandbox.load_own(bytes)?;
    let times = timed(&sandbox, &held.digest, Call::Refund(question), options.lasting)?;
    let picks = |_: usize, _: u64| held.digest;
    let [one, two] = [1, 2].map(|threads| rate(&sandbox, question, threads, options.lasting, &picks));
    let (one, two) = (one?, two?);
    Ok(json!({
        "median_ns": nanos(at(&times, 500)), "p99_ns": nanos(at(&times, 990)),
        "one_thread_calls_per_second": one, "two_threads_calls_per_second": two,
        "two_threads_to_one": ratio(u128::from(two), u128::from(one)),
    }))
}

/// The usual question, after lines were matched: what the quote is about.
fn question() -> Request {
    let lines = vec![allow(0, 2, vec![take("536378", 2)]), allow(1, 1, vec![take("536378", 1)])];
    let opinion = Opinion { step: "match".to_owned(), plugin: "purchase-match@0".to_owned(), verdict: verdict(lines) };
    Request { earlier: vec![opinion], ..request() }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// How long each call takes on this thread, sorted.
fn timed(sandbox: &Sandbox, digest: &Digest, call: Call<'_>, lasting: Duration) -> anyhow::Result<Vec<Duration>> {
    for _ in 0..200 {
        sandbox.call(digest, call)?;
    }
    let (begun, mut times) = (Instant::now(), Vec::new());
    while begun.elapsed() < lasting || times.len() < 50 {
        let one = Instant::now();
        sandbox.call(digest, call)?;
        times.push(one.elapsed());
    }
    times.sort_unstable();
    Ok(times)
}

/// Calls in a second on so many threads together; `pick` says which plugin a thread asks next.
fn rate(
    sandbox: &Sandbox,
    question: &Request,
    threads: usize,
    lasting: Duration,
    pick: &(dyn Fn(usize, u64) -> Digest + Sync),
) -> anyhow::Result<u64> {
    let (barrier, done) = (Barrier::new(threads + 1), AtomicBool::new(false));
    let run = |thread: usize| {
        barrier.wait();
        let mut calls = 0_u64;
        while !done.load(Ordering::Relaxed) {
            sandbox.call(&pick(thread, calls), Call::Refund(question))?;
            calls += 1;
        }
        anyhow::Ok(calls)
    };
    std::thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|thread| scope.spawn(move || run(thread))).collect();
        barrier.wait();
        let begun = Instant::now();
        std::thread::sleep(lasting);
        done.store(true, Ordering::Relaxed);
        let mut calls = 0;
        for thread in running {
            calls += thread.join().map_err(|_| anyhow::anyhow!("a caller panicked"))??;
        }
        let millis = u64::try_from(begun.elapsed().as_millis())?.max(1);
        Ok(calls * 1_000 / millis)
    })
}

/// Two threads that ask plugins far apart from each other, as cases of many merchants do.
fn many(sandbox: &Sandbox, bytes: &[u8], question: &Request, options: &Options) -> anyhow::Result<u64> {
    let mut held = Vec::new();
    for number in 0..options.plugins {
        let one = [bytes, &custom_section("copy", &number.to_be_bytes())].concat();
        held.push(sandbox.load(&one)?);
    }
    ensure!(sandbox.loaded() >= options.plugins, "{} are loaded", sandbox.loaded());
    // A step that is coprime to most counts, so that neighbours in time are far apart in memory.
    let pick = |thread: usize, call: u64| {
        let place = (call * 617 + thread as u64 * 311) % held.len() as u64;
        held[usize::try_from(place).unwrap_or(0)].digest
    };
    rate(sandbox, question, 2, options.lasting, &pick)
}

/// A call of each component that lies there. None there is said, since a figure that is missing looks like a good one.
fn guests(sandbox: &Sandbox, options: &Options) -> anyhow::Result<Json> {
    let mut told = serde_json::Map::new();
    for file in components(&options.guests)? {
        let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        told.insert(name, guest(sandbox, &std::fs::read(&file)?, options.lasting)?);
    }
    Ok(if told.is_empty() {
        Json::String(format!("missing: no component in {}", options.guests.display()))
    } else {
        told.into()
    })
}

fn components(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Ok(Vec::new()) };
    let mut files = entries.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>()?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "wasm"));
    files.sort();
    Ok(files)
}

fn guest(sandbox: &Sandbox, bytes: &[u8], lasting: Duration) -> anyhow::Result<Json> {
    let begun = Instant::now();
    let held = sandbox.load(bytes)?;
    let compiled = begun.elapsed();
    let (question, step) = (question(), step_request());
    let call = match held.hooks.first().context("a hook")? {
        Hook::Eligibility => Call::Eligibility(&question),
        Hook::Compliance => Call::Compliance(&question),
        Hook::Refund => Call::Refund(&question),
        Hook::Step => Call::Step(&step),
    };
    let first = sandbox.attempt(&held.digest, call);
    if let Err(error) = first.result {
        return Ok(json!({ "bytes": bytes.len(), "class": held.manifest.class, "failed": error.code() }));
    }
    let times = timed(sandbox, &held.digest, call, lasting)?;
    Ok(json!({
        "bytes": bytes.len(), "class": held.manifest.class, "compiled_ms": u64::try_from(compiled.as_millis())?,
        "fuel": first.fuel, "median_ns": nanos(at(&times, 500)), "p99_ns": nanos(at(&times, 990)),
    }))
}
