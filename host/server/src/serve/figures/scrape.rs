//! Figures that are read when somebody asks: engines, stores, plugins, timers, connections, the clock.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric as _};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use redress_domain::ids::TenantId;
use redress_store::scan::{Direction, Scan};

use super::super::accept;
use super::super::tenants::Tenants;
use crate::app::App;
use crate::clock::steady::{Standing, SteadyClock};
use crate::engine::Engine;

/// Tenants that have a label of their own; those beyond are one, `(others)`.
const NAMED_MAX: usize = 100;
const OTHERS: &str = "(others)";
/// States of effects that somebody waits for.
const UNSETTLED: [&str; 2] = ["intended", "unknown"];
/// Effects of a tenant that are counted in a state: beyond it the number says no more than that something is stuck.
const EFFECTS_COUNTED_MAX: usize = 1_000;

/// What is asked when somebody asks.
pub(in crate::serve) struct Sources {
    pub(in crate::serve) app: App,
    pub(in crate::serve) clock: Arc<SteadyClock>,
    pub(in crate::serve) tenants: Tenants,
    pub(in crate::serve) connections: Arc<accept::Counts>,
    /// Tenants that have a label. It only grows, so that no figure changes its name.
    pub(in crate::serve) named: Mutex<BTreeSet<TenantId>>,
}

/// One figure with its labels.
type Row = (Vec<(&'static str, String)>, Value);

#[derive(Clone, Copy)]
enum Value {
    Count(u64),
    Seconds(f64),
    Level(i64),
    LevelSeconds(f64),
}

impl Collector for Sources {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let engines = self.app.engines();
        let out = &mut encoder;
        self.connections(out)?;
        self.turns(out, &engines)?;
        stores(out, &engines)?;
        let help = "Merchants whose file could not be opened: a person must look";
        one(out, "tenants_not_opened", help, level(self.app.not_opened().len() as u64))?;
        effects(out, &engines)?;
        self.timers(out)?;
        self.plugins(out)?;
        self.clock(out)
    }
}

impl Sources {
    fn connections(&self, out: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let counts = &self.connections;
        let open = i64::try_from(counts.open.load(Ordering::Relaxed)).unwrap_or(i64::MAX);
        one(out, "connections_open", "Connections that are open", Value::Level(open))?;
        let accepted = counts.accepted.load(Ordering::Relaxed);
        one(out, "connections_accepted", "Connections taken", Value::Count(accepted))?;
        let refused = counts.refused.load(Ordering::Relaxed);
        one(out, "connections_refused", "Connections turned away because too many were open", Value::Count(refused))
    }

    fn turns(&self, out: &mut DescriptorEncoder<'_>, engines: &[Engine]) -> fmt::Result {
        let (mut turns, mut conflicts, mut queued) = (Named::new(), Named::new(), Named::new());
        let mut failed: BTreeMap<&'static str, u64> = BTreeMap::new();
        for (name, engine) in self.named(engines) {
            let counts = engine.counts();
            *turns.entry(name.clone()).or_default() += counts.turns;
            *conflicts.entry(name.clone()).or_default() += counts.conflicts;
            *queued.entry(name).or_default() += engine.queued() as u64;
            for (code, count) in engine.failures() {
                *failed.entry(code).or_default() += count;
            }
        }
        many(out, "turns", "Turns committed", by_tenant(turns, Value::Count))?;
        let help = "Turns computed again because another one moved what they read";
        many(out, "turn_conflicts", help, by_tenant(conflicts, Value::Count))?;
        many(out, "turns_queued", "Turns that wait for a worker", by_tenant(queued, level))?;
        let by_code = failed.into_iter().map(|(code, count)| (vec![("code", code.to_owned())], Value::Count(count)));
        many(out, "commands_failed", "Commands that were refused or failed, by code", by_code.collect())?;
        let load = self.app.workers().load();
        one(out, "workers", "Threads that run turns", level(load.threads as u64))?;
        one(out, "workers_busy", "Threads that run a turn now", level(load.busy as u64))
    }

    /// Every engine with the label that it goes by.
    fn named<'a>(&self, engines: &'a [Engine]) -> Vec<(String, &'a Engine)> {
        let mut named = self.named.lock().unwrap_or_else(PoisonError::into_inner);
        let mut busiest: Vec<&Engine> = engines.iter().collect();
        busiest.sort_by_key(|engine| std::cmp::Reverse(engine.counts().turns));
        for engine in busiest {
            if named.len() < NAMED_MAX {
                named.insert(engine.record().id);
            }
        }
        let label = |engine: &Engine| {
            let record = engine.record();
            if named.contains(&record.id) { record.slug.to_string() } else { OTHERS.to_owned() }
        };
        engines.iter().map(|engine| (label(engine), engine)).collect()
    }

    fn timers(&self, out: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let lags = self.tenants.lags();
        let worst = lags.iter().copied().max().unwrap_or(0);
        let help = "How long the first of what is due has been due, of the tenant that is furthest behind";
        one(out, "timers_lag_seconds", help, Value::LevelSeconds(seconds(worst)))?;
        let behind = lags.iter().filter(|lag| **lag > 0).count();
        one(out, "timers_behind", "Tenants whose timers are behind", level(behind as u64))
    }

    fn plugins(&self, out: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let stats = self.app.sandbox().stats();
        one(out, "plugin_calls", "Questions put to plugins", Value::Count(stats.calls))?;
        one(out, "plugin_fuel", "Fuel that plugins used", Value::Count(stats.fuel))?;
        let failed =
            stats.errors.into_iter().map(|(code, count)| (vec![("code", code.to_owned())], Value::Count(count)));
        many(out, "plugin_calls_failed", "Questions that plugins failed to answer, by code", failed.collect())?;
        let loaded = level(self.app.sandbox().loaded() as u64);
        one(out, "plugins_loaded", "Plugins that are held in memory", loaded)?;
        one(out, "plugins_compiled", "Plugins compiled", Value::Count(stats.compiled))?;
        one(out, "plugins_from_cache", "Plugins taken from the cache instead", Value::Count(stats.cache_hits))?;
        let help = "Compiled plugins whose seal was broken: a person must look";
        one(out, "plugin_cache_alarms", help, Value::Count(stats.cache_alarms))?;
        let processes = level(self.app.sandbox().processes().len() as u64);
        one(out, "plugin_processes", "Processes that plugins run in, where they have their own", processes)?;
        let help = "Processes that plugins ran in and that ended otherwise than by the host: a person must look";
        one(out, "plugin_processes_lost", help, Value::Count(stats.processes_lost))
    }

    fn clock(&self, out: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let reading = self.clock.read();
        let help = "How far the machine's clock is ahead of the host's time";
        one(out, "clock_deviation_seconds", help, Value::LevelSeconds(seconds(reading.deviation_ms)))?;
        let standings = [Standing::Follows, Standing::Jumped, Standing::Held];
        let rows = standings.map(|standing| {
            (vec![("standing", standing.word().to_owned())], level(u64::from(standing == reading.standing)))
        });
        many(out, "clock", "1 for how the host's time stands to the machine's clock", rows.into())
    }
}

type Named = BTreeMap<String, u64>;

fn by_tenant(named: Named, value: fn(u64) -> Value) -> Vec<Row> {
    named.into_iter().map(|(tenant, count)| (vec![("tenant", tenant)], value(count))).collect()
}

fn stores(out: &mut DescriptorEncoder<'_>, engines: &[Engine]) -> fmt::Result {
    let stats: Vec<_> = engines.iter().map(|engine| engine.store().stats()).collect();
    one(out, "stores", "Merchants' files that are open", level(stats.len() as u64))?;
    let stopped = stats.iter().filter(|stats| stats.read_only).count();
    let help = "Merchants' files that take no writes any more: a person must look";
    one(out, "stores_read_only", help, level(stopped as u64))?;
    one(
        out,
        "store_commits",
        "Commits, each with its syncs",
        Value::Count(stats.iter().map(|stats| stats.commits).sum()),
    )?;
    let took = Duration::from_micros(stats.iter().map(|stats| stats.commit_micros).sum()).as_secs_f64();
    one(out, "store_commit_seconds", "What all commits took together", Value::Seconds(took))?;
    one(
        out,
        "store_batches",
        "Batches stored; several share a commit",
        Value::Count(stats.iter().map(|stats| stats.batches).sum()),
    )?;
    let conflicts = stats.iter().map(|stats| stats.conflicts).sum();
    one(out, "store_conflicts", "Batches refused because a stream had moved", Value::Count(conflicts))?;
    one(out, "store_rows", "Rows written and deleted", Value::Count(stats.iter().map(|stats| stats.rows).sum()))
}

/// Only what is not settled: the others only grow in number, and are in the listing of effects.
fn effects(out: &mut DescriptorEncoder<'_>, engines: &[Engine]) -> fmt::Result {
    let rows = UNSETTLED.map(|state| {
        let count: usize = engines.iter().map(|engine| effects_in(engine, state)).sum();
        (vec![("state", state.to_owned())], level(count as u64))
    });
    let help = "Effects that are not settled, at most 1000 counted of each tenant";
    many(out, "effects", help, rows.into())
}

fn effects_in(engine: &Engine, state: &str) -> usize {
    let scan = Scan::EffectsByState(state.to_owned());
    let page = engine.store().read().and_then(|now| now.scan(&scan, Direction::Forward, None, EFFECTS_COUNTED_MAX));
    // A file that cannot be read is told by the other figures and by `/readyz`.
    page.map_or(0, |page| page.rows.len())
}

fn one(out: &mut DescriptorEncoder<'_>, name: &str, help: &str, value: Value) -> fmt::Result {
    let metric = out.encode_descriptor(name, help, None, kind(value))?;
    match value {
        Value::Count(count) => ConstCounter::new(count).encode(metric),
        Value::Seconds(seconds) => ConstCounter::new(seconds).encode(metric),
        Value::Level(level) => ConstGauge::new(level).encode(metric),
        Value::LevelSeconds(seconds) => ConstGauge::new(seconds).encode(metric),
    }
}

/// A figure that has none yet is left out: a family without rows tells nothing.
fn many(out: &mut DescriptorEncoder<'_>, name: &str, help: &str, rows: Vec<Row>) -> fmt::Result {
    let Some((_, first)) = rows.first() else { return Ok(()) };
    let mut family = out.encode_descriptor(name, help, None, kind(*first))?;
    for (labels, value) in rows {
        let metric = family.encode_family(&labels)?;
        match value {
            Value::Count(count) => ConstCounter::new(count).encode(metric)?,
            Value::Seconds(seconds) => ConstCounter::new(seconds).encode(metric)?,
            Value::Level(level) => ConstGauge::new(level).encode(metric)?,
            Value::LevelSeconds(seconds) => ConstGauge::new(seconds).encode(metric)?,
        }
    }
    Ok(())
}

fn kind(value: Value) -> MetricType {
    match value {
        Value::Count(_) | Value::Seconds(_) => MetricType::Counter,
        Value::Level(_) | Value::LevelSeconds(_) => MetricType::Gauge,
    }
}

fn level(count: u64) -> Value {
    Value::Level(i64::try_from(count).unwrap_or(i64::MAX))
}

/// Milliseconds as seconds, with their sign.
fn seconds(millis: i64) -> f64 {
    let seconds = Duration::from_millis(millis.unsigned_abs()).as_secs_f64();
    if millis < 0 { seconds.copysign(-1.0) } else { seconds }
}

impl fmt::Debug for Sources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sources")
    }
}
