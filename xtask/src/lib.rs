//! Automation in Rust: `cargo xtask <command>`. Each command is a file of its own.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line tool speaks to its reader")]

mod backtest;
mod bench;
pub mod dev;
mod host;
mod metadata;
mod plugins;
mod probe;
mod returns;
mod shell;
mod siege;
mod test;
mod tidy;
mod toolchain;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Parser;

/// Automation for the Redress repository.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
enum Command {
    /// Start a host with three demo merchants, their orders, keys and rules, and a provider; Ctrl-C stops it.
    Dev(dev::Options),
    /// Run everything that must hold before a change is handed in; ends with one line `N passed, N failed`.
    Test,
    /// Check what the compiler cannot see: walls between crates, file docs, sizes, words.
    Tidy,
    /// Compile the stock plugins to WebAssembly components.
    Plugins,
    /// Try the HTTP API of a real host with requests made up from its OpenAPI document (needs python3 and PyPI).
    Probe(probe::Options),
    /// Measure how much slower healthy requests are answered while a host is besieged: a ratio in one run.
    Siege(siege::Options),
    /// Measure how long candidates take to be tried on many past cases, beside the time in which these were decided first.
    Backtest(backtest::Options),
    /// Measure the plugin sandbox: what a call costs, or what hostile plugins cost a neighbour's cases.
    Bench(bench::Options),
    /// Decide the returns of online-retail files with the release build and print the summary as JSON.
    Returns(returns::Options),
}

/// Run the command that the arguments name.
pub fn main() -> ExitCode {
    if let Some(code) = plugins::stable_rustc::run_if_asked() {
        return code;
    }
    match run(Command::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> anyhow::Result<ExitCode> {
    let root = root()?;
    match command {
        Command::Test => return Ok(test::run(&root)),
        Command::Dev(options) => dev::run(&root, &options)?,
        Command::Tidy => tidy::run(&root)?,
        Command::Plugins => plugins::run(&root)?,
        Command::Probe(options) => probe::run(&root, &options)?,
        Command::Siege(options) => siege::run(&root, &options)?,
        Command::Backtest(options) => backtest::run(&root, &options)?,
        Command::Bench(options) => bench::run(&root, &options)?,
        Command::Returns(options) => returns::run(&root, &options)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// The repository's folder. Cargo names this package's folder when it runs us, so a moved checkout is found too.
fn root() -> anyhow::Result<PathBuf> {
    let package = std::env::var_os("CARGO_MANIFEST_DIR").context("run this as `cargo xtask`")?;
    let root = PathBuf::from(package).parent().context("the xtask folder lies inside the repository")?.to_owned();
    Ok(root)
}
