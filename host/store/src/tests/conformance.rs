//! What every store does, wherever it lives.

use std::sync::{Arc, Barrier};
use std::thread;

use redress_domain::ids::Digest;

use super::world::*;
use crate::audit::{self, Verified};
use crate::batch::{AppendError, Batch, Stream, Version};
use crate::error::ReadError;
use crate::export::Sink;
use crate::limits::{BATCH_BYTES_MAX, BATCH_STREAMS_MAX};
use crate::row::{Row, RowKey};
use crate::scan::{Direction, Scan};
use crate::tables::FORMAT;
use crate::work::{Kind, WorkChanges};

fn conflict(result: Result<crate::batch::Appended, AppendError>) -> (Stream, Version, Version) {
    match result {
        Err(AppendError::Conflict { stream, expected, found }) => (stream, expected, found),
        other => panic!("expected a conflict, found {other:?}"),
    }
}

#[test]
fn a_turn_is_read_back_as_head_and_journal() {
    everywhere(|world| {
        let first = world.append(turn(case(1), 0)).unwrap();
        let second = world.append(turn(case(1), 1)).unwrap();
        assert_eq!(first.versions, [(Stream::Case(case(1)), Version(1))]);
        assert_eq!((first.audit, second.audit), (1, 2));

        let head = world.store.load_case(case(1)).unwrap().unwrap();
        assert_eq!((head.version, head.bytes), (Version(2), format!("state 2 of {}", case(1)).into_bytes()));
        let journal = world.store.journal(case(1), Version(1), 10).unwrap();
        assert_eq!(journal.iter().map(|row| (row.turn.0, row.link.n)).collect::<Vec<_>>(), [(1, 1), (2, 2)]);
        assert_eq!(journal[1].record, format!("turn 2 of {}", case(1)).into_bytes());
        assert_eq!(world.store.journal(case(1), Version(2), 10).unwrap().len(), 1);
        assert_eq!(world.store.load_case(case(2)).unwrap(), None);
    });
}

#[test]
fn a_conflict_on_any_stream_leaves_no_trace_of_the_batch() {
    everywhere(|world| {
        world.append(taking(turn(case(1), 0), "A", 0)).unwrap();

        let mut late = taking(turn(case(2), 0), "A", 0);
        late.rows = vec![Row::Put(RowKey::order(&order("A")), bytes("document"))];
        late.work.put = vec![due("pay", 1)];
        late.idem = Some(idem("k", "body", "answer"));
        assert_eq!(conflict(world.append(late)), (Stream::Ledger(order("A")), Version(0), Version(1)));

        let now = world.store.read().unwrap();
        assert_eq!(now.load_case(case(2)).unwrap(), None);
        assert_eq!(now.order(&order("A")).unwrap(), None);
        assert_eq!(now.work(&effect("pay")).unwrap(), None);
        assert_eq!(now.idem("ada", "k").unwrap(), None);
        assert_eq!(now.audit_head().unwrap().n, 1);
        assert_eq!(world.store.stats().conflicts, 1);
    });
}

#[test]
fn a_stream_that_is_only_expected_is_checked_and_stays() {
    everywhere(|world| {
        let mut reading = turn(case(1), 0);
        reading.depend(Stream::Ledger(order("A")), Version::NONE);
        world.append(reading).unwrap();
        let mut wrong = turn(case(1), 1);
        wrong.depend(Stream::Tenant, Version(1));
        assert_eq!(conflict(world.append(wrong)), (Stream::Tenant, Version(1), Version(0)));
        assert_eq!(world.store.read().unwrap().load_ledgers(&[order("A")]).unwrap(), [None]);
    });
}

#[test]
fn two_batches_from_a_barrier_on_one_ledger_are_one_stored_and_one_conflict() {
    everywhere(|world| {
        for round in 0..50 {
            let barrier = Arc::new(Barrier::new(2));
            let racers: Vec<_> = [1, 2]
                .map(|racer| {
                    let (store, barrier) = (world.store.clone(), Arc::clone(&barrier));
                    let batch = taking(turn(case(racer), round), "last unit", round);
                    let batch = Batch { expect: vec![batch.expect[1].clone()], ..taking_only(batch) };
                    thread::Builder::new().spawn(move || {
                        barrier.wait();
                        store.append(batch)
                    })
                })
                .into_iter()
                .map(|racer| racer.unwrap().join().unwrap())
                .collect();
            assert_eq!(racers.iter().filter(|result| result.is_ok()).count(), 1, "round {round}: {racers:?}");
            conflict(racers.into_iter().find(Result::is_err).unwrap());
        }
        assert_eq!(world.store.stats().conflicts, 50);
    });
}

/// Only the ledger of a batch, so that two racers meet there and nowhere else.
fn taking_only(batch: Batch) -> Batch {
    Batch { heads: vec![batch.heads[1].clone()], ..Batch::default() }
}

#[test]
fn many_threads_share_commits_and_a_refused_batch_harms_nobody() {
    everywhere(|world| {
        let threads: Vec<_> = (0..16_u8)
            .map(|n| {
                let store = world.store.clone();
                let work = move || {
                    for seen in 0..20 {
                        store.append(turn(case(n), seen)).unwrap();
                        conflict(store.append(turn(case(n), 99)));
                    }
                };
                thread::Builder::new().spawn(work).unwrap()
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        let stats = world.store.stats();
        assert_eq!((stats.batches, stats.conflicts), (320, 320));
        assert!(stats.commits < 320, "{stats:?}");
        assert_eq!(audit::verify(&world.store.read().unwrap()).unwrap(), intact(world));
    });
}

fn intact(world: &World) -> Verified {
    Verified::Intact(world.store.read().unwrap().audit_head().unwrap())
}

#[test]
fn a_batch_sees_the_batches_before_it_in_the_same_commit() {
    everywhere(|world| {
        let (sender, answers) = crossbeam_channel::unbounded();
        for seen in 0..100 {
            let sender = sender.clone();
            world.store.append_then(turn(case(1), seen), move |result| sender.send(result).unwrap()).unwrap();
        }
        let versions: Vec<_> = answers.iter().take(100).map(|result| result.unwrap().versions[0].1.0).collect();
        assert_eq!(versions, (1..=100).collect::<Vec<_>>());
        assert!(world.store.stats().commits < 100, "{:?}", world.store.stats());
    });
}

#[test]
fn a_row_that_must_be_new_is_unique() {
    everywhere(|world| {
        world.append(rows([Row::number_of_case(7, case(1))])).unwrap();
        let second = world.append(rows([Row::number_of_case(8, case(2)), Row::number_of_case(7, case(2))]));
        assert!(matches!(second, Err(AppendError::NotUnique { table: "cases_by_number.1" })), "{second:?}");

        let content = Digest::of(b"rows");
        world.append(rows([Row::case_of_external("csv", "C536379", case(1), content)])).unwrap();
        let again = world.append(rows([Row::case_of_external("csv", "C536379", case(2), content)]));
        assert!(matches!(again, Err(AppendError::NotUnique { .. })), "{again:?}");

        let now = world.store.read().unwrap();
        assert_eq!((now.case_by_number(7).unwrap(), now.case_by_number(8).unwrap()), (Some(case(1)), None));
        assert_eq!(now.last_case_number().unwrap(), Some(7));
        assert_eq!(now.case_by_external("csv", "C536379").unwrap(), Some((case(1), content)));
    });
}

#[test]
fn a_repeated_request_gets_the_record_of_its_first_answer() {
    everywhere(|world| {
        let first = Batch { idem: Some(idem("k", "body", "created")), ..turn(case(1), 0) };
        world.append(first.clone()).unwrap();
        for (body, answer) in [("body", "again"), ("another body", "other")] {
            let repeated = Batch { idem: Some(idem("k", body, answer)), ..first.clone() };
            let Err(AppendError::Duplicate(found)) = world.append(repeated) else { panic!("expected a duplicate") };
            assert_eq!(*found, idem("k", "body", "created"));
        }
        let mut other_caller = idem("k", "body", "created");
        other_caller.scope = "bob".to_owned();
        world.append(Batch { idem: Some(other_caller), ..turn(case(2), 0) }).unwrap();
    });
}

#[test]
fn claimed_work_is_leased_finished_once_and_a_stale_finish_is_fenced() {
    everywhere(|world| {
        let put = WorkChanges { put: vec![due("a", 10), due("b", 20), due("c", 500)], ..WorkChanges::default() };
        world.append(Batch { work: put, ..Batch::default() }).unwrap();
        assert_eq!(world.store.read().unwrap().next_due(Kind::Effect).unwrap(), Some(at(10)));
        assert!(world.store.claim(claiming(9)).unwrap().is_empty());

        let first = world.store.claim(claiming(20)).unwrap();
        assert_eq!(first.iter().map(|claim| &claim.payload[..]).collect::<Vec<_>>(), [b"do a", b"do b"]);
        assert!(world.store.claim(claiming(119)).unwrap().is_empty(), "leased until 120");

        let second = world.store.claim(claiming(120)).unwrap();
        assert_eq!(second.len(), 2, "the leases have ended");
        assert_eq!(second[0].due, at(10));
        assert_eq!(world.store.read().unwrap().work(&effect("a")).unwrap().unwrap().holder, "worker");

        let finish = |claim: &crate::work::Claim| Batch {
            work: WorkChanges { finish: vec![claim.claim.clone()], ..WorkChanges::default() },
            ..turn(case(1), 0)
        };
        assert!(matches!(world.append(finish(&first[0])), Err(AppendError::Fenced)));
        assert_eq!(world.store.load_case(case(1)).unwrap(), None);
        world.append(finish(&second[0])).unwrap();
        assert!(matches!(world.append(finish(&second[0])), Err(AppendError::Conflict { .. })));
        assert_eq!(world.store.read().unwrap().work(&effect("a")).unwrap(), None);
    });
}

#[test]
fn an_epoch_never_fits_a_later_item_of_the_same_key() {
    everywhere(|world| {
        let put = || WorkChanges { put: vec![due("a", 0)], ..WorkChanges::default() };
        world.append(Batch { work: put(), ..Batch::default() }).unwrap();
        let stale = world.store.claim(claiming(0)).unwrap().remove(0);
        let replaced = WorkChanges { cancel: vec![effect("a")], ..put() };
        world.append(Batch { work: replaced, ..Batch::default() }).unwrap();
        let fresh = world.store.claim(claiming(0)).unwrap().remove(0);
        assert!(fresh.claim.epoch > stale.claim.epoch);
        let finish = WorkChanges { finish: vec![stale.claim], ..WorkChanges::default() };
        assert!(matches!(world.append(Batch { work: finish, ..Batch::default() }), Err(AppendError::Fenced)));
    });
}

#[test]
fn work_can_be_renewed_put_off_and_cancelled_and_its_key_is_unique() {
    everywhere(|world| {
        let change = |work| world.append(Batch { work, ..Batch::default() });
        change(WorkChanges { put: vec![due("a", 0)], ..WorkChanges::default() }).unwrap();
        let twice = change(WorkChanges { put: vec![due("a", 5)], ..WorkChanges::default() });
        assert!(matches!(twice, Err(AppendError::NotUnique { table: "work.1" })), "{twice:?}");

        let claim = world.store.claim(claiming(0)).unwrap().remove(0);
        change(WorkChanges { renew: vec![(claim.claim.clone(), at(300))], ..WorkChanges::default() }).unwrap();
        assert!(world.store.claim(claiming(299)).unwrap().is_empty());

        let put_off = WorkChanges { finish: vec![claim.claim], put: vec![due("a", 1_000)], ..WorkChanges::default() };
        change(put_off).unwrap();
        assert!(world.store.claim(claiming(999)).unwrap().is_empty());
        assert_eq!(world.store.claim(claiming(1_000)).unwrap().len(), 1);

        change(WorkChanges { cancel: vec![effect("a"), effect("never there")], ..WorkChanges::default() }).unwrap();
        assert_eq!(world.store.read().unwrap().next_due(Kind::Effect).unwrap(), None);
        assert!(world.store.claim(claiming(9_999)).unwrap().is_empty());
    });
}

#[test]
fn purchases_of_neighbouring_names_never_mix_and_the_limit_shows() {
    everywhere(|world| {
        let bought = |who, what, from, line| {
            Row::Put(RowKey::purchase(&customer(who), &sku(what), &order(from), line), format!("{from}/{line}").into())
        };
        let batch = [
            bought("A", "BC", "2", 1),
            bought("A", "BC", "10", 7),
            bought("A", "BC", "10", 300),
            bought("AB", "C", "3", 1),
            bought("A", "B", "4", 1),
            bought("A", "bc", "5", 1),
        ];
        world.append(rows(batch)).unwrap();
        let now = world.store.read().unwrap();
        let found = now.purchases(&customer("A"), &sku("BC"), 3).unwrap();
        let places: Vec<_> = found.found.iter().map(|found| (found.order.as_str(), found.line)).collect();
        assert_eq!((places, found.more), (vec![("2", 1), ("10", 7), ("10", 300)], false));
        assert!(now.purchases(&customer("A"), &sku("BC"), 2).unwrap().more);
        assert_eq!(now.purchases(&customer("AB"), &sku("C"), 9).unwrap().found[0].facts, b"3/1");
        assert!(now.purchases(&customer("ABC"), &sku(" "), 9).unwrap().found.is_empty());
    });
}

#[test]
fn pages_join_to_the_whole_list_in_both_directions() {
    everywhere(|world| {
        let opened = |n: u8| Row::Put(RowKey::case_opened(at(i64::from(n / 2) - 3), case(n)), vec![n]);
        world.append(rows((0..10).map(opened))).unwrap();
        let now = world.store.read().unwrap();
        for (direction, expected) in
            [(Direction::Forward, (0..10).collect::<Vec<_>>()), (Direction::Backward, (0..10).rev().collect())]
        {
            let (mut seen, mut cursor) = (Vec::new(), None);
            loop {
                let page = now.scan(&Scan::CasesByOpened, direction, cursor.as_ref(), 3).unwrap();
                assert!(page.rows.len() <= 3);
                seen.extend(page.rows.iter().map(|row| (row.value[0], row.case().unwrap(), row.at.unwrap())));
                cursor = page.next;
                if cursor.is_none() {
                    break;
                }
            }
            let whole: Vec<_> = expected.iter().map(|&n| (n, case(n), at(i64::from(n / 2) - 3))).collect();
            assert_eq!(seen, whole);
        }
    });
}

#[test]
fn a_listing_keeps_to_its_part_and_refuses_the_cursor_of_another() {
    everywhere(|world| {
        let listed = [
            Row::Put(RowKey::task_in_queue("money", at(9), task(1)), bytes("late")),
            Row::Put(RowKey::task_in_queue("money", at(3), task(2)), bytes("early")),
            Row::Put(RowKey::task_in_queue("money2", at(1), task(3)), bytes("other")),
            Row::Put(RowKey::pointer("plugin/a"), bytes("1")),
            Row::Put(RowKey::pointer("workflow/b"), bytes("2")),
        ];
        world.append(rows(listed)).unwrap();
        let now = world.store.read().unwrap();
        let money = Scan::TasksByQueue("money".to_owned());
        let page = now.scan(&money, Direction::Forward, None, 1).unwrap();
        assert_eq!((page.rows[0].task(), &page.rows[0].value[..]), (Some(task(2)), &b"early"[..]));
        let page = now.scan(&money, Direction::Forward, page.next.as_ref(), 5).unwrap();
        assert_eq!((page.rows.len(), page.rows[0].task(), &page.next), (1, Some(task(1)), &None));

        let pointers = now.scan(&Scan::Pointers("plugin/".to_owned()), Direction::Forward, None, 5).unwrap();
        assert_eq!(pointers.rows.iter().map(|row| row.name().unwrap()).collect::<Vec<_>>(), ["a"]);

        let first = now.scan(&money, Direction::Forward, None, 1).unwrap().next.unwrap();
        let foreign = now.scan(&Scan::TasksByQueue("money2".to_owned()), Direction::Forward, Some(&first), 5);
        assert!(matches!(foreign, Err(ReadError::ForeignCursor)));
    });
}

#[test]
fn a_snapshot_does_not_see_what_is_stored_after_it() {
    everywhere(|world| {
        world.append(turn(case(1), 0)).unwrap();
        let before = world.store.read().unwrap();
        world.append(turn(case(1), 1)).unwrap();
        world.append(turn(case(2), 0)).unwrap();
        assert_eq!(before.load_case(case(1)).unwrap().unwrap().version, Version(1));
        assert_eq!(before.cases(None, 10).unwrap().len(), 1);
        let after = world.store.read().unwrap();
        let cases = after.cases(Some(case(1)), 10).unwrap();
        assert_eq!(cases.iter().map(|(case, head)| (*case, head.version.0)).collect::<Vec<_>>(), [(case(2), 1)]);
    });
}

#[test]
fn personal_data_is_read_by_subject_and_gone_when_deleted() {
    everywhere(|world| {
        let field = |subject, field, value| Row::Put(RowKey::person(subject, field), bytes(value));
        world
            .append(rows([field("c1", "name", "Ada"), field("c1", "mail", "a@b"), field("c10", "name", "Bob")]))
            .unwrap();
        let person = world.store.read().unwrap().person("c1").unwrap();
        assert_eq!(person.keys().collect::<Vec<_>>(), ["mail", "name"]);
        world.append(rows(["name", "mail"].map(|field| Row::Delete(RowKey::person("c1", field))))).unwrap();
        let now = world.store.read().unwrap();
        assert!(now.person("c1").unwrap().is_empty());
        assert_eq!(now.person("c10").unwrap()["name"], b"Bob");
    });
}

#[test]
fn the_tenants_own_stream_has_its_journal_in_the_same_chain() {
    everywhere(|world| {
        let publish = |seen| {
            let mut batch = Batch::default();
            batch.turn(Stream::Tenant, Version(seen), format!("published {seen}").into(), bytes("state"));
            batch
        };
        world.append(publish(0)).unwrap();
        world.append(turn(case(1), 0)).unwrap();
        world.append(publish(1)).unwrap();
        let now = world.store.read().unwrap();
        assert_eq!(now.load_tenant().unwrap().unwrap().version, Version(2));
        let journal = now.tenant_journal(Version(1), 10).unwrap();
        assert_eq!(journal.iter().map(|row| (row.turn.0, row.link.n)).collect::<Vec<_>>(), [(1, 1), (2, 3)]);
        assert_eq!(audit::verify(&now).unwrap(), intact(world));
    });
}

#[test]
fn a_batch_that_is_too_large_or_contradicts_itself_is_refused_before_the_queue() {
    everywhere(|world| {
        let many = Batch {
            expect: (0..=BATCH_STREAMS_MAX).map(|n| (Stream::Ledger(order(&n.to_string())), Version::NONE)).collect(),
            ..Batch::default()
        };
        assert!(matches!(world.append(many), Err(AppendError::TooLarge { what: "streams", .. })));
        let big = rows([Row::Put(RowKey::order(&order("1")), vec![0; BATCH_BYTES_MAX])]);
        assert!(matches!(world.append(big), Err(AppendError::TooLarge { what: "bytes", .. })));
        let long = rows([Row::Put(RowKey::pointer(&"x".repeat(2_000)), Vec::new())]);
        assert!(matches!(world.append(long), Err(AppendError::TooLarge { what: "bytes of a key", .. })));

        let ledger = Stream::Ledger(order("1"));
        let door = || Row::door("returns.yaml", Digest::of(b"bytes"));
        let malformed = [
            Batch { entries: Vec::new(), ..turn(case(1), 0) },
            Batch { heads: Vec::new(), ..turn(case(1), 0) },
            Batch { expect: Vec::new(), ..turn(case(1), 0) },
            Batch { expect: vec![(ledger.clone(), Version(0)); 2], ..Batch::default() },
            Batch { entries: vec![(ledger, Vec::new())], ..turn(case(1), 0) },
            rows([door(), door()]),
            Batch { work: WorkChanges { cancel: vec![effect("a"); 2], ..WorkChanges::default() }, ..Batch::default() },
        ];
        for batch in malformed {
            let result = world.append(batch);
            assert!(matches!(result, Err(AppendError::Malformed(_))), "{result:?}");
        }
        assert_eq!(world.store.stats().commits, 0);
    });
}

#[test]
fn a_panicking_reply_ends_with_itself() {
    everywhere(|world| {
        world.store.append_then(turn(case(1), 0), |_| panic!("a bug of the caller")).unwrap();
        world.append(turn(case(1), 1)).unwrap();
    });
}

#[test]
fn an_export_holds_every_row_as_of_its_moment_and_says_so() {
    struct Rows(Vec<(&'static str, Vec<u8>, Vec<u8>)>);
    impl Sink for Rows {
        fn row(&mut self, table: &'static str, key: &[u8], value: &[u8]) -> std::io::Result<()> {
            self.0.push((table, key.to_vec(), value.to_vec()));
            Ok(())
        }
    }
    everywhere(|world| {
        world.append(taking(turn(case(1), 0), "A", 0)).unwrap();
        let snapshot = world.store.read().unwrap();
        world.append(turn(case(1), 1)).unwrap();
        let (mut first, mut second) = (Rows(Vec::new()), Rows(Vec::new()));
        let manifest = snapshot.export(&mut first).unwrap();
        assert_eq!(snapshot.export(&mut second).unwrap(), manifest);
        assert_eq!(manifest.tables.iter().map(|table| table.rows).sum::<u64>(), first.0.len() as u64);
        let turns = first.0.iter().filter(|row| row.0 == "case_turns.1").count();
        assert_eq!((turns, manifest.format, manifest.tenant), (1, FORMAT, tenant()));
        let later = world.store.read().unwrap().export(&mut second).unwrap();
        assert_ne!(later.tables[1].digest, manifest.tables[1].digest);
    });
}
