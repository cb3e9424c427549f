//! Returns over HTTP by 64 clients at once, requests that come twice, a provider that loses answers, and a host that is killed
//! ten times: nothing that was acknowledged is lost, and nothing is paid twice.

mod book;
mod clients;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use redress::keys::{Keys, NewKey, Role};
use redress::outbox::Settings;
use redress::outbox::connectors::{self, Connector, Kind, Webhook};
use redress::outbox::secret::Secret;
use redress::publish::stock;
use redress_domain::case::{Case, EffectState, What};
use redress_domain::codec;
use redress_domain::ledger::Ledger;
use redress_store::audit::{self, Verified};
use redress_store::scan::{Direction, Scan};
use redress_tests::process::Process;
use redress_tests::world::{Merchant, World, admin};
use serde_json::Value as Json;

use crate::import::{cases, outcome};
use book::Book;
use clients::{Clients, Tally};

const TENANT: &str = "online-retail";
/// How often the host is killed.
const KILLS: usize = 10;
/// Acknowledgements between two kills, at least.
const ACKNOWLEDGED_BETWEEN: usize = 50;
/// How long everything may take until it is settled.
const SETTLED_WITHIN: Duration = Duration::from_secs(420);
/// What requests to the provider are signed with.
const SECRET: &str = "whsec_c3Rvcm0gb2YgcmV0dXJucyBvdmVyIEhUVFA=";

#[test]
fn returns_by_64_clients_survive_ten_kills_and_a_provider_that_loses_answers() -> anyhow::Result<()> {
    let book = Book::read()?;
    let folder = tempfile::tempdir()?;
    let log = folder.path().join("processes.log");
    let provider = provider(folder.path(), &log)?;
    let key = prepare(folder.path(), &book, &provider.address)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let done = runtime.block_on(storm(folder.path(), &log, &book, &key));
    let (clients, kills) = done.with_context(|| tail(&log))?;
    let tally = clients.tally();
    let told: Json = runtime.block_on(async { reqwest_get(&format!("{}/effects", provider.address)).await })?;
    println!(
        "{} cases, {kills} kills, {} repeats, {} of them at once with the first, {} told to wait",
        book.cases.len(),
        tally.repeated,
        tally.in_flight,
        tally.told_to_wait
    );
    judge(folder.path(), &book, &clients.acknowledged(), &told, &tally)
}

/// Everything is handed in, killed, repeated and settled.
async fn storm(folder: &Path, log: &Path, book: &Book, key: &str) -> anyhow::Result<(Arc<Clients>, usize)> {
    let mut host = serve(folder, log)?;
    let clients = Clients::start(book, key, &host.address);
    let between = (book.cases.len() / (KILLS + 1)).max(ACKNOWLEDGED_BETWEEN);
    let (mut kills, mut seen) = (0, 0);
    while !clients.are_done() {
        let acknowledged = clients.acknowledged_count();
        if kills < KILLS && acknowledged >= seen + between && clients.open.load(Ordering::SeqCst) > 0 {
            host.kill()?;
            kills += 1;
            seen = clients.acknowledged_count();
            host = serve(folder, log)?;
            clients.moved_to(&host.address);
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    clients.failed()?;
    ensure!(kills == KILLS, "only {kills} kills: the data is too small");
    settled(&host.address, key).await?;
    host.stop()?;
    Ok((clients, kills))
}

/// Wait until no effect is on its way any more.
async fn settled(address: &str, key: &str) -> anyhow::Result<()> {
    let client = redress::tls::client().build()?;
    let deadline = Instant::now() + SETTLED_WITHIN;
    loop {
        let asked = client.get(format!("{address}/v1/effects?state=intended&limit=1")).bearer_auth(key);
        let page: Json = asked.send().await?.json().await?;
        if page["data"].as_array().context("a page")?.is_empty() {
            return Ok(());
        }
        ensure!(Instant::now() < deadline, "an effect is still on its way: {page}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// What was promised holds: in the store, at the provider, and against what the same returns come to one after the other.
fn judge(
    folder: &Path,
    book: &Book,
    acknowledged: &BTreeMap<String, String>,
    told: &Json,
    tally: &Tally,
) -> anyhow::Result<()> {
    let world = World::on(&folder.join("data"))?;
    let merchant = world.reopen(TENANT)?;
    let verified = audit::verify(&merchant.engine.store().read()?)?;
    assert!(matches!(verified, Verified::Intact(_)), "{verified:?}");
    let cases: BTreeMap<String, Case> = cases(&merchant)?.into_iter().collect();
    assert_eq!(cases.len(), book.cases.len(), "every return is one case");
    for (name, id) in acknowledged {
        assert_eq!(cases.get(name).map(|case| case.id.to_string()).as_ref(), Some(id), "acknowledged case {name}");
    }
    assert_eq!(acknowledged.len(), book.cases.len());
    paid_once(&cases, told)?;
    within_bought(&merchant)?;
    let unshared = book.unshared();
    for name in &unshared {
        assert_eq!(Some(&outcome(name, &cases[name])), book.outcomes.get(name), "case {name}, which shares nothing");
    }
    println!("{} cases share no purchase with another and equal the reference", unshared.len());
    assert!(unshared.len() >= book.cases.len() / 20, "too few cases can be compared");
    assert!(tally.repeated >= book.cases.len() / 3, "{} repeats", tally.repeated);
    assert!(tally.replayed > 0 && tally.told_to_wait > 0, "repeats met an answer, and a request under way: {tally:?}");
    Ok(())
}

/// As many refunds at the provider as in the cases, of the same amounts, each once under its own key.
fn paid_once(cases: &BTreeMap<String, Case>, told: &Json) -> anyhow::Result<()> {
    let effects = || cases.values().flat_map(|case| &case.effects);
    assert!(
        effects().all(|(_, effect)| effect.state == EffectState::Confirmed),
        "every effect is settled and happened"
    );
    let refunds: BTreeMap<String, String> = effects()
        .filter_map(|(key, effect)| match &effect.what {
            What::Refund(refund) => Some((key.to_string(), refund.amount.amount().to_string())),
            _ => None,
        })
        .collect();
    let known = told.as_array().context("what the provider knows")?;
    let (mut paid, mut repeated) = (BTreeMap::new(), 0);
    for one in known {
        assert_eq!(one["effects"], 1, "one effect for each key: {one}");
        repeated += one["calls"].as_u64().context("calls")? - 1;
        if one["kind"] == "refund.requested" {
            let amount = one["amount"].as_str().context("an amount")?.parse::<rust_decimal::Decimal>()?;
            paid.insert(one["key"].as_str().context("a key")?.to_owned(), format!("{amount:.2}"));
        }
    }
    assert_eq!(known.len(), effects().count(), "the provider did what the cases hold and nothing else");
    assert!(paid == refunds, "{} refunds at the provider, {} in the cases", paid.len(), refunds.len());
    assert!(repeated >= 20, "only {repeated} calls came twice under one key: the test is blind");
    println!("{} refunds, {repeated} calls that came again under their key", paid.len());
    Ok(())
}

/// No order line has more units returned or promised than were bought.
fn within_bought(merchant: &Merchant) -> anyhow::Result<()> {
    let snapshot = merchant.engine.store().read()?;
    let mut cursor = None;
    loop {
        let page = snapshot.scan(&Scan::Orders, Direction::Forward, cursor.as_ref(), 1_000)?;
        for row in &page.rows {
            let order = row.order().context("an order")?;
            let Some(head) = snapshot.load_ledgers(std::slice::from_ref(&order))?.remove(0) else { continue };
            let ledger: Ledger = codec::decode(&head.bytes)?;
            for number in 0..4_000 {
                let Some(line) = ledger.line(number) else { break };
                assert!(line.returned + line.reserved <= line.bought, "order {order} line {number}: {line:?}");
                assert!(line.refunded.minor() <= line.paid.minor(), "order {order} line {number}: {line:?}");
            }
        }
        cursor = page.next;
        if cursor.is_none() {
            return Ok(());
        }
    }
}

/// A data folder with the merchant, its orders, its rules, its connectors, and a key for the clients.
fn prepare(folder: &Path, book: &Book, provider: &str) -> anyhow::Result<String> {
    let world = World::on(&folder.join("data"))?;
    let merchant = world.bare_merchant(TENANT)?;
    for name in ["purchase-match", "refund-quote"] {
        merchant.push(name, stock::find(name).context("a stock plugin")?.bytes)?;
    }
    merchant.publish(include_str!("../../workflows/online-retail/return.yaml"))?;
    book.orders.iter().try_for_each(|order| merchant.order(order))?;
    let settings = Settings { allowed: vec!["127.0.0.1".parse().map_err(anyhow::Error::msg)?], ..Settings::default() };
    for (kind, path) in [(Kind::Payment, "payment"), (Kind::Stock, "stock"), (Kind::Notification, "notification")] {
        let webhook = Connector::Webhook(Webhook::new(format!("{provider}/{path}"), Secret::new(SECRET.to_owned())));
        connectors::set(&merchant.engine, world.app.host().key(), &settings, &kind, &webhook, &admin())?;
    }
    let keys = Keys::load(world.app.host())?;
    let tenant = Some(merchant.engine.record().id);
    let new = NewKey { tenant, role: Role::Integrator, backdate: true, name: "storm".to_owned() };
    Ok(keys.create(world.app.host(), world.app.clock(), new)?.secret)
}

fn serve(folder: &Path, log: &Path) -> anyhow::Result<Process> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_redress-under-test"));
    command.arg("--data").arg(folder.join("data")).args(["serve", "--listen", "127.0.0.1:0"]);
    command.args(["--allow-connector", "127.0.0.1"]);
    Process::start(command, log)
}

fn provider(folder: &Path, log: &Path) -> anyhow::Result<Process> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_redress-provider"));
    command.args(["--listen", "127.0.0.1:0", "--secret", SECRET, "--lose-every", "10", "--book"]);
    command.arg(folder.join("provider.book"));
    Process::start(command, log)
}

async fn reqwest_get(address: &str) -> anyhow::Result<Json> {
    Ok(redress::tls::client().build()?.get(address).send().await?.json().await?)
}

/// The end of what the processes said.
fn tail(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().rev().take(20).collect();
    lines.into_iter().rev().collect::<Vec<_>>().join("\n")
}

/// Straight to the stream: what a passing test prints by macro nobody sees.
fn say(line: &str) {
    drop(writeln!(std::io::stderr(), "{line}"));
}
