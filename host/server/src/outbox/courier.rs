//! The courier: sends what is planned and records what it came to. One loop for each tenant.

use std::sync::Arc;
use std::time::Duration;

use redress_domain::case::command::Settle;
use redress_domain::clock::Instant;
use redress_store::batch::{AppendError, Batch};
use redress_store::host_key::HostKey;
use redress_store::work;
use tokio::sync::watch;
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::{sleep, timeout};

use super::delivery::Delivery;
use super::gates::Gates;
use super::plan::{Parcel, Ready, Taken, recorded};
use super::rules::{self, Answer, Log, Meaning, Next};
use super::webhook::Http;
use super::{Error, Settings, mail};
use crate::config;
use crate::engine::{self, Engine};

/// The loop looks at least so often: a clock that was set is noticed.
const LOOK: Duration = Duration::from_secs(1);
/// How long a change may gather others before the loop looks: turns come in groups.
const GATHER: Duration = Duration::from_millis(5);
/// How often an outcome is handed in again while the engine is full; the answer is known and must not be lost for that.
const HAND_IN_TRIES: u32 = 100;
/// Between two of these.
const HAND_IN_PAUSE: Duration = Duration::from_millis(100);

/// What every tenant's loop shares.
pub(super) struct Courier {
    pub(super) key: HostKey,
    pub(super) settings: Settings,
    pub(super) limits: config::Outbox,
    pub(super) gates: Gates,
    /// None where nothing leaves the process.
    http: Option<Http>,
}

/// What an answer comes to, each with the end of its attempt.
pub(super) enum ComesTo {
    /// The outcome is known, or known to be unknown.
    Outcome(Settle, Delivery),
    /// Once more, from then on.
    Again(Delivery, Instant),
}

impl Courier {
    pub(super) fn new(key: &HostKey, settings: Settings, limits: config::Outbox) -> Result<Self, Error> {
        let http = Some(Http::new(&limits)?);
        Ok(Self { key: key.clone(), settings, limits, gates: Gates::default(), http })
    }

    /// A courier that plans and records, and has no way out.
    pub(super) fn at_home(key: HostKey, settings: Settings, limits: config::Outbox) -> Self {
        Self { key, settings, limits, gates: Gates::default(), http: None }
    }

    pub(super) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Send everything that is due now, and wait for the answers.
    pub(super) async fn pass(self: &Arc<Self>, engine: &Engine) -> Result<usize, Error> {
        let mut all = 0;
        loop {
            let taken = self.taken(engine, self.limits.tenant_sending_max).await?;
            if taken.claimed == 0 {
                return Ok(all);
            }
            all += taken.claimed;
            let mut under_way = JoinSet::new();
            self.carry_all(engine, taken, &mut under_way);
            while under_way.join_next().await.is_some() {}
        }
    }

    /// Send what becomes due, until the stop.
    pub(super) async fn watch(self: Arc<Self>, engine: Engine, mut stopping: watch::Receiver<bool>) {
        let (mut changes, mut under_way) = (engine.changes(), JoinSet::new());
        while !*stopping.borrow_and_update() {
            let free = self.limits.tenant_sending_max.saturating_sub(under_way.len());
            let more = self.look(&engine, free, &mut under_way).await;
            if more {
                continue;
            }
            let pause = self.until_due(&engine).await;
            tokio::select! {
                _ = stopping.changed() => {}
                _ = changes.changed() => sleep(GATHER).await,
                Some(_) = under_way.join_next() => {}
                () = sleep(pause) => {}
            }
        }
        let all = async { while under_way.join_next().await.is_some() {} };
        if timeout(self.limits.stop_within, all).await.is_err() {
            tracing::warn!("effects of {} are sent again after the next start", engine.record().slug);
        }
    }

    /// Take up what there is room for; answers whether there is more.
    async fn look(self: &Arc<Self>, engine: &Engine, free: usize, under_way: &mut JoinSet<()>) -> bool {
        if free == 0 {
            return false;
        }
        match self.taken(engine, free).await {
            Ok(taken) => {
                let more = taken.claimed == free && taken.ready.len() < free;
                self.carry_all(engine, taken, under_way);
                more
            }
            Err(error) => {
                tracing::error!("outbox of {} looks again in a moment: {error}", engine.record().slug);
                false
            }
        }
    }

    async fn taken(self: &Arc<Self>, engine: &Engine, max: usize) -> Result<Taken, Error> {
        let (courier, engine) = (self.clone(), engine.clone());
        let taken = spawn_blocking(move || courier.take(&engine, max)).await;
        Ok(taken.map_err(|_| Error::Stopped)??)
    }

    async fn until_due(&self, engine: &Engine) -> Duration {
        let asked = engine.clone();
        let next =
            spawn_blocking(move || asked.store().read().and_then(|snapshot| snapshot.next_due(work::Kind::Effect)));
        let Ok(Ok(Some(due))) = next.await else { return LOOK };
        let wait = due.unix_ms().saturating_sub(engine.clock().now().unix_ms());
        // What is due already waits for a free place: the end of something under way is heard at once.
        u64::try_from(wait).ok().filter(|wait| *wait > 0).map_or(LOOK, |wait| LOOK.min(Duration::from_millis(wait)))
    }

    fn carry_all(self: &Arc<Self>, engine: &Engine, taken: Taken, under_way: &mut JoinSet<()>) {
        for ready in taken.ready {
            let (courier, engine) = (self.clone(), engine.clone());
            under_way.spawn(async move { courier.carry(engine, ready).await });
        }
    }

    /// Send one effect, and record what came of it.
    #[tracing::instrument(name = "effect.send", skip_all, fields(case.id = %ready.case, effect.key = %ready.key))]
    async fn carry(&self, engine: Engine, mut ready: Ready) {
        let answer = self.send(&engine, &ready).await;
        drop(ready.passage.take());
        let done = match self.comes_to(&engine, &ready, &answer) {
            Some(ComesTo::Outcome(settle, ended)) => settled(&engine, &ready, settle, ended).await,
            Some(ComesTo::Again(ended, at)) => later(&engine, &ready, ended, at).await,
            None => return,
        };
        match done {
            Ok(()) => {}
            Err(engine::Error::Append(AppendError::Fenced)) => {
                tracing::info!("lease was lost: the effect is settled already or sent by somebody else");
            }
            Err(error) => tracing::error!(code = error.code(), "outcome could not be recorded: {error}"),
        }
    }

    /// What an answer comes to, by the rules, as of now.
    pub(super) fn comes_to(&self, engine: &Engine, ready: &Ready, answer: &Answer) -> Option<ComesTo> {
        let now = engine.clock().now();
        let log = Log { all: &ready.log, round: ready.round };
        let next = rules::after(&ready.terms, &self.limits, log, answer, now, engine.clock().random());
        let started = ready.log.last()?;
        let ended = |outcome| Delivery {
            ended_at: Some(now),
            outcome,
            status: answer.status,
            reason: answer.reason.clone(),
            ..started.clone()
        };
        Some(match next {
            Next::Settle(outcome, reference) => {
                ComesTo::Outcome(Settle { key: ready.key, outcome, reference }, ended(recorded(outcome)))
            }
            Next::Again(outcome, at) => ComesTo::Again(ended(outcome), at),
        })
    }

    async fn send(&self, engine: &Engine, ready: &Ready) -> Answer {
        let now = engine.clock().now();
        match (&ready.parcel, &self.http) {
            (Parcel::Request { webhook, body }, Some(http)) => {
                http.send(&self.settings, ready.kind, webhook, ready.key, body.clone(), now).await
            }
            (Parcel::Request { .. }, None) => Answer::because(Meaning::NotSent, "no_way_out"),
            (Parcel::Mail { connector, mail }, _) => mail::send(&self.settings, &self.limits, connector, mail).await,
            (Parcel::Simulated, _) => Answer::new(Meaning::Confirmed(Some(format!("simulated-{}", ready.key.short())))),
        }
    }
}

/// The outcome, the end of the attempt and the end of the work: one commit.
async fn settled(engine: &Engine, ready: &Ready, settle: Settle, ended: Delivery) -> Result<(), engine::Error> {
    let row = ended.row(ready.key);
    for _ in 0..HAND_IN_TRIES {
        let (engine, case, settle) = (engine.clone(), ready.case, settle.clone());
        let (claim, rows) = (ready.claim.clone(), vec![row.clone()]);
        let result = spawn_blocking(move || engine.settle(case, settle, claim, rows)).await;
        match result.unwrap_or(Err(engine::Error::Internal)) {
            Err(engine::Error::Full) => sleep(HAND_IN_PAUSE).await,
            other => return other.map(drop),
        }
    }
    Err(engine::Error::Full)
}

/// The end of the attempt and the time of the next: one commit.
async fn later(engine: &Engine, ready: &Ready, ended: Delivery, at: Instant) -> Result<(), engine::Error> {
    let (store, batch) = (engine.store().clone(), put_off(ready, &ended, at));
    let appended = spawn_blocking(move || store.append(batch)).await;
    Ok(appended.map_err(|_| engine::Error::Internal)?.map(drop)?)
}

/// What is written of an attempt that is to be followed by another.
pub(super) fn put_off(ready: &Ready, ended: &Delivery, at: Instant) -> Batch {
    let mut batch = Batch { rows: vec![ended.row(ready.key)], ..Batch::default() };
    batch.work.renew.push((ready.claim.clone(), at));
    batch
}
