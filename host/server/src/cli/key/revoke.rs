//! `redress key revoke`: take a key back.

use serde_json::json;

use crate::cli::Global;
use crate::cli::door::part;
use crate::cli::error::Error;
use crate::cli::output::Out;

pub(super) const EXAMPLES: &str = "\
Examples:
  redress key revoke 4q8m1x0c7d2k --data data
  redress key revoke 4q8m1x0c7d2k --tenant shop --server http://127.0.0.1:7373
";

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The id of the key, as `key list` shows it and as it stands in the key behind `rdr_`.
    id: String,
}

pub(super) fn run(args: &Args, at: &Global, out: &mut Out<'_>) -> Result<(), Error> {
    let door = at.door()?;
    door.post(&format!("/v1/keys/{}/revoke", part(&args.id)), &json!({}))?;
    out.say(&format!("key {} opens nothing any more", args.id));
    Ok(())
}
