//! Effects with their deliveries, tasks, and the records of answered requests: what is listed, found by key, and deleted.

use redb::Database;
use redress_domain::ids::Digest;

use super::world::*;
use crate::append::begin_durable;
use crate::batch::{AppendError, Batch, Idem, Stream};
use crate::row::{Row, RowKey};
use crate::scan::{Direction, Listed, Scan};
use crate::snapshot::Snapshot;
use crate::tables::{Table, meta};
use crate::tenant::{Config, TenantStore, file_of};

fn key(name: &str) -> Digest {
    Digest::of(name.as_bytes())
}

fn list(now: &Snapshot, scan: &Scan) -> Vec<Listed> {
    let page = now.scan(scan, Direction::Forward, None, 100).unwrap();
    assert_eq!(page.next, None);
    page.rows
}

#[test]
fn deliveries_are_read_by_effect_in_the_order_of_their_attempts() {
    everywhere(|world| {
        let delivery = |of, attempt, record| Row::Put(RowKey::delivery(key(of), attempt), bytes(record));
        world.append(rows([delivery("a", 2, "refused"), delivery("a", 1, "timeout")])).unwrap();
        world
            .append(rows([delivery("b", 1, "other"), delivery("a", 256, "last"), delivery("a", 3, "accepted")]))
            .unwrap();
        let now = world.store.read().unwrap();
        let of_a = now.deliveries(key("a")).unwrap();
        let of_a: Vec<_> = of_a.iter().map(|(attempt, record)| (*attempt, str::from_utf8(record).unwrap())).collect();
        assert_eq!(of_a, [(1, "timeout"), (2, "refused"), (3, "accepted"), (256, "last")]);
        assert_eq!(now.deliveries(key("b")).unwrap(), [(1, bytes("other"))]);
        assert!(now.deliveries(key("c")).unwrap().is_empty());
    });
}

#[test]
fn an_effect_is_found_by_its_key_and_listed_under_its_state_by_time() {
    everywhere(|world| {
        let listed = |state, millis, name| Row::Put(RowKey::effect_in_state(state, at(millis), key(name)), Vec::new());
        let first = [
            Row::Put(RowKey::effect(key("a")), bytes("a is on its way")),
            listed("intended", 9, "a"),
            listed("intended", -3, "b"),
            listed("intend", 1, "c"),
            listed("unknown", 5, "d"),
        ];
        world.append(rows(first)).unwrap();
        let now = world.store.read().unwrap();
        assert_eq!(now.effect(key("a")).unwrap(), Some(bytes("a is on its way")));
        assert_eq!(now.effect(key("b")).unwrap(), None);
        let in_state = |now: &Snapshot, state: &str| {
            let rows = list(now, &Scan::EffectsByState(state.to_owned()));
            rows.iter().map(|row| (row.at.unwrap(), row.digest().unwrap())).collect::<Vec<_>>()
        };
        assert_eq!(in_state(&now, "intended"), [(at(-3), key("b")), (at(9), key("a"))]);

        let confirmed =
            [Row::Delete(RowKey::effect_in_state("intended", at(9), key("a"))), listed("confirmed", 10, "a")];
        world.append(rows(confirmed)).unwrap();
        let now = world.store.read().unwrap();
        assert_eq!(in_state(&now, "intended"), [(at(-3), key("b"))]);
        assert_eq!(in_state(&now, "confirmed"), [(at(10), key("a"))]);
    });
}

#[test]
fn tasks_are_listed_by_id_and_leave_every_list_that_they_are_deleted_from() {
    everywhere(|world| {
        let put = |n| [Row::Put(RowKey::task(task(n)), vec![n]), Row::Put(in_queue(n), vec![n])];
        world.append(rows([3, 1, 2].into_iter().flat_map(put))).unwrap();
        let seen = |scan: &Scan| {
            let rows = list(&world.store.read().unwrap(), scan);
            rows.iter().map(|row| (row.task().unwrap(), row.value[0])).collect::<Vec<_>>()
        };
        let queue = Scan::TasksByQueue("money".to_owned());
        assert_eq!(seen(&Scan::Tasks), [(task(1), 1), (task(2), 2), (task(3), 3)]);
        assert_eq!(seen(&queue), [(task(3), 3), (task(2), 2), (task(1), 1)], "the most urgent first");
        world.append(rows([Row::Delete(RowKey::task(task(2))), Row::Delete(in_queue(2))])).unwrap();
        assert_eq!(seen(&Scan::Tasks), [(task(1), 1), (task(3), 3)]);
        assert_eq!(seen(&queue), [(task(3), 3), (task(1), 1)]);
    });
}

/// The later its number, the more urgent a task.
fn in_queue(n: u8) -> RowKey {
    RowKey::task_in_queue("money", at(-i64::from(n)), task(n))
}

#[test]
fn answered_requests_are_listed_with_scope_and_key_and_one_that_is_deleted_may_be_asked_anew() {
    everywhere(|world| {
        let asking = |scope: &str, key: &str, answer: &str| {
            let idem = Idem { scope: scope.to_owned(), ..idem(key, "body", answer) };
            Batch { idem: Some(idem), ..rows([Row::Put(RowKey::pointer(&format!("{scope}/{key}")), Vec::new())]) }
        };
        for (scope, key) in [("ab", "c"), ("a", "bc"), ("a", "\u{e9} 2"), ("b", "")] {
            world.append(asking(scope, key, "first")).unwrap();
        }
        let listed = list(&world.store.read().unwrap(), &Scan::Idempotency);
        let keys: Vec<_> = listed.iter().map(|row| row.idem().unwrap()).collect();
        let pair = |scope: &str, key: &str| (scope.to_owned(), key.to_owned());
        assert_eq!(keys, [pair("a", "bc"), pair("a", "\u{e9} 2"), pair("b", ""), pair("ab", "c")]);
        assert_eq!(listed[0].value, [key("body").bytes(), &b"first"[..]].concat());

        assert!(matches!(world.append(asking("a", "bc", "second")), Err(AppendError::Duplicate(_))));
        world.append(rows([Row::Delete(RowKey::idempotency("a", "bc"))])).unwrap();
        assert_eq!(world.store.read().unwrap().idem("a", "bc").unwrap(), None);
        assert!(world.store.read().unwrap().idem("ab", "c").unwrap().is_some());
        world.append(asking("a", "bc", "second")).unwrap();
        assert_eq!(world.store.read().unwrap().idem("a", "bc").unwrap().unwrap().answer, b"second");
    });
}

#[test]
fn a_list_by_time_is_read_back_from_what_lies_before_an_instant() {
    everywhere(|world| {
        let opened = |millis, n| Row::Put(RowKey::case_opened(at(millis), case(n)), Vec::new());
        world.append(rows([opened(-5, 1), opened(0, 2), opened(7, 3), opened(7, 4), opened(9, 5)])).unwrap();
        let now = world.store.read().unwrap();
        let earlier = |millis| {
            let (scan, direction) = (Scan::CasesByOpened, Direction::Backward);
            let page = now.scan(&scan, direction, Some(&scan.before(at(millis))), 100).unwrap();
            page.rows.iter().map(|row| row.case().unwrap()).collect::<Vec<_>>()
        };
        assert_eq!(earlier(7), [case(2), case(1)]);
        assert_eq!(earlier(8), [case(4), case(3), case(2), case(1)]);
        assert!(earlier(-5).is_empty());
    });
}

fn kept(plugin: &str, case: &str) -> Row {
    Row::Put(RowKey::plugin_case(plugin, case), format!("{plugin} {case}").into_bytes())
}

fn of_plugin(now: &Snapshot, plugin: &str) -> Vec<String> {
    let rows = list(now, &Scan::PluginCases(plugin.to_owned()));
    rows.iter().map(|row| format!("{}: {}", row.name().unwrap(), str::from_utf8(&row.value).unwrap())).collect()
}

#[test]
fn cases_are_listed_by_name_under_their_own_plugin_alone() {
    everywhere(|world| {
        let first = [kept("fee", "late"), kept("fe", "elate"), kept("fee", "early"), kept("fees", "late")];
        world.append(rows(first)).unwrap();
        let now = world.store.read().unwrap();
        assert_eq!(of_plugin(&now, "fee"), ["early: fee early", "late: fee late"]);
        assert_eq!(of_plugin(&now, "fe"), ["elate: fe elate"]);
        assert!(of_plugin(&now, "f").is_empty());
        assert_eq!(now.row(&RowKey::plugin_case("fees", "late")).unwrap(), Some(bytes("fees late")));
        world.append(rows([Row::Delete(RowKey::plugin_case("fee", "late"))])).unwrap();
        assert_eq!(of_plugin(&world.store.read().unwrap(), "fee"), ["early: fee early"]);
    });
}

#[test]
fn a_file_from_before_there_were_cases_of_plugins_gets_their_table_when_it_is_opened() {
    let World { store, folder } = World::new(On::File);
    store.append(turn(case(1), 0)).unwrap();
    drop(store);
    let database = Database::open(file_of(folder.path(), tenant())).unwrap();
    let txn = begin_durable(&database).unwrap();
    assert!(txn.delete_table(Table::PluginCases.definition()).unwrap());
    txn.open_table(Table::Meta.definition()).unwrap().insert(meta::FORMAT, &3_u64.to_be_bytes()[..]).unwrap();
    txn.commit().unwrap();
    drop(database);
    let store = TenantStore::open(folder.path(), tenant(), Config::default()).unwrap();
    assert!(of_plugin(&store.read().unwrap(), "fee").is_empty());
    store.append(rows([kept("fee", "late")])).unwrap();
    assert_eq!(of_plugin(&store.read().unwrap(), "fee"), ["late: fee late"]);
    assert!(store.read().unwrap().head(&Stream::Case(case(1))).unwrap().is_some(), "what was there stays");
}
