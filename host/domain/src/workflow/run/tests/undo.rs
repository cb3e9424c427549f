//! What steps did is undone: the last one first, once, when the workflow says so or a person ends the case.

use super::*;
use crate::case::Reply;
use crate::case::command::Event;
use crate::value::Value;

const HEAD: &str = "events: { came: {}, lost: {} }\nvars: { boxes: { type: number, default: 1 } }\n";
const STEPS: &str = r#"
  - id: label
    WHEN
    http: { target: carrier, expect: { number: text } }
    as: label
    on_error: [{ match: declined, then: packed }]
    compensate: { http: { target: carrier-void, body: { number: =label.number, boxes: =boxes } } }
  - id: packed
    http: { target: boxes }
    on_error: [{ match: declined, then: later }]
    compensate: { notify: { template: keep-the-box, to: customer } }
  - { id: later, set: { boxes: 7 } }
  - id: parcel
    http: { target: parcels }
    on_error: [{ match: declined, then: goods }]
    retry: { attempts: 3 }
    compensate: { http: { target: parcels-back } }
  - id: goods
    await: { any: [{ event: came, then: done }, { event: lost, then: expired }], timeout: { never: "somebody tells" } }
  - { id: done, finish: { result: done } }
  - { id: expired, undo: [parcel, packed, label] HANDLED }
  - { id: once_more, undo: all }
  - { id: closed, finish: { result: expired } }
"#;

/// A workflow, with what is done first and where a decline of what is undone leads.
fn desk(when: &str, handled: &str) -> Desk {
    Desk::beside(HEAD, &STEPS.replace("WHEN", when).replace("HANDLED", handled))
}

fn confirm(desk: &mut Desk, case: Nth, key: Digest) {
    let fields = Fields::from([("number".to_owned(), Value::text("L1"))]);
    let reply = Some(Reply { fields, wrong: Vec::new() });
    desk.give(case, Body::Settle(Settle { reply, ..Settle::new(key, Settled::Confirmed) })).unwrap();
}

/// A case that waits for its goods, after all three systems did what they were asked.
fn waiting(desk: &mut Desk) -> Nth {
    let case = desk.open(1);
    for step in ["label", "packed", "parcel"] {
        if desk.stands(case) == step {
            let key = desk.key(case, step);
            confirm(desk, case, key);
        }
    }
    assert_eq!(desk.stands(case), "goods");
    case
}

fn tell(desk: &mut Desk, case: Nth, name: &str) {
    desk.give(case, Body::Event(Event { name: name.to_owned(), fields: Fields::new() })).unwrap();
}

/// The effects that undo something, as what they ask, in the order of the steps.
fn undoing(desk: &Desk, case: Nth) -> Vec<(Digest, String)> {
    let word = |what: &What| match what {
        What::Http(request) => request.target.to_string(),
        What::Notice { template, .. } => template.to_string(),
        other => panic!("{other:?}"),
    };
    let all = desk.cases[case].compensations.iter().filter_map(|one| Some((one.key?, word(&one.what))));
    all.collect()
}

fn words(desk: &Desk, case: Nth) -> Vec<String> {
    undoing(desk, case).into_iter().map(|(_, word)| word).collect()
}

fn undone(desk: &Desk, case: Nth) -> Vec<bool> {
    desk.cases[case].compensations.iter().map(|one| one.undone).collect()
}

#[test]
fn what_was_done_last_is_undone_first_and_the_case_waits_until_all_is_done() {
    let mut desk = desk("", "");
    let case = waiting(&mut desk);
    assert_eq!(undone(&desk, case), [false, false, false]);
    tell(&mut desk, case, "lost");
    assert_eq!((desk.stands(case), words(&desk, case)), ("expired", vec!["parcels-back".to_owned()]));
    let parcels = undoing(&desk, case)[0].0;
    assert_eq!(desk.work, [Work::Effect { key: parcels }]);
    let retry = desk.cases[case].effects[&parcels].retry.clone().unwrap();
    assert_eq!(retry.attempts, Some(3), "it is sent again as the step was");
    confirm(&mut desk, case, parcels);
    // A message is said and not waited for; the next one is asked at once.
    assert_eq!(words(&desk, case), ["carrier-void", "keep-the-box", "parcels-back"]);
    assert_eq!((desk.stands(case), undone(&desk, case)), ("expired", vec![false, true, true]));
    let (void, _) = undoing(&desk, case)[0];
    let What::Http(request) = &desk.cases[case].effects[&void].what else { panic!() };
    let body = [("boxes".to_owned(), Value::whole(1)), ("number".to_owned(), Value::text("L1"))];
    assert_eq!(request.body, Fields::from(body), "as things were when the step was done");
    confirm(&mut desk, case, void);
    assert_eq!((desk.stands(case), undone(&desk, case)), ("expired", vec![true, true, true]));
    assert!(desk.cases[case].is_closed(), "a second undo finds nothing and waits for nothing");
    let keys: std::collections::BTreeSet<Digest> = desk.cases[case].effects.keys().copied().collect();
    assert_eq!(keys.len(), 6, "each has a key of its own");
}

#[test]
fn a_step_that_was_skipped_or_failed_has_nothing_to_undo() {
    let mut skipped = desk("when: 'has(case.reason)'", "");
    let case = waiting(&mut skipped);
    assert_eq!(skipped.cases[case].compensations.len(), 2);
    let mut failed = desk("", "");
    let case = failed.open(1);
    for step in ["label", "packed", "parcel"] {
        let key = failed.key(case, step);
        failed.settle(case, key, Settled::Declined);
    }
    assert_eq!((failed.stands(case), failed.cases[case].compensations.len()), ("goods", 0));
    tell(&mut failed, case, "lost");
    assert_eq!((failed.stands(case), failed.cases[case].is_closed()), ("expired", true));
}

#[test]
fn what_cannot_be_undone_is_a_persons_or_goes_where_the_step_says() {
    let mut alone = desk("", "");
    let case = waiting(&mut alone);
    tell(&mut alone, case, "lost");
    let parcels = undoing(&alone, case)[0].0;
    alone.settle(case, parcels, Settled::Declined);
    assert_eq!((alone.stands(case), alone.asked_of(case, parcels)), ("expired", "declined"));
    alone.answer(case, "paid").unwrap();
    assert_eq!(words(&alone, case).len(), 3, "a person did it: on with the next");

    let mut handled = desk("", ", on_error: [{ match: declined, then: done }]");
    let case = waiting(&mut handled);
    tell(&mut handled, case, "lost");
    let parcels = undoing(&handled, case)[0].0;
    handled.settle(case, parcels, Settled::Declined);
    assert_eq!((handled.stands(case), undone(&handled, case)), ("done", vec![false, false, false]));
}

#[test]
fn a_person_who_cancels_the_case_has_all_of_it_undone() {
    let mut desk = desk("", "");
    let case = waiting(&mut desk);
    desk.give(case, Body::Cancel).unwrap();
    assert_eq!((desk.stands(case), words(&desk, case)), ("cancelled", vec!["parcels-back".to_owned()]));
    let parcels = undoing(&desk, case)[0].0;
    desk.settle(case, parcels, Settled::Declined);
    assert_eq!(desk.asked_of(case, parcels), "declined", "nothing is silently left undone");
    assert_eq!(words(&desk, case).len(), 3, "the others are undone all the same");
    let void = undoing(&desk, case)[0].0;
    confirm(&mut desk, case, void);
    assert_eq!(undone(&desk, case), [true, true, false]);
    desk.answer(case, "resend").unwrap();
    assert_eq!(desk.work, [Work::Effect { key: parcels }], "under the same key");
    confirm(&mut desk, case, parcels);
    assert_eq!((undone(&desk, case), desk.cases[case].tasks.len()), (vec![true, true, true], 0));
    confirm(&mut desk, case, parcels);
    assert_eq!(desk.last(case), ["input.ignored.1"], "an outcome that comes twice undoes nothing twice");
}

#[test]
fn a_case_that_ends_by_itself_keeps_what_it_did() {
    let mut desk = desk("", "");
    let case = waiting(&mut desk);
    tell(&mut desk, case, "came");
    assert_eq!((desk.stands(case), words(&desk, case).len()), ("done", 0));
}

#[test]
fn a_cancel_in_the_middle_of_an_undo_goes_on_with_what_is_left_and_repeats_nothing() {
    let mut desk = desk("", "");
    let case = waiting(&mut desk);
    tell(&mut desk, case, "lost");
    let parcels = undoing(&desk, case)[0].0;
    desk.give(case, Body::Cancel).unwrap();
    assert_eq!(words(&desk, case).len(), 3);
    confirm(&mut desk, case, parcels);
    let void = undoing(&desk, case)[0].0;
    confirm(&mut desk, case, void);
    assert_eq!(undone(&desk, case), [true, true, true]);
    assert_eq!(desk.cases[case].effects.len(), 6);
}

#[test]
fn of_the_past_nothing_is_undone_that_was_never_asked() {
    let mut desk = desk("", "");
    let case = desk.open_from(1, true);
    assert_eq!((desk.stands(case), desk.cases[case].compensations.len()), ("goods", 0));
    desk.give(case, Body::Cancel).unwrap();
    assert_eq!(desk.work, []);
}

const RACE: &str = r#"
  - id: race
    parallel:
      join: any
      branches:
        carrier:
          - { id: label, http: { target: carrier, expect: { number: text } }, as: label, compensate: { http: { target: carrier-void, body: { number: =label.number } } } }
          - { id: box, http: { target: boxes }, compensate: { notify: { template: keep-the-box, to: customer } } }
          - { id: came, await: { event: came, timeout: { never: "somebody tells" } } }
        shop:
          - { id: brought, await: { event: lost, timeout: { never: "somebody tells" } } }
  - { id: rest, wait: { for: 9d } }
  - { id: done, finish: { result: done } }
"#;
const RACE_HEAD: &str = "events: { came: {}, lost: {} }\n";

fn racing() -> (Desk, Nth) {
    let mut desk = Desk::beside(RACE_HEAD, RACE);
    let case = desk.open(1);
    (desk, case)
}

#[test]
fn what_a_branch_did_that_is_called_off_is_undone_while_the_case_goes_on() {
    let (mut desk, case) = racing();
    for step in ["label", "box"] {
        let key = desk.key(case, step);
        confirm(&mut desk, case, key);
    }
    tell(&mut desk, case, "lost");
    assert_eq!(
        (desk.stands(case), words(&desk, case)),
        ("rest", vec!["carrier-void".to_owned(), "keep-the-box".to_owned()])
    );
    let (void, _) = undoing(&desk, case)[0];
    desk.settle(case, void, Settled::Declined);
    assert_eq!((desk.stands(case), desk.asked_of(case, void)), ("rest", "declined"), "nothing is silently left undone");
    desk.answer(case, "resend").unwrap();
    confirm(&mut desk, case, void);
    assert_eq!((desk.stands(case), undone(&desk, case), desk.cases[case].tasks.len()), ("rest", vec![true, true], 0));
    desk.give(case, Body::Cancel).unwrap();
    assert_eq!(words(&desk, case).len(), 2, "once");
}

#[test]
fn what_was_on_its_way_when_its_branch_was_called_off_is_undone_once_it_is_there() {
    let (mut desk, case) = racing();
    let label = desk.key(case, "label");
    tell(&mut desk, case, "lost");
    assert_eq!((desk.stands(case), words(&desk, case).len()), ("rest", 0), "nobody knows yet what there is to undo");
    confirm(&mut desk, case, label);
    assert_eq!((desk.stands(case), words(&desk, case)), ("rest", vec!["carrier-void".to_owned()]));
    let (void, _) = undoing(&desk, case)[0];
    let What::Http(request) = &desk.cases[case].effects[&void].what else { panic!() };
    assert_eq!(request.body["number"].to_string(), "L1");
    confirm(&mut desk, case, void);
    assert_eq!((desk.stands(case), undone(&desk, case)), ("rest", vec![true]));

    let (mut declined, case) = racing();
    let label = declined.key(case, "label");
    tell(&mut declined, case, "lost");
    declined.settle(case, label, Settled::Declined);
    assert_eq!((declined.stands(case), words(&declined, case).len(), declined.cases[case].tasks.len()), ("rest", 0, 0));
}

#[test]
fn what_the_branch_did_that_won_stays() {
    let (mut desk, case) = racing();
    for step in ["label", "box"] {
        let key = desk.key(case, step);
        confirm(&mut desk, case, key);
    }
    tell(&mut desk, case, "came");
    assert_eq!((desk.stands(case), words(&desk, case).len()), ("rest", 0));
    desk.give(case, Body::Cancel).unwrap();
    assert_eq!(
        words(&desk, case),
        ["keep-the-box", "carrier-void"].map(str::to_owned).into_iter().rev().collect::<Vec<_>>()
    );
}
