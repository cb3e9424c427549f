//! `cargo xtask siege`: healthy clients beside a thousand idle connections, slow headers, endless bodies and nonsense. Prints the
//! p99 of the healthy ones before and meanwhile, their ratio, and how much memory the host took more.

mod attackers;
mod healthy;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::Context as _;
use serde_json::json;

use crate::host::Host;

/// Besiege a host.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// How long each of the two measurements takes.
    #[arg(long, value_name = "SECONDS", default_value_t = 15)]
    seconds: u64,
    /// Healthy clients at once.
    #[arg(long, value_name = "N", default_value_t = 4)]
    clients: usize,
    /// Connections that do nothing.
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    idle: usize,
}

/// Build, serve, measure, besiege, measure.
pub(crate) fn run(root: &Path, options: &Options) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let host = Host::start(root, folder.path())?;
    let place = host.address.trim_start_matches("http://").to_owned();
    let lasting = Duration::from_secs(options.seconds);
    healthy::measure(&place, &host.admin, options.clients, Duration::from_secs(2))?;
    let before = healthy::measure(&place, &host.admin, options.clients, lasting)?;
    let memory = resident(host.process())?;
    let stop = Arc::new(AtomicBool::new(false));
    let attackers = attackers::start(&place, &host.admin, options.idle, &stop)?;
    thread::sleep(Duration::from_secs(2));
    let during = healthy::measure(&place, &host.admin, options.clients, lasting)?;
    let grown = resident(host.process())?.saturating_sub(memory);
    stop.store(true, Ordering::SeqCst);
    let met = attackers.join();
    let percent = during.p99.as_micros() * 100 / before.p99.as_micros().max(1);
    println!(
        "{:#}",
        json!({
            "before": before.json(), "besieged": during.json(), "p99_ratio": format!("{}.{:02}", percent / 100, percent % 100),
            "memory_grown_mib": grown >> 10, "attackers": met,
        })
    );
    Ok(())
}

/// Memory that a process holds, in KiB.
fn resident(process: u32) -> anyhow::Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).context("needs Linux")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("VmRSS")?;
    Ok(line.split_whitespace().next().context("a number")?.parse()?)
}
