//! `cargo xtask returns`: real returns decided by the release build, and what came out as JSON.
//!
//! The product does all the work through its own command line; figures are read from the data folder through its own export. The
//! keys are those of the independent reference script, so that the two can be compared with `diff`.

pub(crate) mod product;
pub(crate) mod report;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::Context as _;

use crate::plugins::Built;
use crate::{plugins, toolchain};
use product::Product;
use report::Report;

/// The demo merchant's folder.
pub(crate) const MERCHANT: &str = "workflows/online-retail";
/// The plugins that its workflow calls, pushed under their own names so that each can be exchanged.
pub(crate) const PLUGINS: [&str; 2] = ["purchase-match", "refund-quote"];

/// What to decide, and by which rules.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Exports to import, as CSV, gzip or not.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Also write one line per case: invoice, outcome, refund, reasons.
    #[arg(long, value_name = "OUT.csv")]
    cases: Option<PathBuf>,
    /// Keep the data folder here; without it a temporary one is used.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Decide by this workflow instead of the merchant's own.
    #[arg(long, value_name = "FILE")]
    workflow: Option<PathBuf>,
    /// Use this component in place of a stock plugin; may be given several times.
    #[arg(long = "plugin", value_name = "NAME=FILE.wasm")]
    plugins: Vec<Override>,
}

/// A plugin that takes the place of a stock one.
#[derive(Clone)]
struct Override {
    name: String,
    component: PathBuf,
}

impl FromStr for Override {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once('=') {
            Some((name, file)) if !name.is_empty() && !file.is_empty() => {
                Ok(Self { name: name.to_owned(), component: file.into() })
            }
            _ => Err("expected NAME=FILE.wasm"),
        }
    }
}

/// Build, import, decide, print.
pub(crate) fn run(root: &Path, options: &Options) -> anyhow::Result<()> {
    toolchain::ensure_wasm_target(root)?;
    let stock = plugins::build(root)?;
    let temporary = tempfile::tempdir().context("could not make a temporary folder")?;
    let data = options.data.as_deref().unwrap_or(temporary.path());
    let product = Product::build(root, data)?;
    let report = decide(root, &product, &stock, options)?;
    if let Some(path) = &options.cases {
        std::fs::write(path, report.csv()).with_context(|| format!("could not write {}", path.display()))?;
    }
    writeln!(std::io::stdout(), "{}", serde_json::to_string_pretty(&report.summary())?)?;
    Ok(())
}

fn decide(root: &Path, product: &Product, stock: &[Built], options: &Options) -> anyhow::Result<Report> {
    let merchant = root.join(MERCHANT);
    let own_workflow = merchant.join("return.yaml");
    product.create_tenant()?;
    for plugin in stock.iter().filter(|plugin| PLUGINS.contains(&plugin.name.as_str())) {
        product.push_plugin(&plugin.name, &plugin.path)?;
    }
    for plugin in &options.plugins {
        product.push_plugin(&plugin.name, &plugin.component)?;
    }
    product.publish_workflow(options.workflow.as_deref().unwrap_or(&own_workflow))?;
    product.import(&merchant.join("import.yaml"), &options.files)?;
    Report::new(product.imported()?, product.cases()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_override_names_a_plugin_and_a_file() {
        let given: Override = "purchase-match=out/deny-all.wasm".parse().unwrap();
        assert_eq!(
            (given.name.as_str(), given.component.as_path()),
            ("purchase-match", Path::new("out/deny-all.wasm"))
        );
        assert!(["purchase-match", "=a.wasm", "a="].iter().all(|text| text.parse::<Override>().is_err()));
    }
}
