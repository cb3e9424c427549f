//! The figures of the plugin sandbox, as `cargo xtask bench` measures them with the release build.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, Subcommand, ValueEnum};
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
        #[arg(long, default_value_t = 3_000)]
        cases: usize,
        /// Cases of the other merchant in a second.
        #[arg(long, default_value_t = 40)]
        rate: u64,
    },
}

#[expect(clippy::print_stdout, reason = "the figures are what it is started for")]
fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let figures = match args.what {
        What::Plugin { seconds, plugins, guests } => {
            plugin::run(&plugin::Options { lasting: Duration::from_secs(seconds), plugins, guests })?
        }
        What::Hostile { cases, rate } => hostile::run(hostile::Options { cases, rate })?,
    };
    match args.output {
        Form::Json => println!("{figures:#}"),
        Form::Text => println!("{}", text(&figures, "")),
    }
    Ok(())
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
