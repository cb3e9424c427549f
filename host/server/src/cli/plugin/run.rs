//! `redress plugin run`: one case, with everything that came of it.

use std::path::PathBuf;
use std::time::Instant;

use redress_sandbox::conformance::outcome;
use serde_json::{Value as Json, json};

use super::check::percent;
use super::opened::{self, Opened};
use crate::cli::Global;
use crate::cli::error::Error;
use crate::cli::output::{Format, Out};
use crate::cli::words::clean;

pub(super) const EXAMPLES: &str = "\
Examples:
  redress plugin run build/restocking-fee.wasm --input cases/opened.json
  redress plugin run std/refund-quote --input case.json --output json
";

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The plugin: a component, a core module with its types, or a stock one as std/NAME.
    file: PathBuf,
    /// The case.
    #[arg(long, value_name = "FILE")]
    input: PathBuf,
}

pub(super) fn run(args: &Args, at: &Global, out: &mut Out<'_>) -> Result<(), Error> {
    let case = opened::case(&args.input)?;
    let opened = Opened::new(&args.file, out)?;
    opened.answers(&case)?;
    let hook = case.question.hook();
    let began = Instant::now();
    let ended = opened.sandbox.attempt(&opened.plugin.digest, case.question.call());
    let micros = began.elapsed().as_micros() as u64;
    let difference = case.expect.as_ref().and_then(|expect| expect.difference(hook, &ended));
    let outcome = outcome(hook, &ended);
    let log: Vec<Json> = ended
        .log
        .iter()
        .map(|line| json!({ "level": format!("{:?}", line.level).to_lowercase(), "text": line.text }))
        .collect();
    if at.format() == Format::Json {
        out.json(&json!({
            "case": case.name, "hook": hook, "outcome": outcome, "fuel": ended.fuel, "fuel_max": ended.fuel_max,
            "micros": micros, "log": log, "log_dropped": ended.log_dropped,
            "as_expected": case.expect.as_ref().map(|_| difference.is_none()), "difference": difference,
        }))?;
    } else {
        out.json(&outcome)?;
        let used = percent(ended.fuel, ended.fuel_max);
        out.data(&format!("fuel {} of {} ({used}), {micros} µs with a fresh instance\n", ended.fuel, ended.fuel_max))?;
        for line in &log {
            let word = |name: &str| line[name].as_str().map(clean).unwrap_or_default();
            out.data(&format!("log {}: {}\n", word("level"), word("text")))?;
        }
        if ended.log_dropped > 0 {
            out.data(&format!("log lines beyond the limits: {}\n", ended.log_dropped))?;
        }
    }
    if let Some(difference) = difference {
        let (file, problems) = (args.input.display().to_string(), vec![clean(&difference)]);
        let help = "mend the plugin, or what the case expects";
        return Err(Error::Document { code: "case_differs", file, count: 1, problems, help });
    }
    match &ended.result {
        Err(error) if outcome.get("failed").is_some() => {
            let (file, problems) =
                (args.file.display().to_string(), vec![format!("{} [{}]", clean(&error.to_string()), error.code())]);
            let help = "a plugin that fails decides nothing: the case goes to a person";
            Err(Error::Document { code: "plugin_failed", file, count: 1, problems, help })
        }
        _ => Ok(()),
    }
}
