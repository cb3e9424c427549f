//! Rules that change while the host serves: cases keep what they began with, a broken edit changes nothing, a restart publishes
//! nothing, going back stays, and nobody who asks meanwhile is turned away.

mod edits;
mod plugins;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use redress::keys::{Keys, NewKey, Role};
use redress_tests::process::Process;
use redress_tests::world::{START, World, days_ago, order};
use serde_json::{Value as Json, json};
use tokio::task::JoinSet;

/// Cases that wait while the rules change.
const WAITING: usize = 200;
/// Changes of the rules under load; of which so many by the file.
const RELOADS: usize = 200;
const RELOADS_BY_FILE: usize = 40;
/// Requests a second meanwhile.
const REQUESTS_PER_SECOND: u32 = 200;
/// How long a change may take to be seen.
const SEEN_WITHIN: Duration = Duration::from_secs(60);

/// A person looks first; what was bought within the window is taken.
fn rules(days: usize) -> String {
    format!(
        "format: 1
workflow: returns
currency: GBP
triggers: [{{ case_opened: {{ type: return }} }}]
vars: {{ window_days: {{ type: number, default: {days} }} }}
steps:
  - {{ id: look, review: {{ queue: desk, title: Look, next: {{ go: match }}, timeout: {{ never: a person looks }} }} }}
  - {{ id: match, call: {{ plugin: std/purchase-match@0, with: {{ window_days: =window_days }} }}, as: matched }}
  - {{ id: route, decide: [{{ when: 'matched.remedy == \"allow\"', then: taken }}, {{ else: refused }}] }}
  - {{ id: taken, finish: {{ result: taken }} }}
  - {{ id: refused, finish: {{ result: refused }} }}
"
    )
}

/// A host as a process, with one merchant whose folder is watched, and an admin's key.
struct Site {
    folder: tempfile::TempDir,
    key: String,
    client: reqwest::Client,
}

impl Site {
    fn new() -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let world = World::on(&folder.path().join("data"))?;
        let merchant = world.bare_merchant("acme")?;
        // Bought 60 days before the cases are opened: within 90 days, not within 30.
        merchant.order(&order("o1", "c1", days_ago(60), &[("85123A", 1_000, "2.55")])?)?;
        let keys = Keys::load(world.app.host())?;
        let tenant = Some(merchant.engine.record().id);
        let new = NewKey { tenant, role: Role::Admin, backdate: true, name: "test".to_owned() };
        let key = keys.create(world.app.host(), world.app.clock(), new)?.secret;
        std::fs::create_dir_all(folder.path().join("workflows/acme"))?;
        let client = redress::tls::client().timeout(Duration::from_secs(60)).build()?;
        Ok(Self { folder, key, client })
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("workflows/acme/returns.yaml")
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    /// Saved by rename, as editors do.
    fn save(&self, text: &str) -> anyhow::Result<()> {
        let new = self.file().with_extension("new");
        std::fs::write(&new, text)?;
        Ok(std::fs::rename(new, self.file())?)
    }

    fn serve(&self) -> anyhow::Result<Host<'_>> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_redress-under-test"));
        let place = |name: &str| self.folder.path().join(name);
        command.arg("--data").arg(place("data")).args(["serve", "--listen", "127.0.0.1:0", "--workflows"]);
        let process = Process::start(
            {
                command.arg(place("workflows"));
                command
            },
            &self.log(),
        )?;
        Ok(Host { site: self, process })
    }
}

struct Host<'a> {
    site: &'a Site,
    process: Process,
}

impl Host<'_> {
    async fn get(&self, path: &str) -> anyhow::Result<Json> {
        ask(&self.site.client, "GET", &format!("{}{path}", self.process.address), &self.site.key, None).await
    }

    async fn post(&self, path: &str, body: &Json) -> anyhow::Result<Json> {
        ask(&self.site.client, "POST", &format!("{}{path}", self.process.address), &self.site.key, Some(body)).await
    }

    async fn active(&self) -> anyhow::Result<String> {
        let workflow = self.get("/v1/workflows/returns").await?;
        Ok(workflow["active"]["revision"].as_str().with_context(|| workflow.to_string())?.to_owned())
    }

    /// Wait until another revision than this one is active.
    async fn moved_on(&self, from: &str) -> anyhow::Result<String> {
        let deadline = Instant::now() + SEEN_WITHIN;
        loop {
            let active = self.active().await?;
            if active != from {
                return Ok(active);
            }
            ensure!(Instant::now() < deadline, "still {from}: {}", log_of(&self.site.log()));
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Wait until the file is no longer refused.
    async fn mended(&self) -> anyhow::Result<()> {
        let deadline = Instant::now() + SEEN_WITHIN;
        loop {
            let files = self.get("/v1/files").await?;
            let state = files["data"][0]["state"].as_str().with_context(|| files.to_string())?;
            if ["published", "same"].contains(&state) {
                return Ok(());
            }
            ensure!(Instant::now() < deadline, "the file is still {state}: {files}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn open(&self) -> anyhow::Result<Json> {
        self.post("/v1/cases", &a_case()).await
    }

    /// Let the person who looks say `go`.
    async fn look_at(&self, case: &Json) -> anyhow::Result<Json> {
        let task = case["tasks"][0]["id"].as_str().with_context(|| case.to_string())?;
        self.post(&format!("/v1/tasks/{task}/complete"), &json!({ "outcome": "go" })).await
    }
}

fn a_case() -> Json {
    let at = redress_domain::clock::Instant::from_unix_ms(START).to_string();
    json!({ "kind": "return", "customer": { "id": "c1" }, "occurred_at": at, "lines": [{ "sku": "85123A", "quantity": 1 }] })
}

/// Every request has a name of its own; anything but success is an error that says what was answered.
async fn ask(
    client: &reqwest::Client,
    method: &str,
    address: &str,
    key: &str,
    body: Option<&Json>,
) -> anyhow::Result<Json> {
    static NAMES: AtomicUsize = AtomicUsize::new(0);
    let name = format!("reload-{}", NAMES.fetch_add(1, Ordering::SeqCst));
    let mut request = client.request(method.parse()?, address).bearer_auth(key).header("idempotency-key", name);
    if let Some(body) = body {
        request = request.json(body);
    }
    let response = request.send().await?;
    let status = response.status();
    let text = response.text().await?;
    ensure!(status.is_success(), "{method} {address}: {status} {text}");
    Ok(serde_json::from_str(&text)?)
}

fn log_of(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn waiting_cases_keep_the_rules_that_they_began_with() -> anyhow::Result<()> {
    let site = Site::new()?;
    site.save(&rules(90))?;
    let host = site.serve()?;
    let before = host.active().await?;
    let mut waiting = Vec::new();
    for _ in 0..WAITING {
        waiting.push(host.open().await?);
    }

    site.save(&rules(30))?;
    let after = host.moved_on(&before).await?;
    for case in &waiting {
        let done = host.look_at(case).await?;
        assert_eq!((done["result"].as_str(), done["workflow"]["revision"].as_str()), (Some("taken"), Some(&*before)));
    }
    let new = host.open().await?;
    let done = host.look_at(&new).await?;
    assert_eq!((done["result"].as_str(), done["workflow"]["revision"].as_str()), (Some("refused"), Some(&*after)));

    let broken = rules(30).replace("=window_days }", "=window_dayz }");
    site.save(&broken)?;
    let line = broken.lines().position(|line| line.contains("window_dayz")).context("a line")?;
    let column = broken.lines().nth(line).and_then(|line| line.find("window_dayz")).context("a column")?;
    refused_at(&site, line + 1, column + 1).await?;
    assert_eq!(host.active().await?, after, "a broken edit changes nothing");

    let revisions = host.get("/v1/workflows/returns/revisions").await?;
    host.process.stop()?;
    let host = site.serve()?;
    assert_eq!(host.get("/v1/workflows/returns/revisions").await?, revisions, "a restart publishes nothing");

    site.save(&rules(30))?;
    host.mended().await?;
    let back = host.post("/v1/workflows/returns/rollback", &json!({ "note": "too strict" })).await?;
    assert_eq!(back["revision"].as_str(), Some(&*before));
    host.process.stop()?;
    let host = site.serve()?;
    assert_eq!(host.active().await?, before, "what was rolled back stays so");
    let new = host.open().await?;
    assert_eq!(host.look_at(&new).await?["result"], "taken");
    host.process.stop()
}

/// Wait until the log shows the problem at this place, with the caret under it.
async fn refused_at(site: &Site, line: usize, column: usize) -> anyhow::Result<()> {
    let deadline = Instant::now() + SEEN_WITHIN;
    let place = format!("returns.yaml:{line}:{column}");
    loop {
        let log = log_of(&site.log());
        if let Some((_, told)) = log.split_once(&place) {
            let source = told.lines().nth(1).context("the line itself")?;
            let carets = told.lines().nth(2).context("the carets")?;
            assert_eq!(carets.find('^'), source.find("window_dayz"), "{told}");
            return Ok(());
        }
        ensure!(Instant::now() < deadline, "{place} is not told: {log}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_changes_of_the_rules_turn_no_request_away() -> anyhow::Result<()> {
    let site = Site::new()?;
    site.save(&rules(90))?;
    let host = site.serve()?;
    let done = Arc::new(AtomicBool::new(false));
    let mut clients = JoinSet::new();
    clients.spawn(load(site.client.clone(), host.process.address.clone(), site.key.clone(), done.clone()));
    let mut active = host.active().await?;
    for number in 0..RELOADS {
        let text = rules(100 + number);
        if number % (RELOADS / RELOADS_BY_FILE) == 0 {
            site.save(&text)?;
        } else {
            host.post("/v1/workflows", &json!({ "source": text, "note": "under load" })).await?;
        }
        active = host.moved_on(&active).await?;
    }
    done.store(true, Ordering::SeqCst);
    let (asked, failed) = clients.join_next().await.context("the load")???;
    println!("{RELOADS} changes, {asked} requests meanwhile, {} failed", failed.len());
    assert!(asked > RELOADS, "requests were asked meanwhile");
    assert_eq!(failed, Vec::<String>::new());
    host.process.stop()
}

/// Open cases and read lists at an even rate, until told to stop. Answers how many requests were made, and what failed.
async fn load(
    client: reqwest::Client,
    address: String,
    key: String,
    done: Arc<AtomicBool>,
) -> anyhow::Result<(usize, Vec<String>)> {
    let mut ticks = tokio::time::interval(Duration::from_secs(1) / REQUESTS_PER_SECOND);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let (mut asked, mut failed, mut open) = (0, Vec::new(), JoinSet::new());
    while !done.load(Ordering::SeqCst) {
        ticks.tick().await;
        asked += 1;
        let (client, key, address) = (client.clone(), key.clone(), format!("{address}/v1/cases"));
        let (method, body) = if asked % 2 == 0 { ("POST", Some(a_case())) } else { ("GET", None) };
        open.spawn(async move { ask(&client, method, &address, &key, body.as_ref()).await.map(drop) });
        while let Some(answered) = open.try_join_next() {
            failed.extend(answered?.err().map(|error| error.to_string()));
        }
    }
    while let Some(answered) = open.join_next().await {
        failed.extend(answered?.err().map(|error| error.to_string()));
    }
    Ok((asked, failed))
}
