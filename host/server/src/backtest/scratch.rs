//! The whole history anew: every order and every case in their order, by the real engine on a ledger in memory.
//!
//! Each case finds what the cases before it left under the rules on trial. Cases are opened again; what people and providers said
//! of them later is not.

use std::sync::atomic::{AtomicU64, Ordering};

use redress_domain::backtest::again::{self, Again};
use redress_domain::backtest::side::Side;
use redress_domain::case::command::{Actor, Body, Rejection};
use redress_domain::case::number;
use redress_domain::codec;
use redress_domain::ids::CaseId;
use redress_domain::order::Order;
use redress_store::scan::{Direction, Scan};
use redress_store::snapshot::Snapshot;
use redress_store::tenant::TenantStore;
use redress_store::work::Kind;

use super::pages::{Pages, Select};
use super::run::{Judged, stretch, tally, threads};
use super::trial::Trial;
use super::{Error, Report, parallel, turn};
use crate::engine::registry::Registry;
use crate::engine::{self, Engine, Put, Receipt, Submission, Target};
use crate::import::gather::CaseDraft;
use crate::import::plan::Schedule;
use crate::import::pump::{Reply, pump};

/// Orders that are read at once.
const PAGE_ORDERS: usize = 1_000;
/// Under which name the scratch ledger knows the orders.
const SOURCE: &str = "backtest";

/// Run the whole history anew and compare the selected cases. `progress` hears how many of about how many are done.
///
/// # Errors
/// A record cannot be read, or the engine failed.
pub fn from_scratch(
    engine: &Engine,
    trial: &Trial,
    select: &Select,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Report, Error> {
    let snapshot = engine.store().read()?;
    let registry = Registry::default();
    for definition in &trial.active {
        registry.know(definition.clone());
        registry.activate(&definition.workflow, definition.revision);
    }
    let store = TenantStore::open_in_memory(engine.record().id).map_err(Error::Scratch)?;
    let scratch = engine.beside(store, registry)?;
    put_orders(&snapshot, &scratch)?;
    let past = Past::read(&snapshot, threads(engine))?;
    let reopened = past.reopen(&scratch, progress)?;
    while scratch.run_due_slice(&[Kind::Command], scratch.clock().now())?.claimed > 0 {}
    let mut tally = tally(engine, trial);
    let fresh = scratch.store().read()?;
    let (mut pages, called) = (Pages::new(&snapshot, select, tally.zone)?, AtomicU64::new(0));
    while let Some(cases) = pages.next()? {
        let judge = |case: &CaseId| judge(&snapshot, &fresh, trial, *case, reopened.of(*case), &called);
        for judged in parallel::each(&cases, threads(engine), judge).map_err(Error::Thread)? {
            judged?.tell(&mut tally);
        }
    }
    let plugin_calls = called.into_inner();
    Ok(Report { on_trial: trial.named(), from_scratch: true, whole: false, tally, answers_reused: 0, plugin_calls })
}

fn put_orders(snapshot: &Snapshot, scratch: &Engine) -> Result<(), Error> {
    let mut cursor = None;
    loop {
        let page = snapshot.scan(&Scan::Orders, Direction::Forward, cursor.as_ref(), PAGE_ORDERS)?;
        let decode = |bytes: &[u8]| codec::decode(bytes).map_err(engine::Error::damaged("order"));
        let orders: Vec<Order> = page.rows.iter().map(|row| decode(&row.value)).collect::<Result<_, _>>()?;
        let hand_in = |place: usize, reply: Reply<Put>| {
            let order: &Order = &orders[place];
            scratch.put_order(order, SOURCE, order.id.as_str(), move |result| reply.give(result))
        };
        pump(&mut Schedule::free(orders.len()), hand_in, |answer| answer.result.map(drop).map_err(Error::from))?;
        cursor = page.next;
        if cursor.is_none() {
            return Ok(());
        }
    }
}

/// Every case as it was opened, in the order in which they were.
struct Past {
    drafts: Vec<CaseDraft>,
    origins: Vec<Origin>,
}

/// Where a case came from.
struct Origin {
    case: CaseId,
    actor: Actor,
    channel: String,
    source: Option<String>,
}

impl Past {
    fn read(snapshot: &Snapshot, threads: usize) -> Result<Self, Error> {
        let all = Select::default();
        let mut pages = Pages::new(snapshot, &all, redress_domain::clock::Zone::UTC)?;
        let mut past = Vec::new();
        while let Some(cases) = pages.next()? {
            let read = parallel::each(&cases, threads, |case| opened(snapshot, *case)).map_err(Error::Thread)?;
            for one in read {
                past.extend(one?);
            }
        }
        // Of one moment, in the order in which numbers were given out.
        past.sort_by_key(|(number, draft, origin)| (draft.opened_at, *number, origin.case));
        let (drafts, origins) = past.into_iter().map(|(_, draft, origin)| (draft, origin)).unzip();
        Ok(Self { drafts, origins })
    }

    fn reopen(&self, scratch: &Engine, progress: &mut dyn FnMut(u64, u64)) -> Result<Reopened, Error> {
        let mut all: Vec<(CaseId, Fate)> = Vec::with_capacity(self.drafts.len());
        let hand_in = |place: usize, reply: Reply<Receipt>| {
            scratch.submit(self.submission(place), move |result| reply.give(result))
        };
        let total = self.drafts.len() as u64;
        pump(&mut Schedule::new(&self.drafts), hand_in, |answer| {
            let case = self.origins[answer.place].case;
            all.push((
                case,
                match answer.result {
                    Ok(receipt) => Fate::Opened(receipt.case),
                    Err(engine::Error::Rejected(rejection)) => Fate::Refused(rejection),
                    Err(error) => return Err(Error::from(error)),
                },
            ));
            progress(all.len() as u64, total);
            Ok(())
        })?;
        all.sort_unstable_by_key(|(case, _)| *case);
        Ok(Reopened(all))
    }

    fn submission(&self, place: usize) -> Submission {
        let (draft, origin) = (&self.drafts[place], &self.origins[place]);
        let body = Body::Open(Box::new(draft.open.clone()));
        Submission {
            occurred_at: Some(draft.opened_at),
            source: origin.source.clone(),
            ..Submission::new(Target::New, origin.actor.clone(), &origin.channel, body)
        }
    }
}

type Opened = (Option<u64>, CaseDraft, Origin);

fn opened(snapshot: &Snapshot, case: CaseId) -> Result<Option<Opened>, Error> {
    let Some(first) = turn(snapshot, case, 1)? else { return Ok(None) };
    let command = first.command;
    if again::opened_by_pin(&command.body) {
        return Ok(None);
    }
    let Body::Open(open) = command.body else { return Ok(None) };
    let written = first.entries.iter().find_map(|entry| match entry {
        redress_domain::case::entry::Entry::Opened(opened) => Some(opened.number.clone()),
        _ => None,
    });
    let id = written.unwrap_or_default();
    let origin = Origin { case, actor: command.actor, channel: command.channel, source: command.source };
    Ok(Some((number::parse(&id), CaseDraft { id, opened_at: first.at, open: *open }, origin)))
}

/// What became of each case in the scratch ledger, by its id in the records.
struct Reopened(Vec<(CaseId, Fate)>);

enum Fate {
    Opened(CaseId),
    Refused(Rejection),
}

impl Reopened {
    fn of(&self, case: CaseId) -> Option<&Fate> {
        let place = self.0.binary_search_by_key(&case, |(case, _)| *case).ok()?;
        self.0.get(place).map(|(_, fate)| fate)
    }
}

fn judge(
    snapshot: &Snapshot,
    fresh: &Snapshot,
    trial: &Trial,
    case: CaseId,
    fate: Option<&Fate>,
    called: &AtomicU64,
) -> Result<Judged, Error> {
    let before = stretch(snapshot, case)?;
    let was_theirs = trial.concerns(before.case.workflow.as_ref());
    let again = match fate {
        Some(Fate::Opened(new)) => {
            let after = stretch(fresh, *new)?;
            called.fetch_add(after.answers().count() as u64, Ordering::Relaxed);
            if was_theirs || trial.concerns(after.case.workflow.as_ref()) {
                again::as_run(&before, &after)
            } else {
                Again::Elsewhere
            }
        }
        Some(Fate::Refused(rejection)) if was_theirs => {
            Again::Decided(Side::refused(rejection.code, before.case.currency))
        }
        Some(Fate::Refused(_)) | None => Again::Elsewhere,
    };
    Ok(Judged::new(&before, before.side(), again))
}
