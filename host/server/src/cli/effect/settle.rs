//! `redress effect settle`: say what became of an effect.

use clap::ValueEnum;
use serde_json::{Value as Json, json};

use crate::cli::Global;
use crate::cli::door::part;
use crate::cli::error::Error;
use crate::cli::output::Out;

pub(super) const EXAMPLES: &str = "\
Examples:
  redress effect settle 5feceb66ffc86f38d952786c6d696c79c2dbc239dd4e91b46729d73a27fb57e9 confirmed --reference 4200001234 --tenant shop --data data
  redress effect settle 5feceb66ffc86f38d952786c6d696c79c2dbc239dd4e91b46729d73a27fb57e9 declined --server http://127.0.0.1:7373
";

/// What became of it.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Outcome {
    /// It happened.
    Confirmed,
    /// It did not and will not.
    Declined,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The key of the effect.
    key: String,
    /// What became of it. Look at the provider first: this is believed.
    #[arg(value_enum)]
    outcome: Outcome,
    /// The provider's reference.
    #[arg(long, value_name = "TEXT")]
    reference: Option<String>,
}

pub(super) fn run(args: &Args, at: &Global, out: &mut Out<'_>) -> Result<(), Error> {
    let word = match args.outcome {
        Outcome::Confirmed => "confirmed",
        Outcome::Declined => "declined",
    };
    let mut body = json!({ "outcome": word });
    if let Some(reference) = &args.reference {
        body["reference"] = Json::from(reference.as_str());
    }
    let effect = at.door()?.post(&format!("/v1/effects/{}/outcome", part(&args.key)), &body)?;
    out.say(&format!("the effect is {}", effect["state"].as_str().unwrap_or(word)));
    Ok(())
}
