//! What is not as it was recorded is found: a record that was changed by one byte, and a host that lets through what differs from
//! one time to the next.

use std::path::Path;

use anyhow::Context as _;
use redress::replay::exported::{self, Exported};
use redress::replay::{Differs, Report};
use redress::serve::gate;
use redress_domain::ask::{Answer, Asked};
use redress_domain::case::entry::Entry;
use redress_domain::clock::Instant;
use redress_domain::codec;
use redress_domain::decision::Turn;
use redress_domain::ids::{CaseId, Slug};
use redress_sandbox::{Config, Limits, Mutant, Sandbox};
use redress_store::batch::Version;
use redress_tests::guests::integer_step;
use redress_tests::world::{START, World, a_return, days_ago, order};

use super::{all, assert_equal};

const PLAIN: &str = include_str!("../../fixtures/workflows/plain-return.yaml");

/// A closed world with one return of two decisions, and the case.
fn decided() -> anyhow::Result<(tempfile::TempDir, CaseId)> {
    let folder = tempfile::tempdir()?;
    let world = World::on(folder.path())?;
    let merchant = world.merchant("acme")?;
    merchant.publish(PLAIN)?;
    merchant.order(&order("1001", "c1", days_ago(10), &[("A1", 3, "2.50")])?)?;
    let case = merchant.open(a_return("c1", &[("A1", 2)])?)?.case;
    Ok((folder, case))
}

/// Change the turn of the case behind the store's back, by exactly one byte of its file.
fn tamper(folder: &Path, change: impl Fn(&mut Turn)) -> anyhow::Result<()> {
    let record = {
        let world = World::on(folder)?;
        let merchant = world.reopen("acme")?;
        let case = merchant.cases()?[0];
        let rows = merchant.engine.store().journal(case, Version(1), 1)?;
        rows[0].record.clone()
    };
    let mut turn: Turn = codec::decode(&record)?;
    change(&mut turn);
    let changed = codec::encode(&turn);
    let bytes = record.iter().zip(&changed).filter(|(before, after)| before != after).count();
    assert_eq!((record.len(), bytes), (changed.len(), 1), "one byte is changed");
    let files = std::fs::read_dir(folder.join("tenants"))?.collect::<Result<Vec<_>, _>>()?;
    let file = files.iter().map(std::fs::DirEntry::path).find(|path| path.extension().is_some_and(|is| is == "redb"));
    let file = file.context("the tenant's file")?;
    // A page that was copied on a write may still hold the row as well.
    let (mut content, mut from, mut found) = (std::fs::read(&file)?, 0, 0);
    while let Some(at) = content[from..].windows(record.len()).position(|window| window == record) {
        content[from + at..from + at + record.len()].copy_from_slice(&changed);
        (from, found) = (from + at + record.len(), found + 1);
    }
    assert!(found > 0, "the record lies in the file as it is");
    Ok(std::fs::write(&file, content)?)
}

fn replayed(folder: &Path) -> anyhow::Result<Report> {
    let world = World::on(folder)?;
    let merchant = world.reopen("acme")?;
    all(&merchant)
}

fn verdict(asked: &mut Asked) -> &mut redress_domain::verdict::Verdict {
    match &mut asked.answered.outcome {
        Ok(Answer::Verdict(verdict)) => verdict,
        other => panic!("{other:?}"),
    }
}

#[test]
fn one_changed_byte_of_an_answer_is_told_at_that_question_alone() -> anyhow::Result<()> {
    let (folder, _) = decided()?;
    assert_equal(&replayed(folder.path())?);
    tamper(folder.path(), |turn| verdict(&mut turn.asks[0]).lines[0].takes[0].quantity = 1)?;
    let report = replayed(folder.path())?;
    assert_eq!((report.checked, report.different, report.followed), (2, 1, 0), "{report:#?}");
    let [difference] = &report.differences[..] else { panic!("{report:#?}") };
    assert_eq!((difference.turn, difference.ask, difference.step.as_deref()), (1, Some(1), Some("match")));
    let Differs::Answer { recorded, found } = &difference.what else { panic!("{difference:#?}") };
    let quantity = |side: &serde_json::Value| side["verdict"]["lines"][0]["takes"][0]["quantity"].clone();
    assert_eq!((quantity(recorded), quantity(found)), (1.into(), 2.into()));
    Ok(())
}

#[test]
fn a_decision_of_another_contract_is_not_known_to_be_the_same() -> anyhow::Result<()> {
    let (folder, _) = decided()?;
    tamper(folder.path(), |turn| turn.asks[0].answered.contract = 2)?;
    let report = replayed(folder.path())?;
    assert_eq!((report.checked, report.different), (2, 0), "{report:#?}");
    assert_eq!(report.unknown, [("encoder_unknown".to_owned(), 1)].into());
    Ok(())
}

#[test]
fn one_changed_byte_of_a_later_answer_is_told_at_that_question_alone() -> anyhow::Result<()> {
    let (folder, _) = decided()?;
    tamper(folder.path(), |turn| match &mut turn.asks[1].answered.outcome {
        Ok(Answer::Quote(quote)) => quote.lines[0].take.quantity = 1,
        other => panic!("{other:?}"),
    })?;
    let report = replayed(folder.path())?;
    assert_eq!((report.checked, report.different, report.followed), (2, 1, 0), "{report:#?}");
    assert_eq!((report.differences[0].ask, report.differences[0].what.code()), (Some(2), "answer"));
    Ok(())
}

#[test]
fn one_changed_byte_of_a_fact_is_told_at_the_first_question_that_it_is_part_of() -> anyhow::Result<()> {
    let (folder, _) = decided()?;
    tamper(folder.path(), |turn| turn.facts.purchases[0].quantity = 4)?;
    let report = replayed(folder.path())?;
    // Both plugins of the turn are shown what was bought; what differs is told once, where it is seen first.
    assert_eq!((report.checked, report.different, report.followed), (2, 1, 1), "{report:#?}");
    assert_eq!((report.differences[0].ask, report.differences[0].what.code()), (Some(1), "question"));
    Ok(())
}

#[test]
fn one_changed_byte_of_the_fuel_or_of_an_entry_is_told() -> anyhow::Result<()> {
    let (folder, _) = decided()?;
    tamper(folder.path(), |turn| turn.asks[1].answered.fuel ^= 1)?;
    let report = replayed(folder.path())?;
    assert_eq!((report.different, report.differences[0].ask, report.differences[0].what.code()), (1, Some(2), "fuel"));
    tamper(folder.path(), |turn| turn.asks[1].answered.fuel ^= 1)?;
    assert_equal(&replayed(folder.path())?);
    tamper(folder.path(), |turn| {
        let intended = turn.entries.iter_mut().find_map(|entry| match entry {
            Entry::Intended { effect, .. } => Some(effect),
            _ => None,
        });
        intended.expect("a refund").step = Slug::new("say").expect("a slug");
    })?;
    let report = replayed(folder.path())?;
    assert_eq!((report.different, report.differences[0].ask, report.differences[0].what.code()), (1, None, "entries"));
    Ok(())
}

#[test]
fn decisions_in_a_file_are_made_again_without_the_data_folder() -> anyhow::Result<()> {
    let (folder, case) = decided()?;
    let file = {
        let world = World::on(folder.path())?;
        let merchant = world.reopen("acme")?;
        exported::export(&merchant.engine, &world.app.host().objects(), case)?.write()
    };
    drop(folder);
    let report = Exported::read(&file)?.replay(Config::default())?;
    assert_equal(&report);
    assert_eq!((report.checked, report.turns), (2, 1));

    let text = String::from_utf8(file)?;
    let other = text.replacen("\"fuel\": ", "\"fuel\": 1", 1);
    let report = Exported::read(other.as_bytes())?.replay(Config::default())?;
    assert_eq!((report.different, report.differences[0].what.code()), (1, "fuel"));
    // A question that was changed does not fit its digest, a component not its own.
    let other = text.replacen("\"sku\": \"A1\"", "\"sku\": \"A2\"", 1);
    assert_ne!(other, text);
    let report = Exported::read(other.as_bytes())?.replay(Config::default())?;
    assert_eq!((report.different, report.differences[0].what.code()), (1, "question"));
    let other = text.replacen("AGFzbQ", "AGFzbR", 1);
    assert_ne!(other, text);
    let error = Exported::read(other.as_bytes())?.replay(Config::default()).unwrap_err();
    assert_eq!((error.code(), error.to_string().contains("not what its digest says")), ("decisions_invalid", true));
    for wrong in ["", "{}", "[]", &text.replacen("redress.decisions.1", "redress.decisions.9", 1)] {
        assert_eq!(Exported::read(wrong.as_bytes()).unwrap_err().code(), "decisions_invalid");
    }
    Ok(())
}

/// A step whose answer is a number, asked with a sandbox; what it came to is a world with another.
pub(super) fn asked_and_reopened(
    code: &str,
    asked: Sandbox,
    after: Sandbox,
) -> anyhow::Result<(tempfile::TempDir, World)> {
    let folder = tempfile::tempdir()?;
    let at = Instant::from_unix_ms(START);
    {
        let world = World::with_sandbox(folder.path(), asked, at)?;
        let merchant = world.bare_merchant("acme")?;
        merchant.push("number", &integer_step("n", code).component()?)?;
        merchant.publish(
            "format: 1\nworkflow: numbered\ntitle: A number\ncurrency: GBP\ntriggers: [ { case_opened: { type: return } } ]\n\
             steps:\n  - { id: ask, call: { plugin: number@0 }, as: answer }\n  - { id: end, finish: { result: done } }\n",
        )?;
        merchant.open(a_return("c1", &[("A1", 1)])?)?;
    }
    let world = World::with_sandbox(folder.path(), after, at)?;
    world.reopen("acme")?;
    Ok((folder, world))
}

fn asked_and_replayed(code: &str, asked: Sandbox, replayed: Sandbox) -> anyhow::Result<Report> {
    let (_folder, world) = asked_and_reopened(code, asked, replayed)?;
    all(&world.reopen("acme")?)
}

pub(super) fn right() -> Sandbox {
    Sandbox::new(config()).unwrap()
}

pub(super) fn wrong(mutant: Mutant) -> Sandbox {
    Sandbox::mutant(config(), mutant).unwrap()
}

fn config() -> Config {
    // What leaks would be found before it is taken; here it is to be found afterwards.
    Config { limits: Limits { wall_clock_ms: 60_000, dry_run_ms_max: 0, ..Limits::default() }, ..Config::default() }
}

/// What the guest computes from a request: its parameters are those of the contract's record, flattened.
pub(super) const UNIX_MS: &str = "(local.get 2)";
const SEED: &str = "(local.get 5)";
const NAN_BITS: &str = "(i64.reinterpret_f64 (f64.div (f64.const 0) (f64.const 0)))";

#[test]
fn the_same_questions_on_a_right_host_are_answered_alike() -> anyhow::Result<()> {
    for code in [UNIX_MS, SEED, NAN_BITS] {
        assert_equal(&asked_and_replayed(code, right(), right())?);
    }
    Ok(())
}

#[test]
fn a_host_that_lets_a_clock_a_hash_seed_or_the_bits_of_a_nan_through_is_found() -> anyhow::Result<()> {
    let clock = asked_and_replayed(UNIX_MS, wrong(Mutant::Clock), wrong(Mutant::Clock))?;
    let seed = asked_and_replayed(SEED, wrong(Mutant::HashSeed), wrong(Mutant::HashSeed))?;
    let nan = asked_and_replayed(NAN_BITS, wrong(Mutant::NanBits), right())?;
    for report in [clock, seed, nan] {
        assert_eq!((report.checked, report.different), (1, 1), "{report:#?}");
        assert_eq!(report.differences[0].what.code(), "answer");
    }
    Ok(())
}

#[test]
fn a_host_on_another_engine_serves_only_where_the_last_decisions_come_out_again() -> anyhow::Result<()> {
    let (_folder, world) = asked_and_reopened(NAN_BITS, wrong(Mutant::NanBits), right())?;
    let error = gate::check(&world.app).unwrap_err();
    assert_eq!(error.code(), "decisions_differ");
    assert!(error.to_string().starts_with("1 of the last decisions of tenant acme"), "{error}");
    // The engine is as much another one where the answer is the same.
    let (_folder, world) = asked_and_reopened(SEED, wrong(Mutant::NanBits), right())?;
    gate::check(&world.app)?;
    Ok(())
}
