//! The audit chain against someone who writes into the file: each change is found, at its number.

use redb::{Database, ReadableTable};

use super::world::*;
use crate::audit::{self, AuditFault, Verified};
use crate::batch::{Stream, Version};
use crate::keys::Key;
use crate::tables::{Table, meta};
use crate::tenant::{Config, TenantStore, file_of};

type Rows<'txn> = redb::Table<'txn, &'static [u8], &'static [u8]>;

/// Three turns of one case and two of another, links 1 to 5; then a change to the journal; then what a check finds.
fn after(change: impl FnOnce(&mut Rows<'_>, &mut Rows<'_>)) -> Verified {
    let world = World::new(On::File);
    for batch in [turn(case(1), 0), turn(case(2), 0), turn(case(1), 1), turn(case(2), 1), turn(case(1), 2)] {
        world.append(batch).unwrap();
    }
    let World { store, folder } = world;
    drop(store);
    {
        let database = Database::open(file_of(folder.path(), tenant())).unwrap();
        let txn = database.begin_write().unwrap();
        {
            let mut turns = txn.open_table(Table::CaseTurns.definition()).unwrap();
            change(&mut turns, &mut txn.open_table(Table::Meta.definition()).unwrap());
        }
        txn.commit().unwrap();
    }
    let store = TenantStore::open(folder.path(), tenant(), Config::default()).unwrap();
    audit::verify(&store.read().unwrap()).unwrap()
}

fn key(of: u8, turn: u64) -> Vec<u8> {
    crate::apply::turn_row(&Stream::Case(case(of)), Version(turn)).1
}

fn value(turns: &Rows<'_>, key: &[u8]) -> Vec<u8> {
    turns.get(key).unwrap().unwrap().value().to_vec()
}

fn broken(n: u64, fault: AuditFault) -> Verified {
    Verified::Broken { n, fault }
}

#[test]
fn an_untouched_chain_is_intact() {
    assert!(matches!(after(|_, _| ()), Verified::Intact(head) if head.n == 5));
}

#[test]
fn an_edited_record_is_found_at_its_number() {
    let found = after(|turns, _| {
        let mut row = value(turns, &key(1, 2));
        *row.last_mut().unwrap() ^= 1;
        turns.insert(&key(1, 2)[..], &row[..]).unwrap();
    });
    assert_eq!(found, broken(3, AuditFault::Changed));
}

#[test]
fn a_deleted_record_is_found_at_its_number_also_when_it_is_the_last() {
    let delete = |of, turn| after(move |turns, _| drop(turns.remove(&key(of, turn)[..]).unwrap()));
    assert_eq!(delete(2, 1), broken(2, AuditFault::Missing));
    assert_eq!(delete(1, 3), broken(5, AuditFault::Missing));
}

#[test]
fn records_that_change_places_are_found_with_or_without_their_links() {
    let with_links = after(|turns, _| {
        let (first, second) = (value(turns, &key(1, 1)), value(turns, &key(2, 1)));
        turns.insert(&key(1, 1)[..], &second[..]).unwrap();
        turns.insert(&key(2, 1)[..], &first[..]).unwrap();
    });
    assert_eq!(with_links, broken(1, AuditFault::Changed));

    let without_links = after(|turns, _| {
        const LINK: usize = 40;
        let (first, second) = (value(turns, &key(1, 1)), value(turns, &key(2, 1)));
        turns.insert(&key(1, 1)[..], &[&first[..LINK], &second[LINK..]].concat()[..]).unwrap();
        turns.insert(&key(2, 1)[..], &[&second[..LINK], &first[LINK..]].concat()[..]).unwrap();
    });
    assert_eq!(without_links, broken(1, AuditFault::Changed));
}

#[test]
fn a_copied_record_and_one_behind_the_head_are_found() {
    let copied = after(|turns, _| {
        let row = value(turns, &key(2, 1));
        turns.insert(&key(3, 1)[..], &row[..]).unwrap();
    });
    assert_eq!(copied, broken(2, AuditFault::Repeated));

    let appended = after(|turns, _| {
        let row = [&6_u64.to_be_bytes()[..], &[0; 32], b"invented"].concat();
        turns.insert(&key(3, 1)[..], &row[..]).unwrap();
    });
    assert_eq!(appended, broken(6, AuditFault::Head));
}

#[test]
fn a_head_that_was_set_back_or_changed_is_found() {
    let set_back = after(|turns, metas| {
        let link = value(turns, &key(2, 2))[..40].to_vec();
        metas.insert(meta::AUDIT, &link[..]).unwrap();
    });
    assert_eq!(set_back, broken(5, AuditFault::Head));

    let changed = after(|_, metas| {
        let link = Key::default().number(5).rest(&[9; 32]).done();
        metas.insert(meta::AUDIT, &link[..]).unwrap();
    });
    assert_eq!(changed, broken(5, AuditFault::Head));
}
