//! The conformance suite over every plugin of the house: what authors are held to holds here first.

use anyhow::{Context as _, ensure};
use redress::publish::stock;
use redress_sandbox::conformance::{Plan, Report, Rule, check};
use redress_sandbox::{Config, Limits, Mutant, Sandbox};
use redress_tests::guests::integer_step;

/// Its clock is far away, so that a busy machine changes no outcome.
fn config() -> Config {
    Config { limits: Limits { wall_clock_ms: 60_000, ..Limits::default() }, ..Config::default() }
}

fn sandbox() -> anyhow::Result<Sandbox> {
    Ok(Sandbox::new(config())?)
}

fn told(report: &Report) -> anyhow::Result<String> {
    Ok(serde_json::to_string_pretty(report)?)
}

#[test]
fn every_stock_plugin_keeps_every_rule_without_a_warning() -> anyhow::Result<()> {
    let sandbox = sandbox()?;
    ensure!(stock::STOCK.len() >= 4);
    for stock in stock::STOCK {
        let plugin = sandbox.load(stock.bytes)?;
        let report = check(&sandbox, &plugin, &Plan::new(20, &[]));
        ensure!(report.findings.is_empty(), "{}", told(&report)?);
        ensure!(report.complete && report.skipped == 0 && report.cases > 200, "{}", told(&report)?);
        // A plugin that never decides would keep the rules as well.
        ensure!(report.undecided * 2 < report.cases, "{} of {} undecided", report.undecided, report.cases);
        let tolerant = report.rules.iter().find(|count| count.rule == Rule::AttributeTolerant).context("a rule")?;
        ensure!(tolerant.checked > 200, "{}", told(&report)?);
    }
    Ok(())
}

#[test]
fn a_plugin_that_a_clock_or_a_hash_seed_reaches_is_not_deterministic() -> anyhow::Result<()> {
    // Where the parameters of the request are flattened, the moment and the seed are these.
    for (code, mutant) in [("(local.get 2)", Mutant::Clock), ("(local.get 5)", Mutant::HashSeed)] {
        let component = integer_step("n", code).component()?;
        let broken = |sandbox: Sandbox| -> anyhow::Result<Vec<Rule>> {
            let plugin = sandbox.load(&component)?;
            let report = check(&sandbox, &plugin, &Plan { generated: 5, ..Plan::new(1, &[]) });
            Ok(report.rules.iter().filter(|rule| rule.broken > 0).map(|rule| rule.rule).collect())
        };
        assert_eq!(broken(sandbox()?)?, []);
        assert_eq!(broken(Sandbox::mutant(config(), mutant)?)?, [Rule::Deterministic, Rule::Stateless]);
    }
    Ok(())
}
