//! `redress effect redeliver`: deliver an effect again, under the same key.

use serde_json::json;

use crate::cli::Global;
use crate::cli::door::part;
use crate::cli::error::Error;
use crate::cli::output::Out;

pub(super) const EXAMPLES: &str = "\
Examples:
  redress effect redeliver 5feceb66ffc86f38d952786c6d696c79c2dbc239dd4e91b46729d73a27fb57e9 --reason \"provider was down\" --tenant shop --data data
  redress effect redeliver 5feceb66ffc86f38d952786c6d696c79c2dbc239dd4e91b46729d73a27fb57e9 --reason \"mail was lost\" --server http://127.0.0.1:7373
";

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The key of the effect.
    key: String,
    /// Why, in words.
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

pub(super) fn run(args: &Args, at: &Global, out: &mut Out<'_>) -> Result<(), Error> {
    let address = format!("/v1/effects/{}/redeliver", part(&args.key));
    at.door()?.post(&address, &json!({ "reason": args.reason }))?;
    out.say("it leaves again, under the same key");
    Ok(())
}
