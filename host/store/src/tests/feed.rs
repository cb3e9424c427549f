//! The feed, and how a file from before it gets one.

use redb::{Builder, Database, ReadableDatabase, ReadableTableMetadata, TableHandle};
use redress_domain::ids::TenantId;
use tempfile::TempDir;

use super::disk::{Disk, Random};
use super::world::*;
use crate::append::begin_durable;
use crate::audit::{self, Verified};
use crate::batch::{Batch, Stream, Version};
use crate::error::{OpenError, ReadError};
use crate::feed::Fed;
use crate::file;
use crate::migrate;
use crate::row::{Row, RowKey};
use crate::tables::{FORMAT, Table, meta};
use crate::tenant::{Config, TenantStore, file_of, layout, tables};

fn publish(seen: u64) -> Batch {
    let mut batch = Batch::default();
    batch.turn(Stream::Tenant, Version(seen), format!("published {}", seen + 1).into(), bytes("state"));
    batch
}

/// Turns of two cases and of the tenant, one among another; audit numbers 1 to 6.
fn history() -> [Batch; 6] {
    [turn(case(2), 0), publish(0), taking(turn(case(1), 0), "A", 0), turn(case(2), 1), publish(1), turn(case(1), 1)]
}

/// What the feed must tell of it.
fn told() -> Vec<(u64, Stream, u64, String)> {
    let of_case = |n, of: u8, number| (n, Stream::Case(case(of)), number, format!("turn {number} of {}", case(of)));
    let of_tenant = |n, number| (n, Stream::Tenant, number, format!("published {number}"));
    vec![of_case(1, 2, 1), of_tenant(2, 1), of_case(3, 1, 1), of_case(4, 2, 2), of_tenant(5, 2), of_case(6, 1, 2)]
}

fn read(store: &TenantStore, after: u64, limit: usize) -> Vec<(u64, Stream, u64, String)> {
    let fed = store.read().unwrap().feed(after, limit).unwrap();
    let row = |Fed { n, stream, turn, record }| (n, stream, turn.0, String::from_utf8(record).unwrap());
    fed.into_iter().map(row).collect()
}

#[test]
fn everything_that_happened_is_read_in_order_from_any_number_on() {
    everywhere(|world| {
        assert!(read(&world.store, 0, 10).is_empty());
        for batch in history() {
            world.append(batch).unwrap();
        }
        assert_eq!(read(&world.store, 0, 10), told());
        assert_eq!(read(&world.store, 2, 3), told()[2..5]);
        assert_eq!(read(&world.store, 5, 10), told()[5..]);
        assert!(read(&world.store, 6, 10).is_empty() && read(&world.store, u64::MAX, 10).is_empty());
    });
}

#[test]
fn a_batch_of_two_streams_has_two_numbers_and_one_that_is_refused_or_has_no_turn_has_none() {
    everywhere(|world| {
        let mut both = turn(case(1), 0);
        both.turn(Stream::Tenant, Version(0), bytes("published 1"), bytes("state"));
        world.append(both).unwrap();
        world.append(turn(case(1), 0)).unwrap_err();
        world.append(rows([Row::Put(RowKey::pointer("a"), bytes("b"))])).unwrap();
        world.append(turn(case(1), 1)).unwrap();
        let fed = read(&world.store, 0, 10);
        let places: Vec<_> = fed.iter().map(|(n, stream, turn, _)| (*n, stream.clone(), *turn)).collect();
        let of_case = |n, turn| (n, Stream::Case(case(1)), turn);
        assert_eq!(places, [of_case(1, 1), (2, Stream::Tenant, 1), of_case(3, 2)]);
    });
}

#[test]
fn a_snapshot_feeds_what_was_stored_before_it() {
    everywhere(|world| {
        world.append(turn(case(1), 0)).unwrap();
        let before = world.store.read().unwrap();
        world.append(turn(case(1), 1)).unwrap();
        assert_eq!(before.feed(0, 10).unwrap().len(), 1);
    });
}

/// What a file of format 1 lacks.
const SINCE_2: [Table; 6] =
    [Table::Feed, Table::Effects, Table::EffectsByState, Table::Deliveries, Table::CasesByRevision, Table::PluginCases];

/// Make a closed file what the program before this one would have written.
fn set_back(database: &Database) {
    let txn = begin_durable(database).unwrap();
    for table in SINCE_2 {
        assert!(txn.delete_table(table.definition()).unwrap());
    }
    txn.open_table(Table::Meta.definition()).unwrap().insert(meta::FORMAT, &1_u64.to_be_bytes()[..]).unwrap();
    txn.commit().unwrap();
}

fn open(folder: &TempDir) -> Result<TenantStore, OpenError> {
    TenantStore::open(folder.path(), tenant(), Config::default())
}

/// A closed file of format 1 to which the history happened.
fn old_file() -> TempDir {
    let World { store, folder } = World::new(On::File);
    for batch in history() {
        store.append(batch).unwrap();
    }
    drop(store);
    let database = Database::open(file_of(folder.path(), tenant())).unwrap();
    set_back(&database);
    database.close().unwrap();
    folder
}

#[test]
fn a_file_of_the_first_format_gets_its_feed_from_its_journals_when_it_is_opened() {
    let folder = old_file();
    let store = open(&folder).unwrap();
    assert_eq!(read(&store, 0, 10), told());
    let head = store.read().unwrap().audit_head().unwrap();
    assert_eq!(audit::verify(&store.read().unwrap()).unwrap(), Verified::Intact(head));

    store.append(turn(case(1), 2)).unwrap();
    assert_eq!(read(&store, 6, 10), [(7, Stream::Case(case(1)), 3, format!("turn 3 of {}", case(1)))]);
    drop(store);
    assert_eq!(read(&open(&folder).unwrap(), 0, 10).len(), 7, "and is as every other file from then on");
}

#[test]
fn an_older_file_of_another_tenant_is_refused_as_it_is() {
    let folder = old_file();
    let other = TenantId::mint(at(5), 5);
    let path = file_of(folder.path(), other);
    std::fs::rename(file_of(folder.path(), tenant()), &path).unwrap();
    let refused = TenantStore::open(folder.path(), other, Config::default());
    assert!(matches!(refused, Err(OpenError::WrongTenant { .. })));
    assert_eq!(file::format(&Database::open(&path).unwrap()).unwrap(), Some(1));
}

#[test]
fn an_older_file_with_a_damaged_journal_is_not_opened_and_not_changed() {
    let folder = old_file();
    let path = file_of(folder.path(), tenant());
    let database = Database::open(&path).unwrap();
    let txn = database.begin_write().unwrap();
    let (journal, key) = crate::apply::turn_row(&Stream::Tenant, Version(2));
    txn.open_table(journal.definition()).unwrap().insert(&key[..], &b"short"[..]).unwrap();
    txn.commit().unwrap();
    drop(database);
    let error = open(&folder).unwrap_err();
    assert_eq!(error.to_string(), format!("{} could not be brought to the format of this program", path.display()));
    assert_eq!(state(&Database::open(&path).unwrap()), Ok(1));
}

/// The format of a file, and that it is wholly of this format; else what is there of both.
fn state(database: &Database) -> Result<u64, String> {
    let txn = database.begin_read().unwrap();
    let names: Vec<String> = txn.list_tables().unwrap().map(|table| table.name().to_owned()).collect();
    let new = SINCE_2.iter().filter(|table| names.iter().any(|name| name == table.name())).count();
    let fed = if new == 0 { 0 } else { txn.open_table(Table::Feed.definition()).unwrap().len().unwrap() };
    match (file::format(database).unwrap(), new, fed) {
        (Some(1), 0, 0) => Ok(1),
        (Some(FORMAT), 6, 6) => Ok(FORMAT),
        half => Err(format!("{half:?}")),
    }
}

fn database_on(disk: &Disk) -> Result<Database, redb::DatabaseError> {
    Builder::new().set_cache_size(1 << 20).create_with_backend(disk.clone())
}

/// A disk with a closed file of format 1.
fn old_disk() -> Disk {
    let disk = Disk::default();
    let database = database_on(&disk).unwrap();
    file::lay_out(&database, &layout(&tables(), &tenant().bytes())).unwrap();
    let gone = || Err(OpenError::Missing { path: "disk".into() });
    let store = TenantStore::start(tenant(), database, Box::new(gone), begin_durable).unwrap();
    for batch in history() {
        store.append(batch).unwrap();
    }
    drop(store);
    let database = database_on(&disk).unwrap();
    set_back(&database);
    database.close().unwrap();
    disk
}

#[test]
fn a_power_cut_at_any_moment_leaves_an_older_file_as_it_was_or_as_it_should_be() {
    let (mut before, mut after) = (0, 0);
    for seed in 1..=80 {
        let mut random = Random::new(seed);
        let disk = old_disk();
        disk.cut_in(1 + seed % 40);
        if let Ok(database) = database_on(&disk) {
            let _ = migrate::bring_up(&database, migrate::TENANT, "disk".as_ref());
        }
        let disk = disk.after_cut(&mut random);
        let database = database_on(&disk).unwrap();
        match state(&database).unwrap_or_else(|half| panic!("seed {seed}: {half}")) {
            1 => before += 1,
            _ => after += 1,
        }
        migrate::bring_up(&database, migrate::TENANT, "disk".as_ref()).unwrap();
        assert_eq!(state(&database), Ok(FORMAT), "seed {seed}: the next start ends it");
    }
    assert!(before > 5 && after > 5, "{before} cut before the commit, {after} after it");
}

#[test]
fn a_feed_that_leads_to_another_row_is_damaged_and_never_told() {
    let World { store, folder } = World::new(On::File);
    for batch in history() {
        store.append(batch).unwrap();
    }
    drop(store);
    let database = Database::open(file_of(folder.path(), tenant())).unwrap();
    let txn = database.begin_write().unwrap();
    {
        let mut feed = txn.open_table(Table::Feed.definition()).unwrap();
        let key = crate::apply::turn_row(&Stream::Case(case(1)), Version(1)).1;
        feed.insert(&4_u64.to_be_bytes()[..], &crate::feed::place(Table::CaseTurns, &key)[..]).unwrap();
    }
    txn.commit().unwrap();
    drop(database);
    let store = open(&folder).unwrap();
    let now = store.read().unwrap();
    assert_eq!(now.feed(0, 3).unwrap().len(), 3);
    assert!(matches!(now.feed(0, 4), Err(ReadError::Damaged { table: "feed.1" })));
}
