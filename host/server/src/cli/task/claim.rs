//! `redress task claim` and `redress task release`: who works on a task.

use serde_json::json;

use crate::cli::Global;
use crate::cli::door::part;
use crate::cli::error::Error;
use crate::cli::output::Out;

pub(super) const EXAMPLES: &str = "\
Examples:
  redress task claim task_01jn1x3q5w9s8m2k4b6c7d8e9f --server http://127.0.0.1:7373 --key-file desk1.key
  redress task claim task_01jn1x3q5w9s8m2k4b6c7d8e9f --tenant shop --data data
";

pub(super) const RELEASE_EXAMPLES: &str = "\
Examples:
  redress task release task_01jn1x3q5w9s8m2k4b6c7d8e9f --server http://127.0.0.1:7373 --key-file desk1.key
  redress task release task_01jn1x3q5w9s8m2k4b6c7d8e9f --tenant shop --data data
";

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The task.
    task: String,
}

pub(super) fn claim(args: &Args, at: &Global, out: &mut Out<'_>) -> Result<(), Error> {
    at.door()?.post(&format!("/v1/tasks/{}/claim", part(&args.task)), &json!({}))?;
    out.say("it is yours");
    Ok(())
}

pub(super) fn release(args: &Args, at: &Global, out: &mut Out<'_>) -> Result<(), Error> {
    at.door()?.post(&format!("/v1/tasks/{}/release", part(&args.task)), &json!({}))?;
    out.say("it is everybody's again");
    Ok(())
}
