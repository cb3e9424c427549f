//! Holds: the cases of a revision are paused. Nothing of them moves, and no effect of them is sent; what comes meanwhile is kept with
//! each case and taken up in the order in which it happened, once somebody resumes the revision or the case goes on with another.

use redress_domain::case::command::{ActorKind, Body, Command};
use redress_domain::case::{Case, EffectState};
use redress_domain::clock::Instant;
use redress_domain::codec;
use redress_domain::ids::{CaseId, Digest, Slug};
use redress_store::batch::{AppendError, Batch, Stream, Version};
use redress_store::row::{Row, RowKey, Standing};
use redress_store::scan::{Direction, Scan};
use redress_store::snapshot::Snapshot;
use redress_store::work::{ClaimRef, Kind, WorkItem, WorkKey, WorkState};
use serde::{Deserialize, Serialize};

use super::log::Since;
use super::{Engine, Error, commit};

/// Names of holds in the store's pointers begin with this.
const POINTER: &str = "hold/";
/// Names of revisions whose cases are being woken begin with this.
const RESUMING: &str = "resuming/";
/// Rows that are read at once.
const PAGE: usize = 500;
/// Work items that are written at once.
const WOKEN_AT_ONCE: usize = 100;

/// A revision whose cases are paused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// The workflow.
    pub workflow: Slug,
    /// The revision.
    pub revision: Digest,
    /// Its number.
    pub number: u64,
    /// Since when, by whom and why.
    pub since: Since,
}

impl Hold {
    /// The rows that make it so.
    pub(crate) fn rows(&self) -> Vec<Row> {
        vec![Row::Put(key(self.revision), codec::encode(self)), Row::Delete(resuming(self.revision))]
    }

    /// The rows that end it: its cases are to be woken.
    pub(crate) fn end(&self) -> Vec<Row> {
        vec![Row::Delete(key(self.revision)), Row::Put(resuming(self.revision), codec::encode(&self.revision))]
    }
}

/// From when on an effect can be sent whose case is paused: never, but for whoever wakes it.
fn parked() -> Instant {
    Instant::from_unix_ms(i64::MAX)
}

fn key(revision: Digest) -> RowKey {
    RowKey::pointer(&format!("{POINTER}{revision}"))
}

fn resuming(revision: Digest) -> RowKey {
    RowKey::pointer(&format!("{RESUMING}{revision}"))
}

/// The hold of a revision, if it is on hold.
pub(crate) fn of(snapshot: &Snapshot, revision: Digest) -> Result<Option<Hold>, Error> {
    let bytes = snapshot.row(&key(revision))?;
    bytes.map(|bytes| codec::decode(&bytes).map_err(Error::damaged("hold"))).transpose()
}

/// The hold that pauses a case. What is closed does not move, and is not paused.
pub(crate) fn of_case(snapshot: &Snapshot, case: &Case) -> Result<Option<Hold>, Error> {
    match case.revision.filter(|_| !case.is_closed()) {
        Some(revision) => of(snapshot, revision),
        None => Ok(None),
    }
}

/// Every hold of a tenant, by revision.
pub(crate) fn all(snapshot: &Snapshot) -> Result<Vec<Hold>, Error> {
    let (scan, mut cursor, mut all) = (Scan::Pointers(POINTER.to_owned()), None, Vec::new());
    loop {
        let page = snapshot.scan(&scan, Direction::Forward, cursor.as_ref(), PAGE)?;
        for row in page.rows {
            all.push(codec::decode(&row.value).map_err(Error::damaged("hold"))?);
        }
        match page.next {
            Some(next) => cursor = Some(next),
            None => return Ok(all),
        }
    }
}

/// What a turn does with a command, as the case stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stance {
    /// What it says.
    Go,
    /// It keeps the command: the case is paused, or has yet to take up what came before. Good for as long as the tenant's stream
    /// stands here.
    Defer(Version),
    /// Nothing: who wakes the case goes on with it. Good for as long as the tenant's stream stands here.
    Leave(Version),
}

/// What is to become of a command on a case.
pub(super) fn stance(snapshot: &Snapshot, case: Option<&Case>, command: &Command) -> Result<Stance, Error> {
    let Some(case) = case.filter(|case| !case.is_closed()) else { return Ok(Stance::Go) };
    let hold = of_case(snapshot, case)?;
    if hold.is_none() && case.deferred.is_empty() {
        return Ok(Stance::Go);
    }
    match &command.body {
        Body::Open(_) | Body::Migrate(_) => Ok(Stance::Go),
        Body::Continue if hold.is_none() => Ok(Stance::Go),
        Body::Continue => Ok(Stance::Leave(version(snapshot)?)),
        Body::Event(_) | Body::Timer(_) | Body::Settle(_) | Body::SubCase(_) => Ok(Stance::Defer(version(snapshot)?)),
        // The case that opened it calls it off: a message that must not be lost.
        Body::Cancel if command.actor.kind == ActorKind::Host => Ok(Stance::Defer(version(snapshot)?)),
        Body::Complete(_) | Body::Claim(_) | Body::Release(_) | Body::Resend(_) | Body::Cancel => {
            Err(Error::Paused { number: case.number.clone(), hold: hold.map(|hold| hold.number) })
        }
    }
}

/// Where the tenant's stream stands: it moves with every hold and every end of one.
pub(crate) fn version(snapshot: &Snapshot) -> Result<Version, Error> {
    Ok(snapshot.load_tenant()?.map_or(Version::NONE, |head| head.version))
}

/// A new case does not begin on a revision that is on hold.
pub(super) fn check_open(snapshot: &Snapshot, revision: Digest) -> Result<(), Error> {
    match of(snapshot, revision)? {
        Some(Hold { workflow, number, .. }) => Err(Error::OnHold { workflow, number }),
        None => Ok(()),
    }
}

/// The effects of a case that were parked, each with the time at which it leaves again.
pub(super) fn parked_of(snapshot: &Snapshot, case: &Case) -> Result<Vec<(ClaimRef, Instant)>, Error> {
    let wanted = case.effects.iter().filter(|(_, effect)| effect.state == EffectState::Intended);
    let mut parked = Vec::new();
    for (key, _) in wanted {
        let key = commit::effect_key(key);
        if let Some(state) = snapshot.work(&key)? {
            parked.extend(woken(key, &state));
        }
    }
    Ok(parked)
}

/// The change that lets a parked item be claimed again; none where it is not parked.
fn woken(key: WorkKey, state: &WorkState) -> Option<(ClaimRef, Instant)> {
    (state.visible == parked()).then_some((ClaimRef { key, epoch: state.epoch }, state.due))
}

/// Park an effect of a paused case; refused where the hold or the case has moved since they were read.
pub(crate) fn park(engine: &Engine, claim: ClaimRef, case: (CaseId, Version), tenant: Version) -> Result<(), Error> {
    let mut batch = Batch::default();
    batch.depend(Stream::Case(case.0), case.1).depend(Stream::Tenant, tenant);
    batch.work.renew.push((claim, parked()));
    match engine.store().append(batch) {
        // Moved meanwhile: it comes back when its lease ends, and is looked at anew.
        Ok(_) | Err(AppendError::Conflict { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

impl Engine {
    /// The hold that pauses a case, if it is paused.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn hold_of(&self, case: &Case) -> Result<Option<Hold>, Error> {
        of_case(&self.store().read()?, case)
    }

    /// Wake the cases of every revision that was resumed, as far as that is not done: also after a crash.
    ///
    /// # Errors
    /// The store failed; what is left is done after the next start.
    pub(crate) fn wake_resumed(&self) -> Result<(), Error> {
        let scan = Scan::Pointers(RESUMING.to_owned());
        let page = self.store().read()?.scan(&scan, Direction::Forward, None, PAGE)?;
        for row in page.rows {
            let revision: Digest = codec::decode(&row.value).map_err(Error::damaged("resumed revision"))?;
            self.wake_cases(revision)?;
            self.wake_effects()?;
            self.store().append(Batch { rows: vec![Row::Delete(resuming(revision))], ..Batch::default() })?;
        }
        self.stir();
        Ok(())
    }

    /// Work for each case of a revision that was cut or kept something: it goes on from there.
    fn wake_cases(&self, revision: Digest) -> Result<(), Error> {
        let mut after = None;
        loop {
            let snapshot = self.store().read()?;
            let page = snapshot.cases_of(revision, Standing::Open, after, PAGE)?;
            let mut items = Vec::new();
            for row in &page {
                items.extend(self.wake(&snapshot, row.case)?);
            }
            for some in items.chunks(WOKEN_AT_ONCE) {
                self.put_work(some)?;
            }
            after = page.last().map(|row| row.case);
            if page.len() < PAGE {
                return Ok(());
            }
        }
    }

    fn wake(&self, snapshot: &Snapshot, id: CaseId) -> Result<Option<WorkItem>, Error> {
        let Some(head) = snapshot.load_case(id)? else { return Ok(None) };
        let case: Case = codec::decode(&head.bytes).map_err(Error::damaged("case"))?;
        let key = commit::resume_key(id, case.turn);
        if (!case.is_cut() && case.deferred.is_empty()) || snapshot.work(&key)?.is_some() {
            return Ok(None);
        }
        Ok(Some(WorkItem { key, due: self.clock().now(), payload: codec::encode(&id) }))
    }

    /// One that is there already is no failure: the case went on by itself.
    fn put_work(&self, items: &[WorkItem]) -> Result<(), Error> {
        let put = |items: &[WorkItem]| {
            let mut batch = Batch::default();
            batch.work.put.extend(items.iter().cloned());
            self.store().append(batch).map(drop)
        };
        match put(items) {
            Err(AppendError::NotUnique { .. }) if items.len() > 1 => {
                items.iter().try_for_each(|item| self.put_work(std::slice::from_ref(item)))
            }
            Ok(()) | Err(AppendError::NotUnique { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Every parked effect can be claimed again; one whose case is still paused is parked anew.
    fn wake_effects(&self) -> Result<(), Error> {
        let scan = Scan::Work(Kind::Effect);
        let mut start = Some(scan.before(parked()));
        loop {
            let snapshot = self.store().read()?;
            let page = snapshot.scan(&scan, Direction::Forward, start.as_ref(), WOKEN_AT_ONCE)?;
            let mut batch = Batch::default();
            for row in page.rows {
                let key = WorkKey { kind: Kind::Effect, key: row.tail };
                if let Some(state) = snapshot.work(&key)? {
                    batch.work.renew.extend(woken(key, &state));
                }
            }
            if !batch.work.renew.is_empty() {
                match self.store().append(batch) {
                    // Somebody has just taken one of them: once more, without it.
                    Ok(_) => {}
                    Err(AppendError::Fenced) => continue,
                    Err(error) => return Err(error.into()),
                }
            }
            start = page.next;
            if start.is_none() {
                return Ok(());
            }
        }
    }
}
