//! Power cuts and failing disks under our own append: what was acknowledged is there, what is there is whole, in order.
//!
//! The batches are numbered, and what the store must hold after the first k of them is known for every k. After each cut the
//! store must hold exactly that for one k between the last acknowledged batch and the last one handed in.
//! `REDRESS_CUTS` sets how many lives are cut; failures print the seed.

use std::env;
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use redb::{Builder, Database, Durability, WriteTransaction};

use super::disk::{Disk, Random};
use super::world::*;
use crate::append::{AbortOnPanic, begin_durable};
use crate::audit::{self, Verified};
use crate::batch::{AppendError, Batch, Stream, Version};
use crate::error::{Fault, OpenError};
use crate::file;
use crate::tenant::{TenantStore, layout, tables};
use crate::work::{Kind, WorkChanges};

type Begin = fn(&Database) -> Result<WriteTransaction, Fault>;

/// When a batch counts as acknowledged: truly, or too early, to show that the test would see it.
#[derive(Clone, Copy, PartialEq)]
enum Acknowledged {
    WhenAnswered,
    WhenHandedIn,
}

const CASES: u64 = 3;
/// Every batch cancels the work that this many batches before it put, so that rows are deleted as well.
const WORK_KEPT: u64 = 4;

/// Batch number n, from 1: a turn of one of three cases, from one ledger, with work and an idempotency record.
fn batch(n: u64) -> Batch {
    let seen = (n - 1) / CASES;
    let mut batch = taking(turn(case((n % CASES) as u8), seen), "shared", n - 1);
    batch.idem = Some(idem(&n.to_string(), "body", &"answer".repeat(n as usize % 40)));
    batch.work = WorkChanges {
        put: vec![due(&n.to_string(), n as i64)],
        cancel: n.checked_sub(WORK_KEPT).map(|old| effect(&old.to_string())).into_iter().collect(),
        ..WorkChanges::default()
    };
    batch
}

/// How many batches the store holds; or what is wrong with it.
fn holds(store: &TenantStore) -> Result<u64, String> {
    let now = store.read().map_err(|error| error.to_string())?;
    let head = now.audit_head().map_err(|error| error.to_string())?;
    let k = head.n;
    let must = |what: &str, good: bool| if good { Ok(()) } else { Err(format!("{what} is wrong after batch {k}")) };
    must("the audit chain", audit::verify(&now).unwrap() == Verified::Intact(head))?;
    for c in 0..CASES {
        let turns = (1..=k).filter(|n| n % CASES == c).count() as u64;
        let version = now.load_case(case(c as u8)).unwrap().map_or(0, |head| head.version.0);
        must("a case", version == turns)?;
        must("a journal", now.journal(case(c as u8), Version(1), 10_000).unwrap().len() as u64 == turns)?;
    }
    let fed = now.feed(0, usize::MAX).map_err(|error| error.to_string())?;
    must("the feed", fed.iter().map(|one| one.n).eq(1..=k))?;
    must("the order of the feed", fed.iter().all(|one| one.stream == Stream::Case(case((one.n % CASES) as u8))))?;
    let ledger = now.head(&Stream::Ledger(order("shared"))).unwrap().map_or(0, |head| head.version.0);
    must("the ledger", ledger == k)?;
    for n in k.saturating_sub(WORK_KEPT + 2).max(1)..k + 3 {
        let kept = n <= k && n + WORK_KEPT > k;
        must("work", now.work(&effect(&n.to_string())).unwrap().is_some() == kept)?;
        must("idempotency", now.idem("ada", &n.to_string()).unwrap().is_some() == (n <= k))?;
    }
    let oldest = (k + 1).saturating_sub(WORK_KEPT).max(1);
    must("due work", now.next_due(Kind::Effect).unwrap() == (k > 0).then(|| at(oldest as i64)))?;
    Ok(k)
}

/// An empty store on a disk, laid out and closed.
fn fresh() -> Disk {
    let disk = Disk::default();
    let database = Builder::new().create_with_backend(disk.clone()).unwrap();
    file::lay_out(&database, &layout(&tables(), &tenant().bytes())).unwrap();
    database.close().unwrap();
    disk
}

fn open(disk: &Disk, begin: Begin) -> Result<TenantStore, OpenError> {
    let disk = disk.clone();
    let open = move || {
        let path = "disk".into();
        let opened = Builder::new().set_cache_size(1 << 20).create_with_backend(disk.clone());
        opened.map_err(|error| OpenError::Io { attempt: "opened", path, source: error.into() })
    };
    TenantStore::start(tenant(), open()?, Box::new(open), begin)
}

/// One life: hand in batches until power goes. Answers the last acknowledged and the last handed in.
fn live(store: &TenantStore, from: u64, random: &mut Random, when: Acknowledged) -> (u64, u64) {
    let acknowledged = Arc::new(AtomicU64::new(from));
    let mut handed_in = from;
    while handed_in < from + 60 {
        let n = handed_in + 1;
        let noted = Arc::clone(&acknowledged);
        let note = move |result: Result<_, AppendError>| {
            if result.is_ok() {
                noted.fetch_max(n, Ordering::SeqCst);
            }
        };
        // A group now and then, single batches otherwise: a pause lets the writer catch up.
        if random.below(3) == 0 {
            let result = store.append(batch(n));
            let failed = result.is_err();
            note(result);
            handed_in = n;
            if failed {
                break;
            }
        } else {
            store.append_then(batch(n), note).unwrap();
            handed_in = n;
        }
        if when == Acknowledged::WhenHandedIn {
            acknowledged.fetch_max(n, Ordering::SeqCst);
        }
    }
    // A refused batch in the middle answers those behind it too; the last one waits for them all.
    let _ = store.append(Batch::default());
    (acknowledged.load(Ordering::SeqCst), handed_in)
}

/// Four lives on one disk, each ended by a cut, some cut again while they open. Answers how many cuts there were.
fn lives(seed: u64, begin: Begin, when: Acknowledged) -> Result<u64, String> {
    let mut random = Random::new(seed);
    let mut disk = fresh().after_cut(&mut random);
    let mut stored = 0;
    let mut cuts = 0;
    for life in 0..4 {
        let wrong = |what: String| format!("seed {seed}, life {life}: {what}");
        let store = open(&disk, begin).map_err(|error| wrong(format!("unopenable: {error:?}")))?;
        disk.cut_in(1 + random.below(120));
        let (acknowledged, handed_in) = live(&store, stored, &mut random, when);
        drop(store);
        disk = disk.after_cut(&mut random);
        cuts += 1;

        if random.below(3) == 0 {
            disk.cut_in(1 + random.below(12));
            drop(open(&disk, begin));
            disk = disk.after_cut(&mut random);
            cuts += 1;
        }
        let store = open(&disk, begin).map_err(|error| wrong(format!("unopenable: {error:?}")))?;
        stored = holds(&store).map_err(wrong)?;
        if !(acknowledged..=handed_in).contains(&stored) {
            return Err(wrong(format!("{stored} stored, {acknowledged} acknowledged, {handed_in} handed in")));
        }
        drop(store);
    }
    Ok(cuts)
}

#[test]
fn no_power_cut_loses_what_was_acknowledged_or_tears_a_batch() {
    let wanted = env::var("REDRESS_CUTS").map_or(400, |cuts| cuts.parse().unwrap());
    let mut cuts = 0;
    let mut seed = 0;
    while cuts < wanted {
        seed += 1;
        cuts += lives(seed, begin_durable, Acknowledged::WhenAnswered).unwrap();
    }
}

/// How many of the seeds end in a failure.
fn caught(begin: Begin, when: Acknowledged) -> usize {
    (1..=20).filter(|&seed| lives(seed, begin, when).is_err()).count()
}

fn begin_forgetful(database: &Database) -> Result<WriteTransaction, Fault> {
    let mut txn = database.begin_write()?;
    txn.set_durability(Durability::None)?;
    Ok(txn)
}

#[test]
fn the_cuts_would_show_commits_that_are_not_durable() {
    assert!(caught(begin_forgetful, Acknowledged::WhenAnswered) > 0);
}

#[test]
fn the_cuts_would_show_an_acknowledgement_before_the_commit() {
    assert!(caught(begin_durable, Acknowledged::WhenHandedIn) > 0);
}

#[test]
fn a_disk_that_fails_once_at_any_operation_costs_at_most_the_batch_in_flight() {
    const BATCHES: u64 = 6;
    let script = |fail_in: u64| {
        let disk = fresh();
        let store = open(&disk, begin_durable).unwrap();
        let before = disk.operations();
        disk.fail_in(fail_in);
        let mut failures = 0;
        for n in 1..=BATCHES {
            // The caller's part: after `Unknown` look whether it is stored, and hand it in again only if it is not.
            while store.read().unwrap().audit_head().unwrap().n < n {
                match store.append(batch(n)) {
                    Ok(_) => {}
                    Err(AppendError::Io(_) | AppendError::Unknown(_)) => failures += 1,
                    Err(other) => panic!("failing operation {fail_in}: {other}"),
                }
            }
        }
        assert_eq!(holds(&store), Ok(BATCHES), "failing operation {fail_in}");
        let operations = disk.operations() - before;
        drop(store);
        assert_eq!(holds(&open(&disk, begin_durable).unwrap()), Ok(BATCHES), "failing operation {fail_in}");
        (operations, failures)
    };
    let (operations, _) = script(u64::MAX / 2);
    assert!(operations > 20, "{operations}");
    let failures: u64 = (1..=operations).map(|n| script(n).1).sum();
    assert!(failures > operations / 2, "{failures} failures in {operations} operations");
}

#[test]
fn a_panic_with_an_open_transaction_ends_the_process_before_it_unwinds_through_it() {
    use std::os::unix::process::ExitStatusExt;
    const CHILD: &str = "REDRESS_TEST_PANIC";
    const SIGABRT: i32 = 6;
    if env::var_os(CHILD).is_some() {
        let database = Builder::new().create_with_backend(Disk::default()).unwrap();
        let _txn = begin_durable(&database).unwrap();
        let _guard = AbortOnPanic;
        panic!("a bug of ours");
    }
    let name = "tests::power_cut::a_panic_with_an_open_transaction_ends_the_process_before_it_unwinds_through_it";
    let mut child = process::Command::new(env::current_exe().unwrap());
    let output = child.args(["--exact", name]).env(CHILD, "1").output().unwrap();
    assert_eq!(output.status.signal(), Some(SIGABRT), "{output:?}");
}

#[test]
fn a_disk_that_stays_dead_ends_all_acknowledging() {
    let disk = fresh();
    let store = open(&disk, begin_durable).unwrap();
    store.append(batch(1)).unwrap();
    disk.cut_in(1);
    let first = store.append(batch(2));
    assert!(matches!(first, Err(AppendError::Io(_) | AppendError::Unknown(_))), "{first:?}");
    let second = store.append(batch(2));
    assert!(matches!(second, Err(AppendError::ReadOnly)), "{second:?}");
}
