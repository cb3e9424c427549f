//! What is to be sent: due effects are taken under a lease, each with what its log, its connector and its case say, and the
//! attempts are in the log before anything leaves.

use redress_domain::case::command::{Settle, Settled};
use redress_domain::case::{Case, Effect, EffectState, What};
use redress_domain::clock::{Instant, Span};
use redress_domain::codec;
use redress_domain::ids::{CaseId, Digest};
use redress_store::batch::{AppendError, Batch, Version};
use redress_store::row::Row;
use redress_store::snapshot::Snapshot;
use redress_store::work::{self, Claim, ClaimRef, ClaimRequest};

use super::connectors::{self, Connector, Kind, Webhook};
use super::courier::Courier;
use super::delivery::{self, Delivery, NO_CONNECTOR, Outcome};
use super::gates::Passage;
use super::reply::Expect;
use super::rules::{self, Due, Key, Log, Terms};
use super::secret::Vault;
use super::words::{self, Written};
use super::{mail, waiting, webhook};
use crate::engine::{Engine, Error, hold, personal};

/// Who claims effects in this process.
const HOLDER: &str = "outbox";
/// How soon an effect is looked at again whose host had enough on its way.
const HOST_BUSY: Span = Span::from_millis(1_000);

/// An effect that is about to leave; its attempt is in the log.
pub(super) struct Ready {
    pub(super) case: CaseId,
    pub(super) key: Digest,
    pub(super) claim: ClaimRef,
    /// All attempts, this one last.
    pub(super) log: Vec<Delivery>,
    /// When its round began.
    pub(super) round: Instant,
    pub(super) terms: Terms,
    pub(super) parcel: Parcel,
    /// Held until the answer is there.
    pub(super) passage: Option<Passage>,
}

/// What leaves.
pub(super) enum Parcel {
    /// A signed request.
    Request { webhook: Webhook, body: Vec<u8>, expect: Expect },
    /// A mail.
    Mail { connector: Connector, mail: Box<mail::Mail> },
    /// Nothing: the money is paid in name only.
    Simulated,
}

/// What becomes of a claimed item.
enum Plan {
    Send(Box<Ready>),
    Settle {
        case: CaseId,
        settle: Settle,
        row: Option<Delivery>,
    },
    Later {
        key: Digest,
        at: Instant,
        row: Option<Delivery>,
    },
    /// The case is paused, as it and the tenant's stream stand here.
    Park {
        case: (CaseId, Version),
        tenant: Version,
    },
    /// Settled by somebody else.
    Drop,
}

/// An effect that leaves later.
struct PutOff {
    claim: ClaimRef,
    at: Instant,
    /// What its log says of it.
    row: Option<Row>,
}

/// Claims, each with its plan, or why there is none.
type Planned = Vec<(Claim, Result<Plan, Error>)>;

/// What was taken.
pub(super) struct Taken {
    /// To be sent now.
    pub(super) ready: Vec<Ready>,
    /// How many items were claimed.
    pub(super) claimed: usize,
}

impl Courier {
    /// Take up to so many due effects. Waits for the store.
    pub(super) fn take(&self, engine: &Engine, max: usize) -> Result<Taken, Error> {
        let now = engine.clock().now();
        let claims = engine.store().claim(ClaimRequest {
            who: HOLDER.to_owned(),
            kinds: vec![work::Kind::Effect],
            max,
            lease: self.limits.lease,
            now,
        })?;
        let claimed = claims.len();
        let (mut ready, mut put_off) = (Vec::new(), Vec::new());
        for (claim, plan) in self.plans(engine, claims, now)? {
            match plan {
                Ok(Plan::Send(one)) => ready.push(*one),
                Ok(Plan::Later { key, at, row }) => {
                    put_off.push(PutOff { claim: claim.claim, at, row: row.map(|row| row.row(key)) })
                }
                Ok(Plan::Settle { case, settle, row }) => logged(settled(engine, claim.claim, case, settle, row)),
                Ok(Plan::Park { case, tenant }) => logged(hold::park(engine, claim.claim, case, tenant)),
                Ok(Plan::Drop) => logged(dropped(engine, claim.claim)),
                Err(error) => logged(Err(error)),
            }
        }
        put_off_all(engine, &put_off);
        Ok(Taken { ready: begun(engine, ready, now.after(self.limits.lease)), claimed })
    }

    /// All plans are made from one reading of the store, which ends before anything is written.
    fn plans(&self, engine: &Engine, claims: Vec<Claim>, now: Instant) -> Result<Planned, Error> {
        let snapshot = engine.store().read()?;
        Ok(claims.into_iter().map(|claim| (claim.clone(), self.plan(engine, &snapshot, &claim, now))).collect())
    }

    fn plan(&self, engine: &Engine, snapshot: &Snapshot, claim: &Claim, now: Instant) -> Result<Plan, Error> {
        let (case, key) = waiting::payload(&claim.payload)?;
        let Some(head) = snapshot.load_case(case)? else { return Ok(Plan::Drop) };
        let case: Case = codec::decode(&head.bytes).map_err(Error::damaged("case"))?;
        let Some(effect) = case.effects.get(&key).filter(|effect| effect.state == EffectState::Intended) else {
            return Ok(Plan::Drop);
        };
        if let Some(revision) = case.revision
            && hold::of(snapshot, revision)?.is_some()
        {
            return Ok(Plan::Park { case: (case.id, head.version), tenant: hold::version(snapshot)? });
        }
        let log = delivery::read(snapshot, key)?;
        let attempt = log.last().map_or(1, |last| last.attempt + 1);
        let item = Item { engine, snapshot, claim, case: &case, key, effect, attempt, log, now };
        self.address(item)
    }

    /// The connector that an effect leaves through, and whether it may.
    fn address(&self, item: Item<'_>) -> Result<Plan, Error> {
        let (kind, contact) = match &item.effect.what {
            What::Refund(_) => (Kind::Payment, None),
            What::Restock { .. } | What::Exchange(_) => (Kind::Stock, None),
            What::Http(request) => (Kind::Http(request.target.clone()), None),
            What::Notice { channel, to, .. } => match notice(&item, channel, to)? {
                Some(way) => way,
                None => return Ok(item.settle(Kind::Mail, Settled::Declined, "no_address")),
            },
        };
        let vault = Vault::of(&self.key, item.engine.record().id);
        let connector = match connectors::opened(item.snapshot, &vault, &kind) {
            Ok(connector) => connector,
            Err(error) => {
                tracing::error!(
                    code = error.code(),
                    "connector {kind} of {} cannot be used",
                    item.engine.record().slug
                );
                return Ok(self.wait(item, kind, error.code()));
            }
        };
        match connector {
            None => Ok(self.wait(item, kind, NO_CONNECTOR)),
            Some(Connector::Simulated | Connector::Folder { .. }) if !self.settings.allow_simulated => {
                Ok(self.wait(item, kind, "connector_not_allowed"))
            }
            Some(connector) => self.pack(item, kind, connector, contact),
        }
    }

    /// What leaves through the connector, if it may leave now.
    fn pack(
        &self,
        item: Item<'_>,
        kind: Kind,
        connector: Connector,
        contact: Option<personal::Contact>,
    ) -> Result<Plan, Error> {
        let terms = self.terms(item.effect, &connector);
        match rules::due(&terms, Log { all: &item.log, round: item.claim.due }, item.now) {
            Due::Settle(outcome, reason) => return Ok(item.settle(kind, outcome, reason)),
            Due::Wait(at) => return Ok(Plan::Later { key: item.key, at, row: None }),
            Due::Send => {}
        }
        let passage = match connector.host() {
            Some(host) => match self.gates.enter(&host, self.limits.host_sending_max) {
                Some(passage) => Some(passage),
                None => return Ok(Plan::Later { key: item.key, at: item.now.after(HOST_BUSY), row: None }),
            },
            None => None,
        };
        let how = connector.how();
        let wanted_at = item.engine.effect_in(item.snapshot, item.key)?.map_or(item.claim.due, |one| one.intended_at);
        let own = own_words(&item, contact.as_ref())?;
        let parcel = match connector {
            Connector::Webhook(webhook) => {
                let tenant = item.engine.record().slug.as_str();
                let body = webhook::body(tenant, item.case, item.key, &item.effect.what, wanted_at, own.as_ref());
                Parcel::Request { webhook, body, expect: Expect::of(&item.effect.what) }
            }
            Connector::Simulated => Parcel::Simulated,
            mailer @ (Connector::Smtp(_) | Connector::Folder { .. }) => {
                let locale = &item.engine.record().locale;
                let mail = mail::compose(
                    &mailer,
                    locale,
                    item.case,
                    item.key,
                    &item.effect.what,
                    &contact.unwrap_or_default(),
                    wanted_at,
                    own,
                );
                match mail {
                    Ok(mail) => Parcel::Mail { connector: mailer, mail: Box::new(mail) },
                    Err(reason) => return Ok(item.settle(kind, Settled::Declined, reason)),
                }
            }
        };
        let started = Delivery { how: Some(how.to_owned()), ..item.delivery(kind, Outcome::Started) };
        let mut log = item.log;
        log.push(started);
        let (case, key, claim, round) = (item.case.id, item.key, item.claim.claim.clone(), item.claim.due);
        Ok(Plan::Send(Box::new(Ready { case, key, claim, log, round, terms, parcel, passage })))
    }

    /// What the receiver promises. A message may come twice and is given up in the end; money and goods are never given up.
    fn terms(&self, effect: &Effect, connector: &Connector) -> Terms {
        let lifetime = self.limits.notice_lifetime;
        // A request may arrive as late as it is waited for: the last one leaves so much before the key is forgotten.
        let known_for = |lifetime: Span| {
            let on_its_way = i64::try_from(self.limits.request_timeout.as_millis()).unwrap_or(i64::MAX);
            Key::Idempotent(Span::from_millis(lifetime.millis().saturating_sub(on_its_way).max(0)))
        };
        let (key, answer_within, silence) = match (&effect.what, connector) {
            (What::Notice { .. }, _) => (Key::Harmless(lifetime), lifetime, Settled::Declined),
            (_, Connector::Webhook(webhook)) => {
                let lifetime = webhook.key_lifetime;
                let key = if webhook.idempotent { known_for(lifetime) } else { Key::Repeats(lifetime) };
                (key, webhook.answer_within, Settled::Unknown)
            }
            _ => (known_for(connectors::KEY_LIFETIME), connectors::ANSWER_WITHIN, Settled::Unknown),
        };
        Terms { key, answer_within, silence, retry: effect.retry.clone() }
    }

    /// An effect that cannot leave yet. The log says so once; the pauses grow with the time that it has waited.
    fn wait(&self, item: Item<'_>, kind: Kind, reason: &str) -> Plan {
        let last = item.log.last().filter(|last| last.round == item.claim.due);
        let is_told = last.is_some_and(|last| last.reason.as_deref() == Some(reason));
        let waited = item.now.unix_ms() - item.claim.due.unix_ms();
        let pause = waited.clamp(self.limits.retry_first.millis(), self.limits.retry_max.millis());
        let at = item.now.after(Span::from_millis(pause));
        let told = || Delivery {
            ended_at: Some(item.now),
            reason: Some(reason.to_owned()),
            ..item.delivery(kind, Outcome::Retry)
        };
        Plan::Later { key: item.key, at, row: (!is_told).then(told) }
    }
}

/// A claimed effect with what is known of it.
struct Item<'a> {
    engine: &'a Engine,
    snapshot: &'a Snapshot,
    claim: &'a Claim,
    case: &'a Case,
    key: Digest,
    effect: &'a Effect,
    attempt: u32,
    log: Vec<Delivery>,
    now: Instant,
}

impl Item<'_> {
    fn delivery(&self, connector: Kind, outcome: Outcome) -> Delivery {
        Delivery {
            attempt: self.attempt,
            round: self.claim.due,
            started_at: self.now,
            ended_at: None,
            connector,
            how: None,
            outcome,
            status: None,
            reason: None,
        }
    }

    /// Settled without another attempt. One that has no end gets one; else a line of its own says why.
    fn settle(&self, kind: Kind, outcome: Settled, reason: &str) -> Plan {
        let new = || self.delivery(kind, Outcome::Unknown);
        let open = self.log.last().filter(|last| last.outcome == Outcome::Started).cloned();
        let row = Delivery {
            ended_at: Some(self.now),
            outcome: recorded(outcome),
            reason: Some(reason.to_owned()),
            ..open.unwrap_or_else(new)
        };
        // Of a message that reaches nobody the case knows why: a person may mend it.
        let code = matches!(self.effect.what, What::Notice { .. }).then(|| reason.to_owned());
        let settle = Settle { code, ..Settle::new(self.key, outcome) };
        Plan::Settle { case: self.case.id, settle, row: Some(row) }
    }
}

/// Whom messages are for, where not for the people of a queue.
const CUSTOMER: &str = "customer";

/// Through which connector a message leaves, and whom it is for; none where nobody can be reached.
fn notice(item: &Item<'_>, channel: &str, to: &str) -> Result<Option<(Kind, Option<personal::Contact>)>, Error> {
    let mail = connectors::kept(item.snapshot, &Kind::Mail)?.filter(|_| channel == "email");
    let Some(mail) = mail else { return Ok(Some((Kind::Notification, None))) };
    let contact = match to {
        CUSTOMER => personal::reached(item.snapshot, item.case)?,
        // What is meant for the people of a queue never goes to the customer.
        queue => mail.address_of(queue).map(|address| ("email".to_owned(), address.to_owned())).into_iter().collect(),
    };
    if contact.contains_key("email") {
        return Ok(Some((Kind::Mail, Some(contact))));
    }
    let is_set = connectors::is_set(item.snapshot, &Kind::Notification)?;
    Ok(is_set.then_some((Kind::Notification, None)))
}

/// What a message says, where the workflow has words of its own for it.
fn own_words(item: &Item<'_>, contact: Option<&personal::Contact>) -> Result<Option<Written>, Error> {
    let What::Notice { message: Some(message), to, .. } = &item.effect.what else { return Ok(None) };
    let known = match contact {
        Some(contact) => contact.get("name").cloned(),
        None if to == CUSTOMER => personal::reached(item.snapshot, item.case)?.remove("name"),
        None => None,
    };
    let name = known.as_deref().map(str::trim).filter(|name| !name.is_empty());
    let locale = &item.engine.record().locale;
    Ok(Some(words::written(item.snapshot, item.case, message, locale, name)?))
}

/// How the log says what an effect was settled as.
pub(super) fn recorded(outcome: Settled) -> Outcome {
    match outcome {
        Settled::Confirmed => Outcome::Confirmed,
        Settled::Declined => Outcome::Declined,
        Settled::Unknown => Outcome::Unknown,
    }
}

/// Write down that these are on their way, before they are. An item whose lease was lost meanwhile is somebody else's.
fn begun(engine: &Engine, ready: Vec<Ready>, until: Instant) -> Vec<Ready> {
    if ready.is_empty() || start(engine, &ready, until).is_ok() {
        return ready;
    }
    ready.into_iter().filter(|one| start(engine, std::slice::from_ref(one), until).is_ok()).collect()
}

fn start(engine: &Engine, ready: &[Ready], until: Instant) -> Result<(), AppendError> {
    let mut batch = Batch::default();
    for one in ready {
        batch.rows.extend(one.log.last().map(|started| started.row(one.key)));
        batch.work.renew.push((one.claim.clone(), until));
    }
    engine.store().append(batch).map(drop)
}

/// Put these off in one commit: a receiver that hangs with many effects behind it must not keep the disk busy. Where one lease
/// was lost, each for itself.
fn put_off_all(engine: &Engine, all: &[PutOff]) {
    if all.is_empty() || put_off(engine, all).is_ok() {
        return;
    }
    for one in all {
        logged(put_off(engine, std::slice::from_ref(one)).map_err(Error::from));
    }
}

fn put_off(engine: &Engine, some: &[PutOff]) -> Result<(), AppendError> {
    let mut batch = Batch::default();
    for one in some {
        batch.rows.extend(one.row.clone());
        batch.work.renew.push((one.claim.clone(), one.at));
    }
    engine.store().append(batch).map(drop)
}

fn settled(engine: &Engine, claim: ClaimRef, case: CaseId, settle: Settle, row: Option<Delivery>) -> Result<(), Error> {
    let rows = row.iter().map(|row| row.row(settle.key)).collect();
    engine.settle(case, settle, claim, rows).map(drop)
}

fn dropped(engine: &Engine, claim: ClaimRef) -> Result<(), Error> {
    let mut batch = Batch::default();
    batch.work.finish.push(claim);
    Ok(engine.store().append(batch).map(drop)?)
}

/// What went wrong with one item delays no other: it comes back when its lease ends.
fn logged(result: Result<(), Error>) {
    match result {
        Ok(()) | Err(Error::Rejected(_) | Error::Append(AppendError::Fenced)) => {}
        Err(error) => tracing::error!(code = error.code(), "effect comes back after its lease: {error}"),
    }
}
