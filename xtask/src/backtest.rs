//! `cargo xtask backtest`: how long it takes to try a candidate on many past cases. A shop is made up, its returns are decided by the
//! release build, and two candidates are tried on them: one whose plugins are asked nothing new, and one whose plugins must answer
//! every case anew. Prints both beside the time in which the cases were decided first.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use serde_json::{Value as Json, json};

use crate::returns::product::Product;
use crate::returns::{MERCHANT, PLUGINS};
use crate::{plugins, toolchain};

/// An invoice has six digits and begins with none of 0.
const CASES_MAX: u32 = 900_000;
/// Purchases of one customer.
const OF_CUSTOMER: u32 = 4;

/// Measure backtests.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Cases of the past.
    #[arg(long, value_name = "N", default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(1..=i64::from(CASES_MAX)))]
    cases: u32,
}

/// Build, make a shop up, decide, try, print.
pub(crate) fn run(root: &Path, options: &Options) -> anyhow::Result<()> {
    toolchain::ensure_wasm_target(root)?;
    let stock = plugins::build(root)?;
    let folder = tempfile::tempdir().context("could not make a temporary folder")?;
    let product = Product::build(root, &folder.path().join("data"))?;
    let merchant = root.join(MERCHANT);
    product.create_tenant()?;
    for plugin in stock.iter().filter(|plugin| PLUGINS.contains(&plugin.name.as_str())) {
        product.push_plugin(&plugin.name, &plugin.path)?;
    }
    product.publish_workflow(&merchant.join("return.yaml"))?;
    let export = folder.path().join("export.csv");
    std::fs::write(&export, shop(options.cases))?;
    let begun = Instant::now();
    product.import(&merchant.join("import.yaml"), &[export])?;
    let imported = begun.elapsed();
    let rules = std::fs::read_to_string(merchant.join("return.yaml"))?;
    let reused = tried(&product, folder.path(), &changed(&rules, "review_over", "20.00")?)?;
    let asked = tried(&product, folder.path(), &changed(&rules, "window_days", "30")?)?;
    let ratio = |took: Duration| {
        let percent = took.as_millis() * 100 / imported.as_millis().max(1);
        format!("{}.{:02}", percent / 100, percent % 100)
    };
    let told = |(took, report): &(Duration, Json)| {
        let per_second = u128::from(options.cases) * 1_000 / took.as_millis().max(1);
        json!({
            "seconds": took.as_secs(), "cases_per_second": per_second, "ratio_to_import": ratio(*took), "flipped": report["flipped"],
            "plugin_calls": report["plugin_calls"], "answers_reused": report["answers_reused"],
        })
    };
    for (_, report) in [&reused, &asked] {
        ensure!(report["cases"] == options.cases, "{} cases were decided again", report["cases"]);
    }
    let figures = json!({
        "cases": options.cases, "import_seconds": imported.as_secs(),
        "answers_from_the_record": told(&reused), "plugins_asked_anew": told(&asked),
    });
    writeln!(std::io::stdout(), "{figures:#}")?;
    Ok(())
}

fn tried(product: &Product, folder: &Path, rules: &str) -> anyhow::Result<(Duration, Json)> {
    let file = folder.join("candidate.yaml");
    std::fs::write(&file, rules)?;
    let begun = Instant::now();
    let report = product.backtest(&file)?;
    Ok((begun.elapsed(), report))
}

/// The rules with another default of one setting.
fn changed(rules: &str, setting: &str, value: &str) -> anyhow::Result<String> {
    let line = rules.lines().find(|line| line.trim_start().starts_with(&format!("{setting}:")));
    let line = line.with_context(|| format!("the rules have no setting {setting}"))?;
    let (before, rest) = line.split_once("default: ").context("a default")?;
    let (_, after) = rest.split_once(' ').context("an end")?;
    Ok(rules.replace(line, &format!("{before}default: {value} {after}")))
}

/// Each sale comes back in part, after 1 to 120 days: some too late, some dear.
fn shop(cases: u32) -> String {
    let mut text = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n".to_owned();
    for n in 0..cases {
        let (invoice, customer, stock) = (100_000 + n, 10_000 + n / OF_CUSTOMER, 20_000 + n % 70_000);
        let (month, day) = (1 + n % 6, 1 + n % 28);
        let (later_month, later_day) = (month + n % 5, 1 + (n + 1 + n % 3) % 28);
        let (quantity, pence) = (1 + n % 12, 85 + n % 997);
        let price = format!("{}.{:02}", pence / 100, pence % 100);
        let row = |invoice: String, quantity: i64, month: u32, day: u32, hour: u32| {
            format!(
                "{invoice},{stock},THING,{quantity},2011-{month:02}-{day:02} {hour:02}:15:00,{price},{customer}.0,United Kingdom\n"
            )
        };
        let back = i64::from(1 + quantity / 2);
        // Writing to a text cannot fail.
        let _ = write!(text, "{}", row(invoice.to_string(), i64::from(quantity), month, day, 9));
        let _ = write!(text, "{}", row(format!("C{invoice}"), -back, later_month, later_day, 17));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shop_has_a_sale_and_a_return_for_each_case() {
        let text = shop(50);
        assert_eq!(text.lines().count(), 101);
        assert_eq!(text.lines().filter(|line| line.starts_with('C')).count(), 50);
    }

    #[test]
    fn another_default_takes_the_place_of_the_setting() {
        let rules = "vars:\n  window_days: { type: number, default: 90 }\n";
        assert_eq!(
            changed(rules, "window_days", "30").unwrap(),
            "vars:\n  window_days: { type: number, default: 30 }\n"
        );
        assert!(changed(rules, "fee", "30").is_err());
    }
}
