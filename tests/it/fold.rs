//! Folding the journal gives the snapshot byte for byte, and the entries of all cases add up to the ledgers.

use std::collections::{BTreeMap, BTreeSet};

use redress_domain::case::entry::Entry;
use redress_domain::case::evolve::{self, Stamp};
use redress_domain::case::{About, Case, EffectState, Task, What};
use redress_domain::codec;
use redress_domain::decision::Turn;
use redress_domain::ids::{CaseId, Digest};
use redress_domain::ledger::Ledger;
use redress_domain::money::Money;
use redress_domain::order::Order;
use redress_domain::verdict::Take;
use redress_store::batch::Version;
use redress_store::scan::{Direction, Scan};
use redress_tests::kitchen::Kitchen;
use redress_tests::world::{Merchant, gbp};
use serde_json::Value as Json;

/// How many merchants live, unless `REDRESS_SEEDS` says otherwise.
const SEEDS: u64 = 3;

/// What is kept of a case.
struct Kept {
    turns: Vec<Turn>,
    snapshot: Vec<u8>,
    case: Case,
}

#[test]
fn folding_the_journal_gives_the_snapshot_and_no_field_can_be_dropped_unseen() {
    let seeds = std::env::var("REDRESS_SEEDS").map_or(SEEDS, |seeds| seeds.parse().unwrap());
    let kept: Vec<Kept> = std::thread::scope(|scope| {
        let named = |seed: u64| std::thread::Builder::new().name(format!("seed {seed}"));
        let spawn = |seed: u64| named(seed).spawn_scoped(scope, move || lived_through(seed)).unwrap();
        let threads: Vec<_> = (1..=seeds).map(spawn).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    every_kind_is_reached(&kept);
    nothing_is_dropped_unseen(&kept);
}

/// The cases of a merchant to whom everything happened, each compared after each of its turns.
fn lived_through(seed: u64) -> Vec<Kept> {
    let mut kitchen = Kitchen::new(seed).unwrap();
    let look = |merchant: &Merchant, case| {
        let kept = read(merchant, case);
        anyhow::ensure!(folded(&kept.turns).as_ref() == Some(&kept.snapshot), "case {}", kept.case.number);
        for held in &kept.case.reserved {
            let ledger = merchant.ledger(held.take.order.as_str())?;
            let line = ledger.as_ref().and_then(|ledger| ledger.line(held.take.line));
            anyhow::ensure!(line.is_some_and(|line| line.reserved + line.returned <= line.bought), "{line:?}");
        }
        Ok(())
    };
    kitchen.run(80, 400, look).unwrap_or_else(|error| panic!("seed {seed}: {error:?}"));
    println!("seed {seed}, refused: {:?}", kitchen.refused);
    let merchant = &kitchen.merchant;
    let cases: Vec<Kept> = merchant.cases().unwrap().into_iter().map(|id| read(merchant, id)).collect();
    for case in &cases {
        assert_eq!(folded(&case.turns).as_ref(), Some(&case.snapshot), "seed {seed}, case {}", case.case.number);
    }
    ledgers_add_up(merchant, &cases);
    cases.iter().for_each(|kept| crate::revisions::stands_where_it_runs(merchant, &kept.case, &kept.turns));
    cases
}

/// Journal and snapshot as of one moment: a long run goes on by itself meanwhile.
fn read(merchant: &Merchant, id: CaseId) -> Kept {
    let now = merchant.engine.store().read().unwrap();
    let snapshot = now.load_case(id).unwrap().expect("a case").bytes;
    let rows = now.journal(id, Version(1), 10_000).unwrap();
    let turns = rows.iter().map(|row| codec::decode(&row.record).unwrap()).collect();
    Kept { turns, case: codec::decode(&snapshot).unwrap(), snapshot }
}

fn folded(turns: &[Turn]) -> Option<Vec<u8>> {
    let turns = turns.iter().map(|turn| (Stamp { at: turn.at, turn: turn.number }, turn.entries.as_slice()));
    evolve::fold(turns).ok()?.map(|case| codec::encode(&case))
}

fn every_kind_is_reached(kept: &[Kept]) {
    let mut counts: BTreeMap<&str, usize> = Entry::NAMES.iter().map(|name| (*name, 0)).collect();
    for entry in kept.iter().flat_map(|case| &case.turns).flat_map(|turn| &turn.entries) {
        *counts.entry(entry.name()).or_default() += 1;
    }
    for (name, count) in &counts {
        println!("{count:6} {name}");
    }
    let entries = kept.iter().flat_map(|case| &case.turns).flat_map(|turn| &turn.entries);
    let failures: BTreeSet<&str> = entries
        .filter_map(|entry| match entry {
            Entry::Failed { code, .. } => Some(code.as_str()),
            _ => None,
        })
        .collect();
    println!("failures: {failures:?}");
    // Two cases wanted the same unit, a plugin broke, an amount was over the limit of its case.
    let wanted = ["currency_differs", "plugin_trap", "quantity_exceeds_left", "refund_exceeds_limit"];
    assert!(wanted.iter().all(|code| failures.contains(code)), "{failures:?}");
    let answers = answers_to_contradictions(kept);
    println!("answers to contradictions: {answers:?}");
    assert!(answers.contains_key("paid"), "{answers:?}");
    let missing: Vec<_> = counts.iter().filter(|(_, count)| **count == 0).collect();
    assert!(missing.is_empty(), "never reached: {missing:?}");
}

/// How people answered where a provider confirmed what was declined.
fn answers_to_contradictions(kept: &[Kept]) -> BTreeMap<&str, usize> {
    let entries = || kept.iter().flat_map(|case| &case.turns).flat_map(|turn| &turn.entries);
    let asked: BTreeSet<_> = entries()
        .filter_map(|entry| match entry {
            Entry::TaskOpened { id, task } if contradicts(task) => Some(*id),
            _ => None,
        })
        .collect();
    let mut answers = BTreeMap::new();
    for entry in entries() {
        if let Entry::TaskCompleted { id, outcome, .. } = entry
            && asked.contains(id)
        {
            *answers.entry(outcome.as_str()).or_default() += 1;
        }
    }
    answers
}

/// What happened to one order line, as the entries of all cases have it; money in minor units.
#[derive(Debug, Default, PartialEq)]
struct Line {
    reserved: i64,
    returned: i64,
    refunded: i64,
}

type Lines = BTreeMap<(String, u32), Line>;

fn ledgers_add_up(merchant: &Merchant, cases: &[Kept]) {
    let mut lines = Lines::new();
    for entry in cases.iter().flat_map(|case| &case.turns).flat_map(|turn| &turn.entries) {
        count(&mut lines, entry);
    }
    let page = merchant.engine.store().read().unwrap().scan(&Scan::Orders, Direction::Forward, None, 1_000).unwrap();
    for row in page.rows {
        let order: Order = codec::decode(&row.value).unwrap();
        check_order(merchant, cases, &order, &mut lines);
    }
    lines.retain(|_, line| *line != Line::default());
    assert!(lines.is_empty(), "entries without a ledger: {lines:?}");
}

fn count(lines: &mut Lines, entry: &Entry) {
    let mut change = |take: &Take, reserved: i64, returned: i64, money: i64| {
        let line = lines.entry((take.order.to_string(), take.line)).or_default();
        line.reserved += reserved * i64::from(take.quantity);
        line.returned += returned * i64::from(take.quantity);
        line.refunded += money;
    };
    match entry {
        Entry::Reserved { take, .. } => change(take, 1, 0, 0),
        Entry::Released { take, .. } => change(take, -1, 0, 0),
        Entry::Booked { items } => items.iter().for_each(|item| change(&item.take, -1, 1, item.amount.minor())),
        Entry::Unbooked { items } => items.iter().for_each(|item| change(&item.take, 1, -1, -item.amount.minor())),
        _ => {}
    }
}

fn check_order(merchant: &Merchant, cases: &[Kept], order: &Order, lines: &mut Lines) {
    let id = order.id.to_string();
    let Some(ledger) = merchant.ledger(&id).unwrap() else { return };
    let mut in_all = Money::zero(gbp());
    for (number, stored) in ledger.lines() {
        let counted = lines.remove(&(id.clone(), number)).unwrap_or_default();
        let found = Line {
            reserved: stored.reserved.into(),
            returned: stored.returned.into(),
            refunded: stored.refunded.minor(),
        };
        assert_eq!(counted, found, "order {id} line {number}");
        let bought = &order.lines[number as usize];
        assert_eq!((stored.bought, stored.paid), (bought.quantity, bought.paid.total));
        assert!(stored.reserved + stored.returned <= stored.bought, "order {id} line {number}: {stored:?}");
        assert!(!stored.refunded.is_negative() && stored.refunded.minor() <= stored.paid.minor(), "{stored:?}");
        in_all = in_all.plus(stored.refunded).unwrap();
    }
    assert_eq!(ledger.refunded(), in_all, "order {id}");
    assert!(in_all.minor() <= order.paid_total().unwrap().minor(), "order {id}");
    let legs = legs(cases, &id);
    assert_eq!(legs.values().sum::<i64>(), in_all.minor(), "order {id}: what is sent and what is booked");
    for (payment, held) in ledger.payments() {
        assert!(held.refunded.minor() <= held.captured.minor(), "order {id} payment {payment}: {held:?}");
        let sent = legs.get(&Some(payment.to_owned())).copied().unwrap_or_default();
        assert_eq!(sent, held.refunded.minor(), "order {id} payment {payment}");
    }
    held_by_cases(cases, &id, &ledger);
}

/// What was sent to each payment of an order, or is on its way. A declined leg counts until its step has gone on.
fn legs(cases: &[Kept], order: &str) -> BTreeMap<Option<String>, i64> {
    let mut legs = BTreeMap::new();
    for (case, effect) in cases.iter().flat_map(|kept| kept.case.effects.values().map(|effect| (&kept.case, effect))) {
        let What::Refund(refund) = &effect.what else { continue };
        let is_open = effect.state != EffectState::Declined || case.stands_at(&effect.lane, &effect.step);
        if is_open && refund.order.as_ref().is_some_and(|of| of.as_str() == order) {
            *legs.entry(refund.payment.clone()).or_default() += refund.amount.minor();
        }
    }
    legs
}

fn held_by_cases(cases: &[Kept], order: &str, ledger: &Ledger) {
    let mut held: BTreeMap<u32, u32> = BTreeMap::new();
    for one in cases.iter().flat_map(|kept| &kept.case.reserved).filter(|one| one.take.order.as_str() == order) {
        *held.entry(one.take.line).or_default() += one.take.quantity;
    }
    for (number, stored) in ledger.lines() {
        assert_eq!(held.get(&number).copied().unwrap_or(0), stored.reserved, "order {order} line {number}");
    }
    for kept in cases.iter().filter(|kept| kept.case.is_closed()) {
        // Only whether money left may be asked beyond the end, and only while nobody knows or the provider says otherwise.
        let is_unknown =
            |key: &Digest| kept.case.effects.get(key).is_some_and(|effect| effect.state == EffectState::Unknown);
        let is_undoing = |key: &Digest| kept.case.effects.get(key).is_some_and(|effect| effect.undoes.is_some());
        let of_money = |task: &Task| matches!(&task.about, About::Effect { key } if is_unknown(key) || is_undoing(key) || contradicts(task));
        let is_done = kept.case.reserved.is_empty() && kept.case.tasks.values().all(of_money);
        assert!(is_done, "closed case {}", kept.case.number);
    }
}

/// Whether a task asks about a decline that its provider contradicts.
fn contradicts(task: &Task) -> bool {
    task.reasons.iter().any(|reason| reason.code == "confirmed_after_decline")
}

/// What the snapshot does not hold: it tells why something happened, and is read in the journal.
const NOT_FOLDED: [&str; 31] = [
    "case.cancelled.1/reason",
    "effect.resent.1/by",
    "effect.settled.1/via",
    "event.gathered.1/step",
    "event.taken.1/event/at",
    "event.taken.1/event/fields",
    "event.taken.1/event/name",
    "event.taken.1/step",
    "events.let_go.1/step",
    "input.ignored.1/what",
    "input.ignored.1/why",
    "step.decided.1/because",
    "step.decided.1/step",
    "step.decided.1/then",
    "step.failed.1/code",
    "step.failed.1/detail",
    "step.failed.1/step",
    "step.gave.1/plugin",
    "step.returned.1/to",
    "table.matched.1/inputs",
    "table.matched.1/rows",
    "table.matched.1/step",
    "task.completed.1/by",
    "task.completed.1/outcome",
    "task.escalated.1/passed_over",
    "task.reminded.1/passed_over",
    "wait.began.1/holidays",
    "wait.reminded.1/at",
    "wait.reminded.1/passed_over",
    "wait.reminded.1/step",
    "wait.timed_out.1/step",
];

/// Each field of each entry is given another value that such a field had somewhere, or is left out: a fold that did not look at
/// the field would not notice. All that is not told in `NOT_FOLDED` must make another snapshot, or none.
fn nothing_is_dropped_unseen(kept: &[Kept]) {
    let entries = kept.iter().flat_map(|case| &case.turns).flat_map(|turn| &turn.entries);
    let mut values: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for entry in entries {
        for (path, value) in fields(&serde_json::to_value(entry).unwrap()) {
            let seen = values.entry(path).or_default();
            if seen.len() < 6 {
                seen.insert(value.to_string());
            }
        }
    }
    // A field that always held the same is tried with what other fields held.
    let all: BTreeSet<String> = values.values().flatten().cloned().chain(["[]".to_owned()]).collect();
    values.values_mut().filter(|seen| seen.len() == 1).for_each(|seen| seen.extend(all.iter().cloned()));
    let unseen: Vec<&String> = values.keys().filter(|path| !is_noticed(kept, path, &values[*path])).collect();
    println!("{} fields, {} of them not folded", values.len(), unseen.len());
    assert_eq!(unseen, NOT_FOLDED);
}

fn is_noticed(kept: &[Kept], path: &str, values: &BTreeSet<String>) -> bool {
    kept.iter().any(|case| {
        let places =
            case.turns.iter().enumerate().flat_map(|(turn, row)| (0..row.entries.len()).map(move |at| (turn, at)));
        places.into_iter().any(|(turn, at)| {
            let entry = &case.turns[turn].entries[at];
            path.starts_with(entry.name())
                && others(entry, path, values).into_iter().any(|other| {
                    // As the snapshot was after this turn: every turn's was compared when it was made.
                    let mut turns = case.turns[..=turn].to_vec();
                    let snapshot = folded(&turns);
                    turns[turn].entries[at] = other;
                    folded(&turns) != snapshot
                })
        })
    })
}

/// The entry without this field, and with each of these values in it; only what can be read as an entry.
fn others(entry: &Entry, path: &str, values: &BTreeSet<String>) -> Vec<Entry> {
    let whole = serde_json::to_value(entry).unwrap();
    let Some(now) = field(&whole, path).cloned() else { return Vec::new() };
    let other = values.iter().map(|text| serde_json::from_str::<Json>(text).unwrap()).filter(|value| *value != now);
    let written = other.map(|value| {
        let mut changed = whole.clone();
        *field_mut(&mut changed, path) = value;
        changed
    });
    let mut without = whole.clone();
    let (parent, name) = path.rsplit_once('/').expect("a field of an entry");
    field_mut(&mut without, parent).as_object_mut().expect("an object").remove(name);
    let read = |json: Json| serde_json::from_value::<Entry>(json).ok();
    written.chain([without]).filter_map(read).filter(|other| other != entry).collect()
}

/// The fields of an entry and of the records directly in it.
fn fields(entry: &Json) -> Vec<(String, Json)> {
    let Json::Object(tagged) = entry else { return Vec::new() };
    let mut found = Vec::new();
    for (name, content) in tagged {
        for (field, value) in content.as_object().into_iter().flatten() {
            let path = format!("{name}/{field}");
            match value {
                Json::Object(inner)
                    if matches!(field.as_str(), "take" | "effect" | "task" | "event" | "submission") =>
                {
                    found.extend(inner.iter().map(|(inner, value)| (format!("{path}/{inner}"), value.clone())));
                }
                _ => found.push((path, value.clone())),
            }
        }
    }
    found
}

fn field<'a>(entry: &'a Json, path: &str) -> Option<&'a Json> {
    path.split('/').try_fold(entry, |at, name| at.get(name))
}

fn field_mut<'a>(entry: &'a mut Json, path: &str) -> &'a mut Json {
    path.split('/').fold(entry, |at, name| at.get_mut(name).expect("a field that was found before"))
}
