//! A host whose plugins run in processes of their own decides as one whose plugins run in itself, and leaves none of them behind.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use redress::keys::{Keys, NewKey, Role};
use redress::publish::stock;
use redress_tests::process::Process;
use redress_tests::world::{World, days_ago, order};
use serde_json::{Value as Json, json};

const TENANT: &str = "shop";
const CASES: usize = 12;

/// How long the system may take to clear a process away.
const GONE_WITHIN: Duration = Duration::from_secs(30);

/// A merchant with orders, and a key for its cases.
fn prepare(folder: &Path) -> anyhow::Result<String> {
    let world = World::on(folder)?;
    let merchant = world.bare_merchant(TENANT)?;
    for name in ["purchase-match", "refund-quote"] {
        merchant.push(name, stock::find(name).context("a stock plugin")?.bytes)?;
    }
    merchant.publish(include_str!("../../../workflows/online-retail/return.yaml"))?;
    for n in 0..CASES {
        merchant.order(&order(&format!("1{n:03}"), &format!("c{n}"), days_ago(10), &[("30001", 3, "2.50")])?)?;
    }
    let tenant = Some(merchant.engine.record().id);
    let new = NewKey { tenant, role: Role::Integrator, backdate: true, name: "test".to_owned() };
    Ok(Keys::load(world.app.host())?.create(world.app.host(), world.app.clock(), new)?.secret)
}

fn command(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_redress-under-test"));
    command.arg("--data").arg(folder);
    command
}

/// The processes that this one started and that run plugins.
fn children(of: u32) -> anyhow::Result<Vec<u32>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc")? {
        let Some(id) = entry?.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        // One that ended meanwhile is none.
        let Ok(stat) = std::fs::read_to_string(format!("/proc/{id}/stat")) else { continue };
        let parent = stat.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().nth(1)?.parse::<u32>().ok());
        let said = std::fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
        if parent == Some(of) && said.starts_with(b"redress-plugins\0") {
            found.push(id);
        }
    }
    Ok(found)
}

/// Whether a process runs: one that nobody has waited for is listed, and is none.
fn is_running(process: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    stat.rsplit_once(')').is_some_and(|(_, rest)| !rest.trim_start().starts_with(['Z', 'X']))
}

async fn open(address: &str, key: &str, n: usize) -> anyhow::Result<Json> {
    let body = json!({
        "kind": "return", "currency": "GBP", "customer": { "id": format!("c{n}") }, "lines": [{ "sku": "30001", "quantity": 2 }],
        "occurred_at": days_ago(0).to_string(),
    });
    let client = redress::tls::client().build()?;
    let asked = client.post(format!("{address}/v1/cases")).bearer_auth(key).header("idempotency-key", format!("k{n}"));
    let got = asked.header("content-type", "application/json").body(body.to_string()).send().await?;
    let (status, body) = (got.status(), got.text().await?);
    ensure!(status.is_success(), "{status}: {body}");
    Ok(serde_json::from_str(&body)?)
}

/// A figure of the host.
async fn figure(folder: &Path, address: &str, name: &str) -> anyhow::Result<u64> {
    let key = std::fs::read_to_string(folder.join("operator.key"))?;
    let got =
        redress::tls::client().build()?.get(format!("{address}/metrics")).bearer_auth(key.trim_end()).send().await?;
    let text = got.text().await?;
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.split_whitespace().next_back());
    Ok(line.with_context(|| format!("no {name} in {text}"))?.parse()?)
}

#[tokio::test]
async fn cases_decided_in_processes_are_decided_again_in_the_host_to_the_byte_and_no_process_stays()
-> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data");
    let key = prepare(&data)?;
    let mut serve = command(&data);
    serve.args(["serve", "--listen", "127.0.0.1:0", "--plugin-processes"]);
    let host = Process::start(serve, &folder.path().join("log"))?;
    for n in 0..CASES {
        open(&host.address, &key, n).await?;
    }
    let processes = children(host.id())?;
    ensure!(!processes.is_empty(), "no process runs plugins");
    ensure!(figure(&data, &host.address, "redress_plugin_processes ").await? == processes.len() as u64);
    ensure!(figure(&data, &host.address, "redress_plugin_processes_lost_total ").await? == 0);
    host.kill()?;
    let killed = Instant::now();
    while processes.iter().any(|process| is_running(*process)) {
        ensure!(killed.elapsed() < GONE_WITHIN, "{processes:?} outlive their host");
        tokio::task::yield_now().await;
    }
    let output = command(&data).args(["--tenant", TENANT, "replay", "--all", "--output", "json"]).output()?;
    let told: Json = serde_json::from_slice(&output.stdout)?;
    ensure!(told["different"] == 0 && told["unknown"] == 0, "{told:#}");
    ensure!(told["checked"].as_u64() == Some(2 * CASES as u64), "{told:#}");
    Ok(())
}
