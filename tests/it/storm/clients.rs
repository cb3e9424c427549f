//! 64 clients that hand in returns, send every second request again, and go on when the host is gone for a while.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use serde_json::Value as Json;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::book::{Book, Sent};

/// Clients at once.
const CLIENTS: usize = 64;
/// How long a client tries one request, kills included.
const ANSWERED_WITHIN: Duration = Duration::from_secs(240);

/// What the clients saw.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tally {
    /// Requests that were sent again.
    pub(super) repeated: usize,
    /// Of which while the first was under way.
    pub(super) in_flight: usize,
    /// Repeats that were told that the first is under way.
    pub(super) told_to_wait: usize,
    /// Answers that were given before.
    pub(super) replayed: usize,
}

/// The clients, and what they know.
pub(super) struct Clients {
    waiting: Mutex<VecDeque<(usize, Sent)>>,
    acknowledged: Mutex<BTreeMap<String, String>>,
    tally: Mutex<Tally>,
    failure: Mutex<Option<String>>,
    address: watch::Sender<String>,
    /// Requests that are under way.
    pub(super) open: AtomicUsize,
    working: AtomicUsize,
    key: String,
    client: reqwest::Client,
}

struct Reply {
    status: u16,
    replayed: bool,
    body: Json,
}

impl Clients {
    pub(super) fn start(book: &Book, key: &str, address: &str) -> Arc<Self> {
        let clients = Arc::new(Self {
            waiting: Mutex::new(book.cases.iter().cloned().enumerate().collect()),
            acknowledged: Mutex::default(),
            tally: Mutex::default(),
            failure: Mutex::default(),
            address: watch::Sender::new(address.to_owned()),
            open: AtomicUsize::new(0),
            working: AtomicUsize::new(CLIENTS),
            key: key.to_owned(),
            client: redress::tls::client().timeout(Duration::from_secs(30)).build().expect("a client"),
        });
        let mut all = JoinSet::new();
        for _ in 0..CLIENTS {
            all.spawn(clients.clone().work());
        }
        all.detach_all();
        clients
    }

    async fn work(self: Arc<Self>) {
        while let Some((place, case)) = self.next() {
            if let Err(error) = self.hand_in(place, &case).await {
                locked(&self.failure).get_or_insert(format!("case {}: {error:#}", case.name));
                locked(&self.waiting).clear();
            }
        }
        self.working.fetch_sub(1, Ordering::SeqCst);
    }

    fn next(&self) -> Option<(usize, Sent)> {
        locked(&self.waiting).pop_front()
    }

    /// Every second request comes twice; of those every second one while the first is under way.
    async fn hand_in(&self, place: usize, case: &Sent) -> anyhow::Result<()> {
        let first = match place % 4 {
            1 => {
                let (first, second) = tokio::join!(self.until_answered(case, true), self.until_answered(case, true));
                let (first, second) = (first?, second?);
                locked(&self.tally).in_flight += 1;
                self.same(case, &first, &second)?;
                first
            }
            3 => {
                let first = self.until_answered(case, false).await?;
                let second = self.until_answered(case, false).await?;
                self.same(case, &first, &second)?;
                ensure!(second.replayed, "the second answer says that it was given before");
                first
            }
            _ => self.until_answered(case, false).await?,
        };
        let id = first.body["id"].as_str().context("an id")?.to_owned();
        locked(&self.acknowledged).insert(case.name.clone(), id);
        Ok(())
    }

    fn same(&self, case: &Sent, first: &Reply, second: &Reply) -> anyhow::Result<()> {
        let mut tally = locked(&self.tally);
        tally.repeated += 1;
        tally.replayed += usize::from(first.replayed) + usize::from(second.replayed);
        ensure!(
            first.status == second.status && first.body == second.body,
            "two answers to one request of {}",
            case.name
        );
        Ok(())
    }

    /// Ask until there is an answer: the host may be gone, or busy, or say that the first request is under way.
    async fn until_answered(&self, case: &Sent, twice: bool) -> anyhow::Result<Reply> {
        let deadline = Instant::now() + ANSWERED_WITHIN;
        let mut moved = self.address.subscribe();
        loop {
            ensure!(Instant::now() < deadline, "no answer within {ANSWERED_WITHIN:?}");
            self.open.fetch_add(1, Ordering::SeqCst);
            let reply = self.ask(case).await;
            self.open.fetch_sub(1, Ordering::SeqCst);
            match reply {
                Ok(reply) if reply.status == 201 => return Ok(reply),
                Ok(reply) if reply.status == 409 && reply.body["code"] == "idempotency_in_flight" => {
                    ensure!(twice || moved.has_changed()?, "only this client sends {}", case.name);
                    locked(&self.tally).told_to_wait += 1;
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                Ok(reply) if reply.status == 503 => tokio::time::sleep(Duration::from_millis(50)).await,
                Ok(reply) => bail!("answer {}: {}", reply.status, reply.body),
                // Nobody answers: the host was killed, and comes back somewhere else.
                Err(_) => drop(tokio::time::timeout(Duration::from_millis(100), moved.changed()).await),
            }
        }
    }

    async fn ask(&self, case: &Sent) -> Result<Reply, reqwest::Error> {
        let address = format!("{}/v1/cases", *self.address.borrow());
        let request = self.client.post(address).bearer_auth(&self.key).header("idempotency-key", &case.name);
        let response = request.json(&case.body).send().await?;
        let status = response.status().as_u16();
        let replayed = response.headers().contains_key("idempotent-replayed");
        Ok(Reply { status, replayed, body: response.json().await? })
    }

    pub(super) fn moved_to(&self, address: &str) {
        self.address.send_replace(address.to_owned());
    }

    pub(super) fn are_done(&self) -> bool {
        self.working.load(Ordering::SeqCst) == 0
    }

    pub(super) fn failed(&self) -> anyhow::Result<()> {
        locked(&self.failure).clone().map_or(Ok(()), |failure| Err(anyhow::anyhow!(failure)))
    }

    pub(super) fn acknowledged_count(&self) -> usize {
        locked(&self.acknowledged).len()
    }

    pub(super) fn acknowledged(&self) -> BTreeMap<String, String> {
        locked(&self.acknowledged).clone()
    }

    pub(super) fn tally(&self) -> Tally {
        *locked(&self.tally)
    }
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
