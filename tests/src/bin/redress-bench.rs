//! The figures of the plugin sandbox, as `cargo xtask bench` measures them with the release build.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand, ValueEnum};
use redress_sandbox::{Wall, cell};
use redress_tests::bench::{hostile, plugin};
use serde_json::Value as Json;

/// Measure the plugin sandbox.
#[derive(Debug, Parser)]
#[command(name = "redress-bench")]
struct Args {
    #[command(subcommand)]
    what: What,
    /// The form of the figures.
    #[arg(long, global = true, value_enum, default_value = "text")]
    output: Form,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Form {
    Text,
    Json,
}

#[derive(Debug, Subcommand)]
enum What {
    /// What a call costs.
    Plugin {
        /// How long each figure is measured.
        #[arg(long, default_value_t = 6)]
        seconds: u64,
        /// Different plugins.
        #[arg(long, default_value_t = 1_000)]
        plugins: usize,
        /// The folder with components of other languages.
        #[arg(long)]
        guests: PathBuf,
    },
    /// What hostile plugins cost a neighbour.
    Hostile {
        /// Cases of the neighbour in each measurement.
        #[arg(long, default_value_t = 9_000)]
        cases: usize,
        /// Cases of the other merchant in a second.
        #[arg(long, default_value_t = 40)]
        rate: u64,
        /// Run the plugins in processes of their own.
        #[arg(long)]
        processes: bool,
    },
}

/// The first argument of a process that runs plugins for a measurement.
const RUN: &str = "sandbox-run";

#[expect(clippy::print_stdout, reason = "the figures are what it is started for")]
fn main() -> anyhow::Result<ExitCode> {
    if std::env::args_os().nth(1).is_some_and(|first| first == RUN) {
        return Ok(cell::serve());
    }
    let args = Args::parse();
    let cells = Wall::this_program(RUN);
    let figures = match args.what {
        What::Plugin { seconds, plugins, guests } => {
            plugin::run(&plugin::Options { lasting: Duration::from_secs(seconds), plugins, guests, cells })?
        }
        What::Hostile { cases, rate, processes } => {
            let wall = if processes { cells } else { Wall::Sandbox };
            hostile::run(&hostile::Options { cases, rate, wall })?
        }
    };
    match args.output {
        Form::Json => println!("{figures:#}"),
        Form::Text => println!("{}", text(&figures, "")),
    }
    Ok(ExitCode::SUCCESS)
}

/// A line for each figure.
fn text(figures: &Json, before: &str) -> String {
    let line = |(name, figure): (&String, &Json)| match figure {
        Json::Object(_) => text(figure, &format!("{before}{name} ")),
        Json::String(said) => format!("{before}{name:<36} {said}"),
        other => format!("{before}{name:<36} {other}"),
    };
    figures.as_object().map(|all| all.iter().map(line).collect::<Vec<_>>().join("\n")).unwrap_or_default()
}
