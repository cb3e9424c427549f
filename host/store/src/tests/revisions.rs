//! Which cases run on which revision: the index, and older files that get one.

use redb::Database;
use redress_domain::case::command::Open;
use redress_domain::case::entry::Opened;
use redress_domain::case::evolve::{self, Stamp};
use redress_domain::case::{Case, Status};
use redress_domain::codec;
use redress_domain::ids::{CaseId, Digest, Slug};
use redress_domain::value::Fields;

use super::world::*;
use crate::append::begin_durable;
use crate::batch::{Batch, Stream, Version};
use crate::revisions::Counted;
use crate::row::{Row, RowKey, Standing};
use crate::tables::{Table, meta};
use crate::tenant::{Config, TenantStore, file_of};

fn revision(name: &str) -> Digest {
    Digest::of(name.as_bytes())
}

fn stands(on: &str, standing: Standing, n: u8) -> Row {
    Row::Put(RowKey::case_of_revision(revision(on), standing, case(n)), bytes("value"))
}

#[test]
fn cases_are_found_by_the_revision_that_they_run_on_and_counted_as_far_as_asked() {
    everywhere(|world| {
        let open = (1..=5).map(|n| stands("a", Standing::Open, n));
        world.append(rows(open.chain([stands("b", Standing::Past, 6), stands("c", Standing::Open, 7)]))).unwrap();
        world.append(rows([Row::Delete(RowKey::case_of_revision(revision("a"), Standing::Open, case(2)))])).unwrap();
        world.append(rows([stands("a", Standing::Past, 2)])).unwrap();
        let now = world.store.read().unwrap();
        let ids = |after, limit| {
            let cases = now.cases_of(revision("a"), Standing::Open, after, limit).unwrap();
            cases.iter().map(|one| one.case).collect::<Vec<CaseId>>()
        };
        assert_eq!(ids(None, 10), [case(1), case(3), case(4), case(5)]);
        assert_eq!((ids(None, 2), ids(Some(case(3)), 1)), (vec![case(1), case(3)], vec![case(4)]));
        let past = now.cases_of(revision("a"), Standing::Past, None, 10).unwrap();
        assert_eq!((past.len(), past[0].case, &past[0].value[..]), (1, case(2), &b"value"[..]));

        let counted = |max| now.count_open(revision("a"), max).unwrap();
        assert_eq!(counted(4), Counted { revision: revision("a"), cases: 4, more: false });
        assert_eq!(counted(3), Counted { revision: revision("a"), cases: 3, more: true });
        assert_eq!(now.count_open(revision("b"), 9).unwrap().cases, 0);

        let mut used = now.revisions_in_use(10).unwrap();
        used.sort_unstable();
        let mut wanted = vec![revision("a"), revision("c")];
        wanted.sort_unstable();
        assert_eq!(used, wanted, "nothing runs on b any more");
        assert_eq!(now.revisions_in_use(1).unwrap().len(), 1);
        let taken = ["a", "b", "c", "d"].map(|name| now.was_taken(revision(name)).unwrap());
        assert_eq!(taken, [true, true, true, false]);
    });
}

/// A case as the engine keeps it.
fn kept(n: u8, on: Option<&str>, status: Status) -> Case {
    let submission = Open {
        kind: Slug::new("return").unwrap(),
        external: None,
        history: false,
        customer: None,
        order: None,
        currency: "GBP".parse().unwrap(),
        reason: None,
        claim: None,
        attributes: Fields::new(),
        lines: Vec::new(),
        called: None,
        start: None,
    };
    let opened = Opened {
        id: case(n),
        number: "1".to_owned(),
        channel: "test".to_owned(),
        workflow: on.map(|_| Slug::new("returns").unwrap()),
        revision: on.map(revision),
        vars: Fields::new(),
        submission,
        parent: None,
        started: None,
    };
    Case { status, ..evolve::open(&opened, Stamp { at: at(0), turn: 1 }) }
}

#[test]
fn a_file_from_before_the_index_gets_it_from_the_snapshots_of_its_cases() {
    let World { store, folder } = World::new(On::File);
    let waiting = Status::Waiting { step: Slug::new("look").unwrap(), since: 1, until: None };
    let cases = [
        kept(1, Some("a"), waiting.clone()),
        kept(2, Some("a"), Status::Closed { failed: false }),
        kept(3, Some("b"), waiting),
        kept(4, None, Status::Held),
    ];
    for one in &cases {
        let mut batch = Batch::default();
        batch.turn(Stream::Case(one.id), Version(0), bytes("turn"), codec::encode(one));
        store.append(batch).unwrap();
    }
    // One that nobody can read does not keep the others from their merchant.
    store.append(turn(case(5), 0)).unwrap();
    drop(store);
    let path = file_of(folder.path(), tenant());
    let database = Database::open(&path).unwrap();
    let txn = begin_durable(&database).unwrap();
    assert!(txn.delete_table(Table::CasesByRevision.definition()).unwrap());
    assert!(txn.delete_table(Table::PluginCases.definition()).unwrap());
    txn.open_table(Table::Meta.definition()).unwrap().insert(meta::FORMAT, &2_u64.to_be_bytes()[..]).unwrap();
    txn.commit().unwrap();
    drop(database);

    let store = TenantStore::open(folder.path(), tenant(), Config::default()).unwrap();
    let now = store.read().unwrap();
    let of = |name, standing| {
        let cases = now.cases_of(revision(name), standing, None, 10).unwrap();
        cases.iter().map(|one| (one.case, one.value.len())).collect::<Vec<_>>()
    };
    assert_eq!(of("a", Standing::Open), [(case(1), 0)]);
    assert_eq!(of("a", Standing::Past), [(case(2), 0)]);
    assert_eq!((of("b", Standing::Open), of("b", Standing::Past)), (vec![(case(3), 0)], Vec::new()));
}
