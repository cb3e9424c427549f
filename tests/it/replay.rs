//! Replay: every decision made again comes to the same bytes and the same fuel, wherever it is made; and whatever is not the same is
//! found and named.

mod command;
mod differs;
mod majors;
mod parts;

use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use redress::backtest::Select;
use redress::clock::FixedClock;
use redress::replay::{self, Report};
use redress_domain::clock::Instant;
use redress_tests::kitchen::Kitchen;
use redress_tests::world::{Merchant, START, World, copy_folder, quick_folder};

use crate::import::Shop;

/// Replay every case of a merchant.
fn all(merchant: &Merchant) -> anyhow::Result<Report> {
    Ok(replay::cases(&merchant.engine, &Select::default(), &mut |_, _| {})?)
}

/// Nothing differs, and something was looked at.
fn assert_equal(report: &Report) {
    assert_eq!((report.different, report.followed), (0, 0), "{:#?}", report.differences.first());
    assert_eq!(report.fuel_moved, 0);
    assert!(report.checked > 0 && report.turns >= report.cases, "{report:?}");
}

#[test]
fn whatever_happens_to_cases_every_turn_of_theirs_comes_out_again() -> anyhow::Result<()> {
    let mut kitchen = Kitchen::new(4)?;
    kitchen.run(80, 400, |_, _| Ok(()))?;
    let report = all(&kitchen.merchant)?;
    assert_equal(&report);
    // A component that its merchant replaced is still there for the cases that it decided. One that rested was not asked.
    assert!(report.unknown.keys().all(|code| code == "plugin_resting"), "{:?}", report.unknown);
    let rested: u64 = report.unknown.values().sum();
    assert!(rested < report.checked / 2, "{report:?}");
    Ok(())
}

#[test]
fn an_import_is_decided_alike_from_a_copy_of_the_folder_and_with_an_empty_cache() -> anyhow::Result<()> {
    alike_everywhere(&crate::import::small())
}

#[test]
fn half_a_year_of_real_returns_is_decided_alike_everywhere() -> anyhow::Result<()> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/online-retail/2010-12_2011-05.csv.gz");
    if !file.is_file() {
        // Straight to the stream: what a passing test prints by macro nobody sees.
        writeln!(std::io::stderr(), "SKIPPED: half a year of real returns needs {}", file.display())?;
        return Ok(());
    }
    alike_everywhere(&file)
}

fn alike_everywhere(file: &Path) -> anyhow::Result<()> {
    let shop = Shop::new()?;
    let cases = shop.import(file)?.cases;
    let here = all(shop.merchant())?;
    assert_equal(&here);
    assert_eq!(here.cases, cases);
    let copy = quick_folder()?;
    copy_folder(&shop.folder()?, copy.path())?;
    // As the product starts: with a sandbox of its own, an artifact cache that is empty, and components from the object folder.
    let clock = Arc::new(FixedClock::at(Instant::from_unix_ms(START)));
    let world = World::started_on(copy.path(), &clock)?;
    let merchant = world.reopen("online-retail")?;
    assert_eq!(merchant.engine.sandbox().stats().cache_hits, 0, "the cache is empty");
    assert_eq!(all(&merchant)?, here);
    Ok(())
}
