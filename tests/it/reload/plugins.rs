//! Plugins that change while cases come in: shadows, canaries, activations and ways back turn no request away, and every case is decided
//! by the components that it began with.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use redress_domain::ids::Digest;
use redress_tests::guests::integer_step;
use redress_tests::world::World;
use serde_json::{Value as Json, json};
use tokio::task::JoinSet;

use super::{Host, Site, a_case, ask};

/// Cases that are opened a second.
const CASES_PER_SECOND: u32 = 200;
/// How often everything is done that can be done to a plugin.
const ROUNDS: u32 = 12;

/// Two questions in the turn that opens the case, and one after a person looked.
const WORKFLOW: &str = "format: 1
workflow: numbered
currency: GBP
triggers: [{ case_opened: { type: return } }]
steps:
  - { id: one, call: { plugin: number@0 }, as: one }
  - { id: two, call: { plugin: number@0 }, as: two }
  - { id: look, review: { queue: desk, title: Look, next: { go: three }, timeout: { never: a person looks } } }
  - { id: three, call: { plugin: number@0 }, as: three }
  - { id: same, decide: [{ when: 'one.out.n == two.out.n && two.out.n == three.out.n', then: done }, { else: odd }] }
  - { id: done, finish: { result: same } }
  - { id: odd, finish: { result: mixed } }
";

fn component(number: u32) -> Vec<u8> {
    integer_step("n", &format!("(i64.const {number})")).component().unwrap()
}

impl Host<'_> {
    async fn put(&self, path: &str, component: Vec<u8>) -> anyhow::Result<Json> {
        let request = self.site.client.put(format!("{}{path}", self.process.address)).bearer_auth(&self.site.key);
        let answered = request.header("content-type", "application/wasm").body(component).send().await?;
        let (status, text) = (answered.status(), answered.text().await?);
        ensure!(status.is_success(), "{path}: {status} {text}");
        Ok(serde_json::from_str(&text)?)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_is_done_to_a_plugin_turns_no_case_away_and_mixes_none() -> anyhow::Result<()> {
    let site = Site::new()?;
    {
        let world = World::on(&site.folder.path().join("data"))?;
        let merchant = world.reopen("acme")?;
        merchant.push("number", &component(0))?;
        merchant.publish(WORKFLOW)?;
    }
    let host = site.serve()?;
    let (done, waiting) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(Vec::new())));
    let mut clients = JoinSet::new();
    let (client, address, key) = (site.client.clone(), host.process.address.clone(), site.key.clone());
    clients.spawn(load(client, address, key, done.clone(), waiting.clone()));
    let mut compared = 0;
    for round in 0..ROUNDS {
        compared += one_round(&host, 10 * round).await?;
        // Some of the cases go on by what they began with, whatever is active now.
        let some: Vec<Json> = waiting.lock().unwrap_or_else(PoisonError::into_inner).drain(..).take(20).collect();
        for case in &some {
            let ended = host.look_at(case).await?;
            ensure!(ended["result"] == "same", "{ended}");
        }
    }
    done.store(true, Ordering::SeqCst);
    let (asked, failed) = clients.join_next().await.context("the load")???;
    println!("{ROUNDS} rounds, {asked} cases meanwhile, {} failed, {compared} answers compared", failed.len());
    assert!(asked > ROUNDS as usize && compared > 0);
    assert_eq!(failed, Vec::<String>::new());
    host.process.stop()?;
    each_case_has_one_generation(&site.folder.path().join("data"), asked)
}

/// Everything that can be done to a plugin. Answers how many answers of the shadow were compared.
async fn one_round(host: &Host<'_>, number: u32) -> anyhow::Result<u64> {
    host.put("/v1/plugins/number", component(number + 1)).await?;
    host.put("/v1/plugins/number/staged?stage=shadow", component(number + 2)).await?;
    let compared = loop {
        let plugin = host.get("/v1/plugins/number@0").await?;
        let compared = &plugin["staged"]["compared"];
        let asked = compared["asked"].as_u64().with_context(|| plugin.to_string())?;
        if asked >= 10 {
            assert_eq!((&compared["different"], &compared["equal"]), (&json!(asked), &json!(0)));
            break asked;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    };
    let canary = json!({ "stage": "canary", "percent": 40 });
    let staged = host.post("/v1/plugins/number@0/staged", &canary).await?;
    let workflow = host.get("/v1/workflows/numbered").await?;
    assert_eq!(workflow["canary"]["percent"], 40);
    let active = host.post("/v1/plugins/number@0/activate", &json!({ "digest": staged["digest"] })).await?;
    assert_eq!(active["digest"], staged["digest"]);
    host.post("/v1/plugins/number@0/rollback", &json!({})).await?;
    host.put("/v1/plugins/number/staged?stage=canary&percent=10", component(number + 3)).await?;
    host.post("/v1/plugins/number@0/staged/stop", &json!({ "note": "enough" })).await?;
    Ok(compared)
}

/// Open cases at an even rate until told to stop. Answers how many, and what failed.
async fn load(
    client: reqwest::Client,
    address: String,
    key: String,
    done: Arc<AtomicBool>,
    waiting: Arc<Mutex<Vec<Json>>>,
) -> anyhow::Result<(usize, Vec<String>)> {
    let mut ticks = tokio::time::interval(Duration::from_secs(1) / CASES_PER_SECOND);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Burst);
    let (mut asked, mut failed, mut open) = (0, Vec::new(), JoinSet::new());
    while !done.load(Ordering::SeqCst) {
        ticks.tick().await;
        asked += 1;
        let (client, key, address) = (client.clone(), key.clone(), format!("{address}/v1/cases"));
        open.spawn(async move { ask(&client, "POST", &address, &key, Some(&a_case())).await });
        while let Some(answered) = open.try_join_next() {
            match answered? {
                Ok(case) => waiting.lock().unwrap_or_else(PoisonError::into_inner).push(case),
                Err(error) => failed.push(error.to_string()),
            }
        }
    }
    while let Some(answered) = open.join_next().await {
        failed.extend(answered?.err().map(|error| error.to_string()));
    }
    Ok((asked, failed))
}

fn each_case_has_one_generation(data: &Path, cases: usize) -> anyhow::Result<()> {
    let world = World::on(data)?;
    let merchant = world.reopen("acme")?;
    let (mut generations, mut seen) = (BTreeMap::<Digest, usize>::new(), 0);
    for id in merchant.cases()? {
        let turns = merchant.journal(id)?;
        let asked: BTreeSet<Digest> = turns.iter().flat_map(|turn| &turn.asks).map(|asked| asked.ask.digest).collect();
        let [generation] = asked.into_iter().collect::<Vec<_>>()[..] else {
            anyhow::bail!("case {id} was decided by several components")
        };
        *generations.entry(generation).or_default() += 1;
        seen += 1;
    }
    println!("{seen} cases by {} generations", generations.len());
    assert_eq!(seen, cases);
    assert!(generations.len() > ROUNDS as usize, "several components decided: {generations:?}");
    Ok(())
}
