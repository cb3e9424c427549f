//! Half a year of real returns against an independent script. The data is too large for the repository: where it does not lie
//! beside the checkout, the check says so and passes.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::import::Shop;

/// The folder beside the checkout.
fn beside() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared")
}

#[test]
fn half_a_year_of_real_returns_comes_out_as_an_independent_script_says() -> anyhow::Result<()> {
    let (script, data) = (beside().join("reference/online_retail.py"), beside().join("data/online-retail"));
    let file = data.join("2010-12_2011-05.csv.gz");
    let python = Command::new("python3").arg("--version").output().is_ok();
    if !script.is_file() || !file.is_file() || !python {
        // Straight to the stream: what a passing test prints by macro nobody sees.
        writeln!(std::io::stderr(), "SKIPPED: half a year of real returns needs {} and python3", file.display())?;
        return Ok(());
    }
    let shop = Shop::new()?;
    let expected = shop.folder()?.join("expected.csv");
    let status = Command::new("python3").arg(&script).arg(&file).arg("--cases").arg(&expected).output()?.status;
    assert!(status.success(), "the script runs");
    let report = shop.import(&file)?;
    let expected = std::fs::read_to_string(expected)?;
    let (_, expected) = expected.split_once('\n').unwrap_or_default();
    let found = shop.outcomes()?;
    let differs = expected.lines().zip(found.lines()).find(|(expected, found)| expected != found);
    assert_eq!(differs, None, "the first case that differs");
    assert_eq!((expected.len(), report.cases), (found.len(), found.lines().count() as u64));
    Ok(())
}
